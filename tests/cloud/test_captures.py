"""The local AWS against what AWS was seen to do.

Each test names the capture that it holds the overlay to: a file in `testdata/aws/ebs/` of radkawar/stackd at commit
9dc356f, native calls of September 2026 by two accounts of one organization. What is repeated here are codes, sentences
and figures, each as it stands there.
"""

from typing import Any

import pytest

from tests.cloud import LocalAws
from tests.cloud.scene import (
    HOME,
    SOURCE,
    STRANGER,
    TARGET,
    copy,
    describe,
    ec2,
    ids,
    refused,
    share,
    shared,
    tags,
    unshare,
)

# Digits that EC2 took for an ID, although nothing has it.
WELL_FORMED = "snap-0fedcba9876543210"


class TestIds:
    """volume_controls_snapshot_ids, sharing_data_lookup."""

    @pytest.mark.parametrize(
        "absent", ["00000000", "11111111", "ffffffff", "0fedcba9876543210", "0ffffffffffffffff", "0400dc0055e85b9bf"]
    )
    def test_what_may_be_an_id_is_not_found(self, aws: LocalAws, absent: str) -> None:
        with refused("InvalidSnapshot.NotFound", f"The snapshot 'snap-{absent}' does not exist."):
            ec2(aws, TARGET).describe_snapshots(SnapshotIds=[f"snap-{absent}"])

    @pytest.mark.parametrize(
        "odd", ["0" * 17, "1" * 17, "f" * 17, "01111111111111111", "0123456789abcdef0", "1400dc0055e85b9bf"]
    )
    def test_seventeen_hexadecimal_digits_are_not_enough(self, aws: LocalAws, odd: str) -> None:
        with refused("InvalidSnapshotID.Malformed", f'Invalid id: "snap-{odd}"'):
            ec2(aws, TARGET).describe_snapshots(SnapshotIds=[f"snap-{odd}"])

    def test_capital_letters_are_another_error(self, aws: LocalAws) -> None:
        said = "Value (snap-0400DC0055E85B9BF) for parameter snapshotId is invalid. Expected: 'snap-...'."
        with refused("InvalidParameterValue", said):
            ec2(aws, TARGET).describe_snapshots(SnapshotIds=["snap-0400DC0055E85B9BF"])

    def test_a_malformed_id_wins_over_what_is_there_and_what_is_not(self, aws: LocalAws) -> None:
        odd = "snap-00000000000000000"
        for other in (shared(aws), WELL_FORMED):
            with refused("InvalidSnapshotID.Malformed", odd):
                ec2(aws, TARGET).describe_snapshots(SnapshotIds=[other, odd])


class TestSharing:
    """sharing_data, sharing_data_settled, sharing_data_contract."""

    def test_a_share_is_there_by_its_id_at_once_and_in_lists_later(self, aws: LocalAws) -> None:
        aws.control.configure(share_list_seconds=240)
        snapshot = aws.control.create_snapshot(SOURCE, HOME)
        share(aws, snapshot, TARGET)
        client = ec2(aws, TARGET)
        assert ids(client.describe_snapshots(SnapshotIds=[snapshot])) == {snapshot}
        assert lists(aws, snapshot) == [set(), set(), set()]
        aws.control.advance_clock(seconds=300)
        assert lists(aws, snapshot) == [{snapshot}] * 3

    def test_lists_show_for_a_while_what_is_no_longer_shared(self, aws: LocalAws) -> None:
        aws.control.configure(unshare_list_seconds=90)
        snapshot = shared(aws)
        unshare(aws, snapshot, TARGET)
        aws.control.advance_clock(seconds=60)
        assert lists(aws, snapshot) == [{snapshot}] * 3
        with refused("InvalidSnapshot.NotFound"):
            ec2(aws, TARGET).describe_snapshots(SnapshotIds=[snapshot])
        assert describe(aws, copy(aws, snapshot))["StateMessage"] == "Source snapshot is not found"
        assert ids(ec2(aws, STRANGER).describe_snapshots(OwnerIds=[SOURCE])) == set()
        aws.control.advance_clock(seconds=31)
        assert lists(aws, snapshot) == [set(), set(), set()]

    def test_who_shares_again_is_listed_again(self, aws: LocalAws) -> None:
        aws.control.configure(unshare_list_seconds=90)
        snapshot = shared(aws)
        unshare(aws, snapshot, TARGET)
        share(aws, snapshot, TARGET)
        aws.control.advance_clock(seconds=91)
        assert lists(aws, snapshot) == [{snapshot}] * 3
        ec2(aws, SOURCE).delete_snapshot(SnapshotId=snapshot)
        assert lists(aws, snapshot) == [set(), set(), set()]

    def test_who_lists_what(self, aws: LocalAws) -> None:
        snapshot, client = shared(aws), ec2(aws, TARGET)
        assert ids(client.describe_snapshots(RestorableByUserIds=[TARGET])) == {snapshot}
        assert ids(client.describe_snapshots(OwnerIds=["self"])) == set()
        assert ids(client.describe_snapshots(RestorableByUserIds=[SOURCE])) == set()

    def test_a_recipient_sees_the_full_size_and_neither_tags_nor_the_data_key(self, aws: LocalAws) -> None:
        snapshot = shared(aws, tags={"team": "source"})
        seen = describe(aws, snapshot, region=HOME)
        assert seen["FullSnapshotSizeInBytes"] > 0
        assert "DataEncryptionKeyId" not in seen
        assert tags(seen) == {}
        assert (seen["StorageTier"], seen["TransferType"]) == ("standard", "standard")

    def test_at_most_five_hundred_changes_repetitions_counted(self, aws: LocalAws) -> None:
        """sharing_data_limits: of the owner's own account too, which changes nothing."""
        snapshot = aws.control.create_snapshot(SOURCE, HOME)
        share(aws, snapshot, *[SOURCE] * 500)
        permission = {"SnapshotId": snapshot, "Attribute": "createVolumePermission"}
        assert ec2(aws, SOURCE).describe_snapshot_attribute(**permission)["CreateVolumePermissions"] == []
        with refused("InvalidParameterValue", "Modification size must not be greater than 500"):
            share(aws, snapshot, *[SOURCE] * 501)

    def test_a_recipients_own_tags_outlive_the_share(self, aws: LocalAws) -> None:
        """sharing_data_tags_settled."""
        snapshot, client = shared(aws), ec2(aws, TARGET)
        client.create_tags(Resources=[snapshot], Tags=[{"Key": "mine", "Value": "1"}, {"Key": "too", "Value": "2"}])
        unshare(aws, snapshot, TARGET)
        with refused("InvalidSnapshot.NotFound"):
            client.create_tags(Resources=[snapshot], Tags=[{"Key": "more", "Value": "3"}])
        mine = [{"Name": "resource-id", "Values": [snapshot]}]
        assert {each["Key"] for each in client.describe_tags(Filters=mine)["Tags"]} == {"mine", "too"}
        client.delete_tags(Resources=[snapshot], Tags=[{"Key": "mine"}])
        assert {each["Key"] for each in client.describe_tags(Filters=mine)["Tags"]} == {"too"}


def lists(aws: LocalAws, snapshot: str) -> list[set[str]]:
    """What the recipient's lists say of a snapshot: by owner, by restorable user, by a filter."""
    client = ec2(aws, TARGET)
    by_id = [{"Name": "snapshot-id", "Values": [snapshot]}]
    asked: list[dict[str, Any]] = [
        {"OwnerIds": [SOURCE]},
        {"RestorableByUserIds": ["self"]},
        {"Filters": by_id},
    ]
    return [ids(client.describe_snapshots(**each)) for each in asked]
