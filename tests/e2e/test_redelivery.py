"""Events and messages that could not be finished, and are delivered again."""

from __future__ import annotations

import json
import os
import signal
import time
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from local.response_host import SIGNATURE, ResponseHost
from simulator import Fault
from tests.e2e.changes import denied
from tests.e2e.provider import SETTLE_SECONDS, SLACK_SECONDS, wait_until
from tests.e2e.queues import (
    AGAIN_SECONDS,
    FAILED,
    LOOKS_SECONDS,
    QUEUE_SECONDS,
    STOP_SECONDS,
    WAITING,
    assert_nothing_waits,
    assert_queues_are_empty,
    depth,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.provider import Provider

# In place of the fifteen minutes for which a message is invisible while its look is being taken.
INVISIBLE_SECONDS = 8
# As often a message is delivered.
RECEIVES = 5


@pytest.fixture(autouse=True)
def _empty_queues(provider: Provider) -> None:
    assert_queues_are_empty(provider)


def receive_failed(provider: Provider, seconds: float) -> Any:  # noqa: ANN401 - what the queue holds
    """Take the only message out of the queue of failed events; returns its body."""
    sqs, queue = provider.ministack.client("sqs"), provider.outputs[FAILED]

    def receive() -> Any:  # noqa: ANN401 - messages, or nothing
        return sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages")

    (message,) = wait_until(receive, seconds, "the failed event")
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    assert depth(provider, FAILED) == (0, 0, 0)
    return json.loads(message["Body"])


@contextmanager
def invisible_for(provider: Provider, seconds: int) -> Iterator[None]:
    """Shorten the queue's visibility time-out for a while."""
    sqs, queue = provider.ministack.client("sqs"), provider.outputs[WAITING]
    before = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["VisibilityTimeout"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": str(seconds)})
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=queue, Attributes=before)


def kill_invocations(provider: Provider) -> None:
    """Kill the function's processes, as Lambda does when an invocation runs out of memory."""
    killed = 0
    for process_id, _ in provider.processes():
        with suppress(ProcessLookupError):  # it ended meanwhile
            os.kill(process_id, signal.SIGKILL)
            killed += 1
    assert killed


@dataclass(frozen=True)
class Undelivered:
    """A Delete whose answer is refused for now."""

    job: str
    event: dict[str, Any]
    host: ResponseHost


@contextmanager
def undelivered(provider: Provider, *, stop_seconds: float) -> Iterator[Undelivered]:
    job = provider.start_job(stop_seconds=stop_seconds)
    request_id = str(uuid.uuid4())
    with ResponseHost() as host:
        host.behave([], then=403)  # which is not tried again in the same invocation
        event = {
            "RequestType": "Delete",
            "RequestId": request_id,
            "StackId": f"arn:aws:cloudformation:us-east-1:123456789012:stack/by-hand/{request_id}",
            "ResponseURL": host.url_for(request_id),
            "ResourceType": "Custom::NeptuneMLModelTransformJob",
            "LogicalResourceId": "Job",
            "PhysicalResourceId": provider.physical_id(job),
            "ResourceProperties": provider.resource(job)["Properties"],
        }
        provider.invoke(event)
        yield Undelivered(job, event, host)


def test_look_that_was_killed_is_taken_again(provider: Provider) -> None:
    job = provider.start_job(stop_seconds=STOP_SECONDS)
    stack = provider.create(job)
    with invisible_for(provider, INVISIBLE_SECONDS):
        stack.delete()
        wait_until(lambda: depth(provider).delayed, LOOKS_SECONDS + SLACK_SECONDS, "a request that waits")
        provider.neptune.inject(Fault(on=["get"], delay_seconds=2.0))
        wait_until(lambda: depth(provider).in_flight, QUEUE_SECONDS + SLACK_SECONDS, "a look")

        kill_invocations(provider)

        assert stack.settle(STOP_SECONDS + INVISIBLE_SECONDS + QUEUE_SECONDS + SLACK_SECONDS) == "DELETE_COMPLETE"

    assert provider.neptune.status(job) == "Stopped"
    assert len(provider.cancellations(job)) == 1
    assert_nothing_waits(provider)
    assert depth(provider, FAILED) == (0, 0, 0)


def test_event_that_fails_again_and_again_can_be_replayed(provider: Provider) -> None:
    with undelivered(provider, stop_seconds=0.0) as request:
        failure = receive_failed(provider, SETTLE_SECONDS)

        assert failure["requestPayload"] == request.event
        assert failure["requestContext"]["condition"] == "RetriesExhausted"
        assert "The response could not be delivered to 127.0.0.1" in failure["responsePayload"]["errorMessage"]
        assert SIGNATURE not in json.dumps(failure["responsePayload"])
        assert request.host.attempts == 3  # once for each delivery of the event
        assert_replay_finishes(provider, request, failure["requestPayload"])


def test_message_that_fails_again_and_again_can_be_replayed(provider: Provider) -> None:
    with undelivered(provider, stop_seconds=LOOKS_SECONDS + 1) as request:
        # Without this permission a failed look is taken again when the message is visible again.
        with denied(provider, "sqs:ChangeMessageVisibility"), invisible_for(provider, INVISIBLE_SECONDS):
            seconds = LOOKS_SECONDS + RECEIVES * (INVISIBLE_SECONDS + QUEUE_SECONDS) + SLACK_SECONDS
            failure = receive_failed(provider, seconds)

        assert {**failure, "Waiting": None} == {**request.event, "Waiting": None}
        assert failure["Waiting"]["Patience"]["cancelled_at"] >= failure["Waiting"]["ArrivedAt"]
        # On a busy machine the message may be given up while its last look is still being taken.
        wait_until(lambda: request.host.attempts == RECEIVES, SLACK_SECONDS, "the last attempt")
        assert len(provider.cancellations(request.job)) == 1
        assert_nothing_waits(provider)
        assert_replay_finishes(provider, request, failure)


def assert_replay_finishes(provider: Provider, request: Undelivered, event: dict[str, Any]) -> None:
    assert provider.neptune.status(request.job) == "Stopped"
    request.host.behave([])
    provider.invoke(event)
    answer = request.host.wait_for(event["RequestId"], SETTLE_SECONDS).body
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", provider.physical_id(request.job))
    assert answer["RequestId"] == request.event["RequestId"]


def test_look_that_failed_is_taken_again_after_a_while(provider: Provider) -> None:
    with undelivered(provider, stop_seconds=LOOKS_SECONDS + 1) as request:
        wait_until(lambda: request.host.attempts, LOOKS_SECONDS + QUEUE_SECONDS + SLACK_SECONDS, "a look that fails")
        failed_at = time.monotonic()
        request.host.behave([])
        answer = request.host.wait_for(request.event["RequestId"], AGAIN_SECONDS + QUEUE_SECONDS + SLACK_SECONDS)

    assert answer.body["Status"] == "SUCCESS"
    assert answer.at - failed_at >= AGAIN_SECONDS - 1  # it was seen to fail a moment later
    assert_nothing_waits(provider)
    assert depth(provider, FAILED) == (0, 0, 0)
