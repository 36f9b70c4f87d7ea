"""docs/TAGS.md has a row for each tag that core writes, and names no other."""

import re

import pytest

from tests.audit.lines import REPOSITORY

PAGE, _, OF_DATABASES = (REPOSITORY / "docs/TAGS.md").read_text().partition("## On a copy of a database")
SOURCE = (REPOSITORY / "functions/core/src/tags.rs").read_text()
KEYS = (REPOSITORY / "functions/core/src/tags/keys.rs").read_text()
KEY = r'^pub const \w+: &str = "(snapferry:[^"]+)";$'
TAGS = re.findall(KEY, KEYS, re.MULTILINE)
# Those that a copy of a database has besides.
MORE = re.findall(KEY, (REPOSITORY / "functions/core/src/rds/tags.rs").read_text(), re.MULTILINE)


def rows(page: str) -> list[str]:
    return re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)


def test_core_has_as_many_tags_as_it_counts() -> None:
    counted = re.search(r"^pub const OWN_TAGS: usize = (\d+);$", SOURCE, re.MULTILINE)
    assert counted
    assert len(TAGS) == int(counted[1])


def test_each_tag_has_a_row_in_the_order_of_the_code() -> None:
    assert rows(PAGE) == TAGS


def test_no_tag_is_named_that_does_not_exist() -> None:
    assert set(re.findall(r"snapferry:[\w-]+", PAGE)) == set(TAGS)
    of_databases = set(re.findall(r"snapferry:[\w-]+", OF_DATABASES))
    assert set(MORE) <= set(rows(OF_DATABASES)) <= of_databases <= {*TAGS, *MORE}


@pytest.mark.parametrize("row", re.findall(r"^\| `snapferry:.+$", PAGE + OF_DATABASES, re.MULTILINE))
def test_each_row_says_who_writes_the_tag_its_form_and_who_reads_it(row: str) -> None:
    tag, writer, form, reader = (cell.strip() for cell in row.strip("|").split("|"))
    assert tag
    assert re.search(r"copier|verifier|prover", writer)
    assert form
    assert re.search(r"all|copier|verifier|prover|expirer", reader)


def test_the_limit_of_further_tags_leaves_others_room() -> None:
    page = " ".join(PAGE.split())
    limit = re.search(r"at most (\d+)\. EC2 allows 50 tags, Snapferry's own take up to (\d+), and at least (\d+)", page)
    assert limit
    policies, own, others = map(int, limit.groups())
    assert own == len(TAGS)
    assert policies + own + others == 50
