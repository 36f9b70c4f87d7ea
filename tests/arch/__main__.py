"""`make circles`: fails when modules of a crate import each other in a circle, or a file is too long."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

from tests.arch.circles import circles, crate
from tests.arch.long import MOST_LINES, long
from tests.arch.source import NotUnderstoodError

TOP = Path(__file__).resolve().parents[2]


def roots(top: Path) -> list[Path]:
    """The root files of the workspace's libraries and programs."""
    members = tomllib.loads((top / "Cargo.toml").read_text())["workspace"]["members"]
    folders = sorted(folder for member in members for folder in top.glob(member))
    found = [root for folder in folders for root in sorted((folder / "src").glob("[lm]*.rs")) if is_root(root)]
    return found + sorted(path for folder in folders for path in (folder / "src" / "bin").glob("*.rs"))


def is_root(file: Path) -> bool:
    return file.name in ("lib.rs", "main.rs")


def main() -> int:
    """Prints the arrows of each circle and each file that is too long; how many crates were read when there is none."""
    found, too_long = roots(TOP), long(TOP)
    try:
        rings = [ring for root in found for ring in circles(crate(root, TOP).arrows())]
    except NotUnderstoodError as error:
        print(error, file=sys.stderr)
        return 2
    for ring in rings:
        print("These modules import each other in a circle:", *ring, sep="\n  ")
    if too_long:
        print(f"These files have more than {MOST_LINES} lines:", *too_long, sep="\n  ")
    if not rings:
        print(f"No modules import each other in a circle: {len(found)} crates.")
    return 1 if rings or too_long else 0


if __name__ == "__main__":
    sys.exit(main())
