"""Holds what functions called to what their deployed roles allow."""

from collections.abc import Iterable
from typing import Any

from tests.cloud import LocalAws
from tests.cloud.control import Call
from tests.iam.evaluator import Document, Request, decide
from tests.iam.requests import document_of, requests_of

Refusals = dict[str, str]


def refusals(aws: LocalAws, calls: Iterable[Call]) -> Refusals:
    """The calls of functions that IAM would have refused, each with what it was refused."""
    found: Refusals = {}
    policies: dict[str, list[Document]] = {}
    for call in calls:
        if not call.role:
            continue
        if call.role not in policies:
            policies[call.role] = policies_of(aws, call.role)
        for request in requests_of(call):
            decision = decide(request, policies[call.role])
            if not decision.allowed:
                found[_described(request)] = f"{decision}; call {call.number}, {call.action} in {call.region}"
    return found


def policies_of(aws: LocalAws, role_arn: str) -> list[Document]:
    """The documents of a deployed role's policies, managed ones too."""
    account, name = role_arn.split(":")[4], role_arn.rsplit("/", 1)[-1]
    iam: Any = aws.client("iam", account, "us-east-1")
    inline = [
        iam.get_role_policy(RoleName=name, PolicyName=each)["PolicyDocument"]
        for each in iam.list_role_policies(RoleName=name)["PolicyNames"]
    ]
    managed = [
        _managed(iam, each["PolicyArn"]) for each in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    ]
    return [document_of(each) for each in [*inline, *managed]]


def _managed(iam: Any, arn: str) -> Any:
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]


def _described(request: Request) -> str:
    role = request.principal.rsplit("/", 1)[-1]
    context = ", ".join(f"{key}={value}" for key, value in sorted(request.context.items()))
    return f"{role}: {request.action} on {request.resource} in {request.region} ({context})"
