"""Serves an ASGI application from a thread."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Final

from uvicorn import Config
from uvicorn.server import ServerState

from simulator.serving.connections import BreakableProtocol

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

    from starlette.types import ASGIApp

_BACKLOG: Final = 2048
# Longer than any client keeps a connection idle: only faults break connections.
_KEEP_ALIVE_SECONDS: Final = 3600


@contextlib.contextmanager
def serving(application: ASGIApp, *, host: str, port: int, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Serve an application over HTTP/1.1; the end cuts every connection, even one that waits for an answer.

    This is uvicorn's HTTP without `uvicorn.Server`, which waits for hanging requests when it stops.

    Args:
        application: The application.
        host: The IPv4 address or name to listen on.
        port: The port to listen on; 0: any free port.
        tls: The certificate and key for HTTPS; None: HTTP.

    Yields:
        The port.

    Raises:
        OSError: It cannot listen there.
    """
    # It listens before the thread runs, so that a client can connect at once.
    listener = socket.create_server((host, port), backlog=_BACKLOG)
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(_serve(application, listener, stop, tls))

    thread = threading.Thread(target=run, name="http-server")
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


async def _serve(
    application: ASGIApp, listener: socket.socket, stop: asyncio.Event, tls: ssl.SSLContext | None
) -> None:
    config = Config(
        application,
        http=BreakableProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
    )
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: BreakableProtocol(config, state, {}, loop), sock=listener, ssl=tls, backlog=_BACKLOG
    )
    await stop.wait()
    server.close()
    for connection in list(state.connections):
        connection.transport.abort()
    await asyncio.gather(*state.tasks)
