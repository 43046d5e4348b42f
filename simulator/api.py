"""The model transform API of the Neptune Data API: what each operation takes, does and answers.

URIs, parameters and answers are those of botocore's service model `neptunedata`, 2023-08-01. Which error answers what
is in the Neptune User Guide's "Neptune ML management API errors and exceptions"; where both are silent, this is the
simulator's best guess. For an id that no job has, the guide names an `InvalidParameterException` (400), the younger
model an `MLResourceNotFoundException` (404), which is what this answers; a fault can answer the other.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeAlias

from simulator.descriptions import describe, job_arn
from simulator.errors import NeptuneError
from simulator.jobs import JobEndedError, JobExistsError, JobNotFoundError
from simulator.s3 import S3Location

if TYPE_CHECKING:
    from simulator.faults import OperationName
    from simulator.state import SimulatorState

Answer: TypeAlias = Mapping[str, object]

_COLLECTION: Final = "/ml/modeltransform"
_ITEM: Final = "/ml/modeltransform/{id}"
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
        name: Its short name.
        method: Its HTTP method.
        uri: Its URI template.
        query: The query parameters that it knows.
        handle: Carries a request out and returns the answer; raises `NeptuneError`.
    """

    name: OperationName
    method: str
    uri: str
    query: frozenset[str]
    handle: Callable[[SimulatorState, ApiRequest], Answer]

    def __call__(self, state: SimulatorState, request: ApiRequest) -> Answer:
        """Carry a request out and return the answer.

        Raises:
            NeptuneError: If the API answers an error.
        """
        if unknown := sorted(request.query.keys() - self.query):
            raise NeptuneError("InvalidParameterException", f"Unknown query parameter: {', '.join(unknown)}.")
        try:
            return self.handle(state, request)
        except JobNotFoundError as error:
            raise NeptuneError("MLResourceNotFoundException", str(error)) from error
        except JobEndedError as error:
            raise NeptuneError("InvalidParameterException", _ENDED) from error
        except JobExistsError as error:
            raise NeptuneError("InvalidParameterException", _EXISTS) from error


def error_body(error: NeptuneError, request_id: str) -> Answer:
    """Return the body of an error's answer; `message`, which the service model lacks, is what clients print."""
    return {"detailedMessage": str(error), "requestId": request_id, "code": error.code, "message": str(error)}


def _start(state: SimulatorState, request: ApiRequest) -> Answer:
    body = _start_body(request.body)
    if "modelTransformOutputS3Location" not in body:
        raise NeptuneError("MissingParameterException", "modelTransformOutputS3Location is required.")
    if "trainingJobName" not in body and not {"dataProcessingJobId", "mlModelTrainingJobId"} <= body.keys():
        raise NeptuneError(
            "MissingParameterException",
            "Either dataProcessingJobId and mlModelTrainingJobId, or trainingJobName is required.",
        )
    try:
        job = state.start_job(
            # AWS's notebook client sends an empty id where it wants one made.
            str(body.get("id") or uuid.uuid4()),
            plan=state.plan_for(_training(body)),
            output=S3Location.parse(str(body["modelTransformOutputS3Location"])),
            late_seconds=request.late_seconds,
        )
    except JobExistsError:
        raise
    except ValueError as error:
        raise NeptuneError("InvalidParameterException", f"Invalid parameter: {error}.") from error
    return {"id": job.id, "arn": job_arn(job), "creationTimeInMillis": time.time_ns() // 1_000_000}


def _training(body: Mapping[str, object]) -> str:
    """Return what names the training whose models a job uses."""
    return str(body.get("mlModelTrainingJobId") or body.get("trainingJobName"))


def _start_body(text: bytes) -> dict[str, object]:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NeptuneError("BadRequestException", "The body is not JSON.") from error
    if not isinstance(body, dict):
        raise NeptuneError("BadRequestException", "The body is not a JSON object.")
    given = {name: value for name, value in body.items() if value is not None}
    _check_types(given, START_BODY)
    _check_types(given.get("customModelTransformParameters", {}), CUSTOM_PARAMETERS)
    if (
        "customModelTransformParameters" in given
        and "sourceS3DirectoryPath" not in body["customModelTransformParameters"]
    ):
        raise NeptuneError("MissingParameterException", "customModelTransformParameters needs a sourceS3DirectoryPath.")
    return given


def _check_types(values: Mapping[str, object], types: Mapping[str, type]) -> None:
    for name, value in values.items():
        if name not in types:
            raise NeptuneError("InvalidParameterException", f"Unknown parameter: {name!r}.")
        strings = not isinstance(value, list) or all(isinstance(item, str) for item in value)
        # JSON's true and false are no integers, Python's are.
        if not isinstance(value, types[name]) or isinstance(value, bool) or not strings:
            raise NeptuneError("InvalidParameterException", f"Parameter {name} has the wrong type.")


def _get(state: SimulatorState, request: ApiRequest) -> Answer:
    return describe(*state.jobs.find(request.job_id))


def _list(state: SimulatorState, request: ApiRequest) -> Answer:
    text = request.query.get("maxItems", str(_DEFAULT_MAX_ITEMS))
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(_MAX_ITEMS.stop)) and int(text) in _MAX_ITEMS):
        raise NeptuneError("InvalidParameterException", f"maxItems must be from 1 to 1024, not {text}.")
    jobs, now = state.jobs.all()
    return {"ids": [job.id for job in jobs if job.appeared(now)][: int(text)]}


def _cancel(state: SimulatorState, request: ApiRequest) -> Answer:
    # boto3 writes true, AWS's notebook client TRUE.
    clean = request.query.get("clean", "false").lower()
    if clean not in {"true", "false"}:
        raise NeptuneError("InvalidParameterException", f"clean must be true or false, not {clean}.")
    status = state.jobs.cancel(request.job_id, clean=clean == "true", late_seconds=request.late_seconds)
    return {"status": status}


CUSTOM_PARAMETERS: Final[Mapping[str, type]] = MappingProxyType(
    {"sourceS3DirectoryPath": str, "transformEntryPointScript": str}
)
"""The members of `customModelTransformParameters`, with their JSON types."""

START_BODY: Final[Mapping[str, type]] = MappingProxyType(
    {
        "id": str,
        "dataProcessingJobId": str,
        "mlModelTrainingJobId": str,
        "trainingJobName": str,
        "modelTransformOutputS3Location": str,
        "sagemakerIamRoleArn": str,
        "neptuneIamRoleArn": str,
        "customModelTransformParameters": dict,
        "baseProcessingInstanceType": str,
        "baseProcessingInstanceVolumeSizeInGB": int,
        "subnets": list,
        "securityGroupIds": list,
        "volumeEncryptionKMSKey": str,
        "s3OutputEncryptionKMSKey": str,
    }
)
"""The members of the body of `StartMLModelTransformJob`, with their JSON types."""

OPERATIONS: Final = (
    Operation(name="start", method="POST", uri=_COLLECTION, query=frozenset(), handle=_start),
    Operation(
        name="list", method="GET", uri=_COLLECTION, query=frozenset({"maxItems", "neptuneIamRoleArn"}), handle=_list
    ),
    Operation(name="get", method="GET", uri=_ITEM, query=frozenset({"neptuneIamRoleArn"}), handle=_get),
    Operation(
        name="cancel", method="DELETE", uri=_ITEM, query=frozenset({"neptuneIamRoleArn", "clean"}), handle=_cancel
    ),
)
"""The operations of the model transform API."""
