"""Jobs of one Neptune cluster, through boto3's `neptunedata` (the Neptune Data API, 2023-08-01)."""

from __future__ import annotations

import json
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from traceback import walk_tb
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

from provider.kinds.kind import CANCEL, GET, START

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.awsrequest import AWSResponse
    from botocore.client import BaseClient

    from provider.kinds.kind import Call, Kind
    from provider.schema import Properties
    from provider.values import Endpoint

CONNECT_SECONDS = 5.0
# AWS's own examples set no limit on a start or a cancellation: it may take long to be answered.
READ_SECONDS = {START: 60.0, GET: 10.0, CANCEL: 60.0}

#: Neptune's words for an unknown id. `same ID already exists`: the id is taken. `already completed or failed`: there
#: is nothing to cancel.
_UNKNOWN_ID = "Invalid ID provided"
_LONGEST_WORDS_CHARACTERS = 2000


class Job(NamedTuple):
    """What Neptune says of a job.

    Attributes:
        status: Its status, in Neptune's words.
        is_stopping: Whether it has been cancelled and still runs.
        has_ended: Whether it runs no more.
        attributes: What `Fn::GetAtt` returns of it; a value is empty where Neptune names none.
        arns: The ARNs of its SageMaker jobs, as far as Neptune names them.
        has_completed: Whether it has done its work.
        has_failed: Whether it has failed.
        failure: Why it failed, in Neptune's words.
        log_url: Where the log of what it does is.
        is_changing: Whether its status becomes another one by itself, before which Neptune may refuse what is asked.
    """

    status: str
    is_stopping: bool
    has_ended: bool
    attributes: Mapping[str, str] = MappingProxyType({})
    arns: frozenset[str] = frozenset()
    has_completed: bool = False
    has_failed: bool = False
    failure: str = ""
    log_url: str = ""
    is_changing: bool = False


class NeptuneError(Exception):
    """A call failed; the message says what happened and what to do, in the words of the resource's users."""


class JobNotFound(NeptuneError):
    """The cluster knows no job of that id."""


class RequestRefused(NeptuneError):
    """Neptune refused the request as such (400); the message holds Neptune's own words."""


class Unreachable(NeptuneError):
    """No connection to the cluster came about."""


class UnknownHost(Unreachable):
    """The cluster's host name does not exist."""


class Denied(NeptuneError):
    """Neptune denied the request (403); it had no effect."""


class Unavailable(NeptuneError):
    """Neptune returned no usable response (408, 429, 5xx, a broken connection): the call may have had an effect."""


class Throttled(Unavailable):
    """Neptune had too many requests (429): the call had no effect."""


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
        self._address = f"{endpoint.host}:{endpoint.port}"
        self._make_client = partial(
            boto3.client,
            "neptunedata",
            region_name=region,
            endpoint_url=f"{endpoint.scheme}://{self._address}",
        )
        self._clients: dict[str, BaseClient] = {}

    def start(self, job_id: str, properties: Properties) -> None:
        """Start a job. It may take some time until it can be looked up.

        Args:
            job_id: The id that the job is to have.
            properties: What describes it, and what the call carries besides.

        Raises:
            RequestRefused: Neptune answered 400, as it does for a job whose id there is already, or 404, for what the
                description names does not exist.
            Unreachable: No connection came about.
            Throttled: Neptune had too many requests; nothing was started.
            Unavailable: Neptune returned no usable response; it may have started the job all the same.
            Denied: The function may not.
            NeptuneError: Anything else.
        """
        answer = self._call(self._kind.start, job_id, properties)
        if not isinstance(answer.get("id"), str) or not answer["id"]:
            raise Unavailable(
                f"Neptune at {self._address} did not confirm the start of {self._kind.words.thing} {job_id}."
            )

    def update(self, job_id: str, properties: Properties) -> None:
        """Change a job that there is to what describes it now. It stays the same job.

        Args:
            job_id: The job's id.
            properties: What describes it, and what the call carries besides.

        Raises:
            RequestRefused: Neptune answered 400, or 404: the job, or what the description names, does not exist.
            Unreachable: No connection came about.
            Throttled: Neptune had too many requests; nothing was changed.
            Unavailable: Neptune returned no usable response; it may change the job all the same.
            Denied: The function may not.
            NeptuneError: Anything else.
        """
        answer = self._call(self._kind.start, job_id, properties, {self._kind.update: True})
        if not isinstance(answer.get("id"), str) or not answer["id"]:
            raise Unavailable(
                f"Neptune at {self._address} did not confirm the update of {self._kind.words.thing} {job_id}."
            )

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
            Unavailable: Neptune returned no usable response.
            Denied: The function may not.
            NeptuneError: Anything else.
        """
        answer = self._call(self._kind.get, job_id, properties)
        status = answer.get("status")
        if not isinstance(status, str) or not status:
            raise Unavailable(
                f"Neptune at {self._address} responded without a status for {self._kind.words.thing} {job_id}."
            )
        lower = status.lower()
        return Job(
            status=status,
            is_stopping=lower in [it.lower() for it in self._kind.stopping],
            has_ended=lower in [it.lower() for it in self._kind.ended],
            attributes={attribute.name: _text(answer, attribute.paths) for attribute in self._kind.attributes},
            arns=frozenset([_text(answer, (path,)) for path in self._kind.arns]) - {""},
            has_completed=lower in [it.lower() for it in self._kind.completed],
            has_failed=lower in [it.lower() for it in self._kind.failed],
            failure=_text(answer, self._kind.failure_reasons),
            log_url=_text(answer, self._kind.log_urls),
            is_changing=lower in [it.lower() for it in self._kind.changing],
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
            Unavailable: Neptune returned no usable response; it may have accepted all the same.
            Denied: The function may not.
            NeptuneError: Anything else.
        """
        answer = self._call(self._kind.cancel, job_id, properties)
        # boto3 takes a body that is no JSON for an empty success.
        if not isinstance(answer.get("status"), str) or not answer["status"]:
            raise Unavailable(
                f"Neptune at {self._address} did not confirm the cancellation of {self._kind.words.thing} {job_id}."
            )

    def _call(
        self, call: Call, job_id: str, properties: Properties, besides: Mapping[str, object] = MappingProxyType({})
    ) -> Mapping[str, Any]:
        """Make a call with those of the properties that it carries."""
        arguments = {row.parameter: value for row, value in properties.values.items() if call.name in row.calls}
        arguments |= besides
        arguments["id"] = job_id
        if call.name not in self._clients:  # when it is needed: the first call comes sooner, and is often the only one
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
            # botocore's parser, on some garbage
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
        # A proxy's 404 says nothing of the job: to take it for "gone" would end a deletion while the job runs.
        is_unknown = http_status == HTTPStatus.NOT_FOUND and str(code).endswith("NotFoundException")
        # Neptune's guide ("Neptune ML management API errors and exceptions") has an error 400 for it, the API a 404.
        is_unknown |= http_status == HTTPStatus.BAD_REQUEST and _UNKNOWN_ID in words
        if is_unknown and call is not self._kind.start:  # a start may name other jobs, which are unknown
            return JobNotFound(f"Neptune at {self._address} has no {self._kind.noun} {job_id}.")
        if is_unknown or http_status == HTTPStatus.BAD_REQUEST:
            #: Often, `NeptuneIamRoleArn` is not associated with the cluster.
            return RequestRefused(f"Neptune at {self._address} refused the request: {words} ({code}).")
        if http_status == HTTPStatus.FORBIDDEN:
            #: A replaced cluster has a new resource id. Neptune takes up to ten minutes to apply a change.
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
    """Keep Neptune's words of an error that is not in botocore's service model; botocore keeps only its `message`."""
    if http_response.status_code >= HTTPStatus.MULTIPLE_CHOICES and "detailedMessage" not in parsed:
        with suppress(ValueError):  # no JSON: not Neptune's
            parsed["detailedMessage"] = json.loads(http_response.content).get("detailedMessage")


def _is_of_handshake(error: BaseException) -> bool:
    """Tell whether TLS failed before the request was sent; afterwards, Neptune may have heeded it."""
    cause: BaseException | None = error
    while cause is not None:
        if any(frame.f_code.co_name == "do_handshake" for frame, _ in walk_tb(cause.__traceback__)):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def _text(answer: Mapping[str, Any], paths: tuple[tuple[str, ...], ...]) -> str:
    """Return the first text that stands at one of the paths; empty if there is none."""
    for path in paths:
        values: list[object] = [answer]
        for name in path:
            found = [value.get(name) for value in values if isinstance(value, dict)]
            values = [item for value in found for item in (value if isinstance(value, list) else [value])]
        if text := ",".join(value for value in values if isinstance(value, str) and value):
            return text
    return ""
