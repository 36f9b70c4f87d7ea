"""Is the Rust tests' fixture still what botocore sends?"""

import json
from pathlib import Path

from tests.presign.capture import capture_all

FIXTURE = Path(__file__).parents[2] / "functions/aws/tests/fixtures/presigned_urls.json"


def test_the_fixture_is_what_the_installed_botocore_sends() -> None:
    """The Rust side compares its URLs with this file, so the file has to be true."""
    assert json.loads(FIXTURE.read_text()) == capture_all()
