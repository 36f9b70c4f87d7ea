"""Tags on snapshots: in the request that makes one, and CreateTags, DeleteTags and DescribeTags."""

from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any

from tests.cloud.overlay import filters, paging, wildcards
from tests.cloud.overlay.describing import not_found
from tests.cloud.overlay.emulator import ec2
from tests.cloud.overlay.model import Place
from tests.cloud.overlay.wire import Ec2Error, Params, Response, answer, element, elements, listing
from tests.cloud.overlay.world import World

# [EC2 user guide, tag restrictions; of keys 127: EC2 API reference, Tag]
MOST_TAGS, LONGEST_KEY, LONGEST_VALUE = 50, 127, 256


def check(tags: list[tuple[str, str]]) -> dict[str, str]:
    """Tags of a request, within EC2's limits."""
    for key, value in tags:
        if not 1 <= len(key) <= LONGEST_KEY:
            raise Ec2Error("InvalidParameterValue", f"Tag key must be 1 to {LONGEST_KEY} characters: '{key[:40]}'")
        if key.lower().startswith("aws:"):
            raise Ec2Error("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use")
        if len(value) > LONGEST_VALUE:
            raise Ec2Error("InvalidParameterValue", f"Tag value exceeds the maximum of {LONGEST_VALUE} characters")
    found = dict(tags)
    if len(found) < len(tags):
        raise Ec2Error("InvalidParameterValue", "Duplicate tag key specified.")
    if len(found) > MOST_TAGS:
        raise Ec2Error("TagLimitExceeded", f"The maximum number of tags for a resource is {MOST_TAGS}")
    return found


def from_specifications(params: Params) -> dict[str, str]:
    """The tags of all TagSpecifications, which must be for a snapshot
    [EC2 API reference, CopySnapshot, TagSpecification.N]."""
    tags: list[tuple[str, str]] = []
    for n in params.indices("TagSpecification"):
        kind = params.get(f"TagSpecification.{n}.ResourceType")
        if kind != "snapshot":
            message = f"'{kind}' is not a valid taggable resource type for this operation."
            raise Ec2Error("InvalidParameterValue", message)
        tags += params.tags(f"TagSpecification.{n}.Tag")
    return check(tags)


def xml(tags: Mapping[str, str]) -> str:
    return listing("tagSet", [elements(key=key, value=value) for key, value in tags.items()]) if tags else ""


def _is_snapshot(resource: str) -> bool:
    return resource.startswith("snap-")


def _others(params: Params, resources: list[str]) -> dict[str, list[str]]:
    """The request without the snapshots, for the emulator."""
    kept = {key: [value] for key, value in params.flat.items() if not key.startswith("ResourceId.")}
    return kept | {f"ResourceId.{n}": [each] for n, each in enumerate(resources, 1)}


def _change(world: World, caller: Place, params: Params, action: str, change: Callable[[str], None]) -> Response:
    """Change the tags of all visible snapshots named, and let the emulator do the other resources. One unknown
    snapshot fails the whole call before anything changes. Who can see a snapshot can tag it, and who has tagged it can
    take those tags away after it is no longer shared [observed: sharing_data_tags_settled]."""
    resources = params.members("ResourceId")
    for each in filter(_is_snapshot, resources):
        is_tagged = action == "DeleteTags" and world.tags(caller, each)
        if world.visible(caller, each) is None and not is_tagged:
            raise not_found(each)
    params.dry_run()
    others = [each for each in resources if not _is_snapshot(each)]
    if others:
        handler: Any = ec2._create_tags if action == "CreateTags" else ec2._delete_tags
        handler(_others(params, others))
    for each in filter(_is_snapshot, resources):
        change(each)
    return answer(action)


def create_tags(world: World, caller: Place, params: Params) -> Response:
    """Add tags or overwrite their values."""
    tags = check(list(params.tags("Tag")))
    for each in filter(_is_snapshot, params.members("ResourceId")):
        if len(world.tags(caller, each).keys() | tags.keys()) > MOST_TAGS:
            raise Ec2Error("TagLimitExceeded", f"The maximum number of tags for a resource is {MOST_TAGS}")
    return _change(world, caller, params, "CreateTags", lambda each: world.tag(caller, each, tags))


def delete_tags(world: World, caller: Place, params: Params) -> Response:
    """Delete tags by key, or only with a given value; without any tag named, all of them
    [EC2 API reference, DeleteTags, Tag.N]."""
    named = [(params.get(f"Tag.{n}.Key"), params.flat.get(f"Tag.{n}.Value")) for n in params.indices("Tag")]

    def remove(snapshot_id: str) -> None:
        own = dict(world.tags(caller, snapshot_id))
        doomed = [key for key, value in named if value is None or own.get(key) == value] if named else list(own)
        world.untag(caller, snapshot_id, doomed)

    return _change(world, caller, params, "DeleteTags", remove)


def describe_tags(world: World, caller: Place, params: Params) -> Response:
    """The caller's own tags, on snapshots and on everything else."""
    chosen = filters.parse(params)
    params.dry_run()
    others = ((each, tag["Key"], tag.get("Value", "")) for each, tags in ec2._tags.items() for tag in tags)
    rows = []
    for resource, key, value in chain(world.all_tags(caller), others):
        kind = ec2._guess_resource_type(resource)
        if _row_matches(chosen, {"resource-id": resource, "resource-type": kind, "key": key, "value": value}):
            rows.append(elements(resourceId=resource, resourceType=kind, key=key, value=value))
    # The rows themselves serve as the answer that pages are cut from.
    page, token = (
        paging.next_page(world, caller, params) if "NextToken" in params else paging.cut(world, caller, rows, params)
    )
    return answer("DescribeTags", listing("tagSet", page) + element("nextToken", token))


def _row_matches(chosen: filters.Filters, row: dict[str, str]) -> bool:
    for name, values in chosen:
        if name.startswith("tag:"):
            if row["key"] != name.removeprefix("tag:") or not wildcards.matches(values, row["value"]):
                return False
        elif name not in row:
            raise Ec2Error("InvalidParameterValue", f"The filter '{name}' is invalid")
        elif not wildcards.matches(values, row[name]):
            return False
    return True
