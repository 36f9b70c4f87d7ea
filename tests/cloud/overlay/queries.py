"""Saved queries of CloudWatch Logs in a stack: the emulator knows no such resource and would refuse the whole stack.

They are accepted and checked for what CloudFormation demands; nothing can run them, because the emulator's Logs
Insights knows neither members of JSON nor `stats`.
"""

from typing import Any
from uuid import uuid4

from tests.cloud.overlay.emulator import provisioners

_LONGEST_NAME = 255
_LONGEST_QUERY = 10_000


def install() -> None:
    """Let stacks have saved queries."""
    provisioners._RESOURCE_HANDLERS["AWS::Logs::QueryDefinition"] = {
        "create": _create,
        "update": _update,
        "delete": _delete,
    }


def _create(_logical_id: str, properties: dict[str, Any], _stack: str) -> tuple[str, dict[str, Any]]:
    _check(properties)
    return str(uuid4()), {}


def _update(
    physical_id: str, _old: dict[str, Any], properties: dict[str, Any], _stack: str
) -> tuple[str, dict[str, Any]]:
    _check(properties)
    return physical_id, {}


def _delete(_physical_id: str, _properties: dict[str, Any]) -> None:
    pass


def _check(properties: dict[str, Any]) -> None:
    """The bounds of PutQueryDefinition (CloudWatch Logs API reference)."""
    for name, longest in (("Name", _LONGEST_NAME), ("QueryString", _LONGEST_QUERY)):
        if not 1 <= len(properties.get(name, "")) <= longest:
            raise ValueError(f"AWS::Logs::QueryDefinition: {name} has 1 to {longest} characters")
