"""`doctor` against the local AWS: keys that are wrong, and snapshots that cannot be copied."""

import pytest

from tests.cli.doctor import AWAY, STACK, Scene, shared
from tests.e2e import deploy, policies
from tests.e2e.accounts import HOME


@pytest.mark.parametrize("state", ["Disabled", "PendingDeletion"])
def test_key_out_of_use(scene: Scene, state: str) -> None:
    key = scene.target.create_key(AWAY)
    kms = scene.target.client("kms", AWAY)
    if state == "Disabled":
        kms.disable_key(KeyId=key)
    else:
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    snapshot = shared(scene, None)
    found = scene.findings("--snapshot", snapshot, document=scene.policy(key))
    assert {("fail", "key", key), ("fail", "copy-dry-run", f"default {AWAY}")} <= found


def test_key_that_does_not_exist(scene: Scene) -> None:
    key = f"arn:aws:kms:{AWAY}:{scene.target.number}:key/00000000-0000-0000-0000-000000000000"
    assert ("fail", "key", key) in scene.findings(document=scene.policy(key))


def test_aws_managed_key(scene: Scene) -> None:
    key = scene.target.client("kms", AWAY).describe_key(KeyId="alias/aws/ebs")["KeyMetadata"]["Arn"]
    assert ("fail", "key", key) in scene.findings(document=scene.policy(key))


def test_key_of_the_source_account(scene: Scene) -> None:
    """It may be used, and is the source account's to delete."""
    key = scene.source.create_key(AWAY, used_by=scene.target.number)
    assert scene.findings(document=scene.policy(key)) >= {("fail", "key-account", key)}


def test_key_that_ec2_chooses(scene: Scene) -> None:
    """As the local AWS chooses it: not the account's default key for an encrypted source."""
    ec2 = scene.target.client("ec2", AWAY)
    ec2.modify_ebs_default_kms_key_id(KmsKeyId=scene.target.create_key(AWAY))
    document = policies.details([scene.source.number], policies.target(AWAY, keep=(1, "DAYS")))
    told = scene.doctor(document=document).out
    ec2.reset_ebs_default_kms_key_id()
    assert "off, so copies of encrypted snapshots are under the AWS managed key aws/ebs" in told


def test_no_key(scene: Scene) -> None:
    document = policies.details([scene.source.number], policies.target(AWAY, keep=(1, "DAYS")))
    found = scene.findings(document=document)
    assert ("unknown", "target-key", f"default {AWAY}") in found


def test_wrong_region(scene: Scene) -> None:
    """A Region that does not exist, and the command run in another Region than the stack's."""
    key = f"arn:aws:kms:eu-north-7:{scene.target.number}:key/00000000-0000-0000-0000-000000000000"
    assert ("fail", "region-enabled", "eu-north-7") in scene.findings(document=scene.policy(key, "eu-north-7"))
    snapshot = shared(scene, None)
    found = scene.findings(*STACK, "--snapshot", snapshot, "--region", "us-west-2")
    assert {("fail", "stack", deploy.STACK), ("fail", "source", snapshot)} <= found


def test_unshared_snapshot(scene: Scene) -> None:
    snapshot = scene.source.create_snapshot()["SnapshotId"]
    assert ("fail", "source", snapshot) in scene.findings("--snapshot", snapshot)


def test_source_key_out_of_reach(scene: Scene) -> None:
    key = scene.source.create_key(HOME)
    snapshot = shared(scene, key)
    found = scene.findings(*STACK, "--snapshot", snapshot)
    assert {("fail", "source-key", key), ("fail", "stack-parameter", "SourceKeyArns")} <= found


def test_snapshot_on_an_outpost(scene: Scene) -> None:
    snapshot = shared(scene, None)
    scene.aws.control.change_snapshot(snapshot, HOME, outpost_arn="arn:aws:outposts:…")
    assert ("fail", "source", snapshot) in scene.findings("--snapshot", snapshot)


def test_unwanted_snapshot(scene: Scene) -> None:
    snapshot = shared(scene, None)
    document = policies.details(["999999999999"], policies.target(AWAY, key=scene.key))
    assert ("fail", "source-wanted", snapshot) in scene.findings("--snapshot", snapshot, document=document)
