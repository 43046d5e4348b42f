"""What outlives an invocation: requests that wait in the queue, and events that could not be finished."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from local.response_host import SIGNATURE, ResponseHost
from simulator import Fault
from tests.e2e.provider import SETTLE_SECONDS, SLACK_SECONDS, delete, failures, template, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from local.function_log import Line
    from tests.e2e.provider import Provider

# An invocation takes looks for five seconds by itself.
LOOKS_SECONDS = 5.0
STOP_SECONDS = 12.0
# Then the queue delivers a message, in MiniStack up to a second late, when a tenth of the wait is over, and a second.
QUEUE_SECONDS = 3.0
# After a look that failed the message comes again.
AGAIN_SECONDS = 60.0
# In place of the fifteen minutes for which a message is invisible while its look is being taken.
INVISIBLE_SECONDS = 4

WAITING, FAILED = "WaitingQueueUrl", "FailedEventsQueueUrl"


# --- the queues, the role and the function ----------------------------------------------------------------------------


class Depth(NamedTuple):
    """How many messages a queue has."""

    due: int
    in_flight: int
    delayed: int


def depth(provider: Provider, queue: str = WAITING) -> Depth:
    names = [f"ApproximateNumberOfMessages{suffix}" for suffix in ("", "NotVisible", "Delayed")]
    answer = provider.ministack.client("sqs").get_queue_attributes(
        QueueUrl=provider.outputs[queue],
        AttributeNames=names,  # type: ignore[arg-type] # they are
    )
    attributes: Mapping[str, str] = answer["Attributes"]  # type: ignore[assignment]
    return Depth(*(int(attributes[name]) for name in names))


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


@contextmanager
def denied(provider: Provider, action: str) -> Iterator[None]:
    """Take an action on the waiting queue out of the function's policy for a while."""
    iam = provider.ministack.client("iam")
    policy = {"RoleName": configuration(provider)["Role"].rpartition("/")[2], "PolicyName": "provider"}
    allowed: Any = iam.get_role_policy(**policy)["PolicyDocument"]
    less = json.loads(json.dumps(allowed))
    (statement,) = [it for it in less["Statement"] if it["Sid"] == "WaitingRequests"]
    statement["Action"].remove(action)
    iam.put_role_policy(**policy, PolicyDocument=json.dumps(less))
    try:
        yield
    finally:
        iam.put_role_policy(**policy, PolicyDocument=json.dumps(allowed))


@contextmanager
def configured(provider: Provider, *, timeout: int = 900, **variables: str) -> Iterator[None]:
    """Configure the function otherwise for a while."""
    before = configuration(provider)["Environment"]["Variables"]
    configure(provider, timeout, {**before, **variables})
    try:
        yield
    finally:
        configure(provider, 900, before)


def configuration(provider: Provider) -> Any:  # noqa: ANN401 - as AWS answers it
    return provider.ministack.client("lambda").get_function_configuration(FunctionName=provider.outputs["FunctionName"])


def configure(provider: Provider, timeout: int, variables: Mapping[str, str]) -> None:
    client, name = provider.ministack.client("lambda"), provider.outputs["FunctionName"]
    client.update_function_configuration(FunctionName=name, Timeout=timeout, Environment={"Variables": variables})
    client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})


def kill_invocations(provider: Provider) -> None:
    """Kill the function's processes, as Lambda does when an invocation runs out of memory."""
    name = f"AWS_LAMBDA_FUNCTION_NAME={provider.outputs['FunctionName']}"
    killed = 0
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if name in path.read_text(errors="replace").split("\0"):
                os.kill(int(path.parent.name), signal.SIGKILL)
                killed += 1
        except (FileNotFoundError, ProcessLookupError, PermissionError):  # it ended meanwhile, or is not ours
            continue
    assert killed


# --- requests ---------------------------------------------------------------------------------------------------------


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


def messages(lines: list[Line]) -> list[str]:
    return [line.message for line in lines]


def assert_nothing_waits(provider: Provider) -> None:
    # A message is deleted when its invocation has ended, a moment after the answer.
    wait_until(lambda: depth(provider) == (0, 0, 0), SLACK_SECONDS, "an empty queue")


# --- the tests --------------------------------------------------------------------------------------------------------


def test_deletion_that_outlives_its_invocation_is_answered_by_the_queue(provider: Provider) -> None:
    job = provider.start_job(stop_seconds=STOP_SECONDS)
    stack = provider.create(job)

    stack.delete()
    wait_until(lambda: depth(provider).delayed, LOOKS_SECONDS + SLACK_SECONDS, "a request that waits")

    assert stack.settle(STOP_SECONDS * 1.1 + QUEUE_SECONDS + SLACK_SECONDS) == "DELETE_COMPLETE"
    assert_nothing_waits(provider)
    assert provider.neptune.status(job) == "Stopped"
    assert len(provider.cancellations(job)) == 1
    first, *looks = provider.invocations(stack.id, "Delete")
    assert messages(first)[-1] == "The request waits in the queue"
    assert len(looks) > 1
    assert all(messages(lines)[-1] == "The request waits in the queue" for lines in looks[:-1])
    assert messages(looks[-1])[-2:] == ["The job has ended", "CloudFormation has the answer"]
    assert len({line.fields["correlation_id"] for lines in (first, *looks) for line in lines}) == 1
    # What waits in the queue costs nothing: a look is over at once.
    assert first[-1].time - first[0].time <= LOOKS_SECONDS + SLACK_SECONDS
    assert sum(lines[-1].time - lines[0].time for lines in looks) <= len(looks) * 1.0
    measured = provider.metrics(stack.id, "Delete")
    assert (measured["Failures"], measured["FailedDeletions"]) == ([0.0], [0.0])
    assert STOP_SECONDS <= measured["SecondsToStop"][0] <= STOP_SECONDS * 1.1 + QUEUE_SECONDS + SLACK_SECONDS


def test_clean_up_of_a_replacement_waits_in_the_queue(provider: Provider) -> None:
    old, new = provider.start_job(stop_seconds=LOOKS_SECONDS + 2), provider.start_job()
    stack = provider.create(old)

    stack.update(template({"Job": provider.resource(new)}))

    assert stack.settle(SETTLE_SECONDS) == "UPDATE_COMPLETE"
    assert provider.neptune.status(old) == "Stopped"
    assert provider.neptune.status(new) == "InProgress"
    assert len(provider.invocations(stack.id, "Delete")) > 1
    assert_nothing_waits(provider)


def test_job_that_never_stops_fails_the_deletion_at_its_deadline(provider: Provider) -> None:
    job = provider.start_job(stop_seconds=None)
    stack = provider.create(job, ServiceTimeout=25)

    assert delete(stack, 25 + SLACK_SECONDS) == "DELETE_FAILED"

    reason = failures(stack)["Job"]
    assert reason.startswith(f"The job {job} has not stopped yet (its status is Stopping).")
    assert "The time for waiting is up after 2" in reason  # a tenth of the time is kept back for the answer
    assert "The deletion can be tried again: it goes on waiting." in reason
    assert len(provider.invocations(stack.id, "Delete")) > 1
    assert provider.metrics(stack.id, "Delete")["FailedDeletions"] == [1.0]
    assert_nothing_waits(provider)

    provider.neptune.forget_job(job)
    provider.neptune.start_job(job, status="Stopping", stop_seconds=1)
    assert delete(stack) == "DELETE_COMPLETE"
    assert provider.neptune.status(job) == "Stopped"


def test_without_the_queue_the_invocation_waits_in_place(provider: Provider) -> None:
    job = provider.start_job(stop_seconds=LOOKS_SECONDS + 3)
    stack = provider.create(job)

    with denied(provider, "sqs:SendMessage"):
        assert delete(stack) == "DELETE_COMPLETE"

    assert provider.neptune.status(job) == "Stopped"
    (lines,) = provider.invocations(stack.id, "Delete")
    (warning,) = [line for line in lines if line.level == "WARNING"]
    assert warning.message == "The request cannot wait in the queue; waiting here"
    assert "not authorized to perform: sqs:SendMessage" in warning.fields["problem"]


def test_without_a_route_to_the_queue_the_deletion_fails_with_the_invocation(provider: Provider) -> None:
    job = provider.start_job(stop_seconds=None)
    stack = provider.create(job)
    with socket.socket() as refusing:
        refusing.bind(("127.0.0.1", 0))  # but does not listen
        nowhere = f"https://127.0.0.1:{refusing.getsockname()[1]}"

        with configured(provider, timeout=20, AWS_ENDPOINT_URL_SQS=nowhere):
            assert delete(stack, 20 + SLACK_SECONDS) == "DELETE_FAILED"

    reason = failures(stack)["Job"]
    assert reason.startswith(f"The job {job} has not stopped yet (its status is Stopping). The function cannot wait on")
    assert "Amazon SQS cannot be reached: the function's subnets have no route to it." in reason
    assert "The deletion can be tried again: it goes on waiting." in reason
    provider.neptune.forget_job(job)
    assert delete(stack) == "DELETE_COMPLETE"


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
        assert "The answer could not be delivered to 127.0.0.1" in failure["responsePayload"]["errorMessage"]
        assert SIGNATURE not in json.dumps(failure["responsePayload"])
        assert request.host.attempts == 3  # once for each delivery of the event
        assert_replay_finishes(provider, request, failure["requestPayload"])


def test_message_that_fails_again_and_again_can_be_replayed(provider: Provider) -> None:
    with undelivered(provider, stop_seconds=LOOKS_SECONDS + 1) as request:
        # Without this permission a failed look is taken again when the message is visible again.
        with denied(provider, "sqs:ChangeMessageVisibility"), invisible_for(provider, INVISIBLE_SECONDS):
            failure = receive_failed(provider, LOOKS_SECONDS + 3 * (INVISIBLE_SECONDS + QUEUE_SECONDS) + SLACK_SECONDS)

        assert {**failure, "Waiting": None} == {**request.event, "Waiting": None}
        assert failure["Waiting"]["Progress"]["cancelled_at"] >= failure["Waiting"]["ArrivedAt"]
        assert request.host.attempts == 3
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


def test_look_that_failed_is_taken_again_after_a_minute(provider: Provider) -> None:
    with undelivered(provider, stop_seconds=LOOKS_SECONDS + 1) as request:
        wait_until(lambda: request.host.attempts, LOOKS_SECONDS + QUEUE_SECONDS + SLACK_SECONDS, "a look that fails")
        failed_at = time.monotonic()
        request.host.behave([])
        answer = request.host.wait_for(request.event["RequestId"], AGAIN_SECONDS + QUEUE_SECONDS + SLACK_SECONDS)

    assert answer.body["Status"] == "SUCCESS"
    assert answer.at - failed_at >= AGAIN_SECONDS - 1  # it was seen to fail a moment later
    assert_nothing_waits(provider)
    assert depth(provider, FAILED) == (0, 0, 0)


@pytest.fixture(autouse=True)
def _empty_queues(provider: Provider) -> None:
    """What one test leaves must not finish the next one."""
    assert depth(provider) == depth(provider, FAILED) == (0, 0, 0)
