"""CopySnapshot [EC2 API reference, CopySnapshot; EBS user guide, "Copy an Amazon EBS snapshot"].

It answers 200 with a new ID at once, for almost anything; how the copy ends is decided here too, but shown only when it
ends. There is no client token: the same request twice makes two copies.
"""

import re
from dataclasses import dataclass
from typing import Any

from tests.cloud.overlay import describing, keys, notices, presigned, tagging
from tests.cloud.overlay.model import COPIED_VOLUME, UPDATED, Copy, Place, Snapshot
from tests.cloud.overlay.rules import Spoil
from tests.cloud.overlay.wire import Ec2Error, Params, Response, answer, elements
from tests.cloud.overlay.world import World

LONGEST_DESCRIPTION = 255

# What asynchronous failures say [observed: copy_controls_contract, copy_data_authority].
NO_SOURCE = "Source snapshot is not found"
PENDING_SOURCE = "Source snapshot is not complete"
NO_KEY = "Given key ID is not accessible"
# What a pending copy says at first [observed: copy_controls_contract].
PENDING = "Metadata not updated"

TOO_MANY = "Too many snapshot copies in progress."

_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")


@dataclass(frozen=True, slots=True)
class Request:
    """A CopySnapshot request, as spoiling rules look at it."""

    account: str
    region: str
    parameters: dict[str, Any]
    service: str = "ec2"
    action: str = "CopySnapshot"


def copy_snapshot(world: World, caller: Place, params: Params) -> Response:
    """Check what EC2 checks at once, then start a copy."""
    minutes = _checked(params)
    tags = tagging.from_specifications(params)
    key = _destination_key(caller, params)
    params.dry_run()
    _check_url(caller, params)
    _check_storage(world, caller, params)
    check_quota(world, caller)
    limit = world.behaviour.in_flight_limits.get(caller.region, world.behaviour.in_flight_limit)
    if len(world.in_flight.get(caller, ())) >= limit:
        # [EC2 API reference, "Error codes"; EBS quotas: concurrent snapshot copies per destination Region]
        raise Ec2Error("ResourceLimitExceeded", f"{TOO_MANY} The limit is {limit} for this destination region.")
    if minutes and (code := world.behaviour.duration_refusal):
        # [EBS user guide, "Time-based copies": quotas for each account and pair of Regions; the words are assumed]
        raise Ec2Error(code, "The cumulative snapshot copy throughput quota for time-based copies is exceeded.")
    copy = _outcome(world, caller, params, key)
    copy.minutes = minutes
    snapshot = _start(world, caller, params, copy)
    world.tag(caller, snapshot.id, tags)
    return answer("CopySnapshot", elements(snapshotId=snapshot.id) + tagging.xml(tags))


def check_quota(world: World, caller: Place) -> None:
    """The account's quota of snapshots in a Region [EC2 API reference, "Error codes": SnapshotLimitExceeded]."""
    limit = world.behaviour.snapshot_limit
    if limit and len(world.own(caller)) >= limit:
        raise Ec2Error(
            "SnapshotLimitExceeded", "You've reached the limit on the number of snapshots that you can create."
        )


def _checked(params: Params) -> int | None:
    """Refuse what EC2 rejects at once, before it looks at a dry run; return the duration asked for
    [observed: copy_controls_contract, required, source_id, source_region, duration]."""
    if "SourceSnapshotId" not in params:
        raise Ec2Error("MissingParameter", "The request must contain the parameter SourceSnapshotId")
    if not describing.is_id(params.get("SourceSnapshotId")):
        raise Ec2Error("InvalidParameterValue", "The specified snapshotId is invalid")
    if "SourceRegion" not in params:
        raise Ec2Error("InternalError", "An internal error has occurred", 500)
    if not _REGION.fullmatch(params.get("SourceRegion")):
        raise Ec2Error("InvalidRegion", f"{params.get('SourceRegion')} is not a valid region name")
    if len(params.get("Description")) > LONGEST_DESCRIPTION:
        message = f"Value for parameter description is invalid. Length exceeds maximum of {LONGEST_DESCRIPTION}."
        raise Ec2Error("InvalidParameterValue", message)
    minutes = params.number("CompletionDurationMinutes", 15, 2_880)
    if minutes is not None and minutes % 15:
        message = "CompletionDurationMinutes is between 15 and 2880 in 15 minute increments"
        raise Ec2Error("InvalidParameterValue", message)
    return minutes


def _check_url(caller: Place, params: Params) -> None:
    """What EC2 refuses only when there is no dry run [observed: copy_controls_contract, destination_region]."""
    there = params.get("DestinationRegion", caller.region)
    if there != caller.region:
        message = f"DestinationRegion '{there}' does not match the current region ({caller.region})."
        raise Ec2Error("InvalidParameterValue", message)
    if "PresignedUrl" in params:
        presigned.check(caller, params)


def _check_storage(world: World, caller: Place, params: Params) -> None:
    """What cannot be copied into a Region from where it is stored [EC2 API reference, CopySnapshot; EBS user guide,
    "Archive Amazon EBS snapshots"]. That this is said at once, and the codes, are inferred."""
    there = Place(caller.account, params.get("SourceRegion"))
    source = world.visible(there, params.get("SourceSnapshotId"))
    if source is None:
        return
    if source.outpost_arn:
        raise Ec2Error("InvalidParameterValue", f"The snapshot {source.id} is on an Outpost and can't be copied")
    if source.in_local_zone and there.region != caller.region:
        message = f"The snapshot {source.id} is in a Local Zone and can't be copied to another Region"
        raise Ec2Error("InvalidParameterValue", message)
    if source.storage_tier == "archive":
        raise Ec2Error("IncorrectState", f"The snapshot {source.id} is archived and must be restored first")


def _destination_key(caller: Place, params: Params) -> keys.Key | None:
    """The key asked for. EC2 rejects an unusable one at once, and one that may not be described [observed:
    copy_data_failures, copy_data_authority; the reference says "asynchronously"]; which word it uses for a key pending
    deletion or import is an assumption. `Encrypted=false` is taken, although the reference forbids it, and means
    nothing [observed: copy_data_contract, plain-same-false, encrypted-false]."""
    reference = params.get("KmsKeyId")
    encrypted = params.flag("Encrypted")
    if not reference:
        return None
    if not encrypted:
        raise Ec2Error("InvalidParameterDependency", "The parameter KmsKeyId requires the parameter Encrypted")
    key = keys.resolve(caller, reference)
    if key is None or key.place.region != caller.region or not key.encrypts:
        raise Ec2Error("InvalidParameterValue", f"The specified keyId {reference} is invalid")
    if not key.allows(caller.account, "kms:DescribeKey"):
        raise Ec2Error("AuthFailure", f"Not authorized to use key {reference}")
    if key.state == "Disabled":
        raise Ec2Error("InvalidParameterValue", f"The specified keyId {reference} is disabled")
    if key.state != "Enabled":
        raise Ec2Error("InvalidParameterValue", f"The specified keyId {reference} is invalid")
    return key


def _outcome(world: World, caller: Place, params: Params, key: keys.Key | None) -> Copy:
    """How the copy will end: what EC2 finds out only after it answered."""
    there = Place(caller.account, params.get("SourceRegion"))
    copy = Copy(params.get("SourceSnapshotId"), there.region)
    source = world.visible(there, copy.source_id)
    if source is None:
        copy.failure = NO_SOURCE
    elif source.state != "completed":
        copy.failure = PENDING_SOURCE
    elif (source.encrypted and not _readable(there, source)) or (key is not None and not _writable(world, caller, key)):
        copy.failure = NO_KEY
    else:
        copy.volume_size, copy.blocks = source.volume_size, dict(source.blocks)
        # What makes a copy unrelated to its source is inferred; see `blocks`.
        copy.origin = source.lineage if source.region == caller.region else ""
    copy.encrypted = (source is not None and source.encrypted) or key is not None or bool(params.flag("Encrypted"))
    copy.encrypted = copy.encrypted or caller in world.encrypted_by_default
    if copy.encrypted:
        effective = _effective_key(world, caller, params, key, source is not None and source.encrypted)
        copy.kms_key = effective.arn
        copy.shown_key = keys.DEFAULT_ALIAS if key is None and effective.managed_by_aws else effective.arn
    request = Request(caller.account, caller.region, dict(params.flat))
    for spoil in world.spoils:
        if spoil.strikes(request):
            _spoil(copy, caller, spoil)
    return copy


def _readable(there: Place, source: Snapshot) -> bool:
    """Whether the copying account can use the source's key: enabled, and its policy names the account. `aws/ebs` of
    another account never does [EBS user guide, "Share an Amazon EBS snapshot", KMS keys]. CreateGrant is needed,
    DescribeKey is not [observed: copy_data_source_authority_contract]."""
    key = keys.resolve(there, source.kms_key or "")
    return key is not None and key.state == "Enabled" and key.allows(there.account, "kms:CreateGrant")


def _writable(world: World, caller: Place, key: keys.Key) -> bool:
    """Whether the account can encrypt under the key that it asked for; that shows only later [observed:
    copy_data_authority, fresh-grant, fresh-generate-without-plaintext]. An earlier copy under the key stands for a new
    data key [observed: copy_data]."""
    if not key.allows(caller.account, "kms:CreateGrant"):
        return False
    return key.allows(caller.account, "kms:GenerateDataKeyWithoutPlaintext") or any(
        each.kms_key == key.arn and each.state == "completed" for each in world.own(caller)
    )


def _effective_key(
    world: World, caller: Place, params: Params, key: keys.Key | None, source_is_encrypted: bool
) -> keys.Key:
    """The key asked for, or the one that EC2 chooses: for an encrypted source `aws/ebs` while encryption by default is
    off, whatever default key the account has, and otherwise the account's default key [EBS user guide, "Copy an Amazon
    EBS snapshot", encryption outcomes]. Without a presigned URL, an encrypted copy from another Region has been seen to
    end under another key than the one asked for [histories of other clients]."""
    crossing = params.get("SourceRegion") != caller.region
    unsigned = crossing and "PresignedUrl" not in params and world.behaviour.presigned_url_needed
    if key is not None and not unsigned:
        return key
    if key is None and source_is_encrypted and caller not in world.encrypted_by_default:
        return keys.aws_managed_key(caller)
    return keys.default_key(world, caller)


def _spoil(copy: Copy, caller: Place, spoil: Spoil) -> None:
    if spoil.state_message:
        copy.failure = spoil.state_message
    if spoil.kms_key:
        reference = keys.DEFAULT_ALIAS if spoil.kms_key == "aws/ebs" else spoil.kms_key
        key = keys.resolve(caller, reference)
        copy.encrypted, copy.kms_key = True, key.arn if key else reference
    if spoil.unencrypted:
        copy.encrypted, copy.kms_key = False, None
    if spoil.volume_size:
        copy.volume_size = spoil.volume_size


def _start(world: World, caller: Place, params: Params, copy: Copy) -> Snapshot:
    """A pending copy shows no size yet, but whether and under what it will be encrypted, `alias/aws/ebs` if no key was
    named [observed: copy_controls_contract, pending; copy_data]."""
    now = world.clock.now()
    snapshot = Snapshot(
        id=world.new_id(),
        owner=caller.account,
        region=caller.region,
        volume_id=COPIED_VOLUME,
        volume_size=0,
        description=params.get("Description"),
        start_time=now,
        state="pending",
        state_message=PENDING,
        encrypted=copy.encrypted,
        kms_key=copy.shown_key,
        visible_from=now + world.behaviour.copy_visibility_seconds,
        listed_from=now + world.behaviour.copy_list_seconds,
        copy=copy,
    )
    world.add(snapshot)
    world.in_flight.setdefault(caller, set()).add(snapshot.id)
    if not world.behaviour.hold_copies:
        world.clock.after(world.behaviour.copy_seconds / 2, lambda: update(world, snapshot))
        world.clock.after(world.behaviour.copy_seconds, lambda: finish(world, snapshot))
    return snapshot


def update(world: World, snapshot: Snapshot) -> None:
    """Let a pending copy that will succeed show its size and its key, shortly before it is completed
    [observed: copy_data, encrypted-default]."""
    copy = snapshot.copy
    if copy is not None and snapshot.state == "pending" and not copy.failure:
        snapshot.state_message = UPDATED
        snapshot.volume_size, snapshot.kms_key = copy.volume_size, copy.kms_key


def finish(world: World, snapshot: Snapshot) -> None:
    """End a copy, if it still exists and still runs."""
    copy = snapshot.copy
    if copy is None or snapshot.state != "pending" or world.find(snapshot.region, snapshot.id) is not snapshot:
        return
    world.in_flight[snapshot.place].discard(snapshot.id)
    if copy.failure:
        snapshot.state, snapshot.state_message = "error", copy.failure
    else:
        snapshot.state, snapshot.state_message = "completed", ""
        snapshot.volume_size, snapshot.encrypted, snapshot.kms_key = copy.volume_size, copy.encrypted, copy.kms_key
        snapshot.blocks, snapshot.completed_at = copy.blocks, world.clock.now()
        snapshot.origin = "" if copy.encrypted else copy.origin
    notices.copied(world, snapshot)
