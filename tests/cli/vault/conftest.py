"""A target account in which nothing is deployed: what is in it, a test makes."""

from pathlib import Path

import pytest

from tests.cli.vault import FAR, NEAR, policy
from tests.cloud import LocalAws


@pytest.fixture
def aws(local_aws: LocalAws) -> LocalAws:
    """The module's local AWS with nothing in it."""
    local_aws.control.reset_everything()
    return local_aws


@pytest.fixture
def document(tmp_path: Path) -> Path:
    """The policy in a file: copies into two Regions."""
    return policy(tmp_path, [NEAR, FAR])
