"""What the control client can ask for. Each verb takes a JSON object and answers JSON; a bad argument is an error."""

import dataclasses
from collections.abc import Callable
from typing import Any

from tests.cloud.overlay import blocks, clock, copying, dbsteering, functions, keys, notices
from tests.cloud.overlay.model import Copy, Place, Snapshot
from tests.cloud.overlay.rules import Fault, Rule, Spoil
from tests.cloud.overlay.world import World

# What a rule keeps for itself.
NOT_GIVEN = {"id", "struck", "lifted", "_random"}

Verb = Callable[[World, dict[str, Any]], Any]

# What a snapshot is shown with as it is; the rest is rewritten.
_PLAIN = [
    each.name
    for each in dataclasses.fields(Snapshot)
    if each.name not in {"start_time", "completed_at", "copy", "lock", "blocks"}
]


def steer(world: World, verb: str, given: dict[str, Any]) -> Any:
    """Do what the control client asks."""
    if verb not in VERBS:
        raise ValueError(f"unknown verb {verb!r}; known: {', '.join(sorted(VERBS))}")
    return VERBS[verb](world, given)


def _health(world: World, given: dict[str, Any]) -> Any:
    return {"ready": True, "time": clock.iso(world.clock.now())}


def _reset(world: World, given: dict[str, Any]) -> Any:
    world.reset()
    return {}


def _configure(world: World, given: dict[str, Any]) -> Any:
    """Change behaviour, or just read it."""
    world.behaviour.change(given)
    return dataclasses.asdict(world.behaviour)


def _advance_clock(world: World, given: dict[str, Any]) -> Any:
    world.clock.advance(float(given["seconds"]))
    world.clock.settle()
    return {"time": clock.iso(world.clock.now())}


def _settings(kind: type[Rule], given: dict[str, Any]) -> dict[str, Any]:
    known = {each.name for each in dataclasses.fields(kind)} - NOT_GIVEN
    if unknown := set(given) - known:
        raise ValueError(f"unknown {', '.join(sorted(unknown))}; known: {', '.join(sorted(known))}")
    return given


def _inject_fault(world: World, given: dict[str, Any]) -> Any:
    fault = Fault(id=world.new_rule_id(), **_settings(Fault, given))
    fault.check()
    world.faults.append(fault)
    return {"id": fault.id}


def _spoil_copies(world: World, given: dict[str, Any]) -> Any:
    spoil = Spoil(id=world.new_rule_id(), **_settings(Spoil, given))
    spoil.check()
    world.spoils.append(spoil)
    return {"id": spoil.id}


def _clear_rules(world: World, given: dict[str, Any]) -> Any:
    """Take back one rule, or all."""
    doomed = given.get("id")
    for fault in world.faults:
        if doomed in (None, fault.id):
            fault.lifted.set()
    world.faults = [each for each in world.faults if doomed not in (None, each.id)]
    world.spoils = [each for each in world.spoils if doomed not in (None, each.id)]
    return {}


def _rules(world: World, given: dict[str, Any]) -> Any:
    """Every rule with how often it struck."""
    rules: list[Rule] = [*world.faults, *world.spoils]
    hidden = NOT_GIVEN - {"id", "struck"}
    return [
        {each.name: getattr(rule, each.name) for each in dataclasses.fields(rule) if each.name not in hidden}
        for rule in rules
    ]


def _calls(world: World, given: dict[str, Any]) -> Any:
    return world.calls.select(int(given.pop("since", 0)), **given)


def _count_calls(world: World, given: dict[str, Any]) -> Any:
    return world.calls.count(int(given.pop("since", 0)), **given)


def _last_call(world: World, given: dict[str, Any]) -> Any:
    return len(world.calls.all)


def _events(world: World, given: dict[str, Any]) -> Any:
    return world.events[int(given.get("since", 0)) :]


def _deliver_event(world: World, given: dict[str, Any]) -> Any:
    """Put any event onto an account's bus, `count` times, past all loss and delay."""
    event = notices.Event(
        place=Place(given["account"], given["region"]),
        detail=given["detail"],
        resources=given.get("resources", []),
        detail_type=given.get("detail_type", "EBS Snapshot Notification"),
        source=given.get("source", "aws.ec2"),
        time=world.clock.now(),
    )
    if "id" in given:
        event.id = given["id"]
    for _ in range(int(given.get("count", 1))):
        notices.deliver(event)
    return {"id": event.id}


def _create_snapshots(world: World, given: dict[str, Any]) -> Any:
    """Snapshots as if from long ago, without the calls that would make them."""
    return [_create(world, each).id for each in given["snapshots"]]


def _create(world: World, spec: dict[str, Any]) -> Snapshot:
    spec = dict(spec)
    place = Place(spec.pop("account"), spec.pop("region"))
    start = _moment(world, spec.pop("start_time", None))
    recipients, tags, notify = spec.pop("shared_with", []), spec.pop("tags", {}), spec.pop("notify", False)
    reference = spec.pop("kms_key", None)
    key = keys.resolve(place, reference) if reference else None
    snapshot = Snapshot(
        id=spec.pop("id", None) or world.new_id(),
        owner=place.account,
        region=place.region,
        volume_id=spec.pop("volume_id", None) or world.new_id("vol"),
        volume_size=int(spec.pop("volume_size", 1)),
        description=spec.pop("description", ""),
        start_time=start,
        state=spec.pop("state", "completed"),
        encrypted=bool(spec.pop("encrypted", reference is not None)),
        kms_key=key.arn if key else reference,
        public=bool(spec.pop("public", False)),
        storage_tier=spec.pop("storage_tier", "standard"),
        outpost_arn=spec.pop("outpost_arn", ""),
        availability_zone=spec.pop("availability_zone", ""),
    )
    if spec:
        raise ValueError(f"unknown {', '.join(sorted(spec))}")
    snapshot.completed_at = start if snapshot.state == "completed" else None
    world.add(snapshot)
    world.tag(place, snapshot.id, tags)
    for recipient in recipients:
        world.share(snapshot, recipient)
        if notify:
            notices.shared(world, snapshot, recipient)
    return snapshot


def _moment(world: World, value: str | float | None) -> float:
    """A moment: ISO 8601, seconds since the epoch, or now."""
    if value is None:
        return world.clock.now()
    return clock.parse(value) if isinstance(value, str) else float(value)


# What `change-snapshot` may set; the rest has side effects and its own actions.
_CHANGEABLE = {
    "state", "state_message", "volume_id", "volume_size", "description", "encrypted", "kms_key", "storage_tier",
    "in_use", "start_time", "visible_from", "listed_from", "shown_as", "outpost_arn", "availability_zone",
}  # fmt: skip


def _change_snapshot(world: World, given: dict[str, Any]) -> Any:
    """Set properties of a snapshot as AWS never would by itself."""
    snapshot = _find(world, given)
    changes = {key: value for key, value in given.items() if key not in ("id", "region")}
    if unknown := set(changes) - _CHANGEABLE:
        raise ValueError(f"cannot change {', '.join(sorted(unknown))}")
    for name, value in changes.items():
        moments = ("start_time", "visible_from", "listed_from")
        setattr(snapshot, name, _moment(world, value) if name in moments else value)
    if snapshot.state != "pending":
        world.in_flight.get(snapshot.place, set()).discard(snapshot.id)
    if snapshot.state == "completed" and snapshot.completed_at is None:
        snapshot.completed_at = world.clock.now()
    return _public(world, snapshot)


def _set_blocks(world: World, given: dict[str, Any]) -> Any:
    return blocks.put_into(_find(world, given), given["blocks"])


def _age_snapshot(world: World, given: dict[str, Any]) -> Any:
    """Let a snapshot have started and completed earlier."""
    snapshot = _find(world, given)
    seconds = float(given["seconds"])
    snapshot.start_time -= seconds
    if snapshot.completed_at is not None:
        snapshot.completed_at -= seconds
    return _public(world, snapshot)


def _find(world: World, given: dict[str, Any]) -> Snapshot:
    snapshot = world.find(given["region"], given["id"])
    if snapshot is None:
        raise ValueError(f"no snapshot {given['id']} in {given['region']}")
    return snapshot


def _release_copies(world: World, given: dict[str, Any]) -> Any:
    """End pending copies: all, or those of a Region, an account or a list of IDs."""
    pending = [s for s in world.everything() if s.state == "pending" and s.copy is not None]
    chosen = [
        s
        for s in pending
        if given.get("region", s.region) == s.region
        and given.get("account", s.owner) == s.owner
        and s.id in given.get("ids", [s.id])
    ]
    for snapshot in chosen[: given.get("count")]:
        copying.finish(world, snapshot)
    return [s.id for s in chosen[: given.get("count")]]


def _update_copies(world: World, given: dict[str, Any]) -> Any:
    """Let pending copies show their sizes, as they do before they end."""
    for snapshot in list(world.everything()):
        copying.update(world, snapshot)
    return {}


def _snapshots(world: World, given: dict[str, Any]) -> Any:
    """Every snapshot, of one account or Region or of all, as nobody in AWS sees it."""
    return [
        _public(world, s)
        for s in world.everything()
        if given.get("account", s.owner) == s.owner and given.get("region", s.region) == s.region
    ]


def _public(world: World, snapshot: Snapshot) -> dict[str, Any]:
    # By hand: dataclasses.asdict() would take seconds for a hundred thousand of them.
    return {
        **{name: getattr(snapshot, name) for name in _PLAIN},
        "start_time": clock.iso(snapshot.start_time),
        "completed_at": None if snapshot.completed_at is None else clock.iso(snapshot.completed_at),
        "copy": _of_copy(snapshot.copy) if snapshot.copy else None,
        "lock": dataclasses.asdict(snapshot.lock) if snapshot.lock else None,
        "tags": dict(world.tags(snapshot.place, snapshot.id)),
    }


def _of_copy(copy: Copy) -> dict[str, Any]:
    return dataclasses.asdict(dataclasses.replace(copy, blocks={}))


def _functions(world: World, given: dict[str, Any]) -> Any:
    return [each.public() for each in functions.running(given.get("name", ""))]


def _kill_function(world: World, given: dict[str, Any]) -> Any:
    return functions.kill(given["name"])


VERBS: dict[str, Verb] = {
    **dbsteering.VERBS,
    "advance-clock": _advance_clock,
    "age-snapshot": _age_snapshot,
    "calls": _calls,
    "change-snapshot": _change_snapshot,
    "clear-rules": _clear_rules,
    "configure": _configure,
    "count-calls": _count_calls,
    "create-snapshots": _create_snapshots,
    "deliver-event": _deliver_event,
    "events": _events,
    "functions": _functions,
    "health": _health,
    "inject-fault": _inject_fault,
    "kill-function": _kill_function,
    "last-call": _last_call,
    "release-copies": _release_copies,
    "reset": _reset,
    "rules": _rules,
    "set-blocks": _set_blocks,
    "snapshots": _snapshots,
    "spoil-copies": _spoil_copies,
    "update-copies": _update_copies,
}
