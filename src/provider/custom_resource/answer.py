"""The answer to CloudFormation: its body, and its delivery to the pre-signed URL."""

from __future__ import annotations

import json
from bisect import bisect_right
from enum import StrEnum
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from provider.observability import conceal, logger

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from provider.clock import Clock
    from provider.custom_resource.request import ReturnAddress

MAX_BODY_BYTES = 4096  # "The total size of the response body cannot exceed 4096 bytes."

_TOO_LONG = "The job's identity and attributes are longer than CloudFormation takes (4,096 bytes)."
_TIMEOUT = urllib3.Timeout(connect=3.0, read=5.0)
_NO_ANSWER = 0  # in place of an HTTP status
# No attempt begins later than this, so that a delivery takes at most this and one attempt.
_LAST_ATTEMPT_SECONDS = 30.0
# A longer word, such as a URL, may be cut within.
_LONGEST_WORD_CHARACTERS = 200


class Outcome(StrEnum):
    """How a request ended."""

    SUCCESS = "SUCCESS"
    FAILED = "FAILED"


class Answer(NamedTuple):
    """What CloudFormation is told.

    Attributes:
        outcome: How the request ended.
        physical_resource_id: The resource's id.
        reason: Why it failed; what the user of the stack reads.
        data: What `Fn::GetAtt` returns.
        leaves: What a Create leaves whose success turns out to be too long; see `lifecycle.RequestFailed`.
    """

    outcome: Outcome
    physical_resource_id: str
    reason: str = ""
    data: Mapping[str, str] = MappingProxyType({})
    leaves: str = ""


class Undeliverable(Exception):
    """CloudFormation could not be told; the message says why and what to open."""


def tell(address: ReturnAddress, answer: Answer, *, log_stream: str, clock: Clock, pauses: Sequence[float]) -> Answer:
    """Put an answer to CloudFormation's pre-signed URL.

    Connection errors, 429 and 5xx are tried again, but no attempt begins after half a minute.

    Args:
        address: Whom to answer, and as what.
        answer: The answer.
        log_stream: The name of the function's log stream, which the reason of a failure ends with.
        clock: The time.
        pauses: How long to wait before each further attempt, in seconds.

    Returns:
        The answer; a failure in place of a success that is too long, for cut attributes would be wrong ones.

    Raises:
        Undeliverable: It was not accepted. The message does not hold the URL's query.
    """
    content = _write(address, answer, answer.reason)
    if answer.outcome is Outcome.SUCCESS and len(content) > MAX_BODY_BYTES:
        answer = Answer(Outcome.FAILED, address.failure_id(answer.leaves), _TOO_LONG)
    if answer.outcome is Outcome.FAILED:
        logger.error("The request failed", reason=answer.reason)
        content = body(address, answer, log_stream)
    started, problem = clock.monotonic(), ""
    with urllib3.PoolManager(timeout=_TIMEOUT, retries=False) as pool:
        for attempt, pause in enumerate((*pauses, None), start=1):
            status, problem = _put(pool, address.url, content)
            if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
                logger.info("CloudFormation has the answer", http_status=status, attempt=attempt)
                return answer
            logger.warning("CloudFormation did not take the answer", problem=problem, attempt=attempt)
            may_pass = (
                status in (_NO_ANSWER, HTTPStatus.TOO_MANY_REQUESTS) or status >= HTTPStatus.INTERNAL_SERVER_ERROR
            )
            if not may_pass or pause is None or clock.monotonic() - started + pause > _LAST_ATTEMPT_SECONDS:
                break
            clock.sleep(pause)
    raise Undeliverable(
        f"The answer could not be delivered to {urlsplit(address.url).hostname} in {attempt} attempts: {problem}. The "
        "function needs a route to Amazon S3: a gateway endpoint for S3 or a NAT gateway, and TCP port 443 open in its "
        "security group."
    )


def body(address: ReturnAddress, answer: Answer, log_stream: str) -> bytes:
    """Write the body of the answer to a request that failed.

    Args:
        address: Whom to answer, and as what.
        answer: The answer.
        log_stream: The name of the function's log stream, which the reason of a failure ends with.

    Returns:
        JSON in UTF-8, at most 4,096 bytes. A reason that is too long is shortened at its end, at a word.
    """
    reason = conceal(" ".join(answer.reason.split())) or "No reason is known."
    stream = f" (log stream: {log_stream})" if log_stream else ""
    written = _write(address, answer, reason + stream)
    if len(written) <= MAX_BODY_BYTES:
        return written
    reason = reason[:MAX_BODY_BYTES]
    end = f" ...{stream}"
    room = bisect_right(
        range(len(reason)), MAX_BODY_BYTES, key=lambda n: len(_write(address, answer, reason[:n] + end))
    )
    shortened = reason[: max(0, room - 1)]
    word_end = shortened.rfind(" ")
    if word_end > len(shortened) - _LONGEST_WORD_CHARACTERS:
        shortened = shortened[:word_end]
    return _write(address, answer, shortened + end)


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


def _put(pool: urllib3.PoolManager, url: str, content: bytes) -> tuple[int, str]:
    try:
        # The signature covers an empty content type.
        # The status is enough: a body that drips in would hold everything up.
        response = pool.request("PUT", url, body=content, headers={"content-type": ""}, preload_content=False)
    except HTTPError as error:
        # urllib3's own words may hold the URL.
        return _NO_ANSWER, type(error).__name__
    response.close()
    return response.status, f"HTTP status {response.status}"
