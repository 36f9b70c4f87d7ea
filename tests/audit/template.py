"""The template's resources, resolved with its parameters' defaults."""

from functools import cache
from typing import Any

from tests.e2e.translate import translated
from tests.parity.resolve import Resolver

REQUIRED = {"SourceAccounts": "111122223333", "TargetRegions": "eu-west-1"}


@cache
def _template() -> dict[str, Any]:
    return translated()


def resources(kind: str, **parameters: str) -> dict[str, dict[str, Any]]:
    """The properties of all resources of a type, by logical ID."""
    resolver = Resolver(_template(), {**REQUIRED, **parameters})
    found = {name: each["Properties"] for name, each in resolver.resources().items() if each["Type"] == kind}
    assert found, kind
    return found
