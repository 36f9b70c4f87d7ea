"""CopySnapshot's PresignedUrl."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from botocore.handlers import inject_presigned_url_ec2
from botocore.session import Session

from tests.cloud import LocalAws
from tests.cloud.scene import AWAY, HOME, STRANGER, TARGET, describe, ec2, key, refused, shared


@contextmanager
def silent(aws: LocalAws, account: str, region: str) -> Iterator[Any]:
    """A client as of an SDK that adds no presigned URL by itself."""
    client = Session().create_client(
        "ec2",
        region_name=region,
        endpoint_url=aws.endpoint,
        aws_access_key_id=account,
        aws_secret_access_key=account,
    )
    client.meta.events.unregister("before-call.ec2.CopySnapshot", handler=inject_presigned_url_ec2)
    yield client
    client.close()


def presigned(aws: LocalAws, request: dict[str, Any], account: str = TARGET, region: str = HOME) -> str:
    """A URL as botocore signs it for the source Region."""
    asked = {"DestinationRegion": AWAY, **request}
    with silent(aws, account, region) as client:
        url: str = client.generate_presigned_url("copy_snapshot", Params=asked, ExpiresIn=3600, HttpMethod="GET")
    return url


def changed(url: str, **changes: str) -> str:
    parts = urlsplit(url)
    query = {**dict(parse_qsl(parts.query, keep_blank_values=True)), **changes}
    return parts._replace(query=urlencode({name: value for name, value in query.items() if value})).geturl()


@pytest.fixture
def request_(aws: LocalAws) -> dict[str, Any]:
    return {
        "SourceRegion": HOME,
        "SourceSnapshotId": shared(aws),
        "Encrypted": True,
        "KmsKeyId": key(aws, TARGET, AWAY),
    }


def test_botos_own_url_is_accepted(aws: LocalAws, request_: dict[str, Any]) -> None:
    made = ec2(aws, TARGET, AWAY).copy_snapshot(**request_)["SnapshotId"]
    assert "PresignedUrl" in aws.control.calls(action="CopySnapshot")[0].parameters
    assert describe(aws, made)["KmsKeyId"] == request_["KmsKeyId"]


def test_a_url_of_ones_own_is_accepted(aws: LocalAws, request_: dict[str, Any]) -> None:
    url = presigned(aws, request_)
    assert "X-Amz-Signature" in url
    made = ec2(aws, TARGET, AWAY).copy_snapshot(PresignedUrl=url, **request_)["SnapshotId"]
    assert describe(aws, made)["KmsKeyId"] == request_["KmsKeyId"]


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"SourceSnapshotId": "snap-00000000"}, "InvalidParameterValue", "source snapshot"),
        ({"SourceRegion": "eu-central-1"}, "InvalidParameterValue", "SourceRegion"),
        ({"DestinationRegion": "eu-central-1"}, "InvalidParameterValue", "destination region"),
        ({"DestinationRegion": ""}, "InvalidParameterValue", "destination region"),
        ({"Encrypted": ""}, "InvalidParameterValue", "Encrypted"),
        ({"KmsKeyId": "alias/other"}, "InvalidParameterValue", "KmsKeyId"),
        ({"SourceSnapshotId": ""}, "InvalidParameterValue", "source snapshot"),
        ({"Action": "DescribeSnapshots"}, "InvalidParameterValue", "CopySnapshot"),
        ({"X-Amz-Signature": "00"}, "InvalidParameterValue", "X-Amz-Signature"),
        ({"X-Amz-Algorithm": ""}, "InvalidParameterValue", "X-Amz-Algorithm"),
        ({"X-Amz-Date": "20200101T000000Z"}, "AuthFailure", "expired"),
    ],
)
def test_a_url_that_says_something_else_is_refused(
    aws: LocalAws, request_: dict[str, Any], changes: dict[str, str], code: str, words: str
) -> None:
    with refused(code, words):
        ec2(aws, TARGET, AWAY).copy_snapshot(PresignedUrl=changed(presigned(aws, request_), **changes), **request_)


def test_the_signature_itself_is_not_verified(aws: LocalAws, request_: dict[str, Any]) -> None:
    """Nor is it by AWS (copy_data_failures, invalid-signature)."""
    url = changed(presigned(aws, request_), **{"X-Amz-Signature": "0" * 64})
    made = ec2(aws, TARGET, AWAY).copy_snapshot(PresignedUrl=url, **request_)["SnapshotId"]
    assert describe(aws, made)["KmsKeyId"] == request_["KmsKeyId"]


def test_a_url_signed_for_the_wrong_region_or_by_another_account_is_refused(
    aws: LocalAws, request_: dict[str, Any]
) -> None:
    with refused("AuthFailure", "scoped"):
        ec2(aws, TARGET, AWAY).copy_snapshot(PresignedUrl=presigned(aws, request_, region=AWAY), **request_)
    with refused("AuthFailure", "another account"):
        ec2(aws, TARGET, AWAY).copy_snapshot(PresignedUrl=presigned(aws, request_, account=STRANGER), **request_)


def test_without_a_url_the_copy_ends_under_the_default_key(aws: LocalAws, request_: dict[str, Any]) -> None:
    made = without_url(aws, request_)
    default = aws.client("kms", TARGET, AWAY).describe_key(KeyId="alias/aws/ebs")["KeyMetadata"]["Arn"]
    assert describe(aws, made)["KmsKeyId"] == default
    aws.control.configure(presigned_url_needed=False)
    assert describe(aws, without_url(aws, request_))["KmsKeyId"] == request_["KmsKeyId"]


def test_within_one_region_no_url_is_needed(aws: LocalAws, request_: dict[str, Any]) -> None:
    own = key(aws, TARGET, HOME)
    made = without_url(aws, {**request_, "KmsKeyId": own}, region=HOME)
    assert describe(aws, made, region=HOME)["KmsKeyId"] == own


def without_url(aws: LocalAws, request: dict[str, Any], region: str = AWAY) -> str:
    """A copy that is asked for with no URL."""
    with silent(aws, TARGET, region) as client:
        made: str = client.copy_snapshot(**request)["SnapshotId"]
    assert "PresignedUrl" not in aws.control.calls(action="CopySnapshot")[-1].parameters
    return made
