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
from pathlib import Path
from typing import Any

import yaml

from infra.sam import parameters

_WORD = re.compile(
    r"(?:ParameterKey=)?[\"']?(?P<name>[A-Za-z0-9]+)[\"']?(?:=|,ParameterValue=)(?P<value>.*)", re.DOTALL
)
# SAM takes these three back, and no backslash before a backslash.
_TAKEN_BACK = re.compile(r"\\[ \"']|\\$")


def chosen(text: str, known: dict[str, Any]) -> dict[str, str]:
    """The parameters, by name; ValueError with a sentence where one cannot be given. `known` are the template's."""
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
    for name, value in found.items():
        if why := refused(value, known[name]):
            raise ValueError(f"PARAMETERS: {name}={value} is refused by the template: {why}")
    return found


def refused(value: str, parameter: dict[str, Any]) -> str | None:
    """Why CloudFormation would refuse a value of a parameter, or nothing. Each item of a list has to be allowed."""
    kind, wanted = str(parameter["Type"]), str(parameter.get("ConstraintDescription", ""))
    if kind == "Number":
        try:
            number = float(value)
        except ValueError:
            return "it is no number"
        if "MinValue" in parameter and number < float(parameter["MinValue"]):
            return f"at least {parameter['MinValue']}"
        if "MaxValue" in parameter and number > float(parameter["MaxValue"]):
            return f"at most {parameter['MaxValue']}"
    allowed = [str(each) for each in parameter.get("AllowedValues", [])]
    for each in value.split(",") if kind == "CommaDelimitedList" else [value]:
        if allowed and each.strip() not in allowed:
            return f"one of {', '.join(allowed)}"
        if "AllowedPattern" in parameter and not re.fullmatch(parameter["AllowedPattern"], each.strip()):
            return wanted or f"it has to match {parameter['AllowedPattern']}"
    return None


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms (`!Ref …`), of which nothing stands in a parameter, as nothing."""


_Loader.add_multi_constructor("!", lambda _loader, _suffix, _node: None)


def known(template: Path) -> dict[str, Any]:
    """The parameters of a template, in JSON or YAML."""
    text = template.read_text()
    document = json.loads(text) if template.suffix == ".json" else yaml.load(text, _Loader)  # noqa: S506
    found: dict[str, Any] = document["Parameters"]
    return found


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
