"""infra/scp/vault-guardrails.json: what it denies and leaves alone; and that Organizations would take all documents."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import cfnlint  # type: ignore[import-untyped]
import pytest

from tests.e2e import packages
from tests.iam.evaluator import FULL_ACCESS, Decision, Request, decide

TEXT = (packages.REPOSITORY / "infra/scp/vault-guardrails.json").read_text()
SCP: dict[str, Any] = json.loads(TEXT)
DOCUMENTS = sorted((packages.REPOSITORY / "infra/scp").glob("*.json"))

# Organizations' quota for a policy where it is smallest (10,240 in the partition aws), white space included.
MAX_CHARACTERS = 5120

ACCOUNT = "222222222222"
# As CloudFormation names roles: stack, logical ID, and something random; of a name longer than IAM's 64 characters it
# keeps 24 of the first two each. The second of each is of a construct with an ID of 15 characters, in a long stack.
EXPIRER = f"arn:aws:iam::{ACCOUNT}:role/snapferry/snapferry-DeleteExpiredCopiesRole-1A2B3C4D5E6F"
EXPIRERS = {
    EXPIRER,
    f"arn:aws:iam::{ACCOUNT}:role/snapferry/SnapferryVaultProduction-ProductionVaultDeleteExp-1A2B3C4D5E6F",
    f"arn:aws:iam::{ACCOUNT}:role/snapferry/StackSet-snapferry-1a2b3-VaultDeleteExpiredCopies-1A2B3C4D5E6F",
}
VERIFIERS = {
    f"arn:aws:iam::{ACCOUNT}:role/snapferry/snapferry-VerifyCopiesRole-1A2B3C4D5E6F",
    f"arn:aws:iam::{ACCOUNT}:role/snapferry/SnapferryVaultProduction-ProductionVaultVerifyCop-1A2B3C4D5E6F",
    f"arn:aws:iam::{ACCOUNT}:role/snapferry/StackSet-snapferry-1a2b3-VaultVerifyCopiesRole572-1A2B3C4D5E6F",
}
COPIERS = {
    f"arn:aws:iam::{ACCOUNT}:role/snapferry/snapferry-CopySharedSnapshotsRole-1A2B3C4D5E6F",
    f"arn:aws:iam::{ACCOUNT}:role/snapferry/SnapferryVaultProduction-ProductionVaultCopyShare-1A2B3C4D5E6F",
    f"arn:aws:iam::{ACCOUNT}:role/snapferry/StackSet-snapferry-1a2b3-VaultCopySharedSnapshots-1A2B3C4D5E6F",
}
PROVER = f"arn:aws:iam::{ACCOUNT}:role/snapferry/snapferry-ProveCopiesRole-1A2B3C4D5E6F"
# A role of the stack that none of its functions has.
TIMER = f"arn:aws:iam::{ACCOUNT}:role/snapferry/SnapferryVaultProduction-ProductionVaultVerifyTim-1A2B3C4D5E6F"
ADMINISTRATOR = f"arn:aws:iam::{ACCOUNT}:role/snapferry-admin/deployment"
OPERATOR = f"arn:aws:iam::{ACCOUNT}:role/operator"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
# Named like the expirer, but not under the reserved path.
IMPOSTOR = f"arn:aws:iam::{ACCOUNT}:role/snapferry-DeleteExpiredCopiesRole-1A2B3C4D5E6F"

EVERYBODY = (*EXPIRERS, *VERIFIERS, *COPIERS, PROVER, TIMER, ADMINISTRATOR, OPERATOR, ROOT, IMPOSTOR)

SNAPSHOT = "arn:aws:ec2:eu-central-1::snapshot/snap-0123456789abcdef0"
KEY = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
FUNCTION = f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:snapferry-VerifyCopies-1A2B3C4D5E6F"
LAYER = f"arn:aws:lambda:eu-central-1:{ACCOUNT}:layer:snapferry-policy"
QUEUE = f"arn:aws:sqs:eu-central-1:{ACCOUNT}:snapferry-CopierQueue-1A2B3C4D5E6F.fifo"
DEAD_LETTERS = f"arn:aws:sqs:eu-central-1:{ACCOUNT}:snapferry-CopierDeadLetterQueue-1A2B3C4D5E6F.fifo"
DEAD_LETTERS_CDK = f"arn:aws:sqs:eu-central-1:{ACCOUNT}:SnapferryVault-CopierDeadLetterQueue-1A2B3C4D5E6F.fifo"
UNDELIVERED = f"arn:aws:sqs:eu-central-1:{ACCOUNT}:snapferry-UndeliveredQueue-1A2B3C4D5E6F"
TABLE = f"arn:aws:dynamodb:eu-central-1:{ACCOUNT}:table/snapferry-Ledger-1A2B3C4D5E6F"
TABLE_CDK = f"arn:aws:dynamodb:eu-central-1:{ACCOUNT}:table/SnapferryVault-Ledger-1A2B3C4D5E6F"
LOGS = f"arn:aws:logs:eu-central-1:{ACCOUNT}:log-group:snapferry-VerifyCopiesLogs-1A2B"
TOPIC = f"arn:aws:sns:eu-central-1:{ACCOUNT}:snapferry-AlarmTopic-1A2B3C4D5E6F"
STACK = f"arn:aws:cloudformation:eu-central-1:{ACCOUNT}:stack/snapferry/0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f"
BIN = f"arn:aws:rbin:eu-central-1:{ACCOUNT}:rule/1a2B3c4D5e6"
COPY = {"aws:ResourceTag/snapferry:policy": "default"}


def asked(principal: str, action: str, resource: str, **context: Any) -> Decision:
    """The decision for somebody whose own policies allow everything."""
    return decide(Request(principal, action, resource, context=context.get("context", {})), [FULL_ACCESS], SCP)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.stem))
def test_organizations_would_take_it(document: Path) -> None:
    scp = json.loads(document.read_text())
    assert scp["Version"] == "2012-10-17"
    sids = [statement["Sid"] for statement in scp["Statement"]]
    assert len(set(sids)) == len(sids)
    for statement in scp["Statement"]:
        assert statement.keys() <= {"Sid", "Effect", "Action", "Resource", "Condition"}, statement
        assert statement["Effect"] == "Deny"
        assert re.fullmatch("[A-Za-z0-9]+", statement["Sid"])
        for resource in _listed(statement["Resource"]):
            assert resource == "*" or re.match(r"arn:\*:[a-z0-9]+:", resource), resource


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.stem))
def test_every_action_exists(document: Path) -> None:
    """By the list of IAM's actions that cfn-lint ships."""
    services = json.loads((Path(cfnlint.__file__).parent / "data/AdditionalSpecs/Policies.json").read_text())
    for statement in json.loads(document.read_text())["Statement"]:
        for action in _listed(statement["Action"]):
            service, name = action.split(":")
            pattern = re.compile(re.escape(name.lower()).replace(r"\*", ".*"))
            assert any(pattern.fullmatch(each) for each in services[service]["Actions"]), action


@pytest.mark.parametrize(
    ("action", "resource", "context", "exempted"),
    [
        ("ec2:DeleteSnapshot", SNAPSHOT, COPY, EXPIRERS),
        ("ec2:LockSnapshot", SNAPSHOT, COPY, VERIFIERS),
        ("ec2:UnlockSnapshot", SNAPSHOT, COPY, set()),
        ("ec2:ModifySnapshotTier", SNAPSHOT, COPY, set()),
        # Without tags in the request, DeleteTags takes off all of them.
        ("ec2:DeleteTags", SNAPSHOT, COPY, set()),
        ("ec2:DeleteTags", SNAPSHOT, {**COPY, "aws:TagKeys": ["snapferry:expire-after"]}, set()),
        (
            "ec2:CreateTags",
            SNAPSHOT,
            {**COPY, "aws:TagKeys": ["team", "snapferry:expire-after"]},
            COPIERS | VERIFIERS | {PROVER},
        ),
        ("ec2:CreateTags", SNAPSHOT, {"aws:TagKeys": ["snapferry:policy"]}, COPIERS | VERIFIERS | {PROVER}),
        ("ec2:ModifySnapshotAttribute", SNAPSHOT, COPY, {ADMINISTRATOR}),
        ("ec2:ModifySnapshotAttribute", SNAPSHOT, {}, {ADMINISTRATOR}),
        # Without it snapshots can be made public again.
        ("ec2:DisableSnapshotBlockPublicAccess", "*", {}, {ADMINISTRATOR}),
        ("kms:ScheduleKeyDeletion", KEY, {}, set()),
        ("kms:DisableKey", KEY, {}, set()),
        ("kms:DeleteImportedKeyMaterial", KEY, {}, set()),
        ("kms:PutKeyPolicy", KEY, {}, {ADMINISTRATOR}),
        ("rbin:DeleteRule", BIN, {}, {ADMINISTRATOR}),
        ("rbin:UpdateRule", BIN, {}, {ADMINISTRATOR}),
        ("rbin:UnlockRule", BIN, {}, {ADMINISTRATOR}),
        ("lambda:UpdateFunctionCode", FUNCTION, {}, {ADMINISTRATOR}),
        ("lambda:UpdateFunctionConfiguration", FUNCTION, {}, {ADMINISTRATOR}),
        ("lambda:PutFunctionConcurrency", FUNCTION, {}, {ADMINISTRATOR}),
        # An older runtime, chosen by hand.
        ("lambda:PutRuntimeManagementConfig", FUNCTION, {}, {ADMINISTRATOR}),
        ("lambda:AddPermission", FUNCTION, {}, {ADMINISTRATOR}),
        ("lambda:RemovePermission", FUNCTION, {}, {ADMINISTRATOR}),
        ("lambda:DeleteFunction", FUNCTION, {}, {ADMINISTRATOR}),
        ("lambda:PublishLayerVersion", LAYER, {}, {ADMINISTRATOR}),
        ("lambda:AddLayerVersionPermission", f"{LAYER}:3", {}, {ADMINISTRATOR}),
        ("lambda:RemoveLayerVersionPermission", f"{LAYER}:3", {}, {ADMINISTRATOR}),
        ("lambda:DeleteLayerVersion", f"{LAYER}:3", {}, {ADMINISTRATOR}),
        (
            "lambda:DeleteEventSourceMapping",
            f"arn:aws:lambda:eu-central-1:{ACCOUNT}:event-source-mapping:0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f",
            {"lambda:FunctionArn": FUNCTION},
            {ADMINISTRATOR},
        ),
        (
            "events:DisableRule",
            f"arn:aws:events:eu-central-1:{ACCOUNT}:rule/snapferry-ShareRule-1A2B3C4D5E6F",
            {},
            {ADMINISTRATOR},
        ),
        (
            "scheduler:UpdateSchedule",
            f"arn:aws:scheduler:eu-central-1:{ACCOUNT}:schedule/default/SnapferryVault-VaultSweepTimer30728370-1A2B3C",
            {},
            {ADMINISTRATOR},
        ),
        (
            "scheduler:DeleteSchedule",
            f"arn:aws:scheduler:eu-central-1:{ACCOUNT}:schedule/default/snapferry-ExpiryTimer-1A2B3C4D5E6F",
            {},
            {ADMINISTRATOR},
        ),
        *(
            (f"dynamodb:{action}", table, {"dynamodb:LeadingKeys": ["O#a"]}, COPIERS | VERIFIERS | {PROVER})
            for action in (
                "PutItem",
                "DeleteItem",
                "BatchWriteItem",
                "PartiQLInsert",
                "PartiQLUpdate",
                "PartiQLDelete",
            )
            for table in (TABLE, TABLE_CDK)
        ),
        # Both statements are about it, and neither role needs it.
        ("dynamodb:UpdateItem", TABLE, {}, set()),
        *(
            (f"dynamodb:{action}", TABLE, {}, {ADMINISTRATOR})
            for action in (
                "DeleteTable",
                # Deletion protection is a table's property.
                "UpdateTable",
                # Point-in-time recovery.
                "UpdateContinuousBackups",
                "UpdateTimeToLive",
                "RestoreTableToPointInTime",
                "PutResourcePolicy",
            )
        ),
        ("dynamodb:RestoreTableFromBackup", f"{TABLE}/backup/01234567890123-abcdefgh", {}, {ADMINISTRATOR}),
        ("dynamodb:RestoreTableFromBackup", TABLE, {}, {ADMINISTRATOR}),
        ("sqs:DeleteQueue", QUEUE, {}, {ADMINISTRATOR}),
        *(
            (action, QUEUE, {}, {*EXPIRERS, *VERIFIERS, *COPIERS, PROVER, TIMER, ADMINISTRATOR})
            for action in ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility")
        ),
        ("sqs:PurgeQueue", QUEUE, {}, {ADMINISTRATOR}),
        (
            "logs:DeleteLogStream",
            f"arn:aws:logs:eu-central-1:{ACCOUNT}:log-group:snapferry-VerifyCopiesLogs-1A2B:log-stream:2026",
            {},
            {ADMINISTRATOR},
        ),
        *(
            (f"logs:{action}", f"{LOGS}:log-stream:2026", {}, {*EXPIRERS, *VERIFIERS, *COPIERS, PROVER, TIMER})
            for action in ("CreateLogStream", "PutLogEvents")
        ),
        *(
            (f"logs:{action}", LOGS, {}, {ADMINISTRATOR})
            for action in (
                "DeleteLogGroup",
                "DeleteRetentionPolicy",
                "PutRetentionPolicy",
                "PutSubscriptionFilter",
                "DeleteSubscriptionFilter",
                "PutLogGroupDeletionProtection",
                # A key of another account's that is taken away, a mask, and what changes lines: nobody reads them then.
                "AssociateKmsKey",
                "DisassociateKmsKey",
                "PutDataProtectionPolicy",
                "PutTransformer",
            )
        ),
        # One of type METRIC_EXTRACTION_POLICY says of which groups' lines CloudWatch makes metrics.
        *((f"logs:{action}", "*", {}, {ADMINISTRATOR}) for action in ("PutAccountPolicy", "DeleteAccountPolicy")),
        # The embedded metric format needs no such call, and Snapferry makes none.
        ("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "Snapferry/vault"}, set()),
        (
            "cloudwatch:PutAlarmMuteRule",
            f"arn:aws:cloudwatch:eu-central-1:{ACCOUNT}:alarm:snapferry-SweepMissingAlarm-1A2B3C4D5E6F",
            {},
            {ADMINISTRATOR},
        ),
        (
            "cloudwatch:DisableAlarmActions",
            f"arn:aws:cloudwatch:eu-central-1:{ACCOUNT}:alarm:snapferry-UndeliveredAlarm-1A2B3C4D5E6F",
            {},
            {ADMINISTRATOR},
        ),
        *(
            (f"sns:{action}", TOPIC, {}, {ADMINISTRATOR})
            for action in (
                "DeleteTopic",
                "SetTopicAttributes",
                "SetSubscriptionAttributes",
                "Unsubscribe",
                # The statement by which CloudWatch publishes has a label.
                "RemovePermission",
                "AddPermission",
                "PutDataProtectionPolicy",
            )
        ),
        *(
            (f"cloudformation:{action}", STACK, {}, {ADMINISTRATOR})
            for action in ("DeleteStack", "RollbackStack", "UpdateStack")
        ),
        *(
            (f"sqs:{action}", QUEUE, {}, {ADMINISTRATOR})
            for action in ("AddPermission", "RemovePermission", "SetQueueAttributes")
        ),
        ("iam:PutRolePolicy", EXPIRER, {}, {ADMINISTRATOR}),
        ("iam:UpdateAssumeRolePolicy", EXPIRER, {}, {ADMINISTRATOR}),
        ("iam:UpdateRole", EXPIRER, {}, {ADMINISTRATOR}),
        ("iam:PassRole", EXPIRER, {}, {ADMINISTRATOR}),
        ("iam:CreateRole", f"arn:aws:iam::{ACCOUNT}:role/snapferry/my-DeleteExpiredCopies", {}, {ADMINISTRATOR}),
        ("iam:CreateRole", f"arn:aws:iam::{ACCOUNT}:role/snapferry-admin/me", {}, {ADMINISTRATOR}),
        *(
            (
                action,
                f"arn:aws:iam::{ACCOUNT}:policy/snapferry/snapferry-UseSourceKeys-1A2B3C4D5E6F",
                {},
                {ADMINISTRATOR},
            )
            for action in (
                "iam:CreatePolicyVersion",
                "iam:SetDefaultPolicyVersion",
                "iam:DeletePolicyVersion",
                "iam:DeletePolicy",
            )
        ),
        ("organizations:LeaveOrganization", "*", {}, set()),
        ("account:CloseAccount", f"arn:aws:account::{ACCOUNT}:account", {}, set()),
        ("account:DisableRegion", f"arn:aws:account::{ACCOUNT}:account", {}, set()),
    ],
)
def test_denied_to_all_but(action: str, resource: str, context: dict[str, Any], exempted: set[str]) -> None:
    found = {principal for principal in EVERYBODY if asked(principal, action, resource, context=context).allowed}
    assert found == exempted


@pytest.mark.parametrize(
    ("action", "resource", "context"),
    [
        # Snapshots that are no copies, and tags that are not Snapferry's.
        ("ec2:DeleteSnapshot", SNAPSHOT, {}),
        ("ec2:LockSnapshot", SNAPSHOT, {}),
        ("ec2:DeleteTags", SNAPSHOT, {"aws:TagKeys": ["team"]}),
        ("ec2:CreateTags", SNAPSHOT, {**COPY, "aws:TagKeys": ["team"]}),
        # Using copies and keys, and looking.
        ("ec2:CreateVolume", SNAPSHOT, COPY),
        ("ec2:DescribeSnapshots", "*", {}),
        ("kms:Decrypt", KEY, {}),
        ("kms:CreateGrant", KEY, {}),
        # Other applications.
        ("lambda:UpdateFunctionCode", f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:other", {}),
        ("lambda:PublishLayerVersion", f"arn:aws:lambda:eu-central-1:{ACCOUNT}:layer:other", {}),
        ("lambda:DeleteEventSourceMapping", "*", {"lambda:FunctionArn": FUNCTION.replace("snapferry", "other")}),
        ("sqs:DeleteQueue", f"arn:aws:sqs:eu-central-1:{ACCOUNT}:other", {}),
        ("sns:DeleteTopic", f"arn:aws:sns:eu-central-1:{ACCOUNT}:other", {}),
        ("sns:Subscribe", TOPIC, {}),
        ("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "Other"}),
        ("cloudwatch:PutMetricData", "*", {}),
        ("logs:PutLogEvents", f"arn:aws:logs:eu-central-1:{ACCOUNT}:log-group:other:log-stream:2026", {}),
        ("logs:PutSubscriptionFilter", f"arn:aws:logs:eu-central-1:{ACCOUNT}:log-group:other", {}),
        ("logs:FilterLogEvents", LOGS, {}),
        ("dynamodb:PutItem", f"arn:aws:dynamodb:eu-central-1:{ACCOUNT}:table/other", {}),
        ("dynamodb:DeleteTable", f"arn:aws:dynamodb:eu-central-1:{ACCOUNT}:table/other", {}),
        # Looking at the ledger, and saving it.
        *(
            (f"dynamodb:{action}", TABLE, {})
            for action in ("GetItem", "Query", "Scan", "DescribeTable", "DescribeContinuousBackups", "CreateBackup")
        ),
        ("dynamodb:Query", f"{TABLE}/index/line", {}),
        ("iam:CreateRole", f"arn:aws:iam::{ACCOUNT}:role/other", {}),
        ("iam:CreatePolicyVersion", f"arn:aws:iam::{ACCOUNT}:policy/other", {}),
        ("lambda:InvokeFunction", FUNCTION, {}),
        ("lambda:GetLayerVersion", f"{LAYER}:3", {}),
        # What `snapferry copy` and `replay` do as an operator: give to the copier, and take from the dead letters.
        ("sqs:SendMessage", QUEUE, {}),
        *(
            (action, queue, {})
            for action in ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility")
            for queue in (DEAD_LETTERS, DEAD_LETTERS_CDK, UNDELIVERED)
        ),
    ],
)
def test_left_alone(action: str, resource: str, context: dict[str, Any]) -> None:
    refused = [str(asked(each, action, resource, context=context)) for each in EVERYBODY]
    assert all(each.startswith("allowed") for each in refused), refused


@pytest.mark.parametrize("partition", ["aws-cn", "aws-eusc", "aws-us-gov"])
def test_it_holds_as_it_is_in_every_partition(partition: str) -> None:
    """As the controls of AWS Control Tower do, it names none."""
    assert "arn:aws" not in TEXT
    role, there = (each.replace("arn:aws:", f"arn:{partition}:") for each in (OPERATOR, SNAPSHOT))
    assert str(asked(role, "ec2:DeleteSnapshot", there, context=COPY)).startswith("denied")
    expirer = EXPIRER.replace("arn:aws:", f"arn:{partition}:")
    assert str(asked(expirer, "ec2:DeleteSnapshot", there, context=COPY)).startswith("allowed")


def test_every_statement_denies_something() -> None:
    """A statement without which every request above is decided alike would be a statement without a test."""
    cases = test_denied_to_all_but.pytestmark[0].args[1]
    used = {
        asked(principal, action, resource, context=context).statement
        for action, resource, context, _ in cases
        for principal in EVERYBODY
    }
    assert {statement["Sid"] for statement in SCP["Statement"]} <= used


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def test_the_readme_sends_what_organizations_would_take() -> None:
    """Organizations counts what is sent, white space included."""
    readme = (packages.REPOSITORY / "infra/scp/README.md").read_text()
    [command] = re.findall(r'--content "\$\((.+)\)"$', readme, re.MULTILINE)
    for document in DOCUMENTS:
        sent = subprocess.run(
            ["bash", "-c", f'name={document.stem}; printf %s "$({command})"'],
            cwd=packages.REPOSITORY,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert json.loads(sent) == json.loads(document.read_text())
        assert len(sent) <= MAX_CHARACTERS
    assert f"for name in {' '.join(document.stem for document in DOCUMENTS)}; do" in readme
