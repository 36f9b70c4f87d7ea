"""Misuse of what has a policy of its own: the queues, topic and roles of the target account, and the source's key."""

import json
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.e2e import packages
from tests.iam.evaluator import Document, Request, decide_by_resource
from tests.iam.roles import ACCOUNT, REGION, Roles
from tests.parity.resolve import Resolver

SOURCE_TEMPLATE = packages.REPOSITORY / "infra/sam/source-account.yaml"
OWNER, STRANGER = "111111111111", "333333333333"

EVENTS = "events.amazonaws.com"
SCHEDULER = "scheduler.amazonaws.com"
QUEUES = ("CopierQueue", "VerifierQueue", "CopierDeadLetterQueue", "UndeliveredQueue")
SQS = ("sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:PurgeQueue", "sqs:SetQueueAttributes")

COPIER = f"arn:aws:iam::{ACCOUNT}:role/snapferry/copier"
OTHER_ROLE = f"arn:aws:iam::{ACCOUNT}:role/other"
KEY = f"arn:aws:kms:{REGION}:{OWNER}:key/0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f"
USE = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
GRANT = ("kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant")
FOR_EBS = {"kms:GrantIsForAWSResource": "true"}


@pytest.fixture(scope="module")
def roles() -> Roles:
    return Roles({"SourceAccounts": OWNER, "TargetRegions": "eu-west-1"})


def principals(roles: Roles) -> dict[str, tuple[str, dict[str, Any]]]:
    """Who comes to a queue, with what: services act for a rule or topic of somebody's."""
    rule = roles.arn("ShareRule")
    return {
        "the rule of shares": (EVENTS, {"aws:SourceArn": rule}),
        "the rule of copies that ended": (EVENTS, {"aws:SourceArn": roles.arn("CopyRule")}),
        "another rule": (EVENTS, {"aws:SourceArn": rule.replace("snapferry", "other")}),
        "the rule of another account": (EVENTS, {"aws:SourceArn": rule.replace(ACCOUNT, STRANGER)}),
        "the rule of another Region": (EVENTS, {"aws:SourceArn": rule.replace(REGION, "us-east-1")}),
        "a rule that is not named": (EVENTS, {}),
        "another service": ("sns.amazonaws.com", {"aws:SourceArn": rule}),
        "the sweep's schedule": (roles.arn("SweepTimerRole"), {}),
        "the verifier's schedule": (roles.arn("VerifyTimerRole"), {}),
        "another role": (OTHER_ROLE, {}),
        "another account": (f"arn:aws:iam::{STRANGER}:role/admin", {"aws:SourceArn": rule}),
    }


@pytest.mark.parametrize(
    ("queue", "senders"),
    [
        ("CopierQueue", {"the rule of shares", "the rule of copies that ended", "the sweep's schedule"}),
        ("VerifierQueue", {"the rule of copies that ended"}),
        # SQS itself moves what the copier gave up on.
        ("CopierDeadLetterQueue", set()),
        # The schedules' roles may send by their own policies, in the same account.
        ("UndeliveredQueue", {"the rule of shares"}),
    ],
)
def test_a_queue_lets_nobody_else_send_and_nobody_do_more(roles: Roles, queue: str, senders: set[str]) -> None:
    [policy] = roles.queue_policies()[queue]
    allowed = {
        (name, action)
        for name, (principal, context) in principals(roles).items()
        for action in SQS
        if decide_by_resource(Request(principal, action, roles.arn(queue), REGION, context), policy).allowed
    }
    assert allowed == {(name, "sqs:SendMessage") for name in senders}


def test_no_queue_is_spoken_to_without_tls(roles: Roles) -> None:
    assert set(roles.queue_policies()) == set(QUEUES)
    for queue, [policy] in roles.queue_policies().items():
        for principal, context in principals(roles).values():
            for action in SQS:
                request = Request(principal, action, roles.arn(queue), REGION, context, tls=False)
                assert decide_by_resource(request, policy).explicit, (queue, request)


def test_the_topic_takes_this_accounts_alarms_alone() -> None:
    roles = Roles({"SourceAccounts": OWNER, "TargetRegions": "eu-west-1", "AlarmEmail": "operators@example.com"})
    service, alarm = (
        "cloudwatch.amazonaws.com",
        f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:snapferry-UnprotectedAlarm",
    )
    here = {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": alarm}
    callers: dict[str, tuple[str, dict[str, Any]]] = {
        "alarm": (service, here),
        "alarm of another account": (
            service,
            {"aws:SourceAccount": STRANGER, "aws:SourceArn": alarm.replace(ACCOUNT, STRANGER)},
        ),
        "alarm of another Region": (service, {**here, "aws:SourceArn": alarm.replace(REGION, "us-east-1")}),
        "alarm that is not named": (service, {}),
        "another service": (EVENTS, here),
        "role": (OTHER_ROLE, {}),
        "another account": (f"arn:aws:iam::{STRANGER}:role/admin", here),
    }
    topic, policy = roles.arn("AlarmTopic"), roles.topic_policy()
    allowed = {
        (caller, action)
        for caller, (principal, context) in callers.items()
        for action in ("sns:Publish", "sns:Subscribe", "sns:SetTopicAttributes", "sns:DeleteTopic")
        if decide_by_resource(Request(principal, action, topic, REGION, context), policy).allowed
    }
    assert allowed == {("alarm", "sns:Publish")}
    for principal, context in callers.values():
        assert decide_by_resource(Request(principal, "sns:Publish", topic, REGION, context, tls=False), policy).explicit


def test_a_role_is_its_services_alone(roles: Roles) -> None:
    group = f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule-group/default"
    callers: dict[str, tuple[str, dict[str, Any]]] = {
        "lambda": ("lambda.amazonaws.com", {}),
        "schedule": (SCHEDULER, {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": group}),
        "schedule of another group": (
            SCHEDULER,
            {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": group.replace("default", "other")},
        ),
        "schedule of another Region": (
            SCHEDULER,
            {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": group.replace(REGION, "us-east-1")},
        ),
        "schedule of another account": (
            SCHEDULER,
            {"aws:SourceAccount": STRANGER, "aws:SourceArn": group.replace(ACCOUNT, STRANGER)},
        ),
        "schedule that is not named": (SCHEDULER, {}),
        "another service": (EVENTS, {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": group}),
        "role": (OTHER_ROLE, {}),
        "root": (f"arn:aws:iam::{ACCOUNT}:root", {}),
    }
    for name in roles.names():
        allowed = {
            caller
            for caller, (principal, context) in callers.items()
            if decide_by_resource(Request(principal, "sts:AssumeRole", "*", REGION, context), roles.trust(name)).allowed
        }
        assert allowed == {"schedule" if "Timer" in name else "lambda"}, name


def key_policy(**parameters: str) -> Document:
    """The policy of the key that the source account's stack makes."""
    resources = Resolver(yaml_parse(SOURCE_TEMPLATE.read_text()), {"TargetAccount": ACCOUNT, **parameters}).resources()
    text = json.dumps(resources["SnapshotKey"]["Properties"]["KeyPolicy"])
    policy: Document = json.loads(text.replace("${AWS::Partition}", "aws").replace("${AWS::AccountId}", OWNER))
    return policy


def may(policy: Document, principal: str, action: str, context: dict[str, Any] | None = None) -> bool:
    return decide_by_resource(Request(principal, action, KEY, REGION, context or {}), policy).allowed


@pytest.mark.parametrize("action", USE)
def test_the_target_account_uses_the_key_and_no_other_does(action: str) -> None:
    assert may(key_policy(), COPIER, action)
    assert not may(key_policy(), COPIER.replace(ACCOUNT, STRANGER), action)
    assert not may(key_policy(), "ec2.amazonaws.com", action)


@pytest.mark.parametrize("action", GRANT)
def test_grants_are_for_services_of_aws_only(action: str) -> None:
    assert may(key_policy(), COPIER, action, FOR_EBS)
    assert not may(key_policy(), COPIER, action, {"kms:GrantIsForAWSResource": "false"})
    assert not may(key_policy(), COPIER, action)
    assert not may(key_policy(), COPIER.replace(ACCOUNT, STRANGER), action, FOR_EBS)


@pytest.mark.parametrize("action", [*USE, *GRANT])
def test_roles_under_the_path_are_the_only_ones(action: str) -> None:
    """They are named by a condition in what is allowed: by no principal, and in no Deny."""
    elsewhere = f"arn:aws:iam::{ACCOUNT}:role/vault/copier"
    others = (
        f"arn:aws:iam::{ACCOUNT}:root",
        f"arn:aws:iam::{ACCOUNT}:user/snapferry/copier",
        f"arn:aws:iam::{ACCOUNT}:role/copier",
        f"arn:aws:iam::{ACCOUNT}:role/snapferry-copier",
        f"arn:aws:iam::{ACCOUNT}:role/other/snapferry/copier",
    )
    for path, allowed in (("/snapferry/", {COPIER}), ("/vault/", {elsewhere}), ("/", set())):
        policy = key_policy(TargetRolePath=path)
        assert {each["Effect"] for each in policy["Statement"]} == {"Allow"}
        assert "role/" not in json.dumps([each["Principal"] for each in policy["Statement"]])
        for principal in (COPIER, elsewhere, *others):
            is_allowed = principal in allowed or (path == "/" and ":role/" in principal)
            assert may(policy, principal, action, FOR_EBS) is is_allowed, (path, principal)


@pytest.mark.parametrize("parameters", [{}, {"TargetRolePath": "/"}])
def test_only_the_source_account_governs_the_key(parameters: dict[str, str]) -> None:
    policy = key_policy(**parameters)
    for action in (
        "kms:ScheduleKeyDeletion",
        "kms:DisableKey",
        "kms:PutKeyPolicy",
        "kms:RetireGrant",
        "kms:TagResource",
    ):
        assert may(policy, f"arn:aws:iam::{OWNER}:role/admin", action)
        assert not may(policy, COPIER, action, FOR_EBS)
