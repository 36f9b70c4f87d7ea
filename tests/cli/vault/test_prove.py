"""What `snapferry prove` computes of a snapshot's blocks, and how it ends."""

import hashlib
from collections.abc import Mapping

import pytest

from tests.cli.command import Done
from tests.cli.vault import FAR, TARGET, as_target
from tests.cloud import LocalAws
from tests.cloud.overlay.blocks import BLOCK_SIZE

BLOCKS: dict[int, str | None] = {index: f"<block {index}>" for index in range(0, 90, 3)}


@pytest.fixture
def snapshot(aws: LocalAws) -> str:
    aws.control.configure(blocks_a_page=7)
    made = aws.control.create_snapshot(TARGET, FAR)
    aws.control.set_blocks(made, FAR, BLOCKS)
    return made


def prove(aws: LocalAws, snapshot: str, *arguments: object) -> Done:
    return as_target(aws, "prove", "--snapshot", snapshot, "--region", FAR, *arguments)


def chain(blocks: Mapping[int, str | None]) -> str:
    """The digest as cli/README.md describes it."""
    link = bytes(32)
    for index, text in sorted(blocks.items()):
        block = hashlib.sha256((text or "").encode().ljust(BLOCK_SIZE, b".")).digest()
        link = hashlib.sha256(link + index.to_bytes(4, "big") + block).digest()
    return link.hex()


def test_the_digest_of_all_blocks(aws: LocalAws, snapshot: str) -> None:
    found = prove(aws, snapshot, "--blocks", "all", "--json").json()
    assert found == {
        "snapshot": snapshot,
        "seed": None,
        "listed": 30,
        "read": 30,
        "bytes": 30 * BLOCK_SIZE,
        "digest": chain(BLOCKS),
        "equal": None,
    }


def test_a_seed_draws_the_same_blocks_again(aws: LocalAws, snapshot: str) -> None:
    first = prove(aws, snapshot, "--blocks", "10", "--json").json()
    assert (first["read"], first["listed"]) == (10, 30)
    given = ("--blocks", "10", "--seed", first["seed"], "--digest", first["digest"])
    again = prove(aws, snapshot, *given)
    assert (again.code, first["digest"] in again.out) == (0, True)
    aws.control.set_blocks(snapshot, FAR, dict.fromkeys(BLOCKS, "damaged"))
    assert prove(aws, snapshot, *given).code == 1
    others = {prove(aws, snapshot, "--blocks", "10", "--json").json()["seed"] for _ in range(2)}
    assert len(others | {first["seed"]}) == 3


def test_what_cannot_be_read_is_said(aws: LocalAws, snapshot: str) -> None:
    done = prove(aws, "snap-00000000000000000")
    assert done.code == 2
    assert "its blocks cannot be read: ResourceNotFoundException" in done.err
    for wrong in (
        ("--seed", "7"),
        ("--blocks", "0"),
        ("--blocks", "10001"),
        ("--digest", "ab"),
        ("--digest", "+f" * 32),
    ):
        assert prove(aws, snapshot, *wrong).code == 2


def test_a_digest_without_its_seed_is_wrong_usage(aws: LocalAws, snapshot: str) -> None:
    digest = chain(BLOCKS)
    for drawn in ((), ("--blocks", "10")):
        done = prove(aws, snapshot, "--digest", digest, *drawn)
        assert (done.code, done.out) == (2, "")
        assert "without that --seed others are read" in done.err
    for wrong in ("+" + digest[1:], "+f" + digest[2:]):
        done = prove(aws, snapshot, "--blocks", "all", "--digest", wrong)
        assert (done.code, "a digest is 64 hexadecimal digits" in done.err) == (2, True)
    assert prove(aws, snapshot, "--blocks", "all", "--digest", digest).code == 0
