"""EC2 and KMS in a process of their own, answering at once or after a given latency, and counting.

Run as a program it prints its address and serves until its standard input closes. `POST /bench` with
`{"latency": seconds}` sets the latency, forgets the counts and answers with what they were.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import subprocess
import sys
from collections import Counter
from typing import ClassVar, Self
from urllib.parse import parse_qsl

SOURCE = "111111111111"
TARGET = "222222222222"
HOME = "us-east-1"
KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"
REGION = re.compile(rb"Credential=[^/]+/\d+/([a-z0-9-]+)/")
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
XML = 'xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"'


def described(snapshot: str) -> str:
    """One shared snapshot as DescribeSnapshots shows it."""
    return (
        f"<item><snapshotId>{snapshot}</snapshotId><volumeId>vol-0{snapshot[6:]}</volumeId>"
        "<status>completed</status><startTime>2026-11-01T03:00:00.000Z</startTime><progress>100%</progress>"
        f"<ownerId>{SOURCE}</ownerId><volumeSize>8</volumeSize><description>Created for policy: policy-0</description>"
        "<encrypted>true</encrypted><storageTier>standard</storageTier></item>"
    )


def key(region: str) -> str:
    """The ARN of the only key of a Region."""
    return f"arn:aws:kms:{region}:{TARGET}:key/{KEY}"


class Endpoint(asyncio.Protocol):
    """One connection."""

    latency = 0.0
    calls: ClassVar[Counter[str]] = Counter()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Nothing was read yet."""
        self.transport = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        """Answers each request that is whole."""
        self.buffer += data
        while b"\r\n\r\n" in self.buffer:
            head, rest = self.buffer.split(b"\r\n\r\n", 1)
            found = LENGTH.search(head)
            length = int(found[1]) if found else 0
            if len(rest) < length:
                return
            body, self.buffer = rest[:length], rest[length:]
            if head.startswith(b"POST /bench "):
                self.reply(json.dumps(Endpoint.calls), "application/json")
                Endpoint.latency, Endpoint.calls = float(json.loads(body)["latency"]), Counter()
            else:
                answer = self.answer(head, body)
                if Endpoint.latency:
                    asyncio.get_running_loop().call_later(Endpoint.latency, self.reply, *answer)
                else:
                    self.reply(*answer)

    def answer(self, head: bytes, body: bytes) -> tuple[str, str, int]:
        """What EC2 or KMS says."""
        scope = REGION.search(head)
        region = scope[1].decode() if scope else HOME
        if b"TrentService.DescribeKey" in head:
            Endpoint.calls["kms:DescribeKey"] += 1
            metadata = {
                "KeyId": KEY,
                "Arn": key(region),
                "AWSAccountId": TARGET,
                "Enabled": True,
                "KeyState": "Enabled",
                "KeyManager": "CUSTOMER",
                "KeySpec": "SYMMETRIC_DEFAULT",
                "KeyUsage": "ENCRYPT_DECRYPT",
                "MultiRegion": False,
            }
            return json.dumps({"KeyMetadata": metadata}), "application/x-amz-json-1.1", 200
        form = dict(parse_qsl(body.decode()))
        action = form.get("Action", "")
        Endpoint.calls[f"ec2:{action}"] += 1
        if action == "DescribeSnapshots":
            named = [value for name, value in form.items() if name.startswith("SnapshotId.")]
            # Whoever asks for shared snapshots names them by their IDs or in a filter of this name.
            if region == HOME and "snapshot-id" in form.values():
                named = [value for value in form.values() if value.startswith("snap-")]
            items = "".join(map(described, named))
            return (
                f"<DescribeSnapshotsResponse {XML}><snapshotSet>{items}</snapshotSet></DescribeSnapshotsResponse>",
                "text/xml",
                200,
            )
        if action == "CopySnapshot":
            copy = f"snap-f{Endpoint.calls['ec2:CopySnapshot']:016x}"
            return (
                f"<CopySnapshotResponse {XML}><snapshotId>{copy}</snapshotId></CopySnapshotResponse>",
                "text/xml",
                200,
            )
        return "<Response><Errors><Error><Code>Unexpected</Code></Error></Errors></Response>", "text/xml", 400

    def reply(self, body: str, kind: str, status: int = 200) -> None:
        """Sends one answer."""
        if isinstance(self.transport, asyncio.Transport):
            self.transport.write(
                f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
            )


async def serve() -> None:
    """Serves until standard input closes."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Endpoint, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


class Aws:
    """The endpoint, running. A context manager."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.endpoint"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
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


if __name__ == "__main__":
    asyncio.run(serve())
