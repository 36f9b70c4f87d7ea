"""DescribeSnapshots."""

import re
from collections.abc import Iterable, Iterator

from tests.cloud.overlay import filters, paging
from tests.cloud.overlay.clock import iso
from tests.cloud.overlay.model import Place, Snapshot
from tests.cloud.overlay.wire import Ec2Error, Params, Response, answer, element, elements, listing
from tests.cloud.overlay.world import World

_ID = re.compile(r"snap-([0-9a-f]{8}|[0-9a-f]{17})")


def check_id(snapshot_id: str) -> str:
    if not _ID.fullmatch(snapshot_id):
        raise Ec2Error("InvalidSnapshotID.Malformed", f"Invalid id: '{snapshot_id}' (expecting 'snap-...')")
    return snapshot_id


def not_found(snapshot_id: str) -> Ec2Error:
    return Ec2Error("InvalidSnapshot.NotFound", f"The snapshot '{snapshot_id}' does not exist.")


def describe_snapshots(world: World, caller: Place, params: Params) -> Response:
    """Answer a page. An ID that is not visible fails the whole call; a `snapshot-id` filter just does not match it
    [observed on AWS by others; the API reference says otherwise]."""
    ids = [check_id(each) for each in params.members("SnapshotId")]
    if ids and ("MaxResults" in params or "NextToken" in params):
        raise Ec2Error(
            "InvalidParameterCombination", "The parameter SnapshotIds cannot be used with the parameter MaxResults"
        )
    paging.size(params)
    chosen = filters.parse(params)
    wanted = filters.predicates(world, caller, chosen)
    params.dry_run()
    if "NextToken" in params:
        page, token = paging.next_page(world, caller, params)
    else:
        found = [s.id for s in _select(world, caller, params, ids, chosen) if all(holds(s) for holds in wanted)]
        page, token = paging.cut(world, caller, found, params)
    # What was deleted or un-shared since the first page is left out of a later one.
    shown = (world.visible(caller, each) for each in page)
    inner = listing("snapshotSet", [describe(world, caller, s) for s in shown if s is not None])
    return answer("DescribeSnapshots", inner + element("nextToken", token))


def _select(world: World, caller: Place, params: Params, ids: list[str], chosen: filters.Filters) -> Iterator[Snapshot]:
    """The visible snapshots that IDs, owners and restorable users leave over: all three must hold."""
    owners = params.members("Owner")
    restorers = params.members("RestorableBy")
    for snapshot in _candidates(world, caller, ids, owners, chosen):
        if owners and not _is_owned(caller, snapshot, owners):
            continue
        if restorers and not any(_restorable(world, caller, snapshot, who) for who in restorers):
            continue
        yield snapshot


def _candidates(
    world: World, caller: Place, ids: list[str], owners: list[str], chosen: filters.Filters
) -> Iterable[Snapshot]:
    """As few snapshots as an index gives. What is left out here could not have matched."""
    if ids:
        return [_get(world, caller, each) for each in dict.fromkeys(ids)]
    listed = _listed(world, caller, chosen)
    if listed is not None:
        return [s for each in listed if (s := world.visible(caller, each)) is not None]
    if owners and set(owners) <= {"self", caller.account}:
        return [s for s in world.own(caller) if world.sees(caller, s)]
    return world.all_visible(caller)


def _listed(world: World, caller: Place, chosen: filters.Filters) -> Iterable[str] | None:
    """The IDs that plain filter values name, by ID or by tag; None when no filter does."""
    for name, values in chosen:
        if not all(filters.is_plain(value) for value in values):
            continue
        if name == "snapshot-id":
            return dict.fromkeys(values)
        if name.startswith("tag:"):
            key = name.removeprefix("tag:")
            return dict.fromkeys(each for value in values for each in world.tagged(caller, key, value))
    return None


def _get(world: World, caller: Place, snapshot_id: str) -> Snapshot:
    snapshot = world.visible(caller, snapshot_id)
    if snapshot is None:
        raise not_found(snapshot_id)
    return snapshot


def _is_owned(caller: Place, snapshot: Snapshot, owners: list[str]) -> bool:
    """`self` is the caller; no snapshot here belongs to `amazon`."""
    return snapshot.owner in owners or ("self" in owners and snapshot.owner == caller.account)


def _restorable(world: World, caller: Place, snapshot: Snapshot, who: str) -> bool:
    """`self`: own or explicitly shared; `all`: public; another's ID: own snapshots that are shared with it
    [EC2 API reference, DescribeSnapshots: "account IDs (if you own the snapshots), self for snapshots for which you
    own or have explicit permissions, or all for public snapshots"]."""
    if who == "all":
        return snapshot.public
    if who in ("self", caller.account):
        return snapshot.owner == caller.account or caller.account in snapshot.shares
    return snapshot.owner == caller.account and who in snapshot.shares


def describe(world: World, caller: Place, snapshot: Snapshot) -> str:
    """A snapshot's XML as this caller sees it, with the caller's own tags."""
    copy = snapshot.copy
    tags = [elements(key=key, value=value) for key, value in world.tags(caller, snapshot.id).items()]
    return elements(
        snapshotId=snapshot.id,
        volumeId=snapshot.volume_id,
        status=snapshot.state,
        statusMessage=snapshot.state_message or None,
        startTime=iso(snapshot.start_time),
        progress=snapshot.progress,
        ownerId=snapshot.owner,
        volumeSize=snapshot.volume_size,
        description=snapshot.description,
        encrypted=snapshot.encrypted,
        kmsKeyId=snapshot.kms_key,
        storageTier=snapshot.storage_tier,
        transferType=("time-based" if copy.minutes else "standard") if copy else None,
        completionDurationMinutes=copy.minutes if copy else None,
        completionTime=None if snapshot.completed_at is None else iso(snapshot.completed_at),
    ) + (listing("tagSet", tags) if tags else "")
