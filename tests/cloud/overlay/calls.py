"""The record of every EC2, KMS, DynamoDB and RDS call, for tests that assert what was called, and evaluate IAM policies
against it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any


@dataclass(slots=True)
class Call:
    """One call. `outcome` is `ok`, an error code, or what a fault made of it (`dropped-before`, `dropped-after`,
    `hung-before`, `hung-after`); while the call runs it is `running`."""

    number: int
    time: str
    account: str
    region: str
    service: str
    action: str
    parameters: dict[str, Any]
    request_id: str
    user_agent: str = ""
    role: str = ""  # the ARN of the role that a function's call was made in; tests' own clients have none
    outcome: str = "running"
    status: int = 0
    fault: str = ""  # the ID of the fault that struck
    executed: bool = False
    created: str = ""  # the snapshot that the call made
    request_tags: dict[str, str] = field(default_factory=dict)
    # The snapshots, keys and tables that the call is about, as they were before it: ARN, owner, and what else IAM's
    # conditions see of them.
    resources: list[dict[str, Any]] = field(default_factory=list)

    def public(self) -> dict[str, Any]:
        return asdict(self)


class Calls:
    """All calls, in the order in which they arrived."""

    def __init__(self) -> None:
        self.all: list[Call] = []

    def forget(self) -> None:
        self.all.clear()

    def select(self, since: int = 0, **wanted: str) -> list[dict[str, Any]]:
        """Calls after number `since` whose fields equal what is wanted."""
        return [call.public() for call in self._matching(since, wanted)]

    def count(self, since: int = 0, **wanted: str) -> list[dict[str, Any]]:
        """How many of them there are of each action in each Region."""
        counts = Counter((call.service, call.action, call.region) for call in self._matching(since, wanted))
        return [
            {"service": service, "action": action, "region": region, "count": count}
            for (service, action, region), count in sorted(counts.items())
        ]

    def _matching(self, since: int, wanted: dict[str, str]) -> Iterator[Call]:
        # The numbers are the places in the list, from 1 on.
        for call in islice(self.all, since, None):
            if all(getattr(call, name) == value for name, value in wanted.items()):
                yield call
