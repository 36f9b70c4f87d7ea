"""DescribeSnapshots: filters and pages."""

import time

import pytest

from tests.cloud import LocalAws
from tests.cloud.scene import HOME, SOURCE, STRANGER, TARGET, ec2, ids, refused, shared

MANY = 100_000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("snapshot-id", "snap-0fedcba9876543210"),
        ("snapshot-id", "snap-0fed*"),
        ("owner-id", SOURCE),
        ("status", "pending"),
        ("volume-id", "vol-00000001"),
        ("volume-size", "42"),
        ("description", "for policy: ??? *"),
        ("description", "*[*]*"),
        ("description", r"for policy: abc \[\*\] nightly"),
        ("encrypted", "true"),
        ("start-time", "2026-01-02T*"),
        ("start-time", "2026-01-02T03:04:05.000Z"),
        ("storage-tier", "archive"),
        ("progress", "0%"),
    ],
)
def test_each_filter_tells_the_wanted_from_the_others(aws: LocalAws, name: str, value: str) -> None:
    wanted = aws.control.create_snapshot(
        SOURCE,
        HOME,
        id="snap-0fedcba9876543210",
        shared_with=[TARGET],
        state="pending",
        volume_id="vol-00000001",
        volume_size=42,
        description="for policy: abc [*] nightly",
        encrypted=True,
        start_time="2026-01-02T03:04:05Z",
        storage_tier="archive",
    )
    aws.control.create_snapshot(TARGET, HOME, description="For Policy: abcd nightly")
    assert ids(ec2(aws, TARGET).describe_snapshots(Filters=[{"Name": name, "Values": [value]}])) == {wanted}
    both = [{"Name": name, "Values": ["nothing", value]}, {"Name": "owner-id", "Values": [TARGET]}]
    assert ids(ec2(aws, TARGET).describe_snapshots(Filters=both)) == set()


def test_tag_filters(aws: LocalAws) -> None:
    one, two = (aws.control.create_snapshot(TARGET, HOME, tags={"status": each}) for each in ("copying", "verified"))
    three = aws.control.create_snapshot(TARGET, HOME, tags={"other": "copying"})

    def found(name: str, *values: str) -> set[str]:
        return ids(ec2(aws, TARGET).describe_snapshots(Filters=[{"Name": name, "Values": list(values)}]))

    assert found("tag:status", "copying") == {one}
    assert found("tag:status", "copying", "verified") == {one, two}
    assert found("tag:status", "*i*") == {one, two}
    assert found("tag:status", "Copying") == set()
    assert found("tag-key", "oth*") == {three}
    assert found("tag-value", "copying") == {one, three}


def test_an_unknown_filter_and_too_many_values_are_refused(aws: LocalAws) -> None:
    with refused("InvalidParameterValue", "colour"):
        ec2(aws, TARGET).describe_snapshots(Filters=[{"Name": "colour", "Values": ["red"]}])
    values = [f"snap-{n:08x}" for n in range(201)]
    with refused("FilterLimitExceeded"):
        ec2(aws, TARGET).describe_snapshots(Filters=[{"Name": "snapshot-id", "Values": values}])
    assert ids(ec2(aws, TARGET).describe_snapshots(Filters=[{"Name": "snapshot-id", "Values": values[:200]}])) == set()


def test_a_malformed_id_is_refused(aws: LocalAws) -> None:
    with refused("InvalidSnapshotID.Malformed"):
        ec2(aws, TARGET).describe_snapshots(SnapshotIds=["snap-nonsense"])


def test_pages_cover_everything_once(aws: LocalAws) -> None:
    made = {shared(aws) for _ in range(12)}
    client = ec2(aws, TARGET)
    sizes, seen, token = [], [], None
    while token != "":
        page = client.describe_snapshots(OwnerIds=[SOURCE], MaxResults=5, **({"NextToken": token} if token else {}))
        sizes.append(len(page["Snapshots"]))
        seen += [each["SnapshotId"] for each in page["Snapshots"]]
        token = page.get("NextToken", "")
    assert sizes == [5, 5, 2]
    assert set(seen) == made
    assert len(seen) == len(made)


def test_a_page_can_be_asked_for_again_but_not_by_another_account(aws: LocalAws) -> None:
    for _ in range(8):
        shared(aws)
    token = ec2(aws, TARGET).describe_snapshots(MaxResults=5)["NextToken"]
    first = ids(ec2(aws, TARGET).describe_snapshots(MaxResults=5, NextToken=token))
    assert first == ids(ec2(aws, TARGET).describe_snapshots(MaxResults=5, NextToken=token))
    assert len(first) == 3
    with refused("InvalidNextToken"):
        ec2(aws, STRANGER).describe_snapshots(MaxResults=5, NextToken=token)


def test_what_was_deleted_meanwhile_is_left_out_of_the_next_page(aws: LocalAws) -> None:
    for _ in range(8):
        aws.control.create_snapshot(TARGET, HOME)
    client = ec2(aws, TARGET)
    page = client.describe_snapshots(MaxResults=5)
    rest = client.describe_snapshots(MaxResults=5, NextToken=page["NextToken"])["Snapshots"]
    client.delete_snapshot(SnapshotId=rest[0]["SnapshotId"])
    assert len(client.describe_snapshots(MaxResults=5, NextToken=page["NextToken"])["Snapshots"]) == len(rest) - 1


@pytest.mark.parametrize("size", [4, 1001])
def test_a_page_size_out_of_bounds_is_refused(aws: LocalAws, size: int) -> None:
    with refused("InvalidParameterValue"):
        ec2(aws, TARGET).describe_snapshots(MaxResults=size)


def test_ids_and_pages_exclude_each_other(aws: LocalAws) -> None:
    with refused("InvalidParameterCombination"):
        ec2(aws, TARGET).describe_snapshots(SnapshotIds=[shared(aws)], MaxResults=5)


def test_a_hundred_thousand_snapshots_are_paged_and_searched_quickly(aws: LocalAws) -> None:
    aws.control.create_snapshots(
        {"account": TARGET, "region": HOME, "tags": {"status": "copying" if n % 10_000 == 0 else "verified"}}
        for n in range(MANY)
    )
    client = ec2(aws, TARGET)
    started = time.monotonic()
    wanted = [{"Name": "tag:status", "Values": ["copying"]}]
    assert len(client.describe_snapshots(OwnerIds=["self"], Filters=wanted)["Snapshots"]) == 10
    searched = time.monotonic() - started
    page = client.describe_snapshots(OwnerIds=["self"], MaxResults=1000)
    assert len(page["Snapshots"]) == 1000
    again = time.monotonic()
    next_page = client.describe_snapshots(OwnerIds=["self"], MaxResults=1000, NextToken=page["NextToken"])
    assert not ids(next_page) & ids(page)
    # Generous for a busy machine; a scan of everything per page would make a sweep of it take minutes.
    assert searched < 5, searched
    assert time.monotonic() - again < 5
