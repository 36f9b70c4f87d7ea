"""CreateSnapshot and DeleteSnapshot."""

from tests.cloud.overlay import copying, tagging
from tests.cloud.overlay.describing import describe
from tests.cloud.overlay.emulator import ec2
from tests.cloud.overlay.model import Place, Snapshot
from tests.cloud.overlay.sharing import owned
from tests.cloud.overlay.wire import Ec2Error, Params, Response, answer
from tests.cloud.overlay.world import World


def create_snapshot(world: World, caller: Place, params: Params) -> Response:
    """A snapshot of one of the emulator's volumes, completed at once."""
    volume_id = params.required("VolumeId")
    volume = ec2._volumes.get(volume_id)
    if volume is None:
        raise Ec2Error("InvalidVolume.NotFound", f"The volume '{volume_id}' does not exist.")
    tags = tagging.from_specifications(params)
    params.dry_run()
    copying.check_quota(world, caller)
    now = world.clock.now()
    snapshot = Snapshot(
        id=world.new_id(),
        owner=caller.account,
        region=caller.region,
        volume_id=volume_id,
        volume_size=int(volume["Size"]),
        description=params.get("Description"),
        start_time=now,
        completed_at=now,
        encrypted=bool(volume["Encrypted"]),
        kms_key=volume.get("KmsKeyId"),
    )
    world.add(snapshot)
    world.tag(caller, snapshot.id, tags)
    return answer("CreateSnapshot", describe(world, caller, snapshot))


def delete_snapshot(world: World, caller: Place, params: Params) -> Response:
    """Refused while an image uses the snapshot [EC2 API reference, DeleteSnapshot] or a lock holds it [EC2 API
    reference, LockSnapshot; the code is an assumption, and a setting]. A dry run sees neither [observed of images:
    ec2/images_snapshot_references]. A pending copy may be deleted."""
    snapshot = owned(world, caller, params)
    params.dry_run()
    if snapshot.in_use or _used_by_image(snapshot.id):
        raise Ec2Error("InvalidSnapshot.InUse", f"The snapshot {snapshot.id} is currently in use by an AMI")
    if snapshot.lock and snapshot.lock.holds(world.clock.now(), snapshot.completed_at):
        raise Ec2Error(world.behaviour.locked_code, f"The snapshot {snapshot.id} is locked and can't be deleted")
    world.remove(snapshot)
    return answer("DeleteSnapshot")


def _used_by_image(snapshot_id: str) -> bool:
    return any(
        mapping.get("Ebs", {}).get("SnapshotId") == snapshot_id
        for image in ec2._images.values()
        for mapping in image["BlockDeviceMappings"]
    )
