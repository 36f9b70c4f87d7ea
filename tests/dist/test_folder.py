"""What lies in the folder of a release, made of the binaries that are built."""

import io
import json
import subprocess
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from infra.sam import pack
from tests.e2e import packages
from tests.e2e.translate import translated
from tools.dist import archive, cdk, command, folder
from tools.dist.identity import Identity

WHAT = Identity("0.2.0-rc.1", "0123456789ab", 1_700_000_000)
COMMAND = packages.BUILT / "snapferry/bootstrap"
PAGES = {"share/man/man1/snapferry.1": b"a page"}
REPOSITORY = packages.REPOSITORY


@pytest.fixture(scope="module")
def built() -> Mapping[str, Path]:
    return {"x86_64": packages.BUILT}


@pytest.fixture(scope="module")
def programs(built: Mapping[str, Path]) -> dict[str, bytes]:
    return folder.programs(built, PAGES, b"texts", WHAT)


def test_each_function_has_a_package_that_names_its_architecture(programs: dict[str, bytes]) -> None:
    packed = {name for name in programs if name.endswith(".zip")}
    assert packed == {f"{function}-x86_64.zip" for function in pack.FUNCTIONS}
    for function in pack.FUNCTIONS:
        with zipfile.ZipFile(io.BytesIO(programs[f"{function}-x86_64.zip"])) as package:
            assert package.comment.decode() == f"snapferry 0.2.0-rc.1 0123456789ab {function} x86_64"
            [member] = package.infolist()
            assert (member.filename, member.external_attr >> 16, member.date_time[0]) == ("bootstrap", 0o755, 1980)
            assert package.read(member) == (packages.BUILT / function / "bootstrap").read_bytes()


def test_the_template_takes_those_packages_and_no_others(programs: dict[str, bytes]) -> None:
    template = json.loads(folder.template(WHAT))
    assert template["Metadata"]["Snapferry"] == {"Version": "0.2.0-rc.1", "Commit": "0123456789ab"}
    functions = [each for each in template["Resources"].values() if each["Type"] == "AWS::Lambda::Function"]
    keys = {each["Properties"]["Code"]["S3Key"]["Fn::Sub"] for each in functions}
    assert all("-${Architecture}.zip" in key for key in keys)
    taken = {key.replace("${CodePrefix}", "").replace("${Architecture}", "x86_64") for key in keys}
    assert taken == {name for name in programs if name.endswith(".zip")}
    assert template["Outputs"] == translated()["Outputs"]


@pytest.mark.parametrize("name", ["source-account", "target-region", "copy-events"])
def test_the_other_templates_differ_by_their_version_only(name: str) -> None:
    text = (REPOSITORY / f"infra/sam/{name}.yaml").read_text()
    made = folder.marked(text, WHAT).decode()
    lines = made.splitlines()
    [said] = [line for line in lines if line.startswith("  Snapferry: ")]
    assert yaml.safe_load(said) == {"Snapferry": {"Version": "0.2.0-rc.1", "Commit": "0123456789ab"}}
    assert lines[lines.index(said) - 1] == "Metadata:"
    assert [line for line in lines if line != said] == text.splitlines()


def test_a_template_without_metadata_is_refused() -> None:
    with pytest.raises(ValueError, match="no Metadata"):
        folder.marked("Resources: {}\n", WHAT)


def test_the_commands_archive_is_what_usr_local_takes(programs: dict[str, bytes]) -> None:
    packed = programs["snapferry-linux-x86_64.tar.gz"]
    members = archive.unpacked(packed)
    assert {place: mode for place, (_, mode) in members.items()} == {
        "bin/snapferry": 0o755,
        "share/man/man1/snapferry.1": 0o644,
        "share/doc/snapferry/LICENSE": 0o644,
        "share/doc/snapferry/THIRD-PARTY-LICENSES": 0o644,
    }
    assert members["bin/snapferry"][0] == COMMAND.read_bytes()
    assert members["share/doc/snapferry/THIRD-PARTY-LICENSES"][0] == b"texts"


def test_the_command_prints_its_own_pages() -> None:
    pages = command.pages(COMMAND)
    manuals = {place.removeprefix("share/man/man1/"): page for place, page in pages.items() if "/man1/" in place}
    assert {"snapferry.1", "snapferry-check.1", "snapferry-audit.1", "snapferry-audit-verify.1"} <= manuals.keys()
    assert all(b".TH" in page for page in manuals.values())
    completions = {place: page for place, page in pages.items() if "/man1/" not in place}
    assert len(completions) == 3
    assert all(b"coverage" in page for page in completions.values())


def test_binaries_of_another_architecture_are_refused() -> None:
    with pytest.raises(ValueError, match="is built for x86_64, and not for arm64"):
        folder.programs({"arm64": packages.BUILT}, {}, b"", WHAT)


def test_the_checksums_are_those_that_sha256sum_takes(tmp_path: Path) -> None:
    target = tmp_path / "dist"
    target.mkdir()
    (target / "verify-copies.zip").write_bytes(b"of an earlier release")
    folder.write(target, {"b.zip": b"b", "a.json": b"a"})
    assert {path.name for path in target.iterdir()} == {"SHA256SUMS", "a.json", "b.zip"}
    said = subprocess.run(
        ["sha256sum", "--check", "SHA256SUMS"], cwd=target, capture_output=True, text=True, check=True
    )
    assert said.stdout == "a.json: OK\nb.zip: OK\n"


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "RUNBOOK.md").write_text("another")
    with pytest.raises(ValueError, match=r"two files are called RUNBOOK\.md"):
        folder.documents([REPOSITORY / "RUNBOOK.md", tmp_path / "RUNBOOK.md"], WHAT)


def test_make_names_the_plain_files(tmp_path: Path) -> None:
    asked = "include Makefile\nlist:\n\t@printf '%s\\n' $(DIST_FILES)\n"
    run = subprocess.run(
        ["make", "--no-print-directory", "--file=-", "list"],
        input=asked, cwd=REPOSITORY, capture_output=True, text=True, check=True,
    )  # fmt: skip
    paths = [REPOSITORY / each for each in run.stdout.split()]
    names = folder.documents(paths, WHAT).keys()
    wanted = {
        "source-account.yaml",
        "target-region.yaml",
        "copy-events.yaml",
        "audit.schema.json",
        "policy.schema.json",
    }
    assert wanted | {"policy.example.json", "RUNBOOK.md"} <= names
    assert {path.name for path in (REPOSITORY / "infra/scp").glob("*.json")} <= names


def test_an_archive_depends_on_its_contents_and_one_time() -> None:
    members = {"b": (b"b", 0o644), "a": (b"a", 0o755)}
    made = archive.tar_gz(members, 1_700_000_000)
    assert made == archive.tar_gz(dict(reversed(members.items())), 1_700_000_000)
    assert archive.unpacked(made) == members
    with tarfile.open(fileobj=io.BytesIO(made)) as opened:
        said = [(each.name, each.mtime, each.uid, each.gid, each.uname, each.gname) for each in opened.getmembers()]
    assert said == [(name, 1_700_000_000, 0, 0, "", "") for name in ("a", "b")]
    # RFC 1952: the time at 4, and no name (the flags at 3).
    assert (made[3], int.from_bytes(made[4:8], "little")) == (0, 1_700_000_000)


def test_the_constructs_have_the_releases_version_and_can_be_published(tmp_path: Path) -> None:
    manifest = json.dumps({"name": "snapferry-cdk", "version": "0.1.0", "private": True, "main": "x.js"}).encode()
    packed = archive.tar_gz({"package/package.json": (manifest, 0o644), "package/x.js": (b"x", 0o644)}, 499_162_500)
    (tmp_path / "snapferry-cdk-0.1.0.tgz").write_bytes(packed)
    [(name, made)] = cdk.package(tmp_path, WHAT).items()
    assert name == "snapferry-cdk-0.2.0-rc.1.tgz"
    members = archive.unpacked(made)
    assert members["package/x.js"] == (b"x", 0o644)
    assert json.loads(members["package/package.json"][0]) == {
        "name": "snapferry-cdk",
        "version": "0.2.0-rc.1",
        "main": "x.js",
    }
