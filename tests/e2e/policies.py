"""DLM policy documents of type EVENT_BASED_POLICY."""

from collections.abc import Sequence
from typing import Any


def target(
    region: str, *, key: str | None = None, keep: tuple[int, str] | None = None, **additions: Any
) -> dict[str, Any]:
    """One CrossRegionCopy entry: with a key encrypted under it, without one as the source is."""
    encryption = {"Encrypted": False} if key is None else {"Encrypted": True, "CmkArn": key}
    retain = {} if keep is None else {"RetainRule": {"Interval": keep[0], "IntervalUnit": keep[1]}}
    return {"Target": region, "EncryptionConfiguration": encryption, **retain, **additions}


def details(owners: Sequence[str], *targets: dict[str, Any], description: str | None = None) -> dict[str, Any]:
    """A PolicyDetails document."""
    parameters: dict[str, Any] = {"EventType": "shareSnapshot", "SnapshotOwner": list(owners)}
    if description is not None:
        parameters["DescriptionRegex"] = description
    return {
        "PolicyType": "EVENT_BASED_POLICY",
        "EventSource": {"Type": "MANAGED_CWE", "Parameters": parameters},
        "Actions": [{"Name": "Copy shared snapshots", "CrossRegionCopy": list(targets)}],
    }


def lifecycle_policy(policy_id: str, document: dict[str, Any], state: str = "ENABLED") -> dict[str, Any]:
    """What `aws dlm get-lifecycle-policy` prints."""
    return {
        "Policy": {
            "PolicyId": policy_id,
            "Description": "Copies of shared snapshots",
            "State": state,
            "StatusMessage": state,
            "ExecutionRoleArn": "arn:aws:iam::444455556666:role/AWSDataLifecycleManagerDefaultRole",
            "DateCreated": "2026-11-01T00:00:00+00:00",
            "DateModified": "2026-11-01T00:00:00+00:00",
            "PolicyDetails": document,
            "Tags": {},
            "PolicyArn": f"arn:aws:dlm:us-east-1:444455556666:policy/{policy_id}",
        }
    }
