"""A copy is asked for once, whatever EC2 shows of it: nothing yet, no more, or nothing because the answer was lost."""

import pytest

from tests.cloud import LocalAws, until
from tests.e2e import faults, policies
from tests.e2e.accounts import Account
from tests.e2e.deploy import PATIENCE_SECONDS

NEAR = "us-west-2"
REQUESTS = 18


@pytest.fixture
def copier(source: Account, target: Account) -> faults.Copier:
    return faults.copier(target, policies.details([source.number], policies.target(NEAR, key=target.create_key(NEAR))))


def restart(copier: faults.Copier) -> None:
    """The next invocation finds a new environment."""
    copier.control.kill_function(copier.function)


@pytest.mark.parametrize("is_new", [False, True], ids=["in the same environment", "in a new environment"])
def test_a_copy_that_ec2_showed_once_and_hides_again(
    copier: faults.Copier, source: Account, aws: LocalAws, *, is_new: bool
) -> None:
    aws.control.configure(hold_copies=True, copy_hides_seconds=540)
    [snapshot] = copier.shared(source, 1, events=True)
    copier.stack.wait_for_audit(event="copy.started")
    copier.wait_until_idle()
    copier.sweep_now()
    [copy] = aws.control.snapshots(account=copier.account.number)
    assert copy["was_shown"], "the sweep has to see it"
    if is_new:
        restart(copier)
    copier.sweep_now()
    copier.ledger.age(minutes=8)
    copier.sweep_now()
    copier.serve()
    assert copier.made(NEAR) == {snapshot: 1}
    aws.control.advance_clock(seconds=541)
    copier.ledger.age(minutes=8)
    copier.sweep_now()
    copier.serve()
    assert copier.made(NEAR) == {snapshot: 1}


def test_a_copy_that_is_found_by_its_id_alone_long_after_its_hold(
    copier: faults.Copier, source: Account, aws: LocalAws
) -> None:
    aws.control.configure(hold_copies=True, copy_list_seconds=86_400)
    [snapshot] = copier.shared(source, 1, events=True)
    copier.stack.wait_for_audit(event="copy.started")
    copier.wait_until_idle()
    for _ in range(3):
        restart(copier)
        copier.ledger.age(minutes=11)
        copier.sweep_now()
        copier.serve()
    assert copier.made(NEAR) == {snapshot: 1}


@pytest.mark.parametrize("how", [{"drop": "after"}, {"code": "InternalError", "executed": True}], ids=str)
def test_an_answer_that_is_lost_and_a_copy_that_shows_after_forty_seconds(
    copier: faults.Copier, source: Account, aws: LocalAws, how: dict[str, str]
) -> None:
    aws.control.configure(hold_copies=True)
    aws.control.inject_fault(action="CopySnapshot", times=1, shows_after=40, **how)
    [snapshot] = copier.shared(source, 1, events=True)
    copier.stack.wait_for_audit(event="copy.deferred", reason="answer-lost")
    copier.wait_until_idle()
    for _ in range(2):
        copier.ledger.age(seconds=36)
        copier.serve()
        copier.sweep_now()
    assert copier.made(NEAR) == {snapshot: 1}
    copier.show_copies()
    copier.ledger.age(minutes=11)
    copier.serve()
    copier.sweep_now()
    assert copier.asked() == {(snapshot, NEAR): 1}
    assert copier.ledger.states() == ["copying"]


def test_a_request_that_never_arrived_is_made_again_when_its_hold_is_over(
    copier: faults.Copier, source: Account, aws: LocalAws
) -> None:
    aws.control.inject_fault(action="CopySnapshot", drop="before", times=1)
    [snapshot] = copier.shared(source, 1, events=True)
    copier.stack.wait_for_audit(event="copy.deferred", reason="answer-lost")
    copier.wait_until_idle()
    copier.ledger.age(minutes=9)
    copier.serve()
    assert copier.asked() == {(snapshot, NEAR): 1}
    copier.ledger.age(minutes=2)
    # The process that asked believes its own clock.
    restart(copier)
    copier.serve()
    assert copier.asked() == {(snapshot, NEAR): 2}
    assert copier.made(NEAR) == {snapshot: 1}


def test_a_process_that_is_killed_after_eighteen_requests_that_ec2_is_slow_to_show(
    copier: faults.Copier, source: Account, aws: LocalAws
) -> None:
    copier.set_visibility_timeout(6)
    aws.control.configure(hold_copies=True, copy_visibility_seconds=540)
    snapshots = copier.shared(source, REQUESTS + 2)
    killing = {"action": "CopySnapshot", "skip": REQUESTS - 1, "times": 1}
    aws.control.inject_fault(kill=copier.function, drop="after", **killing)
    copier.tick()
    until(lambda: copier.copy_calls(outcome="dropped-after"), within=PATIENCE_SECONDS, what="the kill")
    assert copier.made(NEAR).total() == REQUESTS
    copier.wait_until_idle()
    copier.serve()
    copier.ledger.age(minutes=8)
    copier.serve()
    assert copier.made(NEAR) == dict.fromkeys(snapshots, 1)
    copier.show_copies()
    copier.ledger.age(minutes=3)
    copier.serve()
    copier.sweep_now()
    assert copier.asked() == {(each, NEAR): 1 for each in snapshots}
    assert copier.ledger.states() == ["copying"] * len(snapshots)
