"""The commands that look at databases beside volumes, against the local AWS."""

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import run_as
from tests.cli.vault import NIGHTS, point
from tests.cli.vault.test_recover_emit import asked, ran
from tests.e2e import policies
from tests.e2e.accounts import HOME, Account
from tests.e2e.databases import CLUSTER, INSTANCE, policy

KINDS = ("db-snapshot", "db-cluster-snapshot")
NEAR, FAR = "eu-west-1", "us-west-2"
CREATED = "2026-11-20T03:00:00Z"
RESOURCES = {INSTANCE: "db-ORDERS", CLUSTER: "cluster-USERS"}
ENGINES = {INSTANCE: "postgres", CLUSTER: "aurora-mysql"}


@pytest.fixture
def keys(target: Account) -> dict[str, str]:
    return {region: target.create_key(region) for region in (NEAR, FAR)}


@pytest.fixture
def document(source: Account, keys: dict[str, str], tmp_path: Path) -> Path:
    """Copies what the source account shares of instances and clusters into two Regions."""
    path = tmp_path / "policy.json"
    entries = [policies.target(region, key=key) for region, key in keys.items()]
    path.write_text(json.dumps(policy(source, *entries)))
    return path


def shared(source: Account, target: Account, kind: str, **how: Any) -> str:
    """The ARN of a snapshot that the source account shares."""
    known = {"id": "nightly", "resource_id": RESOURCES[kind], "engine": ENGINES[kind], "created": CREATED}
    share = {"cluster": kind == CLUSTER, "shared_with": [target.number], "allocated_storage": 70}
    return source.aws.control.create_db_snapshot(source.number, HOME, **{**known, **share, **how})


def copied(source: Account, target: Account, kind: str, region: str, key: str, attempt: int = 1, **tags: str) -> str:
    """The name of a verified copy of such a snapshot, made of its tags as the copier makes it."""
    arn_type = "cluster-snapshot" if kind == CLUSTER else "snapshot"
    arn = f"arn:aws:rds:{HOME}:{source.number}:{arn_type}:nightly"
    created = str(int(datetime.fromisoformat(CREATED).timestamp()) * 10**9)
    digest = hashlib.sha256()
    for part in ("default", arn_type, arn, created, RESOURCES[kind], region, key, str(attempt)):
        digest.update(len(part).to_bytes(8, "big") + part.encode())
    name = f"snapferry-{digest.hexdigest()[:52]}"
    own = {
        "policy": "default",
        "source-snapshot": "nightly",
        "source-account": source.number,
        "source-region": HOME,
        "source-resource": RESOURCES[kind],
        "source-engine": ENGINES[kind],
        "source-size-gib": "70",
        "source-start-time": CREATED,
        "attempt": str(attempt),
        "kms-key": key,
        "status": "verified",
        "settled-at": CREATED,
        "copy": name,
        **tags,
    }
    target.aws.control.create_db_snapshot(
        target.number,
        region,
        cluster=kind == CLUSTER,
        id=name,
        engine=ENGINES[kind],
        allocated_storage=70,
        kms_key=key,
        created="2026-11-20T04:00:00Z",
        tags={f"snapferry:{tag}": value for tag, value in own.items()},
    )
    return name


def test_plan_says_which_databases_would_be_copied_and_which_cannot_be(
    source: Account, target: Account, document: Path
) -> None:
    instance, cluster = shared(source, target, INSTANCE, kms_key=None), shared(source, target, CLUSTER)
    document_db = shared(source, target, CLUSTER, id="documents", engine="docdb")
    done = run_as(target, "plan", document, "--json")
    *decisions, summary = done.lines()
    told = {(each["action"], each["reason"], each["arn"], each["region"]) for each in decisions}
    copies = {("copy", "matched", instance, region) for region in (NEAR, FAR)}
    assert told == copies | {("refuse", "cluster-not-encrypted", cluster, region) for region in (NEAR, FAR)}
    assert (done.code, summary["summary"]["copy"], summary["summary"]["refuse"]) == (1, 2, 2)
    assert document_db not in done.out
    assert summary["summary"]["untriedEngines"] == 1
    # As a person reads it, RDS's own name and not ours.
    text = run_as(target, "plan", document).out
    assert instance in text.replace("\n", "")
    assert "1 shared snapshot of Neptune or DocumentDB is left out" in text


def test_plan_takes_one_snapshot_of_a_database_by_its_arn(source: Account, target: Account, document: Path) -> None:
    instance = shared(source, target, INSTANCE)
    shared(source, target, INSTANCE, id="another")
    done = run_as(target, "plan", document, "--snapshot", instance, "--json")
    *decisions, _ = done.lines()
    assert [each["arn"] for each in decisions] == [instance, instance]
    absent = instance.replace("nightly", "weekly")
    done = run_as(target, "plan", document, "--snapshot", absent)
    assert done.code == 2
    assert f"RDS does not show {absent}" in done.err
    done = run_as(target, "plan", document, "--snapshot", "nightly")
    assert (done.code, "or of a database's snapshot its ARN" in done.err) == (2, True)


def test_coverage_counts_databases_beside_volumes(
    source: Account, target: Account, keys: dict[str, str], document: Path
) -> None:
    shared(source, target, INSTANCE)
    copied(source, target, INSTANCE, NEAR, keys[NEAR])
    report = run_as(target, "coverage", document, "--json").json()
    rows = {(each["region"], each["state"]) for each in report["rows"]}
    assert rows == {(NEAR, "protected"), (FAR, "missing")}


def test_of_kinds_whose_ledgers_are_not_named_nothing_is_said_to_be_owed(target: Account, document: Path) -> None:
    """Each kind has one: what the others owe, and what was missed of it, is not known."""
    done = run_as(target, "coverage", document, "--ledger", "Ledger", "--json")
    assert (done.code, done.json()["ledger"]["read"]) == (2, False)
    assert "named is Ledger: --stack finds all of them" in done.err
    done = run_as(target, "plan", document, "--ledger", "Ledger", "--ledger", "Ledger")
    assert "named is Ledger: --stack finds all of them" in done.err
    assert "Nothing is owed" not in done.out


def test_texts_call_databases_what_they_are(
    source: Account, target: Account, keys: dict[str, str], document: Path, tmp_path: Path
) -> None:
    instance = shared(source, target, INSTANCE)
    copied(source, target, INSTANCE, NEAR, keys[NEAR])
    copied(source, target, CLUSTER, NEAR, keys[NEAR])
    recovered = run_as(target, "recover", document).out
    assert "2 databases can be restored." in recovered
    assert f"Set 1: 2 databases of {source.number} in {NEAR}" in recovered
    covered = run_as(target, "coverage", document, "--html", tmp_path / "report.html").out
    # As its owner calls it.
    assert instance in covered.replace("\n", "")
    page = (tmp_path / "report.html").read_text()
    assert '<h2 id="matrix-title">Databases by day</h2>' in page
    looked_at = run_as(target, "doctor", document).out
    for text in (recovered, covered, page.partition("<script")[0]):
        assert "volume" not in text.lower(), text
    assert not {"volume-known", "encryption-by-default"} & set(looked_at.split())


def test_doctor_tells_what_a_copy_does_not_take_along(source: Account, target: Account, document: Path) -> None:
    def told() -> dict[str, list[tuple[str, str]]]:
        checks = run_as(target, "doctor", document, "--json").json()["checks"]
        found: dict[str, list[tuple[str, str]]] = {"database-options": [], "database-tde": []}
        for each in checks:
            if each["check"] in found:
                found[each["check"]].append((each["verdict"], each["subject"]))
        return found

    shared(source, target, CLUSTER)
    assert told() == {"database-options": [], "database-tde": []}
    shared(source, target, INSTANCE, option_group="default:postgres-16")
    assert told() == {"database-options": [("pass", HOME)], "database-tde": []}
    shared(source, target, INSTANCE, id="options", option_group="oracle-options", engine="oracle-ee")
    options = [("unknown", f"{source.number} oracle-options")]
    assert told() == {"database-options": options, "database-tde": []}
    tde = shared(source, target, INSTANCE, id="tde", option_group="tde", tde=True, engine="oracle-ee")
    assert told() == {"database-options": options, "database-tde": [("fail", "")]}
    assert f"{tde} has TDE" in run_as(target, "doctor", document).out


def test_copies_of_databases_are_looked_at_as_those_of_volumes_are(
    source: Account, target: Account, keys: dict[str, str], document: Path
) -> None:
    instance = copied(source, target, INSTANCE, NEAR, keys[NEAR])
    checks = run_as(target, "doctor", document, "--json").json()["checks"]
    whose = [each for each in checks if (each["check"], each["subject"]) == ("copies", NEAR)]
    assert [each["message"] for each in whose] == ["1 of this stack's homes and policies"]
    copied(source, target, CLUSTER, NEAR, keys[NEAR], 1, **{"kms-key": keys[FAR]})
    checks = run_as(target, "doctor", document, "--json").json()["checks"]
    [edited] = [each for each in checks if (each["check"], each["subject"]) == ("copies", NEAR)]
    assert edited["verdict"] == "fail"
    assert "1 of this stack's homes and policies; 1 whose tags were edited" in edited["message"]
    target.client("kms", NEAR).schedule_key_deletion(KeyId=keys[NEAR], PendingWindowInDays=7)
    checks = run_as(target, "doctor", document, "--json").json()["checks"]
    assert [each["verdict"] for each in checks if each["check"] == "copies-key"] == ["fail"]
    target.client("kms", NEAR).cancel_key_deletion(KeyId=keys[NEAR])
    target.client("kms", NEAR).enable_key(KeyId=keys[NEAR])
    # A kind that the policy no longer names is there all the same.
    document.write_text(document.read_text().replace('"DB_SNAPSHOT", ', ""))
    points = run_as(target, "recover", document, "--json").json()["points"]
    assert [point["snapshot"] for point in points] == [instance]


def test_recover_prints_what_restores_databases(
    source: Account, target: Account, keys: dict[str, str], document: Path, tmp_path: Path
) -> None:
    instance = copied(source, target, INSTANCE, NEAR, keys[NEAR])
    cluster = copied(source, target, CLUSTER, NEAR, keys[NEAR])
    points = run_as(target, "recover", document, "--target", NEAR, "--json").json()["points"]
    assert {(point["volume"], point["snapshot"]) for point in points} == {
        (RESOURCES[INSTANCE], instance),
        (RESOURCES[CLUSTER], cluster),
    }
    done = run_as(target, "recover", document, "--target", NEAR, "--emit", "aws-cli")
    calls = asked(done.out, tmp_path, SUBNET_GROUP="restored", CLASS="db.r6g.large")
    made = {call["call"]: call for call in calls}
    restored = made["rds restore-db-instance-from-db-snapshot"]
    assert (restored["--db-snapshot-identifier"], restored["--db-subnet-group-name"]) == (instance, "restored")
    restored = made["rds restore-db-cluster-from-snapshot"]
    assert (restored["--snapshot-identifier"], restored["--engine"]) == (cluster, "aurora-mysql")
    assert made["rds create-db-instance"]["--db-instance-class"] == "db.r6g.large"
    # Under another key an instance's snapshot is copied first.
    calls = asked(done.out, tmp_path, SUBNET_GROUP="restored", CLASS="db.r6g.large", KMS_KEY="alias/restored")
    made = {call["call"]: call for call in calls}
    assert made["rds copy-db-snapshot"]["--kms-key-id"] == "alias/restored"
    assert made["rds restore-db-cluster-from-snapshot"]["--kms-key-id"] == "alias/restored"
    # In another account what is shared is copied before it is restored.
    calls = asked(done.out, tmp_path, SUBNET_GROUP="g", CLASS="c", KMS_KEY="k", FROM=target.number)
    made = {call["call"]: call for call in calls}
    theirs = f"arn:aws:rds:{NEAR}:{target.number}:cluster-snapshot:{cluster}"
    assert made["rds copy-db-cluster-snapshot"]["--source-db-cluster-snapshot-identifier"] == theirs
    own = made["rds copy-db-cluster-snapshot"]["--target-db-cluster-snapshot-identifier"]
    assert made["rds restore-db-cluster-from-snapshot"]["--snapshot-identifier"] == own
    assert made["rds copy-db-snapshot"]["--source-db-snapshot-identifier"].startswith("arn:aws:rds:")
    # All that has to be copied is begun, and then waited for, however long it takes.
    states = " ".join(["copying", *["unanswered"] * 9] * 10 + ["available"])
    calls = asked(done.out, tmp_path, SUBNET_GROUP="g", CLASS="c", KMS_KEY="k", FROM=target.number, STATES=states)
    order = [call["call"] for call in calls if not call["call"].startswith("rds describe")]
    assert sorted(order[:2]) == ["rds copy-db-cluster-snapshot", "rds copy-db-snapshot"]
    assert len(calls) > 200
    # What an earlier run has begun is gone on with.
    begun = [
        call[f"--target-{kind}-identifier"] for call in calls for kind in KINDS if call["call"] == f"rds copy-{kind}"
    ]
    calls = asked(
        done.out, tmp_path, SUBNET_GROUP="g", CLASS="c", KMS_KEY="k", FROM=target.number, THERE=" ".join(begun)
    )
    assert not [call for call in calls if call["call"].startswith("rds copy")]
    assert {call["call"] for call in calls} >= {
        "rds restore-db-instance-from-db-snapshot",
        "rds restore-db-cluster-from-snapshot",
    }
    for states, word in (("failed", "failed: where it failed, delete it"), ("unanswered", "not to be seen: run this")):
        ended, _ = ran(done.out, tmp_path, SUBNET_GROUP="g", CLASS="c", KMS_KEY="k", FROM=target.number, STATES=states)
        assert (ended.returncode, f"-source is {word}" in ended.stderr) == (1, True)
    ended, _ = ran(done.out, tmp_path, SUBNET_GROUP="g", CLASS="c", FROM=target.number)
    assert (ended.returncode, "KMS_KEY" in ended.stderr) == (1, True)
    # What cannot be restored is named, and keeps no other from it.
    ended, calls = ran(done.out, tmp_path, SUBNET_GROUP="g", CLASS="c", REFUSED=instance)
    assert (ended.returncode, instance in ended.stderr, cluster in ended.stderr) == (1, True, False)
    ended, _ = ran(done.out, tmp_path)
    assert "SUBNET_GROUP" in ended.stderr
    done = run_as(target, "recover", document, "--target", NEAR, "--emit", "cloudformation")
    assert (done.out, "databases are not made by this (2)" in done.err) == ("", True)
    done = run_as(target, "recover", document, "--target", NEAR, "--share", source.number)
    assert (
        f"modify-db-cluster-snapshot-attribute --region {NEAR} --db-cluster-snapshot-identifier {cluster}" in done.out
    )
    assert "has to be copied" in done.out
    done = run_as(target, "recover", document, "--volume", RESOURCES[INSTANCE], "--volume", "db-GONE", "--json")
    assert done.code == 1
    assert [each["volume"] for each in done.json()["without"]] == ["db-GONE"]


def test_what_is_to_be_shared_says_of_what_it_is(
    source: Account, target: Account, keys: dict[str, str], document: Path
) -> None:
    instance = copied(source, target, INSTANCE, NEAR, keys[NEAR])
    cluster = copied(source, target, CLUSTER, NEAR, keys[NEAR])
    done = run_as(target, "recover", document, "--target", NEAR, "--share", source.number, "--json")
    assert {(each["kind"], each["snapshot"]) for each in done.json()["snapshots"]} == {
        ("DB_SNAPSHOT", instance),
        ("DB_CLUSTER_SNAPSHOT", cluster),
    }


def test_recover_finds_databases_whatever_the_policy_names_and_by_their_names(
    source: Account, target: Account, keys: dict[str, str], tmp_path: Path
) -> None:
    """The document is about volumes alone, by now."""
    document = tmp_path / "policy.json"
    document.write_text(json.dumps(policies.details([source.number], policies.target(NEAR, key=keys[NEAR]))))
    instance = copied(source, target, INSTANCE, NEAR, keys[NEAR])
    inventory = tmp_path / "inventory.csv"
    inventory.write_text(f"volume,name\n{RESOURCES[INSTANCE]},the orders\n")
    [found] = run_as(target, "recover", document, "--json").json()["points"]
    assert (found["snapshot"], found["database"]) == (instance, "orders")
    assert " orders " in run_as(target, "recover", document).out
    row = run_as(target, "recover", document, "--csv", "-").out.splitlines()[1]
    assert row.endswith(',"","","orders"')
    row = run_as(target, "recover", document, "--csv", "-", "--inventory", inventory).out.splitlines()[1]
    assert row.endswith(',"","","the orders"')
    execute = ("recover", document, "--execute", "--zone", f"{NEAR}a", "--name", "drill")
    done = run_as(target, *execute)
    assert (done.code, "all of these points are of databases" in done.err) == (2, True)
    # Beside volumes they are not made, which is no success, and mislead nobody about whose key is whose.
    volume = {**point(1, NEAR, NIGHTS[0], kms_key=keys[NEAR], tags={"kms-key": keys[NEAR]}), "account": target.number}
    target.aws.control.create_snapshots([volume])
    for new in (True, False):
        done = run_as(target, *execute, "--json")
        [made] = done.json()["volumes"]
        assert (done.code, made["state"], made["new"]) == (1, "available", new)
        assert "databases are not made by this (1)" in done.err
    # Who has volumes alone may be denied to look, and is told.
    target.aws.control.inject_fault(
        account=target.number, service="rds", action="DescribeDBSnapshots", code="AccessDenied", message="no"
    )
    done = run_as(target, "recover", document, "--json")
    assert [found["snapshot"] for found in done.json()["points"]] == [volume["id"]]
    assert "note: databases in eu-west-1: AccessDenied: no" in done.err
    # Of a retired policy nobody knows what it named.
    done = run_as(target, "recover", document, "--retired-policy", "old")
    assert (done.code, "the copies of databases in eu-west-1: AccessDenied" in done.err) == (2, True)
    named = json.loads(document.read_text())
    named["EventSource"]["Parameters"]["SourceTypes"] = ["EBS_SNAPSHOT", "DB_SNAPSHOT"]
    document.write_text(json.dumps(named))
    done = run_as(target, "recover", document)
    assert (done.code, "the copies of databases in eu-west-1: AccessDenied" in done.err) == (2, True)


def test_copy_says_when_a_database_is_copied(source: Account, target: Account, document: Path) -> None:
    instance = shared(source, target, INSTANCE)
    done = run_as(target, "copy", document, "--snapshot", instance)
    assert (done.code, "its next sweep copies this one" in done.err) == (1, True), done.err
    done = run_as(target, "copy", document, "--snapshot", instance, "--direct")
    assert (done.code, "the stack alone copies" in done.err) == (2, True)
    cluster = shared(source, target, CLUSTER)
    done = run_as(target, "copy", document, "--snapshot", cluster)
    assert (done.code, "nothing was asked for" in done.err) == (1, True)
    assert target.aws.control.calls(account=target.number, action="CopyDBSnapshot") == []
