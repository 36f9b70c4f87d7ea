"""The template's parameters that repeat what the policy says, for `sam deploy --parameter-overrides`.

Reads what `snapferry check --json POLICY` prints from standard input. IAM needs them in the template, where it cannot
read the policy; taken from it here, they cannot disagree with it.
"""

import json
import sys
from typing import Any

# CloudFormation's quota for the value of a parameter.
MAX_CHARACTERS = 4096


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
    """Why CloudFormation would refuse these after the build, or nothing. A policy without owners or targets is one of
    DLM's."""
    for name, member in (("SourceAccounts", "SnapshotOwner"), ("TargetRegions", "Target")):
        if not parameters[name]:
            return f"the policy names no {member}, so there is nothing to deploy"
    for name, value in parameters.items():
        if len(value) > MAX_CHARACTERS:
            return (
                f"what the policy names needs {len(value)} characters as {name}, and CloudFormation takes "
                f"{MAX_CHARACTERS} of a parameter; the CDK's construct has no parameters"
            )
    return None


if __name__ == "__main__":
    [checked] = json.load(sys.stdin)["files"]
    found = repeated(checked["policies"])
    if why := problem(found):
        sys.exit(f"{checked['file']}: {why}")
    # In quotes, because SAM takes an empty value for a mistake otherwise.
    print(*(f'{name}="{value}"' for name, value in found.items()))
