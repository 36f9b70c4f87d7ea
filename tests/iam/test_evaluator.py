"""The evaluator against IAM's reference (IAM JSON policy elements: condition operators, evaluation logic)."""

from dataclasses import replace
from typing import Any

import pytest

from tests.iam.evaluator import FULL_ACCESS, Request, decide, decide_by_resource

ROLE = "arn:aws:iam::222222222222:role/path/tester"
SNAPSHOT = "arn:aws:ec2:eu-central-1::snapshot/snap-0123456789abcdef0"


def document(**statement: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Sid": "One", "Effect": "Allow", "Resource": "*", **statement}]}


def allowed(policy: dict[str, Any], action: str, resource: str, **context: str | list[str]) -> bool:
    keys = {key.replace("__", ":").replace("_in_", "/"): value for key, value in context.items()}
    return decide(Request(ROLE, action, resource, context=keys), [policy]).allowed


@pytest.mark.parametrize(
    ("condition", "value", "met"),
    [
        # An absent key: only Null and the negated operators are met, and ForAllValues over nothing.
        ({"StringEquals": {"k": "a"}}, None, False),
        ({"StringLike": {"k": "*"}}, None, False),
        ({"ArnLike": {"k": "*"}}, None, False),
        ({"ArnNotLike": {"k": "a"}}, None, True),
        ({"StringNotEquals": {"k": ["a", "b"]}}, None, True),
        ({"Bool": {"k": "true"}}, None, False),
        ({"Null": {"k": "true"}}, None, True),
        ({"Null": {"k": "false"}}, None, False),
        ({"NumericLessThanEquals": {"k": "9"}}, None, False),
        ({"ForAllValues:StringEquals": {"k": ["a"]}}, None, True),
        ({"ForAllValues:StringLike": {"k": ["a*"]}}, None, True),
        ({"ForAnyValue:StringLike": {"k": ["a"]}}, None, False),
        # A present one. Several values in a policy: one is enough; negated: none may match.
        ({"Null": {"k": "false"}}, "", True),
        ({"Null": {"k": "true"}}, "a", False),
        ({"StringEquals": {"k": ["a", "b"]}}, "b", True),
        ({"StringEquals": {"k": "a"}}, "A", False),
        ({"StringEquals": {"k": "*"}}, "a", False),
        ({"StringNotEquals": {"k": ["a", "b"]}}, "b", False),
        ({"StringNotEquals": {"k": ["a", "b"]}}, "c", True),
        ({"StringLike": {"k": "a*c?"}}, "abbcd", True),
        ({"StringLike": {"k": "a*c?"}}, "abbc", False),
        ({"Bool": {"k": "true"}}, "true", True),
        ({"Bool": {"k": "true"}}, "false", False),
        ({"ArnLike": {"k": "arn:aws:iam::*:role/*"}}, ROLE, True),
        ({"ArnEquals": {"k": "arn:aws:iam::*:role/*"}}, ROLE, True),
        ({"ArnNotLike": {"k": ["arn:aws:iam::*:role/other", ROLE]}}, ROLE, False),
        ({"ArnNotLike": {"k": ["arn:aws:iam::*:role/other"]}}, ROLE, True),
        ({"NumericLessThanEquals": {"k": "30"}}, "9", True),
        ({"NumericLessThanEquals": {"k": "30"}}, "30", True),
        ({"NumericLessThanEquals": {"k": "30"}}, "31", False),
        ({"NumericLessThanEquals": {"k": "30"}}, "100", False),
        # Keys with several values.
        ({"ForAllValues:StringEquals": {"k": ["a", "b"]}}, ["a", "b"], True),
        ({"ForAllValues:StringEquals": {"k": ["a", "b"]}}, ["a", "c"], False),
        ({"ForAllValues:StringLike": {"k": ["s:*", "b"]}}, ["s:a", "b"], True),
        ({"ForAllValues:StringLike": {"k": ["s:*", "b"]}}, ["s:a", "bc"], False),
        ({"ForAnyValue:StringLike": {"k": ["s:*"]}}, ["a", "s:b"], True),
        ({"ForAnyValue:StringLike": {"k": ["s:*"]}}, ["a", "b"], False),
        # Several keys and operators: all must be met.
        ({"StringEquals": {"k": "a"}, "Null": {"other": "true"}}, "a", True),
        ({"StringEquals": {"k": "a"}, "Null": {"other": "false"}}, "a", False),
    ],
)
def test_conditions(condition: dict[str, Any], value: str | list[str] | None, met: bool) -> None:
    policy = document(Action="ec2:DeleteSnapshot", Condition=condition)
    context = {} if value is None else {"k": value}
    assert allowed(policy, "ec2:DeleteSnapshot", SNAPSHOT, **context) is met


def test_actions_ignore_case_and_resources_do_not() -> None:
    policy = document(Action="EC2:delete*", Resource="arn:aws:ec2:*::snapshot/snap-*")
    assert allowed(policy, "ec2:DeleteSnapshot", SNAPSHOT)
    assert not allowed(policy, "ec2:CopySnapshot", SNAPSHOT)
    assert not allowed(policy, "ec2:DeleteSnapshot", SNAPSHOT.replace("snap-", "SNAP-"))


def test_a_request_without_tags_has_no_tag_keys() -> None:
    policy = document(Action="ec2:CreateTags", Condition={"Null": {"aws:TagKeys": "false"}})
    request = Request(ROLE, "ec2:CreateTags", SNAPSHOT)
    assert not decide(request, [policy]).allowed
    assert decide(replace(request, context={"aws:TagKeys": ["team"]}), [policy]).allowed


def test_a_literal_asterisk_is_no_wildcard() -> None:
    new, any_snapshot = "arn:aws:ec2:eu-central-1::snapshot/*", "arn:aws:ec2:*::snapshot/*"
    literal = document(Action="ec2:CopySnapshot", Resource="arn:aws:ec2:*::snapshot/${*}")
    assert allowed(literal, "ec2:CopySnapshot", new)
    assert not allowed(literal, "ec2:CopySnapshot", SNAPSHOT)
    assert not allowed(
        document(Action="ec2:CopySnapshot", Resource=f"{any_snapshot[:-1]}snap-*"), "ec2:CopySnapshot", new
    )
    assert allowed(document(Action="ec2:CopySnapshot", Resource=any_snapshot), "ec2:CopySnapshot", new)


def test_a_deny_wins_and_a_guardrail_allows_nothing() -> None:
    request = Request(ROLE, "ec2:DeleteSnapshot", SNAPSHOT)
    deny = document(Effect="Deny", Action="ec2:*")
    assert decide(request, [FULL_ACCESS]).allowed
    assert decide(request, [FULL_ACCESS, deny]).explicit
    assert decide(request, [FULL_ACCESS], deny).explicit
    assert not decide(request, [], document(Action="*")).allowed
    assert not decide(request, []).explicit


@pytest.mark.parametrize(
    ("principal", "named"),
    [
        ("*", True),
        ({"AWS": "*"}, True),
        ({"AWS": ROLE}, True),
        ({"AWS": ["arn:aws:iam::333333333333:root", "arn:aws:iam::222222222222:root"]}, True),
        ({"AWS": "arn:aws:iam::333333333333:root"}, False),
        ({"AWS": f"{ROLE}2"}, False),
        ({"Service": "events.amazonaws.com"}, False),
        ({}, False),
    ],
)
def test_a_resource_policy_is_about_whom_it_names(principal: Any, named: bool) -> None:
    policy = document(Action="sqs:SendMessage", Principal=principal)
    assert decide_by_resource(Request(ROLE, "sqs:SendMessage", "queue"), policy).allowed is named
    assert not decide_by_resource(Request(ROLE, "sqs:ReceiveMessage", "queue"), policy).allowed
    deny = document(Effect="Deny", Action="sqs:*", Principal=principal)
    assert decide_by_resource(Request(ROLE, "sqs:SendMessage", "queue"), deny).explicit is named


def test_a_service_is_named_as_one() -> None:
    policy = document(Action="sqs:SendMessage", Principal={"Service": "events.amazonaws.com"})
    assert decide_by_resource(Request("events.amazonaws.com", "sqs:SendMessage", "queue"), policy).allowed
    assert not decide_by_resource(Request("sns.amazonaws.com", "sqs:SendMessage", "queue"), policy).allowed


def test_what_is_said_without_tls_is_told_apart() -> None:
    policy = document(Action="sqs:SendMessage", Principal="*", Condition={"Bool": {"aws:SecureTransport": "false"}})
    request = Request(ROLE, "sqs:SendMessage", "queue")
    assert not decide_by_resource(request, policy).allowed
    assert decide_by_resource(replace(request, tls=False), policy).allowed


def test_what_is_not_understood_is_no_answer() -> None:
    for statement in (
        {"Action": "*", "Condition": {"NumericLessThan": {"k": "1"}}},
        {"Action": "*", "Resource": "arn:aws:s3:::${aws:username}"},
        {"Action": "*", "Effect": "allow"},
    ):
        with pytest.raises((NotImplementedError, ValueError)):
            allowed(document(**statement), "ec2:DeleteSnapshot", SNAPSHOT)
