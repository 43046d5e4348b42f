"""What outlives an invocation: jobs that stop slowly or never, and events that could not be finished."""

from __future__ import annotations

import json
import socket
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from local.response_host import SIGNATURE, ResponseHost
from tests.e2e.provider import delete, failures, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stacks import Stack
    from tests.e2e.provider import Provider

PREFIX = "neptune-ml-transform-"
# Of each invocation the last quarter is kept for the handover, so it comes after fifteen seconds.
TIMEOUT_SECONDS = 20
HANDOVER_SECONDS = 15.0
# A rule ticks every minute, in MiniStack up to ten seconds later.
TICK_SECONDS = 70.0
SLACK_SECONDS = 30.0


@dataclass(frozen=True)
class Waiting:
    """A stack whose deletion was handed over to a poll rule."""

    job: str
    stack: Stack
    rule: str
    targets: list[dict[str, Any]]


@dataclass(frozen=True)
class Undelivered:
    """An event whose answer nobody takes."""

    job: str
    event: dict[str, Any]
    refusing: socket.socket

    def open_host(self) -> ResponseHost:
        port = self.refusing.getsockname()[1]
        self.refusing.close()
        return ResponseHost(port=port)


@dataclass(frozen=True)
class LongWaits:
    """All of them at once, because there is nothing to do but to wait."""

    slow: Waiting
    endless: Waiting
    undelivered: Undelivered


@pytest.fixture(scope="module")
def long_waits(provider: Provider) -> Iterator[LongWaits]:
    set_timeout(provider, TIMEOUT_SECONDS)
    undelivered = send_undeliverable(provider)
    jobs = [provider.start_job(stop_seconds=30), provider.start_job(stop_seconds=None)]
    stacks = [provider.create(jobs[0], ServiceTimeout=200), provider.create(jobs[1], ServiceTimeout=120)]
    for stack in stacks:
        stack.delete()
    slow, endless = [handed_over(provider, job, stack) for job, stack in zip(jobs, stacks, strict=True)]
    yield LongWaits(slow, endless, undelivered)
    set_timeout(provider, 900)


def set_timeout(provider: Provider, seconds: int) -> None:
    client, name = provider.ministack.client("lambda"), provider.outputs["FunctionName"]
    client.update_function_configuration(FunctionName=name, Timeout=seconds)
    client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})


def send_undeliverable(provider: Provider) -> Undelivered:
    job = provider.start_job()
    refusing = socket.socket()
    refusing.bind(("127.0.0.1", 0))  # but does not listen
    request_id = str(uuid.uuid4())
    event = {
        "RequestType": "Delete",
        "RequestId": request_id,
        "StackId": f"arn:aws:cloudformation:us-east-1:123456789012:stack/by-hand/{request_id}",
        "ResponseURL": f"http://127.0.0.1:{refusing.getsockname()[1]}/{request_id}?X-Amz-Signature={SIGNATURE}",
        "ResourceType": "Custom::NeptuneMLModelTransformJob",
        "LogicalResourceId": "Job",
        "PhysicalResourceId": job,
        "ResourceProperties": provider.resource(job)["Properties"],
    }
    provider.invoke(event)
    return Undelivered(job, event, refusing)


def rules(provider: Provider) -> dict[str, list[dict[str, Any]]]:
    """The poll rules that there are, with their targets."""
    events = provider.ministack.client("events")
    names = [rule["Name"] for rule in events.list_rules(NamePrefix=PREFIX)["Rules"]]
    return {name: [dict(target) for target in events.list_targets_by_rule(Rule=name)["Targets"]] for name in names}


def handed_over(provider: Provider, job: str, stack: Stack) -> Waiting:
    def find() -> Waiting | None:
        for rule, targets in rules(provider).items():
            if any(json.loads(target["Input"])["StackId"] == stack.id for target in targets):
                return Waiting(job, stack, rule, targets)
        return None

    waiting: Waiting = wait_until(find, HANDOVER_SECONDS + SLACK_SECONDS, f"the poll rule of {stack.name}")
    return waiting


def assert_rule_goes(provider: Provider, waiting: Waiting) -> None:
    # The rule goes when CloudFormation has its answer.
    wait_until(lambda: waiting.rule not in rules(provider), SLACK_SECONDS, f"the removal of {waiting.rule}")


def test_handover_makes_one_rule_with_one_target_for_a_request(provider: Provider, long_waits: LongWaits) -> None:
    for waiting in (long_waits.slow, long_waits.endless):
        (target,) = waiting.targets
        assert target["Arn"] == provider.outputs["ServiceToken"]
        assert waiting.rule == PREFIX + json.loads(target["Input"])["RequestId"]
    assert long_waits.slow.rule != long_waits.endless.rule


def test_rule_that_may_not_be_made(provider: Provider, long_waits: LongWaits) -> None:
    job = provider.start_job(stop_seconds=None)
    stack = provider.create(job)

    with denied(provider, "events:PutRule"):
        assert delete(stack, HANDOVER_SECONDS + SLACK_SECONDS) == "DELETE_FAILED"

    reason = failures(stack)["Job"]
    assert reason.startswith(f"The job {job} has not stopped yet (its status is Stopping). The function cannot wait on")
    assert "EventBridge refused events:PutRule on neptune-ml-transform-" in reason
    assert "not authorized to perform: events:PutRule" in reason
    assert "Delete the stack again to go on waiting." in reason
    assert set(rules(provider)) <= {long_waits.slow.rule, long_waits.endless.rule}
    provider.neptune.forget_job(job)
    assert delete(stack) == "DELETE_COMPLETE"


@contextmanager
def denied(provider: Provider, action: str) -> Iterator[None]:
    """Take an action out of the function's policy for a while."""
    iam = provider.ministack.client("iam")
    function = provider.ministack.client("lambda").get_function_configuration(
        FunctionName=provider.outputs["FunctionName"]
    )
    policy = {"RoleName": function["Role"].rpartition("/")[2], "PolicyName": "provider"}
    allowed: Any = iam.get_role_policy(**policy)["PolicyDocument"]
    less = json.loads(json.dumps(allowed))
    for statement in less["Statement"]:
        if action in statement["Action"]:
            statement["Action"].remove(action)
    assert less != allowed
    iam.put_role_policy(**policy, PolicyDocument=json.dumps(less))
    try:
        yield
    finally:
        iam.put_role_policy(**policy, PolicyDocument=json.dumps(allowed))


def test_replayed_event_finishes_its_request(provider: Provider, long_waits: LongWaits) -> None:
    event, job = long_waits.undelivered.event, long_waits.undelivered.job
    sqs, queue = provider.ministack.client("sqs"), provider.outputs["FailedEventsQueueUrl"]

    def receive() -> Any:  # noqa: ANN401 - a message, or nothing
        return sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages")

    # Three deliveries of the event, each with five attempts to answer within some eight seconds.
    (message,) = wait_until(receive, 30 + SLACK_SECONDS, "the failed event")
    failure = json.loads(message["Body"])
    assert failure["requestPayload"] == event
    assert failure["requestContext"]["condition"] == "RetriesExhausted"
    assert "The answer could not be delivered to 127.0.0.1" in failure["responsePayload"]["errorMessage"]
    assert SIGNATURE not in json.dumps(failure["responsePayload"])
    assert provider.neptune.status(job) == "Stopped"

    with long_waits.undelivered.open_host() as host:
        provider.invoke(failure["requestPayload"])
        answer = host.wait_for(event["RequestId"], SLACK_SECONDS).body

    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", job)
    assert answer["RequestId"] == event["RequestId"]
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    assert receive() is None


def test_job_that_outlives_the_invocation(provider: Provider, long_waits: LongWaits) -> None:
    slow = long_waits.slow

    assert slow.stack.settle(TICK_SECONDS + SLACK_SECONDS) == "DELETE_COMPLETE"

    assert provider.neptune.status(slow.job) == "Stopped"
    assert len(provider.cancellations(slow.job)) == 1
    assert_rule_goes(provider, slow)
    first, *ticks = provider.invocations(slow.stack.id, "Delete")
    assert "Handed the waiting over to a poll rule" in [line.message for line in first]
    assert "The job has ended" in [line.message for line in ticks[-1]]
    request_id = slow.rule.removeprefix(PREFIX)
    assert {line.fields["correlation_id"] for lines in (first, *ticks) for line in lines} == {request_id}


def test_job_that_never_stops(provider: Provider, long_waits: LongWaits) -> None:
    endless = long_waits.endless

    assert endless.stack.settle(TICK_SECONDS + SLACK_SECONDS) == "DELETE_FAILED"

    reason = failures(endless.stack)["Job"]
    assert reason.startswith(f"The job {endless.job} has not stopped yet (its status is Stopping).")
    assert "The time for waiting is up after" in reason
    assert "Delete the stack again to go on waiting." in reason
    assert_rule_goes(provider, endless)

    provider.neptune.forget_job(endless.job)
    provider.neptune.start_job(endless.job, status="Stopping", stop_seconds=1)
    assert delete(endless.stack) == "DELETE_COMPLETE"
    assert provider.neptune.status(endless.job) == "Stopped"
