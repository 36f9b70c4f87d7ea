"""The template's parameters that repeat what the policy says, for `sam deploy --parameter-overrides`.

Reads what `snapferry check --json POLICY` prints from standard input. IAM needs them in the template, where it cannot
read the policy; taken from it here, they cannot disagree with it. Arguments are the parameters that are to be given
besides, none of which may be one that `make deploy` gives.
"""

import json
import re
import sys
from collections.abc import Iterator
from typing import Any

# CloudFormation's quota for the value of a parameter.
MAX_CHARACTERS = 4096

# The longest lock that EC2 knows, and what a unit of an interval has at most.
MAX_LOCK_DAYS = 36_500
LONGEST_DAYS = {"DAYS": 1, "WEEKS": 7, "MONTHS": 31, "YEARS": 366}

# What a policy without SourceTypes copies.
VOLUMES = "EBS_SNAPSHOT"

# What `make deploy` takes from POLICY, ARCH and DIST.
GIVEN = (
    *("Policy", "Architecture", "Databases", "SourceAccounts", "TargetRegions", "TargetKeyArns", "MaxLockDays"),
    *("CodeBucket", "CodePrefix", "PolicyKey"),
)
# In both of SAM's spellings: Policy=… and ParameterKey=Policy,ParameterValue=…; several may stand in one argument.
_GIVEN = re.compile(rf"""(?:^|[\s"'])(?:ParameterKey=)?["']?({"|".join(GIVEN)})["']?[=,]""")


def repeated(policies: list[dict[str, Any]]) -> dict[str, str]:
    """The accounts, Regions and keys that normalized policies name, each once, the longest lock, and whether databases
    are among what they copy."""
    details = [each["Policy"]["PolicyDetails"] for each in policies]
    sources = [each["EventSource"]["Parameters"] for each in details]
    owners = [owner for each in sources for owner in each["SnapshotOwner"]]
    targets = [entry for each in details for action in each["Actions"] for entry in action["CrossRegionCopy"]]
    keys = [entry["EncryptionConfiguration"].get("CmkArn") for entry in targets]
    return {
        "Databases": str(any(set(each.get("SourceTypes", [])) - {VOLUMES} for each in sources)).lower(),
        "SourceAccounts": ",".join(dict.fromkeys(owners)),
        "TargetRegions": ",".join(dict.fromkeys(entry["Target"] for entry in targets)),
        "TargetKeyArns": ",".join(dict.fromkeys(key for key in keys if key)),
        "MaxLockDays": str(
            max((lock_days(entry["LockRule"]) for entry in targets if entry.get("LockRule")), default=0)
        ),
    }


def lock_days(rule: dict[str, Any]) -> int:
    """A number of days that a LockRule never exceeds, whenever it begins."""
    days: int = rule["Interval"] * LONGEST_DAYS[rule["IntervalUnit"]]
    return min(days, MAX_LOCK_DAYS)


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
                f"{MAX_CHARACTERS} of a parameter; the CDK's construct has no parameters, and takes some 500 owners"
            )
    return None


def errors(checked: dict[str, Any]) -> Iterator[str]:
    """What check finds wrong with a document, in its own words."""
    for each in checked["findings"]:
        if each["level"] == "error":
            path = f"{each['path']}: " if each["path"] else ""
            place = f":{each['line']}:{each['column']}" if "line" in each else ""
            yield f"error: {path}{each['message']}\n --> {checked['file']}{place}"
            if "allowed" in each:
                yield f"  = allowed: {each['allowed']}"


def read(text: str) -> dict[str, str]:
    """The parameters of what check printed; SystemExit with the reason where there are none."""
    if not text.strip():
        sys.exit("There is no policy: `snapferry check --json POLICY` printed nothing.")
    try:
        files = json.loads(text)["files"]
    except (ValueError, KeyError, TypeError):
        sys.exit("Standard input is not what `snapferry check --json POLICY` prints.")
    if len(files) != 1:
        sys.exit(f"A stack has one policy document, and `snapferry check` was given {len(files)}.")
    [checked] = files
    if not checked["valid"]:
        sys.exit("\n".join([*errors(checked), f"{checked['file']}: not valid"]))
    found = repeated(checked["policies"])
    if why := problem(found):
        sys.exit(f"{checked['file']}: {why}")
    return found


def refuse_given(besides: list[str]) -> None:
    """SystemExit where one of these parameters is one that `make deploy` gives."""
    if given := dict.fromkeys(name for each in besides for name in _GIVEN.findall(each)):
        sys.exit(
            f"PARAMETERS must not have {', '.join(given)}: what is checked and deployed are the file POLICY and ARCH."
        )


def main(besides: list[str]) -> None:
    """Print the parameters, or say why there are none."""
    refuse_given(besides)
    found = read(sys.stdin.read())
    # In quotes, because SAM takes an empty value for a mistake otherwise.
    print(*(f'{name}="{value}"' for name, value in found.items()))


if __name__ == "__main__":
    main(sys.argv[1:])
