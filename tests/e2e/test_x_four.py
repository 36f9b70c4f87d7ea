"""Attempts: a Region that is no target any more, while something was asked for there."""
import json
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
import pytest
from tests.cloud import LocalAws
from tests.e2e import faults, policies
from tests.e2e.accounts import HOME, Account
from tests.e2e.deploy import redeploy

NEAR, FAR = "us-west-2", "eu-central-1"

def out(*a):
    print("XX", *a, flush=True)

def brief(records):
    return [(r["event"], r["reason"], r.get("count"), (r.get("source") or {}).get("snapshot"), (r.get("copy") or {}).get("region")) for r in records]

@pytest.mark.parametrize("retired", [False, True])
@pytest.mark.parametrize("how", ["asked", "copying"])
def test_a_target_is_removed_while_something_is_under_way(source, target, aws, how, retired):
    entries = [policies.target(region, key=target.create_key(region)) for region in (NEAR, FAR)]
    copier = faults.copier(target, policies.details([source.number], *entries))
    aws.control.configure(hold_copies=how == "copying")
    if how == "asked":
        aws.control.inject_fault(action="CopySnapshot", drop="before", region=FAR, times=1)
    [snapshot] = copier.shared(source, 1, events=True)
    copier.stack.wait_for_audit(event="copy.started")
    copier.wait_until_idle()
    more = {"RetiredRegions": FAR} if retired else {}
    redeploy(copier.stack, policies.details([source.number], entries[0]), **more)
    before, vbefore = len(copier.stack.audit()), len(copier.stack.audit("verify-copies"))
    source.unshare(snapshot, copier.account.number)
    aws.control.configure(hold_copies=False)
    aws.control.release_copies()
    for _ in range(5):
        copier.ledger.age(minutes=24 * 60)
        copier.sweep_now()
        copier.serve()
        copier.stack.invoke("verify-copies", {"run": "r"})
    out(how, "retired" if retired else "not retired", [(i["sk"].split("#")[1], i["state"]) for i in copier.ledger.obligations()])
    out([r for r in brief(copier.stack.audit()[before:]) if not r[0].startswith("sweep")], [r for r in brief(copier.stack.audit("verify-copies")[vbefore:]) if r[0] != "verify.completed"])

def test_refusals_of_index_only_and_an_event_that_is_copied(source, target, aws):
    """An event whose copy is started while another's line cannot be read: does its message come back and block?"""
    entries = [policies.target(region, key=target.create_key(region)) for region in (NEAR, FAR)]
    copier = faults.copier(target, policies.details([source.number], *entries))
    aws.control.configure(in_flight_limits={FAR: 0})
    copier.shared(source, 1, events=True)
    copier.stack.wait_for_audit(event="copy.started")
    copier.wait_until_idle()
    down = aws.control.take_ledger_down(HOME, drop="", code="AccessDeniedException", status=400, action="Query", parameters={"IndexName": "line", "ExpressionAttributeValues.:lpk.S": f"L#{FAR}#*"})
    copier.set_visibility_timeout(5)
    [two] = copier.shared(source, 1, events=True)
    time.sleep(8)
    out("index of FAR only: asked", copier.asked()[(two, NEAR)], "queued", copier.queued("CopierQueueUrl"), brief(copier.stack.audit())[-6:])
    aws.control.clear(down)
    copier.wait_until_idle()

def test_three_missed_twice(source, target, aws):
    """PutItem of an end denied: how often copy.missed is told by the binaries."""
    copier = faults.copier(target, policies.details([source.number], policies.target(NEAR)))
    aws.control.configure(in_flight_limits={NEAR: 0})
    snapshots = copier.shared(source, 3)
    copier.sweep_now()
    for each in snapshots:
        source.unshare(each, copier.account.number)
    copier.sweep_now()
    aws.control.take_ledger_down(HOME, drop="", code="ProvisionedThroughputExceededException", action="PutItem", parameters={"Item.state.S": "ended"})
    for _ in range(3):
        for call in (copier.sweep_now, copier.serve, copier.serve):
            try:
                call()
            except Exception as error:
                out(str(error)[:120])
    out("missed told", Counter(r["source"]["snapshot"] for r in copier.stack.audit(event="copy.missed")))
    aws.control.clear()
