"""Several stacks in one account whose copies stand in one Region: each minds its own."""

from typing import Any

import pytest

from tests.e2e import policies
from tests.e2e.accounts import HOME, Account
from tests.e2e.protect import EXPIRER, VERIFIER, Vault, tick, told, vault

FAR, OTHER_HOME = "eu-central-1", "eu-west-1"
OTHER_VOLUME = "vol-0fedcba9876543210"
OF_OTHER_HOME = {"source-region": OTHER_HOME}
# The local AWS gives the roles of two stacks of one name the same names.
THERE = {"region": OTHER_HOME, "name": "snapferry-there"}
LOCK = {"LockRule": {"Mode": "governance", "Interval": 1, "IntervalUnit": "DAYS"}}


@pytest.fixture
def key(target: Account) -> str:
    return target.create_key(FAR)


def guarding(target: Account, source: Account, key: str, **parameters: str) -> Vault:
    entry = policies.target(FAR, key=key, keep=(30, "DAYS"), **LOCK)
    return vault(target, policies.details([source.number], entry), **parameters)


def described(guarded: Vault, copies: list[str]) -> list[dict[str, Any]]:
    return [guarded.describe(copy, FAR) for copy in copies]


def standing(guarded: Vault, copies: list[str]) -> list[bool]:
    return [guarded.exists(copy, FAR) for copy in copies]


def test_two_homes_share_a_vault_and_neither_touches_or_counts_the_others_copies(
    source: Account, target: Account, key: str
) -> None:
    here, there = guarding(target, source, key), guarding(target, source, key, **THERE)
    of_other_home = {**OF_OTHER_HOME, "source-account": source.number}
    ours, theirs = here.old_copies(FAR, 3), here.old_copies(FAR, 3, **of_other_home)
    unjudged = here.old_copies(FAR, 1, status="copying", **of_other_home)
    unlocked = here.old_copies(FAR, 1, lock="pending", **of_other_home)
    all_of_theirs = [*theirs, *unjudged, *unlocked]
    before = described(here, all_of_theirs)

    here.verify()
    here.expire()
    assert standing(here, ours) == [False, False, True], "the last one of the volume, whatever the other home has"
    assert described(here, all_of_theirs) == before, "not deleted, tagged or locked"
    [expiry] = here.stack.audit(EXPIRER, event="expiry.completed")
    assert expiry["expiry"]["copies"] == len(ours)
    tick(here, "here")
    [swept] = here.stack.audit(event="sweep.completed")
    assert swept["sweep"]["ownersNeverSeen"] == 1
    for function in (VERIFIER, EXPIRER):
        told_of = {record.get("copy", {}).get("snapshot") for record in here.stack.audit(function)}
        assert not told_of & set(all_of_theirs)
        assert there.stack.audit(function) == []

    there.verify()
    there.expire()
    assert standing(there, theirs) == [False, False, True]
    assert there.describe(unlocked[0], FAR)["tags"]["snapferry:lock"] == "locked"
    assert there.status(unjudged[0], FAR) != "copying"
    assert standing(here, ours[2:]) == [True]


def test_each_home_copies_what_is_shared_in_it(source: Account, target: Account, key: str) -> None:
    here, there = guarding(target, source, key), guarding(target, source, key, **THERE)
    shared = here.control.create_snapshot(source.number, OTHER_HOME, shared_with=[target.number])
    mine = here.copied(source, FAR)["SnapshotId"]
    tick(there, "there")
    theirs = there.copy_of(shared, FAR)["SnapshotId"]
    here.verify()
    assert (here.status(mine, FAR), here.status(theirs, FAR)) == ("verified", "copying")
    there.verify()
    assert there.status(theirs, FAR) == "verified"
    homes = [here.describe(copy, FAR)["tags"]["snapferry:source-region"] for copy in (mine, theirs)]
    assert homes == [HOME, OTHER_HOME]


def test_a_retired_home_is_taken_over(source: Account, target: Account, key: str) -> None:
    guarded = guarding(target, source, key, RetiredHomes=OTHER_HOME)
    of_other_home = {**OF_OTHER_HOME, "source-account": source.number}
    theirs = guarded.old_copies(FAR, 3, **of_other_home)
    [unjudged] = guarded.old_copies(FAR, 1, status="copying", **of_other_home)
    guarded.verify()
    assert guarded.status(unjudged, FAR) != "copying"
    guarded.expire()
    assert standing(guarded, theirs) == [False, False, True]
    # A volume's copies count together, whichever home they came from.
    newer = guarded.verified(source, FAR)
    guarded.expire()
    assert standing(guarded, [theirs[2], newer]) == [False, True]


def test_a_retired_policys_copies_go_by_the_law_and_what_nobody_names_stays(
    source: Account, target: Account, key: str
) -> None:
    guarded = guarding(target, source, key, RetiredPolicies="old,older")
    of_volume = {"source-volume": OTHER_VOLUME, "source-account": source.number}
    old = guarded.old_copies(FAR, 3, policy="old", **of_volume)
    unnamed = guarded.old_copies(FAR, 3, policy="unnamed", **of_volume)
    unnamed += guarded.old_copies(FAR, 1, policy="unnamed", status="copying", lock="pending", **of_volume)
    before = described(guarded, unnamed)
    guarded.verify()
    guarded.expire()
    guarded.expire()
    assert standing(guarded, old) == [False, False, True]
    assert told(guarded.fates(old[2])) == ["copy.kept last-verified"]
    # The policy's new name has a newer copy of the volume: its old name keeps none.
    newer = guarded.verified(source, FAR, volume_id=OTHER_VOLUME)
    guarded.expire()
    assert standing(guarded, [old[2], newer]) == [False, True]
    assert described(guarded, unnamed) == before
    [record] = guarded.stack.audit(EXPIRER, reason="policy-not-named")
    assert (record["policy"], record["count"], record["copy"]["region"]) == ("unnamed", 4, FAR)
    assert "RetiredPolicies" in record["message"]
    namespaces = {each["Namespace"] for each in record["_aws"]["CloudWatchMetrics"]}
    assert namespaces == {"Snapferry/snapferry"}
