"""Each alarm of the template, driven by lines that the library wrote through to its state, and held to its promise that
it does not flap."""

import re
from typing import Any

import pytest

from tests.audit.cloudwatch import Alarm, Datapoint, extracted, times_in_alarm
from tests.audit.days import (
    CASES,
    ENDS,
    FIVE_FAILURES,
    HOUR,
    INVOKED,
    QUIET,
    START,
    Case,
    age,
    happened,
    minute,
    sweeps,
)
from tests.audit.lines import SCHEMA, Line, every, line
from tests.audit.template import resources
from tests.e2e.packages import TEMPLATE

OPERATORS = "arn:aws:sns:eu-west-1:222222222222:operators"
ADDRESS = "operators@example.com"
ALARMS = resources("AWS::CloudWatch::Alarm", ProofSchedule="rate(1 hour)", ProofMissingAlarmHours="6")
ALL = {**ALARMS, **resources("AWS::CloudWatch::Alarm", Databases="true")}
[NAMESPACE] = {
    each["Environment"]["Variables"]["SNAPFERRY_METRIC_NAMESPACE"]
    for each in resources("AWS::Lambda::Function").values()
}


def day(case: Case, alarm: dict[str, Any], *, namespace: str = NAMESPACE) -> list[str]:
    """The alarm's states; what sweeps do not say by themselves is said of a day on which all is well."""
    return Alarm(alarm).states([*extracted(case.lines, namespace=namespace), *case.points], START, 24 * HOUR)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.alarm}: {case.what}")
def test_a_day(case: Case) -> None:
    case.hold(day(case, ALARMS[case.alarm]))


@pytest.mark.parametrize("name", ALARMS)
def test_every_alarm_is_seen_on_and_off(name: str) -> None:
    cases = [case for case in CASES if case.alarm == name]
    assert any(case.on for case in cases)
    assert any(set(day(case, ALARMS[name])) & {"OK", "INSUFFICIENT_DATA"} for case in cases)


@pytest.mark.parametrize("name", ALARMS)
def test_on_a_good_day_it_is_silent(name: str) -> None:
    states = day(Case(name, "", QUIET, INVOKED), ALARMS[name])
    assert "ALARM" not in states


def test_flapping_would_be_seen() -> None:
    """Without the hour that one failure holds, each failure would be a notification."""
    case = Case("CopyFailedAlarm", "", happened("copy.failed", "grant-missing", *FIVE_FAILURES))
    hasty = {**ALARMS["CopyFailedAlarm"], "EvaluationPeriods": 1, "DatapointsToAlarm": 1}
    assert times_in_alarm(day(case, hasty)) == 5


def test_an_alarm_that_looks_at_another_metric_would_be_seen() -> None:
    case = Case("CopyFailedAlarm", "", happened("copy.failed", "grant-missing", *FIVE_FAILURES))
    assert "ALARM" not in day(case, {**ALARMS["CopyFailedAlarm"], "MetricName": "CopiesFaild"})


def test_another_stack_in_the_region_rings_nothing_here_and_hides_nothing() -> None:
    assert NAMESPACE == "Snapferry/${AWS::StackName}"
    failures = Case("CopyFailedAlarm", "", happened("copy.failed", "grant-missing", *FIVE_FAILURES))
    assert "ALARM" not in day(failures, ALARMS["CopyFailedAlarm"], namespace="Snapferry/another")
    sweeps_go_on = day(Case("SweepMissingAlarm", "", QUIET), ALARMS["SweepMissingAlarm"], namespace="Snapferry/another")
    assert set(sweeps_go_on[1:]) == {"ALARM"}


BROKEN_AT = 6 * HOUR
# Share events that are not taken, or given back each time, only grow older.
WAITING = age(*((BROKEN_AT + each, each * 60) for each in range(18 * HOUR + 1)))


def ringing(lines: list[Line], points: list[Datapoint]) -> dict[str, int]:
    """The alarms that are on at the day's end, each with the minute since which it is."""
    ended = {name: day(Case(name, "", lines, points), alarm) for name, alarm in ALARMS.items()}
    return {
        name: max(number for number, state in enumerate(states) if state != "ALARM") + 1
        for name, states in ended.items()
        if states[-1] == "ALARM"
    }


def test_a_disabled_event_source_mapping_rings() -> None:
    """Lambda takes nothing out of the queue any more; the other two functions go on."""
    until = [
        point
        for point in INVOKED
        if ("FunctionName", "${CopySharedSnapshots}") not in point.dimensions or point.time < minute(BROKEN_AT)
    ]
    rung = ringing([*sweeps("well", 0, 6), *every(15, 18, minute(BROKEN_AT), ENDS)], [*until, *WAITING])
    assert rung.keys() == {"CopySharedSnapshotsIdleAlarm", "SweepMissingAlarm", "CopierQueueAgeAlarm"}
    assert all(BROKEN_AT < since <= BROKEN_AT + 3 * HOUR for since in rung.values()), rung


def test_a_missing_table_rings() -> None:
    """Each tick finds no ledger, so that no sweep ends and share events go back into the queue; all functions run."""
    unread = every(1, 18, minute(BROKEN_AT), [line("copy.deferred", "ledger-unread")])
    rung = ringing([*sweeps("well", 0, 6), *unread, *every(15, 18, minute(BROKEN_AT), ENDS)], [*INVOKED, *WAITING])
    assert rung.keys() == {"LedgerUnreadAlarm", "SweepMissingAlarm", "CopierQueueAgeAlarm"}
    assert BROKEN_AT <= rung["LedgerUnreadAlarm"] <= BROKEN_AT + 5
    assert all(since <= BROKEN_AT + 3 * HOUR for since in rung.values()), rung


@pytest.mark.parametrize("name", ALL)
def test_it_looks_at_a_metric_that_exists(name: str) -> None:
    for metric in Alarm(ALL[name]).metrics():
        if metric.namespace.startswith(NAMESPACE):
            assert SCHEMA["properties"][metric.name]["description"].startswith("Metric: ")
            assert not metric.dimensions
        else:
            assert metric.namespace in {"AWS/Lambda", "AWS/SQS"}


@pytest.mark.parametrize("name", ALL)
def test_its_description_says_what_happened_and_what_to_do(name: str) -> None:
    description = ALL[name]["AlarmDescription"]
    sentences = re.findall(r"[^.]+\.(?= )", description)
    assert len(sentences) >= 2, "what happened, and what to do"
    assert "flap" not in description
    assert len(description) <= 1024


@pytest.mark.parametrize("name", ALL)
def test_the_template_says_above_it_why_it_does_not_flap(name: str) -> None:
    comment = re.search(rf"((?:^  #.*\n)+)^  {name}:$", TEMPLATE.read_text(), re.MULTILINE)
    assert comment
    assert " so it does not flap." in " ".join(comment[1].replace("#", " ").split()) or "first function" in comment[1]


def test_it_notifies_the_topic_when_it_comes_and_when_it_goes() -> None:
    for alarm in resources("AWS::CloudWatch::Alarm", AlarmTopicArn=OPERATORS, Databases="true").values():
        assert (alarm["AlarmActions"], alarm["OKActions"]) == ([OPERATORS], [OPERATORS])
    assert all("AlarmActions" not in alarm for alarm in ALARMS.values())


def test_an_address_makes_a_topic_which_every_alarm_notifies() -> None:
    [(name, topic)] = resources("AWS::SNS::Topic", AlarmEmail=ADDRESS).items()
    assert topic["Subscription"] == [{"Protocol": "email", "Endpoint": ADDRESS}]
    # CloudWatch cannot publish through AWS's own key, and the loss of another would silence every alarm.
    assert "KmsMasterKeyId" not in topic
    for alarm in resources("AWS::CloudWatch::Alarm", AlarmEmail=ADDRESS, Databases="true").values():
        assert (alarm["AlarmActions"], alarm["OKActions"]) == ([f"${{{name}}}"], [f"${{{name}}}"])


@pytest.mark.parametrize("parameters", [{}, {"AlarmEmail": ADDRESS, "AlarmTopicArn": OPERATORS}])
def test_there_is_no_topic_where_nobody_needs_one(parameters: dict[str, str]) -> None:
    with pytest.raises(AssertionError, match="AWS::SNS::Topic"):
        resources("AWS::SNS::Topic", **parameters)
    notified = {
        each
        for alarm in resources("AWS::CloudWatch::Alarm", **parameters).values()
        for each in alarm.get("AlarmActions", [])
    }
    assert notified == ({OPERATORS} if parameters else set())


def test_thresholds_follow_the_parameters() -> None:
    hours = {"UnprotectedAlarmHours": "5", "SilentOwnerAlarmHours": "6", "SweepMissingAlarmHours": "7"}
    hours |= {"VerifyMissingAlarmHours": "8", "ExpiryMissingAlarmHours": "9"}
    hours |= {"ProofSchedule": "rate(1 day)", "ProofMissingAlarmHours": "30"}
    alarms = resources("AWS::CloudWatch::Alarm", **hours)
    assert alarms["UnprotectedAlarm"]["Threshold"] == "5"
    # The function applies these: each owner has its own.
    assert alarms["SilentOwnerAlarm"]["Threshold"] == 0
    copier = resources("AWS::Lambda::Function", **hours)["CopySharedSnapshots"]["Environment"]["Variables"]
    assert copier["SNAPFERRY_SILENT_OWNER_HOURS"] == "6"
    assert alarms["SweepMissingAlarm"]["EvaluationPeriods"] == "7"
    assert alarms["VerifyMissingAlarm"]["EvaluationPeriods"] == "8"
    assert alarms["ExpiryMissingAlarm"]["EvaluationPeriods"] == "9"
    assert "SilentOwnerAlarm" not in resources("AWS::CloudWatch::Alarm", SilentOwnerAlarmHours="0")
    of_proofs = ("ProofMissingAlarm", "ProveCopiesIdleAlarm")
    assert [alarms[name]["EvaluationPeriods"] for name in of_proofs] == ["30"] * 2
    rare = resources("AWS::CloudWatch::Alarm", ProofSchedule="rate(30 days)", ProofMissingAlarmHours="0")
    assert alarms.keys() - rare.keys() == {*of_proofs}


def test_the_audit_outlives_whoever_deletes_it() -> None:
    groups = resources("AWS::Logs::LogGroup", Databases="true").values()
    assert len(groups) == 6
    assert all(group["DeletionProtectionEnabled"] is True for group in groups)
