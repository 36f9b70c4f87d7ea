"""What `make live-test` makes of a policy, of a copy and of prices, without any AWS."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e import policies
from tests.e2e.accounts import HOME
from tests.live import cost, deployed, scenario
from tests.live.setting import RefusedError

NEAR, FAR = "us-west-2", "eu-central-1"
OWNER = "111122223333"
PLAIN = policies.details([OWNER], policies.target(NEAR))
LOCK = {"Mode": "governance", "Interval": 1, "IntervalUnit": "DAYS"}


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (policies.details(["777788889999"], policies.target(NEAR)), "names the source account"),
        (policies.lifecycle_policy("policy-1", PLAIN, "DISABLED"), "names the source account"),
        (policies.details([OWNER], policies.target(NEAR), description=".*production.*"), r"\.\*production\.\*"),
        (policies.details([OWNER], policies.target(NEAR), description="live"), "No DescriptionRegex matches"),
        (policies.details([OWNER], policies.target(NEAR, LockRule=LOCK)), "could not remove"),
        (policies.details([OWNER]), "no targets"),
    ],
    ids=["another owner", "disabled", "another description", "a part of it only", "locks", "no targets"],
)
def test_what_could_not_be_tested_or_removed_is_refused(document: Any, why: str) -> None:
    with pytest.raises(RefusedError, match=why):
        deployed.wanted(document, OWNER, "a live test")


def test_each_policy_that_matches_wants_its_copies() -> None:
    nightly = policies.details([OWNER], policies.target(FAR), description="nightly.*")
    document = [policies.lifecycle_policy("policy-1", PLAIN), policies.lifecycle_policy("policy-2", nightly)]
    assert [str(each) for each in deployed.wanted(document, OWNER, "a live test")] == [f"policy-1 in {NEAR}"]
    both = deployed.wanted(document, OWNER, "nightly\nlive test")
    assert [str(each) for each in both] == [f"policy-1 in {NEAR}", f"policy-2 in {FAR}"]
    assert deployed.regions(document) == sorted([NEAR, FAR])


NOW = datetime.now(UTC)
KEY = f"arn:aws:kms:{NEAR}:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab"
WANTED = deployed.Wanted("default", NEAR, KEY, (3, "DAYS"), (("team", "backup"),))
PLAN = scenario.Plan("run", "aws", HOME, "snapferry", OWNER, "444455556666", "live", "key", [WANTED], [NEAR])
SNAPSHOT = {"SnapshotId": "snap-1", "VolumeId": "vol-1", "StartTime": NOW}


def right_copy() -> dict[str, Any]:
    """A copy that is as it should be."""
    own = {
        "policy": "default",
        "source-snapshot": "snap-1",
        "source-account": OWNER,
        "source-region": HOME,
        "source-volume": "vol-1",
        "source-size-gib": "1",
        "source-start-time": NOW.isoformat(),
        "kms-key": KEY,
        "expire-after": (NOW + timedelta(days=3)).isoformat(),
        "status": "verified",
    }
    tags = {**{f"snapferry:{name}": value for name, value in own.items()}, "team": "backup"}
    account = {"OwnerId": "444455556666", "State": "completed"}
    return {**account, "Encrypted": True, "KmsKeyId": KEY, "VolumeSize": 1, "tags": tags}


def judged(copy: dict[str, Any]) -> list[str]:
    return scenario.differences(copy, WANTED, PLAN, SNAPSHOT, NOW)


def test_a_right_copy_has_no_differences() -> None:
    assert judged(right_copy()) == []


@pytest.mark.parametrize(
    ("member", "value"),
    [("State", "pending"), ("OwnerId", OWNER), ("Encrypted", False), ("VolumeSize", 2), ("KmsKeyId", "aws/ebs")],
)
def test_a_wrong_member_is_a_difference(member: str, value: Any) -> None:
    [difference] = judged({**right_copy(), member: value})
    assert difference.startswith(f"{member} is {value!r}, not ")


@pytest.mark.parametrize("tag", sorted(right_copy()["tags"]))
def test_each_tag_is_looked_at(tag: str) -> None:
    copy = right_copy()
    del copy["tags"][tag]
    [difference] = judged(copy)
    assert difference.startswith(f"tag {tag} is None, not ")


@pytest.mark.parametrize("days", [2.9, 3.1])
def test_another_expiry_is_a_difference(days: float) -> None:
    copy = right_copy()
    copy["tags"]["snapferry:expire-after"] = (NOW + timedelta(days=days)).isoformat()
    [difference] = judged(copy)
    assert difference.endswith("not 3 DAYS from the request")


@pytest.mark.parametrize(
    ("keep", "until_"),
    [
        ((2, "WEEKS"), "2028-02-14"),
        ((1, "MONTHS"), "2028-02-29"),
        ((13, "MONTHS"), "2029-02-28"),
        ((1, "YEARS"), "2029-01-31"),
    ],
)
def test_months_and_years_are_those_of_the_calendar(keep: tuple[int, str], until_: str) -> None:
    assert scenario.later(datetime(2028, 1, 31, tzinfo=UTC), keep).date().isoformat() == until_


def test_the_estimate_is_its_formulas() -> None:
    rows = cost.estimate(copies=3, elsewhere=2, hours=72, new_key=True, at=cost.prices(["key_month=2"]))
    assert {row.what: round(row.dollars, 6) for row in rows} == {
        "volume": 0.008,
        "snapshot and copies": 0.02,
        "transfer to other Regions": 0.04,
        "requests to KMS": 0.0015,
        "key": 0.2,
    }
    printed = cost.printed(rows)
    assert "0.2695 USD" in printed
    assert all(f"{page}" in printed for page in (cost.EBS, cost.TRANSFER, cost.KMS))
    with pytest.raises(ValueError, match="volume_gib_month"):
        cost.prices(["volume=1"])
