"""The control surface: what `Simulator` offers to Python, over HTTP to other processes.

All bodies are JSON; an answer other than 2xx has a `message` that says what is wrong.

| request | body | answer |
|---|---|---|
| `POST /simulator/jobs` | `id`; optional `stopSeconds`, `runSeconds` (null: never), `status`, `endsAs` | 201 |
| `DELETE /simulator/jobs/ID` | | 204; the job never was |
| `GET /simulator/artifacts/ID` | | 200 `artifacts`: `s3://` names |
| `GET /simulator/log` | | 200 `requests`: see `RequestRecord` |
| `POST /simulator/faults` | a fault, see below | 201 |
| `DELETE /simulator/faults` | | 204 |
| `POST /simulator/clock` | `advance`: seconds | 200 `time`: seconds; 400 if the clock is a real one |

A fault is `{"effect": EFFECT, "on": ["get"], "times": 1, "probability": 1, "delaySeconds": 0, "takesEffect": false}`.
All members are optional and mean what they mean in `Fault`; times: null is for ever. EFFECT is null (a delay) or one of
`{"kind": "error", "code": "TooManyRequestsException", "message": …}`,
`{"kind": "answer", "status": 503, "body": "<html>", "contentType": "text/html"}`, `{"kind": "garbage"}`,
`{"kind": "reset"}`, `{"kind": "truncated"}` and `{"kind": "hang"}`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from types import NoneType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.clock import ManualClock
from simulator.faults import GARBAGE, Effect, ErrorAnswer, Fault, Hang, RawAnswer, Reset, Truncated
from simulator.jobs import JobNotFoundError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp

    from simulator.state import SimulatorState

_Types: TypeAlias = Mapping[str, tuple[type, ...]]

_NUMBER: Final = (int, float)
_JOB: Final[_Types] = {
    "id": (str,),
    "stopSeconds": (*_NUMBER, NoneType),
    "runSeconds": (*_NUMBER, NoneType),
    "status": (str,),
    "endsAs": (str,),
}
_CLOCK: Final[_Types] = {"advance": _NUMBER}
_FAULT: Final[_Types] = {
    "effect": (dict, NoneType),
    "on": (list,),
    "times": (int, NoneType),
    "probability": _NUMBER,
    "delaySeconds": _NUMBER,
    "takesEffect": (bool,),
}
_EFFECTS: Final[Mapping[str, tuple[Callable[..., Effect], _Types]]] = {
    "error": (ErrorAnswer, {"code": (str,), "message": (str,)}),
    "answer": (RawAnswer, {"status": (int,), "body": (str,), "contentType": (str,)}),
    "garbage": (lambda: GARBAGE, {}),
    "reset": (Reset, {}),
    "truncated": (Truncated, {}),
    "hang": (Hang, {}),
}


def control_surface(state: SimulatorState) -> ASGIApp:
    """Return the control surface as an ASGI application, to be mounted at `/simulator`."""

    async def start_job(request: Request) -> Response:
        arguments = _arguments(await _body(request), _JOB, required="id")
        job_id = arguments.pop("id")
        defaults = {"stop_seconds": state.stop_seconds, "run_seconds": state.run_seconds}
        status = state.start_job(job_id, **{**defaults, **arguments})
        return JSONResponse({"id": job_id, "status": status}, 201)

    async def forget_job(request: Request) -> Response:
        state.jobs.forget(request.path_params["id"])
        return Response(status_code=204)

    async def artifacts(request: Request) -> Response:
        return JSONResponse({"artifacts": state.jobs.artifacts(request.path_params["id"])})

    async def log(_request: Request) -> Response:
        return JSONResponse({"requests": [_camel(asdict(record)) for record in state.log.records()]})

    async def inject_fault(request: Request) -> Response:
        state.faults.inject(_fault(await _body(request)))
        return JSONResponse({}, 201)

    async def clear_faults(_request: Request) -> Response:
        state.faults.clear()
        return Response(status_code=204)

    async def advance_clock(request: Request) -> Response:
        if not isinstance(state.clock, ManualClock):
            message = "the simulator runs on a real clock; only a manual one (--manual-clock) can be advanced"
            raise HTTPException(400, message)
        arguments = _arguments(await _body(request), _CLOCK, required="advance")
        return JSONResponse({"time": state.clock.advance(arguments["advance"])})

    return Starlette(
        routes=[
            Route("/jobs", start_job, methods=["POST"]),
            Route("/jobs/{id:path}", forget_job, methods=["DELETE"]),
            Route("/artifacts/{id:path}", artifacts),
            Route("/log", log),
            Route("/faults", inject_fault, methods=["POST"]),
            Route("/faults", clear_faults, methods=["DELETE"]),
            Route("/clock", advance_clock, methods=["POST"]),
        ],
        exception_handlers={ValueError: _failed, JobNotFoundError: _failed, HTTPException: _failed},
    )


async def _failed(_request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException):
        return JSONResponse({"message": error.detail}, error.status_code)
    return JSONResponse({"message": str(error)}, 404 if isinstance(error, JobNotFoundError) else 400)


async def _body(request: Request) -> object:
    try:
        return await request.json()
    except RecursionError as error:
        raise ValueError("the body is nested too deeply") from error


def _fault(body: object) -> Fault:
    arguments = _arguments(body, _FAULT)
    effect = arguments.pop("effect", None)
    return Fault(effect and _effect(effect), **arguments)


def _effect(body: Mapping[str, object]) -> Effect:
    kind = body.get("kind")
    if not isinstance(kind, str) or kind not in _EFFECTS:
        raise ValueError(f"the effect's kind is one of {', '.join(_EFFECTS)}, not {kind!r}")
    effect, types = _EFFECTS[kind]
    required = {"error": "code", "answer": "status"}.get(kind)
    return effect(
        **_arguments({name: value for name, value in body.items() if name != "kind"}, types, required=required)
    )


def _arguments(body: object, types: _Types, *, required: str | None = None) -> dict[str, Any]:
    """Return the members of a JSON object as keyword arguments, or raise ValueError."""
    if not isinstance(body, dict):
        raise ValueError("the body is a JSON object")  # noqa: TRY004 - what a client sent, answered with a 400
    if required is not None and required not in body:
        raise ValueError(f"{required} is missing")
    for name, value in body.items():
        if name not in types:
            raise ValueError(f"unknown member {name!r}; known: {', '.join(types)}")
        if type(value) not in types[name]:
            raise ValueError(f"{name} cannot be {value!r}")
    return {re.sub("[A-Z]", lambda capital: "_" + capital[0].lower(), name): value for name, value in body.items()}


def _camel(record: Mapping[str, object]) -> dict[str, object]:
    return {re.sub("_([a-z])", lambda match: match[1].upper(), name): value for name, value in record.items()}
