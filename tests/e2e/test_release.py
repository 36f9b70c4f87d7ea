"""`make deploy DIST=…`: a stack from a release's folder, without a compiler; what is wrong is said before."""

import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.sam import pack
from tests.cloud import LocalAws, until
from tests.e2e import packages, policies
from tests.e2e.accounts import HOME, Account
from tests.e2e.deploy import PATIENCE_SECONDS, Record, repeated, stack_of
from tests.e2e.test_deploy import FAR, NEAR, VALID, Checkout, checkout, operator
from tools.dist import command, folder
from tools.dist.identity import Identity

__all__ = ["checkout", "operator"]

WHAT = Identity("0.2.0-rc.1", "0123456789ab", 1_700_000_000)
ARCHIVE = "snapferry-linux-x86_64.tar.gz"


@pytest.fixture
def release(checkout: Checkout) -> Path:
    """A release for x86_64, beside the checkout and without what nobody deploys."""
    made = checkout.path.parent / f"{checkout.path.name} release"
    files = folder.programs({"x86_64": packages.BUILT}, {}, b"texts", WHAT)
    files[ARCHIVE] = command_of(WHAT)
    sources = [packages.REPOSITORY / f"infra/sam/{name}.yaml" for name in ("source-account", "target-region")]
    sources.append(packages.REPOSITORY / "infra/sam/parameters.py")
    folder.write(made, {**files, "template.json": folder.template(WHAT), **folder.documents(sources, WHAT)})
    return made


def command_of(identity: Identity) -> bytes:
    """An archive with the command, as if it had been built as that."""
    program = (
        f'#!/bin/sh\n[ "$1" != --version ] || exec echo "snapferry {identity.version} ({identity.commit})"\n'
        f'exec "{packages.BUILT / "snapferry/bootstrap"}" "$@"\n'
    )
    return command.archive(program.encode(), {}, {}, identity.time)


def again(release: Path, change: Callable[[dict[str, bytes]], object]) -> None:
    """Make the folder anew, checksums and all, of changed files."""
    files = {each.name: each.read_bytes() for each in release.iterdir() if each.name != folder.SUMS}
    change(files)
    folder.write(release, files)


def damage(release: Path) -> None:
    (release / "template.json").write_bytes((release / "template.json").read_bytes() + b" ")


def spoil_what_nobody_deploys(release: Path) -> None:
    (release / "source-account.yaml").write_text("Resources: {}")


def add_a_line(release: Path) -> None:
    with (release / folder.SUMS).open("a") as sums:
        sums.write(f"{64 * '0'}  ../../etc/passwd\n")


def a_second_checksum(release: Path) -> None:
    with (release / folder.SUMS).open("a") as sums:
        sums.write(f"{64 * '0'}  template.json\n")


def no_program(release: Path) -> None:
    first = f"{pack.FUNCTIONS[0]}-x86_64.zip"

    def emptied(files: dict[str, bytes]) -> None:
        package = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(files[first])) as whole, zipfile.ZipFile(package, "w") as archive:
            archive.comment = whole.comment
        files[first] = package.getvalue()

    again(release, emptied)


def template_is(content: bytes) -> Callable[[Path], object]:
    return lambda release: again(release, lambda files: files.update({"template.json": content}))


def of_another_commit(release: Path) -> None:
    other = Identity(WHAT.version, "ba9876543210", WHAT.time)
    again(release, lambda files: files.update({"template.json": folder.template(other)}))


def command_of_another_version(release: Path) -> None:
    other = Identity("0.1.0", WHAT.commit, WHAT.time)
    again(release, lambda files: files.update({ARCHIVE: command_of(other)}))


def command_that_does_not_run(release: Path) -> None:
    again(release, lambda files: files.update({ARCHIVE: command.archive(b"\x7fELF", {}, {}, WHAT.time)}))


def of_another_function(release: Path) -> None:
    first, second = (f"{name}-x86_64.zip" for name in pack.FUNCTIONS[:2])
    again(release, lambda files: files.update({first: files[second]}))


@pytest.mark.parametrize(
    ("spoil", "arguments", "message"),
    [
        (lambda release: (release / f"{pack.FUNCTIONS[0]}-x86_64.zip").unlink(), [], "-x86_64.zip is missing"),
        (damage, [], "template.json is not what its checksum says"),
        (of_another_commit, [], "they are of two releases"),
        (spoil_what_nobody_deploys, [], "source-account.yaml is not what its checksum says"),
        (add_a_line, [], "has a line that is no checksum of a file beside it"),
        (a_second_checksum, [], "names template.json a second time, with another checksum"),
        (no_program, [], "holds no program bootstrap"),
        (template_is(b"{}"), [], "template.json is no release's template"),
        (template_is(b"[]"), [], "template.json is no release's template"),
        (template_is(b"<html>"), [], "template.json is no release's template"),
        (lambda release: again(release, lambda files: files.update({ARCHIVE: b"none"})), [], "that can be read"),
        (lambda release: None, ["PARAMETERS=CodeBucket=elsewhere"], "PARAMETERS must not have CodeBucket"),
        (of_another_function, [], "they are of two releases"),
        (lambda release: again(release, lambda files: files.pop(ARCHIVE)), [], f"has no {ARCHIVE}"),
        (lambda release: (release / folder.SUMS).unlink(), [], "it is no release"),
        (lambda release: None, ["ARCH=arm64"], "has no functions for ARCH=arm64, only for x86_64"),
        (lambda release: None, ["ARCH=sparc"], "ARCH=sparc is not known"),
        (lambda release: None, ["PARAMETERS=Policy={}"], "PARAMETERS must not have Policy"),
        (lambda release: None, ["POLICY=absent.json"], "absent.json is no file"),
        (
            command_of_another_version,
            [],
            "is 'snapferry 0.1.0 (0123456789ab)', and template.json is of 'snapferry 0.2.0-rc.1",
        ),
        (command_that_does_not_run, [], "does not run here"),
        (lambda release: None, ["PARAMETERS=LogLevl=debug"], "the template has no LogLevl; perhaps LogLevel"),
        (lambda release: None, [f"REGION={HOME}", "BUCKET=My_Code"], "BUCKET=My_Code is no bucket's name"),
        (lambda release: None, [f"REGION={HOME}"], "find no credentials of the target account"),
        (lambda release: None, [], "in which Region? make deploy REGION=eu-central-1"),
    ],
    ids=[
        "no zip",
        "damaged",
        "two commits",
        "a template",
        "a line",
        "a checksum twice",
        "no program",
        "empty template",
        "a list",
        "a page",
        "no archive",
        "a bucket",
        "two functions",
        "no command",
        "none",
        "arm64",
        "sparc",
        "two",
        "no policy",
        "another command",
        "no command that runs",
        "parameter",
        "name of a bucket",
        "no credentials",
        "no Region",
    ],
)
def test_what_cannot_be_deployed_is_said_before_anything_changes(
    checkout: Checkout, release: Path, spoil: Callable[[Path], object], arguments: list[str], message: str
) -> None:
    spoil(release)
    run = checkout.deploy_release(release, checkout.write(VALID), f"SAM={checkout.stand_in('sam')}", *arguments)
    assert run.returncode != 0
    assert message in run.stderr, run.stderr
    assert (checkout.called("cargo"), checkout.called("sam")) == ([], [])


def test_an_invalid_policy_is_refused_by_the_command_of_the_release(checkout: Checkout, release: Path) -> None:
    given = checkout.write({**VALID, "Actoins": []})
    run = checkout.deploy_release(release, given, f"SAM={checkout.stand_in('sam')}")
    assert run.returncode != 0
    assert "error: Actoins: unknown member" in run.stderr
    assert checkout.called("sam") == []


def objects(account: Account) -> list[str]:
    """What lies in all buckets of an account."""
    s3 = account.client("s3", HOME)
    buckets = [each["Name"] for each in s3.list_buckets()["Buckets"]]
    return [each["Key"] for bucket in buckets for each in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]


def test_a_bucket_that_cannot_be_used_is_said_and_nothing_is_uploaded(
    checkout: Checkout, release: Path, target: Account, operator: dict[str, str]
) -> None:
    given = [checkout.write(VALID), f"SAM={checkout.stand_in('sam')}", f"REGION={HOME}"]
    missing = checkout.deploy_release(release, *given, "BUCKET=nowhere", **operator)
    assert missing.returncode != 0
    assert f"there is no bucket nowhere-{HOME}" in missing.stderr, missing.stderr
    away = f"code-{target.number}-{HOME}"
    place = {"LocationConstraint": FAR}
    target.client("s3", FAR).create_bucket(Bucket=away, CreateBucketConfiguration=place)
    elsewhere = checkout.deploy_release(release, *given, f"BUCKET=code-{target.number}", **operator)
    assert elsewhere.returncode != 0
    assert f"the bucket {away} is in {FAR}, and Lambda takes code from one in {HOME} only" in elsewhere.stderr
    assert checkout.called("sam") == []
    assert not [each for each in objects(target) if each.startswith("snapferry/0.2.0")]


def test_a_release_is_deployed_and_copies(
    checkout: Checkout, release: Path, source: Account, target: Account, aws: LocalAws, operator: dict[str, str]
) -> None:
    policy = policies.details([source.number], policies.target(NEAR))
    sam = f"SAM={packages.REPOSITORY / '.venv-sam/bin/sam'}"
    given = [checkout.write(policy), sam, f"REGION={HOME}", "YES=1"]
    run = checkout.deploy_release(release, *given, **operator)
    assert run.returncode == 0, f"{run.stdout}\n{run.stderr}\n{aws.log_tail()}"
    assert checkout.called("cargo") == [], "nothing is compiled"
    assert f"The bucket snapferry-code-{target.number}-{HOME} was made" in run.stderr
    [deployed] = target.client("cloudformation", HOME).describe_stacks(StackName="snapferry")["Stacks"]
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in deployed["Parameters"]}
    assert parameters == {**parameters, **repeated(policy), "Policy": "", "Architecture": "x86_64"}
    assert parameters["CodePrefix"].startswith("snapferry/0.2.0-rc.1/")
    snapshot = source.create_snapshot()["SnapshotId"]
    source.share(snapshot, target.number)
    stack = stack_of(target)
    stack.wait_for_audit(event="copy.started", source__snapshot=snapshot)
    assert re.search(r"3 functions of the stack snapferry run the code of .* release", run.stderr)
    # The same once more changes nothing, and finds its bucket.
    second = checkout.deploy_release(release, *given, **operator)
    assert second.returncode == 0, second.stderr
    assert "was made" not in second.stderr


def test_code_that_was_changed_between_upload_and_deployment_is_named(
    checkout: Checkout, release: Path, source: Account, target: Account, operator: dict[str, str]
) -> None:
    sam = checkout.path / "stand-ins" / "another-sam"
    sam.write_text(
        f"#!{sys.executable}\nimport os, sys\nimport boto3\ns3 = boto3.client('s3', region_name={HOME!r})\n"
        f"bucket = 'snapferry-code-{target.number}-{HOME}'\n"
        "keys = [each['Key'] for each in s3.list_objects_v2(Bucket=bucket)['Contents']]\n"
        "[verifier] = [key for key in keys if 'verify-copies' in key]\n"
        "[copier] = [key for key in keys if 'copy-shared-snapshots' in key]\n"
        "s3.copy_object(Bucket=bucket, Key=verifier, CopySource={'Bucket': bucket, 'Key': copier})\n"
        f"sam = {str(packages.REPOSITORY / '.venv-sam/bin/sam')!r}\nos.execv(sam, [sam, *sys.argv[1:]])\n"
    )
    sam.chmod(0o755)
    policy = policies.details([source.number], policies.target(NEAR))
    given = [checkout.write(policy), f"SAM={sam}", f"REGION={HOME}"]
    run = checkout.deploy_release(release, *given, **operator)
    assert run.returncode != 0
    assert "VerifyCopies of the stack snapferry runs other code than that of" in run.stderr, run.stderr


def test_an_upgrade_from_what_was_built_keeps_the_parameters(
    checkout: Checkout, release: Path, source: Account, target: Account, aws: LocalAws, operator: dict[str, str]
) -> None:
    sam = f"SAM={packages.REPOSITORY / '.venv-sam/bin/sam'}"
    given = [checkout.write(policies.details([source.number], policies.target(NEAR))), sam, f"REGION={HOME}", "YES=1"]
    built = checkout.deploy(*given, "PARAMETERS=LogLevel=debug", **operator)
    assert built.returncode == 0, f"{built.stdout}\n{built.stderr}\n{aws.log_tail()}"
    before = {each["CodeSha256"] for each in target.client("lambda", HOME).list_functions()["Functions"]}
    run = checkout.deploy_release(release, *given, **operator)
    assert run.returncode == 0, f"{run.stdout}\n{run.stderr}\n{aws.log_tail()}"
    [deployed] = target.client("cloudformation", HOME).describe_stacks(StackName="snapferry")["Stacks"]
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in deployed["Parameters"]}
    assert parameters["LogLevel"] == "debug"
    after = {each["CodeSha256"] for each in target.client("lambda", HOME).list_functions()["Functions"]}
    assert not before & after, "the packages are the release's"


# Stands for the AWS CLI, as far as docs/DEPLOY.md uses it.
CLI = """
import os, sys
from pathlib import Path
import boto3
words = sys.argv[1:]
options = {each: words[at + 1] for at, each in enumerate(words[:-1]) if each.startswith("--")}
name = options.get("--s3-bucket") or words[-1].split("/")[2]
region, endpoint = "us-east-1", os.environ["AWS_ENDPOINT_URL"]
s3 = boto3.client("s3", endpoint_url=endpoint, region_name=region)
if words[:2] == ["s3", "cp"]:
    for file in Path(".").glob("*.zip"):
        s3.put_object(Bucket=name, Key=words[-1].split("/", 3)[3] + file.name, Body=file.read_bytes())
else:
    body = Path(options["--template-file"]).read_bytes()
    s3.put_object(Bucket=name, Key="template", Body=body)
    given = words[words.index("--parameter-overrides") + 1:]
    boto3.client("cloudformation", endpoint_url=endpoint, region_name=options["--region"]).create_stack(
        StackName=options["--stack-name"], TemplateURL=f"https://s3.{region}.amazonaws.com/{name}/template",
        Capabilities=[options["--capabilities"]],
        Parameters=[dict(zip(("ParameterKey", "ParameterValue"), each.split("=", 1))) for each in given])
"""


def as_documented(
    release: Path, policy: object, stand_in: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run docs/DEPLOY.md's commands in the release's folder, with nothing of the checkout."""
    text = (packages.REPOSITORY / "docs/DEPLOY.md").read_text()
    section = text.partition("## With the AWS CLI alone\n")[2].partition("\n## ")[0]
    [commands] = re.findall(r"^    sha256sum.*?\$parameters$", section, re.MULTILINE | re.DOTALL)
    commands = commands.replace("eu-central-1", HOME).replace("my-code", environment["BUCKET"])
    (release / "policy.json").write_text(json.dumps(policy))
    stand_in.parent.mkdir(exist_ok=True)
    stand_in.write_text(f"#!{sys.executable}\n{CLI}")
    stand_in.chmod(0o755)
    path = f"{stand_in.parent}:{Path(sys.executable).parent}:/usr/bin:/bin"
    return subprocess.run(
        ["bash", "-c", commands],
        cwd=release,
        env={**environment, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_releases_folder_and_the_aws_cli_are_enough(
    release: Path, tmp_path: Path, source: Account, target: Account, operator: dict[str, str], aws: LocalAws
) -> None:
    stem = f"code-{target.number}"
    target.client("s3", HOME).create_bucket(Bucket=f"{stem}-{HOME}")
    policy = policies.details([source.number], policies.target(NEAR, key=target.create_key(NEAR)))
    refused = as_documented(release, {**policy, "Actoins": []}, tmp_path / "bin/aws", BUCKET=stem, **operator)
    assert refused.returncode != 0
    assert "error: Actoins: unknown member" in refused.stderr
    assert objects(target) == [], "nothing is uploaded"
    run = as_documented(release, policy, tmp_path / "bin/aws", BUCKET=stem, **operator)
    assert run.returncode == 0, f"{run.stdout}\n{run.stderr}\n{aws.log_tail()}"
    snapshot = source.create_snapshot()["SnapshotId"]
    source.share(snapshot, target.number)
    stack = stack_of(target)
    stack.wait_for_audit(event="copy.started", source__snapshot=snapshot)

    def verified() -> list[Record]:
        stack.invoke("verify-copies", {})
        return stack.audit("verify-copies", event="copy.verified", source__snapshot=snapshot)

    [record] = until(verified, within=PATIENCE_SECONDS, what="a verified copy")
    assert record["copy"]["region"] == NEAR
    # What is damaged since is not uploaded, though the command is there from the first time.
    before = {each["ETag"] for each in target.client("s3", HOME).list_objects_v2(Bucket=f"{stem}-{HOME}")["Contents"]}
    spoiled = release / f"{pack.FUNCTIONS[0]}-x86_64.zip"
    spoiled.write_bytes(spoiled.read_bytes() + b" ")
    sums = (release / "SHA256SUMS").read_text()
    no_sum = "".join(line[line.endswith(f"{spoiled.name}\n") :] for line in sums.splitlines(keepends=True))
    for said in (sums, no_sum):
        (release / "SHA256SUMS").write_text(said)
        again_refused = as_documented(release, policy, tmp_path / "bin/aws", BUCKET=stem, **operator)
        assert again_refused.returncode != 0
    after = {each["ETag"] for each in target.client("s3", HOME).list_objects_v2(Bucket=f"{stem}-{HOME}")["Contents"]}
    assert after == before
