"""What accounts do themselves, through boto3: make keys, volumes and snapshots, and share them."""

import itertools
import json
from dataclasses import dataclass, field
from typing import Any

from tests.cloud import LocalAws

HOME = "us-east-1"

_numbers = itertools.count(100_000_000_001)


def new_account() -> str:
    """An account number that nobody else in this process uses."""
    return str(next(_numbers))


@dataclass(frozen=True)
class Account:
    """One account of the local AWS."""

    aws: LocalAws
    number: str = field(default_factory=new_account)

    def client(self, service: str, region: str = HOME) -> Any:
        """A boto3 client with this account's credentials."""
        return self.aws.client(service, self.number, region)

    def create_key(self, region: str, *, used_by: str | None = None) -> str:
        """Make a customer managed key, which another account may use for its copies; return its ARN."""
        statements = [_allow(self.number, ["kms:*"])]
        if used_by is not None:
            use = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
            grant = ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"]
            for_ebs = {"Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}}}
            statements += [_allow(used_by, use), {**_allow(used_by, grant), **for_ebs}]
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        key: str = self.client("kms", region).create_key(Policy=policy)["KeyMetadata"]["Arn"]
        return key

    def create_snapshot(
        self, description: str = "", *, region: str = HOME, key: str | None = None, gib: int = 1
    ) -> dict[str, Any]:
        """Make a volume and a snapshot of it, and return the snapshot as EC2 describes it."""
        ec2 = self.client("ec2", region)
        encryption = {} if key is None else {"Encrypted": True, "KmsKeyId": key}
        volume = ec2.create_volume(Size=gib, AvailabilityZone=f"{region}a", **encryption)
        snapshot: dict[str, Any] = ec2.create_snapshot(VolumeId=volume["VolumeId"], Description=description)
        return snapshot

    def share(self, snapshot: str, recipient: str, *, region: str = HOME) -> None:
        """Share a snapshot with another account."""
        self._permit("add", snapshot, recipient, region)

    def unshare(self, snapshot: str, recipient: str, *, region: str = HOME) -> None:
        """Take a share back."""
        self._permit("remove", snapshot, recipient, region)

    def _permit(self, operation: str, snapshot: str, recipient: str, region: str) -> None:
        self.client("ec2", region).modify_snapshot_attribute(
            SnapshotId=snapshot,
            Attribute="createVolumePermission",
            OperationType=operation,
            UserIds=[recipient],
        )


def _allow(account: str, actions: list[str]) -> dict[str, Any]:
    principal = {"AWS": f"arn:aws:iam::{account}:root"}
    return {"Effect": "Allow", "Principal": principal, "Action": actions, "Resource": "*"}
