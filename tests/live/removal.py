"""Take away what a run made and caused: by its tags too, so that nothing is missed whose creation was not answered."""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tests.live.setting import TAG, Setting

KEY_WAITS_DAYS = 7  # the shortest that KMS allows
CLOCKS_DIFFER = timedelta(minutes=5)
# What trying again does not change.
FINAL = {"UnauthorizedOperation", "AccessDeniedException", "OperationNotPermitted", "SnapshotLocked"}


@dataclass
class Made:
    """What a run has made so far in the source account, and where it can have caused copies."""

    run: str
    region: str
    target_account: str
    target_regions: list[str]
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    asked_for_key: bool = False  # from the moment of asking
    key: str | None = None
    volumes: set[str] = field(default_factory=set)
    snapshots: set[str] = field(default_factory=set)
    shared: set[str] = field(default_factory=set)  # snapshots, from the moment of asking


@dataclass(frozen=True)
class Thing:
    """Something to remove, how to, and how a person does it."""

    what: str
    by_hand: str
    delete: Callable[[], object]


def remove(made: Made, setting: Setting) -> list[str]:
    """Remove everything, whatever fails meanwhile; return what is left, each with the command that removes it."""
    left: list[str] = []
    ec2 = setting.source("ec2", made.region)

    def all_of(known: set[str], operation: str, member: str, identity: str, **more: Any) -> list[str]:
        mine = [{"Name": f"tag:{TAG}", "Values": [made.run]}]
        try:
            pages = ec2.get_paginator(operation).paginate(Filters=mine, **more)
            return sorted(known | {str(each[identity]) for page in pages for each in page[member]})
        except (ClientError, BotoCoreError) as error:
            left.append(
                f"perhaps more with the tag {TAG}={made.run} in {made.region}, which could not be listed: {error}"
            )
            return sorted(known)

    # First what Snapferry could copy again, then the copies.
    for snapshot in sorted(made.shared):
        # If it fails, the snapshot goes all the same, or is told of.
        with suppress(ClientError, BotoCoreError):
            _unshare(ec2, snapshot, made.target_account)
    snapshots = all_of(made.snapshots, "describe_snapshots", "Snapshots", "SnapshotId", OwnerIds=["self"])
    left += gone(lambda: [_snapshot(ec2, each, made.region, "source") for each in snapshots], setting, settle=0)
    for snapshot in sorted(made.shared):
        left += gone(partial(_copies, snapshot, made, setting), setting, settle=setting.settle)
    volumes = all_of(made.volumes, "describe_volumes", "Volumes", "VolumeId")
    left += gone(lambda: [_volume(ec2, each, made.region) for each in volumes], setting, settle=0)
    kms = setting.source("kms", made.region)
    if made.key is not None:
        known = [_key(kms, made.key, made.region)]
        left += gone(lambda: known, setting, settle=0)
    if made.asked_for_key:
        tagged = partial(_keys, kms, made)
        left += gone(tagged, setting, settle=setting.settle, what=f"a key with the tag {TAG}={made.run}")
    return left


def copies_of(snapshot: str, regions: Iterable[str], setting: Setting) -> list[tuple[str, dict[str, Any]]]:
    """Snapferry's copies of a snapshot in the target account, each with its Region and its tags as a dict."""
    wanted = [{"Name": "tag:snapferry:source-snapshot", "Values": [snapshot]}]
    found = []
    for region in regions:
        pages = setting.target("ec2", region).get_paginator("describe_snapshots")
        for page in pages.paginate(OwnerIds=["self"], Filters=wanted):
            for each in page["Snapshots"]:
                tags = {tag["Key"]: tag["Value"] for tag in each.get("Tags", [])}
                # Once more than the filter asked for, because what is found here is deleted in the end.
                if tags.get("snapferry:source-snapshot") == snapshot:
                    found.append((region, {**each, "tags": tags}))
    return found


def gone(things: Callable[[], list[Thing]], setting: Setting, *, settle: float, what: str = "copies") -> list[str]:
    """Delete each of the things, again where that may help, until none has come up for `settle` seconds; return what is
    left. Never ended by a wish to end: what was made is removed then too."""
    done: set[str] = set()
    quiet_since = time.monotonic()
    deadline = quiet_since + setting.other_within
    while True:
        refused: dict[str, str] = {}
        again = False
        try:
            found = things()
        except (ClientError, BotoCoreError) as error:
            refused[f"perhaps {what}, which could not be listed"] = str(error)
            found, again = [], _code(error) not in FINAL
        for thing in found:
            if thing.what in done:
                continue
            try:
                thing.delete()
            except (ClientError, BotoCoreError) as error:
                refused[thing.what] = f"{error}\n    {thing.by_hand}"
                again = again or _code(error) not in FINAL
            else:
                done.add(thing.what)
                quiet_since = time.monotonic()
                setting.say(f"Removed: {thing.what}.")
        settled = not again and time.monotonic() - quiet_since >= settle
        if settled or time.monotonic() >= deadline:
            return [f"{each}: {why}" for each, why in refused.items()]
        time.sleep(setting.pause if again else min(setting.pause, settle))


def _copies(snapshot: str, made: Made, setting: Setting) -> list[Thing]:
    """All copies of a snapshot; a copy may have been under way when it was deleted, so one asks again."""
    found = copies_of(snapshot, made.target_regions, setting)
    return [
        _snapshot(setting.target("ec2", region), copy["SnapshotId"], region, "target", f"the copy of {snapshot}, ")
        for region, copy in found
    ]


def _unshare(ec2: Any, snapshot: str, account: str) -> None:
    ec2.modify_snapshot_attribute(
        SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="remove", UserIds=[account]
    )


def _snapshot(ec2: Any, snapshot: str, region: str, whose: str, of: str = "") -> Thing:
    return Thing(
        f"{of}snapshot {snapshot} in {region} of the {whose} account",
        f"aws ec2 delete-snapshot --region {region} --snapshot-id {snapshot}",
        lambda: ec2.delete_snapshot(SnapshotId=snapshot),
    )


def _volume(ec2: Any, volume: str, region: str) -> Thing:
    return Thing(
        f"volume {volume} in {region} of the source account",
        f"aws ec2 delete-volume --region {region} --volume-id {volume}",
        lambda: ec2.delete_volume(VolumeId=volume),
    )


def _keys(kms: Any, made: Made) -> list[Thing]:
    """The run's keys besides the one that is known: those whose creation was not answered."""
    keys = [
        (each["KeyId"], each["KeyArn"]) for page in kms.get_paginator("list_keys").paginate() for each in page["Keys"]
    ]
    others = [(key, arn) for key, arn in keys if arn != made.key]
    mine = [arn for key, arn in others if _is_young(kms, key, made.since) and _tag(kms, key) == made.run]
    return [_key(kms, arn, made.region) for arn in mine]


def _is_young(kms: Any, key: str, since: datetime) -> bool:
    """Whether a key is usable, the account's own, and made since the run began; no other is looked at closer."""
    try:
        described = kms.describe_key(KeyId=key)["KeyMetadata"]
    except ClientError as error:
        # A key of this run lets its account look at it.
        if _code(error) == "AccessDeniedException":
            return False
        raise
    enabled = (described["KeyState"], described["KeyManager"]) == ("Enabled", "CUSTOMER")
    return enabled and bool(described["CreationDate"] >= since - CLOCKS_DIFFER)


def _tag(kms: Any, key: str) -> str | None:
    tags = {each["TagKey"]: str(each["TagValue"]) for each in kms.list_resource_tags(KeyId=key)["Tags"]}
    return tags.get(TAG)


def _key(kms: Any, key: str, region: str) -> Thing:
    return Thing(
        f"key {key}, which KMS deletes in {KEY_WAITS_DAYS} days",
        f"aws kms schedule-key-deletion --region {region} --key-id {key} --pending-window-in-days {KEY_WAITS_DAYS}",
        lambda: kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=KEY_WAITS_DAYS),
    )


def _code(error: Exception) -> str:
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else ""
