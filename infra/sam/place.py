"""Is where `make deploy` would deploy a place for the stack?

`python -m infra.sam.place STACK` reads what `snapferry check --json POLICY` prints from standard input and ends with a
sentence where the account is one that the policy copies from, where STACK is another application's or cannot be
updated, and where another stack in the Region copies by a policy of the same name. Where there are no credentials it
says nothing: what comes after this does.
"""

import argparse
import json
import sys
import zipfile
from collections.abc import Iterator
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infra.sam import deployed, parameters

# The output that every stack of Snapferry's target account has.
OUTPUT = "LedgerTable"
# CloudFormation User Guide, "Stack status codes": from these nothing but a deletion goes on.
_DEAD = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"}


def refusals(account: str, stack: str, stacks: list[dict[str, Any]], checked: dict[str, Any]) -> Iterator[str]:
    """What forbids to deploy there; `stacks` are the Region's, as DescribeStacks has them."""
    owners = parameters.repeated(checked["policies"])["SourceAccounts"].split(",")
    if account in owners:
        yield (
            f"The credentials are those of {account}, which the policy names as SnapshotOwner: a source account. The "
            "stack belongs into the isolated target account: make deploy PROFILE=…"
        )
    for found in stacks:
        status = str(found["StackStatus"])
        if found["StackName"] != stack or status == "REVIEW_IN_PROGRESS":
            continue
        if status in _DEAD:
            yield (
                f"STACK={stack} is in {status}, and CloudFormation updates it no more. Delete it first: aws "
                f"cloudformation delete-stack --stack-name {stack} (what of a first creation that failed stays is in "
                "README.md)"
            )
        elif status.endswith("_IN_PROGRESS"):
            yield f"STACK={stack} is in {status}: wait for its end"
        elif not _is_ours(found):
            yield (
                f"STACK={stack} is another application's: it has no output {OUTPUT}. To deploy there would delete all "
                "that it has: give a name that is free, or Snapferry's own"
            )


def warnings(account: str, checked: dict[str, Any]) -> Iterator[str]:
    """What may be meant so."""
    keys = parameters.repeated(checked["policies"])["TargetKeyArns"].split(",")
    accounts = {key.split(":")[4] for key in keys if key}
    if accounts and account not in accounts:
        yield (
            f"warning: the credentials are those of {account}, and every CmkArn of the policy is a key of "
            f"{', '.join(sorted(accounts))}: is this the target account?"
        )


def same_names(names: set[str], other: str, document: str) -> str | None:
    """Why two stacks of one Region cannot both have these policies, or nothing."""
    try:
        found = json.loads(document)
    except ValueError:
        return None
    documents = found if isinstance(found, list) else [found]
    others = {str(each.get("Policy", each).get("PolicyId", "default")) for each in documents if isinstance(each, dict)}
    if not names & others:
        return None
    same = ", ".join(sorted(names & others))
    return (
        f"the stack {other} in this Region copies by a policy of the same name already ({same}): both would make each "
        f"copy. Is STACK={other} meant? Two stacks in one Region need policies with different PolicyIds"
    )


def _is_ours(stack: dict[str, Any]) -> bool:
    return any(output["OutputKey"] == OUTPUT for output in stack.get("Outputs", []))


def _stacks(session: Any) -> list[dict[str, Any]]:
    try:
        pages = session.client("cloudformation").get_paginator("describe_stacks").paginate()
        return [stack for page in pages for stack in page["Stacks"]]
    except (BotoCoreError, ClientError) as error:
        print(f"warning: what stacks there are cannot be read, so none is compared with: {error}", file=sys.stderr)
        return []


def _others(session: Any, stack: str, stacks: list[dict[str, Any]], names: set[str]) -> Iterator[str]:
    for each in stacks:
        other = str(each["StackName"])
        if other == stack or not _is_ours(each):
            continue
        try:
            document = deployed.document(session.client("cloudformation"), session.client("lambda"), other)
        except (BotoCoreError, ClientError, LookupError, OSError, zipfile.BadZipFile):
            print(f"warning: {other} is a stack of Snapferry's, too, and its policy cannot be read", file=sys.stderr)
            continue
        if why := same_names(names, other, document):
            yield why


def main() -> None:
    """End with a sentence where it is no place, and warn where it may be none."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("stack")
    parser.add_argument("--region")
    parser.add_argument("--profile")
    given = parser.parse_args()
    [checked] = json.loads(sys.stdin.read())["files"]
    names = {str(each["Policy"]["PolicyId"]) for each in checked["policies"]}
    try:
        session = boto3.Session(profile_name=given.profile, region_name=given.region)
        sts = session.client("sts", region_name=session.region_name or "us-east-1")
        account = sts.get_caller_identity()["Account"]
    except (BotoCoreError, ClientError):
        return
    stacks = _stacks(session)
    refused = [*refusals(account, given.stack, stacks, checked), *_others(session, given.stack, stacks, names)]
    for warning in warnings(account, checked):
        print(warning, file=sys.stderr)
    if refused:
        sys.exit("\n".join(refused))


if __name__ == "__main__":
    main()
