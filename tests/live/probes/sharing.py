"""Probes of what a recipient learns of a share, and when."""

import json
import time
from typing import Any

from tests.live.probes import ground as on
from tests.live.probes.ground import Ground


def share_event(ground: Ground) -> dict[str, Any]:
    """The event as it comes: members and their JSON types; whether the snapshot was there when it came."""
    queue = _queue(ground)
    snapshot = on.new_snapshot(ground)
    on.share(ground, snapshot)
    shared = time.monotonic()
    sqs = ground.setting.target("sqs", ground.home)

    def come() -> dict[str, Any]:
        for message in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages", []):
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            event: dict[str, Any] = json.loads(message["Body"])
            if snapshot in json.dumps(event):
                return event
        return {}

    event = ground.setting.until(come, within=ground.setting.other_within, what="the event of a share")
    arrived = round(time.monotonic() - shared, 1)
    ec2 = ground.setting.target("ec2", ground.home)
    there = on.outcome(lambda: ec2.describe_snapshots(SnapshotIds=[snapshot]))
    return {
        "types": {name: type(value).__name__ for name, value in sorted(event["detail"].items())},
        "members": sorted(event),
        "resources": event["resources"],
        "by its ID when the event came": there,
        "arrived_seconds": arrived,
    }


def share_lag(ground: Ground) -> dict[str, Any]:
    """Seconds until each way of asking shows what was shared, and shows no more what was un-shared."""
    snapshot = on.new_snapshot(ground)
    ec2 = ground.setting.target("ec2", ground.home)

    def seen() -> dict[str, bool]:
        return {
            "ID": on.outcome(lambda: ec2.describe_snapshots(SnapshotIds=[snapshot])) == "accepted",
            "owner": snapshot in _listed(ground, OwnerIds=[ground.source_account]),
            "restorable": snapshot in _listed(ground, RestorableByUserIds=["self"]),
        }

    on.share(ground, snapshot)
    shown = _after(ground, seen, wanted=True)
    ground.setting.source("ec2", ground.home).reset_snapshot_attribute(
        SnapshotId=snapshot, Attribute="createVolumePermission"
    )
    hidden = _after(ground, seen, wanted=False)
    return {
        "shown": sorted(shown),
        "hidden": sorted(hidden),
        "shown_seconds": shown,
        "hidden_seconds": hidden,
    }


def _after(ground: Ground, seen: Any, *, wanted: bool) -> dict[str, float]:
    began, after = time.monotonic(), dict[str, float]()

    def all_so() -> bool:
        now = seen()
        for name, is_seen in now.items():
            if is_seen == wanted:
                after.setdefault(name, round(time.monotonic() - began, 1))
        return len(after) == len(now)

    ground.setting.until(all_so, within=ground.setting.other_within, what="every list to know of a share")
    return after


def _listed(ground: Ground, **request: Any) -> set[str]:
    return on.listed(ground, ground.setting.target, ground.home, **request)


def _queue(ground: Ground) -> str:
    """A queue of the target account that gets its EBS snapshot events; its URL."""
    name, region = ground.name("events"), ground.home
    sqs, events = ground.setting.target("sqs", region), ground.setting.target("events", region)
    ground.will_make(
        f"queue {name} in {region} of the target account",
        f"aws sqs delete-queue --region {region} --queue-url $(aws sqs get-queue-url --region {region} "
        f"--queue-name {name} --output text)",
        lambda: sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"]),
    )
    url: str = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    ground.will_make(
        f"rule {name} in {region} of the target account",
        f"aws events remove-targets --region {region} --rule {name} --ids queue; "
        f"aws events delete-rule --region {region} --name {name}",
        lambda: _remove_rule(events, name),
    )
    pattern = {"source": ["aws.ec2"], "detail-type": ["EBS Snapshot Notification"]}
    made = events.put_rule(Name=name, EventPattern=json.dumps(pattern))["RuleArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": made}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
    return url


def _remove_rule(events: Any, rule: str) -> None:
    events.remove_targets(Rule=rule, Ids=["queue"])
    events.delete_rule(Name=rule)
