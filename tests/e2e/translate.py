"""The template as CloudFormation gets it: after the SAM transform, as JSON."""

import json
import sys
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from infra.sam import plain
from tests.e2e import packages


def translated() -> dict[str, Any]:
    """The template after the SAM transform."""
    return plain.translated(yaml_parse(packages.template(lambda function: f"s3://bucket/{function}.zip")))


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(translated(), indent=1))
