"""Probes of CopySnapshot across accounts and Regions at once."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.handlers import inject_presigned_url_ec2

from tests.live.probes import ground as on
from tests.live.probes.ground import Ground
from tests.live.setting import TAG

COPY = "before-call.ec2.CopySnapshot"


def copy(ground: Ground, source: str, region: str, *, key: str | None = None, clients: Any = None) -> str:
    """Ask for a copy in the target account and return its ID."""
    ec2 = (clients or ground.setting.target)("ec2", region)
    under: dict[str, Any] = {"Encrypted": True, "KmsKeyId": key} if key else {}
    request = {"SourceRegion": ground.home, "SourceSnapshotId": source, "TagSpecifications": ground.of_snapshot}
    made = ec2.copy_snapshot(**request, **under)["SnapshotId"]
    return on.snapshot_made(ground, ground.setting.target, region, made, "target")


def cross_copy(ground: Ground) -> dict[str, Any]:
    """With what botocore sends: a presigned URL."""
    key = on.target_key(ground, ground.away)
    made = copy(ground, on.sealed(ground), ground.away, key=key)
    return _shown(ground, made, key)


def cross_copy_without_url(ground: Ground) -> dict[str, Any]:
    key = on.target_key(ground, ground.away)
    with _silent(ground.setting.target("ec2", ground.away)) as ec2:
        made = copy(ground, on.sealed(ground), ground.away, key=key, clients=lambda *_: ec2)
    return _shown(ground, made, key)


def copy_lag(ground: Ground) -> dict[str, Any]:
    """Seconds until each way of asking shows a new copy."""
    made = copy(ground, on.sealed(ground), ground.away, key=on.target_key(ground, ground.away))
    asked = time.monotonic()
    tag = f"tag:{TAG}"
    ways: dict[str, dict[str, Any]] = {
        "owner": {"OwnerIds": ["self"]},
        "tag": {"OwnerIds": ["self"], "Filters": [{"Name": tag, "Values": [ground.run]}]},
        "tag with a wildcard": {"OwnerIds": ["self"], "Filters": [{"Name": tag, "Values": [f"{ground.run[:-4]}*"]}]},
        "ID with a wildcard": {
            "OwnerIds": ["self"],
            "Filters": [{"Name": "snapshot-id", "Values": [f"*{made[-6:]}"]}],
        },
    }
    after: dict[str, float] = {}

    def all_found() -> bool:
        for name, request in ways.items():
            if name not in after and made in on.listed(ground, ground.setting.target, ground.away, **request):
                after[name] = round(time.monotonic() - asked, 1)
        return len(after) == len(ways) or time.monotonic() - asked > ground.setting.settle

    ground.setting.until(all_found, within=ground.setting.other_within, what="every list to show a new copy")
    return {"found": sorted(after), "first_seen_seconds": after}


def changed_blocks(ground: Ground) -> dict[str, Any]:
    """Between a source and its re-encrypted copy, within a Region: what ListChangedBlocks answers."""
    source = on.sealed(ground)
    made = copy(ground, source, ground.home, key=on.target_key(ground, ground.home))
    state = on.ended(ground, ground.setting.target, ground.home, made)["State"]
    if state != "completed":
        return {"copy": state}
    on.wait_for_blocks(ground, ground.setting.target, ground.home, made)
    ebs = ground.setting.target("ebs", ground.home)
    answer: dict[str, Any] = {"copy": state, "blocks": None}

    def ask() -> None:
        found = ebs.list_changed_blocks(FirstSnapshotId=source, SecondSnapshotId=made)["ChangedBlocks"]
        answer["blocks"] = [each["BlockIndex"] for each in found]

    answer["outcome"] = on.outcome(ask)
    return answer


def _shown(ground: Ground, made: str, key: str) -> dict[str, Any]:
    ended = on.ended(ground, ground.setting.target, ground.away, made)
    return {
        "state": ended["State"],
        "message": ended.get("StateMessage"),
        "encrypted": ended["Encrypted"],
        "under the key asked for": ended.get("KmsKeyId") == key,
    }


@contextmanager
def _silent(ec2: Any) -> Iterator[Any]:
    """The client, sending no presigned URL."""
    ec2.meta.events.unregister(COPY, handler=inject_presigned_url_ec2)
    try:
        yield ec2
    finally:
        ec2.meta.events.register(COPY, inject_presigned_url_ec2)
