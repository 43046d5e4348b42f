"""CloudFormation's request, as the event that Lambda delivers.

Its fields are those of the CloudFormation User Guide, "Custom resource request and response reference".
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple, cast
from urllib.parse import parse_qs, urlsplit

from provider.clock import is_time
from provider.custom_resource import waiting
from provider.custom_resource.properties import SERVICE_TIMEOUT
from provider.identity import NO_JOB, Identity
from provider.journal.entry import RequestType
from provider.lifecycle import Asked, Patience
from provider.values import LONGEST_TIMEOUT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provider.hosts import Hosts

_LONGEST_FIELD_CHARACTERS = 1024
_LONGEST_IDS_BYTES = 3072  # of the 4,096 that a response may have
_TEXT = re.compile(
    rf"[^\ud800-\udfff]{{1,{_LONGEST_FIELD_CHARACTERS}}}", re.S
)  # no surrogates: UTF-8 cannot encode them
_HTTPS_PORT = 443
# AWS Signature Version 4, and 2.
_SIGNATURES = frozenset(("X-Amz-Signature", "Signature"))
_LONGEST_TIME_DIGITS = 11
# The lifetime of CloudFormation's URLs. A URL of Signature Version 2 says only when it expires, not when it was signed.
_LIFETIME_SECONDS = 7200.0


class Unanswerable(Exception):
    """The event cannot be answered: it says too little, or its response URL is not allowed."""


class MalformedRequest(Exception):
    """The event is not a valid request, but it can be answered."""


class UnusableUrl(Exception):
    """A URL may not be written to. The message continues a sentence, and does not contain the URL's path or query."""


class ElsewhereUrl(UnusableUrl):
    """It is a pre-signed URL of another host. The message is the host."""


class PresignedUrl(NamedTuple):
    """A URL that may be written to.

    Attributes:
        url: The URL. It is a secret: anyone who knows it can write there.
        signed_at: When it was signed, in seconds since the epoch; `None` if it does not say. A URL of Signature Version
            4 does, a URL of Version 2 does not.
        expires_at: When it expires, in seconds since the epoch; `None` if it does not say.
    """

    url: str
    signed_at: float | None
    expires_at: float | None


class ReturnAddress(NamedTuple):
    """Where to send the response, and for which resource.

    Attributes:
        url: The pre-signed URL that accepts the response. It is a secret: anyone who knows it can respond.
        signed_at: When CloudFormation signed it, in seconds since the epoch; `None` if it does not say.
        stack_id: The stack's ARN.
        request_id: The request's ID.
        logical_resource_id: The resource's logical ID.
        physical_id: The resource's physical ID; empty if it has none yet.
        expires_at: When the URL expires, in seconds since the epoch; `None` if it does not say.
    """

    url: str
    signed_at: float | None
    stack_id: str
    request_id: str
    logical_resource_id: str
    physical_id: str
    expires_at: float | None = None

    @property
    def fallback_id(self) -> str:
        """The physical ID of a resource without a job: the present one, or one that no job can have."""
        return self.physical_id or f"{NO_JOB}/{self.request_id}"

    @property
    def ordered_at(self) -> float | None:
        """When it was signed, for the order of a resource's requests; `None` if that is unknown."""
        if self.signed_at is not None or self.expires_at is None:
            return self.signed_at
        return self.expires_at - _LIFETIME_SECONDS


class CloudFormationRequest(NamedTuple):
    """A request.

    Attributes:
        asked: What it asks, without the time limit.
        service_timeout: CloudFormation's time limit for the request, in seconds.
        arrived_at: When the request arrived, in seconds since the epoch; 0 if it has not waited in the queue. If only
            the end of its job is awaited, when the request was answered.
        patience: The patience from earlier looks.
        follows: The job whose end is awaited; `None` if the request was not answered yet.
    """

    asked: Asked
    service_timeout: int
    arrived_at: float
    patience: Patience = Patience()
    follows: Identity | None = None


def published(event: object) -> object:
    """Take a request out of a notification from Amazon SNS; return any other event as it is.

    The AWS Lambda Developer Guide, "Invoking Lambda functions with Amazon SNS notifications", describes the envelope.
    """
    match event:
        case {"Records": [{"EventSource": "aws:sns", "Sns": {"Message": str(text)}}]}:
            try:
                return json.loads(text)
            except ValueError:
                return text
    return event


def return_address(event: object, hosts: Hosts) -> ReturnAddress:
    """Read where to send the response to an event.

    Args:
        event: The event from Lambda.
        hosts: The hosts that accept responses.

    Returns:
        The address of the response.

    Raises:
        Unanswerable: A field is missing or malformed, or the URL is not allowed.
    """
    if not isinstance(event, dict):
        raise Unanswerable(f"The event is not a CloudFormation request, but a value of type {type(event).__name__}.")
    fields = cast("dict[str, object]", event)
    if "Records" in fields:
        raise Unanswerable(
            "The event's Records are neither a message from the provider's queue nor a request from Amazon SNS; remove "
            "the trigger that sends them."
        )
    try:
        url, signed_at, expires_at = presigned_url(fields.get("ResponseURL"), hosts)
    except ElsewhereUrl as host:
        raise Unanswerable(
            f"The event's ResponseURL is at {host}, which is not where CloudFormation accepts responses in this "
            f"Region; "
            "the provider's ResponseHosts parameter can allow a local stand-in."
        ) from None
    except UnusableUrl as problem:
        raise Unanswerable(f"The event's ResponseURL {problem}.") from None
    texts = {
        name: value
        for name in ("StackId", "RequestId", "LogicalResourceId", "PhysicalResourceId")
        if isinstance(value := fields.get(name), str) and _TEXT.fullmatch(value)
    }
    for name in ("StackId", "RequestId", "LogicalResourceId"):
        if name not in texts:
            raise Unanswerable(
                f"The event's {name} is missing, or is not a string of 1 to {_LONGEST_FIELD_CHARACTERS:,} characters."
            )
    address = ReturnAddress(
        url=url,
        signed_at=signed_at,
        stack_id=texts["StackId"],
        request_id=texts["RequestId"],
        logical_resource_id=texts["LogicalResourceId"],
        physical_id=texts.get("PhysicalResourceId", ""),
        expires_at=expires_at,
    )
    ids = [*address[2:5], address.fallback_id]
    if len(json.dumps(ids, ensure_ascii=False).encode()) > _LONGEST_IDS_BYTES:
        raise Unanswerable("The event's IDs are too long to leave room for a response.")
    return address


def presigned_url(url: object, hosts: Hosts) -> PresignedUrl:
    """Check a pre-signed URL.

    Args:
        url: The value from the event.
        hosts: The allowed hosts.

    Returns:
        The URL.

    Raises:
        UnusableUrl: It is not a URL, or is not allowed.
    """
    if not isinstance(url, str) or not url.isascii() or not url.isprintable() or " " in url:
        raise UnusableUrl("is missing or not a URL")
    try:
        split = urlsplit(url)
        host, port, query = (split.hostname or "").lower(), split.port, parse_qs(split.query)
    except ValueError:
        raise UnusableUrl("is not a URL") from None
    is_stand_in = hosts.more.fullmatch(host) is not None
    is_signed = is_stand_in or not _SIGNATURES.isdisjoint(query)  # a stand-in, such as MiniStack, need not sign
    if split.username is not None or "\\" in split.netloc or not host or not is_signed:
        raise UnusableUrl("is not a pre-signed URL")
    if not (is_stand_in and split.scheme in ("https", "http")):
        if split.scheme != "https" or port not in (None, _HTTPS_PORT):
            raise UnusableUrl("does not use HTTPS on port 443")
        if not hosts.own.fullmatch(host):
            raise ElsewhereUrl(host[:_LONGEST_FIELD_CHARACTERS])
    signed_at = expires_at = None
    with suppress(KeyError, ValueError):  # of Signature Version 2
        expires_at = float(int(query["Expires"][0][:_LONGEST_TIME_DIGITS]))
    with suppress(KeyError, ValueError):  # of Version 4
        signed_at = datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
        expires_at = signed_at + int(query["X-Amz-Expires"][0][:_LONGEST_TIME_DIGITS])
    return PresignedUrl(url, signed_at, expires_at)


def cloudformation_request(event: Mapping[str, object], address: ReturnAddress) -> CloudFormationRequest:
    """Read the request in an event.

    Args:
        event: The event.
        address: The address of its response.

    Returns:
        The request.

    Raises:
        MalformedRequest: A field is missing or malformed. The message names it.
    """
    try:
        request_type = RequestType(cast("str", event.get("RequestType")))
    except ValueError:
        raise MalformedRequest("The event's RequestType should be Create, Update or Delete.") from None
    physical_id = event.get("PhysicalResourceId")
    if request_type is not RequestType.CREATE and not (isinstance(physical_id, str) and _TEXT.fullmatch(physical_id)):
        raise MalformedRequest(
            f"The event's PhysicalResourceId is missing; CloudFormation sends it with {request_type}."
        )
    has_old = request_type is RequestType.UPDATE
    for name in ("ResourceProperties", "OldResourceProperties") if has_old else ("ResourceProperties",):
        if not isinstance(event.get(name), dict):
            raise MalformedRequest(f"The event's {name} should be a map.")
    properties = cast("dict[str, object]", event["ResourceProperties"])
    arrived_at, patience, follows = 0.0, Patience(), None
    if waiting.FIELD in event:
        arrived_at, patience, follows = _waited(event[waiting.FIELD])
    service_timeout = LONGEST_TIMEOUT_SECONDS
    if "ServiceTimeout" in properties:  # CloudFormation has validated it
        with suppress(ValueError):
            service_timeout = SERVICE_TIMEOUT.type.parse(properties["ServiceTimeout"])
    return CloudFormationRequest(
        asked=Asked(
            type=request_type,
            request_id=address.request_id,
            stack_id=address.stack_id,
            logical_id=address.logical_resource_id,
            physical_id="" if request_type is RequestType.CREATE else str(physical_id),
            properties=properties,
            old_properties=cast("dict[str, object]", event["OldResourceProperties"]) if has_old else {},
            resource_type=str(event.get("ResourceType")),
            signed_at=address.ordered_at,
        ),
        service_timeout=service_timeout,
        arrived_at=arrived_at,
        patience=patience,
        follows=follows,
    )


def _waited(waited: object) -> tuple[float, Patience, Identity | None]:
    """Read what an event from the queue carries along."""
    noted = waited if isinstance(waited, dict) else {}
    arrived_at, patience, follows = noted.get("ArrivedAt"), noted.get("Patience"), noted.get("Follows")
    if not arrived_at or not is_time(arrived_at):
        raise MalformedRequest(f"The event's {waiting.FIELD}.ArrivedAt should be a time in seconds since the epoch.")
    try:
        patience = Patience.from_json(cast("dict[str, object]", patience))
    except (ValueError, AttributeError):
        raise MalformedRequest(f"The event's {waiting.FIELD}.Patience was not written by the provider.") from None
    identity = Identity.parse(follows) if isinstance(follows, str) else None
    if follows is not None and identity is None:
        raise MalformedRequest(f"The event's {waiting.FIELD}.Follows should be the identity of a job.")
    return arrived_at, patience, identity
