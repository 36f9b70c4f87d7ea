"""The Terraform module takes what the template takes. Nothing here runs Terraform: the files are parsed."""

import re
from pathlib import Path
from typing import Any

import hcl2
import pytest

from infra.sam import plain
from tests.e2e import packages

MODULE = packages.REPOSITORY / "infra/terraform"
RETIRED = {"RetiredRegions", "RetiredHomes", "RetiredPolicies"}
LISTS = {"SourceAccounts", "TargetRegions", "TargetKeyArns", "SourceKeyArns", *RETIRED}
SCHEDULES = {"SweepSchedule", "ServeSchedule", "VerifySchedule", "ExpirySchedule"}
SINGLE = {"CodeBucket", "CodePrefix", "PolicyKey", "SweepSince", "AlarmTopicArn", "AlarmEmail", "RolePath", *SCHEDULES}
SINGLE.add("ProofSchedule")


def parsed(path: Path) -> dict[str, Any]:
    with path.open() as text:
        found: dict[str, Any] = hcl2.load(text)
    return found


def block(path: Path, kind: str, *labels: str) -> dict[str, Any]:
    """The block of a file with these labels; the parser keeps their quotes."""
    for found in parsed(path)[kind]:
        inner: Any = found
        for label in labels:
            inner = inner.get(f'"{label}"', {}) if isinstance(inner, dict) else {}
        if inner:
            return dict(inner)
    raise LookupError(f"{path.name} has no {kind} {labels}")


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return plain.plain(plain.SOURCE.read_text())


@pytest.fixture(scope="module")
def variable() -> dict[str, Any]:
    return block(MODULE / "variables.tf", "variable", "parameters")


@pytest.fixture(scope="module")
def types(variable: dict[str, Any]) -> dict[str, str]:
    """The type of each parameter."""
    inner = re.fullmatch(r"\$\{object\(\{(.+)\}\)\}", variable["type"])
    assert inner
    return dict(each.split(" = ") for each in re.split(r", (?=[A-Z])", inner[1]))


def wanted(name: str, parameter: dict[str, Any]) -> str:
    """The type that follows from the template."""
    if name in LISTS:
        return "list(string)" if "Default" not in parameter else "optional(list(string), [])"
    base = {"Number": "number", "String": "string"}[parameter["Type"]]
    if parameter.get("AllowedValues") == ["false", "true"]:
        base = "bool"
    return f"optional({base})" if "Default" in parameter else base


def test_each_parameter_of_the_template_has_its_type(template: dict[str, Any], types: dict[str, str]) -> None:
    assert types == {name: wanted(name, each) for name, each in template["Parameters"].items()}


def test_lists_are_what_the_template_takes_with_commas(template: dict[str, Any]) -> None:
    with_commas = {
        name
        for name, each in template["Parameters"].items()
        if each["Type"] == "CommaDelimitedList" or "(,(?!$)|$)" in each.get("AllowedPattern", "")
    }
    assert with_commas == LISTS


def element(pattern: str) -> str:
    """What the template asks of each item of a list; Terraform's expressions have no lookahead."""
    return re.sub(r"^\^\((.+)\(,\(\?!\$\)\|\$\)\)\*\$$", r"^\1$", pattern)


def test_it_refuses_what_the_template_would_refuse(template: dict[str, Any], variable: dict[str, Any]) -> None:
    conditions = [each["condition"] for each in variable["validation"]]
    held = {
        (name, pattern.replace("\\\\", "\\"))
        for condition in conditions
        for pattern in re.findall(r'regex\(\s*"([^"]+)"', condition)
        for name in re.findall(r"var\.parameters\.(\w+)", condition)
    }
    patterns = {name: element(template["Parameters"][name]["AllowedPattern"]) for name in (*LISTS, *SINGLE)}
    assert held == set(patterns.items())


def test_its_outputs_are_the_templates(template: dict[str, Any]) -> None:
    named = re.findall(r'outputs\["(\w+)"\]', (MODULE / "main.tf").read_text())
    assert named
    assert set(named) <= template["Outputs"].keys()


def test_the_stack_has_the_parameters_and_may_make_roles() -> None:
    stack = block(MODULE / "main.tf", "resource", "aws_cloudformation_stack", "snapferry")
    assert (stack["parameters"], stack["template_url"]) == ("${local.parameters}", "${var.template_url}")
    assert stack["capabilities"] == ['"CAPABILITY_IAM"']


def test_the_example_gives_what_is_needed_and_nothing_unknown(types: dict[str, str]) -> None:
    example = block(MODULE / "example/main.tf", "module", "snapferry")
    given = example["parameters"].keys()
    assert {name for name, kind in types.items() if not kind.startswith("optional")} <= given <= types.keys()
    arguments = {each for each in example if each not in {"source", "__is_block__"}}
    variables = {name.strip('"') for each in parsed(MODULE / "variables.tf")["variable"] for name in each}
    assert arguments <= variables
