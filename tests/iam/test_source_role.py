"""What the role in which Data Lifecycle Manager acts for the source account's stack permits."""

import json
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.e2e import packages
from tests.iam.evaluator import Document, Request, decide
from tests.parity.resolve import Resolver

SOURCE_TEMPLATE = packages.REPOSITORY / "infra/sam/source-account.yaml"
OWNER, TARGET, STRANGER = "111111111111", "222222222222", "333333333333"
REGION = "eu-central-1"
ROLE = f"arn:aws:iam::{OWNER}:role/snapferry-source-SnapshotPolicyRole-1A2B3C4D5E6F"
SNAPSHOT = f"arn:aws:ec2:{REGION}::snapshot/snap-0123456789abcdef0"
ADD, REMOVE, GROUP = "ec2:Add/userId", "ec2:Remove/userId", "ec2:Add/group"


@pytest.fixture(scope="module")
def policy() -> Document:
    """The role's one document."""
    resources = Resolver(yaml_parse(SOURCE_TEMPLATE.read_text()), {"TargetAccount": TARGET}).resources()
    [inline] = resources["SnapshotPolicyRole"]["Properties"]["Policies"]
    text = json.dumps(inline["PolicyDocument"]).replace("${AWS::Partition}", "aws")
    text = text.replace("${AWS::Region}", REGION).replace("${AWS::AccountId}", OWNER)
    document: Document = json.loads(text)
    return document


def may(policy: Document, action: str, resource: str = SNAPSHOT, **context: Any) -> bool:
    return decide(Request(ROLE, action, resource, REGION, context.get("context", {})), [policy]).allowed


@pytest.mark.parametrize(
    ("changed", "allowed"),
    [
        ({ADD: [TARGET]}, True),
        ({REMOVE: [TARGET]}, True),
        ({ADD: [STRANGER]}, False),
        ({ADD: [TARGET, STRANGER]}, False),
        ({GROUP: ["all"]}, False),
        ({ADD: [TARGET], GROUP: ["all"]}, False),
        ({REMOVE: [TARGET], GROUP: ["all"]}, False),
        ({REMOVE: [TARGET], ADD: [STRANGER]}, False),
        ({REMOVE: [STRANGER]}, False),
        ({REMOVE: [TARGET, STRANGER]}, False),
        ({}, False),
    ],
)
def test_it_shares_with_the_target_account_and_nobody_else(
    policy: Document, changed: dict[str, list[str]], allowed: bool
) -> None:
    assert may(policy, "ec2:ModifySnapshotAttribute", context=changed) is allowed


def test_it_creates_tags_and_deletes_snapshots(policy: Document) -> None:
    volume = f"arn:aws:ec2:{REGION}:{OWNER}:volume/vol-0123456789abcdef0"
    assert may(policy, "ec2:CreateSnapshot", volume)
    for action in ("ec2:CreateSnapshot", "ec2:CreateTags", "ec2:DeleteSnapshot"):
        assert may(policy, action), action
        assert not may(policy, action, SNAPSHOT.replace(REGION, "us-east-1")), action
    for action in ("ec2:CopySnapshot", "ec2:ResetSnapshotAttribute", "ec2:DeleteTags", "ec2:ModifySnapshotTier"):
        assert not may(policy, action), action
    assert not may(policy, "ec2:DeleteVolume", volume)
    assert not may(policy, "ec2:CreateTags", volume)
