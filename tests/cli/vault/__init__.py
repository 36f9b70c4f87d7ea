"""Shared snapshots and copies of them, made from nothing in a local AWS."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.cli.command import Done, environment, snapferry
from tests.cloud import LocalAws

SOURCE, TARGET, STRANGER = "111111111111", "222222222222", "333333333333"
HOME, NEAR, FAR = "eu-central-1", "eu-west-1", "us-east-1"
REGIONS = [NEAR, FAR, "ap-southeast-2"]
NOW = datetime.now(UTC)
VOLUMES = [f"vol-{number:017x}" for number in range(10)]
NIGHTS = [NOW - timedelta(days=days) for days in range(1, 5)]


def policy(path: Path, regions: list[str]) -> Path:
    """A policy document that copies the source account's nightly snapshots."""
    copies = [
        {
            "Target": region,
            "EncryptionConfiguration": {"Encrypted": True},
            "RetainRule": {"Interval": 30, "IntervalUnit": "DAYS"},
        }
        for region in regions
    ]
    document = {
        "PolicyType": "EVENT_BASED_POLICY",
        "EventSource": {
            "Type": "MANAGED_CWE",
            "Parameters": {
                "EventType": "shareSnapshot",
                "SnapshotOwner": [SOURCE],
                "DescriptionRegex": "nightly.*",
            },
        },
        "Actions": [{"Name": "copy", "CrossRegionCopy": copies}],
    }
    written = path / "policy.json"
    written.write_text(json.dumps(document))
    return written


def coverage(aws: LocalAws, *arguments: object, region: str = HOME) -> Done:
    """Run the command as the target account."""
    return as_target(aws, "coverage", *arguments, region=region)


def recover(aws: LocalAws, *arguments: object) -> Done:
    """Run the command as the target account."""
    return as_target(aws, "recover", *arguments)


def as_target(aws: LocalAws, *arguments: object, region: str = HOME) -> Done:
    """Run any command as the target account."""
    return snapferry(*arguments, environment=environment(aws, TARGET, region))


def moment(at: datetime) -> str:
    """A time as tags and requests have it."""
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def shared(number: int, started: datetime, *, owner: str = SOURCE, volume: int = 1, **more: Any) -> dict[str, Any]:
    """A snapshot that an account shares with the target account."""
    return {
        "account": owner,
        "region": HOME,
        "id": f"snap-{number:017x}",
        "volume_id": f"vol-{volume:017x}",
        "start_time": moment(started),
        "description": f"nightly {number}",
        "shared_with": [TARGET],
        **more,
    }


def copy(
    number: int, region: str, started: datetime, *, volume: int = 1, minutes: float = 40, **how: Any
) -> dict[str, Any]:
    """A verified copy of the snapshot with that number, unless tags or members say otherwise."""
    tags = {
        "policy": "default",
        "source-snapshot": f"snap-{number:017x}",
        "source-account": SOURCE,
        "source-region": HOME,
        "source-volume": f"vol-{volume:017x}",
        "source-size-gib": "1",
        "source-start-time": moment(started),
        "expire-after": moment(started + timedelta(days=30)),
        "status": "verified",
        "settled-at": moment(started + timedelta(minutes=minutes)),
        **how.pop("tags", {}),
    }
    return {
        "account": TARGET,
        "region": region,
        "start_time": moment(started + timedelta(minutes=1)),
        "tags": {f"snapferry:{name}": value for name, value in tags.items() if value is not None},
        **how,
    }


def point(number: int, region: str, started: datetime, *, volume: int = 1, **how: Any) -> dict[str, Any]:
    """A verified copy whose verdict names it, so that it can be restored from."""
    own = f"snap-0c{number:04x}{REGIONS.index(region):x}{'0' * 10}"
    tags = {"copy": own, **how.pop("tags", {})}
    return copy(number, region, started, volume=volume, id=own, tags=tags, **how)


def nightly(aws: LocalAws) -> list[str]:
    """Two volumes, each with a point of every night in both Regions; numbers go up with age."""
    made = [
        point(10 * volume + night, region, started, volume=volume, volume_size=8)
        for volume in (1, 2)
        for night, started in enumerate(NIGHTS)
        for region in (NEAR, FAR)
    ]
    ids: list[str] = aws.control.create_snapshots(made)
    return ids


def fleet(volumes: int, days: int) -> Iterator[dict[str, Any]]:
    """Nightly snapshots of many volumes and their copies in all Regions: most are well, some are not."""
    number = 0
    for volume in range(1, volumes + 1):
        for day in range(days):
            number += 1
            started = NOW - timedelta(days=day, hours=5 + volume % 7, minutes=volume * 7 % 60)
            if (number * 7) % 23:  # The others are no longer shared: their copies are history.
                yield shared(number, started, volume=volume)
            for place, region in enumerate(REGIONS):
                luck = (number * 31 + place * 17) % 197
                minutes = 8 + (number * 13 + place * 29) % 170
                wrong: dict[str, Any] = {}
                if luck == 3:
                    continue
                if luck == 5:
                    wrong = {"state": "error", "tags": {"status": "failed"}}
                elif day == 0 and luck % 9 == 0:
                    wrong = {"state": "pending", "tags": {"status": "copying", "settled-at": None, "copy": None}}
                yield point(number, region, started, volume=volume, minutes=minutes, **wrong)
