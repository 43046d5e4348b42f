"""A stand-in for Amazon S3, where CloudFormation's pre-signed URLs take answers and signals."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal, Self, TypeAlias
from urllib.parse import quote

import trustme
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from simulator.serving import Connection, disconnected, serving

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from types import TracebackType

    from starlette.requests import Request

# CloudFormation User Guide, "Custom resource request and response reference".
MAX_BODY_BYTES: Final = 4096
REQUIRED: Final = ("Status", "PhysicalResourceId", "StackId", "LogicalResourceId", "RequestId")
# The same, "Create wait conditions in a CloudFormation template".
REQUIRED_OF_SIGNALS: Final = ("Status", "UniqueId", "Data", "Reason")
SIGNATURE: Final = "5ec7e75197a7e"
"""The invented signature in every URL: a secret that must appear nowhere."""

Behaviour: TypeAlias = int | Literal["reset", "hang"]
"""What the host does with a PUT: answer an HTTP status without taking it, reset the connection, or never answer."""

_HANDLES: Final = "handles/"


@dataclass(frozen=True)
class Received:
    """An answer or a signal.

    Attributes:
        at: When it arrived, in seconds of `time.monotonic`.
        key: The object that the URL names.
        body: Its JSON.
        size: Its size in bytes.
    """

    at: float
    key: str
    body: dict[str, Any]
    size: int


class ResponseHost:
    """The host; a context manager that serves on a port of its own.

    It takes what S3 and CloudFormation would take: a PUT with an empty content type, whose body is JSON with the
    required fields and has at most 4,096 bytes.

    Args:
        host: The address to listen on.
        port: The port to listen on; 0: any free one.
        tls: Makes it HTTPS.

    Attributes:
        url: Where it listens.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self._host, self._port, self._tls = host, port, tls
        self._received: list[Received] = []
        self._signals: list[Received] = []
        self._behaviours: deque[Behaviour] = deque()
        self._lasting: Behaviour | None = None
        self._attempts = 0
        self._lock = threading.Lock()
        self._arrival = threading.Condition(self._lock)
        self._running = ExitStack()

    def __enter__(self) -> Self:
        application = Starlette(routes=[Route("/{key:path}", self._put, methods=["PUT"])])
        port = self._running.enter_context(serving(application, host=self._host, port=self._port, tls=self._tls))
        self.url = f"{'https' if self._tls else 'http'}://{self._host}:{port}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop serving, and close the connections that hang."""
        self._running.close()

    def url_for(self, key: str, *, signed_at: float | None = None) -> str:
        """Make a response URL.

        Args:
            key: The object that it names.
            signed_at: The time at which it claims to be signed, in seconds since the epoch; `None`: it claims none.

        Returns:
            A URL with the query of a pre-signed one.
        """
        date = f"X-Amz-Date={datetime.fromtimestamp(signed_at, UTC):%Y%m%dT%H%M%SZ}&" if signed_at is not None else ""
        return f"{self.url}/{quote(key)}?X-Amz-Algorithm=AWS4-HMAC-SHA256&{date}X-Amz-Signature={SIGNATURE}"

    def handle_for(self, key: str, *, signed_at: float | None = None) -> str:
        """Make the URL of a wait condition's handle.

        Args:
            key: The object that it names.
            signed_at: The time at which it claims to be signed, in seconds since the epoch, to expire a day later;
                `None`: it claims none.

        Returns:
            A URL with the query of a pre-signed one.
        """
        expires = "&X-Amz-Expires=86399" if signed_at is not None else ""
        return f"{self.url_for(f'{_HANDLES}{key}', signed_at=signed_at)}{expires}"

    def behave(self, behaviours: Iterable[Behaviour], *, then: Behaviour | None = None) -> None:
        """Decide what happens to the next PUTs.

        Args:
            behaviours: One for each.
            then: What happens to all after them; `None`: they are taken.
        """
        with self._lock:
            self._behaviours = deque(behaviours)
            self._lasting = then

    @property
    def received(self) -> tuple[Received, ...]:
        """The answers that were taken, in order."""
        with self._lock:
            return tuple(self._received)

    @property
    def signals(self) -> tuple[Received, ...]:
        """The signals that were taken, in order; each has the key of its handle."""
        with self._lock:
            return tuple(self._signals)

    @property
    def attempts(self) -> int:
        """The number of PUTs, taken or not."""
        with self._lock:
            return self._attempts

    def wait_for(self, key: str, seconds: float) -> Received:
        """Wait for an answer.

        Args:
            key: The object that its URL names.
            seconds: The longest wait, in seconds.

        Returns:
            The first answer for that object.

        Raises:
            TimeoutError: No answer came.
        """
        with self._arrival:
            if not self._arrival.wait_for(lambda: any(it.key == key for it in self._received), seconds):
                raise TimeoutError(f"no answer for {key} came within {seconds} s")
            return next(it for it in self._received if it.key == key)

    async def _put(self, request: Request) -> Response:
        content = await request.body()
        arrived_at = time.monotonic()
        with self._lock:
            self._attempts += 1
            behaviour = self._behaviours.popleft() if self._behaviours else self._lasting
        if behaviour == "reset":
            Connection.of(request.scope).reset()
        if behaviour in ("reset", "hang"):
            await disconnected(request.receive)
            return Response(status_code=500)
        problem = _problem(request, content)
        if isinstance(behaviour, int) or problem:
            return Response(problem, status_code=behaviour if isinstance(behaviour, int) else 400)
        key = request.path_params["key"]
        received = Received(arrived_at, key.removeprefix(_HANDLES), json.loads(content), len(content))
        with self._arrival:
            (self._signals if key.startswith(_HANDLES) else self._received).append(received)
            self._arrival.notify_all()
        return Response()


def make_tls(authority: Path) -> ssl.SSLContext:
    """Make a certificate for a host at 127.0.0.1.

    Args:
        authority: The PEM file to write, with the authority that clients must trust.

    Returns:
        The server's TLS context.
    """
    issuer = trustme.CA()
    issuer.cert_pem.write_to_path(authority)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issuer.issue_cert("127.0.0.1").configure_cert(context)
    return context


def _problem(request: Request, content: bytes) -> str:
    if request.headers.get("content-type"):
        return "SignatureDoesNotMatch: the content type should be empty"
    if len(content) > MAX_BODY_BYTES:
        return f"the body has {len(content)} bytes"
    try:
        body = json.loads(content)
    except ValueError:
        return "the body is not JSON"
    required = REQUIRED_OF_SIGNALS if request.path_params["key"].startswith(_HANDLES) else REQUIRED
    missing = [name for name in required if not isinstance(body.get(name), str) or not body[name]]
    return f"the body lacks {', '.join(missing)}" if missing else ""
