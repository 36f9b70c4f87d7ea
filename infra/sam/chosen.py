"""The template's parameters that `make deploy` is given in PARAMETERS, as the SAM CLI takes them.

`python -m infra.sam.chosen TEMPLATE` reads the environment's PARAMETERS, words as a shell's, of which none is expanded.
It prints each as `Name="value"` with a NUL character behind it, or says why it cannot be given.
"""

import difflib
import json
import os
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

from infra.sam import parameters

_WORD = re.compile(
    r"(?:ParameterKey=)?[\"']?(?P<name>[A-Za-z0-9]+)[\"']?(?:=|,ParameterValue=)(?P<value>.*)", re.DOTALL
)
# SAM takes these three back, and no backslash before a backslash.
_TAKEN_BACK = re.compile(r"\\[ \"']|\\$")


def chosen(text: str, known: set[str]) -> dict[str, str]:
    """The parameters, by name; ValueError with a sentence where one cannot be given."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ValueError(f"PARAMETERS: {str(error).lower()} in {text}") from error
    found: dict[str, str] = {}
    for word in words:
        match = _WORD.fullmatch(word)
        if not match:
            raise ValueError(
                f"PARAMETERS: {word!r} is no Name=value; a value with a space stands in quotes, as in "
                "PARAMETERS=\"'SweepSchedule=rate(5 minutes)'\""
            )
        name, value = match["name"], match["value"]
        if name not in known:
            like = difflib.get_close_matches(name, sorted(known), 1, 0.6)
            raise ValueError(f"PARAMETERS: the template has no {name}" + (f"; perhaps {like[0]}" if like else ""))
        # Until now quotes were needed, for SAM.
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        if _TAKEN_BACK.search(value) or "ParameterKey=" in value:
            raise ValueError(
                f"PARAMETERS: SAM would change the value of {name}: give it in AWS's console or with the AWS CLI"
            )
        if found.setdefault(name, value) != value:
            raise ValueError(f"PARAMETERS: {name} stands there twice, with two values")
    return found


def known(template: Path) -> set[str]:
    """The parameters of a template: one in JSON, or the repository's own in YAML."""
    text = template.read_text()
    if template.suffix == ".json":
        return set(json.loads(text)["Parameters"])
    return set(_names(text.splitlines()))


def _names(lines: list[str]) -> Iterator[str]:
    """The members of `Parameters`, which stand two spaces in."""
    section = ""
    for line in lines:
        if match := re.match(r"(?P<indent> *)(?P<name>[A-Za-z0-9]+):", line):
            if not match["indent"]:
                section = match["name"]
            elif section == "Parameters" and len(match["indent"]) == 2:
                yield match["name"]


def main(template: str) -> None:
    """Print what SAM is to be given, or say why it cannot."""
    text = os.environ.get("PARAMETERS", "")
    try:
        parameters.refuse_given([text])
        found = chosen(text, known(Path(template)))
    except ValueError as error:
        sys.exit(str(error))
    for name, value in found.items():
        escaped = value.replace('"', '\\"')
        print(f'{name}="{escaped}"', end="\0")


if __name__ == "__main__":
    main(*sys.argv[1:])
