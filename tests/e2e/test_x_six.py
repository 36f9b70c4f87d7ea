"""Attempts: what only an event asked for, in the counts that alarms watch."""
import json
import subprocess
from datetime import UTC, datetime, timedelta
import pytest
from tests.cloud import LocalAws
from tests.e2e import faults, policies
from tests.e2e.accounts import HOME, Account
from tests.e2e.deploy import redeploy

NEAR = "us-west-2"

def moment(*, days: float) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")

def out(*a):
    with open("/tmp/xx/six.out", "a") as f:
        print("XX", *a, flush=True, file=f)

def test_event_only_is_in_no_count(source, target, aws):
    copier = faults.copier(target, policies.details([source.number], policies.target(NEAR)), SweepSince=moment(days=-1))
    aws.control.configure(in_flight_limits={NEAR: 0})
    [old] = copier.shared(source, 1, events=True, start_time=moment(days=-2))
    copier.stack.wait_for_audit(event="copy.deferred", reason="region-full", source__snapshot=old)
    copier.wait_until_idle()
    copier.ledger.age(minutes=5 * 24 * 60)
    copier.sweep_now()
    [done] = copier.stack.audit(event="sweep.completed")
    out("event-only, owed for 5 days:", {k: done["sweep"].get(k) for k in ("missing", "unprotected", "oldestUnprotectedSeconds", "deferred", "beforeSince", "matching")}, copier.ledger.states())

def test_a_region_that_is_not_enabled(source, target, aws):
    copier = faults.copier(target, policies.details([source.number], policies.target(NEAR)))
    aws.control.disable_region(NEAR)
    copier.shared(source, 3, events=True)
    copier.wait_until_idle()
    copier.ledger.age(minutes=5 * 24 * 60)
    copier.sweep_now()
    copier.stack.invoke("verify-copies", {"run": "r"})
    done = copier.stack.audit(event="sweep.completed")[-1]
    out("region not enabled for 5 days:", {k: done["sweep"].get(k) for k in ("missing", "unknown", "unprotected", "oldestUnprotectedSeconds", "deferred")}, {k: v for k, v in done.items() if k[0].isupper()})
    out([(r["reason"], r.get("verification")) for r in copier.stack.audit("verify-copies", event="verify.completed")])

def test_disabled_reenabled_event_only(source, target, aws):
    document = policies.details([source.number], policies.target(NEAR))
    on, off = policies.lifecycle_policy("p-1", document), policies.lifecycle_policy("p-1", document, state="DISABLED")
    copier = faults.copier(target, on, SweepSince=moment(days=-1))
    aws.control.configure(in_flight_limits={NEAR: 0})
    [old] = copier.shared(source, 1, events=True, start_time=moment(days=-2))
    [new] = copier.shared(source, 1, events=True)
    copier.stack.wait_for_audit(event="copy.deferred", source__snapshot=new)
    copier.wait_until_idle()
    redeploy(copier.stack, off)
    copier.serve()
    redeploy(copier.stack, on)
    aws.control.configure(in_flight_limits={})
    copier.ledger.age(minutes=20)
    for _ in range(3):
        copier.sweep_now(); copier.serve()
    out("disabled and re-enabled: event-only", copier.made(NEAR)[old], "new", copier.made(NEAR)[new], [(r["event"], r["reason"], (r.get("source") or {}).get("snapshot") == old) for r in copier.stack.audit(event="copy.withdrawn")])
    # The operator shares again: the event comes again.
    source.unshare(old, copier.account.number); source.share(old, copier.account.number)
    copier.wait_until_idle(); copier.serve()
    out("shared again", copier.made(NEAR)[old])

def test_a_very_late_event_for_what_is_over(source, target, aws):
    """An event after the end `missed`: the source is shared again."""
    copier = faults.copier(target, policies.details([source.number], policies.target(NEAR)))
    aws.control.configure(in_flight_limits={NEAR: 0})
    [s] = copier.shared(source, 1, events=True)
    copier.stack.wait_for_audit(event="copy.deferred", source__snapshot=s)
    copier.wait_until_idle()
    source.unshare(s, copier.account.number)
    copier.sweep_now(); copier.sweep_now()
    out("missed", len(copier.stack.audit(event="copy.missed")), copier.ledger.states())
    aws.control.configure(in_flight_limits={})
    source.share(s, copier.account.number)
    copier.wait_until_idle()
    copier.sweep_now(); copier.serve()
    out("shared again after missed: made", copier.made(NEAR), copier.ledger.states())
    copier.sweep_now(); copier.serve()
    source.unshare(s, copier.account.number)
    copier.sweep_now(); copier.sweep_now()
    out(len(copier.stack.audit(event="copy.missed")))

@pytest.mark.parametrize("what", ["owner", "region"])
def test_oldest_with_a_read_that_fails_once(source, stranger, target, aws, what):
    copier = faults.copier(target, policies.details([source.number, stranger.number], policies.target(NEAR)))
    aws.control.configure(in_flight_limits={NEAR: 0})
    old = (datetime.now(UTC) - timedelta(days=6)).isoformat()
    copier.shared(source, 3, start_time=old)
    copier.shared(stranger, 1)
    copier.sweep_now()
    copier.ledger.age(minutes=5 * 24 * 60)
    copier.sweep_now()
    if what == "owner":
        rule = aws.control.inject_fault(action="DescribeSnapshots", region=HOME, parameters={"Owner.1": source.number}, code="InternalError", message="no")
        rule2 = aws.control.inject_fault(action="DescribeSnapshots", region=HOME, parameters={"Owner.2": source.number}, code="InternalError", message="no")
    else:
        aws.control.take_region_down(NEAR)
    copier.sweep_now()
    aws.control.clear()
    copier.sweep_now()
    out("oldest,", what, "fails in the third sweep:", [(d["sweep"]["shared"], d["sweep"]["unprotected"], d["sweep"]["unknown"], d["OldestUnprotectedHours"]) for d in copier.stack.audit(event="sweep.completed")])
