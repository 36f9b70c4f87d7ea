"""Copies shared snapshots, as a careful engineer would write it in an afternoon.

The same job as copy-shared-snapshots for events: read the snapshot, filter by owner and description, look whether it
was copied already, copy it into each Region of the policy with key and tags. Clients are made once, when the module
is loaded, and Regions are worked on at the same time. It checks no keys and no limits, and verifies nothing.
"""

import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

POLICY = json.loads(os.environ["SNAPFERRY_POLICY"])
PARAMETERS = POLICY["EventSource"]["Parameters"]
COPIES = [copy for action in POLICY["Actions"] for copy in action["CrossRegionCopy"]]
HOME = os.environ["AWS_REGION"]
CLIENTS = {region: boto3.client("ec2", region_name=region) for region in {HOME, *(each["Target"] for each in COPIES)}}
POOL = ThreadPoolExecutor(max_workers=len(COPIES))


def handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    """Lambda's entry: an SQS batch of share events."""
    return {"copies": sum(share(json.loads(record["body"])) for record in event["Records"])}


def share(event: dict[str, Any]) -> int:
    """One share event; the number of copies started."""
    snapshot_id = event["detail"]["snapshot_id"].rsplit("/", 1)[-1]
    (snapshot,) = CLIENTS[HOME].describe_snapshots(SnapshotIds=[snapshot_id])["Snapshots"]
    if snapshot["OwnerId"] not in PARAMETERS["SnapshotOwner"]:
        return 0
    if not re.fullmatch(PARAMETERS["DescriptionRegex"], snapshot["Description"]):
        return 0
    return sum(POOL.map(lambda target: copy(snapshot, target), COPIES))


def copy(snapshot: dict[str, Any], target: dict[str, Any]) -> int:
    """One copy, unless there is one."""
    ec2 = CLIENTS[target["Target"]]
    mine = {"Name": "tag:source-snapshot", "Values": [snapshot["SnapshotId"]]}
    if ec2.describe_snapshots(OwnerIds=["self"], Filters=[mine])["Snapshots"]:
        return 0
    expires = datetime.now(UTC) + timedelta(days=target["RetainRule"]["Interval"])
    tags = {"source-snapshot": snapshot["SnapshotId"], "expires": expires.isoformat()}
    answer = ec2.copy_snapshot(
        SourceRegion=HOME,
        SourceSnapshotId=snapshot["SnapshotId"],
        Encrypted=True,
        KmsKeyId=target["EncryptionConfiguration"]["CmkArn"],
        TagSpecifications=[
            {"ResourceType": "snapshot", "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
        ],
    )
    print(json.dumps({"copied": snapshot["SnapshotId"], "to": target["Target"], "as": answer["SnapshotId"]}))
    return 1
