"""Whoever says what the target account may do with a source account's key says the same."""

import json

from samtranslator.yaml_helper import yaml_parse

from tests.e2e import packages
from tests.live import scenario
from tests.parity.resolve import Resolver

SOURCE_TEMPLATE = packages.REPOSITORY / "infra/sam/source-account.yaml"
TARGET = "444455556666"


def test_statements_for_an_existing_key() -> None:
    """What the template prints for a key that is there already is what it gives to a key of its own."""
    resolver = Resolver(yaml_parse(SOURCE_TEMPLATE.read_text()), {"TargetAccount": TARGET})
    printed = json.loads(resolver.outputs()["StatementsForAnExistingKey"]["Value"])
    _, *own = resolver.resources()["SnapshotKey"]["Properties"]["KeyPolicy"]["Statement"]
    assert printed == own


def test_the_key_of_the_live_test() -> None:
    """The key that the live test makes lets the target account do what the template's does."""
    owner = "111122223333"
    resolver = Resolver(yaml_parse(SOURCE_TEMPLATE.read_text()), {"TargetAccount": TARGET})
    text = json.dumps(resolver.resources()["SnapshotKey"]["Properties"]["KeyPolicy"])
    template = json.loads(text.replace("${AWS::Partition}", "aws").replace("${AWS::AccountId}", owner))
    for statement in template["Statement"]:
        del statement["Sid"]
    plan = scenario.Plan("run", "aws", "eu-central-1", "snapferry", owner, TARGET, "live", None, [], [])
    assert scenario.key_policy(plan) == template
