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

from tests.bench.process import Process
from tests.stub.events import batch
from tests.stub.stub import HOME, SOURCE, TARGET, Stub

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "target/lambda"
FUNCTIONS = ["copy-shared-snapshots", "verify-copies", "delete-expired-copies"]
TARGETS = ["eu-west-1", "eu-central-1", "ap-southeast-2"]
# EC2's and DynamoDB's latency in the warm row, in seconds.
LATENCY, TABLE_LATENCY = 0.05, 0.005
# So many snapshots are shared where events are measured, none of them copied.
SHARED = 1000


def key(region: str) -> str:
    """The ARN of the only key of a Region."""
    return f"arn:aws:kms:{region}:{TARGET}:key/1234abcd-12ab-34cd-56ef-1234567890ab"


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
                    "EncryptionConfiguration": {
                        "Encrypted": True,
                        "CmkArn": key(target),
                    },
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
CALLS = Contender("bare-calls", [str(BUILT / "bare-calls/bootstrap"), *TARGETS])
BOTO3 = Contender("boto3", [sys.executable, "-m", "awslambdaric", "tests.bench.boto3_baseline.handler.handler"])


def start(contender: Contender, aws: Stub) -> Process:
    """A new environment of a function."""
    environment = aws.environment | {"SNAPFERRY_POLICY": json.dumps(POLICY), "PYTHONPATH": str(ROOT)}
    return Process(contender.command, environment, region=HOME)


def cold_starts(aws: Stub, rounds: int) -> list[Row]:
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
            f"≤ {2.5 * echo:.1f} (2.5 x the echo)",
            median[name] <= 2.5 * echo,
            echo,
            boto3,
        )
        for name in FUNCTIONS
    ]


def first_invocation(aws: Stub, rounds: int) -> Row:
    """The first invocation of a new environment: one event, 3 Regions, AWS answering at once."""
    seen: dict[str, list[float]] = {each.name: [] for each in (CALLS, COPIER, BOTO3)}
    for _ in range(rounds):
        for each in (CALLS, COPIER, BOTO3):
            aws.reset(shared=SHARED, call_seconds=0.0, table_seconds=0.0)
            with start(each, aws) as process:
                seen[each.name].append(process.invoke(batch(1, 1))[0] * 1000)
    bare, ours, boto3 = (statistics.median(values) for values in seen.values())
    return Row(
        "first invocation, one event, 3 Regions, API latency 0",
        "ms",
        ours,
        f"≤ {1.8 * bare:.1f} (1.8 x the bare SDK calls)",
        ours <= 1.8 * bare,
        bare,
        boto3,
    )


def warm_invocation(aws: Stub, rounds: int) -> Row:
    """A warm invocation: one event, 3 Regions."""
    medians = []
    for each in (COPIER, BOTO3):
        aws.reset(shared=SHARED, call_seconds=LATENCY, table_seconds=TABLE_LATENCY)
        with start(each, aws) as process:
            process.invoke(batch(1, 1))
            times = [process.invoke(batch(number, 1))[0] * 1000 for number in range(2, rounds + 2)]
            medians.append(statistics.median(times))
    ours, boto3 = medians
    trips = 2 * LATENCY * 1000
    latencies = f"API latency {LATENCY * 1000:.0f} ms, the table's {TABLE_LATENCY * 1000:.0f} ms"
    return Row(
        f"warm invocation, one event, 3 Regions, {latencies}",
        "ms",
        ours,
        f"≤ {trips + 25:.0f} (2 round trips + 25 ms)",
        ours <= trips + 25,
        trips,
        boto3,
    )


def batch_of_ten(aws: Stub) -> list[Row]:
    """Calls and memory of a batch of 10 snapshots, key checks cached as in any warm environment."""
    calls, memory = [], []
    for each in (COPIER, BOTO3):
        aws.reset(shared=SHARED, call_seconds=0.0, table_seconds=0.0)
        with start(each, aws) as process:
            process.invoke(batch(1, 1))
            aws.seen()
            process.invoke(batch(2, 10))
            seen = aws.seen()
            calls.append(seen.of("ec2"))
            memory.append(process.peak_memory_mib())
            if seen.of("ec2", "CopySnapshot") != 10 * len(TARGETS) or seen.unexpected:
                raise RuntimeError(f"{each.name} did something else: {seen}, {process.printed()}")
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
    return [Row(f"package of {name}", "MB", size, "≤ 3.5", size <= 3.5, echo) for name, size in sizes]


def sweep(rounds: int, count: int = 100_000) -> list[Row]:
    """A sweep over shared snapshots that are all copied, beside the SDK reading the same pages and keeping nothing."""
    policy = json.loads(json.dumps(POLICY))
    for target in policy["Actions"][0]["CrossRegionCopy"]:
        target["EncryptionConfiguration"] = {"Encrypted": True}
    ours, bare, memory = [], [], []
    with Stub(shared=count, copied=count) as aws:
        environment = aws.environment | {"SNAPFERRY_POLICY": json.dumps(policy)}
        # The first round finds out how many there are; those behind it are measured.
        for number in range(rounds + 1):
            with Process(COPIER.command, environment, region=HOME) as process:
                took = process.invoke({"sweep": "bench"})[0]
                lines = map(json.loads, process.printed().splitlines())
                (completed,) = (line for line in lines if line["event"] == "sweep.completed")
                if completed["sweep"]["protected"] != count * len(TARGETS):
                    raise RuntimeError(f"the sweep found something else: {completed}")
                memory.append(process.peak_memory_mib())
            if number:
                ours.append(took)
                bare.append(bare_pagination(aws))
    seconds, limit, peak = statistics.median(ours), statistics.median(bare), max(memory)
    name = f"sweep over {count:,} shared snapshots, all copied into 3 Regions"
    return [
        Row(name, "s", seconds, f"≤ {1.3 * limit:.1f} (1.3 x the SDK's own reading)", seconds <= 1.3 * limit, limit),
        Row(f"peak memory of that {name.split(maxsplit=1)[0]}", "MiB", peak, "≤ 128", peak <= 128),
    ]


def bare_pagination(aws: Stub) -> float:
    """The seconds that the SDK takes for all pages."""
    done = subprocess.run(
        [str(BUILT / "bare-pagination/bootstrap"), f"{HOME}={SOURCE}", *TARGETS],
        env={
            "AWS_ENDPOINT_URL": aws.url,
            "AWS_REGION": HOME,
            "AWS_ACCESS_KEY_ID": TARGET,
            "AWS_SECRET_ACCESS_KEY": "unused",
        },
        check=True,
        capture_output=True,
        text=True,
    )
    return float(json.loads(done.stdout)["seconds"])


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
    with Stub() as aws:
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
