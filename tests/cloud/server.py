"""Start and stop the local AWS."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.config import Config
from botocore.session import Session as BotocoreSession

from tests.cloud.control import Control
from tests.cloud.waiting import until

SECRET = "local"  # the emulator accepts any
# What functions sign with: words that stand nowhere else.
FUNCTION_SECRET = "SecretAccessKeyOfFunctions"
REPOSITORY = Path(__file__).resolve().parents[2]
# botocore's variables for which neither the user's environment nor its files count.
NOT_OF_THE_USER = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
READY_WITHIN_SECONDS = 120.0


class LocalAws:
    """A local AWS for as long as the `with` lasts; any number of them may run side by side.

    It listens on a free port of 127.0.0.1. Every 12-digit number is an account, and credentials are that number.
    The server and the function processes that it starts are one process group, which ends with the `with`, and also
    when the test process dies in any other way.
    """

    def __init__(self, log: Path | None = None) -> None:
        self._wanted_log = log
        self._clients: dict[tuple[Any, ...], Any] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._scratch = Path(tempfile.mkdtemp(prefix="local-aws-"))
        self.log_path = self._wanted_log or self._scratch / "server.log"
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start(self) -> None:
        self._session = boto3.session.Session(botocore_session=BotocoreSession(session_vars=NOT_OF_THE_USER))
        # The listening socket is ours from the start, and so nobody else can take the port in between.
        with socket.create_server(("127.0.0.1", 0), backlog=1_024) as listening, self.log_path.open("wb") as log:
            self.port: int = listening.getsockname()[1]
            self.endpoint = f"http://127.0.0.1:{self.port}"
            self.control = Control(self.port)
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.cloud.overlay"],
                cwd=REPOSITORY,
                env=self._environment(listening.fileno()),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=[listening.fileno()],
                start_new_session=True,
            )
        until(self._ready, within=READY_WITHIN_SECONDS, what="the local AWS to be ready")

    def _environment(self, listening: int) -> dict[str, str]:
        """Nothing of the test's own environment but PATH: no credentials, profiles, proxies or Docker get in; functions
        inherit this."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self._scratch),
            "TMPDIR": str(self._scratch),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(REPOSITORY),
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
            # The emulator hands it on to the functions.
            "AWS_SECRET_ACCESS_KEY": FUNCTION_SECRET,
            # The emulator would look after containers of other emulators on this machine.
            "DOCKER_HOST": f"unix://{self._scratch}/no-docker",
            # Listeners on fixed ports, which would collide between parallel servers.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "LOG_LEVEL": os.environ.get("LOCAL_AWS_LOG_LEVEL", "INFO"),
            "OVERLAY_SOCKET": str(listening),
            "OVERLAY_OWNED": "1",
            "OVERLAY_SCRATCH": str(self._scratch),
        }

    def _ready(self) -> bool:
        if self._process.poll() is not None:
            raise RuntimeError(f"the local AWS ended at once:\n{self.log_tail()}")
        try:
            return bool(self.control.ask("health", timeout=5.0)["ready"])
        except (OSError, ValueError):
            return False

    def stop(self) -> None:
        """End the server and its function processes. They hold nothing worth a farewell, hence SIGKILL; the group's ID
        is ours as long as its leader has not been waited for."""
        process = getattr(self, "_process", None)
        if process is not None and process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            process.stdin.close()
        for client in self._clients.values():
            client.close()
        self._clients.clear()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def log_tail(self, lines: int = 40) -> str:
        """The end of the server's log, for messages of failing tests."""
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])

    def client(self, service: str, account: str, region: str, **config: Any) -> Any:
        """A boto3 client of an account in a Region. It does not retry, so that a test sees each fault; `config` may say
        otherwise (botocore's Config)."""
        once: dict[str, Any] = {"retries": {"total_max_attempts": 1}, "proxies": {}}
        settings = {**once, "read_timeout": 60, "connect_timeout": 10, **config}
        key = (service, account, region, repr(sorted(config.items())))
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._session.client(
                    service,
                    region_name=region,
                    endpoint_url=self.endpoint,
                    aws_access_key_id=account,
                    aws_secret_access_key=SECRET,
                    config=Config(**settings),
                )
            return self._clients[key]
