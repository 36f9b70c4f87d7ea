"""EC2's filters: several values of a filter are alternatives, several filters must all hold, `*` and `?` are wildcards
[EC2 user guide, "Filter resources": wildcards, at most 200 filter values a call; names and values are case-sensitive].
"""

from collections.abc import Callable

from tests.cloud.overlay.clock import iso
from tests.cloud.overlay.model import Place, Snapshot
from tests.cloud.overlay.wildcards import is_plain, matches
from tests.cloud.overlay.wire import Ec2Error, Params
from tests.cloud.overlay.world import World

MOST_VALUES = 200

Filters = list[tuple[str, list[str]]]
Predicate = Callable[[Snapshot], bool]

# [EC2 API reference, DescribeSnapshots, Filter]; tag-value is not listed there, but accepted by EC2 [assumed].
_FIELDS: dict[str, Callable[[Snapshot], str]] = {
    "snapshot-id": lambda s: s.id,
    "owner-id": lambda s: s.owner,
    "owner-alias": lambda s: "",
    "status": lambda s: s.state,
    "progress": lambda s: s.progress,
    "volume-id": lambda s: s.volume_id,
    "volume-size": lambda s: str(s.volume_size),
    "description": lambda s: s.description,
    "encrypted": lambda s: "true" if s.encrypted else "false",
    "start-time": lambda s: iso(s.start_time),
    "storage-tier": lambda s: s.storage_tier,
    "transfer-type": lambda s: "time-based" if s.copy and s.copy.minutes else "standard",
}


def parse(params: Params) -> Filters:
    """`Filter.N.Name` with `Filter.N.Value.M`."""
    filters: Filters = []
    count = 0
    for n in params.indices("Filter"):
        name = params.get(f"Filter.{n}.Name")
        values = params.members(f"Filter.{n}.Value")
        if not name or not values:
            raise Ec2Error("InvalidParameterValue", "A filter needs a name and at least one value.")
        count += len(values)
        filters.append((name, values))
    if count > MOST_VALUES:
        raise Ec2Error(
            "FilterLimitExceeded",
            f"The maximum number of filter values specified on a single call is {MOST_VALUES}",
        )
    return filters


def _on_field(name: str, values: list[str]) -> Predicate:
    if name not in _FIELDS:
        raise Ec2Error("InvalidParameterValue", f"The filter '{name}' is invalid")
    read = _FIELDS[name]
    if all(is_plain(value) for value in values):
        wanted = frozenset(values)
        return lambda snapshot: read(snapshot) in wanted
    return lambda snapshot: matches(values, read(snapshot))


def _on_tags(world: World, viewer: Place, name: str, values: list[str]) -> Predicate:
    """A filter on the viewer's own tags."""
    if name == "tag-key":
        return lambda s: any(matches(values, key) for key in world.tags(viewer, s.id))
    if name == "tag-value":
        return lambda s: any(matches(values, value) for value in world.tags(viewer, s.id).values())
    wanted = name.removeprefix("tag:")

    def holds(snapshot: Snapshot) -> bool:
        actual = world.tags(viewer, snapshot.id).get(wanted)
        return actual is not None and matches(values, actual)

    return holds


def predicates(world: World, viewer: Place, filters: Filters) -> list[Predicate]:
    return [
        _on_tags(world, viewer, name, values)
        if name.startswith("tag:") or name in ("tag-key", "tag-value")
        else _on_field(name, values)
        for name, values in filters
    ]
