"""Requests that outlive an invocation, and wait in the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.changes import denied, out_of_reach
from tests.e2e.provider import SETTLE_SECONDS, SLACK_SECONDS, delete, failures, template, wait_until
from tests.e2e.queues import (
    LOOKS_SECONDS,
    QUEUE_SECONDS,
    STOP_SECONDS,
    assert_nothing_waits,
    assert_queues_are_empty,
    depth,
)

if TYPE_CHECKING:
    from local.function_log import Line
    from tests.e2e.provider import Provider


@pytest.fixture(autouse=True)
def _empty_queues(provider: Provider) -> None:
    assert_queues_are_empty(provider)


def messages(lines: list[Line]) -> list[str]:
    return [line.message for line in lines]


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
    assert messages(first)[-1] == "The request is waiting in the queue"
    assert len(looks) > 1
    assert all(messages(lines)[-1] == "The request is waiting in the queue" for lines in looks[:-1])
    assert messages(looks[-1])[-2:] == ["The job has ended", "CloudFormation accepted the response"]
    assert len({line.fields["correlation_id"] for lines in (first, *looks) for line in lines}) == 1
    # What waits in the queue costs nothing: each invocation looks once, only the first one five times.
    asked = [it for it in provider.neptune.log if (it.operation, it.job_id, it.kind) == ("get", job, "modeltransform")]
    assert len(asked) - 1 <= len(looks) + 5  # one was the Create's
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
    timeout = 50
    job = provider.start_job(stop_seconds=None)
    stack = provider.create(job, ServiceTimeout=timeout)

    assert delete(stack, timeout + SLACK_SECONDS) == "DELETE_FAILED"

    reason = failures(stack)["Job"]
    assert reason.startswith(f"The job {job} has not stopped yet (its status is Stopping).")
    assert "The operation reached its time limit (ServiceTimeout). The deletion can be retried" in reason
    assert len(provider.invocations(stack.id, "Delete")) > 1
    assert provider.metrics(stack.id, "Delete")["FailedDeletions"] == [1.0]
    assert depth(provider) != (0, 0, 0)  # the message by which the job is cancelled meanwhile

    provider.neptune.forget_job(job)
    provider.neptune.start_job(job, status="Stopping", stop_seconds=1)
    assert delete(stack) == "DELETE_COMPLETE"
    assert provider.neptune.status(job) == "Stopped"
    assert_nothing_waits(provider)


def test_without_the_queue_the_invocation_waits_in_place(provider: Provider) -> None:
    job = provider.start_job(stop_seconds=LOOKS_SECONDS + 3)
    stack = provider.create(job)

    with denied(provider, "sqs:SendMessage"):
        assert delete(stack) == "DELETE_COMPLETE"

    assert provider.neptune.status(job) == "Stopped"
    (lines,) = provider.invocations(stack.id, "Delete")
    (warning,) = [line for line in lines if line.level == "WARNING"]
    assert warning.message == "The request could not be queued; waiting in this invocation"
    assert "not authorized to perform: sqs:SendMessage" in warning.fields["problem"]


def test_without_a_route_to_the_queue_the_deletion_fails_with_the_invocation(provider: Provider) -> None:
    job = provider.start_job(stop_seconds=None)
    stack = provider.create(job)
    with out_of_reach(provider, "SQS", timeout=20):
        assert delete(stack, 20 + SLACK_SECONDS) == "DELETE_FAILED"

    reason = failures(stack)["Job"]
    assert reason.startswith(
        f"The job {job} has not stopped yet (its status is Stopping). The function cannot wait any longer"
    )
    assert "Amazon SQS cannot be reached: the function's subnets have no route to it." in reason
    assert "The deletion can be retried" in reason
    provider.neptune.forget_job(job)
    assert delete(stack) == "DELETE_COMPLETE"
