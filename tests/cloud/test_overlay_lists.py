"""Lists that lag, pages that are cut early, crowds of public snapshots, and answers that hold something unreadable."""

import time
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError

from tests.cloud import LocalAws
from tests.cloud.scene import AWAY, HOME, SOURCE, STRANGER, TARGET, copy, describe, ec2, ids, refused, shared

CROWD = 60_000
VAULT = 100_000


def pages(client: Any, **request: Any) -> list[set[str]]:
    """The IDs on each page, in their order."""
    found, token = [], None
    while token != "":
        page = client.describe_snapshots(**request, **({"NextToken": token} if token else {}))
        found.append(ids(page))
        token = page.get("NextToken", "")
    return found


def ending(digits: str) -> list[dict[str, Any]]:
    return [{"Name": "snapshot-id", "Values": [f"*{digits}"]}]


class TestIds:
    """Snapshots that are asked for by their IDs."""

    def test_one_that_is_not_there_fails_the_call_and_is_named(self, aws: LocalAws) -> None:
        there, gone = shared(aws), "snap-0000000000000000a"
        with refused("InvalidSnapshot.NotFound", f"'{gone}'"):
            ec2(aws, TARGET).describe_snapshots(SnapshotIds=[there, gone])
        assert ids(ec2(aws, TARGET).describe_snapshots(SnapshotIds=[there])) == {there}

    def test_a_malformed_one_wins_over_a_missing_one(self, aws: LocalAws) -> None:
        odd = "snap-0fedcba9876543210"
        with refused("InvalidSnapshotID.Malformed", "snap-x"):
            ec2(aws, TARGET).describe_snapshots(SnapshotIds=["snap-0000000000000000a", "snap-x"])
        aws.control.configure(malformed_ids=[odd])
        with refused("InvalidSnapshotID.Malformed", odd):
            ec2(aws, TARGET).describe_snapshots(SnapshotIds=["snap-0000000000000000a", odd])
        assert ids(ec2(aws, TARGET).describe_snapshots(Filters=[{"Name": "snapshot-id", "Values": [odd]}])) == set()

    def test_a_share_is_found_by_its_id_before_it_is_listed(self, aws: LocalAws) -> None:
        aws.control.configure(share_list_seconds=60)
        snapshot = shared(aws)
        client = ec2(aws, TARGET)
        assert ids(client.describe_snapshots(SnapshotIds=[snapshot])) == {snapshot}
        lists: list[dict[str, Any]] = [
            {"OwnerIds": [SOURCE]},
            {"RestorableByUserIds": ["self"]},
            {"Filters": [{"Name": "snapshot-id", "Values": [snapshot]}]},
        ]
        assert [ids(client.describe_snapshots(**each)) for each in lists] == [set(), set(), set()]
        aws.control.advance_clock(seconds=61)
        assert [ids(client.describe_snapshots(**each)) for each in lists] == [{snapshot}] * 3


class TestCopies:
    """Copies that EC2 does not show yet, or refuses."""

    def test_a_copy_is_found_by_its_id_before_it_is_listed(self, aws: LocalAws) -> None:
        aws.control.configure(copy_list_seconds=60)
        tag = [{"ResourceType": "snapshot", "Tags": [{"Key": "policy", "Value": "default"}]}]
        made = copy(aws, shared(aws), TagSpecifications=tag)
        by_tag = {"OwnerIds": ["self"], "Filters": [{"Name": "tag:policy", "Values": ["default"]}]}
        assert describe(aws, made)["SnapshotId"] == made
        assert ids(ec2(aws, TARGET, AWAY).describe_snapshots(**by_tag)) == set()
        assert ids(ec2(aws, TARGET, AWAY).describe_snapshots(OwnerIds=["self"])) == set()
        aws.control.advance_clock(seconds=61)
        assert ids(ec2(aws, TARGET, AWAY).describe_snapshots(**by_tag)) == {made}

    def test_a_copy_is_shown_once_and_hidden_again(self, aws: LocalAws) -> None:
        aws.control.configure(copy_hides_seconds=60)
        made = copy(aws, shared(aws))

        def shown() -> set[str]:
            return ids(ec2(aws, TARGET, AWAY).describe_snapshots(OwnerIds=["self"]))

        assert [shown(), shown()] == [{made}, set()]
        with refused("InvalidSnapshot.NotFound", made):
            describe(aws, made)
        aws.control.advance_clock(seconds=61)
        assert [shown(), shown()] == [{made}, {made}]

    def test_an_answer_is_lost_and_its_copy_shown_late(self, aws: LocalAws) -> None:
        aws.control.inject_fault(action="CopySnapshot", drop="after", times=1, shows_after=40)
        snapshot = shared(aws)
        with pytest.raises(ConnectionClosedError):
            copy(aws, snapshot)
        prompt = copy(aws, snapshot)
        [late] = [each["id"] for each in aws.control.snapshots(account=TARGET) if each["id"] != prompt]
        assert ids(ec2(aws, TARGET, AWAY).describe_snapshots(OwnerIds=["self"])) == {prompt}
        aws.control.advance_clock(seconds=41)
        assert ids(ec2(aws, TARGET, AWAY).describe_snapshots(OwnerIds=["self"])) == {prompt, late}
        with pytest.raises(ValueError, match="shows_after"):
            aws.control.inject_fault(drop="before", shows_after=1)

    def test_an_account_has_a_quota_of_snapshots(self, aws: LocalAws) -> None:
        aws.control.configure(snapshot_limit=2)
        snapshot = shared(aws)
        first, _ = copy(aws, snapshot), copy(aws, snapshot)
        with refused("SnapshotLimitExceeded", "limit"):
            copy(aws, snapshot)
        ec2(aws, TARGET, AWAY).delete_snapshot(SnapshotId=first)
        copy(aws, snapshot)

    def test_the_throughput_of_copies_that_are_to_take_a_given_time(self, aws: LocalAws) -> None:
        aws.control.configure(duration_refusal="SnapshotCopyThroughputExceeded")
        snapshot = shared(aws)
        with refused("SnapshotCopyThroughputExceeded", "throughput"):
            copy(aws, snapshot, CompletionDurationMinutes=15)
        copy(aws, snapshot)


class TestPages:
    """What pages hold, and how many there are."""

    def test_filters_apply_to_what_was_cut(self, aws: LocalAws) -> None:
        made = {aws.control.create_snapshot(TARGET, HOME, id=f"snap-{n:017x}") for n in range(40)}
        wanted = {each for each in made if each.endswith("a")}
        request = {"OwnerIds": ["self"], "Filters": ending("a"), "MaxResults": 10}
        assert pages(ec2(aws, TARGET), **request) == [wanted]
        aws.control.configure(cut_pages="filters")
        found = pages(ec2(aws, TARGET), **request)
        assert (len(found), set.union(*found)) == (4, wanted)
        assert set() in found
        assert pages(ec2(aws, TARGET), OwnerIds=["self"], Filters=ending("a")) == [wanted], "nothing is cut unasked"

    def test_owners_may_apply_to_what_was_cut_too(self, aws: LocalAws) -> None:
        aws.control.configure(public_snapshots=30)
        snapshot, own = shared(aws), aws.control.create_snapshot(TARGET, HOME)
        by_owner = {"OwnerIds": [SOURCE], "MaxResults": 10}
        restorable = {"RestorableByUserIds": ["self"], "MaxResults": 10}
        client = ec2(aws, TARGET)
        for how, lengths in [("", (1, 1)), ("filters", (1, 1)), ("everything", (4, 4))]:
            aws.control.configure(cut_pages=how)
            found = [pages(client, **each) for each in (by_owner, restorable)]
            assert [set.union(*each) for each in found] == [{snapshot}, {snapshot, own}], how
            assert tuple(len(each) for each in found) == lengths, how
        with pytest.raises(ValueError, match="cut_pages"):
            aws.control.configure(cut_pages="sometimes")

    def test_what_changes_between_two_lists_is_in_the_second(self, aws: LocalAws) -> None:
        aws.control.configure(cut_pages="everything")
        one = shared(aws)
        request = {"OwnerIds": [SOURCE], "MaxResults": 10}
        assert pages(ec2(aws, TARGET), **request) == [{one}]
        two = shared(aws)
        assert pages(ec2(aws, TARGET), **request) == [{one, two}]

    def test_a_crowd_of_public_snapshots_costs_nothing_until_it_is_listed(self, aws: LocalAws) -> None:
        aws.control.configure(public_snapshots=CROWD)
        snapshot = shared(aws)
        client = ec2(aws, TARGET)
        started = time.monotonic()
        assert ids(client.describe_snapshots(OwnerIds=[SOURCE])) == {snapshot}
        assert ids(client.describe_snapshots(RestorableByUserIds=["self"])) == {snapshot}
        assert time.monotonic() - started < 2
        listed = pages(client, MaxResults=1000)
        assert sum(len(each) for each in listed) == CROWD + 1
        [one, *_] = listed[-1]
        assert describe(aws, one, account=STRANGER, region=HOME)["OwnerId"] not in (SOURCE, TARGET)
        aws.control.configure(public_snapshots=0)
        with refused("InvalidSnapshot.NotFound"):
            describe(aws, one, account=STRANGER, region=HOME)

    def test_a_large_vault_in_a_crowd_is_paged_quickly_although_pages_are_cut_early(self, aws: LocalAws) -> None:
        aws.control.configure(public_snapshots=CROWD, cut_pages="everything")
        aws.control.create_snapshots({"account": TARGET, "region": HOME} for _ in range(VAULT))
        snapshot = shared(aws)
        started = time.monotonic()
        found = pages(ec2(aws, TARGET), OwnerIds=[SOURCE], RestorableByUserIds=["self"], MaxResults=1000)
        assert (len(found), set.union(*found)) == ((CROWD + VAULT) // 1000 + 1, {snapshot})
        # Generous for a busy machine.
        assert time.monotonic() - started < 30

    def test_pages_can_be_slow_one_by_one(self, aws: LocalAws) -> None:
        for _ in range(12):
            shared(aws)
        aws.control.inject_fault(action="DescribeSnapshots", parameters={"NextToken": "*"}, latency=0.3, times=1)
        started = time.monotonic()
        ec2(aws, TARGET).describe_snapshots(OwnerIds=[SOURCE], MaxResults=5)
        first = time.monotonic() - started
        assert len(pages(ec2(aws, TARGET), OwnerIds=[SOURCE], MaxResults=5)) == 3
        assert first < 0.3 <= time.monotonic() - started - first


class TestUnreadable:
    """One item of an answer that cannot be read."""

    def test_an_element_is_left_out(self, aws: LocalAws) -> None:
        bad, good = shared(aws), shared(aws)
        aws.control.change_snapshot(bad, HOME, shown_as={"startTime": None})
        found = {each["SnapshotId"]: each for each in ec2(aws, TARGET).describe_snapshots()["Snapshots"]}
        assert {each: "StartTime" in shown for each, shown in found.items()} == {bad: False, good: True}

    def test_an_element_is_not_what_it_should_be(self, aws: LocalAws) -> None:
        bad = shared(aws)
        aws.control.change_snapshot(bad, HOME, shown_as={"startTime": "yesterday"})
        with pytest.raises(ValueError, match="yesterday"):
            ec2(aws, TARGET).describe_snapshots()
        aws.control.change_snapshot(bad, HOME, shown_as=None)
        assert ids(ec2(aws, TARGET).describe_snapshots()) == {bad}


@pytest.mark.parametrize("code", ["AuthFailure", "OptInRequired"])
def test_a_region_that_is_not_enabled(aws: LocalAws, code: str) -> None:
    disabled = aws.control.disable_region(AWAY, code)
    with refused(code):
        ec2(aws, TARGET, AWAY).describe_snapshots(OwnerIds=["self"])
    with refused(code):
        copy(aws, shared(aws))
    ec2(aws, TARGET).describe_snapshots(OwnerIds=["self"])
    aws.control.clear(disabled)
    copy(aws, shared(aws))
