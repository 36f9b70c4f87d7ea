"""`python -m tools.dist.reproducible`: is a release the same wherever it is built?

Builds the last commit twice, in clones at two paths of unlike length, each with a target folder, Python tools and a
CARGO_HOME of its own, and compares the two folders byte by byte. Twice the time of a clean build, and of `make venv`.
"""

from __future__ import annotations

import filecmp
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.dist.identity import ROOT

_PLACES = ("a", "another/place/of/unlike/length")
# What would let both builds share a folder, or what make says to the makes below it.
_NOT_INHERITED = ("CARGO_TARGET_DIR", "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "VIRTUAL_ENV")


def main() -> None:
    """Build twice and compare; exit 1 where the folders differ, and keep both then."""
    folder = Path(tempfile.mkdtemp(prefix="reproducible-", dir=os.environ.get("TMPDIR")))
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    builds = [_built(folder / place, head.stdout.strip()) for place in _PLACES]
    differing = differences(*builds)
    if differing:
        print("\n".join(differing), f"The builds in {folder} differ.", sep="\n", file=sys.stderr)
        sys.exit(1)
    print((builds[0] / "SHA256SUMS").read_text(), end="")
    print(f"Two builds made the same {len(_names(builds[0]))} files, byte for byte.")
    shutil.rmtree(folder)


def _built(place: Path, commit: str) -> Path:
    """The folder of the release that a new clone in this place makes of a commit."""
    home = place / "cargo-home"
    home.mkdir(parents=True)
    shared = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
    # The packages are not downloaded again, and are found under another path all the same.
    for name in ("registry", "config.toml"):
        if (shared / name).exists():
            (home / name).symlink_to(shared / name)
    clone = place / "snapferry"
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(clone)], check=True)
    subprocess.run(["git", "checkout", "--quiet", "--detach", commit], cwd=clone, check=True)
    environment = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
    subprocess.run(["make", "dist"], cwd=clone, env={**environment, "CARGO_HOME": str(home)}, check=True)
    return clone / "dist"


def differences(one: Path, other: Path) -> list[str]:
    """A line for each file that is in one folder only, or not the same in both."""
    names = sorted(_names(one) | _names(other))
    equal, _, _ = filecmp.cmpfiles(one, other, names, shallow=False)
    missing = {name: place for name in names for place in (one, other) if not (place / name).is_file()}
    said = {name: f"is missing in {missing[name]}" if name in missing else "differs" for name in names}
    return [f"{name} {said[name]}" for name in names if name not in equal]


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


if __name__ == "__main__":
    main()
