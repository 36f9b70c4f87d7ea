"""The ends of copies, told by events: verdicts and the next copies come within seconds, and nothing depends on it."""

import json
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.cloud import LocalAws, until
from tests.e2e import packages, policies
from tests.e2e.accounts import HOME, Account
from tests.e2e.deploy import PATIENCE_SECONDS, Record
from tests.e2e.protect import VERIFIER, Vault, tick, told, vault

FAR = "eu-central-1"
# Without the events it would be the schedules' minutes; a busy machine may take some of these.
SECONDS = 20
LOCK = {"LockRule": {"Mode": "governance", "Interval": 1, "IntervalUnit": "DAYS"}}


@pytest.fixture
def key(target: Account) -> str:
    return target.create_key(FAR)


@pytest.fixture
def guarded(source: Account, target: Account, key: str) -> Vault:
    """A vault without schedules, whose target Region sends its events home."""
    send_events_home(target)
    entry = policies.target(FAR, key=key, keep=(30, "DAYS"), **LOCK)
    return vault(target, policies.details([source.number], entry))


def send_events_home(target: Account) -> None:
    """Deploy copy-events.yaml in the target Region."""
    cloudformation = target.client("cloudformation", FAR)
    cloudformation.create_stack(
        StackName="snapferry-copy-events",
        TemplateBody=packages.COPY_EVENTS.read_text(),
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": "HomeRegion", "ParameterValue": HOME}],
    )
    states = {"CREATE_COMPLETE"}
    until(
        lambda: cloudformation.describe_stacks(StackName="snapferry-copy-events")["Stacks"][0]["StackStatus"] in states,
        within=PATIENCE_SECONDS,
        what="the stack of the target Region",
    )


def test_the_home_region_needs_none_and_gets_none(target: Account) -> None:
    """There each event would be sent to the bus that it is on."""
    cloudformation = target.client("cloudformation", FAR)
    with pytest.raises(ClientError, match="HomeRegion is this Region"):
        cloudformation.create_stack(
            StackName="snapferry-copy-events",
            TemplateBody=packages.COPY_EVENTS.read_text(),
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[{"ParameterKey": "HomeRegion", "ParameterValue": FAR}],
        )
    assert cloudformation.list_stacks()["StackSummaries"] == []


def verdict(guarded: Vault, copy: str) -> Record:
    """The verdict that nothing but an event asks for."""
    verdicts = until(
        lambda: [each for each in guarded.verdicts(copy) if each["event"] != "copy.locked"],
        within=PATIENCE_SECONDS,
        what="the verdict",
    )
    return verdicts[0]


def seconds_after(event: dict[str, Any], record: Record) -> float:
    """From the event's time, which has whole seconds."""
    return (moment_of(record["time"]) - moment_of(event["time"])).total_seconds()


def moment_of(text: str) -> datetime:
    return datetime.fromisoformat(text)


def end_of(aws: LocalAws, copy: str) -> dict[str, Any]:
    """The event of a copy's end."""
    [event] = [
        each
        for each in aws.control.events()
        if each["detail"]["event"] == "copySnapshot" and each["detail"]["snapshot_id"].endswith(copy)
    ]
    return event


def send(guarded: Vault, body: str) -> None:
    """Put a message into the verifier's queue and into the copier's."""
    resources = guarded.account.client("cloudformation", HOME).describe_stack_resources(StackName="snapferry")
    for each in resources["StackResources"]:
        if each["LogicalResourceId"] in {"VerifierQueue", "CopierQueue"}:
            guarded.account.client("sqs", HOME).send_message(
                QueueUrl=each["PhysicalResourceId"], MessageGroupId="any", MessageBody=body
            )


def test_from_completed_to_verified_and_locked_in_seconds(guarded: Vault, source: Account, aws: LocalAws) -> None:
    aws.control.configure(copy_seconds=2)
    copy = guarded.copied(source, FAR)["SnapshotId"]
    record = verdict(guarded, copy)
    assert told([record]) == ["copy.verified as-configured"]
    event = end_of(aws, copy)
    assert (record["trigger"], record["triggerId"]) == ("event", event["id"])
    assert seconds_after(event, record) < SECONDS
    until(lambda: guarded.describe(copy, FAR)["tags"]["snapferry:lock"] == "locked", what="the lock")
    assert guarded.status(copy, FAR) == "verified"
    assert guarded.stack.audit(VERIFIER, event="verify.completed") == [], "it is no run that the alarms count"
    # A schedule's run finds nothing left to do or to tell.
    guarded.verify()
    assert told(guarded.verdicts(copy)) == ["copy.verified as-configured", "copy.locked locked"]
    [run] = guarded.stack.audit(VERIFIER, event="verify.completed")
    assert run["verification"]["verified"] == 0


def test_the_slot_that_a_copy_leaves_goes_to_the_next_at_once(guarded: Vault, source: Account, aws: LocalAws) -> None:
    aws.control.configure(in_flight_limit=1, hold_copies=True)
    first = guarded.shared(source)
    started = guarded.copy_of(first, FAR)["SnapshotId"]
    second = guarded.shared(source)
    guarded.stack.wait_for_audit(event="copy.deferred", reason="region-full")
    aws.control.release_copies()
    next_one = guarded.copy_of(second, FAR)
    [record] = guarded.stack.audit(event="copy.started", source__snapshot=second)
    event = end_of(aws, started)
    assert (record["trigger"], record["triggerId"]) == ("serve", event["id"])
    assert seconds_after(event, record) < SECONDS
    assert next_one["tags"]["snapferry:source-snapshot"] == second
    assert guarded.stack.audit(event="sweep.completed") == []


def test_what_ec2_gave_up_on_is_told_in_seconds_too(guarded: Vault, source: Account, aws: LocalAws) -> None:
    aws.control.spoil_copies(state_message="Given key ID is not accessible", times=1)
    failed = guarded.copied(source, FAR)["SnapshotId"]
    record = verdict(guarded, failed)
    assert (record["event"], record["trigger"]) == ("copy.failed", "event")
    assert guarded.status(failed, FAR) == "failed"


def test_lost_events_leave_all_to_the_schedules(guarded: Vault, source: Account, aws: LocalAws) -> None:
    aws.control.configure(deliver_events=False)
    guarded.shared(source)
    tick(guarded, "lost")
    [record] = guarded.stack.wait_for_audit(event="copy.started")
    copy = record["copy"]["snapshot"]
    until(lambda: guarded.describe(copy, FAR)["State"] == "completed", what="the copy")
    assert guarded.verdicts(copy) == []
    guarded.verify()
    assert told(guarded.verdicts(copy)) == ["copy.verified as-configured", "copy.locked locked"]
    assert guarded.verdicts(copy)[0]["trigger"] == "schedule"


def test_repeated_and_late_events_tell_nothing_twice(guarded: Vault, source: Account, aws: LocalAws) -> None:
    aws.control.configure(event_copies=3, queue_deduplicates=False)
    copy = guarded.copied(source, FAR)["SnapshotId"]
    verdict(guarded, copy)
    until(lambda: len(guarded.verdicts(copy)) >= 2, what="verdict and lock")
    late = {**end_of(aws, copy), "id": "late", "source": "aws.ec2"}
    late.setdefault("detail-type", "EBS Snapshot Notification")
    guarded.stack.invoke(VERIFIER, late)
    assert told(guarded.verdicts(copy)) == ["copy.verified as-configured", "copy.locked locked"]


def test_no_event_makes_anything_of_what_is_not_this_homes_unfinished_copy(
    guarded: Vault, source: Account, target: Account, stranger: Account, aws: LocalAws
) -> None:
    own = target.create_snapshot("somebody's own", region=FAR)["SnapshotId"]
    theirs = aws.control.create_snapshot(stranger.number, FAR, shared_with=[target.number])
    [elsewhere] = guarded.old_copies(FAR, 1, status="copying", **{"source-region": "sa-east-1"})
    [rejected] = guarded.old_copies(FAR, 1, status="rejected")
    aws.control.configure(hold_copies=True)
    pending = guarded.copied(source, FAR)["SnapshotId"]
    all_of_them = [own, theirs, elsewhere, rejected, pending, "snap-0123456789abcdef1"]
    before = aws.control.snapshots(region=FAR)
    for named in all_of_them:
        for result in ("succeeded", "failed", {"not": "a result"}):
            arn = f"arn:aws:ec2::{FAR}:snapshot/{named}"
            detail = {"event": "copySnapshot", "result": result, "snapshot_id": arn, "source": arn}
            event = {"id": named, "source": "aws.ec2", "detail-type": "EBS Snapshot Notification", "detail": detail}
            send(guarded, json.dumps(event))
    for body in ("garbage", "{}", "[1]", json.dumps({"detail": {"event": "copySnapshot"}, "source": "aws.ec2"})):
        send(guarded, body)
    # One that they may act on goes last: behind it all the others are done.
    aws.control.release_copies()
    assert told([verdict(guarded, pending)]) == ["copy.verified as-configured"]
    until(lambda: len(guarded.verdicts(pending)) >= 2, what="verdict and lock")
    others = [each for each in before if each["id"] != pending]
    assert [each for each in aws.control.snapshots(region=FAR) if each["id"] != pending] == others
    said = {record.get("copy", {}).get("snapshot") for record in guarded.stack.audit(VERIFIER)}
    assert said == {pending}
    assert len(guarded.stack.audit(event="copy.started")) == 1
