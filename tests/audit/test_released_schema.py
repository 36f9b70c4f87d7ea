"""The audit's format only grows: today's schema beside that of the last release, docs/schema/audit-1.json."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e import packages

TODAY = packages.REPOSITORY / "functions/core/audit.schema.json"
RELEASED = packages.REPOSITORY / "docs/schema/audit-1.json"

# What may have more in it later; what a reader may rely on stays.
GROWING_OBJECTS = {"properties", "$defs"}
GROWING_LISTS = {"enum", "oneOf", "allOf"}
PROSE = {"description", "title"}


def broken(released: Any, today: Any, place: str = "$", name: str = "") -> list[str]:
    """What a reader of the released format would miss in today's."""
    if isinstance(released, dict) and isinstance(today, dict):
        # A property may be called like a keyword, and is none.
        known = (
            released if name in GROWING_OBJECTS else {key: each for key, each in released.items() if key not in PROSE}
        )
        more = [] if name in GROWING_OBJECTS else sorted(today.keys() - released.keys() - PROSE)
        found = [f"{place}: {key} is new" for key in more]
        for key, each in known.items():
            here = f"{place}.{key}"
            if key not in today:
                found.append(f"{here} is gone")
            else:
                found += broken(each, today[key], here, "" if name in GROWING_OBJECTS else key)
        return found
    if isinstance(released, list) and isinstance(today, list) and name in GROWING_LISTS:
        return [line for each in released for line in _missing(each, today, place)]
    # What another kind's IDs look like comes beside what the known ones do.
    has_grown = name == "pattern" and today.startswith(f"^({released[1:-1]}|") and today.endswith(")$")
    return [] if released == today or has_grown else [f"{place}: {json.dumps(released)} became {json.dumps(today)}"]


def _missing(each: Any, today: list[Any], place: str) -> list[str]:
    same = [other for other in today if _identity(other) == _identity(each)]
    here = f"{place}[{_identity(each)}]"
    return broken(each, same[0], here) if same else [f"{here} is gone"]


def _identity(each: Any) -> str:
    """What makes an alternative the same one: its constant, or what it is asked of."""
    if isinstance(each, dict):
        return json.dumps(each.get("const", each.get("if", each)), sort_keys=True)
    return json.dumps(each)


def changed(change: Callable[[Any], Any]) -> list[str]:
    """What is said of the released schema after a change of it."""
    released = json.loads(RELEASED.read_text())
    after = copy.deepcopy(released)
    change(after)
    return broken(released, after)


def test_nothing_of_the_released_format_is_gone_or_another() -> None:
    assert broken(json.loads(RELEASED.read_text()), json.loads(TODAY.read_text())) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda schema: schema["properties"].update(added={"type": "string"}),
        lambda schema: schema["properties"]["event"]["oneOf"].insert(0, {"const": "copy.added", "description": "New."}),
        lambda schema: schema["$defs"]["copy.started"]["oneOf"].append({"const": "added", "description": "New."}),
        lambda schema: schema["properties"]["trigger"]["enum"].append("added"),
        lambda schema: schema["allOf"].append({"if": {"properties": {"event": {"const": "copy.added"}}}, "then": {}}),
        lambda schema: schema["properties"]["time"].update(description="In other words."),
        lambda schema: schema["$defs"]["snapshot"].update(pattern="^(snap-[0-9a-f]{8,17}|db-[0-9a-f]{52})$"),
    ],
)
def test_it_may_grow(change: Callable[[Any], Any]) -> None:
    assert changed(change) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda schema: schema["properties"].pop("message"),
        lambda schema: schema["$defs"]["snapshot"].update(pattern="^(snap-[0-9a-f]{17}|db-[0-9a-f]{52})$"),
        lambda schema: schema["properties"].update(text=schema["properties"].pop("message")),
        lambda schema: schema["properties"]["event"]["oneOf"].pop(0),
        lambda schema: schema["properties"]["event"]["oneOf"][0].update(const="copy.begun"),
        lambda schema: schema["$defs"]["copy.started"]["oneOf"].pop(),
        lambda schema: schema["properties"]["trigger"]["enum"].remove("sweep"),
        lambda schema: schema["properties"]["message"].update(type="object"),
        lambda schema: schema["properties"]["message"].update(maxLength=10),
        lambda schema: schema["required"].remove("version"),
        lambda schema: schema["required"].append("message"),
        lambda schema: schema["allOf"].pop(0),
        lambda schema: schema["allOf"][0]["then"]["required"].remove("copy"),
        lambda schema: schema["properties"]["source"]["properties"].pop("region"),
    ],
)
def test_what_a_reader_relies_on_stays(change: Callable[[Any], Any]) -> None:
    assert changed(change) != []
