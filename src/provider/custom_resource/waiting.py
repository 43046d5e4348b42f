"""The queue in which requests wait, and the pace of the looks."""

from __future__ import annotations

import json
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, EndpointConnectionError

from provider.clock import is_time
from provider.identity import Identity
from provider.lifecycle import Patience
from provider.observability import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mypy_boto3_sqs import SQSClient

FIELD = "Waiting"
"""The field of an event that carries what earlier looks found."""
OWED = "Owed"
"""The field of a message that names a job that has to be cancelled, even if its request has failed."""
FIRST_DELAY_SECONDS = 1

# The pause before the next look is a tenth of the time already waited, within these bounds. So the response is late by
# at most a tenth of the wait and a second, and fifteen minutes take some sixty calls.
_SHARE_OF_WAIT, _SHORTEST_SECONDS, _LONGEST_SECONDS = 0.1, 1.0, 30.0
# A failed look is repeated after this pause, rather than after the visibility timeout.
_RETRY_SECONDS = 60
# One attempt: boto3 would also retry a message that SQS may have accepted, and then there would be two.
_CONFIG = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 1})


class CannotWait(Exception):
    """The queue did not accept the message. The exception's message says why and what to do."""


class Unclear(CannotWait):
    """The outcome is unknown: the queue may have accepted the message."""


class Message(NamedTuple):
    """A message from the queue.

    Attributes:
        event: The event in the message; anything else if someone else sent it.
        receipt_handle: SQS's name for this delivery.
    """

    event: object
    receipt_handle: str


class Owed(NamedTuple):
    """The content of the message of a job that has to be cancelled.

    Attributes:
        resource: The name of its resource in the journal.
        identity: The job.
        since: When the message was first sent, in seconds since the epoch.
        patience: The patience from earlier looks.
    """

    resource: str
    identity: str
    since: float
    patience: Patience = Patience()

    def as_json(self) -> dict[str, object]:
        """Return the message."""
        noted = {
            "Resource": self.resource,
            "Job": self.identity,
            "Since": self.since,
            "Patience": self.patience.as_json(),
        }
        return {OWED: noted}

    @classmethod
    def from_json(cls, message: Mapping[str, object]) -> Self:
        """Read the message.

        Raises:
            ValueError: `as_json` did not write it.
        """
        match message:
            case {
                "Owed": {"Resource": str(resource), "Job": str(job), "Since": since, "Patience": dict(patience)},
            } if is_time(since) and Identity.parse(job):
                return cls(resource, job, since, Patience.from_json(patience))
        raise ValueError(OWED)


def pause(waited: float, chance: float) -> float:
    """Return the pause before the next look.

    Args:
        waited: How long the request has already waited, in seconds.
        chance: A random number from 0 to 1, which spreads requests that began together.

    Returns:
        Seconds: from 1 to 30, and at most a tenth of the wait and a second.
    """
    tenth = max(0.0, waited) * _SHARE_OF_WAIT
    shortest = max(_SHORTEST_SECONDS, tenth)
    jitter = (1 + chance) / 2 * (tenth + _SHORTEST_SECONDS - shortest)
    return min(_LONGEST_SECONDS - chance, shortest + jitter)


class WaitingQueue:
    """The queue, in Amazon SQS. Its event source mapping invokes the function with each message that is due.

    Args:
        url: Its URL; empty if there is no queue, as in `sam local invoke`.
        region: The function's AWS Region.
    """

    def __init__(self, url: str, region: str) -> None:
        self._url = url
        self._region = region

    def message_in(self, event: object) -> Message | None:
        """Read a message from the queue; see the AWS Lambda Developer Guide, "Using Lambda with Amazon SQS".

        Args:
            event: The event from Lambda. The event source mapping delivers one message at a time.

        Returns:
            The message; `None` if the event is anything else, or from another queue.
        """
        match event:
            case {
                "Records": [
                    {
                        "eventSource": "aws:sqs",
                        "eventSourceARN": str(arn),
                        "body": str(body),
                        "receiptHandle": str(receipt_handle),
                    }
                ]
            } if self._is_at(arn):
                try:
                    return Message(json.loads(body), receipt_handle)
                except ValueError:
                    return Message(body, receipt_handle)
        return None

    def _is_at(self, arn: str) -> bool:
        """Tell whether an ARN is the queue's. Without a queue, any is, so that events can be replayed locally."""
        names = arn.split(":")[3:]
        return not self._url or names == [self._region, *urlsplit(self._url).path.strip("/").split("/")]

    def put(self, event: Mapping[str, object], delay_seconds: int) -> None:
        """Have the function invoked with an event later.

        Args:
            event: The event.
            delay_seconds: The delay, in seconds.

        Raises:
            CannotWait: SQS refused or could not be reached, or there is no queue.
            Unclear: SQS did not confirm that it accepted the event.
        """
        body = json.dumps(event)
        answer = self._call(
            "SendMessage",
            lambda: self._client.send_message(QueueUrl=self._url, MessageBody=body, DelaySeconds=delay_seconds),
        )
        # boto3 reads a body that is not JSON as an empty success.
        if not answer.get("MessageId"):
            #: Try again.
            raise Unclear("Amazon SQS did not confirm sqs:SendMessage.")

    def check(self) -> None:
        """Check that the queue can be reached and used, without changing it.

        Raises:
            CannotWait: SQS refused or could not be reached, or there is no queue.
        """
        try:
            answer = self._call(
                "GetQueueAttributes",
                lambda: self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"]),
            )
        except Unclear as error:
            raise CannotWait(str(error)) from error
        if not answer.get("Attributes"):
            #: Another server responded: check the VPC's endpoint and resolver.
            raise CannotWait("Amazon SQS did not confirm sqs:GetQueueAttributes.")

    def deliver_soon(self, message: Message) -> None:
        """Have a message redelivered soon after a failed look. If that fails, SQS redelivers it later."""
        try:
            try:
                self._make_visible_soon(message)
            except Unclear:
                self._make_visible_soon(message)
        except CannotWait as error:
            #: After 15 minutes.
            logger.warning("The message will be delivered again after its visibility timeout", problem=str(error))

    def _make_visible_soon(self, message: Message) -> None:
        self._call(
            "ChangeMessageVisibility",
            lambda: self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=message.receipt_handle, VisibilityTimeout=_RETRY_SECONDS
            ),
        )

    @cached_property
    def _client(self) -> SQSClient:
        return boto3.client("sqs", region_name=self._region, config=_CONFIG)

    def _call(self, operation: str, call: Callable[[], Any]) -> Mapping[str, Any]:
        if not self._url:
            #: Normal in `sam local invoke`.
            raise CannotWait("No queue is configured here.")
        try:
            answer: Mapping[str, Any] = call()
        except ClientError as error:
            words = error.response["Error"].get("Message") or error.response["Error"].get("Code")
            words = (words or "no reason given; see AWS CloudTrail").rstrip(".")
            http_status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
            failure = Unclear if http_status >= HTTPStatus.INTERNAL_SERVER_ERROR else CannotWait
            #: A permissions boundary, service control policy or endpoint policy denies the action on the queue (output
            #: `WaitingQueueUrl`), or SQS is throttling or failing.
            raise failure(f"Amazon SQS refused sqs:{operation}: {words}.") from error
        except (ConnectTimeoutError, EndpointConnectionError) as error:
            raise CannotWait(
                "Amazon SQS cannot be reached: the function's subnets have no route to it. Add a NAT gateway or an "
                f"interface endpoint for com.amazonaws.{self._region}.sqs."
            ) from error
        except (BotoCoreError, ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
            # botocore's parser raises these for malformed responses.
            #: Try again.
            raise Unclear(f"The call to Amazon SQS (sqs:{operation}) failed: {error}.") from error
        return answer
