"""The verifier and the ledger: what a verdict makes of what was owed, and what it is without the ledger."""

import time
from datetime import datetime
from typing import Any

import pytest

from tests.cloud import LocalAws
from tests.e2e import policies
from tests.e2e.accounts import HOME, Account
from tests.e2e.ledger import Item
from tests.e2e.protect import VERIFIER, Vault, tick, told, vault

FAR = "eu-central-1"
LOCK = {"Mode": "governance", "Interval": 1, "IntervalUnit": "DAYS"}


@pytest.fixture
def key(target: Account) -> str:
    return target.create_key(FAR)


@pytest.fixture
def guarded(source: Account, target: Account, key: str) -> Vault:
    return vault(target, policies.details([source.number], policies.target(FAR, key=key, keep=(30, "DAYS"))))


def serve(guarded: Vault, name: str) -> None:
    """One tick that serves the line, past the queue, which is idle here."""
    guarded.stack.invoke("copy-shared-snapshots", {"serve": name})


def owed(guarded: Vault, snapshot: str) -> Item:
    [item] = guarded.ledger.obligations(source=snapshot)
    return item


def seconds(later: str, earlier: str) -> float:
    return (datetime.fromisoformat(later[:19]) - datetime.fromisoformat(earlier[:19])).total_seconds()


def test_a_verified_copy_ends_what_was_owed_and_is_told_once(source: Account, guarded: Vault) -> None:
    snapshot = guarded.shared(source)
    copy = guarded.copy_of(snapshot, FAR)["SnapshotId"]
    tick(guarded, "while it is copied")
    # As if it had been wanted an hour ago.
    guarded.ledger.age(minutes=60)
    wanted = owed(guarded, snapshot)["wanted"]
    guarded.verify()
    guarded.verify()
    [verdict] = guarded.verdicts(copy)
    assert told([verdict]) == ["copy.verified as-configured"]
    measured = [verdict["copy"]["secondsSinceWanted"], verdict["TimeToProtect"]]
    assert measured[0] == measured[1] == pytest.approx(seconds(verdict["time"], wanted), abs=2)
    assert measured[0] >= 3600
    ended = owed(guarded, snapshot)
    assert (ended["state"], ended["why"], ended["copy"]) == ("ended", "protected", copy)
    guarded.ledger.age(minutes=11)
    tick(guarded, "when it is over")
    assert len(guarded.verdicts(copy)) == 1
    assert guarded.stack.audit(event="copy.missed") == guarded.stack.audit(event="copy.withdrawn") == []
    assert len(guarded.control.calls(account=guarded.account.number, action="CopySnapshot")) == 1


@pytest.mark.parametrize(
    ("dies_at", "times"),
    [
        ({"action": "CreateTags", "drop": "before"}, 2),
        ({"action": "CreateTags", "drop": "after"}, 1),
        ({"service": "dynamodb", "action": "PutItem", "drop": "before"}, 1),
        ({"service": "dynamodb", "action": "PutItem", "drop": "after"}, 1),
    ],
    ids=["after the record", "after the tags", "before the end", "after the end"],
)
def test_whenever_the_process_dies_it_ends_and_is_told_twice_at_most(
    source: Account, guarded: Vault, aws: LocalAws, dies_at: dict[str, Any], times: int
) -> None:
    snapshot = guarded.shared(source)
    copy = guarded.copy_of(snapshot, FAR)["SnapshotId"]
    tick(guarded, "while it is copied")
    function = guarded.stack.outputs["VerifyCopiesFunction"]
    aws.control.inject_fault(account=guarded.account.number, kill=function, times=1, **dies_at)
    with pytest.raises(RuntimeError):
        guarded.verify()
    aws.control.clear()
    guarded.verify()
    tick(guarded, "what the verifier left")
    assert told(guarded.verdicts(copy)) == ["copy.verified as-configured"] * times
    assert guarded.status(copy, FAR) == "verified"
    assert (owed(guarded, snapshot)["state"], owed(guarded, snapshot)["copy"]) == ("ended", copy)


def test_a_copy_that_failed_is_asked_for_again_by_the_next_tick(source: Account, guarded: Vault, aws: LocalAws) -> None:
    aws.control.spoil_copies(account=guarded.account.number, times=1, state_message="Given key ID is not accessible")
    snapshot = guarded.shared(source)
    failed = guarded.copy_of(snapshot, FAR)["SnapshotId"]
    tick(guarded, "while it is copied")
    serve(guarded, "before its failure is seen")
    assert guarded.ledger.items("A#") == [], "nobody waits"
    guarded.verify()
    assert told(guarded.verdicts(failed)) == ["copy.failed source-key-inaccessible"]
    assert (owed(guarded, snapshot)["state"], owed(guarded, snapshot)["failed"]) == ("delayed", 1)
    [turn] = guarded.ledger.items("A#")
    assert (turn["pk"], turn["sk"]) == (f"A#{FAR}", source.number)
    serve(guarded, "after its failure")
    again = guarded.copy_of(snapshot, FAR, nth=2)["SnapshotId"]
    assert owed(guarded, snapshot)["copy"] == again
    guarded.verify()
    assert told(guarded.verdicts(again)) == ["copy.verified as-configured"]
    assert (owed(guarded, snapshot)["state"], owed(guarded, snapshot)["copy"]) == ("ended", again)
    assert told(guarded.verdicts(failed)) == ["copy.failed source-key-inaccessible"]


def test_what_passes_for_a_copy_that_the_ledger_names_gets_neither_verdict_nor_lock(
    source: Account, target: Account, key: str
) -> None:
    entry = policies.target(FAR, key=key, keep=(30, "DAYS"), LockRule=LOCK)
    guarded = vault(target, policies.details([source.number], entry))
    snapshot = guarded.shared(source)
    copy = guarded.copy_of(snapshot, FAR)["SnapshotId"]
    tick(guarded, "while it is copied")
    impostor = tagged_alike(guarded, copy, key)
    guarded.verify()
    guarded.verify()
    assert told(guarded.verdicts(copy)) == ["copy.verified as-configured", "copy.locked locked"]
    [other] = guarded.verdicts(impostor)
    assert told([other]) == ["copy.deferred another-named"], "once a day"
    assert copy in other["message"]
    tags = guarded.describe(impostor, FAR)["tags"]
    assert (tags["snapferry:status"], tags["snapferry:lock"]) == ("copying", "pending")
    assert "snapferry:copy" not in tags
    locked = guarded.account.client("ec2", FAR).describe_locked_snapshots()["Snapshots"]
    assert [each["SnapshotId"] for each in locked] == [copy]
    assert owed(guarded, snapshot)["copy"] == copy

    # What is over would go, and the other pass for the copy.
    guarded.ledger.age(minutes=6 * 24 * 60)
    tomorrow, week = (int(time.time()) + days * 86_400 for days in (1, 7))
    guarded.ledger.poison(guarded.ledger.obligations(source=snapshot), ttl=tomorrow)
    guarded.verify()
    assert owed(guarded, snapshot)["ttl"] == pytest.approx(week, abs=120)
    assert guarded.status(impostor, FAR) == "copying"


def tagged_alike(guarded: Vault, copy: str, key: str) -> str:
    """A snapshot of something else, encrypted under the copies' key, with all tags that the copy has now."""
    else_made = guarded.control.create_snapshot(guarded.account.number, FAR)
    client = guarded.account.client("ec2", FAR)
    made = client.copy_snapshot(SourceRegion=FAR, SourceSnapshotId=else_made, Encrypted=True, KmsKeyId=key)
    impostor: str = made["SnapshotId"]
    client.create_tags(Resources=[impostor], Tags=guarded.describe(copy, FAR)["Tags"])
    return impostor


@pytest.mark.parametrize("action", ["GetItem", "PutItem"])
@pytest.mark.parametrize(
    "outage", [{"drop": "before"}, {"hang": "before", "drop": ""}, {"drop": "", "code": "InternalServerError"}], ids=str
)
def test_without_the_ledger_verdicts_are_given_and_the_next_sweep_notes_them(
    source: Account, guarded: Vault, aws: LocalAws, action: str, outage: dict[str, Any]
) -> None:
    snapshots = [guarded.shared(source) for _ in range(3)]
    copies = [guarded.copy_of(each, FAR)["SnapshotId"] for each in snapshots]
    tick(guarded, "while they are copied")
    aws.control.take_ledger_down(HOME, action=action, **outage)
    before = aws.control.last_call()
    guarded.verify()
    for copy in copies:
        assert told(guarded.verdicts(copy)) == ["copy.verified as-configured"]
        assert guarded.status(copy, FAR) == "verified"
    [unread] = guarded.stack.audit(VERIFIER, event="copy.deferred", reason="ledger-unread")
    assert (unread["count"], unread["LedgerUnread"]) == (3, 1)
    writes = len(aws.control.calls(since=before, service="dynamodb", action="PutItem"))
    assert writes == (0 if action == "GetItem" else 3), "after the first that failed, nothing more is asked of it"
    assert guarded.ledger.states() == ["copying"] * 3
    aws.control.clear()
    tick(guarded, "when it answers")
    assert guarded.ledger.states() == ["ended"] * 3
    assert [len(guarded.verdicts(copy)) for copy in copies] == [1] * 3


def test_a_copy_that_the_ledger_does_not_know_is_taken_in_and_ends(
    source: Account, guarded: Vault, aws: LocalAws
) -> None:
    aws.control.configure(hold_copies=True)
    snapshot = guarded.shared(source)
    copy = guarded.copy_of(snapshot, FAR)["SnapshotId"]
    tick(guarded, "while it is copied")
    guarded.ledger.empty()
    tick(guarded, "after an upgrade")
    adopted = owed(guarded, snapshot)
    assert (adopted["state"], adopted["copy"]) == ("copying", copy)
    aws.control.release_copies(account=guarded.account.number)
    guarded.verify()
    [verdict] = guarded.verdicts(copy)
    assert told([verdict]) == ["copy.verified as-configured"]
    started = guarded.describe(copy, FAR)["StartTime"]
    since = verdict["copy"]["secondsSinceWanted"]
    assert since == pytest.approx(seconds(verdict["time"], started.isoformat()), abs=2)
    assert (owed(guarded, snapshot)["state"], owed(guarded, snapshot)["why"]) == ("ended", "protected")
