"""The machine learning part of the Neptune Data API: what each operation takes, does and answers.

URIs, parameters and answers are those of botocore's service model `neptunedata`, 2023-08-01. Which error answers what
is in the Neptune User Guide's "Neptune ML management API errors and exceptions"; where both are silent, this is the
simulator's best guess. For an id that no job has, the guide names an `InvalidParameterException` (400), the younger
model an `MLResourceNotFoundException` (404), which is what this answers; a fault can answer the other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from simulator.descriptions import describe, job_arn
from simulator.errors import NeptuneError
from simulator.jobs import JobEndedError, JobExistsError, JobNotFoundError, NotUpdatableError
from simulator.kinds import KINDS
from simulator.s3 import S3Location
from simulator.start_body import read_flag, read_start

if TYPE_CHECKING:
    from simulator.faults import OperationName
    from simulator.jobs import Job
    from simulator.kinds import Kind
    from simulator.state import SimulatorState

Answer: TypeAlias = Mapping[str, object]

_DEFAULT_MAX_ITEMS: Final = 10
_MAX_ITEMS: Final = range(1, 1025)
_EXISTS: Final = "Another resource with same ID already exists. Please use a new ID."
_ENDED: Final = "Failed to stop the job because it has already completed or failed."


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequest:
    """A request to an operation.

    Attributes:
        job_id: The `id` in the URI; empty if the operation has none there.
        query: The query parameters.
        body: The body, in bytes.
        late_seconds: How much later than now it takes effect, in seconds of the simulator's clock.
    """

    job_id: str
    query: Mapping[str, str]
    body: bytes
    late_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """An operation of the API.

    Attributes:
        kind: The kind of jobs that it is about.
        name: Its short name.
        method: Its HTTP method.
        uri: Its URI template.
        query: The query parameters that it knows.
        handle: Carries a request out and returns the answer; raises `NeptuneError`.
    """

    kind: Kind
    name: OperationName
    method: str
    uri: str
    query: frozenset[str]
    handle: Callable[[SimulatorState, Kind, ApiRequest], Answer]

    def __call__(self, state: SimulatorState, request: ApiRequest) -> Answer:
        """Carry a request out and return the answer.

        Raises:
            NeptuneError: If the API answers an error.
        """
        if unknown := sorted(request.query.keys() - self.query):
            raise NeptuneError("InvalidParameterException", f"Unknown query parameter: {', '.join(unknown)}.")
        try:
            return self.handle(state, self.kind, request)
        except JobNotFoundError as error:
            raise NeptuneError("MLResourceNotFoundException", str(error)) from error
        except JobEndedError as error:
            raise NeptuneError("InvalidParameterException", _ENDED) from error
        except JobExistsError as error:
            raise NeptuneError("InvalidParameterException", _EXISTS) from error
        except NotUpdatableError as error:
            raise NeptuneError("BadRequestException", str(error)) from error


def error_body(error: NeptuneError, request_id: str) -> Answer:
    """Return the body of an error's answer; `message`, which the service model lacks, is what clients print."""
    return {"detailedMessage": str(error), "requestId": request_id, "code": error.code, "message": str(error)}


def _start(state: SimulatorState, kind: Kind, request: ApiRequest) -> Answer:
    body = read_start(request.body, kind)
    _check_references(state, kind, body)
    job = (
        _updated(state, kind, body, request) if read_flag(body.get("update")) else _started(state, kind, body, request)
    )
    return {"id": job.id, "arn": job_arn(job), "creationTimeInMillis": time.time_ns() // 1_000_000}


def _started(state: SimulatorState, kind: Kind, body: Mapping[str, object], request: ApiRequest) -> Job:
    try:
        return state.start_job(
            kind,
            # AWS's notebook client sends an empty id where it wants one made.
            str(body.get("id") or kind.make_id()),
            plan=state.plan_of(kind, _training(body)),
            output=S3Location.parse(str(body[kind.output])) if kind.output else None,
            late_seconds=request.late_seconds,
        )
    except JobExistsError:
        raise
    except ValueError as error:
        raise NeptuneError("InvalidParameterException", f"Invalid parameter: {error}.") from error


def _training(body: Mapping[str, object]) -> str:
    """Return what names the training whose models are used; empty if nothing does."""
    return str(body.get("mlModelTrainingJobId") or body.get("trainingJobName") or "")


def _updated(state: SimulatorState, kind: Kind, body: Mapping[str, object], request: ApiRequest) -> Job:
    if not body.get("id"):
        raise NeptuneError("MissingParameterException", "id is required for an update.")
    return state.jobs[kind.name].update(str(body["id"]), state.plan_of(kind), late_seconds=request.late_seconds)


def _check_references(state: SimulatorState, kind: Kind, body: Mapping[str, object]) -> None:
    for parameter, reference in kind.references.items():
        if parameter not in body:
            continue
        try:
            job, now = state.jobs[reference.kind].look(str(body[parameter]))
        except JobNotFoundError as error:
            if state.knows_all_jobs:
                raise NeptuneError(reference.unknown.code, reference.unknown.message) from error
        else:
            if not job.completed(now):
                raise NeptuneError(reference.unfinished.code, reference.unfinished.message)


def _get(state: SimulatorState, kind: Kind, request: ApiRequest) -> Answer:
    return describe(*state.jobs[kind.name].find(request.job_id))


def _list(state: SimulatorState, kind: Kind, request: ApiRequest) -> Answer:
    text = request.query.get("maxItems", str(_DEFAULT_MAX_ITEMS))
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(_MAX_ITEMS.stop)) and int(text) in _MAX_ITEMS):
        raise NeptuneError("InvalidParameterException", f"maxItems must be from 1 to 1024, not {text}.")
    jobs, now = state.jobs[kind.name].all()
    return {"ids": [job.id for job in jobs if job.appeared(now)][: int(text)]}


def _cancel(state: SimulatorState, kind: Kind, request: ApiRequest) -> Answer:
    # boto3 writes true, AWS's notebook client TRUE, or False for a data processing job.
    clean = request.query.get("clean", "false").lower()
    if clean not in {"true", "false"}:
        raise NeptuneError("InvalidParameterException", f"clean must be true or false, not {clean}.")
    status = state.jobs[kind.name].cancel(request.job_id, clean=clean == "true", late_seconds=request.late_seconds)
    return {"status": status}


def _operations(kind: Kind) -> tuple[Operation, ...]:
    collection, item = f"/ml/{kind.name}", f"/ml/{kind.name}/{{id}}"
    role = "neptuneIamRoleArn"
    return (
        Operation(kind=kind, name="start", method="POST", uri=collection, query=frozenset(), handle=_start),
        Operation(
            kind=kind, name="list", method="GET", uri=collection, query=frozenset({"maxItems", role}), handle=_list
        ),
        Operation(kind=kind, name="get", method="GET", uri=item, query=frozenset({role}), handle=_get),
        Operation(
            kind=kind, name="cancel", method="DELETE", uri=item, query=frozenset({role, "clean"}), handle=_cancel
        ),
    )


OPERATIONS: Final = tuple(operation for kind in KINDS.values() for operation in _operations(kind))
"""The operations of all kinds."""
