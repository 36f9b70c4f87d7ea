"""The StackSets' commands and parameter files fit the templates, and AWS's API."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from samtranslator.yaml_helper import yaml_parse

from infra.sam import pack, plain
from tests.e2e import packages
from tests.parity.resolve import Resolver

STACKSETS = packages.REPOSITORY / "infra/stacksets"
TEXT = (STACKSETS / "README.md").read_text()
# CloudFormation User Guide, "Quotas": a template in a request.
MAX_BODY = 51_200
CLI = botocore.session.get_session().get_service_model("cloudformation")
OPERATIONS = {xform_name(name, "-"): CLI.operation_model(name) for name in CLI.operation_names}


def commands() -> list[list[str]]:
    """The commands to CloudFormation, in the README's order, in words."""
    blocks = re.findall(r"^ +(aws cloudformation (?:[^\\\n]|\\\n)+)", TEXT, re.MULTILINE)
    return [shlex.split(block.replace("\\\n", " "))[2:] for block in blocks]


def options(command: list[str]) -> dict[str, list[str]]:
    """What is given for each option."""
    given: dict[str, list[str]] = {}
    for word in command[1:]:
        if word.startswith("--"):
            given[word.removeprefix("--")] = []
        else:
            given[list(given)[-1]].append(word)
    return given


CREATED = {options(each)["stack-set-name"][0]: options(each) for each in commands() if each[0] == "create-stack-set"}


def template(created: dict[str, list[str]]) -> tuple[str, dict[str, Any]]:
    """The text of a StackSet's template, and what is in it."""
    if "template-url" in created:
        assert created["template-url"][0].endswith("/template.json")
        made = plain.plain(plain.SOURCE.read_text())
        return json.dumps(made), made
    text = (packages.REPOSITORY / created["template-body"][0].removeprefix("file://")).read_text()
    found: dict[str, Any] = yaml_parse(text)
    return text, found


def parameters(created: dict[str, list[str]]) -> dict[str, str]:
    """What a StackSet's parameter file says."""
    file = STACKSETS / Path(created["parameters"][0].removeprefix("file://")).name
    return {each["ParameterKey"]: each["ParameterValue"] for each in json.loads(file.read_text())}


def test_every_command_is_one_of_awss_with_options_that_it_has() -> None:
    assert len(commands()) >= 10
    for command in commands():
        operation = OPERATIONS[command[0]]
        shape = operation.input_shape
        known = {xform_name(name, "-"): member for name, member in shape.members.items()}
        # The CLI makes two options of a truth.
        known.update({f"no-{name}": each for name, each in known.items() if each.type_name == "boolean"})
        given = options(command)
        assert given.keys() <= known.keys(), command
        assert {xform_name(name, "-") for name in shape.required_members} <= given.keys(), command
        for name, values in given.items():
            inside = getattr(known[name], "members", {})
            for each in values if known[name].type_name == "structure" else []:
                members = dict(pair.partition("=")[::2] for pair in each.split(","))
                assert members.keys() <= inside.keys(), (command[0], name, members)


def test_each_stackset_is_made_before_stacks_of_it_are() -> None:
    made: set[str] = set()
    for command in commands():
        [name] = options(command).get("stack-set-name", [""])
        if command[0] == "create-stack-set":
            made.add(name)
        elif name and command[0] != "list-stack-instances":
            assert name in made, command
    listed = set(re.findall(r"^\| `(snapferry-[\w-]+)`", TEXT, re.MULTILINE))
    assert {name.replace("-eu-central-1", "-HOME") for name in made} == listed


@pytest.mark.parametrize("name", CREATED)
def test_a_stackset_gives_its_template_what_that_has_and_takes(name: str) -> None:
    created = CREATED[name]
    text, made = template(created)
    declared, given = made["Parameters"], parameters(created)
    assert given.keys() <= declared.keys()
    assert {each for each, how in declared.items() if "Default" not in how} <= given.keys()
    for parameter, value in given.items():
        how = declared[parameter]
        if "AllowedValues" in how:
            assert value in map(str, how["AllowedValues"]), parameter
        each_value = value.split(",") if how["Type"] == "CommaDelimitedList" else [value]
        assert all(re.search(how.get("AllowedPattern", ""), each) for each in each_value), (parameter, value)
    # CloudFormation User Guide, "Prerequisites for StackSets with service-managed permissions": no macros.
    assert "Transform" not in made
    assert ("template-url" in created) == (len(text) > MAX_BODY)
    has_roles = any(each["Type"] == "AWS::IAM::Role" for each in made["Resources"].values())
    assert created.get("capabilities", []) == (["CAPABILITY_IAM"] if has_roles else [])
    assert created["permission-model"] == ["SERVICE_MANAGED"]
    # Of a stack's name CloudFormation puts some 24 characters into the roles' names, by which the guardrails know them.
    assert "napferry" in f"StackSet-{name}"[:24]


def test_accounts_that_leave_keep_their_backups() -> None:
    assert CREATED["snapferry-source"]["auto-deployment"] == ["Enabled=true,RetainStacksOnAccountRemoval=true"]


def fill(checked: Any, *files: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "infra.stacksets.fill", *(files or [str(STACKSETS / "vault.json")])],
        cwd=packages.REPOSITORY,
        input=checked if isinstance(checked, str) else json.dumps({"files": [checked]}),
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_vaults_files_agree_with_each_other_and_the_policy() -> None:
    vault = parameters(CREATED["snapferry-vault"])
    assert vault["RolePath"] == parameters(CREATED["snapferry-region"])["VaultRolePath"]
    made = fill({"file": str(STACKSETS / "policy.json"), "valid": True, "policies": [{"Policy": policy()}]})
    assert made.returncode == 0, made.stderr
    found = {each["ParameterKey"]: each["ParameterValue"] for each in json.loads(made.stdout)}
    package, _ = pack.policy((STACKSETS / "policy.json").read_bytes())
    assert found.pop("PolicyKey") == f"snapferry/1/{package}"
    assert found == {name: value for name, value in vault.items() if name != "PolicyKey"}
    assert "vault.json: AlarmEmail is still an example's, and nobody would hear of an alarm" in made.stderr


def test_a_policy_of_databases_asks_for_what_copies_them() -> None:
    file = packages.REPOSITORY / "functions/core/tests/fixtures/policies/databases.json"
    made = fill({"file": str(file), "valid": True, "policies": [json.loads(file.read_text())]})
    found = {each["ParameterKey"]: each["ParameterValue"] for each in json.loads(made.stdout)}
    assert (found["Databases"], found["TargetRegions"]) == ("true", "eu-west-1,us-east-2")


def test_without_the_policys_file_its_package_has_no_name() -> None:
    made = fill({"file": "-", "valid": True, "policies": [{"Policy": policy()}]})
    assert (made.returncode, made.stdout) == (1, "")
    assert "-: the policy's package has a name that follows from the file" in made.stderr


@pytest.mark.parametrize(
    ("checked", "file", "message"),
    [
        ("no JSON", "vault.json", "Standard input is not what"),
        ('{"checks": []}', "vault.json", "Standard input is not what"),
        ('{"files": [{}, {}]}', "vault.json", "A stack has one policy document"),
        ("{}", "absent.json", "absent.json is no file of parameters"),
        ("{}", "policy.json", "policy.json is no file of parameters"),
        ("{}", "source-account.json", "source-account.json has no CodeBucket and PolicyKey"),
        ("{}", None, "Which file?"),
    ],
)
def test_what_cannot_be_filled_is_said(checked: str, file: str | None, message: str) -> None:
    made = fill(checked, *([str(STACKSETS / file)] if file else ["a", "b"]))
    assert (made.returncode, made.stdout) == (1, "")
    assert message in made.stderr
    assert "Traceback" not in made.stderr


def policy() -> dict[str, Any]:
    return {"PolicyDetails": json.loads((STACKSETS / "policy.json").read_text())}


def test_an_invalid_policy_fills_nothing() -> None:
    finding = {"level": "error", "path": "Actions", "message": "is missing"}
    filled = fill({"file": "policy.json", "valid": False, "policies": [], "findings": [finding]})
    assert (filled.returncode, filled.stdout) == (1, "")
    assert "Actions: is missing" in filled.stderr


def test_one_description_regex_fits_every_account() -> None:
    """What the source account's template prints for one policy is a case of it."""
    generic = policy()["PolicyDetails"]["EventSource"]["Parameters"]["DescriptionRegex"]
    assert f"\n       {generic}\n" in TEXT
    source = Resolver(
        yaml_parse((packages.REPOSITORY / "infra/sam/source-account.yaml").read_text()), {"TargetAccount": "4"}
    )
    printed = source.outputs()["DescriptionRegex"]["Value"]
    for number in ("policy-0123456789abcdef0", "policy-fedcba98765432100"):
        own = printed.replace("${SnapshotPolicy}", number)
        description = f"Created for policy: {number} schedule: Create and share"
        assert re.fullmatch(own, description)
        assert re.fullmatch(generic, description)
    for other in ("Created for policy: p schedule: x", "Copied for policy: policy-0 x", "Created for policy: policy-0"):
        assert not re.fullmatch(generic, other)
