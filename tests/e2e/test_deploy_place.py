"""`make deploy` looks where it would deploy before it does: the account, and what stands there."""

from pathlib import Path

import pytest

from infra.sam import released
from tests.cloud import LocalAws
from tests.e2e import policies
from tests.e2e.accounts import HOME, Account
from tests.e2e.test_deploy import NEAR, VALID, Checkout, checkout, operator

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
