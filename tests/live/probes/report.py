"""The file that a user can send back: no account numbers, no IDs, no names of people; and what differs between two."""

import json
import re
from typing import Any

import boto3

from tests.live.probes.ground import Ground
from tests.live.probes.questions import QUESTIONS

FORMAT = "snapferry-probes/1"
SOURCE, TARGET, OTHER = "111111111111", "222222222222", "000000000000"


def report(ground: Ground, answers: dict[str, Any], left: list[str]) -> dict[str, Any]:
    """All answers, masked."""
    whole = {
        "format": FORMAT,
        "at": f"{ground.run[:15]}Z",
        "partition": ground.partition,
        "regions": [ground.home, ground.away],
        "boto3": boto3.__version__,
        "answers": [
            {"id": each.id, "asks": each.asks, "answer": answers[each.id]} for each in QUESTIONS if each.id in answers
        ],
        "left": len(left),
    }
    masked: dict[str, Any] = json.loads(mask(json.dumps(whole), ground.source_account, ground.target_account))
    return masked


def mask(text: str, source: str, target: str) -> str:
    """Put stand-ins for what names somebody or something of theirs; the same for the same."""
    text = re.sub(r"arn:[a-z-]+:(?:iam|sts)::\d{12}:[^\s\"',\\]+", "(principal)", text)
    text = re.sub(r"(Encoded authorization failure message:) [\w-]+", r"\1 (left out)", text)
    for number, stand_in in ((source, SOURCE), (target, TARGET)):
        text = text.replace(number, stand_in)
    text = re.sub(r"\b\d{12}\b", lambda each: each[0] if each[0] in (SOURCE, TARGET) else OTHER, text)
    for pattern in (r"\b(snap|vol)-[0-9a-f]{8,17}\b", r"\b(key)/[0-9a-fA-F-]{36}\b", r"\b(mrk)-[0-9a-f]{32}\b"):
        text = _numbered(text, pattern)
    return text


def _numbered(text: str, pattern: str) -> str:
    """Each thing as its kind and a number."""
    seen: dict[str, str] = {}
    return re.sub(pattern, lambda each: seen.setdefault(each[0], f"{each[1]}-{len(seen) + 1}"), text)


def differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Where two reports' answers differ, but for how long things took, and for Regions' names."""
    first, second = (_answers(each) for each in (one, other))
    found = []
    for question in sorted(first.keys() | second.keys()):
        if question not in first or question not in second:
            found.append(f"{question}: answered in one of the two only")
        elif first[question] != second[question]:
            found.append(f"{question}: {_say(first[question])}, and {_say(second[question])}")
    return found


def _answers(whole: dict[str, Any]) -> dict[str, Any]:
    if whole.get("format") != FORMAT:
        raise ValueError(f"this is no report of format {FORMAT}")
    text = json.dumps({each["id"]: each["answer"] for each in whole["answers"]})
    for region, stand_in in zip(whole["regions"], ("HOME", "AWAY"), strict=True):
        text = text.replace(region, stand_in)
    text = re.sub(r"\b(snap|vol|key|mrk)-\d+\b", r"\1", text)
    timeless: dict[str, Any] = _timeless(json.loads(text))
    return timeless


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _timeless(each) for name, each in value.items() if not name.endswith("_seconds")}
    return value


def _say(answer: Any) -> str:
    return json.dumps(answer, ensure_ascii=False, sort_keys=True)
