"""CreateVolume of a snapshot, with its states and its client token, and DeleteVolume; the rest is the emulator's."""

import re

from tests.cloud.overlay import keys, tagging
from tests.cloud.overlay.describing import not_found
from tests.cloud.overlay.emulator import acting_as, ec2
from tests.cloud.overlay.keys import Key
from tests.cloud.overlay.model import AskedVolume, Place, Snapshot
from tests.cloud.overlay.wire import Ec2Error, Params, Response
from tests.cloud.overlay.world import World

# Of no influence on what is asked for, so a repetition may differ in them.
_NOT_COMPARED = ("Action", "Version", "ClientToken")


def create_volume(world: World, caller: Place, params: Params) -> Response:
    """A volume is `creating` for a while. Made of a snapshot it has at least its size, and is encrypted if that is:
    under the key that is named, else the snapshot's own for its owner, else the account's default key [EBS user guide,
    "Amazon EBS encryption"]. One whose key cannot be used appears and is gone [EC2 API reference, CreateVolume,
    KmsKeyId: "can appear to complete, but eventually fails"]. The same client token gets the same answer, whatever
    became of the volume [EC2 API reference, "Ensuring idempotency"; that it holds for deleted ones is assumed]."""
    asked = {key: value for key, value in params.flat.items() if key not in _NOT_COMPARED}
    token = params.get("ClientToken")
    before = world.asked_volumes.get((caller, token))
    if token and before is not None:
        if before.what != asked:
            raise Ec2Error("IdempotentParameterMismatch", "The client token was used with other parameters before.")
        return before.answer
    zone = params.required("AvailabilityZone")
    if not zone.startswith(caller.region) or zone == caller.region:
        raise Ec2Error("InvalidParameterValue", f"Value ({zone}) for parameter availabilityZone is invalid.")
    snapshot = _snapshot(world, caller, params)
    flat = dict(params.flat)
    if snapshot is not None:
        size = params.number("Size", 1, 65_536) or snapshot.volume_size
        if size < snapshot.volume_size:
            raise Ec2Error("InvalidParameterValue", "The size is smaller than the snapshot's.")
        flat["Size"] = str(size)
    key = _key(world, caller, params, snapshot)
    if key is not None:
        flat["Encrypted"] = "true"
    for n in params.indices("TagSpecification"):
        tagging.check(list(params.tags(f"TagSpecification.{n}.Tag")))
    params.dry_run()
    made: Response = ec2._create_volume({name: [value] for name, value in flat.items()})
    found = re.search(rb"<volumeId>(vol-[0-9a-f]+)</volumeId>", made[2])
    if found:
        is_made = (key is None or key.state == "Enabled") and _may_read(caller, snapshot)
        made = _begin(world, caller, found.group(1).decode(), key, is_made, made)
    if token:
        world.asked_volumes[caller, token] = AskedVolume(asked, made)
    return made


def _snapshot(world: World, caller: Place, params: Params) -> Snapshot | None:
    if "SnapshotId" not in params:
        return None
    snapshot_id = params.get("SnapshotId")
    snapshot = world.visible(caller, snapshot_id)
    if snapshot is None:
        raise not_found(snapshot_id)
    if snapshot.state != "completed":
        raise Ec2Error("IncorrectState", f"Snapshot is in invalid state - {snapshot.state}")
    return snapshot


def _key(world: World, caller: Place, params: Params, snapshot: Snapshot | None) -> Key | None:
    """The key of the new volume; none when it is not encrypted."""
    reference = params.get("KmsKeyId")
    if reference and not params.flag("Encrypted"):
        raise Ec2Error(
            "InvalidParameterDependency", "The parameter KmsKeyId requires the parameter Encrypted to be set."
        )
    is_encrypted = snapshot is not None and snapshot.encrypted
    if not is_encrypted and not params.flag("Encrypted") and caller not in world.encrypted_by_default:
        return None
    if not reference and snapshot is not None and snapshot.owner == caller.account and snapshot.kms_key:
        reference = snapshot.kms_key
    key = keys.resolve(caller, reference) if reference else keys.default_key(world, caller)
    if key is None:
        raise Ec2Error("InvalidParameterValue", f"The specified keyId {reference} is invalid")
    return key


def _may_read(caller: Place, snapshot: Snapshot | None) -> bool:
    """Whether EBS may use the snapshot's key for the caller; another account's key has to allow it [EBS user guide,
    "Share the KMS key used to encrypt a shared Amazon EBS snapshot"]."""
    if snapshot is None or not snapshot.kms_key:
        return True
    key = keys.resolve(caller, snapshot.kms_key)
    needed = ("kms:CreateGrant", "kms:Decrypt")
    return key is not None and key.state == "Enabled" and all(key.allows(caller.account, each) for each in needed)


def _begin(world: World, caller: Place, volume_id: str, key: Key | None, is_made: bool, made: Response) -> Response:
    volume = ec2._volumes[volume_id]
    if key is not None:
        volume["KmsKeyId"] = key.arn

    def end() -> None:
        with acting_as(caller):
            if not is_made:
                ec2._volumes.pop(volume_id, None)
            elif ec2._volumes.get(volume_id, {}).get("State") == "creating":
                volume["State"] = "available"

    if is_made and world.behaviour.volume_seconds <= 0:
        return made
    volume["State"] = "creating"
    world.clock.after(world.behaviour.volume_seconds, end)
    status, headers, body = made
    return status, headers, body.replace(b"<status>available</status>", b"<status>creating</status>")


def describe_volumes(world: World, caller: Place, params: Params) -> Response:
    """With the key of each that has one [EC2 API reference, Volume, kmsKeyId], of which the emulator says nothing."""
    params.dry_run()
    described: Response = ec2._describe_volumes({name: [value] for name, value in params.flat.items()})
    status, headers, body = described

    def keyed(size: re.Match[bytes]) -> bytes:
        key = ec2._volumes[size.group(1).decode()].get("KmsKeyId")
        return size.group() + (f"<kmsKeyId>{key}</kmsKeyId>".encode() if key else b"")

    # The size stands behind the ID of a volume, and not behind that of an attachment's.
    return status, headers, re.sub(rb"<volumeId>(vol-[0-9a-f]+)</volumeId>(?=\s*<size>)", keyed, body)


def delete_volume(world: World, caller: Place, params: Params) -> Response:
    """Refused while the volume is attached or being made [EC2 API reference, "Error codes"]. Its tags go with it."""
    volume_id = params.required("VolumeId")
    volume = ec2._volumes.get(volume_id)
    if volume is not None and volume["State"] == "creating":
        raise Ec2Error("IncorrectState", f"The volume '{volume_id}' is 'creating'")
    params.dry_run()
    deleted: Response = ec2._delete_volume({name: [value] for name, value in params.flat.items()})
    if deleted[0] == 200:
        ec2._tags.pop(volume_id, None)
    return deleted
