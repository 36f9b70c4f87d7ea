"""`doctor` on a stack that somebody changed by hand, one change after the other."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.cli.doctor import STACK, Scene
from tests.cloud import until
from tests.e2e.accounts import HOME

Finding = tuple[str, str, str]


def of_stack(scene: Scene, document: object = None) -> set[Finding]:
    """What is found of the stack; no snapshot was named."""
    return scene.findings(*STACK, document=document) - {("unknown", "source", "")}


def test_an_unconfirmed_stack(scene: Scene) -> None:
    """Nobody executed its change set; its parts are not missing besides."""
    stacks, template = scene.target.client("cloudformation"), {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    asked = {"ChangeSetName": "first", "ChangeSetType": "CREATE", "TemplateBody": json.dumps(template)}
    stacks.create_change_set(StackName="unconfirmed", **asked)
    stacks.get_waiter("change_set_create_complete").wait(StackName="unconfirmed", ChangeSetName="first")
    assert scene.findings("--stack", "unconfirmed") == {("fail", "stack", "unconfirmed"), ("unknown", "source", "")}
    stacks.execute_change_set(StackName="unconfirmed", ChangeSetName="first")
    stacks.get_waiter("stack_create_complete").wait(StackName="unconfirmed")
    done = scene.doctor("--stack", "unconfirmed")
    assert "it is no stack of Snapferry's" in done.out, done


def test_changes_by_hand(scene: Scene) -> None:
    """Each is found, and nothing else is; put back as the remedy says where that is one command, all is well again."""
    events, scheduler = scene.target.client("events"), scene.target.client("scheduler")
    functions, queues = scene.target.client("lambda"), scene.target.client("sqs")
    assert of_stack(scene) == set()

    rule = scene.resource("ShareRule")
    given = events.describe_rule(Name=rule)
    events.put_rule(Name=rule, EventPattern=given["EventPattern"].replace("aws.ec2", "aws.s3"))
    assert of_stack(scene) == {("fail", "rule-pattern", "ShareRule")}
    events.put_rule(Name=rule, EventPattern=wanted_pattern(scene))
    assert of_stack(scene) == set()

    targets = events.list_targets_by_rule(Rule=rule)["Targets"]
    events.put_targets(Rule=rule, Targets=[{**each, "Input": "{}"} for each in targets])
    assert of_stack(scene) == {("fail", "target", "ShareRule")}
    events.put_targets(Rule=rule, Targets=targets)

    serve = scheduler.get_schedule(Name=scene.resource("ServeTimer"))
    settings = {name: serve[name] for name in ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target")}
    now = datetime.now(UTC)
    changes: list[tuple[str, dict[str, Any]]] = [
        ("schedule", {"EndDate": now - timedelta(hours=1)}),
        ("schedule", {"StartDate": now + timedelta(days=1)}),
        ("schedule-interval", {"ScheduleExpression": "rate(1 day)"}),
        ("target", {"Target": {**serve["Target"], "Input": json.dumps({"sweep": "once"})}}),
        ("target", {"Target": {name: serve["Target"][name] for name in serve["Target"] if name != "DeadLetterConfig"}}),
    ]
    for found, change in changes:
        scheduler.update_schedule(**{**settings, **change})
        assert of_stack(scene) == {("fail", found, "ServeTimer")}, change
    scheduler.update_schedule(**settings)

    mapping = scene.resource("VerifyCopiesQueue")
    none = {"Filters": [{"Pattern": json.dumps({"body": {"detail": ["none"]}})}]}
    functions.update_event_source_mapping(UUID=mapping, FilterCriteria=none)
    assert of_stack(scene) == {("fail", "queue-to-verifier", "VerifyCopiesQueue")}
    functions.update_event_source_mapping(UUID=mapping, FilterCriteria={})
    functions.update_event_source_mapping(UUID=mapping, FunctionName=scene.resource("DeleteExpiredCopies"))
    assert of_stack(scene) == {("fail", "queue-to-verifier", "VerifyCopiesQueue")}
    functions.update_event_source_mapping(UUID=mapping, FunctionName=scene.resource("VerifyCopies"))

    expirer = scene.resource("DeleteExpiredCopies")
    before = functions.get_function_configuration(FunctionName=expirer)
    variables = before["Environment"]["Variables"]
    configure(scene, expirer, Environment={"Variables": {**variables, "SNAPFERRY_ALLOW_MASS_EXPIRY": "true"}})
    assert of_stack(scene) == {("fail", "function-environment", "DeleteExpiredCopies")}
    copier = functions.get_function_configuration(FunctionName=scene.resource("CopySharedSnapshots"))["Role"]
    configure(scene, expirer, Environment={"Variables": variables}, Role=copier)
    assert of_stack(scene) == {("fail", "function-role", "DeleteExpiredCopies")}
    configure(scene, expirer, Role=before["Role"])

    queue = scene.resource("VerifierQueue")
    queues.set_queue_attributes(QueueUrl=queue, Attributes={"DelaySeconds": "900"})
    assert of_stack(scene) == {("fail", "queue", "VerifierQueue")}
    queues.set_queue_attributes(QueueUrl=queue, Attributes={"DelaySeconds": "0"})
    assert of_stack(scene) == set()


def configure(scene: Scene, function: str, **settings: Any) -> None:
    """Change a function and wait until Lambda has done so."""
    functions = scene.target.client("lambda")
    functions.update_function_configuration(FunctionName=function, **settings)

    def is_done() -> bool:
        return bool(functions.get_function_configuration(FunctionName=function)["State"] == "Active")

    until(is_done, within=60, what=f"{function} is active")


def wanted_pattern(scene: Scene) -> str:
    """The pattern in the command that the remedy of the rule's names."""
    checks = scene.doctor("--json", *STACK).json()["checks"]
    [remedy] = [each["remedy"] for each in checks if each["check"] == "rule-pattern" and each["verdict"] == "fail"]
    assert f"aws events put-rule --region {HOME} --name {scene.resource('ShareRule')} --event-pattern '" in remedy
    pattern: str = remedy.split("--event-pattern '")[1].split("'")[0]
    return pattern
