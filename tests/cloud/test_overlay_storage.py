"""Snapshots that are archived, on an Outpost or in a Local Zone."""

from typing import Any

import pytest

from tests.cloud import LocalAws
from tests.cloud.scene import AWAY, HOME, SOURCE, TARGET, copy, describe, ec2, ids, refused, shared

OUTPOST = f"arn:aws:outposts:{HOME}:{SOURCE}:outpost/op-0abcdef0123456789"


@pytest.mark.parametrize(
    ("where", "shown", "code"),
    [
        ({"storage_tier": "archive"}, {"StorageTier": "archive"}, "IncorrectState"),
        ({"outpost_arn": OUTPOST}, {"OutpostArn": OUTPOST}, "InvalidParameterValue"),
        (
            {"availability_zone": f"{HOME}-lax-1a"},
            {"AvailabilityZone": f"{HOME}-lax-1a"},
            "InvalidParameterValue",
        ),
    ],
    ids=["archived", "on an Outpost", "in a Local Zone"],
)
def test_it_says_so_and_is_not_copied(aws: LocalAws, where: dict[str, str], shown: dict[str, str], code: str) -> None:
    snapshot = shared(aws, **where)
    assert describe(aws, snapshot, region=HOME).items() >= shown.items()
    with refused("DryRunOperation"):
        copy(aws, snapshot, DryRun=True)
    with refused(code, snapshot):
        copy(aws, snapshot)
    assert aws.control.snapshots(account=TARGET) == []


def test_what_is_in_a_region_says_nothing_of_a_place(aws: LocalAws) -> None:
    shown = describe(aws, shared(aws), region=HOME)
    assert shown["StorageTier"] == "standard"
    assert not {"OutpostArn", "AvailabilityZone"} & shown.keys()


def test_an_availability_zone_is_no_local_zone(aws: LocalAws) -> None:
    assert describe(aws, copy(aws, shared(aws, availability_zone=f"{HOME}a")))["State"] == "completed"


def test_from_a_local_zone_into_its_own_region(aws: LocalAws) -> None:
    made = copy(aws, shared(aws, availability_zone=f"{HOME}-lax-1a"), region=HOME)
    assert describe(aws, made, region=HOME)["State"] == "completed"


def test_what_is_restored_from_the_archive_is_copied(aws: LocalAws) -> None:
    snapshot = shared(aws, storage_tier="archive")
    archived: list[dict[str, Any]] = [{"Name": "storage-tier", "Values": ["archive"]}]
    assert ids(ec2(aws, TARGET).describe_snapshots(Filters=archived)) == {snapshot}
    aws.control.change_snapshot(snapshot, HOME, storage_tier="standard")
    assert describe(aws, copy(aws, snapshot), region=AWAY)["State"] == "completed"
