"""`make bench-compile`: the time and the memory that clean builds take.

The last commit is cloned, so that nothing that was built before helps. Fetching crates and installing Python's tools is
not in the figures.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench.figures import ROOT
from tests.bench.report import COMPILE

# What is built, the seconds and GiB to reach on two quiet cores, and what it took with AWS's whole SDK crates.
BUILDS = [
    ("`make build`", ["make", "build"], 200, 1.5, "563 s, 7.38 GiB"),
    (
        "the tests of `cargo test --workspace`",
        ["make", "rust-test", "TEST_FLAGS=--no-run"],
        150,
        1.5,
        "370 s, 7.21 GiB",
    ),
]


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
        for what, command, seconds, gib, before in BUILDS:
            print(f"measuring {what}", file=sys.stderr, flush=True)
            shutil.rmtree(clone / "target", ignore_errors=True)
            reach = {"seconds_to_reach": seconds, "gib_to_reach": gib, "before": before}
            builds.append({"what": what, **measure(command, clone), **reach})
    COMPILE.write_text(
        json.dumps({"date": f"{datetime.now(UTC):%Y-%m-%d}", "commit": commit, "builds": builds}, indent=2) + "\n"
    )
    print(COMPILE.read_text())


if __name__ == "__main__":
    main()
