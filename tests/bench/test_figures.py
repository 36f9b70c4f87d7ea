"""The benchmark runs, and what does not depend on the machine's speed is as promised."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench import compile as clean_builds
from tests.bench import figures, home, prices, report
from tests.bench.figures import Row
from tests.stub.stub import Stub

DIVAN = """
Timer precision: 12 ns
decide                fastest       │ slowest       │ median        │ mean          │ samples │ iters
├─ policy             9.1 µs        │ 12 µs         │ 9.5 µs        │ 9.7 µs        │ 100     │ 100
╰─ sweep_100_000      81.4 ms       │ 99 ms         │ 85.2 ms       │ 86 ms         │ 10      │ 10
"""


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    """Few rounds of everything but the sweep and core."""
    with Stub() as aws:
        measured = figures.cold_starts(aws, 2)
        measured.append(figures.first_invocation(aws, 2))
        measured.append(figures.warm_invocation(aws, 3))
        measured += figures.batch_of_ten(aws)
    return measured + figures.packages() + figures.sweep(1, count=2000)


def test_calls_memory_and_sizes(rows: list[Row]) -> None:
    """These are the same on every machine."""
    exact = [row for row in rows if row.unit in ("", "MiB", "MB")]
    assert len(exact) == 6
    assert [row.figure for row in exact if not row.reached] == []


def test_times_are_in_their_order(rows: list[Row]) -> None:
    """Nothing is quicker than the limit by more than noise, and boto3 starts many times slower."""
    warm = next(row for row in rows if row.figure.startswith("warm"))
    assert warm.limit is not None
    assert warm.snapferry >= warm.limit
    for row in rows:
        if row.figure.startswith("cold"):
            assert row.boto3 is not None
            assert row.snapferry * 5 < row.boto3, row


def test_divans_median_is_read() -> None:
    """The third column, in milliseconds."""
    assert figures.decided(DIVAN).snapferry == 85.2
    with pytest.raises(RuntimeError, match="no median"):
        figures.decided("error")


def test_a_miss_is_shown_as_a_miss() -> None:
    """In the table, beside what was to be reached."""
    text = report.table([Row("a", "ms", 12.0, "≤ 10", reached=False), Row("b", "", 3, "≤ 34", reached=True, limit=2)])
    assert "| a |  | **12 ms** |  | ≤ 10 | MISSED |" in text
    assert "| b | 2 | **3** |  | ≤ 34 | reached |" in text


def test_costs_follow_the_formula() -> None:
    """A million copies are a third of a million events: requests, time x memory, three queue requests; the ledger."""
    cost = prices.cost(100, is_ours=True)
    events = 1_000_000 / 3
    assert cost.requests == pytest.approx(events * 0.2e-6)
    assert cost.compute == pytest.approx(events * 0.1 * 0.5 * 0.0000133334)
    assert cost.queue == pytest.approx(events * 3 * 0.5e-6)
    assert cost.table == pytest.approx(1_000_000 * (5 * 0.625e-6 + 3 * 0.125e-6))
    assert prices.cost(100, is_ours=False).total == pytest.approx(cost.total - cost.queue - cost.table)


def test_the_largest_process_of_a_build_counts(tmp_path: Path) -> None:
    """However deep it is below the command, and however many small ones follow it."""
    # A child begins with the peak of whoever starts it.
    here = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    hungry = f"{sys.executable} -c 'bytearray({here + 300} << 20)'; true"
    measured = clean_builds.measure(["sh", "-c", f'sh -c "{hungry}"; true'], tmp_path)
    assert here + 300 <= measured["peak_gib"] * 1024 < here + 500
    small = clean_builds.measure(["sh", "-c", "true"], tmp_path)
    assert small["peak_gib"] * 1024 < here + 100
    with pytest.raises(subprocess.CalledProcessError):
        clean_builds.measure(["false"], tmp_path)


def test_the_chart_is_one_picture(rows: list[Row]) -> None:
    """SVG without scripts or outside references."""
    picture = report.chart(rows)
    assert picture.startswith("<svg ")
    assert "Snapferry" in picture
    assert "href" not in picture


def test_what_readme_says_of_a_home_s_cost() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    cost = home.month(home.Home())
    rest = sum(cost[name] for name in ("Lambda", "Scheduler", "SQS", "DynamoDB", "logs"))
    assert (
        f"${cost['custom metrics']:.0f} for custom metrics, ${cost['alarms']:.0f} for alarms, "
        f"${cost['dashboard']:.0f} for the dashboard, ${rest:.0f} for Lambda, queue, ledger and logs"
    ) in " ".join(readme.split())
    assert f"at most some ${sum(cost.values()):.0f} a month" in readme
    both = home.month(home.Home(databases=True))
    assert f"With databases it is at most some ${sum(both.values()):.0f}" in readme
    assert f"(${both['custom metrics']:.0f} for all)" in readme
    assert f"alarms of their own (${both['alarms']:.0f})" in readme
    many = {is_on: sum(home.month(home.Home(owners=200, owner_metrics=is_on)).values()) for is_on in (False, True)}
    assert round((many[True] - many[False]) / 200, 2) == 0.3
