"""What a deployed stack is to do with a snapshot that an account shares."""

import json
import re
from dataclasses import dataclass
from typing import Any

from infra.sam.deployed import document
from tests.live.setting import Clients, RefusedError


@dataclass(frozen=True)
class Wanted:
    """A copy that a policy wants: its Region, its key, how long it is kept, and its own tags."""

    policy: str
    region: str
    key: str | None
    keep: tuple[int, str] | None
    tags: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return f"{self.policy} in {self.region}"


def policy(target: Clients, region: str, stack: str) -> Any:
    """The policy document that the stack's functions work by."""
    try:
        return json.loads(document(target("cloudformation", region), target("lambda", region), stack))
    except LookupError as error:
        raise RefusedError(f"In {region}, {error}") from error


def parameters(target: Clients, region: str, stack: str) -> dict[str, str]:
    """The stack's parameters, each with its value."""
    [found] = target("cloudformation", region).describe_stacks(StackName=stack)["Stacks"]
    return {each["ParameterKey"]: str(each["ParameterValue"]) for each in found.get("Parameters", [])}


def regions(document: Any) -> list[str]:
    """Every Region that any of the document's policies targets."""
    return sorted({entry["Target"] for _, _, details in _policies(document) for entry in _entries(details)})


def wanted(document: Any, owner: str, description: str) -> list[Wanted]:
    """The copies that the policies want of a snapshot with this owner and description; it is refused when there are
    none, or when a copy could not be removed again."""
    enabled = [(name, details) for name, state, details in _policies(document) if state != "DISABLED"]
    naming = [(name, details) for name, details in enabled if owner in _parameters(details)["SnapshotOwner"]]
    if not naming:
        raise RefusedError(f"No enabled policy of the stack names the source account {owner} as SnapshotOwner.")
    matching = [(name, details) for name, details in naming if _matches(details, description)]
    if not matching:
        patterns = ", ".join(_parameters(details)["DescriptionRegex"] for _, details in naming)
        raise RefusedError(
            f"No DescriptionRegex matches “{description}”: {patterns}. Give a description that one of them matches "
            "(DESCRIPTION=…)."
        )
    entries = [(name, entry) for name, details in matching for entry in _entries(details)]
    if not entries:
        raise RefusedError("The policy has no targets, so nothing is copied.")
    for name, entry in entries:
        if "LockRule" in entry:
            raise RefusedError(
                f"The policy {name} locks its copies in {entry['Target']}, so this test could not remove what it "
                "causes. Test a stack whose policy has no LockRule."
            )
    return [_wanted(name, entry) for name, entry in entries]


def _wanted(name: str, entry: dict[str, Any]) -> Wanted:
    retain = entry.get("RetainRule")
    return Wanted(
        policy=name,
        region=entry["Target"],
        key=entry["EncryptionConfiguration"].get("CmkArn"),
        keep=(retain["Interval"], retain["IntervalUnit"]) if retain else None,
        tags=tuple((tag["Key"], tag["Value"]) for tag in entry.get("TagsToAdd", [])),
    )


def _policies(document: Any) -> list[tuple[str, str, dict[str, Any]]]:
    """Name, state and details of each policy, in whichever form the document has."""
    read = []
    for each in document if isinstance(document, list) else [document]:
        outer = each.get("Policy", {"PolicyDetails": each})
        details: dict[str, Any] = outer["PolicyDetails"]
        read.append((outer.get("PolicyId", "default"), outer.get("State", "ENABLED"), details))
    return read


def _parameters(details: dict[str, Any]) -> dict[str, Any]:
    return {"SnapshotOwner": [], "DescriptionRegex": ".*", **details["EventSource"]["Parameters"]}


def _entries(details: dict[str, Any]) -> list[dict[str, Any]]:
    return [entry for action in details["Actions"] for entry in action["CrossRegionCopy"]]


def _matches(details: dict[str, Any], description: str) -> bool:
    """As the functions match, as far as Python's expressions and Rust's agree."""
    try:
        return re.fullmatch(_parameters(details)["DescriptionRegex"], description, re.DOTALL) is not None
    except re.error:
        return False
