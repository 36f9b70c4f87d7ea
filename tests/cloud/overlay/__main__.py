"""Start the emulator with the overlay: `python -m tests.cloud.overlay`.

GATEWAY_PORT and BIND_HOST say where it listens, unless OVERLAY_SOCKET names an inherited listening socket.
With OVERLAY_OWNED=1, the end of standard input means that the owner is gone: then everything here ends at once.
"""

import asyncio
import os
import shutil
import signal
import sys
import threading
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config

from tests.cloud.overlay import connections
from tests.cloud.overlay.emulator import app
from tests.cloud.overlay.gateway import Gateway
from tests.cloud.overlay.install import install
from tests.cloud.overlay.world import World

KEEP_ALIVE_SECONDS = 75
BACKLOG = 1_024


def end_with_owner() -> None:
    """Wait for the owner's end of the pipe to close, as it does however the owner dies; then take this process group
    along, function processes included. Needs a process group of our own."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    if scratch := os.environ.get("OVERLAY_SCRATCH"):
        shutil.rmtree(scratch, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)


def main() -> None:
    if os.environ.get("OVERLAY_OWNED") == "1":
        threading.Thread(target=end_with_owner, daemon=True).start()
    world = World()
    install(world)
    connections.remember()
    config = Config()
    inherited = os.environ.get("OVERLAY_SOCKET")
    host, port = os.environ.get("BIND_HOST", "127.0.0.1"), os.environ.get("GATEWAY_PORT", "4566")
    config.bind = [f"fd://{inherited}" if inherited else f"{host}:{port}"]
    config.keep_alive_timeout = KEEP_ALIVE_SECONDS
    config.backlog = BACKLOG
    config.graceful_timeout = 1.0
    gateway: Any = Gateway(app, world)
    asyncio.run(serve(gateway, config))


if __name__ == "__main__":
    main()
