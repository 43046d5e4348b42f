"""The machine learning part of the Neptune Data API: what each operation does and answers.

The errors follow the Neptune User Guide's "Neptune ML management API errors and exceptions". Where it and the service
model say nothing, they are the simulator's best guess. For an unknown ID, the guide has an `InvalidParameterException`
(400), and the newer model an `MLResourceNotFoundException` (404). The simulator answers with the latter; a fault can
answer with the former.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from simulator.cluster_jobs import ClusterJobs
from simulator.descriptions import describe, job_arn
from simulator.errors import NeptuneError
from simulator.jobs import JobEndedError, JobExistsError, JobNotFoundError, NotUpdatableError
from simulator.kinds import KINDS
from simulator.model import OPERATIONS as MODELLED
from simulator.model import check_body, query_parameters, read_flag

if TYPE_CHECKING:
    from simulator.cluster_jobs import Cluster
    from simulator.faults import OperationName
    from simulator.jobs import Job, JobPlan
    from simulator.kinds import Kind

Answer: TypeAlias = Mapping[str, object]

_DEFAULT_MAX_ITEMS: Final = 10
_MAX_ITEMS: Final = range(1, 1025)
_EXISTS: Final = "Another resource with same ID already exists. Please use a new ID."
_ENDED: Final = "Failed to stop the job because it has already completed or failed."


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequest:
    """A request to an operation.

    Attributes:
        job_id: The `id` in the URI; empty: none.
        query: The query parameters.
        body: The body.
        late_seconds: The time until the request takes effect, in seconds of the simulator's clock.
    """

    job_id: str
    query: Mapping[str, str]
    body: bytes
    late_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of the API."""

    kind: Kind
    name: OperationName
    method: str
    uri: str
    handle: Callable[[Cluster, Kind, ApiRequest], Answer]

    def __call__(self, cluster: Cluster, request: ApiRequest) -> Answer:
        """Carry a request out and return the answer; raises the API's error as a `NeptuneError`."""
        known = query_parameters(MODELLED[self.method, self.uri])
        if unknown := sorted(request.query.keys() - known):
            raise NeptuneError("InvalidParameterException", f"Unknown query parameter: {', '.join(unknown)}.")
        try:
            return self.handle(cluster, self.kind, request)
        except JobNotFoundError as error:
            raise NeptuneError("MLResourceNotFoundException", str(error)) from error
        except JobEndedError as error:
            raise NeptuneError("InvalidParameterException", _ENDED) from error
        except JobExistsError as error:
            raise NeptuneError("InvalidParameterException", _EXISTS) from error
        except NotUpdatableError as error:
            raise NeptuneError("BadRequestException", str(error)) from error


def error_body(error: NeptuneError, request_id: str) -> Answer:
    """Return the body of an error's answer; clients print `message`, which the service model lacks."""
    return {"detailedMessage": str(error), "requestId": request_id, "code": error.code, "message": str(error)}


def _start(cluster: Cluster, kind: Kind, request: ApiRequest) -> Answer:
    body = _read(request.body, kind)
    for parameter, named in kind.references.items():
        if parameter in body and _is_unfinished(ClusterJobs(cluster, KINDS[named]), body[parameter]):
            raise NeptuneError("BadRequestException", KINDS[named].unfinished)
    jobs = ClusterJobs(cluster, kind)
    if not read_flag(body.get("update")):
        job = _started(jobs, kind, body, _plan_of(cluster, jobs, body), request.late_seconds)
    elif body.get("id"):
        job = jobs.update(body["id"], late_seconds=request.late_seconds)
    else:
        raise NeptuneError("MissingParameterException", "id is required for an update.")
    return {"id": job.id, "arn": job_arn(job), "creationTimeInMillis": time.time_ns() // 1_000_000}


def _read(text: bytes, kind: Kind) -> dict[str, Any]:
    """Read the body of a start: its members that are not null."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NeptuneError("BadRequestException", "The body is not JSON.") from error
    if not isinstance(body, dict):
        raise NeptuneError("BadRequestException", "The body is not a JSON object.")
    given = {name: value for name, value in body.items() if value is not None}
    check_body(given, MODELLED["POST", f"/ml/{kind.name}"])
    if kind.alternatives and not any(given.keys() >= set(parameters) for parameters in kind.alternatives):
        either = ", or ".join(" and ".join(parameters) for parameters in kind.alternatives)
        raise NeptuneError("MissingParameterException", f"Either {either} is required.")
    return given


def _is_unfinished(jobs: ClusterJobs, job_id: str) -> bool:
    try:
        job, now = jobs.look(job_id)
    except JobNotFoundError:  # the simulator assumes that it has completed
        return False
    return not job.completed(now)


def _plan_of(cluster: Cluster, jobs: ClusterJobs, body: Mapping[str, Any]) -> JobPlan:
    training = body.get("mlModelTrainingJobId") or body.get("trainingJobName") or ""
    return cluster.trainings.get(training, jobs.plan)


def _started(jobs: ClusterJobs, kind: Kind, body: Mapping[str, Any], plan: JobPlan, late_seconds: float) -> Job:
    # AWS's notebook client sends an empty ID for none.
    job_id = body.get("id") or kind.make_id()
    try:
        return jobs.add(job_id, plan, output=body[kind.output] if kind.output else None, late_seconds=late_seconds)
    except JobExistsError:
        raise
    except ValueError as error:
        raise NeptuneError("InvalidParameterException", f"Invalid parameter: {error}.") from error


def _get(cluster: Cluster, kind: Kind, request: ApiRequest) -> Answer:
    return describe(*ClusterJobs(cluster, kind).find(request.job_id))


def _list(cluster: Cluster, kind: Kind, request: ApiRequest) -> Answer:
    text = request.query.get("maxItems", str(_DEFAULT_MAX_ITEMS))
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(_MAX_ITEMS.stop)) and int(text) in _MAX_ITEMS):
        raise NeptuneError("InvalidParameterException", f"maxItems must be from 1 to 1024, not {text}.")
    jobs, now = ClusterJobs(cluster, kind).all()
    return {"ids": [job.id for job in jobs if job.appeared(now)][: int(text)]}


def _cancel(cluster: Cluster, kind: Kind, request: ApiRequest) -> Answer:
    # boto3 writes true, AWS's notebook client TRUE, or False for a data processing job.
    clean = request.query.get("clean", "false").lower()
    if clean not in {"true", "false"}:
        raise NeptuneError("InvalidParameterException", f"clean must be true or false, not {clean}.")
    jobs = ClusterJobs(cluster, kind)
    return {"status": jobs.cancel(request.job_id, clean=clean == "true", late_seconds=request.late_seconds)}


OPERATIONS: Final = tuple(
    operation
    for kind in KINDS.values()
    for operation in (
        Operation(kind, "start", "POST", f"/ml/{kind.name}", _start),
        Operation(kind, "list", "GET", f"/ml/{kind.name}", _list),
        Operation(kind, "get", "GET", f"/ml/{kind.name}/{{id}}", _get),
        Operation(kind, "cancel", "DELETE", f"/ml/{kind.name}/{{id}}", _cancel),
    )
)
"""The operations of all kinds."""
