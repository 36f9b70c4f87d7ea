"""Answers to CopySnapshot that do not come, or do not say what happened: never asked again before EC2 had the time to
show what it did, and never lost.

One Region for each kind of answer, all at the same time. The copier leaves such a copy alone for half a minute, and so
this module takes that long.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.cloud import LocalAws, until
from tests.e2e import faults, policies
from tests.e2e.accounts import HOME, Account
from tests.e2e.deploy import PATIENCE_SECONDS

HOLD = timedelta(seconds=30)

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
    aws.control.configure(copy_visibility_seconds=3600)
    volume: dict[str, Any] = {"volume_id": "vol-0123456789abcdef0"}
    [first] = copier.shared(source, 1, start_time="2026-11-22T03:00:00Z", **volume)
    [second] = copier.shared(source, 1, start_time="2026-11-22T04:00:00Z", **volume)
    for region, fault in FAULTS.items():
        aws.control.inject_fault(action="CopySnapshot", region=region, times=1, **fault)

    swept = copier.sweep()["sweep"]
    once = {(first, region): 1 for region in FAULTS} | {(second, region): 1 for region in FAULTS.keys() - SILENT}
    assert copier.asked() == {**once, (first, THROTTLED): 2}, "silence closes a Region, an error answer does not"
    lost = {(first, region, "answer-lost"): 1 for region in AMBIGUOUS}
    silent = {(second, region, "region-unreachable"): 1 for region in SILENT}
    assert copier.deferred() == lost | silent
    assert swept["deferred"] == {"answer-lost": len(lost), "region-unreachable": len(silent)}
    assert swept["started"] == len(FAULTS) * 2 - len(lost) - len(silent)

    before = copier.asked()
    swept = copier.sweep()["sweep"]
    asked_now = {(second, region): 1 for region in SILENT}
    assert copier.asked() - before == asked_now, "what was not asked for is asked for now, what was is not"
    assert swept["deferred"] == {"answer-lost": len(AMBIGUOUS)}

    a_sweep_reads_slowly_while_a_hold_ends_and_ec2_shows_the_copies(copier)
    assert copier.asked() - before == asked_now, "a hold that ends while a sweep reads has not ended for what it read"

    copier.settle(within=PATIENCE_SECONDS + HOLD.total_seconds())
    again = {(first, region): 2 for region in FAULTS.keys() - MADE} | {(first, region): 1 for region in MADE}
    assert copier.asked() == again | {(second, region): 1 for region in FAULTS}
    for region in AMBIGUOUS - MADE:
        asked, repeated = (
            datetime.fromisoformat(call.time)
            for call in copier.copy_calls(region=region)
            if call.parameters["SourceSnapshotId"] == first
        )
        assert repeated - asked >= HOLD
    assert {call.executed for region in MADE for call in copier.copy_calls(region=region)} == {True}


def a_sweep_reads_slowly_while_a_hold_ends_and_ec2_shows_the_copies(copier: faults.Copier) -> None:
    """The sweep begins within the hold of the first lost answers, reads the target Regions at once and the home Region
    only when two attempts have timed out, ten seconds later; the copies made appear in between."""
    lost = min(datetime.fromisoformat(call.time) for call in copier.copy_calls())
    slow_from = lost + HOLD - timedelta(seconds=9)
    until(lambda: datetime.now(UTC) >= slow_from, within=HOLD.total_seconds(), what="the hold to be near its end")
    copier.control.inject_fault(action="DescribeSnapshots", region=HOME, hang="before", times=2)
    last = copier.control.calls()[-1].number
    copier.tick()

    def read() -> bool:
        calls = copier.control.calls(since=last, action="DescribeSnapshots", outcome="ok")
        return {call.region for call in calls} >= FAULTS.keys()

    until(read, within=PATIENCE_SECONDS, what="the target Regions to be read")
    copier.show_copies()
    copier.wait_until_idle()
    home = copier.control.calls(since=last, action="DescribeSnapshots", region=HOME)
    assert datetime.fromisoformat(home[-1].time) >= lost + HOLD
