"""The policy document that a deployed stack works by, for `snapferry check --previous`.

`python infra/sam/deployed.py STACK [--region REGION] [--profile PROFILE]` prints it. Where there is none, or it cannot
be read, it prints nothing and says why: that is no reason not to deploy.
"""

import argparse
import io
import sys
import urllib.request
import zipfile
from collections.abc import Iterator
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

COPIER = "CopySharedSnapshots"
# Where Lambda puts what is in layers.
LAYERS = "/opt/"


class NotDeployedError(LookupError):
    """There is no such stack, or nothing of it but a change set that nobody has executed."""


def document(cloudformation: Any, functions: Any, stack: str) -> str:
    """The document of the stack's copying function: in its environment, a layer or its package. LookupError where the
    stack has none; `functions` is Lambda's client."""
    function = functions.get_function(FunctionName=copier(cloudformation, stack))
    said: str | None = function["Configuration"].get("Environment", {}).get("Variables", {}).get("SNAPFERRY_POLICY")
    if said is None:
        raise LookupError(f"the function {COPIER} of the stack {stack} has no variable SNAPFERRY_POLICY")
    if said.lstrip()[:1] in {"{", "["}:
        return said
    for package in _layers(functions, function) if said.startswith(LAYERS) else [_read(function["Code"]["Location"])]:
        name = said.removeprefix(LAYERS)
        if name in package.namelist():
            return _text(package.read(name), said)
    raise LookupError(f"the stack {stack} takes its policy from {said}, and there is none")


def copier(cloudformation: Any, stack: str) -> str:
    """The name of the stack's copying function; LookupError where the stack is not Snapferry's, NotDeployedError where
    it is none yet."""
    try:
        [found] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            raise NotDeployedError from error
        raise
    if found["StackStatus"] == "REVIEW_IN_PROGRESS":
        raise NotDeployedError
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    functions = [
        str(each["PhysicalResourceId"])
        for page in pages
        for each in page["StackResourceSummaries"]
        if each["ResourceType"] == "AWS::Lambda::Function" and COPIER in each["LogicalResourceId"]
    ]
    if len(functions) != 1:
        raise LookupError(f"the stack {stack} has {len(functions)} functions {COPIER}: is it Snapferry's?")
    return functions[0]


def _layers(functions: Any, function: dict[str, Any]) -> Iterator[zipfile.ZipFile]:
    """The last first: its files hide those of the ones before."""
    for layer in reversed(function["Configuration"].get("Layers", [])):
        yield _read(functions.get_layer_version_by_arn(Arn=layer["Arn"])["Content"]["Location"])


def _read(location: str) -> zipfile.ZipFile:
    with urllib.request.urlopen(location, timeout=60) as package:  # noqa: S310  # Lambda's own signed URL
        return zipfile.ZipFile(io.BytesIO(package.read()))


def _text(document: bytes, name: str) -> str:
    try:
        return document.decode()
    except UnicodeDecodeError as error:
        raise LookupError(f"the policy {name} is not UTF-8 text: {error}") from error


def main() -> None:
    """Print the document, or say why there is none."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("stack")
    parser.add_argument("--region")
    parser.add_argument("--profile")
    given = parser.parse_args()
    try:
        session = boto3.Session(profile_name=given.profile, region_name=given.region)
        print(document(session.client("cloudformation"), session.client("lambda"), given.stack))
    except NotDeployedError:
        print(f"{given.stack}: not deployed yet, so the policy is compared with none", file=sys.stderr)
    except (BotoCoreError, ClientError, LookupError, OSError, zipfile.BadZipFile) as error:
        print(f"{given.stack}: what is deployed cannot be compared with: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
