"""DescribeSnapshots."""

import re
from collections.abc import Callable, Iterable

from tests.cloud.overlay import filters, paging, wildcards
from tests.cloud.overlay.clock import iso
from tests.cloud.overlay.model import Place, Snapshot
from tests.cloud.overlay.wire import Ec2Error, Params, Response, answer, element, elements, listing
from tests.cloud.overlay.world import PUBLISHER, World

_ID = re.compile(r"snap-([0-9a-f]{8}|0[0-9a-f]{16})")
# What looks like an ID and is none to EC2: many more do, by a rule that nobody has found.
_NONE = {f"snap-{digits}" for digits in ("0" * 17, "0" + "1" * 16, "0123456789abcdef0")}


def is_id(snapshot_id: str) -> bool:
    """Whether it may be one [observed: volume_controls_snapshot_ids: 17 digits begin with 0, and some are malformed all
    the same; any 8 digits are well-formed]."""
    return _ID.fullmatch(snapshot_id) is not None and snapshot_id not in _NONE


def check_id(snapshot_id: str) -> str:
    if re.search("[A-Z]", snapshot_id):
        # [observed: volume_controls_snapshot_ids, source-uppercase-hex]
        message = f"Value ({snapshot_id}) for parameter snapshotId is invalid. Expected: 'snap-...'."
        raise Ec2Error("InvalidParameterValue", message)
    if not is_id(snapshot_id):
        raise _malformed(snapshot_id)
    return snapshot_id


def _malformed(snapshot_id: str) -> Ec2Error:
    # [observed: sharing_data_lookup]
    return Ec2Error("InvalidSnapshotID.Malformed", f'Invalid id: "{snapshot_id}"')


def not_found(snapshot_id: str) -> Ec2Error:
    return Ec2Error("InvalidSnapshot.NotFound", f"The snapshot '{snapshot_id}' does not exist.")


def describe_snapshots(world: World, caller: Place, params: Params) -> Response:
    """Answer a page. An ID that is not visible fails the whole call; a `snapshot-id` filter just does not match it
    [observed: sharing_data_contract; of filters inferred; the API reference says otherwise]."""
    ids = [check_id(each) for each in params.members("SnapshotId")]
    for each in ids:
        if each in world.behaviour.malformed_ids:
            raise _malformed(each)
    if ids and ("MaxResults" in params or "NextToken" in params):
        raise Ec2Error(
            "InvalidParameterCombination", "The parameter SnapshotIds cannot be used with the parameter MaxResults"
        )
    paging.size(params)
    chosen = filters.parse(params)
    wanted = filters.predicates(world, caller, chosen)
    params.dry_run()
    if ids:
        named = (_get(world, caller, each) for each in dict.fromkeys(ids))
        shown, token = [s for s in named if all(holds(s) for holds in [_selection(caller, params), *wanted])], None
    else:
        shown, token = _page(world, caller, params, chosen, wanted)
    inner = listing("snapshotSet", [describe(world, caller, s) for s in shown])
    for snapshot in shown:
        _hide(world, caller, snapshot)
    return answer("DescribeSnapshots", inner + element("nextToken", token))


def _page(
    world: World, caller: Place, params: Params, chosen: filters.Filters, wanted: list[filters.Predicate]
) -> tuple[list[Snapshot], str | None]:
    """One page of a list, and the token of the next one."""
    selected = _selection(caller, params)
    cuts = bool(world.behaviour.cut_pages) and ("MaxResults" in params or "NextToken" in params)
    if "NextToken" in params:
        page, token = paging.next_page(world, caller, params)
    elif cuts:
        scope = str([params.members("Owner"), params.members("RestorableBy")])
        of_filters = world.behaviour.cut_pages == "filters"
        scanned = world.scanned(caller, scope, selected) if of_filters else world.scanned(caller, "", None)
        page, token = paging.cut(world, caller, scanned, params)
    else:
        candidates = filter(selected, _candidates(world, caller, params, chosen))
        page, token = paging.cut(world, caller, [s.id for s in candidates if all(h(s) for h in wanted)], params)
    # What was deleted or un-shared since the first page is left out of a later one.
    shown = [s for each in page if (s := world.listed(caller, each)) is not None]
    if cuts:
        shown = [s for s in shown if selected(s) and all(holds(s) for holds in wanted)]
    return shown, token


def _hide(world: World, caller: Place, snapshot: Snapshot) -> None:
    """Do not show a copy any more for a while, once it was shown."""
    seconds = world.behaviour.copy_hides_seconds
    if seconds and snapshot.copy and snapshot.owner == caller.account and not snapshot.was_shown:
        snapshot.was_shown, snapshot.visible_from = True, world.clock.now() + seconds


def _selection(caller: Place, params: Params) -> Callable[[Snapshot], bool]:
    """What owners and restorable users leave over: both must hold."""
    owners = params.members("Owner")
    restorers = params.members("RestorableBy")

    def selected(snapshot: Snapshot) -> bool:
        if owners and not _is_owned(caller, snapshot, owners):
            return False
        return not restorers or any(_restorable(caller, snapshot, who) for who in restorers)

    return selected


def _candidates(world: World, caller: Place, params: Params, chosen: filters.Filters) -> Iterable[Snapshot]:
    """As few snapshots as an index gives. What is left out here could not have matched."""
    listed = _listed(world, caller, chosen)
    if listed is not None:
        return [s for each in listed if (s := world.listed(caller, each)) is not None]
    owners, restorers = set(params.members("Owner")), params.members("RestorableBy")
    if owners and owners <= {"self", caller.account}:
        return [s for s in world.own(caller) if world.lists(caller, s)]
    crowd = (not owners or PUBLISHER in owners) and (not restorers or "all" in restorers)
    return world.all_listed(caller, crowd=crowd)


def _listed(world: World, caller: Place, chosen: filters.Filters) -> Iterable[str] | None:
    """The IDs that plain filter values name, by ID or by tag; None when no filter does."""
    for name, values in chosen:
        if not all(wildcards.is_plain(value) for value in values):
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


def _restorable(caller: Place, snapshot: Snapshot, who: str) -> bool:
    """`self`: own or explicitly shared; `all`: public; another's ID: own snapshots that are shared with it
    [EC2 API reference, DescribeSnapshots: "account IDs (if you own the snapshots), self for snapshots for which you
    own or have explicit permissions, or all for public snapshots"; observed: sharing_data_contract]."""
    if who == "all":
        return snapshot.public
    if who in ("self", caller.account):
        return snapshot.owner == caller.account or caller.account in (*snapshot.shares, *snapshot.lingers)
    return snapshot.owner == caller.account and who in snapshot.shares


def describe(world: World, caller: Place, snapshot: Snapshot) -> str:
    """A snapshot's XML as this caller sees it, with the caller's own tags."""
    copy = snapshot.copy
    tags = [elements(key=key, value=value) for key, value in world.tags(caller, snapshot.id).items()]
    shown: dict[str, object] = {
        "snapshotId": snapshot.id,
        "volumeId": snapshot.volume_id,
        "status": snapshot.state,
        "statusMessage": snapshot.state_message or None,
        "startTime": iso(snapshot.start_time),
        "progress": snapshot.progress,
        "ownerId": snapshot.owner,
        "volumeSize": snapshot.volume_size,
        "description": snapshot.description,
        "encrypted": snapshot.encrypted,
        "kmsKeyId": snapshot.kms_key,
        "storageTier": snapshot.storage_tier,
        "outpostArn": snapshot.outpost_arn or None,
        "availabilityZone": snapshot.availability_zone or None,
        "transferType": "time-based" if copy and copy.minutes else "standard",
        "completionDurationMinutes": copy.minutes if copy else None,
        "completionTime": None if snapshot.completed_at is None else iso(snapshot.completed_at),
        "fullSnapshotSizeInBytes": None if snapshot.completed_at is None else snapshot.full_size,
    }
    shown.update(snapshot.shown_as or {})
    return elements(**shown) + (listing("tagSet", tags) if tags else "")
