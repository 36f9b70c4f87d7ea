"""Where a scenario is played: two accounts, how long to wait, and whom to tell."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")

Clients = Callable[[str, str], Any]  # an account's boto3 client, by service and Region

# The tag on all that is made in the source account; its value is the run.
TAG = "snapferry-live-test"


class RefusedError(Exception):
    """The test cannot be played here; nothing was made."""


class InterruptedRunError(Exception):
    """Somebody wants the test to end."""


@dataclass(frozen=True)
class Setting:
    """What a scenario needs besides its plan."""

    source: Clients
    target: Clients
    say: Callable[[str], None]
    # Set when somebody wants it to end; looked at between calls, so that no call's answer is ever lost.
    stop: threading.Event = field(default_factory=threading.Event)
    pause: float = 15.0  # seconds between two looks
    copy_within: float = 3_600.0  # seconds for the copies to get their verdicts
    other_within: float = 1_200.0  # seconds for anything else
    settle: float = 60.0  # seconds without a new copy before all are taken to be gone
    # What to do before each look at the copies, where no schedule does it.
    nudge: Callable[[], None] = lambda: None

    def tell(self, text: str) -> None:
        """Say what comes next, unless it shall not come."""
        self.say(text)
        if self.stop.is_set():
            raise InterruptedRunError

    def until(self, condition: Callable[[], T], *, within: float, what: str) -> T:
        """Call `condition` until it answers something true, and return that."""
        deadline = time.monotonic() + within
        while not (answer := condition()):
            if time.monotonic() >= deadline:
                raise TimeoutError(f"{what}: not within {within / 60:.3g} minutes")
            if self.stop.wait(self.pause):
                raise InterruptedRunError
        return answer
