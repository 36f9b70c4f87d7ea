"""EBS's events, and how badly they may arrive.

The JSON is that of the EBS user guide, "EventBridge events for Amazon EBS": `shareSnapshot` goes to the target account
in the snapshot's Region, only for private shares; `copySnapshot` goes to the copying account in the destination Region.
They are best effort: they may be lost, repeated, late and out of order. A rule may send them on to another Region.
"""

import hashlib
import json
import random
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from tests.cloud.overlay.clock import iso_seconds
from tests.cloud.overlay.emulator import acting_as, caller, eventbridge, sqs
from tests.cloud.overlay.model import Copy, Place, Snapshot
from tests.cloud.overlay.world import World

DEDUPLICATION_SECONDS = 300  # [SQS developer guide, "Exactly-once processing"]


@dataclass(slots=True)
class Event:
    """An event for one account's default bus in one Region."""

    place: Place
    detail: Any
    resources: list[str] = field(default_factory=list)
    detail_type: str = "EBS Snapshot Notification"
    source: str = "aws.ec2"
    id: str = field(default_factory=lambda: str(uuid4()))
    time: float = 0.0


def event_arn(region: str, snapshot_id: str) -> str:
    """The ARN as events write it: with the Region after an empty account, unlike IAM's
    [EBS user guide, "EventBridge events for Amazon EBS", shareSnapshot example]."""
    return f"arn:aws:ec2::{region}:snapshot/{snapshot_id}"


def shared(world: World, snapshot: Snapshot, recipient: str) -> None:
    """Tell a recipient of a private share. There is none for un-sharing."""
    arn = event_arn(snapshot.region, snapshot.id)
    now = world.clock.now()
    detail = {
        "event": "shareSnapshot",
        "result": "succeeded",
        "cause": "",
        "request-id": "",
        "snapshot_id": arn,
        "source": snapshot.owner,
        "startTime": iso_seconds(now),
        "endTime": iso_seconds(now),
    }
    emit(world, Event(Place(recipient, snapshot.region), detail, [arn]))


def copied(world: World, snapshot: Snapshot) -> None:
    """Tell the copying account that its copy ended."""
    if snapshot.copy is None:
        return
    arn = event_arn(snapshot.region, snapshot.id)
    failure = snapshot.copy.failure
    detail = {
        "event": "copySnapshot",
        "result": "failed" if failure else "succeeded",
        "cause": failure,
        "request-id": "",
        "snapshot_id": arn,
        "source": event_arn(snapshot.copy.source_region, snapshot.copy.source_id),
        "startTime": iso_seconds(snapshot.start_time),
        "endTime": iso_seconds(world.clock.now()),
        **_of_transfer(snapshot, snapshot.copy),
    }
    emit(world, Event(snapshot.place, detail, [arn]))


def _of_transfer(snapshot: Snapshot, copy: Copy) -> dict[str, str]:
    """What events say of how a copy was made, in strings [observed: copy_controls_contract, eventbridge]. Every copy
    that succeeds is called incremental, because there is no chain of copies here [inferred]."""
    said = {"incremental": "false" if copy.failure else "true"}
    said["transferType"] = "time-based" if copy.minutes else "standard"
    if not copy.failure:
        said["completionDurationStartTime"] = iso_seconds(snapshot.start_time)
    if copy.minutes and not copy.failure:
        said["metCompletionDuration"] = "true"
    return said


def emit(world: World, event: Event) -> None:
    """Deliver an event as the behaviour says: perhaps never, late, or several times."""
    behaviour = world.behaviour
    event.time = event.time or world.clock.now()
    record: dict[str, object] = {"account": event.place.account, "region": event.place.region, **_envelope(event)}
    world.events.append(record)
    # Seeded by the event's number, so that a run's luck does not depend on what else happened in between.
    luck = random.Random(f"{behaviour.event_seed}:{len(world.events)}")
    if not behaviour.deliver_events or luck.random() < behaviour.event_loss:
        record["lost"] = True
        return
    for _ in range(behaviour.event_copies):
        delay = behaviour.event_delay_seconds + luck.random() * behaviour.event_reorder_seconds
        world.clock.after(delay, lambda: deliver(event))


def _envelope(event: Event) -> dict[str, object]:
    return {
        "id": event.id,
        "time": iso_seconds(event.time),
        "source": event.source,
        "detail-type": event.detail_type,
        "resources": event.resources,
        "detail": event.detail,
    }


def deliver(event: Event) -> None:
    """Put an event onto the account's bus, where the emulator's rules take over. The same event delivered twice has
    the same ID both times, which its PutEvents cannot do."""
    record = {
        "EventId": event.id,
        "Source": event.source,
        "DetailType": event.detail_type,
        "Detail": json.dumps(event.detail),
        "EventBusName": "default",
        "Time": int(event.time),
        "Resources": event.resources,
        "Account": event.place.account,
        "Region": event.place.region,
    }
    with acting_as(event.place):
        view = eventbridge._pattern_event_view(record)
        eventbridge._dispatch_event(record, view)
        eventbridge._archive_event(record, view)


def deduplicate_queues(world: World) -> None:
    """Let a FIFO queue with content-based deduplication drop a repeated event, as SQS does and as the emulator does for
    SendMessage but not for EventBridge."""
    dispatch = eventbridge._dispatch_to_sqs

    def to_sqs(spec: Any, payload: str, sqs_parameters: dict[str, Any] | None = None) -> None:
        queue = sqs._queue_by_arn(str(spec))
        if queue and queue.get("is_fifo") and world.behaviour.queue_deduplicates:
            key = hashlib.sha256(payload.encode()).hexdigest()
            if queue["attributes"].get("DeduplicationScope") == "messageGroup":
                key = f"{(sqs_parameters or {}).get('MessageGroupId', '')}:{key}"
            sqs._prune_dedup(queue)
            if key in queue["dedup_cache"]:
                return
            queue["dedup_cache"][key] = {"expire": time.time() + DEDUPLICATION_SECONDS, "id": str(uuid4())}
        dispatch(spec, payload, sqs_parameters)

    eventbridge._dispatch_to_sqs = to_sqs


def send_to_other_regions() -> None:
    """Let a rule send events on to the bus of another Region of its account, as EventBridge does and the emulator does
    not [EventBridge user guide, "Sending and receiving events between AWS Regions"]. That the event keeps its own
    Region is inferred."""
    dispatch = eventbridge._dispatch_to_event_bus

    def to_bus(spec: Any, event: Any, rule: Any, path: Any, payload: Any = None) -> None:
        here = caller()
        if payload is not None or spec.account_id != here.account or spec.region == here.region:
            dispatch(spec, event, rule, path, payload)
            return
        with acting_as(Place(spec.account_id, spec.region)):
            eventbridge._dispatch_event({**event, "EventBusName": spec.resource.removeprefix("event-bus/")})

    eventbridge._dispatch_to_event_bus = to_bus
