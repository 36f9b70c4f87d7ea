"""A target Region that is down, its keys, and the home Region itself: what can be done is done, the rest waits."""

import pytest

from tests.cloud import LocalAws
from tests.e2e import faults, policies
from tests.e2e.accounts import HOME, Account

NEAR, FAR = "us-west-2", "eu-central-1"


@pytest.fixture
def copier(source: Account, target: Account) -> faults.Copier:
    entries = [policies.target(region, key=target.create_key(region)) for region in (NEAR, FAR)]
    return faults.copier(target, policies.details([source.number], *entries))


def test_a_target_region_is_down_for_the_whole_run_and_comes_back(
    copier: faults.Copier, source: Account, aws: LocalAws
) -> None:
    down = aws.control.take_region_down(FAR)
    wanted = copier.shared(source, 6, events=True)
    copier.wait_until_idle()
    assert copier.deferred() == {(snapshot, FAR, "region-unread"): 1 for snapshot in wanted}
    assert all(record["error"]["code"] for record in copier.stack.audit(event="copy.deferred"))
    swept = copier.sweep()["sweep"]
    assert (swept["inFlight"], swept["missing"], swept["unknown"]) == (6, 0, 6)
    assert "region-unread" in swept["deferred"]
    assert copier.asked() == {(snapshot, NEAR): 1 for snapshot in wanted}, "one Region does not wait for the other"
    assert len(copier.verdict().lost) == 6
    aws.control.clear(down)
    copier.settle()
    assert copier.asked() == {(snapshot, region): 1 for snapshot in wanted for region in (NEAR, FAR)}


def test_a_target_region_that_never_answers(copier: faults.Copier, source: Account, aws: LocalAws) -> None:
    silent = aws.control.inject_fault(region=FAR, hang="before")
    wanted = copier.shared(source, 3)
    swept = copier.sweep()["sweep"]
    assert (swept["inFlight"], swept["unknown"]) == (3, 3)
    assert swept["durationMs"] < 30_000, "the reads give up long before the invocation ends"
    assert copier.asked() == {(snapshot, NEAR): 1 for snapshot in wanted}
    aws.control.clear(silent)
    copier.settle()


def test_the_home_region_is_down_and_comes_back(copier: faults.Copier, source: Account, aws: LocalAws) -> None:
    down = aws.control.take_region_down(HOME)
    wanted = copier.shared(source, 3, events=True)
    copier.wait_until_idle()
    assert {record["source"]["snapshot"] for record in copier.stack.audit(reason="sources-unread")} == set(wanted)
    copier.tick()
    copier.wait_until_idle()
    assert copier.stack.audit(event="sweep.completed") == [], "a sweep that saw nothing is not completed"
    assert any("source" not in record for record in copier.stack.audit(reason="sources-unread"))
    with pytest.raises(RuntimeError, match="could not be read"):
        copier.sweep_now()
    assert copier.copy_calls() == []
    aws.control.clear(down)
    copier.settle()
    assert copier.queued("CopierDeadLetterQueueUrl") == 0


def test_a_key_that_kms_does_not_answer_for_holds_up_its_own_region_only(
    copier: faults.Copier, source: Account, aws: LocalAws
) -> None:
    down = aws.control.inject_fault(service="kms", region=FAR, code="KMSInternalException", status=500)
    wanted = copier.shared(source, 3)
    assert copier.sweep()["sweep"]["deferred"] == {"key-unread": 3}
    assert copier.asked() == {(snapshot, NEAR): 1 for snapshot in wanted}
    aws.control.clear(down)
    copier.settle()
