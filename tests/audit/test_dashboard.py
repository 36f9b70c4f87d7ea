"""The dashboard shows metrics that exist, and as CloudWatch wants to be told."""

import json
import re
from typing import Any

import pytest

from tests.audit import insights
from tests.audit.cloudwatch import extracted
from tests.audit.lines import RECORDED, Line, at, line, moment
from tests.audit.template import resources

METRICS = {(point.name, frozenset(name for name, _ in point.dimensions)) for point in extracted(RECORDED)}
# CloudWatch wants a namespace with other characters than letters and digits in double quotes.
NAMESPACE = "Snapferry/${AWS::StackName}"
KINDS = {"instances", "clusters"}
SEARCH = re.compile(
    rf"SEARCH\('\{{\"{re.escape(NAMESPACE)}(?:/(\w+))?\"((?:,\w+)*)\}} MetricName=\"(\w+)\"', "
    r"'(?:Sum|Maximum|p\d\d)', \d+\)"
)
GRID = 24


def body(**parameters: str) -> dict[str, Any]:
    [dashboard] = resources("AWS::CloudWatch::Dashboard", **parameters).values()
    found: dict[str, Any] = json.loads(dashboard["DashboardBody"])
    return found


def widgets(kind: str, **parameters: str) -> list[dict[str, Any]]:
    found = [each["properties"] for each in body(**parameters)["widgets"] if each["type"] == kind]
    assert found
    return found


def shown(of: str | None = None, **parameters: str) -> list[tuple[str, frozenset[str]]]:
    """The metrics that the widgets show of volumes or of a kind of databases, each with the names of its dimensions."""
    found = []
    for metric in (metric for widget in widgets("metric", **parameters) for metric in widget["metrics"]):
        match metric:
            case [str(namespace), str(name), *rest] if all(set(each) == {"label"} for each in rest):
                found.append((namespace, name, frozenset[str]()))
            case [{"expression": expression}]:
                search = SEARCH.fullmatch(expression)
                assert search, expression
                namespace = f"{NAMESPACE}/{search[1]}" if search[1] else NAMESPACE
                found.append((namespace, search[3], frozenset(search[2].split(",")[1:])))
            case _:
                raise AssertionError(metric)
    namespaces = {NAMESPACE, *(f"{NAMESPACE}/{kind}" for kind in KINDS if "Databases" in parameters)}
    assert {namespace for namespace, _, _ in found} == namespaces
    wanted = f"{NAMESPACE}/{of}" if of else NAMESPACE
    return [(name, dimensions) for namespace, name, dimensions in found if namespace == wanted]


def test_every_metric_that_is_shown_is_written_with_those_dimensions() -> None:
    assert [each for each in shown() if each not in METRICS] == []


def test_of_databases_is_shown_what_is_of_volumes_but_what_there_is_of_volumes_alone() -> None:
    """Locks and proofs."""
    of_volumes = {"CopiesProved", "ProofsDiffering", "ProofsWaiting", "LocksFailed"}
    names = {name for name, _ in shown()} - of_volumes
    for kind in KINDS:
        of_kind = shown(kind, Databases="true")
        assert {name for name, _ in of_kind} == names
        assert [each for each in of_kind if each not in METRICS] == []
    assert shown(Databases="true") == shown()


def test_every_metric_that_is_written_is_shown() -> None:
    """But for those that say how Snapferry itself is doing."""
    own = {"SweepsCompleted", "SweepDuration", "CopyDuration", "EventsInvalid", "CopiesLocked", "HoursSinceLastShare"}
    own |= {"VerifyRunsCompleted", "VerifyDuration", "ExpiryRunsCompleted", "ExpiryDuration"}
    # And one that is a metric only where its alarm rings.
    own |= {"ProveRunsCompleted", "ProveDuration", "PoliciesUnserved"}
    assert {name for name, _ in METRICS} - {name for name, _ in shown()} == own


def test_coverage_and_what_is_under_way_are_shown_by_target_region() -> None:
    regional = frozenset({"TargetRegion"})
    assert {("Unprotected", regional), ("InFlight", regional), ("OldestUnprotectedHours", regional)} <= set(shown())


def found(title: str, logs: int, lines: list[Line] = RECORDED) -> list[insights.Row]:
    """What a widget's query over so many log groups finds."""
    [widget] = [each for each in widgets("log") if each["title"] == title]
    commands = widget["query"].split(" | ")
    assert [command.startswith("SOURCE ") for command in commands] == [True] * logs + [False] * (len(commands) - logs)
    return insights.run(" | ".join(commands[logs:]), lines)


def test_failures_are_shown_by_cause() -> None:
    rows = found("Failures by cause", 3)
    assert {(row["event"], row["reason"]) for row in rows} >= {
        ("copy.failed", "grant-missing"),
        ("copy.rejected", "wrong-key"),
        ("copy.refused", "key-disabled"),
        ("copy.stalled", "pending-over-a-day"),
    }


def test_what_waits_is_shown_by_region_and_reason() -> None:
    """As the last record of each said it, not as a sum over the day."""
    full = {**line("copy.deferred", "in-line"), "count": 7}
    later = {**at(full, moment(full).replace(hour=23)), "count": 300_000}
    quota = {**line("copy.deferred", "quota-exceeded"), "count": 2}
    rows = found(
        "What waits, by target Region and reason", 1, [later, full, quota, line("copy.deferred", "answer-lost")]
    )
    assert [(row["reason"], row["waiting"]) for row in rows] == [("in-line", 300_000), ("quota-exceeded", 2)]
    assert rows[0]["lastSaid"].hour == 23


@pytest.mark.parametrize(
    "parameters",
    [
        {"SilentOwnerAlarmHours": "0"},
        {"SilentOwnerAlarmHours": "48"},
        {"ProofSchedule": "rate(1 day)"},
        {"ProofSchedule": "rate(30 days)", "ProofMissingAlarmHours": "0"},
        {"Databases": "true"},
        {"Databases": "true", "SilentOwnerAlarmHours": "0"},
    ],
)
def test_every_alarm_is_shown(parameters: dict[str, str]) -> None:
    [widget] = [each for each in body(**parameters)["widgets"] if each["type"] == "alarm"]
    alarms = resources("AWS::CloudWatch::Alarm", **parameters)
    assert sorted(widget["properties"]["alarms"]) == sorted(f"${{{name}.Arn}}" for name in alarms)


@pytest.mark.parametrize("databases", ["false", "true"])
def test_widgets_stand_side_by_side(databases: str) -> None:
    places: set[tuple[int, int]] = set()
    for widget in body(Databases=databases)["widgets"]:
        assert widget["x"] + widget["width"] <= GRID
        cells = {
            (x, y)
            for x in range(widget["x"], widget["x"] + widget["width"])
            for y in range(widget["y"], widget["y"] + widget["height"])
        }
        assert not cells & places, widget
        places |= cells
