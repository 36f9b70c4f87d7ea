"""RUNBOOK.md has a section for each alarm and each reason that somebody has to do something about, and no other."""

import re
from dataclasses import dataclass

import pytest

from tests.audit.lines import REPOSITORY, reasons
from tests.audit.template import resources

TEXT = (REPOSITORY / "RUNBOOK.md").read_text()
PARTS = ["Means", "Safe", "Do", "Account", "Query"]
# The reasons of these events; of locks only the failures are anybody's business.
EVENTS = ["copy.deferred", "copy.failed", "copy.kept", "copy.refused", "copy.rejected", "copy.stalled", "event.invalid"]
LOCKS = ["lock-failed", "lock-rule-gone"]
ALARMS = resources("AWS::CloudWatch::Alarm")
QUERIES = {each["Name"].partition("/")[2] for each in resources("AWS::Logs::QueryDefinition").values()}


@dataclass(frozen=True)
class Section:
    """One section of the third level."""

    title: str
    text: str

    @property
    def parts(self) -> dict[str, str]:
        found = re.findall(r"^- \*\*(\w+)\*\* (.+?)(?=\n- \*\*|\Z)", self.text.strip(), re.DOTALL | re.MULTILINE)
        return {name: " ".join(text.split()) for name, text in found}

    @property
    def covered(self) -> list[tuple[str, str]]:
        """The events and reasons in its title."""
        event, _, names = self.title.partition(" ")
        return [(event, name) for name in names.split(", ")] if event in reasons() else []


def sections(text: str) -> list[Section]:
    found = re.split(r"^### (.+)$", re.sub(r"^##? .*$", "", text, flags=re.MULTILINE), flags=re.MULTILINE)[1:]
    return [
        Section(title, re.sub(r"\n\n[^-].*", "", body, flags=re.DOTALL))
        for title, body in zip(found[::2], found[1::2], strict=True)
    ]


def anchor(title: str) -> str:
    """The fragment that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


SECTIONS = sections(TEXT)
BY_ANCHOR = {anchor(section.title): section for section in SECTIONS}
OF_ALARMS = [section for section in SECTIONS if not section.covered]


def wanted() -> list[tuple[str, str]]:
    listed = reasons()
    return [
        *((event, reason) for event in EVENTS for reason in listed[event]),
        *(("copy.locked", each) for each in LOCKS),
    ]


def lacking(found: list[Section]) -> set[tuple[str, str]]:
    return set(wanted()) - {each for section in found for each in section.covered}


@pytest.mark.parametrize("name", ALARMS)
def test_each_alarm_links_to_its_section(name: str) -> None:
    link = re.search(r"See RUNBOOK\.md#(\S+)$", ALARMS[name]["AlarmDescription"])
    assert link
    section = BY_ANCHOR[link[1]]
    assert name == section.title or f"`{name}`" in section.parts["Means"]


def test_the_link_goes_where_the_operators_read() -> None:
    alarms = resources("AWS::CloudWatch::Alarm", RunbookUrl="https://wiki.example.com/runbook")
    for alarm in alarms.values():
        assert "See https://wiki.example.com/runbook#" in alarm["AlarmDescription"]


@pytest.mark.parametrize("section", OF_ALARMS, ids=lambda section: section.title)
def test_no_section_is_about_an_alarm_that_does_not_exist(section: Section) -> None:
    named = re.findall(r"`(\w+Alarm)`", section.parts["Means"]) or [section.title]
    assert set(named) <= ALARMS.keys()


def test_each_reason_has_its_section() -> None:
    assert lacking(SECTIONS) == set()


def test_each_reason_has_one_section() -> None:
    covered = [each for section in SECTIONS for each in section.covered]
    assert len(covered) == len(set(covered))


def test_no_section_is_about_a_reason_that_does_not_exist() -> None:
    assert {each for section in SECTIONS for each in section.covered} - set(wanted()) == set()


def test_a_section_that_lacks_would_be_seen() -> None:
    shortened = sections(TEXT.replace("### copy.kept foreign-owner", "### copy.kept somebody-elses"))
    assert lacking(shortened) == {("copy.kept", "foreign-owner")}


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.title)
def test_each_section_says_all_that_one_needs(section: Section) -> None:
    parts = section.parts
    assert list(parts) == PARTS
    assert all(parts.values())
    assert re.search(r"source|target|the key's", parts["Account"])
    assert parts["Query"].strip('"') in QUERIES


def test_links_lead_somewhere() -> None:
    headings = {anchor(title) for title in re.findall(r"^##+ (.+)$", TEXT, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= headings
