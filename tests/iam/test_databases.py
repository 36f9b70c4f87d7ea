"""The roles for databases: what each can, what it cannot, and that nothing of it is there without Databases."""

from typing import Any

import pytest

from tests.e2e.translate import translated
from tests.iam.probes import (
    FOR_EBS,
    HINT,
    LEADING,
    OBLIGATION,
    OF_OTHER_HOME,
    OF_RETIRED_HOME,
    OTHER_HOME,
    OTHER_KEY,
    OTHER_REGION,
    OWN,
    OWNER,
    RETIRED_HOME,
    RETIRED_REGION,
    ROUND,
    SOURCE_KEY,
    STRANGER,
    TARGET_KEY,
    TARGET_REGION,
    TURN,
    Probe,
    asked,
)
from tests.iam.roles import ACCOUNT, REGION, Roles
from tests.iam.test_resources import key_policy, may
from tests.iam.test_roles import MAX_PARAMETER, assert_iam_takes
from tests.parity.resolve import Resolver

COPIER, VERIFIER, EXPIRER = "CopySharedDatabasesRole", "VerifyCopiedDatabasesRole", "DeleteExpiredDatabaseCopiesRole"
TIMER = "DatabaseTimerRole"
LEDGERS = [
    f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/snapferry-{kind}Ledger-1A2B3C4D5E6F" for kind in ("Instance", "Cluster")
]
VOLUMES = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/snapferry-Ledger-1A2B3C4D5E6F"
GIVEN = {
    "SourceAccounts": OWNER,
    "TargetRegions": TARGET_REGION,
    "TargetKeyArns": TARGET_KEY,
    "RetiredRegions": RETIRED_REGION,
    "RetiredHomes": RETIRED_HOME,
}
WITH = {**GIVEN, "Databases": "true"}

KINDS = (("DBSnapshot", "snapshot"), ("DBClusterSnapshot", "cluster-snapshot"))
IDENTITY = {
    "snapferry:policy": "default",
    "snapferry:source-snapshot": "nightly-2026-11-29",
    "snapferry:source-account": OWNER,
    "snapferry:source-region": REGION,
    "snapferry:status": "copying",
}
IN_REQUEST = {"aws:TagKeys": list(IDENTITY), **{f"aws:RequestTag/{key}": value for key, value in IDENTITY.items()}}
ON_COPY = {f"aws:ResourceTag/{key}": value for key, value in IDENTITY.items()}
SETTLED = {**ON_COPY, "aws:ResourceTag/snapferry:status": "verified"}
VERDICT = {"aws:TagKeys": ["snapferry:status", "snapferry:settled-at", "snapferry:copy"]}
OF_OWNER = {"aws:ResourceAccount": OWNER}


def shared(kind: str, account: str = OWNER, region: str = REGION) -> str:
    return f"arn:aws:rds:{region}:{account}:{kind}:nightly-2026-11-29"


def copy(kind: str, region: str = TARGET_REGION, name: str = "snapferry-0a1b2c3d", account: str = ACCOUNT) -> str:
    return f"arn:aws:rds:{region}:{account}:{kind}:{name}"


def through_rds(region: str, **more: str) -> dict[str, Any]:
    return {"kms:ViaService": f"rds.{region}.amazonaws.com", **more}


def with_each_kind(*made: Any) -> list[Probe]:
    """Each probe for snapshots of instances and of clusters."""
    return [probe for make in made for form, kind in KINDS for probe in make(form, kind)]


USING_A_KEY = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
)

# Which owners the sweep of volumes has heard of.
HEARD: Probe = ("dynamodb:GetItem", VOLUMES, REGION, ROUND)

OWN_WORK: dict[str, list[Probe]] = {
    COPIER: [
        ("rds:DescribeAccountAttributes", "*", TARGET_REGION, {}),
        ("rds:CrossRegionCommunication", "*", TARGET_REGION, {}),
        ("kms:DescribeKey", OTHER_KEY, TARGET_REGION, {}),
        *with_each_kind(
            lambda form, kind: [
                (f"rds:Describe{form}s", "*", TARGET_REGION, {}),
                *(
                    probe
                    for region in (TARGET_REGION, REGION)
                    for probe in (
                        (f"rds:Copy{form}", shared(kind), region, {**OF_OWNER, **IN_REQUEST}),
                        (f"rds:Copy{form}", copy(kind), region, IN_REQUEST),
                        ("rds:AddTagsToResource", copy(kind), region, IN_REQUEST),
                    )
                ),
                # Once more, because the answer was lost, or because the copy is not shown yet.
                ("rds:AddTagsToResource", copy(kind), TARGET_REGION, {**IN_REQUEST, **ON_COPY}),
            ]
        ),
        *(
            (action, key, region, through_rds(region, **{"aws:ResourceAccount": owner}))
            for key, region, owner in ((TARGET_KEY, TARGET_REGION, ACCOUNT), (SOURCE_KEY, REGION, OWNER))
            for action in USING_A_KEY
        ),
        *(
            ("kms:CreateGrant", key, region, through_rds(region, **{**FOR_EBS, "aws:ResourceAccount": owner}))
            for key, region, owner in ((TARGET_KEY, TARGET_REGION, ACCOUNT), (SOURCE_KEY, REGION, OWNER))
        ),
        *(
            (f"dynamodb:{action}", ledger, REGION, item)
            for ledger in LEDGERS
            for action in ("GetItem", "Query", "PutItem")
            for item in (OBLIGATION, TURN, HINT, ROUND)
        ),
        *(("dynamodb:DeleteItem", ledger, REGION, item) for ledger in LEDGERS for item in (TURN, HINT)),
        HEARD,
        *(("dynamodb:Query", f"{ledger}/index/line", REGION, {LEADING: [f"Q#{TARGET_REGION}"]}) for ledger in LEDGERS),
    ],
    VERIFIER: [
        ("kms:DescribeKey", OTHER_KEY, TARGET_REGION, {}),
        *with_each_kind(
            lambda form, kind: [
                (f"rds:Describe{form}s", "*", TARGET_REGION, {}),
                ("rds:AddTagsToResource", copy(kind), TARGET_REGION, {**ON_COPY, **VERDICT}),
                ("rds:AddTagsToResource", copy(kind), TARGET_REGION, {**SETTLED, **OF_RETIRED_HOME, **VERDICT}),
            ]
        ),
        *(
            (f"dynamodb:{action}", ledger, REGION, item)
            for ledger in LEDGERS
            for action, item in (("GetItem", OBLIGATION), ("PutItem", OBLIGATION), ("PutItem", TURN))
        ),
    ],
    EXPIRER: [
        ("kms:DescribeKey", OTHER_KEY, TARGET_REGION, {}),
        *with_each_kind(
            lambda form, kind: [
                (f"rds:Describe{form}s", "*", TARGET_REGION, {}),
                (f"rds:Delete{form}", copy(kind), TARGET_REGION, SETTLED),
                (f"rds:Delete{form}", copy(kind, RETIRED_REGION), RETIRED_REGION, SETTLED),
                (f"rds:Delete{form}", copy(kind), TARGET_REGION, {**SETTLED, **OF_RETIRED_HOME}),
            ]
        ),
    ],
}
# What reads alone, the verdict's part of the ledgers, and a key that anybody may look at.
COMMON = ("rds:Describe", "kms:DescribeKey")

# What is a role's own and comes close to it, for no role of these.
NOBODYS: list[Probe] = [
    *with_each_kind(
        lambda form, kind: [
            # Of an account that is no owner; of another home; to a Region that is no target.
            (f"rds:Copy{form}", shared(kind, STRANGER), TARGET_REGION, {"aws:ResourceAccount": STRANGER, **IN_REQUEST}),
            (f"rds:Copy{form}", shared(kind, OWNER, OTHER_HOME), TARGET_REGION, {**OF_OWNER, **IN_REQUEST}),
            (f"rds:Copy{form}", copy(kind, OTHER_REGION), OTHER_REGION, IN_REQUEST),
            # Without Snapferry's tags, under another name, into another account.
            (f"rds:Copy{form}", copy(kind), TARGET_REGION, {}),
            (f"rds:Copy{form}", copy(kind, name="nightly"), TARGET_REGION, IN_REQUEST),
            (f"rds:Copy{form}", copy(kind, account=STRANGER), TARGET_REGION, IN_REQUEST),
            # Tags on what is no copy, and a copy's tags anew once it has its verdict.
            ("rds:AddTagsToResource", copy(kind, name="nightly"), TARGET_REGION, IN_REQUEST),
            ("rds:AddTagsToResource", copy(kind), TARGET_REGION, {**SETTLED, **IN_REQUEST}),
            (
                "rds:AddTagsToResource",
                copy(kind),
                TARGET_REGION,
                {**ON_COPY, **IN_REQUEST, "aws:RequestTag/snapferry:status": "verified"},
            ),
            (
                "rds:AddTagsToResource",
                copy(kind),
                TARGET_REGION,
                {**ON_COPY, "aws:TagKeys": ["snapferry:expire-after"]},
            ),
            ("rds:AddTagsToResource", copy(kind), TARGET_REGION, VERDICT),
            ("rds:AddTagsToResource", copy(kind), TARGET_REGION, {**ON_COPY, **OF_OTHER_HOME, **VERDICT}),
            ("rds:RemoveTagsFromResource", copy(kind), TARGET_REGION, {**ON_COPY, **VERDICT}),
            # What has another name, lacks a tag, is another home's or stands where no copy was made.
            (f"rds:Delete{form}", copy(kind, name="nightly"), TARGET_REGION, SETTLED),
            *(
                (
                    f"rds:Delete{form}",
                    copy(kind),
                    TARGET_REGION,
                    {tag: v for tag, v in SETTLED.items() if tag != missing},
                )
                for missing in SETTLED
            ),
            (f"rds:Delete{form}", copy(kind), TARGET_REGION, {**SETTLED, **OF_OTHER_HOME}),
            (f"rds:Delete{form}", copy(kind, OTHER_REGION), OTHER_REGION, SETTLED),
            (f"rds:Modify{form}Attribute", copy(kind), TARGET_REGION, SETTLED),
            (f"rds:Create{form}", copy(kind), TARGET_REGION, IN_REQUEST),
        ]
    ),
    ("rds:ModifyDBSnapshot", copy("snapshot"), TARGET_REGION, SETTLED),
    ("rds:RestoreDBInstanceFromDBSnapshot", copy("snapshot"), TARGET_REGION, SETTLED),
    ("rds:StartExportTask", copy("snapshot"), TARGET_REGION, SETTLED),
    ("rds:DeleteDBInstance", f"arn:aws:rds:{TARGET_REGION}:{ACCOUNT}:db:snapferry-x", TARGET_REGION, SETTLED),
    # A key by another way than RDS, another key, a stranger's; a grant to somebody else.
    ("kms:Decrypt", TARGET_KEY, TARGET_REGION, {}),
    ("kms:Decrypt", TARGET_KEY, TARGET_REGION, {"kms:ViaService": f"s3.{TARGET_REGION}.amazonaws.com"}),
    ("kms:Decrypt", OTHER_KEY, TARGET_REGION, through_rds(TARGET_REGION)),
    ("kms:CreateGrant", TARGET_KEY, TARGET_REGION, through_rds(TARGET_REGION)),
    ("kms:CreateGrant", TARGET_KEY, TARGET_REGION, FOR_EBS),
    (
        "kms:Decrypt",
        SOURCE_KEY.replace(OWNER, STRANGER),
        REGION,
        through_rds(REGION, **{"aws:ResourceAccount": STRANGER}),
    ),
    ("kms:ScheduleKeyDeletion", TARGET_KEY, TARGET_REGION, through_rds(TARGET_REGION)),
    # The ledgers beyond a role's part, and that of volumes.
    *(
        (f"dynamodb:{action}", ledger, REGION, item)
        for ledger in LEDGERS
        for action, item in (
            ("DeleteItem", OBLIGATION),
            ("DeleteItem", ROUND),
            ("PutItem", {}),
            ("PutItem", {LEADING: ["X#a"]}),
            ("UpdateItem", OBLIGATION),
            ("Scan", {}),
            ("DeleteTable", {}),
        )
    ),
    *((f"dynamodb:{action}", VOLUMES, REGION, OBLIGATION) for action in ("GetItem", "PutItem", "Query")),
    *((f"dynamodb:{action}", VOLUMES, REGION, ROUND) for action in ("PutItem", "Query", "DeleteItem")),
    ("dynamodb:GetItem", VOLUMES, REGION, {}),
    # What is done to volumes.
    ("ec2:DeleteSnapshot", f"arn:aws:ec2:{TARGET_REGION}::snapshot/snap-0fedcba9876543210", TARGET_REGION, SETTLED),
    ("ec2:DescribeSnapshots", "*", TARGET_REGION, {}),
]


@pytest.fixture(scope="module")
def roles() -> Roles:
    return Roles(WITH)


@pytest.mark.parametrize("role", OWN_WORK)
def test_own_work(roles: Roles, role: str) -> None:
    assert [probe for probe in OWN_WORK[role] if not asked(roles, role, probe).allowed] == []


@pytest.mark.parametrize("role", [*OWN_WORK, TIMER])
def test_misuse_and_the_others_work(roles: Roles, role: str) -> None:
    own = OWN_WORK.get(role, [])
    others = [probe for other in OWN_WORK for probe in OWN_WORK[other] if not probe[0].startswith(COMMON)]
    tried = [*NOBODYS, *(probe for probe in others if probe not in own)]
    assert [(probe, str(made)) for probe in tried if (made := asked(roles, role, probe)).allowed] == []


def test_what_volumes_have_is_the_same_with_and_without(roles: Roles) -> None:
    without = Roles(GIVEN)
    assert set(roles.names()) - set(without.names()) == {*OWN_WORK, TIMER}
    for name in without.names():
        assert without.policies(name) == roles.policies(name)
        assert [
            probe
            for work in OWN_WORK.values()
            for probe in work
            if probe[0].startswith("rds:") and asked(roles, name, probe).allowed
        ] == []
    for role, work in OWN.items():
        assert [
            probe
            for probe in work
            if probe not in [*NOBODYS, HEARD]
            and not probe[0].startswith("kms:Describe")
            and asked(roles, COPIER, probe).allowed
        ] == [], role


def test_nothing_else_of_the_stack_is_another_with_databases() -> None:
    """The dashboard shows their alarms, and the queries read their logs, too."""
    without, with_it = (Resolver(translated(), each).resources() for each in (GIVEN, WITH))
    shown = {
        name
        for name, each in without.items()
        if each["Type"] in {"AWS::CloudWatch::Dashboard", "AWS::Logs::QueryDefinition"}
    }
    # The copier of volumes is told whether there are any.
    for each, has_databases in ((without, "false"), (with_it, "true")):
        variables = each["CopySharedSnapshots"]["Properties"]["Environment"]["Variables"]
        assert variables.pop("SNAPFERRY_DATABASES") == has_databases
    assert [name for name, each in without.items() if name not in shown and with_it[name] != each] == []
    assert [name for name in without if "Database" in name or name.startswith(("Instance", "Cluster"))] == []
    assert "'rds:" not in str(without)


def test_its_timer_starts_the_three_and_nothing_else(roles: Roles) -> None:
    functions = {name.removesuffix("Role") for name in OWN_WORK}
    for function in (*functions, "CopySharedSnapshots", "VerifyCopies", "DeleteExpiredCopies"):
        probe: Probe = ("lambda:InvokeFunction", roles.arn(function), REGION, {})
        assert asked(roles, TIMER, probe).allowed is (function in functions)
    assert asked(roles, TIMER, ("sqs:SendMessage", roles.arn("UndeliveredQueue"), REGION, {})).allowed
    assert not asked(roles, TIMER, ("sqs:SendMessage", roles.arn("CopierQueue"), REGION, {})).allowed


def test_no_role_writes_to_anothers_logs(roles: Roles) -> None:
    for role in OWN_WORK:
        for other in OWN_WORK:
            logs = roles.arn(f"{other.removesuffix('Role')}Logs")
            assert asked(roles, role, ("logs:PutLogEvents", logs, REGION, {})).allowed is (role == other)


@pytest.mark.parametrize(("form", "kind"), KINDS)
def test_without_the_condition_on_owners_all_else_stays(form: str, kind: str) -> None:
    wide = Roles({**WITH, "CopyAnyOwner": "true"})
    theirs = (f"rds:Copy{form}", shared(kind, STRANGER), TARGET_REGION, IN_REQUEST)
    assert asked(wide, COPIER, theirs).allowed
    elsewhere = (f"rds:Copy{form}", shared(kind, STRANGER, OTHER_HOME), TARGET_REGION, IN_REQUEST)
    assert not asked(wide, COPIER, elsewhere).allowed


def test_named_keys_of_sources_are_the_only_ones() -> None:
    named = Roles({**WITH, "SourceKeyArns": SOURCE_KEY})
    other = SOURCE_KEY.replace("key/", "key/f")
    for key, is_named in ((SOURCE_KEY, True), (other, False)):
        probe = ("kms:Decrypt", key, REGION, through_rds(REGION, **OF_OWNER))
        assert asked(named, COPIER, probe).allowed is is_named


def test_the_sources_key_lets_the_copier_use_it_as_rds_does() -> None:
    """The key that source-account.yaml makes, and with the same statements any other."""
    role = f"arn:aws:iam::{ACCOUNT}:role/snapferry/snapferry-{COPIER}-1A2B3C4D5E6F"
    for action in (*USING_A_KEY, "kms:CreateGrant"):
        assert may(key_policy(), role, action, through_rds(REGION, **FOR_EBS)), action
    assert not may(key_policy(), role, "kms:CreateGrant", through_rds(REGION))


def test_iam_takes_what_the_parameters_can_hold() -> None:
    accounts = ",".join(f"{number:012}" for number in range((MAX_PARAMETER + 1) // 13))
    keys = ",".join(
        TARGET_KEY.replace("1234abcd", f"{number:08x}")
        for number in range((MAX_PARAMETER + 1) // (len(TARGET_KEY) + 1))
    )
    for source_keys in ("", keys):
        assert_iam_takes(
            Roles({**WITH, "SourceAccounts": accounts, "TargetKeyArns": keys, "SourceKeyArns": source_keys})
        )
