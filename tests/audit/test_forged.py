"""Forged lines make alarms ring, and silence none: whoever writes to any log group writes into the stack's metrics."""

from dataclasses import replace

import pytest

from tests.audit.cloudwatch import Datapoint
from tests.audit.days import CASES, ENDS, HOUR, WELL, Case, minute, sweeps
from tests.audit.lines import every, run, sweep
from tests.audit.template import resources
from tests.audit.test_alarms import ALARMS, day

STATES = {
    "UnprotectedAlarm": "old",
    "SilentOwnerAlarm": "old",
    "KeyUnusableAlarm": "wrong",
    "CopiesKeyAlarm": "wrong",
    "TagsMalformedAlarm": "wrong",
    "AttemptsExhaustedAlarm": "failing",
}


@pytest.mark.parametrize(("name", "what"), STATES.items())
def test_forged_lines_silence_no_alarm_about_a_state(name: str, what: str) -> None:
    """Whoever writes to any log group can say every minute that all is well; the sweeps say what is."""
    forged = every(1, 24, minute(0), WELL)
    states = day(Case(name, "", [*sweeps(what, 0, 24), *forged]), ALARMS[name])
    assert set(states[60:]) == {"ALARM"}


@pytest.mark.parametrize(("name", "what"), STATES.items())
@pytest.mark.parametrize("hours", [6, 12])
def test_however_rare_the_sweeps_are_forged_lines_silence_none(name: str, what: str, hours: int) -> None:
    """As long as the missing sweep's alarm has longer than from one to the next; with less it rings itself."""
    rare = every(hours * 60, 24, minute(5), [*sweep(what), *ENDS])
    lines = [*rare, *every(1, 24, minute(0), WELL)]
    told = {"SweepMissingAlarmHours": str(hours + 1), "ExpiryMissingAlarmHours": str(hours + 1)}
    assert set(day(Case(name, "", lines), resources("AWS::CloudWatch::Alarm", **told)[name])[60:]) == {"ALARM"}
    untold = day(Case("SweepMissingAlarm", "", rare), ALARMS["SweepMissingAlarm"])
    assert untold[1:].count("ALARM") > len(untold) / 2


def test_a_sweep_s_zero_does_not_hide_a_key_that_only_the_expirer_sees() -> None:
    """That of copies in a retired Region, of which the expirer tells every three hours, and sweeps say all is well."""
    unseen = [{**each, "CopiesKeysEndangered": 1} for each in run("expiry.completed", "nothing")]
    lines = [*sweeps("well", 0, 24), *every(180, 24, minute(5), unseen)]
    assert set(day(Case("CopiesKeyAlarm", "", lines), ALARMS["CopiesKeyAlarm"])[60:]) == {"ALARM"}


OCCURRENCES = {
    case.alarm: case
    for case in reversed(CASES)
    if case.on and case.lines and ALARMS[case.alarm]["ComparisonOperator"] == "GreaterThanThreshold"
}


@pytest.mark.parametrize("name", OCCURRENCES)
def test_forged_negative_values_silence_nothing(name: str) -> None:
    """A sum of what happened and of less than nothing would be no more than nothing."""
    case = OCCURRENCES[name]
    alarm = ALARMS[name]
    forged = [
        Datapoint(alarm["Namespace"], alarm["MetricName"], frozenset(), minute(each), -1e9) for each in range(24 * HOUR)
    ]
    silent = [
        number
        for number, (before, after) in enumerate(
            zip(day(case, alarm), day(replace(case, points=forged), alarm), strict=True)
        )
        if before == "ALARM" != after
    ]
    assert silent == []
