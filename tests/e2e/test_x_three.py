"""Attempts: a vault of many foreign snapshots whose pages EC2 cuts first."""
import time
from datetime import UTC, datetime, timedelta
import pytest
from tests.cloud import LocalAws
from tests.e2e import faults, policies
from tests.e2e.accounts import HOME, Account

NEAR = "us-west-2"

@pytest.fixture
def copier(source: Account, stranger: Account, target: Account, aws: LocalAws) -> faults.Copier:
    return faults.copier(target, policies.details([source.number, stranger.number], policies.target(NEAR, key=target.create_key(NEAR))))

def out(*a):
    print("XX", *a, flush=True)

def test_an_event_behind_a_sweep_of_a_vault_with_foreign_snapshots(copier, source, aws):
    account = copier.account.number
    aws.control.configure(hold_copies=True)
    aws.control.create_snapshots({"account": account, "region": NEAR} for _ in range(300_000))
    copier.shared(source, 1, events=True)
    copier.stack.wait_for_audit(event="copy.started")
    copier.wait_until_idle()
    aws.control.configure(cut_pages="filters")
    aws.control.inject_fault(action="DescribeSnapshots", latency=0.3)
    t0 = time.monotonic()
    copier.tick()
    time.sleep(2)
    [snapshot] = copier.shared(source, 1, events=True)
    while time.monotonic() - t0 < 200:
        if copier.copy_calls(outcome="ok") and (snapshot, NEAR) in copier.asked():
            break
        time.sleep(1)
    out("the event's copy was asked for after", time.monotonic() - t0 - 2)
    copier.wait_until_idle()
    out([(r["sweep"]["durationMs"], r["sweep"]["calls"], r["sweep"]["unknown"]) for r in copier.stack.audit(event="sweep.completed")])
