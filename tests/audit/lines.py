"""Recorded audit lines."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

Line = dict[str, Any]

REPOSITORY = Path(__file__).resolve().parents[2]
SCHEMA: dict[str, Any] = json.loads((REPOSITORY / "functions/core/audit.schema.json").read_text())
RECORDED: list[Line] = [
    json.loads(line)
    for line in (REPOSITORY / "functions/core/tests/fixtures/audit.lines.jsonl").read_text().splitlines()
]


def reasons() -> dict[str, list[str]]:
    """The reasons of each event, as the schema lists them."""
    events = [choice["const"] for choice in SCHEMA["properties"]["event"]["oneOf"]]
    return {event: [choice["const"] for choice in SCHEMA["$defs"][event]["oneOf"]] for event in events}


def line(event: str, reason: str) -> Line:
    """A line of this event and reason."""
    return next(each for each in RECORDED if (each["event"], each["reason"]) == (event, reason))


def sweep(what: str) -> list[Line]:
    """All lines of a sweep by what it finds: `nothing`, `well`, `wrong`, `old` or `failing`."""
    return [each for each in RECORDED if each["event"].startswith("sweep.") and each["triggerId"] == what]


def run(event: str, what: str) -> list[Line]:
    """The end of a run but a sweep: `nothing` to do, a Region `unread`, a key `doomed`, or copies `waiting`."""
    return [each for each in RECORDED if each["event"] == event and each["triggerId"] == what]


def moment(each: Line) -> datetime:
    """When a line was written."""
    return datetime.fromisoformat(each["time"])


def at(each: Line, time: datetime) -> Line:
    """The line as if it had been written then."""
    milliseconds = int(time.timestamp() * 1000)
    metadata = {"_aws": {**each["_aws"], "Timestamp": milliseconds}} if "_aws" in each else {}
    return {**each, "time": time.isoformat().replace("+00:00", "Z"), **metadata}


def every(minutes: int, hours: float, start: datetime, lines: list[Line]) -> list[Line]:
    """These lines again and again, for so long."""
    times = range(0, int(hours * 60), minutes)
    return [at(each, start + timedelta(minutes=minute)) for minute in times for each in lines]
