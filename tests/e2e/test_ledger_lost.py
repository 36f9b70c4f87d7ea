"""The ledger itself: out of reach, slow to answer, poisoned, or lost altogether."""

from typing import Any

import pytest

from tests.cloud import LocalAws, until
from tests.e2e import faults, policies
from tests.e2e.accounts import HOME, Account
from tests.e2e.deploy import PATIENCE_SECONDS

NEAR, FAR = "us-west-2", "eu-central-1"
OUTAGES: list[dict[str, Any]] = [
    {"drop": "before"},
    {"hang": "before", "drop": ""},
    {"drop": "", "code": "InternalServerError"},
    {"drop": "", "code": "ProvisionedThroughputExceededException"},
]


@pytest.fixture
def copier(source: Account, target: Account) -> faults.Copier:
    entries = [policies.target(region, key=target.create_key(region)) for region in (NEAR, FAR)]
    return faults.copier(target, policies.details([source.number], *entries))


@pytest.mark.parametrize("outage", OUTAGES, ids=str)
def test_out_of_reach_no_copy_starts_and_nothing_is_lost(
    copier: faults.Copier, source: Account, aws: LocalAws, outage: dict[str, Any]
) -> None:
    copier.set_visibility_timeout(1)
    down = aws.control.take_ledger_down(HOME, **outage)
    copier.tick()
    copier.stack.wait_for_audit(event="copy.deferred", reason="ledger-unread")
    copier.wait_until_idle()

    snapshots = copier.shared(source, 3, events=True)
    before = len(copier.stack.audit(event="copy.deferred", reason="ledger-unread"))
    copier.stack.wait_for_audit(count=before + 1, event="copy.deferred", reason="ledger-unread")
    assert copier.copy_calls() == []
    assert copier.queued("CopierQueueUrl") > 0, "share messages go back to the queue"

    aws.control.clear(down)
    copier.wait_until_idle()
    once = {(each, region): 1 for each in snapshots for region in (NEAR, FAR)}
    until(lambda: copier.asked() == once, within=PATIENCE_SECONDS, what="all copies to be asked for")
    assert copier.queued("CopierDeadLetterQueueUrl") == 0


def test_an_answer_of_the_ledger_is_lost(copier: faults.Copier, source: Account, aws: LocalAws) -> None:
    # Where all attempts of a write are lost, the events come back.
    copier.set_visibility_timeout(1)
    writes = {"action": "PutItem", "parameters": {"Item.pk.S": "O#*"}}
    aws.control.inject_fault(service="dynamodb", drop="after", probability=0.4, seed=5, **writes)
    snapshots = copier.shared(source, 10, events=True)
    copier.stack.wait_for_audit(event="copy.started")
    copier.wait_until_idle()
    assert [each for each in aws.control.rules() if each["struck"] > 3]
    aws.control.clear()
    copier.ledger.age(minutes=11)
    copier.serve()
    once = dict.fromkeys(snapshots, 1)
    assert (copier.made(NEAR), copier.made(FAR)) == (once, once)


def test_lost_the_next_sweep_rebuilds_it_and_makes_no_copy_twice(
    copier: faults.Copier, source: Account, aws: LocalAws
) -> None:
    aws.control.configure(hold_copies=True, in_flight_limits={FAR: 0})
    snapshots = copier.shared(source, 4, events=True)
    copier.stack.wait_for_audit(count=4, event="copy.started")
    copier.wait_until_idle()
    before = (copier.ledger.states(region=NEAR), copier.ledger.states(region=FAR))
    assert before == (["copying"] * 4, ["owed"] * 4)
    copier.ledger.empty()
    copier.sweep_now()
    assert (copier.ledger.states(region=NEAR), copier.ledger.states(region=FAR)) == before
    aws.control.configure(in_flight_limits={})
    copier.serve()
    once = dict.fromkeys(snapshots, 1)
    assert (copier.made(NEAR), copier.made(FAR)) == (once, once)


POISON: dict[str, dict[str, Any]] = {
    "no place in line": {"lpk": None, "lsk": None},
    "wanted in 2099": {"wanted": "2099-01-01T00:00:00Z"},
    "failed and refused without end": {"failed": 2**32 - 1, "refused": 2**32 - 1},
    "in another account's line": {"lpk": f"L#{NEAR}#999999999999"},
    "no state": {"state": None},
    "garbage": {"state": "garbage", "revision": 2**63},
}


@pytest.mark.parametrize("attributes", POISON.values(), ids=POISON.keys())
def test_a_poisoned_item_is_served_within_a_day(
    copier: faults.Copier, source: Account, aws: LocalAws, attributes: dict[str, Any]
) -> None:
    aws.control.configure(in_flight_limits={NEAR: 0, FAR: 0})
    [snapshot] = copier.shared(source, 1, events=True)
    copier.stack.wait_for_audit(event="copy.deferred")
    copier.wait_until_idle()
    copier.ledger.poison(copier.ledger.obligations(region=NEAR), **attributes)
    copier.ledger.poison(copier.ledger.items("A#"), tried="2099-01-01T00:00:00Z", added="2099-01-01T00:00:00Z")
    aws.control.configure(in_flight_limits={})
    copier.sweep_now()
    copier.ledger.age(minutes=24 * 60)
    copier.sweep_now()
    copier.serve()
    assert (copier.made(NEAR), copier.made(FAR)) == ({snapshot: 1}, {snapshot: 1})
