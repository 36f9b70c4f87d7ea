"""Is the account that is about to become the vault one that the policy copies from?

Reads what `snapferry check --json POLICY` prints from standard input. A stack in a source account would put the
backups where what they are a protection from already is. Where there are no credentials it says nothing: what comes
after this does.
"""

import argparse
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infra.sam import parameters


def main() -> None:
    """End with a sentence where it is."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--region")
    parser.add_argument("--profile")
    given = parser.parse_args()
    owners = parameters.read(sys.stdin.read())["SourceAccounts"].split(",")
    try:
        session = boto3.Session(profile_name=given.profile, region_name=given.region)
        account = session.client("sts", region_name=session.region_name or "us-east-1").get_caller_identity()["Account"]
    except (BotoCoreError, ClientError):
        return
    if account in owners:
        sys.exit(
            f"The credentials are those of {account}, which the policy names as SnapshotOwner: a source account. The "
            "stack belongs into the isolated target account: make deploy PROFILE=…"
        )


if __name__ == "__main__":
    main()
