"""The API over HTTP: requests, the log, faults and answers."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, assert_never

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.api import OPERATIONS, ApiRequest, Operation, error_body
from simulator.cluster_jobs import ClusterJobs
from simulator.errors import NeptuneError
from simulator.faults import ErrorAnswer, Hang, RawAnswer, Reset, Truncated
from simulator.jobs import JobNotFoundError
from simulator.request_log import RequestRecord, credential_scope
from simulator.serving import Connection, disconnected, pause

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from simulator.cluster_jobs import Cluster
    from simulator.faults import Effect
    from simulator.lives import Status


def application(cluster: Cluster) -> Starlette:
    """Return the API as an ASGI application."""
    return Starlette(
        routes=[
            *(
                Route(_path(operation), _OfOperation(cluster, operation), methods=[operation.method])
                for operation in OPERATIONS
            ),
            *(
                Route(path, _OfOperation(cluster, None, "MethodNotAllowedException"))
                for path in sorted({_path(operation) for operation in OPERATIONS})
            ),
            Route("/{path:path}", _OfOperation(cluster, None)),
        ]
    )


def _path(operation: Operation) -> str:
    # An ID in a URI may contain encoded slashes, although no job has such an ID.
    return operation.uri.replace("{id}", "{id:path}")


class _OfOperation:
    """An operation as an ASGI application, with faults; None: the API has no such operation."""

    def __init__(
        self, cluster: Cluster, operation: Operation | None, refusal: str = "UnsupportedOperationException"
    ) -> None:
        self._cluster = cluster
        self._operation = operation
        self._refusal = refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        arrival = _arrival(request, self._operation, self._cluster.clock())
        number = self._cluster.log.arrived(arrival)
        try:
            body = await request.body()
        except ClientDisconnect:
            return

        fault = (
            self._cluster.faults.strike(self._operation.name, self._operation.kind.name) if self._operation else None
        )
        if fault is not None and fault.delay_seconds:
            await pause(receive, fault.delay_seconds)
        late_seconds = fault.late_seconds if fault else 0.0
        answer = self._answer(request, body, late_seconds) if fault is None or fault.carried_out else _NOT_CARRIED_OUT
        outcome = answer if fault is None or fault.effect is None else _struck(fault.effect, answer)

        job_id = arrival.job_id or answer.job_id
        self._cluster.log.finished(
            number, replace(arrival, status=outcome.status, job_id=job_id, job_status=self._job_status(job_id))
        )
        await outcome.send(scope, receive, send)

    def _answer(self, request: Request, body: bytes, late_seconds: float) -> _Outcome:
        if self._operation is None:
            message = f"The simulator has no {request.method} {request.url.path}."
            return _error(NeptuneError(self._refusal, message))
        job_id = request.path_params.get("id", "")
        try:
            answer = self._operation(
                self._cluster,
                ApiRequest(job_id=job_id, query=dict(request.query_params), body=body, late_seconds=late_seconds),
            )
        except NeptuneError as error:
            return _error(error)
        started_id = answer.get("id")
        return _json(200, answer, job_id=started_id if isinstance(started_id, str) else None)

    def _job_status(self, job_id: str | None) -> Status | None:
        if not job_id or self._operation is None:
            return None
        try:
            job, now = ClusterJobs(self._cluster, self._operation.kind).look(job_id)
        except JobNotFoundError:
            return None
        return job.status(now)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What the client gets: an ASGI application sends it, with an HTTP status, if any; and the ID of the job."""

    send: ASGIApp
    status: int | None
    job_id: str | None = None


async def _hang(_scope: Scope, receive: Receive, _send: Send) -> None:
    await disconnected(receive)


async def _reset(scope: Scope, receive: Receive, _send: Send) -> None:
    Connection.of(scope).reset()
    await disconnected(receive)


def _truncated(complete: ASGIApp) -> ASGIApp:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_half(message: Message) -> None:
            if message["type"] == "http.response.body":
                body = message["body"]
                message = {**message, "body": body[: len(body) // 2], "more_body": True}
            await send(message)

        await complete(scope, receive, send_half)
        Connection.of(scope).close()
        await disconnected(receive)

    return application


_NOT_CARRIED_OUT: Final = _Outcome(_hang, status=None)


def _struck(effect: Effect, answer: _Outcome) -> _Outcome:
    """Return what the client gets instead of the API's own answer."""
    match effect:
        case ErrorAnswer(code, message):
            return _error(NeptuneError(code, message))
        case RawAnswer(status, body, content_type):
            return _Outcome(Response(body, status, media_type=content_type), status)
        case Truncated():
            return replace(answer, send=_truncated(answer.send))
        case Reset():
            return _Outcome(_reset, status=None)
        case Hang():
            return _Outcome(_hang, status=None)
        case _:
            assert_never(effect)


def _error(error: NeptuneError) -> _Outcome:
    request_id = str(uuid.uuid4())
    return _json(error.status, error_body(error, request_id), request_id=request_id)


def _json(
    status: int, body: Mapping[str, object], *, job_id: str | None = None, request_id: str | None = None
) -> _Outcome:
    headers = {"x-amzn-requestid": request_id or str(uuid.uuid4())}
    return _Outcome(JSONResponse(body, status, headers), status, job_id)


def _arrival(request: Request, operation: Operation | None, now: float) -> RequestRecord:
    scope = credential_scope(request.headers.get("authorization", ""))
    region, service = scope or (None, None)
    return RequestRecord(
        time=now,
        operation=operation.name if operation else None,
        kind=operation.kind.name if operation else None,
        method=request.method,
        path=request.scope["raw_path"].decode("ascii"),
        query=request.scope["query_string"].decode("latin-1"),
        signed=scope is not None,
        region=region,
        service=service,
        job_id=request.path_params.get("id"),
    )
