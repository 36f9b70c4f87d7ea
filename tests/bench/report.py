"""The table in RESULTS.md, the chart, and the README's headline."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench import prices
from tests.bench.figures import ROOT, Row

RESULTS = ROOT / "tests/bench/RESULTS.md"
COMPILE = ROOT / "tests/bench/compile.json"
CHART = ROOT / "docs/bench.svg"
BLOCK = re.compile(r"(<!-- bench -->\n).*?(<!-- /bench -->)", re.DOTALL)


def number(value: float | None, unit: str) -> str:
    """A figure as people read it."""
    if value is None:
        return ""
    digits = 0 if value >= 100 or value == int(value) else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {unit}".strip()


def table(rows: list[Row]) -> str:
    """All rows in Markdown."""
    lines = ["| figure | the limit | Snapferry | boto3 | to reach | |", "|---|--:|--:|--:|---|---|"]
    lines += [
        f"| {row.figure} | {number(row.limit, row.unit)} | **{number(row.snapferry, row.unit)}** "
        f"| {number(row.boto3, row.unit)} | {row.target} | {'reached' if row.reached else 'MISSED'} |"
        for row in rows
    ]
    return "\n".join(lines)


def machine() -> str:
    """Where this was measured, and what else the machine did."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    load = os.getloadavg()
    return (
        f"{os.cpu_count()} cores ({model[1] if model else platform.processor()}), {platform.system()} "
        f"{platform.release()}; load over 1, 5 and 15 minutes {load[0]:.2f}, {load[1]:.2f}, {load[2]:.2f}"
    )


def versions() -> str:
    """What was measured."""

    def said(*command: str) -> str:
        return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()

    lock = (ROOT / "Cargo.lock").read_text()
    crates = ["aws-sdk-ec2", "lambda_runtime"]
    pinned = [(crate, re.search(rf'name = "{crate}"\nversion = "(.*?)"', lock)) for crate in crates]
    named = [f"{crate} {found[1]}" for crate, found in pinned if found]
    python = [f"{each} {importlib.metadata.version(each)}" for each in ("boto3", "awslambdaric")]
    commit = said("git", "describe", "--always", "--dirty", "--exclude", "*")
    return ", ".join(
        [f"commit {commit}", said("rustc", "--version"), *named, f"Python {platform.python_version()}", *python]
    )


def compile_section() -> str:
    """What `make bench-compile` measured last."""
    if not COMPILE.exists():
        return "Not measured: `make bench-compile` does."
    measured = json.loads(COMPILE.read_text())
    lines = [
        "| clean | seconds | largest compiler process | to reach | | before the SDK was cut |",
        "|---|--:|--:|---|---|--:|",
    ]
    lines += [compile_row(each) for each in measured["builds"]]
    return f"Measured on {measured['date']} at commit {measured['commit']}.\n\n" + "\n".join(lines)


def compile_row(build: dict[str, Any]) -> str:
    """A clean build beside what it has to reach."""
    reached = build["seconds"] <= build["seconds_to_reach"] and build["peak_gib"] <= build["gib_to_reach"]
    return (
        f"| {build['what']} | {build['seconds']:.0f} | {build['peak_gib']:.2f} GiB "
        f"| ≤ {build['seconds_to_reach']} s, ≤ {build['gib_to_reach']} GiB | {'reached' if reached else 'MISSED'} "
        f"| {build['before']} |"
    )


def chart(rows: list[Row]) -> str:
    """Bars of the rows that boto3 has too: each row's longest is the full width."""
    shown = [row for row in rows if row.boto3 is not None and "verify" not in row.figure and "delete" not in row.figure]
    width, bar, left, right = 760, 14, 10, 110
    parts, y = [], 20
    for row in shown:
        parts.append(f'<text x="{left}" y="{y}" class="name">{row.figure}</text>')
        values = [("boto3", row.boto3 or 0.0), ("Snapferry", row.snapferry), ("limit", row.limit or 0.0)]
        longest = max(value for _, value in values)
        for name, value in values:
            y += bar + 4
            length = max(2.0, value / longest * (width - left - right - 70))
            parts.append(f'<text x="{left}" y="{y + 2}" class="who">{name}</text>')
            parts.append(f'<rect x="{left + 70}" y="{y - 9}" width="{length:.1f}" height="{bar}" class="{name}"/>')
            parts.append(f'<text x="{left + 76 + length:.1f}" y="{y + 2}" class="who">{number(value, row.unit)}</text>')
        y += 32
    style = (
        "text{font:12px system-ui,sans-serif;fill:#24292f}.name{font-weight:600}.boto3{fill:#8c959f}"
        ".Snapferry{fill:#0969da}.limit{fill:#afb8c1}"
        "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.boto3{fill:#6e7681}.Snapferry{fill:#4493f8}.limit{fill:#484f58}}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y}" role="img" '
        f'aria-label="Snapferry beside boto3 and the limit"><style>{style}</style>{"".join(parts)}</svg>\n'
    )


def headline(rows: list[Row]) -> str:
    """The README's few lines."""

    def row(start: str) -> Row:
        return next(each for each in rows if each.figure.startswith(start))

    cold, warm, memory, sweep = row("cold start of copy"), row("warm"), row("peak memory after"), row("sweep")
    parts = [
        f"Measured on {datetime.now(UTC):%Y-%m-%d} ([all figures](tests/bench/RESULTS.md), `make bench`): a cold start",
        f"takes {number(cold.snapferry, 'ms')} until it asks for work, a boto3 function for the same job",
        f"{number(cold.boto3, 'ms')}; a share event becomes three copies in {number(warm.snapferry, 'ms')} when each",
        f"call takes 50 ms, boto3 {number(warm.boto3, 'ms')}; a batch of ten needs {number(memory.snapferry, 'MiB')}",
        f"of memory, boto3 {number(memory.boto3, 'MiB')}; a {sweep.figure} takes {number(sweep.snapferry, 's')},",
        f"of which the SDK's reading alone is {number(sweep.limit, 's')}.",
    ]
    picture = "![Cold start, first and warm invocation, calls and memory beside boto3 and the limit](docs/bench.svg)"
    return "\n".join(parts) + f"\n\n{picture}\n"


def write(rows: list[Row], rounds: int) -> str:
    """Writes everything; gives what RESULTS.md says."""
    text = f"""# What Snapferry costs, measured

{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, medians of {rounds} rounds (sweeps: 3), all in one run on one machine:
{machine()}.
{versions()}.

The limit is a function that answers with its input (`bare-echo`) or makes the same calls (`bare-calls`), or a program
that reads the same pages and keeps nothing (`bare-pagination`), all built with the same profile, and the round trips
that no program can save. boto3 is `boto3_baseline/`, the handler that one would
write instead. How: [README.md](README.md).

{table(rows)}

## A million copies

US dollars for Lambda, SQS, EventBridge and DynamoDB, by the public prices and the parameters in `prices.py`, every
event an invocation of its own that takes the warm row's time. The boto3 handler has no queue and remembers nothing.

{prices.table(rows)}

## Compiling

{compile_section()}
"""
    RESULTS.write_text(text)
    CHART.parent.mkdir(exist_ok=True)
    CHART.write_text(chart(rows))
    readme = ROOT / "README.md"
    block = headline(rows)
    readme.write_text(BLOCK.sub(lambda found: found[1] + block + found[2], readme.read_text()))
    return text
