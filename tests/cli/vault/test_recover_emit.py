"""What `snapferry recover` prints for other tools, held against these tools' own rules."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.vault import FAR, NEAR, NIGHTS, REGIONS, TARGET, VOLUMES, nightly, point, recover
from tests.cloud import LocalAws

RECOVERY = "999999999999"
# Stands for the AWS CLI, and takes down what it is asked for.
_AWS = f"""#!{sys.executable}
import json, os, sys
with open(os.environ["ASKED"], "a+") as asked:
    asked.seek(0)
    earlier = [json.loads(line) for line in asked]
    asked.write(json.dumps(sys.argv[1:]) + "\\n")
if sys.argv[2].startswith("describe-db-"):
    kind = sys.argv[2].removeprefix("describe-").removesuffix("s")
    name = sys.argv[sys.argv.index("--" + kind + "-identifier") + 1]
    begun = ["copy-" + kind in call and name in call for call in earlier]
    looks = [call[1] == sys.argv[2] and name in call for call in earlier]
    states = os.environ.get("STATES", "copying available").split()
    if name in os.environ.get("THERE", "").split():
        print("available")
    elif any(begun):
        state = states[min(sum(looks[begun.index(True):]), len(states) - 1)]
        if state == "unanswered":
            sys.exit("Could not connect to the endpoint URL")
        print(state)
    else:
        print("None")
sys.exit(sum(word in sys.argv for word in os.environ.get("REFUSED", "").split()))
"""


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    written = tmp_path / "volumes.csv"
    written.write_text(f"volume,instance,device,name\n{VOLUMES[1]},i-1,/dev/sda1,it's $HOME\n")
    return written


def asked(script: str, tmp_path: Path, **variables: str) -> list[dict[str, str]]:
    """What a script that comes to its end asks the AWS CLI for: its options."""
    done, calls = ran(script, tmp_path, **variables)
    done.check_returncode()
    return calls


def ran(script: str, tmp_path: Path, **variables: str) -> tuple[subprocess.CompletedProcess[str], list[dict[str, str]]]:
    """How a script ends, and what it asks the AWS CLI for; this refuses the snapshots that REFUSED names, and
    shows each copy of a database that was begun in one of STATES after the other (`unanswered`: an error), and those
    that are THERE."""
    program, log = tmp_path / "aws", tmp_path / "asked"
    program.write_text(_AWS)
    program.chmod(0o755)
    log.write_text("")
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "ASKED": str(log), "PAUSE": "0", **variables}
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=False)
    calls = []
    for line in log.read_text().splitlines():
        words = json.loads(line)
        options: dict[str, str] = {"call": " ".join(words[:2])}
        for at, word in enumerate(words):
            if word.startswith("--"):
                options[word] = "".join(words[at + 1 : at + 2])
        calls.append(options)
    return done, calls


def test_a_script_for_the_aws_cli(aws: LocalAws, document: Path, inventory: Path, tmp_path: Path) -> None:
    nightly(aws)
    done = recover(aws, document, "--target", NEAR, "--emit", "aws-cli", "--inventory", inventory)
    assert (done.code, done.err) == (0, "")
    first, second = asked(done.out, tmp_path, ZONE=f"{NEAR}a")
    assert (first["call"], first["--region"], first["--availability-zone"]) == ("ec2 create-volume", NEAR, f"{NEAR}a")
    assert first["--volume-type"] == "gp3"
    assert "--encrypted" not in first
    (specification,) = json.loads(first["--tag-specifications"])
    tags = {tag["Key"]: tag["Value"] for tag in specification["Tags"]}
    assert (specification["ResourceType"], tags["Name"]) == ("volume", "it's $HOME")
    assert (tags["snapferry-restore:volume"], tags["snapferry-restore:snapshot"]) == (
        VOLUMES[1],
        first["--snapshot-id"],
    )
    assert len({first["--client-token"], second["--client-token"]}) == 2
    assert max(len(first["--client-token"]), len(second["--client-token"])) <= 64
    (keyed, _) = asked(done.out, tmp_path, ZONE=f"{NEAR}a", KMS_KEY="alias/my key", TYPE="gp2")
    assert (keyed["--kms-key-id"], keyed["--volume-type"]) == ("alias/my key", "gp2")
    with pytest.raises(subprocess.CalledProcessError):
        asked(done.out, tmp_path)


def test_templates_for_cloudformation(aws: LocalAws, document: Path, inventory: Path, tmp_path: Path) -> None:
    nightly(aws)
    into = tmp_path / "stacks"
    chosen = ("--target", NEAR, "--emit", "cloudformation", "--inventory", inventory)
    done = recover(aws, document, *chosen, "--into", into)
    assert (done.code, done.out.split()) == (0, [str(into / "restore-1.json")])
    written = into / "restore-1.json"
    assert recover(aws, document, *chosen).out == written.read_text()
    linted = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), "--regions", NEAR, "--", str(written)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert linted.returncode == 0, linted.stdout


def test_more_volumes_than_a_stack_has(aws: LocalAws, document: Path, tmp_path: Path) -> None:
    aws.control.create_snapshots([point(number, NEAR, NIGHTS[0], volume=number) for number in range(1, 502)])
    chosen = ("--target", NEAR, "--emit", "cloudformation")
    done = recover(aws, document, *chosen)
    assert (done.code, done.out) == (2, "")
    assert "2 files" in done.err
    assert "--into" in done.err
    names = recover(aws, document, *chosen, "--into", tmp_path / "stacks").out.split()
    stacks: list[dict[str, Any]] = [json.loads(Path(name).read_text())["Resources"] for name in names]
    assert [len(stack) for stack in stacks] == [500, 1]


def test_nothing_is_emitted_for_two_regions_or_in_silence(aws: LocalAws, document: Path) -> None:
    nightly(aws)
    done = recover(aws, document, "--emit", "aws-cli")
    assert (done.code, done.out) == (2, "")
    assert "name it with --target" in done.err
    chosen = ("--emit", "aws-cli", "--target", NEAR)
    done = recover(aws, document, *chosen, "--volume", VOLUMES[1], "--volume", VOLUMES[9])
    assert (done.code, done.err) == (1, f"warning: {VOLUMES[9]} cannot be restored: there is none in {NEAR}\n")
    assert done.out.count("\nvolume ") == 1
    done = recover(aws, document, *chosen, "--volume", VOLUMES[9])
    assert (done.code, done.out) == (1, "")


def test_what_a_recovery_account_needs(aws: LocalAws, document: Path, tmp_path: Path) -> None:
    key = aws.client("kms", TARGET, NEAR).create_key()["KeyMetadata"]["Arn"]
    made = [
        point(1, NEAR, NIGHTS[0], volume=1, kms_key=key, encrypted=True),
        point(2, FAR, NIGHTS[0], volume=2, encrypted=False),
    ]
    first, second = aws.control.create_snapshots(made)
    since = aws.control.last_call()
    done = recover(aws, document, "--share", RECOVERY)
    assert (done.code, done.err) == (0, "")
    assert not aws.control.calls(since=since, action="ModifySnapshotAttribute")
    for call in asked(done.out, tmp_path):
        assert call["call"] == "ec2 modify-snapshot-attribute"
        aws.client("ec2", TARGET, call["--region"]).modify_snapshot_attribute(
            SnapshotId=call["--snapshot-id"],
            Attribute=call["--attribute"],
            OperationType=call["--operation-type"],
            UserIds=[call["--user-ids"]],
        )
    aws.control.advance_clock(hours=1)
    for region, snapshot in ((NEAR, first), (FAR, second)):
        assert region in REGIONS
        seen = aws.client("ec2", RECOVERY, region).describe_snapshots(SnapshotIds=[snapshot])
        assert len(seen["Snapshots"]) == 1
    report = recover(aws, document, "--share", RECOVERY, "--json").json()
    assert report["keys"] == [{"region": NEAR, "key": key, "copies": 1}]
    assert {statement["Principal"]["AWS"] for statement in report["statements"]} == {f"arn:aws:iam::{RECOVERY}:root"}
    assert key in done.out


def test_a_copy_that_fails_keeps_no_other_from_being_restored_or_shared(
    aws: LocalAws, document: Path, tmp_path: Path
) -> None:
    nightly(aws)
    emitted = recover(aws, document, "--target", NEAR, "--emit", "aws-cli").out
    shared = recover(aws, document, "--target", NEAR, "--share", RECOVERY).out
    for script, told in ((emitted, "no volume was made of"), (shared, "share not changed")):
        _, calls = ran(script, tmp_path, ZONE=f"{NEAR}a")
        copies = [call["--snapshot-id"] for call in calls]
        assert len(copies) == 2
        for refused in (copies[:1], copies[1:], copies):
            done, calls = ran(script, tmp_path, ZONE=f"{NEAR}a", REFUSED=" ".join(refused), failed="x")
            assert [call["--snapshot-id"] for call in calls] == copies
            assert done.returncode == 1
            assert done.stderr.splitlines() == [f"{told}: {copy} (its reason stands above)" for copy in refused]


def test_a_copy_that_cannot_be_shared_is_told(aws: LocalAws, document: Path) -> None:
    managed = aws.client("kms", TARGET, NEAR).describe_key(KeyId="alias/aws/ebs")["KeyMetadata"]["Arn"]
    first, second = aws.control.create_snapshots(
        [
            point(1, NEAR, NIGHTS[0], volume=1, kms_key=managed, encrypted=True),
            point(2, NEAR, NIGHTS[0], volume=2, encrypted=False),
        ]
    )
    told = f"warning: {first} in {NEAR} cannot be shared: it is under a key that AWS manages\n"
    for form in ((), ("--json",)):
        done = recover(aws, document, "--target", NEAR, "--share", RECOVERY, *form)
        assert (done.code, done.err, second in done.out) == (1, told, True)
