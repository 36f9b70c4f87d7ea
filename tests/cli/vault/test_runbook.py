"""RUNBOOK.md's way from an intrusion to volumes, and its drill: the commands as they stand there, on the local AWS."""

import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import binary
from tests.cli.vault import FAR, NEAR, TARGET, point, policy
from tests.cloud import LocalAws
from tests.e2e.packages import REPOSITORY

RECOVERY = "999999999999"
BEFORE = [datetime(2026, 11, day, 2, tzinfo=UTC) for day in (26, 27, 28)]
AFTER = datetime(2026, 11, 28, 4, tzinfo=UTC)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where the operator works: the policy, the profiles, and the two commands."""
    policy(tmp_path, [NEAR, FAR])
    accounts = {"vault": TARGET, "vault-admin": TARGET, "recovery": RECOVERY}
    profiles = (
        f"[profile {name}]\naws_access_key_id = {account}\naws_secret_access_key = local\n"
        for name, account in accounts.items()
    )
    (tmp_path / "config").write_text("".join(profiles))
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "snapferry").symlink_to(binary())
    (programs / "aws").write_text(f'#!/bin/sh\nexec {sys.executable} {REPOSITORY / "tests/cli/aws_cli.py"} "$@"\n')
    (programs / "aws").chmod(0o755)
    return tmp_path


def commands(title: str) -> str:
    """All of a section's commands, in their order."""
    text = (REPOSITORY / "RUNBOOK.md").read_text()
    [section] = re.findall(rf"^## {title}\n(.+?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    lines = [line[7:] for line in section.splitlines() if line.startswith(" " * 7)]
    assert lines
    return "\n".join(lines)


def follow(aws: LocalAws, place: Path, title: str) -> str:
    """Do what the section says."""
    environment = {
        "PATH": f"{place / 'bin'}:/usr/local/bin:/usr/bin:/bin",
        "AWS_ENDPOINT_URL": aws.endpoint,
        "AWS_CONFIG_FILE": str(place / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }
    assert shutil.which("jq", path=environment["PATH"]), "jq is not there: install it"
    script = f"set -euo pipefail\n{commands(title)}\n"
    done = subprocess.run(
        ["bash", "-c", script], cwd=place, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def volumes(aws: LocalAws, account: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = aws.client("ec2", account, NEAR).describe_volumes()["Volumes"]
    return found


def filled(aws: LocalAws) -> None:
    """Two volumes with points before and after the intrusion, under the vault's key, and one with a later one."""
    key = aws.client("kms", TARGET, NEAR).create_key()["KeyMetadata"]["Arn"]
    made = [
        point(10 * volume + number, NEAR, started, volume=volume, volume_size=4, encrypted=True, kms_key=key)
        for volume in (1, 2)
        for number, started in enumerate([*BEFORE, AFTER])
    ]
    made.append(point(31, NEAR, AFTER, volume=3, encrypted=True, kms_key=key))
    aws.control.create_snapshots(made)


def test_the_day_you_need_it(aws: LocalAws, place: Path) -> None:
    filled(aws)
    aws.control.configure(volume_seconds=0.2)
    out = follow(aws, place, "The day you need it")
    assert "2 volumes can be restored before 2026-11-28T03:00:00Z, 1 cannot." in out
    restored = volumes(aws, RECOVERY)
    tags = [{tag["Key"]: tag["Value"] for tag in volume["Tags"]} for volume in restored]
    assert sorted(each["snapferry-restore:volume"] for each in tags) == [f"vol-{number:017x}" for number in (1, 2)]
    assert {each["snapferry-restore:started"] for each in tags} == {"2026-11-28T02:00:00Z"}
    assert {(volume["Size"], volume["State"]) for volume in restored} <= {(4, "available"), (4, "creating")}
    assert volumes(aws, TARGET) == []
    aws.control.advance_clock(seconds=60)
    assert [volume["State"] for volume in volumes(aws, RECOVERY)] == ["available"] * 2


def test_without_the_key_there_is_no_volume(aws: LocalAws, place: Path) -> None:
    """What step 4 is for: the section would fail without it."""
    filled(aws)
    lines = commands("The day you need it")
    assert "put-key-policy" in lines
    [snapshot] = [each["id"] for each in aws.control.snapshots(account=TARGET) if each["id"].startswith("snap-0c000c")]
    vault, recovery = aws.client("ec2", TARGET, NEAR), aws.client("ec2", RECOVERY, NEAR)
    vault.modify_snapshot_attribute(
        SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", UserIds=[RECOVERY]
    )
    recovery.create_volume(SnapshotId=snapshot, AvailabilityZone=f"{NEAR}a")
    assert volumes(aws, RECOVERY) == []


def test_the_drill(aws: LocalAws, place: Path) -> None:
    filled(aws)
    aws.control.configure(volume_seconds=0.2)
    out = follow(aws, place, "The drill")
    assert "3 volumes available in eu-west-1a; 3 asked for now." in out
    assert re.search(r"Restore drill-\d{4}-\d\d: 3 volumes removed\.", out)
    assert volumes(aws, TARGET) == []
