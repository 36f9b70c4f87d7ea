"""The plain form deploys what SAM deploys, with the code from parameters."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.sam import pack, plain
from tests.e2e import packages
from tests.e2e.translate import translated
from tests.parity.resolve import Resolver

FORM = "AWS::CloudFormation::Interface"


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return plain.plain(plain.SOURCE.read_text())


def without_code(template: dict[str, Any]) -> dict[str, Any]:
    """The resources but for what the two forms have to say differently: where code and policy are, and what only `sam
    build` reads."""
    kept: dict[str, Any] = json.loads(json.dumps(template["Resources"]))
    for resource in kept.values():
        resource.pop("Metadata", None)
        for name in ("Code", "Content"):
            resource["Properties"].pop(name, None)
    return kept


def test_only_the_code_differs_from_what_sam_deploys(template: dict[str, Any]) -> None:
    deployed = translated()
    assert without_code(template) == without_code(deployed)
    for section in ("Conditions", "Description", "Outputs"):
        assert template[section] == deployed[section]
    assert template["Parameters"] == {**deployed["Parameters"], **plain.PARAMETERS}


def test_stacksets_take_it_and_a_request_does_not(template: dict[str, Any], tmp_path: Path) -> None:
    written = tmp_path / "dist/template.json"
    subprocess.run([sys.executable, plain.SOURCE.with_name("plain.py"), written], check=True)
    assert json.loads(written.read_text()) == template
    assert "Transform" not in template
    assert "AWS::Serverless" not in written.read_text()
    # CloudFormation User Guide, "Quotas": a template in a request, and one in S3. README says which it is.
    assert 51_200 < written.stat().st_size < 1_000_000


def test_each_function_comes_from_the_stacks_own_region(template: dict[str, Any]) -> None:
    functions = [each for each in template["Resources"].values() if each["Type"] == "AWS::Lambda::Function"]
    code = [each["Properties"]["Code"] for each in functions]
    assert {each["S3Bucket"]["Fn::Sub"] for each in code} == {"${CodeBucket}-${AWS::Region}"}
    assert {each["S3Key"]["Fn::Sub"] for each in code} == {
        f"${{CodePrefix}}{name}-${{Architecture}}.zip" for name in pack.FUNCTIONS
    }
    names = {path.name for path in (packages.REPOSITORY / "functions").iterdir() if (path / "src/main.rs").is_file()}
    assert names == set(pack.FUNCTIONS)


def test_the_policy_comes_from_there_too_under_a_key_of_its_own(template: dict[str, Any]) -> None:
    layer = template["Resources"]["PolicyLayer"]["Properties"]
    assert layer["Content"] == {"S3Bucket": {"Fn::Sub": "${CodeBucket}-${AWS::Region}"}, "S3Key": {"Ref": "PolicyKey"}}
    one, same, other = (pack.policy(text) for text in (b"{}", b"{}", b"{ }"))
    assert one == same
    assert one[0] != other[0]
    assert re.search(str(plain.PARAMETERS["PolicyKey"]["AllowedPattern"]), f"snapferry/{one[0]}")


def test_code_that_is_built_elsewhere_is_refused() -> None:
    text = plain.SOURCE.read_text().replace("target/lambda/verify-copies/", "target/verify-copies/")
    with pytest.raises(ValueError, match=re.escape("VerifyCopies: CodeUri is ../../target/verify-copies/")):
        plain.plain(text)


@pytest.mark.parametrize(
    ("name", "taken", "refused"),
    [
        ("CodeBucket", ["my-code", "a" * 47], ["", "My-Code", "my_code", "my-code-", "a" * 48]),
        ("PolicyKey", ["policy-1.zip", "a/b.zip"], ["", "policy.json", "a b.zip"]),
        ("CodePrefix", ["", "v1/", "snapferry/1.0.0/"], ["v1", "/v1/", "v1//"]),
    ],
)
def test_what_the_parameters_take(name: str, taken: list[str], refused: list[str]) -> None:
    pattern = str(plain.PARAMETERS[name]["AllowedPattern"])
    assert [each for each in (*taken, *refused) if re.search(pattern, each)] == taken


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ({}, False),
        ({"PolicyKey": "policy-1.zip"}, False),
        ({"Policy": "{}"}, False),
        ({"Policy": "{}", "PolicyKey": "policy-1.zip"}, True),
    ],
)
def test_two_policies_are_refused(template: dict[str, Any], given: dict[str, str], refused: bool) -> None:
    [rule] = template["Rules"].values()
    [assertion] = rule["Assertions"]
    broken = {"Fn::And": [rule["RuleCondition"], {"Fn::Not": [assertion["Assert"]]}]}
    asked = {**template, "Conditions": {"Broken": broken}, "Resources": {"Refused": {"Condition": "Broken"}}}
    assert bool(Resolver(asked, given).resources()) == refused


def test_a_policy_of_white_space_is_none(template: dict[str, Any]) -> None:
    pattern = template["Parameters"]["Policy"]["AllowedPattern"]
    documents = ["", "{}", " [{}]\n", " ", " \n", "text"]
    assert [each for each in documents if re.search(pattern, each)] == ["", "{}", " [{}]\n"]


def test_it_is_made_without_a_region(tmp_path: Path) -> None:
    program = [sys.executable, str(plain.SOURCE.with_name("plain.py")), str(tmp_path / "template.json")]
    subprocess.run(program, check=True, env={**os.environ, "AWS_DEFAULT_REGION": ""})


def test_packages_are_for_one_architecture(tmp_path: Path) -> None:
    def built(*machines: int) -> None:
        for name, machine in zip(pack.FUNCTIONS, machines, strict=True):
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / "bootstrap").write_bytes(b"\x7fELF" + bytes(14) + bytes([machine, 0]))

    # System V ABI: EM_X86_64, EM_AARCH64, EM_386.
    for machine, name in ((62, "x86_64"), (183, "arm64")):
        built(*[machine] * len(pack.FUNCTIONS))
        assert pack.architecture(built=tmp_path) == name
    rest = len(pack.FUNCTIONS) - 2
    for machines in ((62, 183, *[62] * rest), (3, 3, *[3] * rest)):
        built(*machines)
        with pytest.raises(ValueError, match="not built for one architecture: copy-shared-snapshots for "):
            pack.architecture(built=tmp_path)


def test_the_console_asks_for_them(template: dict[str, Any]) -> None:
    form = template["Metadata"][FORM]
    assert form["ParameterGroups"][-1]["Parameters"] == list(plain.PARAMETERS)
    assert form["ParameterLabels"].keys() == template["Parameters"].keys()
