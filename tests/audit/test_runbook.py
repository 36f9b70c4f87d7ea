"""RUNBOOK.md has a section for each alarm and no other, and each section says all that one needs.

That it has one for each reason that asks for something is tested beside the table of the reasons, in functions/core.
"""

import re
from dataclasses import dataclass

import pytest

from tests.audit.lines import REPOSITORY, reasons
from tests.audit.template import resources

TEXT = (REPOSITORY / "RUNBOOK.md").read_text()
PARTS = ["Means", "Safe", "Do", "Account", "Query"]
ALARMS = resources("AWS::CloudWatch::Alarm", ProofSchedule="rate(1 hour)", Databases="true")
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


def test_a_pause_names_each_schedule_and_the_mapping_and_never_the_concurrency() -> None:
    """Reserved concurrency 0 drains the queue into its dead-letter queue, and discards what the Scheduler starts."""
    [pause] = re.findall(r"^## Pause\n(.+?)^## ", TEXT, re.DOTALL | re.MULTILINE)
    assert set(re.findall(r"`(\w+Timer)`", pause)) == resources("AWS::Scheduler::Schedule", Databases="true").keys()
    assert "update-event-source-mapping" in pause
    [queue] = [each for name, each in resources("AWS::SQS::Queue").items() if name == "CopierQueue"]
    assert f"{queue['MessageRetentionPeriod'] // 86400} days" in pause
    others = TEXT.replace("**Never pause with a reserved concurrency of 0.**", "")
    assert "reserved concurrency" not in others.lower()


@pytest.mark.parametrize("name", ALARMS)
def test_each_alarm_links_to_its_section(name: str) -> None:
    link = re.search(r"See RUNBOOK\.md#(\S+)$", ALARMS[name]["AlarmDescription"])
    assert link
    section = BY_ANCHOR[link[1]]
    assert name == section.title or f"`{name}`" in section.parts["Means"]


def test_the_link_goes_where_the_operators_read() -> None:
    alarms = resources("AWS::CloudWatch::Alarm", Databases="true", RunbookUrl="https://wiki.example.com/runbook")
    for alarm in alarms.values():
        assert "See https://wiki.example.com/runbook#" in alarm["AlarmDescription"]


@pytest.mark.parametrize("section", OF_ALARMS, ids=lambda section: section.title)
def test_no_section_is_about_an_alarm_that_does_not_exist(section: Section) -> None:
    named = re.findall(r"`(\w+Alarm)`", section.parts["Means"]) or [section.title]
    assert set(named) <= ALARMS.keys()


def test_each_reason_has_one_section() -> None:
    covered = [each for section in SECTIONS for each in section.covered]
    assert len(covered) == len(set(covered))


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
