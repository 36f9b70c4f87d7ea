"""The packages of npm's registry that the CDK package carries with it, by npm's own lock file."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Bundled:
    """A package in the CDK package."""

    name: str
    version: str
    licence: str
    """An SPDX expression."""
    checksum: str
    """SHA-512 of the package in the registry, in hexadecimal."""
    needs: tuple[str, ...]
    """The names of the packages that it needs."""

    @property
    def purl(self) -> str:
        """Its package URL."""
        return f"pkg:npm/{self.name.replace('@', '%40')}@{self.version}"


def bundled(constructs: Path) -> list[Bundled]:
    """What `bundleDependencies` names, and all that this needs, by name."""
    locked: dict[str, Any] = json.loads((constructs / "package-lock.json").read_text())["packages"]
    waiting = list(json.loads((constructs / "package.json").read_text())["bundleDependencies"])
    found: dict[str, Bundled] = {}
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = _read(name, locked[f"node_modules/{name}"])
            waiting += found[name].needs
    return [found[name] for name in sorted(found)]


def _read(name: str, locked: dict[str, Any]) -> Bundled:
    algorithm, _, digest = locked["integrity"].partition("-")
    if algorithm != "sha512":
        raise ValueError(f"package-lock.json has another checksum than SHA-512 of {name}: {locked['integrity']}")
    checksum = base64.b64decode(digest).hex()
    return Bundled(name, locked["version"], locked["license"], checksum, tuple(locked.get("dependencies", {})))
