"""infra/scp/vault-perimeter.json: what it denies besides the guardrails, and what it leaves alone."""

import json
from typing import Any

import pytest

from tests.e2e import packages
from tests.iam.evaluator import FULL_ACCESS, Decision, Request, decide
from tests.iam.test_guardrails import (
    ACCOUNT,
    ADMINISTRATOR,
    COPIERS,
    EVERYBODY,
    EXPIRERS,
    LOGS,
    OPERATOR,
    PROVER,
    ROOT,
    STACK,
    TIMER,
    VERIFIERS,
)

SCP: dict[str, Any] = json.loads((packages.REPOSITORY / "infra/scp/vault-perimeter.json").read_text())

CODE = f"arn:aws:s3:::snapferry-code-{ACCOUNT}-eu-central-1"
QUEUE = f"arn:aws:sqs:eu-central-1:{ACCOUNT}:snapferry-VerifierQueue-1A2B3C4D5E6F"
BUS = f"arn:aws:events:eu-central-1:{ACCOUNT}:event-bus/default"
EXPERIMENT = f"arn:aws:fis:eu-central-1:{ACCOUNT}:experiment-template/EXT1A2B3C4D5E6F7"


def asked(principal: str, action: str, resource: str) -> Decision:
    """The decision for somebody whose own policies allow everything."""
    return decide(Request(principal, action, resource), [FULL_ACCESS], SCP)


DENIED: list[tuple[str, str, set[str]]] = [
    # Whoever has stolen all rights in the vault does not become an administrator by them.
    ("sts:AssumeRole", ADMINISTRATOR, {ADMINISTRATOR}),
    # Between the upload and the change set's execution.
    *(
        (f"s3:{action}", f"{bucket}/snapferry/0.1.0/1a2b/verify-copies-x86_64.zip", {ADMINISTRATOR})
        for action in ("PutObject", "DeleteObject", "DeleteObjectVersion", "ReplicateObject")
        for bucket in (CODE, "arn:aws:s3:::aws-sam-cli-managed-default-samclisourcebucket-1a2b3c")
    ),
    ("s3:PutBucketPolicy", CODE, {ADMINISTRATOR}),
    ("s3:PutReplicationConfiguration", CODE, {ADMINISTRATOR}),
    ("s3:DeleteBucket", CODE, {ADMINISTRATOR}),
    *(
        (f"cloudformation:{action}", STACK, {ADMINISTRATOR})
        for action in (
            "CancelUpdateStack",
            "ContinueUpdateRollback",
            "ExecuteStackRefactor",
            "SetStackPolicy",
            "UpdateTerminationProtection",
        )
    ),
    ("logs:PutMetricFilter", LOGS, {ADMINISTRATOR}),
    ("events:UpdateEventBus", BUS, {ADMINISTRATOR}),
    ("kms:DisconnectCustomKeyStore", "*", {ADMINISTRATOR}),
    *(
        (f"sqs:{action}", QUEUE, {*EXPIRERS, *VERIFIERS, *COPIERS, PROVER, TIMER, ADMINISTRATOR})
        for action in ("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility")
    ),
    # API errors for a role of the stack, for up to twelve hours.
    ("fis:InjectApiUnavailableError", "*", set()),
    ("fis:StartExperiment", EXPERIMENT, set()),
    ("fis:CreateExperimentTemplate", EXPERIMENT, set()),
]


@pytest.mark.parametrize(("action", "resource", "exempted"), DENIED)
def test_denied_to_all_but(action: str, resource: str, exempted: set[str]) -> None:
    assert {principal for principal in EVERYBODY if asked(principal, action, resource).allowed} == exempted


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("sts:AssumeRole", OPERATOR),
        ("s3:PutObject", "arn:aws:s3:::others/object"),
        ("s3:GetObject", f"{CODE}/snapferry/0.1.0/1a2b/verify-copies-x86_64.zip"),
        ("cloudformation:DescribeStacks", STACK),
        ("cloudformation:SetStackPolicy", STACK.replace("snapferry", "other")),
        ("logs:PutMetricFilter", f"arn:aws:logs:eu-central-1:{ACCOUNT}:log-group:other"),
        ("sqs:ReceiveMessage", f"arn:aws:sqs:eu-central-1:{ACCOUNT}:other"),
        ("events:PutEvents", BUS),
        ("kms:Decrypt", "*"),
    ],
)
def test_left_alone(action: str, resource: str) -> None:
    assert all(asked(each, action, resource).allowed for each in (*EVERYBODY, ROOT)), action


def test_every_statement_denies_something() -> None:
    used = {asked(each, action, resource).statement for action, resource, _ in DENIED for each in EVERYBODY}
    assert {statement["Sid"] for statement in SCP["Statement"]} <= used
