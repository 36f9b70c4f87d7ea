"""Each obligation ends once, in the audit: also what went before it had a copy, and what nobody wants any more."""

from collections import Counter

import pytest

from tests.cloud import LocalAws
from tests.e2e import faults, policies
from tests.e2e.accounts import Account
from tests.e2e.deploy import redeploy

NEAR = "us-west-2"


@pytest.fixture
def copier(source: Account, stranger: Account, target: Account, aws: LocalAws) -> faults.Copier:
    """Wants copies in a Region that takes none."""
    aws.control.configure(in_flight_limits={NEAR: 0})
    document = policies.details([source.number, stranger.number], policies.target(NEAR))
    return faults.copier(target, document)


def told(copier: faults.Copier, event: str) -> Counter[tuple[str, str]]:
    """Of which snapshots it was told, and why."""
    return Counter((each["source"]["snapshot"], each["reason"]) for each in copier.stack.audit(event=event))


def test_five_that_waited_until_they_were_not_shared_any_more(copier: faults.Copier, source: Account) -> None:
    snapshots = copier.shared(source, 5, events=True)
    copier.stack.wait_for_audit(event="copy.deferred")
    copier.wait_until_idle()
    for each in snapshots:
        source.unshare(each, copier.account.number)
    copier.sweep_now()
    assert told(copier, "copy.missed") == {}, "one look is not enough"
    copier.sweep_now()
    once = {(each, "source-gone"): 1 for each in snapshots}
    assert told(copier, "copy.missed") == once
    copier.sweep_now()
    copier.serve()
    assert told(copier, "copy.missed") == once
    assert copier.ledger.states() == ["ended"] * 5
    assert copier.copy_calls(outcome="ok") == []


def test_what_lists_do_not_show_for_a_while_is_not_missed(
    copier: faults.Copier, source: Account, aws: LocalAws
) -> None:
    [snapshot] = copier.shared(source, 1, events=True)
    copier.stack.wait_for_audit(event="copy.deferred")
    copier.wait_until_idle()
    aws.control.configure(share_list_seconds=3600)
    for _ in range(3):
        copier.sweep_now()
    assert told(copier, "copy.missed") == {}, "its ID still finds it"
    aws.control.configure(share_list_seconds=0, in_flight_limits={})
    copier.serve()
    assert copier.made(NEAR) == {snapshot: 1}


def test_what_waited_until_its_owner_was_taken_from_the_policy_and_put_back(
    copier: faults.Copier, source: Account, stranger: Account, aws: LocalAws
) -> None:
    [theirs] = copier.shared(source, 1)
    [others] = copier.shared(stranger, 1)
    copier.sweep_now()
    redeploy(copier.stack, policies.details([stranger.number], policies.target(NEAR)))
    copier.sweep_now()
    copier.sweep_now()
    assert told(copier, "copy.withdrawn") == {(theirs, "owner-not-listed"): 1}
    redeploy(copier.stack, copier.document)
    aws.control.configure(in_flight_limits={})
    # What ended a moment ago is not opened again by facts that may be older.
    copier.ledger.age(minutes=11)
    copier.sweep_now()
    copier.serve()
    assert copier.made(NEAR) == {theirs: 1, others: 1}
    assert told(copier, "copy.missed") == {}


def test_what_is_verified_ends_and_is_not_told_again(copier: faults.Copier, source: Account, aws: LocalAws) -> None:
    aws.control.configure(in_flight_limits={})
    [snapshot] = copier.shared(source, 1, events=True)
    copier.stack.wait_for_audit(event="copy.started")
    copier.wait_until_idle()
    assert copier.ledger.states() == ["copying"]
    copier.stack.invoke("verify-copies", {"run": "a run"})
    assert copier.ledger.states() == ["ended"]
    source.unshare(snapshot, copier.account.number)
    copier.ledger.age(minutes=11)
    for _ in range(3):
        copier.sweep_now()
    assert told(copier, "copy.missed") == told(copier, "copy.withdrawn") == {}
    assert len(copier.stack.audit("verify-copies", event="copy.verified")) == 1
