"""DynamoDB tables of stacks: the emulator makes them without encryption at rest, point-in-time recovery and time to
live, which it knows of tables that its API made [CloudFormation, AWS::DynamoDB::Table].
"""

from typing import Any

from tests.cloud.overlay.emulator import dynamodb, provisioners

_KIND = "AWS::DynamoDB::Table"


def install() -> None:
    """Let tables of stacks be what their properties say."""
    emulators = provisioners._RESOURCE_HANDLERS[_KIND]
    make, change = emulators["create"], emulators["update"]

    def create(logical_id: str, properties: dict[str, Any], stack: str) -> Any:
        made = make(logical_id, properties, stack)
        _settle(made[0], properties)
        return made

    def update(physical_id: str, old: dict[str, Any], new: dict[str, Any], stack: str, logical_id: str) -> Any:
        changed = change(physical_id, old, new, stack, logical_id)
        _settle(changed[0], new)
        return changed

    provisioners._RESOURCE_HANDLERS[_KIND] = {**emulators, "create": create, "update": update}


def _settle(name: str, properties: dict[str, Any]) -> None:
    encryption = properties.get("SSESpecification") or {}
    # CloudFormation calls it SSEEnabled, the API Enabled.
    spec = {**encryption, "Enabled": _flag(encryption.get("SSEEnabled"))}
    dynamodb._tables[name]["SSEDescription"] = dynamodb._sse_description_from_spec(spec if encryption else None)
    recovery = properties.get("PointInTimeRecoverySpecification") or {}
    dynamodb._pitr_settings[name] = _flag(recovery.get("PointInTimeRecoveryEnabled"))
    living = properties.get("TimeToLiveSpecification") or {}
    status = "ENABLED" if _flag(living.get("Enabled")) else "DISABLED"
    named = {"AttributeName": living["AttributeName"]} if "AttributeName" in living else {}
    dynamodb._ttl_settings[name] = {"TimeToLiveStatus": status, **named}
    dynamodb._tables[name]["DeletionProtectionEnabled"] = _flag(properties.get("DeletionProtectionEnabled"))
    for index in dynamodb._tables[name].get("GlobalSecondaryIndexes") or []:
        index.setdefault("IndexStatus", "ACTIVE")


def _flag(value: Any) -> bool:
    """A boolean as a template has it: itself, or a word."""
    return value is True or value == "true"
