"""Metrics out of audit lines, and the states of an alarm over them.

After Amazon CloudWatch's User Guide: "Specification: Embedded metric format", "Using CloudWatch alarms" (an alarm looks
every minute at the periods that end then; M out of N) and "Configuring how CloudWatch alarms treat missing data".
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
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
class Metric:
    """A metric that an alarm looks at."""

    namespace: str
    name: str
    dimensions: Dimensions
    period: timedelta
    statistic: str

    def watches(self, point: Datapoint) -> bool:
        """Whether the datapoint is of this metric."""
        return (self.namespace, self.name, self.dimensions) == (point.namespace, point.name, point.dimensions)

    def value(self, points: list[Datapoint], end: datetime) -> float | None:
        """Its value in the period that ends then, of its own points in order; nothing when it holds no data."""
        first = bisect_right(points, end - self.period, key=lambda point: point.time)
        last = bisect_right(points, end, key=lambda point: point.time)
        values = [point.value for point in points[first:last]]
        return _STATISTICS[self.statistic](values) if values else None


def _metric(described: dict[str, Any], statistic: str) -> Metric:
    dimensions = frozenset((each["Name"], each["Value"]) for each in described.get("Dimensions", []))
    period = timedelta(seconds=int(described["Period"]))
    return Metric(described["Namespace"], described["MetricName"], dimensions, period, statistic)


def _worst(values: list[float | None]) -> float | None:
    """`MAX([a, b])`: of those that have data."""
    return max((value for value in values if value is not None), default=None)


def _least(values: list[float | None]) -> float | None:
    """`MIN([FILL(a, 0), FILL(b, 0)])`: what has no data counts as zero."""
    return min(value or 0 for value in values)


@dataclass(frozen=True)
class Alarm:
    """An alarm by its properties in a template: of a metric, or of the worst or least of several (User Guide,
    "Using math expressions")."""

    properties: dict[str, Any]

    def metrics(self) -> list[Metric]:
        """What it looks at."""
        if "Metrics" not in self.properties:
            return [_metric(self.properties, self.properties["Statistic"])]
        stats = [each["MetricStat"] for each in self.properties["Metrics"] if "MetricStat" in each]
        return [_metric({**each["Metric"], "Period": each["Period"]}, each["Stat"]) for each in stats]

    def _combined(self) -> Callable[[list[float | None]], float | None]:
        if "Metrics" not in self.properties:
            return lambda values: values[0]
        ids = [each["Id"] for each in self.properties["Metrics"] if "MetricStat" in each]
        [shown] = [each["Expression"] for each in self.properties["Metrics"] if each.get("ReturnData", True)]
        known = {
            f"MAX([{', '.join(ids)}])": _worst,
            f"MIN([{', '.join(f'FILL({each}, 0)' for each in ids)}])": _least,
        }
        return known[shown]

    def states(self, points: Iterable[Datapoint], start: datetime, minutes: int) -> list[str]:
        """The state at each minute from the start."""
        points = sorted(points, key=lambda point: point.time)
        watched = [(metric, [point for point in points if metric.watches(point)]) for metric in self.metrics()]
        combined = self._combined()
        states = ["INSUFFICIENT_DATA"]
        for minute in range(1, minutes + 1):
            now = start + timedelta(minutes=minute)
            states.append(
                self._next(
                    states[-1],
                    [
                        combined([metric.value(own, now - number * metric.period) for metric, own in watched])
                        for number in range(int(self.properties["EvaluationPeriods"]))
                    ],
                )
            )
        return states

    def _next(self, state: str, values: list[float | None]) -> str:
        """The state after this one, by the values of the last periods."""
        needed = int(self.properties.get("DatapointsToAlarm", len(values)))
        if all(value is None for value in values) and self.properties["TreatMissingData"] == "ignore":
            return state
        missing = self.properties["TreatMissingData"] == "breaching"
        compare, threshold = _COMPARED[self.properties["ComparisonOperator"]], float(self.properties["Threshold"])
        breaching = sum(missing if value is None else compare(value, threshold) for value in values)
        return "ALARM" if breaching >= needed else "OK"


def times_in_alarm(states: list[str]) -> int:
    """How often the alarm notified that it is in alarm."""
    return sum(now == "ALARM" != before for before, now in pairwise(states))
