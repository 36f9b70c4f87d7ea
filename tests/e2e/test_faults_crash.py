"""kill -9 of the function: what it did is kept, what it did not do is done by the redelivery or by a sweep.

The message of the killed run stays in flight for the queue's visibility timeout, and with it its message group, so that
no other copier starts before EC2 had the time to show what the killed one did. The template makes that six minutes;
here it is seconds, set on the deployed queue.
"""

from datetime import datetime, timedelta

import pytest

from tests.cloud import Call, LocalAws, until
from tests.e2e import faults, policies
from tests.e2e.accounts import HOME, Account
from tests.e2e.deploy import PATIENCE_SECONDS

NEAR, FAR = "us-west-2", "eu-central-1"
VISIBILITY_TIMEOUT = 6


@pytest.fixture
def copier(source: Account, target: Account) -> faults.Copier:
    entries = [policies.target(region, key=target.create_key(region)) for region in (NEAR, FAR)]
    copier = faults.copier(target, policies.details([source.number], *entries))
    copier.set_visibility_timeout(VISIBILITY_TIMEOUT)
    return copier


def looks(copier: faults.Copier) -> list[Call]:
    """The first read of each run: that of the home Region."""
    return copier.control.calls(account=copier.account.number, action="DescribeSnapshots", region=HOME)


@pytest.mark.parametrize(
    ("when", "executed"), [("before", False), ("after", True)], ids=["before the second", "before its answer"]
)
def test_killed_between_two_copies(
    copier: faults.Copier, source: Account, aws: LocalAws, when: str, *, executed: bool
) -> None:
    aws.control.configure(copy_visibility_seconds=3600)
    snapshots = copier.shared(source, 4)
    aws.control.inject_fault(action="CopySnapshot", region=NEAR, skip=1, times=1, kill=copier.function, drop=when)
    first = copier.tick()
    until(lambda: copier.copy_calls(outcome=f"dropped-{when}"), within=PATIENCE_SECONDS, what="the kill")
    assert aws.control.functions(copier.function) == []
    near = copier.copy_calls(region=NEAR)
    assert [call.executed for call in near] == [True, executed]
    copier.tick()
    copier.wait_until_idle()

    killed = max(datetime.fromisoformat(call.time) for call in near)
    began, *again = (datetime.fromisoformat(call.time) for call in looks(copier))
    redelivered = min(each for each in again if each > killed)
    assert redelivered - began >= timedelta(seconds=VISIBILITY_TIMEOUT / 2), "the second tick has to wait too"
    assert copier.stack.wait_for_audit(event="sweep.completed")[0]["triggerId"] == first
    # One was asked for without an answer, and one of the other Region's may have been about to be: such are left alone
    # for as long as EC2 may not show their copies.
    doubtful = near[1].parameters["SourceSnapshotId"]
    once = {(each, region): 1 for each in snapshots for region in (NEAR, FAR)}
    asked = copier.asked()
    unasked = set(once) - set(asked)
    assert asked == {each: 1 for each in once if each not in unasked}
    assert [region for _, region in unasked] in ([], [FAR])
    # The process may have died between a request and its answer there, too.
    assert len(unasked) <= copier.ledger.states(region=FAR).count("asked") <= 1
    assert copier.ledger.states(source=doubtful, region=NEAR) == ["asked"]
    copier.ledger.age(minutes=9)
    copier.sweep_now()
    copier.serve()
    assert copier.asked() == asked
    copier.show_copies()
    copier.ledger.age(minutes=2)
    copier.serve()
    copier.show_copies()
    verdict = copier.verdict()
    assert verdict.kept, verdict
    assert copier.asked() == (once if executed else once | {(doubtful, NEAR): 2})
    copier.settle()

    heard = {record["copy"]["snapshot"] for record in copier.stack.audit(event="copy.started", copy__region=NEAR)}
    made = {call.created for call in copier.copy_calls(region=NEAR) if call.executed}
    assert made - heard == ({near[1].created} if executed else set()), "the audit holds what the killed run had heard"


def test_killed_while_events_are_handled(copier: faults.Copier, source: Account, aws: LocalAws) -> None:
    aws.control.inject_fault(action="CopySnapshot", skip=3, times=1, kill=copier.function, drop="after")
    wanted = copier.shared(source, 6, events=True)
    copier.wait_until_idle()
    # The redelivery does what the killed run did not, but for what that may have been about to ask for elsewhere.
    once = {(each, region): 1 for each in wanted for region in (NEAR, FAR)}
    unasked = set(once) - set(copier.asked())
    assert len(unasked) <= 1
    # That one, and the one whose answer was lost.
    assert len(unasked) <= copier.ledger.states().count("asked") <= 2
    copier.ledger.age(minutes=11)
    copier.serve()
    verdict = copier.verdict()
    assert verdict.kept, verdict
    assert copier.asked() == once
    copier.settle()


def test_an_event_that_kills_the_function_every_time_ends_in_the_dead_letter_queue_and_the_sweep_goes_on(
    copier: faults.Copier, source: Account, aws: LocalAws
) -> None:
    copier.set_visibility_timeout(1)
    poison = aws.control.inject_fault(
        action="DescribeSnapshots", region=HOME, account=copier.account.number, kill=copier.function
    )
    copier.shared(source, 1, events=True)
    until(
        lambda: copier.queued("CopierDeadLetterQueueUrl") == 1, within=PATIENCE_SECONDS, what="the event to be given up"
    )
    assert len(looks(copier)) == 20, "twenty attempts, which are two hours in a deployed stack"
    assert copier.copy_calls() == []
    aws.control.clear(poison)
    copier.settle()
    assert copier.copy_calls() != []
