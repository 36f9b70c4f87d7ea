"""The way of an operator: `sam build` and `sam deploy --guided`, the SAM command line itself, against the local AWS."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.e2e import packages, policies
from tests.e2e.accounts import HOME, Account
from tests.e2e.deploy import STACK, repeated, stack_of

NEAR = "us-west-2"
SAM = packages.REPOSITORY / ".venv-sam/bin/sam"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The template and the built functions, laid out as in the repository; what SAM writes goes here too."""
    shutil.copytree(packages.TEMPLATE.parent, tmp_path / packages.TEMPLATE.parent.relative_to(packages.REPOSITORY))
    shutil.copytree(packages.BUILT, tmp_path / packages.BUILT.relative_to(packages.REPOSITORY))
    return tmp_path


def sam(checkout: Path, account: Account, *arguments: str, answers: str = "") -> str:
    """Run SAM as the account's operator, and return what it printed."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(checkout),
        "AWS_ACCESS_KEY_ID": account.number,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": HOME,
        "AWS_ENDPOINT_URL": account.aws.endpoint,
        "SAM_CLI_TELEMETRY": "0",
    }
    run = subprocess.run(
        [SAM, *arguments], cwd=checkout, env=environment, input=answers, text=True, capture_output=True, check=False
    )
    assert run.returncode == 0, f"{run.stdout}\n{run.stderr}\n{account.aws.log_tail()}"
    return run.stdout


def parameters() -> list[str]:
    """The template's parameters, in the order in which SAM asks for them."""
    text = packages.TEMPLATE.read_text().partition("\nParameters:\n")[2].partition("\nConditions:\n")[0]
    return list(yaml.safe_load(text))


def test_guided_deployment_with_the_policy_in_the_layer(checkout: Path, source: Account, target: Account) -> None:
    policy = policies.details([source.number], policies.target(NEAR, key=target.create_key(NEAR)))
    layer = checkout / "target/policy-layer"
    layer.mkdir()
    (layer / "policy.json").write_text(json.dumps(policy))
    sam(checkout, target, "build", "--template", "infra/sam/template.yaml")
    asked = [STACK, HOME, *(repeated(policy).get(name, "") for name in parameters())]
    # Confirm changes? Allow role creation? Disable rollback? Save arguments?
    answers = "\n".join([*asked, "n", "y", "n", "n", ""])
    told = sam(checkout, target, "deploy", "--guided", answers=answers)
    assert "Successfully created/updated stack" in told
    stack = stack_of(target)
    snapshot = source.create_snapshot()["SnapshotId"]
    source.share(snapshot, target.number)
    stack.wait_for_audit(event="copy.started", source__snapshot=snapshot)
