"""Rounds of the copier's sweep over a world of the stub's: begun by a tick, gone on with by serve ticks, to the end."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.scale.runtime import Function
from tests.stub.stub import SOURCE, Seen, Stub

ROOT = Path(__file__).parents[2]
BINARY = ROOT / "target/lambda/copy-shared-snapshots/bootstrap"
TARGETS = ["eu-west-1", "eu-central-1", "ap-southeast-2"]
MEMORY_LIMIT_MIB = 128
# More slices than any round here may take.
MOST_SLICES = 20


def policy(owners: list[str] | None = None) -> dict[str, Any]:
    """What owners share is wanted in all Regions for a year."""
    parameters = {
        "EventType": "shareSnapshot",
        "SnapshotOwner": owners or [SOURCE],
        "DescriptionRegex": ".*policy-.*",
    }
    rules = [
        {
            "Target": target,
            "EncryptionConfiguration": {"Encrypted": True},
            "RetainRule": {"Interval": 1, "IntervalUnit": "YEARS"},
        }
        for target in TARGETS
    ]
    return {
        "PolicyType": "EVENT_BASED_POLICY",
        "EventSource": {"Type": "MANAGED_CWE", "Parameters": parameters},
        "Actions": [{"Name": "copy", "CrossRegionCopy": rules}],
    }


@dataclass(frozen=True)
class Slice:
    """One invocation: how long it took, what it asked for, what it put into the audit."""

    seconds: float
    seen: Seen
    records: list[dict[str, Any]]


@dataclass(frozen=True)
class Round:
    """All invocations of a round."""

    slices: list[Slice]

    @property
    def records(self) -> list[dict[str, Any]]:
        """What was put into the audit."""
        return [record for each in self.slices for record in each.records]

    @property
    def sweep(self) -> dict[str, Any]:
        """The totals."""
        (completed,) = (record for record in self.records if record["event"] == "sweep.completed")
        totals: dict[str, Any] = completed["sweep"]
        return totals

    @property
    def seconds(self) -> float:
        """All slices together."""
        return sum(each.seconds for each in self.slices)

    def calls(self, service: str, operation: str | None = None) -> int:
        """Requests to a service."""
        return sum(each.seen.of(service, operation) for each in self.slices)

    def pages(self) -> Counter[str]:
        """Pages of snapshots, by Region."""
        pages: Counter[str] = Counter()
        for each in self.slices:
            pages.update({r: count for (_, o, r), count in each.seen.calls.items() if o == "DescribeSnapshots"})
        return pages

    def summary(self) -> str:
        """The figures."""
        times = " + ".join(f"{each.seconds:.0f}" for each in self.slices)
        return (
            f"{len(self.slices)} slices ({times} s), {self.calls('ec2')} EC2 calls, "
            f"{self.calls('dynamodb', 'PutItem')} writes and {self.calls('dynamodb', 'Query')} queries of the table, "
            f"{len(self.records)} audit lines"
        )


class Copier:
    """The copier's binary in a world. A context manager."""

    def __init__(self, aws: Stub, owners: list[str] | None = None) -> None:
        self._aws = aws
        self._function = Function(BINARY, aws.environment | {"SNAPFERRY_POLICY": json.dumps(policy(owners))})
        self._told = 0

    def __enter__(self) -> Self:
        self._function.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._function.__exit__()

    def invoke(self, payload: dict[str, Any], *, timeout: float = 300) -> Slice:
        """One invocation, within Lambda's timeout. Nothing in it may fail, nothing unexpected be asked for."""
        answer = self._function.invoke(payload, seconds=timeout)
        assert answer.error is None, answer.error
        seen, records = self._aws.seen(), self._function.audit()
        assert seen.unexpected == []
        new, self._told = records[self._told :], len(records)
        return Slice(answer.seconds, seen, new)

    def round(self, name: str, *, timeout: float = 300) -> Round:
        """A round from its tick to its end."""
        return Round([*self.slices(name, timeout=timeout)])

    def slices(self, name: str, *, timeout: float = 300) -> Iterator[Slice]:
        """The invocations of a round, one after the other."""
        tick = {"sweep": name}
        for number in range(MOST_SLICES):
            made = self.invoke(tick, timeout=timeout)
            yield made
            if any(record["event"] == "sweep.completed" for record in made.records):
                return
            tick = {"serve": f"{name}-{number}"}
        raise AssertionError(f"the round does not end in {MOST_SLICES} slices")

    def memory_mib(self) -> float:
        """The most memory that it had so far."""
        return self._function.peak_memory_mib()
