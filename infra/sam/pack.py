"""Packages for Lambda: ZIP files whose bytes depend on their contents only, so that equal contents are deployed once.

`python infra/sam/pack.py dist [POLICY]` packs the functions that are built, and the policy under a name that has its
checksum in it.
"""

import hashlib
import io
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

BUILT = Path(__file__).resolve().parents[2] / "target/lambda"
FUNCTIONS = ("copy-shared-snapshots", "verify-copies", "delete-expired-copies")

# ELF's e_machine, little-endian, and Lambda's name of it.
_MACHINES = {b"\x3e\x00": "x86_64", b"\xb7\x00": "arm64"}
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a ZIP file can name


def function(name: str) -> bytes:
    """A function's package; FileNotFoundError where it is not built."""
    return _packed("bootstrap", _built(name), 0o755)


def architecture(names: Sequence[str] = FUNCTIONS) -> str:
    """What all are built for, as the parameter Architecture names it; ValueError where that is not one thing."""
    found = {name: _MACHINES.get(_built(name)[18:20], "something else") for name in names}
    if len(set(found.values())) != 1 or not set(found.values()) <= set(_MACHINES.values()):
        built = ", ".join(f"{name} for {machine}" for name, machine in found.items())
        raise ValueError(f"the functions are not built for one architecture: {built}; run `make build`")
    return found[names[0]]


def _built(name: str) -> bytes:
    bootstrap = BUILT / name / "bootstrap"
    if not bootstrap.is_file():
        raise FileNotFoundError(f"target/lambda/{name}/bootstrap is not built: run `make build`")
    return bootstrap.read_bytes()


def policy(document: bytes) -> tuple[str, bytes]:
    """The layer of a policy document, and the file name that no other document has."""
    return f"policy-{hashlib.sha256(document).hexdigest()[:16]}.zip", _packed("policy.json", document, 0o644)


def _packed(name: str, content: bytes, mode: int) -> bytes:
    member = zipfile.ZipInfo(name, _EPOCH)
    member.external_attr = mode << 16
    member.compress_type = zipfile.ZIP_DEFLATED
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(member, content)
    return packed.getvalue()


def main(target: Path, documents: list[Path]) -> None:
    """Write the packages into a folder, and say what they are called."""
    built_for = architecture()
    made = {f"{name}.zip": function(name) for name in FUNCTIONS}
    made.update(policy(document.read_bytes()) for document in documents)
    target.mkdir(parents=True, exist_ok=True)
    for name, content in made.items():
        (target / name).write_bytes(content)
        print(f"{len(content):8} bytes  {target / name}")
    print(f"The functions are built for the parameter Architecture={built_for}.")


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(each) for each in sys.argv[2:]])
