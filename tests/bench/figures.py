"""What is measured: each function gives the figures of one row."""

from __future__ import annotations

import io
import json
import re
import statistics
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.bench.endpoint import HOME, SOURCE, TARGET, Aws, key
from tests.bench.process import Process
from tests.scale.pages import PAGE, Pages

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "target/lambda"
FUNCTIONS = ["copy-shared-snapshots", "verify-copies", "delete-expired-copies"]
TARGETS = ["eu-west-1", "eu-central-1", "ap-southeast-2"]
# EC2's latency in the warm row, in seconds.
LATENCY = 0.05

POLICY = {
    "PolicyType": "EVENT_BASED_POLICY",
    "EventSource": {
        "Type": "MANAGED_CWE",
        "Parameters": {"EventType": "shareSnapshot", "SnapshotOwner": [SOURCE], "DescriptionRegex": ".*policy-.*"},
    },
    "Actions": [
        {
            "Name": "copy",
            "CrossRegionCopy": [
                {
                    "Target": target,
                    "EncryptionConfiguration": {"Encrypted": True, "CmkArn": key(target)},
                    "RetainRule": {"Interval": 30, "IntervalUnit": "DAYS"},
                }
                for target in TARGETS
            ],
        }
    ],
}


@dataclass(frozen=True)
class Contender:
    """A handler and how it is started."""

    name: str
    command: list[str]


@dataclass(frozen=True)
class Row:
    """One figure of everybody who has one, in the row's unit."""

    figure: str
    unit: str
    snapferry: float
    target: str
    reached: bool
    limit: float | None = None
    boto3: float | None = None


def built(name: str) -> Contender:
    """A binary of `make build`."""
    return Contender(name, [str(BUILT / name / "bootstrap")])


COPIER = built("copy-shared-snapshots")
ECHO = built("bare-echo")
BOTO3 = Contender("boto3", [sys.executable, "-m", "awslambdaric", "tests.bench.boto3_baseline.handler.handler"])


def start(contender: Contender, aws: Aws) -> Process:
    """A new environment of a function."""
    environment = {"AWS_ENDPOINT_URL": aws.url, "SNAPFERRY_POLICY": json.dumps(POLICY), "PYTHONPATH": str(ROOT)}
    return Process(contender.command, environment, region=HOME)


def event(number: int) -> dict[str, object]:
    """One share event as the queue hands it over (EBS User Guide, "EventBridge events for Amazon EBS")."""
    detail = {
        "event": "shareSnapshot",
        "result": "succeeded",
        "cause": "",
        "request-id": "",
        "snapshot_id": f"arn:aws:ec2::{HOME}:snapshot/snap-0{number:016x}",
        "source": SOURCE,
        "startTime": "2026-11-01T03:00:00Z",
        "endTime": "2026-11-01T03:10:00Z",
    }
    body = {
        "version": "0",
        "id": f"event-{number}",
        "detail-type": "EBS Snapshot Notification",
        "source": "aws.ec2",
        "account": TARGET,
        "time": "2026-11-01T03:10:01Z",
        "region": HOME,
        "resources": [f"arn:aws:ec2::{HOME}:snapshot/snap-0{number:016x}"],
        "detail": detail,
    }
    return {
        "messageId": f"message-{number}",
        "receiptHandle": "handle",
        "body": json.dumps(body),
        "attributes": {},
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{HOME}:{TARGET}:copier.fifo",
        "awsRegion": HOME,
    }


def batch(first: int, size: int) -> dict[str, object]:
    """The input of one invocation."""
    return {"Records": [event(number) for number in range(first, first + size)]}


def cold_starts(aws: Aws, rounds: int) -> list[Row]:
    """Exec to the first request for work; contenders take turns."""
    contenders = [ECHO, *map(built, FUNCTIONS), BOTO3]
    seen: dict[str, list[float]] = {each.name: [] for each in contenders}
    for _ in range(rounds):
        for each in contenders:
            with start(each, aws) as process:
                seen[each.name].append(process.cold_start * 1000)
    median = {name: statistics.median(values) for name, values in seen.items()}
    echo, boto3 = median[ECHO.name], median[BOTO3.name]
    return [
        Row(
            f"cold start of {name}, exec to first request for work",
            "ms",
            median[name],
            f"≤ {2.5 * echo:.1f} (2.5 x the echo), ≤ {boto3 / 60:.1f} (boto3 / 60)",
            median[name] <= 2.5 * echo and median[name] * 60 <= boto3,
            echo,
            boto3,
        )
        for name in FUNCTIONS
    ]


def first_invocation(aws: Aws, rounds: int) -> Row:
    """The first invocation of a new environment: one event, 3 Regions, EC2 answering at once."""
    aws.reset()
    seen: dict[str, list[float]] = {each.name: [] for each in (ECHO, COPIER, BOTO3)}
    for _ in range(rounds):
        for each in (ECHO, COPIER, BOTO3):
            with start(each, aws) as process:
                seen[each.name].append(process.invoke(batch(1, 1))[0] * 1000)
    echo, ours, boto3 = (statistics.median(values) for values in seen.values())
    return Row(
        "first invocation, one event, 3 Regions, API latency 0",
        "ms",
        ours,
        f"≤ 25, ≤ {boto3 / 10:.1f} (boto3 / 10)",
        ours <= 25 and ours * 10 <= boto3,
        echo,
        boto3,
    )


def warm_invocation(aws: Aws, rounds: int) -> Row:
    """A warm invocation: one event, 3 Regions."""
    aws.reset(LATENCY)
    medians = []
    for each in (COPIER, BOTO3):
        with start(each, aws) as process:
            process.invoke(batch(1, 1))
            times = [process.invoke(batch(number, 1))[0] * 1000 for number in range(2, rounds + 2)]
            medians.append(statistics.median(times))
    ours, boto3 = medians
    trips = 2 * LATENCY * 1000
    return Row(
        f"warm invocation, one event, 3 Regions, API latency {LATENCY * 1000:.0f} ms",
        "ms",
        ours,
        f"≤ {trips + 8:.0f} (2 round trips + 8 ms)",
        ours <= trips + 8,
        trips,
        boto3,
    )


def batch_of_ten(aws: Aws) -> list[Row]:
    """Calls and memory of a batch of 10 snapshots, key checks cached as in any warm environment."""
    calls, memory, seconds = [], [], []
    for each in (COPIER, BOTO3):
        with start(each, aws) as process:
            process.invoke(batch(1, 1))
            aws.reset()
            seconds.append(process.invoke(batch(2, 10))[0])
            counted = aws.reset()
            calls.append(sum(count for call, count in counted.items() if call.startswith("ec2:")))
            memory.append(process.peak_memory_mib())
            if counted["ec2:CopySnapshot"] != 10 * len(TARGETS):
                raise RuntimeError(f"{each.name} copied {counted['ec2:CopySnapshot']} times: {process.printed()}")
    with start(ECHO, aws) as process:
        process.invoke(batch(1, 10))
        echo = process.peak_memory_mib()
    return [
        Row("EC2 calls for a batch of 10 snapshots x 3 Regions", "", calls[0], "≤ 34", calls[0] <= 34, 34, calls[1]),
        Row("peak memory after a batch of 10", "MiB", memory[0], "≤ 24", memory[0] <= 24, echo, memory[1]),
    ]


def packages() -> list[Row]:
    """Each function's package as SAM zips it."""

    def zipped(name: str) -> float:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(BUILT / name / "bootstrap", "bootstrap")
        return len(packed.getvalue()) / 1e6

    echo = zipped(ECHO.name)
    sizes = [(name, zipped(name)) for name in FUNCTIONS]
    return [Row(f"package of {name}", "MB", size, "≤ 3", size <= 3, echo) for name, size in sizes]


def sweep(rounds: int, pages: int = 100) -> list[Row]:
    """A sweep over shared snapshots that are all copied, beside the SDK reading the same pages and keeping nothing."""
    policy = json.loads(json.dumps(POLICY))
    for target in policy["Actions"][0]["CrossRegionCopy"]:
        target["EncryptionConfiguration"] = {"Encrypted": True}
    ours, bare, memory = [], [], []
    with Pages(home=HOME, targets=TARGETS, pages=pages) as aws:
        environment = {"AWS_ENDPOINT_URL": aws.url, "SNAPFERRY_POLICY": json.dumps(policy)}
        for _ in range(rounds):
            with Process(COPIER.command, environment, region=HOME) as process:
                ours.append(process.invoke({"sweep": "bench"})[0])
                memory.append(process.peak_memory_mib())
                lines = map(json.loads, process.printed().splitlines())
                (completed,) = (line for line in lines if line["event"] == "sweep.completed")
                if completed["sweep"]["protected"] != pages * PAGE * len(TARGETS):
                    raise RuntimeError(f"the sweep found something else: {completed}")
            done = subprocess.run(
                [str(BUILT / "bare-pagination/bootstrap"), HOME, *TARGETS],
                env={
                    "AWS_ENDPOINT_URL": aws.url,
                    "AWS_REGION": HOME,
                    "AWS_ACCESS_KEY_ID": "x",
                    "AWS_SECRET_ACCESS_KEY": "x",
                },
                check=True,
                capture_output=True,
                text=True,
            )
            bare.append(float(json.loads(done.stdout)["seconds"]))
    seconds, limit, peak = statistics.median(ours), statistics.median(bare), max(memory)
    name = f"sweep over {pages * PAGE:,} shared snapshots, all copied into 3 Regions"
    return [
        Row(name, "s", seconds, f"≤ {1.3 * limit:.1f} (1.3 x the SDK's own reading)", seconds <= 1.3 * limit, limit),
        Row(f"peak memory of that {name.split(maxsplit=1)[0]}", "MiB", peak, "≤ 128", peak <= 128),
    ]


def decide() -> Row:
    """Core's decision alone, from its micro-benchmark."""
    command = ["cargo", "bench", "--quiet", "--locked", "--package", "snapferry-core", "--bench", "decide"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return decided(done.stdout)


def decided(printed: str) -> Row:
    """The row from what the micro-benchmark printed: divan's table, of which the median counts."""
    units = {"ns": 1e-6, "µs": 1e-3, "ms": 1.0, "s": 1e3}
    for line in printed.splitlines():
        if "sweep_100_000" in line:
            times = [float(value) * units[unit] for value, unit in re.findall(r"([\d.]+) (ns|µs|ms|s)\b", line)]
            # Columns: fastest, slowest, median, mean.
            median = times[2]
            return Row("decide for 100,000 snapshots x 3 Regions", "ms", median, "≤ 100", median <= 100)
    raise RuntimeError(f"no median in what the micro-benchmark printed:\n{printed}")


def every(progress: Callable[[str], None], rounds: int) -> list[Row]:
    """All rows, measured now."""
    rows = []
    with Aws() as aws:
        progress("cold starts")
        rows += cold_starts(aws, rounds)
        progress("first invocations")
        rows.append(first_invocation(aws, rounds))
        progress("warm invocations")
        rows.append(warm_invocation(aws, rounds))
        progress("batches of 10")
        rows += batch_of_ten(aws)
    progress("packages")
    rows += packages()
    progress("sweeps")
    rows += sweep(3)
    progress("decisions")
    rows.append(decide())
    return rows
