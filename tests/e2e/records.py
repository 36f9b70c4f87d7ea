"""Audit records as the functions print them, each held against the published schema."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

Record = dict[str, Any]

SCHEMA = Path(__file__).resolve().parents[2] / "functions/core/audit.schema.json"


def record(line: str) -> Record | None:
    """The record in a line of a log; nothing when it holds none. A record that the schema does not describe is an
    error of the test that caused it."""
    if not line.startswith('{"audit":"snapferry/'):
        return None
    complaints = _complaints(line)
    assert not complaints, f"{complaints}\n{line}"
    read: Record = json.loads(line)
    return read


@cache
def _validator() -> Any:
    return Draft202012Validator(json.loads(SCHEMA.read_text()))


@cache
def _complaints(line: str) -> list[str]:
    """Remembered, because a test that waits reads the same lines again and again."""
    return [f"{error.json_path}: {error.message}" for error in _validator().iter_errors(json.loads(line))]
