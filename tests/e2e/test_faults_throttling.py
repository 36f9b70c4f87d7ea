"""Throttling, now and then and all the time: the one answer after which a copy is asked for again in place."""

from collections import Counter

import pytest

from tests.cloud import LocalAws, until
from tests.e2e import faults, policies
from tests.e2e.accounts import Account
from tests.e2e.deploy import PATIENCE_SECONDS

NEAR, FAR = "us-west-2", "eu-central-1"
SEED = 11


@pytest.fixture
def copier(source: Account, target: Account) -> faults.Copier:
    entries = [policies.target(region, key=target.create_key(region)) for region in (NEAR, FAR)]
    return faults.copier(target, policies.details([source.number], *entries))


def test_every_action_is_throttled_three_times_in_ten(copier: faults.Copier, source: Account, aws: LocalAws) -> None:
    print(f"seed {SEED}")
    here = {"account": copier.account.number, "probability": 0.3, "seed": SEED}
    aws.control.inject_fault(service="ec2", code="RequestLimitExceeded", **here)
    aws.control.inject_fault(service="kms", code="ThrottlingException", **here)
    wanted = copier.shared(source, 15, events=True)

    def all_made() -> bool:
        copier.tick()
        copier.wait_until_idle()
        return copier.verdict().kept

    until(all_made, within=PATIENCE_SECONDS, what="all copies to be made")
    # Now and then a read fails for good, and its sweep says so. When it is over, none does.
    aws.control.clear()
    copier.settle()
    outcomes = Counter(call.outcome for call in copier.copy_calls())
    assert outcomes["ok"] == len(wanted) * 2
    assert outcomes["RequestLimitExceeded"] > 0, "the seed must strike"
    assert {reason for _, _, reason in copier.deferred()} <= {"throttled", "in-line", "region-unread", "sources-unread"}


def test_a_region_that_throttles_all_the_time_is_left_alone_and_the_rest_is_served(
    copier: faults.Copier, source: Account, aws: LocalAws
) -> None:
    storm = aws.control.inject_fault(action="CopySnapshot", region=FAR, code="Throttling")
    wanted = copier.shared(source, 4)
    swept = copier.sweep()["sweep"]
    assert (swept["started"], swept["deferred"]) == (4, {"throttled": 4})
    asked = copier.asked(region=FAR)
    assert len(asked) == 1, "the first copy that stays throttled closes the Region"
    assert 1 < asked.total() <= 6, "it is asked for again, and not for ever"
    aws.control.clear(storm)
    copier.settle()
    assert copier.asked(outcome="ok") == {(snapshot, region): 1 for snapshot in wanted for region in (NEAR, FAR)}
