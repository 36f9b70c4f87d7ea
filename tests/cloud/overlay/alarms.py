"""Alarms of stacks on several metrics: the emulator refuses the whole stack for their `Metrics`.

They are checked for what PutMetricAlarm demands of them, and made as alarms on the first of these metrics: whether one
rings is nothing that the local AWS is asked [CloudWatch API reference, PutMetricAlarm and MetricDataQuery].
"""

import re
from typing import Any

from tests.cloud.overlay.emulator import provisioners

_KIND = "AWS::CloudWatch::Alarm"
_IDENTIFIER = re.compile(r"[a-z][A-Za-z0-9_]{0,254}")
_MOST = 10
# What belongs to a metric and may not stand beside Metrics.
_OF_ONE_METRIC = {"MetricName", "Namespace", "Dimensions", "Period", "Statistic", "ExtendedStatistic", "Unit"}


def install() -> None:
    """Let stacks have such alarms."""
    emulators = provisioners._RESOURCE_HANDLERS[_KIND]
    make, change = emulators["create"], emulators["update"]

    def create(logical_id: str, properties: dict[str, Any], stack: str) -> Any:
        return make(logical_id, _of_the_first(properties), stack)

    def update(physical_id: str, old: dict[str, Any], new: dict[str, Any], stack: str, logical_id: str) -> Any:
        return change(physical_id, _of_the_first(old), _of_the_first(new), stack, logical_id)

    provisioners._RESOURCE_HANDLERS[_KIND] = {**emulators, "create": create, "update": update}


def _of_the_first(properties: dict[str, Any]) -> dict[str, Any]:
    queries = properties.get("Metrics")
    if not queries:
        return properties
    identifiers = [each.get("Id", "") for each in queries]
    shown = [each for each in queries if each.get("ReturnData") not in (False, "false")]
    stats = [each["MetricStat"] for each in queries if "MetricStat" in each]
    if beside := _OF_ONE_METRIC & properties.keys():
        raise ValueError(f"{_KIND}: {', '.join(sorted(beside))} beside Metrics")
    if len(set(identifiers)) != len(queries) or not all(map(_IDENTIFIER.fullmatch, identifiers)):
        raise ValueError(f"{_KIND}: Ids are distinct and begin with a small letter: {identifiers}")
    if len(shown) != 1 or "Expression" not in shown[0]:
        raise ValueError(f"{_KIND}: exactly one of Metrics is an Expression that returns data")
    if not stats or len(queries) > _MOST:
        raise ValueError(f"{_KIND}: 1 to {_MOST} Metrics, of which one is a metric")
    if len({int(each["Period"]) for each in stats}) != 1:
        raise ValueError(f"{_KIND}: Metrics have one Period")
    if unknown := set(re.findall(r"\b[a-z]\w*\b", shown[0]["Expression"])) - set(identifiers):
        raise ValueError(f"{_KIND}: the Expression names {', '.join(sorted(unknown))}")
    first = stats[0]
    one = {**first["Metric"], "Period": first["Period"], "Statistic": first["Stat"]}
    return {**{name: each for name, each in properties.items() if name != "Metrics"}, **one}
