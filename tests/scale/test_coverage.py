"""`snapferry coverage` over a hundred thousand shared snapshots, all of them copied into three Regions."""

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.command import binary
from tests.scale.rounds import TARGETS, policy
from tests.stub.stub import HOME, PAGE, TARGET, Stub

COUNT = 100_000
PAGES = COUNT // PAGE
MEMORY_LIMIT_MIB = 200


def peak_memory_mib(process: int) -> float:
    """The process's largest resident set so far (`VmHWM`), in MiB; 0 when it has just ended."""
    status = Path(f"/proc/{process}/status").read_text().splitlines()
    return sum(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) / 1024


@pytest.mark.parametrize("form", ["json", "csv", "html"])
def test_coverage_of_100_000_snapshots(tmp_path: Path, form: str) -> None:
    """Every page once, every row written, in 200 MiB."""
    document, written = tmp_path / "policy.json", tmp_path / f"coverage.{form}"
    document.write_text(json.dumps(policy()))
    arguments = ["--json"] if form == "json" else [f"--{form}", str(written)]
    with Stub(shared=COUNT, copied=COUNT) as aws:
        environment = {
            "PATH": os.environ["PATH"],
            "AWS_ENDPOINT_URL": aws.url,
            "AWS_ACCESS_KEY_ID": TARGET,
            "AWS_SECRET_ACCESS_KEY": "unused",
            "AWS_REGION": HOME,
        }
        began = time.perf_counter()
        with (tmp_path / "out").open("wb") as out:
            command = [str(binary()), "coverage", str(document), *arguments]
            process = subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.PIPE, text=True)
            memory = 0.0
            while process.poll() is None:
                memory = max(memory, peak_memory_mib(process.pid))
                time.sleep(0.02)
            took = time.perf_counter() - began
            _, errors = process.communicate()
        assert (process.returncode, errors) == (0, "")
        seen = aws.seen()
    assert [seen.pages(region) for region in (HOME, *TARGETS)] == [PAGES] * (1 + len(TARGETS))
    assert seen.unexpected == []
    rows = COUNT * len(TARGETS)
    if form == "json":
        report = json.loads((tmp_path / "out").read_bytes())
        assert (report["verdict"], report["total"]["protected"], len(report["rows"])) == ("covered", rows, rows)
    elif form == "csv":
        assert written.read_bytes().count(b"\r\n") == rows + 1
    else:
        assert written.read_text().endswith("</html>\n")
    size = (tmp_path / "out" if form == "json" else written).stat().st_size / 1024**2
    print(f"\ncoverage as {form}: {took:.1f} s, {memory:.0f} MiB, {size:.0f} MiB written")
    assert 0 < memory < MEMORY_LIMIT_MIB


def test_plan_of_100_000_snapshots(tmp_path: Path) -> None:
    """The copier's own decision on as many, in 200 MiB."""
    document = tmp_path / "policy.json"
    document.write_text(json.dumps(policy()))
    with Stub(shared=COUNT, copied=COUNT) as aws:
        environment = {
            "PATH": os.environ["PATH"],
            "AWS_ENDPOINT_URL": aws.url,
            "AWS_ACCESS_KEY_ID": TARGET,
            "AWS_SECRET_ACCESS_KEY": "unused",
            "AWS_REGION": HOME,
        }
        command = [str(binary()), "plan", str(document), "--json"]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        memory = 0.0
        while process.poll() is None:
            memory = max(memory, peak_memory_mib(process.pid))
            time.sleep(0.02)
        out, errors = process.communicate()
        assert (process.returncode, errors) == (0, "")
        seen = aws.seen()
    assert [seen.pages(region) for region in (HOME, *TARGETS)] == [PAGES] * (1 + len(TARGETS))
    protected = {region: each["protected"] for region, each in json.loads(out)["summary"]["regions"].items()}
    assert protected == dict.fromkeys(TARGETS, COUNT)
    print(f"\nplan: {memory:.0f} MiB")
    assert 0 < memory < MEMORY_LIMIT_MIB
