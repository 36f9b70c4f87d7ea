"""One local AWS for a module's tests, emptied before each."""

from collections.abc import Iterator

import pytest

from tests.cloud import LocalAws


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as running:
        yield running


@pytest.fixture(autouse=True)
def _empty(request: pytest.FixtureRequest) -> None:
    if "aws" in request.fixturenames:
        running: LocalAws = request.getfixturevalue("aws")
        running.control.reset()
