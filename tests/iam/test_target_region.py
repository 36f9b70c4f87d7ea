"""Misuse of what the optional templates make in a target Region: the copies' key, the role that sends events home."""

import json
import re
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.e2e import packages
from tests.iam.evaluator import Document, Request, decide, decide_by_resource
from tests.parity.resolve import Resolver

ACCOUNT, STRANGER = "222222222222", "333333333333"
HOME, AWAY = "us-east-1", "eu-west-1"
KEY = f"arn:aws:kms:{AWAY}:{ACCOUNT}:key/0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f"
ROLES = f"arn:aws:iam::{ACCOUNT}:role"
COPIER = f"{ROLES}/snapferry/snapferry-CopySharedSnapshotsRole-1A2B3C4D5E6F"
ADMINISTRATOR, ROOT = f"{ROLES}/admin", f"arn:aws:iam::{ACCOUNT}:root"
RESTORER = f"arn:aws:iam::{STRANGER}:role/recovery/restore"
USE = (
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
DESTROY = ("kms:DeleteImportedKeyMaterial", "kms:DisableKey", "kms:DisableKeyRotation", "kms:ScheduleKeyDeletion")
FOR_EBS = {"kms:GrantIsForAWSResource": "true"}


def resolved(template: str, region: str = AWAY, **parameters: str) -> dict[str, Any]:
    """The resources of a template, deployed in a Region."""
    text = (packages.REPOSITORY / "infra/sam" / template).read_text()
    resources = json.dumps(Resolver(yaml_parse(text), parameters).resources())
    known = {"AWS::Partition": "aws", "AWS::Region": region, "AWS::AccountId": ACCOUNT}
    for name, value in known.items():
        resources = resources.replace(f"${{{name}}}", value)
    found: dict[str, Any] = json.loads(resources)
    return found


def key_policy(**parameters: str) -> Document:
    policy: Document = resolved("target-region.yaml", **parameters)["CopyKey"]["Properties"]["KeyPolicy"]
    return policy


def may(policy: Document, principal: str, action: str, context: dict[str, Any] | None = None) -> bool:
    return decide_by_resource(Request(principal, action, KEY, AWAY, context or {}), policy).allowed


@pytest.mark.parametrize("action", [*USE, "kms:Encrypt"])
def test_the_vaults_roles_use_the_key_and_nobody_else(action: str) -> None:
    policy = key_policy()
    assert may(policy, COPIER, action)
    others = [ADMINISTRATOR, ROOT, RESTORER, f"{ROLES}/snapferry", COPIER.replace(ACCOUNT, STRANGER)]
    assert [each for each in [*others, COPIER.replace("/snapferry/", "/other/")] if may(policy, each, action)] == []


def test_grants_of_the_key_are_for_services_of_aws_only() -> None:
    policy = key_policy()
    assert may(policy, COPIER, "kms:CreateGrant", FOR_EBS)
    assert not may(policy, COPIER, "kms:CreateGrant")
    for other in (ADMINISTRATOR, ROOT, RESTORER):
        assert not may(policy, other, "kms:CreateGrant", FOR_EBS), other


@pytest.mark.parametrize("action", [*USE, "kms:CreateGrant"])
def test_who_restores_is_named_also_in_another_account(action: str) -> None:
    policy = key_policy(RestoreRoleArns=f"{RESTORER},{ROLES}/restore/*")
    for role in (RESTORER, f"{ROLES}/restore/operator", COPIER):
        assert may(policy, role, action, FOR_EBS), role
        assert may(policy, role, action) is (action != "kms:CreateGrant"), role
    for other in (ADMINISTRATOR, f"{RESTORER}-2", RESTORER.replace(STRANGER, "444444444444")):
        assert not may(policy, other, action, FOR_EBS), other


@pytest.mark.parametrize("action", DESTROY)
@pytest.mark.parametrize("parameters", [{}, {"RestoreRoleArns": RESTORER}])
def test_nobody_destroys_the_key(action: str, parameters: dict[str, str]) -> None:
    policy = key_policy(**parameters)
    for principal in (ADMINISTRATOR, ROOT, COPIER, RESTORER, f"{ROLES}/snapferry-admin/administrator"):
        assert decide_by_resource(Request(principal, action, KEY, AWAY, FOR_EBS), policy).explicit, principal


def test_this_account_governs_the_key_and_no_other_does() -> None:
    policy = key_policy(RestoreRoleArns=RESTORER)
    for action in ("kms:CancelKeyDeletion", "kms:EnableKey", "kms:PutKeyPolicy", "kms:RevokeGrant", "kms:TagResource"):
        # CreateKey wants that whoever makes the key may change its policy afterwards.
        assert may(policy, ADMINISTRATOR, action)
        assert not may(policy, RESTORER, action)


def test_all_roles_of_an_account_are_no_path_of_the_vault() -> None:
    """With the path / alone every role of the account would be the vault's."""
    parameter = yaml_parse((packages.REPOSITORY / "infra/sam/target-region.yaml").read_text())["Parameters"]
    pattern = parameter["VaultRolePath"]["AllowedPattern"]
    assert [path for path in ("/", "//", "/*/", "snapferry/", "/snapferry") if re.search(pattern, path)] == []
    assert re.search(pattern, parameter["VaultRolePath"]["Default"])


def test_what_is_switched_off_is_not_made() -> None:
    everything = resolved("target-region.yaml")
    assert everything.keys() == {"CopyKey", "CopyKeyAlias", "PublicSnapshots", "DeletedCopies"}
    # Each outlives the stack: none is less needed by the copies when it goes.
    policies = {name: each["DeletionPolicy"] for name, each in everything.items()}
    # An alias that a failed first creation left would be in the way of the next.
    assert policies.pop("CopyKeyAlias") == "RetainExceptOnCreate"
    assert set(policies.values()) == {"Retain"}
    for parameters, left in (
        ({"CreateKey": "false", "RestoreRoleArns": RESTORER}, {"PublicSnapshots", "DeletedCopies"}),
        ({"BlockPublicSnapshots": "false"}, {"CopyKey", "CopyKeyAlias", "DeletedCopies"}),
        ({"RecycleBinDays": "0"}, {"CopyKey", "CopyKeyAlias", "PublicSnapshots"}),
    ):
        assert resolved("target-region.yaml", **parameters).keys() == left
    [tag] = everything["DeletedCopies"]["Properties"]["ResourceTags"]
    assert tag == {"ResourceTagKey": "snapferry:status", "ResourceTagValue": "verified"}


def test_the_rule_of_a_target_region_sends_events_home_and_does_nothing_else() -> None:
    role = resolved("copy-events.yaml", HomeRegion=HOME)["CopyRuleRole"]["Properties"]
    policies = [each["PolicyDocument"] for each in role["Policies"]]
    bus = f"arn:aws:events:{HOME}:{ACCOUNT}:event-bus/default"

    def may(action: str, resource: str) -> bool:
        return decide(Request(COPIER, action, resource, HOME, {}), policies).allowed

    assert may("events:PutEvents", bus)
    for resource in (bus.replace("default", "other"), bus.replace(HOME, AWAY), bus.replace(ACCOUNT, STRANGER), "*"):
        assert not may("events:PutEvents", resource), resource
    for action in ("events:PutRule", "events:PutPermission", "sqs:SendMessage", "lambda:InvokeFunction"):
        assert not may(action, bus), action


def test_the_role_is_the_rules_alone() -> None:
    role = resolved("copy-events.yaml", HomeRegion=HOME)["CopyRuleRole"]["Properties"]
    trust = role["AssumeRolePolicyDocument"]
    trust = {**trust, "Statement": [{**each, "Resource": "*"} for each in trust["Statement"]]}
    rule = f"arn:aws:events:{AWAY}:{ACCOUNT}:rule/snapferry-copies-of-{HOME}"
    callers = {
        "rule": ("events.amazonaws.com", {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": rule}),
        "another rule": ("events.amazonaws.com", {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": f"{rule}-2"}),
        "another account's": (
            "events.amazonaws.com",
            {"aws:SourceAccount": STRANGER, "aws:SourceArn": rule.replace(ACCOUNT, STRANGER)},
        ),
        "a rule that is not named": ("events.amazonaws.com", {}),
        "another service": ("lambda.amazonaws.com", {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": rule}),
        "administrator": (ADMINISTRATOR, {}),
    }
    allowed = {
        name
        for name, (principal, context) in callers.items()
        if decide_by_resource(Request(principal, "sts:AssumeRole", "*", AWAY, context), trust).allowed
    }
    assert allowed == {"rule"}
