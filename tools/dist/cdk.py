"""The CDK package as npm packs it, with the release's version and without what differs from one packing to the next."""

from __future__ import annotations

import json
from pathlib import Path

from tools.dist.archive import PLAIN, tar_gz, unpacked
from tools.dist.identity import Identity

_MANIFEST = "package/package.json"


def package(packed: Path, identity: Identity) -> dict[str, bytes]:
    """The one package in the folder, under the name that npm gives this version. `private`, which keeps the checkout's
    folder from being published, is not said of a release."""
    [found] = packed.glob("*.tgz")
    members = unpacked(found.read_bytes())
    manifest = json.loads(members[_MANIFEST][0])
    manifest.pop("private", None)
    manifest["version"] = identity.version
    members[_MANIFEST] = ((json.dumps(manifest, indent=2) + "\n").encode(), PLAIN)
    return {f"{manifest['name']}-{identity.version}.tgz": tar_gz(members, identity.time)}
