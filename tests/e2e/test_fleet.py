"""Both sides as README deploys them: three source accounts that share in two homes, one vault in two target Regions."""

import json
from collections import Counter
from itertools import product
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.cloud import until
from tests.e2e import packages, policies
from tests.e2e.accounts import HOME, Account
from tests.e2e.deploy import PATIENCE_SECONDS
from tests.e2e.protect import EXPIRER, VERIFIER, Vault, tick, vault

SOURCE_TEMPLATE = packages.REPOSITORY / "infra/sam/source-account.yaml"
OTHER_HOME = "eu-west-1"
HOMES = {HOME: "snapferry", OTHER_HOME: "snapferry-there"}
TARGETS = ["eu-central-1", "us-west-2"]


def source_key(owner: Account, home: str, **parameters: str) -> str:
    """Deploy the source account's side in a home and give its key.

    The local AWS knows no Data Lifecycle Manager: the test makes and shares the snapshots in its place.
    """
    template: dict[str, Any] = yaml_parse(SOURCE_TEMPLATE.read_text())
    managers = {name for name, each in template["Resources"].items() if each["Type"].startswith("AWS::DLM::")}
    template["Resources"] = {name: each for name, each in template["Resources"].items() if name not in managers}
    template["Outputs"] = {
        name: each
        for name, each in template["Outputs"].items()
        if not any(f'"{manager}' in json.dumps(each) for manager in managers)
    }
    cloudformation = owner.client("cloudformation", home)
    cloudformation.create_stack(
        StackName="snapferry-source",
        TemplateBody=json.dumps(template),
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    )

    def made() -> dict[str, Any]:
        stack: dict[str, Any] = cloudformation.describe_stacks(StackName="snapferry-source")["Stacks"][0]
        return {} if stack["StackStatus"].endswith("_IN_PROGRESS") else stack

    stack = until(made, within=PATIENCE_SECONDS, what="the source account's stack")
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
    key: str = outputs["KeyArn"]
    return key


@pytest.fixture
def sources(source: Account) -> list[Account]:
    return [source, *(Account(source.aws) for _ in range(2))]


def test_what_three_accounts_share_in_two_homes_stands_once_in_each_target_region(
    sources: list[Account], target: Account
) -> None:
    keys = {region: target.create_key(region) for region in TARGETS}
    document = policies.details(
        [owner.number for owner in sources],
        *(policies.target(region, key=key, keep=(30, "DAYS")) for region, key in keys.items()),
    )
    of_sources = {
        (owner.number, home): source_key(owner, home, TargetAccount=target.number)
        for owner, home in product(sources, HOMES)
    }
    assert len(set(of_sources.values())) == len(of_sources)
    vaults: dict[str, Vault] = {
        home: vault(target, document, region=home, name=name, SourceKeyArns="") for home, name in HOMES.items()
    }
    shared = {
        (owner.number, home): target.aws.control.create_snapshot(
            owner.number, home, shared_with=[target.number], notify=True, kms_key=of_sources[owner.number, home]
        )
        for owner, home in product(sources, HOMES)
    }
    for home, here in vaults.items():
        # By their events and by a sweep beside them.
        tick(here, f"in {home}")
        here.stack.wait_for_audit(count=len(sources) * len(TARGETS), event="copy.started")
        here.verify()
        here.expire()

    copies = [copy for region in TARGETS for copy in vaults[HOME].stack.copies(region)]
    identities = Counter((copy["tags"]["snapferry:source-snapshot"], copy["KmsKeyId"]) for copy in copies)
    assert identities == dict.fromkeys(product(shared.values(), keys.values()), 1)
    assert {copy["tags"]["snapferry:status"] for copy in copies} == {"verified"}
    homes = {(copy["tags"]["snapferry:source-account"], copy["tags"]["snapferry:source-region"]) for copy in copies}
    assert homes == set(shared)
    for home, here in vaults.items():
        of_home = {snapshot for (_, there), snapshot in shared.items() if there == home}
        told = {r["source"]["snapshot"] for r in here.stack.audit() if r["event"] == "copy.started"}
        assert told == of_home
        verified = here.stack.audit(VERIFIER, event="copy.verified")
        assert Counter(record["source"]["snapshot"] for record in verified) == dict.fromkeys(of_home, len(TARGETS))
        assert here.stack.audit(EXPIRER, event="copy.expired") == []
        [swept] = here.stack.audit(event="sweep.completed")
        assert (swept["sweep"]["matching"], swept["sweep"]["unknown"]) == (len(sources), 0)
