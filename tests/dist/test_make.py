"""`make dist` in a checkout of its own, where the binaries that are built stand in for those that it would build."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra.sam import pack
from tests.e2e import packages

# cargo-lambda leaves what `make build` built where it is asked to; the rest is cargo's.
CARGO = f"""#!{sys.executable}
import os, shutil, sys
from pathlib import Path
if sys.argv[1] != "lambda":
    os.execv({shutil.which("cargo")!r}, sys.argv)
assert os.environ["SNAPFERRY_VERSION"] == "9.8.7" and os.environ["SOURCE_DATE_EPOCH"] == "1700000000"
for word, name in zip(sys.argv, sys.argv[1:]):
    if word == "--bin":
        there = Path(sys.argv[sys.argv.index("--lambda-dir") + 1]) / name
        there.mkdir(parents=True)
        shutil.copy(Path({str(packages.BUILT)!r}) / name / "bootstrap", there)
"""
# Rust's library for arm64 is not there, and cannot be fetched.
RUSTUP = '#!/bin/sh\n[ "$*" = "target list --installed" ] && echo x86_64-unknown-linux-gnu\n'


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("checkout")
    git = {"GIT_COMMITTER_DATE": "@1700000000 +0000", "GIT_CONFIG_GLOBAL": os.devnull, "PATH": os.environ["PATH"]}
    tracked = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(tracked, cwd=packages.REPOSITORY, capture_output=True, text=True, check=True).stdout
    for name in listed.strip("\0").split("\0"):
        if (packages.REPOSITORY / name).is_file():
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(packages.REPOSITORY / name, made / name)
    who = ["-c", "user.name=Someone", "-c", "user.email=someone@example.com"]
    for words in (["init", "--quiet"], ["add", "--all"], [*who, "commit", "--quiet", "--message", "One"]):
        subprocess.run(["git", *words], cwd=made, env=git, check=True)
    programs = made / ".venv/bin"
    programs.mkdir(parents=True)
    for name, text in (("cargo", CARGO), ("rustup", RUSTUP), ("python", f'#!/bin/sh\nexec {sys.executable} "$@"\n')):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    (made / ".venv/.installed").touch()
    return made


def dist(checkout: Path, *words: str) -> subprocess.CompletedProcess[str]:
    # As on a machine without Node.js.
    places = os.environ["PATH"].split(os.pathsep)
    without = [place for place in places if place and not (Path(place) / "npm").exists()]
    needed = checkout / "programs"
    needed.mkdir(exist_ok=True)
    for name in (
        "make",
        "git",
        "bash",
        "rustc",
        "sed",
        "uname",
        "rm",
        "mkdir",
        "grep",
        "install",
        "printf",
        "env",
        "sh",
    ):
        found = shutil.which(name)
        if found and not (needed / name).exists():
            (needed / name).symlink_to(found)
    environment = {**os.environ, "PATH": os.pathsep.join([*without, str(needed)])}
    program = ["make", "--no-print-directory", "dist", "FULL_SDK=1", *words]
    return subprocess.run(program, cwd=checkout, env=environment, capture_output=True, text=True, check=False)


def test_it_says_what_it_cannot_build_and_makes_the_rest(checkout: Path) -> None:
    (checkout / "dist").mkdir()
    (checkout / "dist/old.zip").touch()
    (checkout / "policy.json").write_bytes((packages.REPOSITORY / "infra/policy.example.json").read_bytes())
    run = dist(checkout, "VERSION=9.8.7", "POLICY=policy.json")
    assert run.returncode == 0, run.stderr
    assert "dist/ will be without arm64: Rust's standard library for aarch64-unknown-linux-gnu is not" in run.stderr
    assert "dist/ will be without the CDK constructs, because Node.js" in run.stderr
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=checkout, capture_output=True, text=True, check=True
    ).stdout[:12]
    made = {path.name for path in (checkout / "dist").iterdir()}
    policy, _ = pack.policy((checkout / "policy.json").read_bytes())
    assert made == {
        *(f"{function}-x86_64.zip" for function in pack.FUNCTIONS),
        *("snapferry-linux-x86_64.tar.gz", "sbom.cdx.json", "THIRD-PARTY-LICENSES", "SHA256SUMS", policy),
        *("template.json", "source-account.yaml", "target-region.yaml", "copy-events.yaml", "policy.example.json"),
        *(path.name for path in (checkout / "infra/scp").glob("*.json")),
        *("audit.schema.json", "policy.schema.json", "parameters.py", "RUNBOOK.md"),
    }  # fmt: skip
    template = json.loads((checkout / "dist/template.json").read_text())
    assert template["Metadata"]["Snapferry"] == {"Version": "9.8.7", "Commit": head}
    with zipfile.ZipFile(checkout / "dist/verify-copies-x86_64.zip") as package:
        assert package.comment.decode() == f"snapferry 9.8.7 {head} verify-copies x86_64"
    subprocess.run(["sha256sum", "--quiet", "--check", "SHA256SUMS"], cwd=checkout / "dist", check=True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["VERSION=v9.8.7"], "VERSION=v9.8.7 is not a semantic version"),
        (["VERSION=9.8.7", "POLICY=none.json"], "POLICY=none.json is no file."),
    ],
)
def test_what_it_does_not_take_leaves_the_release_that_is_there(checkout: Path, words: list[str], said: str) -> None:
    shutil.rmtree(checkout / "dist", ignore_errors=True)
    (checkout / "dist").mkdir()
    (checkout / "dist/downloaded.zip").touch()
    run = dist(checkout, *words)
    assert run.returncode != 0
    assert said in run.stderr
    assert [path.name for path in (checkout / "dist").iterdir()] == ["downloaded.zip"]


def test_a_dry_run_leaves_the_release_that_is_there(checkout: Path) -> None:
    shutil.rmtree(checkout / "dist", ignore_errors=True)
    (checkout / "dist").mkdir()
    (checkout / "dist/downloaded.zip").touch()
    dist(checkout, "--dry-run", "VERSION=9.8.7")
    assert [path.name for path in (checkout / "dist").iterdir()] == ["downloaded.zip"]
