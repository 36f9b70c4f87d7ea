"""A parameter file with what a policy says in it, for `aws cloudformation create-stack-set --parameters`.

`snapferry check --json POLICY | python3 -m infra.stacksets.fill FILE` prints FILE with the accounts, Regions, keys and
longest lock that the policy names, with the key of the package that `make dist POLICY=…` makes of it, in the folder
that FILE names, and everything else as it was.
"""

import json
import sys
from pathlib import Path
from typing import Any

from infra.sam import pack, parameters


def filled(given: list[dict[str, Any]], found: dict[str, str], package: str) -> list[dict[str, Any]]:
    """The parameters with what was found in place of what they said; those that were not there come last. `package` is
    the file name of the policy's package."""
    by_name = {each["ParameterKey"]: each["ParameterValue"] for each in given}
    folder, slash, _ = by_name.get("PolicyKey", "").rpartition("/")
    by_name |= {**found, "PolicyKey": f"{folder}{slash}{package}"}
    return [{"ParameterKey": name, "ParameterValue": value} for name, value in by_name.items()]


def read(file: str) -> list[dict[str, str]]:
    """The parameters in a file; SystemExit with a sentence where it has none of the vault's stack."""
    try:
        given = json.loads(Path(file).read_text())
        names = [str(each["ParameterKey"]) for each in given if isinstance(each["ParameterValue"], str)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.exit(f"{file} is no file of parameters, a list of ParameterKey and ParameterValue: {error!r}")
    if not {"CodeBucket", "PolicyKey"} <= set(names):
        sys.exit(
            f"{file} has no CodeBucket and PolicyKey, so it is not of the vault's stack: see infra/stacksets/vault.json"
        )
    if len(set(names)) != len(given):
        sys.exit(f"{file} has a parameter twice")
    return list(given)


def main(files: list[str]) -> None:
    """Print the file, filled, or say why it cannot be."""
    if len(files) != 1:
        sys.exit(
            "Which file? snapferry check --json POLICY | python3 -m infra.stacksets.fill infra/stacksets/vault.json"
        )
    [file] = files
    given = read(file)
    checked = sys.stdin.read()
    found = parameters.read(checked)
    [each] = json.loads(checked)["files"]
    try:
        package, _ = pack.policy(Path(each["file"]).read_bytes())
    except OSError as error:
        sys.exit(f"{each['file']}: the policy's package has a name that follows from the file: {error}")
    made = filled(given, found, package)
    for name in [each["ParameterKey"] for each in made if "@example.com" in each["ParameterValue"]]:
        print(f"{file}: {name} is still an example's, and nobody would hear of an alarm", file=sys.stderr)
    print(json.dumps(made, indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
