"""What each role's own work asks for, and what comes close to it and is misuse."""

from typing import Any

from tests.iam.evaluator import Decision, Request, decide
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
LOCK_DAYS = 31
FOR_DAYS = {"ec2:SnapshotLockDuration": str(LOCK_DAYS)}
UNLIMITED = {**ON_COPY, "aws:ResourceTag/snapferry:lock": "pending"}
TO_BE_LOCKED = {**UNLIMITED, **FOR_DAYS}
OF_RETIRED_HOME = {"aws:ResourceTag/snapferry:source-region": RETIRED_HOME}
OF_OTHER_HOME = {"aws:ResourceTag/snapferry:source-region": OTHER_HOME}
FOR_EBS = {"kms:GrantIsForAWSResource": "true"}

LEDGER = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/snapferry-Ledger-1A2B3C4D5E6F"
LINE = f"{LEDGER}/index/line"
LEADING = "dynamodb:LeadingKeys"
# The first part of the key of each kind of item in the ledger: an obligation, an account's turn, a hint, the round.
OBLIGATION, TURN, HINT, ROUND = ({LEADING: [key]} for key in ("O#a", f"A#{TARGET_REGION}", "H", "R"))

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
        # A lock that is longer than the policy's longest, or until a date.
        ("ec2:LockSnapshot", COPY, TARGET_REGION, {**UNLIMITED, "ec2:SnapshotLockDuration": str(LOCK_DAYS + 1)}),
        ("ec2:LockSnapshot", COPY, TARGET_REGION, {**UNLIMITED, "ec2:SnapshotLockDuration": "36500"}),
        ("ec2:LockSnapshot", COPY, TARGET_REGION, UNLIMITED),
        # A lock on what is no copy, or is not to be locked.
        ("ec2:LockSnapshot", COPY, TARGET_REGION, {}),
        ("ec2:LockSnapshot", COPY, TARGET_REGION, {**ON_COPY, **FOR_DAYS}),
        ("ec2:LockSnapshot", COPY, TARGET_REGION, {**TO_BE_LOCKED, "aws:ResourceTag/snapferry:lock": "locked"}),
        ("ec2:LockSnapshot", COPY, TARGET_REGION, {**FOR_DAYS, "aws:ResourceTag/snapferry:lock": "pending"}),
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


def asked(roles: Roles, role: str, probe: Probe) -> Decision:
    action, resource, region, context = probe
    return decide(Request(roles.arn(role), action, resource, region, context), roles.policies(role))
