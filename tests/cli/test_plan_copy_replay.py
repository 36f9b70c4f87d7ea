"""The commands that look and act with the target account's credentials, against the local AWS."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Done, snapferry
from tests.cloud import LocalAws, until
from tests.e2e import policies
from tests.e2e.accounts import HOME, Account
from tests.e2e.deploy import STACK, deploy

NEAR = "us-west-2"
FAR = "eu-west-1"
PATIENCE_SECONDS = 60


@pytest.fixture
def policy(source: Account, target: Account) -> Any:
    """Copies what the source account shares and calls production, into two Regions."""
    targets = [policies.target(region, key=target.create_key(region)) for region in (NEAR, FAR)]
    return policies.details([source.number], *targets, description=".*production.*")


@pytest.fixture
def document(policy: Any, tmp_path: Path) -> Path:
    """The policy in a file."""
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(policy))
    return path


def run(account: Account, *args: object, **environment: str) -> Done:
    """The command with an account's credentials."""
    credentials: dict[str, Any] = {
        "AWS_ACCESS_KEY_ID": account.number,
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_REGION": HOME,
    }
    return snapferry(*args, environment={**credentials, "AWS_ENDPOINT_URL": account.aws.endpoint, **environment})


def lines(done: Done) -> list[dict[str, Any]]:
    """What --json printed."""
    return [json.loads(line) for line in done.out.splitlines()]


def shared(source: Account, target: Account, description: str = "production") -> str:
    """A snapshot that is shared, of which no event tells."""
    source.aws.control.configure(deliver_events=False)
    snapshot: str = source.create_snapshot(description)["SnapshotId"]
    source.share(snapshot, target.number)
    return snapshot


def share_event(snapshot: str) -> str:
    """The event that tells of a shared snapshot."""
    detail = {"event": "shareSnapshot", "result": "succeeded", "snapshot_id": snapshot}
    return json.dumps({"id": "e", "source": "aws.ec2", "detail-type": "EBS Snapshot Notification", "detail": detail})


def asked(target: Account) -> int:
    """How often CopySnapshot was called in the target account."""
    return len(target.aws.control.calls(account=target.number, action="CopySnapshot"))


def test_plan_shows_what_a_sweep_would_do_and_does_nothing(source: Account, target: Account, document: Path) -> None:
    wanted, other = shared(source, target), shared(source, target, "staging")
    done = run(target, "plan", document, "--json")
    assert done.code == 0, done.err
    *decisions, last = lines(done)
    assert {(each["action"], each["snapshot"], each["region"]) for each in decisions} == {
        ("copy", wanted, NEAR),
        ("copy", wanted, FAR),
    }
    assert all(each["kmsKey"] and each["account"] == source.number for each in decisions)
    assert last["summary"]["copy"] == 2
    assert other not in done.out
    text = run(target, "plan", document)
    assert wanted in text.out
    assert f"{NEAR}: 0 protected" in text.out
    assert asked(target) == 0


def test_plan_says_why_a_snapshot_is_skipped(source: Account, target: Account, document: Path, tmp_path: Path) -> None:
    other = shared(source, target, "staging")
    by_id = run(target, "plan", document, "--snapshot", other)
    assert by_id.code == 0
    assert "description-mismatch" in by_id.out
    event = tmp_path / "event.json"
    event.write_text(share_event(other))
    by_event = run(target, "plan", document, "--event", event, "--json")
    assert {each.get("reason") for each in lines(by_event)[:-1]} == {"description-mismatch"}


def test_plan_with_a_region_down_has_findings(source: Account, target: Account, document: Path, aws: LocalAws) -> None:
    shared(source, target)
    aws.control.take_region_down(NEAR)
    done = run(target, "plan", document, "--json")
    assert done.code == 1, done.err
    assert {(each["action"], each["region"]) for each in lines(done)[:-1]} == {("defer", NEAR), ("copy", FAR)}


@pytest.mark.parametrize("command", [["plan"], ["copy", "--snapshot", "snap-01234567"]], ids=lambda each: each[0])
def test_what_cannot_run_says_so(command: list[str], target: Account, document: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text('{"PolicyType": 7}')
    cases = [
        (run(target, *command, bad), "is not a valid policy"),
        (run(target, *command, tmp_path / "none.json"), "cannot be read"),
        (run(target, *command, document, AWS_REGION=""), "no Region"),
        (run(target, *command, document, "--profile", "nobody", AWS_ACCESS_KEY_ID=""), "whose credentials"),
        (run(target, *command, document, AWS_ENDPOINT_URL="http://127.0.0.1:9"), "whose credentials"),
    ]
    for done, said in cases:
        assert done.code == 2, done
        assert said in done.err
        assert done.out == ""


def test_copy_goes_through_the_stacks_queue(source: Account, target: Account, policy: Any, document: Path) -> None:
    stack = deploy(target, policy)
    snapshot = shared(source, target)
    dry = run(target, "copy", document, "--snapshot", snapshot, "--dry-run", "--stack", STACK)
    assert dry.code == 0, dry.err
    assert asked(target) == 0
    done = run(target, "copy", document, "--snapshot", snapshot, "--stack", STACK)
    assert done.code == 0, done.err
    started = stack.wait_for_audit(event="copy.started", source__snapshot=snapshot, count=2)
    assert {each["trigger"] for each in started} == {"event"}
    assert all(each["triggerId"] in done.err for each in started)
    again = run(target, "copy", document, "--snapshot", snapshot, "--stack", STACK)
    assert again.code == 1
    assert "already-copied" in again.out
    assert "nothing was asked for" in again.err
    assert asked(target) == 2


def test_copy_without_a_stack_needs_to_be_told(source: Account, target: Account, document: Path) -> None:
    snapshot = shared(source, target)
    refused = run(target, "copy", document, "--snapshot", snapshot)
    assert refused.code == 2
    assert "the stack snapferry cannot be read" in refused.err
    assert asked(target) == 0
    done = run(target, "copy", document, "--snapshot", snapshot, "--direct", "--json")
    assert done.code == 0, done.err
    records = [each for each in lines(done) if each.get("audit") == "snapferry/1"]
    assert [each["event"] for each in records] == ["copy.started"] * 2
    tags = target.client("ec2", NEAR).describe_snapshots(OwnerIds=["self"])["Snapshots"][0]["Tags"]
    assert {"Key": "snapferry:source-snapshot", "Value": snapshot} in tags
    again = run(target, "copy", document, "--snapshot", snapshot, "--direct")
    assert again.code == 1
    assert asked(target) == 2


def test_dead_letters_are_put_back_and_the_unreadable_stay(source: Account, target: Account, policy: Any) -> None:
    stack = deploy(target, policy)
    snapshot = shared(source, target)
    dead = stack.outputs["CopierDeadLetterQueueUrl"]
    sqs = target.client("sqs")
    share = share_event(snapshot)
    for number, body in enumerate(["not an event", share]):
        sqs.send_message(QueueUrl=dead, MessageBody=body, MessageGroupId="copier", MessageDeduplicationId=f"m{number}")
    dry = run(target, "replay", "--dead-letter", dead, "--stack", STACK, "--dry-run")
    assert "would put" in dry.out, dry.err
    assert asked(target) == 0
    done = run(target, "replay", "--dead-letter", dead, "--stack", STACK, "--json")
    assert done.code == 1, done.err
    assert sorted((each["replayed"], each.get("about")) for each in lines(done)) == [(False, None), (True, snapshot)]
    stack.wait_for_audit(event="copy.started", source__snapshot=snapshot, count=2)

    def left() -> list[str]:
        found = sqs.receive_message(QueueUrl=dead, VisibilityTimeout=0, MaxNumberOfMessages=10)
        return [each["Body"] for each in found.get("Messages", [])]

    assert until(left, within=PATIENCE_SECONDS, what="the message that stays") == ["not an event"]


def test_invalid_events_in_logs_become_share_events(
    source: Account, target: Account, policy: Any, tmp_path: Path
) -> None:
    stack = deploy(target, policy)
    snapshot = shared(source, target)
    stack.send(f"{{broken {snapshot}")
    stack.wait_for_audit(event="event.invalid")
    exported = tmp_path / "lines.jsonl"
    exported.write_text("\n".join(stack.log("copy-shared-snapshots")))
    done = run(target, "replay", "--from", exported, "--stack", STACK)
    assert done.code == 0, done.err
    assert "put back  " in done.out
    stack.wait_for_audit(event="copy.started", source__snapshot=snapshot, count=2)
    nothing = run(target, "replay", "--from", tmp_path / "none", "--stack", STACK)
    assert nothing.code == 2
