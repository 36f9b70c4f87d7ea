"""Days in the life of each alarm: on some it rings, on the others it must not."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tests.audit.cloudwatch import Datapoint, times_in_alarm
from tests.audit.lines import Line, at, every, line, run, sweep

START = datetime(2026, 11, 22, tzinfo=UTC)
HOUR = 60
WELL = sweep("well")
ENDS = [line for event in ("verify", "prove", "expiry") for line in run(f"{event}.completed", "nothing")]


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

    def hold(self, states: list[str]) -> None:
        """The alarm was on when it must be, once, and at no other time."""
        on = [number for number, state in enumerate(states) if state == "ALARM"]
        if self.on is None:
            assert on == []
            return
        start, end = self.on
        assert on, "never on"
        assert start - 1 <= on[0] <= start + self.tolerance, f"on at {on[0]}"
        assert end - self.tolerance <= on[-1] <= end + self.tolerance, f"off at {on[-1]}"
        assert times_in_alarm(states) == 1, "it flaps"


FIVE_FAILURES = (360, 380, 400, 420, 440)
QUIET = found("well", 0)
# Each function runs every half hour.
INVOKED = [
    point
    for name in ("CopySharedSnapshots", "VerifyCopies", "ProveCopies", "DeleteExpiredCopies")
    for point in function(name, "Invocations", *((each, 1) for each in range(0, 1440, 30)))
]

CASES = [
    Case("UnprotectedAlarm", "54 hours without a copy", found("old", 5), on=(6 * HOUR, 12.75 * HOUR)),
    Case("UnprotectedAlarm", "three hours without a copy", found("wrong", 5)),
    Case(
        "UnprotectedAlarm",
        "old when it was shared, and copied at once",
        found("old", 0.5),
        on=(6 * HOUR, 8.25 * HOUR),
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
    Case("CopyRejectedAlarm", "other bytes", happened("copy.rejected", "content-differs", 360), on=(360, 420)),
    Case("ProveCopiesErrorsAlarm", "an error", points=function("ProveCopies", "Errors", (360, 1)), on=(360, 420)),
    Case("ProveCopiesErrorsAlarm", "none", points=function("ProveCopies", "Errors", *((e, 0) for e in range(1440)))),
    Case("ProofDiffersAlarm", "other bytes", happened("copy.rejected", "content-differs", 360), on=(360, 420)),
    Case("ProofDiffersAlarm", "other blocks", happened("copy.proved", "structure-differs", 360), on=(360, 420)),
    Case("ProofDiffersAlarm", "equal or unread", happened("copy.proved", "sampled", *range(360, 480))),
    Case("ProofMissingAlarm", "copies wait, for want of time", runs("prove.completed", 60, 0, 24, "waiting")),
    Case("ProofDiffersAlarm", "another rejection", happened("copy.rejected", "wrong-key", 360)),
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
        "AttemptsExhaustedAlarm", "exhausted for six hours", found("failing", 6), on=(6 * HOUR, 14 * HOUR), tolerance=20
    ),
    Case("KeyUnusableAlarm", "disabled for six hours", found("wrong", 6), on=(6 * HOUR, 14 * HOUR), tolerance=20),
    Case(
        "KeyUnusableAlarm",
        "a copy refused by an event, and repaired before a sweep",
        happened("copy.refused", "key-disabled", 361),
    ),
    Case("PolicyUnservedAlarm", "six hours", found("unserved", 6), on=(6 * HOUR, 14 * HOUR), tolerance=20),
    Case("PolicyUnservedAlarm", "another thing is wrong", found("wrong", 6)),
    Case("CopiesKeyAlarm", "lost for six hours", found("wrong", 6), on=(6 * HOUR, 18 * HOUR), tolerance=20),
    Case(
        "CopiesKeyAlarm",
        "a copy waits for its verdict under a lost key for six hours, where no sweep looks",
        [*sweeps("well", 0, 24), *runs("verify.completed", 5, 6 * HOUR, 6, "doomed")],
        on=(6 * HOUR, 18 * HOUR),
        tolerance=20,
    ),
    Case("TagsMalformedAlarm", "changed for six hours", found("wrong", 6), on=(6 * HOUR, 14 * HOUR), tolerance=20),
    Case(
        "MassExpiryAlarm",
        "refused every hour until noon",
        happened("copy.refused", "mass-expiry", *range(6 * HOUR, 12 * HOUR, HOUR)),
        on=(6 * HOUR, 24 * HOUR),
    ),
    Case("MassExpiryAlarm", "a wrong clock", happened("copy.refused", "clock-behind", 360), on=(360, 24 * HOUR)),
    Case("EventInvalidAlarm", "garbage", happened("event.invalid", "not-json", 360, 361, 390), on=(360, 450)),
    Case("EventInvalidAlarm", "an event that asks for nothing", happened("copy.skipped", "other-event", 360)),
    Case("SilentOwnerAlarm", "54 hours of silence", found("old", 5), on=(6 * HOUR, 12.75 * HOUR)),
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
            ("ProofMissingAlarm", "prove.completed", 60, 6),
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
        for name, hours in (
            ("CopySharedSnapshots", 2),
            ("VerifyCopies", 2),
            ("ProveCopies", 6),
            ("DeleteExpiredCopies", 6),
        )
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
