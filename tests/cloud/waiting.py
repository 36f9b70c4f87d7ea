"""Wait for a condition, never for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(condition: Callable[[], T], *, within: float = 60.0, what: str = "condition") -> T:
    """Call `condition` until it answers something true, and return that; fail after `within` seconds."""
    deadline = time.monotonic() + within
    pause = 0.01
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() >= deadline:
            raise TimeoutError(f"{what}: not within {within:g} s, last answer {answer!r}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.5)
