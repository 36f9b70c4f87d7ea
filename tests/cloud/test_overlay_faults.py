"""Injected faults, and the record of calls."""

import json
import threading
import time
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from tests.cloud import LocalAws, until
from tests.cloud.scene import AWAY, HOME, SOURCE, TARGET, copy, describe, ec2, ids, key, refused, shared


def test_an_error_code_strikes_where_and_as_often_as_it_should(aws: LocalAws) -> None:
    snapshot = shared(aws)
    aws.control.inject_fault(action="CopySnapshot", region=AWAY, account=TARGET, code="RequestLimitExceeded", times=2)
    for _ in range(2):
        with refused("RequestLimitExceeded", "injected"):
            copy(aws, snapshot)
    copy(aws, snapshot, region=HOME)
    ec2(aws, TARGET, AWAY).describe_snapshots(OwnerIds=["self"])
    copy(aws, snapshot)
    outcomes = [each.outcome for each in aws.control.calls(action="CopySnapshot")]
    assert outcomes == ["RequestLimitExceeded", "RequestLimitExceeded", "ok", "ok"]
    assert len(aws.control.snapshots(account=TARGET)) == 2


@pytest.mark.parametrize(
    ("code", "given", "status"),
    [("RequestLimitExceeded", 0, 503), ("InternalError", 0, 500), ("Unavailable", 502, 502), ("AuthFailure", 0, 403)],
)
def test_the_status_fits_the_code_or_is_given(aws: LocalAws, code: str, given: int, status: int) -> None:
    aws.control.inject_fault(code=code, status=given, message="because")
    client = ec2(aws, TARGET)
    with pytest.raises(client.exceptions.ClientError) as caught:
        client.describe_snapshots()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert caught.value.response["Error"] == {"Code": code, "Message": "because"}


def test_an_error_that_hides_what_was_executed(aws: LocalAws) -> None:
    snapshot = shared(aws)
    aws.control.inject_fault(action="CopySnapshot", code="InternalError", executed=True, times=1)
    with refused("InternalError", "injected"):
        copy(aws, snapshot)
    (made,) = aws.control.snapshots(account=TARGET)
    (call,) = aws.control.calls(action="CopySnapshot")
    assert (call.outcome, call.status, call.executed, call.created) == ("InternalError", 500, True, made["id"])


def test_kms_errors_have_kmss_form(aws: LocalAws) -> None:
    own = key(aws, TARGET, HOME)
    aws.control.inject_fault(service="kms", action="DescribeKey", code="KMSInternalException", status=500)
    with refused("KMSInternalException"):
        aws.client("kms", TARGET, HOME).describe_key(KeyId=own)
    ec2(aws, TARGET).describe_snapshots()


def test_a_fault_waits_its_turn(aws: LocalAws) -> None:
    aws.control.inject_fault(action="DescribeSnapshots", code="InternalError", skip=1, times=1)
    client = ec2(aws, TARGET)
    client.describe_snapshots()
    with refused("InternalError"):
        client.describe_snapshots()
    client.describe_snapshots()


def test_a_fault_looks_at_parameters(aws: LocalAws) -> None:
    poisoned, sound = shared(aws), shared(aws)
    aws.control.inject_fault(parameters={"SourceSnapshotId": poisoned}, code="InternalError")
    copy(aws, sound)
    with refused("InternalError"):
        copy(aws, poisoned)


def test_a_seeded_share_of_calls(aws: LocalAws) -> None:
    def struck(seed: int) -> list[bool]:
        aws.control.reset()
        aws.control.inject_fault(action="DescribeSnapshots", code="Throttling", probability=0.3, seed=seed)
        for _ in range(40):
            client = ec2(aws, TARGET)
            try:
                client.describe_snapshots()
            except client.exceptions.ClientError:
                continue
        return [each.outcome == "Throttling" for each in aws.control.calls()]

    first = struck(3)
    assert 3 <= first.count(True) <= 25
    assert first == struck(3)
    assert first != struck(4)


def test_latency(aws: LocalAws) -> None:
    aws.control.inject_fault(action="DescribeSnapshots", latency=0.4, times=1)
    started = time.monotonic()
    ec2(aws, TARGET).describe_snapshots()
    assert time.monotonic() - started >= 0.4


@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
def test_a_dropped_connection(aws: LocalAws, when: str, made: int) -> None:
    snapshot = shared(aws)
    aws.control.inject_fault(action="CopySnapshot", drop=when, times=1)
    with pytest.raises(ConnectionClosedError):
        copy(aws, snapshot)
    assert len(aws.control.snapshots(account=TARGET)) == made
    (call,) = aws.control.calls(action="CopySnapshot")
    assert (call.outcome, call.executed) == (f"dropped-{when}", when == "after")
    copy(aws, snapshot)


@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
def test_an_answer_that_never_comes(aws: LocalAws, when: str, made: int) -> None:
    snapshot = shared(aws)
    aws.control.inject_fault(action="CopySnapshot", hang=when, times=1)
    impatient = aws.client("ec2", TARGET, AWAY, read_timeout=1)
    with pytest.raises(ReadTimeoutError):
        impatient.copy_snapshot(SourceRegion=HOME, SourceSnapshotId=snapshot)
    assert len(aws.control.snapshots(account=TARGET)) == made
    assert aws.control.calls(action="CopySnapshot")[0].outcome == f"hung-{when}"


def test_a_hanging_call_holds_up_no_other_and_ends_when_its_fault_is_taken_back(aws: LocalAws) -> None:
    aws.control.inject_fault(region=AWAY, hang="before")
    ended = threading.Event()

    def hang() -> None:
        with pytest.raises(ConnectionClosedError):
            ec2(aws, TARGET, AWAY).describe_snapshots()
        ended.set()

    hanging = threading.Thread(target=hang)
    hanging.start()
    until(lambda: aws.control.calls(region=AWAY, outcome="hung-before"), what="the call to hang")
    assert ids(ec2(aws, TARGET).describe_snapshots()) == set()
    assert not ended.is_set()
    aws.control.clear()
    hanging.join(timeout=30)
    assert ended.is_set()


def test_a_region_goes_down_and_comes_back(aws: LocalAws) -> None:
    snapshot = shared(aws)
    down = aws.control.take_region_down(AWAY)
    with pytest.raises(ConnectionClosedError):
        copy(aws, snapshot)
    with pytest.raises(ConnectionClosedError):
        aws.client("kms", TARGET, AWAY).list_keys()
    assert ids(ec2(aws, TARGET).describe_snapshots()) == {snapshot}
    aws.control.clear(down)
    assert describe(aws, copy(aws, snapshot))["State"] == "completed"


@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"colour": "red"},
        {"drop": "sometimes"},
        {"code": "X", "struck": 1},
        {"latency": 0},
        {"latency": 1, "executed": True},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(aws: LocalAws, fault: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="inject-fault"):
        aws.control.inject_fault(**fault)
    assert aws.control.rules() == []


def test_behaviour_that_does_not_exist_is_refused(aws: LocalAws) -> None:
    with pytest.raises(ValueError, match="unknown behaviour"):
        aws.control.configure(colour="red")
    with pytest.raises(ValueError, match="must be a int"):
        aws.control.configure(in_flight_limit="many")
    assert aws.control.configure(in_flight_limit=5)["in_flight_limit"] == 5


def test_a_call_is_recorded_with_what_iam_would_look_at(aws: LocalAws) -> None:
    snapshot = shared(aws)
    ec2(aws, TARGET).create_tags(Resources=[snapshot], Tags=[{"Key": "seen", "Value": "yes"}])
    wanted = [{"ResourceType": "snapshot", "Tags": [{"Key": "policy", "Value": "daily"}]}]
    made = copy(aws, snapshot, TagSpecifications=wanted)
    ec2(aws, TARGET, AWAY).create_tags(Resources=[made], Tags=[{"Key": "status", "Value": "verified"}])
    ec2(aws, TARGET, AWAY).delete_snapshot(SnapshotId=made)
    _, copying, tagging, deleting = aws.control.calls()
    assert (copying.service, copying.action, copying.account, copying.region) == ("ec2", "CopySnapshot", TARGET, AWAY)
    assert (copying.outcome, copying.status, copying.created) == ("ok", 200, made)
    assert copying.request_tags == {"policy": "daily"}
    (source,) = copying.resources
    assert (source["role"], source["owner"], source["tags"]) == ("source", SOURCE, {"seen": "yes"})
    assert source["arn"] == f"arn:aws:ec2:{HOME}::snapshot/{snapshot}"
    assert tagging.request_tags == {"status": "verified"}
    assert tagging.resources[0]["tags"] == {"policy": "daily"}
    assert deleting.resources[0]["tags"] == {"policy": "daily", "status": "verified"}
    assert deleting.resources[0]["arn"] == f"arn:aws:ec2:{AWAY}::snapshot/{made}"


def test_a_refused_call_is_recorded_with_its_code_and_request_id(aws: LocalAws) -> None:
    client = ec2(aws, TARGET)
    with pytest.raises(client.exceptions.ClientError) as caught:
        client.describe_snapshots(SnapshotIds=["snap-0fedcba9876543210"])
    (call,) = aws.control.calls()
    metadata = caught.value.response["ResponseMetadata"]
    assert (call.outcome, call.status) == ("InvalidSnapshot.NotFound", 400)
    assert call.request_id == metadata["RequestId"] == metadata["HTTPHeaders"]["x-amzn-requestid"]
    assert call.parameters == {"SnapshotId.1": "snap-0fedcba9876543210"}


def test_calls_are_selected_and_counted_from_a_number(aws: LocalAws) -> None:
    ec2(aws, TARGET).describe_snapshots()
    ec2(aws, SOURCE).describe_snapshots()
    first, second = aws.control.calls()
    assert aws.control.calls(account=SOURCE) == [second]
    assert aws.control.calls(since=first.number) == [second]
    assert aws.control.calls(service="kms") == []


def test_many_calls_at_once_are_all_recorded_and_the_limit_holds(aws: LocalAws) -> None:
    aws.control.configure(hold_copies=True, in_flight_limit=5)
    snapshot, client = shared(aws), ec2(aws, TARGET, AWAY)

    def ask() -> None:
        try:
            client.copy_snapshot(SourceRegion=HOME, SourceSnapshotId=snapshot)
        except client.exceptions.ClientError:
            return

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    outcomes = [each.outcome for each in aws.control.calls(action="CopySnapshot")]
    assert sorted(outcomes) == ["ResourceLimitExceeded"] * 7 + ["ok"] * 5
    assert len(aws.control.snapshots(account=TARGET)) == 5


def test_attackers_text_survives_the_way(aws: LocalAws) -> None:
    nasty = "<script>&amp;\"' \u202e ünï \x01\x1b[31m"
    snapshot = shared(aws, description=nasty)
    seen = ec2(aws, TARGET).describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["Description"]
    assert seen == nasty.replace("\x01", "\ufffd").replace("\x1b", "\ufffd")
    assert json.dumps(aws.control.snapshots()[0]["description"]) == json.dumps(nasty)
