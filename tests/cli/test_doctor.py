"""`doctor` against the local AWS: a healthy stack, and one thing wrong at a time."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Done, snapferry
from tests.cloud import LocalAws
from tests.cloud.server import SECRET
from tests.e2e import deploy, policies
from tests.e2e.accounts import HOME, Account

AWAY = "eu-central-1"
# What nobody can know beforehand.
ALWAYS_UNKNOWN = {"key-use", "copy-result"}


@dataclass(frozen=True)
class Scene:
    """A source account, and a target account with a stack in it."""

    aws: LocalAws
    source: Account
    target: Account
    key: str
    folder: Path

    def doctor(self, *args: str, document: Any = None, account: Account | None = None) -> Done:
        """Run it in the target account."""
        path = self.folder / "policy.json"
        path.write_text(json.dumps(document or self.policy()))
        return snapferry("doctor", path, *args, environment=environment(self.aws, account or self.target))

    def policy(self, key: str | None = None, region: str = AWAY) -> dict[str, Any]:
        return policies.details([self.source.number], policies.target(region, key=key or self.key, keep=(1, "DAYS")))

    def findings(self, *args: str, document: Any = None) -> set[tuple[str, str, str]]:
        """What does not pass, but for what nobody can know: verdict, check, subject."""
        done = self.doctor("--json", *args, document=document)
        report = done.json()
        assert report["format"] == "snapferry-doctor/1", done.err
        found = {
            (each["verdict"], each["check"], each["subject"])
            for each in report["checks"]
            if each["verdict"] != "pass" and each["check"] not in ALWAYS_UNKNOWN
        }
        failed = any(verdict == "fail" for verdict, _, _ in found)
        assert done.code == (1 if failed else 0), done
        assert all("remedy" in each for each in report["checks"] if each["verdict"] == "fail")
        return found

    def resource(self, logical_id: str) -> str:
        """The physical ID of a resource of the stack."""
        answer = self.target.client("cloudformation").describe_stack_resource(
            StackName=deploy.STACK, LogicalResourceId=logical_id
        )
        physical: str = answer["StackResourceDetail"]["PhysicalResourceId"]
        return physical


def environment(aws: LocalAws, account: Account) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": aws.endpoint,
        "AWS_ACCESS_KEY_ID": account.number,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": HOME,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with LocalAws() as aws:
        source, target = Account(aws), Account(aws)
        key = target.create_key(AWAY)
        made = Scene(aws, source, target, key, tmp_path_factory.mktemp("doctor"))
        source_key = source.create_key(HOME, used_by=target.number)
        deploy.deploy(target, made.policy(), SourceKeyArns=source_key)
        yield made
        # Its role is refused a key on purpose, so only the audit is held to anything.
        deploy.read_all(aws)


STACK = ("--stack", deploy.STACK)


def shared(scene: Scene, key: str | None) -> str:
    snapshot: str = scene.source.create_snapshot(key=key)["SnapshotId"]
    scene.source.share(snapshot, scene.target.number)
    return snapshot


def parameter(scene: Scene, name: str) -> str:
    stack = scene.target.client("cloudformation").describe_stacks(StackName=deploy.STACK)["Stacks"][0]
    return next(str(each["ParameterValue"]) for each in stack["Parameters"] if each["ParameterKey"] == name)


def test_healthy(scene: Scene) -> None:
    snapshot = shared(scene, parameter(scene, "SourceKeyArns"))
    assert scene.findings(*STACK, "--snapshot", snapshot) == set()
    done = scene.doctor(*STACK, "--snapshot", snapshot)
    assert done.code == 0
    assert "\x1b" not in done.out
    assert "a DryRun proves neither" in done.out
    assert ", 0 fail, 2 unknown" in done.err


def test_nothing_is_changed(scene: Scene) -> None:
    snapshot = shared(scene, None)
    number = scene.aws.control.calls()[-1].number
    scene.doctor(*STACK, "--snapshot", snapshot)
    # The stack's own functions, which copy what was just shared, have roles.
    calls = [call for call in scene.aws.control.calls(since=number) if not call.role]
    assert not any(call.created for call in calls)
    assert {call.action for call in calls} >= {"CopySnapshot", "DescribeKey", "DescribeRegions"}
    for call in calls:
        reads = call.action.startswith(("Describe", "Get"))
        assert reads or str(call.parameters.get("DryRun")).lower() == "true", call


def test_without_snapshot_and_stack(scene: Scene) -> None:
    assert scene.findings() == {("unknown", "source", ""), ("unknown", "stack", "")}


def test_disabled_rule(scene: Scene) -> None:
    events, rule = scene.target.client("events"), scene.resource("ShareRule")
    events.disable_rule(Name=rule)
    try:
        assert ("fail", "rule", "ShareRule") in scene.findings(*STACK)
    finally:
        events.enable_rule(Name=rule)


def test_disabled_schedule(scene: Scene) -> None:
    scheduler = scene.target.client("scheduler")
    schedule = scheduler.get_schedule(Name=scene.resource("VerifyTimer"))
    given = {name: schedule[name] for name in ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target")}
    scheduler.update_schedule(**given, State="DISABLED")
    try:
        assert ("fail", "schedule", "VerifyTimer") in scene.findings(*STACK)
    finally:
        scheduler.update_schedule(**given, State="ENABLED")


def test_disabled_event_source_mapping(scene: Scene) -> None:
    functions, mapping = scene.target.client("lambda"), scene.resource("CopySharedSnapshotsQueue")
    functions.update_event_source_mapping(UUID=mapping, Enabled=False)
    try:
        assert ("fail", "queue-to-copier", "CopySharedSnapshotsQueue") in scene.findings(*STACK)
    finally:
        functions.update_event_source_mapping(UUID=mapping, Enabled=True)


def test_dead_letters(scene: Scene) -> None:
    sqs, queue = scene.target.client("sqs"), scene.resource("UndeliveredQueue")
    sqs.send_message(QueueUrl=queue, MessageBody="{}")
    try:
        assert ("fail", "dead-letter-queue", "UndeliveredQueue") in scene.findings(*STACK)
    finally:
        sqs.purge_queue(QueueUrl=queue)


def test_ledger_that_is_not_kept(scene: Scene) -> None:
    tables, ledger = scene.target.client("dynamodb"), scene.resource("Ledger")
    tables.update_table(TableName=ledger, DeletionProtectionEnabled=False)
    recovery = {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": False}}
    tables.update_continuous_backups(TableName=ledger, **recovery)
    try:
        assert scene.findings(*STACK) >= {
            ("fail", "ledger-protection", "Ledger"),
            ("fail", "ledger-recovery", "Ledger"),
        }
    finally:
        tables.update_table(TableName=ledger, DeletionProtectionEnabled=True)
        recovery["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] = True
        tables.update_continuous_backups(TableName=ledger, **recovery)


def test_missing_stack(scene: Scene) -> None:
    assert ("fail", "stack", "nosuch") in scene.findings("--stack", "nosuch")


def test_stack_of_another_policy(scene: Scene) -> None:
    other = scene.target.create_key("eu-west-1")
    found = scene.findings(*STACK, document=scene.policy(other, "eu-west-1"))
    failed = {(check, subject) for verdict, check, subject in found if verdict == "fail"}
    assert failed == {("stack-parameter", "TargetRegions"), ("stack-parameter", "TargetKeyArns")}


@pytest.mark.parametrize("state", ["Disabled", "PendingDeletion"])
def test_key_out_of_use(scene: Scene, state: str) -> None:
    key = scene.target.create_key(AWAY)
    kms = scene.target.client("kms", AWAY)
    if state == "Disabled":
        kms.disable_key(KeyId=key)
    else:
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    snapshot = shared(scene, None)
    found = scene.findings("--snapshot", snapshot, document=scene.policy(key))
    assert {("fail", "key", key), ("fail", "copy-dry-run", f"default {AWAY}")} <= found


def test_key_that_does_not_exist(scene: Scene) -> None:
    key = f"arn:aws:kms:{AWAY}:{scene.target.number}:key/00000000-0000-0000-0000-000000000000"
    assert ("fail", "key", key) in scene.findings(document=scene.policy(key))


def test_aws_managed_key(scene: Scene) -> None:
    key = scene.target.client("kms", AWAY).describe_key(KeyId="alias/aws/ebs")["KeyMetadata"]["Arn"]
    assert ("fail", "key", key) in scene.findings(document=scene.policy(key))


def test_key_of_the_source_account(scene: Scene) -> None:
    """It may be used, and is the source account's to delete."""
    key = scene.source.create_key(AWAY, used_by=scene.target.number)
    assert scene.findings(document=scene.policy(key)) >= {("fail", "key-account", key)}


def test_key_that_ec2_chooses(scene: Scene) -> None:
    """As the local AWS chooses it: not the account's default key for an encrypted source."""
    ec2 = scene.target.client("ec2", AWAY)
    ec2.modify_ebs_default_kms_key_id(KmsKeyId=scene.target.create_key(AWAY))
    document = policies.details([scene.source.number], policies.target(AWAY, keep=(1, "DAYS")))
    told = scene.doctor(document=document).out
    ec2.reset_ebs_default_kms_key_id()
    assert "off, so copies of encrypted snapshots are under the AWS managed key aws/ebs" in told


def test_no_key(scene: Scene) -> None:
    document = policies.details([scene.source.number], policies.target(AWAY, keep=(1, "DAYS")))
    found = scene.findings(document=document)
    assert ("unknown", "target-key", f"default {AWAY}") in found


def test_wrong_region(scene: Scene) -> None:
    """A Region that does not exist, and the command run in another Region than the stack's."""
    key = f"arn:aws:kms:eu-north-7:{scene.target.number}:key/00000000-0000-0000-0000-000000000000"
    assert ("fail", "region-enabled", "eu-north-7") in scene.findings(document=scene.policy(key, "eu-north-7"))
    snapshot = shared(scene, None)
    found = scene.findings(*STACK, "--snapshot", snapshot, "--region", "us-west-2")
    assert {("fail", "stack", deploy.STACK), ("fail", "source", snapshot)} <= found


def test_unshared_snapshot(scene: Scene) -> None:
    snapshot = scene.source.create_snapshot()["SnapshotId"]
    assert ("fail", "source", snapshot) in scene.findings("--snapshot", snapshot)


def test_source_key_out_of_reach(scene: Scene) -> None:
    key = scene.source.create_key(HOME)
    snapshot = shared(scene, key)
    found = scene.findings(*STACK, "--snapshot", snapshot)
    assert {("fail", "source-key", key), ("fail", "stack-parameter", "SourceKeyArns")} <= found


def test_snapshot_on_an_outpost(scene: Scene) -> None:
    snapshot = shared(scene, None)
    scene.aws.control.change_snapshot(snapshot, HOME, outpost_arn="arn:aws:outposts:…")
    assert ("fail", "source", snapshot) in scene.findings("--snapshot", snapshot)


def test_unwanted_snapshot(scene: Scene) -> None:
    snapshot = shared(scene, None)
    document = policies.details(["999999999999"], policies.target(AWAY, key=scene.key))
    assert ("fail", "source-wanted", snapshot) in scene.findings("--snapshot", snapshot, document=document)


def test_source_account(scene: Scene) -> None:
    done = scene.doctor("--json", account=scene.source)
    assert done.code == 1
    assert "fail" in {each["verdict"] for each in done.json()["checks"] if each["check"] == "account"}


def test_silent_region(scene: Scene) -> None:
    """What is not read is unknown, and says so."""
    fault = scene.aws.control.inject_fault(service="kms", action="DescribeKey", code="KMSInternalException")
    try:
        assert ("unknown", "key", scene.key) in scene.findings()
    finally:
        scene.aws.control.clear(fault)


@pytest.mark.parametrize("missing", ["AWS_ACCESS_KEY_ID", "AWS_REGION", "AWS_ENDPOINT_URL"])
def test_cannot_run(scene: Scene, missing: str) -> None:
    given = environment(scene.aws, scene.target)
    del given[missing]
    if missing == "AWS_ENDPOINT_URL":
        given[missing] = "http://127.0.0.1:1"
    path = scene.folder / "policy.json"
    path.write_text(json.dumps(scene.policy()))
    done = snapferry("doctor", path, "--json", environment=given)
    assert done.code == 2, done
    (check,) = done.json()["checks"]
    assert (check["check"], check["verdict"]) == ("credentials", "fail")
    assert "--profile" in check["remedy"]


def test_deleted_function(scene: Scene) -> None:
    """CloudFormation still says that it made one. The last test, because the stack is everybody's."""
    functions, name = scene.target.client("lambda"), scene.resource("DeleteExpiredCopies")
    functions.delete_function(FunctionName=name)
    assert scene.findings(*STACK) == {("fail", "function", "DeleteExpiredCopies"), ("unknown", "source", "")}
