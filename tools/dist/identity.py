"""What a release is made of: `python -m tools.dist.identity [VERSION]` prints it as variables of a shell.

    SNAPFERRY_VERSION=0.1.0 SNAPFERRY_COMMIT=abcdef123456 SOURCE_DATE_EPOCH=1700000000

The binaries are compiled with these, and `tools.dist` reads them.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# https://semver.org: what `version` in functions/core/audit.schema.json takes too.
_VERSION = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?")
_COMMIT = re.compile(r"[0-9a-f]{12}(-dirty)?")
_DIGITS = 12

# Where a file that is added changes what is built.
BUILT_FROM = (".cargo", "cli", "functions", "infra", "tests", "tools")


@dataclass(frozen=True)
class Identity:
    """A version, the commit it is built from and that commit's time, in seconds since 1970."""

    version: str
    commit: str
    time: int

    def __post_init__(self) -> None:
        """Refuse what the binaries, the file names or the audit could not carry."""
        if not _VERSION.fullmatch(self.version):
            raise ValueError(f"VERSION={self.version} is not a semantic version, such as 0.1.0 or 0.2.0-rc.1")
        if not _COMMIT.fullmatch(self.commit):
            raise ValueError(f"SNAPFERRY_COMMIT={self.commit} is not the first {_DIGITS} digits of a commit")

    @property
    def timestamp(self) -> str:
        """The commit's time, RFC 3339 in UTC."""
        return datetime.fromtimestamp(self.time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def variables(self) -> dict[str, str]:
        """What the build is to find in its environment."""
        return {
            "SNAPFERRY_VERSION": self.version,
            "SNAPFERRY_COMMIT": self.commit,
            "SOURCE_DATE_EPOCH": str(self.time),
        }


def given(environment: Mapping[str, str]) -> Identity:
    """What `variables` left in the environment."""
    version, commit, time = (environment[name] for name in ("SNAPFERRY_VERSION", "SNAPFERRY_COMMIT", "SOURCE_DATE_EPOCH"))
    return Identity(version, commit, int(time))


def of(root: Path, version: str, environment: Mapping[str, str]) -> Identity:
    """The identity of a checkout. Without a version it is the workspace's; where there is no git repository, the
    environment has to say the rest. ValueError with a sentence."""
    version = version or tomllib.loads((root / "Cargo.toml").read_text())["workspace"]["package"]["version"]
    if _git(root, "rev-parse", "--show-prefix") != "":
        named = [name for name in ("SNAPFERRY_COMMIT", "SOURCE_DATE_EPOCH") if not environment.get(name)]
        if named:
            raise ValueError(f"{root} is no git repository that git reads: {' and '.join(named)} must say which commit this is, and of when")
        return Identity(version, environment["SNAPFERRY_COMMIT"], int(environment["SOURCE_DATE_EPOCH"]))
    # A file that git does not know is built with the rest where cargo or the tools look for files; a policy in the root is not.
    others = _git(root, "ls-files", "--others", "--exclude-standard", "--", *BUILT_FROM)
    changed = "-dirty" if _git(root, "status", "--porcelain", "--untracked-files=no") or others else ""
    commit = (_git(root, "rev-parse", "HEAD") or "")[:_DIGITS]
    return Identity(version, commit + changed, int(_git(root, "show", "--no-patch", "--format=%ct", "HEAD") or 0))


def _git(root: Path, *arguments: str) -> str | None:
    run = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)
    return run.stdout.strip() if run.returncode == 0 else None


def main(version: str) -> None:
    """Print the variables, and say what is unusual about them."""
    try:
        identity = of(ROOT, version, os.environ)
    except ValueError as error:
        sys.exit(str(error))
    if identity.commit.endswith("-dirty"):
        print(f"Files differ from the commit: everything is marked {identity.commit}, and is no release.", file=sys.stderr)
    print(*(f"{name}={value}" for name, value in identity.variables().items()))


if __name__ == "__main__":
    main(*sys.argv[1:] or [""])
