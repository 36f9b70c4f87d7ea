"""The processes of Lambda functions that the emulator runs."""

import os
import signal
from dataclasses import asdict, dataclass
from typing import Any

from tests.cloud.overlay.emulator import lambda_runtime


@dataclass(frozen=True, slots=True)
class Process:
    """One execution environment's process."""

    function: str
    arn: str
    pid: int
    busy: bool

    def public(self) -> dict[str, Any]:
        return asdict(self)


def running(name: str = "") -> list[Process]:
    """The living processes, of one function or of all."""
    with lambda_runtime._lock:
        workers = [each for pool in lambda_runtime._workers.values() for each in pool]
    return [
        Process(each.func_name, each.config.get("FunctionArn", ""), each._proc.pid, bool(each.in_use))
        for each in workers
        if name in ("", each.func_name) and each._proc is not None and each._proc.poll() is None
    ]


def kill(name: str) -> list[int]:
    """kill -9 a function's processes, as a crash of its execution environment would end them."""
    killed = []
    for each in running(name):
        os.kill(each.pid, signal.SIGKILL)
        killed.append(each.pid)
    return killed
