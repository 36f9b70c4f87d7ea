"""Attempts."""
import json
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
    return faults.copier(target, document, SweepSince=moment(days=-1))

def out(*a):
    print("XX", *a)

def brief(records):
    return [(r["event"], r["reason"], r.get("count"), (r.get("source") or {}).get("snapshot"), (r.get("error") or {}).get("message", "")[:150]) for r in records]

@pytest.mark.parametrize("attributes", [
    {"by": "sweep"}, {"state": "ended", "why": "protected", "lpk": None, "lsk": None, "at": moment(days=0)},
    {"state": "ended", "why": "withdrawn", "at": "1970-01-01T00:00:00Z", "lpk": None, "lsk": None},
], ids=str)
def test_one_write_to_what_only_an_event_asked_for(copier, source, aws, attributes):
    aws.control.configure(in_flight_limits={NEAR: 0})
    [old] = copier.shared(source, 1, events=True, start_time=moment(days=-2))
    copier.stack.wait_for_audit(event="copy.deferred", reason="region-full", source__snapshot=old)
    copier.wait_until_idle()
    copier.ledger.poison(copier.ledger.obligations(), **attributes)
    before = len(copier.stack.audit())
    copier.sweep_now()
    aws.control.configure(in_flight_limits={})
    for _ in range(3):
        copier.ledger.age(minutes=12 * 60)
        copier.sweep_now()
        copier.serve()
    out(attributes, "made", copier.made(NEAR), "states", copier.ledger.states())
    out(brief(copier.stack.audit()[before:]))

@pytest.mark.parametrize("attributes", [{"revision": 2**60}, {"since": "1970-01-01T00:00:00Z"}, {"revision": None}], ids=str)
def test_one_write_to_a_hint(copier, source, aws, attributes):
    aws.control.configure(share_seconds=600)
    [old] = copier.shared(source, 1, events=True, start_time=moment(days=-2))
    copier.stack.wait_for_audit(event="copy.deferred", reason="not-visible-yet")
    copier.wait_until_idle()
    copier.ledger.poison(copier.ledger.items("H"), **attributes)
    before = len(copier.stack.audit())
    copier.serve()
    aws.control.advance_clock(seconds=700)
    for _ in range(3):
        copier.serve()
        copier.sweep_now()
    copier.ledger.age(minutes=25 * 60)
    copier.serve()
    out(attributes, "made", copier.made(NEAR), "hints", copier.ledger.items("H"))
    out(brief(copier.stack.audit()[before:]))

def test_a_turn_with_a_long_lineage(copier, source, stranger, aws):
    aws.control.configure(in_flight_limits={NEAR: 0})
    a = copier.shared(source, 1, events=True)
    b = copier.shared(stranger, 1, events=True)
    copier.stack.wait_for_audit(event="copy.deferred", reason="region-full")
    copier.wait_until_idle()
    copier.sweep_now()
    copier.ledger.poison([t for t in copier.ledger.items("A#") if t["sk"] == source.number], lineage="v" * 2000, tried="1970-01-01T00:00:00Z")
    aws.control.configure(in_flight_limits={})
    before = len(copier.stack.audit())
    for _ in range(3):
        copier.ledger.age(minutes=12 * 60)
        copier.sweep_now()
        copier.serve()
    out("long lineage made", copier.made(NEAR), "of", a + b)
    out(brief(copier.stack.audit()[before:])[:10])

def test_pending_for_more_than_a_day(copier, source, aws):
    [s] = copier.shared(source, 1, state="pending")
    source  # noqa
    copier.stack.send(json.dumps({"id": "e1", "source": "aws.ec2", "detail-type": "EBS Snapshot Notification", "region": HOME,
        "detail": {"event": "shareSnapshot", "result": "succeeded", "snapshot_id": s, "source": source.number}}))
    copier.wait_until_idle()
    copier.serve()
    out("pending", brief(copier.stack.audit()), copier.ledger.items("H"))
    copier.ledger.age(minutes=25 * 60)
    copier.serve()
    out("pending after a day", brief(copier.stack.audit()))
