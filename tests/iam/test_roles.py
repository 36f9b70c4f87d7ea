"""Misuse of the template's roles: each probe is something that a role's own job comes close to."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from tests.iam.evaluator import Decision, Document, Request, actions_of, decide
from tests.iam.roles import ACCOUNT, REGION, Roles

OWNER, STRANGER = "111111111111", "333333333333"
TARGET_REGION, RETIRED_REGION, OTHER_REGION = "eu-west-1", "eu-north-1", "us-west-2"
RETIRED_HOME, OTHER_HOME = "eu-south-1", "us-east-1"
TARGET_KEY = f"arn:aws:kms:{TARGET_REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
SOURCE_KEY = f"arn:aws:kms:{REGION}:{OWNER}:key/0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f"
OTHER_KEY = f"arn:aws:kms:{TARGET_REGION}:{ACCOUNT}:key/ffffffff-12ab-34cd-56ef-1234567890ab"

COPIER, VERIFIER, EXPIRER = "CopySharedSnapshotsRole", "VerifyCopiesRole", "DeleteExpiredCopiesRole"
TIMERS = ("SweepTimerRole", "VerifyTimerRole", "ExpiryTimerRole")

SHARED = f"arn:aws:ec2:{REGION}::snapshot/snap-0123456789abcdef0"
NEW_COPY = f"arn:aws:ec2:{TARGET_REGION}::snapshot/*"
COPY = f"arn:aws:ec2:{TARGET_REGION}::snapshot/snap-0fedcba9876543210"

IDENTITY = {
    "snapferry:policy": "default",
    "snapferry:source-snapshot": "snap-0123456789abcdef0",
    "snapferry:source-account": OWNER,
    "snapferry:source-region": REGION,
    "snapferry:status": "verified",
}
ON_COPY = {f"aws:ResourceTag/{key}": value for key, value in IDENTITY.items()}
IN_REQUEST = {"aws:TagKeys": list(IDENTITY), **{f"aws:RequestTag/{key}": value for key, value in IDENTITY.items()}}
WHILE_COPYING = {**IN_REQUEST, "ec2:CreateAction": "CopySnapshot"}
VERDICT = {"aws:TagKeys": ["snapferry:status", "snapferry:settled-at", "snapferry:copy"]}
WITHOUT_VOLUME = {**ON_COPY, "aws:ResourceTag/snapferry:source-volume": "vol-ffffffff"}
VOLUME = {"aws:TagKeys": ["snapferry:source-volume"]}
TO_BE_LOCKED = {**ON_COPY, "aws:ResourceTag/snapferry:lock": "pending"}
OF_RETIRED_HOME = {"aws:ResourceTag/snapferry:source-region": RETIRED_HOME}
OF_OTHER_HOME = {"aws:ResourceTag/snapferry:source-region": OTHER_HOME}
FOR_EBS = {"kms:GrantIsForAWSResource": "true"}

LEDGER = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/snapferry-Ledger-1A2B3C4D5E6F"
LINE = f"{LEDGER}/index/line"
LEADING = "dynamodb:LeadingKeys"
# The first part of the key of each kind of item in the ledger: an obligation, an account's turn, a hint, the round.
OBLIGATION, TURN, HINT, ROUND = ({LEADING: [key]} for key in ("O#a", f"A#{TARGET_REGION}", "H", "R"))

# IAM's quotas for a role (IAM User Guide, "IAM and AWS STS quotas"), and CloudFormation's for a parameter.
MAX_INLINE, MAX_MANAGED, MAX_ATTACHED, MAX_PARAMETER = 10_240, 6_144, 10, 4_096

Probe = tuple[str, str, str, dict[str, Any]]

# What EC2 does with a source's key for the copier.
WITH_A_SOURCE_KEY: list[tuple[str, dict[str, Any]]] = [
    ("kms:DescribeKey", {}),
    ("kms:Decrypt", {}),
    ("kms:ReEncryptFrom", {}),
    ("kms:CreateGrant", FOR_EBS),
]

# Each role's own work: action, resource, Region, condition keys.
OWN: dict[str, list[Probe]] = {
    COPIER: [
        ("ec2:DescribeSnapshots", "*", TARGET_REGION, {}),
        ("ec2:CopySnapshot", SHARED, TARGET_REGION, {"ec2:Owner": OWNER}),
        ("ec2:CopySnapshot", NEW_COPY, TARGET_REGION, IN_REQUEST),
        ("ec2:CopySnapshot", NEW_COPY.replace(TARGET_REGION, REGION), REGION, IN_REQUEST),
        ("ec2:CreateTags", NEW_COPY, TARGET_REGION, WHILE_COPYING),
        ("kms:DescribeKey", TARGET_KEY, TARGET_REGION, {}),
        ("kms:DescribeKey", OTHER_KEY, TARGET_REGION, {}),
        ("kms:GenerateDataKeyWithoutPlaintext", TARGET_KEY, TARGET_REGION, {}),
        ("kms:CreateGrant", TARGET_KEY, TARGET_REGION, FOR_EBS),
        *((action, SOURCE_KEY, TARGET_REGION, context) for action, context in WITH_A_SOURCE_KEY),
        *(
            (f"dynamodb:{action}", LEDGER, REGION, item)
            for action in ("GetItem", "Query", "PutItem")
            for item in (OBLIGATION, TURN, HINT, ROUND)
        ),
        ("dynamodb:DeleteItem", LEDGER, REGION, TURN),
        ("dynamodb:DeleteItem", LEDGER, REGION, HINT),
        *(
            ("dynamodb:Query", LINE, REGION, {LEADING: [line]})
            for line in (f"L#{TARGET_REGION}#{OWNER}", f"D#{TARGET_REGION}#{OWNER}", f"Q#{TARGET_REGION}")
        ),
    ],
    VERIFIER: [
        ("ec2:DescribeSnapshots", "*", TARGET_REGION, {}),
        ("ec2:DescribeLockedSnapshots", "*", TARGET_REGION, {}),
        ("kms:DescribeKey", OTHER_KEY, TARGET_REGION, {}),
        ("ec2:CreateTags", COPY, TARGET_REGION, {**ON_COPY, **VERDICT}),
        ("ec2:LockSnapshot", COPY, TARGET_REGION, TO_BE_LOCKED),
        ("ec2:CreateTags", COPY, TARGET_REGION, {**ON_COPY, **VERDICT, **OF_RETIRED_HOME}),
        ("ec2:LockSnapshot", COPY, TARGET_REGION, {**TO_BE_LOCKED, **OF_RETIRED_HOME}),
        ("ec2:CreateTags", COPY, TARGET_REGION, {**WITHOUT_VOLUME, **VOLUME}),
        ("ec2:CreateTags", COPY, TARGET_REGION, {**WITHOUT_VOLUME, **VOLUME, **OF_RETIRED_HOME}),
        ("dynamodb:GetItem", LEDGER, REGION, OBLIGATION),
        ("dynamodb:PutItem", LEDGER, REGION, OBLIGATION),
        ("dynamodb:PutItem", LEDGER, REGION, TURN),
    ],
    EXPIRER: [
        ("ec2:DescribeSnapshots", "*", TARGET_REGION, {}),
        ("kms:DescribeKey", OTHER_KEY, TARGET_REGION, {}),
        ("ec2:DeleteSnapshot", COPY, TARGET_REGION, ON_COPY),
        ("ec2:DeleteSnapshot", COPY.replace(TARGET_REGION, RETIRED_REGION), RETIRED_REGION, ON_COPY),
        ("ec2:DeleteSnapshot", COPY, TARGET_REGION, {**ON_COPY, **OF_RETIRED_HOME}),
    ],
}
EVERYBODYS = {"ec2:DescribeSnapshots", "kms:DescribeKey"}
# What the copier and the verifier both do.
SHARED_WORK = [each for each in OWN[VERIFIER] if each in OWN[COPIER]]

# What no role may do with the ledger, whatever the item.
WITH_THE_LEDGER: list[Probe] = [
    *(
        (f"dynamodb:{action}", resource, REGION, OBLIGATION)
        for action in ("UpdateItem", "BatchWriteItem", "Scan", "BatchGetItem", "PartiQLUpdate", "PartiQLDelete")
        for resource in (LEDGER, LINE)
    ),
    *(
        (f"dynamodb:{action}", LEDGER, REGION, {})
        for action in (
            "DeleteTable",
            "UpdateTable",
            "UpdateContinuousBackups",
            "UpdateTimeToLive",
            "RestoreTableToPointInTime",
            "CreateBackup",
        )
    ),
    # Of another table, of no item, of an item of another kind, and of two of which one is.
    *(
        (f"dynamodb:{action}", resource, REGION, item)
        for action in ("PutItem", "DeleteItem")
        for resource, item in (
            (LEDGER.replace("Ledger", "Other"), TURN),
            (LEDGER, {}),
            (LEDGER, {LEADING: ["X#a"]}),
            (LEDGER, {LEADING: ["RR"]}),
            (LEDGER, {LEADING: [*TURN[LEADING], "X#a"]}),
        )
    ),
    # What is owed ends, and is never deleted; neither is the round.
    ("dynamodb:DeleteItem", LEDGER, REGION, OBLIGATION),
    ("dynamodb:DeleteItem", LEDGER, REGION, ROUND),
]

MISUSE: dict[str, list[Probe]] = {
    COPIER: [
        # From an account that is not an owner, or that EC2 does not name.
        ("ec2:CopySnapshot", SHARED, TARGET_REGION, {"ec2:Owner": STRANGER}),
        ("ec2:CopySnapshot", SHARED, TARGET_REGION, {}),
        # To a Region that is no target, and without Snapferry's tags.
        ("ec2:CopySnapshot", NEW_COPY.replace(TARGET_REGION, OTHER_REGION), OTHER_REGION, IN_REQUEST),
        ("ec2:CopySnapshot", NEW_COPY, TARGET_REGION, {}),
        ("ec2:CopySnapshot", NEW_COPY, TARGET_REGION, {"aws:RequestTag/snapferry:policy": "default"}),
        # Tags at another time than a copy's creation, by whatever action.
        ("ec2:CreateTags", COPY, TARGET_REGION, {**ON_COPY, **IN_REQUEST}),
        ("ec2:CreateTags", COPY, TARGET_REGION, {**ON_COPY, **IN_REQUEST, "ec2:CreateAction": "CreateSnapshot"}),
        ("ec2:CreateTags", NEW_COPY.replace(TARGET_REGION, OTHER_REGION), OTHER_REGION, WHILE_COPYING),
        ("ec2:CreateTags", f"arn:aws:ec2:{TARGET_REGION}:{ACCOUNT}:volume/*", TARGET_REGION, WHILE_COPYING),
        # Another key, and a grant to somebody else than EC2.
        ("kms:GenerateDataKeyWithoutPlaintext", OTHER_KEY, TARGET_REGION, {}),
        ("kms:CreateGrant", OTHER_KEY, TARGET_REGION, FOR_EBS),
        ("kms:CreateGrant", TARGET_KEY, TARGET_REGION, {}),
        ("kms:CreateGrant", SOURCE_KEY, TARGET_REGION, {"kms:GrantIsForAWSResource": "false"}),
        ("kms:ScheduleKeyDeletion", TARGET_KEY, TARGET_REGION, {}),
        ("kms:PutKeyPolicy", TARGET_KEY, TARGET_REGION, {}),
        *WITH_THE_LEDGER,
        ("dynamodb:GetItem", LEDGER.replace("Ledger", "Other"), REGION, OBLIGATION),
        ("dynamodb:Query", f"{LEDGER}/index/other", REGION, OBLIGATION),
    ],
    VERIFIER: [
        # A verdict on what is no copy, and tags that are no verdict.
        ("ec2:CreateTags", COPY, TARGET_REGION, VERDICT),
        ("ec2:CreateTags", COPY, TARGET_REGION, {**ON_COPY, "aws:TagKeys": ["snapferry:expire-after"]}),
        ("ec2:CreateTags", COPY, TARGET_REGION, {**ON_COPY, "aws:TagKeys": ["snapferry:status", "team"]}),
        ("ec2:CreateTags", COPY, TARGET_REGION, ON_COPY),
        ("ec2:CreateTags", COPY, TARGET_REGION, {**VERDICT, "ec2:CreateAction": "CopySnapshot"}),
        # Another home's copy.
        ("ec2:CreateTags", COPY, TARGET_REGION, {**ON_COPY, **VERDICT, **OF_OTHER_HOME}),
        ("ec2:LockSnapshot", COPY, TARGET_REGION, {**TO_BE_LOCKED, **OF_OTHER_HOME}),
        # A volume where one is known, on another home's copy, beside another tag, or on what is no copy.
        ("ec2:CreateTags", COPY, TARGET_REGION, {**ON_COPY, **VOLUME}),
        (
            "ec2:CreateTags",
            COPY,
            TARGET_REGION,
            {**WITHOUT_VOLUME, **VOLUME, "aws:ResourceTag/snapferry:source-volume": "vol-0123456789abcdef0"},
        ),
        ("ec2:CreateTags", COPY, TARGET_REGION, {**WITHOUT_VOLUME, **VOLUME, **OF_OTHER_HOME}),
        (
            "ec2:CreateTags",
            COPY,
            TARGET_REGION,
            {**WITHOUT_VOLUME, "aws:TagKeys": [*VERDICT["aws:TagKeys"], *VOLUME["aws:TagKeys"]]},
        ),
        ("ec2:CreateTags", COPY, TARGET_REGION, {"aws:ResourceTag/snapferry:source-volume": "vol-ffffffff", **VOLUME}),
        # A lock on what is no copy, or is not to be locked.
        ("ec2:LockSnapshot", COPY, TARGET_REGION, {}),
        ("ec2:LockSnapshot", COPY, TARGET_REGION, ON_COPY),
        ("ec2:LockSnapshot", COPY, TARGET_REGION, {**ON_COPY, "aws:ResourceTag/snapferry:lock": "locked"}),
        ("ec2:LockSnapshot", COPY, TARGET_REGION, {"aws:ResourceTag/snapferry:lock": "pending"}),
        ("ec2:UnlockSnapshot", COPY, TARGET_REGION, TO_BE_LOCKED),
        ("ec2:DeleteTags", COPY, TARGET_REGION, ON_COPY),
        *WITH_THE_LEDGER,
        *(
            (f"dynamodb:{action}", LEDGER, REGION, item)
            for action in ("GetItem", "PutItem", "DeleteItem")
            for item in (HINT, ROUND, {}, {LEADING: [*OBLIGATION[LEADING], *TURN[LEADING]]})
        ),
        # Turns are written, and neither read nor deleted.
        *((f"dynamodb:{action}", LEDGER, REGION, TURN) for action in ("GetItem", "Query", "DeleteItem")),
        ("dynamodb:Query", LEDGER, REGION, OBLIGATION),
        ("dynamodb:Query", LINE, REGION, {LEADING: [f"L#{TARGET_REGION}#{OWNER}"]}),
    ],
    EXPIRER: [
        # A snapshot without tags, one that lacks any of them, and one in a Region that never was a target.
        ("ec2:DeleteSnapshot", COPY, TARGET_REGION, {}),
        *(
            (
                "ec2:DeleteSnapshot",
                COPY,
                TARGET_REGION,
                {key: value for key, value in ON_COPY.items() if key != missing},
            )
            for missing in ON_COPY
        ),
        ("ec2:DeleteSnapshot", COPY.replace(TARGET_REGION, OTHER_REGION), OTHER_REGION, ON_COPY),
        # Another home's copy.
        ("ec2:DeleteSnapshot", COPY, TARGET_REGION, {**ON_COPY, **OF_OTHER_HOME}),
        ("ec2:UnlockSnapshot", COPY, TARGET_REGION, ON_COPY),
        ("ec2:CreateTags", COPY, TARGET_REGION, {**ON_COPY, **VERDICT}),
        ("ec2:DeleteTags", COPY, TARGET_REGION, ON_COPY),
        *WITH_THE_LEDGER,
    ],
}


@pytest.fixture(scope="module")
def roles() -> Roles:
    return Roles(
        {
            "SourceAccounts": OWNER,
            "TargetRegions": TARGET_REGION,
            "TargetKeyArns": TARGET_KEY,
            "SourceKeyArns": SOURCE_KEY,
            "RetiredRegions": RETIRED_REGION,
            "RetiredHomes": RETIRED_HOME,
        }
    )


def asked(roles: Roles, role: str, probe: Probe) -> Decision:
    action, resource, region, context = probe
    return decide(Request(roles.arn(role), action, resource, region, context), roles.policies(role))


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
