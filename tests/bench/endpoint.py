"""EC2 and KMS in a process of their own, answering at once or after a given latency, and counting: `endpoint.rs`."""

from __future__ import annotations

import http.client
import json
import subprocess
from collections import Counter
from pathlib import Path
from typing import Self

SOURCE = "111111111111"
TARGET = "222222222222"
HOME = "us-east-1"
KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"
BINARY = Path(__file__).parents[2] / "target/lambda/endpoint/bootstrap"


def key(region: str) -> str:
    """The ARN of the only key of a Region."""
    return f"arn:aws:kms:{region}:{TARGET}:key/{KEY}"


class Aws:
    """The endpoint, running. A context manager."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen([str(BINARY)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if not self._process.stdout:
            raise RuntimeError("the endpoint has no output")
        self.url = self._process.stdout.readline().strip()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def reset(self, latency: float = 0.0) -> Counter[str]:
        """Sets the latency in seconds; the calls since the last reset, by service and action."""
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"))
        connection.request("POST", "/bench", json.dumps({"latency": latency}))
        counted = Counter[str](json.load(connection.getresponse()))
        connection.close()
        return counted
