"""What `snapferry recover` says of an account: the points, what has none, and why."""

import csv
import io
from pathlib import Path
from typing import Any

from tests.cli.vault import (
    FAR,
    NEAR,
    NIGHTS,
    SOURCE,
    STRANGER,
    TARGET,
    VOLUMES,
    copy,
    moment,
    nightly,
    point,
    recover,
    shared,
)
from tests.cloud import LocalAws


def snapshots(report: Any) -> dict[tuple[str, str], str]:
    return {(at["volume"], at["region"]): at["source"] for at in report["points"]}


def test_the_newest_point_of_each_volume(aws: LocalAws, document: Path) -> None:
    nightly(aws)
    since = aws.control.last_call()
    done = recover(aws, document)
    assert (done.code, done.err) == (0, "")
    actions = {call.action for call in aws.control.calls(since=since)}
    # An earlier policy may have copied databases.
    of_databases = {"DescribeDBSnapshots", "DescribeDBClusterSnapshots"}
    assert actions <= {"DescribeSnapshots", "DescribeKey", "GetCallerIdentity", *of_databases}
    assert "2 volumes can be restored." in done.out
    assert "Older points of the same volumes: 12; --before reaches them." in done.out
    assert "Set 1: 2 volumes of 111111111111" in done.out
    assert "\x1b" not in done.out
    report = recover(aws, document, "--json").json()
    assert (report["format"], report["verdict"], report["account"]) == ("snapferry-recover/1", "recoverable", TARGET)
    newest = {(VOLUMES[v], region): f"snap-{10 * v:017x}" for v in (1, 2) for region in (NEAR, FAR)}
    assert snapshots(report) == newest
    first = report["points"][0]
    assert (first["account"], first["sizeGib"], first["proof"], first["older"]) == (SOURCE, 8, "metadata", 3)
    assert first["started"].rstrip("Z") == moment(NIGHTS[0]).rstrip("Z")
    assert [(each["volumes"], each["inferred"]) for each in report["sets"]] == [(2, True)] * 2


def test_before_the_intrusion_in_one_region(aws: LocalAws, document: Path) -> None:
    nightly(aws)
    before = moment(NIGHTS[1])
    report = recover(aws, document, "--json", "--before", before, "--target", FAR).json()
    assert snapshots(report) == {(VOLUMES[v], FAR): f"snap-{10 * v + 2:017x}" for v in (1, 2)}
    assert len(report["passedOver"]["too-new"]) == 4
    assert report["regions"] == [FAR]
    done = recover(aws, document, "--before", moment(NIGHTS[3]))
    assert done.code == 1
    assert "no point before" in done.out
    assert "0 volumes can be restored before" in done.out
    assert recover(aws, document, "--target", "ap-southeast-2").code == 2
    assert recover(aws, document, "--target", "ap-southeast-2", "--retired-region", "ap-southeast-2").code == 1


def test_what_is_no_point_is_counted_and_never_listed(aws: LocalAws, document: Path) -> None:
    kms = aws.client("kms", TARGET, NEAR)
    lost, disabled = (kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2))
    kms.schedule_key_deletion(KeyId=lost, PendingWindowInDays=7)
    kms.disable_key(KeyId=disabled)
    at = NIGHTS[0]
    aws.control.create_snapshots(
        [
            point(1, NEAR, at, volume=1, kms_key=lost),
            point(2, NEAR, at, volume=2, kms_key=disabled),
            copy(3, NEAR, at, volume=3),
            point(4, NEAR, at, volume=4, tags={"status": "rejected"}),
            point(5, NEAR, at, volume=5, tags={"source-size-gib": None}),
            point(6, NEAR, at, volume=6, tags={"policy": "weekly"}),
            point(7, NEAR, at, volume=7, state="pending", tags={"status": "copying", "copy": None}),
            point(8, NEAR, at, volume=8),
            shared(9, at, volume=9),
        ]
    )
    done = recover(aws, document, "--json")
    report = done.json()
    assert (done.code, report["verdict"], report["volumes"]) == (1, "findings", 1)
    assert [at["volume"] for at in report["points"]] == [VOLUMES[8]]
    assert {reason: len(copies) for reason, copies in report["passedOver"].items()} == {
        "in-flight": 1,
        "key-doomed": 1,
        "key-in-doubt": 1,
        "malformed-tags": 1,
        "policy-not-named": 1,
        "rejected": 1,
        "verdict-not-bound": 1,
    }
    missing = {each["volume"]: each["passedOver"] for each in report["without"]}
    assert missing[VOLUMES[1]] == {"key-doomed": 1}
    assert set(missing) == {VOLUMES[number] for number in (1, 2, 3, 4, 5, 7)}
    table = recover(aws, document)
    assert table.out.index("FINDING") < table.out.index("SNAPSHOT")
    assert "Passed over, key-doomed: 1 copy; the key is gone or about to be deleted" in table.out
    assert "1 volume can be restored, 6 cannot." in table.out
    assert recover(aws, document, "--json", "--retired-policy", "weekly").json()["volumes"] == 2


def test_what_ec2_does_not_describe_in_full_is_no_point(aws: LocalAws, document: Path) -> None:
    unsaid = ("startTime", "encrypted", "volumeSize")
    made = [point(number, NEAR, NIGHTS[0], volume=number) for number in range(1, len(unsaid) + 2)]
    copies = aws.control.create_snapshots(made)
    for each, element in zip(copies, unsaid, strict=False):
        aws.control.change_snapshot(each, NEAR, shown_as={element: None})
    done = recover(aws, document, "--json")
    report = done.json()
    assert (done.code, [at["volume"] for at in report["points"]]) == (1, [VOLUMES[4]])
    assert {reason: len(named) for reason, named in report["passedOver"].items()} == {"not-described": 3}
    assert [each["passedOver"] for each in report["without"]] == [{"not-described": 1}] * 3


def test_volumes_by_name(aws: LocalAws, document: Path, tmp_path: Path) -> None:
    nightly(aws)
    aws.control.create_snapshots([point(90, NEAR, NIGHTS[0], volume=3, tags={"source-account": STRANGER})])
    inventory = tmp_path / "volumes.csv"
    inventory.write_text(
        f'"volume","instance","device","name"\n"{VOLUMES[1]}","i-1","/dev/sda1","=db, root"\n"{VOLUMES[9]}",,,"lost"\n'
    )
    done = recover(aws, document, "--inventory", inventory)
    assert done.code == 1
    assert "=db, root i-1 /dev/sda1" in done.out
    assert "no copy" in done.out
    only = recover(aws, document, "--json", "--inventory", inventory, "--volume", VOLUMES[1], "--target", NEAR)
    (found,) = only.json()["points"]
    assert (only.code, found["instance"], found["device"], found["name"]) == (0, "i-1", "/dev/sda1", "=db, root")
    named = recover(aws, document, "--json", "--volume", VOLUMES[8])
    assert (named.code, [each["volume"] for each in named.json()["without"]]) == (1, [VOLUMES[8]])
    other = recover(aws, document, "--json", "--account", STRANGER).json()
    assert [at["volume"] for at in other["points"]] == [VOLUMES[3]]
    written = tmp_path / "points.csv"
    assert recover(aws, document, "--csv", written, "--inventory", inventory).code == 1
    rows = list(csv.DictReader(io.StringIO(written.read_text(), newline="")))
    assert [row["state"] for row in rows] == ["none"] + ["point"] * 5
    assert (rows[0]["volume"], rows[0]["name"]) == (VOLUMES[9], "lost")
    assert (rows[1]["device"], rows[1]["name"]) == ("/dev/sda1", "'=db, root")


def test_a_proof_is_told(aws: LocalAws, document: Path) -> None:
    aws.control.create_snapshots(
        [
            point(1, NEAR, NIGHTS[0], volume=1, tags={"proof": "sampled 2026-11-29T10:00:00Z"}),
            point(2, NEAR, NIGHTS[0], volume=2, tags={"proof": "of nothing"}),
        ]
    )
    proofs = [(at["proof"], at["proved"]) for at in recover(aws, document, "--json").json()["points"]]
    assert proofs == [("sampled", "2026-11-29T10:00:00Z"), ("metadata", None)]
    assert "sampled 2026-11-29" in recover(aws, document).out


def test_an_empty_vault_and_a_silent_region(aws: LocalAws, document: Path) -> None:
    done = recover(aws, document)
    assert (done.code, done.out) == (1, "There is no point to restore from.\n")
    nightly(aws)
    aws.control.inject_fault(action="DescribeSnapshots", region=FAR, code="UnauthorizedOperation", message="no")
    done = recover(aws, document, "--csv", "-")
    assert (done.code, done.out) == (2, "")
    assert f"the copies in {FAR}: UnauthorizedOperation" in done.err
    assert recover(aws, document, "--target", NEAR).code == 0


def test_only_what_the_options_choose_is_expected(aws: LocalAws, document: Path, tmp_path: Path) -> None:
    aws.control.create_snapshots(
        [
            point(1, NEAR, NIGHTS[0], volume=1),
            point(2, FAR, NIGHTS[0], volume=2),
            point(3, NEAR, NIGHTS[0], volume=3, tags={"source-account": STRANGER}),
            point(4, NEAR, NIGHTS[0], volume=4, tags={"source-account": STRANGER, "source-size-gib": None}),
        ]
    )
    inventory = tmp_path / "volumes.csv"
    inventory.write_text("\n".join(["volume", VOLUMES[1], VOLUMES[2], VOLUMES[3], ""]))
    done = recover(aws, document, "--account", SOURCE, "--inventory", inventory)
    assert (done.code, "2 volumes can be restored." in done.out) == (0, True)
    # One whose account nobody knows for certain may be of this one, and one that is named is wanted.
    inventory.write_text("\n".join(["volume", VOLUMES[3], VOLUMES[4], VOLUMES[9], ""]))
    lost = recover(aws, document, "--account", SOURCE, "--inventory", inventory, "--json")
    assert (lost.code, [each["volume"] for each in lost.json()["without"]]) == (1, [VOLUMES[4], VOLUMES[9]])
    named = recover(aws, document, "--account", SOURCE, "--inventory", inventory, "--volume", VOLUMES[3])
    assert (named.code, f"none of {SOURCE}" in named.out) == (1, True)
    there = recover(aws, document, "--target", NEAR, "--volume", VOLUMES[2])
    assert (there.code, f"none in {NEAR}" in there.out, "no copy" in there.out) == (1, True, False)
    told = recover(aws, document, "--target", NEAR, "--volume", VOLUMES[2], "--emit", "aws-cli")
    assert told.err.splitlines()[0] == f"warning: {VOLUMES[2]} cannot be restored: there is none in {NEAR}"
    assert "no copy" in recover(aws, document, "--volume", VOLUMES[9]).out
