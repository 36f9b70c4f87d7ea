"""Copies of databases' snapshots: their names, keys, quotas, states and events."""

from typing import Any

import pytest

from tests.cloud import LocalAws
from tests.cloud.scene import AWAY, HOME, SOURCE, STRANGER, TARGET, key, naming, refused
from tests.cloud.test_overlay_databases import (
    CLUSTER,
    EXISTS,
    INSTANCE,
    KINDS,
    NOT_FOUND,
    WRONG_STATE,
    called,
    copy,
    found,
    make,
    rds,
    shared,
)
from tests.iam.requests import requests_of


def delete(client: Any, kind: str, name: str) -> dict[str, Any]:
    deleted: dict[str, Any] = called(client, "delete", kind, **{f"{kind}Identifier": name})[kind]
    return deleted


def one(client: Any, kind: str, name: str = "copy") -> dict[str, Any]:
    return found(client, kind, **{f"{kind}Identifier": name})[0]


def encrypted(kind: str) -> str:
    return "Encrypted" if kind == INSTANCE else "StorageEncrypted"


def numbers(aws: LocalAws) -> list[tuple[str, str, str]]:
    """Account, Region and number of each event."""
    events = aws.control.events()
    assert {each["source"] for each in events} <= {"aws.rds"}
    return [(each["account"], each["region"], each["detail"]["EventID"]) for each in events]


@KINDS
def test_one_call_copies_across_account_and_region_under_a_key(aws: LocalAws, kind: str) -> None:
    sources = key(aws, SOURCE, HOME, statements=naming(TARGET))
    source = shared(aws, kind, kms_key=sources, allocated_storage=70, created="2026-11-01T00:00:00Z", tags={"a": "1"})
    own, target = key(aws, TARGET, AWAY), rds(aws, TARGET, AWAY)
    aws.control.configure(copy_seconds=100.0)
    made = copy(target, kind, source, "Copy-1", KmsKeyId=own, Tags=[{"Key": "by", "Value": "us"}])
    assert (made[f"{kind}Identifier"], made["Status"], made["PercentProgress"]) == ("copy-1", "copying", 0)
    aws.control.advance_clock(seconds=50)
    assert one(target, kind, "copy-1")["PercentProgress"] in range(50, 60)
    aws.control.advance_clock(seconds=51)
    ended = one(target, kind, "copy-1")
    assert (ended["Status"], ended["PercentProgress"], ended["AllocatedStorage"]) == ("available", 100, 70)
    assert (ended[encrypted(kind)], ended["KmsKeyId"]) == (True, own)
    assert ended["TagList"] == [{"Key": "by", "Value": "us"}]
    assert ended["SnapshotCreateTime"].year == made["SnapshotCreateTime"].year
    assert ended["SnapshotCreateTime"].isoformat() != "2026-11-01T00:00:00+00:00"
    named = "SourceDBSnapshotIdentifier" if kind == INSTANCE else "SourceDBClusterSnapshotArn"
    assert ended[named] == source
    if kind == INSTANCE:
        assert ended["OriginalSnapshotCreateTime"].isoformat() == "2026-11-01T00:00:00+00:00"
        assert ended["SourceRegion"] == HOME
    assert found(rds(aws, SOURCE, AWAY), kind) == []


@KINDS
@pytest.mark.parametrize("name", ["1st", "a--b", "a-", "-a", "a_b", "a.b", "rds:a", "ä"])
def test_names_that_rds_does_not_take(aws: LocalAws, kind: str, name: str) -> None:
    with refused("InvalidParameterValue"):
        copy(rds(aws, TARGET), kind, shared(aws, kind), name)


def test_names_are_as_long_as_the_kind_allows(aws: LocalAws) -> None:
    for kind, longest in ((INSTANCE, 255), (CLUSTER, 63)):
        source, target = shared(aws, kind), rds(aws, TARGET)
        assert copy(target, kind, source, "a" * longest)["Status"] == "copying"
        with refused("InvalidParameterValue"):
            copy(target, kind, source, "a" * (longest + 1))


@KINDS
def test_a_name_is_taken_once_in_whatever_case_for_each_kind(aws: LocalAws, kind: str) -> None:
    source, target = shared(aws, kind), rds(aws, TARGET)
    copy(target, kind, source, "copy")
    for name in ("copy", "COPY"):
        with refused(EXISTS[kind]):
            copy(target, kind, source, name)
    other = CLUSTER if kind == INSTANCE else INSTANCE
    assert copy(target, other, shared(aws, other), "copy")["Status"] == "copying"
    delete(target, kind, "copy")
    assert copy(target, kind, source, "copy")["Status"] == "copying"


@KINDS
def test_only_what_may_be_copied_is_copied(aws: LocalAws, kind: str) -> None:
    source = shared(aws, kind)
    with refused(NOT_FOUND[kind]):
        copy(rds(aws, STRANGER), kind, source)
    # A shared one is named by its ARN.
    with refused(NOT_FOUND[kind]):
        copy(rds(aws, TARGET), kind, source.split(":")[-1])
    aws.control.change_db_snapshot(source, status="creating")
    with refused(WRONG_STATE[kind], "creating"):
        copy(rds(aws, TARGET), kind, source)
    with refused(NOT_FOUND[kind]):
        copy(rds(aws, TARGET), kind, shared(aws, CLUSTER if kind == INSTANCE else INSTANCE))


@KINDS
def test_keys(aws: LocalAws, kind: str) -> None:
    hidden = key(aws, SOURCE, HOME)
    private, target = shared(aws, kind, kms_key=hidden), rds(aws, TARGET, AWAY)
    own, elsewhere, foreign = key(aws, TARGET, AWAY), key(aws, TARGET, HOME), key(aws, STRANGER, AWAY)
    with refused("KMSKeyNotAccessibleFault", "source"):
        copy(target, kind, private, KmsKeyId=own)
    source = shared(aws, kind, kms_key=key(aws, SOURCE, HOME, statements=naming(TARGET)))
    with refused("InvalidParameterCombination", "KmsKeyId"):
        copy(target, kind, source)
    for bad in (elsewhere, foreign, "alias/none"):
        with refused("KMSKeyNotAccessibleFault"):
            copy(target, kind, source, KmsKeyId=bad)
    aws.client("kms", TARGET, AWAY).disable_key(KeyId=own)
    with refused("KMSKeyNotAccessibleFault"):
        copy(target, kind, source, KmsKeyId=own)
    assert found(target, kind) == []


def test_a_plain_snapshot_is_encrypted_by_copying_if_it_is_an_instances(aws: LocalAws) -> None:
    own, target = key(aws, TARGET, HOME), rds(aws, TARGET)
    copy(target, INSTANCE, shared(aws, INSTANCE), KmsKeyId=own)
    assert one(target, INSTANCE)["KmsKeyId"] == own
    with refused("InvalidParameterCombination", "unencrypted"):
        copy(target, CLUSTER, shared(aws, CLUSTER), KmsKeyId=own)
    copy(target, CLUSTER, shared(aws, CLUSTER))
    assert one(target, CLUSTER)["StorageEncrypted"] is False


def test_tde_needs_an_option_group_in_another_region(aws: LocalAws) -> None:
    source = shared(aws, INSTANCE, tde=True, option_group="tde-here", engine="oracle-ee")
    target = rds(aws, TARGET, AWAY)
    with refused("InvalidParameterCombination", "OptionGroupName"):
        copy(target, INSTANCE, source)
    assert copy(target, INSTANCE, source, OptionGroupName="tde-there")["OptionGroupName"] == "tde-there"


@KINDS
def test_copies_in_flight_are_limited_by_destination_region(aws: LocalAws, kind: str) -> None:
    aws.control.configure(hold_copies=True)
    source, limit = shared(aws, kind), 20 if kind == INSTANCE else 5
    target = rds(aws, TARGET)
    for n in range(limit):
        copy(target, kind, source, f"copy-{n}")
    with refused("SnapshotQuotaExceeded"):
        copy(target, kind, source)
    quotas = {each["AccountQuotaName"]: each for each in target.describe_account_attributes()["AccountQuotas"]}
    quota = quotas["ManualSnapshots" if kind == INSTANCE else "ManualClusterSnapshots"]
    assert (quota["Used"], quota["Max"]) == (limit, 100)
    assert copy(rds(aws, TARGET, AWAY), kind, source)["Status"] == "copying"
    assert copy(rds(aws, SOURCE), kind, source)["Status"] == "copying"
    first = one(target, kind, "copy-0")[f"{kind}Arn"]
    assert aws.control.release_db_copies(first) == [first]
    assert copy(target, kind, source)["Status"] == "copying"


@KINDS
def test_manual_snapshots_are_limited_too_with_the_same_code(aws: LocalAws, kind: str) -> None:
    aws.control.configure(db_snapshot_limit=2)
    source, target = shared(aws, kind), rds(aws, TARGET)
    make(aws, kind, TARGET)
    make(aws, kind, TARGET, type="automated")
    copy(target, kind, source)
    with refused("SnapshotQuotaExceeded"):
        copy(target, kind, source, "another")
    delete(target, kind, "copy")
    assert copy(target, kind, source, "another")["Status"] == "copying"


@KINDS
def test_deleting_a_copy_that_runs_cancels_it(aws: LocalAws, kind: str) -> None:
    aws.control.configure(hold_copies=True)
    source, target = shared(aws, kind), rds(aws, TARGET, AWAY)
    copy(target, kind, source)
    with refused(NOT_FOUND[kind]):
        delete(rds(aws, STRANGER, AWAY), kind, "copy")
    assert delete(target, kind, "copy")["Status"] == "copying"
    assert found(target, kind) == []
    assert aws.control.release_db_copies() == []
    with refused(NOT_FOUND[kind]):
        delete(target, kind, "copy")


@KINDS
def test_only_own_manual_snapshots_are_deleted(aws: LocalAws, kind: str) -> None:
    arn = shared(aws, kind, id="kept")
    with refused(NOT_FOUND[kind]):
        delete(rds(aws, TARGET), kind, arn)
    make(aws, kind, id="rds:auto", type="automated")
    with refused(WRONG_STATE[kind], "automated"):
        delete(rds(aws, SOURCE), kind, "rds:auto")


@KINDS
def test_a_copy_fails_when_its_source_goes_or_is_another_by_then(aws: LocalAws, kind: str) -> None:
    aws.control.configure(hold_copies=True)
    source, target = shared(aws, kind, id="nightly"), rds(aws, TARGET)
    copy(target, kind, source)
    delete(rds(aws, SOURCE), kind, "nightly")
    assert shared(aws, kind, id="nightly") == source
    aws.control.release_db_copies()
    assert one(target, kind)["Status"] == "failed"


@KINDS
def test_copies_are_spoiled_as_a_rule_says(aws: LocalAws, kind: str) -> None:
    source, target = shared(aws, kind, allocated_storage=70), rds(aws, TARGET)
    aws.control.spoil_copies(state_message="for volumes")
    aws.control.spoil_copies(service="rds", state_message="failed", times=1)
    aws.control.spoil_copies(service="rds", volume_size=5, times=1)
    for name in ("first", "second", "third"):
        copy(target, kind, source, name)
    ended = [(each["Status"], each["AllocatedStorage"]) for each in found(target, kind)]
    assert ended == [("failed", 70), ("available", 5), ("available", 70)]


@KINDS
def test_a_copy_is_made_although_the_answer_is_lost_and_its_name_is_taken_at_once(aws: LocalAws, kind: str) -> None:
    aws.control.inject_fault(
        service="rds", action=f"Copy{kind}", code="InternalFailure", executed=True, status=500, times=1
    )
    aws.control.configure(copy_visibility_seconds=60.0)
    source, target = shared(aws, kind), rds(aws, TARGET)
    with refused("InternalFailure"):
        copy(target, kind, source)
    with refused(NOT_FOUND[kind]):
        one(target, kind)
    with refused(EXISTS[kind]):
        copy(target, kind, source)
    aws.control.advance_clock(seconds=61)
    assert one(target, kind)["Status"] == "available"


def test_events_go_to_the_copys_owner_only_and_are_of_instances(aws: LocalAws) -> None:
    aws.control.configure(hold_copies=True)
    near, far = rds(aws, TARGET), rds(aws, TARGET, AWAY)
    source = shared(aws, INSTANCE)
    copy(near, INSTANCE, source)
    assert numbers(aws) == [(TARGET, HOME, "RDS-EVENT-0196")]
    aws.control.release_db_copies()
    assert numbers(aws)[1:] == [(TARGET, HOME, "RDS-EVENT-0197")]
    copy(far, INSTANCE, source)
    aws.control.release_db_copies()
    assert numbers(aws)[2:] == [(TARGET, AWAY, "RDS-EVENT-0059"), (TARGET, AWAY, "RDS-EVENT-0060")]
    delete(far, INSTANCE, "copy")
    copy(far, INSTANCE, source)
    delete(far, INSTANCE, "copy")
    assert [each[2] for each in numbers(aws)[4:]] == ["RDS-EVENT-0041", "RDS-EVENT-0059", "RDS-EVENT-0061"]
    before = len(numbers(aws))
    copy(far, CLUSTER, shared(aws, CLUSTER))
    aws.control.release_db_copies()
    delete(far, CLUSTER, "copy")
    assert len(numbers(aws)) == before


def test_an_event_reaches_a_rule_of_its_owner(aws: LocalAws) -> None:
    sqs, rules = aws.client("sqs", TARGET, HOME), aws.client("events", TARGET, HOME)
    url = sqs.create_queue(QueueName="rds-events")["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    rules.put_rule(Name="rds", EventPattern='{"source": ["aws.rds"], "detail-type": ["RDS DB Snapshot Event"]}')
    rules.put_targets(Rule="rds", Targets=[{"Id": "1", "Arn": queue}])
    copy(rds(aws, TARGET), INSTANCE, shared(aws, INSTANCE))
    body = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"][0]["Body"]
    assert '"RDS-EVENT-0196"' in body


@KINDS
def test_iam_is_asked_for_the_source_the_name_and_the_keys(aws: LocalAws, kind: str) -> None:
    """A copy is authorized on both snapshots, in both Regions; RDS uses both keys for the caller."""
    theirs = key(aws, SOURCE, HOME, statements=naming(TARGET))
    own, target = key(aws, TARGET, AWAY), rds(aws, TARGET, AWAY)
    source = shared(aws, kind, kms_key=theirs)
    tags = [{"Key": "snapferry:policy", "Value": "default"}]
    copy(target, kind, source, "snapferry-1", KmsKeyId=own, Tags=tags)
    made = one(target, kind, "snapferry-1")[f"{kind}Arn"]
    target.add_tags_to_resource(ResourceName=made, Tags=[{"Key": "snapferry:status", "Value": "verified"}])
    delete(target, kind, "snapferry-1")
    copying, tagging, deleting = (
        {(each.action.split(":")[1], each.resource, each.region): each.context for each in requests_of(call)}
        for call in aws.control.calls(service="rds", account=TARGET)
        if not call.action.startswith("Describe")
    )
    in_request = {"aws:TagKeys": ["snapferry:policy"], "aws:RequestTag/snapferry:policy": "default"}
    action, on_copy = f"Copy{kind}", {"aws:ResourceTag/snapferry:policy": "default"}
    for region in (AWAY, HOME):
        assert copying[action, source, region] == {"aws:ResourceAccount": SOURCE, **in_request}
        assert copying[action, made, region] == copying["AddTagsToResource", made, region] == in_request
    assert ("CrossRegionCommunication", "*", AWAY) in copying
    assert copying["CreateGrant", theirs, HOME]["kms:ViaService"] == f"rds.{HOME}.amazonaws.com"
    assert copying["CreateGrant", own, AWAY]["kms:ViaService"] == f"rds.{AWAY}.amazonaws.com"
    verdict = {"aws:TagKeys": ["snapferry:status"], "aws:RequestTag/snapferry:status": "verified"}
    assert tagging == {("AddTagsToResource", made, AWAY): {**on_copy, **verdict}}
    settled = {**on_copy, "aws:ResourceTag/snapferry:status": "verified"}
    assert deleting == {(f"Delete{kind}", made, AWAY): settled}
