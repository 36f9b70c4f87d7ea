"""The open connections, so that a fault can cut one: ASGI has no way to say so."""

import asyncio
from importlib import import_module
from typing import Any

from hypercorn.asyncio.tcp_server import TCPServer

_open: dict[tuple[str, int], asyncio.StreamWriter] = {}


class _Remembering(TCPServer):
    """Hypercorn's server of one connection, kept by the client's address while it lives."""

    async def run(self) -> None:
        peer = self.writer.get_extra_info("peername")
        address = (peer[0], peer[1]) if peer else None
        if address:
            _open[address] = self.writer
        try:
            await super().run()
        finally:
            if address:
                _open.pop(address, None)


def remember() -> None:
    """Let the server keep its connections."""
    server: Any = import_module("hypercorn.asyncio.run")
    server.TCPServer = _Remembering


def cut(scope: dict[str, Any]) -> None:
    """Reset the connection that a request came over; the client gets no answer."""
    client = scope.get("client") or ("", 0)
    writer = _open.get((client[0], client[1]))
    if writer is not None:
        writer.transport.abort()
