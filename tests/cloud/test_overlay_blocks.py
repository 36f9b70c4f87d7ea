"""The local EBS direct APIs page by page: what a reader of large snapshots meets."""

from typing import Any

import pytest

from tests.cloud import LocalAws
from tests.cloud.scene import AWAY, HOME, TARGET, copy, key, shared
from tests.cloud.test_captures_blocks import changes, ebs, not_found, read, refused_because

BLOCKS: dict[int, str | None] = {index: f"block {index}" for index in range(0, 60, 2)}


@pytest.fixture
def source(aws: LocalAws) -> str:
    aws.control.configure(blocks_a_page=12)
    snapshot = shared(aws)
    aws.control.set_blocks(snapshot, HOME, BLOCKS)
    return snapshot


def pages(client: Any, snapshot: str, **asked: Any) -> list[list[int]]:
    found: list[list[int]] = []
    while True:
        answer = client.list_snapshot_blocks(SnapshotId=snapshot, **asked)
        found.append([each["BlockIndex"] for each in answer["Blocks"]])
        if "NextToken" not in answer:
            return found
        asked = {"NextToken": answer["NextToken"]}


def test_pages_in_order_from_any_index_on(aws: LocalAws, source: str) -> None:
    client = ebs(aws, TARGET)
    assert [len(each) for each in pages(client, source)] == [12, 12, 6]
    assert [index for page in pages(client, source) for index in page] == sorted(BLOCKS)
    assert pages(client, source, StartingBlockIndex=49) == [[50, 52, 54, 56, 58]]
    assert pages(client, source, StartingBlockIndex=60) == [[]]


def test_pages_are_of_what_was_asked_for(aws: LocalAws) -> None:
    snapshot = shared(aws)
    aws.control.set_blocks(snapshot, HOME, {index: str(index) for index in range(150)})
    assert [len(each) for each in pages(ebs(aws, TARGET), snapshot, MaxResults=100)] == [100, 50]


def test_tokens_end(aws: LocalAws, source: str) -> None:
    client = ebs(aws, TARGET)
    answer = client.list_snapshot_blocks(SnapshotId=source)
    aws.control.advance_clock(hours=2)
    with refused_because("ValidationException", "INVALID_PAGE_TOKEN", "expired"):
        client.list_snapshot_blocks(SnapshotId=source, NextToken=answer["NextToken"])
    assert client.get_snapshot_block(SnapshotId=source, **answer["Blocks"][0])
    aws.control.advance_clock(days=7)
    with refused_because("ValidationException", "INVALID_BLOCK_TOKEN", "expired"):
        client.get_snapshot_block(SnapshotId=source, **answer["Blocks"][0])
    assert read(client, source)


def test_tokens_are_of_one_block_of_one_snapshot(aws: LocalAws, source: str) -> None:
    client = ebs(aws, TARGET)
    first, second = client.list_snapshot_blocks(SnapshotId=source)["Blocks"][:2]
    with refused_because("ValidationException", "INVALID_BLOCK_TOKEN"):
        client.get_snapshot_block(SnapshotId=source, BlockIndex=first["BlockIndex"], BlockToken=second["BlockToken"])


def test_a_copy_that_was_damaged_differs(aws: LocalAws, source: str) -> None:
    made = copy(aws, source, region=HOME)
    assert changes(ebs(aws, TARGET), source, made) == []
    aws.control.set_blocks(made, HOME, {4: "damaged", 6: None, 7: "more"})
    assert changes(ebs(aws, TARGET), source, made) == [4, 6, 7]
    assert changes(ebs(aws, TARGET), source, source) == []
    aws.control.configure(blocks_a_page=2)
    page = ebs(aws, TARGET).list_changed_blocks(FirstSnapshotId=source, SecondSnapshotId=made)
    assert [each["BlockIndex"] for each in page["ChangedBlocks"]] == [4, 6]
    assert page["NextToken"]


def test_recipients_may_be_kept_from_reading(aws: LocalAws, source: str) -> None:
    made = copy(aws, source, Encrypted=True, KmsKeyId=key(aws, TARGET, AWAY))
    aws.control.configure(recipients_read_blocks=False)
    with refused_because("AccessDeniedException", "UNAUTHORIZED_ACCOUNT"):
        read(ebs(aws, TARGET), source)
    assert read(ebs(aws, TARGET, AWAY), made)
    with not_found():
        read(ebs(aws, TARGET), "snap-00000000000000000")
