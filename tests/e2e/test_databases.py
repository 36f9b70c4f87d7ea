"""Snapshots of instances and clusters from the share to the end of their time, in two Regions."""

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import run_as
from tests.e2e import policies
from tests.e2e.accounts import HOME, Account
from tests.e2e.databases import CLUSTER, COPIER, ENCRYPTED, EXPIRER, INSTANCE, VERIFIER, Databases, policy, vault
from tests.e2e.deploy import STACK, redeploy
from tests.iam import deployed
from tests.iam.evaluator import actions_of

NEAR, FAR = "eu-west-1", "us-west-2"
KINDS = pytest.mark.parametrize("kind", [INSTANCE, CLUSTER])
ENGINES = {INSTANCE: "postgres", CLUSTER: "aurora-mysql"}
# No copy is kept for being the last: what is tried here is the end of their time.
NONE_KEPT = {"Interval": 30, "IntervalUnit": "DAYS", "KeepAtLeast": 0}


def entry(account: Account, region: str, **more: Any) -> dict[str, Any]:
    return policies.target(region, key=account.create_key(region), RetainRule=NONE_KEPT, **more)


def source_key(source: Account, target: Account) -> str:
    return source.create_key(HOME, used_by=target.number)


def names(copies: list[dict[str, Any]], kind: str) -> set[str]:
    return {each[f"{kind}Identifier"] for each in copies}


def remove(source: Account, kind: str, name: str) -> None:
    rds = source.client("rds")
    if kind == INSTANCE:
        rds.delete_db_snapshot(DBSnapshotIdentifier=name)
    else:
        rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=name)


def told(guarded: Databases, function: str, event: str, kind: str) -> int:
    """How many records of an event are about a kind."""
    word = {INSTANCE: "DB_SNAPSHOT", CLUSTER: "DB_CLUSTER_SNAPSHOT"}[kind]
    return len(guarded.audit(function, event=event, source__kind=word))


def test_an_instance_and_a_cluster_from_share_to_expiry(source: Account, target: Account) -> None:
    keys = {region: target.create_key(region) for region in (NEAR, FAR)}
    entries = [policies.target(region, key=key, RetainRule=NONE_KEPT) for region, key in keys.items()]
    guarded = vault(target, policy(source, *entries), SourceKeyArns=(theirs := source_key(source, target)))
    sources = {
        kind: guarded.shared(source, kind, engine=engine, kms_key=theirs, allocated_storage=70, id="nightly")
        for kind, engine in ENGINES.items()
    }
    guarded.sweep()
    for kind, arn in sources.items():
        for region, key in keys.items():
            [copy] = guarded.copies(region, kind)
            assert copy[f"{kind}Identifier"].startswith("snapferry-")
            assert (copy[ENCRYPTED[kind]], copy["KmsKeyId"], copy["Engine"]) == (True, key, ENGINES[kind])
            expected = {"status": "copying", "source-snapshot": "nightly", "source-account": source.number}
            assert {f"snapferry:{name}": value for name, value in expected.items()}.items() <= copy["tags"].items()
            assert arn.split(":")[3] == copy["tags"]["snapferry:source-region"] == HOME
        assert told(guarded, COPIER, "copy.started", kind) == 2
    guarded.verify()
    for kind in sources:
        for region in keys:
            [copy] = guarded.copies(region, kind, status="verified")
            assert copy["tags"]["snapferry:copy"] == copy[f"{kind}Identifier"]
        assert told(guarded, VERIFIER, "copy.verified", kind) == 2
    # Nothing of it is asked for twice, and nothing goes before its time.
    guarded.sweep()
    guarded.expire()
    assert [guarded.asked(kind) for kind in sources] == [2, 2]
    for kind in sources:
        [near], [far] = (guarded.copies(region, kind) for region in keys)
        guarded.let_expire(near, NEAR, kind)
        guarded.expire()
        assert guarded.copies(NEAR, kind) == []
        assert names(guarded.copies(FAR, kind), kind) == {far[f"{kind}Identifier"]}
        assert told(guarded, EXPIRER, "copy.expired", kind) == 1


@KINDS
def test_what_is_made_again_under_its_name_is_copied_again(source: Account, target: Account, kind: str) -> None:
    guarded = vault(target, policy(source, entry(target, NEAR)))
    theirs = source_key(source, target)
    arn = guarded.shared(source, kind, kms_key=theirs, id="nightly", created="2026-11-01T00:00:00Z")
    guarded.sweep()
    guarded.verify()
    remove(source, kind, "nightly")
    again = guarded.shared(source, kind, kms_key=theirs, id="nightly", created="2026-11-02T00:00:00Z")
    assert again == arn
    guarded.sweep()
    assert len(guarded.copies(NEAR, kind, source_snapshot="nightly")) == 2
    assert guarded.asked(kind) == 2


@KINDS
def test_a_lost_answer_makes_no_second_copy(source: Account, target: Account, kind: str) -> None:
    guarded = vault(target, policy(source, entry(target, NEAR)))
    guarded.shared(source, kind, kms_key=source_key(source, target))
    guarded.control.inject_fault(service="rds", action=f"Copy{kind}", drop="after", times=1)
    guarded.sweep()
    guarded.sweep()
    guarded.verify()
    assert len(guarded.copies(NEAR, kind, status="verified")) == 1


@KINDS
def test_a_full_quota_is_told_and_what_waits_is_copied_when_there_is_room(
    source: Account, target: Account, kind: str
) -> None:
    guarded = vault(target, policy(source, entry(target, NEAR)))
    guarded.control.configure(db_snapshot_limit=0)
    guarded.shared(source, kind, kms_key=source_key(source, target))
    guarded.sweep()
    assert guarded.copies(NEAR, kind) == []
    [*_, waits] = guarded.audit(event="copy.deferred", reason="quota-exceeded")
    assert waits["copy"]["region"] == NEAR
    guarded.control.configure(db_snapshot_limit=100)
    guarded.sweep()
    assert len(guarded.copies(NEAR, kind)) == 1


@pytest.mark.parametrize(("kind", "limit"), [(INSTANCE, 20), (CLUSTER, 5)])
def test_a_flood_of_shares_is_copied_as_the_region_takes_it(
    source: Account, target: Account, kind: str, limit: int
) -> None:
    """More databases than copies may run at a time, and of one of them three snapshots, whose copies are increments."""
    guarded = vault(target, policy(source, entry(target, NEAR)))
    guarded.control.configure(hold_copies=True)
    key = source_key(source, target)
    others = limit + 2
    for number in range(others):
        guarded.shared(source, kind, kms_key=key, id=f"night-{number}", resource_id=f"db-OTHER{number}")
    nights = [f"2026-11-{day}T03:00:00Z" for day in (20, 21, 22)]
    for night in nights:
        guarded.shared(source, kind, kms_key=key, id=f"night-{night[8:10]}-a", resource_id="db-SAME", created=night)
    guarded.sweep()
    assert len(guarded.copies(NEAR, kind)) == limit
    for _ in range(4):
        guarded.control.release_db_copies()
        guarded.serve()
    guarded.control.release_db_copies()
    copies = guarded.copies(NEAR, kind)
    assert len(copies) == len(names(copies, kind)) == others + len(nights), "each once"
    if kind == INSTANCE:
        of_same = [each["tags"] for each in copies if each["DbiResourceId"] == "db-SAME"]
        started = [tags["snapferry:source-start-time"] for tags in of_same]
        assert started == nights, "the oldest first, one after the other"
    assert guarded.audit(event="copy.deferred", reason="region-full")
    assert guarded.audit(event="copy.failed") == []


@KINDS
def test_under_a_doomed_key_nothing_counts_and_all_is_copied_under_the_next(
    source: Account, target: Account, kind: str
) -> None:
    first, second = (target.create_key(NEAR) for _ in range(2))
    documents = [policy(source, policies.target(NEAR, key=key, RetainRule=NONE_KEPT)) for key in (first, second)]
    # Its role may use both, because what it did before is held against what it may in the end.
    both = {"TargetKeyArns": f"{first},{second}"}
    guarded = vault(target, documents[0], **both)
    guarded.shared(source, kind, kms_key=source_key(source, target))
    guarded.sweep()
    guarded.verify()
    assert len(guarded.copies(NEAR, kind, status="verified")) == 1
    target.client("kms", NEAR).schedule_key_deletion(KeyId=first, PendingWindowInDays=7)
    redeploy(guarded.stack, documents[1], **both)
    guarded.sweep()
    guarded.verify()
    found = guarded.copies(NEAR, kind, status="verified")
    assert [each["KmsKeyId"] for each in found] == [first, second]
    # What was copied again is not copied a third time.
    guarded.sweep()
    assert guarded.asked(kind) == 2


def test_what_cannot_be_encrypted_is_refused_and_never_copied_in_the_clear(source: Account, target: Account) -> None:
    guarded = vault(target, policy(source, entry(target, NEAR)))
    guarded.shared(source, CLUSTER)
    guarded.shared(source, INSTANCE)
    guarded.sweep()
    assert guarded.copies(NEAR, CLUSTER) == []
    assert [each["Encrypted"] for each in guarded.copies(NEAR, INSTANCE)] == [True]
    assert guarded.asked(CLUSTER) == 0


def test_a_stranger_s_snapshot_is_left_alone(source: Account, target: Account, stranger: Account) -> None:
    guarded = vault(target, policy(source, entry(target, NEAR)))
    guarded.shared(stranger, INSTANCE)
    guarded.sweep()
    assert guarded.copies(NEAR, INSTANCE) == []


def test_every_call_is_one_that_the_roles_allow_and_none_is_refused(source: Account, target: Account) -> None:
    """That nothing is called which a role does not allow, every test asserts at its end; here that it could tell."""
    guarded = vault(target, policy(source, entry(target, NEAR)))
    guarded.shared(source, INSTANCE)
    guarded.sweep()
    calls = [call for call in guarded.control.calls(account=target.number, service="rds") if call.role]
    assert {call.action for call in calls} >= {"CopyDBSnapshot", "DescribeDBSnapshots", "DescribeDBClusterSnapshots"}
    role = guarded.stack.outputs["VerifyCopiedDatabasesRoleArn"]
    others = [replace(call, role=role) for call in calls if call.action == "CopyDBSnapshot"]
    assert deployed.refusals(target.aws, others)


@KINDS
def test_a_copy_that_is_not_shown_yet_is_not_asked_for_again(source: Account, target: Account, kind: str) -> None:
    guarded = vault(target, policy(source, entry(target, NEAR)))
    guarded.control.configure(copy_visibility_seconds=3600)
    guarded.shared(source, kind, kms_key=source_key(source, target))
    guarded.sweep()
    assert guarded.copies(NEAR, kind) == []
    guarded.sweep()
    guarded.control.advance_clock(hours=2)
    guarded.sweep()
    guarded.verify()
    assert len(guarded.copies(NEAR, kind, status="verified")) == 1


@KINDS
def test_a_copier_that_dies_in_its_request_has_asked_once(source: Account, target: Account, kind: str) -> None:
    guarded = vault(target, policy(source, entry(target, NEAR)))
    guarded.shared(source, kind, kms_key=source_key(source, target))
    function = guarded.stack.outputs["CopySharedDatabasesFunction"]
    guarded.control.inject_fault(service="rds", action=f"Copy{kind}", kill=function, drop="after", times=1)
    with suppress(RuntimeError):
        guarded.stack.invoke(COPIER, {"sweep": "the one that dies"})
    # The next goes on with its round.
    guarded.stack.invoke(COPIER, {"sweep": "the next"})
    guarded.verify()
    assert len(guarded.copies(NEAR, kind, status="verified")) == 1


@KINDS
def test_the_last_verified_copy_outlives_its_time(source: Account, target: Account, kind: str) -> None:
    kept = {**NONE_KEPT, "KeepAtLeast": 1}
    key = target.create_key(NEAR)
    guarded = vault(target, policy(source, policies.target(NEAR, key=key, RetainRule=kept)))
    theirs = source_key(source, target)
    resource = {
        "resource_id": "db-ABCDEFGHIJKLMNOPQRSTUVWXYZ" if kind == INSTANCE else "cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    }
    guarded.shared(source, kind, kms_key=theirs, created="2026-11-01T00:00:00Z", **resource)
    guarded.sweep()
    guarded.verify()
    [first] = guarded.copies(NEAR, kind)
    guarded.let_expire(first, NEAR, kind)
    guarded.expire()
    assert names(guarded.copies(NEAR, kind), kind) == {first[f"{kind}Identifier"]}
    # Once there is a newer one of the same database, it goes.
    guarded.shared(source, kind, kms_key=theirs, **resource)
    guarded.sweep()
    guarded.verify()
    guarded.expire()
    assert len(left := guarded.copies(NEAR, kind, status="verified")) == 1
    assert names(left, kind) != {first[f"{kind}Identifier"]}


@KINDS
def test_what_goes_before_it_is_copied_is_missed(source: Account, target: Account, kind: str, tmp_path: Path) -> None:
    document = policy(source, entry(target, NEAR))
    guarded = vault(target, document)
    guarded.control.configure(db_snapshot_limit=0)
    arn = guarded.shared(source, kind, kms_key=source_key(source, target), id="nightly")
    guarded.sweep()
    remove(source, kind, "nightly")
    guarded.sweep()
    guarded.sweep()
    assert told(guarded, COPIER, "copy.missed", kind) == 1
    (written := tmp_path / "policy.json").write_text(json.dumps(document))
    done = run_as(target, "coverage", written, "--stack", STACK, "--json")
    assert [(row["state"], row["arn"]) for row in done.json()["rows"]] == [("missed", arn)]
    assert arn in run_as(target, "coverage", written, "--stack", STACK, "--csv", "-").out


@KINDS
def test_an_edited_home_hides_no_copy(source: Account, target: Account, kind: str) -> None:
    guarded = vault(target, policy(source, entry(target, NEAR)))
    guarded.shared(source, kind, kms_key=source_key(source, target), id="nightly")
    guarded.sweep()
    guarded.verify()
    [copy] = guarded.copies(NEAR, kind, status="verified")
    guarded.tag(copy, NEAR, kind, source_region="ap-southeast-2")
    remove(source, kind, "nightly")
    guarded.sweep()
    [refused] = guarded.audit(event="copy.refused", reason="malformed-tags")
    assert refused["copy"]["snapshot"] == copy[f"{kind}Identifier"]


@KINDS
def test_a_key_that_is_not_the_policys_rejects_a_copy(source: Account, target: Account, kind: str) -> None:
    guarded = vault(target, policy(source, entry(target, NEAR)))
    guarded.control.spoil_copies(service="rds", kms_key=target.create_key(NEAR), times=1)
    guarded.shared(source, kind, kms_key=source_key(source, target))
    guarded.sweep()
    guarded.verify()
    [copy] = guarded.copies(NEAR, kind)
    assert copy["tags"]["snapferry:status"] == "rejected"
    assert told(guarded, VERIFIER, "copy.rejected", kind) == 1
    # Another is asked for, under another name, and the rejected one stays for a day.
    guarded.sweep()
    guarded.verify()
    assert len(guarded.copies(NEAR, kind, status="verified")) == 1
    assert len(guarded.copies(NEAR, kind)) == 2


# What the roles allow and no function calls by itself.
ANOTHER_DOES = {
    *("logs:CreateLogStream", "logs:PutLogEvents"),
    *("kms:CreateGrant", "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*"),
    "rds:CrossRegionCommunication",
    # A turn goes a minute after the last copy of its account was served.
    "dynamodb:DeleteItem",
}


def test_every_allowed_action_is_used(source: Account, target: Account) -> None:
    guarded = vault(target, policy(source, entry(target, NEAR)))
    guarded.control.configure(db_snapshot_limit=0)
    for kind in ENGINES:
        guarded.shared(source, kind, kms_key=source_key(source, target))
    guarded.sweep()
    guarded.control.configure(db_snapshot_limit=100)
    guarded.serve()
    guarded.sweep()
    guarded.verify()
    for kind in ENGINES:
        [copy] = guarded.copies(NEAR, kind, status="verified")
        guarded.let_expire(copy, NEAR, kind)
    guarded.expire()
    calls = guarded.control.calls(account=target.number)
    for name in ("CopySharedDatabases", "VerifyCopiedDatabases", "DeleteExpiredDatabaseCopies"):
        role = guarded.stack.outputs[f"{name}RoleArn"]
        seen = {f"{call.service}:{call.action}" for call in calls if call.role == role}
        tagging = {"rds:AddTagsToResource"} if any(call.role == role and call.request_tags for call in calls) else set()
        allowed = {action for _, action in actions_of(deployed.policies_of(target.aws, role))}
        assert allowed - seen - tagging - ANOTHER_DOES == set(), name


def test_who_shares_none_of_several_kinds_is_silent(source: Account, target: Account, stranger: Account) -> None:
    """One that shares volumes alone is not; nor is one of which too little is known."""
    document = policy(source, entry(target, NEAR), SourceTypes=["EBS_SNAPSHOT", "DB_SNAPSHOT", "DB_CLUSTER_SNAPSHOT"])
    document["EventSource"]["Parameters"]["SnapshotOwner"].append(stranger.number)
    guarded = vault(target, document)
    source.share(source.create_snapshot()["SnapshotId"], target.number)
    assert guarded.silent() == [[], []]
    # The sweep of volumes has seen who shares some, and each of the other kinds that there are none.
    guarded.sweep_volumes()
    assert guarded.silent() == [[stranger.number]] * 2
    guarded.shared(stranger, CLUSTER)
    guarded.sweep()
    assert guarded.silent() == [[], []]


def test_a_stack_without_databases_tells_of_a_policy_that_names_some(source: Account, target: Account) -> None:
    guarded = vault(target, policy(source, entry(target, NEAR)), Databases="false")
    guarded.sweep_volumes()
    [swept] = guarded.audit("copy-shared-snapshots", event="sweep.completed")
    assert (swept["sweep"]["unservedPolicies"], swept["PoliciesUnserved"]) == (["default"], 1)
    disabled = policies.lifecycle_policy("default", policy(source, entry(target, NEAR)), "DISABLED")
    redeploy(guarded.stack, disabled, Databases="false")
    guarded.sweep_volumes()
    assert "unservedPolicies" not in guarded.audit("copy-shared-snapshots", event="sweep.completed")[-1]["sweep"]
