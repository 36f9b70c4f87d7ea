"""Copies whose key is lost: they protect nothing, let nothing go, and are made again once."""

from typing import Any

import pytest

from tests.cloud import LocalAws
from tests.e2e import policies
from tests.e2e.accounts import Account
from tests.e2e.deploy import FUNCTIONS, redeploy
from tests.e2e.protect import EXPIRER, VERIFIER, Vault, tick, told, vault

FAR = "eu-central-1"
LOCK = {"LockRule": {"Mode": "governance", "Interval": 1, "IntervalUnit": "DAYS"}}


@pytest.fixture
def keys(target: Account) -> tuple[str, str]:
    """The copies' key, and the one that replaces it."""
    return target.create_key(FAR), target.create_key(FAR)


def document(source: Account, key: str) -> dict[str, Any]:
    return policies.details([source.number], policies.target(FAR, key=key, keep=(30, "DAYS"), **LOCK))


def start_anew(guarded: Vault) -> None:
    """A warm environment believes for minutes that a key is well which it found so."""
    names = (guarded.stack.outputs.get(f"{logical_id}Function") for logical_id in FUNCTIONS.values())
    for name in filter(None, names):
        guarded.control.kill_function(name)


def started(guarded: Vault, snapshot: str) -> int:
    return len(guarded.stack.audit(event="copy.started", source__snapshot=snapshot))


def test_after_a_key_is_lost_and_replaced_each_copy_is_made_again_once(
    source: Account, target: Account, aws: LocalAws, keys: tuple[str, str]
) -> None:
    lost, new = keys
    # What was called is held against the role as it is at the end.
    both = ",".join(keys)
    guarded = vault(target, document(source, lost), TargetKeyArns=both)
    # Its time is over, and but for the copies under the lost key it is the last one of the volume.
    [last] = guarded.old_copies(FAR, 1, **{"source-account": source.number})
    judged = guarded.shared(source)
    guarded.copy_of(judged, FAR)
    guarded.verify()
    waiting = guarded.shared(source)
    unjudged = guarded.copy_of(waiting, FAR)["SnapshotId"]
    target.client("kms", FAR).schedule_key_deletion(KeyId=lost, PendingWindowInDays=7)
    start_anew(guarded)
    locks = len(aws.control.calls(action="LockSnapshot"))

    guarded.verify()
    guarded.verify()
    assert told(guarded.verdicts(unjudged)) == ["copy.deferred key-doomed"], "once a day"
    tags = guarded.describe(unjudged, FAR)["tags"]
    assert (tags["snapferry:status"], tags["snapferry:lock"]) == ("copying", "pending")
    assert len(aws.control.calls(action="LockSnapshot")) == locks
    run = guarded.stack.audit(VERIFIER, event="verify.completed")[-1]
    assert (run["verification"]["doomedKeys"], run["CopiesKeysEndangered"]) == ([lost], 1)
    guarded.expire()
    assert told(guarded.fates(last)) == ["copy.kept last-verified"], "what cannot be restored lets nothing go"

    tick(guarded, "lost")
    [swept] = guarded.stack.audit(event="sweep.completed", sweep__id="lost")
    assert (swept["CopiesKeysEndangered"], swept["KeysUnusable"], swept["sweep"]["missing"]) == (1, 1, 2)
    [record] = guarded.stack.audit(reason="copies-key-doomed")
    assert (record["count"], record["copy"]["kmsKey"]) == (2, lost)
    assert [started(guarded, snapshot) for snapshot in (judged, waiting)] == [1, 1]

    redeploy(guarded.stack, document(source, new), TargetKeyArns=both)
    # Refused for the lost key's sake, the copy has a pause.
    tick(guarded, "too early")
    assert started(guarded, judged) == 1
    guarded.ledger.age(minutes=1.1)
    for name in ("replaced", "after that", "and after that"):
        tick(guarded, name)
    assert [started(guarded, snapshot) for snapshot in (judged, waiting)] == [2, 2]
    guarded.verify()
    again = [guarded.copy_of(snapshot, FAR, nth=2) for snapshot in (judged, waiting)]
    assert [(copy["KmsKeyId"], copy["tags"]["snapferry:lock"]) for copy in again] == [(new, "locked")] * 2
    guarded.expire()
    assert told(guarded.fates(last)) == ["copy.kept last-verified", "copy.expired expired"]
    assert guarded.exists(unjudged, FAR)
    assert guarded.stack.audit(EXPIRER, event="expiry.completed")[-1]["expiry"]["deleted"] == 1


def test_under_a_disabled_key_copies_are_verified_and_locked_and_let_nothing_go(
    source: Account, target: Account, keys: tuple[str, str]
) -> None:
    key, _ = keys
    guarded = vault(target, document(source, key))
    [last] = guarded.old_copies(FAR, 1, **{"source-account": source.number})
    copy = guarded.copied(source, FAR)["SnapshotId"]
    target.client("kms", FAR).disable_key(KeyId=key)
    start_anew(guarded)
    guarded.verify()
    assert told(guarded.verdicts(copy)) == ["copy.verified as-configured", "copy.locked locked"]
    [warning] = guarded.verdicts(copy)[0]["warnings"]
    assert "the copy's key is disabled" in warning
    guarded.expire()
    assert told(guarded.fates(last)) == ["copy.kept last-verified"]
    target.client("kms", FAR).enable_key(KeyId=key)
    guarded.expire()
    assert not guarded.exists(last, FAR)
