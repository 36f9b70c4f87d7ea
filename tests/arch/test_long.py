"""Long files are found among those that somebody writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.arch import __main__ as command
from tests.arch.__main__ import TOP
from tests.arch.long import FOLDERS, MOST_LINES, files, long


def written(top: Path, name: str, lines: int) -> None:
    path = top / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("line\n" * lines)


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("ending", ["rs", "ts", "py"])
def test_a_line_too_many_is_one_too_many(tmp_path: Path, folder: str, ending: str) -> None:
    written(tmp_path, f"{folder}/a/whole.{ending}", MOST_LINES)
    assert long(tmp_path) == []
    written(tmp_path, f"{folder}/a/long.{ending}", MOST_LINES + 1)
    assert long(tmp_path) == [f"{folder}/a/long.{ending}: {MOST_LINES + 1}"]


@pytest.mark.parametrize(
    "name",
    [
        "tests/a.json",
        "docs/a.py",
        "infra/cdk/node_modules/x/a.ts",
        "infra/cdk/cdk.out/a.ts",
        "infra/cdk/derived/a.ts",
        "infra/cdk/dist/a.ts",
    ],
)
def test_what_is_no_code_or_nobodys_may_be_long(tmp_path: Path, name: str) -> None:
    written(tmp_path, name, 2 * MOST_LINES)
    assert long(tmp_path) == []


def test_the_projects_own_files_are_read() -> None:
    found = {path.relative_to(TOP).parts[0] for path in files(TOP)}
    assert found == set(FOLDERS)
    assert Path(__file__).resolve() in files(TOP)


def test_the_command_fails_and_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "Cargo.toml").write_text("[workspace]\nmembers = []\n")
    monkeypatch.setattr(command, "TOP", tmp_path)
    assert command.main() == 0
    written(tmp_path, "cli/long.rs", MOST_LINES + 1)
    assert command.main() == 1
    assert f"\n  cli/long.rs: {MOST_LINES + 1}\n" in capsys.readouterr().out
