"""The functions' packages, and the template with them in place of the local folders, as `sam package` does it."""

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
TEMPLATE = REPOSITORY / "infra/sam/template.yaml"
BUILT = REPOSITORY / "target/lambda"

_CODE = re.compile(r"(?<=CodeUri: )\.\./\.\./target/lambda/([a-z-]+)/$", re.MULTILINE)
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a ZIP file can name
_X86_64 = 62  # e_machine in the ELF header


def template(location: Callable[[str], str]) -> str:
    """The real template, with `location(function)` instead of each function's folder and nothing else changed."""
    text, replaced = _CODE.subn(lambda code: location(code.group(1)), TEMPLATE.read_text())
    if replaced != text.count("Type: AWS::Serverless::Function"):
        raise ValueError(f"{TEMPLATE.name}: {replaced} folders replaced, which is not each function's")
    return text


def package(function: str) -> bytes:
    """A function's release binary as a ZIP file; the same binary always gives the same bytes."""
    bootstrap = BUILT / function / "bootstrap"
    if not bootstrap.is_file():
        raise FileNotFoundError(f"{bootstrap.relative_to(REPOSITORY)} is not built: run `make build`")
    binary = bootstrap.read_bytes()
    if binary[:4] == b"\x7fELF" and int.from_bytes(binary[18:20], "little") != _X86_64:
        raise ValueError(f"{bootstrap.relative_to(REPOSITORY)} is built for another processor: run `make build`")
    member = zipfile.ZipInfo("bootstrap", _EPOCH)
    member.external_attr = 0o755 << 16
    member.compress_type = zipfile.ZIP_DEFLATED
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(member, binary)
    return packed.getvalue()
