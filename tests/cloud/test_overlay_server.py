"""The server's life: clean start, function processes, and an end that leaves nothing behind."""

import io
import json
import os
import signal
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError

from tests.cloud import LocalAws, until
from tests.cloud.scene import HOME, SOURCE, TARGET, ec2, ids, shared
from tests.cloud.server import REPOSITORY

# A custom runtime that answers with its environment, and lists snapshots through the endpoint when asked to.
BOOTSTRAP = f"""#!{sys.executable}
import json, os, urllib.request
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(api + "next") as given:
        event, ident = json.load(given), given.headers["Lambda-Runtime-Aws-Request-Id"]
    if event.get("list"):
        import boto3
        boto3.client("ec2").describe_snapshots(OwnerIds=["self"])
    answer = json.dumps({{"pid": os.getpid(), "environment": dict(os.environ)}}).encode()
    urllib.request.urlopen(api + ident + "/response", answer).close()
"""


def deploy(aws: LocalAws) -> None:
    """A function named `probe` in the target account."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as package:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        package.writestr(entry, BOOTSTRAP)
    aws.client("lambda", TARGET, HOME).create_function(
        FunctionName="probe",
        Runtime="provided.al2023",
        Handler="bootstrap",
        Role=f"arn:aws:iam::{TARGET}:role/probe",
        Code={"ZipFile": code.getvalue()},
        Timeout=60,
    )


def invoke(aws: LocalAws, **event: Any) -> dict[str, Any]:
    answer = aws.client("lambda", TARGET, HOME).invoke(FunctionName="probe", Payload=json.dumps(event))
    body: dict[str, Any] = json.load(answer["Payload"])
    return body


def alive(pid: int) -> bool:
    """Whether a process runs; one that is dead but not yet waited for does not."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return state.strip() != "" and not state.startswith("Z")


def test_two_servers_side_by_side_know_nothing_of_each_other() -> None:
    with LocalAws() as one, LocalAws() as two:
        snapshot = shared(one)
        assert ids(ec2(one, TARGET).describe_snapshots()) == {snapshot}
        assert ids(ec2(two, TARGET).describe_snapshots()) == set()


def test_a_function_runs_with_a_clean_environment_and_ends_with_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "somebody")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "secret")
    with LocalAws() as aws:
        deploy(aws)
        answer = invoke(aws)
        environment, pid = answer["environment"], answer["pid"]
        assert "AWS_PROFILE" not in environment
        assert "secret" not in environment.values()
        assert environment["AWS_ENDPOINT_URL"] == aws.endpoint
        assert environment["AWS_ACCESS_KEY_ID"] == TARGET
        assert environment["HOME"] != os.environ.get("HOME")
        assert alive(pid)
        assert [each["pid"] for each in aws.control.functions("probe")] == [pid]
        home = Path(environment["HOME"])
        assert home.exists()
    until(lambda: not alive(pid), what="the function's process to end")
    assert not home.exists()


def test_a_function_is_killed_in_the_middle_of_its_call() -> None:
    with LocalAws() as aws:
        deploy(aws)
        before = invoke(aws)["pid"]
        aws.control.inject_fault(action="DescribeSnapshots", account=TARGET, kill="probe", times=1)
        answer = invoke(aws, list=True)
        assert answer["errorType"] == "Runtime.ExitError"
        assert aws.control.calls(action="DescribeSnapshots")[0].outcome == "dropped-before"
        until(lambda: not alive(before), what="the function's process to end")
        assert invoke(aws, list=True)["pid"] != before
        assert aws.control.calls(action="DescribeSnapshots")[1].outcome == "ok"
        assert aws.control.kill_function("probe")
        assert aws.control.functions() == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_server_dies_with_its_owner(how: signal.Signals, tmp_path: Path) -> None:
    owner = textwrap.dedent(
        """
        import signal, sys, time
        from pathlib import Path
        from tests.cloud import LocalAws
        from tests.cloud.test_overlay_server import deploy, invoke
        # A shell that starts the tests behind its back has SIGINT ignored, and that is inherited.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with LocalAws() as aws:
            deploy(aws)
            print(aws._process.pid, invoke(aws)["pid"], aws._scratch, flush=True)
            time.sleep(600)
        """
    )
    with (
        (tmp_path / "errors").open("wb") as errors,
        subprocess.Popen(
            [sys.executable, "-c", owner],
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (tmp_path / "errors").read_text()
        server, function, scratch = line.split()
        assert alive(int(server))
        process.send_signal(how)
        process.wait(timeout=60)
        until(lambda: not alive(int(server)) and not alive(int(function)), what="everything to end")
        until(lambda: not Path(scratch).exists(), what="the scratch directory to go")


def test_a_reset_of_everything_forgets_the_emulators_side_too() -> None:
    with LocalAws() as aws:
        aws.client("sqs", TARGET, HOME).create_queue(QueueName="q")
        shared(aws)
        aws.control.reset()
        assert aws.control.snapshots() == []
        assert aws.client("sqs", TARGET, HOME).list_queues()["QueueUrls"]
        aws.control.reset_everything()
        assert aws.client("sqs", TARGET, HOME).list_queues().get("QueueUrls", []) == []
        volume = ec2(aws, SOURCE).create_volume(Size=1, AvailabilityZone=f"{HOME}a")["VolumeId"]
        assert ec2(aws, SOURCE).create_snapshot(VolumeId=volume)["State"] == "completed"


def test_the_log_is_kept_where_it_is_wanted(tmp_path: Path) -> None:
    with LocalAws(log=tmp_path / "server.log") as aws:
        aws.control.inject_fault(region=HOME, drop="before")
        with pytest.raises(ConnectionClosedError):
            ec2(aws, TARGET).describe_snapshots()
    assert "Ready" in (tmp_path / "server.log").read_text()
