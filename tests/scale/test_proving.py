"""What a proof reads of a large volume: how many calls a block, how fast, and in how much memory, whatever its size."""

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.prices import usd
from tests.scale.rounds import ROOT
from tests.scale.runtime import Function
from tests.stub.stub import SOURCE, Seen, Stub

BINARY = ROOT / "target/lambda/prove-copies/bootstrap"
TARGET = "eu-west-1"
BLOCK = 524_288
OF_A_TIB = 2**40 // BLOCK
SAMPLE = 459
MEMORY_LIMIT_MIB = 64
# Blocks of a page of the lists, at most; and of one where all blocks are read.
PAGE, SMALL_PAGE = 10_000, 100
# Blocks of each snapshot that are read in a second, at most.
PACE = 200


# What is promised of the cost.
README = " ".join((ROOT / "README.md").read_text().split())


def policy(blocks: int | str) -> dict[str, Any]:
    entry = {
        "Target": TARGET,
        "EncryptionConfiguration": {"Encrypted": True},
        "RetainRule": {"Interval": 1, "IntervalUnit": "YEARS"},
        "ProofRule": {"Blocks": blocks},
    }
    parameters = {"EventType": "shareSnapshot", "SnapshotOwner": [SOURCE], "DescriptionRegex": ".*"}
    return {
        "PolicyType": "EVENT_BASED_POLICY",
        "EventSource": {"Type": "MANAGED_CWE", "Parameters": parameters},
        "Actions": [{"Name": "copy", "CrossRegionCopy": [entry]}],
    }


@dataclass(frozen=True)
class Run:
    """One run of the prover."""

    records: list[dict[str, Any]]
    seen: Seen
    seconds: float
    memory_mib: float

    @property
    def dollars(self) -> float:
        """What EBS charges for its calls; the transfer between Regions aside."""
        blocks, lists = self.seen.of("ebs", "GetSnapshotBlock"), self.seen.of("ebs", "ListSnapshotBlocks")
        return blocks / 1000 * usd("ebs_blocks_1000") + lists / 1000 * usd("ebs_lists_1000")

    def __str__(self) -> str:
        calls = self.seen.of("ebs")
        return f"{self.seconds:.1f} s, {calls} EBS calls (${self.dollars:.4f}), {self.memory_mib:.0f} MiB"


def run(blocks: int | str, tebibytes: float, *, seconds: float = 300) -> Run:
    """A run over one copy of so large a volume, each of whose blocks is written."""
    sha_256 = base64.b64encode(hashlib.sha256(b"." * BLOCK).digest()).decode()
    with Stub(shared=1, copied=1, blocks=int(tebibytes * OF_A_TIB), block_sha_256=sha_256) as aws:
        environment = aws.environment | {"SNAPFERRY_POLICY": json.dumps(policy(blocks))}
        with Function(BINARY, environment) as prover:
            answer = prover.invoke({"run": "scale"}, seconds=seconds)
            memory, records = prover.peak_memory_mib(), prover.audit()
        seen = aws.seen()
    assert (answer.payload, seen.unexpected) == ({}, [])
    assert memory < MEMORY_LIMIT_MIB
    return Run(records, seen, answer.seconds, memory)


@pytest.mark.parametrize("tebibytes", [1, 4])
def test_a_sample_of_a_large_volume(tebibytes: int) -> None:
    """All blocks of both are listed, and of each of those that are drawn a token is asked for before it is read."""
    made = run(SAMPLE, tebibytes)
    proof, blocks = made.records[0]["proof"], tebibytes * OF_A_TIB
    assert (proof["level"], proof["listed"], proof["compared"]) == ("sampled", blocks, SAMPLE)
    pages = -(-blocks // PAGE)
    assert made.seen.of("ebs", "ListSnapshotBlocks") == 2 * (pages + SAMPLE)
    assert made.seen.of("ebs", "GetSnapshotBlock") == 2 * SAMPLE
    print(f"\n{SAMPLE} of {blocks:,} blocks: {made}")
    assert tebibytes > 1 or f"${made.dollars:.4f} for a sample of {SAMPLE} blocks of a volume of a TiB" in README


def test_all_blocks_of_a_large_volume() -> None:
    """As many as a run has time for: a page of both lists for each hundred blocks, and each once from both."""
    made = run("ALL", 16, seconds=50)
    [completed] = made.records
    read = completed["proofs"]["blocks"]
    assert completed["proofs"]["underWay"] == 1
    # It ends half a minute before its time does; how far it comes until then is the machine's.
    assert 5 * SMALL_PAGE < read <= PACE * (made.seconds + 1)
    assert made.seen.of("ebs", "GetSnapshotBlock") == 2 * read
    lists = made.seen.of("ebs", "ListSnapshotBlocks")
    assert lists <= 2 * (read // SMALL_PAGE + 1)
    assert f"${made.dollars / read * OF_A_TIB:.2f} for all of them" in README
    assert f"${1024 * usd('transfer_gib'):.2f} for the transfer of that TiB" in README
    print(f"\n{read:,} blocks, {read / made.seconds:.0f} a second of each, {lists} lists: {made}")
