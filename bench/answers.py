"""CloudFormation's side: an HTTPS host that notes when each answer arrives. crhelper speaks nothing but HTTPS."""

from __future__ import annotations

import json
import ssl
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

import trustme

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType


@dataclass(frozen=True)
class Arrival:
    """An answer that arrived.

    Attributes:
        at: When, in seconds of `time.monotonic`.
        body: The answer.
    """

    at: float
    body: dict[str, Any]


class AnswerHost:
    """The host; a context manager that serves on a free port.

    Args:
        certificate_authority: Where to write the PEM file of the authority that is to be trusted.

    Attributes:
        certificate_authority: That file.
        url: Where it listens.
    """

    def __init__(self, certificate_authority: Path) -> None:
        self.certificate_authority = certificate_authority
        self._arrivals: dict[str, Arrival] = {}
        self._arrived = threading.Condition()
        self._serving = ExitStack()

    def __enter__(self) -> Self:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(self.certificate_authority))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        server = self._serving.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self._note)))
        # The handshake is left to the connection's own thread.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.05))
        thread.start()
        self._serving.callback(thread.join)
        self._serving.callback(server.shutdown)
        self.url = f"https://127.0.0.1:{server.server_port}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._serving.close()

    def url_for(self, key: str) -> str:
        """Return the URL that takes the answer of that key."""
        return f"{self.url}/{key}?X-Amz-Signature=none"

    def wait_for(self, key: str, seconds: float) -> Arrival:
        """Wait for an answer.

        Args:
            key: What `url_for` was given.
            seconds: How long at most.

        Returns:
            The first answer of that key.

        Raises:
            TimeoutError: None came.
        """
        with self._arrived:
            if not self._arrived.wait_for(lambda: key in self._arrivals, seconds):
                raise TimeoutError(f"no answer for {key} within {seconds:.0f} s")
            return self._arrivals[key]

    def _note(self, key: str, content: bytes) -> None:
        arrival = Arrival(time.monotonic(), json.loads(content))
        with self._arrived:
            self._arrivals.setdefault(key, arrival)
            self._arrived.notify_all()


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, note: Any, *arguments: Any) -> None:  # noqa: ANN401 - passed on to the base class
        self._note = note
        super().__init__(*arguments)

    def do_PUT(self) -> None:
        """Take an answer."""
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self._note(self.path[1:].partition("?")[0], content)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base class names it so
        """Keep quiet."""
