"""The log of requests to the API, without the signatures, access key IDs and session tokens of their headers."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.kinds import KindName

# AWS Signature Version 4.
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256\s+Credential=[^/,\s]+/\d{8}/(?P<region>[^/,\s]+)/(?P<service>[^/,\s]+)/aws4_request\s*,"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRecord:
    """A request to the API, and its outcome.

    Attributes:
        time: When it arrived, in seconds of the simulator's clock.
        operation: `start`, `get`, `list` or `cancel`; None: unknown to the API.
        kind: The kind of job, such as `modeltransform`; None: unknown to the API.
        method: The HTTP method.
        path: The path as it was sent.
        query: The query string as it was sent, such as `clean=true`.
        signed: Whether it has a SigV4 Authorization header (the signature is not checked).
        region: The Region of its credential scope; None: not signed.
        service: The service of its credential scope, such as `neptune-db`; None: not signed.
        status: The HTTP status of the answer; None: no answer, or not yet.
        job_id: The ID of the job; None: none.
        job_status: The status of that job afterwards; None: no such job.
    """

    time: float
    operation: str | None
    method: str
    path: str
    query: str
    signed: bool
    region: str | None
    service: str | None
    status: int | None = None
    kind: KindName | None = None
    job_id: str | None = None
    job_status: str | None = None

    def __str__(self) -> str:
        target = f"{self.path}?{self.query}" if self.query else self.path
        answer = "no answer" if self.status is None else str(self.status)
        noun = KINDS[self.kind].life.noun if self.kind else "job"
        job = f", {noun} {self.job_id} is {self.job_status}" if self.job_status else ""
        signature = f", signed for {self.service} in {self.region}" if self.signed else ", not signed"
        return f"{self.method} {target} -> {answer}{job}{signature}"


def credential_scope(authorization: str) -> tuple[str, str] | None:
    """Return the region and the service of an `Authorization` header; None if it is not AWS Signature Version 4's."""
    match = _AUTHORIZATION.match(authorization)
    return (match["region"], match["service"]) if match else None


class RequestLog:
    """Records in the order of their arrival; thread-safe.

    Args:
        on_finished: Called with each record just before the answer is sent.
    """

    def __init__(self, on_finished: Callable[[RequestRecord], None] | None = None) -> None:
        self._records: list[RequestRecord] = []
        self._lock = threading.Lock()
        self._on_finished = on_finished

    def arrived(self, record: RequestRecord) -> int:
        """Add the record of a request that has no answer yet; return its number."""
        with self._lock:
            self._records.append(record)
            return len(self._records) - 1

    def finished(self, number: int, record: RequestRecord) -> None:
        """Replace the record with this number when the request has its outcome."""
        with self._lock:
            self._records[number] = record
        if self._on_finished is not None:
            self._on_finished(record)

    def records(self) -> tuple[RequestRecord, ...]:
        """Return all records."""
        with self._lock:
            return tuple(self._records)
