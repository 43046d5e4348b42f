"""The handle of a wait condition, and its signals.

Its fields are those of the CloudFormation User Guide, "Create wait conditions in a CloudFormation template".
"""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from provider.custom_resource.answer import MAX_BODY_BYTES, Undeliverable, deliver, with_reason
from provider.custom_resource.properties import COMPLETION_HANDLE
from provider.custom_resource.request import ElsewhereUrl, MalformedRequest, UnusableUrl, presigned_url
from provider.custom_resource.waiting import FIELD
from provider.observability import logger
from provider.values import A_HANDLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from provider.clock import Clock
    from provider.custom_resource.request import CloudFormationRequest, PresignedUrl
    from provider.hosts import Hosts

_RIGHT = f"it should be {A_HANDLE}"
# The limit of CloudFormation's `SignalResource`.
_LONGEST_ID_CHARACTERS = 64
_DIGEST_CHARACTERS = 12


class Outcome(StrEnum):
    """Whether a wait condition succeeds or fails."""

    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"


class Signal(NamedTuple):
    """A signal for a wait condition.

    Attributes:
        outcome: Whether the wait condition succeeds or fails.
        job_id: The job's ID. A handle counts the signals for one job once.
        reason: Why, for the user of the stack.
        data: The data that `Fn::GetAtt` of the wait condition returns.
    """

    outcome: Outcome
    job_id: str
    reason: str
    data: Mapping[str, str] = MappingProxyType({})


def completion_handle(request: CloudFormationRequest, hosts: Hosts) -> PresignedUrl | None:
    """Read the handle to signal when a resource's job has ended.

    Args:
        request: The request.
        hosts: The hosts that accept signals.

    Returns:
        The handle; `None` if there is none, or if the value is not a URL, which the schema reports.

    Raises:
        MalformedRequest: The handle is not one of CloudFormation's, or is missing. The message does not contain its
            path or query.
    """
    try:
        url = COMPLETION_HANDLE.type.parse(request.asked.properties.get(COMPLETION_HANDLE.name))
    except ValueError:
        if request.follows is None:
            return None
        raise MalformedRequest(f"The event's {FIELD} has Follows, which requires {COMPLETION_HANDLE.name}.") from None
    try:
        return presigned_url(url, hosts)
    except ElsewhereUrl as host:
        #: Locally, add the host to `ResponseHosts`.
        raise MalformedRequest(
            f"{COMPLETION_HANDLE.name} is at {host}, which is not where CloudFormation accepts signals in this Region; "
            f"{_RIGHT}."
        ) from None
    except UnusableUrl as problem:
        #: Write `!Ref Handle`, with the logical ID of the handle.
        raise MalformedRequest(f"{COMPLETION_HANDLE.name} {problem}; {_RIGHT}.") from None


def signal(handle: PresignedUrl, told: Signal, *, clock: Clock, pauses: Sequence[float]) -> bool:
    """Put a signal to a handle.

    Args:
        handle: The handle.
        told: The signal.
        clock: The time.
        pauses: The pauses before each further attempt, in seconds.

    Returns:
        Whether the handle accepted it. If not, the handle is gone or has expired, and no wait condition is waiting.

    Raises:
        Undeliverable: The signal was not accepted. The message does not contain the URL's path or query.
    """
    delivery = deliver(
        handle.url,
        body(told),
        clock=clock,
        pauses=pauses,
        complain=lambda problem, attempt: logger.warning(
            #: One attempt failed; harmless if `The handle accepted the signal` follows.
            "The handle did not accept the signal",
            problem=problem,
            attempt=attempt,
        ),
    )
    if delivery.is_taken:
        logger.info("The handle accepted the signal", signal=told.outcome, attempt=delivery.attempts)
        return True
    if has_expired(handle, clock) or delivery.status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        logger.warning("The handle no longer accepts signals", signal=told.outcome, problem=delivery.problem)
        return False
    #: The function tries four more times; then [replay the event](operations.md#failed-events).
    #: `HTTP status 403`: the endpoint policy forbids it.
    raise Undeliverable(
        f"The signal could not be delivered to {urlsplit(handle.url).hostname} in {delivery.attempts} attempts: "
        f"{delivery.problem}. The function needs a route to Amazon S3. If that route is a VPC endpoint with a policy, "
        "the policy has to allow CloudFormation's bucket for wait conditions."
    )


def has_expired(handle: PresignedUrl, clock: Clock) -> bool:
    """Tell whether a handle has expired, according to its URL."""
    return handle.expires_at is not None and clock.wall() > handle.expires_at


def body(told: Signal) -> bytes:
    """Write the body of a signal.

    Args:
        told: The signal.

    Returns:
        JSON in UTF-8, at most 4,096 bytes. The data is JSON, too; attributes at its end that do not fit are left out
        as a whole. A reason that is too long is shortened.
    """
    attributes = list(told.data.items())
    while len(_write(told, dict(attributes), "")) > MAX_BODY_BYTES // 2 and len(attributes) > 1:
        name, _ = attributes.pop()
        #: The attributes exceed 4,096 bytes. Query Neptune for the one that `attribute` names.
        logger.warning("An attribute was left out of the signal", attribute=name)
    return with_reason(told.reason, "", lambda reason: _write(told, dict(attributes), reason))


def _write(told: Signal, data: Mapping[str, str], reason: str) -> bytes:
    unique_id = told.job_id
    if len(unique_id) > _LONGEST_ID_CHARACTERS:
        digest = hashlib.sha256(unique_id.encode(errors="surrogatepass")).hexdigest()[:_DIGEST_CHARACTERS]
        unique_id = f"{unique_id[: _LONGEST_ID_CHARACTERS - 1 - _DIGEST_CHARACTERS]}-{digest}"
    fields = {
        "Status": told.outcome,
        "Reason": reason,
        "UniqueId": unique_id,
        # Without whitespace, so that a template can split it.
        "Data": json.dumps(dict(data), separators=(",", ":"), ensure_ascii=False),
    }
    return json.dumps(fields, ensure_ascii=False).encode(errors="replace")
