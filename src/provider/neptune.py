"""Model transform jobs of one Neptune cluster, through boto3's `neptunedata` (the Neptune Data API, 2023-08-01)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    SSLError,
)
from botocore.parsers import ResponseParserError
from urllib3.exceptions import NameResolutionError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mypy_boto3_neptunedata import NeptuneDataClient

    from provider.properties import Endpoint

# Four attempts at a cluster that does not answer take at most 4 x 10 s and 7 s of back-off: less than a minute.
_CONFIG = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 4})

_LONGEST_WORDS_CHARACTERS = 2000
_THROTTLED = 429
_TIMED_OUT = 408
_SERVER_ERROR = 500


class Status(StrEnum):
    """The statuses of a model transform job, as `GetMLModelTransformJob` answers them."""

    IN_PROGRESS = "InProgress"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    COMPLETED = "Completed"
    FAILED = "Failed"


_ENDED = frozenset({Status.STOPPED, Status.COMPLETED, Status.FAILED})


@dataclass(frozen=True)
class ModelTransformJob:
    """What Neptune says of a job; an attribute is empty where Neptune names none.

    Attributes:
        id: The job's id.
        status: One of `Status`, or whatever else Neptune answers.
        output_location: Where its artifacts are, an `s3://` URL.
        base_processing_job_arn: The ARN of its SageMaker processing job.
        remote_model_transform_job_arn: The ARN of its SageMaker transform job.
    """

    id: str
    status: str
    output_location: str = ""
    base_processing_job_arn: str = ""
    remote_model_transform_job_arn: str = ""

    @property
    def has_ended(self) -> bool:
        """Whether the job runs no more."""
        return self.status in _ENDED


class NeptuneError(Exception):
    """A call failed; the message says what happened and what to do, in the words of the resource's users."""


class JobNotFound(NeptuneError):
    """The cluster knows no job of that id."""


class RequestRefused(NeptuneError):
    """Neptune refused the request as such (400); the message holds Neptune's own words."""


class Unreachable(NeptuneError):
    """No connection to the cluster came about."""


class Unavailable(NeptuneError):
    """Neptune gave no usable answer (408, 429, 5xx, a broken connection); the same call may succeed later."""


class ModelTransformJobs:
    """The model transform jobs of one cluster.

    Requests are signed (SigV4) for `neptune-db`. botocore's standard mode retries what may pass: 408, 429, 5xx and
    connection errors.

    Args:
        endpoint: The cluster.
        region: The function's AWS Region, for the signature.
        resource_arn: What the function's policy lets it use, named in the message when it is not allowed.
    """

    def __init__(self, endpoint: Endpoint, region: str, resource_arn: str) -> None:
        self._endpoint = endpoint
        self._resource_arn = resource_arn
        self._client: NeptuneDataClient = boto3.client(
            "neptunedata", region_name=region, endpoint_url=endpoint.url, config=_CONFIG
        )

    def get(self, job_id: str, *, neptune_iam_role_arn: str | None) -> ModelTransformJob:
        """Look a job up (`GetMLModelTransformJob`).

        Args:
            job_id: The job's id.
            neptune_iam_role_arn: The role that Neptune is to use, if not its own.

        Returns:
            The job.

        Raises:
            JobNotFound: The cluster knows no such job.
            RequestRefused: Neptune answered 400.
            Unreachable: No connection came about.
            Unavailable: Neptune gave no usable answer, botocore's retries included.
            NeptuneError: Anything else, such as a permission that is missing.
        """
        action = "neptune-db:GetMLModelTransformJobStatus"
        answer = self._call(action, self._client.get_ml_model_transform_job, id=job_id, **_role(neptune_iam_role_arn))
        status = answer.get("status")
        if not isinstance(status, str) or not status:
            raise Unavailable(f"{self._cluster} answered without a status for job {job_id}.")
        processing, transform = answer.get("baseProcessingJob"), answer.get("remoteModelTransformJob")
        return ModelTransformJob(
            id=job_id,
            status=status,
            output_location=_text(transform, "outputLocation") or _text(processing, "outputLocation"),
            base_processing_job_arn=_text(processing, "arn"),
            remote_model_transform_job_arn=_text(transform, "arn"),
        )

    def cancel(self, job_id: str, *, clean: bool, neptune_iam_role_arn: str | None) -> None:
        """Cancel a job (`CancelMLModelTransformJob`). Neptune stops it some time after it has accepted that.

        Args:
            job_id: The job's id.
            clean: Whether Neptune deletes the job's artifacts in S3.
            neptune_iam_role_arn: The role that Neptune is to use, if not its own.

        Raises:
            JobNotFound: The cluster knows no such job.
            RequestRefused: Neptune answered 400, as it does for a job that has already ended.
            Unreachable: No connection came about.
            Unavailable: Neptune gave no usable answer, botocore's retries included; it may have accepted all the same.
            NeptuneError: Anything else, such as a permission that is missing.
        """
        action, role = "neptune-db:CancelMLModelTransformJob", _role(neptune_iam_role_arn)
        answer = self._call(action, self._client.cancel_ml_model_transform_job, id=job_id, clean=clean, **role)
        # boto3 takes a body that is no JSON for an empty success.
        if not isinstance(answer.get("status"), str) or not answer["status"]:
            raise Unavailable(f"{self._cluster} did not confirm the cancellation of job {job_id}.")

    @property
    def _cluster(self) -> str:
        return f"Neptune at {self._endpoint.host}:{self._endpoint.port}"

    def _call(self, action: str, operation: Callable[..., Any], **parameters: object) -> Mapping[str, Any]:
        try:
            answer: Mapping[str, Any] = operation(**parameters)
        except ClientError as error:
            failure = self._refusal(action, str(parameters["id"]), error)
        except (ConnectTimeoutError, EndpointConnectionError, SSLError) as error:
            failure = self._no_connection(error)
        except (HTTPClientError, ResponseParserError) as error:
            failure = Unavailable(f"{self._cluster} gave no usable answer: {error}")
        except BotoCoreError as error:
            failure = NeptuneError(f"The call of {self._cluster} failed: {error}")
        except (ValueError, TypeError, AttributeError, LookupError) as error:  # botocore's parser, on some garbage
            failure = Unavailable(f"{self._cluster} gave no usable answer: {error}")
        else:
            return answer
        raise failure

    def _refusal(self, action: str, job_id: str, error: ClientError) -> NeptuneError:
        http_status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        # Modelled errors carry Neptune's words in detailedMessage, others in message.
        words = str(
            error.response.get("detailedMessage") or error.response["Error"].get("Message") or "no reason given"
        )
        words = words[:_LONGEST_WORDS_CHARACTERS]
        code = error.response["Error"].get("Code") or http_status
        # A proxy's 404 says nothing of the job: to take it for "gone" would end a deletion while the job runs.
        if http_status == 404 and str(code).endswith("NotFoundException"):  # noqa: PLR2004
            return JobNotFound(f"{self._cluster} knows no model transform job {job_id}.")
        if http_status == 400:  # noqa: PLR2004
            return RequestRefused(f"{self._cluster} refused the request: {words} ({code})")
        if http_status == 403:  # noqa: PLR2004
            return NeptuneError(
                f"{self._cluster} denied the request: {words} ({code}). The function's role needs {action} on "
                f"{self._resource_arn}; check the provider's ClusterResourceId parameter and its permissions boundary."
            )
        if http_status in (_TIMED_OUT, _THROTTLED) or http_status >= _SERVER_ERROR:
            return Unavailable(f"{self._cluster} answered {http_status}: {words} ({code})")
        return NeptuneError(f"{self._cluster} gave an unexpected answer, {http_status}: {words} ({code})")

    def _no_connection(self, error: Exception) -> Unreachable:
        host, port = self._endpoint.host, self._endpoint.port
        if isinstance(error, SSLError):
            return Unreachable(f"A TLS connection to {self._cluster} failed: {error}")
        if isinstance(error, ConnectTimeoutError):
            return Unreachable(
                f"Connecting to {self._cluster} timed out. Open TCP port {port} from the function's security group to "
                "the cluster's, and put the function into subnets of the cluster's VPC (the provider's SubnetIds)."
            )
        cause = error.kwargs.get("error") if isinstance(error, EndpointConnectionError) else None
        if isinstance(cause, NameResolutionError):
            return Unreachable(
                f"The host name {host} of the Endpoint cannot be resolved. Check the spelling, and that the function "
                "runs in the cluster's VPC with DNS resolution enabled."
            )
        return Unreachable(
            f"{self._cluster} refused the connection. Check the Endpoint's port, and that the cluster is available."
        )


def _role(arn: str | None) -> Mapping[str, str]:
    return {"neptuneIamRoleArn": arn} if arn else {}


def _text(resource: object, name: str) -> str:
    value = resource.get(name) if isinstance(resource, dict) else None
    return value if isinstance(value, str) else ""
