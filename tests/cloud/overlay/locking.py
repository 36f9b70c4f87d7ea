"""LockSnapshot, UnlockSnapshot and DescribeLockedSnapshots [EC2 API reference; EBS user guide, "Amazon EBS snapshot
lock"]. The error codes of refusals are assumptions."""

from tests.cloud.overlay import clock, filters, paging, wildcards
from tests.cloud.overlay.describing import check_id, not_found
from tests.cloud.overlay.model import Lock, Place, Snapshot
from tests.cloud.overlay.sharing import owned
from tests.cloud.overlay.wire import Ec2Error, Params, Response, answer, element, elements, listing
from tests.cloud.overlay.world import World

DAY = 86_400
MOST_DAYS = 36_500
MOST_COOL_OFF_HOURS = 72


def lock_snapshot(world: World, caller: Place, params: Params) -> Response:
    """Lock a snapshot, or change its lock as far as the lock lets itself be changed. A pending snapshot may be locked;
    its duration starts when it completes."""
    snapshot = owned(world, caller, params)
    if snapshot.state == "error":
        raise Ec2Error("IncorrectState", f"The snapshot {snapshot.id} is in the error state")
    wanted = _wanted(world, params)
    _check_change(world, snapshot, wanted)
    params.dry_run()
    snapshot.lock = wanted
    return answer("LockSnapshot", _describe(world, snapshot, wanted))


def _wanted(world: World, params: Params) -> Lock:
    now = world.clock.now()
    mode = params.required("LockMode")
    if mode not in ("governance", "compliance"):
        raise Ec2Error("InvalidParameterValue", f"Invalid value '{mode}' for lockMode")
    days = params.number("LockDuration", 1, MOST_DAYS)
    cool_off = params.number("CoolOffPeriod", 1, MOST_COOL_OFF_HOURS)
    expires = clock.parse(params.get("ExpirationDate")) if "ExpirationDate" in params else None
    if (days is None) == (expires is None):
        raise Ec2Error("InvalidParameterCombination", "Specify either lockDuration or expirationDate, but not both")
    if expires is not None and not now + DAY <= expires <= now + MOST_DAYS * DAY:
        raise Ec2Error("InvalidParameterValue", f"expirationDate must be 1 to {MOST_DAYS} days from now")
    if cool_off is not None and mode == "governance":
        raise Ec2Error("InvalidParameterCombination", "coolOffPeriod is for compliance mode only")
    return Lock(mode, now, days, expires, cool_off)


def _check_change(world: World, snapshot: Snapshot, wanted: Lock) -> None:
    """After its cooling-off period a compliance lock can only be prolonged, and its start and cooling-off stay."""
    now, lock = world.clock.now(), snapshot.lock
    if lock is None or lock.state(now, snapshot.completed_at) != "compliance":
        return
    if wanted.mode != "compliance" or wanted.cool_off_hours is not None:
        raise Ec2Error("OperationNotPermitted", f"The snapshot {snapshot.id} is locked in compliance mode")
    wanted.created, wanted.cool_off_hours = lock.created, lock.cool_off_hours
    if _length(wanted, snapshot) < _length(lock, snapshot):
        raise Ec2Error("OperationNotPermitted", f"The lock of {snapshot.id} can only be extended")


def _length(lock: Lock, snapshot: Snapshot) -> float:
    end = lock.expires(snapshot.completed_at)
    return end if end is not None else (lock.days or 0) * DAY


def unlock_snapshot(world: World, caller: Place, params: Params) -> Response:
    """Unlock, unless compliance mode forbids it."""
    snapshot = owned(world, caller, params)
    lock = snapshot.lock
    state = lock.state(world.clock.now(), snapshot.completed_at) if lock else ""
    if state in ("", "expired"):
        raise Ec2Error("IncorrectState", f"The snapshot {snapshot.id} is not locked")
    if state == "compliance":
        raise Ec2Error("OperationNotPermitted", f"The snapshot {snapshot.id} is locked in compliance mode")
    params.dry_run()
    snapshot.lock = None
    return answer("UnlockSnapshot", elements(snapshotId=snapshot.id))


def describe_locked_snapshots(world: World, caller: Place, params: Params) -> Response:
    """The locks of the caller's own snapshots, expired ones too."""
    ids = [check_id(each) for each in params.members("SnapshotId")]
    chosen = filters.parse(params)
    for name, _ in chosen:
        if name != "lock-state":
            raise Ec2Error("InvalidParameterValue", f"The filter '{name}' is invalid")
    for each in ids:
        if world.visible(caller, each) is None:
            raise not_found(each)
    params.dry_run()
    now = world.clock.now()
    rows = [
        elements(ownerId=s.owner) + _describe(world, s, s.lock)
        for s in world.own(caller)
        if s.lock is not None
        and (not ids or s.id in ids)
        and all(wildcards.matches(values, s.lock.state(now, s.completed_at)) for _, values in chosen)
    ]
    page, token = (
        paging.next_page(world, caller, params) if "NextToken" in params else paging.cut(world, caller, rows, params)
    )
    return answer("DescribeLockedSnapshots", listing("snapshotSet", page) + element("nextToken", token))


def _describe(world: World, snapshot: Snapshot, lock: Lock) -> str:
    cool = lock.cools_until()
    start = lock.starts(snapshot.completed_at)
    end = lock.expires(snapshot.completed_at)
    return elements(
        snapshotId=snapshot.id,
        lockState=lock.state(world.clock.now(), snapshot.completed_at),
        lockDuration=lock.days,
        coolOffPeriod=lock.cool_off_hours,
        coolOffPeriodExpiresOn=None if cool is None else clock.iso(cool),
        lockCreatedOn=clock.iso(lock.created),
        lockDurationStartTime=None if start is None else clock.iso(start),
        lockExpiresOn=None if end is None else clock.iso(end),
    )
