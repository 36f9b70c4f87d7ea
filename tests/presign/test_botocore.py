"""Are the Rust tests' fixtures still what botocore sends?"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.presign.capture import CASES, DB_CASES, capture_all

FIXTURES = Path(__file__).parents[2] / "functions/aws/tests/fixtures"


@pytest.mark.parametrize(("fixture", "cases"), [("presigned_urls", CASES), ("presigned_db_urls", DB_CASES)])
def test_the_fixture_is_what_the_installed_botocore_sends(fixture: str, cases: dict[str, dict[str, Any]]) -> None:
    """The Rust side compares its URLs with these files, so the files have to be true."""
    assert json.loads((FIXTURES / f"{fixture}.json").read_text()) == capture_all(cases)
