"""The functions' TLS: Amazon's roots, or those of AWS_CA_BUNDLE."""

import json
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import trustme

from tests.scale.rounds import ROOT, policy
from tests.scale.runtime import Function, LoopbackServer

BINARY = ROOT / "target/lambda/delete-expired-copies/bootstrap"
REFUSAL = (
    b"<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors></Response>"
)


class Endpoint:
    """EC2 behind a certificate of an authority of its own: refuses everything, and counts."""

    def __init__(self, authority: trustme.CA) -> None:
        self.requests = 0
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                endpoint.requests += 1
                self.send_response(403)
                self.send_header("Content-Length", str(len(REFUSAL)))
                self.end_headers()
                self.wfile.write(REFUSAL)

            def log_message(self, *_: object) -> None:
                """Keep the tests' output to what they say."""

        self.server = LoopbackServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        # The handshake belongs to each connection's own thread.
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"https://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def authority() -> trustme.CA:
    """A certificate authority that nobody knows."""
    return trustme.CA()


@pytest.fixture
def endpoint(authority: trustme.CA) -> Iterator[Endpoint]:
    """An endpoint that this authority vouches for."""
    endpoint = Endpoint(authority)
    threading.Thread(target=endpoint.server.serve_forever, daemon=True).start()
    yield endpoint
    endpoint.server.shutdown()
    endpoint.server.server_close()


def environment(endpoint: Endpoint, **more: str) -> dict[str, str]:
    """What the function is told."""
    return {"AWS_ENDPOINT_URL": endpoint.url, "SNAPFERRY_POLICY": json.dumps(policy())} | more


def test_an_authority_of_ones_own(endpoint: Endpoint, authority: trustme.CA, tmp_path: Path) -> None:
    """AWS_CA_BUNDLE is what is believed."""
    bundle = tmp_path / "bundle.pem"
    authority.cert_pem.write_to_path(bundle)
    with Function(BINARY, environment(endpoint, AWS_CA_BUNDLE=str(bundle))) as function:
        function.invoke({"run": "tls"})
        audit = json.dumps(function.audit())
    assert endpoint.requests > 0
    assert "UnauthorizedOperation" in audit


def test_an_unknown_authority_is_not_believed(endpoint: Endpoint) -> None:
    """No request leaves for an endpoint that Amazon does not vouch for, and the audit says so."""
    with Function(BINARY, environment(endpoint)) as function:
        function.invoke({"run": "tls"})
        audit = json.dumps(function.audit())
    assert endpoint.requests == 0
    assert "UnauthorizedOperation" not in audit
    assert '"error"' in audit


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (None, "cannot be read"),
        ("no certificate", "there is no certificate in PEM"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "certificate 1 is not an X.509"),
    ],
    ids=["missing", "not PEM", "not X.509"],
)
def test_a_bundle_that_cannot_be_used_stops_the_start(text: str | None, named: str, tmp_path: Path) -> None:
    """And is named, with what is wrong."""
    bundle = tmp_path / "bundle.pem"
    if text is not None:
        bundle.write_text(text)
    variables = {"AWS_CA_BUNDLE": str(bundle), "AWS_REGION": "us-east-1", "SNAPFERRY_POLICY": json.dumps(policy())}
    done = subprocess.run([BINARY], env=variables, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert f"AWS_CA_BUNDLE: {bundle}" in said
    assert named in said
