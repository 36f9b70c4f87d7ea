"""The probes of `make live-probes`, asked of the local AWS: what they ask, what they leave, and what they tell."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.parsers import ResponseParserError

from tests.cloud import LocalAws
from tests.live.probes import databases, questions, report
from tests.live.probes import ground as on
from tests.live.probes.ask import ask
from tests.live.probes.ground import Ground, stand
from tests.live.setting import TAG, RefusedError, Setting

OWNER, RECIPIENT = "444455556666", "777788889999"
HOME, AWAY = "eu-west-1", "us-east-1"
README = Path(__file__).parents[1] / "live" / "README.md"


@pytest.fixture
def ground(aws: LocalAws) -> Ground:
    return prepared(aws)


def prepared(aws: LocalAws, say: Callable[[str], None] = print) -> Ground:
    setting = Setting(
        lambda service, region: aws.client(service, OWNER, region),
        lambda service, region: aws.client(service, RECIPIENT, region),
        say=say,
        pause=0.02,
        settle=1.0,
        other_within=3.0,
        copy_within=10.0,
    )
    return stand(setting, HOME, AWAY)


def remains(aws: LocalAws) -> dict[str, list[Any]]:
    """What there is in the two accounts, keys aside, which wait for their deletion."""
    both = [(each, region) for each in (OWNER, RECIPIENT) for region in (HOME, AWAY)]
    return {
        "snapshots": [each["id"] for each in aws.control.snapshots()],
        "roles": [each for who, _ in both for each in aws.client("iam", who, HOME).list_roles()["Roles"]],
        "queues": [each for at in both for each in aws.client("sqs", *at).list_queues().get("QueueUrls", [])],
        "rules": [each for at in both for each in aws.client("events", *at).list_rules()["Rules"]],
        "keys": [
            each["KeyId"]
            for at in both
            for each in aws.client("kms", *at).list_keys()["Keys"]
            if aws.client("kms", *at).describe_key(KeyId=each["KeyId"])["KeyMetadata"]["KeyState"] == "Enabled"
            and described(aws, at, each["KeyId"]).startswith("Snapferry probe")
        ],
    }


def described(aws: LocalAws, at: tuple[str, str], key: str) -> str:
    text: str = aws.client("kms", *at).describe_key(KeyId=key)["KeyMetadata"]["Description"]
    return text


def answer(found: dict[str, Any], question: str) -> Any:
    [one] = [each["answer"] for each in found["answers"] if each["id"] == question]
    return one


def test_every_question_is_answered_and_nothing_left(aws: LocalAws, ground: Ground) -> None:
    other = aws.control.create_snapshot(OWNER, HOME, tags={TAG: "another run"})
    before = remains(aws)
    found, left = ask(ground)
    assert [each["id"] for each in found["answers"]] == [each.id for each in questions.QUESTIONS]
    assert [each for each in found["answers"] if "failed" in each["answer"]] == []
    assert (left, remains(aws)) == ([], before)
    assert other in before["snapshots"], "what others made stays"


def test_what_the_model_answers(ground: Ground) -> None:
    """Where an answer of AWS's differs, the model is wrong; then this test changes with it."""
    found, _ = ask(ground)
    asked_for = {"state": "completed", "message": None, "encrypted": True, "under the key asked for": True}
    assert answer(found, "cross-copy") == asked_for
    assert answer(found, "cross-copy-without-url") == {**asked_for, "under the key asked for": False}
    assert answer(found, "share-event")["types"]["source"] == "str"
    assert answer(found, "changed-blocks")["outcome"] == "ValidationException, UNRELATED_SNAPSHOTS"
    assert answer(found, "locked-deletion") == {"dry run": "accepted", "deletion": "OperationNotPermitted"}
    assert answer(found, "descriptions")["beyond ASCII"] == "as it was written"


@pytest.mark.parametrize("cluster", [False, True])
def test_a_database_is_copied_where_one_is_named(aws: LocalAws, ground: Ground, cluster: bool) -> None:
    assert ask(ground, ["database-copy"])[0]["answers"][0]["answer"] == {"not asked": databases.NOT_NAMED}
    theirs = {"cluster": cluster, "kms_key": on.source_key(ground)}
    ground.database = aws.control.create_db_snapshot(OWNER, HOME, id="night", **theirs)
    found, left = ask(ground, ["database-copy"])
    told = answer(found, "database-copy")
    exists = "DBClusterSnapshotAlreadyExistsFault" if cluster else "DBSnapshotAlreadyExists"
    assert (told["first"], told["asked again"], told["states"][-1]) == ("accepted", exists, "available")
    ended = told["ended"]
    assert [ended[what] for what in ("under the key asked for", "names its source", "has the tags")] == [True] * 3
    assert [ended["as the source"][what] for what in ("Engine", "AllocatedStorage")] == [True] * 2
    rds = aws.client("rds", RECIPIENT, AWAY)
    copies = rds.describe_db_cluster_snapshots if cluster else rds.describe_db_snapshots
    [*rest] = copies()["DBClusterSnapshots" if cluster else "DBSnapshots"]
    shared = aws.client("rds", RECIPIENT, HOME)
    theirs_seen = shared.describe_db_cluster_snapshots if cluster else shared.describe_db_snapshots
    [*seen] = theirs_seen(SnapshotType="shared")["DBClusterSnapshots" if cluster else "DBSnapshots"]
    assert (left, rest, seen) == ([], [], [])
    with pytest.raises(RefusedError, match="is no snapshot of a database"):
        stand(ground.setting, AWAY, HOME, ground.database)


def test_two_reports_of_one_world_differ_in_nothing_and_of_two_worlds_where_they_do(aws: LocalAws) -> None:
    one, _ = ask(prepared(aws))
    assert report.differences(one, ask(prepared(aws))[0]) == []
    aws.control.configure(presigned_url_needed=False, locked_code="SnapshotLocked")
    differing = report.differences(one, ask(prepared(aws))[0])
    assert [each.partition(":")[0] for each in differing] == ["cross-copy-without-url", "locked-deletion"]
    assert "SnapshotLocked" in differing[1]
    fewer, _ = ask(prepared(aws), ["cross-copy"])
    assert "share-lag: answered in one of the two only" in report.differences(one, fewer)


def test_the_report_names_nobody(aws: LocalAws, ground: Ground) -> None:
    aws.control.inject_fault(
        action="CopySnapshot",
        code="UnauthorizedOperation",
        message=f"User: arn:aws:sts::{RECIPIENT}:assumed-role/admin/jane@example.com is not authorized for "
        "123412341234. Encoded authorization failure message: Xk3-_abc",
    )
    found, _ = ask(ground)
    text = json.dumps(found)
    assert "User: (principal) is not authorized for 000000000000" in text
    for secret in (OWNER, RECIPIENT, "jane", "123412341234", "Xk3-_abc", "snap-0"):
        assert secret not in text


def test_a_probe_that_fails_lets_the_others_be_asked_and_leaves_nothing(aws: LocalAws, ground: Ground) -> None:
    before = remains(aws)
    aws.control.inject_fault(action="CopySnapshot", code="UnauthorizedOperation")
    found, left = ask(ground)
    assert "UnauthorizedOperation" in answer(found, "cross-copy")["failed"]
    assert "failed" not in answer(found, "share-lag")
    assert (left, remains(aws)) == ([], before)


def test_an_answer_that_nobody_can_read_is_an_answer(aws: LocalAws, ground: Ground) -> None:
    def spoil(**_: Any) -> None:
        raise ResponseParserError("not well-formed")

    events = ground.setting.source("ec2", HOME).meta.events
    events.register("after-call.ec2.DescribeSnapshots", spoil)
    try:
        found, left = ask(ground, ["descriptions"])
    finally:
        events.unregister("after-call.ec2.DescribeSnapshots", spoil)
    assert set(answer(found, "descriptions").values()) == {"unreadable: ResponseParserError"}
    assert (left, remains(aws)["snapshots"]) == ([], [])


def test_what_was_made_without_an_answer_is_removed_too(aws: LocalAws, ground: Ground) -> None:
    aws.control.inject_fault(action="CopySnapshot", drop="after", times=1)
    found, left = ask(ground, ["cross-copy"])
    assert "failed" in answer(found, "cross-copy")
    assert (left, remains(aws)["snapshots"]) == ([], [])


@pytest.mark.parametrize("moment", ["cross-copy", "share-lag", "via-service", "locked-deletion"])
def test_interrupted_at_any_question_it_leaves_nothing(aws: LocalAws, moment: str) -> None:
    before, said = remains(aws), list[str]()

    def say(text: str) -> None:
        said.append(text)
        if text.startswith(f"{moment}:"):
            interrupted.setting.stop.set()

    interrupted = prepared(aws, say)
    found, left = ask(interrupted)
    assert moment not in [each["id"] for each in found["answers"]]
    assert (left, remains(aws)) == ([], before)
    assert "Interrupted: the other questions are not asked." in said


def test_what_cannot_be_removed_is_told_with_the_command_that_does(aws: LocalAws, ground: Ground) -> None:
    aws.control.inject_fault(action="DeleteSnapshot", account=OWNER, code="UnauthorizedOperation")
    found, left = ask(ground, ["locked-deletion"])
    [snapshot] = remains(aws)["snapshots"]
    [line] = left
    assert f"aws ec2 delete-snapshot --region {HOME} --snapshot-id {snapshot}" in line
    assert found["left"] == 1


def test_the_program(tmp_path: Path) -> None:
    """On the local AWS: a report and its comparison; and what it says when it cannot run."""
    one, other = tmp_path / "one.json", tmp_path / "other.json"
    for each in (one, other):
        done = program("--local", "--only", "cross-copy", "--report", str(each))
        assert (done.returncode, "Read it before you send it." in done.stdout) == (0, True), done
    assert program("--compare", str(one), str(other)).stdout == "The answers are the same.\n"
    other.write_text(other.read_text().replace('"completed"', '"error"'))
    differing = program("--compare", str(one), str(other))
    assert (differing.returncode, differing.stdout.startswith("cross-copy: ")) == (1, True), differing
    other.write_text("{}")
    assert program("--compare", str(one), str(other)).returncode == 2
    refused = program("--source-profile", "", "--target-profile", "")
    assert (refused.returncode, refused.stderr) == (
        2,
        "Cannot run: Whose accounts? (SOURCE_PROFILE=… TARGET_PROFILE=…)\n",
    )


def program(*arguments: str) -> subprocess.CompletedProcess[str]:
    run = [sys.executable, "-m", "tests.live.probes", *arguments]
    return subprocess.run(run, cwd=README.parents[2], capture_output=True, text=True, check=False, timeout=120)


def test_one_account_or_one_region_is_refused(aws: LocalAws, ground: Ground) -> None:
    alone = Setting(ground.setting.source, ground.setting.source, say=print)
    with pytest.raises(RefusedError, match="nothing can be shared"):
        stand(alone, HOME, AWAY)
    with pytest.raises(RefusedError, match="name another one"):
        stand(ground.setting, HOME, HOME)


def test_the_readme_lists_every_question_and_what_is_not_asked() -> None:
    text = " ".join(README.read_text().split())
    assert [each.id for each in questions.QUESTIONS if f"`{each.id}`" not in text] == []
    assert [each for each in questions.NOT_ASKED if each not in text] == []
