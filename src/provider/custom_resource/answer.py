"""The response to CloudFormation: its body, and its delivery to the pre-signed URL."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from urllib3 import PoolManager, Timeout
from urllib3.exceptions import HTTPError

from provider.journal.entry import Outcome
from provider.observability import conceal, logger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from provider.clock import Clock
    from provider.custom_resource.request import ReturnAddress

# The limit of a response, and of a signal's data (CloudFormation User Guide, "Understand CloudFormation quotas").
MAX_BODY_BYTES = 4096

_TOO_LONG = (
    "The resource's ID and attributes exceed CloudFormation's limit of 4,096 bytes. "
    "Use a shorter Id or output location."
)
_TIMEOUT = Timeout(connect=3.0, read=5.0)
_NO_ANSWER = 0  # in place of an HTTP status
# No attempt begins later than this, so a delivery takes at most this time and one attempt.
_LAST_ATTEMPT_SECONDS = 30.0
# A longer word, such as a URL, may be cut in the middle.
_LONGEST_WORD_CHARACTERS = 200
# A control character, or another that XML does not allow, makes all events of a stack unreadable (issue 1601 of the
# CloudFormation roadmap). The reason of a failed training may have some, which colour it in a terminal.
_UNREADABLE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ufffe\uffff]")


class Answer(NamedTuple):
    """A response to CloudFormation.

    Attributes:
        outcome: How the request ended.
        physical_resource_id: The resource's physical ID.
        reason: Why it failed, for the user of the stack.
        data: The attributes that `Fn::GetAtt` returns.
    """

    outcome: Outcome
    physical_resource_id: str
    reason: str = ""
    data: Mapping[str, str] = MappingProxyType({})


class Delivery(NamedTuple):
    """The result of writing to a URL.

    Attributes:
        status: The HTTP status of the last attempt; 0 if there was no response.
        attempts: The number of attempts.
        problem: What was wrong with the last attempt.
        is_taken: Whether the server accepted the content.
    """

    status: int
    attempts: int
    problem: str
    is_taken: bool


class Undeliverable(Exception):
    """The response could not be delivered. The message says why, and what to open."""


def problem_with(address: ReturnAddress, answer: Answer) -> str:
    """Return why CloudFormation would not accept a success; empty if it would. Attributes are never shortened."""
    return _TOO_LONG if len(_write(address, answer, "")) > MAX_BODY_BYTES else ""


def tell(address: ReturnAddress, answer: Answer, *, log_stream: str, clock: Clock, pauses: Sequence[float]) -> None:
    """Put a response to CloudFormation's pre-signed URL.

    Connection errors, 429 and 5xx are retried, but no attempt begins after half a minute.

    Args:
        address: Where to send the response, and for which resource.
        answer: The response.
        log_stream: The name of the function's log stream, with which the reason of a failure ends.
        clock: The time.
        pauses: The pauses before each further attempt, in seconds.

    Raises:
        Undeliverable: It was not accepted. The message does not contain the URL's query.
    """
    content = _write(address, answer, answer.reason)
    if answer.outcome is Outcome.FAILED:
        logger.error("The request failed", reason=answer.reason)
        content = body(address, answer, log_stream)
    delivery = deliver(
        address.url,
        content,
        clock=clock,
        pauses=pauses,
        complain=lambda problem, attempt: logger.warning(
            #: One attempt failed; harmless if `CloudFormation accepted the response` follows.
            "CloudFormation did not accept the response",
            problem=problem,
            attempt=attempt,
        ),
    )
    if delivery.is_taken:
        logger.info("CloudFormation accepted the response", http_status=delivery.status, attempt=delivery.attempts)
        return
    #: The stack waits until its time limit. Lambda delivers the request twice more. `HTTP status 403`: the pre-signed
    #: URL has expired.
    raise Undeliverable(
        f"The response could not be delivered to {urlsplit(address.url).hostname} in {delivery.attempts} attempts: "
        f"{delivery.problem}. The "
        "function needs a route to Amazon S3: a gateway endpoint for S3 or a NAT gateway, and TCP port 443 open in its "
        "security group."
    )


def deliver(
    url: str, content: bytes, *, clock: Clock, pauses: Sequence[float], complain: Callable[[str, int], object]
) -> Delivery:
    """Put content to a pre-signed URL.

    Connection errors, 429 and 5xx are retried, but no attempt begins after half a minute.

    Args:
        url: The URL.
        content: The content.
        clock: The time.
        pauses: The pauses before each further attempt, in seconds.
        complain: Called for each failed attempt, with what was wrong and the attempt's number.

    Returns:
        The result.
    """
    began, left = clock.monotonic(), list(pauses)
    with PoolManager(timeout=_TIMEOUT, retries=False) as pool:
        while True:
            status = _NO_ANSWER
            try:
                # The signature covers an empty content type.
                # The status is enough: a slow body would delay everything.
                response = pool.request("PUT", url, body=content, headers={"content-type": ""}, preload_content=False)
            except HTTPError as error:
                problem = type(error).__name__  # urllib3's messages may contain the URL
            else:
                response.close()
                status, problem = response.status, f"HTTP status {response.status}"
            is_taken = HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES
            delivery = Delivery(status, len(pauses) - len(left) + 1, problem, is_taken)
            if is_taken:
                return delivery
            complain(problem, delivery.attempts)
            may_pass = (
                status in (_NO_ANSWER, HTTPStatus.TOO_MANY_REQUESTS) or status >= HTTPStatus.INTERNAL_SERVER_ERROR
            )
            if not may_pass or not left or clock.monotonic() - began + left[0] > _LAST_ATTEMPT_SECONDS:
                return delivery
            clock.sleep(left.pop(0))


def with_reason(reason: str, end: str, write: Callable[[str], bytes]) -> bytes:
    """Write a body with a reason that fits.

    Args:
        reason: The reason; empty if none is known.
        end: The text after the reason.
        write: Writes the body with a reason.

    Returns:
        At most 4,096 bytes. The reason is one line without control characters. If it is too long, its end is cut, at
        a word.
    """
    reason = conceal(" ".join(_UNREADABLE.sub("", reason).split())) or "The reason is unknown."
    written = write(reason + end)
    if len(written) <= MAX_BODY_BYTES:
        return written
    reason, end = reason[:MAX_BODY_BYTES], f" ...{end}"
    room = bisect_right(range(len(reason)), MAX_BODY_BYTES, key=lambda n: len(write(reason[:n] + end)))
    shortened = reason[: room - 1]
    word_end = shortened.rfind(" ")
    if word_end > len(shortened) - _LONGEST_WORD_CHARACTERS:
        shortened = shortened[:word_end]
    return write(shortened + end)


def body(address: ReturnAddress, answer: Answer, log_stream: str) -> bytes:
    """Write the body of the response to a failed request: JSON in UTF-8, at most 4,096 bytes."""
    stream = f" (log stream: {log_stream})" if log_stream else ""
    return with_reason(answer.reason, stream, lambda reason: _write(address, answer, reason))


def _write(address: ReturnAddress, answer: Answer, reason: str) -> bytes:
    fields = {
        "Status": answer.outcome,
        "Reason": reason,
        "PhysicalResourceId": answer.physical_resource_id,
        "StackId": address.stack_id,
        "RequestId": address.request_id,
        "LogicalResourceId": address.logical_resource_id,
        "NoEcho": False,
        "Data": dict(answer.data),
    }
    return json.dumps(fields, ensure_ascii=False).encode(errors="replace")
