"""What IAM is asked about a call: each EC2, KMS, DynamoDB or RDS call that was recorded, as the requests that AWS
authorizes it by.

Sources: Service Authorization Reference (Amazon EC2, AWS KMS, Amazon DynamoDB, Amazon RDS), EC2 User Guide ("Grant
permissions to tag resources during creation"), KMS Developer Guide ("How Amazon EBS uses AWS KMS"), RDS User Guide
("Copying a DB snapshot", on permissions across Regions).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.cloud.control import Call
from tests.iam.evaluator import Request

# A call that EC2 makes to KMS for the caller, and whether it makes it with the caller's permissions only to grant EC2
# itself the use of the key.
_FOR_EBS = {"kms:GrantIsForAWSResource": "true"}
_KEY_OF_COPIES = ("kms:CreateGrant", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptTo")
_KEY_OF_SOURCES = ("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:ReEncryptFrom")


@dataclass(frozen=True)
class Snapshot:
    """A snapshot that a call names, as the local AWS recorded it before the call."""

    arn: str
    owner: str
    tags: dict[str, str]
    kms_key: str | None

    @property
    def context(self) -> dict[str, str | list[str]]:
        """The condition keys that describe it."""
        return {"ec2:Owner": self.owner, **tags_on(self.tags)}


def tags_on(tags: dict[str, str]) -> dict[str, str | list[str]]:
    """The condition keys that describe a resource's tags."""
    return {f"aws:ResourceTag/{key}": value for key, value in tags.items()}


def requests_of(call: Call) -> list[Request]:
    """The requests, all of which must be allowed. None about snapshots and keys that do not exist."""
    asked = list({"kms": _of_kms, "dynamodb": _of_dynamodb, "rds": _of_rds}.get(call.service, _of_ec2)(call))
    return [Request(call.role, action, resource, region, context) for action, resource, region, context in asked]


_Asked = tuple[str, str, str, dict[str, str | list[str]]]


def _of_kms(call: Call) -> Iterator[_Asked]:
    for each in call.resources:
        yield f"kms:{call.action}", each["arn"], call.region, _of_account(each["arn"])


def _of_dynamodb(call: Call) -> Iterator[_Asked]:
    """On the table, or on its index, with the partition keys of the items."""
    for each in call.resources:
        keys: dict[str, str | list[str]] = (
            {"dynamodb:LeadingKeys": each["leading_keys"]} if each["leading_keys"] else {}
        )
        yield f"dynamodb:{call.action}", each["arn"], call.region, keys


def _of_ec2(call: Call) -> Iterator[_Asked]:
    if call.action.startswith("Describe"):
        yield f"ec2:{call.action}", "*", call.region, {}
    elif call.action == "CopySnapshot":
        yield from _of_copy(call)
    else:
        for snapshot in _snapshots(call, "target"):
            yield (
                f"ec2:{call.action}",
                snapshot.arn,
                call.region,
                {**snapshot.context, **_in_request(call.request_tags), **_of_lock(call)},
            )


def _of_copy(call: Call) -> Iterator[_Asked]:
    """On the source, on the copy that does not exist yet, on the copy's tags, and on both keys; on the copy a second
    time in the source's Region, where the presigned URL is checked."""
    tags = _in_request(call.request_tags)
    source_region = str(call.parameters.get("SourceRegion") or call.region)
    for source in _snapshots(call, "source"):
        yield "ec2:CopySnapshot", source.arn, call.region, source.context
        if source.kms_key:
            yield from _of_ebs(_KEY_OF_SOURCES, source.kms_key, call.region)
    for region in dict.fromkeys((call.region, source_region)):
        copy = f"arn:aws:ec2:{region}::snapshot/*"
        yield "ec2:CopySnapshot", copy, region, tags
        yield "ec2:CreateTags", copy, region, {**tags, "ec2:CreateAction": "CopySnapshot"}
    if key := call.parameters.get("KmsKeyId"):
        yield from _of_ebs(_KEY_OF_COPIES, str(key), call.region)


def _of_rds(call: Call) -> Iterator[_Asked]:
    if call.action.startswith("Describe"):
        yield f"rds:{call.action}", "*", call.region, {}
    elif call.action.startswith("Copy"):
        yield from _of_database_copy(call)
    else:
        for snapshot in _snapshots(call, "target"):
            tags = {**tags_on(snapshot.tags), **_in_request(call.request_tags)}
            yield f"rds:{call.action}", snapshot.arn, call.region, tags


def _of_database_copy(call: Call) -> Iterator[_Asked]:
    """On the source, on the copy, whose name the caller chose, on its tags, and on both keys; in the source's Region
    once more, because RDS calls that on the caller's behalf."""
    tags = _in_request(call.request_tags)
    for source in _snapshots(call, "source"):
        there = source.arn.split(":")[3]
        regions = tuple(dict.fromkeys((call.region, there)))
        if len(regions) > 1:
            yield "rds:CrossRegionCommunication", "*", call.region, {}
        for region in regions:
            owner: dict[str, str | list[str]] = {"aws:ResourceAccount": source.owner}
            yield f"rds:{call.action}", source.arn, region, {**owner, **tags}
            for each in call.resources:
                if each["role"] == "target":
                    already = tags_on(each["tags"])
                    yield f"rds:{call.action}", each["arn"], region, {**already, **tags}
                    yield "rds:AddTagsToResource", each["arn"], region, {**already, **tags}
        if source.kms_key:
            yield from _of_rds_keys(source.kms_key, there)
    if key := call.parameters.get("KmsKeyId"):
        yield from _of_rds_keys(str(key), call.region)


def _of_rds_keys(key: str, region: str) -> Iterator[_Asked]:
    """What RDS does with a key for the caller (RDS User Guide, "AWS KMS key management")."""
    through: dict[str, str | list[str]] = {"kms:ViaService": f"rds.{region}.amazonaws.com", **_of_account(key)}
    for action in ("Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo"):
        yield f"kms:{action}", key, region, through
    yield "kms:CreateGrant", key, region, {**through, **_FOR_EBS}


def _of_ebs(actions: tuple[str, ...], key: str, region: str) -> Iterator[_Asked]:
    for action in actions:
        grant = _FOR_EBS if action == "kms:CreateGrant" else {}
        yield action, key, region, {**_of_account(key), **grant}


def _of_account(key: str) -> dict[str, str | list[str]]:
    """The global condition key that names the account of a key."""
    return {"aws:ResourceAccount": key.split(":")[4]}


def _of_lock(call: Call) -> dict[str, str | list[str]]:
    """A lock until a date has no duration."""
    days = call.parameters.get("LockDuration")
    return {} if days is None else {"ec2:SnapshotLockDuration": str(days)}


def _snapshots(call: Call, role: str) -> list[Snapshot]:
    return [
        Snapshot(each["arn"], each["owner"], each["tags"], each["kms_key"])
        for each in call.resources
        if each["role"] == role and each["owner"] is not None
    ]


def _in_request(tags: dict[str, str]) -> dict[str, str | list[str]]:
    """The condition keys that describe the tags that a request sets."""
    if not tags:
        return {}
    return {"aws:TagKeys": list(tags), **{f"aws:RequestTag/{key}": value for key, value in tags.items()}}


def document_of(value: Any) -> dict[str, Any]:
    """A policy document out of IAM's answer, which the client library has decoded."""
    if not isinstance(value, dict):
        raise TypeError(f"not a policy document: {value!r}")
    return value
