"""Jobs of one Neptune cluster, through boto3's `neptunedata` (the Neptune Data API, 2023-08-01)."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    SSLError,
)
from botocore.parsers import ResponseParserError
from urllib3.exceptions import NameResolutionError

from provider.kinds.kind import CANCEL, GET

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.client import BaseClient

    from provider.kinds.kind import Call, Kind
    from provider.schema import Properties
    from provider.values import Endpoint

CONNECT_SECONDS = 5.0
# AWS's own examples set no limit on a cancellation: it may take long to be answered.
READ_SECONDS = {GET: 10.0, CANCEL: 60.0}

_LONGEST_WORDS_CHARACTERS = 2000


class Job(NamedTuple):
    """What Neptune says of a job.

    Attributes:
        status: Its status, in Neptune's words.
        is_stopping: Whether it has been cancelled and still runs.
        has_ended: Whether it runs no more.
        attributes: What `Fn::GetAtt` returns of it; a value is empty where Neptune names none.
        arns: The ARNs of its SageMaker jobs, as far as Neptune names them.
    """

    status: str
    is_stopping: bool
    has_ended: bool
    attributes: Mapping[str, str] = MappingProxyType({})
    arns: frozenset[str] = frozenset()


class NeptuneError(Exception):
    """A call failed; the message says what happened and what to do, in the words of the resource's users."""


class JobNotFound(NeptuneError):
    """The cluster knows no job of that id."""


class RequestRefused(NeptuneError):
    """Neptune refused the request as such (400); the message holds Neptune's own words."""


class Unreachable(NeptuneError):
    """No connection to the cluster came about."""


class Unavailable(NeptuneError):
    """Neptune gave no usable answer (408, 429, 5xx, a broken connection): whether the call had an effect is unknown."""


class Jobs:
    """The jobs of one kind in one cluster.

    Requests are signed (SigV4) for `neptune-db`. Nothing is tried again here: after an unclear answer, whoever asked
    has to look before asking again.

    Args:
        kind: Their kind.
        endpoint: The cluster.
        region: The function's AWS Region, for the signature.
        resource_arn: What the function's policy lets it use, named in the message when it is not allowed.
    """

    def __init__(self, kind: Kind, endpoint: Endpoint, *, region: str, resource_arn: str) -> None:
        self._kind = kind
        self._endpoint = endpoint
        self._resource_arn = resource_arn
        self._name = f"Neptune at {endpoint.host}:{endpoint.port}"
        self._make_client = partial(
            boto3.client,
            "neptunedata",
            region_name=region,
            endpoint_url=f"{endpoint.scheme}://{endpoint.host}:{endpoint.port}",
        )
        self._clients: dict[str, BaseClient] = {}

    def get(self, job_id: str, properties: Properties) -> Job:
        """Look a job up.

        Args:
            job_id: The job's id.
            properties: What the call carries besides.

        Returns:
            The job.

        Raises:
            JobNotFound: The cluster knows no such job.
            RequestRefused: Neptune answered 400.
            Unreachable: No connection came about.
            Unavailable: Neptune gave no usable answer.
            NeptuneError: Anything else, such as a permission that is missing.
        """
        answer = self._call(self._kind.get, job_id, properties)
        status = answer.get("status")
        if not isinstance(status, str) or not status:
            raise Unavailable(f"{self._name} answered without a status for job {job_id}.")
        lower = status.lower()
        return Job(
            status=status,
            is_stopping=lower in [it.lower() for it in self._kind.stopping],
            has_ended=lower in [it.lower() for it in self._kind.ended],
            attributes={attribute.name: _text(answer, attribute.paths) for attribute in self._kind.attributes},
            arns=frozenset([_text(answer, (path,)) for path in self._kind.arns]) - {""},
        )

    def cancel(self, job_id: str, properties: Properties) -> None:
        """Cancel a job. Neptune stops it some time after it has accepted that.

        Args:
            job_id: The job's id.
            properties: What the call carries besides.

        Raises:
            JobNotFound: The cluster knows no such job.
            RequestRefused: Neptune answered 400, as it does for a job that has already ended.
            Unreachable: No connection came about.
            Unavailable: Neptune gave no usable answer; it may have accepted all the same.
            NeptuneError: Anything else, such as a permission that is missing.
        """
        answer = self._call(self._kind.cancel, job_id, properties)
        # boto3 takes a body that is no JSON for an empty success.
        if not isinstance(answer.get("status"), str) or not answer["status"]:
            raise Unavailable(f"{self._name} did not confirm the cancellation of job {job_id}.")

    def _call(self, call: Call, job_id: str, properties: Properties) -> Mapping[str, Any]:
        """Make a call with those of the properties that it carries."""
        arguments = {row.parameter: value for row, value in properties.values.items() if call.name in row.calls}
        if call.name not in self._clients:  # when it is needed: the first call comes sooner, and is often the only one
            self._clients[call.name] = self._make_client(
                config=Config(
                    connect_timeout=CONNECT_SECONDS,
                    read_timeout=READ_SECONDS[call.name],
                    retries={"mode": "standard", "total_max_attempts": 1},
                )
            )
        try:
            answer: Mapping[str, Any] = getattr(self._clients[call.name], call.method)(**arguments | {"id": job_id})
        except ClientError as error:
            failure = self._refusal(call.action, job_id, error)
        except ConnectionError as error:
            failure = self._no_connection(error)
        except (HTTPClientError, ResponseParserError) as error:
            failure = Unavailable(f"{self._name} gave no usable answer: {error}")
        except NoCredentialsError as error:
            failure = NeptuneError(f"The function cannot sign the call of {self._name}: {error}. Look at its role.")
        except BotoCoreError as error:
            failure = NeptuneError(f"The call of {self._name} failed: {error}")
        except (ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
            # botocore's parser, on some garbage
            failure = Unavailable(f"{self._name} gave no usable answer: {error}")
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
        if http_status == HTTPStatus.NOT_FOUND and str(code).endswith("NotFoundException"):
            return JobNotFound(f"{self._name} knows no {self._kind.noun} {job_id}.")
        if http_status == HTTPStatus.BAD_REQUEST:
            return RequestRefused(f"{self._name} refused the request: {words} ({code})")
        if http_status == HTTPStatus.FORBIDDEN:
            return NeptuneError(
                f"{self._name} denied the request: {words} ({code}). The function's role needs {action} on "
                f"{self._resource_arn}; check the provider's ClusterResourceId parameter and its permissions boundary."
            )
        may_pass = http_status in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)
        if may_pass or http_status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return Unavailable(f"{self._name} answered {http_status}: {words} ({code})")
        return NeptuneError(f"{self._name} gave an unexpected answer, {http_status}: {words} ({code})")

    def _no_connection(self, error: Exception) -> Unreachable:
        if isinstance(error, SSLError):
            return Unreachable(f"A TLS connection to {self._name} failed: {error}")
        if isinstance(error, ConnectTimeoutError):
            return Unreachable(
                f"Connecting to {self._name} timed out. Open TCP port {self._endpoint.port} from the function's "
                "security group to the cluster's, and put the function into subnets of the cluster's VPC (the "
                "provider's SubnetIds)."
            )
        cause = error.kwargs.get("error") if isinstance(error, EndpointConnectionError) else None
        if isinstance(cause, NameResolutionError):
            return Unreachable(
                f"The host name {self._endpoint.host} of the Endpoint cannot be resolved. Check the spelling, and that "
                "the function runs in the cluster's VPC with DNS resolution enabled."
            )
        return Unreachable(
            f"{self._name} refused the connection. Check the Endpoint's port, and that the cluster is available."
        )


def _text(answer: Mapping[str, Any], paths: tuple[tuple[str, ...], ...]) -> str:
    """Return the first text that stands at one of the paths; empty if there is none."""
    for path in paths:
        value: object = answer
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, str) and value:
            return value
    return ""
