"""CopySnapshot: what it answers at once, what it shows while pending, and how it ends."""

from typing import Any

import pytest

from tests.cloud import LocalAws, until
from tests.cloud.scene import (
    AWAY,
    HOME,
    SOURCE,
    STRANGER,
    TARGET,
    copy,
    describe,
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

NO_SOURCE = "Source snapshot is not found"
PENDING_SOURCE = "Source snapshot is not complete"
NO_KEY = "Given key ID is not accessible"


def encrypted_under(key_arn: str) -> dict[str, Any]:
    return {"Encrypted": True, "KmsKeyId": key_arn}


def test_a_copy_ends_under_the_key_asked_for(aws: LocalAws) -> None:
    own = key(aws, TARGET, AWAY)
    made = copy(aws, shared(aws, volume_size=9), Description="the copy", **encrypted_under(own))
    ended = describe(aws, made)
    assert (ended["State"], ended["Progress"], ended["OwnerId"]) == ("completed", "100%", TARGET)
    assert (ended["Encrypted"], ended["KmsKeyId"], ended["VolumeSize"]) == (True, own, 9)
    assert (ended["VolumeId"], ended["Description"]) == ("vol-ffffffff", "the copy")
    assert ids(ec2(aws, SOURCE, AWAY).describe_snapshots()) == set()


def test_an_alias_names_a_key_too(aws: LocalAws) -> None:
    own = key(aws, TARGET, AWAY)
    aws.client("kms", TARGET, AWAY).create_alias(AliasName="alias/backup", TargetKeyId=own)
    assert describe(aws, copy(aws, shared(aws), **encrypted_under("alias/backup")))["KmsKeyId"] == own


def test_a_pending_copy_shows_its_tags_and_its_key_and_no_size(aws: LocalAws) -> None:
    aws.control.configure(hold_copies=True)
    wanted = [{"ResourceType": "snapshot", "Tags": [{"Key": "policy", "Value": "daily"}]}]
    own = key(aws, TARGET, AWAY)
    made = copy(aws, shared(aws, volume_size=9), TagSpecifications=wanted, **encrypted_under(own))
    pending = describe(aws, made)
    assert (pending["State"], pending["StateMessage"]) == ("pending", "Metadata not updated")
    assert (pending["Encrypted"], pending["KmsKeyId"], pending["VolumeSize"]) == (True, own, 0)
    assert tags(pending) == {"policy": "daily"}
    aws.control.release_copies()
    ended = describe(aws, made)
    assert (ended["State"], ended["Encrypted"], ended["VolumeSize"]) == ("completed", True, 9)
    assert "StateMessage" not in ended


def test_a_copy_takes_its_time(aws: LocalAws) -> None:
    aws.control.configure(copy_seconds=600)
    made = copy(aws, shared(aws))
    assert describe(aws, made)["State"] == "pending"
    aws.control.advance_clock(seconds=601)
    assert describe(aws, made)["State"] == "completed"


def test_the_same_request_twice_makes_two_copies(aws: LocalAws) -> None:
    snapshot = shared(aws)
    assert copy(aws, snapshot) != copy(aws, snapshot)


def test_a_copy_that_is_not_visible_yet(aws: LocalAws) -> None:
    aws.control.configure(copy_visibility_seconds=60)
    made = copy(aws, shared(aws))
    assert ids(ec2(aws, TARGET, AWAY).describe_snapshots(OwnerIds=["self"])) == set()
    with refused("InvalidSnapshot.NotFound"):
        describe(aws, made)
    aws.control.advance_clock(seconds=61)
    assert ids(ec2(aws, TARGET, AWAY).describe_snapshots(OwnerIds=["self"])) == {made}


def test_unknown_unshared_and_pending_sources_get_an_id_and_fail_later(aws: LocalAws) -> None:
    unseen, pending = shared(aws, to=STRANGER), shared(aws, state="pending")
    for source, why in (("snap-0fedcba9876543210", NO_SOURCE), (unseen, NO_SOURCE), (pending, PENDING_SOURCE)):
        ended = describe(aws, copy(aws, source))
        assert (ended["State"], ended["StateMessage"]) == ("error", why)


def test_a_share_that_did_not_arrive_yet_fails_the_copy_too(aws: LocalAws) -> None:
    aws.control.configure(share_seconds=60)
    snapshot = aws.control.create_snapshot(SOURCE, HOME)
    share(aws, snapshot, TARGET)
    assert describe(aws, copy(aws, snapshot))["StateMessage"] == NO_SOURCE


def test_unsharing_after_the_request_does_not_stop_the_copy(aws: LocalAws) -> None:
    aws.control.configure(hold_copies=True)
    snapshot = shared(aws)
    made = copy(aws, snapshot)
    unshare(aws, snapshot, TARGET)
    aws.control.release_copies()
    assert describe(aws, made)["State"] == "completed"


def test_the_sources_key_must_name_the_copying_account(aws: LocalAws) -> None:
    closed = key(aws, SOURCE, HOME)
    opened = key(aws, SOURCE, HOME, statements=naming(SOURCE, TARGET))
    own = key(aws, TARGET, AWAY)
    failed = describe(aws, copy(aws, shared(aws, kms_key=closed), **encrypted_under(own)))
    assert (failed["State"], failed["StateMessage"]) == ("error", NO_KEY)
    assert describe(aws, copy(aws, shared(aws, kms_key=opened), **encrypted_under(own)))["KmsKeyId"] == own


def test_a_disabled_source_key_fails_the_copy(aws: LocalAws) -> None:
    opened = key(aws, SOURCE, HOME, statements=naming(SOURCE, TARGET))
    snapshot = shared(aws, kms_key=opened)
    aws.client("kms", SOURCE, HOME).disable_key(KeyId=opened)
    assert describe(aws, copy(aws, snapshot))["StateMessage"] == NO_KEY


def test_an_unencrypted_source_stays_so_unless_asked_otherwise(aws: LocalAws) -> None:
    snapshot = shared(aws)
    assert describe(aws, copy(aws, snapshot))["Encrypted"] is False
    ended = describe(aws, copy(aws, snapshot, Encrypted=True))
    assert (ended["Encrypted"], ended["KmsKeyId"]) == (True, default_key(aws))


def test_an_encrypted_source_without_a_key_named_gets_the_aws_managed_key(aws: LocalAws) -> None:
    """Whatever default key the account has chosen, as long as encryption by default is off."""
    opened = key(aws, SOURCE, HOME, statements=naming(SOURCE, TARGET))
    chosen = key(aws, TARGET, AWAY)
    managed = default_key(aws)
    ec2(aws, TARGET, AWAY).modify_ebs_default_kms_key_id(KmsKeyId=chosen)

    def ended(source: str, **options: Any) -> str:
        under: str = describe(aws, copy(aws, source, **options))["KmsKeyId"]
        return under

    sealed, plain = shared(aws, kms_key=opened), shared(aws)
    assert (ended(sealed), ended(sealed, Encrypted=True)) == (managed, managed)
    assert ended(plain, Encrypted=True) == chosen
    ec2(aws, TARGET, AWAY).enable_ebs_encryption_by_default()
    assert (ended(sealed), ended(sealed, Encrypted=True), ended(plain)) == (chosen, chosen, chosen)


def test_encryption_by_default_encrypts_every_copy(aws: LocalAws) -> None:
    ec2(aws, TARGET, AWAY).enable_ebs_encryption_by_default()
    assert describe(aws, copy(aws, shared(aws)))["KmsKeyId"] == default_key(aws)


def default_key(aws: LocalAws) -> str:
    described = aws.client("kms", TARGET, AWAY).describe_key(KeyId="alias/aws/ebs")
    arn: str = described["KeyMetadata"]["Arn"]
    return arn


def test_a_key_that_cannot_be_used_is_refused_at_once(aws: LocalAws) -> None:
    snapshot, kms = shared(aws), aws.client("kms", TARGET, AWAY)
    disabled, doomed = key(aws, TARGET, AWAY), key(aws, TARGET, AWAY)
    kms.disable_key(KeyId=disabled)
    kms.schedule_key_deletion(KeyId=doomed, PendingWindowInDays=7)
    asymmetric = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["Arn"]
    absent = disabled.rpartition("/")[0] + "/00000000-0000-0000-0000-000000000000"
    with refused("InvalidParameterValue", f"The specified keyId {disabled} is disabled"):
        copy(aws, snapshot, **encrypted_under(disabled))
    for unusable in (doomed, asymmetric, absent, key(aws, TARGET, HOME), "alias/none"):
        with refused("InvalidParameterValue", f"The specified keyId {unusable} is invalid"):
            copy(aws, snapshot, **encrypted_under(unusable))
    with refused("AuthFailure", "Not authorized to use key"):
        copy(aws, snapshot, **encrypted_under(key(aws, STRANGER, AWAY)))
    opened = key(aws, STRANGER, AWAY, statements=naming(TARGET))
    assert describe(aws, copy(aws, snapshot, **encrypted_under(opened)))["KmsKeyId"] == opened


def test_a_key_without_encrypted_is_refused(aws: LocalAws) -> None:
    with refused("InvalidParameterDependency"):
        copy(aws, shared(aws), KmsKeyId=key(aws, TARGET, AWAY))


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"Description": "x" * 256}, "InvalidParameterValue"),
        ({"CompletionDurationMinutes": 16}, "InvalidParameterValue"),
        ({"SourceRegion": "nowhere"}, "InvalidRegion"),
        ({"SourceSnapshotId": "ami-12345678"}, "InvalidParameterValue"),
        ({"DryRun": True}, "DryRunOperation"),
    ],
)
def test_what_is_refused_at_once_makes_no_copy(aws: LocalAws, more: dict[str, Any], code: str) -> None:
    request = {"SourceRegion": HOME, "SourceSnapshotId": shared(aws), **more}
    with refused(code):
        ec2(aws, TARGET, AWAY).copy_snapshot(**request)
    assert aws.control.snapshots(account=TARGET) == []


def test_a_dry_run_passes_for_a_source_that_does_not_exist(aws: LocalAws) -> None:
    with refused("DryRunOperation"):
        copy(aws, "snap-0fedcba9876543210", DryRun=True)


@pytest.mark.parametrize(
    ("kind", "given", "code"),
    [
        ("volume", [("a", "1")], "InvalidParameterValue"),
        ("snapshot", [("aws:thing", "1")], "InvalidParameterValue"),
        ("snapshot", [("k" * 129, "1")], "InvalidParameterValue"),
        ("snapshot", [("k", "v" * 257)], "InvalidParameterValue"),
        ("snapshot", [(f"k{n}", "1") for n in range(51)], "TagLimitExceeded"),
        ("snapshot", [("a", "1"), ("a", "2")], "InvalidParameterValue"),
    ],
)
def test_tags_outside_ec2s_limits_are_refused(
    aws: LocalAws, kind: str, given: list[tuple[str, str]], code: str
) -> None:
    wanted = [{"ResourceType": kind, "Tags": [{"Key": name, "Value": value} for name, value in given]}]
    with refused(code):
        copy(aws, shared(aws), TagSpecifications=wanted)


def test_fifty_tags_of_full_length_in_several_specifications(aws: LocalAws) -> None:
    given = {f"{n:03}" + "k" * 124: "v" * 256 for n in range(50)}
    listed = [{"Key": name, "Value": value} for name, value in given.items()]
    halves = [{"ResourceType": "snapshot", "Tags": half} for half in (listed[:25], listed[25:])]
    assert tags(describe(aws, copy(aws, shared(aws), TagSpecifications=halves))) == given


def test_a_tag_key_has_at_most_127_characters(aws: LocalAws) -> None:
    tagged = {"ResourceType": "snapshot", "Tags": [{"Key": "k" * 128, "Value": ""}]}
    with refused("InvalidParameterValue", "Tag key must be 1 to 127 characters"):
        copy(aws, shared(aws), TagSpecifications=[tagged])


def test_a_time_based_copy_says_so(aws: LocalAws) -> None:
    made = describe(aws, copy(aws, shared(aws), CompletionDurationMinutes=30))
    assert (made["TransferType"], made["CompletionDurationMinutes"]) == ("time-based", 30)


def test_the_limit_of_copies_in_flight_counts_by_destination_region(aws: LocalAws) -> None:
    aws.control.configure(hold_copies=True, in_flight_limit=3, in_flight_limits={HOME: 1})
    snapshot = shared(aws)
    for _ in range(3):
        copy(aws, snapshot)
    with refused("ResourceLimitExceeded"):
        copy(aws, snapshot)
    copy(aws, snapshot, region=HOME)
    with refused("ResourceLimitExceeded"):
        copy(aws, snapshot, region=HOME)
    aws.control.release_copies(region=AWAY, count=1)
    copy(aws, snapshot)
    with refused("ResourceLimitExceeded"):
        copy(aws, snapshot)


def test_the_limit_is_twenty_unless_said_otherwise(aws: LocalAws) -> None:
    aws.control.configure(hold_copies=True)
    snapshot = shared(aws)
    for _ in range(20):
        copy(aws, snapshot)
    with refused("ResourceLimitExceeded"):
        copy(aws, snapshot)


def test_a_deleted_pending_copy_frees_its_place(aws: LocalAws) -> None:
    aws.control.configure(hold_copies=True, in_flight_limit=1)
    snapshot = shared(aws)
    ec2(aws, TARGET, AWAY).delete_snapshot(SnapshotId=copy(aws, snapshot))
    copy(aws, snapshot)


def test_copies_that_end_badly_by_order(aws: LocalAws) -> None:
    snapshot, own, other = shared(aws, volume_size=4), key(aws, TARGET, AWAY), key(aws, TARGET, AWAY)

    def ending(**spoil: Any) -> dict[str, Any]:
        aws.control.spoil_copies(times=1, **spoil)
        return describe(aws, copy(aws, snapshot, **encrypted_under(own)))

    assert ending(state_message=NO_KEY)["StateMessage"] == NO_KEY
    assert ending(kms_key=other)["KmsKeyId"] == other
    assert ending(kms_key="aws/ebs")["KmsKeyId"] == default_key(aws)
    assert ending(unencrypted=True)["Encrypted"] is False
    assert ending(volume_size=1)["VolumeSize"] == 1
    aws.control.spoil_copies(region=HOME, state_message=NO_KEY)
    aws.control.spoil_copies(parameters={"SourceSnapshotId": "snap-00000000"}, state_message=NO_KEY)
    assert describe(aws, copy(aws, snapshot, **encrypted_under(own)))["KmsKeyId"] == own
    assert [each["struck"] for each in aws.control.rules()] == [1, 1, 1, 1, 1, 0, 0]


def test_a_real_delay_passes_by_itself(aws: LocalAws) -> None:
    aws.control.configure(copy_seconds=0.3)
    made = copy(aws, shared(aws))
    assert describe(aws, made)["State"] == "pending"
    until(lambda: describe(aws, made)["State"] == "completed", what="the copy to complete")
