"""The people and places of the overlay's own tests, and how they act."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.cloud import LocalAws

SOURCE, TARGET, STRANGER = "111111111111", "222222222222", "333333333333"
HOME, AWAY = "eu-west-1", "us-east-1"


@contextmanager
def refused(code: str, words: str = "") -> Iterator[None]:
    """The call inside must be refused with this code, and a message that holds these words."""
    with pytest.raises(ClientError) as caught:
        yield
    error = caught.value.response["Error"]
    assert error["Code"] == code, error
    assert words in error["Message"]


def ec2(aws: LocalAws, account: str, region: str = HOME) -> Any:
    return aws.client("ec2", account, region)


def key(aws: LocalAws, account: str, region: str, **policy: Any) -> str:
    """A new customer managed key's ARN; `policy` replaces its key policy's statements."""
    given = {"Policy": json.dumps({"Statement": policy["statements"]})} if policy else {}
    made: str = aws.client("kms", account, region).create_key(**given)["KeyMetadata"]["Arn"]
    return made


def naming(*accounts: str, actions: str | list[str] = "kms:*") -> list[dict[str, Any]]:
    """Key policy statements that let accounts use a key."""
    principals = [f"arn:aws:iam::{each}:root" for each in accounts]
    return [{"Effect": "Allow", "Principal": {"AWS": principals}, "Action": actions, "Resource": "*"}]


def shared(aws: LocalAws, *, to: str = TARGET, **more: Any) -> str:
    """A snapshot of the source account that is shared with the target already, without any event."""
    return aws.control.create_snapshot(SOURCE, HOME, shared_with=[to], **more)


def share(aws: LocalAws, snapshot: str, *accounts: str) -> None:
    ec2(aws, SOURCE).modify_snapshot_attribute(
        SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", UserIds=list(accounts)
    )


def unshare(aws: LocalAws, snapshot: str, *accounts: str) -> None:
    ec2(aws, SOURCE).modify_snapshot_attribute(
        SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="remove", UserIds=list(accounts)
    )


def ids(answer: dict[str, Any]) -> set[str]:
    return {each["SnapshotId"] for each in answer["Snapshots"]}


def copy(aws: LocalAws, snapshot: str, *, account: str = TARGET, region: str = AWAY, **more: Any) -> str:
    """Start a copy and return its ID."""
    request = {"SourceRegion": HOME, "SourceSnapshotId": snapshot, **more}
    made: str = ec2(aws, account, region).copy_snapshot(**request)["SnapshotId"]
    return made


def describe(aws: LocalAws, snapshot: str, *, account: str = TARGET, region: str = AWAY) -> dict[str, Any]:
    found: dict[str, Any] = ec2(aws, account, region).describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]
    return found


def tags(snapshot: dict[str, Any]) -> dict[str, str]:
    return {each["Key"]: each["Value"] for each in snapshot.get("Tags", [])}
