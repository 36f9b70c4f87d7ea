"""The CDK constructs' stacks are the templates with each case's values in place of the parameters."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from infra.sam import plain
from infra.sam.parameters import lock_days
from tests.e2e import packages
from tests.parity.resolve import Resolver, Template

CASES = Path(__file__).with_name("cases.json")
PROGRAM = packages.REPOSITORY / "infra/cdk/dist/test/parity.js"
SOURCE_TEMPLATE = packages.REPOSITORY / "infra/sam/source-account.yaml"


def cases(kind: str) -> dict[str, dict[str, str]]:
    """The cases of one kind: their parameters, as one deploys the template with them; Policy is a file's path."""
    found: dict[str, dict[str, str]] = json.loads(CASES.read_text())[kind]
    return found


def vault_parameters(case: dict[str, str]) -> dict[str, str]:
    """Without the policy, which is a layer, and with what the roles repeat of it."""
    document = json.loads((packages.REPOSITORY / case["Policy"]).read_text())
    answers = (
        document
        if isinstance(document, list)
        else [document if "Policy" in document else {"Policy": {"PolicyDetails": document}}]
    )
    policies = [answer["Policy"]["PolicyDetails"] for answer in answers]
    copies = [copy for policy in policies for action in policy["Actions"] for copy in action["CrossRegionCopy"]]
    owners = [owner for policy in policies for owner in policy["EventSource"]["Parameters"]["SnapshotOwner"]]
    kinds = [kind for policy in policies for kind in policy["EventSource"]["Parameters"].get("SourceTypes", [])]
    keys = [copy["EncryptionConfiguration"].get("CmkArn") for copy in copies]
    return {
        **case,
        "Policy": "",
        "Databases": str(any("DB_" in each for each in kinds)).lower(),
        "SourceAccounts": _distinct(owners),
        "TargetRegions": _distinct([copy["Target"] for copy in copies]),
        "TargetKeyArns": _distinct([key for key in keys if key]),
        "MaxLockDays": str(max((lock_days(copy["LockRule"]) for copy in copies if copy.get("LockRule")), default=0)),
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


def whole(template: Template, parameters: dict[str, str]) -> dict[str, Any]:
    """What is created and printed, apart from where it was written; numbers as texts, which a parameter's are."""
    resolver = Resolver(template, parameters)
    for resource in (resources := resolver.resources()).values():
        resource.pop("Metadata", None)
        resource.pop("Condition", None)
        if resource["Type"] == "AWS::Lambda::LayerVersion":
            resource["Properties"]["Content"] = "what the case's policy is packed into"
    outputs = {name: {**each, "Condition": None} for name, each in resolver.outputs().items()}
    found: dict[str, Any] = json.loads(json.dumps({"Resources": resources, "Outputs": outputs}), parse_int=str)
    return found


@pytest.mark.parametrize("case", cases("vault"))
def test_vault(synthesized: Path, case: str) -> None:
    stack = json.loads((synthesized / f"vault {case}.json").read_text())
    template = plain.plain(plain.SOURCE.read_text())
    assert whole(stack, {}) == whole(template, vault_parameters(cases("vault")[case]))


@pytest.mark.parametrize("case", cases("source"))
def test_source(synthesized: Path, case: str) -> None:
    stack = json.loads((synthesized / f"source {case}.json").read_text())
    template = yaml_parse(SOURCE_TEMPLATE.read_text())
    assert whole(stack, {}) == whole(template, cases("source")[case])


def test_every_parameter_reaches_its_place() -> None:
    """Each is given otherwise than by default in a case, so that a prop that does not reach it makes a difference."""
    templates = {"vault": plain.plain(plain.SOURCE.read_text()), "source": yaml_parse(SOURCE_TEMPLATE.read_text())}
    for kind, template in templates.items():
        given = [vault_parameters(case) if kind == "vault" else case for case in cases(kind).values()]
        unlike = {
            name
            for name, each in template["Parameters"].items()
            if any(parameters.get(name, each.get("Default")) != each.get("Default") for parameters in given)
        }
        # The policy is a layer, and CDK says where; without the key there would be less to compare.
        assert set(template["Parameters"]) - unlike <= {"Policy", "PolicyKey", "CreateKey"}
