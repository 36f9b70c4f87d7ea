"""Sweeps over as many shared snapshots as there may be: how many invocations, calls and MiB they take.

`SNAPFERRY_SCALE=full` (`make scale-full`) takes a million of them where it is 300,000 otherwise.
"""

import json
import os
import subprocess
from collections import Counter
from typing import Any

import pytest

from tests.scale.rounds import MEMORY_LIMIT_MIB, ROOT, TARGETS, Copier
from tests.stub.events import batch
from tests.stub.stub import HOME, PAGE, SOURCE, TARGET, Stub

IS_FULL = os.environ.get("SNAPFERRY_SCALE") == "full"
# EC2's time for a page of a thousand, and DynamoDB's for a request, in seconds.
TIMES = {"page_seconds": 0.3, "call_seconds": 0.05, "table_seconds": 0.005}


def after_a_round_of(aws: Stub, copier: Copier, count: int) -> None:
    """A round over few snapshots, in whose item their number is another then: the next round begins with its shards."""
    aws.change(shared=PAGE, copied=PAGE)
    (small,) = copier.round("before").slices
    item = small.seen.round or {}
    totals = json.loads(item["totals"]["S"]) | {"shared": count}
    aws.put(item | {"totals": {"S": json.dumps(totals)}})
    aws.change(shared=count, copied=count)


def test_100_000_copied_snapshots_in_one_invocation() -> None:
    """Everything is found protected and nothing written but the round; the time beside the SDK's own."""
    count = 100_000
    with Stub(shared=count, copied=count) as aws, Copier(aws) as copier:
        swept = copier.round("first")
        memory = copier.memory_mib()
        assert len(swept.slices) == 1
        assert {record["event"] for record in swept.records} == {"sweep.region", "sweep.owner", "sweep.completed"}
        assert (swept.sweep["shared"], swept.sweep["matching"]) == (count, count)
        assert (swept.sweep["protected"], swept.sweep["missing"]) == (count * len(TARGETS), 0)
        assert swept.slices[-1].seen.table == {"round": 1}
        # A first round finds out into how many shards it has to be split; of each shard's pages the last is not full.
        assert swept.calls("ec2") < 1.4 * count / PAGE * (1 + len(TARGETS))
        assert swept.calls("dynamodb") < 100
        assert memory < MEMORY_LIMIT_MIB
        bare = subprocess.run(
            [str(ROOT / "target/lambda/bare-pagination/bootstrap"), f"{HOME}={SOURCE}", *TARGETS],
            env={
                "AWS_REGION": HOME,
                "AWS_ENDPOINT_URL": aws.url,
                "AWS_ACCESS_KEY_ID": TARGET,
                "AWS_SECRET_ACCESS_KEY": "unused",
            },
            check=True,
            capture_output=True,
            text=True,
        )
    counted = json.loads(bare.stdout)
    assert counted["snapshots"] == count * (1 + len(TARGETS))
    print(
        f"\n{count:,} copied, first round: {swept.summary()}; {memory:.0f} MiB; bare pagination of all "
        f"{counted['seconds']:.2f} s; ratio {swept.seconds / counted['seconds']:.2f}"
    )


def test_a_round_goes_on_in_serve_ticks_and_events_come_between() -> None:
    """A tick reads for a minute at most. What is shared meanwhile is copied when its event comes, within seconds."""
    count = 1_000_000 if IS_FULL else 300_000
    # With less than two minutes to its end an invocation reads until it has 20 s left: so few take several slices, too.
    timeout = 300 if IS_FULL else 36
    slices, shared = [], count
    with Stub(**TIMES) as aws, Copier(aws) as copier:
        after_a_round_of(aws, copier, count)
        for each in copier.slices("round", timeout=timeout):
            slices.append(each)
            assert each.seconds < (70 if IS_FULL else 26)
            aws.change(shared=shared + 1)
            event = copier.invoke(batch(shared, 1))
            shared += 1
            assert Counter(record["event"] for record in event.records) == {"copy.started": len(TARGETS)}
            assert event.seconds < 3
            assert event.seen.of("ec2") == 1 + 2 * len(TARGETS)
        memory = copier.memory_mib()
    assert len(slices) >= 2
    (completed,) = (record["sweep"] for record in slices[-1].records if record["event"] == "sweep.completed")
    assert count <= completed["shared"] < shared
    assert completed["protected"] == count * len(TARGETS)
    assert (completed["missing"], completed["unknown"]) == (0, 0)
    calls = sum(each.seen.of("ec2") for each in slices)
    # A shard's last page is not full: each of 256 shards of a million has four, of 300,000 two for 1,172 snapshots. How
    # many slices it takes is the machine's, and what an invocation was reading at its end, four shards, is read again.
    shard = (4 if IS_FULL else 2) * (1 + len(TARGETS))
    assert calls <= 256 * shard + 4 * shard * len(slices)
    assert memory < MEMORY_LIMIT_MIB
    times = " + ".join(f"{each.seconds:.0f}" for each in slices)
    print(f"\n{count:,} copied, 0.3 s a page: {len(slices)} slices ({times} s), {calls} EC2 calls, {memory:.0f} MiB")


def test_300_000_copies_that_wait_are_few_lines() -> None:
    """Each Region takes twenty copies and is full then. What waits is written once, and counted in the audit."""
    count = 100_000
    owed = (count - 20) * len(TARGETS)
    with Stub(shared=count, takes=20) as aws, Copier(aws) as copier:
        first, again = copier.round("first"), copier.round("again")
        memory = copier.memory_mib()
    for each in (first, again):
        assert each.sweep["matching"] == count
        assert each.sweep["missing"] == owed
        assert each.sweep["deferred"] == {"region-full": owed}
        assert len(each.records) < 300
    assert first.slices[-1].seen.table["owed"] == again.slices[-1].seen.table["owed"] == owed
    started = [record for record in first.records + again.records if record["event"] == "copy.started"]
    assert len(started) == 20 * len(TARGETS)
    # What stands is not written again.
    assert again.calls("dynamodb", "PutItem") < 300
    assert memory < MEMORY_LIMIT_MIB
    print(f"\n{owed:,} owed: first {first.summary()}; then {again.summary()}; {memory:.0f} MiB")


def test_pages_that_are_cut_before_they_are_filtered() -> None:
    """Of each page one snapshot in five is shared, or a copy of ours: the round walks them once, not once a shard."""
    count, of_a_page = 100_000, 200
    with Stub(shared=count, copied=count, cuts=of_a_page) as aws, Copier(aws) as copier:
        walked = copier.round("first")
        memory = copier.memory_mib()
    assert (walked.sweep["shared"], walked.sweep["matching"]) == (count, count)
    assert (walked.sweep["protected"], walked.sweep["missing"], walked.sweep["unknown"]) == (count * len(TARGETS), 0, 0)
    assert walked.slices[-1].seen.copies == {}
    # All pages of what is shared, the copies of 200 sources a call; and what it took to see that pages are cut.
    walk = count // of_a_page + len(TARGETS) * count // 200
    assert walk <= walked.calls("ec2") < 1.5 * walk
    assert memory < MEMORY_LIMIT_MIB
    print(f"\n{count:,} copied, cut pages: {walked.summary()}; {memory:.0f} MiB")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [({"code": "OptInRequired"}, "region-not-enabled"), ({"seconds": 6}, "region-unread")],
    ids=["not enabled", "slower than five seconds"],
)
def test_what_cannot_be_read_spoils_nothing_else(fault: dict[str, Any], reason: str) -> None:
    """One owner in five and one Region in three: each is named once, the rest is found as it is."""
    owners = [f"{owner:012d}" for owner in range(1, 6)]
    unread = {"region": HOME, "owner": owners[2], "code": "InternalError"}
    count = 5000
    faults = [unread, {"region": TARGETS[0]} | fault]
    with Stub(owners=owners, shared=count, copied=count, faults=faults) as aws, Copier(aws, owners) as copier:
        swept = copier.round("one")
    readable = count // len(owners) * (len(owners) - 1)
    assert swept.sweep["shared"] == readable
    assert swept.sweep["protected"] == readable * (len(TARGETS) - 1)
    assert (swept.sweep["missing"], swept.sweep["unknown"]) == (0, readable)
    deferred = [record for record in swept.records if record["event"] == "copy.deferred"]
    assert sorted(record["reason"] for record in deferred) == sorted(["sources-unread", reason])
    named = {record["reason"]: json.dumps(record) for record in deferred}
    assert owners[2] in named["sources-unread"]
    assert TARGETS[0] in named[reason]
