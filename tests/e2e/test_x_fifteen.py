"""Attempts: a hundred expired hints whose removal hangs, before the line."""
import time
from collections import Counter
from tests.e2e import faults, policies
from tests.e2e.accounts import HOME, Account

NEAR = "us-west-2"

def out(*a):
    with open("/tmp/xx/fifteen.out", "a") as f:
        print("XX", *a, flush=True, file=f)

def test_many(source, target, aws):
    copier = faults.copier(target, policies.details([source.number], policies.target(NEAR)))
    aws.control.configure(share_seconds=86400 * 3, in_flight_limits={NEAR: 0}, hold_copies=True)
    copier.shared(source, 1, events=True)
    copier.stack.wait_for_audit(event="copy.deferred", reason="not-visible-yet")
    copier.wait_until_idle()
    copier.ledger.age(minutes=25 * 60)
    [hint] = copier.ledger.items("H")
    for n in range(110):
        copier.ledger.put({**hint, "sk": f"snap-{n:017x}"})
    aws.control.configure(share_seconds=0)
    [good] = copier.shared(source, 1)
    copier.sweep_now()
    aws.control.configure(in_flight_limits={})
    for n in range(110):
        copier.ledger.put({**hint, "sk": f"snap-{n:017x}"})
    before = len(copier.stack.audit())
    aws.control.take_ledger_down(HOME, drop="", hang="before", action="DeleteItem")
    t0 = time.monotonic()
    try:
        copier.serve()
    except Exception as error:
        out(str(error)[:100])
    while time.monotonic() - t0 < 345:
        if copier.made(NEAR)[good]:
            break
        time.sleep(3)
    out("110 hints, DeleteItem hangs: the good one asked for after", time.monotonic() - t0, copier.made(NEAR)[good])
    out(Counter((r["event"], r["reason"]) for r in copier.stack.audit()[before:]), [l[:200] for l in copier.stack.log(faults.COPIER) if "REPORT" in l or "Task" in l or "timed" in l][-2:])
    aws.control.clear()
