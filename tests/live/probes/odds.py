"""Probes of single answers that nobody has written down."""

from typing import Any

from botocore.exceptions import BotoCoreError
from botocore.parsers import ResponseParserError

from tests.live.probes import ground as on
from tests.live.probes.ground import Ground

ODD = {"tab": "\t", "line feed": "\n", "carriage return": "\r", "0x01": "\x01", "0x7f": "\x7f", "beyond ASCII": "é"}


def descriptions(ground: Ground) -> dict[str, Any]:
    """How EC2 shows characters that XML carries badly. The snapshots are deleted while they are pending, each as soon
    as it was looked at: an answer that holds one of them may be unreadable to others."""
    return {name: _described(ground, character) for name, character in ODD.items()}


def _described(ground: Ground, character: str) -> str:
    ebs, ec2 = (ground.setting.source(service, ground.home) for service in ("ebs", "ec2"))
    written, made = f"before{character}after", list[str]()

    def start() -> None:
        made.append(ebs.start_snapshot(VolumeSize=1, Description=written, Tags=ground.tags)["SnapshotId"])

    code = on.outcome(start)
    if not made:
        return code
    on.snapshot_made(ground, ground.setting.source, ground.home, made[0], "source")
    try:
        wanted = [{"Name": "snapshot-id", "Values": made}]
        shown = ground.setting.until(
            lambda: ec2.describe_snapshots(OwnerIds=["self"], Filters=wanted)["Snapshots"],
            within=ground.setting.other_within,
            what=f"{made[0]} to be shown",
        )[0]["Description"]
    except (BotoCoreError, ResponseParserError) as error:
        return f"unreadable: {type(error).__name__}"
    finally:
        ec2.delete_snapshot(SnapshotId=made[0])
    return "as it was written" if shown == written else repr(shown)


def locked_deletion(ground: Ground) -> dict[str, Any]:
    """With which code DeleteSnapshot refuses a locked snapshot; it is unlocked again at once."""
    snapshot = on.new_snapshot(ground)
    ec2 = ground.setting.source("ec2", ground.home)
    ec2.lock_snapshot(SnapshotId=snapshot, LockMode="governance", LockDuration=1)
    try:
        return {
            "dry run": on.outcome(
                lambda: ec2.delete_snapshot(SnapshotId=snapshot, DryRun=True), passes={"DryRunOperation"}
            ),
            "deletion": on.outcome(lambda: ec2.delete_snapshot(SnapshotId=snapshot)),
        }
    finally:
        ec2.unlock_snapshot(SnapshotId=snapshot)
