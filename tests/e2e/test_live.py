"""The scenario of `make live-test` on the local AWS: played to its end, spoiled, interrupted; nothing may be left."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cloud import LocalAws, until
from tests.e2e import faults, policies
from tests.e2e.accounts import HOME, Account
from tests.e2e.deploy import Stack, deploy
from tests.e2e.packages import REPOSITORY
from tests.e2e.protect import VERIFIER
from tests.live import scenario
from tests.live.setting import TAG, RefusedError, Setting

NEAR, FAR = "us-west-2", "eu-central-1"
RUN = [sys.executable, "-m", "tests.live"]


@pytest.fixture
def source_key(source: Account, target: Account) -> str:
    """The key of the volumes, which the target account may use."""
    return source.create_key(HOME, used_by=target.number)


@pytest.fixture
def stack(source: Account, target: Account, source_key: str) -> Stack:
    near = policies.target(NEAR, key=target.create_key(NEAR), keep=(3, "DAYS"))
    far = policies.target(
        FAR, key=target.create_key(FAR), keep=(1, "MONTHS"), TagsToAdd=[{"Key": "team", "Value": "backup"}]
    )
    document = policies.details([source.number], near, far)
    return deploy(target, document, **faults.NO_SCHEDULES, SourceKeyArns=source_key)


@pytest.fixture
def setting(source: Account, target: Account, stack: Stack) -> Setting:
    return set_up(source, target, lambda: stack.invoke(VERIFIER, {}))


def set_up(source: Account, target: Account, nudge: Callable[[], Any], say: Callable[[str], None] = print) -> Setting:
    """As with real accounts, but quicker, and with the verifier's schedule played by the test."""
    return Setting(
        *(source.client, target.client, say),
        pause=0.1,
        copy_within=60,
        other_within=10,
        settle=0.5,
        nudge=nudge,
    )


def remains(source: Account, target: Account) -> list[str]:
    """What there is of snapshots and volumes in both accounts."""
    snapshots = source.aws.control.snapshots()
    both = {source.number, target.number}
    volumes = source.client("ec2").describe_volumes(Filters=[{"Name": "tag-key", "Values": [TAG]}])["Volumes"]
    return [each["id"] for each in snapshots if each["owner"] in both] + [each["VolumeId"] for each in volumes]


def play(setting: Setting, **how: Any) -> scenario.Report:
    return scenario.run(scenario.plan(setting, HOME, "snapferry", **how), setting)


def test_two_verified_copies_and_nothing_left(
    source: Account, target: Account, stack: Stack, setting: Setting, aws: LocalAws
) -> None:
    other = source.create_snapshot("not of the test")["SnapshotId"]
    source.share(other, target.number)
    stack.wait_for_audit(event="copy.started", source__snapshot=other, count=2)
    before = sorted(remains(source, target))
    assert len(before) == 3
    report = play(setting)
    assert (report.findings, report.left, report.interrupted) == ([], [], False)
    verified = stack.audit(VERIFIER, event="copy.verified")
    assert sorted(each["copy"]["region"] for each in verified if each["source"]["snapshot"] != other) == [FAR, NEAR]
    assert sorted(remains(source, target)) == before, "what others made stays"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        ({"unencrypted": True}, "rejected, completed"),
        ({"volume_size": 9}, "rejected, completed"),
        ({"state_message": "Given key ID is not accessible"}, "failed, error (Given key ID is not accessible)"),
    ],
    ids=["no encryption", "another size", "failed"],
)
def test_a_spoiled_copy_is_reported_and_removed(
    source: Account, target: Account, setting: Setting, aws: LocalAws, spoil: dict[str, Any], said: str
) -> None:
    aws.control.spoil_copies(account=target.number, region=FAR, times=1, **spoil)
    report = play(setting)
    [finding] = report.findings
    assert f"of policy default in {FAR}: {said}" in finding
    assert not report.fine()
    assert (report.left, remains(source, target)) == ([], [])


def test_a_copy_that_never_ends_is_reported_and_removed(
    source: Account, target: Account, setting: Setting, aws: LocalAws
) -> None:
    aws.control.configure(hold_copies=True)
    report = play(replace(setting, copy_within=3))
    [finding] = report.findings
    assert finding.startswith("a verdict on every copy: not within 0.05 minutes (snap-")
    assert "pending, copying" in finding
    assert (report.left, remains(source, target)) == ([], [])


def test_no_copy_at_all_is_reported(source: Account, target: Account, setting: Setting, aws: LocalAws) -> None:
    aws.control.configure(event_loss=1.0)
    report = play(replace(setting, copy_within=1))
    [finding] = report.findings
    assert "no copy has appeared" in finding
    assert (report.left, remains(source, target)) == ([], [])


def test_a_call_that_is_refused_in_the_middle_leaves_nothing(
    source: Account, target: Account, setting: Setting, aws: LocalAws
) -> None:
    aws.control.inject_fault(action="ModifySnapshotAttribute", account=source.number, code="UnauthorizedOperation")
    report = play(setting)
    [finding] = report.findings
    assert "UnauthorizedOperation" in finding
    assert (report.left, remains(source, target)) == ([], [])


def test_what_was_made_without_an_answer_is_removed_too(
    source: Account, target: Account, setting: Setting, aws: LocalAws
) -> None:
    aws.control.inject_fault(action="CreateSnapshot", account=source.number, drop="after", times=1)
    report = play(setting)
    assert len(report.findings) == 1
    [call] = aws.control.calls(account=source.number, action="CreateSnapshot")
    assert call.executed, "so there was something to remove"
    assert (report.left, remains(source, target)) == ([], [])


@pytest.mark.parametrize("moment", ["Creating a volume", "Creating a snapshot", "Sharing", "Shared", "snap-"])
def test_interrupted_at_any_moment_it_leaves_nothing(
    source: Account, target: Account, stack: Stack, moment: str
) -> None:
    said: list[str] = []

    def say(text: str) -> None:
        said.append(text)
        if text.startswith(moment):
            interruptible.stop.set()

    interruptible = set_up(source, target, lambda: stack.invoke(VERIFIER, {}), say)
    report = play(interruptible)
    assert report.interrupted
    assert (report.left, remains(source, target)) == ([], [])
    assert any(each.startswith(moment) for each in said)


def test_what_cannot_be_removed_is_said_and_the_rest_is_removed(
    source: Account, target: Account, setting: Setting, aws: LocalAws
) -> None:
    refusal = {"account": target.number, "region": FAR, "code": "UnauthorizedOperation"}
    aws.control.inject_fault(action="DeleteSnapshot", **refusal)
    report = play(setting)
    assert report.findings == []
    [left] = report.left
    [copy] = remains(source, target)
    assert f"aws ec2 delete-snapshot --region {FAR} --snapshot-id {copy}" in left
    assert "UnauthorizedOperation" in left
    assert not report.fine()


def test_a_snapshot_that_cannot_be_deleted_is_shared_no_longer(
    source: Account, target: Account, setting: Setting, aws: LocalAws
) -> None:
    aws.control.inject_fault(action="DeleteSnapshot", account=source.number, code="UnauthorizedOperation")
    report = play(setting)
    [left], [snapshot] = report.left, remains(source, target)
    assert f"aws ec2 delete-snapshot --region {HOME} --snapshot-id {snapshot}" in left
    shares = source.client("ec2").describe_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission")
    assert shares["CreateVolumePermissions"] == []


@pytest.mark.parametrize(
    ("named", "refusal"),
    [(False, "may use any key of .*SOURCE_KEY=….*CREATE_KEY=1"), (True, "may use no key of .*CREATE_KEY=1")],
    ids=["any of the source account's keys", "another account's key"],
)
def test_a_key_of_its_own_goes_too(source: Account, target: Account, named: bool, refusal: str) -> None:
    document = policies.details([source.number], policies.target(NEAR, key=target.create_key(NEAR)))
    another = target.create_key(HOME) if named else ""
    stack = deploy(target, document, **faults.NO_SCHEDULES, SourceKeyArns=another)
    created: list[str] = []
    asked_for: list[str] = []

    def say(text: str) -> None:
        print(text)
        created.extend(re.findall(r"Created (arn:\S+)\.", text))
        if "SourceKeyArns=" in text:
            asked_for.append(created[0])
            redeploy(target, SourceKeyArns=created[0])

    setting = set_up(source, target, lambda: stack.invoke(VERIFIER, {}), say)
    with pytest.raises(RefusedError, match=refusal):
        play(setting)
    report = play(setting, create_key=True)
    assert (report.findings, report.left) == ([], [])
    assert asked_for == (created if named else [])
    assert remains(source, target) == []
    key = source.client("kms").describe_key(KeyId=created[0])["KeyMetadata"]
    assert key["KeyState"] == "PendingDeletion"


def keys_of_runs(source: Account) -> list[str]:
    """The state of each key that live tests made."""
    kms = source.client("kms")
    keys = [each["KeyId"] for page in kms.get_paginator("list_keys").paginate() for each in page["Keys"]]
    tags = {key: kms.list_resource_tags(KeyId=key)["Tags"] for key in keys}
    of_runs = [key for key in keys if TAG in {each["TagKey"] for each in tags[key]}]
    return [kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] for key in of_runs]


def test_a_key_that_was_made_without_an_answer_goes_too(
    source: Account, target: Account, setting: Setting, source_key: str, aws: LocalAws
) -> None:
    aws.control.inject_fault(action="CreateKey", account=source.number, drop="after", times=1)
    report = play(setting, create_key=True)
    assert len(report.findings) == 1
    assert report.left == []
    assert set(keys_of_runs(source)) == {"PendingDeletion"}
    described = source.client("kms").describe_key(KeyId=source_key)["KeyMetadata"]
    assert described["KeyState"] == "Enabled", "what others made stays"


def test_a_key_that_perhaps_was_made_is_told_of(
    source: Account, target: Account, setting: Setting, aws: LocalAws
) -> None:
    aws.control.inject_fault(action="CreateKey", account=source.number, drop="after", times=1)
    aws.control.inject_fault(action="ListKeys", account=source.number, code="AccessDeniedException")
    report = play(setting, create_key=True)
    [left] = report.left
    assert left.startswith(f"perhaps a key with the tag {TAG}=")
    assert "AccessDeniedException" in left


def redeploy(target: Account, **changed: str) -> None:
    """Update the stack's parameters."""
    cloudformation = target.client("cloudformation")
    [there] = cloudformation.describe_stacks(StackName="snapferry")["Stacks"]
    names = [each["ParameterKey"] for each in there["Parameters"]]
    cloudformation.update_stack(
        StackName="snapferry",
        UsePreviousTemplate=True,
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        Parameters=[
            {"ParameterKey": name, "ParameterValue": changed[name]}
            if name in changed
            else {"ParameterKey": name, "UsePreviousValue": True}
            for name in names
        ],
    )


def test_no_key_is_made_for_a_stack_that_cannot_be_told_of_it(source: Account, target: Account, aws: LocalAws) -> None:
    """A stack of the CDK's has no such parameter, and the test would wait for it in vain."""
    template = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    target.client("cloudformation").create_stack(StackName="SnapferryVault", TemplateBody=json.dumps(template))
    document = policies.details([source.number], policies.target(NEAR))
    for create_key in (False, True):
        with pytest.raises(RefusedError, match=r"has no parameter SourceKeyArns.*SOURCE_KEY=…"):
            scenario.plan(
                set_up(source, target, lambda: None), HOME, "SnapferryVault", document=document, create_key=create_key
            )
    assert not aws.control.calls(account=source.number, action="CreateKey")


def test_the_same_account_twice_is_refused(target: Account) -> None:
    with pytest.raises(RefusedError, match="nothing can be shared"):
        scenario.plan(set_up(target, target, lambda: None), HOME, "snapferry")


# The command, with profiles


@pytest.fixture
def profiles(tmp_path: Path, source: Account, target: Account, aws: LocalAws) -> dict[str, str]:
    """An environment in which the accounts are profiles."""
    text = [
        f"[profile {name}]\naws_access_key_id = {account.number}\naws_secret_access_key = local\nregion = {HOME}\n"
        for name, account in (("source", source), ("target", target))
    ]
    (tmp_path / "config").write_text("\n".join(text))
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_ENDPOINT_URL": aws.endpoint}


@contextmanager
def start(profiles: dict[str, str], *more: str) -> Iterator[subprocess.Popen[str]]:
    """The command, which does not outlive a test that fails."""
    quick = ["--poll-seconds", "0.2", "--settle-seconds", "1"]
    with subprocess.Popen(
        [*RUN, "--source-profile", "source", "--target-profile", "target", *quick, *more],
        cwd=REPOSITORY,
        env=profiles,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as run:
        try:
            yield run
        finally:
            run.kill()


def test_the_command_estimates_first_and_ends_well(
    source: Account, target: Account, stack: Stack, profiles: dict[str, str]
) -> None:
    def ended() -> bool:
        stack.invoke(VERIFIER, {})
        return run.poll() is not None

    with start(profiles, "--yes") as run:
        until(ended, within=120, what="the command to end")
        assert run.stdout is not None
        output = run.stdout.read()
    assert run.returncode == 0, output
    assert "Every copy is as the policy asks." in output
    assert 0 < output.index("Cost estimate") < output.index("Creating a volume")
    assert remains(source, target) == []


def test_the_command_makes_nothing_that_nobody_confirmed(
    source: Account, target: Account, stack: Stack, profiles: dict[str, str], aws: LocalAws
) -> None:
    with start(profiles) as run:
        output, _ = run.communicate(timeout=120)
    assert run.returncode == 2, output
    assert "Cost estimate" in output
    assert "YES=1" in output
    assert not aws.control.calls(account=source.number, action="CreateVolume")
    assert remains(source, target) == []


def test_ctrl_c_ends_the_command_and_leaves_nothing(
    source: Account, target: Account, stack: Stack, profiles: dict[str, str]
) -> None:
    with start(profiles, "--yes") as run:
        assert run.stdout is not None
        told = ""
        while "copying" not in told:
            line = run.stdout.readline()
            assert line, told
            told += line
        assert remains(source, target)
        run.send_signal(2)
        output, _ = run.communicate(timeout=120)
    assert run.returncode == 130, output
    assert "Interrupted." in output
    assert "Traceback" not in output
    assert remains(source, target) == []
