"""The main job: a shared snapshot arrives, copies with the right key, tags and expiry leave, and the audit says why."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.cloud import LocalAws, until
from tests.e2e import policies
from tests.e2e.accounts import HOME, Account
from tests.e2e.deploy import PATIENCE_SECONDS, Record, Stack, deploy

NEAR, FAR = "us-west-2", "ap-northeast-1"


def moment(text: str) -> datetime:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", text), f"{text} is not RFC 3339 in UTC"
    return datetime.fromisoformat(text)


def a_month_after(time: datetime) -> datetime:
    """The same day of the next month, or its last day."""
    year, month = (time.year + 1, 1) if time.month == 12 else (time.year, time.month + 1)
    for day in (time.day, 30, 29, 28):
        try:
            return time.replace(year=year, month=month, day=day)
        except ValueError:
            continue
    raise AssertionError(time)


def the_copy(stack: Stack, region: str, snapshot: str) -> dict[str, Any]:
    """The one copy of a snapshot in a Region, once it is completed."""

    def completed() -> dict[str, Any]:
        found = stack.copies(region, source_snapshot=snapshot)
        assert len(found) <= 1, found
        return found[0] if found and found[0]["State"] == "completed" else {}

    return until(completed, within=PATIENCE_SECONDS, what=f"a completed copy of {snapshot} in {region}")


def share(source: Account, target: Account, description: str = "", **how: Any) -> dict[str, Any]:
    snapshot = source.create_snapshot(description, **how)
    source.share(snapshot["SnapshotId"], target.number)
    return snapshot


class TestDlmsTwoRegionExample:
    """The policy of DLM's documentation: 3 days as the source is in one Region, a month under a key in the other."""

    @pytest.fixture
    def key(self, target: Account) -> str:
        return target.create_key(FAR)

    @pytest.fixture
    def stack(self, source: Account, target: Account, key: str) -> Stack:
        unencrypted = policies.target(NEAR, keep=(3, "DAYS"))
        encrypted = policies.target(FAR, key=key, keep=(1, "MONTHS"))
        return deploy(target, policies.details([source.number], unencrypted, encrypted))

    def test_copies_have_the_right_key_size_and_description(
        self, source: Account, target: Account, stack: Stack, key: str
    ) -> None:
        snapshot = share(source, target, "Nightly of the orders database", gib=7)
        near, far = (the_copy(stack, region, snapshot["SnapshotId"]) for region in (NEAR, FAR))
        assert (near["Encrypted"], near.get("KmsKeyId")) == (False, None)
        assert (far["Encrypted"], far["KmsKeyId"]) == (True, key)
        for copy in (near, far):
            assert copy["OwnerId"] == target.number
            assert copy["VolumeSize"] == 7
            assert copy["Description"].startswith(
                f"Snapferry copy of {snapshot['SnapshotId']} from {HOME} (account {source.number})"
            )
            assert copy["Description"].endswith("Nightly of the orders database")

    def test_copies_carry_all_tags_of_their_identity_and_nothing_else(
        self, source: Account, target: Account, stack: Stack, key: str
    ) -> None:
        before = datetime.now(UTC)
        snapshot = share(source, target, gib=3)
        near, far = (the_copy(stack, region, snapshot["SnapshotId"])["tags"] for region in (NEAR, FAR))
        after = datetime.now(UTC)
        identity = {
            "snapferry:policy": "default",
            "snapferry:source-snapshot": snapshot["SnapshotId"],
            "snapferry:source-account": source.number,
            "snapferry:source-region": HOME,
            "snapferry:source-volume": snapshot["VolumeId"],
            "snapferry:source-size-gib": "3",
            "snapferry:status": "copying",
        }
        for tags in (near, far):
            assert identity.items() <= tags.items()
            assert abs(moment(tags["snapferry:source-start-time"]) - snapshot["StartTime"]) < timedelta(seconds=1)
        varying = {"snapferry:source-start-time", "snapferry:expire-after"}
        assert set(near) == {*identity, *varying}
        assert set(far) == {*identity, *varying, "snapferry:kms-key"}
        assert far["snapferry:kms-key"] == key
        three_days = timedelta(days=3)
        slack = timedelta(seconds=1)
        assert before + three_days - slack <= moment(near["snapferry:expire-after"]) <= after + three_days + slack
        expiry = moment(far["snapferry:expire-after"])
        assert a_month_after(before) - slack <= expiry <= a_month_after(after) + slack

    def test_the_audit_names_source_copy_key_and_expiry(
        self, source: Account, target: Account, stack: Stack, key: str, aws: LocalAws
    ) -> None:
        snapshot = share(source, target, gib=3)
        [event] = [each for each in aws.control.events() if each["detail"]["event"] == "shareSnapshot"]
        records = stack.wait_for_audit(count=2, event="copy.started", source__snapshot=snapshot["SnapshotId"])
        by_region = {record["copy"]["region"]: record for record in records}
        assert set(by_region) == {NEAR, FAR}
        for region, record in by_region.items():
            copy = the_copy(stack, region, snapshot["SnapshotId"])
            assert (record["reason"], record["policy"]) == ("matched", "default")
            assert (record["trigger"], record["triggerId"]) == ("event", event["id"])
            assert record["source"]["account"] == source.number
            assert record["source"]["region"] == HOME
            assert record["source"]["volume"] == snapshot["VolumeId"]
            assert record["copy"]["snapshot"] == copy["SnapshotId"]
            assert record["copy"]["expireAfter"] == copy["tags"]["snapferry:expire-after"]
            assert datetime.now(UTC) - moment(record["time"]) < timedelta(minutes=5)
        assert by_region[FAR]["copy"]["kmsKey"] == key
        assert "kmsKey" not in by_region[NEAR]["copy"]

    def test_an_unencrypted_target_is_warned_of(self, stack: Stack, source: Account, target: Account) -> None:
        share(source, target)
        warnings = stack.wait_for_audit(event="policy.warning")
        assert any(NEAR in record["message"] or "CrossRegionCopy[0]" in record["message"] for record in warnings)


@pytest.mark.parametrize(
    ("regex", "matching", "other"),
    [
        (".*", ["", "anything\nat all"], []),
        (
            "Created for policy: policy-0123456789abcdef0.*",
            ["Created for policy: policy-0123456789abcdef0 schedule: Daily"],
            [
                "Created for policy: policy-ffffffffffffffff0 schedule: Daily",
                "Not Created for policy: policy-0123456789abcdef0",
            ],
        ),
        (".*production.*", ["nightly production orders", "production"], ["nightly staging orders", "PRODUCTION"]),
    ],
    ids=["everything", "of one DLM policy", "anywhere"],
)
def test_dlms_example_filters_match_the_whole_description(
    source: Account, target: Account, regex: str, matching: list[str], other: list[str]
) -> None:
    key = target.create_key(NEAR)
    stack = deploy(target, policies.details([source.number], policies.target(NEAR, key=key), description=regex))
    shared = {description: share(source, target, description)["SnapshotId"] for description in [*matching, *other]}
    for description in matching:
        the_copy(stack, NEAR, shared[description])
    for description in other:
        stack.wait_for_audit(event="copy.skipped", reason="description-mismatch", source__snapshot=shared[description])
    copied = {copy["tags"]["snapferry:source-snapshot"] for copy in stack.copies(NEAR)}
    assert copied == {shared[description] for description in matching}


@pytest.mark.parametrize("named", [True, False], ids=["a named source key", "any of the source account's keys"])
def test_an_encrypted_snapshot_is_copied_across_regions_under_the_targets_own_key(
    source: Account, target: Account, named: bool
) -> None:
    theirs, ours = source.create_key(HOME, used_by=target.number), target.create_key(FAR)
    policy = policies.details([source.number], policies.target(FAR, key=ours))
    stack = deploy(target, policy, SourceKeyArns=theirs if named else "")
    snapshot = share(source, target, key=theirs)
    assert the_copy(stack, FAR, snapshot["SnapshotId"])["KmsKeyId"] == ours


def test_the_home_region_can_be_a_target(source: Account, target: Account) -> None:
    key = target.create_key(HOME)
    stack = deploy(target, policies.details([source.number], policies.target(HOME, key=key)))
    snapshot = share(source, target)
    copy = the_copy(stack, HOME, snapshot["SnapshotId"])
    assert copy["KmsKeyId"] == key
    assert copy["SnapshotId"] != snapshot["SnapshotId"]


def test_a_dlm_policy_is_taken_as_dlm_prints_it_and_names_its_copies(source: Account, target: Account) -> None:
    key = target.create_key(NEAR)
    document = policies.details([source.number], policies.target(NEAR, key=key, keep=(1, "YEARS")), description=".*")
    stack = deploy(target, policies.lifecycle_policy("policy-0123456789abcdef0", document))
    snapshot = share(source, target)
    assert the_copy(stack, NEAR, snapshot["SnapshotId"])["tags"]["snapferry:policy"] == "policy-0123456789abcdef0"


def test_each_of_two_matching_policies_gets_its_copies(source: Account, target: Account) -> None:
    key = target.create_key(NEAR)
    documents = [
        policies.lifecycle_policy(
            policy_id, policies.details([source.number], policies.target(NEAR, key=key, keep=keep))
        )
        for policy_id, keep in (("policy-0000000000000000a", (3, "DAYS")), ("policy-0000000000000000b", (1, "YEARS")))
    ]
    stack = deploy(target, documents)
    snapshot = share(source, target)
    stack.wait_for_audit(count=2, event="copy.started", source__snapshot=snapshot["SnapshotId"])
    named = sorted(copy["tags"]["snapferry:policy"] for copy in stack.copies(NEAR))
    assert named == ["policy-0000000000000000a", "policy-0000000000000000b"]


def test_a_disabled_policy_copies_nothing(source: Account, target: Account) -> None:
    document = policies.details([source.number], policies.target(NEAR))
    stack = deploy(target, policies.lifecycle_policy("policy-0123456789abcdef0", document, state="DISABLED"))
    snapshot = share(source, target)
    stack.wait_for_audit(event="copy.skipped", reason="policy-disabled", source__snapshot=snapshot["SnapshotId"])
    assert stack.copies(NEAR) == []


def test_tags_to_add_and_a_time_for_the_copy_go_into_the_same_call(
    source: Account, target: Account, aws: LocalAws
) -> None:
    added = [{"Key": "CostCentre", "Value": "backup"}]
    entry = policies.target(NEAR, TagsToAdd=added, CompletionDurationMinutes=60)
    stack = deploy(target, policies.details([source.number], entry))
    snapshot = share(source, target)
    assert the_copy(stack, NEAR, snapshot["SnapshotId"])["tags"]["CostCentre"] == "backup"
    [call] = aws.control.calls(account=target.number, action="CopySnapshot")
    assert call.parameters["CompletionDurationMinutes"] == "60"
    assert aws.control.calls(account=target.number, action="CreateTags") == []


def refusals(stack: Stack, snapshot: str) -> set[str]:
    records: list[Record] = stack.wait_for_audit(event="copy.refused", source__snapshot=snapshot)
    return {record["reason"] for record in records}


class TestAnUnusableKeyIsRefusedBeforeTheCopyStarts:
    """Otherwise EC2 would accept the copy and let it fail minutes later."""

    def test_a_disabled_one(self, source: Account, target: Account) -> None:
        key = target.create_key(NEAR)
        target.client("kms", NEAR).disable_key(KeyId=key)
        stack = deploy(target, policies.details([source.number], policies.target(NEAR, key=key)))
        assert refusals(stack, share(source, target)["SnapshotId"]) == {"key-disabled"}
        assert stack.copies(NEAR) == []

    def test_one_pending_deletion(self, source: Account, target: Account) -> None:
        key = target.create_key(NEAR)
        target.client("kms", NEAR).schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
        stack = deploy(target, policies.details([source.number], policies.target(NEAR, key=key)))
        assert refusals(stack, share(source, target)["SnapshotId"]) == {"key-pending-deletion"}

    def test_one_that_does_not_exist(self, source: Account, target: Account) -> None:
        key = f"arn:aws:kms:{NEAR}:{target.number}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
        stack = deploy(target, policies.details([source.number], policies.target(NEAR, key=key)))
        assert refusals(stack, share(source, target)["SnapshotId"]) == {"key-not-found"}

    def test_the_default_one_of_ebs(self, source: Account, target: Account) -> None:
        managed = target.client("kms", NEAR).describe_key(KeyId="alias/aws/ebs")["KeyMetadata"]["Arn"]
        stack = deploy(target, policies.details([source.number], policies.target(NEAR, key=managed)))
        assert refusals(stack, share(source, target)["SnapshotId"]) == {"key-aws-managed"}

    def test_and_the_other_region_is_served_all_the_same(self, source: Account, target: Account) -> None:
        bad, good = target.create_key(NEAR), target.create_key(FAR)
        target.client("kms", NEAR).disable_key(KeyId=bad)
        entries = [policies.target(NEAR, key=bad), policies.target(FAR, key=good)]
        stack = deploy(target, policies.details([source.number], *entries))
        snapshot = share(source, target)["SnapshotId"]
        assert the_copy(stack, FAR, snapshot)["KmsKeyId"] == good
        assert refusals(stack, snapshot) == {"key-disabled"}
