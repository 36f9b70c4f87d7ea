"""Runs the operator's command."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cloud import LocalAws
from tests.cloud.server import SECRET
from tests.e2e import packages
from tests.e2e.accounts import HOME, Account

# Whatever the machine is configured with is no part of a test.
_PASSED_ON = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH")


@dataclass(frozen=True)
class Done:
    """What became of a run."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """The object on standard output."""
        return json.loads(self.out)

    def lines(self) -> list[dict[str, Any]]:
        """The object on each line of standard output."""
        return [json.loads(line) for line in self.out.splitlines()]


def binary() -> Path:
    """The command: the variable SNAPFERRY, or what `make cli` left."""
    found = Path(os.environ.get("SNAPFERRY") or packages.REPOSITORY / "target/release/snapferry").resolve()
    if not found.is_file():
        raise FileNotFoundError(f"{found} is not there: run `make cli`, or set SNAPFERRY")
    return found


def snapferry(
    *args: object,
    stdin: str = "",
    timeout: float = 120,
    environment: Mapping[str, str] | None = None,
    reader_is_gone: bool = False,
) -> Done:
    """Run the command to its end; with nobody at the other end of its standard output, as behind `| true`."""
    inherited = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    output = subprocess.PIPE
    if reader_is_gone:
        nobody, output = os.pipe()
        os.close(nobody)
    done = subprocess.run(
        [binary(), *map(str, args)],
        input=stdin,
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
        timeout=timeout,
        check=False,
        env={**inherited, **(environment or {})},
        cwd=packages.REPOSITORY,
    )
    if reader_is_gone:
        os.close(output)
    return Done(done.returncode, done.stdout or "", done.stderr)


def environment(aws: LocalAws, account: str, region: str = HOME) -> dict[str, str]:
    """What the command finds an account of the local AWS by, and nothing of the machine's."""
    return {
        "AWS_ENDPOINT_URL": aws.endpoint,
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }


def run_as(account: Account, *args: object, reader_is_gone: bool = False, **variables: str) -> Done:
    """Run the command with an account's credentials; variables besides or instead of its own."""
    given = {**environment(account.aws, account.number), **variables}
    return snapferry(*args, environment=given, reader_is_gone=reader_is_gone)
