"""A Region that is down, one that throttles, and the home Region itself: what can be done is done, the rest waits."""

from collections import Counter

import pytest

from tests.cloud import LocalAws
from tests.e2e import faults, policies
from tests.e2e.accounts import HOME, Account

NEAR, FAR = "us-west-2", "eu-central-1"
SEED = 11


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


def test_every_action_is_throttled_three_times_in_ten(copier: faults.Copier, source: Account, aws: LocalAws) -> None:
    print(f"seed {SEED}")
    here = {"account": copier.account.number, "probability": 0.3, "seed": SEED}
    aws.control.inject_fault(service="ec2", code="RequestLimitExceeded", **here)
    aws.control.inject_fault(service="kms", code="ThrottlingException", **here)
    wanted = copier.shared(source, 15, events=True)
    copier.settle()
    outcomes = Counter(call.outcome for call in copier.copy_calls())
    assert outcomes["ok"] == len(wanted) * 2
    assert outcomes["RequestLimitExceeded"] > 0, "the seed must strike"
    assert {reason for _, _, reason in copier.deferred()} <= {"throttled", "region-unread", "sources-unread"}


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
