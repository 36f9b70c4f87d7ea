"""The processes of Lambda functions that the emulator runs."""

import subprocess
from dataclasses import asdict, dataclass
from typing import Any

from tests.cloud.overlay.emulator import lambda_runtime

DEAD_WITHIN_SECONDS = 10.0


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
    return [
        Process(each.func_name, each.config.get("FunctionArn", ""), each._proc.pid, bool(each.in_use))
        for each in _environments(name)
    ]


def kill(name: str) -> list[int]:
    """kill -9 a function's processes, as a crash of its execution environment would end them, and see them dead."""
    processes: list[subprocess.Popen[bytes]] = [each._proc for each in _environments(name)]
    for each in processes:
        each.kill()
    for each in processes:
        each.wait(DEAD_WITHIN_SECONDS)
    return [each.pid for each in processes]


def _environments(name: str) -> list[Any]:
    """The emulator's execution environments that have a living process."""
    with lambda_runtime._lock:
        workers = [each for pool in lambda_runtime._workers.values() for each in pool]
    return [
        each
        for each in workers
        if name in ("", each.func_name) and each._proc is not None and each._proc.poll() is None
    ]
