"""Answers to CopySnapshot that do not come, or do not say what happened: never asked again before EC2 had the time to
show what it did, and never lost.

One Region for each kind of answer, all at the same time. The copier leaves such a copy alone for ten minutes; here the
ledger is made that much older.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.cloud import LocalAws, until
from tests.e2e import faults, policies
from tests.e2e.accounts import HOME, Account
from tests.e2e.deploy import PATIENCE_SECONDS

HOLD = timedelta(minutes=10)

FAULTS: dict[str, dict[str, Any]] = {
    "us-west-2": {"drop": "before"},
    "eu-west-1": {"drop": "after"},
    "eu-central-1": {"hang": "before"},
    "ap-northeast-1": {"hang": "after"},
    "sa-east-1": {"code": "InternalError"},
    "ca-central-1": {"code": "Unavailable", "executed": True},
    # An answer that says that nothing happened, for comparison: this one is asked again in place.
    "us-east-2": {"code": "RequestLimitExceeded"},
}
SILENT = {region for region, fault in FAULTS.items() if "code" not in fault}
MADE = {region for region, fault in FAULTS.items() if "after" in fault.values() or "executed" in fault}
THROTTLED = "us-east-2"
AMBIGUOUS = FAULTS.keys() - {THROTTLED}


@pytest.fixture
def copier(source: Account, target: Account) -> faults.Copier:
    return faults.copier(target, policies.details([source.number], *(policies.target(region) for region in FAULTS)))


def test_no_lost_answer_makes_a_second_copy_or_none(copier: faults.Copier, source: Account, aws: LocalAws) -> None:
    aws.control.configure(copy_visibility_seconds=86_400)
    volume: dict[str, Any] = {"volume_id": "vol-0123456789abcdef0"}
    [older] = copier.shared(source, 1, start_time="2026-11-22T03:00:00Z", **volume)
    [newer] = copier.shared(source, 1, start_time="2026-11-22T04:00:00Z", **volume)
    for region, fault in FAULTS.items():
        aws.control.inject_fault(action="CopySnapshot", region=region, times=1, **fault)

    swept = copier.sweep()["sweep"]
    once = {(newer, region): 1 for region in FAULTS} | {(older, region): 1 for region in FAULTS.keys() - SILENT}
    assert copier.asked() == {**once, (newer, THROTTLED): 2}, "silence closes a Region, an error answer does not"
    lost = {(newer, region, "answer-lost"): 1 for region in AMBIGUOUS}
    assert copier.deferred() == lost
    assert {(region, reason) for region, reason, _ in copier.not_tried()} == {
        (region, "region-unreachable") for region in SILENT
    }
    assert swept["deferred"] == {"answer-lost": len(lost), "region-unreachable": len(SILENT)}
    assert swept["started"] == len(FAULTS) * 2 - len(lost) - len(SILENT)

    before = copier.asked()
    swept = copier.sweep()["sweep"]
    asked_now = {(older, region): 1 for region in SILENT}
    assert copier.asked() - before == asked_now, "what was not asked for is asked for now, what was is not"
    assert swept["deferred"] == {"answer-lost": len(AMBIGUOUS)}

    copier.ledger.age(minutes=9)
    copier.sweep_now()
    copier.serve()
    assert copier.asked() - before == asked_now, "the hold is not over, whatever EC2 does not show"

    # From here on the ledger alone remembers: the process that asked believes its own clock.
    copier.control.kill_function(copier.function)
    a_sweep_reads_slowly_while_a_hold_ends_and_ec2_shows_the_copies(copier)
    assert copier.asked() - before == asked_now, "a hold that ends while a sweep reads has not ended for what it read"

    copier.ledger.age(seconds=HOLD.total_seconds())
    copier.settle()
    again = {(newer, region): 2 for region in FAULTS.keys() - MADE} | {(newer, region): 1 for region in MADE}
    assert copier.asked() == again | {(older, region): 1 for region in FAULTS}
    assert {call.executed for region in MADE for call in copier.copy_calls(region=region)} == {True}


def a_sweep_reads_slowly_while_a_hold_ends_and_ec2_shows_the_copies(copier: faults.Copier) -> None:
    """The sweep begins within the hold of the lost answers, reads the target Regions at once and the home Region only
    when two attempts have timed out, ten seconds later; the copies made appear in between."""
    asked = [datetime.fromisoformat(each["at"]) for each in copier.ledger.obligations() if each["state"] == "asked"]
    assert len(asked) == len(AMBIGUOUS)
    over = datetime.now(UTC) + timedelta(seconds=9)
    copier.ledger.age(seconds=(min(asked) + HOLD - over).total_seconds())
    copier.control.inject_fault(action="DescribeSnapshots", region=HOME, hang="before", times=2)
    last = copier.control.last_call()
    copier.tick()

    def read() -> bool:
        calls = copier.control.calls(since=last, action="DescribeSnapshots", outcome="ok")
        return {call.region for call in calls} >= FAULTS.keys()

    until(read, within=PATIENCE_SECONDS, what="the target Regions to be read")
    copier.show_copies()
    copier.wait_until_idle()
    home = copier.control.calls(since=last, action="DescribeSnapshots", region=HOME)
    assert datetime.fromisoformat(home[-1].time) >= over
