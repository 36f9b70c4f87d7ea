"""Sources that EC2 cannot copy from where they are stored, and sources that lists still show after an un-share."""

import json

import pytest

from tests.cloud import LocalAws
from tests.e2e import policies
from tests.e2e.accounts import HOME, Account
from tests.e2e.deploy import Stack, deploy

NEAR = "us-west-2"


@pytest.fixture
def stack(source: Account, target: Account) -> Stack:
    key = target.create_key(NEAR)
    return deploy(target, policies.details([source.number], policies.target(NEAR, key=key)))


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ({"storage_tier": "archive"}, "source-archived"),
        ({"outpost_arn": f"arn:aws:outposts:{HOME}:111111111111:outpost/op-0abcdef0123456789"}, "source-on-outpost"),
        ({"availability_zone": f"{HOME}-bos-1a"}, "source-in-local-zone"),
    ],
    ids=["archived", "on an Outpost", "in a Local Zone"],
)
def test_what_cannot_be_copied_from_where_it_is_is_refused_without_a_call(
    stack: Stack, source: Account, target: Account, aws: LocalAws, where: dict[str, str], reason: str
) -> None:
    snapshot = aws.control.create_snapshot(source.number, HOME, shared_with=[target.number], notify=True, **where)
    stack.wait_for_audit(event="copy.refused", reason=reason, source__snapshot=snapshot)
    assert aws.control.calls(account=target.number, action="CopySnapshot") == []


def test_what_is_restored_from_the_archive_is_copied_by_the_next_sweep(
    stack: Stack, source: Account, target: Account, aws: LocalAws
) -> None:
    archived = {"storage_tier": "archive"}
    snapshot = aws.control.create_snapshot(source.number, HOME, shared_with=[target.number], notify=True, **archived)
    stack.wait_for_audit(event="copy.refused", reason="source-archived", source__snapshot=snapshot)
    aws.control.change_snapshot(snapshot, HOME, storage_tier="standard")
    stack.send(json.dumps({"sweep": "tick-1"}))
    stack.wait_for_audit(event="sweep.completed")
    stack.ledger.age(minutes=2)
    stack.invoke("copy-shared-snapshots", {"serve": "tick-2"})
    stack.wait_for_audit(event="copy.started", source__snapshot=snapshot)


def test_what_lists_still_show_after_an_un_share_is_not_asked_for(
    stack: Stack, source: Account, target: Account, aws: LocalAws
) -> None:
    """A copy of it would begin, and end in an error."""
    aws.control.configure(unshare_list_seconds=90, deliver_events=False)
    snapshot = source.create_snapshot("nightly")["SnapshotId"]
    source.share(snapshot, target.number)
    source.unshare(snapshot, target.number)
    stack.send(json.dumps({"sweep": "tick-1"}))
    stack.wait_for_audit(event="copy.deferred", reason="not-visible-yet", copy__region=NEAR)
    stack.invoke("copy-shared-snapshots", {"serve": "tick-2"})
    assert aws.control.calls(account=target.number, action="CopySnapshot") == []
