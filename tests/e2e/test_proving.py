"""What is in a copy: read block by block, compared with its source, and made again where it differs."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.cloud import LocalAws
from tests.e2e import policies
from tests.e2e.accounts import HOME, Account
from tests.e2e.deploy import PROVER, Record
from tests.e2e.protect import Vault, tick, told, vault
from tests.e2e.test_protect_verifying import allow_everybody

FAR = "eu-central-1"
SCHEDULE = {"ProofSchedule": "rate(365 days)"}
BLOCKS: dict[int, str | None] = {index: f"<block {index}>\x01" for index in range(0, 120, 3)}


def proving(source: Account, target: Account, rule: dict[str, Any], *, region: str = FAR, **parameters: str) -> Vault:
    entry = policies.target(region, key=target.create_key(region), keep=(30, "DAYS"), ProofRule=rule)
    return vault(target, policies.details([source.number], entry), **SCHEDULE, **parameters)


def copied(
    guarded: Vault, source: Account, region: str = FAR, blocks: dict[int, str | None] = BLOCKS, **how: Any
) -> tuple[str, str]:
    """A source with blocks, and its verified copy."""
    snapshot = guarded.control.create_snapshot(source.number, HOME, **how)
    guarded.control.set_blocks(snapshot, HOME, blocks)
    source.share(snapshot, guarded.account.number)
    copy = guarded.copy_of(snapshot, region)["SnapshotId"]
    guarded.verify()
    assert guarded.status(copy, region) == "verified"
    return snapshot, copy


def prove(guarded: Vault) -> None:
    assert guarded.stack.invoke(PROVER, {"run": "a run"}) == {}


def proofs(guarded: Vault, copy: str) -> list[Record]:
    return guarded.stack.audit(PROVER, copy__snapshot=copy)


def test_an_equal_copy_is_proven_once(source: Account, target: Account, aws: LocalAws) -> None:
    guarded = proving(source, target, {"Blocks": 20})
    aws.control.configure(blocks_a_page=7)
    snapshot, copy = copied(guarded, source)
    prove(guarded)
    prove(guarded)
    [record] = proofs(guarded, copy)
    assert told([record]) == ["copy.proved sampled"]
    assert (record["source"]["snapshot"], record["trigger"], record["triggerId"]) == (snapshot, "schedule", "a run")
    proof = record["proof"]
    counts = {name: proof[name] for name in ("level", "listed", "read", "compared", "unpaired", "bytes")}
    expected = {"level": "sampled", "listed": 40, "read": 20, "compared": 20, "unpaired": 0, "bytes": 20 * 524_288}
    assert counts == expected
    tags = guarded.describe(copy, FAR)["tags"]
    assert tags["snapferry:proof"].startswith("sampled 20")
    assert tags["snapferry:status"] == "verified"
    first, second = guarded.stack.audit(PROVER, event="prove.completed")
    assert told([first, second]) == ["prove.completed complete"] * 2
    said = {name: first["proofs"][name] for name in ("copies", "proved", "waiting", "blocks")}
    assert said == {"copies": 1, "proved": {"sampled": 1}, "waiting": 0, "blocks": 20}
    assert (second["proofs"]["copies"], second["ProofsWaiting"], second["triggerId"]) == (0, 0, "a run")


def test_one_damaged_block_is_found_and_the_copy_made_again(source: Account, target: Account, aws: LocalAws) -> None:
    guarded = proving(source, target, {"Blocks": "ALL"})
    aws.control.configure(blocks_a_page=7)
    snapshot, copy = copied(guarded, source)
    aws.control.set_blocks(copy, FAR, {57: "damaged"})
    prove(guarded)
    [record] = proofs(guarded, copy)
    assert told([record]) == ["copy.rejected content-differs"]
    assert (record["proof"]["block"], record["proof"]["compared"]) == (57, 20)
    assert guarded.status(copy, FAR) == "rejected"
    # No sweep: what was rejected stands in line, and the next tick serves it, though it was asked for a moment ago.
    guarded.stack.send(json.dumps({"serve": "again"}))
    again = guarded.copy_of(snapshot, FAR, nth=2)["SnapshotId"]
    guarded.verify()
    prove(guarded)
    assert told(proofs(guarded, again)) == ["copy.proved full"]
    assert guarded.describe(again, FAR)["tags"]["snapferry:proof"].startswith("full ")
    assert guarded.exists(copy, FAR)


def test_what_could_not_be_owed_again_the_next_sweep_finds(source: Account, target: Account, aws: LocalAws) -> None:
    guarded = proving(source, target, {"Blocks": "ALL"})
    snapshot, copy = copied(guarded, source)
    aws.control.set_blocks(copy, FAR, {57: "damaged"})
    obligations = {"Item.pk.S": "O#*"}
    fault = aws.control.inject_fault(
        service="dynamodb", action="PutItem", parameters=obligations, code="AccessDeniedException", status=400
    )
    prove(guarded)
    assert told(proofs(guarded, copy)) == ["copy.rejected content-differs"]
    assert told(guarded.stack.audit(PROVER))[1:2] == ["copy.deferred ledger-unread"]
    aws.control.clear(fault)
    guarded.ledger.age(minutes=11)
    guarded.control.kill_function(guarded.stack.outputs["CopySharedSnapshotsFunction"])
    tick(guarded, "again")
    assert guarded.copy_of(snapshot, FAR, nth=2)


def test_a_whole_sample_finds_it_too(source: Account, target: Account, aws: LocalAws) -> None:
    guarded = proving(source, target, {"Blocks": 40})
    _, copy = copied(guarded, source)
    aws.control.set_blocks(copy, FAR, {57: "damaged"})
    prove(guarded)
    assert told(proofs(guarded, copy)) == ["copy.rejected content-differs"]


@pytest.mark.parametrize(
    "changed", [{57: None}, {58: "more"}, {500: "more"}], ids=["one less", "one more", "at the end"]
)
def test_blocks_that_one_side_lacks_are_told_and_reject_nothing(
    source: Account, target: Account, aws: LocalAws, changed: dict[int, str | None]
) -> None:
    guarded = proving(source, target, {"Blocks": "ALL"})
    _, copy = copied(guarded, source)
    aws.control.set_blocks(copy, FAR, changed)
    prove(guarded)
    [record] = proofs(guarded, copy)
    assert told([record]) == ["copy.proved structure-differs"]
    assert (record["proof"]["unpaired"], record["ProofsDiffering"]) == (1, 1)
    assert guarded.status(copy, FAR) == "verified"


class TestReadAlone:
    """Without its source a copy is read, and no worse for it."""

    def test_a_copy_whose_source_is_gone(self, source: Account, target: Account) -> None:
        guarded = proving(source, target, {"Blocks": 10})
        snapshot, copy = copied(guarded, source)
        source.unshare(snapshot, target.number)
        prove(guarded)
        self.is_alone(guarded, copy, "EC2 no longer shows the source")

    def test_a_copy_whose_source_may_not_be_read(self, source: Account, target: Account, aws: LocalAws) -> None:
        guarded = proving(source, target, {"Blocks": 10})
        _, copy = copied(guarded, source)
        aws.control.configure(recipients_read_blocks=False)
        prove(guarded)
        self.is_alone(guarded, copy, "the source may not be read: AccessDeniedException")

    def test_a_copy_that_is_not_to_be_compared(self, source: Account, target: Account, aws: LocalAws) -> None:
        guarded = proving(source, target, {"Blocks": "ALL", "Compare": False})
        _, copy = copied(guarded, source)
        aws.control.set_blocks(copy, FAR, {57: "damaged"})
        prove(guarded)
        self.is_alone(guarded, copy, "Compare")

    def is_alone(self, guarded: Vault, copy: str, why: str) -> None:
        [record] = proofs(guarded, copy)
        assert told([record]) == ["copy.proved copy-only"]
        assert why in record["proof"]["alone"]
        assert record["proof"]["compared"] == 0
        assert guarded.describe(copy, FAR)["tags"]["snapferry:proof"].startswith("copy-only ")


def test_a_copy_that_ebs_calls_unchanged_is_not_read(source: Account, target: Account) -> None:
    entry = {"Target": HOME, "EncryptionConfiguration": {"Encrypted": False}, "ProofRule": {"Blocks": 10}}
    guarded = vault(target, policies.details([source.number], entry), **SCHEDULE)
    _, copy = copied(guarded, source, HOME)
    prove(guarded)
    [record] = proofs(guarded, copy)
    assert told([record]) == ["copy.proved unchanged"]
    assert record["proof"]["read"] == 0


def test_a_copy_of_an_encrypted_source_is_compared(source: Account, target: Account) -> None:
    theirs = source.create_key(HOME)
    allow_everybody(source, theirs)
    guarded = proving(source, target, {"Blocks": "ALL"}, SourceKeyArns=theirs, ProofDecryptsSources="true")
    _, copy = copied(guarded, source, kms_key=theirs)
    prove(guarded)
    assert told(proofs(guarded, copy)) == ["copy.proved full"]


def test_copies_elsewhere_are_left_alone_where_so_told(source: Account, target: Account) -> None:
    guarded = proving(source, target, {"Blocks": 10}, ProofOtherRegions="false")
    _, copy = copied(guarded, source)
    prove(guarded)
    assert proofs(guarded, copy) == []
    assert "snapferry:proof" not in guarded.describe(copy, FAR)["tags"]


def test_what_cannot_be_read_or_written_is_told_and_tried_again(
    source: Account, target: Account, aws: LocalAws
) -> None:
    guarded = proving(source, target, {"Blocks": 10})
    _, copy = copied(guarded, source)
    aws.control.change_snapshot(copy, FAR, storage_tier="archive")
    prove(guarded)
    prove(guarded)
    assert told(proofs(guarded, copy)) == ["copy.deferred not-proved"], "said once a day"
    [place] = guarded.ledger.items("P#")
    assert (place["pk"], place["sk"], place["revision"]) == (f"P#{FAR}", copy, 1)
    aws.control.change_snapshot(copy, FAR, storage_tier="standard")
    aws.control.inject_fault(action="CreateTags", account=target.number, code="TagLimitExceeded", times=1)
    prove(guarded)
    prove(guarded)
    expected = ["copy.proved sampled", "copy.deferred proof-not-written", "copy.proved sampled"]
    assert told(proofs(guarded, copy))[1:] == expected
    assert "50 tags" in json.dumps(proofs(guarded, copy))
    assert guarded.ledger.items("P#") == []
    # It went on where it was: the blocks are those that were drawn when it began.
    seeds = {each["proof"]["seed"] for each in proofs(guarded, copy) if "proof" in each}
    assert seeds == {json.loads(place["progress"])["seed"]}


def test_a_region_in_which_nothing_can_be_read_makes_a_run_incomplete(
    source: Account, target: Account, aws: LocalAws
) -> None:
    """However well all goes in another: else nobody would hear that no copy there is ever proven."""
    near = "eu-west-1"
    entries = [
        policies.target(region, key=target.create_key(region), keep=(30, "DAYS"), ProofRule={"Blocks": 10})
        for region in (FAR, near)
    ]
    guarded = vault(target, policies.details([source.number], *entries), **SCHEDULE)
    snapshot, copy = copied(guarded, source)
    guarded.copy_of(snapshot, near)
    guarded.verify()
    aws.control.change_snapshot(copy, FAR, storage_tier="archive")
    prove(guarded)
    [completed] = guarded.stack.audit(PROVER, event="prove.completed")
    proofs = completed["proofs"]
    assert (completed["reason"], proofs["unreadRegions"], proofs["proved"]) == ("incomplete", [FAR], {"sampled": 1})


def test_a_proof_that_does_not_end_is_told_once_a_day(source: Account, target: Account, aws: LocalAws) -> None:
    guarded = proving(source, target, {"Blocks": 10})
    _, copy = copied(guarded, source)
    aws.control.change_snapshot(copy, FAR, storage_tier="archive")
    prove(guarded)
    assert told(proofs(guarded, copy)) == ["copy.deferred not-proved"]
    [place] = guarded.ledger.items("P#")
    progress = json.loads(place["progress"])
    long_ago = (datetime.now(UTC) - timedelta(days=8, hours=1)).isoformat().replace("+00:00", "Z")
    guarded.ledger.poison([place], progress=json.dumps({**progress, "began": long_ago}))
    prove(guarded)
    prove(guarded)
    assert told(proofs(guarded, copy)) == ["copy.deferred not-proved", "copy.deferred proof-stuck"]
    completed = guarded.stack.audit(PROVER, event="prove.completed")
    assert [each["proofs"]["deferred"].get("proof-stuck", 0) for each in completed] == [0, 1, 1]


def test_a_run_that_dies_leaves_its_place(source: Account, target: Account, aws: LocalAws) -> None:
    """A block takes 80 ms where a page has one: the process dies behind its first place, half a minute in."""
    guarded = proving(source, target, {"Blocks": "ALL"})
    many = 800
    _, copy = copied(guarded, source, blocks={index: f"block {index}" for index in range(many)})
    aws.control.configure(blocks_a_page=1)
    place = {"Item.pk.S": "P#*"}
    function = guarded.stack.outputs["ProveCopiesFunction"]
    aws.control.inject_fault(
        service="dynamodb", action="PutItem", parameters=place, kill=function, drop="after", times=1
    )
    with pytest.raises(RuntimeError):
        prove(guarded)
    [item] = guarded.ledger.items("P#")
    read = json.loads(item["progress"])["read"]
    assert 0 < read < many
    aws.control.configure(blocks_a_page=10_000)
    prove(guarded)
    [record] = proofs(guarded, copy)
    assert told([record]) == ["copy.proved full"]
    assert (record["proof"]["read"], record["proof"]["compared"]) == (many, many)
    [completed] = guarded.stack.audit(PROVER, event="prove.completed")
    assert completed["proofs"]["blocks"] == many - read


def test_a_run_rejects_few(source: Account, target: Account, aws: LocalAws) -> None:
    guarded = proving(source, target, {"Blocks": "ALL"})
    copies = [copied(guarded, source)[1] for _ in range(4)]
    for copy in copies:
        aws.control.set_blocks(copy, FAR, {57: "damaged"})
    prove(guarded)
    assert sorted(guarded.status(copy, FAR) for copy in copies) == ["rejected"] * 3 + ["verified"]
