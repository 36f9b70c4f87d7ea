"""The overlay's own time: the real one plus an offset, and a list of what falls due."""

import asyncio
import heapq
import itertools
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

log = logging.getLogger("overlay")


def iso(moment: float) -> str:
    """A moment as EC2 writes it: `2026-11-22T03:00:00.000Z`."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def iso_seconds(moment: float) -> str:
    """A moment as EBS events write it: `2026-11-22T03:00:00Z`."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse(text: str) -> float:
    """Seconds since the epoch of an ISO 8601 moment (an offset or `Z` is required)."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} names no time zone")
    return moment.timestamp()


class Clock:
    """Now, and the deeds that fall due. A test may advance it by days; the emulator's own clocks stay as they are."""

    def __init__(self) -> None:
        self.offset = 0.0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._changed = asyncio.Event()

    def now(self) -> float:
        return time.time() + self.offset

    def advance(self, seconds: float) -> None:
        self.offset += seconds
        self._changed.set()

    def after(self, seconds: float, deed: Callable[[], None]) -> None:
        """Do `deed` when `seconds` have passed, at the soonest after the request at hand."""
        heapq.heappush(self._due, (self.now() + seconds, next(self._order), deed))
        self._changed.set()

    def forget(self) -> None:
        """Drop all deeds and go back to real time."""
        self._due.clear()
        self.offset = 0.0

    def settle(self) -> None:
        """Do everything that is due. Each request starts with this, so that no answer depends on a timer's luck."""
        while self._due and self._due[0][0] <= self.now():
            deed = heapq.heappop(self._due)[2]
            try:
                deed()
            except Exception:
                # One deed that fails must not stop the clock for all others.
                log.exception("a due deed failed")

    async def run(self) -> None:
        """Settle whenever something falls due, for as long as the server lives."""
        while True:
            self._changed.clear()
            self.settle()
            wait = self._due[0][0] - self.now() if self._due else None
            try:
                await asyncio.wait_for(self._changed.wait(), wait)
            except TimeoutError:
                continue
