"""The functions' packages and the policy's, and the templates that take them from a bucket."""

import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

from infra.sam import pack, plain

REPOSITORY = Path(__file__).resolve().parents[2]
TEMPLATE = REPOSITORY / "infra/sam/template.yaml"
COPY_EVENTS = REPOSITORY / "infra/sam/copy-events.yaml"
BUILT = REPOSITORY / "target/lambda"

_CODE = re.compile(r"(?<=CodeUri: )\.\./\.\./target/lambda/([a-z-]+)/$", re.MULTILINE)
_POLICY = re.compile(r"(?<=Content: )\.\./\.\./target/policy-layer/$", re.MULTILINE)
_X86_64 = 62  # e_machine in the ELF header


def template(location: Callable[[str], str]) -> str:
    """The real template, with `location(function)` instead of each function's folder as `sam package` does it, a place
    for the policy's too, and nothing else changed."""
    text, replaced = _CODE.subn(lambda code: location(code.group(1)), TEMPLATE.read_text())
    if replaced != text.count("Type: AWS::Serverless::Function"):
        raise ValueError(f"{TEMPLATE.name}: {replaced} folders replaced, which is not each function's")
    text, replaced = _POLICY.subn("{ S3Bucket: bucket, S3Key: policy.zip }", text)
    if replaced != 1:
        raise ValueError(f"{TEMPLATE.name}: {replaced} folders for the policy")
    return text


@cache
def plain_form() -> str:
    """The template as `make plain` leaves it."""
    return json.dumps(plain.plain(TEMPLATE.read_text()))


@cache
def package(function: str) -> bytes:
    """A function's release binary as a ZIP file."""
    packed = pack.function(function)
    binary = (BUILT / function / "bootstrap").read_bytes()
    if binary[:4] == b"\x7fELF" and int.from_bytes(binary[18:20], "little") != _X86_64:
        raise ValueError(f"target/lambda/{function}/bootstrap is built for another processor: run `make build`")
    return packed
