"""EBS's events, on their way through EventBridge into a FIFO queue."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cloud import LocalAws, until
from tests.cloud.scene import AWAY, HOME, SOURCE, STRANGER, TARGET, copy, ec2, share, shared, unshare

PATTERN = {"source": ["aws.ec2"], "detail-type": ["EBS Snapshot Notification"]}


class Queue:
    """A FIFO queue in the target account that a rule feeds with EBS's events."""

    def __init__(self, aws: LocalAws, region: str) -> None:
        self.sqs = aws.client("sqs", TARGET, region)
        attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
        self.url = self.sqs.create_queue(QueueName="events.fifo", Attributes=attributes)["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events = aws.client("events", TARGET, region)
        events.put_rule(Name="ebs", EventPattern=json.dumps(PATTERN))
        target = {"Id": "queue", "Arn": arn, "SqsParameters": {"MessageGroupId": "all"}}
        events.put_targets(Rule="ebs", Targets=[target])

    def take(self) -> list[dict[str, Any]]:
        """Everything in the queue, in order, out of it."""
        taken: list[dict[str, Any]] = []
        while found := self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages"):
            for each in found:
                taken.append(json.loads(each["Body"]))
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=each["ReceiptHandle"])
        return taken

    def wait(self, count: int) -> list[dict[str, Any]]:
        """The next `count` events."""
        taken: list[dict[str, Any]] = []

        def enough() -> bool:
            taken.extend(self.take())
            return len(taken) >= count

        until(enough, what=f"{count} events")
        return taken


@pytest.fixture(scope="module")
def home(aws: LocalAws) -> Queue:
    return Queue(aws, HOME)


@pytest.fixture(scope="module")
def away(aws: LocalAws) -> Queue:
    return Queue(aws, AWAY)


@pytest.fixture(autouse=True)
def _drained(home: Queue, away: Queue) -> Iterator[None]:
    yield
    home.take()
    away.take()


def settled(aws: LocalAws) -> None:
    """Let everything that is due happen: the control client's requests begin with it."""
    aws.control.ask("health")


def test_a_private_share_tells_the_recipient_in_the_snapshots_region(aws: LocalAws, home: Queue, away: Queue) -> None:
    snapshot = aws.control.create_snapshot(SOURCE, HOME)
    share(aws, snapshot, TARGET)
    (event,) = home.wait(1)
    arn = f"arn:aws:ec2::{HOME}:snapshot/{snapshot}"
    moment = event["time"]
    assert event == {
        "version": "0",
        "id": event["id"],
        "detail-type": "EBS Snapshot Notification",
        "source": "aws.ec2",
        "account": TARGET,
        "time": moment,
        "region": HOME,
        "resources": [arn],
        "detail": {
            "event": "shareSnapshot",
            "result": "succeeded",
            "cause": "",
            "request-id": "",
            "snapshot_id": arn,
            "source": SOURCE,
            "startTime": moment,
            "endTime": moment,
        },
    }
    assert away.take() == []


def test_only_a_new_recipient_is_told_and_nobody_of_unsharing_or_publishing(aws: LocalAws, home: Queue) -> None:
    snapshot = shared(aws)
    share(aws, snapshot, TARGET, STRANGER)
    unshare(aws, snapshot, TARGET)
    ec2(aws, SOURCE).modify_snapshot_attribute(SnapshotId=snapshot, OperationType="add", GroupNames=["all"])
    settled(aws)
    assert home.take() == []
    assert [each["account"] for each in aws.control.events()] == [STRANGER]
    share(aws, snapshot, TARGET)
    assert len(home.wait(1)) == 1


def test_a_copys_end_is_told_in_the_destination_region(aws: LocalAws, home: Queue, away: Queue) -> None:
    snapshot = shared(aws)
    aws.control.configure(hold_copies=True)
    made = copy(aws, snapshot)
    settled(aws)
    assert away.take() == []
    aws.control.release_copies()
    (event,) = away.wait(1)
    detail = event["detail"]
    assert (event["account"], event["region"]) == (TARGET, AWAY)
    assert (detail["event"], detail["result"], detail["cause"]) == ("copySnapshot", "succeeded", "")
    assert detail["snapshot_id"] == f"arn:aws:ec2::{AWAY}:snapshot/{made}"
    assert detail["source"] == f"arn:aws:ec2::{HOME}:snapshot/{snapshot}"
    assert detail["incremental"] == "true"
    assert home.take() == []


def test_a_rule_sends_events_on_to_another_region_as_they_are(aws: LocalAws, home: Queue, away: Queue) -> None:
    events = aws.client("events", TARGET, AWAY)
    pattern = {**PATTERN, "detail": {"source": [{"prefix": f"arn:aws:ec2::{HOME}:"}]}}
    events.put_rule(Name="on", EventPattern=json.dumps(pattern))
    bus = f"arn:aws:events:{HOME}:{TARGET}:event-bus/default"
    role = f"arn:aws:iam::{TARGET}:role/on"
    events.put_targets(Rule="on", Targets=[{"Id": "home", "Arn": bus, "RoleArn": role}])
    try:
        made = copy(aws, shared(aws))
        assert away.wait(1) == home.wait(1)
        copy(aws, made, SourceRegion=AWAY, region=HOME)
        [event] = home.wait(1)
        assert event["region"] == HOME
        settled(aws)
        assert away.take() == []
    finally:
        events.remove_targets(Rule="on", Ids=["home"])
        events.delete_rule(Name="on")


def test_a_failed_copys_event_says_why(aws: LocalAws, away: Queue) -> None:
    aws.control.spoil_copies(state_message="Given key ID is not accessible")
    copy(aws, shared(aws))
    (event,) = away.wait(1)
    assert (event["detail"]["result"], event["detail"]["cause"]) == ("failed", "Given key ID is not accessible")


def test_events_get_lost(aws: LocalAws, home: Queue) -> None:
    aws.control.configure(deliver_events=False)
    share(aws, aws.control.create_snapshot(SOURCE, HOME), TARGET)
    settled(aws)
    assert home.take() == []
    assert [each["lost"] for each in aws.control.events()] == [True]


def test_some_events_get_lost_the_same_ones_for_the_same_seed(aws: LocalAws, home: Queue) -> None:
    def lost(seed: int) -> list[bool]:
        aws.control.reset()
        aws.control.configure(event_loss=0.5, event_seed=seed)
        for _ in range(20):
            share(aws, aws.control.create_snapshot(SOURCE, HOME), TARGET)
        settled(aws)
        which = ["lost" in each for each in aws.control.events()]
        assert len(home.take()) == which.count(False)
        return which

    first = lost(1)
    assert 0 < first.count(True) < 20
    assert first == lost(1)
    assert first != lost(2)


def test_a_repeated_event_is_dropped_by_a_deduplicating_queue(aws: LocalAws, home: Queue) -> None:
    aws.control.configure(event_copies=5)
    share(aws, aws.control.create_snapshot(SOURCE, HOME), TARGET)
    settled(aws)
    assert len(home.take()) == 1


def test_a_repeated_event_comes_through_when_it_is_late_enough(aws: LocalAws, home: Queue) -> None:
    aws.control.configure(event_copies=5, queue_deduplicates=False)
    share(aws, aws.control.create_snapshot(SOURCE, HOME), TARGET)
    events = home.wait(5)
    assert len(events) == 5
    assert all(each == events[0] for each in events)


def test_a_late_event(aws: LocalAws, home: Queue) -> None:
    aws.control.configure(event_delay_seconds=60)
    share(aws, aws.control.create_snapshot(SOURCE, HOME), TARGET)
    settled(aws)
    assert home.take() == []
    aws.control.advance_clock(seconds=61)
    assert len(home.wait(1)) == 1


def test_events_out_of_order(aws: LocalAws, home: Queue) -> None:
    aws.control.configure(event_reorder_seconds=60, event_seed=7)
    snapshots = [aws.control.create_snapshot(SOURCE, HOME) for _ in range(8)]
    for each in snapshots:
        share(aws, each, TARGET)
    aws.control.advance_clock(seconds=61)
    arrived = [each["detail"]["snapshot_id"].rpartition("/")[2] for each in home.wait(8)]
    assert sorted(arrived) == sorted(snapshots)
    assert arrived != snapshots


def test_any_event_can_be_delivered(aws: LocalAws, home: Queue) -> None:
    aws.control.deliver_event(TARGET, HOME, {"event": "modifyVolume", "source": 1111}, resources=["arn:x"])
    aws.control.deliver_event(TARGET, HOME, "garbage", id="same")
    aws.control.deliver_event(TARGET, HOME, {}, source="custom.source")
    first, second = home.wait(2)
    assert (first["detail"], first["resources"]) == ({"event": "modifyVolume", "source": 1111}, ["arn:x"])
    assert (second["detail"], second["id"]) == ("garbage", "same")


def test_events_can_be_made_with_shared_snapshots(aws: LocalAws, home: Queue) -> None:
    snapshot = shared(aws, notify=True)
    (event,) = home.wait(1)
    assert event["detail"]["snapshot_id"].endswith(snapshot)
