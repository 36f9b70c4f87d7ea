"""What `snapferry plan` and `coverage` say of a stack's ledger, and that they say all else without it."""

import csv
import io
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.command import run_as
from tests.cloud import LocalAws, until
from tests.e2e import faults, policies
from tests.e2e.accounts import Account
from tests.e2e.deploy import STACK

NEAR, FAR = "us-west-2", "eu-west-1"
NEVER_SHARED = "snap-00000000000000abc"
PATIENCE_SECONDS = 60


@pytest.fixture
def copier(source: Account, target: Account, aws: LocalAws) -> faults.Copier:
    """Wants copies in a Region that takes none."""
    aws.control.configure(in_flight_limits={NEAR: 0})
    return faults.copier(target, policies.details([source.number], policies.target(NEAR)))


@pytest.fixture
def document(copier: faults.Copier, tmp_path: Path) -> Path:
    """Its policy in a file."""
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(copier.document))
    return path


def waiting(copier: faults.Copier, source: Account, count: int) -> list[str]:
    """So many snapshots that events told of and that stand in line."""
    snapshots = copier.shared(source, count, events=True)
    copier.wait_until_idle()
    assert copier.ledger.states() == ["owed"] * count
    return snapshots


def ago(**time: float) -> str:
    """A time in the ledger's form."""
    return (datetime.now(UTC) - timedelta(**time)).isoformat(timespec="seconds").replace("+00:00", "Z")


def share_event(snapshot: str) -> str:
    """The event that tells of a shared snapshot."""
    detail = {"event": "shareSnapshot", "result": "succeeded", "snapshot_id": snapshot}
    return json.dumps({"id": "e", "source": "aws.ec2", "detail-type": "EBS Snapshot Notification", "detail": detail})


def test_each_that_is_owed_says_since_when_and_why_it_waits(
    copier: faults.Copier, source: Account, target: Account, document: Path
) -> None:
    inline, delayed, asked, copying = waiting(copier, source, 4)
    ledger = copier.ledger
    ledger.poison(
        ledger.obligations(source=delayed), state="delayed", at=ago(minutes=1), refused=5, wanted=ago(hours=3)
    )
    ledger.poison(ledger.obligations(source=asked), state="asked", at=ago(minutes=2))
    ledger.poison(
        ledger.obligations(source=copying), state="copying", at=ago(minutes=3), copy="snap-0c0c0c0c", failed=1
    )
    copier.stack.send(share_event(NEVER_SHARED))
    until(lambda: ledger.items("H"), within=PATIENCE_SECONDS, what="the hint")
    # It serves what is in line after the event, and asks for it meanwhile.
    copier.wait_until_idle()
    done = run_as(target, "plan", document, "--json", "--stack", STACK)
    assert (done.code, done.err) == (1, "")
    *printed, last = done.lines()
    owed = {each["owed"]["snapshot"]: each["owed"] for each in printed if "owed" in each}
    states = {snapshot: each["state"] for snapshot, each in owed.items()}
    assert states == {inline: "in-line", delayed: "delayed", asked: "asked", copying: "copying"}
    assert (owed[delayed]["refused"], owed[copying]["failed"], owed[copying]["copy"]) == (5, 1, "snap-0c0c0c0c")
    assert owed[delayed]["since"] < owed[inline]["since"]
    assert (
        datetime.now(UTC) < datetime.fromisoformat(owed[delayed]["until"]) < datetime.now(UTC) + timedelta(minutes=16)
    )
    assert "waits for its turn" in owed[inline]["why"]
    assert [each["hint"]["snapshot"] for each in printed if "hint" in each] == [NEVER_SHARED]
    # What pauses, or was just asked for, or is just being copied, is not asked for now.
    decided = {each["snapshot"]: (each["action"], each["reason"]) for each in printed if "action" in each}
    assert decided == {
        inline: ("copy", "matched"),
        delayed: ("defer", "in-line"),
        asked: ("defer", "answer-lost"),
    }
    waits = {"in-line": 1, "delayed": 1, "asked": 1, "copying": 1}
    assert last["summary"]["ledger"] == {"read": True, "note": None, "owed": waits, "hints": 1}
    text = run_as(target, "plan", document, "--ledger", ledger.table).out
    assert all(said in text for said in ("delayed until", "refused 5", "copying as snap-0c0c0c0c", NEVER_SHARED))
    of_one = run_as(target, "plan", document, "--json", "--stack", STACK, "--snapshot", delayed).lines()
    assert [each["owed"]["snapshot"] for each in of_one if "owed" in each] == [delayed]
    assert not any("hint" in each for each in of_one)
    report = run_as(target, "coverage", document, "--json", SNAPFERRY_LEDGER=ledger.table).json()
    told = {row["source"]: row["owed"]["state"] for row in report["rows"]}
    assert told == states
    assert report["total"]["missing"] == 4
    assert report["oldestUnprotected"] == owed[delayed]["since"]
    assert [each["snapshot"] for each in report["ledger"]["hints"]] == [NEVER_SHARED]
    assert "delayed until" in run_as(target, "coverage", document, "--stack", STACK).out


def test_what_was_missed_is_a_finding_in_every_form(
    copier: faults.Copier, source: Account, target: Account, document: Path
) -> None:
    gone, there = waiting(copier, source, 2)
    source.unshare(gone, target.number)
    copier.sweep_now()
    unseen = run_as(target, "coverage", document, "--json", "--stack", STACK).json()
    assert {row["source"]: row["state"] for row in unseen["rows"]} == {there: "missing", gone: "owed"}
    assert (unseen["total"]["owed"], unseen["total"]["missed"], unseen["total"]["lost"]) == (1, 0, 0)
    copier.sweep_now()
    assert copier.ledger.states(source=gone) == ["ended"]
    source.unshare(there, target.number)
    with_table = run_as(target, "coverage", document, "--stack", STACK)
    assert with_table.code == 1
    assert "Missed within a week, gone before there was a good copy: 1." in with_table.out
    done = run_as(target, "coverage", document, "--json", "--stack", STACK)
    report = done.json()
    assert (done.code, report["verdict"], report["total"]["missed"]) == (1, "findings", 1)
    assert (report["targets"][0]["missed"], report["rows"][0]["state"]) == (1, "missed")
    assert (report["rows"][0]["source"], report["rows"][0]["account"]) == (gone, source.number)
    rows = list(csv.DictReader(io.StringIO(run_as(target, "coverage", document, "--csv", "-", "--stack", STACK).out)))
    assert Counter((row["source"], row["state"], row["owed"]) for row in rows) == {
        (gone, "missed", "missed"): 1,
        (there, "owed", "in-line"): 1,
    }
    page = run_as(target, "coverage", document, "--html", "-", "--stack", STACK).out
    assert f'<span class="state missed">missed</span></td><td><code>{gone}</code>' in page
    without = run_as(target, "coverage", document, "--json")
    assert (without.code, without.json()["verdict"], without.json()["rows"]) == (0, "covered", [])


def test_the_time_to_protect_counts_from_when_the_copy_was_wanted(
    copier: faults.Copier, source: Account, target: Account, document: Path, aws: LocalAws
) -> None:
    aws.control.configure(in_flight_limits={})
    [snapshot] = copier.shared(source, 1, events=True)
    copier.wait_until_idle()
    aws.control.release_copies()
    copier.ledger.poison(copier.ledger.obligations(), wanted=ago(hours=5))
    copier.stack.invoke("verify-copies", {"run": "a run"})
    [row] = run_as(target, "coverage", document, "--json", "--stack", STACK).json()["rows"]
    assert (row["source"], row["state"]) == (snapshot, "protected")
    assert 5 * 3600 <= row["secondsToProtect"] < 6 * 3600
    assert "owed" not in row
    [row] = run_as(target, "coverage", document, "--json").json()["rows"]
    assert row["secondsToProtect"] < 3600


@pytest.mark.parametrize("command", ["plan", "coverage"])
def test_without_the_ledger_all_else_is_said(
    copier: faults.Copier, source: Account, target: Account, document: Path, aws: LocalAws, command: str
) -> None:
    [snapshot] = waiting(copier, source, 1)
    not_named = run_as(target, command, document)
    assert snapshot in not_named.out
    assert "the ledger was not read" in not_named.out
    assert not_named.err == ""
    named = run_as(target, command, document, "--ledger", copier.ledger.table)
    assert named.code == not_named.code
    words = "not authorized to perform: dynamodb:Query"
    denied = aws.control.inject_fault(
        service="dynamodb", action="Query", code="AccessDeniedException", status=400, message=words
    )
    cases = [("--ledger", copier.ledger.table, "AccessDeniedException")]
    for option, name, said in [*cases, ("--stack", "no-such-stack", "no-such-stack cannot be read")]:
        done = run_as(target, command, document, option, name)
        assert (done.code, snapshot in done.out) == (2 if command == "coverage" else not_named.code, True)
        assert said in done.err
        assert said in done.out
    read = run_as(target, command, document, "--json", "--ledger", copier.ledger.table)
    last = json.loads(read.out.splitlines()[-1])
    ledger = last["summary"]["ledger"] if command == "plan" else last["ledger"]
    assert (ledger["read"], "AccessDeniedException" in ledger["note"]) == (False, True)
    aws.control.clear(denied)
    aws.control.take_ledger_down()
    unreachable = run_as(target, command, document, "--ledger", copier.ledger.table)
    assert (unreachable.code, snapshot in unreachable.out) == (2 if command == "coverage" else not_named.code, True)
    assert "cannot be read" in unreachable.err


@pytest.mark.parametrize("code", ["AuthFailure", "OptInRequired"])
def test_a_region_that_is_not_enabled_is_told_as_that(
    source: Account, target: Account, tmp_path: Path, aws: LocalAws, code: str
) -> None:
    document = tmp_path / "policy.json"
    document.write_text(json.dumps(policies.details([source.number], *map(policies.target, (NEAR, FAR)))))
    source.aws.control.configure(deliver_events=False)
    source.share(source.create_snapshot()["SnapshotId"], target.number)
    aws.control.disable_region(NEAR, code)
    plan = run_as(target, "plan", document, "--json")
    told = {each["region"]: each for each in plan.lines()[:-1]}
    assert (plan.code, told[NEAR]["reason"], told[FAR]["action"]) == (1, "region-not-enabled", "copy")
    assert "Enable the Region in this account" in told[NEAR]["message"]
    coverage = run_as(target, "coverage", document)
    assert coverage.code == 2
    assert f"the copies in {NEAR}: {code}" in coverage.err
    assert "not enabled in this account, or does not exist: enable it, or correct Target" in coverage.err
