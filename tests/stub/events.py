"""Share events of the stub's snapshots, as the queue hands them over."""

from __future__ import annotations

import json
from typing import Any

from tests.stub.stub import HOME, SOURCE, TARGET, snapshot


def share(number: int) -> dict[str, Any]:
    """One event (EBS User Guide, "EventBridge events for Amazon EBS") as a message."""
    arn = f"arn:aws:ec2::{HOME}:snapshot/{snapshot(number)}"
    detail = {
        "event": "shareSnapshot",
        "result": "succeeded",
        "cause": "",
        "request-id": "",
        "snapshot_id": arn,
        "source": SOURCE,
        "startTime": "2026-11-01T03:00:00Z",
        "endTime": "2026-11-01T03:10:00Z",
    }
    body = {
        "version": "0",
        "id": f"event-{number}",
        "detail-type": "EBS Snapshot Notification",
        "source": "aws.ec2",
        "account": TARGET,
        "time": "2026-11-01T03:10:01Z",
        "region": HOME,
        "resources": [arn],
        "detail": detail,
    }
    return {
        "messageId": f"message-{number}",
        "receiptHandle": "handle",
        "body": json.dumps(body),
        "attributes": {},
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{HOME}:{TARGET}:copier.fifo",
        "awsRegion": HOME,
    }


def batch(first: int, size: int) -> dict[str, Any]:
    """The input of one invocation."""
    return {"Records": [share(number) for number in range(first, first + size)]}
