"""What is deleted, and what never is."""

import pytest

from tests.cloud import LocalAws
from tests.e2e import policies
from tests.e2e.accounts import Account
from tests.e2e.protect import EXPIRER, VOLUME, Vault, moment, told, vault

FAR, RETIRED = "eu-central-1", "sa-east-1"


@pytest.fixture
def key(target: Account) -> str:
    return target.create_key(FAR)


def guarding(target: Account, owners: list[Account], key: str, **parameters: str) -> Vault:
    entry = policies.target(FAR, key=key, keep=(30, "DAYS"))
    return vault(target, policies.details([owner.number for owner in owners], entry), **parameters)


def test_a_source_that_went_silent_keeps_its_last_good_copy(source: Account, target: Account, key: str) -> None:
    guarded = guarding(target, [source], key)
    older, newer = (guarded.verified(source, FAR) for _ in range(2))
    guarded.let_expire(older, FAR, days_ago=2)
    guarded.let_expire(newer, FAR, days_ago=1)
    guarded.expire()
    guarded.expire()
    assert told(guarded.fates(older)) == ["copy.expired expired"]
    assert told(guarded.fates(newer)) == ["copy.kept last-verified"]
    assert (guarded.exists(older, FAR), guarded.exists(newer, FAR)) == (False, True)
    runs = [run["expiry"] for run in guarded.stack.audit(EXPIRER, event="expiry.completed", reason="complete")]
    assert [(run["deleted"], run["kept"]) for run in runs] == [(1, {"last-verified": 1}), (0, {"last-verified": 1})]
    # Something comes again: now the old one may go, and not before that is verified.
    copy = guarded.copied(source, FAR)["SnapshotId"]
    guarded.expire()
    assert guarded.exists(newer, FAR)
    guarded.verify()
    guarded.expire()
    assert (guarded.exists(newer, FAR), guarded.exists(copy, FAR)) == (False, True)


def test_a_volume_that_drops_out_is_counted_in_each_run_and_named_once_a_day(
    source: Account, target: Account, key: str
) -> None:
    guarded = guarding(target, [source], key)
    for age in range(5, 9):
        guarded.verified(source, FAR, start_time=moment(-age))
    guarded.expire()
    guarded.expire()
    [named] = [run["volume"] for run in guarded.stack.audit(EXPIRER, event="expiry.volume", reason="dropped-out")]
    assert (named["account"], named["volume"], named["usualSeconds"]) == (source.number, VOLUME, 86_400)
    guarded.verified(source, FAR)
    guarded.expire()
    runs = [run["expiry"] for run in guarded.stack.audit(EXPIRER, event="expiry.completed", reason="complete")]
    assert [run["droppedVolumes"] for run in runs] == [1, 1, 0]


@pytest.mark.parametrize(
    "manipulated",
    [
        {"description": 'snapferry:expire-after=2000-01-01T00:00:00Z\n{"audit":"snapferry/1"}\u202e'},
        {"start_time": "2000-01-01T00:00:00Z"},
        {"start_time": "2200-01-01T00:00:00Z"},
        {"volume_id": "vol-ffffffff"},
        {"volume_id": VOLUME},
    ],
    ids=["description", "a start long ago", "a start in the future", "no volume", "another's volume"],
)
def test_a_sender_cannot_make_anything_expire_early_or_be_kept_out_of_the_audit(
    source: Account, stranger: Account, target: Account, key: str, manipulated: dict[str, str]
) -> None:
    guarded = guarding(target, [source, stranger], key)
    good = guarded.verified(source, FAR)
    snapshots = [guarded.shared(sender, **manipulated) for sender in (stranger, source)]
    hostile = [guarded.copy_of(snapshot, FAR)["SnapshotId"] for snapshot in snapshots]
    guarded.verify()
    for copy in hostile:
        assert told(guarded.verdicts(copy)) == ["copy.verified as-configured"]
    guarded.expire()
    assert all(guarded.exists(copy, FAR) for copy in [good, *hostile]), "nothing goes before its own time"
    assert guarded.stack.audit(EXPIRER, event="copy.expired") == []
    # What another account sends never makes this account's last good copy dispensable.
    guarded.account.client("ec2", FAR).delete_snapshot(SnapshotId=hostile[1])
    guarded.let_expire(good, FAR)
    guarded.expire()
    assert told(guarded.fates(good)) == ["copy.kept last-verified"]


def test_what_is_not_snapferrys_is_never_touched(source: Account, target: Account, key: str, aws: LocalAws) -> None:
    guarded = guarding(target, [source], key)
    old, _ = guarded.old_copies(FAR, 2)
    own = aws.control.create_snapshot(target.number, FAR, tags={"snapferry:expire-after": moment(-9)})
    stolen = aws.control.create_snapshot(source.number, FAR, shared_with=[target.number])
    guarded.tag(stolen, FAR, policy="default", source_snapshot="snap-00000001", expire_after=moment(-9))
    elsewhere, _ = guarded.old_copies(RETIRED, 2)
    guarded.expire()
    assert not guarded.exists(old, FAR)
    deleted = [
        call.parameters["SnapshotId"] for call in aws.control.calls(account=target.number, action="DeleteSnapshot")
    ]
    assert deleted == [old]
    assert {own, stolen, elsewhere} <= {snapshot["id"] for snapshot in aws.control.snapshots()}


def test_retired_regions_are_emptied_but_for_the_last_copies(source: Account, target: Account, key: str) -> None:
    guarded = guarding(target, [source], key, RetiredRegions=RETIRED)
    *old, last = guarded.old_copies(RETIRED, 4)
    guarded.expire()
    assert [guarded.exists(copy, RETIRED) for copy in [*old, last]] == [False, False, False, True]
    assert told(guarded.fates(last)) == ["copy.kept last-verified"]


def test_a_run_deletes_no_more_than_its_limit_the_oldest_first(source: Account, target: Account, key: str) -> None:
    guarded = guarding(target, [source], key, MaxDeletesPerRun="3")
    old = guarded.old_copies(FAR, 9)
    guarded.expire()
    assert [guarded.exists(copy, FAR) for copy in old] == [False] * 3 + [True] * 6
    [rest] = guarded.stack.audit(EXPIRER, reason="run-limit")
    assert (rest["event"], rest["count"]) == ("copy.kept", 5)


def test_a_vault_that_is_all_due_at_once_is_not_emptied(source: Account, target: Account, key: str) -> None:
    guarded = guarding(target, [source], key)
    old = guarded.old_copies(FAR, 12)
    guarded.expire()
    [refused] = guarded.stack.audit(EXPIRER, event="copy.refused")
    assert (refused["reason"], refused["count"]) == ("mass-expiry", 11)
    assert all(guarded.exists(copy, FAR) for copy in old)


def test_who_means_it_may_empty_it_but_for_the_last(source: Account, target: Account, key: str) -> None:
    guarded = guarding(target, [source], key, AllowMassExpiry="true")
    *old, last = guarded.old_copies(FAR, 12)
    guarded.expire()
    assert [guarded.exists(copy, FAR) for copy in [*old, last]] == [False] * 11 + [True]


def test_a_clock_behind_ec2s_deletes_nothing(source: Account, target: Account, key: str, aws: LocalAws) -> None:
    guarded = guarding(target, [source], key)
    old, newest = guarded.old_copies(FAR, 2)
    aws.control.change_snapshot(newest, FAR, start_time=moment(1))
    guarded.expire()
    assert [record["reason"] for record in guarded.stack.audit(EXPIRER, event="copy.refused")] == ["clock-behind"]
    assert guarded.exists(old, FAR)


def test_what_an_image_uses_stays_until_it_does_not(source: Account, target: Account, key: str, aws: LocalAws) -> None:
    guarded = guarding(target, [source], key)
    old, _ = guarded.old_copies(FAR, 2)
    aws.control.change_snapshot(old, FAR, in_use=True)
    guarded.expire()
    guarded.expire()
    assert told(guarded.fates(old)) == ["copy.kept in-use"]
    assert guarded.fates(old)[0]["error"]["code"] == "InvalidSnapshot.InUse"
    aws.control.change_snapshot(old, FAR, in_use=False)
    guarded.expire()
    assert told(guarded.fates(old))[1:] == ["copy.expired expired"]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"drop": "after", "times": 1}, "copy.expired already-gone"),
        ({"drop": "after"}, "copy.expired already-gone"),
        ({"drop": "before"}, "copy.kept answer-lost"),
        ({"code": "UnauthorizedOperation"}, "copy.kept not-authorized"),
        ({"code": "RequestLimitExceeded"}, "copy.kept throttled"),
    ],
    ids=["one answer lost", "all answers lost", "nothing sent", "not allowed", "throttled"],
)
def test_what_deletion_did_is_told_truthfully(
    source: Account, target: Account, key: str, aws: LocalAws, fault: dict[str, object], expected: str
) -> None:
    guarded = guarding(target, [source], key)
    old, _ = guarded.old_copies(FAR, 2)
    aws.control.inject_fault(action="DeleteSnapshot", account=target.number, **fault)
    guarded.expire()
    assert told(guarded.fates(old)) == [expected]
    assert guarded.exists(old, FAR) is expected.startswith("copy.kept")


def test_tags_are_read_once_more_just_before_deleting(
    source: Account, target: Account, key: str, aws: LocalAws
) -> None:
    guarded = guarding(target, [source], key)
    old, _ = guarded.old_copies(FAR, 2)
    guarded.expire()
    reads = aws.control.calls(account=target.number, region=FAR, action="DescribeSnapshots")
    [deletion] = aws.control.calls(account=target.number, action="DeleteSnapshot")
    last = max(call.number for call in reads)
    assert last < deletion.number
    [look] = [call for call in reads if call.number == last]
    assert look.parameters["Filter.1.Name"] == "snapshot-id"
    assert look.parameters["Filter.1.Value.1"] == old
