"""The jobs of a Neptune cluster, through boto3's `neptunedata` (the Neptune Data API, 2023-08-01)."""

from __future__ import annotations

import json
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from traceback import walk_tb
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

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

from provider.kinds.kind import CANCEL, GET, START
from provider.look import Look, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.awsrequest import AWSResponse
    from botocore.client import BaseClient

    from provider.kinds.kind import Call, Kind
    from provider.schema import Properties
    from provider.values import Endpoint

CONNECT_SECONDS = 5.0
# AWS's own examples set no limit for a start or a cancellation, which may take long.
READ_SECONDS = {START: 60.0, GET: 10.0, CANCEL: 60.0}

#: Neptune's words for an unknown ID. `same ID already exists`: the ID is taken. `already completed or failed`: there
#: is nothing to cancel.
_UNKNOWN_ID = "Invalid ID provided"
_LONGEST_WORDS_CHARACTERS = 2000


class NeptuneError(Exception):
    """A call failed. The message tells the resource's user what happened and what to do."""


class JobNotFound(NeptuneError):
    """The cluster has no job with that ID."""


class RequestRefused(NeptuneError):
    """Neptune refused the request (400). The message quotes Neptune."""


class Unreachable(NeptuneError):
    """No connection to the cluster could be made."""


class UnknownHost(Unreachable):
    """The cluster's host name does not exist."""


class Denied(NeptuneError):
    """Neptune denied the request (403). It had no effect."""


class Unavailable(NeptuneError):
    """Neptune returned no usable response (408, 429, 5xx, a broken connection). The call may have had an effect."""


class Throttled(Unavailable):
    """Neptune throttled the call (429), which had no effect."""


class Jobs:
    """The jobs of one kind in one cluster.

    Requests are signed (SigV4) for `neptune-db`. No call is retried here: after an unclear outcome, the caller has to
    look the job up first.

    Args:
        kind: The kind.
        endpoint: The cluster.
        region: The function's AWS Region, for the signature.
        resource_arn: The resources that the function's policy allows, for the message of a denied call.
    """

    def __init__(self, kind: Kind, endpoint: Endpoint, *, region: str, resource_arn: str) -> None:
        self._kind = kind
        self._endpoint = endpoint
        self._resource_arn = resource_arn
        self._address = f"{endpoint.host}:{endpoint.port}"
        self._make_client = partial(
            boto3.client,
            "neptunedata",
            region_name=region,
            endpoint_url=f"{endpoint.scheme}://{self._address}",
        )
        self._clients: dict[str, BaseClient] = {}

    def start(self, job_id: str, properties: Properties) -> None:
        """Start a job. It may take some time before it can be looked up.

        Args:
            job_id: The ID for the job.
            properties: The job's description, and the other properties that the call carries.

        Raises:
            RequestRefused: Neptune returned 400, as it does if the ID is taken, or 404, because something that the
                description names does not exist.
            Unreachable: No connection could be made.
            Throttled: Neptune throttled the call, and started nothing.
            Unavailable: Neptune returned no usable response, and may have started the job.
            Denied: The function lacks the permission.
            NeptuneError: The call failed for another reason.
        """
        answer = self._call(self._kind.start, job_id, properties)
        if not isinstance(answer.get("id"), str) or not answer["id"]:
            raise Unavailable(
                f"Neptune at {self._address} did not confirm the start of {self._kind.words.thing} {job_id}."
            )

    def update(self, job_id: str, properties: Properties) -> None:
        """Update a job in place.

        Args:
            job_id: The job's ID.
            properties: The job's new description, and the other properties that the call carries.

        Raises:
            RequestRefused: Neptune returned 400, or 404, because the job or something that the description names does
                not exist.
            Unreachable: No connection could be made.
            Throttled: Neptune throttled the call, and changed nothing.
            Unavailable: Neptune returned no usable response, and may update the job.
            Denied: The function lacks the permission.
            NeptuneError: The call failed for another reason.
        """
        answer = self._call(self._kind.start, job_id, properties, {self._kind.update: True})
        if not isinstance(answer.get("id"), str) or not answer["id"]:
            raise Unavailable(
                f"Neptune at {self._address} did not confirm the update of {self._kind.words.thing} {job_id}."
            )

    def get(self, job_id: str, properties: Properties) -> Look:
        """Look a job up.

        Args:
            job_id: The job's ID.
            properties: The other properties that the call carries.

        Returns:
            The job.

        Raises:
            JobNotFound: The cluster has no such job.
            RequestRefused: Neptune returned 400.
            Unreachable: No connection could be made.
            Unavailable: Neptune returned no usable response.
            Denied: The function lacks the permission.
            NeptuneError: The call failed for another reason.
        """
        answer = self._call(self._kind.get, job_id, properties)
        status = answer.get("status")
        if not isinstance(status, str) or not status:
            raise Unavailable(
                f"Neptune at {self._address} responded without a status for {self._kind.words.thing} {job_id}."
            )
        meaning = self._kind.meaning_of(status)
        attributes = {attribute.name: _text(answer, attribute.paths) for attribute in self._kind.attributes}
        return Look(
            status=meaning or Status.RUNS,
            words=status,
            arns=",".join(sorted({_text(answer, (path,)) for path in self._kind.arns} - {""})),
            failure=_text(answer, self._kind.failure_reasons),
            attributes={"Status": status, **attributes},
            log=_text(answer, self._kind.log_urls),
            # "cannot be updated or deleted or re-scaled until it has completed", says SageMaker of maintenance.
            is_changing=meaning is Status.STOPPING or (meaning is Status.RUNS and bool(self._kind.update)),
        )

    def cancel(self, job_id: str, properties: Properties) -> None:
        """Cancel a job. Neptune stops it some time after it has accepted the call.

        Args:
            job_id: The job's ID.
            properties: The other properties that the call carries.

        Raises:
            JobNotFound: The cluster has no such job.
            RequestRefused: Neptune returned 400, as it does for a job that has already ended.
            Unreachable: No connection could be made.
            Unavailable: Neptune returned no usable response, and may have accepted the call.
            Denied: The function lacks the permission.
            NeptuneError: The call failed for another reason.
        """
        answer = self._call(self._kind.cancel, job_id, properties)
        # boto3 reads a body that is not JSON as an empty success.
        if not isinstance(answer.get("status"), str) or not answer["status"]:
            raise Unavailable(
                f"Neptune at {self._address} did not confirm the cancellation of {self._kind.words.thing} {job_id}."
            )

    def _call(
        self, call: Call, job_id: str, properties: Properties, besides: Mapping[str, object] = MappingProxyType({})
    ) -> Mapping[str, Any]:
        """Make a call with the properties that it carries."""
        arguments = {row.parameter: value for row, value in properties.values.items() if call.name in row.calls}
        arguments |= besides
        arguments["id"] = job_id
        if call.name not in self._clients:  # made late, because the first call is often the only one
            client = self._clients[call.name] = self._make_client(
                config=Config(
                    connect_timeout=CONNECT_SECONDS,
                    read_timeout=READ_SECONDS[call.name],
                    retries={"mode": "standard", "total_max_attempts": 1},
                )
            )
            client.meta.events.register("after-call.neptunedata", _keep_words)
        try:
            answer: Mapping[str, Any] = getattr(self._clients[call.name], call.method)(**arguments)
        except ClientError as error:
            failure = self._refusal(call, job_id, error)
        except ConnectionError as error:
            failure = self._no_connection(error)
        except (HTTPClientError, ResponseParserError) as error:
            #: The connection broke, or another server responded. The call may have taken effect. Check `Endpoint`,
            #: and try again.
            failure = Unavailable(f"Neptune at {self._address} returned no usable response: {error}.")
        except NoCredentialsError as error:
            #: For a local run, set any credentials.
            failure = NeptuneError(
                f"The function cannot sign its call to Neptune at {self._address}: {error}. Check its role."
            )
        except BotoCoreError as error:
            failure = NeptuneError(f"The call to Neptune at {self._address} failed: {error}.")
        except (ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
            # botocore's parser raises these for malformed responses.
            failure = Unavailable(f"Neptune at {self._address} returned no usable response: {error}.")
        else:
            return answer
        raise failure

    def _refusal(self, call: Call, job_id: str, error: ClientError) -> NeptuneError:
        http_status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        words = str(
            error.response.get("detailedMessage")
            or error.response["Error"].get("Message")
            or "no reason given; see the cluster's audit log"
        )
        words = words[:_LONGEST_WORDS_CHARACTERS]
        code = error.response["Error"].get("Code") or http_status
        # A proxy may also return 404. If that meant "gone", a deletion would end while the job is running.
        is_unknown = http_status == HTTPStatus.NOT_FOUND and str(code).endswith("NotFoundException")
        # Neptune's guide ("Neptune ML management API errors and exceptions") has a 400 for this, the API a 404.
        is_unknown |= http_status == HTTPStatus.BAD_REQUEST and _UNKNOWN_ID in words
        if is_unknown and call is not self._kind.start:  # a start may name other, unknown jobs
            return JobNotFound(f"Neptune at {self._address} has no {self._kind.noun} {job_id}.")
        if is_unknown or http_status == HTTPStatus.BAD_REQUEST:
            #: Often, `NeptuneIamRoleArn` is not associated with the cluster.
            return RequestRefused(f"Neptune at {self._address} refused the request: {words} ({code}).")
        if http_status == HTTPStatus.FORBIDDEN:
            #: A replaced cluster has a new resource ID. Neptune takes up to ten minutes to apply a change.
            return Denied(
                f"Neptune at {self._address} denied the request: {words} ({code}). The function's role needs "
                f"{call.action} on "
                f"{self._resource_arn}; check the provider's ClusterResourceId and its permissions boundary."
            )
        if http_status == HTTPStatus.TOO_MANY_REQUESTS:
            #: Neptune is overloaded or failing; try again later.
            return Throttled(f"Neptune at {self._address} responded with {http_status}: {words} ({code}).")
        if http_status == HTTPStatus.REQUEST_TIMEOUT or http_status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return Unavailable(f"Neptune at {self._address} responded with {http_status}: {words} ({code}).")
        #: Probably, another server responded: check `Endpoint`.
        return NeptuneError(
            f"Neptune at {self._address} returned an unexpected response, {http_status}: {words} ({code})."
        )

    def _no_connection(self, error: Exception) -> Unreachable | Unavailable:
        if isinstance(error, SSLError):
            if not _is_of_handshake(error):
                return Unavailable(f"Neptune at {self._address} returned no usable response: {error}.")
            #: Another server responded, or a custom domain with its own certificate. Use the cluster's own endpoint.
            return Unreachable(f"The TLS connection to Neptune at {self._address} failed: {error}.")
        if isinstance(error, ConnectTimeoutError):
            return Unreachable(
                f"The connection to Neptune at {self._address} timed out. Allow TCP port {self._endpoint.port} from "
                f"the function's "
                "security group to the cluster's, and run the function in subnets of the cluster's VPC (the provider's "
                "SubnetIds)."
            )
        cause = error.kwargs.get("error") if isinstance(error, EndpointConnectionError) else None
        if isinstance(cause, NameResolutionError):
            return UnknownHost(
                f"The host name {self._endpoint.host} in Endpoint cannot be resolved. Check its spelling, that the "
                "function runs in the cluster's VPC, and that DNS resolution is enabled there."
            )
        return Unreachable(
            f"Neptune at {self._address} refused the connection. Check the port in Endpoint, and that the cluster is "
            f"available."
        )


def _keep_words(http_response: AWSResponse, parsed: dict[str, Any], **_: object) -> None:
    """Keep the `detailedMessage` of an error that botocore's service model lacks; botocore keeps only its `message`."""
    if http_response.status_code >= HTTPStatus.MULTIPLE_CHOICES:
        with suppress(ValueError):  # it is not JSON, and not from Neptune
            parsed["detailedMessage"] = json.loads(http_response.content).get("detailedMessage")


def _is_of_handshake(error: BaseException) -> bool:
    """Tell whether TLS failed before the request was sent. After that, the request may have had an effect."""
    cause: BaseException | None = error
    while cause is not None:
        if any(frame.f_code.co_name == "do_handshake" for frame, _ in walk_tb(cause.__traceback__)):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def _text(answer: Mapping[str, Any], paths: tuple[tuple[str, ...], ...]) -> str:
    """Return the first text at one of the paths; empty if there is none."""
    for path in paths:
        values: list[object] = [answer]
        for name in path:
            found = [value.get(name) for value in values if isinstance(value, dict)]
            values = [item for value in found for item in (value if isinstance(value, list) else [value])]
        if text := ",".join(value for value in values if isinstance(value, str) and value):
            return text
    return ""
