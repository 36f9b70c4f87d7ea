"""The commands that look and act with the target account's credentials, against the local AWS."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Done, run_as, snapferry
from tests.cloud import LocalAws, until
from tests.e2e import policies
from tests.e2e.accounts import Account
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
    done = run_as(target, "plan", document, "--json")
    assert done.code == 0, done.err
    *decisions, last = done.lines()
    assert {(each["action"], each["snapshot"], each["region"]) for each in decisions} == {
        ("copy", wanted, NEAR),
        ("copy", wanted, FAR),
    }
    assert all(each["kmsKey"] and each["account"] == source.number for each in decisions)
    assert last["summary"]["copy"] == 2
    assert other not in done.out
    text = run_as(target, "plan", document)
    assert wanted in text.out
    assert f"{NEAR}: 0 protected" in text.out
    assert asked(target) == 0


def test_plan_says_why_a_snapshot_is_skipped(source: Account, target: Account, document: Path, tmp_path: Path) -> None:
    other = shared(source, target, "staging")
    by_id = run_as(target, "plan", document, "--snapshot", other)
    assert by_id.code == 0
    assert "description-mismatch" in by_id.out
    event = tmp_path / "event.json"
    event.write_text(share_event(other))
    by_event = run_as(target, "plan", document, "--event", event, "--json")
    assert {each.get("reason") for each in by_event.lines()[:-1]} == {"description-mismatch"}


def test_plan_reads_an_event_as_documents_and_others_hand_it_on(
    source: Account, target: Account, document: Path, tmp_path: Path
) -> None:
    wanted = shared(source, target)
    plain = share_event(wanted)
    bare = plain.replace('"result"', '"account": 012345678901, "result"')
    topic = json.dumps({"Type": "Notification", "Message": bare})
    bus = json.dumps({"id": "o", "source": "my.bus", "detail-type": "Forwarded", "detail": json.loads(plain)})
    event = tmp_path / "event.json"
    for body in (bare, topic, bus, json.dumps(plain)):
        event.write_text(body)
        done = run_as(target, "plan", document, "--event", event, "--json")
        assert done.code == 0, done.err
        assert {(each["action"], each["snapshot"]) for each in done.lines()[:-1]} == {("copy", wanted)}, body


def test_plan_with_a_region_down_has_findings(source: Account, target: Account, document: Path, aws: LocalAws) -> None:
    shared(source, target)
    aws.control.take_region_down(NEAR)
    done = run_as(target, "plan", document, "--json")
    assert done.code == 1, done.err
    assert {(each["action"], each["region"]) for each in done.lines()[:-1]} == {("defer", NEAR), ("copy", FAR)}
    [deferred] = [each for each in done.lines()[:-1] if each["action"] == "defer"]
    assert deferred["error"]["code"]
    assert deferred["error"]["message"]
    text = run_as(target, "plan", document).out
    assert f"region-unread {NEAR}: {deferred['error']['code']}: " in text


@pytest.mark.parametrize("command", [["plan"], ["copy", "--snapshot", "snap-01234567"]], ids=lambda each: each[0])
def test_what_cannot_run_says_so(command: list[str], target: Account, document: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text('{"PolicyType": 7}')
    cases = [
        (run_as(target, *command, bad), "is no valid policy"),
        (run_as(target, *command, tmp_path / "none.json"), "cannot be read"),
        (run_as(target, *command, document, AWS_REGION=""), "the Region is empty"),
        (run_as(target, *command, document, AWS_ACCESS_KEY_ID=""), "whose credentials"),
        (run_as(target, *command, document, "--profile", "nobody"), 'no profile "nobody"'),
        (run_as(target, *command, document, AWS_ENDPOINT_URL="nowhere"), "failed to apply endpoint `nowhere`\n"),
        (run_as(target, *command, document, AWS_ENDPOINT_URL="http://127.0.0.1:9"), "whose credentials"),
    ]
    for done, said in cases:
        assert done.code == 2, done
        assert said in done.err
        assert done.out == ""
        assert "Request {" not in done.err
    for done, _ in cases[2:]:
        assert "aws sso login" in done.err


def test_a_named_profile_precedes_the_environment(
    source: Account, target: Account, document: Path, tmp_path: Path
) -> None:
    """As with the AWS CLI: otherwise another account is looked at than the one that was named."""
    config, secrets = tmp_path / "config", tmp_path / "credentials"
    config.write_text("[profile vault]\n[profile nothing]\nregion = eu-west-1\n")
    secrets.write_text(f"[vault]\naws_access_key_id = {target.number}\naws_secret_access_key = x\n")

    def by_source(*args: object, profile: str = "") -> Done:
        files = {"AWS_CONFIG_FILE": str(config), "AWS_SHARED_CREDENTIALS_FILE": str(secrets), "AWS_PROFILE": profile}
        return run_as(source, *args, reader_is_gone=False, **files)

    def account(done: Done) -> str:
        return str(done.json()["checks"][0]["subject"])

    assert account(by_source("doctor", document, "--json", "--profile", "vault")) == target.number
    # The environment's are not taken instead of those that a profile does not have.
    assert by_source("plan", document, "--profile", "nothing").code == 2
    assert account(by_source("doctor", document, "--json", profile="vault")) == source.number


def test_copy_goes_through_the_stacks_queue(source: Account, target: Account, policy: Any, document: Path) -> None:
    stack = deploy(target, policy)
    snapshot = shared(source, target)
    dry = run_as(target, "copy", document, "--snapshot", snapshot, "--dry-run", "--stack", STACK)
    assert dry.code == 0, dry.err
    assert asked(target) == 0
    done = run_as(target, "copy", document, "--snapshot", snapshot, "--stack", STACK)
    assert done.code == 0, done.err
    started = stack.wait_for_audit(event="copy.started", source__snapshot=snapshot, count=2)
    assert {each["trigger"] for each in started} == {"event"}
    assert all(each["triggerId"] in done.err for each in started)
    again = run_as(target, "copy", document, "--snapshot", snapshot, "--stack", STACK)
    assert again.code == 1
    assert "already-copied" in again.out
    assert "nothing was asked for" in again.err
    assert asked(target) == 2


def test_copy_without_a_stack_needs_to_be_told(source: Account, target: Account, document: Path) -> None:
    snapshot = shared(source, target)
    refused = run_as(target, "copy", document, "--snapshot", snapshot)
    assert refused.code == 2
    assert "the stack snapferry cannot be read: ValidationError: Stack" in refused.err
    assert "--direct copies where there is no stack" in refused.err
    assert "Response" not in refused.err
    assert asked(target) == 0
    contradictory = run_as(target, "copy", document, "--snapshot", snapshot, "--direct", "--stack", "any")
    assert contradictory.code == 2
    assert "cannot be used with" in contradictory.err
    done = run_as(target, "copy", document, "--snapshot", snapshot, "--direct", "--json")
    assert done.code == 0, done.err
    records = [each for each in done.lines() if each.get("audit") == "snapferry/1"]
    assert [each["event"] for each in records] == ["copy.started"] * 2
    tags = target.client("ec2", NEAR).describe_snapshots(OwnerIds=["self"])["Snapshots"][0]["Tags"]
    assert {"Key": "snapferry:source-snapshot", "Value": snapshot} in tags
    again = run_as(target, "copy", document, "--snapshot", snapshot, "--direct")
    assert again.code == 1
    assert asked(target) == 2


@pytest.mark.parametrize("how", [[], ["--json"]], ids=["table", "json"])
def test_a_reader_who_has_gone_stops_no_copy(source: Account, target: Account, document: Path, how: list[str]) -> None:
    snapshot = shared(source, target)
    done = run_as(target, "copy", document, "--snapshot", snapshot, "--direct", *how, reader_is_gone=True)
    assert done.code == 0, done.err
    assert asked(target) == 2


@pytest.mark.parametrize("command", ["plan", "coverage"])
@pytest.mark.parametrize("how", [[], ["--json"]], ids=["table", "json"])
def test_a_reader_who_has_gone_is_no_error(
    source: Account, target: Account, document: Path, command: str, how: list[str]
) -> None:
    shared(source, target)
    done = run_as(target, command, document, *how, reader_is_gone=True)
    assert (done.code, done.err) == (0, "")


def test_dead_letters_are_put_back_and_the_unreadable_stay(source: Account, target: Account, policy: Any) -> None:
    stack = deploy(target, policy)
    snapshot = shared(source, target)
    dead = stack.outputs["CopierDeadLetterQueueUrl"]
    sqs = target.client("sqs")
    share = share_event(snapshot)
    for number, body in enumerate(["not an event", share]):
        sqs.send_message(QueueUrl=dead, MessageBody=body, MessageGroupId="copier", MessageDeduplicationId=f"m{number}")
    dry = run_as(target, "replay", "--dead-letter", dead, "--stack", STACK, "--dry-run")
    assert "would put" in dry.out, dry.err
    assert asked(target) == 0
    done = run_as(target, "replay", "--dead-letter", dead, "--stack", STACK, "--json")
    assert done.code == 1, done.err
    *each_one, last = done.lines()
    assert sorted((each["replayed"], each.get("about")) for each in each_one) == [(False, None), (True, snapshot)]
    assert last == {"summary": {"replayed": 1, "left": 1, "notLookedAt": 0}}
    stack.wait_for_audit(event="copy.started", source__snapshot=snapshot, count=2)

    def left() -> list[str]:
        found = sqs.receive_message(QueueUrl=dead, VisibilityTimeout=0, MaxNumberOfMessages=10)
        return [each["Body"] for each in found.get("Messages", [])]

    assert until(left, within=PATIENCE_SECONDS, what="the message that stays") == ["not an event"]


def queue(account: Account, name: str, *bodies: str) -> str:
    """The URL of a FIFO queue with these messages."""
    sqs = account.client("sqs")
    url: str = sqs.create_queue(QueueName=f"{name}.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    for number, body in enumerate(bodies):
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId="copier", MessageDeduplicationId=f"m{number}")
    return url


def held(account: Account, url: str) -> tuple[int, int]:
    """How many messages of a queue can be seen, and how many cannot."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = account.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return int(found[names[0]]), int(found[names[1]])


@pytest.mark.parametrize("reader_is_gone", [False, True])
def test_what_stays_hides_nothing_behind_it(target: Account, *, reader_is_gone: bool) -> None:
    """Whoever reads along."""
    rubbish = [f"rubbish {number}" for number in range(9)]
    dead, copier = queue(target, "dead", *rubbish, *[share_event("snap-01234567")] * 15), queue(target, "copier")
    done = run_as(target, "replay", "--dead-letter", dead, "--queue", copier, reader_is_gone=reader_is_gone)
    assert done.code == 1, done
    assert (held(target, dead), held(target, copier)) == ((9, 0), (15, 0))


def test_what_cannot_be_reached_is_said(target: Account) -> None:
    """A FIFO queue gives nothing behind ten messages that stay."""
    rubbish = [f"rubbish {number}" for number in range(12)]
    dead, copier = queue(target, "dead", *rubbish, *[share_event("snap-01234567")] * 15), queue(target, "copier")
    done = run_as(target, "replay", "--dead-letter", dead, "--queue", copier, "--json")
    assert done.code == 1, done
    assert done.lines()[-1] == {"summary": {"replayed": 0, "left": 10, "notLookedAt": 17}}
    assert held(target, dead) == (27, 0)
    done = run_as(target, "replay", "--dead-letter", dead, "--queue", copier, "--all")
    assert done.code == 0, done
    assert (held(target, dead), held(target, copier)) == ((0, 0), (27, 0))


def test_the_copiers_queue_is_no_dead_letter_queue(target: Account) -> None:
    copier = queue(target, "copier", '{"sweep": "1"}')
    done = run_as(target, "replay", "--dead-letter", copier, "--queue", copier)
    assert done.code == 2
    assert "is the copier's own queue" in done.err
    nowhere = run_as(target, "replay", "--dead-letter", f"{copier}-none", "--queue", copier)
    assert nowhere.code == 2
    assert "QueueService.NonExistentQueue: The specified queue does not exist" in nowhere.err
    assert "Response" not in nowhere.err


def exports() -> dict[str, bytes]:
    """A record as the ways to export logs leave it."""
    members = {"audit": "snapferry/1", "time": "2026-11-22T03:00:00Z", "event": "event.invalid"}
    record = json.dumps({**members, "body": "{broken snap-0123456789abcdef0"}, separators=(",", ":"))
    event = {"logStreamName": "s", "timestamp": 1795316400700, "message": f"{record}\n"}
    return {
        "plain": record.encode(),
        "compressed": gzip.compress(record.encode()),
        "tail": f"2026-11-22T03:00:00+00:00 {{stream}} {record}\n".encode(),
        "answer": json.dumps({"events": [event], "searchedLogStreams": []}, indent=4).encode(),
        "events": json.dumps(event).encode(),
        "not-text": b"\xff\xff\n" + record.encode(),
    }


@pytest.mark.parametrize("form", exports())
def test_every_form_of_export_is_read(form: str, tmp_path: Path) -> None:
    """And a dry run asks nobody for anything."""
    exported = tmp_path / "exported"
    exported.write_bytes(exports()[form])
    done = snapferry("replay", "--from", exported, "--dry-run")
    assert (done.code, "would put" in done.out) == (0, True), done
    assert "snap-0123456789abcdef0" in done.out
    later = snapferry("replay", "--from", exported, "--dry-run", "--since", "2026-11-23")
    assert (later.code, later.out) == (0, ""), later
    assert "no event.invalid record" in later.err


def test_what_is_no_export_is_said(tmp_path: Path) -> None:
    other = tmp_path / "policy.json"
    other.write_text("{}")
    for file in (other, "/dev/null"):
        done = snapferry("replay", "--from", file)
        assert (done.code, done.out) == (2, "")
        assert "no line of Snapferry's audit" in done.err
    done = snapferry("replay", "--from", tmp_path / "none")
    assert done.code == 2
    assert "cannot be read" in done.err


def test_invalid_events_in_logs_become_share_events(
    source: Account, target: Account, policy: Any, tmp_path: Path
) -> None:
    stack = deploy(target, policy)
    snapshot = shared(source, target)
    stack.send(f"{{broken {snapshot}")
    stack.wait_for_audit(event="event.invalid")
    exported = tmp_path / "lines.jsonl"
    exported.write_text("\n".join(stack.log("copy-shared-snapshots")))
    done = run_as(target, "replay", "--from", exported, "--stack", STACK)
    assert done.code == 0, done.err
    assert "put back  " in done.out
    stack.wait_for_audit(event="copy.started", source__snapshot=snapshot, count=2)
    nothing = run_as(target, "replay", "--from", tmp_path / "none", "--stack", STACK)
    assert nothing.code == 2
