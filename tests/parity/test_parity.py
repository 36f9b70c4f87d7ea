"""Compares each case, resource by resource and output by output."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.e2e import packages
from tests.e2e.translate import translated
from tests.live import scenario
from tests.parity import normal
from tests.parity.resolve import Resolver, Template

CASES = Path(__file__).with_name("cases.json")
CDK = packages.REPOSITORY / "infra/cdk"
PROGRAM = CDK / "dist/test/parity.js"
SOURCE_TEMPLATE = packages.REPOSITORY / "infra/sam/source-account.yaml"

# What CDK calls otherwise: its logical ID without the construct's name and the hash, and SAM's.
NAMES = {
    "vault": {"CopierDeadLetterQueuePolicy": "DeadLetterQueuePolicy"},
    "source": {},
}

# Where the two differ and may, by path; one that no longer differs must leave the list.
DIFFERENCES: dict[str, dict[str, str]] = {
    "vault": {
        **{
            f"Resources.{function}.Properties.Tags": "SAM marks the functions as its own."
            for function in ("CopySharedSnapshots", "VerifyCopies", "DeleteExpiredCopies")
        },
        **{
            f"Resources.{queue}.{policy}": "CDK writes for queues what is CloudFormation's default."
            for queue in ("CopierQueue", "CopierDeadLetterQueue", "UndeliveredQueue")
            for policy in ("DeletionPolicy", "UpdateReplacePolicy")
        },
        **{
            f"Resources.{function}EventInvokeConfig.Properties.DestinationConfig": "SAM writes an empty one."
            for function in ("VerifyCopies", "DeleteExpiredCopies")
        },
        "Resources.ShareRule.Properties.State": "CDK writes what is EventBridge's default.",
    },
    "source": {
        "Outputs.StatementsForAnExistingKey": "CDK has a function for it: SnapshotSource.keyStatements.",
        "Outputs.SourceAccount": "A CDK app knows its accounts.",
    },
}


def cases(kind: str) -> dict[str, dict[str, str]]:
    """The cases of one kind: their parameters, as one deploys the SAM template with them."""
    found: dict[str, dict[str, str]] = json.loads(CASES.read_text())[kind]
    return found


def vault_parameters(case: dict[str, str]) -> dict[str, str]:
    """With the policy's text instead of its path, and with what CDK takes out of the policy."""
    text = (packages.REPOSITORY / case["Policy"]).read_text()
    document = json.loads(text)
    answers = document if isinstance(document, list) else [{"Policy": {"PolicyDetails": document}}]
    policies = [answer["Policy"]["PolicyDetails"] for answer in answers]
    copies = [copy for policy in policies for action in policy["Actions"] for copy in action["CrossRegionCopy"]]
    owners = [owner for policy in policies for owner in policy["EventSource"]["Parameters"]["SnapshotOwner"]]
    keys = [copy["EncryptionConfiguration"].get("CmkArn") for copy in copies]
    return {
        **case,
        "Policy": text,
        "SourceAccounts": _distinct(owners),
        "TargetRegions": _distinct([copy["Target"] for copy in copies]),
        "TargetKeyArns": _distinct([key for key in keys if key]),
    }


def _distinct(texts: list[str]) -> str:
    return ",".join(dict.fromkeys(texts))


@pytest.fixture(scope="session")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with each case's stack, as CDK makes it."""
    if shutil.which("node") is None or not PROGRAM.is_file():
        pytest.skip(f"{PROGRAM.relative_to(packages.REPOSITORY)} is not built: run `make cdk` where there is Node.js")
    folder = tmp_path_factory.mktemp("synthesized")
    subprocess.run(["node", PROGRAM, CASES, folder], check=True, timeout=300)
    return folder


def compared(kind: str, prefix: str, template: Template, parameters: dict[str, str], stack: Template) -> dict[str, str]:
    """The differences of a case."""
    sam = _whole(Resolver(template, parameters))
    cdk = normal.renamed(_whole(Resolver(stack, {})), prefix, NAMES[kind])
    for side in (sam, cdk):
        side["Resources"] = {name: normal.resource(each) for name, each in side["Resources"].items()}
    return normal.differences(sam, cdk)


def _whole(resolver: Resolver) -> dict[str, dict[str, Any]]:
    outputs = {name: {**each, "Condition": None} for name, each in resolver.outputs().items()}
    return {"Resources": resolver.resources(), "Outputs": outputs}


@pytest.mark.parametrize("case", cases("vault"))
def test_vault(synthesized: Path, case: str) -> None:
    stack = json.loads((synthesized / f"vault {case}.json").read_text())
    found = compared("vault", "Vault", translated(), vault_parameters(cases("vault")[case]), stack)
    assert_listed("vault", found)


@pytest.mark.parametrize("case", cases("source"))
def test_source(synthesized: Path, case: str) -> None:
    stack = json.loads((synthesized / f"source {case}.json").read_text())
    template = yaml_parse(SOURCE_TEMPLATE.read_text())
    found = compared("source", "Source", template, cases("source")[case], stack)
    assert_listed("source", found)


def assert_listed(kind: str, found: dict[str, str]) -> None:
    listed = DIFFERENCES[kind]
    unlisted = {path: each for path, each in found.items() if path not in listed}
    assert not unlisted, f"differences that are not listed: {json.dumps(unlisted, indent=1)}"
    gone = [path for path in listed if path not in found]
    assert not gone, f"listed differences that no longer exist: {gone}"


def test_statements_for_an_existing_key() -> None:
    """What the template prints for a key that is there already is what it gives to a key of its own."""
    resolver = Resolver(yaml_parse(SOURCE_TEMPLATE.read_text()), cases("source")["defaults"])
    printed = json.loads(resolver.outputs()["StatementsForAnExistingKey"]["Value"])
    _, *own = resolver.resources()["SnapshotKey"]["Properties"]["KeyPolicy"]["Statement"]
    assert printed == own


def test_the_key_of_the_live_test() -> None:
    """The key that the live test makes lets the target account do what the template's does."""
    owner, target = "111122223333", cases("source")["defaults"]["TargetAccount"]
    resolver = Resolver(yaml_parse(SOURCE_TEMPLATE.read_text()), cases("source")["defaults"])
    text = json.dumps(resolver.resources()["SnapshotKey"]["Properties"]["KeyPolicy"])
    template = json.loads(text.replace("${AWS::Partition}", "aws").replace("${AWS::AccountId}", owner))
    for statement in template["Statement"]:
        del statement["Sid"]
    plan = scenario.Plan("run", "aws", "eu-central-1", "snapferry", owner, target, "live", None, [], [])
    assert scenario.key_policy(plan) == template


def test_a_difference_is_found(synthesized: Path) -> None:
    stack = json.loads((synthesized / "vault defaults.json").read_text())
    template = translated()
    (copying,) = (
        statement
        for policy in template["Resources"]["CopySharedSnapshotsRole"]["Properties"]["Policies"]
        if policy.get("PolicyName") == "copy-shared-snapshots"
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Sid"] == "CopyFromSourceAccounts"
    )
    del copying["Condition"]
    template["Resources"]["UndeliveredAlarm"]["Properties"]["Threshold"] = 1
    del template["Resources"]["SweepTimer"]
    found = compared("vault", "Vault", template, vault_parameters(cases("vault")["defaults"]), stack)
    assert {path for path in found if path not in DIFFERENCES["vault"]} == {
        "Resources.CopySharedSnapshotsRole.Properties.Policies.copy-shared-snapshots"
        ".PolicyDocument.Statement.CopyFromSourceAccounts.Condition.StringEquals",
        "Resources.SweepTimer",
        "Resources.UndeliveredAlarm.Properties.Threshold",
    }
    with pytest.raises(AssertionError, match="not listed"):
        assert_listed("vault", found)
    with pytest.raises(AssertionError, match="no longer exist"):
        assert_listed("vault", {})
