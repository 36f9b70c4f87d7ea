"""What is not copied, and what the audit says of it."""

import json
from typing import Any

import pytest

from tests.cloud import LocalAws
from tests.e2e import policies
from tests.e2e.accounts import HOME, Account
from tests.e2e.deploy import Record, Stack, deploy

NEAR = "us-west-2"


@pytest.fixture
def stack(source: Account, target: Account) -> Stack:
    """Copies what the source account shares and calls production."""
    key = target.create_key(NEAR)
    return deploy(
        target, policies.details([source.number], policies.target(NEAR, key=key), description=".*production.*")
    )


def share(account: Account, target: Account, description: str) -> str:
    snapshot: str = account.create_snapshot(description)["SnapshotId"]
    account.share(snapshot, target.number)
    return snapshot


def skipped(stack: Stack, reason: str, snapshot: str) -> Record:
    [record] = stack.wait_for_audit(event="copy.skipped", reason=reason, source__snapshot=snapshot)
    return record


def nothing_was_copied(stack: Stack, aws: LocalAws) -> bool:
    asked = aws.control.calls(account=stack.account.number, action="CopySnapshot")
    return asked == [] and stack.copies(NEAR) == []


def test_a_stranger_is_not_served_whatever_the_event_and_the_description_say(
    stack: Stack, stranger: Account, target: Account, source: Account, aws: LocalAws
) -> None:
    theirs = stranger.create_snapshot("production")["SnapshotId"]
    aws.control.configure(deliver_events=False)
    stranger.share(theirs, target.number)
    arn = f"arn:aws:ec2::{HOME}:snapshot/{theirs}"
    forged = {"event": "shareSnapshot", "result": "succeeded", "snapshot_id": arn, "source": source.number}
    aws.control.deliver_event(target.number, HOME, forged, resources=[arn])
    record = skipped(stack, "owner-not-listed", theirs)
    assert record["source"]["account"] == stranger.number
    assert nothing_was_copied(stack, aws)


def test_a_description_that_differs(stack: Stack, source: Account, target: Account, aws: LocalAws) -> None:
    snapshot = share(source, target, "nightly staging")
    record = skipped(stack, "description-mismatch", snapshot)
    assert record["source"]["description"] == "nightly staging"
    assert "staging" not in record["message"], "sender-written text stays in its own field"
    assert nothing_was_copied(stack, aws)


def deferred(stack: Stack, reason: str, snapshot: str) -> Record:
    [record] = stack.wait_for_audit(event="copy.deferred", reason=reason, source__snapshot=snapshot)
    return record


def serve(stack: Stack, name: str) -> None:
    stack.invoke("copy-shared-snapshots", {"serve": name})


def test_what_is_not_visible_yet_is_copied_by_the_first_tick_that_sees_it(
    stack: Stack, source: Account, target: Account, aws: LocalAws
) -> None:
    aws.control.configure(share_seconds=3600)
    snapshot = share(source, target, "production")
    event = deferred(stack, "not-visible-yet", snapshot)["triggerId"]
    serve(stack, "too early")
    assert nothing_was_copied(stack, aws)
    aws.control.advance_clock(hours=2)
    serve(stack, "in time")
    [started] = stack.wait_for_audit(event="copy.started", source__snapshot=snapshot)
    assert (started["trigger"], started["triggerId"]) == ("event", event), "it is the event's copy, whoever makes it"
    stack.send(json.dumps({"sweep": "tick-1"}))
    [swept] = stack.wait_for_audit(event="sweep.completed")
    assert (swept["sweep"]["matching"], swept["sweep"]["inFlight"], swept["sweep"]["started"]) == (1, 1, 0)
    deferred(stack, "not-visible-yet", snapshot)  # once


def test_what_is_not_visible_yet_is_found_by_a_sweep_too(
    stack: Stack, source: Account, target: Account, aws: LocalAws
) -> None:
    aws.control.configure(share_seconds=3600)
    snapshot = share(source, target, "production")
    deferred(stack, "not-visible-yet", snapshot)
    stack.ledger.empty()
    assert nothing_was_copied(stack, aws)
    aws.control.advance_clock(hours=2)
    stack.send(json.dumps({"sweep": "tick-1"}))
    [started] = stack.wait_for_audit(event="copy.started", source__snapshot=snapshot)
    assert (started["trigger"], started["triggerId"]) == ("sweep", "tick-1")
    [swept] = stack.wait_for_audit(event="sweep.completed")
    assert (swept["sweep"]["matching"], swept["sweep"]["started"]) == (1, 1)


def test_what_was_un_shared_before_the_event_came_is_told_after_a_day(
    stack: Stack, source: Account, target: Account, aws: LocalAws
) -> None:
    aws.control.configure(event_delay_seconds=3600.0)
    snapshot = share(source, target, "production")
    source.unshare(snapshot, target.number)
    aws.control.advance_clock(hours=2)
    event = deferred(stack, "not-visible-yet", snapshot)["triggerId"]
    stack.ledger.age(minutes=23 * 60 + 55)
    serve(stack, "within a day")
    assert stack.audit(event="copy.skipped") == []
    # It was looked for a moment ago: the last look has its pause, too.
    stack.ledger.age(minutes=20)
    serve(stack, "after a day")
    record = skipped(stack, "not-visible", snapshot)
    assert (record["trigger"], record["triggerId"]) == ("event", event)
    serve(stack, "later")
    skipped(stack, "not-visible", snapshot)  # once
    assert stack.ledger.items("H") == []
    assert nothing_was_copied(stack, aws)


def test_what_is_not_completed_is_copied_once_it_is(
    stack: Stack, source: Account, target: Account, aws: LocalAws
) -> None:
    snapshot = aws.control.create_snapshot(
        source.number, HOME, description="production", state="pending", shared_with=[target.number], notify=True
    )
    skipped(stack, "not-completed", snapshot)
    serve(stack, "too early")
    assert nothing_was_copied(stack, aws)
    aws.control.change_snapshot(snapshot, HOME, state="completed")
    serve(stack, "in time")
    stack.wait_for_audit(event="copy.started", source__snapshot=snapshot)
    skipped(stack, "not-completed", snapshot)  # once


def test_the_targets_own_snapshot(stack: Stack, source: Account, target: Account, aws: LocalAws) -> None:
    snapshot = target.create_snapshot("production")["SnapshotId"]
    arn = f"arn:aws:ec2::{HOME}:snapshot/{snapshot}"
    detail = {"event": "shareSnapshot", "result": "succeeded", "snapshot_id": arn}
    aws.control.deliver_event(target.number, HOME, {**detail, "source": target.number}, resources=[arn])
    skipped(stack, "owner-not-listed", snapshot)
    assert aws.control.calls(account=target.number, service="ec2", action="DescribeSnapshots") == []
    aws.control.deliver_event(target.number, HOME, {**detail, "source": source.number}, resources=[arn])
    skipped(stack, "own-snapshot", snapshot)
    assert nothing_was_copied(stack, aws)


def test_a_repeated_event_makes_no_second_copy(stack: Stack, source: Account, target: Account, aws: LocalAws) -> None:
    snapshot = share(source, target, "production")
    [started] = stack.wait_for_audit(event="copy.started", source__snapshot=snapshot)
    [event] = [each for each in aws.control.events() if each["detail"]["event"] == "shareSnapshot"]
    aws.control.configure(queue_deduplicates=False)
    aws.control.deliver_event(
        target.number, HOME, event["detail"], resources=event["resources"], id=event["id"], count=5
    )
    [record, *_] = stack.wait_for_audit(event="copy.skipped", reason="already-copied", source__snapshot=snapshot)
    assert record["copy"]["snapshot"] == started["copy"]["snapshot"]
    assert len(aws.control.calls(account=target.number, action="CopySnapshot")) == 1


GARBAGE = ["production", "{", "[]", "null", "42", '{"detail": 7}', '{"swoop": 7}', "a\tb\nc\u202ed", "x" * 100_000]


def test_garbage_in_the_queue_is_buried_in_the_audit_and_holds_up_nothing(
    stack: Stack, source: Account, target: Account
) -> None:
    for body in GARBAGE:
        stack.send(body)
    snapshot = share(source, target, "production")
    invalid = stack.wait_for_audit(count=len(GARBAGE), event="event.invalid")
    assert len(invalid) == len(GARBAGE)
    for record in invalid:
        assert record["problem"]
        assert len(record["body"]) < 10_000
        assert record["body"].isprintable()
    stack.wait_for_audit(event="copy.started", source__snapshot=snapshot)
    queue = target.client("sqs").get_queue_attributes(
        QueueUrl=stack.outputs["CopierQueueUrl"],
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )["Attributes"]
    assert set(queue.values()) == {"0"}


@pytest.mark.parametrize("payload", [[], {}, {"detail": None}, {"Records": 7}, "text", 42, None], ids=repr)
def test_garbage_as_a_bare_input_is_an_error_and_audited(stack: Stack, payload: Any) -> None:
    with pytest.raises(RuntimeError, match="InvalidEvent"):
        stack.invoke("copy-shared-snapshots", payload)
    stack.wait_for_audit(event="event.invalid")


def test_a_bare_event_is_an_input_too(stack: Stack, source: Account, target: Account, aws: LocalAws) -> None:
    aws.control.configure(deliver_events=False)
    snapshot = share(source, target, "production")
    event = {
        "id": "by-hand",
        "source": "aws.ec2",
        "detail-type": "EBS Snapshot Notification",
        "detail": {
            "event": "shareSnapshot",
            "result": "succeeded",
            "source": int(source.number),
            "snapshot_id": f"arn:aws:ec2:{HOME}::snapshot/{snapshot}",
        },
    }
    stack.invoke("copy-shared-snapshots", event)
    [record] = stack.wait_for_audit(event="copy.started", source__snapshot=snapshot)
    assert record["triggerId"] == "by-hand"


def test_other_events_are_skipped_with_the_reason(stack: Stack, aws: LocalAws) -> None:
    arn = f"arn:aws:ec2::{HOME}:snapshot/snap-0123456789abcdef0"
    envelope = {"id": "e", "source": "aws.ec2", "detail-type": "EBS Snapshot Notification", "resources": [arn]}
    for event, result, reason in [
        ("createSnapshot", "succeeded", "other-event"),
        ("shareSnapshot", "failed", "not-succeeded"),
    ]:
        detail = {"event": event, "result": result, "snapshot_id": arn, "source": "111122223333"}
        stack.send(json.dumps({**envelope, "detail": detail}))
        stack.wait_for_audit(event="copy.skipped", reason=reason)
    assert nothing_was_copied(stack, aws)
