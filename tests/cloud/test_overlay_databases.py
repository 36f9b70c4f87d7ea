"""Accounts share snapshots of databases, and copy them into their own Regions."""

from typing import Any

import pytest

from tests.cloud import LocalAws
from tests.cloud.scene import AWAY, HOME, SOURCE, STRANGER, TARGET, key, refused

INSTANCE, CLUSTER = "DBSnapshot", "DBClusterSnapshot"
KINDS = pytest.mark.parametrize("kind", [INSTANCE, CLUSTER])
NOT_FOUND = {INSTANCE: "DBSnapshotNotFound", CLUSTER: "DBClusterSnapshotNotFoundFault"}
WRONG_STATE = {INSTANCE: "InvalidDBSnapshotState", CLUSTER: "InvalidDBClusterSnapshotStateFault"}
EXISTS = {INSTANCE: "DBSnapshotAlreadyExists", CLUSTER: "DBClusterSnapshotAlreadyExistsFault"}


def rds(aws: LocalAws, account: str, region: str = HOME) -> Any:
    return aws.client("rds", account, region)


def make(aws: LocalAws, kind: str, account: str = SOURCE, **more: Any) -> str:
    """A snapshot's ARN."""
    return aws.control.create_db_snapshot(account, HOME, cluster=kind == CLUSTER, **more)


def shared(aws: LocalAws, kind: str, **more: Any) -> str:
    return make(aws, kind, shared_with=[TARGET], **more)


def found(client: Any, kind: str, **asked: Any) -> list[dict[str, Any]]:
    operation = "describe_db_snapshots" if kind == INSTANCE else "describe_db_cluster_snapshots"
    listed: list[dict[str, Any]] = getattr(client, operation)(**asked)[f"{kind}s"]
    return listed


def arns(client: Any, kind: str, **asked: Any) -> list[str]:
    return [each[f"{kind}Arn"] for each in found(client, kind, **asked)]


def called(client: Any, verb: str, kind: str, suffix: str = "", **asked: Any) -> dict[str, Any]:
    noun = "db_snapshot" if kind == INSTANCE else "db_cluster_snapshot"
    answer: dict[str, Any] = getattr(client, f"{verb}_{noun}{suffix}")(**asked)
    return answer


def copy(client: Any, kind: str, source: str, name: str = "copy", **more: Any) -> dict[str, Any]:
    names = {f"Source{kind}Identifier": source, f"Target{kind}Identifier": name}
    made: dict[str, Any] = called(client, "copy", kind, **names, **more)[kind]
    return made


def permit(client: Any, kind: str, name: str, **change: Any) -> list[str]:
    identifier = {f"{kind}Identifier": name, "AttributeName": "restore"}
    answer = called(client, "modify", kind, "_attribute", **identifier, **change)[f"{kind}AttributesResult"]
    attribute = answer[f"{kind}Attributes"][0]
    assert attribute["AttributeName"] == "restore"
    values: list[str] = attribute["AttributeValues"]
    return values


def test_a_recipient_sees_what_rds_does_not_copy_with_an_instances_snapshot(aws: LocalAws) -> None:
    shared(aws, INSTANCE, option_group="options", tde=True)
    shared(aws, CLUSTER)
    [instance] = found(rds(aws, TARGET), INSTANCE, SnapshotType="shared")
    [cluster] = found(rds(aws, TARGET), CLUSTER, SnapshotType="shared")
    assert (instance["OptionGroupName"], instance["TdeCredentialArn"]) == (
        "options",
        f"arn:aws:rds:{HOME}:{SOURCE}:tde",
    )
    assert {"OptionGroupName", "TdeCredentialArn"}.isdisjoint(cluster)


@KINDS
def test_what_is_shared_is_seen_by_its_recipient_who_asks_for_it(aws: LocalAws, kind: str) -> None:
    arn, other = shared(aws, kind, tags={"team": "source"}), make(aws, kind)
    target = rds(aws, TARGET)
    assert arns(target, kind) == []
    assert arns(target, kind, SnapshotType="manual") == []
    assert arns(target, kind, SnapshotType="shared") == arns(target, kind, IncludeShared=True) == [arn]
    assert arns(rds(aws, SOURCE), kind) == sorted([arn, other])
    assert arns(rds(aws, SOURCE), kind, SnapshotType="shared") == []
    assert arns(rds(aws, STRANGER), kind, SnapshotType="shared") == []
    assert arns(rds(aws, TARGET, AWAY), kind, SnapshotType="shared") == []
    seen = found(target, kind, SnapshotType="shared")[0]
    assert (seen[f"{kind}Identifier"], seen["TagList"], seen["SnapshotType"]) == (arn, [], "shared")
    own = found(rds(aws, SOURCE), kind, **{f"{kind}Identifier": arn})[0]
    assert (own[f"{kind}Identifier"], own["TagList"]) == (arn.split(":")[-1], [{"Key": "team", "Value": "source"}])


@KINDS
def test_a_share_is_made_and_taken_back_by_its_owner_only(aws: LocalAws, kind: str) -> None:
    arn = make(aws, kind, id="nightly")
    assert permit(rds(aws, SOURCE), kind, "Nightly", ValuesToAdd=[TARGET, STRANGER]) == [TARGET, STRANGER]
    assert arns(rds(aws, TARGET), kind, SnapshotType="shared") == [arn]
    with refused(NOT_FOUND[kind]):
        permit(rds(aws, TARGET), kind, arn, ValuesToAdd=[STRANGER])
    assert permit(rds(aws, SOURCE), kind, "nightly", ValuesToRemove=[TARGET]) == [STRANGER]
    assert arns(rds(aws, TARGET), kind, SnapshotType="shared") == []
    described = called(rds(aws, SOURCE), "describe", kind, "_attributes", **{f"{kind}Identifier": "nightly"})
    assert described[f"{kind}AttributesResult"][f"{kind}Attributes"][0]["AttributeValues"] == [STRANGER]
    assert aws.control.events() == []


@KINDS
def test_a_share_may_be_late(aws: LocalAws, kind: str) -> None:
    aws.control.configure(share_seconds=60.0)
    arn = make(aws, kind, id="late")
    permit(rds(aws, SOURCE), kind, "late", ValuesToAdd=[TARGET])
    assert arns(rds(aws, TARGET), kind, SnapshotType="shared") == []
    aws.control.advance_clock(seconds=61)
    assert arns(rds(aws, TARGET), kind, SnapshotType="shared") == [arn]


@KINDS
def test_what_cannot_be_shared_is_refused(aws: LocalAws, kind: str) -> None:
    source = rds(aws, SOURCE)
    make(aws, kind, id="default", kms_key="alias/aws/rds")
    make(aws, kind, id="encrypted", kms_key=key(aws, SOURCE, HOME))
    make(aws, kind, id="automated", type="automated")
    make(aws, kind, id="tde", tde=True)
    make(aws, kind, id="plain")
    for name in ("default", "automated", "tde"):
        with refused(WRONG_STATE[kind]):
            permit(source, kind, name, ValuesToAdd=[TARGET])
    with refused(WRONG_STATE[kind], "public"):
        permit(source, kind, "encrypted", ValuesToAdd=["all"])
    with refused("InvalidParameterValue"):
        permit(source, kind, "plain", ValuesToAdd=["12345"])
    assert len(permit(source, kind, "plain", ValuesToAdd=[f"{n:012}" for n in range(20)])) == 20
    with refused("SharedSnapshotQuotaExceeded"):
        permit(source, kind, "plain", ValuesToAdd=[TARGET])


@KINDS
def test_public_ones_are_seen_by_who_asks_for_them(aws: LocalAws, kind: str) -> None:
    arn = make(aws, kind, id="open")
    permit(rds(aws, SOURCE), kind, "open", ValuesToAdd=["all"])
    assert arns(rds(aws, STRANGER), kind, SnapshotType="public") == [arn]
    assert arns(rds(aws, STRANGER), kind, IncludePublic=True) == [arn]
    assert arns(rds(aws, STRANGER), kind, SnapshotType="shared") == []


@KINDS
def test_automated_ones_are_listed_but_named_only_with_their_type(aws: LocalAws, kind: str) -> None:
    arn = make(aws, kind, id="rds:orders-2026-11-22", type="automated")
    source = rds(aws, SOURCE)
    assert arns(source, kind) == arns(source, kind, SnapshotType="automated") == [arn]
    assert arns(source, kind, SnapshotType="manual") == []
    name = {f"{kind}Identifier": "rds:orders-2026-11-22"}
    assert arns(source, kind, SnapshotType="automated", **name) == [arn]
    with refused(NOT_FOUND[kind]):
        found(source, kind, **name)
    with refused("InvalidParameterValue"):
        found(source, kind, SnapshotType="other")


@KINDS
def test_pages_hold_20_to_100_and_tell_everything_once(aws: LocalAws, kind: str) -> None:
    specs = [
        {"account": SOURCE, "region": HOME, "cluster": kind == CLUSTER, "id": f"s-{n:03}", "shared_with": [TARGET]}
        for n in range(130)
    ]
    made = aws.control.create_db_snapshots(specs)
    target, source = rds(aws, TARGET), rds(aws, SOURCE)
    assert len(found(target, kind, SnapshotType="shared")) == 100
    operation = "describe_db_snapshots" if kind == INSTANCE else "describe_db_cluster_snapshots"
    told: list[str] = []
    for page in target.get_paginator(operation).paginate(SnapshotType="shared", PaginationConfig={"PageSize": 20}):
        told += [each[f"{kind}Arn"] for each in page[f"{kind}s"]]
        # What was told already goes; nothing else is left out for it.
        called(source, "delete", kind, **{f"{kind}Identifier": told[-1].split(":")[-1]})
    assert told == sorted(made)
    for size in (19, 101):
        with refused("InvalidParameterValue"):
            found(target, kind, MaxRecords=size)
    with refused("InvalidParameterValue"):
        found(target, kind, Marker="nowhere")


@KINDS
def test_filters_narrow_the_list(aws: LocalAws, kind: str) -> None:
    one = shared(aws, kind, source_id="orders", engine="mysql")
    two = shared(aws, kind, source_id="users", engine="postgres")
    of = "db-instance-id" if kind == INSTANCE else "db-cluster-id"
    by_id = "db-snapshot-id" if kind == INSTANCE else "db-cluster-snapshot-id"
    parent = f"arn:aws:rds:{HOME}:{SOURCE}:{'db' if kind == INSTANCE else 'cluster'}:users"
    target = rds(aws, TARGET)

    def through(name: str, *values: str) -> list[str]:
        return arns(target, kind, IncludeShared=True, Filters=[{"Name": name, "Values": list(values)}])

    assert through("engine", "mysql") == [one]
    assert through(of, "Users") == through(of, parent) == [two]
    assert through(by_id, one, two) == sorted([one, two])
    assert through("snapshot-type", "shared") == sorted([one, two])
    assert through("snapshot-type", "manual") == []
    with refused("InvalidParameterValue", "tag:team"):
        through("tag:team", "a")
    source_name = {"DBInstanceIdentifier" if kind == INSTANCE else "DBClusterIdentifier": "orders"}
    assert arns(target, kind, SnapshotType="shared", **source_name) == [one]


@KINDS
def test_tags_are_the_owners(aws: LocalAws, kind: str) -> None:
    arn = shared(aws, kind, tags={"a": "1", "b": "2"})
    source = rds(aws, SOURCE)
    source.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "c", "Value": "3"}, {"Key": "a", "Value": "0"}])
    source.remove_tags_from_resource(ResourceName=arn, TagKeys=["b", "absent"])
    tags = source.list_tags_for_resource(ResourceName=arn)["TagList"]
    assert {each["Key"]: each["Value"] for each in tags} == {"a": "0", "c": "3"}
    assert found(source, kind)[0]["TagList"] == tags
    with refused(NOT_FOUND[kind]):
        rds(aws, TARGET).list_tags_for_resource(ResourceName=arn)
    with refused("InvalidParameterValue", "reserved"):
        source.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "aws:x", "Value": ""}])
    with refused("InvalidParameterValue", "50"):
        source.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": f"k{n}", "Value": ""} for n in range(49)])


@KINDS
def test_what_is_not_modelled_says_so(aws: LocalAws, kind: str) -> None:
    asked = {"DBInstanceIdentifier" if kind == INSTANCE else "DBClusterIdentifier": "orders"}
    with refused("InvalidAction", "Not modelled"):
        called(rds(aws, SOURCE), "create", kind, **{f"{kind}Identifier": "new"}, **asked)


@KINDS
def test_faults_strike_when_rds_is_named(aws: LocalAws, kind: str) -> None:
    aws.control.inject_fault(code="InternalFailure", status=500, times=1)
    assert arns(rds(aws, SOURCE), kind) == []
    aws.control.inject_fault(service="rds", action=f"Describe{kind}s", code="AccessDenied", status=403, times=1)
    with refused("AccessDenied"):
        found(rds(aws, SOURCE), kind)
    assert [each.outcome for each in aws.control.calls(service="rds")] == ["ok", "AccessDenied"]
