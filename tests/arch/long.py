"""Files of code that are too long to be read at one go."""

from __future__ import annotations

from pathlib import Path

MOST_LINES = 400
FOLDERS = ("functions", "cli", "infra", "tests")
ENDINGS = (".rs", ".ts", ".py")
# What npm and the CDK fetch and make.
NOT_OURS = ("node_modules", "infra/cdk/cdk.out", "infra/cdk/derived", "infra/cdk/dist")


def files(top: Path) -> list[Path]:
    """All files of code that somebody writes."""
    found = (path for folder in FOLDERS for path in sorted((top / folder).rglob("*")) if path.suffix in ENDINGS)
    return [path for path in found if path.is_file() and is_ours(path.relative_to(top).as_posix())]


def is_ours(name: str) -> bool:
    return not any(f"/{folder}/" in f"/{name}" for folder in NOT_OURS)


def long(top: Path) -> list[str]:
    """Each file with more lines than a file may have, and how many these are."""
    counted = ((path.relative_to(top).as_posix(), len(path.read_text().splitlines())) for path in files(top))
    return [f"{name}: {lines}" for name, lines in counted if lines > MOST_LINES]
