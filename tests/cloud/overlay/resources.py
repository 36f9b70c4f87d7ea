"""What a call is about, as IAM's conditions would see it."""

import re
from typing import Any

from tests.cloud.overlay import dbwire, keys, wire
from tests.cloud.overlay.calls import Call
from tests.cloud.overlay.dbmodel import ARN, KINDS, Database
from tests.cloud.overlay.model import Place, Snapshot, snapshot_arn
from tests.cloud.overlay.world import World


def request_tags(service: str, parameters: dict[str, Any]) -> dict[str, str]:
    """The tags that a request sets: what IAM calls `aws:RequestTag`."""
    if service not in ("ec2", "rds"):
        return {}
    params = wire.Params(parameters)
    if service == "rds":
        return dbwire.tags(params)
    tags = dict(params.tags("Tag"))
    for n in params.indices("TagSpecification"):
        tags.update(params.tags(f"TagSpecification.{n}.Tag"))
    return tags


def of(world: World, call: Call) -> list[dict[str, Any]]:
    """The resources that a call is about, as they are before it: what IAM's conditions would see."""
    place = Place(call.account, call.region)
    if call.service == "kms":
        key = keys.resolve(place, str(call.parameters.get("KeyId") or "-"))
        return [{"type": "key", "arn": key.arn, "owner": key.place.account}] if key else []
    if call.service == "dynamodb":
        return [_table(place, call.parameters)]
    if call.service == "rds":
        return _databases(world, place, wire.Params(call.parameters))
    params = wire.Params(call.parameters)
    found = []
    if "SourceSnapshotId" in params:
        source = Place(call.account, params.get("SourceRegion") or call.region)
        found.append(_resource(world, source, params.get("SourceSnapshotId"), "source"))
    named = [params.get("SnapshotId"), *params.members("SnapshotId"), *params.members("ResourceId")]
    found += [_resource(world, place, each, "target") for each in named if each.startswith("snap-")]
    return found


def _table(place: Place, parameters: dict[str, Any]) -> dict[str, Any]:
    """The table, or its index, and the partition keys of the items that a call names, as far as Snapferry's calls name
    any [DynamoDB developer guide, "Using IAM policy conditions for fine-grained access control"]."""
    name = str(parameters.get("TableName", "")).rpartition("/")[2]
    arn = f"arn:aws:dynamodb:{place.region}:{place.account}:table/{name}"
    index = parameters.get("IndexName")
    values = parameters.get("ExpressionAttributeValues") or {}
    condition = re.search(r"=\s*(:\w+)", parameters.get("KeyConditionExpression") or "")
    named = [(parameters.get(each) or {}).get("pk") for each in ("Key", "Item")]
    named.append(values.get(condition.group(1)) if condition else None)
    return {
        "type": "table",
        "arn": f"{arn}/index/{index}" if index else arn,
        "owner": place.account,
        "leading_keys": [each["S"] for each in named if each and "S" in each],
    }


def _databases(world: World, place: Place, params: wire.Params) -> list[dict[str, Any]]:
    """The snapshots of databases that a call names: by its ARN the source of a copy, and what gets tags; by its name
    what is made or deleted, whether or not it is there."""
    found = []
    for kind in KINDS:
        if source := world.databases.by_arn(params.get(f"Source{kind.name}Identifier")):
            found.append(_database(source, source.arn, "source"))
        name = params.get(f"Target{kind.name}Identifier") or params.get(f"{kind.name}Identifier")
        if name and not ARN.fullmatch(name):
            arn = f"arn:aws:rds:{place.region}:{place.account}:{kind.arn_type}:{name.lower()}"
            found.append(_database(world.databases.find(kind, place, name), arn, "target"))
    if tagged := params.get("ResourceName"):
        found.append(_database(world.databases.by_arn(tagged), tagged, "target"))
    return found


def _database(snapshot: Database | None, arn: str, role: str) -> dict[str, Any]:
    return {
        "type": "db-snapshot",
        "role": role,
        "arn": arn,
        "owner": snapshot.owner if snapshot else None,
        "kms_key": snapshot.kms_key if snapshot else None,
        "tags": dict(snapshot.tags) if snapshot else {},
    }


def _resource(world: World, place: Place, snapshot_id: str, role: str) -> dict[str, Any]:
    snapshot: Snapshot | None = world.find(place.region, snapshot_id)
    return {
        "type": "snapshot",
        "role": role,
        "arn": snapshot_arn(place.region, snapshot_id),
        "owner": snapshot.owner if snapshot else None,
        "encrypted": snapshot.encrypted if snapshot else None,
        "kms_key": snapshot.kms_key if snapshot else None,
        "tags": dict(world.tags(place, snapshot_id)),
    }
