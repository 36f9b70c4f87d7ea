"""Captures the requests for copies of botocore, the library under boto3, under a frozen clock.

`python -m tests.presign.capture > functions/aws/tests/fixtures/presigned_urls.json` writes the cases of CopySnapshot
that the Rust tests compare their own URLs with, `python -m tests.presign.capture databases > …/presigned_db_urls.json`
those of RDS; `test_botocore.py` holds these files against the botocore that is installed.
"""

import json
import sys
from typing import Any
from unittest import mock
from urllib.parse import parse_qsl

import botocore.awsrequest
import botocore.session
from botocore import xform_name
from freezegun import freeze_time

NOW = "2026-01-02T03:04:05Z"
# The access key of AWS's own signing examples; it opens nothing.
ACCESS_KEY = "AKIDEXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "IQoJb3JpZ2luX2VjE+/=AAA"
KEY = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ANSWERS = {
    "CopySnapshot": b"<CopySnapshotResponse><snapshotId>snap-1</snapshotId></CopySnapshotResponse>",
    "CopyDBSnapshot": b"<Answer><CopyDBSnapshotResult/></Answer>",
    "CopyDBClusterSnapshot": b"<Answer><CopyDBClusterSnapshotResult/></Answer>",
}

PLAIN: dict[str, Any] = {"SourceRegion": "eu-west-1", "SourceSnapshotId": "snap-0123456789abcdef0"}
FULL: dict[str, Any] = PLAIN | {
    "Description": "copy of snap & co: 100 % ~äöü\u2026 + / = ?",
    "Encrypted": True,
    "KmsKeyId": KEY,
    "CompletionDurationMinutes": 15,
    "TagSpecifications": [
        {
            "ResourceType": "snapshot",
            "Tags": [
                {"Key": "snapferry:policy", "Value": "default"},
                {"Key": "src", "Value": "a b/c+é*'()"},
                {"Key": "empty", "Value": ""},
            ],
        }
    ],
}

CASES: dict[str, dict[str, Any]] = {
    "plain": {"request": PLAIN},
    "encrypted": {"request": FULL},
    "session token": {"request": FULL, "token": TOKEN},
    "configured endpoint": {"request": FULL, "endpoint": "http://127.0.0.1:9"},
    "within one Region": {"request": PLAIN, "destination": "eu-west-1"},
    "encrypted within one Region": {"request": FULL, "destination": "eu-west-1"},
    "another partition": {"request": PLAIN | {"SourceRegion": "us-gov-west-1"}, "destination": "us-gov-east-1"},
    "china": {"request": PLAIN | {"SourceRegion": "cn-north-1"}, "destination": "cn-northwest-1", "token": TOKEN},
}


_TAGS = [{"Key": "snapferry:policy", "Value": "default"}, {"Key": "src", "Value": "a b/c+=:@"}]
_GOV_KEY = KEY.replace("arn:aws:kms:us-east-1", "arn:aws-us-gov:kms:us-gov-east-1")
_GOV_ARN = "arn:aws-us-gov:rds:us-gov-west-1:111122223333"
_GOV = {"SourceRegion": "us-gov-west-1", "KmsKeyId": _GOV_KEY, "Tags": _TAGS}
DB_CASES: dict[str, dict[str, Any]] = {
    "instance": {
        "operation": "CopyDBSnapshot",
        "request": _GOV
        | {
            "SourceDBSnapshotIdentifier": f"{_GOV_ARN}:snapshot:nightly",
            "TargetDBSnapshotIdentifier": "snapferry-1",
        },
        "destination": "us-gov-east-1",
    },
    "cluster": {
        "operation": "CopyDBClusterSnapshot",
        "request": _GOV
        | {
            "SourceDBClusterSnapshotIdentifier": f"{_GOV_ARN}:cluster-snapshot:nightly",
            "TargetDBClusterSnapshotIdentifier": "snapferry-1",
        },
        "destination": "us-gov-east-1",
        "token": TOKEN,
    },
}


def capture(
    request: dict[str, Any],
    *,
    operation: str = "CopySnapshot",
    token: str | None = None,
    endpoint: str | None = None,
    destination: str = "us-east-1",
) -> dict[str, Any]:
    """Let botocore make the request and keep its form instead of sending it."""
    service = "ec2" if operation == "CopySnapshot" else "rds"
    session = botocore.session.Session()
    session.set_credentials(ACCESS_KEY, SECRET_KEY, token)
    client = session.create_client(service, region_name=destination, endpoint_url=endpoint)
    sent: dict[str, str] = {}

    def keep(request: Any, **_: object) -> Any:
        body = request.body.decode() if isinstance(request.body, bytes) else request.body
        sent.update(parse_qsl(body, keep_blank_values=True))
        raw = mock.Mock(stream=lambda *_args, **_kwargs: iter([ANSWERS[operation]]))
        return botocore.awsrequest.AWSResponse(request.url, 200, {}, raw)

    client.meta.events.register(f"before-send.{service}.{operation}", keep)
    with freeze_time(NOW):
        getattr(client, xform_name(operation))(**request)
    url = sent.pop("PresignedUrl" if service == "ec2" else "PreSignedUrl")
    form = [[key, value] for key, value in sent.items() if key not in {"Action", "Version", "DestinationRegion"}]
    return {
        "token": token,
        "endpoint": endpoint,
        "source": request["SourceRegion"],
        "destination": destination,
        "form": form,
        "url": url,
    }


def capture_all(cases: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """All cases, by name."""
    return {"now": NOW, "cases": {name: capture(**case) for name, case in cases.items()}}


if __name__ == "__main__":
    json.dump(
        capture_all(DB_CASES if sys.argv[1:] == ["databases"] else CASES), sys.stdout, indent=1, ensure_ascii=False
    )
    sys.stdout.write("\n")
