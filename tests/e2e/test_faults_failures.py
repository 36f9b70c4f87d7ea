"""Copies that EC2 accepts and that fail minutes later: made again, a few times a day, and then somebody is told."""

import pytest

from tests.cloud import LocalAws
from tests.e2e import faults, policies
from tests.e2e.accounts import Account
from tests.e2e.protect import moment

NEAR, FAR = "us-west-2", "eu-central-1"
ATTEMPTS = 5
# In minutes, before the third copy and those behind it.
PAUSES = [15, 60, 240]
LAST_PAUSE = 360
NO_KEY = "Given key ID is not accessible"


@pytest.fixture
def copier(source: Account, target: Account) -> faults.Copier:
    entries = [policies.target(region, key=target.create_key(region)) for region in (NEAR, FAR)]
    return faults.copier(target, policies.details([source.number], *entries))


def test_a_copy_that_fails_is_made_again(copier: faults.Copier, source: Account, aws: LocalAws) -> None:
    aws.control.spoil_copies(region=NEAR, state_message=NO_KEY, times=2)
    wanted = copier.shared(source, 2, events=True)
    copier.settle()
    assert len(copier.verdict().failed) == 2
    assert copier.asked(region=NEAR).total() == len(wanted) + 2
    assert copier.asked(region=FAR) == {(snapshot, FAR): 1 for snapshot in wanted}


@pytest.mark.parametrize("is_repaired", [False, True], ids=["a day later", "once the failed copies are deleted"])
def test_after_five_failures_within_a_day_somebody_is_told_once_and_it_is_tried_again(
    copier: faults.Copier, source: Account, aws: LocalAws, *, is_repaired: bool
) -> None:
    # Started before the ledger's times, also when those are made older.
    bad, good = copier.shared(source, 2, start_time=moment(-3))
    spoil = aws.control.spoil_copies(region=NEAR, parameters={"SourceSnapshotId": bad}, state_message=NO_KEY)
    copier.sweep_now()
    copier.sweep_now()
    assert copier.asked()[bad, NEAR] == 2, "the first retry is immediate"
    for attempts, pause in enumerate(PAUSES, start=2):
        copier.sweep_now()  # it sees the failure, from which on the pause counts
        copier.ledger.age(minutes=pause - 1)
        tries(copier)
        assert copier.asked()[bad, NEAR] == attempts, f"its pause is {pause} minutes"
        copier.ledger.age(minutes=2)
        tries(copier)
        assert copier.asked()[bad, NEAR] == attempts + 1
    copier.sweep_now()
    assert copier.asked() == {(bad, NEAR): ATTEMPTS, (good, NEAR): 1, (bad, FAR): 1, (good, FAR): 1}
    refused = copier.stack.wait_for_audit(event="copy.refused")
    assert [(each["reason"], each["source"]["snapshot"]) for each in refused] == [("attempts-exhausted", bad)]
    assert refused[0]["copy"]["snapshot"] in copier.verdict().failed
    copier.ledger.age(minutes=LAST_PAUSE + 1)
    tries(copier)
    assert copier.asked()[bad, NEAR] == ATTEMPTS, "its pause is over, and five copies of it failed within a day"
    assert copier.stack.audit(event="copy.refused") == refused, "once a day"
    swept = copier.sweep()["sweep"]
    assert (swept["missing"], swept["inFlight"]) == (1, 3), "what is not said again still counts"
    assert swept["refused"] == {"attempts-exhausted": 1}

    aws.control.clear(spoil)
    first, *others = copier.verdict().failed
    if is_repaired:
        for each in (first, *others):
            copier.account.client("ec2", NEAR).delete_snapshot(SnapshotId=each)
    else:
        aws.control.age_snapshot(first, NEAR, days=1.01)
    copier.ledger.age(minutes=LAST_PAUSE + 1)
    copier.settle()
    assert copier.asked()[bad, NEAR] == ATTEMPTS + 1


def tries(copier: faults.Copier) -> None:
    """A sweep and a tick, either of which asks for what is due."""
    copier.sweep_now()
    copier.serve()
