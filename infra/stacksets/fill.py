"""A parameter file with what a policy says in it, for `aws cloudformation create-stack-set --parameters`.

`snapferry check --json POLICY | python3 -m infra.stacksets.fill FILE` prints FILE with the accounts, Regions, keys and
longest lock that the policy names, and everything else as it was.
"""

import json
import sys
from pathlib import Path
from typing import Any

from infra.sam import parameters


def filled(given: list[dict[str, Any]], found: dict[str, str]) -> list[dict[str, Any]]:
    """The parameters with what was found in place of what they said; those that were not there come last."""
    by_name = {each["ParameterKey"]: each for each in given}
    by_name.update({name: {"ParameterKey": name, "ParameterValue": value} for name, value in found.items()})
    return list(by_name.values())


if __name__ == "__main__":
    print(json.dumps(filled(json.loads(Path(sys.argv[1]).read_text()), parameters.read(sys.stdin.read())), indent=2))
