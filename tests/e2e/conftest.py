"""A local AWS for each module, and accounts of its own for each test, so that tests never meet."""

from collections.abc import Iterator

import pytest

from tests.cloud import LocalAws
from tests.e2e import afterwards
from tests.e2e.accounts import Account


@pytest.fixture(scope="module")
def local_aws() -> Iterator[LocalAws]:
    with LocalAws() as started:
        yield started


@pytest.fixture
def aws(local_aws: LocalAws) -> Iterator[LocalAws]:
    """The module's local AWS as if newly started, but for the stacks of earlier tests, which are in other accounts."""
    yield local_aws
    afterwards.check(local_aws)


@pytest.fixture
def source(aws: LocalAws) -> Account:
    """The account that shares."""
    return Account(aws)


@pytest.fixture
def target(aws: LocalAws) -> Account:
    """The account that Snapferry runs in."""
    return Account(aws)


@pytest.fixture
def stranger(aws: LocalAws) -> Account:
    """An account that no policy names."""
    return Account(aws)
