"""`python -m tools.slim_sdk`: makes the cut crates below target/sdk, and the cargo configuration that takes them.

Run before every build, so it must cost nothing when nothing changed: a stamp in each crate's folder says what it was
made of. Cargo compiles by the times of files; a crate that is made anew therefore replaces only what differs.
"""

from __future__ import annotations

import fcntl
import filecmp
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from tools.slim_sdk.cut import LayoutError, cut

ROOT = Path(__file__).resolve().parents[2]
LIST = Path(__file__).with_name("operations.toml")
STAMP = ".made-of"


def make(root: Path, operations: dict[str, list[str]], folder: Path) -> Path:
    """Makes or refreshes each crate in `folder`; the configuration file that cargo is to be given.

    `root` is the workspace whose Cargo.lock says which versions. Raises :class:`LayoutError` with a sentence.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        locked = _locked(root)
        stamps = {name: _stamp(name, locked, operations[name]) for name in operations}
        places = {name: folder / f"{name}-{locked[name]['version']}" for name in operations}
        stale = [name for name in operations if _made_of(places[name]) != stamps[name]]
        sources = _sources(root) if stale else {}
        for name in stale:
            if name not in sources:
                raise LayoutError(f"cargo's configuration overrides {name} already (`paths` or a patch): take that out")
            _refresh(sources[name], places[name], operations[name], stamps[name])
        config = folder / "config.toml"
        text = "paths = " + json.dumps([str(place) for place in places.values()], indent=4) + "\n"
        if not config.exists() or config.read_text() != text:
            config.write_text(text)
    return config


def _locked(root: Path) -> dict[str, dict[str, str]]:
    packages = tomllib.loads((root / "Cargo.lock").read_text())["package"]
    return {package["name"]: package for package in packages}


def _stamp(name: str, locked: dict[str, dict[str, str]], operations: list[str]) -> str:
    if name not in locked:
        raise LayoutError(f"Cargo.lock has no {name}, which {LIST.name} wants cut: take it out there")
    tool = Path(__file__).with_name("cut.py").read_bytes()
    made_of = [locked[name]["version"], locked[name].get("checksum", ""), hashlib.sha256(tool).hexdigest()]
    return json.dumps([*made_of, sorted(operations)])


def _made_of(place: Path) -> str | None:
    stamp = place / STAMP
    return stamp.read_text() if stamp.exists() else None


def _sources(root: Path) -> dict[str, Path]:
    """Where cargo has the published crates; it fetches them where it does not have them yet."""
    command = ["cargo", "metadata", "--locked", "--format-version", "1"]
    metadata = json.loads(subprocess.run(command, cwd=root, check=True, stdout=subprocess.PIPE).stdout)
    return {p["name"]: Path(p["manifest_path"]).parent for p in metadata["packages"] if p["source"]}


def _refresh(source: Path, place: Path, operations: list[str], stamp: str) -> None:
    with tempfile.TemporaryDirectory(dir=place.parent) as scratch:
        made = Path(scratch) / place.name
        cut(source, made, operations)
        wanted = {path.relative_to(made) for path in made.rglob("*") if path.is_file()}
        for old in [path for path in place.rglob("*") if path.is_file()]:
            if old.relative_to(place) not in wanted:
                old.unlink()
        for path in wanted:
            if not (place / path).exists() or not filecmp.cmp(made / path, place / path, shallow=False):
                (place / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(made / path, place / path)
    (place / STAMP).write_text(stamp)
    print(f"cut {place.name} down to {len(operations)} operations", file=sys.stderr)


def main() -> None:
    """Makes all crates of operations.toml; ends with a sentence where one cannot be made."""
    listed = {name: crate["operations"] for name, crate in tomllib.loads(LIST.read_text()).items()}
    try:
        make(ROOT, listed, ROOT / "target/sdk")
    except (LayoutError, subprocess.CalledProcessError) as error:
        sys.exit(f"{error}\nFULL_SDK=1 builds with the whole crates.")


if __name__ == "__main__":
    main()
