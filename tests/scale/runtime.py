"""The Lambda runtime API on loopback, for one function binary: hands it inputs and takes its answers.

Source: Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes".
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

ACCOUNT = "222222222222"


class LoopbackServer(ThreadingHTTPServer):
    """A server whose clients may be killed at any moment: their broken connections are no news."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of connections that broke, and everything of other errors."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Answer:
    """What the function answered, and what it printed until then."""

    def __init__(self, payload: Any, error: Any, seconds: float) -> None:
        self.payload = payload
        self.error = error
        self.seconds = seconds


class Function:
    """A function's binary under a runtime API of its own. A context manager: the process ends with it."""

    def __init__(self, binary: Path, environment: dict[str, str], region: str = "us-east-1") -> None:
        self._binary = binary
        self._region = region
        self._inputs: queue.Queue[tuple[str, bytes, int]] = queue.Queue()
        self._answers: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self._server = LoopbackServer(("127.0.0.1", 0), self._handler())
        self._environment = {
            "PATH": os.environ["PATH"],
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.server_port}",
            "AWS_LAMBDA_FUNCTION_NAME": binary.parent.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_REGION": region,
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "unused",
        } | environment
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        # A file, and no pipe with a reader behind it: what was printed before an answer is there when the answer is.
        self._output = tempfile.NamedTemporaryFile()
        self._process = subprocess.Popen([str(self._binary)], env=self._environment, stdout=self._output)
        return self

    def __exit__(self, *_: object) -> None:
        process = self._running()
        process.kill()
        process.wait()
        self._output.close()
        self._server.shutdown()
        self._server.server_close()

    def invoke(self, payload: Any, *, seconds: float = 300) -> Answer:
        """Hand over one input and wait for the answer to it."""
        request = str(uuid.uuid4())
        deadline = int((time.time() + seconds) * 1000)
        began = time.perf_counter()
        self._inputs.put((request, json.dumps(payload).encode(), deadline))
        while True:
            try:
                kind, body = self._answers.get(timeout=1)
                break
            except queue.Empty:
                if self._running().poll() is not None:
                    raise RuntimeError(f"{self._binary} ended with {self._running().returncode}") from None
                if time.perf_counter() - began > seconds:
                    raise TimeoutError(f"{self._binary} gave no answer in {seconds} s") from None
        took = time.perf_counter() - began
        answer = json.loads(body) if body else None
        return Answer(answer if kind == "response" else None, None if kind == "response" else answer, took)

    def peak_memory_mib(self) -> float:
        """The process's largest resident set so far (`VmHWM`), in MiB."""
        status = Path(f"/proc/{self._running().pid}/status").read_text()
        kib = next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1]
        return int(kib) / 1024

    def audit(self) -> list[dict[str, Any]]:
        """The audit lines so far."""
        printed = Path(self._output.name).read_text().split("\n")
        parsed = (json.loads(line) for line in printed if line.startswith('{"audit"'))
        return [record for record in parsed if record["audit"] == "snapferry/1"]

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("not started")
        return self._process

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        function = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                request, payload, deadline = function._inputs.get()
                arn = f"arn:aws:lambda:{function._region}:{ACCOUNT}:function:{function._binary.parent.name}"
                headers = {
                    "Lambda-Runtime-Aws-Request-Id": request,
                    "Lambda-Runtime-Deadline-Ms": str(deadline),
                    "Lambda-Runtime-Invoked-Function-Arn": arn,
                    "Content-Type": "application/json",
                }
                self._answer(200, payload, headers)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if "Transfer-Encoding" in self.headers:
                    body = self._chunked()
                kind = "response" if self.path.endswith("/response") else "error"
                self._answer(202, b"", {})
                function._answers.put((kind, body))

            def _chunked(self) -> bytes:
                parts = []
                while size := int(self.rfile.readline(), 16):
                    parts.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
                return b"".join(parts)

            def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Keep the tests' output to what they say."""

        return Handler
