"""The tool that cuts AWS's SDK crates down, on a made-up crate of the same layout that needs nothing but rustc."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from tools.slim_sdk import __main__ as driver
from tools.slim_sdk.cut import LayoutError, cut

CRATE = {
    "Cargo.toml": '[package]\nname = "aws-sdk-toy"\nversion = "1.0.0"\n',
    "src/lib.rs": """pub use client::Client;
pub mod client;
pub mod operation;
pub mod types;
pub(crate) mod protocol_serde;
mod error_meta;
mod event_receiver;
mod lens;
/// Polls.
pub mod waiters;
""",
    "src/client.rs": """mod fly;

mod walk;

/// Waits.
pub trait Waiters {
    fn wait_until_flown(&self) -> crate::waiters::Flown;
}
pub struct Client;
""",
    "src/client/walk.rs": """impl super::Client {
    pub fn walk(&self) -> crate::operation::walk::Walk {
        crate::operation::walk::Walk(None)
    }
}
""",
    "src/client/fly.rs": """impl super::Client {
    pub fn fly(&self) -> crate::operation::fly::Fly {
        crate::operation::fly::Fly(None)
    }
}
""",
    "src/operation.rs": "/// Types for `Fly`.\npub mod fly;\n\n/// Types for `Walk`.\npub mod walk;\n",
    "src/operation/walk.rs": """pub struct Walk(pub Option<crate::types::Leg>);
pub fn send(walk: &Walk) -> usize {
    crate::protocol_serde::shape_walk::ser_walk(walk) + crate::lens::legs_of_walk(walk)
}
""",
    "src/operation/fly.rs": """pub struct Fly(pub Option<crate::types::Wing>);
pub fn send(fly: &Fly) -> usize {
    crate::protocol_serde::shape_fly::ser_fly(fly) + crate::lens::wings_of_fly(fly)
}
""",
    "src/protocol_serde.rs": "pub(crate) mod shape_fly;\n\npub(crate) mod shape_walk;\n",
    "src/protocol_serde/shape_walk.rs": """pub fn ser_walk(_walk: &crate::operation::walk::Walk) -> usize {
    1
}
""",
    "src/protocol_serde/shape_fly.rs": """pub fn ser_fly(_fly: &crate::operation::fly::Fly) -> usize {
    crate::event_receiver::receive()
}
""",
    "src/types.rs": """pub use crate::types::_leg::Leg;

pub use crate::types::_foot::Foot;

pub use crate::types::_wing::Wing;

mod _foot;

mod _leg;

mod _wing;

/// Builders
pub mod builders;
""",
    "src/types/_leg.rs": "pub struct Leg(pub crate::types::Foot);\n",
    "src/types/_foot.rs": "pub struct Foot;\n",
    "src/types/_wing.rs": "pub struct Wing;\n",
    "src/types/builders.rs": "",
    "src/lens.rs": """pub(crate) fn legs_of_walk(_walk: &crate::operation::walk::Walk) -> usize {
    2
}

pub(crate) fn wings_of_fly(_fly: &crate::operation::fly::Fly) -> usize {
    2
}
""",
    "src/error_meta.rs": """pub enum Error {
    Unhandled,
}
impl From<crate::operation::walk::Walk> for Error {
    fn from(_: crate::operation::walk::Walk) -> Self {
        Self::Unhandled
    }
}
impl From<crate::operation::fly::Fly> for Error {
    fn from(_: crate::operation::fly::Fly) -> Self {
        Self::Unhandled
    }
}
""",
    "src/event_receiver.rs": "pub fn receive() -> usize {\n    3\n}\n",
    "src/waiters.rs": "pub struct Flown(pub crate::operation::fly::Fly);\n",
}
OF_WALKING = {
    *("Cargo.toml", "src/client.rs", "src/client/not_listed.rs", "src/client/walk.rs", "src/error_meta.rs"),
    *("src/lens.rs", "src/lib.rs", "src/operation.rs", "src/operation/walk.rs", "src/protocol_serde.rs"),
    *("src/protocol_serde/shape_walk.rs", "src/types.rs", "src/types/_foot.rs", "src/types/_leg.rs"),
    "src/types/builders.rs",
}


@pytest.fixture
def crate(tmp_path: Path) -> Path:
    """The made-up crate."""
    folder = tmp_path / "registry/aws-sdk-toy-1.0.0"
    for name, text in CRATE.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def compile_library(crate: Path, to: Path) -> subprocess.CompletedProcess[str]:
    """What rustc says of the crate, warnings being errors."""
    options = ["--edition", "2021", "--crate-type", "lib", "--crate-name", "aws_sdk_toy", "-D", "warnings"]
    return subprocess.run(
        ["rustc", *options, "-o", str(to), str(crate / "src/lib.rs")], capture_output=True, text=True, check=False
    )


def test_only_what_the_operations_need_is_left_and_compiles(crate: Path, tmp_path: Path) -> None:
    cut(crate, tmp_path / "aws-sdk-toy", ["walk"])
    left = {str(path.relative_to(tmp_path / "aws-sdk-toy")) for path in (tmp_path / "aws-sdk-toy").rglob("*.*")}
    assert left == OF_WALKING
    assert "wings_of_fly" not in (tmp_path / "aws-sdk-toy/src/lens.rs").read_text()
    compiled = compile_library(tmp_path / "aws-sdk-toy", tmp_path / "libaws_sdk_toy.rlib")
    assert compiled.returncode == 0, compiled.stderr


def test_the_compiler_says_which_operation_is_not_listed_and_where_to_add_it(crate: Path, tmp_path: Path) -> None:
    cut(crate, tmp_path / "aws-sdk-toy", ["walk"])
    library = tmp_path / "libaws_sdk_toy.rlib"
    assert compile_library(tmp_path / "aws-sdk-toy", library).returncode == 0
    caller = tmp_path / "caller.rs"
    caller.write_text("fn main() { let client = aws_sdk_toy::Client; client.walk(); client.fly(); }\n")
    command = ["rustc", "--edition", "2021", "--extern", f"aws_sdk_toy={library}", "--emit", "metadata", str(caller)]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False).stderr
    assert "fly` is not in this build's copy of aws-sdk-toy" in told
    assert "add it to tools/slim_sdk/operations.toml" in told
    assert "walk" not in told.replace("client.walk()", "")


@pytest.mark.parametrize(
    ("change", "operations", "sentence"),
    [
        ({}, ["swim", "walk"], "aws-sdk-toy-1.0.0 has no operation swim (names are in snake case)"),
        ({"src/types.rs": None}, ["walk"], "aws-sdk-toy-1.0.0 is no .* that this tool knows: it has no src/types.rs"),
        (
            {"src/client/walk.rs": "use crate::operation::fly::Fly;\n"},
            ["walk"],
            r"that this tool knows: src/client/walk.rs needs operation::fly",
        ),
        (
            {"src/operation/walk.rs": "use crate::types::_toe::Toe;\n"},
            ["walk"],
            r"that this tool knows: src/operation/walk.rs needs types::_toe",
        ),
    ],
)
def test_what_cannot_be_cut_is_said_in_a_sentence(
    crate: Path, tmp_path: Path, change: dict[str, str | None], operations: list[str], sentence: str
) -> None:
    for name, text in change.items():
        (crate / name).unlink() if text is None else (crate / name).write_text(text)
    with pytest.raises(LayoutError, match=sentence.replace("(", r"\(").replace(")", r"\)")):
        cut(crate, tmp_path / "aws-sdk-toy", operations)


def workspace(crate: Path, tmp_path: Path) -> Path:
    """A workspace that depends on the crate as if it came from a registry."""
    root = tmp_path / "workspace"
    (root / "src").mkdir(parents=True)
    (root / "src/lib.rs").write_text("")
    (root / "Cargo.toml").write_text('[package]\nname = "root"\nversion = "0.1.0"\n')
    lock = '[[package]]\nname = "aws-sdk-toy"\nversion = "1.0.0"\nchecksum = "c"\n'
    (root / "Cargo.lock").write_text(lock)
    shutil.copytree(crate, tmp_path / "fetched")
    return root


def times(folder: Path) -> dict[str, int]:
    """When each file was written."""
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_a_second_run_writes_nothing_and_a_longer_list_only_what_differs(
    crate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, folder = workspace(crate, tmp_path), tmp_path / "target"
    asked = []

    def fetched(root: Path) -> dict[str, Path]:
        asked.append(root)
        return {"aws-sdk-toy": crate}

    monkeypatch.setattr(driver, "_sources", fetched)
    config = driver.make(root, {"aws-sdk-toy": ["walk"]}, folder)
    assert tomllib.loads(config.read_text()) == {"paths": [str(folder / "aws-sdk-toy-1.0.0")]}
    before = times(folder)
    driver.make(root, {"aws-sdk-toy": ["walk"]}, folder)
    assert (times(folder), len(asked)) == (before | {".lock": times(folder)[".lock"]}, 1)
    driver.make(root, {"aws-sdk-toy": ["fly", "walk"]}, folder)
    after = times(folder)
    assert "aws-sdk-toy-1.0.0/src/operation/fly.rs" in after
    same = [name for name in before if name.startswith("aws-sdk-toy-1.0.0/src/types/_")]
    assert same
    assert all(after[name] == before[name] for name in same)
    driver.make(root, {"aws-sdk-toy": ["walk"]}, folder)
    assert "aws-sdk-toy-1.0.0/src/operation/fly.rs" not in times(folder)


def test_a_crate_that_is_not_locked_or_is_overridden_is_said_in_a_sentence(
    crate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = workspace(crate, tmp_path)
    with pytest.raises(LayoutError, match=r"Cargo.lock has no aws-sdk-gone, which operations.toml wants cut"):
        driver.make(root, {"aws-sdk-gone": ["walk"]}, tmp_path / "target")
    monkeypatch.setattr(driver, "_sources", lambda _root: {})
    with pytest.raises(LayoutError, match="cargo's configuration overrides aws-sdk-toy already"):
        driver.make(root, {"aws-sdk-toy": ["walk"]}, tmp_path / "target")


def test_each_listed_operation_has_the_request_that_the_whole_crate_makes() -> None:
    listed = tomllib.loads(driver.LIST.read_text())
    operations = {f"{name}.{operation}.http" for name, crate in listed.items() for operation in crate["operations"]}
    fixtures = {path.name for path in (Path(__file__).parent / "fixtures").iterdir()}
    assert fixtures == operations
