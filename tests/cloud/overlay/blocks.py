"""The EBS direct APIs: blocks of snapshots, written and read [EBS user guide, "Use EBS direct APIs"; EBS direct APIs
reference]. Tokens tell until when they are good; pages hold 100 to 10,000 blocks [ListSnapshotBlocks].
"""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.cloud.overlay import keys
from tests.cloud.overlay.model import COPIED_VOLUME, Place, Snapshot
from tests.cloud.overlay.wire import Response
from tests.cloud.overlay.world import World

BLOCK_SIZE = 524_288


class RefusedError(Exception):
    """An answer that is an error, with the reason that some have."""

    def __init__(self, code: str, reason: str, message: str, status: int) -> None:
        super().__init__(message)
        self.code, self.reason, self.message, self.status = code, reason, message, status


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


def answer(world: World, caller: Place, asked: Asked) -> Response:
    """Do what a request asks, by its method and path."""
    for method, pattern, action in _ROUTES:
        found = re.fullmatch(pattern, asked.path)
        if found and method == asked.method:
            try:
                return action(world, caller, asked, *found.groups())
            except RefusedError as refused:
                said = {"Message": refused.message, "Reason": refused.reason}
                return refused.status, {"x-amzn-errortype": refused.code}, json.dumps(said).encode()
    return 404, {"x-amzn-errortype": "UnknownOperationException"}, b"{}"


def put_into(snapshot: Snapshot, texts: Mapping[str, str | None]) -> None:
    """Blocks of a text each, as if they had been written; None takes one out."""
    for index, text in texts.items():
        if text is None:
            snapshot.blocks.pop(int(index), None)
        else:
            snapshot.blocks[int(index)] = text.encode().ljust(BLOCK_SIZE, b".")


def _start(world: World, caller: Place, asked: Asked) -> Response:
    """A pending snapshot of nothing yet; parents are not modelled [observed: blocks]."""
    given = json.loads(asked.body)
    key = keys.resolve(caller, given["KmsKeyArn"]) if "KmsKeyArn" in given else keys.default_key(world, caller)
    encrypted = bool(given.get("Encrypted")) or caller in world.encrypted_by_default
    snapshot = Snapshot(
        id=world.new_id(),
        owner=caller.account,
        region=caller.region,
        volume_id=COPIED_VOLUME,
        volume_size=int(given["VolumeSize"]),
        description=given.get("Description", ""),
        start_time=world.clock.now(),
        state="pending",
        encrypted=encrypted,
        kms_key=key.arn if encrypted and key else None,
    )
    world.add(snapshot)
    tags = given.get("Tags", [])
    world.tag(caller, snapshot.id, {each["Key"]: each["Value"] for each in tags})
    return _json(
        201,
        SnapshotId=snapshot.id,
        OwnerId=snapshot.owner,
        Status="pending",
        StartTime=snapshot.start_time,
        VolumeSize=snapshot.volume_size,
        BlockSize=BLOCK_SIZE,
        Description=snapshot.description,
        Tags=tags,
        KmsKeyArn=snapshot.kms_key,
    )


def _put(world: World, caller: Place, asked: Asked, snapshot_id: str, index: str) -> Response:
    """Write a block of one's own pending snapshot, whose checksum must be right."""
    snapshot = _own_pending(world, caller, snapshot_id)
    checksum = _checksum(asked.body)
    if len(asked.body) != BLOCK_SIZE or asked.headers.get("x-amz-checksum") != checksum:
        raise RefusedError("ValidationException", "INVALID_PARAMETER_VALUE", "Checksum does not match", 400)
    snapshot.blocks[int(index)] = asked.body
    return 201, {"x-amz-checksum": checksum, "x-amz-checksum-algorithm": "SHA256"}, b"{}"


def _complete(world: World, caller: Place, asked: Asked, snapshot_id: str) -> Response:
    snapshot = _own_pending(world, caller, snapshot_id)
    snapshot.state, snapshot.completed_at = "completed", world.clock.now()
    return _json(202, Status="pending")


def _list(world: World, caller: Place, asked: Asked, snapshot_id: str) -> Response:
    """The written blocks in their order, each with a token for reading it."""
    snapshot = _readable(world, caller, snapshot_id)
    page, more = _page(world, asked, snapshot.id, sorted(snapshot.blocks))
    blocks = [{"BlockIndex": index, "BlockToken": _token(world, snapshot, index)} for index in page]
    return _listing(world, snapshot, Blocks=blocks, **more)


def _get(world: World, caller: Place, asked: Asked, snapshot_id: str, index: str) -> Response:
    """A block, for whoever may read the snapshot, whoever got the token [observed: sharing_data_contract]."""
    snapshot = _readable(world, caller, snapshot_id)
    _check_token(world, asked.query.get("blockToken", ""), f"{snapshot.id}/{int(index)}", "BLOCK")
    data = snapshot.blocks[int(index)]
    headers = {"x-amz-checksum": _checksum(data), "x-amz-checksum-algorithm": "SHA256"}
    return 200, headers | {"x-amz-data-length": str(BLOCK_SIZE)}, data


def _changed(world: World, caller: Place, asked: Asked, second_id: str) -> Response:
    """What differs between two snapshots of one lineage. A plain copy within a Region is of its source's lineage
    [observed: copy_data_contract]; any other copy is not [inferred]."""
    first_id = asked.query.get("firstSnapshotId", "")
    if not first_id:
        message = "First snapshot should not be empty or null"  # [observed: blocks]
        raise RefusedError("ValidationException", "INVALID_SNAPSHOT_ID", message, 400)
    first, second = (_readable(world, caller, each) for each in (first_id, second_id))
    if first.lineage != second.lineage:
        raise RefusedError("ValidationException", "UNRELATED_SNAPSHOTS", "The snapshots are not related.", 400)
    indexes = sorted(first.blocks.keys() | second.blocks.keys())
    differing = [index for index in indexes if first.blocks.get(index) != second.blocks.get(index)]
    page, more = _page(world, asked, f"{first.id}/{second.id}", differing)
    changed = []
    for index in page:
        tokens = (("FirstBlockToken", first), ("SecondBlockToken", second))
        named = {name: _token(world, each, index) for name, each in tokens if index in each.blocks}
        changed.append({"BlockIndex": index, **named})
    return _listing(world, second, ChangedBlocks=changed, **more)


def _own_pending(world: World, caller: Place, snapshot_id: str) -> Snapshot:
    """[observed: sharing_data_contract, mutation: a recipient can neither put nor complete; the code is inferred]"""
    snapshot = world.visible(caller, snapshot_id)
    if snapshot is None or snapshot.owner != caller.account or snapshot.state != "pending":
        raise _not_found(snapshot_id)
    return snapshot


def _readable(world: World, caller: Place, snapshot_id: str) -> Snapshot:
    """A snapshot that this account may read: completed and its own or privately shared with it, both for a while
    [observed: encryption], under a key that it may use, not public [observed: sharing_data_contract], not archived [EBS
    user guide, "Archive Amazon EBS snapshots"; the code is inferred]."""
    snapshot, now = world.visible(caller, snapshot_id), world.clock.now()
    if snapshot is None or snapshot.completed_at is None:
        raise _not_found(snapshot_id)
    mine = snapshot.owner == caller.account
    if snapshot.public and not mine:
        message = "Public snapshots are not supported"
        raise RefusedError("ValidationException", "INVALID_SNAPSHOT_ID", message, 400)
    if not mine and not world.behaviour.recipients_read_blocks:
        raise RefusedError("AccessDeniedException", "UNAUTHORIZED_ACCOUNT", "Not authorized.", 403)
    since = max(snapshot.completed_at, 0.0 if mine else snapshot.shares.get(caller.account, now))
    if now < since + world.behaviour.blocks_seconds or snapshot.storage_tier == "archive":
        raise _not_found(snapshot_id)
    key = keys.resolve(caller, snapshot.kms_key) if snapshot.kms_key else None
    needed = ("kms:DescribeKey", "kms:Decrypt")
    if snapshot.encrypted and not (key and all(key.allows(caller.account, each) for each in needed)):
        raise RefusedError("ResourceNotFoundException", "DEPENDENCY_RESOURCE_NOT_FOUND", "KMS key not found", 404)
    return snapshot


def _not_found(snapshot_id: str) -> RefusedError:
    """[observed: blocks]"""
    message = f"The snapshot '{snapshot_id}' does not exist."
    return RefusedError("ResourceNotFoundException", "SNAPSHOT_NOT_FOUND", message, 404)


def _page(world: World, asked: Asked, listed: str, indexes: list[int]) -> tuple[list[int], dict[str, str]]:
    """The blocks of one page from the wanted one on, and the token of the next page if there is one."""
    most = int(asked.query.get("maxResults") or 10_000)
    if not 100 <= most <= 10_000:
        raise RefusedError("ValidationException", "INVALID_PARAMETER_VALUE", "Invalid MaxResults", 400)
    begin = int(asked.query.get("startingBlockIndex") or 0)
    if token := asked.query.get("pageToken", ""):
        begin = int(token.split(".")[0])
        _check_token(world, token.split(".", 1)[1], f"{listed}/{begin}/page", "PAGE")
    most = min(most, world.behaviour.blocks_a_page)
    left = [index for index in indexes if index >= begin]
    if len(left) <= most:
        return left, {}
    sealed = _sealed(f"{listed}/{left[most]}/page", world.clock.now() + world.behaviour.page_token_seconds)
    return left[:most], {"NextToken": f"{left[most]}.{sealed}"}


def _token(world: World, snapshot: Snapshot, index: int) -> str:
    return _sealed(f"{snapshot.id}/{index}", world.clock.now() + world.behaviour.block_token_seconds)


def _sealed(what: str, until: float) -> str:
    return f"{until:.3f}~{hashlib.sha256(f'{what}/{until:.3f}'.encode()).hexdigest()}"


def _check_token(world: World, token: str, what: str, kind: str) -> None:
    """That a token is of this block or page, and still good [EBS direct APIs reference, ValidationException]."""
    until = token.split("~", maxsplit=1)[0]
    if not re.fullmatch(r"\d+\.\d{3}", until) or token != _sealed(what, float(until)):
        reason = f"INVALID_{kind}_TOKEN"
        raise RefusedError("ValidationException", reason, f"The {kind.lower()} token is invalid.", 400)
    if float(until) < world.clock.now():
        raise RefusedError("ValidationException", f"INVALID_{kind}_TOKEN", f"The {kind.lower()} token expired.", 400)


def _checksum(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def _listing(world: World, snapshot: Snapshot, **blocks: Any) -> Response:
    expires = world.clock.now() + 7 * 86_400
    return _json(200, **blocks, ExpiryTime=expires, VolumeSize=snapshot.volume_size, BlockSize=BLOCK_SIZE)


def _json(status: int, **members: Any) -> Response:
    return status, {"content-type": "application/json"}, json.dumps(members).encode()


_ID = r"(snap-[0-9a-f]+)"
_ROUTES: list[tuple[str, str, Callable[..., Response]]] = [
    ("POST", "/snapshots", _start),
    ("PUT", rf"/snapshots/{_ID}/blocks/(\d+)", _put),
    ("POST", rf"/snapshots/completion/{_ID}", _complete),
    ("GET", rf"/snapshots/{_ID}/blocks", _list),
    ("GET", rf"/snapshots/{_ID}/blocks/(\d+)", _get),
    ("GET", rf"/snapshots/{_ID}/changedblocks", _changed),
]
