"""DeleteSnapshot, and the locks that forbid it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.cloud import LocalAws
from tests.cloud.scene import AWAY, HOME, SOURCE, TARGET, copy, ec2, ids, refused, shared


@pytest.fixture
def own(aws: LocalAws) -> str:
    return aws.control.create_snapshot(TARGET, HOME)


def lock(aws: LocalAws, snapshot: str, **how: Any) -> dict[str, Any]:
    locked: dict[str, Any] = ec2(aws, TARGET).lock_snapshot(SnapshotId=snapshot, **how)
    return locked


def delete(aws: LocalAws, snapshot: str) -> None:
    ec2(aws, TARGET).delete_snapshot(SnapshotId=snapshot)


def locked_state(aws: LocalAws, snapshot: str) -> str:
    found = ec2(aws, TARGET).describe_locked_snapshots(SnapshotIds=[snapshot])["Snapshots"]
    return found[0]["LockState"] if found else ""


def test_a_deleted_snapshot_is_gone_with_its_tags(aws: LocalAws, own: str) -> None:
    ec2(aws, TARGET).create_tags(Resources=[own], Tags=[{"Key": "a", "Value": "1"}])
    with refused("DryRunOperation"):
        ec2(aws, TARGET).delete_snapshot(SnapshotId=own, DryRun=True)
    delete(aws, own)
    assert ids(ec2(aws, TARGET).describe_snapshots()) == set()
    assert ec2(aws, TARGET).describe_tags(Filters=[{"Name": "resource-id", "Values": [own]}])["Tags"] == []
    with refused("InvalidSnapshot.NotFound"):
        delete(aws, own)


def test_the_recipient_cannot_delete_the_source(aws: LocalAws) -> None:
    snapshot = shared(aws)
    with refused("AuthFailure"):
        delete(aws, snapshot)
    assert ids(ec2(aws, SOURCE).describe_snapshots()) == {snapshot}


def test_a_snapshot_that_an_image_uses_stays(aws: LocalAws, own: str) -> None:
    disk = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": own}}
    image = ec2(aws, TARGET).register_image(Name=f"image of {own}", BlockDeviceMappings=[disk])["ImageId"]
    with refused("InvalidSnapshot.InUse"):
        delete(aws, own)
    ec2(aws, TARGET).deregister_image(ImageId=image)
    aws.control.change_snapshot(own, HOME, in_use=True)
    with refused("InvalidSnapshot.InUse"):
        delete(aws, own)
    aws.control.change_snapshot(own, HOME, in_use=False)
    delete(aws, own)


def test_a_governance_lock_holds_until_it_expires(aws: LocalAws, own: str) -> None:
    locked = lock(aws, own, LockMode="governance", LockDuration=7)
    assert (locked["LockState"], locked["LockDuration"]) == ("governance", 7)
    assert locked["LockExpiresOn"] - locked["LockDurationStartTime"] == timedelta(days=7)
    with refused("OperationNotPermitted"):
        delete(aws, own)
    aws.control.advance_clock(days=7)
    assert locked_state(aws, own) == "expired"
    delete(aws, own)


def test_the_code_of_the_refusal_can_be_another(aws: LocalAws, own: str) -> None:
    lock(aws, own, LockMode="governance", LockDuration=1)
    aws.control.configure(locked_code="SnapshotLocked")
    with refused("SnapshotLocked"):
        delete(aws, own)


def test_a_governance_lock_can_be_shortened_changed_and_taken_off(aws: LocalAws, own: str) -> None:
    lock(aws, own, LockMode="governance", LockDuration=7)
    assert lock(aws, own, LockMode="governance", LockDuration=2)["LockDuration"] == 2
    ec2(aws, TARGET).unlock_snapshot(SnapshotId=own)
    assert locked_state(aws, own) == ""
    with refused("IncorrectState"):
        ec2(aws, TARGET).unlock_snapshot(SnapshotId=own)
    delete(aws, own)


def test_a_compliance_lock_can_only_be_prolonged_after_cooling_off(aws: LocalAws, own: str) -> None:
    first = lock(aws, own, LockMode="compliance", LockDuration=30, CoolOffPeriod=24)
    assert first["LockState"] == "compliance-cooloff"
    assert lock(aws, own, LockMode="compliance", LockDuration=20, CoolOffPeriod=24)["LockDuration"] == 20
    aws.control.advance_clock(hours=24)
    assert locked_state(aws, own) == "compliance"
    for refusal in ({"LockDuration": 19}, {"LockDuration": 40, "CoolOffPeriod": 1}):
        with refused("OperationNotPermitted"):
            lock(aws, own, LockMode="compliance", **refusal)
    with refused("OperationNotPermitted"):
        lock(aws, own, LockMode="governance", LockDuration=40)
    with refused("OperationNotPermitted"):
        ec2(aws, TARGET).unlock_snapshot(SnapshotId=own)
    assert lock(aws, own, LockMode="compliance", LockDuration=40)["LockState"] == "compliance"
    with refused("OperationNotPermitted"):
        delete(aws, own)


def test_a_compliance_lock_can_be_taken_off_while_cooling_off(aws: LocalAws, own: str) -> None:
    lock(aws, own, LockMode="compliance", LockDuration=30, CoolOffPeriod=72)
    ec2(aws, TARGET).unlock_snapshot(SnapshotId=own)
    delete(aws, own)


@pytest.mark.parametrize(
    "how",
    [
        {"LockMode": "governance"},
        {"LockMode": "governance", "LockDuration": 36_501},
        {"LockMode": "governance", "LockDuration": 1, "CoolOffPeriod": 1},
        {"LockMode": "compliance", "LockDuration": 1, "CoolOffPeriod": 73},
        {"LockMode": "forever", "LockDuration": 1},
        {"LockMode": "governance", "LockDuration": 1, "ExpirationDate": datetime(2090, 1, 1, tzinfo=UTC)},
        {"LockMode": "governance", "ExpirationDate": datetime(2020, 1, 1, tzinfo=UTC)},
    ],
)
def test_a_lock_outside_its_bounds_is_refused(aws: LocalAws, own: str, how: dict[str, Any]) -> None:
    with pytest.raises(ec2(aws, TARGET).exceptions.ClientError, match="InvalidParameter"):
        lock(aws, own, **how)
    assert locked_state(aws, own) == ""


def test_a_lock_until_a_date(aws: LocalAws, own: str) -> None:
    date = (datetime.now(UTC) + timedelta(days=3)).replace(microsecond=0)
    assert lock(aws, own, LockMode="governance", ExpirationDate=date)["LockExpiresOn"] == date
    aws.control.advance_clock(days=3, seconds=1)
    delete(aws, own)


def test_a_pending_copys_lock_starts_when_it_completes(aws: LocalAws) -> None:
    aws.control.configure(hold_copies=True)
    made = copy(aws, shared(aws))
    away = ec2(aws, TARGET, AWAY)
    away.lock_snapshot(SnapshotId=made, LockMode="governance", LockDuration=1)
    aws.control.advance_clock(days=5)
    with refused("OperationNotPermitted"):
        away.delete_snapshot(SnapshotId=made)
    aws.control.release_copies()
    with refused("OperationNotPermitted"):
        away.delete_snapshot(SnapshotId=made)
    aws.control.advance_clock(days=1)
    away.delete_snapshot(SnapshotId=made)


def test_locked_snapshots_are_listed_by_state(aws: LocalAws, own: str) -> None:
    other = aws.control.create_snapshot(TARGET, HOME)
    lock(aws, own, LockMode="governance", LockDuration=1)
    lock(aws, other, LockMode="compliance", LockDuration=9)
    wanted = [{"Name": "lock-state", "Values": ["compliance"]}]
    assert ids(ec2(aws, TARGET).describe_locked_snapshots()) == {own, other}
    assert ids(ec2(aws, TARGET).describe_locked_snapshots(Filters=wanted)) == {other}


def test_only_the_owner_locks(aws: LocalAws) -> None:
    with refused("AuthFailure"):
        lock(aws, shared(aws), LockMode="governance", LockDuration=1)


def test_a_snapshot_can_be_made_older(aws: LocalAws, own: str) -> None:
    before = ec2(aws, TARGET).describe_snapshots(SnapshotIds=[own])["Snapshots"][0]["StartTime"]
    aws.control.age_snapshot(own, HOME, days=40)
    after = ec2(aws, TARGET).describe_snapshots(SnapshotIds=[own])["Snapshots"][0]["StartTime"]
    assert before - after == timedelta(days=40)


def test_a_dry_run_sees_neither_images_nor_locks(aws: LocalAws, own: str) -> None:
    aws.control.change_snapshot(own, HOME, in_use=True)
    lock(aws, own, LockMode="governance", LockDuration=7)
    with refused("DryRunOperation"):
        ec2(aws, TARGET).delete_snapshot(SnapshotId=own, DryRun=True)
