"""Each alarm of the template, driven by lines that the library wrote through to its state, and held to its promise that
it does not flap."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.audit.cloudwatch import Alarm, Datapoint, extracted, times_in_alarm
from tests.audit.lines import SCHEMA, Line, at, every, line, run, sweep
from tests.audit.template import resources
from tests.e2e.packages import TEMPLATE

START = datetime(2026, 11, 22, tzinfo=UTC)
HOUR = 60
WELL = sweep("well")
ENDS = [*run("verify.completed", "nothing"), *run("expiry.completed", "nothing")]


def minute(number: float) -> datetime:
    return START + timedelta(minutes=number)


def sweeps(what: str, start: float, hours: float) -> list[Line]:
    """A sweep with this finding every quarter of an hour, between runs that end well."""
    return every(15, hours, minute(start), [*sweep(what), *ENDS])


def found(what: str, hours: float) -> list[Line]:
    """A day in which sweeps find all well, then this for some hours, then all well again."""
    return [*sweeps("well", 0, 6), *sweeps(what, 6 * HOUR, hours), *sweeps("well", (6 + hours) * HOUR, 24 - 6 - hours)]


def runs(event: str, minutes: int, start: float, hours: float, what: str = "nothing") -> list[Line]:
    """The end of a run so often."""
    return every(minutes, hours, minute(start), run(event, what))


def happened(event: str, reason: str, *minutes: float) -> list[Line]:
    """All well but for this, at these minutes."""
    return [*sweeps("well", 0, 24), *(at(line(event, reason), minute(each)) for each in minutes)]


def aws(namespace: str, name: str, dimension: tuple[str, str], *values: tuple[float, float]) -> list[Datapoint]:
    """Datapoints of AWS's own metrics: minutes and values."""
    return [Datapoint(namespace, name, frozenset({dimension}), minute(when), value) for when, value in values]


def function(name: str, metric: str, *values: tuple[float, float]) -> list[Datapoint]:
    return aws("AWS/Lambda", metric, ("FunctionName", f"${{{name}}}"), *values)


def queue(name: str, *values: tuple[float, float]) -> list[Datapoint]:
    return aws("AWS/SQS", "ApproximateNumberOfMessagesVisible", ("QueueName", f"${{{name}.QueueName}}"), *values)


def age(*values: tuple[float, float]) -> list[Datapoint]:
    """Seconds that the oldest message of the copier's queue has."""
    return aws("AWS/SQS", "ApproximateAgeOfOldestMessage", ("QueueName", "${CopierQueue.QueueName}"), *values)


@dataclass(frozen=True)
class Case:
    """A day, and in which of its minutes the alarm must be on, from the first time to the last."""

    alarm: str
    what: str
    lines: list[Line] = field(default_factory=list)
    points: list[Datapoint] = field(default_factory=list)
    on: tuple[float, float] | None = None
    tolerance: float = 5


FIVE_FAILURES = (360, 380, 400, 420, 440)
QUIET = found("well", 0)
# Each function runs every half hour.
INVOKED = [
    point
    for name in ("CopySharedSnapshots", "VerifyCopies", "DeleteExpiredCopies")
    for point in function(name, "Invocations", *((each, 1) for each in range(0, 1440, 30)))
]

CASES = [
    Case("UnprotectedAlarm", "54 hours without a copy", found("old", 5), on=(6 * HOUR, 11.75 * HOUR)),
    Case("UnprotectedAlarm", "three hours without a copy", found("wrong", 5)),
    Case(
        "UnprotectedAlarm",
        "old when it was shared, and copied at once",
        found("old", 0.5),
        on=(6 * HOUR, 7.25 * HOUR),
    ),
    Case("CopyFailedAlarm", "EC2 gives up once", happened("copy.failed", "unknown-cause", 360), on=(360, 420)),
    Case(
        "CopyFailedAlarm",
        "EC2 gives up again and again",
        happened("copy.failed", "grant-missing", *FIVE_FAILURES),
        on=(360, 500),
    ),
    Case("CopyFailedAlarm", "EC2 refuses at once", happened("copy.failed", "not-authorized", 360), on=(360, 420)),
    Case("CopyRejectedAlarm", "a wrong key", happened("copy.rejected", "wrong-key", 360), on=(360, 420)),
    Case("CopyRejectedAlarm", "a failure is another alarm's", happened("copy.failed", "unknown-cause", 360)),
    *(
        case
        for name, event, reason, also in (
            ("CopyMissedAlarm", "copy.missed", "source-gone", ("copy.withdrawn", "target-removed")),
            ("LedgerUnreadAlarm", "copy.deferred", "ledger-unread", ("copy.deferred", "region-unread")),
            ("QuotaExceededAlarm", "copy.deferred", "quota-exceeded", ("copy.deferred", "region-full")),
        )
        for case in (
            Case(name, "once", happened(event, reason, 360), on=(360, 420)),
            Case(name, "every minute for two hours", happened(event, reason, *range(360, 480)), on=(360, 540)),
            Case(name, "what comes right by itself", happened(*also, *range(360, 480))),
        )
    ),
    Case(
        "AttemptsExhaustedAlarm", "exhausted for six hours", found("failing", 6), on=(6 * HOUR, 13 * HOUR), tolerance=20
    ),
    Case("KeyUnusableAlarm", "disabled for six hours", found("wrong", 6), on=(6 * HOUR, 13 * HOUR), tolerance=20),
    Case(
        "KeyUnusableAlarm",
        "a copy refused by an event, and repaired before a sweep",
        happened("copy.refused", "key-disabled", 361),
    ),
    Case("CopiesKeyAlarm", "lost for six hours", found("wrong", 6), on=(6 * HOUR, 13 * HOUR), tolerance=20),
    Case(
        "CopiesKeyAlarm",
        "a copy waits for its verdict under a lost key for six hours, where no sweep looks",
        [*sweeps("well", 0, 24), *runs("verify.completed", 5, 6 * HOUR, 6, "doomed")],
        on=(6 * HOUR, 13 * HOUR),
        tolerance=20,
    ),
    Case("TagsMalformedAlarm", "changed for six hours", found("wrong", 6), on=(6 * HOUR, 13 * HOUR), tolerance=20),
    Case(
        "MassExpiryAlarm",
        "refused every hour until noon",
        happened("copy.refused", "mass-expiry", *range(6 * HOUR, 12 * HOUR, HOUR)),
        on=(6 * HOUR, 24 * HOUR),
    ),
    Case("MassExpiryAlarm", "a wrong clock", happened("copy.refused", "clock-behind", 360), on=(360, 24 * HOUR)),
    Case("EventInvalidAlarm", "garbage", happened("event.invalid", "not-json", 360, 361, 390), on=(360, 450)),
    Case("EventInvalidAlarm", "an event that asks for nothing", happened("copy.skipped", "other-event", 360)),
    Case("SilentOwnerAlarm", "54 hours of silence", found("old", 5), on=(6 * HOUR, 11.75 * HOUR)),
    Case("SilentOwnerAlarm", "an owner who was never seen", sweeps("nothing", 0, 24), on=(0, 24 * HOUR)),
    Case("SilentOwnerAlarm", "three hours of silence", found("wrong", 5)),
    Case(
        "SweepMissingAlarm",
        "five hours without a sweep",
        [*sweeps("well", 0, 6), *sweeps("well", 11 * HOUR, 13)],
        on=(8 * HOUR - 15, 11 * HOUR),
    ),
    Case("SweepMissingAlarm", "from deployment to the first sweep", sweeps("well", 30, 23), on=(1, 29)),
    Case("SweepMissingAlarm", "one sweep late by an hour", [*sweeps("well", 0, 6), *sweeps("well", 7 * HOUR, 17)]),
    *(
        case
        for name, event, minutes, hours in (
            ("VerifyMissingAlarm", "verify.completed", 5, 2),
            ("ExpiryMissingAlarm", "expiry.completed", 60, 6),
        )
        for case in (
            Case(
                name,
                "no run for ten hours",
                [*runs(event, minutes, 0, 6), *runs(event, minutes, 16 * HOUR, 8)],
                on=((6 + hours) * HOUR - minutes, 16 * HOUR),
            ),
            Case(
                name,
                "a Region that is not read for ten hours",
                [
                    *runs(event, minutes, 0, 6),
                    *runs(event, minutes, 6 * HOUR, 10, "unread"),
                    *runs(event, minutes, 16 * HOUR, 8),
                ],
                on=((6 + hours) * HOUR - minutes, 16 * HOUR),
            ),
            Case(name, "from deployment to the first run", runs(event, minutes, 30, 23), on=(1, 29)),
            Case(
                name,
                "runs late by an hour",
                [*runs(event, minutes, 0, 6), *runs(event, minutes, 7 * HOUR, 17)],
            ),
        )
    ),
    Case(
        "CopierDeadLetterAlarm",
        "a message",
        points=queue("CopierDeadLetterQueue", *((each, 1) for each in range(360, 720))),
        on=(360, 725),
    ),
    Case(
        "CopierQueueAgeAlarm",
        "a disabled mapping: what waits grows old for six hours",
        points=age(*((360 + each, each * 60) for each in range(360)), (720, 0)),
        on=(430, 725),
        tolerance=10,
    ),
    Case("CopierQueueAgeAlarm", "half an hour", points=age(*((360 + each, each * 60) for each in range(30)))),
    Case("LockFailedAlarm", "refused once", happened("copy.locked", "lock-failed", 360), on=(360, 420)),
    Case("LockFailedAlarm", "locked", happened("copy.locked", "locked", 360)),
    *(
        case
        for name, hours in (("CopySharedSnapshots", 2), ("VerifyCopies", 2), ("DeleteExpiredCopies", 6))
        for case in (
            Case(
                f"{name}IdleAlarm",
                "nobody runs it for ten hours, and somebody forges its records",
                QUIET,
                points=function(name, "Invocations", *((e, 1) for e in (*range(0, 360, 30), *range(960, 1440, 30)))),
                on=((330 + hours * HOUR), 960),
                tolerance=35,
            ),
            Case(f"{name}IdleAlarm", "it runs", points=INVOKED),
        )
    ),
    Case(
        "UndeliveredAlarm",
        "a message",
        points=queue("UndeliveredQueue", *((each, 1) for each in range(360, 720))),
        on=(360, 725),
    ),
    *(
        case
        for name in ("CopySharedSnapshots", "VerifyCopies", "DeleteExpiredCopies")
        for case in (
            Case(
                f"{name}ErrorsAlarm",
                "an error",
                points=function(name, "Errors", (330, 0), (360, 1), (375, 0)),
                on=(360, 420),
            ),
            Case(
                f"{name}ErrorsAlarm",
                "one each quarter of an hour",
                points=function(name, "Errors", *((e, 1) for e in range(360, 600, 15))),
                on=(360, 645),
            ),
            Case(f"{name}ErrorsAlarm", "none", points=function(name, "Errors", *((e, 0) for e in range(0, 1440, 15)))),
            Case(f"{name}ThrottlesAlarm", "throttled once", points=function(name, "Throttles", (360, 4))),
            Case(
                f"{name}ThrottlesAlarm",
                "throttled on and on",
                points=function(name, "Throttles", *((e, 4) for e in range(360, 480, 5))),
                on=(370, 525),
                tolerance=10,
            ),
            Case(f"{name}DurationAlarm", "long once", points=function(name, "Duration", (360, 290_000))),
            Case(
                f"{name}DurationAlarm",
                "long each hour",
                points=function(name, "Duration", *((e, 290_000) for e in range(360, 960, 60))),
                on=(480, 1140),
                tolerance=10,
            ),
        )
    ),
]
ALARMS = resources("AWS::CloudWatch::Alarm")
[NAMESPACE] = {
    each["Environment"]["Variables"]["SNAPFERRY_METRIC_NAMESPACE"]
    for each in resources("AWS::Lambda::Function").values()
}


def day(case: Case, alarm: dict[str, Any], *, namespace: str = NAMESPACE) -> list[str]:
    """The alarm's states; what sweeps do not say by themselves is said of a day on which all is well."""
    return Alarm(alarm).states([*extracted(case.lines, namespace=namespace), *case.points], START, 24 * HOUR)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.alarm}: {case.what}")
def test_a_day(case: Case) -> None:
    states = day(case, ALARMS[case.alarm])
    on = [number for number, state in enumerate(states) if state == "ALARM"]
    if case.on is None:
        assert on == []
        return
    start, end = case.on
    assert on, "never on"
    assert start - 1 <= on[0] <= start + case.tolerance, f"on at {on[0]}"
    assert end - case.tolerance <= on[-1] <= end + case.tolerance, f"off at {on[-1]}"
    assert times_in_alarm(states) == 1, "it flaps"


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


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("UnprotectedAlarm", "old"),
        ("SilentOwnerAlarm", "old"),
        ("KeyUnusableAlarm", "wrong"),
        ("CopiesKeyAlarm", "wrong"),
        ("TagsMalformedAlarm", "wrong"),
        ("AttemptsExhaustedAlarm", "failing"),
    ],
)
def test_forged_lines_silence_no_alarm_about_a_state(name: str, what: str) -> None:
    """Whoever writes to any log group can say every minute that all is well; the sweeps say what is."""
    forged = every(1, 24, minute(0), WELL)
    states = day(Case(name, "", [*sweeps(what, 0, 24), *forged]), ALARMS[name])
    assert set(states[60:]) == {"ALARM"}


@pytest.mark.parametrize("name", ALARMS)
def test_it_looks_at_a_metric_that_exists(name: str) -> None:
    alarm = ALARMS[name]
    if alarm["Namespace"] == NAMESPACE:
        assert SCHEMA["properties"][alarm["MetricName"]]["description"].startswith("Metric: ")
        assert "Dimensions" not in alarm
    else:
        assert alarm["Namespace"] in {"AWS/Lambda", "AWS/SQS"}


@pytest.mark.parametrize("name", ALARMS)
def test_its_description_says_what_happened_and_what_to_do(name: str) -> None:
    description = ALARMS[name]["AlarmDescription"]
    sentences = re.findall(r"[^.]+\.(?= )", description)
    assert len(sentences) >= 2, "what happened, and what to do"
    assert "flap" not in description
    assert len(description) <= 1024


@pytest.mark.parametrize("name", ALARMS)
def test_the_template_says_above_it_why_it_does_not_flap(name: str) -> None:
    comment = re.search(rf"((?:^  #.*\n)+)^  {name}:$", TEMPLATE.read_text(), re.MULTILINE)
    assert comment
    assert " so it does not flap." in " ".join(comment[1].replace("#", " ").split()) or "first function" in comment[1]


def test_it_notifies_the_topic_when_it_comes_and_when_it_goes() -> None:
    topic = "arn:aws:sns:eu-west-1:222222222222:operators"
    for alarm in resources("AWS::CloudWatch::Alarm", AlarmTopicArn=topic).values():
        assert (alarm["AlarmActions"], alarm["OKActions"]) == ([topic], [topic])
    assert all("AlarmActions" not in alarm for alarm in ALARMS.values())


def test_thresholds_follow_the_parameters() -> None:
    hours = {"UnprotectedAlarmHours": "5", "SilentOwnerAlarmHours": "6", "SweepMissingAlarmHours": "7"}
    hours |= {"VerifyMissingAlarmHours": "8", "ExpiryMissingAlarmHours": "9"}
    alarms = resources("AWS::CloudWatch::Alarm", **hours)
    assert alarms["UnprotectedAlarm"]["Threshold"] == "5"
    assert alarms["SilentOwnerAlarm"]["Threshold"] == "6"
    assert alarms["SweepMissingAlarm"]["EvaluationPeriods"] == "7"
    assert alarms["VerifyMissingAlarm"]["EvaluationPeriods"] == "8"
    assert alarms["ExpiryMissingAlarm"]["EvaluationPeriods"] == "9"
    assert "SilentOwnerAlarm" not in resources("AWS::CloudWatch::Alarm", SilentOwnerAlarmHours="0")


def test_the_audit_outlives_whoever_deletes_it() -> None:
    groups = resources("AWS::Logs::LogGroup").values()
    assert len(groups) == 3
    assert all(group["DeletionProtectionEnabled"] is True for group in groups)
