"""What a million copies cost in Lambda, SQS, EventBridge and DynamoDB, from public price formulas.

Not counted: snapshots' storage and transfer, which whoever copies pays; logs; free tiers; the schedules' few hundred
invocations a month.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.bench.figures import TARGETS, Row
from tests.prices import usd

COPIES = 1_000_000
EVENTS = COPIES / len(TARGETS)
# US East (N. Virginia), US dollars.
LAMBDA_GB_SECOND = usd("lambda_gb_second")
LAMBDA_REQUEST = usd("lambda_million") / 1e6
SQS_FIFO_REQUEST = usd("sqs_fifo_million") / 1e6
# Events that AWS services publish are free (https://aws.amazon.com/eventbridge/pricing/).
EVENTBRIDGE_AWS_EVENT = 0.0
# A write of up to 1 KB is an obligation.
DYNAMODB_WRITE = usd("dynamodb_write_million") / 1e6
DYNAMODB_READ = usd("dynamodb_read_million") / 1e6
# What the template gives the function, in GB. Lambda bills it whether it is used or not.
MEMORY_GB = 0.5
# Each event by itself, the dearest case: it is sent, received and deleted.
SQS_REQUESTS_AN_EVENT = 3
# Of a copy that an event asks for: the intent, the answer and the end, and the index's two changes; what is read before
# the intent (the obligation, the Region's turns) and before the end.
WRITES_A_COPY = 5
READS_A_COPY = 3


@dataclass(frozen=True)
class Cost:
    """US dollars for a million copies."""

    compute: float
    requests: float
    queue: float
    events: float
    table: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.compute + self.requests + self.queue + self.events + self.table


def cost(milliseconds: float, *, is_ours: bool) -> Cost:
    """A million copies when one event is one invocation of `milliseconds`; Snapferry has a queue and a ledger, too."""
    return Cost(
        compute=EVENTS * milliseconds / 1000 * MEMORY_GB * LAMBDA_GB_SECOND,
        requests=EVENTS * LAMBDA_REQUEST,
        queue=EVENTS * SQS_REQUESTS_AN_EVENT * SQS_FIFO_REQUEST if is_ours else 0.0,
        events=EVENTS * EVENTBRIDGE_AWS_EVENT,
        table=COPIES * (WRITES_A_COPY * DYNAMODB_WRITE + READS_A_COPY * DYNAMODB_READ) if is_ours else 0.0,
    )


def table(rows: list[Row]) -> str:
    """Both contenders' costs, from the warm row's times."""
    warm = next(row for row in rows if row.figure.startswith("warm"))
    if warm.boto3 is None:
        raise ValueError("the warm row has no boto3")
    costs = {"Snapferry": cost(warm.snapferry, is_ours=True), "boto3, no queue": cost(warm.boto3, is_ours=False)}
    lines = [
        "| | Lambda, time | Lambda, requests | SQS FIFO | EventBridge | DynamoDB | together |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {name} | ${each.compute:.2f} | ${each.requests:.2f} | ${each.queue:.2f} | ${each.events:.2f} "
        f"| ${each.table:.2f} | **${each.total:.2f}** |"
        for name, each in costs.items()
    ]
    return "\n".join(lines)
