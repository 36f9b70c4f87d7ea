"""The defaults of the two accounts fit each other."""

import json

import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.e2e import packages

SOURCE = yaml_parse((packages.REPOSITORY / "infra/sam/source-account.yaml").read_text())["Parameters"]
VAULT = yaml_parse((packages.REPOSITORY / "infra/sam/template.yaml").read_text())["Parameters"]
# At least.
DAYS = {"DAYS": 1, "WEEKS": 7, "MONTHS": 28, "YEARS": 365}


def test_snapshots_are_shared_for_no_longer_than_they_are_kept() -> None:
    assert 0 < SOURCE["UnshareDays"]["Default"] <= SOURCE["RetainDays"]["Default"]


@pytest.mark.parametrize("name", ["policy.example.json", "stacksets/policy.json"])
def test_copies_are_kept_for_as_long_as_their_sources_are_shared(name: str) -> None:
    policy = json.loads((packages.REPOSITORY / "infra" / name).read_text())
    rules = [copy["RetainRule"] for action in policy["Actions"] for copy in action["CrossRegionCopy"]]
    assert rules
    assert [
        rule for rule in rules if rule["Interval"] * DAYS[rule["IntervalUnit"]] < SOURCE["UnshareDays"]["Default"]
    ] == []


def test_the_sources_key_allows_the_path_of_the_vaults_roles() -> None:
    for member in ("Default", "AllowedPattern"):
        assert SOURCE["TargetRolePath"][member] == VAULT["RolePath"][member]
