"""Attempts: two writers and an end that is slow to write; a hint pair."""
import threading
from collections import Counter
from tests.e2e import faults, policies
from tests.e2e.accounts import HOME, Account

NEAR = "us-west-2"

def out(*a):
    with open("/tmp/xx/twelve.out", "a") as f:
        print("XX", *a, flush=True, file=f)

def test_two(source, target, aws):
    copier = faults.copier(target, policies.details([source.number], policies.target(NEAR)))
    aws.control.configure(in_flight_limits={NEAR: 0})
    gone = copier.shared(source, 5)
    copier.sweep_now()
    for each in gone:
        source.unshare(each, copier.account.number)
    copier.sweep_now()
    aws.control.inject_fault(service="dynamodb", action="PutItem", parameters={"Item.state.S": "ended"}, latency=0.8)
    def go(payload):
        try:
            copier.stack.invoke(faults.COPIER, payload)
        except Exception as error:
            out(str(error)[:100])
    threads = [threading.Thread(target=go, args=(p,)) for p in ({"sweep": "one"}, {"serve": "two"}, {"serve": "three"}, {"sweep": "four"})]
    for t in threads:
        t.start()
        threading.Event().wait(0.3)
    [t.join() for t in threads]
    aws.control.clear()
    copier.sweep_now()
    out("two writers: missed told", Counter(r["source"]["snapshot"] for r in copier.stack.audit(event="copy.missed")).most_common(), "environments", len({r["chain"]["environment"] for r in copier.stack.audit()}))
