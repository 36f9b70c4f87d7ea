"""Who may copy or restore a snapshot of a database: ModifyDB(Cluster)SnapshotAttribute and its description
[RDS API reference, ModifyDBSnapshotAttribute; RDS user guide, "Sharing a DB snapshot"]."""

import re

from tests.cloud.overlay import dbwire, keys
from tests.cloud.overlay.dbdescribing import not_found
from tests.cloud.overlay.dbmodel import ARN, EVERYONE, Database, Kind
from tests.cloud.overlay.dbwire import RdsError, invalid
from tests.cloud.overlay.model import Place
from tests.cloud.overlay.wire import Params, Response, element
from tests.cloud.overlay.world import World

ATTRIBUTE = "restore"
MOST_ACCOUNTS = 20  # [RDS user guide, "Sharing a DB snapshot"]


def owned(world: World, caller: Place, params: Params, kind: Kind) -> Database:
    """The caller's own snapshot; somebody else's is not found, shared or not [assumed]."""
    name = params.required(f"{kind.name}Identifier")
    snapshot = world.databases.by_arn(name) if ARN.fullmatch(name) else world.databases.find(kind, caller, name)
    hidden = snapshot is not None and snapshot.visible_from > world.clock.now()
    if snapshot is None or hidden or snapshot.kind is not kind or snapshot.place != caller:
        raise not_found(kind, name)
    return snapshot


def modify(world: World, caller: Place, params: Params, kind: Kind) -> Response:
    """Share and un-share; nobody is told of it by an event [RDS user guide, "Amazon RDS event categories and event
    messages" lists none]."""
    snapshot = owned(world, caller, params, kind)
    _check_attribute(params)
    add = dbwire.items(params, "ValuesToAdd", "AttributeValue")
    remove = dbwire.items(params, "ValuesToRemove", "AttributeValue")
    for each in add + remove:
        if each != EVERYONE and not re.fullmatch(r"\d{12}", each):
            raise invalid(f"Invalid account: {each}")
    if add:
        _check_shareable(caller, snapshot, EVERYONE in add)
    kept = {account: since for account, since in snapshot.shares.items() if account not in remove}
    since = world.clock.now() + world.behaviour.share_seconds
    after = kept | {account: since for account in add if account not in kept}
    if len(after) > MOST_ACCOUNTS:
        raise RdsError("SharedSnapshotQuotaExceeded", f"A snapshot is shared with at most {MOST_ACCOUNTS} accounts.")
    snapshot.shares = after
    return dbwire.answer(f"Modify{kind.name}Attribute", _xml(snapshot))


def attributes(world: World, caller: Place, params: Params, kind: Kind) -> Response:
    return dbwire.answer(f"Describe{kind.name}Attributes", _xml(owned(world, caller, params, kind)))


def _check_attribute(params: Params) -> None:
    if params.required("AttributeName") != ATTRIBUTE:
        raise invalid(f"Invalid attribute: {params.get('AttributeName')}")


def _check_shareable(caller: Place, snapshot: Database, publicly: bool) -> None:
    """Manual ones only, nothing encrypted in public, nothing under the account's `aws/rds`, nothing with TDE
    [RDS user guide, "Sharing a DB snapshot"]. That the code is that of a wrong state is assumed."""
    kind = snapshot.kind
    if snapshot.type != "manual" or snapshot.status != "available":
        raise RdsError(kind.state, f"{snapshot.id} is {snapshot.type} and {snapshot.status}; it cannot be shared.")
    if snapshot.kms_key and publicly:
        raise RdsError(kind.state, f"{snapshot.id} is encrypted; it cannot be made public.")
    key = keys.resolve(caller, snapshot.kms_key) if snapshot.kms_key else None
    if key is not None and key.managed_by_aws:
        raise RdsError(kind.state, f"{snapshot.id} is under the default key; it cannot be shared.")
    if snapshot.tde:
        raise RdsError(kind.state, f"{snapshot.id} uses TDE; it cannot be shared.")


def _xml(snapshot: Database) -> str:
    name = snapshot.kind.name
    values = dbwire.listing("AttributeValues", "AttributeValue", sorted(snapshot.shares))
    attribute = element("AttributeName", ATTRIBUTE) + values
    inner = element(f"{name}Identifier", snapshot.id)
    inner += dbwire.listing(f"{name}Attributes", f"{name}Attribute", [attribute])
    return f"<{name}AttributesResult>{inner}</{name}AttributesResult>"
