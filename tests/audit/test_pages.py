"""The pages' links lead to files that exist, and so do the files that they name."""

import re
from pathlib import Path

import pytest

from tests.audit.lines import REPOSITORY

FOLDERS = [".cargo", "cli", "docs", "functions", "infra", "tests", "tools"]
FILES = [
    path.relative_to(REPOSITORY)
    for folder in FOLDERS
    for path in (REPOSITORY / folder).rglob("*")
    if "node_modules" not in path.parts
]
PAGES = [*REPOSITORY.glob("*.md"), *(REPOSITORY / path for path in FILES if path.suffix == ".md")]
# What is made and not kept, and a place-holder for a name.
NOT_KEPT = re.compile(r"^target/|^dist/|^RESULTS\.md$|<|…|\*")


def dead_links(page: Path, text: str) -> list[str]:
    linked = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
    return [link for link in linked if not (page.parent / link).exists()]


def unknown_files(text: str) -> list[str]:
    """Files with a folder before their names that no path ends with."""
    named = re.findall(r"`([\w.-]+(?:/[\w.-]+)+\.(?:rs|py|ts|toml|json|yaml|txt|md))`", text)
    known = [f"/{path.as_posix()}" for path in FILES]
    return [
        name for name in named if not NOT_KEPT.search(name) and not any(path.endswith(f"/{name}") for path in known)
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_what_a_page_leads_to_exists(page: Path) -> None:
    text = page.read_text()
    assert dead_links(page, text) == []
    assert unknown_files(text) == []


def test_what_does_not_exist_would_be_seen() -> None:
    text = "`audit/reason.rs` and `audit/reasons.rs`, [here](README.md#try-it) and [there](READYOU.md)"
    assert unknown_files(text) == ["audit/reasons.rs"]
    assert dead_links(REPOSITORY / "README.md", text) == ["READYOU.md"]
