"""Two accounts share snapshots."""

import pytest

from tests.cloud import LocalAws, until
from tests.cloud.scene import (
    AWAY,
    HOME,
    SOURCE,
    STRANGER,
    TARGET,
    ec2,
    ids,
    key,
    naming,
    refused,
    share,
    shared,
    tags,
    unshare,
)


def test_a_shared_snapshot_is_seen_by_its_owner_and_its_recipient_only(aws: LocalAws) -> None:
    snapshot = shared(aws)
    assert ids(ec2(aws, SOURCE).describe_snapshots()) == {snapshot}
    assert ids(ec2(aws, TARGET).describe_snapshots()) == {snapshot}
    assert ids(ec2(aws, STRANGER).describe_snapshots()) == set()
    assert ids(ec2(aws, TARGET, AWAY).describe_snapshots()) == set()


def test_a_share_made_and_taken_back_by_call(aws: LocalAws) -> None:
    volume = ec2(aws, SOURCE).create_volume(Size=7, AvailabilityZone=f"{HOME}a")["VolumeId"]
    snapshot = ec2(aws, SOURCE).create_snapshot(VolumeId=volume, Description="nightly")["SnapshotId"]
    share(aws, snapshot, TARGET)
    seen = ec2(aws, TARGET).describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]
    assert (seen["OwnerId"], seen["VolumeId"], seen["VolumeSize"]) == (SOURCE, volume, 7)
    assert (seen["Description"], seen["State"], seen["Encrypted"]) == ("nightly", "completed", False)
    unshare(aws, snapshot, TARGET)
    with refused("InvalidSnapshot.NotFound"):
        ec2(aws, TARGET).describe_snapshots(SnapshotIds=[snapshot])


def test_an_invisible_id_fails_the_call_and_a_filter_leaves_it_out(aws: LocalAws) -> None:
    seen, unseen = shared(aws), shared(aws, to=STRANGER)
    with refused("InvalidSnapshot.NotFound", unseen):
        ec2(aws, TARGET).describe_snapshots(SnapshotIds=[seen, unseen])
    wanted = [{"Name": "snapshot-id", "Values": [seen, unseen]}]
    assert ids(ec2(aws, TARGET).describe_snapshots(Filters=wanted)) == {seen}


def test_self_as_owner_finds_only_own_snapshots(aws: LocalAws) -> None:
    received, own = shared(aws), aws.control.create_snapshot(TARGET, HOME)
    assert ids(ec2(aws, TARGET).describe_snapshots(OwnerIds=["self"])) == {own}
    assert ids(ec2(aws, TARGET).describe_snapshots(OwnerIds=[SOURCE])) == {received}
    assert ids(ec2(aws, TARGET).describe_snapshots(OwnerIds=[SOURCE, "self"])) == {received, own}
    assert ids(ec2(aws, TARGET).describe_snapshots(OwnerIds=["amazon"])) == set()


def test_restorable_by_self_finds_own_and_explicitly_shared_ones_but_not_public_ones(aws: LocalAws) -> None:
    received, own = shared(aws), aws.control.create_snapshot(TARGET, HOME)
    assert ids(ec2(aws, TARGET).describe_snapshots(RestorableByUserIds=[STRANGER])) == set()
    public = aws.control.create_snapshot(STRANGER, HOME, public=True)
    assert ids(ec2(aws, TARGET).describe_snapshots(RestorableByUserIds=["self"])) == {received, own}
    assert ids(ec2(aws, TARGET).describe_snapshots(RestorableByUserIds=["all"])) == {public}
    assert ids(ec2(aws, SOURCE).describe_snapshots(RestorableByUserIds=[TARGET])) == {received}
    share(aws, received, STRANGER)
    # Whom somebody else's snapshot is shared with is none of a recipient's business.
    assert ids(ec2(aws, STRANGER).describe_snapshots(RestorableByUserIds=[TARGET])) == set()
    assert ids(ec2(aws, TARGET).describe_snapshots(RestorableByUserIds=["self"], OwnerIds=[SOURCE])) == {received}
    assert ids(ec2(aws, TARGET).describe_snapshots(RestorableByUserIds=["self"], OwnerIds=[STRANGER])) == set()


def test_a_public_snapshot_is_seen_by_everybody(aws: LocalAws) -> None:
    snapshot = aws.control.create_snapshot(SOURCE, HOME)
    change = {"SnapshotId": snapshot, "Attribute": "createVolumePermission", "GroupNames": ["all"]}
    ec2(aws, SOURCE).modify_snapshot_attribute(OperationType="add", **change)
    assert ids(ec2(aws, STRANGER).describe_snapshots()) == {snapshot}
    ec2(aws, SOURCE).modify_snapshot_attribute(OperationType="remove", **change)
    assert ids(ec2(aws, STRANGER).describe_snapshots()) == set()


def test_a_share_becomes_visible_after_its_delay(aws: LocalAws) -> None:
    aws.control.configure(share_seconds=3_600)
    snapshot = aws.control.create_snapshot(SOURCE, HOME)
    share(aws, snapshot, TARGET)
    assert ids(ec2(aws, TARGET).describe_snapshots()) == set()
    aws.control.advance_clock(hours=1)
    assert ids(ec2(aws, TARGET).describe_snapshots()) == {snapshot}


def test_only_the_owner_changes_and_reads_permissions(aws: LocalAws) -> None:
    snapshot = shared(aws)
    permission = {"SnapshotId": snapshot, "Attribute": "createVolumePermission"}
    listed = ec2(aws, SOURCE).describe_snapshot_attribute(**permission)["CreateVolumePermissions"]
    assert listed == [{"UserId": TARGET}]
    with refused("AuthFailure"):
        ec2(aws, TARGET).describe_snapshot_attribute(**permission)
    with refused("InvalidSnapshot.NotFound"):
        ec2(aws, STRANGER).modify_snapshot_attribute(OperationType="add", UserIds=[STRANGER], **permission)
    ec2(aws, SOURCE).reset_snapshot_attribute(**permission)
    assert ids(ec2(aws, TARGET).describe_snapshots()) == set()


def test_the_structured_notation_shares_too(aws: LocalAws) -> None:
    snapshot = aws.control.create_snapshot(SOURCE, HOME)
    ec2(aws, SOURCE).modify_snapshot_attribute(
        SnapshotId=snapshot, CreateVolumePermission={"Add": [{"UserId": TARGET}, {"UserId": STRANGER}]}
    )
    assert ids(ec2(aws, STRANGER).describe_snapshots()) == {snapshot}
    ec2(aws, SOURCE).modify_snapshot_attribute(
        SnapshotId=snapshot, CreateVolumePermission={"Remove": [{"UserId": STRANGER}]}
    )
    assert ids(ec2(aws, STRANGER).describe_snapshots()) == set()
    assert ids(ec2(aws, TARGET).describe_snapshots()) == {snapshot}


@pytest.mark.parametrize("user", ["12345", "abcdefabcdef"])
def test_a_malformed_account_is_refused(aws: LocalAws, user: str) -> None:
    with refused("InvalidUserID.Malformed"):
        share(aws, aws.control.create_snapshot(SOURCE, HOME), user)


def test_what_is_under_the_default_key_cannot_be_shared(aws: LocalAws) -> None:
    default = aws.control.create_snapshot(SOURCE, HOME, kms_key="alias/aws/ebs")
    with refused("OperationNotPermitted"):
        share(aws, default, TARGET)
    own = aws.control.create_snapshot(SOURCE, HOME, kms_key=key(aws, SOURCE, HOME, statements=naming(TARGET)))
    share(aws, own, TARGET)
    with refused("OperationNotPermitted"):
        ec2(aws, SOURCE).modify_snapshot_attribute(SnapshotId=own, OperationType="add", GroupNames=["all"])


def test_a_snapshot_has_its_volumes_key(aws: LocalAws) -> None:
    own = key(aws, SOURCE, HOME)
    volume = ec2(aws, SOURCE).create_volume(Size=1, AvailabilityZone=f"{HOME}a", Encrypted=True, KmsKeyId=own)
    snapshot = ec2(aws, SOURCE).create_snapshot(VolumeId=volume["VolumeId"])
    assert (snapshot["Encrypted"], snapshot["KmsKeyId"]) == (True, own)


def test_each_account_has_its_own_tags_on_a_snapshot(aws: LocalAws) -> None:
    snapshot = shared(aws, tags={"team": "source", "secret": "yes"})
    ec2(aws, TARGET).create_tags(Resources=[snapshot], Tags=[{"Key": "team", "Value": "target"}])
    seen = {who: ec2(aws, who).describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0] for who in (SOURCE, TARGET)}
    assert tags(seen[SOURCE]) == {"team": "source", "secret": "yes"}
    assert tags(seen[TARGET]) == {"team": "target"}
    by_source = [{"Name": "tag:team", "Values": ["source"]}]
    assert ids(ec2(aws, SOURCE).describe_snapshots(Filters=by_source)) == {snapshot}
    assert ids(ec2(aws, TARGET).describe_snapshots(Filters=by_source)) == set()


def test_tags_change_by_key_and_by_value(aws: LocalAws) -> None:
    snapshot = aws.control.create_snapshot(TARGET, HOME, tags={"a": "1", "b": "2", "c": "3"})
    client = ec2(aws, TARGET)
    client.delete_tags(Resources=[snapshot], Tags=[{"Key": "a"}, {"Key": "b", "Value": "other"}])
    client.create_tags(Resources=[snapshot], Tags=[{"Key": "c", "Value": ""}])
    listed = client.describe_tags(Filters=[{"Name": "resource-id", "Values": [snapshot]}])["Tags"]
    assert {(each["Key"], each["Value"]) for each in listed} == {("b", "2"), ("c", "")}
    assert ids(client.describe_snapshots(Filters=[{"Name": "tag-key", "Values": ["a"]}])) == set()
    assert ids(client.describe_snapshots(Filters=[{"Name": "tag-key", "Values": ["b"]}])) == {snapshot}


def test_nobody_tags_what_it_cannot_see(aws: LocalAws) -> None:
    snapshot = shared(aws)
    with refused("InvalidSnapshot.NotFound"):
        ec2(aws, STRANGER).create_tags(Resources=[snapshot], Tags=[{"Key": "a", "Value": "1"}])


def test_tags_of_other_resources_stay_the_emulators(aws: LocalAws) -> None:
    client = ec2(aws, TARGET)
    volume = client.create_volume(Size=1, AvailabilityZone=f"{HOME}a")["VolumeId"]
    snapshot = aws.control.create_snapshot(TARGET, HOME)
    client.create_tags(Resources=[volume, snapshot], Tags=[{"Key": "both", "Value": "1"}])
    listed = client.describe_tags(Filters=[{"Name": "key", "Values": ["both"]}])["Tags"]
    assert {(each["ResourceId"], each["ResourceType"]) for each in listed} == {
        (volume, "volume"),
        (snapshot, "snapshot"),
    }


def test_a_real_delay_passes_by_itself(aws: LocalAws) -> None:
    aws.control.configure(share_seconds=0.3)
    snapshot = aws.control.create_snapshot(SOURCE, HOME)
    share(aws, snapshot, TARGET)
    until(lambda: ids(ec2(aws, TARGET).describe_snapshots()) == {snapshot}, what="the share to be visible")
