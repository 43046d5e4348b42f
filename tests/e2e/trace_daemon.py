"""The X-Ray daemon, as far as a function can tell: UDP datagrams come in, each a segment."""

from __future__ import annotations

import json
import socket
import threading
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType

_DATAGRAM_BYTES = 65536


class TraceDaemon:
    """Listens on a port of its own while it is entered, and keeps what it got."""

    def __enter__(self) -> Self:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = "{}:{}".format(*self._socket.getsockname())
        self._segments: list[dict[str, Any]] = []
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._socket.sendto(b"", self._socket.getsockname())  # ends _listen
        self._thread.join()
        self._socket.close()

    @property
    def segments(self) -> list[dict[str, Any]]:
        """Every segment and subsegment so far, those that came inside another one included."""
        flat = list(self._segments)
        for segment in flat:
            flat.extend({"parent_id": segment["id"], **child} for child in segment.get("subsegments", []))
        return flat

    def _listen(self) -> None:
        while datagram := self._socket.recv(_DATAGRAM_BYTES):
            header, _, segment = datagram.partition(b"\n")
            assert json.loads(header) == {"format": "json", "version": 1}
            self._segments.append(json.loads(segment))
