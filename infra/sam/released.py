"""A release's folder, for `make deploy DIST=…`: is it whole, and what a stack takes from it.

`check` reads the folder and leaves the operator's command of it where it is told; nothing else changes. `place` looks
at the credentials and the bucket, and changes nothing. `upload` brings the packages and the policy to the bucket and
prints its name, and below it the template's parameters of them. These end with a sentence where something is wrong,
before anything is uploaded. `deployed` looks at the code that runs afterwards.
"""

import argparse
import base64
import hashlib
import io
import json
import platform
import re
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from infra.sam import pack

SUMS = "SHA256SUMS"
# The command for macOS is built on another machine, and has a list of its own.
_LISTS = (SUMS, "SHA256SUMS-macos")
TEMPLATE = "template.json"
ARCHITECTURES = ("x86_64", "arm64")
_SUM = re.compile(r"(?P<digest>[0-9a-fA-F]{64}) [ *](?P<name>[^/\\]+)")
# Amazon S3 User Guide, "General purpose bucket naming rules".
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_KEY = re.compile(r"\$\{CodePrefix\}(.+)-\$\{Architecture\}\.zip")


@dataclass(frozen=True)
class Release:
    """What a stack takes from a folder: the functions' packages for one architecture, of the template's version."""

    folder: Path
    version: str
    commit: str
    architecture: str
    packages: dict[str, bytes]
    code: dict[str, str]
    """The package of each function, by the function's logical ID in the template."""

    @property
    def prefix(self) -> str:
        """The folder in the bucket: packages with other contents have another, or CloudFormation would not see them."""
        digest = hashlib.sha256()
        for name in sorted(self.packages):
            digest.update(name.encode() + hashlib.sha256(self.packages[name]).digest())
        return f"snapferry/{self.version}/{digest.hexdigest()[:16]}/"


def read(folder: Path, architecture: str) -> Release:
    """The release in a folder; ValueError with a sentence where a part is missing, damaged or of another version."""
    if architecture not in ARCHITECTURES:
        raise ValueError(f"ARCH={architecture} is not known: {' or '.join(ARCHITECTURES)}")
    if not (folder / SUMS).is_file():
        raise ValueError(f"{folder} has no {SUMS}, so it is no release: `make dist` makes one")
    listed = _listed(folder)
    files = {name: _file(folder, name, listed) for name in sorted({*listed, TEMPLATE})}
    try:
        template = json.loads(files[TEMPLATE])
        said = template["Metadata"]["Snapferry"]
        version, commit, code = str(said["Version"]), str(said["Commit"]), functions(template)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{folder / TEMPLATE} is no release's template: `make dist` makes one") from error
    names = sorted(set(code.values()))
    missing = [name for name in names if f"{name}-{architecture}.zip" not in listed]
    if missing and len(missing) == len(names):
        others = [each for each in ARCHITECTURES if f"{names[0]}-{each}.zip" in listed]
        raise ValueError(f"{folder} has no functions for ARCH={architecture}, only for {', '.join(others) or 'none'}")
    packages = {}
    for name in names:
        file = f"{name}-{architecture}.zip"
        packages[file] = _file(folder, file, listed)
        wanted = f"snapferry {version} {commit} {name} {architecture}"
        found = _said(folder / file, packages[file])
        if found != wanted:
            raise ValueError(f"{folder / file} is '{found}', and {TEMPLATE} wants '{wanted}': they are of two releases")
    taken = {logical: f"{name}-{architecture}.zip" for logical, name in code.items()}
    return Release(folder, version, commit, architecture, packages, taken)


def functions(template: dict[str, Any]) -> dict[str, str]:
    """The functions whose packages a template takes from the bucket, by their logical IDs."""
    found = {}
    for logical, resource in template["Resources"].items():
        if _is_function(resource):
            match = _KEY.fullmatch(str(resource["Properties"]["Code"]["S3Key"]["Fn::Sub"]))
            if not match:
                raise ValueError(f"{TEMPLATE} takes its functions from elsewhere than a release")
            found[logical] = match.group(1)
    if not found:
        raise ValueError(f"{TEMPLATE} has no functions")
    return found


def _is_function(resource: dict[str, Any]) -> bool:
    return bool(resource["Type"] == "AWS::Lambda::Function")


def _listed(folder: Path) -> dict[str, str]:
    """The checksums by file name, as sha256sum writes them."""
    found: dict[str, str] = {}
    for place in (folder / name for name in _LISTS if (folder / name).is_file()):
        for line in place.read_text(errors="replace").splitlines():
            if not (match := _SUM.fullmatch(line)):
                raise ValueError(f"{place} has a line that is no checksum of a file beside it: {line[:100]!r}")
            if found.setdefault(match["name"], match["digest"].lower()) != match["digest"].lower():
                raise ValueError(f"{place} names {match['name']} a second time, with another checksum")
    return found


def _file(folder: Path, name: str, listed: dict[str, str]) -> bytes:
    """A file whose checksum is the one that is listed."""
    if name not in listed:
        raise ValueError(f"no list of checksums in {folder} names {name}: the release is not whole")
    if not (folder / name).is_file():
        raise ValueError(f"{folder / name} is missing: the release is not whole")
    content = (folder / name).read_bytes()
    if hashlib.sha256(content).hexdigest() != listed[name]:
        raise ValueError(f"{folder / name} is not what its checksum says: it is damaged, or was changed")
    return content


def _said(path: Path, content: bytes) -> str:
    """What a function's package says it is; ValueError where it is no package, or has no program."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            if package.namelist() != [pack.PROGRAM] or not package.read(pack.PROGRAM):
                raise ValueError(f"{path} holds no program {pack.PROGRAM}, or more than that")
            return package.comment.decode(errors="replace")
    except zipfile.BadZipFile as error:
        raise ValueError(f"{path} is no ZIP file") from error


def command(folder: Path) -> bytes:
    """The operator's command in a release, for this machine; ValueError where there is none."""
    machine = {"x86_64": "x86_64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    system = {"darwin": "macos"}.get(sys.platform, sys.platform)
    name = f"snapferry-{system}-{machine}.tar.gz"
    listed = _listed(folder)
    if name not in listed:
        raise ValueError(
            f"{folder} has no {name}, and the policy is checked by it: give one that runs here by SNAPFERRY=path"
        )
    try:
        with tarfile.open(fileobj=io.BytesIO(_file(folder, name, listed)), mode="r:gz") as archive:
            member = archive.extractfile("bin/snapferry")
            program = member.read() if member else b""
    except (tarfile.TarError, KeyError, OSError) as error:
        raise ValueError(f"{folder / name} has no bin/snapferry that can be read") from error
    if not program:
        raise ValueError(f"{folder / name} has an empty bin/snapferry")
    return program


def leave_command(release: Release, place: Path) -> None:
    """Leave the operator's command at a place; ValueError where there is none, or it is of another release."""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(command(release.folder))
    place.chmod(0o755)
    try:
        run = subprocess.run([place.absolute(), "--version"], capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ValueError(f"the command of {release.folder} does not run here: {error}") from error
    said, wanted = run.stdout.strip(), f"snapferry {release.version} ({release.commit})"
    if run.returncode or said != wanted:
        raise ValueError(
            f"the command of {release.folder} is '{said}', and {TEMPLATE} is of '{wanted}': they are of two releases"
        )


def place(session: Any, bucket: str | None) -> None:
    """Nothing where credentials and bucket can be used, or the bucket will be made; ValueError with a sentence."""
    account, _, name = _where(session, bucket)
    _is_there(session.client("s3"), name, session.region_name, account, is_chosen=bucket is not None)


def _where(session: Any, bucket: str | None) -> tuple[str, str, str]:
    """The account, and the bucket's name without and with the Region."""
    if not session.region_name:
        raise ValueError("in which Region? make deploy REGION=eu-central-1")
    if bucket is not None and not _BUCKET.fullmatch(f"{bucket}-{session.region_name}"):
        raise ValueError(
            f"BUCKET={bucket} is no bucket's name: with a hyphen and the Region it has 3 to 63 lower-case letters, "
            "digits, dots and hyphens, as in BUCKET=my-code for my-code-eu-central-1"
        )
    account = session.client("sts").get_caller_identity()["Account"]
    stem = bucket or f"snapferry-code-{account}"
    return account, stem, f"{stem}-{session.region_name}"


def upload(session: Any, release: Release, bucket: str | None, policy: bytes) -> dict[str, str]:
    """Bring the packages and the policy to the bucket; what CodeBucket, CodePrefix and PolicyKey are then, and Bucket.
    ValueError with a sentence where the bucket cannot be used; nothing is uploaded then."""
    account, stem, name = _where(session, bucket)
    s3, region = session.client("s3"), session.region_name
    if not _is_there(s3, name, region, account, is_chosen=bucket is not None):
        where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=name, **where)
        print(f"The bucket {name} was made for the packages.", file=sys.stderr)
    layer, content = pack.policy(policy)
    files = {f"{release.prefix}{file}": package for file, package in release.packages.items()}
    files[f"snapferry/{layer}"] = content
    for key, body in files.items():
        s3.put_object(Bucket=name, Key=key, Body=body, ExpectedBucketOwner=account, ChecksumAlgorithm="SHA256")
        print(f"{len(body):8} bytes  s3://{name}/{key}", file=sys.stderr)
    return {"CodeBucket": stem, "CodePrefix": release.prefix, "PolicyKey": f"snapferry/{layer}", "Bucket": name}


def deployed(session: Any, release: Release, stack: str) -> None:
    """Nothing where the stack's functions run the release's code, as Lambda gives its digest; ValueError with a
    sentence where one does not: who can write to the bucket can change a package between upload and deployment."""
    pages = session.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    names = {
        str(each["LogicalResourceId"]): str(each["PhysicalResourceId"])
        for page in pages
        for each in page["StackResourceSummaries"]
        if each["LogicalResourceId"] in release.code and "PhysicalResourceId" in each
    }
    other = []
    for logical, name in sorted(names.items()):
        found = session.client("lambda").get_function_configuration(FunctionName=name)["CodeSha256"]
        wanted = base64.b64encode(hashlib.sha256(release.packages[release.code[logical]]).digest()).decode()
        if found != wanted:
            other.append(logical)
    if other:
        raise ValueError(
            f"{', '.join(other)} of the stack {stack} runs other code than that of {release.folder}: the changes were "
            "not executed, or somebody changed the package in the bucket after it was uploaded. Find out which before "
            "anything else"
        )
    print(f"{len(names)} functions of the stack {stack} run the code of {release.folder}.", file=sys.stderr)


def _is_there(s3: Any, name: str, region: str, account: str, *, is_chosen: bool) -> bool:
    """Whether the bucket is there, this account's and in this Region; ValueError where it cannot be used. The one that
    nobody chose need not be there."""
    try:
        found = s3.head_bucket(Bucket=name, ExpectedBucketOwner=account)
        there = found.get("BucketRegion") or found["ResponseMetadata"]["HTTPHeaders"].get("x-amz-bucket-region", region)
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if status == 404 and not is_chosen:
            return False
        if status == 404:
            raise ValueError(
                f"there is no bucket {name}: BUCKET is its name without the hyphen and the Region"
            ) from error
        if status == 403:
            why = f"the bucket {name} is not this account's ({account}), or {account} may not use it"
            raise ValueError(why) from error
        there = error.response["ResponseMetadata"]["HTTPHeaders"].get("x-amz-bucket-region", "another Region")
    if there != region:
        raise ValueError(f"the bucket {name} is in {there}, and Lambda takes code from one in {region} only")
    return True


def main() -> None:
    """Check a release, upload it, or look whether it is what runs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("what", choices=("check", "place", "upload", "deployed"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--architecture", required=True)
    parser.add_argument("--command", type=Path, help="check: where the operator's command is to be")
    parser.add_argument("--policy", type=Path)
    parser.add_argument("--stack", help="deployed: the stack's name")
    parser.add_argument("--bucket")
    parser.add_argument("--region")
    parser.add_argument("--profile")
    given = parser.parse_args()
    try:
        release = read(given.folder, given.architecture)
        if given.what == "check":
            if given.command:
                leave_command(release, given.command)
            return
        session = boto3.Session(profile_name=given.profile, region_name=given.region)
        if given.what == "place":
            place(session, given.bucket or None)
            return
        if given.what == "deployed":
            deployed(session, release, given.stack)
            return
        found = upload(session, release, given.bucket or None, given.policy.read_bytes())
        print(found.pop("Bucket"))
        print(*(f'{name}="{value}"' for name, value in found.items()))
    except (NoCredentialsError, PartialCredentialsError) as error:
        sys.exit(
            f"DIST={given.folder}: AWS's tools find no credentials of the target account ({error}): give PROFILE=name, "
            "or set AWS_PROFILE; with IAM Identity Center, `aws sso login --profile name` first"
        )
    except (ValueError, BotoCoreError, ClientError, OSError, tarfile.TarError) as error:
        sys.exit(f"DIST={given.folder}: {error}")


if __name__ == "__main__":
    main()
