"""The local CopySnapshot against what AWS was seen to do; see `test_captures` for where the captures are."""

from typing import Any

import pytest
from botocore.handlers import inject_presigned_url_ec2

from tests.cloud import LocalAws
from tests.cloud.scene import (
    AWAY,
    HOME,
    SOURCE,
    STRANGER,
    TARGET,
    copy,
    describe,
    ec2,
    key,
    naming,
    refused,
    shared,
    tags,
)

USE = ["kms:DescribeKey", "kms:CreateGrant", "kms:GenerateDataKeyWithoutPlaintext"]
# Digits that EC2 took for an ID, although nothing has it.
WELL_FORMED = "snap-0fedcba9876543210"


@pytest.fixture
def unchecked(aws: LocalAws) -> Any:
    """A client that sends what it is told to, as that of the captures did."""
    client = aws.client("ec2", TARGET, AWAY, parameter_validation=False)
    client.meta.events.unregister("before-call.ec2.CopySnapshot", handler=inject_presigned_url_ec2)
    return client


class TestRefusedAtOnce:
    """copy_controls_contract, copy_data_failures, copy_data_authority."""

    @pytest.mark.parametrize(
        ("request_", "code", "message"),
        [
            (
                {"SourceRegion": HOME},
                "MissingParameter",
                "The request must contain the parameter SourceSnapshotId",
            ),
            ({"SourceSnapshotId": WELL_FORMED}, "InternalError", "An internal error has occurred"),
            (
                {"SourceRegion": "not-a-region", "SourceSnapshotId": WELL_FORMED},
                "InvalidRegion",
                "not-a-region is not a valid region name",
            ),
            *(
                (
                    {"SourceRegion": HOME, "SourceSnapshotId": odd},
                    "InvalidParameterValue",
                    "The specified snapshotId is invalid",
                )
                for odd in ("bad", "snap-00000000000000000")
            ),
            *(
                (
                    {"SourceRegion": HOME, "SourceSnapshotId": WELL_FORMED, "CompletionDurationMinutes": minutes},
                    "InvalidParameterValue",
                    "",
                )
                for minutes in (-1, 0, 1, 14, 16, 2_881)
            ),
        ],
    )
    @pytest.mark.parametrize("dry", [False, True])
    def test_before_a_dry_run_is_looked_at(
        self, unchecked: Any, request_: dict[str, Any], code: str, message: str, dry: bool
    ) -> None:
        with refused(code, message):
            unchecked.copy_snapshot(DryRun=dry, **request_)

    def test_another_destination_than_the_endpoints_passes_a_dry_run_only(self, aws: LocalAws, unchecked: Any) -> None:
        request = {"SourceRegion": HOME, "SourceSnapshotId": shared(aws), "DestinationRegion": "us-west-2"}
        with refused("DryRunOperation"):
            unchecked.copy_snapshot(DryRun=True, **request)
        with refused("InvalidParameterValue", f"'us-west-2' does not match the current region ({AWAY})."):
            unchecked.copy_snapshot(**request)

    def test_keys(self, aws: LocalAws) -> None:
        disabled, snapshot = key(aws, TARGET, AWAY), shared(aws)
        aws.client("kms", TARGET, AWAY).disable_key(KeyId=disabled)
        with refused("InvalidParameterValue", f"The specified keyId {disabled} is disabled"):
            copy(aws, snapshot, Encrypted=True, KmsKeyId=disabled)
        with refused("InvalidParameterValue", "The specified keyId alias/missing is invalid"):
            copy(aws, snapshot, Encrypted=True, KmsKeyId="alias/missing")
        undescribed = key(aws, STRANGER, AWAY, statements=naming(TARGET, actions=USE[1:]))
        with refused("AuthFailure", f"Not authorized to use key {undescribed}"):
            copy(aws, snapshot, Encrypted=True, KmsKeyId=undescribed)

    @pytest.mark.parametrize(
        ("url", "message"),
        [
            ("not-a-url", "The protocol in PresignedUrl should be http or https"),
            (
                f"https://ec2.{HOME}.amazonaws.com/?SourceSnapshotId=snap-00000000000000000&DestinationRegion={AWAY}",
                "The source snapshot specified in PresignedUrl 'snap-00000000000000000' does not match the source "
                f"snapshot in the request: '{WELL_FORMED}'",
            ),
            (
                f"https://ec2.{HOME}.amazonaws.com/?SourceSnapshotId={WELL_FORMED}&DestinationRegion={HOME}",
                f"The destination region specified in PresignedUrl: '{HOME}' is incorrect",
            ),
        ],
    )
    def test_urls_but_not_in_a_dry_run(self, aws: LocalAws, url: str, message: str) -> None:
        with refused("DryRunOperation"):
            copy(aws, WELL_FORMED, PresignedUrl=url, DryRun=True)
        with refused("InvalidParameterValue", message):
            copy(aws, WELL_FORMED, PresignedUrl=url)

    def test_the_limit_of_copies_in_flight_says_of_which_region(self, aws: LocalAws) -> None:
        """Not of the captures: cloud-custodian's and others' issues quote the sentence."""
        aws.control.configure(hold_copies=True, in_flight_limit=5)
        for _ in range(5):
            copy(aws, shared(aws))
        said = "Too many snapshot copies in progress. The limit is 5 for this destination region."
        with refused("ResourceLimitExceeded", said):
            copy(aws, shared(aws))


class TestFailedLater:
    """copy_controls_contract, source_admission; copy_data_authority; copy_data_source_authority_contract."""

    def test_sources(self, aws: LocalAws) -> None:
        pending, private = shared(aws, state="pending"), shared(aws, to=STRANGER)
        said = {pending: "Source snapshot is not complete", private: "Source snapshot is not found"}
        for source, message in said.items():
            with refused("DryRunOperation"):
                copy(aws, source, DryRun=True)
            ended = describe(aws, copy(aws, source))
            assert (ended["State"], ended["StateMessage"]) == ("error", message)
            assert (ended["VolumeSize"], ended["Progress"]) == (0, "0%")
            assert not {"CompletionTime", "FullSnapshotSizeInBytes"} & ended.keys()
        elsewhere = {"SourceRegion": "eu-central-1", "SourceSnapshotId": shared(aws)}
        made = ec2(aws, TARGET, AWAY).copy_snapshot(**elsewhere)["SnapshotId"]
        assert describe(aws, made)["StateMessage"] == "Source snapshot is not found"

    @pytest.mark.parametrize("denied", USE[1:])
    def test_a_key_that_may_be_described_and_not_used(self, aws: LocalAws, denied: str) -> None:
        left = [action for action in USE if action != denied]
        asked = key(aws, STRANGER, AWAY, statements=naming(TARGET, actions=left))
        ended = describe(aws, copy(aws, shared(aws), Encrypted=True, KmsKeyId=asked))
        assert (ended["State"], ended["StateMessage"]) == ("error", "Given key ID is not accessible")
        assert (ended["Encrypted"], ended["KmsKeyId"]) == (True, asked)

    def test_an_earlier_copy_under_the_key_stands_for_a_new_data_key(self, aws: LocalAws) -> None:
        """copy_data, member's copies in sessions that deny GenerateDataKeyWithoutPlaintext."""
        asked = key(aws, STRANGER, AWAY, statements=naming(TARGET, actions=USE[:2]))
        copying: dict[str, Any] = {"Encrypted": True, "KmsKeyId": asked}
        assert describe(aws, copy(aws, shared(aws), **copying))["State"] == "error"
        aws.control.create_snapshot(TARGET, AWAY, kms_key=asked)
        assert describe(aws, copy(aws, shared(aws), **copying))["State"] == "completed"

    def test_of_the_sources_key_create_grant_is_needed_and_describe_key_is_not(self, aws: LocalAws) -> None:
        own = key(aws, TARGET, AWAY)
        for actions, state in (
            (["kms:Decrypt", "kms:CreateGrant"], "completed"),
            (["kms:Decrypt", "kms:DescribeKey"], "error"),
        ):
            granting = key(aws, SOURCE, HOME, statements=naming(TARGET, actions=actions))
            made = copy(aws, shared(aws, kms_key=granting), Encrypted=True, KmsKeyId=own)
            assert describe(aws, made)["State"] == state, actions


class TestCopies:
    """copy_controls_contract, pending, completed and duplicates_and_metadata; copy_data_contract."""

    def test_pending_and_completed(self, aws: LocalAws) -> None:
        aws.control.configure(hold_copies=True)
        wanted = [{"ResourceType": "snapshot", "Tags": [{"Key": "copy-only", "Value": "1"}]}]
        source = shared(aws, description="of the source", tags={"of": "source"})
        made = copy(aws, source, TagSpecifications=wanted)
        pending = describe(aws, made)
        assert (pending["State"], pending["StateMessage"]) == ("pending", "Metadata not updated")
        assert (pending["VolumeId"], pending["VolumeSize"], pending["Encrypted"]) == ("vol-ffffffff", 0, False)
        assert (pending["Progress"], pending["StorageTier"], pending["TransferType"]) == ("0%", "standard", "standard")
        assert (pending["Description"], tags(pending)) == ("", {"copy-only": "1"})
        aws.control.release_copies()
        completed = describe(aws, made)
        assert (completed["State"], completed["VolumeSize"], completed["Progress"]) == ("completed", 1, "100%")
        assert {"CompletionTime", "FullSnapshotSizeInBytes"} <= completed.keys()
        assert "StateMessage" not in completed

    def test_shortly_before_it_is_completed_it_shows_its_size_and_its_key(self, aws: LocalAws) -> None:
        """copy_data, encrypted-default."""
        aws.control.configure(copy_seconds=20)
        sealed = shared(aws, kms_key=key(aws, SOURCE, HOME, statements=naming(TARGET)))
        made, missing = copy(aws, sealed), copy(aws, WELL_FORMED)
        aws.control.advance_clock(seconds=11)
        shown = describe(aws, made)
        assert (shown["State"], shown["StateMessage"], shown["Progress"]) == ("pending", "Metadata updated", "99%")
        managed = aws.client("kms", TARGET, AWAY).describe_key(KeyId="alias/aws/ebs")["KeyMetadata"]["Arn"]
        assert (shown["VolumeSize"], shown["Encrypted"], shown["KmsKeyId"]) == (1, True, managed)
        assert (describe(aws, missing)["StateMessage"], describe(aws, missing)["VolumeSize"]) == (
            "Metadata not updated",
            0,
        )
        aws.control.advance_clock(seconds=11)
        assert (describe(aws, made)["State"], describe(aws, made)["Progress"]) == ("completed", "100%")

    def test_encryption_shows_from_the_first_look(self, aws: LocalAws) -> None:
        """copy_data: an encrypted source without a key named, and a plain one under a key that is."""
        aws.control.configure(hold_copies=True)
        sealed = shared(aws, kms_key=key(aws, SOURCE, HOME, statements=naming(TARGET)))
        own = key(aws, TARGET, AWAY)
        unnamed, named = copy(aws, sealed), copy(aws, shared(aws), Encrypted=True, KmsKeyId=own)
        shown = [describe(aws, each) for each in (unnamed, named)]
        assert [(each["Encrypted"], each["KmsKeyId"]) for each in shown] == [(True, "alias/aws/ebs"), (True, own)]
        aws.control.release_copies()
        managed = aws.client("kms", TARGET, AWAY).describe_key(KeyId="alias/aws/ebs")["KeyMetadata"]["Arn"]
        assert [describe(aws, each)["KmsKeyId"] for each in (unnamed, named)] == [managed, own]

    def test_encrypted_false_is_taken_and_means_nothing(self, aws: LocalAws) -> None:
        sealed = shared(aws, kms_key=key(aws, SOURCE, HOME, statements=naming(TARGET)))
        assert describe(aws, copy(aws, sealed, Encrypted=False))["Encrypted"] is True
        assert describe(aws, copy(aws, shared(aws), Encrypted=False))["Encrypted"] is False

    def test_the_default_key_is_named_by_its_alias_until_one_is_chosen(self, aws: LocalAws) -> None:
        client, own = ec2(aws, TARGET, AWAY), key(aws, TARGET, AWAY)
        assert client.get_ebs_default_kms_key_id()["KmsKeyId"] == "alias/aws/ebs"
        client.modify_ebs_default_kms_key_id(KmsKeyId=own)
        assert client.get_ebs_default_kms_key_id()["KmsKeyId"] == own
        client.reset_ebs_default_kms_key_id()
        assert client.get_ebs_default_kms_key_id()["KmsKeyId"] == "alias/aws/ebs"


def test_a_dry_run_of_a_deletion_sees_no_image(aws: LocalAws) -> None:
    """ec2/images_snapshot_references."""
    snapshot = aws.control.create_snapshot(TARGET, AWAY)
    aws.control.change_snapshot(snapshot, AWAY, in_use=True)
    with refused("DryRunOperation"):
        ec2(aws, TARGET, AWAY).delete_snapshot(SnapshotId=snapshot, DryRun=True)
    with refused("InvalidSnapshot.InUse"):
        ec2(aws, TARGET, AWAY).delete_snapshot(SnapshotId=snapshot)


class TestEvents:
    """copy_controls_contract, eventbridge."""

    def test_of_a_copy_that_completes(self, aws: LocalAws) -> None:
        source = shared(aws)
        made = copy(aws, source, CompletionDurationMinutes=15)
        (event,) = aws.control.events()
        detail, arn = event["detail"], f"arn:aws:ec2::{AWAY}:snapshot/{made}"
        assert (event["account"], event["resources"], detail["snapshot_id"]) == (TARGET, [arn], arn)
        assert (detail["source"], detail["request-id"]) == (f"arn:aws:ec2::{HOME}:snapshot/{source}", "")
        assert detail["incremental"] in ("true", "false"), "a string"
        assert (detail["transferType"], detail["metCompletionDuration"]) == ("time-based", "true")
        assert "completionDurationStartTime" in detail

    def test_of_a_copy_that_fails(self, aws: LocalAws) -> None:
        made = copy(aws, shared(aws, state="pending"))
        (event,) = aws.control.events()
        detail = event["detail"]
        assert (detail["result"], detail["cause"]) == ("failed", describe(aws, made)["StateMessage"])
        assert (detail["transferType"], detail["incremental"]) == ("standard", "false")
        assert not {"completionDurationStartTime", "metCompletionDuration"} & detail.keys()
