"""What `snapferry coverage` says of an account, as a table and for machines."""

import csv
import io
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.vault import FAR, HOME, NEAR, NOW, SOURCE, STRANGER, TARGET, copy, coverage, point, shared
from tests.cloud import LocalAws

HOSTILE = 'nightly <script>alert(1)</script> ",=1+1'
YESTERDAY = NOW - timedelta(days=1)


def well(aws: LocalAws) -> None:
    """One snapshot, protected in both Regions, and one whose share was taken back."""
    both = [copy(1, region, YESTERDAY) for region in (NEAR, FAR)]
    aws.control.create_snapshots([shared(1, YESTERDAY), *both, copy(2, NEAR, YESTERDAY, volume=2)])


def ill(aws: LocalAws) -> None:
    """What is well, and everything that is not."""
    well(aws)
    failed: dict[str, Any] = {"state": "error", "tags": {"status": "failed"}}
    flying: dict[str, Any] = {"state": "pending", "tags": {"status": "copying", "settled-at": None}}
    aws.control.create_snapshots(
        [
            shared(3, YESTERDAY, volume=3, description=HOSTILE),
            copy(3, NEAR, YESTERDAY, volume=3, **failed),
            shared(4, YESTERDAY, volume=4),
            copy(4, NEAR, YESTERDAY, volume=4, **flying),
            copy(4, FAR, YESTERDAY, volume=4, tags={"lock": "pending"}),
            shared(5, YESTERDAY, owner=STRANGER),
            shared(6, YESTERDAY, description="weekly"),
            shared(7, NOW - timedelta(days=40), volume=7),
        ]
    )


def test_all_is_well(aws: LocalAws, document: Path) -> None:
    well(aws)
    done = coverage(aws, document)
    assert (done.code, done.err) == (0, "")
    assert "1 matching snapshot, 2 copies wanted: all protected." in done.out
    assert "History: 1 copy protect" in done.out
    assert "FINDING" not in done.out
    assert "\x1b" not in done.out


def test_findings_come_first(aws: LocalAws, document: Path) -> None:
    ill(aws)
    done = coverage(aws, document)
    assert (done.code, done.err) == (1, "")
    assert done.out.index("FINDING") < done.out.index("POLICY")
    assert "4 matching snapshots, 8 copies wanted: 3 missing, 1 failed, 2 in flight, 2 protected." in done.out


def test_for_machines(aws: LocalAws, document: Path) -> None:
    ill(aws)
    report = coverage(aws, document, "--json").json()
    assert (report["format"], report["verdict"], report["home"]) == ("snapferry-coverage/1", "findings", HOME)
    wanted = {"failed": 1, "missing": 3, "inFlight": 2, "protected": 2, "history": 1, "lost": 0}
    assert report["total"] == wanted
    states = Counter((row["state"], row["shared"]) for row in report["rows"])
    assert states == {
        ("failed", True): 1,
        ("missing", True): 3,
        ("in-flight", True): 2,
        ("protected", True): 2,
        ("protected", False): 1,
    }
    assert [row["state"] for row in report["rows"]][:4] == ["failed", "missing", "missing", "missing"]
    failed = report["rows"][0]
    assert (failed["description"], failed["region"], failed["account"]) == (HOSTILE, NEAR, SOURCE)
    protected = next(row for row in report["rows"] if row["state"] == "protected")
    assert protected["secondsToProtect"] == 40 * 60
    since = coverage(aws, document, "--json", "--since", "2020-01-01T00:00:00Z").json()
    assert since["beforeSince"] == 0
    recent = (NOW - timedelta(days=9)).isoformat()
    assert coverage(aws, document, "--json", "--since", recent).json()["total"]["missing"] == 1


def test_comma_separated(aws: LocalAws, document: Path, tmp_path: Path) -> None:
    ill(aws)
    written = tmp_path / "coverage.csv"
    done = coverage(aws, document, "--csv", written)
    assert (done.code, "POLICY" in done.out) == (1, True)
    rows = list(csv.DictReader(io.StringIO(written.read_text(), newline="")))
    assert len(rows) == 9
    assert rows[0]["description"] == HOSTILE
    assert list(tmp_path.glob(".*")) == []
    page = coverage(aws, document, "--html", "-").out
    assert (page.startswith("<!doctype html>"), page.rstrip().endswith("</html>")) == (True, True)
    piped = coverage(aws, document, "--csv", "-")
    assert list(csv.DictReader(io.StringIO(piped.out, newline=""))) == rows


def test_locks_are_told(aws: LocalAws, document: Path) -> None:
    ids = aws.control.create_snapshots(
        [shared(1, YESTERDAY), *(copy(1, region, YESTERDAY, tags={"lock": "locked"}) for region in (NEAR, FAR))]
    )
    locker = aws.client("ec2", "222222222222", NEAR)
    locker.lock_snapshot(SnapshotId=ids[1], LockMode="governance", LockDuration=7)
    rows = {row["region"]: row for row in coverage(aws, document, "--json").json()["rows"]}
    assert (rows[NEAR]["lock"], rows[NEAR]["lockMode"]) == ("locked", "governance")
    assert rows[NEAR]["lockedUntil"] > rows[NEAR]["started"]
    assert rows[FAR]["lockMode"] is None


def test_what_is_lost_with_its_key_is_told_apart_from_what_failed(
    aws: LocalAws, document: Path, tmp_path: Path
) -> None:
    kms = aws.client("kms", TARGET, NEAR)
    lost, well = (kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2))
    kms.schedule_key_deletion(KeyId=lost, PendingWindowInDays=7)
    both = [copy(1, NEAR, YESTERDAY, kms_key=lost), copy(1, FAR, YESTERDAY)]
    aws.control.create_snapshots(
        [shared(1, YESTERDAY), shared(2, YESTERDAY), *both, copy(2, NEAR, YESTERDAY, kms_key=well)]
    )
    done = coverage(aws, document)
    assert done.code == 1
    assert "key lost" in done.out
    assert f"Copies under {lost}, which is about to be deleted: 1." in done.out
    report = coverage(aws, document, "--json").json()
    lives = {(row["source"][-1], row["region"]): (row["state"], row["keyLife"]) for row in report["rows"]}
    assert (lives["1", NEAR], lives["2", NEAR]) == (("failed", "doomed"), ("protected", "alive"))
    assert report["endangeredKeys"] == [{"region": NEAR, "key": lost, "life": "doomed", "copies": 1}]
    page = coverage(aws, document, "--html", "-").out
    assert '<span class="state failed">key lost</span>' in page
    rows = csv.DictReader(io.StringIO(coverage(aws, document, "--csv", "-").out, newline=""))
    assert sorted(row["key_life"] for row in rows) == ["", "alive", "alive", "doomed"]


def test_what_was_retired_counts_where_it_is_named(aws: LocalAws, document: Path) -> None:
    gone = "sa-east-1"
    tags = {"policy": "old"}
    aws.control.create_snapshots(
        [
            copy(1, NEAR, YESTERDAY, tags=tags),
            copy(2, NEAR, YESTERDAY, tags={"source-region": FAR}),
            copy(3, gone, YESTERDAY),
        ]
    )
    plain = coverage(aws, document, "--json").json()
    assert (plain["total"]["history"], plain["policiesNotNamed"], plain["copiesOfOtherHomes"]) == (
        0,
        {"old": 1},
        {FAR: 1},
    )
    retired = ("--retired-policy", "old", "--retired-home", FAR, "--retired-region", gone)
    told = coverage(aws, document, "--json", *retired).json()
    assert (told["total"]["history"], told["policiesNotNamed"], told["copiesOfOtherHomes"]) == (3, {}, {})


@pytest.mark.parametrize("region", [HOME, FAR])
def test_a_region_that_cannot_be_read_is_no_coverage(
    aws: LocalAws, document: Path, tmp_path: Path, region: str
) -> None:
    well(aws)
    aws.control.inject_fault(
        service="ec2", region=region, code="UnauthorizedOperation", message="You are not authorized.", status=403
    )
    html = tmp_path / "coverage.html"
    done = coverage(aws, document, "--html", html)
    assert (done.code, done.out) == (2, "")
    assert region in done.err
    assert "UnauthorizedOperation" in done.err
    assert not html.exists()


def test_several_homes_are_one_report_and_each_row_says_whose(aws: LocalAws, document: Path) -> None:
    second = "us-west-2"
    well(aws)
    of_second = {"source-region": second}
    aws.control.create_snapshots(
        [
            shared(8, YESTERDAY, volume=8, region=second),
            copy(8, NEAR, YESTERDAY, volume=8, tags=of_second),
            copy(9, FAR, YESTERDAY, volume=9, tags=of_second),
        ]
    )
    alone = coverage(aws, document)
    assert alone.code == 0
    assert f"2 copies of other homes are left out ({second} 2)" in alone.out

    both = [document, "--region", HOME, "--region", second, "--region", HOME]
    done = coverage(aws, *both)
    assert done.code == 1
    assert "other homes" not in done.out
    assert second in next(line for line in done.out.splitlines() if " missing " in line)
    report = coverage(aws, *both, "--json").json()
    assert (report["home"], report["homes"]) == (HOME, [HOME, second])
    assert {(row["home"], row["source"][-1], row["region"], row["state"], row["shared"]) for row in report["rows"]} == {
        (HOME, "1", NEAR, "protected", True),
        (HOME, "1", FAR, "protected", True),
        (HOME, "2", NEAR, "protected", False),
        (second, "8", NEAR, "protected", True),
        (second, "8", FAR, "missing", True),
        (second, "9", FAR, "protected", False),
    }
    targets = {(each["home"], each["region"]): (each["protected"], each["missing"]) for each in report["targets"]}
    assert targets == {(HOME, NEAR): (1, 0), (HOME, FAR): (1, 0), (second, NEAR): (1, 0), (second, FAR): (0, 1)}
    rows = list(csv.DictReader(io.StringIO(coverage(aws, *both, "--csv", "-").out)))
    assert Counter(row["home"] for row in rows) == {HOME: 3, second: 3}
    page = coverage(aws, *both, "--html", "-").out
    assert f"snapshots shared in <strong>{HOME}, {second}</strong>" in page

    one_table = coverage(aws, *both, "--ledger", "table")
    assert one_table.code == 2
    assert "--ledger names one home's table" in one_table.err
    no_region = coverage(aws, *both, "--region", "eu_west")
    assert no_region.code == 2
    assert "eu_west is no Region code" in no_region.err


def test_proofs_are_told_and_counted(aws: LocalAws, document: Path) -> None:
    well(aws)
    before = coverage(aws, document)
    assert "Content proved" not in before.out
    proof = (NOW - timedelta(days=3)).isoformat(timespec="seconds").replace("+00:00", "Z")
    aws.control.create_snapshots(
        [
            point(3, NEAR, YESTERDAY, volume=3, tags={"proof": f"sampled {proof}"}),
            point(3, FAR, YESTERDAY, volume=3),
            point(4, NEAR, YESTERDAY, volume=4, tags={"proof": f"structure {proof}"}),
        ]
    )
    report = coverage(aws, document, "--json").json()
    assert report["proofs"] == {"volumes": 4, "proved": 1, "oldest": proof}
    told = Counter((row["proof"], row["proved"]) for row in report["rows"])
    assert told == {("metadata", None): 4, ("sampled", proof): 1, ("structure", proof): 1}
    assert "Content proved of 1 of 4 volumes with a copy; the oldest proof is 3 d " in coverage(aws, document).out
    rows = csv.DictReader(io.StringIO(coverage(aws, document, "--csv", "-").out, newline=""))
    assert Counter(row["proof"] for row in rows) == {"metadata": 4, "sampled": 1, "structure": 1}
