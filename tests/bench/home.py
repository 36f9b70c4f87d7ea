"""What one home's stack costs a month beside the copies themselves, by the prices of `tests/prices.toml`.

At most: each metric is counted as if it were written in every hour, and no free tier is taken off.

`python -m tests.bench.home` prints it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from tests.bench.prices import MEMORY_GB
from tests.prices import usd

ROOT = Path(__file__).parents[2]
HOURS = 720
# Invocations a month by the template's schedules: serve every minute, sweep every quarter of an hour, verify every five
# minutes, expire every hour; and the seconds of each that are taken for them.
TICKS = {"serve": (60 * HOURS, 0.3), "sweep": (4 * HOURS, 10.0), "verify": (12 * HOURS, 5.0), "expire": (HOURS, 10.0)}
# Lambda asks a FIFO queue with long polls of 20 s, five at a time.
POLLS = 5 * 3 * 60 * HOURS
# A tick that finds nothing asks the ledger a few times for each target Region.
READS_A_TICK, WRITES_A_SWEEP = 8, 20
# The kinds of databases, each with metrics in a namespace and a ledger of its own; one run is of both.
KINDS_OF_DATABASES = 2
# What nobody says of databases: there are no events, locks or proofs of them.
OF_VOLUMES = {"CopiesLocked", "CopiesProved", "EventsInvalid", "LocksFailed"}
# Of each sweep a line for each Region and owner and one for all, and of the runs one each.
LINE_BYTES = 1500
# What is written only where something is wrong.
WRONG = {"PoliciesUnserved"}
DIMENSIONS = {"PolicyId", "TargetRegion", "SnapshotOwner"}
# By target Region, besides all together, and by owner (functions/core/src/audit/metrics.rs).
BY_REGION = ["Protected", "InFlight", "Unprotected", "OldestUnprotectedHours"]
BY_OWNER = ["HoursSinceLastShare"]


@dataclass(frozen=True)
class Home:
    """How large a home is."""

    policies: int = 1
    regions: int = 2
    owners: int = 10
    owner_metrics: bool = False
    databases: bool = False


def metrics(home: Home) -> int:
    """The most custom metrics: those of copies for each policy and Region, too."""
    schema = json.loads((ROOT / "functions/core/audit.schema.json").read_text())
    names = {name for name in schema["properties"] if name[0].isupper()} - DIMENSIONS - WRONG - set(BY_OWNER)
    of_databases = {name for name in names - OF_VOLUMES if not name.startswith("Pro") or name == "Protected"}
    return metrics_of(names, home) + (KINDS_OF_DATABASES * metrics_of(of_databases, home) if home.databases else 0)


def metrics_of(names: set[str], home: Home) -> int:
    """Those of one namespace."""
    of_copies = {name for name in names if name.startswith(("Copies", "Locks", "TimeToProtect", "CopyDuration"))}
    by_owner = home.owners * len(BY_OWNER) if home.owner_metrics else 0
    return len(names) + home.policies * home.regions * len(of_copies) + home.regions * len(BY_REGION) + by_owner


def alarms(home: Home) -> int:
    """The metrics that the template's alarms look at."""
    resources: dict[str, Any] = yaml_parse((ROOT / "infra/sam/template.yaml").read_text())["Resources"]
    found = [
        each
        for each in resources.values()
        if each["Type"] == "AWS::CloudWatch::Alarm" and (home.databases or "Databases" not in each.get("Condition", ""))
    ]
    stats = [sum("MetricStat" in each for each in alarm["Properties"].get("Metrics", [])) for alarm in found]
    return sum(max(count, 1) for count in stats)


def month(home: Home) -> dict[str, float]:
    """US dollars a month."""
    # Databases have ticks of their own, and no queue.
    times = 2 if home.databases else 1
    kinds = 1 + KINDS_OF_DATABASES if home.databases else 1
    invocations = times * sum(count for count, _ in TICKS.values())
    seconds = times * sum(count * each for count, each in TICKS.values())
    lines = kinds * (4 * HOURS * (home.regions + home.owners + 1) + 13 * HOURS)
    return {
        "custom metrics": metrics(home) * usd("metric_month"),
        "alarms": alarms(home) * usd("alarm_month"),
        "dashboard": usd("dashboard_month"),
        "Lambda": seconds * MEMORY_GB * usd("lambda_gb_second") + invocations * usd("lambda_million") / 1e6,
        "Scheduler": invocations * usd("scheduler_million") / 1e6,
        "SQS": POLLS * usd("sqs_fifo_million") / 1e6,
        "DynamoDB": kinds
        * (
            TICKS["serve"][0] * READS_A_TICK * usd("dynamodb_read_million")
            + TICKS["sweep"][0] * WRITES_A_SWEEP * usd("dynamodb_write_million")
        )
        / 1e6,
        "logs": lines * LINE_BYTES / 1e9 * usd("log_gb"),
    }


if __name__ == "__main__":
    without, and_databases = month(Home()), month(Home(databases=True))
    print(f"{'':16} volumes  and databases")
    for what in without:
        print(f"{what:16} {without[what]:7.2f} {and_databases[what]:14.2f}")
    print(f"{'together':16} {sum(without.values()):7.2f} {sum(and_databases.values()):14.2f}")
