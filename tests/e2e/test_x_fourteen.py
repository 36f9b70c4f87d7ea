"""Attempts: hints whose removal fails; hints of which two invocations tell."""
import time
from collections import Counter
from tests.e2e import faults, policies
from tests.e2e.accounts import HOME, Account

NEAR = "us-west-2"

def out(*a):
    with open("/tmp/xx/fourteen.out", "a") as f:
        print("XX", *a, flush=True, file=f)

def test_delete_denied(source, target, aws):
    copier = faults.copier(target, policies.details([source.number], policies.target(NEAR)))
    aws.control.configure(share_seconds=86400 * 3)
    copier.shared(source, 3, events=True)
    copier.stack.wait_for_audit(count=3, event="copy.deferred", reason="not-visible-yet")
    copier.wait_until_idle()
    copier.ledger.age(minutes=25 * 60)
    aws.control.take_ledger_down(HOME, drop="", code="AccessDeniedException", status=400, action="DeleteItem")
    for _ in range(5):
        try:
            copier.serve()
        except Exception:
            pass
    out("DeleteItem denied: not-visible told", Counter(r["source"]["snapshot"] for r in copier.stack.audit(event="copy.skipped", reason="not-visible")).most_common())
    aws.control.clear()
    aws.control.take_ledger_down(HOME, drop="", hang="before", action="DeleteItem")
    t0 = time.monotonic()
    try:
        copier.serve()
    except Exception as error:
        out(str(error)[:100])
    out("DeleteItem hangs, 3 hints: the tick takes", time.monotonic() - t0)
    aws.control.clear()

def test_event_and_table_missing(source, target, aws):
    """Round item in the way of nothing: an owed one is served while the round cannot be written."""
    copier = faults.copier(target, policies.details([source.number], policies.target(NEAR)))
    aws.control.configure(hold_copies=True)
    aws.control.take_ledger_down(HOME, drop="", code="ThrottlingException", status=400, action="PutItem", parameters={"Item.pk.S": "R"})
    copier.shared(source, 2)
    for _ in range(2):
        try:
            copier.sweep_now()
        except Exception as error:
            out(str(error)[-80:])
    out("round cannot be written: made", sum(copier.made(NEAR).values()), Counter((r["event"], r["reason"]) for r in copier.stack.audit()))
    copier.shared(source, 1, events=True)
    time.sleep(3)
    out("event meanwhile: made", sum(copier.made(NEAR).values()))
    aws.control.clear()
