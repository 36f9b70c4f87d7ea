"""Metrics out of audit lines, and the states of an alarm over them.

After Amazon CloudWatch's User Guide: "Specification: Embedded metric format", "Using CloudWatch alarms" (an alarm looks
every minute at the periods that end then; M out of N) and "Configuring how CloudWatch alarms treat missing data".
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from tests.audit.lines import Line

Dimensions = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Datapoint:
    """One value of one metric."""

    namespace: str
    name: str
    dimensions: Dimensions
    time: datetime
    value: float


def extracted(lines: Iterable[Line], *, namespace: str | None = None) -> list[Datapoint]:
    """What CloudWatch Logs makes of the lines: a datapoint for each metric and set of dimensions. With a namespace, as
    if functions had written them to which SNAPFERRY_METRIC_NAMESPACE names it."""
    return [point for line in lines if "_aws" in line for point in _of_line(line, namespace)]


def _of_line(line: Line, namespace: str | None) -> Iterator[Datapoint]:
    time = datetime.fromtimestamp(line["_aws"]["Timestamp"] / 1000, UTC)
    for directive in line["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = frozenset((name, line[name]) for name in names)
            for metric in directive["Metrics"]:
                where = namespace or directive["Namespace"]
                yield Datapoint(where, metric["Name"], dimensions, time, line[metric["Name"]])


_STATISTICS: dict[str, Any] = {"Sum": sum, "Maximum": max, "Minimum": min}
_COMPARED: dict[str, Any] = {
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
}


@dataclass(frozen=True)
class Alarm:
    """A metric alarm by its properties in a template."""

    properties: dict[str, Any]

    def watches(self, point: Datapoint) -> bool:
        """Whether the datapoint is of the alarm's metric."""
        dimensions = frozenset((each["Name"], each["Value"]) for each in self.properties.get("Dimensions", []))
        watched = (self.properties["Namespace"], self.properties["MetricName"], dimensions)
        return watched == (point.namespace, point.name, point.dimensions)

    def states(self, points: Iterable[Datapoint], start: datetime, minutes: int) -> list[str]:
        """The state at each minute from the start."""
        watched = sorted((point for point in points if self.watches(point)), key=lambda point: point.time)
        states = ["INSUFFICIENT_DATA"]
        for minute in range(1, minutes + 1):
            states.append(self._next(states[-1], watched, start + timedelta(minutes=minute)))
        return states

    def _next(self, state: str, points: list[Datapoint], now: datetime) -> str:
        periods = int(self.properties["EvaluationPeriods"])
        needed = int(self.properties.get("DatapointsToAlarm", periods))
        verdicts = [self._breaching(points, now, number) for number in range(periods)]
        if all(verdict is None for verdict in verdicts) and self.properties["TreatMissingData"] == "ignore":
            return state
        missing = self.properties["TreatMissingData"] == "breaching"
        breaching = sum(missing if verdict is None else verdict for verdict in verdicts)
        return "ALARM" if breaching >= needed else "OK"

    def _breaching(self, points: list[Datapoint], now: datetime, number: int) -> bool | None:
        """Whether the period is, so many before the last one; nothing when it holds no data."""
        period = timedelta(seconds=int(self.properties["Period"]))
        end = now - number * period
        first = bisect_right(points, end - period, key=lambda point: point.time)
        last = bisect_right(points, end, key=lambda point: point.time)
        values = [point.value for point in points[first:last]]
        if not values:
            return None
        value = _STATISTICS[self.properties["Statistic"]](values)
        breaching: bool = _COMPARED[self.properties["ComparisonOperator"]](value, float(self.properties["Threshold"]))
        return breaching


def times_in_alarm(states: list[str]) -> int:
    """How often the alarm notified that it is in alarm."""
    return sum(now == "ALARM" != before for before, now in pairwise(states))
