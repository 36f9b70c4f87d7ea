"""infra/scp/vault-databases.json: what it denies of copies of databases, and what it leaves alone."""

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
    OPERATOR,
    VERIFIERS,
)

TEXT = (packages.REPOSITORY / "infra/scp/vault-databases.json").read_text()
SCP: dict[str, Any] = json.loads(TEXT)

# As CloudFormation names the roles for databases, in stacks of a short name and a long one. The first guardrails keep
# the ledgers, and have to know the verifier by the beginning of its name.
OF_DATABASES = {
    kind: {
        f"arn:aws:iam::{ACCOUNT}:role/snapferry/snapferry-{name}Role-1A2B3C4D5E6F",
        f"arn:aws:iam::{ACCOUNT}:role/snapferry/SnapferryVaultProduction-{f'ProductionVault{name}'[:24]}-1A2B3C4D5E6F",
    }
    for kind, name in (
        ("copier", "CopySharedDatabases"),
        ("verifier", "VerifyCopiedDatabases"),
        ("expirer", "DeleteExpiredDatabaseCopies"),
    )
}
ALL = {*EVERYBODY, *(role for roles in OF_DATABASES.values() for role in roles)}
# The roles for volumes are named alike and have no permission in RDS.
COPYING = COPIERS | OF_DATABASES["copier"]
VERIFYING = VERIFIERS | OF_DATABASES["verifier"]
DELETING = EXPIRERS | OF_DATABASES["expirer"]

NAME = "snapferry-0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f607182"
COPIES = [f"arn:aws:rds:eu-west-1:{ACCOUNT}:{kind}:{NAME}" for kind in ("snapshot", "cluster-snapshot")]
OTHERS = [each.replace(NAME, "nightly") for each in COPIES]
# RDS takes a name in any case; which one IAM is asked about is not documented.
IN_CAPITALS = [each.replace(NAME, NAME.upper()) for each in COPIES]
TAGGED = {"aws:ResourceTag/snapferry:policy": "default"}
OURS = {"aws:TagKeys": ["team", "snapferry:expire-after"]}


def asked(principal: str, action: str, resource: str, context: dict[str, Any]) -> Decision:
    return decide(Request(principal, f"rds:{action}", resource, context=context), [FULL_ACCESS], SCP)


DENIED: list[tuple[str, list[str], dict[str, Any], set[str]]] = [
    ("DeleteDBSnapshot", COPIES, {}, DELETING),
    ("DeleteDBClusterSnapshot", COPIES, {}, DELETING),
    ("DeleteDBSnapshot", IN_CAPITALS, TAGGED, DELETING),
    ("DeleteDBClusterSnapshot", IN_CAPITALS, TAGGED, DELETING),
    *(
        (action, COPIES, {}, COPYING | {ADMINISTRATOR})
        for action in ("CopyDBSnapshot", "CopyDBClusterSnapshot", "CreateDBSnapshot", "CreateDBClusterSnapshot")
    ),
    ("AddTagsToResource", [*COPIES, *OTHERS], OURS, COPYING | VERIFYING),
    ("RemoveTagsFromResource", COPIES, {"aws:TagKeys": ["team"]}, set()),
    ("ModifyDBSnapshotAttribute", [*COPIES, *OTHERS], {}, {ADMINISTRATOR}),
    ("ModifyDBClusterSnapshotAttribute", [*COPIES, *OTHERS], {}, {ADMINISTRATOR}),
    ("ModifyDBSnapshot", COPIES, {}, {ADMINISTRATOR}),
]


@pytest.mark.parametrize(("action", "resources", "context", "exempted"), DENIED)
def test_denied_to_all_but(action: str, resources: list[str], context: dict[str, Any], exempted: set[str]) -> None:
    for resource in resources:
        assert {each for each in ALL if asked(each, action, resource, context).allowed} == exempted, resource


@pytest.mark.parametrize(
    ("action", "resources", "context"),
    [
        # Snapshots that are no copies, and tags that are not Snapferry's.
        ("DeleteDBSnapshot", OTHERS, {}),
        ("DeleteDBClusterSnapshot", OTHERS, {}),
        ("CreateDBSnapshot", OTHERS, {}),
        ("CopyDBSnapshot", OTHERS, {}),
        ("AddTagsToResource", COPIES, {"aws:TagKeys": ["team"]}),
        ("RemoveTagsFromResource", OTHERS, {"aws:TagKeys": ["team"]}),
        # Another thing's tags, of whatever name.
        ("AddTagsToResource", [f"arn:aws:rds:eu-west-1:{ACCOUNT}:db:orders"], OURS),
        # Using copies, and looking.
        ("RestoreDBInstanceFromDBSnapshot", COPIES, {}),
        ("RestoreDBClusterFromSnapshot", COPIES, {}),
        ("DescribeDBSnapshots", COPIES, {}),
    ],
)
def test_left_alone(action: str, resources: list[str], context: dict[str, Any]) -> None:
    for resource in resources:
        refused = [str(asked(each, action, resource, context)) for each in ALL]
        assert all(each.startswith("allowed") for each in refused), refused


def test_every_statement_denies_something() -> None:
    used = {
        asked(OPERATOR, action, resource, context).statement
        for action, resources, context, _ in DENIED
        for resource in resources
    }
    assert used == {statement["Sid"] for statement in SCP["Statement"]}


@pytest.mark.parametrize("partition", ["aws-eusc", "aws-us-gov"])
def test_it_holds_as_it_is_in_every_partition(partition: str) -> None:
    assert "arn:aws" not in TEXT
    there = COPIES[0].replace("arn:aws:", f"arn:{partition}:")
    for role in (OPERATOR, *OF_DATABASES["expirer"]):
        decision = asked(role.replace("arn:aws:", f"arn:{partition}:"), "DeleteDBSnapshot", there, {})
        assert decision.allowed is (role != OPERATOR)
