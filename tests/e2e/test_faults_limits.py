"""More snapshots than a Region takes at once: the first refusal closes it, the rest waits, and nobody is starved."""

from datetime import datetime, timedelta

import pytest

from tests.cloud import LocalAws
from tests.e2e import faults, policies
from tests.e2e.accounts import Account

YOUNG, OLD = "us-west-2", "eu-central-1"
LIMITS = {YOUNG: 20, OLD: 5}
SNAPSHOTS = 200


@pytest.fixture
def copier(source: Account, stranger: Account, target: Account, aws: LocalAws) -> faults.Copier:
    """Copies from two accounts into a Region that takes 20 copies at once and into one that takes 5."""
    aws.control.configure(hold_copies=True, in_flight_limits=LIMITS)
    entries = [policies.target(region, key=target.create_key(region)) for region in LIMITS]
    return faults.copier(target, policies.details([source.number, stranger.number], *entries))


def test_two_hundred_snapshots_pass_through_five_and_twenty_slots(
    copier: faults.Copier, source: Account, stranger: Account, aws: LocalAws
) -> None:
    copier.shared(source, SNAPSHOTS - 1)
    [lonely] = copier.shared(stranger, 1)

    first = copier.sweep()["sweep"]
    started = sum(LIMITS.values())
    closed = {"region-full": 2 * SNAPSHOTS - started}
    assert (first["shared"], first["matching"], first["started"], first["inFlight"]) == (200, 200, started, started)
    assert (first["missing"], first["deferred"]) == (2 * SNAPSHOTS - started, closed)
    assert first["oldestMissingSeconds"] >= 0
    for region, limit in LIMITS.items():
        assert len(copier.copy_calls(region=region)) == limit + 1, "the first refusal closes the Region"
        assert copier.asked(region=region, outcome="ok")[lonely, region] == 1, "an account with one is not starved"
    assert [(region, reason) for _, region, reason in sorted(copier.deferred(), key=lambda each: each[1])] == [
        (region, "region-full") for region in sorted(LIMITS)
    ], "what was asked for in vain has a record of its own"
    assert copier.not_tried() == [
        (region, "region-full", SNAPSHOTS - limit - 1) for region, limit in sorted(LIMITS.items())
    ], "the rest of a Region has one together"

    for sweeps in range(1, SNAPSHOTS // LIMITS[OLD]):
        for region, limit in LIMITS.items():
            ended = aws.control.release_copies(region=region)
            assert len(ended) == (limit if sweeps * limit <= SNAPSHOTS else 0), "each sweep fills every free slot"
        copier.sweep_now()

    aws.control.release_copies()
    copier.settle()
    assert copier.asked(outcome="ok") == {
        (each["id"], region): 1
        for owner in (source, stranger)
        for each in aws.control.snapshots(account=owner.number)
        for region in LIMITS
    }
    for region, limit in LIMITS.items():
        # Every sweep but the last one asks once too often, and so finds the Region full.
        assert len(copier.copy_calls(region=region, outcome="ResourceLimitExceeded")) == SNAPSHOTS / limit - 1
        assert len(copier.copy_calls(region=region)) == SNAPSHOTS + SNAPSHOTS / limit - 1


def test_a_full_region_is_asked_once_a_run_and_holds_up_no_other(
    copier: faults.Copier, source: Account, aws: LocalAws
) -> None:
    aws.control.configure(in_flight_limits={YOUNG: 0, OLD: 20})
    wanted = copier.shared(source, 6, events=True)
    copier.wait_until_idle()
    copier.sweep()
    refused = copier.copy_calls(region=YOUNG)
    runs = {record["trigger"] for record in copier.stack.audit(event="copy.deferred", reason="region-full")}
    assert runs == {"event", "sweep"}
    assert {call.outcome for call in refused} == {"ResourceLimitExceeded"}
    assert copier.asked(region=OLD) == {(snapshot, OLD): 1 for snapshot in wanted}
    [sweep] = [record["sweep"] for record in copier.stack.audit(event="sweep.completed")]
    assert (sweep["missing"], sweep["inFlight"], sweep["deferred"]) == (6, 6, {"region-full": 6})
    aws.control.configure(in_flight_limits={}, hold_copies=False)
    aws.control.release_copies()
    copier.settle()


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("PendingSnapshotLimitExceeded", "region-full"),
        # That one lasts until somebody raises it or deletes snapshots.
        ("SnapshotLimitExceeded", "quota-exceeded"),
    ],
)
def test_the_relatives_of_that_refusal_close_a_region_too(
    copier: faults.Copier, source: Account, aws: LocalAws, code: str, reason: str
) -> None:
    aws.control.configure(hold_copies=False)
    full = aws.control.inject_fault(action="CopySnapshot", region=YOUNG, code=code)
    copier.shared(source, 4)
    assert copier.sweep()["sweep"]["deferred"] == {reason: 4}
    assert (len(copier.copy_calls(region=YOUNG)), len(copier.copy_calls(region=OLD))) == (1, 4)
    [(_, region, tried)] = copier.deferred()
    assert [(region, tried, 1), *copier.not_tried()] == [(YOUNG, reason, 1), (YOUNG, reason, 3)]
    copier.serve()
    assert (len(copier.copy_calls(region=YOUNG)), len(copier.copy_calls(region=OLD))) == (2, 4), "once a run"
    aws.control.clear(full)
    copier.settle()


def test_no_copy_is_started_in_the_last_ten_seconds(copier: faults.Copier, source: Account, aws: LocalAws) -> None:
    aws.control.configure(hold_copies=False)
    slow = aws.control.inject_fault(action="CopySnapshot", region=OLD, latency=3)
    wanted = copier.shared(source, 8)
    functions = copier.account.client("lambda")
    # A little more than what has to be left for reading, and for looking at a batch.
    functions.update_function_configuration(FunctionName=copier.function, Timeout=25)
    swept = copier.sweep()["sweep"]
    late = swept["deferred"]["out-of-time"]
    asked = copier.asked(region=OLD)
    assert (asked.total(), swept["deferred"]) == (len(wanted) - late, {"out-of-time": late})
    assert late > 0
    ends = datetime.fromisoformat(copier.copy_calls()[0].time) + timedelta(seconds=25)
    last = max(datetime.fromisoformat(call.time) for call in copier.copy_calls(region=OLD))
    assert ends - last >= timedelta(seconds=9)
    assert copier.not_tried() == [(OLD, "out-of-time", late)]
    assert copier.asked(region=YOUNG) == {(snapshot, YOUNG): 1 for snapshot in wanted}
    aws.control.clear(slow)
    functions.update_function_configuration(FunctionName=copier.function, Timeout=300)
    copier.settle()
    assert copier.asked() == {(snapshot, region): 1 for snapshot in wanted for region in LIMITS}
