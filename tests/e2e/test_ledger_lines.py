"""What was not tried is told in few lines, however much of it there is."""

from collections import Counter

import pytest

from tests.cloud import LocalAws
from tests.e2e import faults, policies
from tests.e2e.accounts import Account

NEAR, FAR = "us-west-2", "eu-central-1"
SNAPSHOTS, SLOTS = 150, 5
FEW = 12


@pytest.fixture
def copier(source: Account, target: Account, aws: LocalAws) -> faults.Copier:
    aws.control.configure(hold_copies=True, in_flight_limit=SLOTS)
    entries = [policies.target(region, key=target.create_key(region)) for region in (NEAR, FAR)]
    return faults.copier(target, policies.details([source.number], *entries))


def test_a_long_line_is_few_lines(copier: faults.Copier, source: Account) -> None:
    copier.shared(source, SNAPSHOTS)
    tick = copier.sweep_now()
    deferred = copier.stack.audit(event="copy.deferred")
    assert len(deferred) <= FEW
    waiting: Counter[str] = Counter()
    for each in deferred:
        # What was tried has a record of its own.
        waiting[each["copy"]["region"]] += each.get("count", 1)
    assert waiting == dict.fromkeys((NEAR, FAR), SNAPSHOTS - SLOTS)
    [completed] = copier.stack.audit(event="sweep.completed", sweep__id=tick)
    assert sum(completed["sweep"]["deferred"].values()) == completed["sweep"]["missing"] == 2 * (SNAPSHOTS - SLOTS)
    copier.serve()
    assert len(copier.stack.audit(event="copy.deferred")) <= 2 * FEW
    assert sum("count" in each for each in copier.stack.audit(event="copy.deferred")) >= 2
