"""`snapferry recover --execute` and `--remove`: volumes made once, waited for, and taken back."""

from pathlib import Path
from typing import Any

from tests.cli.vault import FAR, NEAR, NIGHTS, TARGET, VOLUMES, moment, nightly, point, recover
from tests.cloud import LocalAws

ZONE = f"{NEAR}a"
DRILL = ("--target", NEAR, "--name", "drill")
EXECUTE = (*DRILL, "--zone", ZONE, "--execute")


def volumes(aws: LocalAws, region: str = NEAR) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = aws.client("ec2", TARGET, region).describe_volumes()["Volumes"]
    return found


def tags(volume: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in volume.get("Tags", [])}


def test_volumes_are_made_once_found_available_and_taken_back(aws: LocalAws, document: Path) -> None:
    nightly(aws)
    aws.control.configure(volume_seconds=1.0)
    done = recover(aws, document, *EXECUTE, "--json")
    assert (done.code, done.err) == (0, "")
    report = done.json()
    assert (report["format"], report["name"], report["zone"]) == ("snapferry-restore/1", "drill", ZONE)
    made = {line["source"]: line for line in report["volumes"]}
    assert {(line["state"], line["new"], line["sizeGib"]) for line in made.values()} == {("available", True, 8)}
    there = {volume["VolumeId"]: volume for volume in volumes(aws)}
    assert set(there) == {line["volume"] for line in made.values()}
    assert {volume["State"] for volume in there.values()} == {"available"}
    for source, line in made.items():
        volume = there[line["volume"]]
        said = tags(volume)
        assert (volume["SnapshotId"], volume["AvailabilityZone"]) == (line["snapshot"], ZONE)
        assert (said["snapferry-restore:volume"], said["snapferry-restore:name"]) == (source, "drill")
        assert not any(key.startswith("snapferry:") for key in said)
    again = recover(aws, document, *EXECUTE)
    assert (again.code, len(volumes(aws))) == (0, 2)
    assert "2 volumes available in eu-west-1a; 0 asked for now." in again.out
    assert len(aws.control.calls(action="CreateVolume")) == 2
    back = recover(aws, document, *DRILL, "--remove", "--json")
    assert (back.code, [line["state"] for line in back.json()["volumes"]]) == (0, ["removed"] * 2)
    assert {line["volume"] for line in back.json()["volumes"]} == set(there)
    assert volumes(aws) == []
    nothing = recover(aws, document, *DRILL, "--remove")
    assert (nothing.code, nothing.out) == (0, "Restore drill: there is no volume of it.\n")


def test_an_answer_that_was_lost_makes_no_second_volume(aws: LocalAws, document: Path) -> None:
    nightly(aws)
    aws.control.inject_fault(action="CreateVolume", drop="after", times=2)
    done = recover(aws, document, *EXECUTE)
    assert (done.code, len(volumes(aws))) == (0, 2)
    assert len(aws.control.calls(action="CreateVolume")) == 4


def test_what_ec2_refuses_is_told_and_made_the_next_time(aws: LocalAws, document: Path) -> None:
    nightly(aws)
    fault = aws.control.inject_fault(action="CreateVolume", code="VolumeLimitExceeded", message="too many", times=1)
    done = recover(aws, document, *EXECUTE, "--json")
    states = sorted(line["state"] for line in done.json()["volumes"])
    assert (done.code, states, len(volumes(aws))) == (1, ["available", "refused"], 1)
    (refused,) = (line for line in done.json()["volumes"] if line["state"] == "refused")
    assert (refused["volume"], refused["why"].startswith("VolumeLimitExceeded: too many")) == (None, True)
    aws.control.clear(fault)
    assert recover(aws, document, *EXECUTE).code == 0
    assert len({tags(volume)["snapferry-restore:volume"] for volume in volumes(aws)}) == 2
    aws.control.inject_fault(action="DescribeVolumes", code="UnauthorizedOperation", message="no")
    for change in (EXECUTE, (*DRILL, "--remove")):
        done = recover(aws, document, *change)
        assert (done.code, done.out, "EC2 does not say which volumes are there" in done.err) == (2, "", True)
    aws.control.clear()
    assert len(volumes(aws)) == 2


def test_nothing_else_is_deleted(aws: LocalAws, document: Path) -> None:
    first, second = (each for each in nightly(aws)[0:4:2])
    ec2 = aws.client("ec2", TARGET, NEAR)
    assert recover(aws, document, *EXECUTE).code == 0
    other = recover(aws, document, "--target", NEAR, "--name", "incident", "--zone", ZONE, "--execute", "--json").json()
    incident = {line["volume"] for line in other["volumes"]}
    drill = [volume for volume in volumes(aws) if volume["VolumeId"] not in incident]
    # One in use, one that got the tags of another, and one that nobody made for a restore.
    instance = ec2.run_instances(ImageId="ami-00000001", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    ec2.attach_volume(VolumeId=drill[0]["VolumeId"], InstanceId=instance, Device="/dev/sdf")
    copied = [{"ResourceType": "volume", "Tags": drill[1]["Tags"]}]
    impostor = ec2.create_volume(AvailabilityZone=ZONE, SnapshotId=second, TagSpecifications=copied)["VolumeId"]
    blank = ec2.create_volume(AvailabilityZone=ZONE, SnapshotId=first)["VolumeId"]
    done = recover(aws, document, *DRILL, "--remove", "--json")
    assert done.code == 1
    states = {line["volume"]: line["state"] for line in done.json()["volumes"]}
    assert states == {drill[0]["VolumeId"]: "kept", drill[1]["VolumeId"]: "removed", impostor: "kept"}
    left = {volume["VolumeId"] for volume in volumes(aws)}
    assert left >= {drill[0]["VolumeId"], impostor, blank, *incident}
    assert drill[1]["VolumeId"] not in left
    assert "attached: it is in use" in recover(aws, document, *DRILL, "--remove").out


def test_before_a_time_and_without_a_point(aws: LocalAws, document: Path) -> None:
    nightly(aws)
    aws.control.create_snapshots([point(31, NEAR, NIGHTS[1], volume=3, tags={"status": "rejected"})])
    chosen = (*EXECUTE, "--volume", VOLUMES[1], "--volume", VOLUMES[3], "--before", moment(NIGHTS[1]))
    done = recover(aws, document, *chosen, "--json")
    (line,) = done.json()["volumes"]
    assert (done.code, line["source"], line["state"]) == (1, VOLUMES[1], "available")
    assert done.err == f"warning: {VOLUMES[3]} cannot be restored: rejected 1\n"
    (volume,) = volumes(aws)
    assert tags(volume)["snapferry-restore:started"] < moment(NIGHTS[1])


def test_the_key_and_the_type_are_the_operators(aws: LocalAws, document: Path) -> None:
    key = aws.client("kms", TARGET, NEAR).create_key()["KeyMetadata"]["Arn"]
    aws.control.create_snapshots([point(1, NEAR, NIGHTS[0])])
    assert recover(aws, document, *EXECUTE, "--key", key, "--type", "gp2").code == 0
    (volume,) = volumes(aws)
    assert (volume["Encrypted"], volume["VolumeType"]) == (True, "gp2")


def test_what_an_earlier_run_made_otherwise_is_told(aws: LocalAws, document: Path) -> None:
    kms = aws.client("kms", TARGET, NEAR)
    own, other = (kms.create_key()["KeyMetadata"] for _ in range(2))
    kms.create_alias(AliasName="alias/restore", TargetKeyId=own["KeyId"])
    kms.create_alias(AliasName="alias/drill", TargetKeyId=other["KeyId"])
    aws.control.create_snapshots([point(1, NEAR, NIGHTS[0], kms_key=own["Arn"], encrypted=True)])
    assert recover(aws, document, *EXECUTE).code == 0
    (made,) = volumes(aws)
    assert made["KmsKeyId"] == own["Arn"]
    for same in ((), ("--key", own["Arn"]), ("--key", own["KeyId"]), ("--key", "alias/restore")):
        assert recover(aws, document, *EXECUTE, *same).code == 0, same
    for asked, told in (
        ((*EXECUTE, "--key", other["Arn"]), f"is under the key {own['Arn']}, not {other['Arn']}"),
        ((*EXECUTE, "--key", other["KeyId"]), f"is under the key {own['Arn']}, not {other['KeyId']}"),
        ((*EXECUTE, "--key", "alias/drill"), f"is under the key {own['Arn']}, not {other['Arn']}"),
        ((*EXECUTE, "--type", "gp2"), "is of the type gp3, not gp2"),
    ):
        done = recover(aws, document, *asked, "--json")
        (line,) = done.json()["volumes"]
        assert (done.code, line["state"], line["volume"]) == (1, "different", made["VolumeId"])
        assert line["why"].startswith(f"{made['VolumeId']} of an earlier run {told}: ")
        assert "Restore drill: 0 volumes available" in recover(aws, document, *asked).out
    assert len(volumes(aws)) == 1
    # Another zone has volumes of its own.
    assert recover(aws, document, *DRILL, "--execute", "--zone", f"{NEAR}b").code == 0
    assert len(volumes(aws)) == 2
    unknown = recover(aws, document, *EXECUTE, "--key", "alias/nobody")
    assert (unknown.code, unknown.out, "KMS does not say which key alias/nobody is" in unknown.err) == (2, "", True)
    keyed = ("--target", NEAR, "--name", "keyed", "--zone", ZONE, "--execute")
    assert recover(aws, document, *keyed, "--key", other["Arn"]).code == 0
    assert f"is under the key {other['Arn']}, not {own['Arn']}" in recover(aws, document, *keyed).out


def test_wrong_usage_makes_nothing(aws: LocalAws, document: Path) -> None:
    nightly(aws)
    for wrong in (
        ("--execute", "--target", NEAR, "--name", "drill"),
        ("--execute", "--target", NEAR, "--zone", ZONE),
        ("--execute", "--name", "drill", "--zone", ZONE),
        ("--execute", "--target", NEAR, "--name", "a b", "--zone", ZONE),
        ("--execute", "--target", NEAR, "--name", "drill", "--zone", f"{FAR}a"),
        ("--remove", "--target", NEAR),
        ("--remove", "--name", "drill"),
        ("--remove", *EXECUTE),
        (*EXECUTE, "--csv", "-"),
    ):
        done = recover(aws, document, *wrong)
        assert (done.code, done.out) == (2, ""), wrong
    assert volumes(aws) == []
