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


def main(file: str) -> None:
    """Print the file, filled, or say why it cannot be."""
    checked = sys.stdin.read()
    found = parameters.read(checked)
    [each] = json.loads(checked)["files"]
    try:
        package, _ = pack.policy(Path(each["file"]).read_bytes())
    except OSError as error:
        sys.exit(f"{each['file']}: the policy's package has a name that follows from the file: {error}")
    given = filled(json.loads(Path(file).read_text()), found, package)
    for name in [each["ParameterKey"] for each in given if "@example.com" in each["ParameterValue"]]:
        print(f"{file}: {name} is still an example's, and nobody would hear of an alarm", file=sys.stderr)
    print(json.dumps(given, indent=2))


if __name__ == "__main__":
    main(*sys.argv[1:])
