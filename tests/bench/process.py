"""A function's process under a runtime API that adds as little as Python can.

Source: Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes".
"""

from __future__ import annotations

import json
import os
import queue
import re
import signal
import socket
import tempfile
import threading
import time
import uuid
from pathlib import Path
from typing import Any, Self

ACCOUNT = "222222222222"
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
ACCEPTED = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"


class Process:
    """A function that was started. A context manager: it ends with it."""

    def __init__(self, command: list[str], environment: dict[str, str], *, region: str = "us-east-1") -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ready: queue.Queue[tuple[float, socket.socket | None]] = queue.Queue()
        self._answers: queue.Queue[tuple[float, bool, bytes]] = queue.Queue()
        self._command = command
        self._environment = {
            "PATH": os.environ["PATH"],
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._listener.getsockname()[1]}",
            "AWS_LAMBDA_FUNCTION_NAME": "bench",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "unused",
        } | environment

    def __enter__(self) -> Self:
        self.output = tempfile.TemporaryFile()
        threading.Thread(target=self._accept, daemon=True).start()
        actions = [(os.POSIX_SPAWN_DUP2, self.output.fileno(), 1)]
        began = time.perf_counter()
        self._pid = os.posix_spawnp(self._command[0], self._command, self._environment, file_actions=actions)
        at, self._next = self._ready.get(timeout=60)
        self.cold_start = at - began
        return self

    def __exit__(self, *_: object) -> None:
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        # Wakes the thread that accepts, which closing alone does not.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.output.close()

    def invoke(self, payload: Any) -> tuple[float, Any]:
        """Hands over one input; the seconds until the whole answer was there, and the answer."""
        body = json.dumps(payload).encode()
        head = (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            f"Lambda-Runtime-Aws-Request-Id: {uuid.uuid4()}\r\n"
            f"Lambda-Runtime-Deadline-Ms: {int((time.time() + 300) * 1000)}\r\n"
            f"Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:{ACCOUNT}:function:bench\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        if self._next is None:
            raise RuntimeError("the function asked for no work")
        began = time.perf_counter()
        self._next.sendall(head.encode() + body)
        at, is_response, answer = self._answers.get(timeout=300)
        if not is_response:
            raise RuntimeError(f"the function failed: {answer.decode()}")
        _, self._next = self._ready.get(timeout=60)
        return at - began, json.loads(answer or b"null")

    def printed(self) -> str:
        """Its standard output until now."""
        self.output.seek(0)
        return self.output.read().decode()

    def peak_memory_mib(self) -> float:
        """Its largest resident set so far (`VmHWM`), in MiB."""
        status = Path(f"/proc/{self._pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) / 1024

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        buffer = b""
        while True:
            while b"\r\n\r\n" not in buffer:
                try:
                    data = connection.recv(65536)
                except ConnectionError:
                    data = b""
                if not data:
                    connection.close()
                    return
                buffer += data
            head, buffer = buffer.split(b"\r\n\r\n", 1)
            if head.startswith(b"GET"):
                self._ready.put((time.perf_counter(), connection))
                continue
            found = LENGTH.search(head)
            if found:
                while len(buffer) < int(found[1]):
                    buffer += connection.recv(65536)
                body, buffer = buffer[: int(found[1])], buffer[int(found[1]) :]
            else:
                body, buffer = self._chunks(connection, buffer)
            at = time.perf_counter()
            connection.sendall(ACCEPTED)
            self._answers.put((at, head.split(b" ", 2)[1].endswith(b"/response"), body))

    @staticmethod
    def _chunks(connection: socket.socket, buffer: bytes) -> tuple[bytes, bytes]:
        body = b""
        while True:
            while b"\r\n" not in buffer:
                buffer += connection.recv(65536)
            line, buffer = buffer.split(b"\r\n", 1)
            size = int(line.split(b";")[0], 16)
            while len(buffer) < size + 2:
                buffer += connection.recv(65536)
            body, buffer = body + buffer[:size], buffer[size + 2 :]
            if size == 0:
                return body, buffer
