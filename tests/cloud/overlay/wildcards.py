"""Values with `*` for any characters and `?` for one [EC2 user guide, "Filter resources"]."""

import re
from collections.abc import Iterable
from functools import lru_cache


@lru_cache(maxsize=4_096)
def _pattern(value: str) -> re.Pattern[str]:
    """A filter value as a regular expression; a backslash makes a wildcard ordinary."""
    parts = re.split(r"(\\.|\*|\?)", value, flags=re.DOTALL)
    meaning = {"*": ".*", "?": "."}
    translated = [meaning.get(part) or re.escape(part.removeprefix("\\")) for part in parts]
    return re.compile("".join(translated), re.DOTALL)


def is_plain(value: str) -> bool:
    return not any(character in value for character in "*?\\")


def matches(values: Iterable[str], actual: str) -> bool:
    return any(value == actual if is_plain(value) else bool(_pattern(value).fullmatch(actual)) for value in values)
