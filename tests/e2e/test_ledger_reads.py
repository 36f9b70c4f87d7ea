"""What is read, and how much of it: one unreadable item stops nobody, claims exclude, and crowds cost nothing."""

import json
from typing import Any

import pytest

from tests.cloud import LocalAws
from tests.e2e import faults, policies
from tests.e2e.accounts import HOME, Account

NEAR = "us-west-2"
CROWD, VAULT = 60_000, 100_000


@pytest.fixture
def copier(source: Account, target: Account) -> faults.Copier:
    return faults.copier(target, policies.details([source.number], policies.target(NEAR, key=target.create_key(NEAR))))


def share_event(snapshot: str, claimed: Any, region: str = HOME) -> str:
    """A share event's JSON, as it comes through the queue."""
    arn = f"arn:aws:ec2::{region}:snapshot/{snapshot}"
    detail = {"event": "shareSnapshot", "result": "succeeded", "snapshot_id": arn}
    return json.dumps(
        {
            "id": f"event-of-{snapshot}",
            "source": "aws.ec2",
            "detail-type": "EBS Snapshot Notification",
            "region": region,
            "resources": [arn],
            "detail": detail if claimed is None else {**detail, "source": claimed},
        }
    )


class TestUnreadable:
    """One item of an answer that cannot be read is named, and spoils nothing else."""

    def test_a_shared_snapshot(self, copier: faults.Copier, source: Account, aws: LocalAws) -> None:
        bad, *good = copier.shared(source, 4)
        aws.control.change_snapshot(bad, HOME, shown_as={"startTime": None})
        copier.sweep_now()
        assert copier.made(NEAR) == dict.fromkeys(good, 1)
        records = copier.stack.wait_for_audit(event="copy.deferred", reason="sources-unread")
        assert any(bad in json.dumps(each) for each in records)
        aws.control.change_snapshot(bad, HOME, shown_as=None)
        copier.sweep_now()
        assert copier.made(NEAR) == dict.fromkeys([bad, *good], 1)

    def test_a_shared_snapshot_that_an_event_names(self, copier: faults.Copier, source: Account, aws: LocalAws) -> None:
        bad, *good = copier.shared(source, 4)
        aws.control.change_snapshot(bad, HOME, shown_as={"startTime": None})
        for each in (bad, *good):
            copier.stack.send(share_event(each, source.number))
        copier.stack.wait_for_audit(count=3, event="copy.started")
        copier.wait_until_idle()
        assert copier.made(NEAR) == dict.fromkeys(good, 1)
        aws.control.change_snapshot(bad, HOME, shown_as=None)
        copier.serve()
        assert copier.made(NEAR) == dict.fromkeys([bad, *good], 1)

    def test_a_copy(self, copier: faults.Copier, source: Account, aws: LocalAws) -> None:
        first = copier.shared(source, 2)
        copier.sweep_now()
        copy, _ = aws.control.snapshots(account=copier.account.number)
        aws.control.change_snapshot(copy["id"], NEAR, shown_as={"startTime": None})
        second = copier.shared(source, 2)
        copier.sweep_now()
        assert copier.made(NEAR) == dict.fromkeys([*first, *second], 1)


class TestClaims:
    """What an event says of itself can exclude, never include."""

    def test_an_event_of_another_region_costs_no_call(
        self, copier: faults.Copier, source: Account, aws: LocalAws
    ) -> None:
        [snapshot] = copier.shared(source, 1)
        copier.stack.send(share_event(snapshot, source.number, region="eu-west-1"))
        [record] = copier.stack.wait_for_audit(event="copy.skipped")
        assert (record["reason"], record["source"]["snapshot"]) == ("other-region", snapshot)
        assert aws.control.count(service="ec2", account=copier.account.number) == {}

    def test_an_event_of_an_owner_who_is_not_listed_costs_no_call(
        self, copier: faults.Copier, source: Account, stranger: Account, aws: LocalAws
    ) -> None:
        [snapshot] = copier.shared(source, 1)
        copier.stack.send(share_event(snapshot, stranger.number))
        [record] = copier.stack.wait_for_audit(event="copy.skipped")
        assert (record["reason"], record["source"]["snapshot"]) == ("owner-not-listed", snapshot)
        assert aws.control.count(service="ec2", account=copier.account.number) == {}

    @pytest.mark.parametrize("claimed", [None, "", "somebody", 1.5, {"a": [1]}], ids=repr)
    def test_no_claim_or_one_that_cannot_be_read_excludes_nothing(
        self, copier: faults.Copier, source: Account, claimed: Any
    ) -> None:
        [snapshot] = copier.shared(source, 1)
        copier.stack.send(share_event(snapshot, claimed))
        copier.stack.wait_for_audit(event="copy.started", source__snapshot=snapshot)

    def test_a_listed_owner_who_is_claimed_falsely_includes_nothing(
        self, copier: faults.Copier, source: Account, stranger: Account
    ) -> None:
        [snapshot] = copier.shared(stranger, 1)
        copier.stack.send(share_event(snapshot, source.number))
        [record] = copier.stack.wait_for_audit(event="copy.skipped")
        assert (record["reason"], record["source"]["account"]) == ("owner-not-listed", stranger.number)
        assert copier.copy_calls() == []


def test_an_event_costs_the_same_few_calls_in_a_crowd_and_with_a_large_vault(
    copier: faults.Copier, source: Account, aws: LocalAws
) -> None:
    account = copier.account.number
    aws.control.configure(hold_copies=True, public_snapshots=CROWD)
    tags = {"policy": "default", "source-region": HOME, "source-account": source.number, "status": "verified"}
    aws.control.create_snapshots(
        {
            "account": account,
            "region": NEAR,
            "tags": {f"snapferry:{name}": value for name, value in tags.items()}
            | {"snapferry:source-snapshot": f"snap-{number:017x}"},
        }
        for number in range(VAULT)
    )

    def event() -> int:
        last = aws.control.last_call()
        [snapshot] = copier.shared(source, 1, events=True)
        copier.stack.wait_for_audit(event="copy.started", source__snapshot=snapshot)
        copier.wait_until_idle()
        return aws.control.count(since=last, service="ec2", account=account).total()

    costs = []
    for how in ("", "filters", "everything"):
        aws.control.configure(cut_pages=how)
        costs.append(event())
    assert max(costs) <= 5, costs

    aws.control.configure(in_flight_limits={NEAR: 0})
    [waiting] = copier.shared(source, 1, events=True)
    copier.stack.wait_for_audit(event="copy.deferred", source__snapshot=waiting)
    copier.wait_until_idle()
    aws.control.configure(in_flight_limits={})
    last = aws.control.last_call()
    copier.serve()
    assert copier.made(NEAR)[waiting] == 1
    assert aws.control.count(since=last, service="ec2", account=account).total() <= 5
