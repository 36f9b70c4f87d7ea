"""The files of a release, and the folder that they are written to."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.sam import pack, plain
from tools.dist import command, bundled, crates, licences, sbom
from tools.dist.identity import ROOT, Identity

COMMAND = "snapferry"
BINARIES = (*pack.FUNCTIONS, COMMAND)
SUMS = "SHA256SUMS"
LICENCES = "THIRD-PARTY-LICENSES"

Files = dict[str, bytes]


def programs(built: Mapping[str, Path], pages: Mapping[str, bytes], texts: bytes, identity: Identity) -> Files:
    """The functions' packages and the command's archive for each architecture, whose `<binary>/bootstrap` are in the
    folder it is given with. ValueError for a binary of another one."""
    files: Files = {}
    for architecture, folder in built.items():
        found = pack.architecture(BINARIES, folder)
        if found != architecture:
            raise ValueError(f"what is in {folder} is built for {found}, and not for {architecture}")
        for name in pack.FUNCTIONS:
            comment = f"snapferry {identity.version} {identity.commit} {name} {architecture}"
            files[f"{name}-{architecture}.zip"] = pack.function(name, folder, comment)
        program = (folder / COMMAND / "bootstrap").read_bytes()
        documents = {"LICENSE": (ROOT / "LICENSE").read_bytes(), LICENCES: texts}
        files[f"snapferry-linux-{architecture}.tar.gz"] = command.archive(program, pages, documents, identity.time)
    return files


def template(identity: Identity) -> bytes:
    """The target account's template in its plain form, which names version and commit."""
    made: dict[str, Any] = plain.plain(plain.SOURCE.read_text())
    made["Metadata"]["Snapferry"] = {"Version": identity.version, "Commit": identity.commit}
    return plain.written(made).encode()


def marked(text: str, identity: Identity) -> bytes:
    """A template in YAML, as it is but for its version and commit."""
    said = f'  Snapferry: {{ Version: "{identity.version}", Commit: "{identity.commit}" }}\n'
    made, times = re.subn(r"^Metadata:\n", lambda found: found.group() + said, text, count=1, flags=re.MULTILINE)
    if not times:
        raise ValueError("a template has no Metadata to name the version in")
    return made.encode()


def documents(paths: list[Path], identity: Identity) -> Files:
    """Files as they are, under their names; templates with their version."""
    files = {}
    for path in paths:
        if path.name in files:
            raise ValueError(f"two files are called {path.name}")
        files[path.name] = marked(path.read_text(), identity) if path.suffix == ".yaml" else path.read_bytes()
    return files


def materials(identity: Identity, *, has_cdk: bool) -> tuple[bytes, bytes]:
    """The bill of materials, with what the CDK package carries where there is one, and the third-party licences of the
    binaries; the CDK package has those of what it carries."""
    found = crates.linked(ROOT, BINARIES)
    carried = bundled.bundled(ROOT / "infra/cdk") if has_cdk else []
    return sbom.sbom(found, identity, BINARIES, carried), licences.licences(found)


def write(target: Path, files: Files) -> None:
    """Leave these files and their checksums in the folder, and nothing else."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    lines = [f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files)]
    for name, content in {**files, SUMS: "".join(lines).encode()}.items():
        (target / name).write_bytes(content)
