"""The alarms of databases: each does what its sibling of volumes does, for the worse of instances and clusters."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.audit.cloudwatch import Alarm, Datapoint, extracted
from tests.audit.days import CASES, HOUR, INVOKED, QUIET, START, Case
from tests.audit.template import resources
from tests.audit.test_alarms import ALARMS, NAMESPACE

ADDED = {
    name: each
    for name, each in resources("AWS::CloudWatch::Alarm", Databases="true").items()
    if name not in resources("AWS::CloudWatch::Alarm")
}
KINDS = ("instances", "clusters")
FUNCTIONS = {
    "CopySharedSnapshots": "CopySharedDatabases",
    "VerifyCopies": "VerifyCopiedDatabases",
    "DeleteExpiredCopies": "DeleteExpiredDatabaseCopies",
}
# Three functions have one alarm of each of these.
OF_FUNCTIONS = ("ErrorsAlarm", "ThrottlesAlarm", "DurationAlarm")
# What databases have none of: queues, locks, proofs, and that nothing copies them.
OF_VOLUMES = {
    "CopierDeadLetterAlarm",
    "CopierQueueAgeAlarm",
    "UndeliveredAlarm",
    "EventInvalidAlarm",
    "LockFailedAlarm",
    "PolicyUnservedAlarm",
}


def sibling(name: str) -> str | None:
    """The alarm of databases that does what this one does for volumes."""
    if name in OF_VOLUMES or name.startswith("Pro"):
        return None
    for function, other in FUNCTIONS.items():
        if name.startswith(function):
            what = name.removeprefix(function)
            return f"Database{what}" if what in OF_FUNCTIONS else f"{other}{what}"
    return f"Database{name}"


def of_databases(point: Datapoint) -> Datapoint:
    """What Lambda counts of one function, of its sibling."""
    [(dimension, name)] = point.dimensions
    other = FUNCTIONS.get(name[2:-1])
    return replace(point, dimensions=frozenset({(dimension, f"${{{other}}}" if other else name)}))


def day(case: Case, alarm: dict[str, Any], kind: str) -> list[str]:
    """The alarm's states when a kind has this day, and with the other kind all is well."""
    other = next(each for each in KINDS if each != kind)
    points = [
        *extracted(case.lines, namespace=f"{NAMESPACE}/{kind}"),
        *extracted(QUIET, namespace=f"{NAMESPACE}/{other}"),
        *map(of_databases, case.points),
    ]
    return Alarm(alarm).states(points, START, 24 * HOUR)


def test_each_alarm_of_volumes_has_a_sibling() -> None:
    assert {name for each in ALARMS if (name := sibling(each))} == ADDED.keys()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "case", [case for case in CASES if sibling(case.alarm)], ids=lambda case: f"{case.alarm}: {case.what}"
)
def test_a_day(case: Case, kind: str) -> None:
    case.hold(day(case, ADDED[str(sibling(case.alarm))], kind))


@pytest.mark.parametrize("name", ADDED)
def test_on_a_good_day_it_is_silent(name: str) -> None:
    assert "ALARM" not in day(Case(name, "", QUIET, INVOKED), ADDED[name], "instances")


@pytest.mark.parametrize("name", [name for name, each in ADDED.items() if "instances" in str(each)])
def test_it_looks_at_databases_alone(name: str) -> None:
    """What is written of volumes, or by another stack, rings none of these and hides nothing."""
    lines = [line for case in CASES for line in case.lines]
    points = extracted(lines, namespace=NAMESPACE) + extracted(lines, namespace=f"{NAMESPACE}-b/instances")
    states = set(Alarm(ADDED[name]).states(points, START, HOUR)[1:])
    assert states == ({"ALARM"} if "Missing" in name else states - {"ALARM"})


@pytest.mark.parametrize("name", [each for each in ADDED if ADDED[each]["TreatMissingData"] == "ignore"])
def test_forged_negative_values_silence_nothing(name: str) -> None:
    alarm = ADDED[name]
    case = next(case for case in CASES if sibling(case.alarm) == name and case.on)
    told = extracted(case.lines, namespace=f"{NAMESPACE}/clusters")
    forged = [
        Datapoint(metric.namespace, metric.name, frozenset(), START + timedelta(minutes=minute), -1e9)
        for metric in Alarm(alarm).metrics()
        for minute in range(24 * HOUR)
    ]
    before, after = (Alarm(alarm).states(points, START, 24 * HOUR) for points in (told, [*told, *forged]))
    assert "ALARM" in before
    assert all(now == "ALARM" for was, now in zip(before, after, strict=True) if was == "ALARM")


def test_thresholds_follow_the_parameters() -> None:
    hours = {"UnprotectedAlarmHours": "5", "SweepMissingAlarmHours": "7", "VerifyMissingAlarmHours": "8"}
    alarms = resources("AWS::CloudWatch::Alarm", Databases="true", ExpiryMissingAlarmHours="9", **hours)
    assert alarms["DatabaseUnprotectedAlarm"]["Threshold"] == "5"
    for name, periods in (("Sweep", "7"), ("Verify", "8"), ("Expiry", "9")):
        assert alarms[f"Database{name}MissingAlarm"]["EvaluationPeriods"] == periods
    assert "DatabaseSilentOwnerAlarm" not in resources(
        "AWS::CloudWatch::Alarm", Databases="true", SilentOwnerAlarmHours="0"
    )
