"""`make demo`, from its first line to its last, and when it is interrupted."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cloud import until
from tests.e2e.packages import REPOSITORY

DEMO = [sys.executable, "-m", "tests.demo"]


def start() -> subprocess.Popen[str]:
    """The demo in a process group of its own, as a terminal runs it."""
    return subprocess.Popen(
        DEMO, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def processes_of_server(port: str) -> list[str]:
    """The server on a port and the functions that it runs: all of them have the port in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if f"GATEWAY_PORT={port}".encode() in environment:
            found.append(process.name)
    return found


def test_it_ends_with_what_was_copied_and_why_the_others_were_not() -> None:
    with start() as demo:
        output, _ = demo.communicate()
    assert demo.returncode == 0, output
    copied, _, skipped = output.partition("Copied")[2].partition("Not copied")
    assert re.search(r"snap-\w+ +us-west-2 +snap-\w+ +\w+-… +\d{4}-\d\d-\d\d \d\d:\d\d UTC", copied), output
    assert re.search(r"snap-\w+ +eu-west-1 +snap-\w+ ", copied), output
    assert "owner is not listed" in skipped
    assert "does not match the policy's DescriptionRegex" in skipped
    [port] = re.findall(r"127\.0\.0\.1:(\d+)", output)
    assert processes_of_server(port) == []


@pytest.mark.parametrize("interruption", [signal.SIGINT, signal.SIGTERM])
def test_when_interrupted_it_stops_what_it_started(interruption: signal.Signals) -> None:
    with start() as demo:
        assert demo.stdout is not None
        told = ""
        while "copy.started" not in told:
            line = demo.stdout.readline()
            assert line, told
            told += line
        [port] = re.findall(r"127\.0\.0\.1:(\d+)", told)
        assert len(processes_of_server(port)) >= 2, "the server and a function"
        os.killpg(demo.pid, interruption)
        rest, _ = demo.communicate()
    assert demo.returncode == 130, rest
    assert "Interrupted" in rest
    assert "Traceback" not in rest
    until(lambda: not processes_of_server(port), within=30, what="the server and its functions to be gone")
