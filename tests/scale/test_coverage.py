"""`snapferry coverage` and `plan` over 100,000 shared snapshots and three Regions: all are copied, or all are owed."""

import json
import os
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import binary
from tests.scale.rounds import TARGETS, policy
from tests.stub.stub import HOME, PAGE, TABLE, TARGET, Seen, Stub, written

COUNT = 100_000
PAGES = COUNT // PAGE
MEMORY_LIMIT_MIB = 200
# A plan decides on each that is owed as the copier does, by all that stands in the ledger of it.
OWED_PLAN_LIMIT_MIB = 400


def peak_memory_mib(process: int) -> float:
    """The process's largest resident set so far (`VmHWM`), in MiB; 0 when it has just ended."""
    status = Path(f"/proc/{process}/status").read_text().splitlines()
    return sum(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) / 1024


@dataclass(frozen=True)
class Ran:
    """How a run of the command ended, what it said besides its result, and what it took."""

    code: int
    errors: str
    memory_mib: float
    seconds: float


def run(command: list[str], aws: Stub, out: Path) -> Ran:
    """The command, to its end; its result goes into a file."""
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_ENDPOINT_URL": aws.url,
        "AWS_ACCESS_KEY_ID": TARGET,
        "AWS_SECRET_ACCESS_KEY": "unused",
        "AWS_REGION": HOME,
    }
    began, memory = time.perf_counter(), 0.0
    with out.open("wb") as result:
        process = subprocess.Popen(
            [str(binary()), *command], env=environment, stdout=result, stderr=subprocess.PIPE, text=True
        )
        while process.poll() is None:
            memory = max(memory, peak_memory_mib(process.pid))
            time.sleep(0.02)
    _, errors = process.communicate()
    return Ran(process.returncode, errors, memory, time.perf_counter() - began)


def assert_read_once(seen: Seen, items: int) -> None:
    """The ledger's items were read a thousand at a time, but for some pages that a busy machine asked for again."""
    assert items <= seen.of("dynamodb", "(items read)") <= items + items // 20
    assert seen.of("dynamodb", "Query") <= items // PAGE * 21 // 20 + 17


def protected() -> dict[str, Any]:
    """What an obligation says whose copy was verified a moment ago."""
    now, over = written(datetime.now(UTC)), str(int(time.time()) + 86400)
    return {"state": {"S": "ended"}, "why": {"S": "protected"}, "at": {"S": now}, "ttl": {"N": over}}


@pytest.mark.parametrize(("form", "ledger"), [("json", True), ("csv", False), ("html", True)])
def test_coverage_of_100_000_snapshots(tmp_path: Path, form: str, ledger: bool) -> None:
    """Every page once, every item of the ledger too, every row written, in 200 MiB."""
    document, file, out = tmp_path / "policy.json", tmp_path / f"coverage.{form}", tmp_path / "out"
    document.write_text(json.dumps(policy()))
    arguments = ["--json"] if form == "json" else [f"--{form}", str(file)]
    if ledger:
        arguments += ["--ledger", TABLE]
    with Stub(shared=COUNT, copied=COUNT) as aws:
        aws.owe(COUNT, TARGETS, **protected())
        ran = run(["coverage", str(document), *arguments], aws, out)
        assert (ran.code, ran.errors) == (0, "")
        seen = aws.seen()
    assert [seen.pages(region) for region in (HOME, *TARGETS)] == [PAGES] * (1 + len(TARGETS))
    assert seen.unexpected == []
    rows = COUNT * len(TARGETS)
    assert_read_once(seen, rows if ledger else 0)
    if form == "json":
        report = json.loads(out.read_bytes())
        assert (report["verdict"], report["total"]["protected"], len(report["rows"])) == ("covered", rows, rows)
    elif form == "csv":
        assert file.read_bytes().count(b"\r\n") == rows + 1
    else:
        assert file.read_text().endswith("</html>\n")
    size = (out if form == "json" else file).stat().st_size / 1024**2
    print(f"\ncoverage as {form}: {ran.seconds:.1f} s, {ran.memory_mib:.0f} MiB, {size:.0f} MiB written")
    assert 0 < ran.memory_mib < MEMORY_LIMIT_MIB


@pytest.mark.parametrize("command", ["coverage", "plan"])
def test_with_300_000_that_are_owed(tmp_path: Path, command: str) -> None:
    """Each read once, a thousand at a time, and told."""
    document, out = tmp_path / "policy.json", tmp_path / "out"
    document.write_text(json.dumps(policy()))
    rows = COUNT * len(TARGETS)
    with Stub(shared=COUNT) as aws:
        aws.owe(COUNT, TARGETS)
        ran = run([command, str(document), "--json", "--ledger", TABLE], aws, out)
        assert (ran.code, ran.errors) == (1 if command == "coverage" else 0, "")
        seen = aws.seen()
    assert seen.unexpected == []
    assert_read_once(seen, rows)
    print(f"\n{command} of what is owed: {ran.seconds:.1f} s, {ran.memory_mib:.0f} MiB")
    if command == "coverage":
        report = json.loads(out.read_bytes())
        assert (report["ledger"]["read"], report["total"]["missing"]) == (True, rows)
        assert {row["owed"]["state"] for row in report["rows"]} == {"in-line"}
        assert 0 < ran.memory_mib < MEMORY_LIMIT_MIB
    else:
        with out.open() as lines:
            *_, last = lines
        assert json.loads(last)["summary"]["ledger"]["owed"] == {"in-line": rows}
        assert 0 < ran.memory_mib < OWED_PLAN_LIMIT_MIB


def test_plan_of_100_000_snapshots(tmp_path: Path) -> None:
    """The copier's own decision on as many, in 200 MiB."""
    document, out = tmp_path / "policy.json", tmp_path / "out"
    document.write_text(json.dumps(policy()))
    with Stub(shared=COUNT, copied=COUNT) as aws:
        ran = run(["plan", str(document), "--json"], aws, out)
        assert (ran.code, ran.errors) == (0, "")
        seen = aws.seen()
    assert [seen.pages(region) for region in (HOME, *TARGETS)] == [PAGES] * (1 + len(TARGETS))
    summary = json.loads(out.read_text().splitlines()[-1])["summary"]
    assert {region: each["protected"] for region, each in summary["regions"].items()} == dict.fromkeys(TARGETS, COUNT)
    print(f"\nplan: {ran.memory_mib:.0f} MiB")
    assert 0 < ran.memory_mib < MEMORY_LIMIT_MIB
