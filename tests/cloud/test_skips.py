"""A skipped test fails the run in CI, and only there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
SKIPPED = "import pytest\n\n\ndef test_never():\n    pytest.skip('no browser')\n\n\ndef test_other():\n    pass\n"


@pytest.mark.parametrize("workers", ["0", "2"])
@pytest.mark.parametrize(
    ("ci", "allowed", "passes"),
    [("", "", True), ("true", "", False), ("true", '"test_it.py::test_never" = "no browser here"', True)],
)
def test_a_skipped_test_fails_in_ci_unless_it_is_listed(
    tmp_path: Path, ci: str, allowed: str, passes: bool, workers: str
) -> None:
    shutil.copy(TESTS / "conftest.py", tmp_path)
    (tmp_path / "skips.toml").write_text(allowed)
    (tmp_path / "test_it.py").write_text(SKIPPED)
    environment = {**os.environ, "CI": ci}
    command = [sys.executable, "-m", "pytest", "-q", "-n", workers, "-c", os.devnull, "--rootdir", ".", "test_it.py"]
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (run.returncode == 0) is passes, run.stdout
    assert ("SKIPPED IN CI: test_it.py::test_never" in run.stdout) is not passes
