"""Where probes stand: two accounts, two Regions, and what was made there, each with how it is removed."""

import base64
import hashlib
import json
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from tests.live.removal import KEY_WAITS_DAYS, Thing, gone
from tests.live.setting import TAG, Clients, RefusedError, Setting

# What a call may end with that has no good answer; an answer that is no XML is the last.
UNANSWERED = (ClientError, BotoCoreError, ResponseParserError)

BLOCK = b"Snapferry probes this block. ".ljust(524_288, b".")
INDEX = 7
NO_QUEUE = "AWS.SimpleQueueService.NonExistentQueue"
GONE = {
    "InvalidSnapshot.NotFound",
    "NoSuchEntity",
    "ResourceNotFoundException",
    "QueueDoesNotExist",
    NO_QUEUE,
    "DBSnapshotNotFound",
    "DBClusterSnapshotNotFoundFault",
}


@dataclass
class Ground:
    """A probe makes everything through this, so that all of it is removed, and nothing else."""

    setting: Setting
    home: str  # where snapshots are made and shared
    away: str  # where they are copied to
    source_account: str
    target_account: str
    partition: str
    database: str = ""  # the ARN of a manual snapshot of the source account's, or none
    run: str = field(default_factory=lambda: datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ"))
    made: list[Thing] = field(default_factory=list)
    _kept: dict[str, str] = field(default_factory=dict)

    @property
    def tags(self) -> list[dict[str, str]]:
        return [{"Key": TAG, "Value": self.run}]

    @property
    def of_snapshot(self) -> list[dict[str, Any]]:
        return [{"ResourceType": "snapshot", "Tags": self.tags}]

    def name(self, what: str) -> str:
        """A name that nothing else has."""
        return f"snapferry-probe-{what}-{self.run}"

    def once(self, name: str, make: Callable[[], str]) -> str:
        """The same thing for all probes that ask for it."""
        if name not in self._kept:
            self._kept[name] = make()
        return self._kept[name]

    def will_make(self, what: str, by_hand: str, remove: Callable[[], object]) -> None:
        """Note how something is removed: before it is asked for if its name is known, or else at once after."""

        def remove_if_there() -> None:
            try:
                remove()
            except ClientError as error:
                if error.response["Error"]["Code"] not in GONE:
                    raise

        self.made.append(Thing(what, by_hand, remove_if_there))


def stand(setting: Setting, home: str, away: str, database: str = "") -> Ground:
    """Look who the two accounts are; nothing is made."""
    if home == away:
        raise RefusedError(f"Both Regions are {home}: name another one to copy to (AWAY=…).")
    here, there = (clients("sts", home).get_caller_identity() for clients in (setting.source, setting.target))
    if here["Account"] == there["Account"]:
        raise RefusedError(f"Both profiles are of the account {here['Account']}: nothing can be shared.")
    if database and database.split(":")[2:5] != ["rds", home, here["Account"]]:
        raise RefusedError(f"{database} is no snapshot of a database of {here['Account']} in {home}.")
    return Ground(setting, home, away, here["Account"], there["Account"], here["Arn"].split(":")[1], database)


def clear(ground: Ground) -> list[str]:
    """Remove what was made, the last first, and snapshots with the run's tag whose making was not answered; return what
    is left, each with how a person removes it."""
    sides = (("source", ground.setting.source, ground.home), *_targets(ground))
    for whose, clients, region in sides:
        mine = [{"Name": f"tag:{TAG}", "Values": [ground.run]}]
        with suppress(*UNANSWERED):
            for each in sorted(listed(ground, clients, region, OwnerIds=["self"], Filters=mine)):
                if not any(each in thing.what for thing in ground.made):
                    snapshot_made(ground, clients, region, each, whose)
    things = list(reversed(ground.made))
    return gone(lambda: things, ground.setting, settle=0)


def _targets(ground: Ground) -> list[tuple[str, Clients, str]]:
    return [("target", ground.setting.target, region) for region in (ground.home, ground.away)]


def source_key(ground: Ground) -> str:
    """A key of the source account that the target account may use."""
    return ground.once("source key", lambda: _key(ground, ground.setting.source, ground.home, "source", shared=True))


def target_key(ground: Ground, region: str) -> str:
    return ground.once(f"key {region}", lambda: _key(ground, ground.setting.target, region, "target", shared=False))


def _key(ground: Ground, clients: Clients, region: str, whose: str, *, shared: bool) -> str:
    kms = clients("kms", region)
    accounts = [ground.source_account, ground.target_account] if shared else [ground.target_account]
    statements = [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:{ground.partition}:iam::{account}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
        for account in accounts
    ]
    made: str = kms.create_key(
        Description=f"Snapferry probe {ground.run}; may be deleted",
        Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}),
        Tags=[{"TagKey": TAG, "TagValue": ground.run}],
    )["KeyMetadata"]["Arn"]
    ground.will_make(
        f"key {made} of the {whose} account, which KMS deletes in {KEY_WAITS_DAYS} days",
        f"aws kms schedule-key-deletion --region {region} --key-id {made} --pending-window-in-days {KEY_WAITS_DAYS}",
        lambda: kms.schedule_key_deletion(KeyId=made, PendingWindowInDays=KEY_WAITS_DAYS),
    )
    return made


def snapshot_made(ground: Ground, clients: Clients, region: str, snapshot: str, whose: str) -> str:
    """Note a snapshot that a call has just made."""
    ground.will_make(
        f"snapshot {snapshot} in {region} of the {whose} account",
        f"aws ec2 delete-snapshot --region {region} --snapshot-id {snapshot}",
        lambda: clients("ec2", region).delete_snapshot(SnapshotId=snapshot),
    )
    return snapshot


def sealed(ground: Ground) -> str:
    """An encrypted snapshot of one block, shared and readable by its recipient."""
    return ground.once("sealed", lambda: shared(ground, new_snapshot(ground, source_key(ground))))


def new_snapshot(ground: Ground, key: str | None = None) -> str:
    """A completed snapshot of one block in the source account."""
    ebs = ground.setting.source("ebs", ground.home)
    under: dict[str, Any] = {"Encrypted": True, "KmsKeyArn": key} if key else {}
    started = ebs.start_snapshot(VolumeSize=1, Description=f"Snapferry probe {ground.run}", Tags=ground.tags, **under)
    snapshot = snapshot_made(ground, ground.setting.source, ground.home, started["SnapshotId"], "source")
    checksum = base64.b64encode(hashlib.sha256(BLOCK).digest()).decode()
    put = {"DataLength": len(BLOCK), "Checksum": checksum, "ChecksumAlgorithm": "SHA256"}
    ebs.put_snapshot_block(SnapshotId=snapshot, BlockIndex=INDEX, BlockData=BLOCK, **put)
    ebs.complete_snapshot(SnapshotId=snapshot, ChangedBlocksCount=1)
    ended(ground, ground.setting.source, ground.home, snapshot)
    return snapshot


def shared(ground: Ground, snapshot: str) -> str:
    """Share a snapshot, and wait until its recipient can list it and read its blocks."""
    share(ground, snapshot)
    ground.setting.until(
        lambda: listed(ground, ground.setting.target, ground.home, OwnerIds=[ground.source_account]) >= {snapshot},
        within=ground.setting.other_within,
        what=f"{snapshot} to be listed by its recipient",
    )
    wait_for_blocks(ground, ground.setting.target, ground.home, snapshot)
    return snapshot


def share(ground: Ground, snapshot: str) -> None:
    ground.setting.source("ec2", ground.home).modify_snapshot_attribute(
        SnapshotId=snapshot,
        Attribute="createVolumePermission",
        OperationType="add",
        UserIds=[ground.target_account],
    )


def listed(ground: Ground, clients: Clients, region: str, **request: Any) -> set[str]:
    """The IDs in all pages of a list."""
    pages = clients("ec2", region).get_paginator("describe_snapshots").paginate(**request)
    return {each["SnapshotId"] for page in pages for each in page["Snapshots"]}


def wait_for_blocks(ground: Ground, clients: Clients, region: str, snapshot: str) -> list[dict[str, Any]]:
    """The blocks' indices and tokens, as soon as EBS direct finds the snapshot."""

    def found() -> list[dict[str, Any]]:
        with suppress(clients("ebs", region).exceptions.ResourceNotFoundException):
            blocks: list[dict[str, Any]] = clients("ebs", region).list_snapshot_blocks(SnapshotId=snapshot)["Blocks"]
            return blocks
        return []

    within = ground.setting.other_within
    return ground.setting.until(found, within=within, what=f"EBS direct to find the blocks of {snapshot}")


def ended(ground: Ground, clients: Clients, region: str, snapshot: str) -> dict[str, Any]:
    """The snapshot once it is pending no more."""

    def look() -> dict[str, Any]:
        wanted = [{"Name": "snapshot-id", "Values": [snapshot]}]
        found = clients("ec2", region).describe_snapshots(OwnerIds=["self"], Filters=wanted)["Snapshots"]
        return dict(found[0]) if found and found[0]["State"] != "pending" else {}

    return ground.setting.until(look, within=ground.setting.copy_within, what=f"{snapshot} to be pending no more")


def outcome(call: Callable[[], object], passes: Collection[str] = ()) -> str:
    """What a call comes to: `accepted`, or the error's code; a code that means success there is that, too."""
    try:
        call()
    except ClientError as error:
        code = str(error.response["Error"]["Code"])
        reason = error.response.get("Reason")  # EBS direct's
        return "accepted" if code in passes else f"{code}, {reason}" if reason else code
    return "accepted"
