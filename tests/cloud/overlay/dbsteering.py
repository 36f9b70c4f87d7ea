"""What the control client can ask for about snapshots of databases."""

import secrets
from typing import Any

from tests.cloud.overlay import clock, dbcopying, keys
from tests.cloud.overlay.dbmodel import CLUSTER, INSTANCE, Database
from tests.cloud.overlay.model import Place
from tests.cloud.overlay.world import World

_CHANGEABLE = {"status", "type", "engine", "allocated_storage", "kms_key", "tde", "option_group", "resource_id"}


def create(world: World, given: dict[str, Any]) -> Any:
    """Snapshots of databases as if from long ago; their ARNs."""
    return [_create(world, dict(each)).arn for each in given["snapshots"]]


def _create(world: World, spec: dict[str, Any]) -> Database:
    place = Place(spec.pop("account"), spec.pop("region"))
    kind = CLUSTER if spec.pop("cluster", False) else INSTANCE
    moment = spec.pop("created", None)
    created = world.clock.now() if moment is None else clock.parse(moment) if isinstance(moment, str) else float(moment)
    recipients, reference = spec.pop("shared_with", []), spec.pop("kms_key", None)
    key = keys.resolve(place, reference) if reference else None
    prefix = "cluster" if kind is CLUSTER else "db"
    snapshot = Database(
        kind=kind,
        id=str(spec.pop("id", None) or f"manual-{secrets.token_hex(6)}").lower(),
        owner=place.account,
        region=place.region,
        source_id=spec.pop("source_id", "orders").lower(),
        resource_id=spec.pop("resource_id", None) or f"{prefix}-{secrets.token_hex(13).upper()}",
        engine=spec.pop("engine", "aurora-postgresql" if kind is CLUSTER else "postgres"),
        created=created,
        original_created=created,
        kms_key=key.arn if key else reference,
        source_region=place.region,
        **spec,
    )
    if world.databases.find(kind, place, snapshot.id):
        raise ValueError(f"{snapshot.arn} exists")
    snapshot.shares = dict.fromkeys(recipients, world.clock.now())
    world.databases.add(snapshot)
    return snapshot


def change(world: World, given: dict[str, Any]) -> Any:
    """Set properties as AWS never would by itself."""
    snapshot = world.databases.by_arn(given.pop("arn"))
    if snapshot is None:
        raise ValueError("no such snapshot")
    if unknown := set(given) - _CHANGEABLE:
        raise ValueError(f"cannot change {', '.join(sorted(unknown))}")
    for name, value in given.items():
        setattr(snapshot, name, value)
    return {}


def release(world: World, given: dict[str, Any]) -> Any:
    """End the copies that run, or those with these ARNs; their ARNs."""
    running = [each for each in world.databases.everything() if each.status == "copying"]
    chosen = [each for each in running if each.arn in given.get("arns", [each.arn])]
    for each in chosen:
        dbcopying.finish(world, each)
    return [each.arn for each in chosen]


VERBS = {"create-db-snapshots": create, "change-db-snapshot": change, "release-db-copies": release}
