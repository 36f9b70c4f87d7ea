"""Each saved query over recorded lines."""

import pytest

from tests.audit import insights
from tests.audit.lines import RECORDED, Line, at, line, moment, reasons
from tests.audit.template import resources

QUERIES = resources("AWS::Logs::QueryDefinition")
LOG_GROUPS = {"CopySharedSnapshotsLogs", "VerifyCopiesLogs", "DeleteExpiredCopiesLogs"}
OF_PROOFS = {"SnapshotDecisionsQuery", "AccountCopiesQuery", "RefusalsQuery", "FailuresQuery", "RunsQuery"}
SOURCE, COPY = "snap-00000000000000001", "snap-00000000000000005"


def rows(name: str, lines: list[Line] = RECORDED, *, example: str = "", real: str = "") -> list[insights.Row]:
    """What a query finds, with what an operator puts in place of the example."""
    query = QUERIES[name]["QueryString"]
    assert example in query
    return insights.run(query.replace(example, real) if example else query, lines)


def decisions(snapshot: str) -> list[insights.Row]:
    return rows("SnapshotDecisionsQuery", example="snap-0123456789abcdef0", real=snapshot)


def test_all_decisions_about_one_snapshot() -> None:
    """By its own ID as by that of a copy."""
    for snapshot, where in ((SOURCE, "source"), (COPY, "copy")):
        expected = [each for each in RECORDED if each.get(where, {}).get("snapshot") == snapshot]
        assert len(decisions(snapshot)) == len(expected) > 20
    assert decisions("snap-ffffffffffffffff0") == []
    found = {row["event"] for row in decisions(SOURCE)}
    assert {"copy.started", "copy.skipped", "copy.deferred", "copy.refused", "copy.failed", "copy.verified"} <= found
    assert {"copy.rejected", "copy.locked", "copy.expired", "copy.kept"} <= found


def test_all_copies_from_one_account() -> None:
    found = rows("AccountCopiesQuery", example="111122223333", real="111111111111")
    assert {row["event"] for row in found} == {"copy.started", "copy.verified", "copy.failed", "copy.rejected"}
    assert {row["source.snapshot"] for row in found} == {SOURCE}
    assert rows("AccountCopiesQuery") == []


def test_what_was_not_done_by_reason() -> None:
    found = {(row["event"], row["reason"], row["copy.region"]): row for row in rows("RefusalsQuery")}
    assert {event for event, _, _ in found} == {"copy.refused", "copy.deferred", "copy.kept"}
    key = found["copy.refused", "key-disabled", "eu-west-1"]
    assert key["records"] == 1
    assert "is disabled. Enable it" in key["lastMessage"]
    many = rows("RefusalsQuery", [line("copy.refused", "key-disabled")] * 7 + [line("copy.kept", "locked")])
    assert [(row["reason"], row["records"]) for row in many] == [("key-disabled", 7), ("locked", 1)]


def test_deletions_with_their_expiry() -> None:
    found = rows("DeletionsQuery")
    assert {row["reason"] for row in found} == {"expired", "failed", "rejected", "already-gone", "unjudged"}
    [expired] = [row for row in found if row["reason"] == "expired"]
    assert expired["copy.expireAfter"] == "2026-12-22T10:00:00Z"
    assert "KeepAtLeast" in expired["message"]


def test_failures_with_remedies() -> None:
    found = {(row["event"], row["reason"]): row for row in rows("FailuresQuery")}
    failed = found["copy.failed", "source-key-inaccessible"]
    assert failed["error.message"] == "Given key ID is not accessible"
    assert "In the source account 111111111111" in failed["message"]
    assert ("copy.locked", "lock-failed") in found
    assert ("copy.locked", "locked") not in found
    assert ("copy.stalled", "pending-over-a-day") in found
    assert ("copy.rejected", "wrong-key") in found


def test_what_was_missed() -> None:
    [row] = rows("MissedQuery")
    assert (row["source.snapshot"], row["policy"], row["copy.region"]) == (SOURCE, "nightly", "eu-west-1")
    assert "no good copy" in row["message"]
    assert row["source.account"] == "111111111111"


def test_what_was_withdrawn_by_reason() -> None:
    found = {row["reason"] for row in rows("WithdrawnQuery")}
    assert found == set(reasons()["copy.withdrawn"])
    many = rows(
        "WithdrawnQuery", [line("copy.withdrawn", "policy-gone")] * 7 + [line("copy.withdrawn", "target-removed")]
    )
    assert [(row["reason"], row["records"]) for row in many] == [("policy-gone", 7), ("target-removed", 1)]


def test_time_to_protect() -> None:
    judged = line("copy.verified", "as-configured")
    verified = {**judged, "copy": {key: value for key, value in judged["copy"].items() if key != "secondsSinceWanted"}}
    took = [{**verified, "copy": {**verified["copy"], "secondsSinceSource": seconds}} for seconds in range(1, 101)]
    [row] = rows("TimeToProtectQuery", took)
    assert (row["copies"], row["median"], row["p90"], row["p99"], row["longest"]) == (100, 51, 91, 100, 100)
    assert (row["policy"], row["copy.region"]) == ("nightly", "eu-west-1")
    assert rows("TimeToProtectQuery")
    wanted = {**verified, "copy": {**verified["copy"], "secondsSinceSource": 86_400, "secondsSinceWanted": 300}}
    [row] = rows("TimeToProtectQuery", [wanted])
    assert (row["median"], row["longest"]) == (300, 300)


def test_runs_and_what_they_left() -> None:
    found = {(row["event"], row["reason"]): row for row in rows("RunsQuery")}
    events = ("verify.completed", "prove.completed", "expiry.completed")
    reasons = ("complete", "incomplete")
    assert found.keys() == {(event, reason) for event in events for reason in reasons}
    assert found["verify.completed", "complete"]["VerdictsDeferred"] == 40
    assert "verification.unreadRegions" in found["verify.completed", "incomplete"]["message"]
    assert "proofs.unreadRegions" in found["prove.completed", "incomplete"]["message"]
    assert found["expiry.completed", "complete"]["expiry.deleted"] == 0


def test_who_is_silent() -> None:
    seen, never = line("sweep.owner", "seen"), line("sweep.owner", "never-seen")
    later = at(seen, moment(seen).replace(hour=23))
    other = {
        **later,
        "owner": {"account": "333333333333", "silent": True, "secondsSinceNewest": 255_600, "silentAfterHours": 48},
    }
    # What is said of another kind stands beside it, and hides nothing.
    of_databases = {**later, "owner": {**other["owner"], "account": "111111111111", "kind": "DB_SNAPSHOT"}}
    found = rows("SilentOwnersQuery", [never, seen, later, other, of_databases])
    assert [(row["owner.account"], row["silent"], row["seconds"], row["allowedHours"]) for row in found] == [
        ("333333333333", True, 255_600, 48),
        ("111111111111", True, 255_600, 48),
        ("111111111111", False, later["owner"]["secondsSinceNewest"], 48),
    ]


def test_which_volumes_dropped_out() -> None:
    """Each once, as it was said last; the one that did so last first."""
    first = line("expiry.volume", "dropped-out")
    later = at(first, moment(first).replace(hour=23))
    later = {**later, "volume": {**first["volume"], "secondsSinceNewest": 500_000}}
    other = {**later, "volume": {**later["volume"], "volume": "vol-00000002", "newest": "2026-11-19T03:00:00Z"}}
    found = rows("DroppedVolumesQuery", [first, other, later])
    account = first["volume"]["account"]
    assert [(row["volume.account"], row["volume.volume"], row["seconds"]) for row in found] == [
        (account, "vol-00000002", 500_000),
        (account, first["volume"]["volume"], 500_000),
    ]
    assert {row["usualSeconds"] for row in found} == {86_400}


@pytest.mark.parametrize("name", QUERIES)
def test_each_query_is_saved_for_the_functions_logs(name: str) -> None:
    query = QUERIES[name]
    assert {group.strip("${}") for group in query["LogGroupNames"]} <= LOG_GROUPS
    proving = resources("AWS::Logs::QueryDefinition", ProofSchedule="rate(1 hour)")[name]["LogGroupNames"]
    added = {group.strip("${}") for group in proving} - {group.strip("${}") for group in query["LogGroupNames"]}
    assert added == ({"ProveCopiesLogs"} if name in OF_PROOFS else set())
    assert query["Name"].startswith("${AWS::StackName}/")


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ("filter evnt = 'copy.kept'", "no line has a field evnt"),
        ("stats count(*) as records by copy.regoin", "no line has a field copy.regoin"),
        ("fields source.snapshott", "no line has a field source.snapshott"),
        ("parse @message '*' as x", "parse is not known"),
        ("filter event = 'x' and", "expected"),
        ("sort @timestamp upwards", "not understood"),
    ],
)
def test_a_query_that_is_not_understood_is_an_error(query: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        insights.run(query, RECORDED)
