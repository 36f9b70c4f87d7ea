"""The record of every EC2 and KMS call, for tests that assert what was called, and evaluate IAM policies against it."""

from dataclasses import asdict, dataclass, field
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
    # The snapshots and keys that the call is about, as they were before it: ARN, owner, and the caller's tags.
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
        return [
            call.public()
            for call in self.all
            if call.number > since and all(getattr(call, name) == value for name, value in wanted.items())
        ]
