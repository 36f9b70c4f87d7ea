"""`doctor` against the local AWS: a healthy stack, and one thing wrong at a time."""

import json

import pytest

from tests.cli.command import environment, snapferry
from tests.cli.doctor import AWAY, STACK, Scene, shared
from tests.e2e import deploy, policies
from tests.e2e.accounts import HOME

FUNCTIONS = ("CopySharedSnapshots", "VerifyCopies", "DeleteExpiredCopies")


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
        reads = call.action.startswith(("Describe", "Get", "List"))
        assert reads or str(call.parameters.get("DryRun")).lower() == "true", call


def test_without_snapshot_and_stack(scene: Scene) -> None:
    assert scene.findings() == {("unknown", "source", ""), ("unknown", "stack", "")}


def test_several_homes_in_one_report(scene: Scene) -> None:
    """What is the same in each is said once; the second home has no stack."""
    done = scene.doctor("--json", *STACK, "--region", HOME, "--region", AWAY)
    assert done.code == 1, done.err
    checks = done.json()["checks"]
    assert [each.get("home") for each in checks if each["check"] == "credentials"] == [None]
    assert {(each.get("home"), each["verdict"]) for each in checks if each["check"] == "stack"} == {
        (HOME, "pass"),
        (AWAY, "fail"),
    }
    assert {each.get("home") for each in checks if each["check"] == "rule"} == {HOME}
    assert f"fail    stack in {AWAY} {deploy.STACK}:" in scene.doctor(*STACK, "--region", HOME, "--region", AWAY).out
    both = scene.doctor("--snapshot", "snap-00000001", "--region", HOME, "--region", AWAY)
    assert both.code == 2
    assert "--snapshot is shared in one Region" in both.err


@pytest.mark.parametrize("name", ["ShareRule", "CopyRule"])
def test_disabled_rule(scene: Scene, name: str) -> None:
    events, rule = scene.target.client("events"), scene.resource(name)
    events.disable_rule(Name=rule)
    try:
        assert ("fail", "rule", name) in scene.findings(*STACK)
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


def test_rare_schedule(scene: Scene) -> None:
    scheduler = scene.target.client("scheduler")
    schedule = scheduler.get_schedule(Name=scene.resource("SweepTimer"))
    given = {name: schedule[name] for name in ("Name", "FlexibleTimeWindow", "Target")}
    scheduler.update_schedule(**given, ScheduleExpression="rate(2 hours)")
    try:
        assert ("fail", "schedule-interval", "SweepTimer") in scene.findings(*STACK)
    finally:
        scheduler.update_schedule(**given, ScheduleExpression=schedule["ScheduleExpression"])


@pytest.mark.parametrize(
    ("check", "name"), [("queue-to-copier", "CopySharedSnapshotsQueue"), ("queue-to-verifier", "VerifyCopiesQueue")]
)
def test_disabled_event_source_mapping(scene: Scene, check: str, name: str) -> None:
    functions, mapping = scene.target.client("lambda"), scene.resource(name)
    functions.update_event_source_mapping(UUID=mapping, Enabled=False)
    try:
        assert ("fail", check, name) in scene.findings(*STACK)
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


def test_a_proof_that_nobody_makes(scene: Scene) -> None:
    """The same policy with a ProofRule, and a stack without a ProofSchedule; its functions know of no rule either."""
    document = scene.policy()
    document["Actions"][0]["CrossRegionCopy"][0]["ProofRule"] = {"Blocks": 20}
    found = scene.findings(*STACK, document=document)
    assert ("fail", "proof", "") in found
    assert {check for verdict, check, _ in found if verdict == "fail"} == {"proof", "deployed-policy"}


def test_missing_stack(scene: Scene) -> None:
    assert ("fail", "stack", "nosuch") in scene.findings("--stack", "nosuch")


def test_stack_of_another_policy(scene: Scene) -> None:
    other = scene.target.create_key("eu-west-1")
    found = scene.findings(*STACK, document=scene.policy(other, "eu-west-1"))
    failed = {(check, subject) for verdict, check, subject in found if verdict == "fail"}
    parameters = {("stack-parameter", "TargetRegions"), ("stack-parameter", "TargetKeyArns")}
    assert failed == parameters | {("deployed-policy", function) for function in FUNCTIONS}


def test_a_policy_in_a_functions_variable(scene: Scene) -> None:
    """Somebody gives the expirer another policy than the others have: in its variable, and in a place that is none."""
    functions, name = scene.target.client("lambda"), scene.resource("DeleteExpiredCopies")
    given = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    sooner = policies.details([scene.source.number], policies.target(AWAY, key=scene.key, keep=(1, "WEEKS")))

    def with_policy(policy: str) -> set[tuple[str, str, str]]:
        changed = {"Variables": {**given, "SNAPFERRY_POLICY": policy}}
        functions.update_function_configuration(FunctionName=name, Environment=changed)
        return {each for each in scene.findings(*STACK) if each[1] == "deployed-policy"}

    try:
        assert with_policy(json.dumps(scene.policy(), indent=4)) == set(), "the same in other words"
        assert with_policy(json.dumps(sooner)) == {("fail", "deployed-policy", "DeleteExpiredCopies")}
        assert with_policy("/opt/other.json") == {("fail", "deployed-policy", "DeleteExpiredCopies")}
        assert with_policy("policy.json") == {("unknown", "deployed-policy", "DeleteExpiredCopies")}
    finally:
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": given})


def test_a_function_that_may_not_run(scene: Scene) -> None:
    functions, name = scene.target.client("lambda"), scene.resource("VerifyCopies")
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    try:
        assert ("fail", "function-concurrency", "VerifyCopies") in scene.findings(*STACK)
    finally:
        functions.delete_function_concurrency(FunctionName=name)


def test_rules_and_schedules_that_start_something_else(scene: Scene) -> None:
    events, rule = scene.target.client("events"), scene.resource("ShareRule")
    targets = events.list_targets_by_rule(Rule=rule)["Targets"]
    foreign = {"Id": "more", "Arn": f"arn:aws:sqs:{HOME}:{scene.target.number}:pager"}
    scheduler = scene.target.client("scheduler")
    schedule = scheduler.get_schedule(Name=scene.resource("ExpiryTimer"))
    given = {name: schedule[name] for name in ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target")}
    events.put_targets(Rule=rule, Targets=[foreign])
    scheduler.update_schedule(**{**given, "Target": {**schedule["Target"], "Arn": foreign["Arn"]}})
    try:
        found = scene.findings(*STACK)
        assert {("unknown", "target", "ShareRule"), ("fail", "target", "ExpiryTimer")} <= found
        events.remove_targets(Rule=rule, Ids=[each["Id"] for each in targets])
        assert ("fail", "target", "ShareRule") in scene.findings(*STACK)
    finally:
        events.remove_targets(Rule=rule, Ids=["more"])
        events.put_targets(Rule=rule, Targets=targets)
        scheduler.update_schedule(**given)


def test_an_audit_that_is_not_kept(scene: Scene) -> None:
    logs, name = scene.target.client("logs"), scene.resource("CopySharedSnapshotsLogs")
    [group] = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    try:
        logs.delete_retention_policy(logGroupName=name)
        assert ("fail", "log-group", "CopySharedSnapshotsLogs") in scene.findings(*STACK)
        logs.put_retention_policy(logGroupName=name, retentionInDays=1)
        assert ("fail", "log-group", "CopySharedSnapshotsLogs") in scene.findings(*STACK)
    finally:
        logs.put_retention_policy(logGroupName=name, retentionInDays=group["retentionInDays"])


def test_alarms_that_tell_nobody(scene: Scene) -> None:
    topics, topic = scene.target.client("sns"), parameter(scene, "AlarmTopicArn")
    [subscription] = topics.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    topics.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
    # Of one that nobody confirmed yet the emulator lists an ARN all the same; AWS does not.
    try:
        assert ("unknown", "alarm-topic", topic) in scene.findings(*STACK)
    finally:
        topics.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=subscription["Endpoint"])


def test_alarms_that_are_silenced(scene: Scene) -> None:
    cloudwatch, name = scene.target.client("cloudwatch"), scene.resource("UnprotectedAlarm")
    [alarm] = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    found = ("fail", "alarm", "UnprotectedAlarm")
    assert found not in scene.findings(*STACK)
    try:
        cloudwatch.disable_alarm_actions(AlarmNames=[name])
        assert found in scene.findings(*STACK)
        cloudwatch.enable_alarm_actions(AlarmNames=[name])
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="one is not protected")
        assert found in scene.findings(*STACK)
        cloudwatch.delete_alarms(AlarmNames=[name])
        assert found in scene.findings(*STACK)
    finally:
        said = [
            *("AlarmName", "AlarmActions", "AlarmDescription", "ComparisonOperator", "Dimensions", "EvaluationPeriods"),
            *("MetricName", "Namespace", "Period", "Statistic", "Threshold", "TreatMissingData"),
        ]
        cloudwatch.put_metric_alarm(**{each: alarm[each] for each in said if each in alarm})


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
    given = environment(scene.aws, scene.target.number)
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
