"""Volumes made of snapshots: their states, sizes and keys, and what a client token is answered."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cloud import LocalAws
from tests.cloud.scene import HOME, SOURCE, STRANGER, TARGET, ec2, key, naming, refused, shared

ZONE = f"{HOME}a"


@pytest.fixture
def own(aws: LocalAws) -> str:
    return aws.control.create_snapshot(TARGET, HOME, volume_size=8)


@pytest.fixture(autouse=True)
def no_volumes(aws: LocalAws) -> Iterator[None]:
    yield
    aws.control.reset()
    for account in (TARGET, SOURCE):
        for volume in ec2(aws, account).describe_volumes()["Volumes"]:
            if volume["State"] != "creating":
                ec2(aws, account).delete_volume(VolumeId=volume["VolumeId"])


def create(aws: LocalAws, snapshot: str, account: str = TARGET, **how: Any) -> dict[str, Any]:
    given = {"SnapshotId": snapshot, "AvailabilityZone": ZONE, **how}
    made: dict[str, Any] = ec2(aws, account).create_volume(**given)
    return made


def states(aws: LocalAws) -> list[str]:
    return [volume["State"] for volume in ec2(aws, TARGET).describe_volumes()["Volumes"]]


def test_a_volume_is_creating_for_a_while(aws: LocalAws, own: str) -> None:
    aws.control.configure(volume_seconds=60)
    tags = [{"Key": "a", "Value": "1"}]
    made = create(aws, own, TagSpecifications=[{"ResourceType": "volume", "Tags": tags}])
    assert (made["State"], made["Size"], made["SnapshotId"]) == ("creating", 8, own)
    assert states(aws) == ["creating"]
    with refused("IncorrectState"):
        ec2(aws, TARGET).delete_volume(VolumeId=made["VolumeId"])
    aws.control.advance_clock(seconds=61)
    assert states(aws) == ["available"]
    named = ec2(aws, TARGET).describe_volumes(Filters=[{"Name": "tag:a", "Values": ["1"]}])["Volumes"]
    assert [volume["VolumeId"] for volume in named] == [made["VolumeId"]]
    ec2(aws, TARGET).delete_volume(VolumeId=made["VolumeId"])
    assert states(aws) == []
    with refused("InvalidVolume.NotFound"):
        ec2(aws, TARGET).delete_volume(VolumeId=made["VolumeId"])


def test_a_client_token_makes_one_volume(aws: LocalAws, own: str) -> None:
    first = create(aws, own, ClientToken="t")["VolumeId"]
    assert create(aws, own, ClientToken="t")["VolumeId"] == first
    assert create(aws, own, ClientToken="u")["VolumeId"] != first
    with refused("IdempotentParameterMismatch"):
        create(aws, own, ClientToken="t", VolumeType="gp2")
    assert len(states(aws)) == 2
    ec2(aws, TARGET).delete_volume(VolumeId=first)
    assert create(aws, own, ClientToken="t")["VolumeId"] == first
    assert len(states(aws)) == 1


def test_what_is_refused(aws: LocalAws, own: str) -> None:
    pending = aws.control.create_snapshot(TARGET, HOME, state="pending")
    with refused("IncorrectState"):
        create(aws, pending)
    with refused("InvalidSnapshot.NotFound"):
        create(aws, own, account=STRANGER)
    with refused("InvalidParameterValue", "availabilityZone"):
        create(aws, own, AvailabilityZone="us-east-1a")
    with refused("InvalidParameterValue", "smaller"):
        create(aws, own, Size=7)
    with refused("InvalidParameterDependency"):
        create(aws, own, KmsKeyId="alias/aws/ebs")
    with refused("DryRunOperation"):
        create(aws, own, DryRun=True)
    assert states(aws) == []
    assert create(aws, shared(aws, volume_size=3))["Size"] == 3


def test_the_key_is_the_snapshots_and_has_to_live(aws: LocalAws) -> None:
    its = key(aws, TARGET, HOME)
    encrypted = aws.control.create_snapshot(TARGET, HOME, encrypted=True, kms_key=its)
    volume = create(aws, encrypted)
    assert volume["Encrypted"]
    copied = ec2(aws, TARGET).create_snapshot(VolumeId=volume["VolumeId"])["SnapshotId"]
    assert ec2(aws, TARGET).describe_snapshots(SnapshotIds=[copied])["Snapshots"][0]["KmsKeyId"] == its
    aws.client("kms", TARGET, HOME).disable_key(KeyId=its)
    aws.control.configure(volume_seconds=5)
    assert create(aws, encrypted)["State"] == "creating"
    aws.control.advance_clock(seconds=6)
    assert states(aws) == ["available"]


def test_a_shared_snapshots_key_has_to_allow_the_recipient(aws: LocalAws) -> None:
    for statements, left in ((naming(STRANGER), []), (naming(TARGET), ["available"])):
        its = key(aws, SOURCE, HOME, statements=statements)
        create(aws, shared(aws, encrypted=True, kms_key=its))
        assert states(aws) == left
