"""ModifySnapshotAttribute, ResetSnapshotAttribute and DescribeSnapshotAttribute: who may create volumes from a
snapshot, and so see and copy it [EBS user guide, "Share an Amazon EBS snapshot"]."""

import re

from tests.cloud.overlay import keys, notices
from tests.cloud.overlay.describing import check_id, not_found
from tests.cloud.overlay.model import Place, Snapshot
from tests.cloud.overlay.wire import Ec2Error, Params, Response, answer, elements, listing
from tests.cloud.overlay.world import World

ATTRIBUTE = "createVolumePermission"
MOST_CHANGES = 500  # [observed: sharing_data_limits; counted before repetitions]


def owned(world: World, caller: Place, params: Params) -> Snapshot:
    """The caller's own snapshot; somebody else's visible one is refused with another code [assumed: AuthFailure]."""
    snapshot_id = check_id(params.required("SnapshotId"))
    snapshot = world.find(caller.region, snapshot_id)
    if snapshot is not None and snapshot.owner == caller.account:
        return snapshot
    if world.visible(caller, snapshot_id) is None:
        raise not_found(snapshot_id)
    raise Ec2Error("AuthFailure", f"Not authorized for snapshot:{snapshot_id}")


def _permissions(params: Params, operation: str) -> tuple[list[str], list[str]]:
    """The users and the groups to add or to remove, in either of the API's notations."""
    prefix = f"CreateVolumePermission.{operation.capitalize()}"
    users = [params.get(f"{prefix}.{n}.UserId") for n in params.indices(prefix)]
    groups = [params.get(f"{prefix}.{n}.Group") for n in params.indices(prefix)]
    if params.get("OperationType") == operation:
        users += params.members("UserId")
        groups += params.members("UserGroup")
    return [user for user in users if user], [group for group in groups if group]


def modify_snapshot_attribute(world: World, caller: Place, params: Params) -> Response:
    """Share or un-share. Each user that is new gets an event; un-sharing and publishing make none."""
    snapshot = owned(world, caller, params)
    add, add_groups = _permissions(params, "add")
    remove, remove_groups = _permissions(params, "remove")
    if len(add + add_groups + remove + remove_groups) > MOST_CHANGES:
        raise Ec2Error("InvalidParameterValue", f"Modification size must not be greater than {MOST_CHANGES}")
    for user in add + remove:
        if not re.fullmatch(r"\d{12}", user):
            raise Ec2Error("InvalidUserID.Malformed", f'Invalid user id: "{user}"')
    if (add or add_groups) and (remove or remove_groups):
        raise Ec2Error("InvalidParameterCombination", "Cannot add and remove permissions in one operation")
    _check_shareable(caller, snapshot, bool(add), "all" in add_groups)
    params.dry_run()
    for user in add:
        if user not in snapshot.shares and user != snapshot.owner:
            world.share(snapshot, user)
            notices.shared(world, snapshot, user)
    for user in remove:
        world.unshare(snapshot, user)
    if "all" in add_groups + remove_groups:
        world.publish(snapshot, "all" in add_groups)
    return answer("ModifySnapshotAttribute")


def _check_shareable(caller: Place, snapshot: Snapshot, privately: bool, publicly: bool) -> None:
    """Encrypted snapshots cannot be made public, and those under the default key cannot be shared
    [EC2 API reference, ModifySnapshotAttribute]; the code is an assumption."""
    if publicly and snapshot.encrypted:
        raise Ec2Error("OperationNotPermitted", "Encrypted snapshots cannot be shared publicly")
    key = keys.resolve(caller, snapshot.kms_key) if snapshot.kms_key else None
    if privately and key is not None and key.managed_by_aws:
        raise Ec2Error("OperationNotPermitted", "Encrypted snapshots with EBS default key cannot be shared")


def reset_snapshot_attribute(world: World, caller: Place, params: Params) -> Response:
    """Un-share with everybody."""
    snapshot = owned(world, caller, params)
    params.dry_run()
    for user in list(snapshot.shares):
        world.unshare(snapshot, user)
    world.publish(snapshot, False)
    return answer("ResetSnapshotAttribute")


def describe_snapshot_attribute(world: World, caller: Place, params: Params) -> Response:
    """The permissions; only the owner may read them."""
    snapshot = owned(world, caller, params)
    params.dry_run()
    items = [elements(userId=user) for user in snapshot.shares]
    if snapshot.public:
        items.append(elements(group="all"))
    inner = elements(snapshotId=snapshot.id)
    if params.get("Attribute", ATTRIBUTE) == ATTRIBUTE:
        inner += listing(ATTRIBUTE, items)
    return answer("DescribeSnapshotAttribute", inner)
