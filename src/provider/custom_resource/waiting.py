"""The queue in which requests wait, and the pace at which they are looked at."""

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
"""Where an event carries on what went before."""
OWED = "Owed"
"""Where a message names a job that is to be cancelled, whatever becomes of the request that has closed it."""
FIRST_DELAY_SECONDS = 1

# The next look comes after a tenth of the time already waited, within these bounds: the answer is never later than a
# tenth of the wait and a second, and fifteen minutes cost some sixty calls.
_SHARE_OF_WAIT, _SHORTEST_SECONDS, _LONGEST_SECONDS = 0.1, 1.0, 30.0
# A look that failed for a reason outside of it is taken again after this, not only when the function's time is over.
_RETRY_SECONDS = 60
# One attempt, for boto3 also repeats what SQS may have taken: there would be two of a message.
_CONFIG = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 1})


class CannotWait(Exception):
    """The queue does not take the request; the message says why and what to do."""


class Unclear(CannotWait):
    """The queue does not say whether it has done what it was asked for; so it may have taken the request."""


class Message(NamedTuple):
    """A request that waited, as the queue delivers it.

    Attributes:
        event: The event that was put into the queue; something else if somebody put that there.
        receipt_handle: What names this delivery of the message.
    """

    event: object
    receipt_handle: str


class Owed(NamedTuple):
    """What the message of a job that is to be cancelled says.

    Attributes:
        resource: What the journal calls its resource.
        identity: The job.
        since: When the message was sent first, seconds since the epoch.
        patience: The patience of the looks before.
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

        Args:
            message: What `as_json` returned.

        Returns:
            What it says.

        Raises:
            ValueError: It is something else.
        """
        match message:
            case {
                "Owed": {"Resource": str(resource), "Job": str(job), "Since": since, "Patience": dict(patience)},
            } if is_time(since) and Identity.parse(job):
                return cls(resource, job, since, Patience.from_json(patience))
        raise ValueError(OWED)


def pause(waited: float, chance: float) -> float:
    """Say when to look again.

    Args:
        waited: For how long the request has waited already, in seconds.
        chance: A random number from 0 to 1, so that what began together does not go on together.

    Returns:
        Seconds until the next look: from 1 to 30, and at most a tenth of the wait and a second.
    """
    tenth = max(0.0, waited) * _SHARE_OF_WAIT
    shortest = max(_SHORTEST_SECONDS, tenth)
    jitter = (1 + chance) / 2 * (tenth + _SHORTEST_SECONDS - shortest)
    return min(_LONGEST_SECONDS - chance, shortest + jitter)


class WaitingQueue:
    """The queue, in Amazon SQS; its event source mapping invokes the function with each message that is due.

    Args:
        url: Its URL; empty if there is none, as in `sam local invoke`.
        region: The function's AWS Region.
    """

    def __init__(self, url: str, region: str) -> None:
        self._url = url
        self._region = region

    def message_in(self, event: object) -> Message | None:
        """Read what the queue delivers; see the AWS Lambda Developer Guide, "Using Lambda with Amazon SQS".

        Args:
            event: What Lambda delivered.

        Returns:
            The message, for the event source mapping delivers them one by one; `None` if the event is no message, or
            one of another queue.
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
        """Tell whether an ARN is the queue's; without a queue, any may be, for an event that is replayed locally."""
        names = arn.split(":")[3:]
        return not self._url or names == [self._region, *urlsplit(self._url).path.strip("/").split("/")]

    def put(self, event: Mapping[str, object], delay_seconds: int) -> None:
        """Have the function invoked with an event later.

        Args:
            event: The event.
            delay_seconds: After how many seconds.

        Raises:
            CannotWait: SQS refused or could not be reached, or there is no queue.
            Unclear: SQS gave no answer, or none that says that it has the event.
        """
        body = json.dumps(event)
        answer = self._call(
            "SendMessage",
            lambda: self._client.send_message(QueueUrl=self._url, MessageBody=body, DelaySeconds=delay_seconds),
        )
        # boto3 takes a body that is no JSON for an empty success.
        if not answer.get("MessageId"):
            #: Try again.
            raise Unclear("Amazon SQS did not confirm sqs:SendMessage.")

    def check(self) -> None:
        """Look whether the queue can be reached and used, and change nothing.

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
        """Have a message delivered again soon, whose look has failed; it comes again later if that fails, too.

        Args:
            message: The message.
        """
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
            # botocore's parser, on some garbage
            #: Try again.
            raise Unclear(f"The call to Amazon SQS (sqs:{operation}) failed: {error}.") from error
        return answer
