"""Packages for Lambda: ZIP files whose bytes depend on their contents only, so that equal contents are deployed once.

A comment in a function's package, which Lambda does not read, may say what the package is: `tools/dist` writes one.
"""

import hashlib
import io
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
BUILT = _ROOT / "target/lambda"
# What Lambda starts of a package, and all that is in one.
PROGRAM = "bootstrap"

# ELF's e_machine, little-endian, and Lambda's name of it.
_MACHINES = {b"\x3e\x00": "x86_64", b"\xb7\x00": "arm64"}
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a ZIP file can name
_UNIX = 3


def _listed() -> tuple[str, ...]:
    listed = re.search(r"^FUNCTIONS := (.+)$", (_ROOT / "Makefile").read_text(), re.MULTILINE)
    if not listed:
        raise ValueError("Makefile lists no FUNCTIONS")
    return tuple(listed.group(1).split())


FUNCTIONS = _listed()


def function(name: str, built: Path = BUILT, comment: str = "") -> bytes:
    """A function's package; FileNotFoundError where it is not built."""
    return _packed(PROGRAM, _built(name, built), 0o755, comment)


def architecture(names: Sequence[str] = FUNCTIONS, built: Path = BUILT) -> str:
    """What all are built for, as the parameter Architecture names it; ValueError where that is not one thing."""
    found = {name: _MACHINES.get(_built(name, built)[18:20], "something else") for name in names}
    if len(set(found.values())) != 1 or not set(found.values()) <= set(_MACHINES.values()):
        said = ", ".join(f"{name} for {machine}" for name, machine in found.items())
        raise ValueError(f"the functions are not built for one architecture: {said}; run `make build`")
    return found[names[0]]


def policy(document: bytes) -> tuple[str, bytes]:
    """The layer of a policy document, and the file name that no other document has."""
    return f"policy-{hashlib.sha256(document).hexdigest()[:16]}.zip", _packed("policy.json", document, 0o644)


def _built(name: str, built: Path) -> bytes:
    bootstrap = built / name / PROGRAM
    if not bootstrap.is_file():
        shown = bootstrap.relative_to(_ROOT) if bootstrap.is_relative_to(_ROOT) else bootstrap
        raise FileNotFoundError(f"{shown} is not built: run `make build`")
    return bootstrap.read_bytes()


def _packed(name: str, content: bytes, mode: int, comment: str = "") -> bytes:
    member = zipfile.ZipInfo(name, _EPOCH)
    member.create_system = _UNIX  # or the mode is not read
    member.external_attr = mode << 16
    member.compress_type = zipfile.ZIP_DEFLATED
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(member, content)
        archive.comment = comment.encode("ascii")
    return packed.getvalue()
