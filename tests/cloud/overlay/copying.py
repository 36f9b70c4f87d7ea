"""CopySnapshot [EC2 API reference, CopySnapshot; EBS user guide, "Copy an Amazon EBS snapshot"].

It answers 200 with a new ID at once, for almost anything; how the copy ends is decided here too, but shown only when it
ends. There is no client token: the same request twice makes two copies.
"""

import re
from dataclasses import dataclass
from typing import Any

from tests.cloud.overlay import keys, notices, presigned, tagging
from tests.cloud.overlay.model import COPIED_VOLUME, Copy, Place, Snapshot
from tests.cloud.overlay.rules import Spoil
from tests.cloud.overlay.wire import Ec2Error, Params, Response, answer, elements
from tests.cloud.overlay.world import World

LONGEST_DESCRIPTION = 255

# What asynchronous failures say [observed on AWS by others].
NO_SOURCE = "Source snapshot is not found"
NO_KEY = "Given key ID is not accessible"
# What a pending copy says.
PENDING = "Metadata not updated"

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
    minutes = _checked(caller, params)
    key = _destination_key(caller, params)
    if "PresignedUrl" in params:
        presigned.check(caller, params)
    tags = tagging.from_specifications(params)
    params.dry_run()
    check_quota(world, caller)
    limit = world.behaviour.in_flight_limits.get(caller.region, world.behaviour.in_flight_limit)
    if len(world.in_flight.get(caller, ())) >= limit:
        # [EC2 API reference, "Error codes"; EBS quotas: concurrent snapshot copies per destination Region]
        raise Ec2Error("ResourceLimitExceeded", f"Too many snapshot copies in progress. The limit is {limit}.")
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


def _checked(caller: Place, params: Params) -> int | None:
    """Refuse what EC2 rejects at once; return the duration asked for."""
    source_region = params.required("SourceRegion")
    source_id = params.required("SourceSnapshotId")
    if not _REGION.fullmatch(source_region):
        raise Ec2Error("InvalidRegion", f"The region '{source_region}' is not valid")
    if not re.fullmatch(r"snap-[0-9a-f]{8,17}", source_id):
        raise Ec2Error("InvalidParameterValue", f"The specified snapshotId is invalid: {source_id}")
    if params.get("DestinationRegion", caller.region) != caller.region:
        raise Ec2Error("InvalidParameterValue", "DestinationRegion is not the Region of the endpoint called")
    if len(params.get("Description")) > LONGEST_DESCRIPTION:
        message = f"Value for parameter description is invalid. Length exceeds maximum of {LONGEST_DESCRIPTION}."
        raise Ec2Error("InvalidParameterValue", message)
    minutes = params.number("CompletionDurationMinutes", 15, 2_880)
    if minutes is not None and minutes % 15:
        raise Ec2Error("InvalidParameterValue", "CompletionDurationMinutes must be a multiple of 15")
    return minutes


def _destination_key(caller: Place, params: Params) -> keys.Key | None:
    """The key asked for. EC2 rejects an unusable one at once [observed on AWS by others, with these words; the
    reference says "asynchronously"]; which word it uses for a key pending deletion or import is an assumption."""
    reference = params.get("KmsKeyId")
    encrypted = params.flag("Encrypted")
    if encrypted is False:
        raise Ec2Error("InvalidParameterValue", "Encrypted cannot be set to false. Omit the parameter.")
    if not reference:
        return None
    if not encrypted:
        raise Ec2Error("InvalidParameterDependency", "The parameter KmsKeyId requires the parameter Encrypted")
    key = keys.resolve(caller, reference)
    if key is None or key.place.region != caller.region or not key.encrypts:
        raise Ec2Error("InvalidParameterValue", f"The specified keyId {reference} is invalid")
    if not key.allows(caller.account, "kms:CreateGrant"):
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
    if source is None or source.state != "completed":
        copy.failure = NO_SOURCE
    elif source.encrypted and not _readable(there, source):
        copy.failure = NO_KEY
    else:
        copy.volume_size = source.volume_size
        copy.encrypted = source.encrypted or key is not None or bool(params.flag("Encrypted"))
        copy.encrypted = copy.encrypted or caller in world.encrypted_by_default
        if copy.encrypted:
            copy.kms_key = _effective_key(world, caller, params, key, source.encrypted).arn
    request = Request(caller.account, caller.region, dict(params.flat))
    for spoil in world.spoils:
        if spoil.strikes(request):
            _spoil(copy, caller, spoil)
    return copy


def _readable(there: Place, source: Snapshot) -> bool:
    """Whether the copying account can use the source's key: enabled, and its policy names the account. `aws/ebs` of
    another account never does [EBS user guide, "Share an Amazon EBS snapshot", KMS keys]."""
    key = keys.resolve(there, source.kms_key or "")
    return key is not None and key.state == "Enabled" and key.allows(there.account, "kms:CreateGrant")


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
    """A pending copy shows none of the source's properties yet [observed on AWS by others]."""
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
        visible_from=now + world.behaviour.copy_visibility_seconds,
        listed_from=now + world.behaviour.copy_list_seconds,
        copy=copy,
    )
    world.add(snapshot)
    world.in_flight.setdefault(caller, set()).add(snapshot.id)
    if not world.behaviour.hold_copies:
        world.clock.after(world.behaviour.copy_seconds, lambda: finish(world, snapshot))
    return snapshot


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
        snapshot.completed_at = world.clock.now()
    notices.copied(world, snapshot)
