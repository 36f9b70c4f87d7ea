"""The judge itself: each way to break the law is seen, on a small world made by hand and on the local AWS."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.cloud import LocalAws
from tests.e2e import faults, laws, policies
from tests.e2e.accounts import HOME, Account

SOURCE, TARGET, STRANGER = "111111111111", "222222222222", "333333333333"
NEAR, FAR = "us-west-2", "eu-west-1"
NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
KEY = f"arn:aws:kms:{NEAR}:{TARGET}:key/1"
RULES = laws.rules(
    policies.details(
        [SOURCE], policies.target(NEAR, key=KEY, keep=(3, "DAYS")), policies.target(FAR), description="n.*"
    )
)
SCOPE = laws.Scope(TARGET, HOME, RULES, NOW, NOW)


def shared(**changes: Any) -> laws.Snapshot:
    """A snapshot that is to be copied."""
    return {
        "id": "snap-1",
        "owner": SOURCE,
        "region": HOME,
        "volume_id": "vol-1",
        "volume_size": 7,
        "description": "nightly",
        "start_time": NOW.isoformat(),
        "state": "completed",
        "encrypted": False,
        "kms_key": None,
        "shares": {TARGET: 0.0},
        "copy": None,
        "tags": {},
        **changes,
    }


def copied(region: str = NEAR, copy_id: str = "snap-2", **changes: Any) -> laws.Snapshot:
    """A copy of it as it should be."""
    tags = {
        "snapferry:policy": "default",
        "snapferry:source-snapshot": "snap-1",
        "snapferry:source-account": SOURCE,
        "snapferry:source-region": HOME,
        "snapferry:source-volume": "vol-1",
        "snapferry:source-size-gib": "7",
        "snapferry:source-start-time": NOW.isoformat(),
        "snapferry:status": "copying",
    }
    if region == NEAR:
        tags |= {"snapferry:kms-key": KEY, "snapferry:expire-after": (NOW + timedelta(days=3)).isoformat()}
    copy = shared(
        id=copy_id,
        owner=TARGET,
        region=region,
        description=f"Snapferry copy of snap-1 from {HOME} (account {SOURCE}): nightly",
        encrypted=region == NEAR,
        kms_key=KEY if region == NEAR else None,
        shares={},
        copy={"source_id": "snap-1", "source_region": HOME},
        tags=tags,
    )
    return {**copy, **changes}


def judged(*snapshots: laws.Snapshot) -> tuple[int, int, int, int]:
    verdict = laws.judge(SCOPE, snapshots)
    return len(verdict.lost), len(verdict.duplicates), len(verdict.wrong), len(verdict.unfinished)


def test_a_copy_in_each_region_keeps_the_law() -> None:
    assert laws.judge(SCOPE, [shared(), copied(), copied(FAR, "snap-3")]) == laws.Verdict()


@pytest.mark.parametrize(
    ("snapshots", "verdict"),
    [
        ([shared()], (2, 0, 0, 0)),
        ([shared(), copied()], (1, 0, 0, 0)),
        ([shared(), copied(), copied(FAR, "snap-3", state="error")], (1, 0, 0, 0)),
        ([shared(), copied(), copied(FAR, "snap-3", state="pending")], (0, 0, 0, 1)),
        ([shared(), copied(), copied(FAR, "snap-3"), copied(FAR, "snap-4")], (0, 1, 0, 0)),
        ([shared(), copied(), copied(FAR, "snap-3"), copied(FAR, "snap-4", state="error")], (0, 0, 0, 0)),
        ([shared(), copied(), copied(FAR, "snap-3"), copied("sa-east-1", "snap-4")], (0, 0, 1, 0)),
        ([shared(description="weekly")], (0, 0, 0, 0)),
        ([shared(description="weekly"), copied()], (0, 0, 1, 0)),
        ([shared(description="nightly\nnightly")], (2, 0, 0, 0)),
        ([shared(owner=STRANGER)], (0, 0, 0, 0)),
        ([shared(owner=STRANGER), copied()], (0, 0, 1, 0)),
        ([shared(shares={})], (0, 0, 0, 0)),
        ([shared(shares={STRANGER: 0.0})], (0, 0, 0, 0)),
        ([shared(state="pending")], (0, 0, 0, 0)),
        ([copied()], (0, 0, 1, 0)),
    ],
)
def test_what_is_lost_duplicated_or_not_to_be_there(
    snapshots: list[laws.Snapshot], verdict: tuple[int, int, int, int]
) -> None:
    assert judged(*snapshots) == verdict


@pytest.mark.parametrize(
    "changes",
    [
        {"kms_key": f"{KEY}0"},
        {"encrypted": False, "kms_key": None},
        {"volume_size": 8},
        {"description": "nightly"},
        {"tags": {**copied()["tags"], "snapferry:source-account": STRANGER}},
        {"tags": {**copied()["tags"], "snapferry:source-snapshot": "snap-9"}},
        {"tags": {**copied()["tags"], "snapferry:source-start-time": "2026-11-22T04:00:00Z"}},
        {"tags": {**copied()["tags"], "snapferry:expire-after": "2026-11-26T03:00:00Z"}},
        {"tags": {**copied()["tags"], "Name": "backup"}},
        {"tags": {key: value for key, value in copied()["tags"].items() if key != "snapferry:expire-after"}},
    ],
)
def test_every_flaw_of_a_copy_is_seen(changes: dict[str, Any]) -> None:
    verdict = laws.judge(SCOPE, [shared(), copied(**changes), copied(FAR, "snap-3")])
    assert (len(verdict.lost), len(verdict.duplicates), len(verdict.wrong)) == (0, 0, 1), verdict


def test_a_copy_without_tags_is_wrong_and_protects_nothing() -> None:
    assert judged(shared(), copied(tags={}), copied(FAR, "snap-3")) == (1, 0, 1, 0)


def test_a_copy_asked_for_at_another_time_expires_at_another_time() -> None:
    later = replace(SCOPE, since=NOW + timedelta(minutes=1), until=NOW + timedelta(minutes=2))
    assert len(laws.judge(later, [shared(), copied(), copied(FAR, "snap-3")]).wrong) == 1


class TestOnTheLocalAws:
    """What the judge says when somebody breaks the law behind Snapferry's back, and what Snapferry says of it."""

    @pytest.fixture
    def copier(self, source: Account, target: Account) -> faults.Copier:
        document = policies.details([source.number], policies.target(NEAR, key=target.create_key(NEAR)))
        return faults.copier(target, document)

    @pytest.fixture
    def snapshot(self, copier: faults.Copier, source: Account) -> str:
        [snapshot] = copier.shared(source, 1)
        assert len(copier.verdict().lost) == 1
        copier.settle()
        return snapshot

    def test_a_planted_duplicate_is_seen_by_the_judge_and_reported_once_a_day(
        self, copier: faults.Copier, snapshot: str, target: Account
    ) -> None:
        [copy] = copier.stack.copies(NEAR)
        twin = target.client("ec2", NEAR).copy_snapshot(
            SourceRegion=HOME,
            SourceSnapshotId=snapshot,
            Description=copy["Description"],
            Encrypted=True,
            KmsKeyId=copy["KmsKeyId"],
            TagSpecifications=[{"ResourceType": "snapshot", "Tags": copy["Tags"]}],
        )["SnapshotId"]
        verdict = copier.verdict()
        assert (verdict.lost, len(verdict.duplicates), verdict.wrong) == ([], 1, [])
        copier.sweep()
        copier.sweep()
        [record] = copier.stack.audit(reason="duplicate")
        assert {record["copy"]["snapshot"], *record["copy"]["others"]} == {copy["SnapshotId"], twin}
        assert {each["SnapshotId"] for each in copier.stack.copies(NEAR)} == {copy["SnapshotId"], twin}

    @pytest.mark.parametrize("is_verified", [False, True], ids=["on its way", "verified"])
    def test_a_deleted_copy_is_made_again(
        self, copier: faults.Copier, snapshot: str, target: Account, aws: LocalAws, *, is_verified: bool
    ) -> None:
        if is_verified:
            copier.stack.invoke("verify-copies", {"run": "a run"})
            assert copier.ledger.states() == ["ended"]
        [copy] = copier.stack.copies(NEAR)
        target.client("ec2", NEAR).delete_snapshot(SnapshotId=copy["SnapshotId"])
        assert len(copier.verdict().lost) == 1
        # What was asked for, or verified, a moment ago is believed to exist, also when EC2 shows it and then no more,
        # and by an environment that knows nothing of it.
        for _ in range(2):
            copier.sweep()
            copier.wait_until_idle()
            copier.ledger.age(minutes=4)
            aws.control.kill_function(copier.function)
        assert copier.asked() == {(snapshot, NEAR): 1}
        copier.ledger.age(minutes=3)
        copier.settle()
        assert copier.asked() == {(snapshot, NEAR): 2}

    def test_an_edited_tag_stops_no_sweep_and_is_reported_with_the_copys_id(
        self, copier: faults.Copier, snapshot: str, source: Account, target: Account, aws: LocalAws
    ) -> None:
        [copy] = copier.stack.copies(NEAR)
        tags = [{"Key": "snapferry:source-start-time", "Value": "yesterday"}]
        target.client("ec2", NEAR).create_tags(Resources=[copy["SnapshotId"]], Tags=tags)
        assert len(copier.verdict().wrong) == 1
        [another] = copier.shared(source, 1)
        copier.sweep()
        [record] = copier.stack.audit(event="copy.refused", reason="malformed-tags")
        assert record["copy"]["snapshot"] == copy["SnapshotId"]
        assert copier.asked() == {(snapshot, NEAR): 1, (another, NEAR): 1}
