"""Put the overlay into the emulator: its snapshot actions are replaced, the rest of it stays."""

from collections.abc import Callable, Mapping

from tests.cloud.overlay import (
    alarms,
    copying,
    defaults,
    describing,
    keys,
    lagging,
    layers,
    lifecycle,
    locking,
    notices,
    output,
    queries,
    roles,
    sharing,
    tables,
    tagging,
    volumes,
)
from tests.cloud.overlay.emulator import caller, ec2
from tests.cloud.overlay.model import Place
from tests.cloud.overlay.wire import Ec2Error, Params, Response, refusal
from tests.cloud.overlay.world import World

Action = Callable[[World, Place, Params], Response]
Raw = Mapping[str, list[str]]

ACTIONS: dict[str, Action] = {
    "CopySnapshot": copying.copy_snapshot,
    "CreateSnapshot": lifecycle.create_snapshot,
    "CreateTags": tagging.create_tags,
    "CreateVolume": volumes.create_volume,
    "DeleteSnapshot": lifecycle.delete_snapshot,
    "DeleteTags": tagging.delete_tags,
    "DeleteVolume": volumes.delete_volume,
    "DescribeLockedSnapshots": locking.describe_locked_snapshots,
    "DescribeSnapshotAttribute": sharing.describe_snapshot_attribute,
    "DescribeSnapshots": describing.describe_snapshots,
    "DescribeTags": tagging.describe_tags,
    "DescribeVolumes": volumes.describe_volumes,
    "DisableEbsEncryptionByDefault": defaults.disable_encryption,
    "EnableEbsEncryptionByDefault": defaults.enable_encryption,
    "GetEbsDefaultKmsKeyId": defaults.get_key,
    "GetEbsEncryptionByDefault": defaults.get_encryption,
    "LockSnapshot": locking.lock_snapshot,
    "ModifyEbsDefaultKmsKeyId": defaults.modify_key,
    "ModifySnapshotAttribute": sharing.modify_snapshot_attribute,
    "ResetEbsDefaultKmsKeyId": defaults.reset_key,
    "ResetSnapshotAttribute": sharing.reset_snapshot_attribute,
    "UnlockSnapshot": locking.unlock_snapshot,
}


def install(world: World) -> None:
    """Replace the actions, the keys' description, the way of events into queues and other Regions, what stacks make of
    saved queries, tables and alarms, the way of functions' output, their layers and their credentials."""
    ec2._ACTION_MAP.update({name: _bound(world, action) for name, action in ACTIONS.items()})
    keys.install()
    notices.deduplicate_queues(world)
    notices.send_to_other_regions()
    queries.install()
    tables.install()
    alarms.install()
    lagging.install(world)
    output.install()
    layers.install()
    roles.install()


def _bound(world: World, action: Action) -> Callable[[Raw], Response]:
    """An action as the emulator calls it."""

    def handle(raw: Raw) -> Response:
        try:
            return action(world, caller(), Params(raw))
        except Ec2Error as error:
            return refusal(error.code, error.message, error.status)

    return handle
