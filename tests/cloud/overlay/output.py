"""What a function prints, whole: the emulator waits 50 ms for a first line and 5 ms for each further one, and takes the
output for finished. On a busy machine that loses lines, or leaves them to the log of the next invocation.

A function prints before it answers, so when its answer is here, its lines are in the pipe at the latest.
"""

import fcntl
import os
import queue
import select
import struct
import termios
import threading
import time
from typing import Any

from tests.cloud.overlay.emulator import lambda_runtime

_CHUNK = 65_536
_PATIENCE_SECONDS = 5.0


def install() -> None:
    """Replace how the emulator reads the output of custom runtimes."""
    lambda_runtime.ProvidedWorker._pump_output = _pump
    lambda_runtime.ProvidedWorker._drain_stderr_bounded = _drained


def _lock(worker: Any) -> threading.Lock:
    """Held while bytes are neither in the pipe nor in the queue."""
    lock: threading.Lock = worker.__dict__.setdefault("_output_lock", threading.Lock())
    return lock


def _pump(worker: Any, stream: Any, lines: "queue.Queue[str]") -> None:
    """Move one process's output from its pipe into the queue, line by line, until it ends."""
    descriptor, rest = stream.fileno(), b""
    with stream:
        while True:
            select.select([descriptor], [], [])
            with _lock(worker):
                chunk = os.read(descriptor, _CHUNK)
                *whole, rest = (rest + chunk).split(b"\n")
                if not chunk and rest:
                    whole.append(rest)
                for line in whole:
                    _put(lines, line.rstrip(b"\r").decode(errors="replace"))
            if not chunk:
                return


def _put(lines: "queue.Queue[str]", line: str) -> None:
    """Never block, or the pipe would fill and the process with it; rather lose the oldest line."""
    while True:
        try:
            return lines.put_nowait(line)
        except queue.Full:
            lines.get_nowait()


def _drained(worker: Any, **_: float) -> str:
    """All lines so far, as soon as the pipe is empty."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until:
        with _lock(worker):
            if _is_empty(worker):
                break
        time.sleep(0.001)
    lines: str = worker._drain_stderr()
    return lines


def _is_empty(worker: Any) -> bool:
    """Whether nothing is in the pipe; there is none once the process has ended."""
    process = worker._proc
    if process is None:
        return True
    try:
        waiting: bytes = fcntl.ioctl(process.stdout.fileno(), termios.FIONREAD, struct.pack("i", 0))
    except (OSError, ValueError):
        return True  # closed
    return waiting == struct.pack("i", 0)
