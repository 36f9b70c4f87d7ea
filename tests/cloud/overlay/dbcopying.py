"""CopyDBSnapshot and CopyDBClusterSnapshot, and deleting what they make [RDS API reference, under their names; RDS user
guide, "Copying a DB snapshot"; Aurora user guide, "Copying a DB cluster snapshot"].

They are called in the destination Region and name the source by its ARN, in another account and another Region in one
call. There is no client token: the name of the copy, which the caller chooses, stands for one.
"""

import re
from dataclasses import dataclass
from typing import Any

from tests.cloud.overlay import dbdescribing, dbnotices, dbtagging, dbwire, keys
from tests.cloud.overlay.dbmodel import ARN, CLUSTER, INSTANCE, Database, Ending, Kind, may_copy
from tests.cloud.overlay.dbsharing import owned
from tests.cloud.overlay.dbwire import RdsError, combination, invalid
from tests.cloud.overlay.model import Place
from tests.cloud.overlay.wire import Params, Response
from tests.cloud.overlay.world import World

# A letter first, then letters, digits and hyphens, no hyphen last and no two in a row
# [RDS API reference, CopyDBSnapshot, TargetDBSnapshotIdentifier].
_NAME = re.compile(r"[A-Za-z](?:-?[A-Za-z0-9])*")


@dataclass(frozen=True, slots=True)
class Request:
    """A request for a copy, as spoiling rules look at it."""

    account: str
    region: str
    action: str
    parameters: dict[str, Any]
    service: str = "rds"


def copy(world: World, caller: Place, params: Params, kind: Kind) -> Response:
    """Check what is refused at once, then start the copy. In which order RDS checks is assumed."""
    name = _name(kind, params.required(f"Target{kind.name}Identifier"))
    source = _source(world, caller, params, kind)
    key = _key(caller, params, source)
    if source.tde and source.region != caller.region and not params.get("OptionGroupName"):
        # [RDS API reference, CopyDBSnapshot, OptionGroupName]; the code is assumed.
        raise combination("A snapshot with TDE needs OptionGroupName in another Region.")
    tags = dbtagging.check(dbwire.tags(params))
    if params.flag("CopyTags") and source.owner == caller.account:
        tags = dbtagging.check(source.tags | tags)
    if world.databases.find(kind, caller, name) is not None:
        raise RdsError(kind.exists, f"Cannot create the snapshot because one with the identifier {name} exists.")
    _check_quotas(world, caller, kind)
    made = _start(world, caller, name, source)
    made.tags, made.kms_key = tags, key
    made.option_group = params.get("OptionGroupName") or made.option_group
    made.ending = _ending(world, Request(*caller, f"Copy{kind.name}", params.flat), source, key)
    dbnotices.started(world, made)
    return dbwire.answer(f"Copy{kind.name}", _wrapped(world, caller, made))


def _wrapped(world: World, caller: Place, snapshot: Database) -> str:
    name = snapshot.kind.name
    return f"<{name}>{dbdescribing.xml(world, caller, snapshot)}</{name}>"


def _name(kind: Kind, name: str) -> str:
    if not _NAME.fullmatch(name) or len(name) > kind.longest:
        raise invalid(f"The parameter Target{kind.name}Identifier is not a valid identifier: {name[:80]}")
    return name.lower()


def _source(world: World, caller: Place, params: Params, kind: Kind) -> Database:
    """The source: a name is one's own in this Region, anything else takes an ARN. What may not be copied is not found
    [assumed]."""
    name = params.required(f"Source{kind.name}Identifier")
    found = world.databases.by_arn(name) if ARN.fullmatch(name) else world.databases.find(kind, caller, name)
    if found is None or found.kind is not kind or not may_copy(found, caller.account, world.clock.now()):
        raise dbdescribing.not_found(kind, name)
    if found.status != "available":
        raise RdsError(kind.state, f"{name} is {found.status}; it must be available to be copied.")
    return found


def _key(caller: Place, params: Params, source: Database) -> str | None:
    """The ARN of the copy's key. Codes are assumed where the reference says no more than that it is an error.

    Encrypted sources that are another's or in another Region need a key; plain snapshots of instances are encrypted if
    one is named, plain ones of clusters cannot be [RDS API reference, CopyDBSnapshot and CopyDBClusterSnapshot,
    KmsKeyId].
    """
    reference = params.get("KmsKeyId")
    if not reference:
        if source.kms_key and source.place != caller:
            raise combination("An encrypted snapshot of another account or Region needs KmsKeyId.")
        return source.kms_key
    if source.kind is CLUSTER and source.kms_key is None:
        raise combination("An unencrypted DB cluster snapshot cannot be copied with KmsKeyId.")
    key = keys.resolve(caller, reference)
    usable = key is not None and key.place.region == caller.region and key.state == "Enabled" and key.encrypts
    if key is None or not usable or not _grants(key, caller):
        raise RdsError(
            "KMSKeyNotAccessibleFault", f"The specified KMS key [{reference}] does not exist or is disabled."
        )
    if source.kms_key and source.owner != caller.account:
        _check_source_key(caller, source.kms_key)
    return key.arn


def _grants(key: keys.Key, caller: Place) -> bool:
    """What RDS needs of a key of its caller [RDS user guide, "Sharing encrypted snapshots"]."""
    return all(key.allows(caller.account, f"kms:{each}") for each in ("CreateGrant", "DescribeKey"))


def _check_source_key(caller: Place, reference: str) -> None:
    """The source's key must let the caller in; that this is said at once is assumed."""
    key = keys.resolve(caller, reference)
    if key is None or key.state != "Enabled" or not _grants(key, caller):
        raise RdsError("KMSKeyNotAccessibleFault", f"The source snapshot's KMS key [{reference}] is not accessible.")


def _check_quotas(world: World, caller: Place, kind: Kind) -> None:
    """Copies in flight into a Region, and manual snapshots in it: one code for both [RDS user guide, "Quotas and
    constraints for Amazon RDS"]. Which words tell them apart is unknown, so they are the same here [assumed]."""
    own = world.databases.owned(kind, caller)
    flying = sum(each.status == "copying" for each in own)
    behaviour = world.behaviour
    limit = behaviour.db_in_flight_limit if kind is INSTANCE else behaviour.db_cluster_in_flight_limit
    if flying >= limit or dbdescribing.used(world, caller, kind) >= behaviour.db_snapshot_limit:
        raise RdsError("SnapshotQuotaExceeded", "The request would exceed the allowed number of snapshots.")


def _start(world: World, caller: Place, name: str, source: Database) -> Database:
    """The copy, `copying`. Its creation time is its own, the original one its source's [RDS API reference, DBSnapshot];
    that it keeps its source's resource ID is assumed."""
    now, behaviour = world.clock.now(), world.behaviour
    made = Database(
        kind=source.kind,
        id=name,
        owner=caller.account,
        region=caller.region,
        source_id=source.source_id,
        resource_id=source.resource_id,
        engine=source.engine,
        engine_version=source.engine_version,
        allocated_storage=source.allocated_storage,
        created=now,
        original_created=source.original_created,
        status="copying",
        tde=source.tde,
        option_group=source.option_group if source.region == caller.region else "",
        copied_from=source.arn,
        source_region=source.region,
        visible_from=now + behaviour.copy_visibility_seconds,
        started=now,
        ends=None if behaviour.hold_copies else now + behaviour.copy_seconds,
    )
    world.databases.add(made)
    if not behaviour.hold_copies:
        world.clock.after(behaviour.copy_seconds, lambda: finish(world, made))
    return made


def _ending(world: World, request: Request, source: Database, key: str | None) -> Ending:
    """How it will end: as its source is, or as rules spoil it."""
    ending = Ending(source, kms_key=key, allocated_storage=source.allocated_storage)
    spoil = next((each for each in world.spoils if each.strikes(request)), None)
    if spoil is not None:
        ending.failed = bool(spoil.state_message)
        ending.kms_key = None if spoil.unencrypted else spoil.kms_key or ending.kms_key
        ending.allocated_storage = spoil.volume_size or ending.allocated_storage
    return ending


def finish(world: World, made: Database) -> None:
    """End a copy, if it still runs. A source that went before its copy was available fails it [RDS user guide, "Copying
    a DB snapshot": it may]; that a failed copy stays, with the status `failed`, is assumed."""
    ending = made.ending
    if ending is None or made.status != "copying" or world.databases.find(made.kind, made.place, made.id) is not made:
        return
    there = world.databases.find(made.kind, ending.source.place, ending.source.id)
    if ending.failed or there is not ending.source:
        made.status = "failed"
    else:
        made.status, made.kms_key, made.allocated_storage = "available", ending.kms_key, ending.allocated_storage
        dbnotices.finished(world, made)


def delete(world: World, caller: Place, params: Params, kind: Kind) -> Response:
    """Delete one's own manual snapshot; of one that is being copied, the copy ends [RDS API reference,
    DeleteDBSnapshot]. That failed ones can be deleted is assumed."""
    snapshot = owned(world, caller, params, kind)
    if snapshot.type != "manual" or snapshot.status not in ("available", "copying", "failed"):
        raise RdsError(kind.state, f"{snapshot.id} is {snapshot.type} and {snapshot.status}; it cannot be deleted.")
    inner = _wrapped(world, caller, snapshot)
    world.databases.remove(snapshot)
    dbnotices.deleted(world, snapshot)
    return dbwire.answer(f"Delete{kind.name}", inner)
