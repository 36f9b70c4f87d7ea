"""`make circles`: fails when modules of a crate import each other in a circle."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

from tests.arch.circles import Arrow, circles, crate
from tests.arch.source import NotUnderstoodError

TOP = Path(__file__).resolve().parents[2]

# Circles that are still to be undone, by the folder in which they are.
OPEN = ["functions/core/src/copying/"]


def roots(top: Path) -> list[Path]:
    """The root files of the workspace's libraries and programs."""
    members = tomllib.loads((top / "Cargo.toml").read_text())["workspace"]["members"]
    folders = sorted(folder for member in members for folder in top.glob(member))
    found = [root for folder in folders for root in sorted((folder / "src").glob("[lm]*.rs")) if is_root(root)]
    return found + sorted(path for folder in folders for path in (folder / "src" / "bin").glob("*.rs"))


def is_root(file: Path) -> bool:
    return file.name in ("lib.rs", "main.rs")


def is_in(folder: str, ring: list[Arrow]) -> bool:
    return all(arrow.importer.startswith(folder) for arrow in ring)


def main() -> int:
    """Prints the arrows of each circle that is not known; how many crates were read when there is none."""
    found = roots(TOP)
    try:
        rings = [ring for root in found for ring in circles(crate(root, TOP).arrows())]
    except NotUnderstoodError as error:
        print(error, file=sys.stderr)
        return 2
    known = [folder for folder in OPEN if any(is_in(folder, ring) for ring in rings)]
    for folder in set(OPEN) - set(known):
        print(f"No modules import each other in a circle in {folder} any more: take it off the list in {__file__}")
    rings = [ring for ring in rings if not any(is_in(folder, ring) for folder in known)]
    for ring in rings:
        print("These modules import each other in a circle:", *ring, sep="\n  ")
    if not rings:
        print(f"No modules import each other in a circle, but for those in {OPEN}: {len(found)} crates.")
    return 1 if rings or len(known) < len(OPEN) else 0


if __name__ == "__main__":
    sys.exit(main())
