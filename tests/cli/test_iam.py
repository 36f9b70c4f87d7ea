"""What `iam` and `key-policy` print is what CloudFormation makes of the templates."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from infra.sam import parameters
from tests.cli.command import snapferry
from tests.e2e import packages
from tests.e2e.translate import translated
from tests.parity.resolve import Resolver

SOURCE_TEMPLATE = packages.REPOSITORY / "infra/sam/source-account.yaml"
ROLES = ("CopySharedSnapshotsRole", "VerifyCopiesRole", "DeleteExpiredCopiesRole")
PROVER = "ProveCopiesRole"
OF_DATABASES = ("CopySharedDatabasesRole", "VerifyCopiedDatabasesRole", "DeleteExpiredDatabaseCopiesRole")
POLICIES = ("infra/policy.example.json", "functions/core/tests/fixtures/policies/several.json")
DATABASES = "functions/core/tests/fixtures/policies/databases.json"
# Not a target of either policy, and one.
REGIONS = ("ap-southeast-7", "eu-central-1")
KEY = "arn:aws:kms:eu-central-1:111111111111:key/0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f"
OPTIONS: tuple[dict[str, str], ...] = (
    {},
    {"SourceKeyArns": KEY},
    {"SourceKeyArns": f"{KEY},{KEY.replace('0a1b', 'ffff')}", "RetiredRegions": "eu-north-1,eu-south-2"},
    {"RetiredHomes": "eu-west-3"},
    {"CopyAnyOwner": "true"},
    {"RetiredHomes": "eu-west-3,eu-south-1", "RetiredPolicies": "old"},
    {"ProofSchedule": "rate(1 day)"},
    {"ProofSchedule": "rate(1 day)", "ProofDecryptsSources": "true", "RetiredHomes": "eu-west-3"},
    {"ProofSchedule": "cron(0 3 * * ? *)", "ProofDecryptsSources": "true", "SourceKeyArns": KEY},
)
TARGET, OWNER = "444455556666", "111122223333"
COPIER = f"arn:aws:iam::{TARGET}:role/vault/copier"


def deployed(policy: str, region: str, options: dict[str, str]) -> dict[str, Any]:
    """Each role's policies as CloudFormation creates them when `make deploy` deploys the policy."""
    [checked] = snapferry("check", "--json", policy).json()["files"]
    said = {**parameters.repeated(checked["policies"]), **options}
    resources = Resolver(translated(), said).resources()
    roles = (*ROLES, PROVER) if "ProofSchedule" in options else ROLES
    roles = (*roles, *OF_DATABASES) if said["Databases"] == "true" else roles
    found = {role: named(resources, resources[role]["Properties"]) for role in roles}
    text = json.dumps(found).replace("${AWS::Partition}", "aws").replace("${AWS::Region}", region)
    made: dict[str, Any] = normal(json.loads(text))
    return made


def named(resources: dict[str, Any], role: dict[str, Any]) -> dict[str, Any]:
    """A role's policies, managed ones by their logical ID as it would be in an inline policy's name."""
    inline = {policy["PolicyName"]: policy["PolicyDocument"] for policy in role["Policies"]}
    managed = [each[2:-1] for each in role.get("ManagedPolicyArns", [])]
    return {**inline, **{hyphened(each): resources[each]["Properties"]["PolicyDocument"] for each in managed}}


def hyphened(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()


def normal(value: Any) -> Any:
    """What means the same to IAM in one form: a list of one, in any order, and what a list says twice."""
    if isinstance(value, dict):
        return {name: normal(each) for name, each in value.items()}
    if isinstance(value, list):
        distinct = {json.dumps(each, sort_keys=True): each for each in map(normal, value)}
        return next(iter(distinct.values())) if len(distinct) == 1 else [distinct[each] for each in sorted(distinct)]
    return value


def printed(policy: str, region: str, options: dict[str, str]) -> Any:
    """What `snapferry iam --json` prints."""
    given = []
    parameters_of = {
        "--source-key": "SourceKeyArns",
        "--retired-region": "RetiredRegions",
        "--retired-home": "RetiredHomes",
    }
    for option, parameter in parameters_of.items():
        given += [each for value in filter(None, options.get(parameter, "").split(",")) for each in (option, value)]
    given += ["--copy-any-owner"] if options.get("CopyAnyOwner") == "true" else []
    given += ["--proof"] if "ProofSchedule" in options else []
    given += ["--proof-decrypts-sources"] if options.get("ProofDecryptsSources") == "true" else []
    done = snapferry("iam", policy, "--json", *given, environment={"AWS_REGION": region})
    assert done.code == 0, done.err
    return normal(
        {role["role"]: {each["name"]: each["document"] for each in role["policies"]} for role in done.json()["roles"]}
    )


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("policy", [*POLICIES, DATABASES])
def test_roles(policy: str, region: str, options: dict[str, str]) -> None:
    assert printed(policy, region, options) == deployed(policy, region, options)


def test_a_difference_is_found() -> None:
    other = printed(POLICIES[0], REGIONS[0], {"RetiredRegions": "eu-north-1"})
    assert other != deployed(POLICIES[0], REGIONS[0], {})


def source(**options: str) -> Resolver:
    return Resolver(yaml_parse(SOURCE_TEMPLATE.read_text()), {"TargetAccount": TARGET, **options})


def in_account(value: Any) -> str:
    return json.dumps(value).replace("${AWS::Partition}", "aws").replace("${AWS::AccountId}", OWNER)


def key_policy(*options: str) -> Any:
    return snapferry("key-policy", POLICIES[0], "--target", TARGET, *options, "--json").json()


def test_statements_of_a_key() -> None:
    resolver = source()
    _, *own = resolver.resources()["SnapshotKey"]["Properties"]["KeyPolicy"]["Statement"]
    statements = key_policy()["statements"]
    assert statements == json.loads(in_account(own))
    output = resolver.outputs()["StatementsForAnExistingKey"]["Value"]
    assert statements == json.loads(output.replace("${AWS::Partition}", "aws"))


def test_statements_for_a_role_of_another_path() -> None:
    """They differ from the template's for its path by the role's name alone."""
    _, *own = source(TargetRolePath="/vault/").resources()["SnapshotKey"]["Properties"]["KeyPolicy"]["Statement"]
    pattern = f"arn:aws:iam::{TARGET}:role/vault/*"
    assert in_account(own).count(pattern) == 2
    assert key_policy("--target-role", COPIER)["statements"] == json.loads(in_account(own).replace(pattern, COPIER))


def test_the_templates_key_needs_nothing(tmp_path: Path) -> None:
    text = in_account(source().resources()["SnapshotKey"]["Properties"]["KeyPolicy"])
    (tmp_path / "key-policy.json").write_text(text)
    answer = key_policy("--merge", str(tmp_path / "key-policy.json"))
    assert [change["done"] for change in answer["changes"]] == ["kept", "kept"]
    assert answer["merged"] == text
