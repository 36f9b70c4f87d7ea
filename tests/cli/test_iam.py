"""What `iam` and `key-policy` print is what the templates say."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.cli.command import snapferry
from tests.e2e import packages
from tests.e2e.translate import translated
from tests.parity import normal
from tests.parity.resolve import Resolver
from tests.parity.test_parity import SOURCE_TEMPLATE, cases, vault_parameters

ROLES = ("CopySharedSnapshotsRole", "VerifyCopiesRole", "DeleteExpiredCopiesRole")
# Not a target of either policy, and one.
REGIONS = ("ap-southeast-7", "eu-central-1")


def of_template(case: dict[str, str], region: str) -> dict[str, Any]:
    """Each role's policies as CloudFormation creates them."""
    resources = Resolver(translated(), vault_parameters(case)).resources()
    found = {role: named(resources, resources[role]["Properties"]) for role in ROLES}
    text = json.dumps(found).replace("${AWS::Partition}", "aws").replace("${AWS::Region}", region)
    return normalized(json.loads(text))


def named(resources: dict[str, Any], role: dict[str, Any]) -> dict[str, Any]:
    """A role's policies, managed ones by their logical ID as it would be in an inline policy's name."""
    inline = {policy["PolicyName"]: policy["PolicyDocument"] for policy in role["Policies"]}
    managed = [each[2:-1] for each in role.get("ManagedPolicyArns", [])]
    return {**inline, **{hyphened(each): resources[each]["Properties"]["PolicyDocument"] for each in managed}}


def hyphened(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()


def normalized(roles: dict[str, dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = distinct(normal.resource({"Type": "", "Properties": roles})["Properties"])
    return found


def distinct(value: Any) -> Any:
    """Lists without repetitions: the template names the Region of the stack twice when it is a target too."""
    if isinstance(value, dict):
        return {name: distinct(each) for name, each in value.items()}
    return list(dict.fromkeys(value)) if isinstance(value, list) else value


def printed(case: dict[str, str], region: str) -> Any:
    """What `snapferry iam --json` prints for the case."""
    options = []
    for option, parameter in (("--source-key", "SourceKeyArns"), ("--retired-region", "RetiredRegions")):
        options += [each for value in filter(None, case.get(parameter, "").split(",")) for each in (option, value)]
    done = snapferry("iam", case["Policy"], "--json", *options, environment={"AWS_REGION": region})
    assert done.code == 0, done.err
    return done.json()


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("case", cases("vault"))
def test_roles(case: str, region: str) -> None:
    given = cases("vault")[case]
    answer = printed(given, region)
    found = {
        role["role"]: {policy["name"]: policy["document"] for policy in role["policies"]} for role in answer["roles"]
    }
    assert normalized(found) == of_template(given, region)


def test_a_difference_is_found() -> None:
    given = cases("vault")["defaults"]
    changed = of_template({**given, "RetiredRegions": "eu-north-1"}, REGIONS[0])
    assert normal.differences(changed, of_template(given, REGIONS[0]))


def comments() -> dict[tuple[str, str], str]:
    """The template's sentence above each statement of a role's policy, by policy and Sid."""
    found: dict[tuple[str, str], str] = {}
    policy, sentence = "", ""
    for line in packages.TEMPLATE.read_text().splitlines():
        if name := re.search(r"PolicyName: (\S+)", line):
            policy = name[1]
        elif resource := re.fullmatch(r"  (\w+):", line):
            policy = hyphened(resource[1])
        elif comment := re.fullmatch(r" +# (.+)", line):
            sentence = f"{sentence} {comment[1]}".lstrip()
            continue
        elif sid := re.search(r"- Sid: (\S+)", line):
            found[policy, sid[1]] = sentence
        sentence = ""
    return found


def test_sentences() -> None:
    answer = printed(cases("vault")["every option"], REGIONS[0])
    above = comments()
    why = {
        (policy["name"], sid): sentence
        for role in answer["roles"]
        for policy in role["policies"]
        for sid, sentence in policy["why"].items()
    }
    assert len(why) > 10
    assert why == {key: above.get(key) for key in why}


def key_policy(case: dict[str, str], *options: str) -> Any:
    role = ("--target-role", case["TargetRoleArn"]) if "TargetRoleArn" in case else ()
    target = ("--target", case["TargetAccount"])
    return snapferry("key-policy", "infra/policy.example.json", *target, *role, *options, "--json").json()


@pytest.mark.parametrize("case", cases("source"))
def test_statements_of_a_key(case: str) -> None:
    given = cases("source")[case]
    resolver = Resolver(yaml_parse(SOURCE_TEMPLATE.read_text()), given)
    _, *own = resolver.resources()["SnapshotKey"]["Properties"]["KeyPolicy"]["Statement"]
    expected = json.loads(json.dumps(own).replace("${AWS::Partition}", "aws"))
    assert key_policy(given)["statements"] == expected


def test_the_templates_key_needs_nothing(tmp_path: Path) -> None:
    given = cases("source")["defaults"]
    resolver = Resolver(yaml_parse(SOURCE_TEMPLATE.read_text()), given)
    policy = resolver.resources()["SnapshotKey"]["Properties"]["KeyPolicy"]
    text = json.dumps(policy).replace("${AWS::Partition}", "aws").replace("${AWS::AccountId}", "111122223333")
    (tmp_path / "key-policy.json").write_text(text)
    answer = key_policy(given, "--merge", str(tmp_path / "key-policy.json"))
    assert [change["done"] for change in answer["changes"]] == ["kept", "kept"]
    assert answer["merged"] == text
