"""What waits for a full Region stands in one line: nothing is forgotten, nobody jumps it, and free slots are used."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.cloud import LocalAws
from tests.e2e import faults, policies
from tests.e2e.accounts import Account

NEAR = "us-west-2"
SLOTS = 5


@pytest.fixture
def copier(source: Account, stranger: Account, target: Account, aws: LocalAws) -> faults.Copier:
    """Copies what two accounts share into a Region whose copies end when the test says so."""
    aws.control.configure(hold_copies=True)
    document = policies.details([source.number, stranger.number], policies.target(NEAR, key=target.create_key(NEAR)))
    return faults.copier(target, document, SweepSince=moment(days=-1))


def moment(*, days: float) -> str:
    """A moment so many days from now."""
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def started(copier: faults.Copier, snapshots: list[str]) -> int:
    """How many of these have a copy."""
    made = copier.made(NEAR)
    return sum(each in made for each in snapshots)


def test_what_only_an_event_asked_for_is_served_by_a_later_tick(
    copier: faults.Copier, source: Account, aws: LocalAws
) -> None:
    """No sweep would find it again: it is older than what sweeps look at."""
    aws.control.configure(in_flight_limits={NEAR: 0})
    [old] = copier.shared(source, 1, events=True, start_time=moment(days=-2))
    copier.stack.wait_for_audit(event="copy.deferred", reason="region-full", source__snapshot=old)
    copier.wait_until_idle()
    assert started(copier, [old]) == 0
    aws.control.configure(in_flight_limits={})
    copier.serve()
    copier.serve()
    assert copier.made(NEAR) == {old: 1}


def test_a_slot_that_comes_free_is_used_by_the_next_tick(copier: faults.Copier, source: Account, aws: LocalAws) -> None:
    aws.control.configure(in_flight_limits={NEAR: 1})
    snapshots = copier.shared(source, 3, events=True)
    copier.stack.wait_for_audit(event="copy.started")
    copier.wait_until_idle()
    for number in (1, 2, 3):
        assert started(copier, snapshots) == number
        aws.control.release_copies(region=NEAR)
        copier.serve()
    assert copier.made(NEAR) == dict.fromkeys(snapshots, 1)
    assert copier.stack.audit(event="sweep.completed") == []


def test_a_line_that_is_shown_late_is_served_all_the_same(
    copier: faults.Copier, source: Account, aws: LocalAws
) -> None:
    """The ledger's index is behind its table: an account keeps its place until the index had the time to follow."""
    aws.control.configure(in_flight_limits={NEAR: 0}, index_lag_seconds=30)
    snapshots = copier.shared(source, 3, events=True)
    copier.stack.wait_for_audit(event="copy.deferred")
    copier.wait_until_idle()
    aws.control.configure(in_flight_limits={})
    copier.serve()
    copier.serve()
    aws.control.advance_clock(seconds=31)
    copier.serve()
    copier.serve()
    assert copier.made(NEAR) == dict.fromkeys(snapshots, 1)


def test_a_tick_asks_ec2_nothing_when_nothing_is_owed(copier: faults.Copier, source: Account, aws: LocalAws) -> None:
    copier.shared(source, 1, events=True)
    copier.stack.wait_for_audit(event="copy.started")
    copier.wait_until_idle()
    last = aws.control.last_call()
    copier.serve()
    counts = aws.control.count(since=last, account=copier.account.number)
    assert {service for service, _, _ in counts} == {"dynamodb"}


def test_an_account_that_floods_and_one_that_waits_take_turns(
    copier: faults.Copier, source: Account, stranger: Account, aws: LocalAws
) -> None:
    aws.control.configure(in_flight_limits={NEAR: SLOTS})
    flood = copier.shared(source, SLOTS, events=True)
    copier.stack.wait_for_audit(count=SLOTS, event="copy.started")
    waiting = copier.shared(stranger, 30, events=True)
    copier.wait_until_idle()
    flood += copier.shared(source, 2 * SLOTS, events=True)
    copier.wait_until_idle()
    before = (started(copier, waiting), started(copier, flood))
    assert before == (0, SLOTS)

    def a_round() -> tuple[int, int]:
        """Frees all slots, while more is shared; gives how many of each account's were started meanwhile."""
        nonlocal flood, before
        assert len(aws.control.release_copies(region=NEAR)) == SLOTS, "each round fills every free slot"
        flood += copier.shared(source, 2 * SLOTS, events=True)
        copier.wait_until_idle()
        copier.serve()
        last, before = before, (started(copier, waiting), started(copier, flood))
        return before[0] - last[0], before[1] - last[1]

    while before[0] <= len(waiting) - SLOTS:
        # In turns: of an odd number of slots whose turn it is has one more.
        assert sorted(a_round()) == [SLOTS // 2, SLOTS - SLOTS // 2]
    while before[0] < len(waiting):
        assert sum(a_round()) == SLOTS
    assert copier.made(NEAR).most_common(1)[0][1] == 1


def test_what_ec2_refuses_is_not_asked_at_every_sweep_and_stands_last(
    copier: faults.Copier, source: Account, aws: LocalAws
) -> None:
    [bad] = copier.shared(source, 1)
    refusing = aws.control.inject_fault(
        action="CopySnapshot", parameters={"SourceSnapshotId": bad}, code="InvalidParameterValue", message="no"
    )
    for _ in range(4):
        copier.sweep_now()
    assert copier.asked() == {(bad, NEAR): 1}, "the first pause is a minute"
    copier.ledger.age(minutes=1.1)
    copier.serve()
    copier.serve()
    assert copier.asked() == {(bad, NEAR): 2}, "and grows"

    aws.control.configure(in_flight_limits={NEAR: 0})
    good = copier.shared(source, 2)
    copier.sweep_now()
    aws.control.configure(in_flight_limits={NEAR: 20})
    copier.ledger.age(minutes=2.1)
    copier.serve()
    order = [
        call.parameters["SourceSnapshotId"] for call in copier.copy_calls() if call.outcome != "ResourceLimitExceeded"
    ]
    assert set(order[2:4]) == set(good)
    assert order[4:] == [bad]

    aws.control.clear(refusing)
    copier.ledger.age(minutes=61)
    copier.serve()
    assert copier.made(NEAR) == dict.fromkeys([bad, *good], 1), "it is never given up"
