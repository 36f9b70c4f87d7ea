"""Misuse of the template's roles: each probe is something that a role's own job comes close to."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from tests.iam.evaluator import Document, actions_of
from tests.iam.probes import (
    COPIER,
    COPY,
    EVERYBODYS,
    EXPIRER,
    FOR_EBS,
    LOCK_DAYS,
    MISUSE,
    OF_RETIRED_HOME,
    ON_COPY,
    OTHER_KEY,
    OTHER_REGION,
    OWN,
    OWNER,
    RETIRED_HOME,
    RETIRED_REGION,
    SHARED,
    SHARED_WORK,
    SOURCE_KEY,
    STRANGER,
    TARGET_KEY,
    TARGET_REGION,
    TIMERS,
    VERIFIER,
    WITH_A_SOURCE_KEY,
    asked,
)
from tests.iam.roles import ACCOUNT, REGION, Roles

# IAM's quotas for a role (IAM User Guide, "IAM and AWS STS quotas"), and CloudFormation's for a parameter.
MAX_INLINE, MAX_MANAGED, MAX_ATTACHED, MAX_PARAMETER = 10_240, 6_144, 10, 4_096


@pytest.fixture(scope="module")
def roles() -> Roles:
    return Roles(
        {
            "SourceAccounts": OWNER,
            "TargetRegions": TARGET_REGION,
            "TargetKeyArns": TARGET_KEY,
            "SourceKeyArns": SOURCE_KEY,
            "MaxLockDays": str(LOCK_DAYS),
            "RetiredRegions": RETIRED_REGION,
            "RetiredHomes": RETIRED_HOME,
        }
    )


@pytest.mark.parametrize("role", OWN)
def test_own_work(roles: Roles, role: str) -> None:
    refused = [probe for probe in OWN[role] if not asked(roles, role, probe).allowed]
    assert not refused


@pytest.mark.parametrize("role", MISUSE)
def test_misuse(roles: Roles, role: str) -> None:
    allowed = [(probe, str(decision)) for probe in MISUSE[role] if (decision := asked(roles, role, probe)).allowed]
    assert not allowed


@pytest.mark.parametrize("role", [COPIER, VERIFIER, EXPIRER, *TIMERS])
def test_the_others_work(roles: Roles, role: str) -> None:
    others = [probe for other in OWN if other != role for probe in OWN[other] if probe[0] not in EVERYBODYS]
    others = [probe for probe in others if role == EXPIRER or role in TIMERS or probe not in SHARED_WORK]
    allowed = [(probe, str(decision)) for probe in others if (decision := asked(roles, role, probe)).allowed]
    assert not allowed


def test_timers_start_one_thing_each(roles: Roles) -> None:
    for role, action, resource in (
        ("SweepTimerRole", "sqs:SendMessage", "CopierQueue"),
        ("VerifyTimerRole", "lambda:InvokeFunction", "VerifyCopies"),
        ("ExpiryTimerRole", "lambda:InvokeFunction", "DeleteExpiredCopies"),
    ):
        for other in ("CopierQueue", "CopierDeadLetterQueue", "VerifyCopies", "DeleteExpiredCopies"):
            for tried in (
                "sqs:SendMessage",
                "sqs:ReceiveMessage",
                "lambda:InvokeFunction",
                "lambda:UpdateFunctionCode",
            ):
                decision = asked(roles, role, (tried, roles.arn(other), REGION, {}))
                assert decision.allowed is ((tried, other) == (action, resource)), (role, tried, other)


def test_no_role_writes_to_anothers_logs(roles: Roles) -> None:
    for role in (COPIER, VERIFIER, EXPIRER):
        for other in (COPIER, VERIFIER, EXPIRER):
            logs = roles.arn(f"{other.removesuffix('Role')}Logs")
            assert asked(roles, role, ("logs:PutLogEvents", logs, REGION, {})).allowed is (role == other)


def test_every_role_is_probed(roles: Roles) -> None:
    assert set(roles.names()) == {COPIER, VERIFIER, EXPIRER, *TIMERS}


def test_kms_statements_that_allow_more_than_to_describe_name_keys(roles: Roles) -> None:
    for policy in roles.policies(COPIER):
        for statement in policy["Statement"]:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            if any(action.startswith("kms:") for action in actions) and actions != ["kms:DescribeKey"]:
                assert set(statement["Resource"]) <= {TARGET_KEY, SOURCE_KEY}


def test_without_named_keys_those_of_the_source_accounts_at_home_are_meant() -> None:
    roles = Roles(
        {"SourceAccounts": f"{OWNER},{STRANGER}", "TargetRegions": TARGET_REGION, "TargetKeyArns": TARGET_KEY}
    )

    def may(key: str, action: str, **context: Any) -> bool:
        account = {"aws:ResourceAccount": key.split(":")[4]}
        return asked(roles, COPIER, (action, key, TARGET_REGION, {**account, **context})).allowed

    keys = [SOURCE_KEY, SOURCE_KEY.replace("0a1b", "ffff"), SOURCE_KEY.replace(OWNER, STRANGER)]
    others = [
        OTHER_KEY,  # the target account's own
        OTHER_KEY.replace(TARGET_REGION, REGION),
        SOURCE_KEY.replace(OWNER, "444444444444"),
        SOURCE_KEY.replace(REGION, OTHER_REGION),
        SOURCE_KEY.replace("key/", "alias/"),
    ]
    for action, context in WITH_A_SOURCE_KEY:
        assert [key for key in keys if not may(key, action, **context)] == []
        if action != "kms:DescribeKey":
            assert [key for key in others if may(key, action, **context)] == []
    for action in ("kms:ScheduleKeyDeletion", "kms:PutKeyPolicy", "kms:RevokeGrant", "kms:Encrypt"):
        assert [key for key in keys if may(key, action, **FOR_EBS)] == []
    assert not may(SOURCE_KEY, "kms:CreateGrant")
    assert not may(SOURCE_KEY, "kms:CreateGrant", **{"kms:GrantIsForAWSResource": "false"})


def test_iam_takes_three_hundred_source_accounts() -> None:
    accounts = [f"{number:012}" for number in range(300)]
    roles = Roles({"SourceAccounts": ",".join(accounts), "TargetRegions": TARGET_REGION, "TargetKeyArns": TARGET_KEY})
    last = SOURCE_KEY.replace(OWNER, accounts[-1])
    for action, context in WITH_A_SOURCE_KEY:
        of_last = {"aws:ResourceAccount": accounts[-1], **context}
        assert asked(roles, COPIER, (action, last, TARGET_REGION, of_last)).allowed, action
    assert_iam_takes(roles)


def test_nothing_is_allowed_by_a_wildcard_service(roles: Roles) -> None:
    for role in roles.names():
        for sid, action in actions_of(roles.policies(role)):
            assert ":" in action, (role, sid, action)
            assert not action.endswith(":*"), (role, sid, action)


def as_many_as_fit(made: Callable[[int], str]) -> str:
    """The longest list that CloudFormation takes as a parameter."""
    listed = [made(0)]
    while len(",".join([*listed, made(len(listed))])) <= MAX_PARAMETER:
        listed.append(made(len(listed)))
    return ",".join(listed)


@pytest.mark.parametrize("named", [True, False], ids=["named", "any key of the accounts"])
def test_what_the_parameters_can_hold_iam_takes(named: bool) -> None:
    everywhere = ",".join(boto3.Session().get_available_regions("ec2"))
    keys = as_many_as_fit(lambda number: f"arn:aws:kms:{TARGET_REGION}:{ACCOUNT}:key/{uuid.UUID(int=number)}")
    roles = Roles(
        {
            "SourceAccounts": as_many_as_fit(lambda number: f"{number:012}"),
            "TargetRegions": everywhere,
            "TargetKeyArns": keys,
            "SourceKeyArns": keys if named else "",
            "RetiredRegions": everywhere,
            "RetiredHomes": everywhere,
        }
    )
    assert keys.count(",") > 45
    assert_iam_takes(roles)


def test_without_the_owner_condition_all_else_stays() -> None:
    given = {"SourceAccounts": OWNER, "TargetRegions": TARGET_REGION}
    narrow, wide = Roles(given), Roles({**given, "CopyAnyOwner": "true"})
    for context in ({"ec2:Owner": STRANGER}, {}):
        probe = ("ec2:CopySnapshot", SHARED, TARGET_REGION, context)
        assert not asked(narrow, COPIER, probe).allowed
        assert asked(wide, COPIER, probe).allowed

    def statements(roles: Roles) -> list[dict[str, Any]]:
        return [each for name in roles.names() for policy in roles.policies(name) for each in policy["Statement"]]

    changed = [(old, new) for old, new in zip(statements(narrow), statements(wide), strict=True) if old != new]
    assert [old["Sid"] for old, _ in changed] == ["CopyFromSourceAccounts"]
    [(old, new)] = changed
    assert old == {**new, "Condition": {"StringEquals": {"ec2:Owner": [OWNER]}}}


def assert_iam_takes(roles: Roles) -> None:
    for name in roles.names():
        assert sum(map(characters, roles.inline(name))) <= MAX_INLINE, name
        assert len(roles.managed(name)) <= MAX_ATTACHED, name
        assert all(characters(each) <= MAX_MANAGED for each in roles.managed(name)), name


def characters(document: Document) -> int:
    """As IAM counts them: without white space."""
    return len(json.dumps(document, separators=(",", ":")))


@pytest.mark.parametrize(
    "parameters",
    [
        {"SourceAccounts": OWNER, "TargetRegions": TARGET_REGION},
        {"SourceAccounts": f"{OWNER},{STRANGER}", "TargetRegions": f"{TARGET_REGION},{OTHER_REGION}"},
    ],
)
def test_parameters_widen_only_what_they_name(parameters: dict[str, str]) -> None:
    roles = Roles(parameters)
    several = "," in parameters["SourceAccounts"]
    assert not asked(roles, COPIER, ("kms:Decrypt", TARGET_KEY, TARGET_REGION, {})).allowed
    for account, may in ((OWNER, True), (STRANGER, several), (ACCOUNT, False)):
        key, of = SOURCE_KEY.replace(OWNER, account), {"aws:ResourceAccount": account}
        assert asked(roles, COPIER, ("kms:Decrypt", key, TARGET_REGION, of)).allowed is may, account
    assert asked(roles, COPIER, ("ec2:CopySnapshot", SHARED, TARGET_REGION, {"ec2:Owner": STRANGER})).allowed is several
    there = COPY.replace(TARGET_REGION, OTHER_REGION)
    assert asked(roles, EXPIRER, ("ec2:DeleteSnapshot", there, OTHER_REGION, ON_COPY)).allowed is several
    retired = {**ON_COPY, **OF_RETIRED_HOME}
    assert not asked(roles, EXPIRER, ("ec2:DeleteSnapshot", COPY, TARGET_REGION, retired)).allowed
