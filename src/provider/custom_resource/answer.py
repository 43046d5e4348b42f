"""The answer to CloudFormation: its body, and its delivery to the pre-signed URL."""

from __future__ import annotations

import json
from bisect import bisect_right
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from provider.observability import conceal, count, logger

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from provider.clock import Clock
    from provider.custom_resource.request import ReturnAddress

MAX_BODY_BYTES = 4096  # "The total size of the response body cannot exceed 4096 bytes."

_CONNECT_SECONDS = 3.0
_READ_SECONDS = 5.0
# No attempt begins later than this, so that a delivery takes at most this and one attempt.
_LAST_ATTEMPT_SECONDS = 30.0
_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500
# A longer word, such as a URL, may be cut within.
_LONGEST_WORD_CHARACTERS = 200


class Outcome(StrEnum):
    """How a request ended."""

    SUCCESS = "SUCCESS"
    FAILED = "FAILED"


@dataclass(frozen=True)
class Answer:
    """What CloudFormation is told.

    Attributes:
        outcome: How the request ended.
        physical_resource_id: The resource's id.
        reason: Why it failed; what the user of the stack reads.
        data: What `Fn::GetAtt` returns.
    """

    outcome: Outcome
    physical_resource_id: str
    reason: str = ""
    data: Mapping[str, str] = field(default_factory=dict)


class Undeliverable(Exception):
    """CloudFormation could not be told; the message says why and what to open."""


def tell(address: ReturnAddress, answer: Answer, log_stream: str, clock: Clock, *, pauses: Sequence[float]) -> None:
    """Tell CloudFormation how a request ended; a failure is counted and logged, too.

    Args:
        address: Whom to answer, and as what.
        answer: An answer that `fits`.
        log_stream: The name of the function's log stream, which the reason of a failure ends with.
        clock: The time.
        pauses: How long to wait before each further attempt, in seconds.

    Raises:
        Undeliverable: CloudFormation did not take it.
    """
    count("Failures", 1 if answer.outcome is Outcome.FAILED else 0)
    if answer.outcome is Outcome.FAILED:
        logger.error("The request failed", reason=answer.reason)
    deliver(address.url, body(address, answer, log_stream), clock, pauses)


def fits(address: ReturnAddress, answer: Answer) -> bool:
    """Tell whether an answer keeps CloudFormation's limit, whatever its reason.

    Args:
        address: Whom to answer, and as what.
        answer: The answer.

    Returns:
        Whether its body, without a reason, has at most 4,096 bytes.
    """
    return len(_write(address, answer, "")) <= MAX_BODY_BYTES


def body(address: ReturnAddress, answer: Answer, log_stream: str) -> bytes:
    """Write the body of an answer.

    Args:
        address: Whom to answer, and as what.
        answer: An answer that `fits`.
        log_stream: The name of the function's log stream, which the reason of a failure ends with.

    Returns:
        JSON in UTF-8, at most 4,096 bytes. A reason that is too long is shortened at its end, at a word.
    """
    if answer.outcome is Outcome.SUCCESS:
        return _write(address, answer, answer.reason)
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


def deliver(url: str, content: bytes, clock: Clock, pauses: Sequence[float]) -> None:
    """Put an answer to its pre-signed URL.

    Connection errors, 429 and 5xx are tried again, but no attempt begins after half a minute.

    Args:
        url: The pre-signed URL.
        content: The answer's body.
        clock: The time.
        pauses: How long to wait before each further attempt, in seconds.

    Raises:
        Undeliverable: It was not accepted. The message does not hold the URL's query.
    """
    host = urlsplit(url).hostname
    started = clock.monotonic()
    attempt = 0
    with urllib3.PoolManager(
        timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=_READ_SECONDS), retries=False
    ) as pool:
        while True:
            attempt += 1
            status, problem = _put(pool, url, content)
            if status is not None and 200 <= status < 300:  # noqa: PLR2004
                logger.info("CloudFormation has the answer", http_status=status, attempt=attempt)
                return
            logger.warning("CloudFormation did not take the answer", problem=problem, attempt=attempt)
            lasting = status is not None and status != _TOO_MANY_REQUESTS and status < _SERVER_ERROR
            if lasting or attempt > len(pauses):
                break
            pause = pauses[attempt - 1]
            if clock.monotonic() - started + pause > _LAST_ATTEMPT_SECONDS:
                break
            clock.sleep(pause)
    raise Undeliverable(
        f"The answer could not be delivered to {host} in {attempt} attempts: {problem}. The function needs a route to "
        "Amazon S3: a gateway endpoint for S3 or a NAT gateway, and TCP port 443 open in its security group."
    )


def _put(pool: urllib3.PoolManager, url: str, content: bytes) -> tuple[int | None, str]:
    try:
        # The signature covers an empty content type.
        # The status is enough: a body that drips in would hold everything up.
        response = pool.request(
            "PUT", url, body=content, headers={"content-type": ""}, redirect=False, preload_content=False
        )
    except HTTPError as error:
        # urllib3's own words may hold the URL.
        return None, type(error).__name__
    response.close()
    return response.status, f"HTTP status {response.status}"
