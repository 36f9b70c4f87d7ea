"""Attempts: one edit while EC2 hides a fresh copy; a source account's flood of withdrawn; sixty accounts."""
import time
from collections import Counter
import pytest
from tests.cloud import LocalAws
from tests.e2e import faults, policies
from tests.e2e.accounts import HOME, Account

NEAR = "us-west-2"

def out(*a):
    with open("/tmp/xx/eight.out", "a") as f:
        print("XX", *a, flush=True, file=f)

@pytest.mark.parametrize("attributes", [{"state": "owed"}, {"state": "asked", "at": "1970-01-01T00:00:00Z"}, {"at": "1970-01-01T00:00:00Z"}, {"copy": None}, {"state": "ended", "why": "missed"}, {"state": "ended", "why": "protected", "at": "1970-01-01T00:00:00Z"}], ids=str)
def test_one_edit_while_a_copy_is_hidden(source, target, aws, attributes):
    copier = faults.copier(target, policies.details([source.number], policies.target(NEAR)))
    aws.control.configure(hold_copies=True, copy_visibility_seconds=540)
    [s] = copier.shared(source, 1, events=True)
    copier.stack.wait_for_audit(event="copy.started")
    copier.wait_until_idle()
    copier.ledger.poison(copier.ledger.obligations(), **attributes)
    for _ in range(2):
        copier.sweep_now(); copier.serve()
    out(attributes, "made", copier.made(NEAR)[s], copier.ledger.states())

def test_5xx_to_all(source, target, aws):
    copier = faults.copier(target, policies.details([source.number], policies.target(NEAR)))
    aws.control.inject_fault(action="CopySnapshot", code="InternalError", status=500, message="no")
    copier.shared(source, 300)
    before = time.monotonic()
    copier.sweep_now()
    one = len(copier.copy_calls())
    copier.ledger.age(minutes=11)
    copier.serve()
    out("5xx to all: CopySnapshots of the sweep", one, "of the next serve after the hold", len(copier.copy_calls()) - one, Counter(r["reason"] for r in copier.stack.audit(event="copy.deferred")), "secs", time.monotonic() - before)
