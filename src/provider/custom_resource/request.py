"""CloudFormation's request, as the event that Lambda delivers.

Its fields are those of the CloudFormation User Guide, "Custom resource request and response reference".
"""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, cast
from urllib.parse import SplitResult, parse_qs, urlsplit

from provider.hosts import RESPONSE_HOSTS, is_allowed

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_SERVICE_TIMEOUT_SECONDS = 3600
_LONGEST_FIELD_CHARACTERS = 1024
_LONGEST_IDS_BYTES = 3072  # of the 4,096 that an answer may have
_LATEST_TIME = 1e11  # seconds since the epoch
# Where crhelper keeps what a polling event carries on.
POLL_FIELD = "CrHelperPoll"
POLL_DATA_FIELD = "CrHelperData"


class RequestType(StrEnum):
    """What CloudFormation asks for."""

    CREATE = "Create"
    UPDATE = "Update"
    DELETE = "Delete"


class Unanswerable(Exception):
    """The event says too little, or names an address that must not be written to: nobody can be answered."""


class MalformedRequest(Exception):
    """The event is no request, but says whom to tell so."""


@dataclass(frozen=True)
class ReturnAddress:
    """Whom to answer, and as what.

    Attributes:
        url: The pre-signed URL that takes the answer. Whoever knows it can answer: it is a secret.
        stack_id: The stack's ARN.
        request_id: The request's id.
        logical_resource_id: The resource's name in the template.
        physical_resource_id: The resource's id as the event has it; `None` for a Create.
    """

    url: str
    stack_id: str
    request_id: str
    logical_resource_id: str
    physical_resource_id: str | None

    @property
    def signed_at(self) -> float | None:
        """When CloudFormation signed the URL, seconds since the epoch; `None` if it does not say (SigV4 does)."""
        signed = parse_qs(urlsplit(self.url).query).get("X-Amz-Date", [""])[0]
        try:
            return datetime.strptime(signed, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
        except ValueError:
            return None


@dataclass(frozen=True)
class Progress:
    """What a polling event carries on from the request that set it up.

    Attributes:
        arrived_at: When the request arrived, seconds since the epoch.
        cancelled_at: When Neptune accepted the cancellation, likewise; `None` if it had not yet.
    """

    arrived_at: float
    cancelled_at: float | None


@dataclass(frozen=True)
class CloudFormationRequest:
    """A request.

    Attributes:
        request_type: What is asked.
        physical_resource_id: The resource's id; `None` for a Create.
        properties: `ResourceProperties`.
        old_properties: `OldResourceProperties`; empty but for an Update.
        service_timeout: CloudFormation's time limit for the request, in seconds.
        progress: What went before, for a polling event.
    """

    request_type: RequestType
    physical_resource_id: str | None
    properties: Mapping[str, object]
    old_properties: Mapping[str, object]
    service_timeout: int
    progress: Progress | None


def return_address(event: object, allowed_hosts: tuple[str, ...]) -> ReturnAddress:
    """Read from an event whom to answer.

    Args:
        event: What Lambda delivered.
        allowed_hosts: Hosts besides AWS's own that may be answered, also over plain HTTP.

    Returns:
        The address of the answer.

    Raises:
        Unanswerable: A field is missing or malformed, or the URL is not one that may be written to.
    """
    if not isinstance(event, dict):
        raise Unanswerable(f"the event is a {type(event).__name__}, not a CloudFormation request")
    fields = cast("dict[str, object]", event)
    url = _response_url(fields.get("ResponseURL"), allowed_hosts)
    physical_id = fields.get("PhysicalResourceId")
    address = ReturnAddress(
        url=url,
        stack_id=_text(fields, "StackId"),
        request_id=_text(fields, "RequestId"),
        logical_resource_id=_text(fields, "LogicalResourceId"),
        physical_resource_id=physical_id if isinstance(physical_id, str) and _is_text(physical_id) else None,
    )
    if len(json.dumps(astuple(address)[1:], ensure_ascii=False).encode()) > _LONGEST_IDS_BYTES:
        raise Unanswerable("the event's ids leave no room for an answer")
    return address


def cloudformation_request(event: Mapping[str, object]) -> CloudFormationRequest:
    """Read what an event asks for.

    Args:
        event: An event that has a `ReturnAddress`.

    Returns:
        The request.

    Raises:
        MalformedRequest: A field is missing or malformed; the message names it.
    """
    try:
        request_type = RequestType(cast("str", event.get("RequestType")))
    except ValueError:
        raise MalformedRequest("The event's RequestType should be Create, Update or Delete.") from None
    physical_id = event.get("PhysicalResourceId")
    if request_type is not RequestType.CREATE and not _is_text(physical_id):
        raise MalformedRequest(
            f"The event's PhysicalResourceId is missing; CloudFormation sends it with {request_type}."
        )
    properties = _mapping(event, "ResourceProperties")
    return CloudFormationRequest(
        request_type=request_type,
        physical_resource_id=None if request_type is RequestType.CREATE else cast("str", physical_id),
        properties=properties,
        old_properties=_mapping(event, "OldResourceProperties") if request_type is RequestType.UPDATE else {},
        service_timeout=_service_timeout(properties.get("ServiceTimeout")),
        progress=_progress(event, request_type),
    )


def _is_text(value: object) -> bool:
    if not isinstance(value, str) or not 1 <= len(value) <= _LONGEST_FIELD_CHARACTERS:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _text(event: Mapping[str, object], name: str) -> str:
    value = event.get(name)
    if not _is_text(value):
        raise Unanswerable(f"the event's {name} is missing or no text of 1 to {_LONGEST_FIELD_CHARACTERS:,} characters")
    return cast("str", value)


def _response_url(url: object, allowed_hosts: tuple[str, ...]) -> str:
    if not isinstance(url, str) or not url.isascii() or not url.isprintable() or " " in url:
        raise Unanswerable("the event's ResponseURL is missing or no URL")
    try:
        split: SplitResult = urlsplit(url)
        host, _ = (split.hostname or "").lower(), split.port
    except ValueError:
        raise Unanswerable("the event's ResponseURL is no URL") from None
    if split.username is not None or split.password is not None or "\\" in split.netloc or not host:
        raise Unanswerable("the event's ResponseURL is no pre-signed URL")
    extra = is_allowed(host, allowed_hosts)
    if split.scheme not in (("https", "http") if extra else ("https",)):
        raise Unanswerable("the event's ResponseURL is not https")
    if not extra and not is_allowed(host, RESPONSE_HOSTS):
        raise Unanswerable(
            f"the event's ResponseURL is at {host[:_LONGEST_FIELD_CHARACTERS]}, not a host of AWS; "
            "the provider's AllowedHosts parameter can allow it"
        )
    return url


def _mapping(event: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = event.get(name)
    if not isinstance(value, dict):
        raise MalformedRequest(f"The event's {name} should be a map.")
    return cast("dict[str, object]", value)


def _service_timeout(value: object) -> int:
    """CloudFormation validates it; what it did not send is its default."""
    text = str(value)
    if text.isascii() and text.isdecimal() and 1 <= int(text[:5]) <= DEFAULT_SERVICE_TIMEOUT_SECONDS:
        return int(text[:5])
    return DEFAULT_SERVICE_TIMEOUT_SECONDS


def _progress(event: Mapping[str, object], request_type: RequestType) -> Progress | None:
    if POLL_FIELD not in event:
        return None
    if request_type is not RequestType.DELETE:
        raise MalformedRequest(f"The event has a {POLL_FIELD}, which only a Delete can have.")
    data = event.get(POLL_DATA_FIELD)
    if not isinstance(data, dict):
        raise MalformedRequest(f"The polling event's {POLL_DATA_FIELD} should be a map.")
    arrived_at, cancelled_at = _time(data, "ArrivedAt"), _time(data, "CancelledAt")
    if arrived_at is None:
        raise MalformedRequest(f"The polling event's {POLL_DATA_FIELD} lacks ArrivedAt.")
    return Progress(arrived_at, cancelled_at)


def _time(data: Mapping[str, object], name: str) -> float | None:
    value = data.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= _LATEST_TIME:
        raise MalformedRequest(f"The polling event's {name} should be a time in seconds since the epoch.")
    return float(value)
