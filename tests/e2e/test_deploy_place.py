"""`make deploy` looks where it would deploy before it does: the account, and what stands there."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.sam import place, released
from tests.cloud import LocalAws
from tests.e2e import policies
from tests.e2e.accounts import HOME, Account
from tests.e2e.deploy import deploy
from tests.e2e.test_deploy import FAR, KEY, NEAR, VALID, Checkout, checkout, operator

__all__ = ["checkout", "operator"]


def test_a_source_account_does_not_become_the_vault(
    checkout: Checkout, source: Account, target: Account, operator: dict[str, str]
) -> None:
    sources = policies.details(["111122223333", target.number], policies.target(NEAR))
    given = [f"SAM={checkout.stand_in('sam')}", f"REGION={HOME}"]
    refused = checkout.deploy(checkout.write(sources), *given, **operator)
    assert refused.returncode != 0
    assert f"The credentials are those of {target.number}, which the policy names as SnapshotOwner" in refused.stderr
    assert (checkout.called("cargo"), checkout.called("sam")) == ([], [])
    isolated = policies.details(["111122223333", source.number], policies.target(NEAR))
    run = checkout.deploy(checkout.write(isolated), *given, **operator)
    assert run.returncode == 0, run.stderr
    assert len(checkout.called("sam")) == 1


def test_a_stack_that_nobody_confirmed_is_none_yet(
    checkout: Checkout, target: Account, operator: dict[str, str], aws: LocalAws
) -> None:
    target.client("cloudformation", HOME).create_change_set(
        StackName="snapferry",
        ChangeSetName="first",
        ChangeSetType="CREATE",
        TemplateBody='{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}',
    )
    run = checkout.deploy(checkout.write(VALID), f"SAM={checkout.stand_in('sam')}", f"REGION={HOME}", **operator)
    assert run.returncode == 0, f"{run.stderr}\n{aws.log_tail()}"
    assert "snapferry: not deployed yet, so the policy is compared with none" in run.stderr


def test_another_applications_stack_is_left_alone(
    checkout: Checkout, target: Account, operator: dict[str, str], aws: LocalAws
) -> None:
    stacks = target.client("cloudformation", HOME)
    template = '{"Resources": {"Payments": {"Type": "AWS::SQS::Queue"}}}'
    stacks.create_stack(StackName="payments", TemplateBody=template)
    given = [f"SAM={checkout.stand_in('sam')}", f"REGION={HOME}", "STACK=payments"]
    run = checkout.deploy(checkout.write(VALID), *given, **operator)
    assert run.returncode != 0, aws.log_tail()
    assert "STACK=payments is another application's: it has no output LedgerTable" in run.stderr
    assert (checkout.called("cargo"), checkout.called("sam")) == ([], [])


def test_a_second_stack_does_not_copy_by_the_same_policy(
    checkout: Checkout, source: Account, target: Account, operator: dict[str, str]
) -> None:
    policy = policies.details([source.number], policies.target(NEAR))
    deploy(target, policy)
    given = [f"SAM={checkout.stand_in('sam')}", f"REGION={HOME}"]
    refused = checkout.deploy(checkout.write(policy), *given, "STACK=snapfery", **operator)
    assert refused.returncode != 0
    assert "the stack snapferry in this Region copies by a policy of the same name already (default)" in refused.stderr
    assert checkout.called("sam") == []
    other = {"Policy": {"PolicyId": "policy-0123456789abcdef0", "State": "ENABLED", "PolicyDetails": policy}}
    for stack, document in (("snapferry", policy), ("weekly", other)):
        run = checkout.deploy(checkout.write(document), *given, f"STACK={stack}", **operator)
        assert run.returncode == 0, run.stderr
    assert len(checkout.called("sam")) == 2


CHECKED = {
    "policies": [
        {
            "Policy": {
                "PolicyId": "default",
                "PolicyDetails": {
                    "EventSource": {"Parameters": {"SnapshotOwner": ["111122223333"]}},
                    "Actions": [
                        {"CrossRegionCopy": [{"Target": FAR, "EncryptionConfiguration": {"CmkArn": KEY}}]},
                    ],
                },
            }
        }
    ]
}
OURS = {"Outputs": [{"OutputKey": "LedgerTable", "OutputValue": "table"}]}


@pytest.mark.parametrize(
    ("status", "message"),
    [
        ("CREATE_COMPLETE", None),
        ("UPDATE_ROLLBACK_COMPLETE", None),
        ("REVIEW_IN_PROGRESS", None),
        ("ROLLBACK_COMPLETE", "Delete it first"),
        ("UPDATE_IN_PROGRESS", "wait for its end"),
    ],
)
def test_a_stack_that_cannot_be_updated_is_named(status: str, message: str | None) -> None:
    # What failed at its first creation has no outputs.
    has = {} if status == "ROLLBACK_COMPLETE" else OURS
    stacks = [{"StackName": "snapferry", "StackStatus": status, **has}]
    found = list(place.refusals("444455556666", "snapferry", stacks, CHECKED))
    assert [message in each for each in found if message] == ([True] if message else [])
    assert not list(place.refusals("444455556666", "another", stacks, CHECKED))


class Blind:
    """The credentials of an account that may not look at its stacks."""

    region_name = HOME

    def __init__(self, **_: Any) -> None:
        pass

    def client(self, service: str, **_: Any) -> Any:
        if service == "sts":
            return self
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DescribeStacks")

    def get_caller_identity(self) -> dict[str, str]:
        return {"Account": "111122223333"}


def test_who_may_not_look_at_stacks_is_told_of_the_account_all_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("boto3.Session", Blind)
    monkeypatch.setattr("sys.argv", ["place", "snapferry"])
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps({"files": [CHECKED]})))
    with pytest.raises(SystemExit, match="The credentials are those of 111122223333"):
        place.main()
    assert "warning: what stacks there are cannot be read" in capsys.readouterr().err


def test_keys_of_another_account_alone_are_said() -> None:
    assert not list(place.warnings("444455556666", CHECKED))
    [warning] = place.warnings("300000000003", CHECKED)
    assert "every CmkArn of the policy is a key of 444455556666" in warning


def test_the_command_for_macos_has_a_name_and_a_list_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    (tmp_path / "SHA256SUMS").write_text("")
    (tmp_path / "SHA256SUMS-macos").write_text(f"{64 * '0'}  snapferry-macos-arm64.tar.gz\n")
    (tmp_path / "snapferry-macos-arm64.tar.gz").write_bytes(b"changed")
    with pytest.raises(ValueError, match=r"snapferry-macos-arm64\.tar\.gz is not what its checksum says"):
        released.command(tmp_path)
