"""Asks whether IAM would permit a request.

The evaluator is that of the emulator that the tests run against anyway (MIT). It knows identity and resource policies,
permissions boundaries and conditions, but neither the variable `${*}`, which stands for a literal asterisk, nor what it
does not know: both are seen to here. test_evaluator.py holds it to IAM's reference for each operator in use.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ministack.core import iam_evaluator  # type: ignore[import-untyped]

Document = Mapping[str, Any]

# An organization without guardrails has this policy attached everywhere.
FULL_ACCESS: Document = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "FullAWSAccess", "Effect": "Allow", "Action": "*", "Resource": "*"}],
}

OPERATORS = {
    "ArnEquals",
    "ArnLike",
    "ArnNotLike",
    "Bool",
    "Null",
    "NumericLessThanEquals",
    "StringEquals",
    "StringLike",
    "StringNotEquals",
}
SET_OPERATORS = {"ForAllValues:StringEquals", "ForAllValues:StringLike", "ForAnyValue:StringLike"}

# What a literal asterisk becomes, in policies and in requests, so that no pattern takes it for a wildcard.
_ASTERISK = "\N{FULLWIDTH ASTERISK}"


@dataclass(frozen=True)
class Request:
    """A request as IAM sees it. The resource `…/*` means an asterisk, as EC2 writes what does not exist yet."""

    principal: str
    action: str
    resource: str
    region: str = "eu-central-1"
    context: Mapping[str, str | list[str]] = field(default_factory=dict)
    tls: bool = True


@dataclass(frozen=True)
class Decision:
    """What IAM says, and by which statement."""

    allowed: bool
    explicit: bool
    statement: str = ""

    def __str__(self) -> str:
        word = "allowed" if self.allowed else "denied" if self.explicit else "not allowed"
        return f"{word} by {self.statement}" if self.statement else word


def decide(request: Request, policies: Sequence[Document], *guardrails: Document) -> Decision:
    """The decision on a request of somebody who has `policies`; each guardrail is an SCP beside full access."""
    limits = [[_parsed(FULL_ACCESS), _parsed(guardrail)] for guardrail in guardrails]
    return _decision(iam_evaluator.evaluate(_context(request), [_parsed(policy) for policy in policies], *limits))


def decide_by_resource(request: Request, policy: Document) -> Decision:
    """What the policy of the resource itself says; the request may be a service's, such as events.amazonaws.com."""
    _parsed(policy)
    service = request.principal if request.principal.endswith(".amazonaws.com") else None
    return _decision(iam_evaluator.evaluate_resource_policy(dict(policy), _context(request), service))


def _context(request: Request) -> iam_evaluator.EvalContext:
    return iam_evaluator.EvalContext(
        principal_arn=request.principal,
        principal_type="AssumedRole",
        # A service has none.
        principal_account="".join(request.principal.split(":")[4:5]),
        action=request.action,
        resource_arn=_literal(request.resource),
        region=request.region,
        secure_transport=request.tls,
        # A request without tags has no aws:TagKeys at all.
        service_context={"aws:tagkeys": None} | {key.lower(): value for key, value in request.context.items()},
    )


def _decision(result: iam_evaluator.EvalResult) -> Decision:
    return Decision(result.decision == "Allow", result.decision == "Deny", result.matched_sid)


def _literal(resource: str) -> str:
    return resource if resource == "*" else resource.replace("*", _ASTERISK)


def _parsed(document: Document) -> list[iam_evaluator.ParsedStatement]:
    for statement in document["Statement"]:
        unknown = set(statement.get("Condition", {})) - OPERATORS - SET_OPERATORS
        if unknown:
            raise NotImplementedError(f"{unknown} in {statement.get('Sid')}: see test_evaluator.py first")
    text = json.dumps(document).replace("${*}", _ASTERISK)
    if "${" in text:
        raise NotImplementedError(f"a variable in {text}")
    parsed: list[iam_evaluator.ParsedStatement] = iam_evaluator.parse_policy_document(json.loads(text))
    if len(parsed) != len(document["Statement"]):
        raise ValueError(f"not all statements were understood: {text}")
    return parsed


def actions_of(policies: Sequence[Document]) -> Iterator[tuple[str, str]]:
    """Each allowed action with its statement's Sid."""
    for policy in policies:
        for statement in policy["Statement"]:
            if statement["Effect"] == "Allow":
                named = statement["Action"]
                for action in [named] if isinstance(named, str) else named:
                    yield statement.get("Sid", ""), action
