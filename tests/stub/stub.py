"""The stub, running: a world is described to it, and it tells what it was asked for; see `src/control.rs`."""

from __future__ import annotations

import http.client
import json
import subprocess
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

SOURCE = "111111111111"
TARGET = "222222222222"
HOME = "us-east-1"
TABLE = "ledger"
# Snapshots of a page, the most that EC2 gives.
PAGE = 1000
BINARY = Path(__file__).parents[2] / "target/lambda/endpoint/bootstrap"


@dataclass(frozen=True)
class Seen:
    """What the stub was asked for since the last look at it, and what there is now."""

    # How often, by service, operation and Region.
    calls: Counter[tuple[str, str, str]]
    unexpected: list[str]
    # Copies that were made, by Region.
    copies: dict[str, int]
    # Obligations by state; other items by kind.
    table: dict[str, int]
    # The item of the round.
    round: dict[str, Any] | None

    def of(self, service: str, operation: str | None = None) -> int:
        """Calls to a service in all Regions, or those of one operation."""
        wanted = [count for (s, o, _), count in self.calls.items() if s == service and operation in (None, o)]
        return sum(wanted)

    def pages(self, region: str) -> int:
        """How often snapshots were asked for in a Region."""
        return self.calls["ec2", "DescribeSnapshots", region]


def snapshot(number: int) -> str:
    """The ID of a shared snapshot: its number's digits are the last of it."""
    return f"snap-0{number:016x}"


class Stub:
    """The stub's process. A context manager.

    The world is as `src/world.rs` has it: its snapshots were started yesterday and verified half an hour later, and the
    copies of them expire in a year, unless something else is said.
    """

    def __init__(self, **world: Any) -> None:
        now = datetime.now(UTC)
        started = now - timedelta(days=1)
        self._world = {
            "home": HOME,
            "started": written(started),
            "settled": written(started + timedelta(minutes=30)),
            "expires": written(now + timedelta(days=365)),
        } | world

    def __enter__(self) -> Self:
        self._process = subprocess.Popen([str(BINARY)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if not self._process.stdout:
            raise RuntimeError("the stub has no output")
        self.url = self._process.stdout.readline().strip()
        self.reset()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    @property
    def environment(self) -> dict[str, str]:
        """What a function has to know to meet this world."""
        return {"AWS_ENDPOINT_URL": self.url, "SNAPFERRY_LEDGER": TABLE}

    def reset(self, **changes: Any) -> None:
        """Begins the world anew, with changes: no copies were asked for, the table is empty, nothing is counted."""
        self._world |= changes
        self._ask("world", self._world)

    def change(self, **changes: Any) -> None:
        """Changes the world; all that happened in it stays."""
        self._world |= changes
        self._ask("change", self._world)

    def put(self, item: dict[str, Any]) -> None:
        """Writes an item to the table."""
        self._ask("item", item)

    def owe(self, count: int, regions: list[str], **attributes: Any) -> None:
        """Writes obligations of the first so many shared snapshots to the table, one for each Region: owed for a day,
        unless attributes say otherwise."""
        owed = {
            "state": {"S": "owed"},
            "account": {"S": SOURCE},
            "lineage": {"S": "vol-00000000000000001"},
            "start": {"S": self._world["started"]},
            "wanted": {"S": self._world["started"]},
            "by": {"S": "sweep"},
            "token": {"S": "0" * 32},
            **{name: {"N": "0"} for name in ("generation", "refused", "failed", "revision")},
        }
        self._ask("owed", {"count": count, "regions": regions, "policy": "default", "item": owed | attributes})

    def seen(self) -> Seen:
        """What was asked for since the last look."""
        seen = self._ask("seen", {})
        calls = Counter({(service, operation, region): count for service, operation, region, count in seen["calls"]})
        return Seen(calls, seen["unexpected"], seen["copies"], seen["table"], seen["round"])

    def _ask(self, what: str, body: dict[str, Any]) -> dict[str, Any]:
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"))
        connection.request("POST", f"/stub/{what}", json.dumps(body))
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        if answer.status != 200:
            raise RuntimeError(f"the stub refused: {text}")
        answered: dict[str, Any] = json.loads(text)
        return answered


def written(time: datetime) -> str:
    """A time as EC2 writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
