"""Started is not protected: what finished copies turn out to be, and their locks."""

import json
from typing import Any

import pytest

from tests.cloud import LocalAws
from tests.e2e import policies
from tests.e2e.accounts import HOME, Account
from tests.e2e.protect import EXPIRER, VERIFIER, moment, tick, told, vault

FAR = "eu-central-1"
LOCK = {"Mode": "governance", "Interval": 1, "IntervalUnit": "DAYS"}


@pytest.fixture
def key(target: Account) -> str:
    return target.create_key(FAR)


def test_a_broken_key_is_repaired_and_the_copy_expires_only_after_its_lock(
    source: Account, target: Account, key: str, aws: LocalAws
) -> None:
    theirs = source.create_key(HOME)
    entry = policies.target(FAR, key=key, keep=(30, "DAYS"), LockRule=LOCK)
    guarded = vault(target, policies.details([source.number], entry), SourceKeyArns=theirs)

    snapshot = guarded.shared(source, kms_key=theirs)
    failed = guarded.copy_of(snapshot, FAR)["SnapshotId"]
    guarded.verify()
    guarded.verify()
    [verdict] = guarded.verdicts(failed)
    assert told([verdict]) == ["copy.failed source-key-inaccessible"]
    assert verdict["error"]["message"] == "Given key ID is not accessible"
    for account in (f"source account {source.number}", f"target account {target.number}"):
        assert account in verdict["message"]
    assert (verdict["trigger"], verdict["triggerId"], verdict["policy"]) == ("schedule", "a run", "default")
    assert guarded.status(failed, FAR) == "failed"

    allow_everybody(source, theirs)
    tick(guarded, "after the repair")
    good = guarded.copy_of(snapshot, FAR, nth=2)["SnapshotId"]
    guarded.verify()
    guarded.verify()
    assert told(guarded.verdicts(good)) == ["copy.verified as-configured", "copy.locked locked"]
    copy = guarded.describe(good, FAR)
    assert (copy["KmsKeyId"], copy["tags"]["snapferry:status"], copy["tags"]["snapferry:lock"]) == (
        key,
        "verified",
        "locked",
    )
    [lock] = target.client("ec2", FAR).describe_locked_snapshots(SnapshotIds=[good])["Snapshots"]
    assert (lock["LockState"], lock["LockDuration"]) == ("governance", 1)

    guarded.verified(source, FAR, kms_key=theirs)
    guarded.let_expire(good, FAR)
    guarded.expire()
    guarded.expire()
    assert told(guarded.fates(good)) == ["copy.kept locked"], "said once a day, tried each time"
    assert guarded.fates(good)[0]["error"]["code"] == "OperationNotPermitted"
    assert len(aws.control.calls(account=target.number, action="DeleteSnapshot")) == 2
    assert guarded.exists(failed, FAR), "a failed copy stays for a day"

    aws.control.advance_clock(days=2)
    guarded.expire()
    assert told(guarded.fates(good)) == ["copy.kept locked", "copy.expired expired"]
    assert not guarded.exists(good, FAR)
    guarded.tag(failed, FAR, settled_at=moment(-1.1))
    guarded.expire()
    assert told(guarded.fates(failed)) == ["copy.expired failed"]


def allow_everybody(owner: Account, key: str) -> None:
    statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    owner.client("kms", HOME).put_key_policy(KeyId=key, PolicyName="default", Policy=policy)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        ({"kms_key": "aws/ebs"}, "wrong-key"),
        ({"unencrypted": True}, "not-encrypted"),
        ({"volume_size": 9}, "wrong-size"),
    ],
    ids=["another key", "no encryption", "another size"],
)
def test_a_copy_that_is_not_what_was_asked_for_is_rejected_and_made_again(
    source: Account, target: Account, key: str, aws: LocalAws, spoil: dict[str, object], reason: str
) -> None:
    guarded = vault(target, policies.details([source.number], policies.target(FAR, key=key, keep=(30, "DAYS"))))
    aws.control.spoil_copies(account=target.number, times=1, **spoil)
    snapshot = guarded.shared(source)
    wrong = guarded.copy_of(snapshot, FAR)["SnapshotId"]
    guarded.verify()
    guarded.verify()
    [verdict] = guarded.verdicts(wrong)
    assert told([verdict]) == [f"copy.rejected {reason}"]
    assert len(verdict["differences"]) == 1
    assert guarded.status(wrong, FAR) == "rejected"

    guarded.tag(wrong, FAR, settled_at=moment(-1.1))
    guarded.expire()
    assert told(guarded.fates(wrong)) == ["copy.kept only-copy"]
    tick(guarded, "again")
    right = guarded.copy_of(snapshot, FAR, nth=2)["SnapshotId"]
    guarded.verify()
    assert told(guarded.verdicts(right)) == ["copy.verified as-configured"]
    guarded.expire()
    assert told(guarded.fates(wrong)) == ["copy.kept only-copy", "copy.expired rejected"]
    assert guarded.exists(right, FAR)


def test_nothing_is_judged_while_pending_and_a_day_is_too_long(
    source: Account, target: Account, key: str, aws: LocalAws
) -> None:
    guarded = vault(target, policies.details([source.number], policies.target(FAR, key=key)))
    aws.control.configure(hold_copies=True)
    copy = guarded.copied(source, FAR)["SnapshotId"]
    guarded.verify()
    assert guarded.verdicts(copy) == []
    aws.control.age_snapshot(copy, FAR, days=1.1)
    guarded.verify()
    guarded.verify()
    assert told(guarded.verdicts(copy)) == ["copy.stalled pending-over-a-day"]
    aws.control.release_copies(account=target.number)
    guarded.verify()
    assert told(guarded.verdicts(copy))[1:] == ["copy.verified as-configured"]


def test_a_verdict_that_cannot_be_written_is_deferred_and_never_doubled(
    source: Account, target: Account, key: str, aws: LocalAws
) -> None:
    guarded = vault(target, policies.details([source.number], policies.target(FAR, key=key, LockRule=LOCK)))
    copy = guarded.copied(source, FAR)["SnapshotId"]
    refused = aws.control.inject_fault(action="CreateTags", account=target.number, code="UnauthorizedOperation")
    guarded.verify()
    guarded.verify()
    judged = ["copy.verified as-configured", "copy.deferred verdict-not-written"]
    assert told(guarded.verdicts(copy)) == judged, "each said once"
    assert guarded.status(copy, FAR) == "copying"
    aws.control.clear(refused)

    # The verdict is taken, and then the lock is not. What was told is not told again.
    refused = aws.control.inject_fault(action="LockSnapshot", account=target.number, code="UnauthorizedOperation")
    guarded.verify()
    assert told(guarded.verdicts(copy))[2:] == ["copy.locked lock-failed"]
    assert guarded.status(copy, FAR) == "verified"
    assert guarded.describe(copy, FAR)["tags"]["snapferry:lock"] == "pending"
    aws.control.clear(refused)

    # The lock is taken, and the answer to its tag never comes.
    aws.control.inject_fault(
        action="CreateTags", account=target.number, parameters={"Tag.1.Key": "snapferry:lock"}, drop="before", times=3
    )
    guarded.verify()
    guarded.verify()
    assert told(guarded.verdicts(copy))[3:] == ["copy.locked locked", "copy.deferred lock-not-noted"]
    assert len(aws.control.calls(account=target.number, action="LockSnapshot")) == 2
    before = len(guarded.verdicts(copy))
    guarded.verify()
    assert len(guarded.verdicts(copy)) == before


def test_a_region_that_is_down_is_told_and_costs_no_other_its_verdicts(
    source: Account, target: Account, key: str, aws: LocalAws
) -> None:
    entries = [policies.target(FAR, key=key), policies.target("us-west-2")]
    guarded = vault(target, policies.details([source.number], *entries))
    snapshot = guarded.shared(source)
    copies = {region: guarded.copy_of(snapshot, region)["SnapshotId"] for region in (FAR, "us-west-2")}
    aws.control.take_region_down("us-west-2")
    guarded.verify()
    guarded.expire()
    assert told(guarded.verdicts(copies[FAR])) == ["copy.verified as-configured"]
    for function, event in ((VERIFIER, "copy.deferred"), (EXPIRER, "copy.kept")):
        [unread] = guarded.stack.audit(function, event=event, reason="region-unread")
        assert unread["copy"] == {"region": "us-west-2"}
    [verified] = guarded.stack.audit(VERIFIER, event="verify.completed", reason="incomplete")
    [expired] = guarded.stack.audit(EXPIRER, event="expiry.completed", reason="incomplete")
    assert verified["verification"]["unreadRegions"] == expired["expiry"]["unreadRegions"] == ["us-west-2"]


def test_edited_tags_are_rejected_told_and_kept(source: Account, target: Account, key: str) -> None:
    guarded = vault(target, policies.details([source.number], policies.target(FAR, key=key, keep=(30, "DAYS"))))
    edited, stripped = (guarded.copied(source, FAR)["SnapshotId"] for _ in range(2))
    guarded.tag(edited, FAR, source_size_gib="many")
    target.client("ec2", FAR).delete_tags(Resources=[stripped], Tags=[{"Key": "snapferry:policy"}])
    guarded.verify()
    guarded.verify()
    for copy in (edited, stripped):
        assert told(guarded.verdicts(copy)) == ["copy.rejected malformed-tags"]
    assert guarded.status(edited, FAR) == "rejected"
    assert guarded.status(stripped, FAR) == "copying", "what is not certainly Snapferry's is not written to"
    guarded.tag(edited, FAR, settled_at=moment(-9), expire_after=moment(-9))
    guarded.tag(stripped, FAR, expire_after=moment(-9))
    guarded.expire()
    for copy in (edited, stripped):
        assert told(guarded.fates(copy)) == ["copy.kept malformed-tags"]
        assert guarded.exists(copy, FAR)


def test_any_input_will_do(source: Account, target: Account, key: str) -> None:
    guarded = vault(target, policies.details([source.number], policies.target(FAR, key=key)))
    payloads: list[Any] = [{}, {"run": 7}, [], "x", None, {"Records": [{"body": 1}]}]
    for payload in payloads:
        assert guarded.stack.invoke(VERIFIER, payload) == {}
        assert guarded.stack.invoke(EXPIRER, payload) == {}
