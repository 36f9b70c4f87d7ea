"""Which crates are in the binaries, by cargo's own account."""

from __future__ import annotations

import json
import subprocess
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# What a release is built for.
PLATFORMS = ("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu")


@dataclass(frozen=True)
class Crate:
    """A crate, with the folder that its sources are in."""

    name: str
    version: str
    licence: str
    """An SPDX expression."""
    authors: tuple[str, ...]
    repository: str
    folder: Path
    checksum: str
    """SHA-256 of the package in the registry; empty for the workspace's own."""
    needs: tuple[str, ...]
    """The `key` of each crate that is linked into this one."""

    @property
    def key(self) -> str:
        """What no other crate of the build has."""
        return f"{self.name}@{self.version}"

    @property
    def own(self) -> bool:
        """Is it one of the workspace's?"""
        return not self.checksum


def linked(root: Path, binaries: Sequence[str], cwd: Path | None = None) -> list[Crate]:
    """The crates of the binaries in the order of their keys: the binaries' own, and all that these need to run."""
    said = metadata(root, cwd or root)
    packages = {package["id"]: package for package in said["packages"]}
    needs = {node["id"]: _needs(node) for node in said["resolve"]["nodes"]}
    waiting = [each for each in said["workspace_members"] if packages[each]["name"] in binaries]
    found: set[str] = set()
    while waiting:
        crate = waiting.pop()
        if crate not in found:
            found.add(crate)
            waiting.extend(needs[crate])
    keys = {each: f"{packages[each]['name']}@{packages[each]['version']}" for each in found}
    checksums = _checksums(root)
    made = [_crate(packages[each], checksums, sorted({keys[need] for need in needs[each]})) for each in found]
    return sorted(made, key=lambda crate: crate.key)


def metadata(root: Path, cwd: Path) -> dict[str, Any]:
    """What `cargo metadata` says of the workspace. Cargo looks for its configuration from `cwd` upwards."""
    platforms = [word for platform in PLATFORMS for word in ("--filter-platform", platform)]
    program = ["cargo", "metadata", "--locked", "--offline", "--format-version", "1", *platforms]
    run = subprocess.run(
        [*program, "--manifest-path", str(root / "Cargo.toml")], cwd=cwd, stdout=subprocess.PIPE, check=True
    )
    said: dict[str, Any] = json.loads(run.stdout)
    return said


def _needs(node: dict[str, Any]) -> list[str]:
    """Neither what only builds nor what only tests."""
    return [need["pkg"] for need in node["deps"] if any(kind["kind"] is None for kind in need["dep_kinds"])]


def _checksums(root: Path) -> dict[str, str]:
    locked = tomllib.loads((root / "Cargo.lock").read_text())["package"]
    return {f"{package['name']}@{package['version']}": package.get("checksum", "") for package in locked}


def _crate(package: dict[str, Any], checksums: dict[str, str], needs: list[str]) -> Crate:
    licence = package["license"]
    if not licence:
        raise ValueError(f"{package['name']} {package['version']} names no licence")
    return Crate(
        name=package["name"],
        version=package["version"],
        # Cargo's former way to say OR.
        licence=licence.replace(" / ", "/").replace("/", " OR "),
        authors=tuple(package["authors"]),
        repository=package["repository"] or "",
        folder=Path(package["manifest_path"]).parent,
        checksum=checksums[f"{package['name']}@{package['version']}"],
        needs=tuple(needs),
    )
