"""DescribeDBSnapshots, DescribeDBClusterSnapshots and DescribeAccountAttributes [RDS API reference, of that name]."""

from collections.abc import Callable

from tests.cloud.overlay import dbwire
from tests.cloud.overlay.clock import iso
from tests.cloud.overlay.dbmodel import ARN, INSTANCE, KINDS, Database, Kind, is_public, is_shared
from tests.cloud.overlay.dbwire import RdsError, invalid
from tests.cloud.overlay.model import Place
from tests.cloud.overlay.wire import Ec2Error, Params, Response, element, elements
from tests.cloud.overlay.world import World

Predicate = Callable[[Place, Database], bool]

FEWEST, MOST = 20, 100
TYPES = ("automated", "manual", "shared", "public", "awsbackup")


def not_found(kind: Kind, name: str) -> RdsError:
    return RdsError(kind.not_found, f"{kind.name} {name} not found.", 404)


def describe(world: World, caller: Place, params: Params, kind: Kind) -> Response:
    """List what this caller may see of a kind, page by page. A page begins behind the last name of the one before it,
    so nothing is told twice or left out when others come and go."""
    action = f"Describe{kind.name}s"
    asked = _asked(params, kind)
    seen = _of_types(world, caller, params, kind)
    chosen = [each for each in seen if all(holds(caller, each) for holds in asked)]
    wanted = params.get(f"{kind.name}Identifier")
    if wanted and not chosen:
        raise not_found(kind, wanted)
    chosen.sort(key=lambda each: each.arn)
    behind = _behind(params.get("Marker"))
    rest = [each for each in chosen if each.arn > behind]
    size = _size(params)
    marker = rest[size - 1].arn.encode().hex() if len(rest) > size else None
    listed = [xml(world, caller, each) for each in rest[:size]]
    return dbwire.answer(action, element("Marker", marker) + dbwire.listing(f"{kind.name}s", kind.name, listed))


def _size(params: Params) -> int:
    """20 to 100 records, 100 when nothing is asked for [RDS API reference, DescribeDBSnapshots, MaxRecords]."""
    try:
        return params.number("MaxRecords", FEWEST, MOST) or MOST
    except Ec2Error as error:
        raise invalid(error.message) from error


def _behind(marker: str) -> str:
    try:
        return bytes.fromhex(marker).decode()
    except ValueError:
        raise invalid(f"The marker '{marker}' is invalid") from None


def _of_types(world: World, caller: Place, params: Params, kind: Kind) -> list[Database]:
    """What SnapshotType, IncludeShared and IncludePublic let through: own manual and automated ones if nothing is said;
    an automated one by its identifier only with the type [RDS API reference, DescribeDBSnapshots]."""
    asked, now = params.get("SnapshotType"), world.clock.now()
    if asked and asked not in TYPES:
        # [assumed: what RDS says of another type]
        raise invalid(f"{asked} is not a valid snapshot type")
    own = {asked} if asked else {"manual"} if params.get(f"{kind.name}Identifier") else {"manual", "automated"}
    shared = asked == "shared" or bool(params.flag("IncludeShared"))
    public = asked == "public" or bool(params.flag("IncludePublic"))

    def through(each: Database) -> bool:
        if each.kind is not kind or each.region != caller.region:
            return False
        if each.owner == caller.account:
            # [assumed: one's own public snapshots are among the public ones]
            return each.visible_from <= now and (each.type in own or (asked == "public" and is_public(each, now)))
        return (shared and is_shared(each, caller.account, now)) or (public and is_public(each, now))

    return [each for each in world.databases.everything() if through(each)]


def shown_id(caller: Place, snapshot: Database) -> str:
    """Others' snapshots are named by their ARN [RDS user guide, "Sharing a DB snapshot"]."""
    return snapshot.id if snapshot.owner == caller.account else snapshot.arn


def _same(snapshot: Database, wanted: str) -> bool:
    """Whether a name, in whatever case, or an ARN is this snapshot's."""
    if found := ARN.fullmatch(wanted):
        return snapshot.arn == wanted.removesuffix(found.group(4)) + found.group(4).lower()
    return snapshot.id == wanted.lower()


def _asked(params: Params, kind: Kind) -> list[Predicate]:
    """What identifiers and filters ask for. What is another's is named by its ARN only."""
    asked: list[Predicate] = []
    if wanted := params.get(f"{kind.name}Identifier"):
        asked.append(lambda caller, each: _same(each, wanted) and (each.place == caller or ":" in wanted))
    if of := params.get(kind.of):
        asked.append(lambda caller, each: each.source_id == of.lower())
    if resource := params.get(kind.resource):
        asked.append(lambda caller, each: each.resource_id == resource)
    return asked + [_filter(kind, name, values) for name, values in dbwire.filters(params)]


def _filter(kind: Kind, name: str, values: list[str]) -> Predicate:
    """[RDS API reference, DescribeDBSnapshots and DescribeDBClusterSnapshots, Filters]"""
    parent = "db" if kind is INSTANCE else "cluster"
    if name == ("db-instance-id" if kind is INSTANCE else "db-cluster-id"):
        names = {each.lower() for each in values if ":" not in each}
        return lambda caller, each: each.source_id in names or _arn_of_source(parent, each) in values
    if name == ("db-snapshot-id" if kind is INSTANCE else "db-cluster-snapshot-id"):
        return lambda caller, each: any(_same(each, value) for value in values)
    if name == "dbi-resource-id" and kind is INSTANCE:
        return lambda caller, each: each.resource_id in values
    if name == "snapshot-type":
        return lambda caller, each: _shown_type(caller, each) in values
    if name == "engine":
        return lambda caller, each: each.engine in values
    raise invalid(f"Unrecognized filter name: {name}")


def _arn_of_source(parent: str, each: Database) -> str:
    return f"arn:aws:rds:{each.region}:{each.owner}:{parent}:{each.source_id}"


def _shown_type(caller: Place, each: Database) -> str:
    """[assumed: what is another's is called by the way on which it is seen]"""
    if each.owner == caller.account:
        return each.type
    return "shared" if caller.account in each.shares else "public"


def xml(world: World, caller: Place, each: Database) -> str:
    """A snapshot as its kind's members show it. Tags are the owner's and shown to nobody else [assumed]."""
    own = each.owner == caller.account
    said: dict[str, object] = {
        f"{each.kind.name}Identifier": shown_id(caller, each),
        f"{each.kind.name}Arn": each.arn,
        each.kind.of: each.source_id,
        each.kind.resource: each.resource_id,
        "SnapshotCreateTime": iso(each.created),
        "Engine": each.engine,
        "EngineVersion": each.engine_version,
        "AllocatedStorage": each.allocated_storage,
        "Status": each.status,
        "SnapshotType": _shown_type(caller, each),
        "PercentProgress": each.percent(world.clock.now()),
        each.kind.encrypted: each.kms_key is not None,
        "KmsKeyId": each.kms_key,
        **(_of_instance(each) if each.kind is INSTANCE else _of_cluster(each)),
    }
    return elements(**said) + (dbwire.tag_list(each.tags) if own else dbwire.tag_list({}))


def _of_instance(each: Database) -> dict[str, object]:
    """SourceDBSnapshotIdentifier is there for copies across accounts or Regions only; the original time is that of the
    first snapshot [RDS API reference, DBSnapshot]."""
    crosses = each.copied_from and not each.copied_from.startswith(f"arn:aws:rds:{each.region}:{each.owner}:")
    return {
        "OriginalSnapshotCreateTime": iso(each.original_created),
        "SourceDBSnapshotIdentifier": each.copied_from if crosses else None,
        "SourceRegion": each.source_region or None,
        "OptionGroupName": each.option_group or None,
        "TdeCredentialArn": f"arn:aws:rds:{each.region}:{each.owner}:tde" if each.tde else None,
    }


def _of_cluster(each: Database) -> dict[str, object]:
    """[RDS API reference, DBClusterSnapshot, SourceDBClusterSnapshotArn]"""
    return {"SourceDBClusterSnapshotArn": each.copied_from or None}


def used(world: World, caller: Place, kind: Kind) -> int:
    """How many manual snapshots count. A copy that runs or failed counts too [assumed]."""
    return sum(each.type == "manual" for each in world.databases.owned(kind, caller))


def describe_account_attributes(world: World, caller: Place, params: Params) -> Response:
    """The quotas of manual snapshots, of the Region that is asked [RDS API reference, AccountQuota]; the others are
    left out."""
    limit = world.behaviour.db_snapshot_limit
    quotas = [elements(AccountQuotaName=kind.quota, Used=used(world, caller, kind), Max=limit) for kind in KINDS]
    return dbwire.answer("DescribeAccountAttributes", dbwire.listing("AccountQuotas", "AccountQuota", quotas))
