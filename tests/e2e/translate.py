"""The template as CloudFormation gets it: after the SAM transform, as JSON."""

import json
import os
import sys
from pathlib import Path
from typing import Any

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from tests.e2e import packages


class _NoManagedPolicies:
    """The transform asks AWS for the names of managed policies; the template uses none."""

    def load(self) -> dict[str, str]:
        return {}


def translated() -> dict[str, Any]:
    """The template after the SAM transform."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")
    source = yaml_parse(packages.template(lambda function: f"s3://bucket/{function}.zip"))
    result: dict[str, Any] = transform(source, {}, _NoManagedPolicies())
    return result


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(translated(), indent=1))
