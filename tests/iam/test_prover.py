"""The role that may read data: what it can, what it cannot, and that nothing of it is there without a schedule."""

from typing import Any

import pytest

from tests.iam.probes import (
    COPY,
    HINT,
    LEADING,
    LEDGER,
    OBLIGATION,
    OF_OTHER_HOME,
    ON_COPY,
    OTHER_KEY,
    OWN,
    OWNER,
    ROUND,
    SHARED,
    SOURCE_KEY,
    STRANGER,
    TARGET_KEY,
    TARGET_REGION,
    TURN,
    VERDICT,
    Probe,
    asked,
)
from tests.iam.roles import ACCOUNT, REGION, Roles

PROVER, TIMER = "ProveCopiesRole", "ProveTimerRole"
GIVEN = {"SourceAccounts": OWNER, "TargetRegions": TARGET_REGION, "TargetKeyArns": TARGET_KEY}
PROVING = {**GIVEN, "ProofSchedule": "rate(1 hour)"}
PLACE = {LEADING: [f"P#{TARGET_REGION}"]}
PROOF = {"aws:TagKeys": ["snapferry:proof"]}


def through_ebs(region: str, **more: str) -> dict[str, Any]:
    return {"kms:ViaService": f"ec2.{region}.amazonaws.com", "aws:ResourceAccount": OWNER, **more}


OWN_WORK: list[Probe] = [
    ("ec2:DescribeSnapshots", "*", TARGET_REGION, {}),
    *(
        (f"ebs:{action}", resource, region, context)
        for action in ("ListSnapshotBlocks", "GetSnapshotBlock", "ListChangedBlocks")
        for resource, region, context in ((COPY, TARGET_REGION, ON_COPY), (SHARED, REGION, {}))
    ),
    ("kms:Decrypt", TARGET_KEY, TARGET_REGION, through_ebs(TARGET_REGION)),
    ("kms:DescribeKey", TARGET_KEY, TARGET_REGION, through_ebs(TARGET_REGION)),
    ("ec2:CreateTags", COPY, TARGET_REGION, {**ON_COPY, **PROOF}),
    ("ec2:CreateTags", COPY, TARGET_REGION, {**ON_COPY, **VERDICT, "aws:RequestTag/snapferry:status": "rejected"}),
    *((f"dynamodb:{action}", LEDGER, REGION, PLACE) for action in ("GetItem", "PutItem", "DeleteItem", "Query")),
    ("dynamodb:GetItem", LEDGER, REGION, OBLIGATION),
    ("dynamodb:PutItem", LEDGER, REGION, OBLIGATION),
    ("dynamodb:PutItem", LEDGER, REGION, TURN),
]
MISUSE: list[Probe] = [
    # Blocks of what is no copy, or another home's; and writing any.
    ("ebs:GetSnapshotBlock", COPY, TARGET_REGION, {}),
    ("ebs:GetSnapshotBlock", COPY, TARGET_REGION, {**ON_COPY, **OF_OTHER_HOME}),
    *((f"ebs:{action}", SHARED, REGION, {}) for action in ("StartSnapshot", "PutSnapshotBlock", "CompleteSnapshot")),
    # A key by another way than EBS, another key, and a source's without the option.
    ("kms:Decrypt", TARGET_KEY, TARGET_REGION, {}),
    ("kms:Decrypt", TARGET_KEY, TARGET_REGION, {"kms:ViaService": f"s3.{TARGET_REGION}.amazonaws.com"}),
    ("kms:Decrypt", OTHER_KEY, TARGET_REGION, through_ebs(TARGET_REGION)),
    ("kms:Decrypt", SOURCE_KEY, REGION, through_ebs(REGION)),
    ("kms:GenerateDataKeyWithoutPlaintext", TARGET_KEY, TARGET_REGION, through_ebs(TARGET_REGION)),
    # Tags on what is no copy, and others than its own.
    ("ec2:CreateTags", COPY, TARGET_REGION, PROOF),
    ("ec2:CreateTags", COPY, TARGET_REGION, {**ON_COPY, **PROOF, **OF_OTHER_HOME}),
    ("ec2:CreateTags", COPY, TARGET_REGION, {**ON_COPY, "aws:TagKeys": ["snapferry:expire-after"]}),
    # To call a copy verified.
    ("ec2:CreateTags", COPY, TARGET_REGION, {**ON_COPY, **VERDICT, "aws:RequestTag/snapferry:status": "verified"}),
    ("ec2:DeleteTags", COPY, TARGET_REGION, ON_COPY),
    ("ec2:DeleteSnapshot", COPY, TARGET_REGION, ON_COPY),
    ("ec2:LockSnapshot", COPY, TARGET_REGION, {**ON_COPY, "aws:ResourceTag/snapferry:lock": "pending"}),
    ("ec2:CopySnapshot", SHARED, TARGET_REGION, {"ec2:Owner": OWNER}),
    ("ec2:CreateVolume", COPY, TARGET_REGION, ON_COPY),
    # Of what is owed it owes again what it rejected, and no more.
    *(
        (f"dynamodb:{action}", LEDGER, REGION, item)
        for action, items in (
            ("GetItem", (TURN, HINT, ROUND, {})),
            ("PutItem", (HINT, ROUND, {})),
            ("DeleteItem", (OBLIGATION, TURN, HINT, ROUND, {})),
            ("Query", (OBLIGATION, TURN, HINT, ROUND, {})),
        )
        for item in items
    ),
]


@pytest.mark.parametrize("probe", OWN_WORK, ids=str)
def test_own_work(probe: Probe) -> None:
    assert asked(Roles(PROVING), PROVER, probe).allowed


@pytest.mark.parametrize("probe", MISUSE, ids=str)
def test_misuse(probe: Probe) -> None:
    assert not asked(Roles(PROVING), PROVER, probe).allowed


def test_without_a_schedule_there_is_no_such_role_and_the_others_are_the_same() -> None:
    without, with_it = Roles(GIVEN), Roles(PROVING)
    assert set(with_it.names()) - set(without.names()) == {PROVER, TIMER}
    for name in without.names():
        assert without.policies(name) == with_it.policies(name)


def test_sources_are_decrypted_only_if_asked() -> None:
    asking = {**PROVING, "ProofDecryptsSources": "true"}
    probe = ("kms:Decrypt", SOURCE_KEY, REGION, through_ebs(REGION))
    for parameters in (asking, {**asking, "SourceKeyArns": SOURCE_KEY}):
        assert asked(Roles(parameters), PROVER, probe).allowed
        elsewhere = through_ebs(TARGET_REGION)
        assert not asked(Roles(parameters), PROVER, ("kms:Decrypt", SOURCE_KEY, REGION, elsewhere)).allowed
    strangers = through_ebs(REGION, **{"aws:ResourceAccount": STRANGER})
    key = SOURCE_KEY.replace(OWNER, STRANGER)
    assert not asked(Roles(asking), PROVER, ("kms:Decrypt", key, REGION, strangers)).allowed


def test_without_named_keys_those_of_this_account_are_meant() -> None:
    roles = Roles({**PROVING, "TargetKeyArns": ""})
    ours = through_ebs(TARGET_REGION)
    assert asked(roles, PROVER, ("kms:Decrypt", OTHER_KEY, TARGET_REGION, ours)).allowed
    theirs = OTHER_KEY.replace(ACCOUNT, STRANGER)
    assert not asked(roles, PROVER, ("kms:Decrypt", theirs, TARGET_REGION, ours)).allowed


def test_its_timer_starts_it_alone() -> None:
    roles = Roles(PROVING)
    for function in ("ProveCopies", "VerifyCopies", "DeleteExpiredCopies"):
        probe: Probe = ("lambda:InvokeFunction", roles.arn(function), REGION, {})
        assert asked(roles, TIMER, probe).allowed is (function == "ProveCopies")


def test_no_other_role_reads_blocks() -> None:
    roles = Roles({**PROVING, "ProofDecryptsSources": "true"})
    for name in {*roles.names()} - {PROVER}:
        for probe in OWN_WORK:
            if probe[0].startswith("ebs:"):
                assert not asked(roles, name, probe).allowed
    assert PROVER not in OWN
