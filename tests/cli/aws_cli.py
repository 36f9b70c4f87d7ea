"""Stands for the AWS CLI where a document's commands are run: the same calls through boto3, by the CLI's options."""

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import boto3
import jmespath  # type: ignore[import-untyped]
from botocore import xform_name


def _value(text: list[str], kind: Any) -> Any:
    """Values as botocore's shape of the parameter has them; of lists of structures the CLI's short form or JSON."""
    if kind.type_name == "boolean":
        return True
    first = Path(text[0].removeprefix("file://")).read_text() if text[0].startswith("file://") else text[0]
    if kind.type_name == "list":
        if first.startswith("["):
            return json.loads(first)
        if kind.member.type_name == "structure":
            parts = (dict(part.split("=", 1) for part in each.split(",")) for each in text)
            return [{key: [value] if key == "Values" else value for key, value in part.items()} for part in parts]
        return text
    return int(first) if kind.type_name == "integer" else first


def _options(words: list[str]) -> dict[str, list[str]]:
    options: dict[str, list[str]] = {}
    for word in words:
        if re.match(r"--[a-z]", word):
            options[word] = []
        else:
            options[list(options)[-1]].append(word)
    return options


def main() -> None:
    service, operation, *words = sys.argv[1:]
    options = _options(words)
    query, output = options.pop("--query", None), options.pop("--output", ["json"])
    session = boto3.Session(profile_name=os.environ["AWS_PROFILE"])
    region = options.pop("--region", [os.environ["AWS_REGION"]])
    client = session.client(service, region_name=region[0], endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    method = operation.replace("-", "_")
    model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method])
    shapes = {"--" + xform_name(name, "-"): (name, shape) for name, shape in model.input_shape.members.items()}
    given = {shapes[option][0]: _value(text, shapes[option][1]) for option, text in options.items()}
    answer = getattr(client, method)(**given)
    answer.pop("ResponseMetadata", None)
    found = jmespath.search(query[0], answer) if query else answer
    print(found if output == ["text"] else json.dumps(found, default=str))


if __name__ == "__main__":
    main()
