"""HTTP connections that an application can break, on uvicorn's HTTP/1.1 protocol."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Receive, Scope, Send

_EXTENSION: Final = "serving.connection"
# struct linger {on, 0 seconds}: closing drops unsent data and sends an RST, see socket(7).
_LINGER: Final = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Connection:
    """The connection of a request, which its application can break.

    Attributes:
        reset: Resets the connection (TCP RST); unsent data is lost.
        close: Closes the connection once all data is sent.
    """

    reset: Callable[[], None]
    close: Callable[[], None]

    @classmethod
    def of(cls, scope: Scope) -> Connection:
        """Return the connection of the request with this ASGI scope."""
        return cast("Connection", scope["extensions"][_EXTENSION])


class BreakableProtocol(H11Protocol):
    """uvicorn's protocol with a `Connection` in each request's scope, as an ASGI extension."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in H11Protocol
        """See `asyncio.Protocol`."""
        super().connection_made(transport)
        # asyncio does not set this on sockets that do not name TCP; each answer would wait for an ACK.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        application, connection = self.app, Connection(reset=self.reset, close=transport.close)

        async def with_connection(scope: Scope, receive: Receive, send: Send) -> None:
            extensions = {**scope.get("extensions", {}), _EXTENSION: connection}
            await application({**scope, "extensions": extensions}, receive, send)

        self.app = with_connection

    def reset(self) -> None:
        """Reset the connection (TCP RST), unless it is already closed."""
        if not self.transport.is_closing():
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
            self.transport.abort()


async def disconnected(receive: Receive) -> None:
    """Wait until the client, or the server, ends the connection; the request's body must have been read."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def pause(receive: Receive, seconds: float) -> None:
    """Wait for some seconds of real time, or until the connection ends."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(disconnected(receive), seconds)
