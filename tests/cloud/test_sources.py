"""Each rule of the overlay names its source, and README.md lists them: the list and the code say the same."""

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
LIST = (HERE / "README.md").read_text().splitlines()
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")] for line in LIST if re.match(r"\| (?!module)[a-z]+ \|", line)
]
KINDS = ("documented: ", "observed: ", "observed by users: ", "inferred")
CAPTURE = re.compile(r"[a-z0-9_/]+")


def listed(module: str) -> set[str]:
    """The captures that the list names for a module."""
    sources = [source for name, _, source in ROWS if name == module and source.startswith("observed: ")]
    return {capture for source in sources for capture in CAPTURE.findall(source.removeprefix("observed: "))}


def named(module: str) -> set[str]:
    """The captures that its code names: first in a mark, or further on and known to the list."""
    text = " ".join((HERE / "overlay" / f"{module}.py").read_text().replace("#", " ").split())
    known = {capture for name, _, _ in ROWS for capture in listed(name)}
    found = set()
    for mark in re.findall(r"observed(?: of \w+)?: ([^\]]*)", text):
        first, *more = re.findall(r"[\w/]+", mark)
        found |= {first} | {each for each in more if each in known}
    return found


@pytest.mark.parametrize("module", sorted(each.stem for each in HERE.glob("overlay/*.py")))
def test_the_list_and_the_code_name_the_same_captures(module: str) -> None:
    assert listed(module) == named(module)


def test_every_rule_is_of_a_module_and_has_a_source() -> None:
    assert len(ROWS) > 40
    for module, rule, source in ROWS:
        assert (HERE / "overlay" / f"{module}.py").exists(), module
        assert rule
        assert source.startswith(KINDS), source


def test_every_module_that_cites_a_page_is_listed() -> None:
    citing = {
        each.stem for each in HERE.glob("overlay/*.py") if re.search(r"\[[\w ]+(guide|reference)", each.read_text())
    }
    assert citing - {name for name, _, _ in ROWS} == set()


def test_every_capture_that_the_list_names_is_held_to_by_a_test() -> None:
    tests = "".join(each.read_text() for each in HERE.glob("test_captures*.py"))
    assert {capture for name, _, _ in ROWS for capture in listed(name) if capture not in tests} == set()


def test_nothing_is_observed_by_somebody_unnamed() -> None:
    unnamed = [each.name for each in HERE.glob("overlay/*.py") if "AWS by others" in " ".join(each.read_text().split())]
    assert unnamed == []
