"""Attempts: starvation on the binaries; a ledger that hangs for writes; index only; long reads."""
import json
import threading
import time
from datetime import UTC, datetime, timedelta
import pytest
from tests.cloud import LocalAws
from tests.e2e import faults, policies
from tests.e2e.accounts import HOME, Account

NEAR = "us-west-2"

def moment(*, days: float) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")

@pytest.fixture
def copier(source: Account, stranger: Account, target: Account, aws: LocalAws) -> faults.Copier:
    document = policies.details([source.number, stranger.number], policies.target(NEAR, key=target.create_key(NEAR)))
    return faults.copier(target, document)

def out(*a):
    print("XX", *a, flush=True)

def brief(records):
    return [(r["event"], r["reason"], r.get("count"), (r.get("source") or {}).get("snapshot"), (r.get("error") or {}).get("message", "")[:150]) for r in records]


def test_refused_ones_starve_a_good_one(copier, source, aws):
    n = 400
    refusing = aws.control.inject_fault(action="CopySnapshot", code="InvalidParameterValue", message="no")
    bad = copier.shared(source, n)
    copier.sweep_now()
    ticks = 0
    def fresh():
        return sum(each["state"] == "owed" for each in copier.ledger.obligations())
    # The way there: time passes, a minute a tick, until all but few were tried; speed: 5 minutes a tick
    t0 = time.monotonic()
    items = copier.ledger.obligations()
    # As after some hours: each refused 8 times, last within the last two hours, evenly.
    for number, item in enumerate(items):
        at = datetime.now(UTC) - timedelta(minutes=number / 3)
        due = int((at + timedelta(hours=1)).timestamp())
        source_id = item["sk"].split("#")[0][::-1]
        policy = item["sk"].split("#")[2]
        copier.ledger.put({**item, "state": "delayed", "refused": 8, "at": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "lpk": f"D#{NEAR}#{source.number}", "lsk": f"{due:012}#{source_id}#{policy}"})
    aws.control.clear(refusing)
    for each in bad:
        pass
    refusing = aws.control.inject_fault(action="CopySnapshot", code="InvalidParameterValue", message="no", parameters={"SourceSnapshotId": "snap-*"})
    # A good one: all others are refused; to tell it apart its ID is excluded by a second, earlier world: counted by who is asked.
    [good] = copier.shared(source, 1, events=True)
    copier.wait_until_idle()
    tried = []
    for tick in range(60):
        before = len(copier.copy_calls())
        copier.ledger.age(minutes=1)
        copier.serve()
        tried.append(len(copier.copy_calls()) - before)
        if (good, NEAR) in copier.asked():
            break
    out("starvation: good asked", (good, NEAR) in copier.asked(), "after", len(tried), "ticks; tried a tick", tried[:10], tried[-5:], "secs", time.monotonic() - t0)
    out(brief(copier.stack.audit(event="copy.deferred"))[-3:])

def test_writes_hang(copier, source, stranger, aws):
    aws.control.configure(in_flight_limits={NEAR: 0})
    gone = copier.shared(source, 20) + copier.shared(stranger, 20)
    copier.sweep_now()
    for each in gone[:20]:
        source.unshare(each, copier.account.number)
    for each in gone[20:]:
        stranger.unshare(each, copier.account.number)
    out("states", len(copier.ledger.states()))
    before = len(copier.stack.audit())
    aws.control.take_ledger_down(HOME, action="PutItem", hang="before", drop="")
    t0 = time.monotonic()
    try:
        copier.serve()
        out("serve ended well")
    except Exception as error:
        out("serve:", str(error)[:300])
    out("writes hang: took", time.monotonic() - t0)
    def ended():
        return [l for l in copier.stack.log("copy-shared-snapshots") if "REPORT" in l or "timed out" in l or "Task" in l]
    first = len(ended())
    while time.monotonic() - t0 < 400 and len(ended()) <= first:
        time.sleep(5)
    out("ended after", time.monotonic() - t0, ended())
    out(brief(copier.stack.audit()[before:]))
    out(copier.stack.log("copy-shared-snapshots")[-5:])

@pytest.mark.parametrize("what", ["index", "reads", "PutItem"])
def test_denied(copier, source, aws, what):
    where = {"index": {"action": "Query", "parameters": {"IndexName": "line"}}, "reads": {"action": "GetItem"}, "PutItem": {"action": "PutItem"}}[what]
    aws.control.configure(in_flight_limits={NEAR: 0})
    first = copier.shared(source, 2)
    copier.sweep_now()
    aws.control.configure(in_flight_limits={})
    copier.set_visibility_timeout(1)
    down = aws.control.take_ledger_down(HOME, drop="", code="AccessDeniedException", status=400, **where)
    before = len(copier.stack.audit())
    second = copier.shared(source, 2, events=True)
    time.sleep(6)
    try:
        copier.stack.invoke(faults.COPIER, {"sweep": "x"})
    except Exception as error:
        out(what, "sweep:", str(error)[:200])
    out(what, "down: made", len(copier.made(NEAR)), brief(copier.stack.audit()[before:])[-6:], "queue", copier.queued("CopierQueueUrl"), "dlq", copier.queued("CopierDeadLetterQueueUrl"))
    aws.control.clear(down)
    copier.wait_until_idle()
    copier.ledger.age(minutes=11)
    copier.sweep_now()
    copier.serve()
    out(what, "up: made", copier.made(NEAR) == dict.fromkeys(first + second, 1), "dlq", copier.queued("CopierDeadLetterQueueUrl"))

def test_two_copiers(copier, source, stranger, aws):
    """Two invocations at the same time, past the queue: sweeps and serves, of what goes and what comes."""
    aws.control.configure(in_flight_limits={NEAR: 0})
    gone = copier.shared(source, 40)
    copier.sweep_now()
    for each in gone:
        source.unshare(each, copier.account.number)
    copier.sweep_now()
    aws.control.configure(in_flight_limits={NEAR: 1000}, hold_copies=True)
    good = copier.shared(stranger, 60)
    aws.control.inject_fault(service="dynamodb", action="PutItem", latency=0.05)
    def go(payload):
        try:
            copier.stack.invoke(faults.COPIER, payload)
        except Exception as error:
            out("two:", str(error)[:200])
    for round in range(4):
        threads = [threading.Thread(target=go, args=({kind: f"t-{round}-{n}"},)) for n, kind in enumerate(["sweep", "sweep", "serve"])]
        [t.start() for t in threads]; [t.join() for t in threads]
    from collections import Counter
    missed = Counter(r["source"]["snapshot"] for r in copier.stack.audit(event="copy.missed"))
    out("two copiers: made", Counter(copier.made(NEAR).values()), "missed told", Counter(missed.values()), "environments", len({r["chain"]["environment"] for r in copier.stack.audit() if "chain" in r}))
    out("states", Counter(copier.ledger.states()), "completed", [(r["sweep"]["id"]) for r in copier.stack.audit(event="sweep.completed")])
