"""The local EBS direct APIs against what AWS was seen to do; see `test_captures` for where the captures are."""

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.cloud import LocalAws
from tests.cloud.scene import AWAY, HOME, SOURCE, TARGET, copy, describe, key, naming, share, shared, unshare

BLOCK = b"one block of many".ljust(524_288, b".")
INDEX = 7  # as in the captures


@contextmanager
def refused_because(code: str, reason: str, words: str = "") -> Iterator[None]:
    with pytest.raises(ClientError) as caught:
        yield
    answer = caught.value.response
    assert (answer["Error"]["Code"], answer["Reason"]) == (code, reason)
    assert words in answer["Error"]["Message"]


def not_found() -> Any:
    return refused_because("ResourceNotFoundException", "SNAPSHOT_NOT_FOUND", "does not exist.")


def ebs(aws: LocalAws, account: str, region: str = HOME) -> Any:
    return aws.client("ebs", account, region)


def started(aws: LocalAws, **more: Any) -> str:
    """A pending snapshot of the source account with one block."""
    client = ebs(aws, SOURCE)
    snapshot: str = client.start_snapshot(VolumeSize=1, **more)["SnapshotId"]
    checksum = base64.b64encode(hashlib.sha256(BLOCK).digest()).decode()
    put = {"DataLength": len(BLOCK), "Checksum": checksum, "ChecksumAlgorithm": "SHA256"}
    client.put_snapshot_block(SnapshotId=snapshot, BlockIndex=INDEX, BlockData=BLOCK, **put)
    return snapshot


def written(aws: LocalAws, **more: Any) -> str:
    snapshot = started(aws, **more)
    assert ebs(aws, SOURCE).complete_snapshot(SnapshotId=snapshot, ChangedBlocksCount=1)["Status"] == "pending"
    return snapshot


def read(client: Any, snapshot: str) -> list[tuple[int, bytes]]:
    blocks = client.list_snapshot_blocks(SnapshotId=snapshot)["Blocks"]
    got = {
        each["BlockIndex"]: client.get_snapshot_block(SnapshotId=snapshot, **each)["BlockData"].read()
        for each in blocks
    }
    return list(got.items())


def changes(client: Any, first: str, second: str) -> list[int]:
    found = client.list_changed_blocks(FirstSnapshotId=first, SecondSnapshotId=second)["ChangedBlocks"]
    return [each["BlockIndex"] for each in found]


def test_what_was_written_is_read(aws: LocalAws) -> None:
    """blocks, encryption."""
    snapshot = written(aws)
    assert read(ebs(aws, SOURCE), snapshot) == [(INDEX, BLOCK)]
    shown = describe(aws, snapshot, account=SOURCE, region=HOME)
    assert (shown["VolumeId"], shown["FullSnapshotSizeInBytes"]) == ("vol-ffffffff", 524_288)


def test_pending_and_just_completed_ones_are_not_found(aws: LocalAws) -> None:
    """blocks; encryption: 55 seconds after it was completed, and then there."""
    aws.control.configure(blocks_seconds=58)
    snapshot = started(aws)
    with not_found():
        read(ebs(aws, SOURCE), snapshot)
    ebs(aws, SOURCE).complete_snapshot(SnapshotId=snapshot, ChangedBlocksCount=1)
    assert describe(aws, snapshot, account=SOURCE, region=HOME)["State"] == "completed"
    with not_found():
        read(ebs(aws, SOURCE), snapshot)
    aws.control.advance_clock(seconds=60)
    assert read(ebs(aws, SOURCE), snapshot) == [(INDEX, BLOCK)]


class TestRecipients:
    """sharing_data, sharing_data_contract."""

    def test_read_what_is_shared_with_them_and_only_then(self, aws: LocalAws) -> None:
        snapshot, client = written(aws), ebs(aws, TARGET)
        with not_found():
            read(client, snapshot)
        share(aws, snapshot, TARGET)
        assert read(client, snapshot) == [(INDEX, BLOCK)]
        unshare(aws, snapshot, TARGET)
        with not_found():
            read(client, snapshot)

    def test_not_right_after_the_share(self, aws: LocalAws) -> None:
        snapshot = written(aws)
        aws.control.advance_clock(seconds=600)
        aws.control.configure(blocks_seconds=100)
        share(aws, snapshot, TARGET)
        with not_found():
            read(ebs(aws, TARGET), snapshot)
        aws.control.advance_clock(seconds=120)
        assert read(ebs(aws, TARGET), snapshot) == [(INDEX, BLOCK)]

    def test_with_the_owners_token_too(self, aws: LocalAws) -> None:
        snapshot = written(aws)
        share(aws, snapshot, TARGET)
        [block] = ebs(aws, SOURCE).list_snapshot_blocks(SnapshotId=snapshot)["Blocks"]
        got = ebs(aws, TARGET).get_snapshot_block(SnapshotId=snapshot, **block)
        assert got["BlockData"].read() == BLOCK

    @pytest.mark.parametrize("actions", [["kms:DescribeKey", "kms:Decrypt"], ["kms:DescribeKey"], []])
    def test_of_encrypted_ones_if_they_may_use_the_key(self, aws: LocalAws, actions: list[str]) -> None:
        sealing = key(aws, SOURCE, HOME, statements=naming(TARGET, actions=actions))
        snapshot = written(aws, Encrypted=True, KmsKeyArn=sealing)
        share(aws, snapshot, TARGET)
        if "kms:Decrypt" in actions:
            assert read(ebs(aws, TARGET), snapshot) == [(INDEX, BLOCK)]
        else:
            with refused_because("ResourceNotFoundException", "DEPENDENCY_RESOURCE_NOT_FOUND", "KMS key not found"):
                read(ebs(aws, TARGET), snapshot)

    def test_nothing_of_public_ones(self, aws: LocalAws) -> None:
        public = shared(aws, public=True)
        with refused_because("ValidationException", "INVALID_SNAPSHOT_ID", "Public snapshots are not supported"):
            read(ebs(aws, TARGET), public)
        assert read(ebs(aws, SOURCE), public) == []

    def test_neither_write_nor_complete(self, aws: LocalAws) -> None:
        snapshot = started(aws)
        share(aws, snapshot, TARGET)
        with not_found():
            ebs(aws, TARGET).complete_snapshot(SnapshotId=snapshot, ChangedBlocksCount=1)


class TestChanges:
    """copy_data_contract, lineage; sharing_data_contract, changed_blocks."""

    def test_between_a_source_and_its_plain_copy_there_are_none(self, aws: LocalAws) -> None:
        snapshot = written(aws)
        share(aws, snapshot, TARGET)
        made = copy(aws, snapshot, region=HOME)
        assert describe(aws, made, region=HOME)["FullSnapshotSizeInBytes"] == 524_288
        assert read(ebs(aws, TARGET), made) == [(INDEX, BLOCK)]
        assert changes(ebs(aws, TARGET), snapshot, made) == []

    def test_unrelated_ones(self, aws: LocalAws) -> None:
        one, two = written(aws), written(aws)
        with refused_because("ValidationException", "UNRELATED_SNAPSHOTS"):
            changes(ebs(aws, SOURCE), one, two)

    def test_one_that_may_not_be_read_in_either_order(self, aws: LocalAws) -> None:
        snapshot = written(aws)
        share(aws, snapshot, TARGET)
        made = copy(aws, snapshot, region=HOME)
        unshare(aws, snapshot, TARGET)
        for first, second in ((snapshot, made), (made, snapshot)):
            with not_found():
                changes(ebs(aws, TARGET), first, second)

    def test_without_a_first_one(self, aws: LocalAws) -> None:
        snapshot = written(aws)
        with refused_because(
            "ValidationException", "INVALID_SNAPSHOT_ID", "First snapshot should not be empty or null"
        ):
            ebs(aws, SOURCE).list_changed_blocks(SecondSnapshotId=snapshot)


def test_a_copy_elsewhere_has_the_same_blocks(aws: LocalAws) -> None:
    """copy_data_contract, byte_reads."""
    snapshot = written(aws)
    share(aws, snapshot, TARGET)
    made = copy(aws, snapshot, Encrypted=True, KmsKeyId=key(aws, TARGET, AWAY))
    assert describe(aws, made)["State"] == "completed"
    assert read(ebs(aws, TARGET, AWAY), made) == [(INDEX, BLOCK)]
