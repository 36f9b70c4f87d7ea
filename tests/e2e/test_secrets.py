"""No secret, no session token and no presigned URL in any log, also when the functions say all they have to say."""

import json
from pathlib import Path

from tests.cloud import FUNCTION_SECRET, LocalAws
from tests.e2e import policies
from tests.e2e.accounts import Account
from tests.e2e.deploy import FUNCTIONS, deploy

NEAR, FAR, DOWN = "us-west-2", "ap-northeast-1", "eu-west-1"
OF_VOLUMES = ("copy-shared-snapshots", "verify-copies", "prove-copies", "delete-expired-copies")
FORBIDDEN = [FUNCTION_SECRET, "X-Amz-Signature", "X-Amz-Security-Token"]


def test_logs_at_trace_hold_no_secret(source: Account, target: Account, aws: LocalAws) -> None:
    targets = [policies.target(NEAR), policies.target(FAR), policies.target(DOWN)]
    stack = deploy(
        target, policies.details([source.number], *targets), LogLevel="trace", ProofSchedule="rate(365 days)"
    )
    aws.control.inject_fault(action="CopySnapshot", region=FAR, code="UnauthorizedOperation")
    aws.control.inject_fault(action="CopySnapshot", region=DOWN, drop="after")
    snapshot = source.create_snapshot("nightly")["SnapshotId"]
    source.share(snapshot, target.number)
    stack.wait_for_audit(event="copy.started", copy__region=NEAR)
    stack.wait_for_audit(event="copy.failed", copy__region=FAR)
    stack.wait_for_audit(event="copy.deferred", copy__region=DOWN)
    stack.invoke("verify-copies", {})
    stack.invoke("delete-expired-copies", {})
    stack.invoke("prove-copies", {})

    # They were there to be logged: the functions sign with them, and send a presigned URL.
    [process, *_] = aws.control.functions(stack.outputs["CopySharedSnapshotsFunction"])
    environment = Path(f"/proc/{process['pid']}/environ").read_text().split("\0")
    assert f"AWS_SECRET_ACCESS_KEY={FUNCTION_SECRET}" in environment
    [token] = [each.partition("=")[2] for each in environment if each.startswith("AWS_SESSION_TOKEN=")]
    assert token
    calls = aws.control.calls(account=target.number, action="CopySnapshot")
    assert any("X-Amz-Signature" in call.parameters["PresignedUrl"] for call in calls)
    for function in OF_VOLUMES:
        log = "\n".join(stack.log(function))
        assert [word for word in [*FORBIDDEN, token] if word in log] == [], log


def test_the_functions_were_told_to_say_everything(source: Account, target: Account) -> None:
    stack = deploy(
        target,
        policies.details([source.number], policies.target(NEAR)),
        LogLevel="trace",
        ProofSchedule="rate(365 days)",
    )
    for function in OF_VOLUMES:
        name = stack.outputs[f"{FUNCTIONS[function]}Function"]
        configuration = target.client("lambda").get_function_configuration(FunctionName=name)
        assert configuration["Environment"]["Variables"]["SNAPFERRY_LOG_LEVEL"] == "trace", json.dumps(configuration)
