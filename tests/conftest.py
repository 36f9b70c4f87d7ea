"""In CI a test that is skipped has failed, unless `skips.toml` names it with the reason."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest

ALLOWED: dict[str, str] = tomllib.loads((Path(__file__).parent / "skips.toml").read_text())
SKIPPED = pytest.StashKey[list[str]]()


def is_ci() -> bool:
    """Whether the environment says so, as CI systems do."""
    return os.environ.get("CI", "").lower() in {"1", "true"}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Names the skipped tests that may not be."""
    for node in config.stash.get(SKIPPED, []):
        terminalreporter.write_line(f"SKIPPED IN CI: {node}: tests/skips.toml does not allow it", red=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fails the run; under xdist the process that gathers the reports does."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if not is_ci() or reporter is None or hasattr(session.config, "workerinput"):
        return
    skipped = {report.nodeid for report in reporter.stats.get("skipped", [])}
    forbidden = sorted(node for node in skipped if not any(node.startswith(allowed) for allowed in ALLOWED))
    session.config.stash[SKIPPED] = forbidden
    if forbidden:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
