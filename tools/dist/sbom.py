"""The bill of materials: CycloneDX 1.6, the same bytes for the same commit."""

from __future__ import annotations

import json
import tomllib
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools.dist.bundled import Bundled
from tools.dist.crates import Crate
from tools.dist.identity import Identity

_ROOT = Path(__file__).resolve().parents[2]
_NAME = "snapferry"


def sbom(
    crates: Sequence[Crate], identity: Identity, binaries: Sequence[str], bundled: Sequence[Bundled] = ()
) -> bytes:
    """The bill of the crates, of Rust's library, and of what the CDK package carries. Its serial number follows from version
    and commit."""
    serial = uuid.uuid5(uuid.NAMESPACE_URL, f"{_NAME}:{identity.version}:{identity.commit}")
    standard = _standard_library()
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {
            "timestamp": identity.timestamp,
            "component": {
                "type": "application",
                "bom-ref": _NAME,
                "name": _NAME,
                "version": identity.version,
                "licenses": [{"expression": "Apache-2.0"}],
                "properties": [{"name": "snapferry:commit", "value": identity.commit}],
            },
        },
        "components": [*(_component(crate, binaries) for crate in crates), standard, *map(_carried, bundled)],
        "dependencies": [
            {
                "ref": _NAME,
                "dependsOn": [
                    *(_reference(crate) for crate in crates if crate.name in binaries and crate.own),
                    *(each.purl for each in bundled),
                ],
            },
            *_dependencies(crates, standard["bom-ref"]),
            *_carried_dependencies(bundled),
        ],
    }
    return (json.dumps(document, indent=1) + "\n").encode()


def _component(crate: Crate, binaries: Sequence[str]) -> dict[str, Any]:
    component = {
        "type": "application" if crate.own and crate.name in binaries else "library",
        "bom-ref": _reference(crate),
        "name": crate.name,
        "version": crate.version,
        "licenses": [{"expression": crate.licence}],
    }
    if not crate.own:
        component["purl"] = _reference(crate)
        component["hashes"] = [{"alg": "SHA-256", "content": crate.checksum}]
    return component


def _dependencies(crates: Sequence[Crate], standard: str) -> list[dict[str, Any]]:
    references = {crate.key: _reference(crate) for crate in crates}
    needed = [{"ref": _reference(each), "dependsOn": [*(references[need] for need in each.needs), standard]} for each in crates]
    return [*needed, {"ref": standard, "dependsOn": []}]


def _carried(package: Bundled) -> dict[str, Any]:
    return {
        "type": "library",
        "bom-ref": package.purl,
        "name": package.name,
        "version": package.version,
        "licenses": [{"expression": package.licence}],
        "purl": package.purl,
        "hashes": [{"alg": "SHA-512", "content": package.checksum}],
    }


def _carried_dependencies(bundled: Sequence[Bundled]) -> list[dict[str, Any]]:
    purls = {package.name: package.purl for package in bundled}
    return [{"ref": package.purl, "dependsOn": [purls[need] for need in package.needs]} for package in bundled]


def _standard_library() -> dict[str, Any]:
    """It is in every binary and in no list of cargo's."""
    version = tomllib.loads((_ROOT / "rust-toolchain.toml").read_text())["toolchain"]["channel"]
    purl = f"pkg:github/rust-lang/rust@{version}#library/std"
    licences = [{"expression": "MIT OR Apache-2.0"}]
    return {"type": "library", "bom-ref": purl, "name": "std", "version": version, "licenses": licences, "purl": purl}


def _reference(crate: Crate) -> str:
    return f"{_NAME}/{crate.name}@{crate.version}" if crate.own else f"pkg:cargo/{crate.name}@{crate.version.replace('+', '%2B')}"
