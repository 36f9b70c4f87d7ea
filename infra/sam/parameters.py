"""The template's parameters that repeat what the policy says, for `sam deploy --parameter-overrides`.

Reads what `snapferry check --json POLICY` prints from standard input. IAM needs them in the template, where it cannot
read the policy; taken from it here, they cannot disagree with it.
"""

import json
import sys
from typing import Any


def repeated(policies: list[dict[str, Any]]) -> dict[str, str]:
    """The accounts, Regions and keys that normalized policies name, each once."""
    details = [each["Policy"]["PolicyDetails"] for each in policies]
    owners = [owner for each in details for owner in each["EventSource"]["Parameters"]["SnapshotOwner"]]
    targets = [entry for each in details for action in each["Actions"] for entry in action["CrossRegionCopy"]]
    keys = [entry["EncryptionConfiguration"].get("CmkArn") for entry in targets]
    return {
        "SourceAccounts": ",".join(dict.fromkeys(owners)),
        "TargetRegions": ",".join(dict.fromkeys(entry["Target"] for entry in targets)),
        "TargetKeyArns": ",".join(dict.fromkeys(key for key in keys if key)),
    }


def problem(parameters: dict[str, str]) -> str | None:
    """Why the template cannot be deployed with these, or nothing. A policy without owners or targets is one of DLM's,
    and CloudFormation would refuse it after the build."""
    for name, member in (("SourceAccounts", "SnapshotOwner"), ("TargetRegions", "Target")):
        if not parameters[name]:
            return f"the policy names no {member}, so there is nothing to deploy"
    return None


if __name__ == "__main__":
    [checked] = json.load(sys.stdin)["files"]
    found = repeated(checked["policies"])
    if why := problem(found):
        sys.exit(f"{checked['file']}: {why}")
    # In quotes, because SAM takes an empty value for a mistake otherwise.
    print(*(f'{name}="{value}"' for name, value in found.items()))
