"""What a release says that it is."""

import subprocess
from pathlib import Path

import pytest

from tools.dist import identity
from tools.dist.identity import Identity


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository of one commit, of 2023-11-14."""
    (tmp_path / "Cargo.toml").write_text('[workspace.package]\nversion = "1.2.3"\n')
    time = {"GIT_AUTHOR_DATE": "@1700000000 +0000", "GIT_COMMITTER_DATE": "@1700000000 +0000"}
    who = ["-c", "user.name=Someone", "-c", "user.email=someone@example.com"]
    for words in (["init", "--quiet"], ["add", "Cargo.toml"], [*who, "commit", "--quiet", "--message", "One"]):
        subprocess.run(
            ["git", *words], cwd=tmp_path, env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), **time}, check=True
        )
    return tmp_path


def test_it_is_the_workspaces_version_and_the_commit(checkout: Path) -> None:
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=checkout, capture_output=True, text=True, check=True).stdout
    found = identity.of(checkout, "", {})
    assert found == Identity("1.2.3", head[:12], 1_700_000_000)
    assert found.timestamp == "2023-11-14T22:13:20Z"
    assert identity.given(found.variables()) == found
    assert identity.of(checkout, "2.0.0-rc.1", {}).version == "2.0.0-rc.1"


def test_a_changed_file_is_marked_and_another_file_is_not(checkout: Path) -> None:
    (checkout / "policy.json").write_text("{}")
    assert not identity.of(checkout, "", {}).commit.endswith("-dirty")
    with (checkout / "Cargo.toml").open("a") as manifest:
        manifest.write("\n")
    assert identity.of(checkout, "", {}).commit.endswith("-dirty")


def test_a_file_that_git_does_not_know_is_marked_where_cargo_would_build_it(checkout: Path) -> None:
    (checkout / "functions/core").mkdir(parents=True)
    (checkout / "functions/core/build.rs").write_text("fn main() {}")
    assert identity.of(checkout, "", {}).commit.endswith("-dirty")


def test_without_a_repository_the_environment_says_it(checkout: Path) -> None:
    # The repository above this folder is another one's.
    inside = checkout / "vendored"
    inside.mkdir()
    (inside / "Cargo.toml").write_bytes((checkout / "Cargo.toml").read_bytes())
    with pytest.raises(ValueError, match="is no git repository that git reads: SNAPFERRY_COMMIT and SOURCE_DATE_EPOCH must say"):
        identity.of(inside, "", {})
    said = {"SNAPFERRY_COMMIT": "abcdef012345", "SOURCE_DATE_EPOCH": "7"}
    assert identity.of(inside, "", said) == Identity("1.2.3", "abcdef012345", 7)


@pytest.mark.parametrize("version", ["v0.1.0", "0.1", "0.1.0;", "01.0.0", "0.1.0-", "0.1.0 rc", "$(date)"])
def test_what_is_no_semantic_version_is_refused(version: str) -> None:
    with pytest.raises(ValueError, match="is not a semantic version"):
        Identity(version, "abcdef012345", 0)


@pytest.mark.parametrize("version", ["0.1.0", "1.0.0-rc.1", "1.0.0+build.7", "10.20.30-x-y.0"])
def test_semantic_versions_are_taken(version: str) -> None:
    assert Identity(version, "abcdef012345", 0).version == version
