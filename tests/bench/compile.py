"""`make bench-compile`: the time and the memory that clean builds take.

The last commit is cloned, so that nothing that was built before helps. Fetching crates and installing Python's tools is
not in the figures.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench.figures import ROOT
from tests.bench.report import COMPILE

BUILDS = ["make build", "cargo test --workspace --locked"]


def measure(command: list[str], directory: Path) -> dict[str, Any]:
    """Runs a command to its end; how long it took, and the largest resident set of any process that it started.

    Linux hands a parent the largest of its children's and their children's peaks (getrusage(2), `ru_maxrss`).
    """
    began = time.monotonic()
    process = subprocess.Popen(command, cwd=directory)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return {
        "command": " ".join(command),
        "seconds": round(time.monotonic() - began, 1),
        "peak_gib": round(usage.ru_maxrss / 1024**2, 2),
    }


def main() -> None:
    """Measures each build in a clean clone and writes what the next `make bench` puts into RESULTS.md."""
    with tempfile.TemporaryDirectory(prefix="snapferry-compile-") as scratch:
        clone = Path(scratch) / "clone"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        commit = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=clone, check=True, capture_output=True, text=True
        ).stdout.strip()
        subprocess.run(["make", "venv"], cwd=clone, check=True)
        subprocess.run(["cargo", "fetch", "--locked", "--quiet"], cwd=clone, check=True)
        builds = []
        for build in BUILDS:
            print(f"measuring {build}", file=sys.stderr, flush=True)
            builds.append(measure(build.split(), clone))
    COMPILE.write_text(
        json.dumps({"date": f"{datetime.now(UTC):%Y-%m-%d}", "commit": commit, "builds": builds}, indent=2) + "\n"
    )
    print(COMPILE.read_text())


if __name__ == "__main__":
    main()
