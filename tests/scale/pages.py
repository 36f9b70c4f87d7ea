"""EC2 and KMS on loopback with a hundred thousand snapshots: DescribeSnapshots pages from memory, nothing else.

Every Region serves the same number of pages. The home Region's hold shared snapshots, the others' the copies of them.
A page is a template in which only the page's number is filled in, so that the stub takes little of the time that is
measured.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler
from typing import Self
from urllib.parse import parse_qs

from tests.scale.runtime import LoopbackServer

PAGE = 1000
SOURCE = "111111111111"
TARGET = "222222222222"
SCOPE = re.compile(r"Credential=[^/]+/\d+/([a-z0-9-]+)/([a-z0-9-]+)/")
NUMBER = b"PPPPPPPP"
CALLER = (
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    f"<Arn>arn:aws:iam::{TARGET}:user/operator</Arn><UserId>operator</UserId><Account>{TARGET}</Account>"
    "</GetCallerIdentityResult></GetCallerIdentityResponse>"
).encode()


def _snapshot(identifier: str, owner: str, volume: str, description: str, tags: dict[str, str]) -> str:
    tag_set = "".join(f"<item><key>{key}</key><value>{value}</value></item>" for key, value in tags.items())
    return (
        f"<item><snapshotId>{identifier}</snapshotId><volumeId>{volume}</volumeId><status>completed</status>"
        f"<startTime>2026-11-01T03:00:00.000Z</startTime><progress>100%</progress><ownerId>{owner}</ownerId>"
        f"<volumeSize>8</volumeSize><description>{description}</description><encrypted>true</encrypted>"
        f"<storageTier>standard</storageTier><tagSet>{tag_set}</tagSet></item>"
    )


def shared_page() -> bytes:
    """A page of shared snapshots, its number left open."""
    return "".join(
        _snapshot(
            f"snap-0PPPPPPPP{item:08x}",
            SOURCE,
            f"vol-0PPPPPPPP{item % 50:08x}",
            f"Created for policy: policy-0123456789abcdef0 schedule: Default Schedule {item}",
            {},
        )
        for item in range(PAGE)
    ).encode()


def copies_page(region: str) -> bytes:
    """A page of the verified copies of those snapshots, its number left open."""
    return "".join(
        _snapshot(
            f"snap-fPPPPPPPP{item:08x}",
            TARGET,
            "vol-ffffffff",
            f"Snapferry copy of snap-0PPPPPPPP{item:08x} from us-east-1 (account {SOURCE})",
            {
                "snapferry:policy": "default",
                "snapferry:source-snapshot": f"snap-0PPPPPPPP{item:08x}",
                "snapferry:source-account": SOURCE,
                "snapferry:source-region": "us-east-1",
                "snapferry:source-volume": f"vol-0PPPPPPPP{item % 50:08x}",
                "snapferry:source-size-gib": "8",
                "snapferry:source-start-time": "2026-11-01T03:00:00Z",
                "snapferry:kms-key": f"arn:aws:kms:{region}:{TARGET}:key/1234abcd-12ab-34cd-56ef-1234567890ab",
                "snapferry:expire-after": "2027-11-01T03:00:00Z",
                "snapferry:status": "verified",
                "snapferry:settled-at": "2026-11-01T03:30:00Z",
                "snapferry:copy": f"snap-fPPPPPPPP{item:08x}",
            },
        )
        for item in range(PAGE)
    ).encode()


class Pages:
    """The stub. A context manager; `reads` counts the pages that each Region was asked for."""

    def __init__(self, *, home: str, targets: list[str], pages: int) -> None:
        self._templates = {home: shared_page()} | {target: copies_page(target) for target in targets}
        self._pages = pages
        self.reads: Counter[tuple[str, str]] = Counter()
        self.others: list[str] = []
        self._server = LoopbackServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def page(self, region: str, token: str) -> bytes:
        """One page of a Region: the first without a token, each naming the next."""
        number = int(token or 0)
        self.reads[region, token] += 1
        items = self._templates[region].replace(NUMBER, f"{number:08x}".encode())
        following = f"<nextToken>{number + 1}</nextToken>" if number + 1 < self._pages else ""
        return b"".join(
            (
                b'<DescribeSnapshotsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><snapshotSet>',
                items,
                f"</snapshotSet>{following}</DescribeSnapshotsResponse>".encode(),
            )
        )

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        pages = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                scope = SCOPE.search(self.headers.get("Authorization", ""))
                form = {key: values[0] for key, values in parse_qs(body.decode()).items()} if scope else {}
                if scope and form.get("Action") == "DescribeSnapshots" and form.get("MaxResults") == str(PAGE):
                    self._answer(200, pages.page(scope[1], form.get("NextToken", "")))
                elif form.get("Action") == "GetCallerIdentity":
                    self._answer(200, CALLER)
                else:
                    pages.others.append(body.decode()[:200])
                    self._answer(400, b"<Response><Errors><Error><Code>Unexpected</Code></Error></Errors></Response>")

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "text/xml")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Keep the tests' output to what they say."""

        return Handler
