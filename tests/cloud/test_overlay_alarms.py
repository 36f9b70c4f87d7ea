"""Alarms of stacks that look at several metrics."""

import json
from typing import Any
from uuid import uuid4

import pytest

from tests.cloud import LocalAws, until
from tests.cloud.scene import HOME, TARGET


def metric(name: str, period: int = 300) -> dict[str, Any]:
    stat = {"Metric": {"Namespace": name, "MetricName": "Failures"}, "Period": period, "Stat": "Maximum"}
    return {"Id": name, "ReturnData": False, "MetricStat": stat}


BOTH = {"Id": "worst", "Expression": "MAX([a, b])"}
GOOD: dict[str, Any] = {
    "Metrics": [BOTH, metric("a"), metric("b")],
    "EvaluationPeriods": 1,
    "Threshold": 0,
    "ComparisonOperator": "GreaterThanThreshold",
}


def made(aws: LocalAws, **changes: Any) -> str:
    """What becomes of a stack with such an alarm, and its alarms."""
    stacks, name = aws.client("cloudformation", TARGET, HOME), f"stack-{uuid4()}"
    alarm = {"Type": "AWS::CloudWatch::Alarm", "Properties": {**GOOD, **changes}}
    stacks.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": {"Alarm": alarm}}))

    def settled() -> str:
        status: str = stacks.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
        return "" if status.endswith("_IN_PROGRESS") else status

    return until(settled, within=30.0, what="the stack")


def test_one_is_made_and_described(aws: LocalAws) -> None:
    assert made(aws) == "CREATE_COMPLETE"
    [alarm] = aws.client("cloudwatch", TARGET, HOME).describe_alarms()["MetricAlarms"]
    assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == ("a", "Failures", "Maximum")


@pytest.mark.parametrize(
    "changes",
    [
        {"Metrics": [metric("a"), metric("b")]},
        {"Metrics": [BOTH, metric("a"), metric("a")]},
        {"Metrics": [BOTH, metric("a"), metric("b", 60)]},
        {"Metrics": [{**BOTH, "Expression": "MAX([a, c])"}, metric("a"), metric("b")]},
        {"Metrics": [BOTH, {**BOTH, "Id": "other"}, metric("a"), metric("b")]},
        {"MetricName": "Failures"},
    ],
)
def test_what_cloudwatch_would_refuse_fails_the_stack(aws: LocalAws, changes: dict[str, Any]) -> None:
    assert made(aws, **changes) == "ROLLBACK_COMPLETE"
