"""Events are hints: repeated, shuffled, late, lost or garbage, what is shared is copied once and nothing else is."""

from typing import Any

import pytest

from tests.cloud import LocalAws, until
from tests.e2e import faults, policies
from tests.e2e.accounts import HOME, Account
from tests.e2e.deploy import PATIENCE_SECONDS

NEAR, FAR = "us-west-2", "eu-central-1"
SEED = 3
GARBAGE = ["", "{", "[]", "null", "\x7f" * 2_000, '{"detail": 7}', "\ud7ff\u202e", '{"sweeep": 1}']


@pytest.fixture
def copier(source: Account, target: Account) -> faults.Copier:
    """Copies what the source account calls nightly into two Regions."""
    entries = [policies.target(region, key=target.create_key(region), keep=(3, "DAYS")) for region in (NEAR, FAR)]
    return faults.copier(target, policies.details([source.number], *entries, description="nightly.*"))


def share_event(owner: Account, snapshot: str) -> dict[str, Any]:
    """What EBS tells of a share, to be delivered by hand."""
    arn = f"arn:aws:ec2::{HOME}:snapshot/{snapshot}"
    detail = {"event": "shareSnapshot", "result": "succeeded", "snapshot_id": arn, "source": owner.number}
    return {"detail": detail, "resources": [arn]}


def test_repeated_shuffled_late_lost_and_garbage_events(
    copier: faults.Copier, source: Account, stranger: Account, aws: LocalAws
) -> None:
    print(f"seed {SEED}")
    aws.control.configure(
        event_seed=SEED,
        event_loss=0.3,
        event_copies=3,
        event_delay_seconds=0.2,
        event_reorder_seconds=1.5,
        queue_deduplicates=False,
        share_seconds=0.7,
        copy_seconds=0.5,
    )
    wanted = copier.shared(source, 20, events=True, description="nightly")
    copier.shared(source, 4, events=True, description="weekly")
    copier.shared(stranger, 4, events=True, description="nightly")
    copier.shared(source, 2, events=True, description="nightly", state="pending")
    for body in GARBAGE:
        copier.stack.send(body or " ")
    junk = {"event": "shareSnapshot", "result": "succeeded", "snapshot_id": "snap", "source": {"a": [1]}}
    aws.control.deliver_event(copier.account.number, HOME, junk, resources=[])
    copier.sweep()
    aws.control.advance_clock(seconds=10)  # the last events are in the queue then
    last = copier.settle()
    lost = [each for each in aws.control.events() if each["detail"]["event"] == "shareSnapshot" and "lost" in each]
    assert 0 < len(lost) < 30, "the seed must lose some events and not all"
    assert copier.asked() == {(snapshot, region): 1 for snapshot in wanted for region in (NEAR, FAR)}
    assert len(copier.stack.wait_for_audit(count=len(GARBAGE) + 1, event="event.invalid")) == len(GARBAGE) + 1
    assert (last["sweep"]["shared"], last["sweep"]["matching"], last["sweep"]["inFlight"]) == (26, 20, 40)
    assert copier.queued("CopierDeadLetterQueueUrl") == 0


def test_five_deliveries_at_once_of_one_event_whose_copies_are_not_shown_yet(
    copier: faults.Copier, source: Account, aws: LocalAws
) -> None:
    aws.control.configure(queue_deduplicates=False, copy_visibility_seconds=3600)
    [snapshot] = copier.shared(source, 1, description="nightly")
    for _ in range(2):
        aws.control.deliver_event(copier.account.number, HOME, **share_event(source, snapshot), id="again", count=5)
        copier.wait_until_idle()
    copier.sweep()
    once = {(snapshot, NEAR): 1, (snapshot, FAR): 1}
    assert copier.asked() == once
    assert copier.stack.copies(NEAR) == [], "EC2 shall not show them yet"
    aws.control.advance_clock(hours=2)
    copier.settle()
    assert copier.asked() == once


def test_the_queue_drops_an_event_that_is_repeated_within_minutes(
    copier: faults.Copier, source: Account, aws: LocalAws
) -> None:
    [snapshot] = copier.shared(source, 1, description="nightly")
    aws.control.deliver_event(copier.account.number, HOME, **share_event(source, snapshot), id="again", count=5)
    copier.settle()
    assert len(copier.stack.audit(trigger="event", triggerId="again")) == 2, "one record for each Region"


def test_all_events_are_lost(copier: faults.Copier, source: Account, aws: LocalAws) -> None:
    aws.control.configure(deliver_events=False)
    wanted = copier.shared(source, 5, events=True, description="nightly")
    swept = copier.sweep()["sweep"]
    assert (swept["matching"], swept["started"], swept["missing"]) == (5, 10, 0)
    assert copier.asked() == {(snapshot, region): 1 for snapshot in wanted for region in (NEAR, FAR)}
    copier.settle()


def test_shares_that_spread_more_slowly_than_their_events(
    copier: faults.Copier, source: Account, aws: LocalAws
) -> None:
    aws.control.configure(share_seconds=3600)
    wanted = copier.shared(source, 5, events=True, description="nightly")
    records = copier.stack.wait_for_audit(count=5, event="copy.deferred", reason="not-visible-yet")
    assert {record["source"]["snapshot"] for record in records} == set(wanted)
    assert copier.sweep()["sweep"]["shared"] == 0
    copier.serve()
    assert len(copier.stack.audit(event="copy.deferred", reason="not-visible-yet")) == 5, "told once"
    assert len(copier.verdict().lost) == 10
    aws.control.advance_clock(hours=2)
    copier.serve()
    assert copier.asked() == {(snapshot, region): 1 for snapshot in wanted for region in (NEAR, FAR)}
    copier.settle()
    assert copier.asked() == {(snapshot, region): 1 for snapshot in wanted for region in (NEAR, FAR)}


def test_a_share_taken_back_before_its_event_comes(copier: faults.Copier, source: Account, aws: LocalAws) -> None:
    aws.control.configure(event_delay_seconds=3600)
    gone, kept = copier.shared(source, 2, events=True, description="nightly")
    source.unshare(gone, copier.account.number)
    aws.control.advance_clock(hours=2)
    copier.stack.wait_for_audit(event="copy.deferred", reason="not-visible-yet", source__snapshot=gone)
    copier.settle()
    assert copier.asked() == {(kept, NEAR): 1, (kept, FAR): 1}


def test_a_share_taken_back_between_the_look_and_the_copy(
    copier: faults.Copier, source: Account, aws: LocalAws
) -> None:
    gone, kept = copier.shared(source, 2, description="nightly")
    slow = aws.control.inject_fault(action="CopySnapshot", parameters={"SourceSnapshotId": gone}, latency=3)
    copier.tick()
    what = "both copies to be asked for"
    until(lambda: copier.asked(outcome="running")[gone, NEAR] == copier.asked()[gone, FAR] == 1, what=what)
    source.unshare(gone, copier.account.number)
    aws.control.clear(slow)
    until(lambda: len(copier.verdict().failed) == 2, within=PATIENCE_SECONDS, what="EC2 to give up on both copies")
    # One sweep sees that its copies failed; in the next it is missing, until a third would tell it as missed.
    copier.whole_sweep()
    assert copier.whole_sweep()["sweep"]["missing"] == 2
    assert copier.asked() == {(each, region): 1 for each in (gone, kept) for region in (NEAR, FAR)}
    source.share(gone, copier.account.number)
    copier.settle()
    assert copier.asked()[gone, NEAR] == copier.asked()[gone, FAR] == 2, "a copy in error does not count"
