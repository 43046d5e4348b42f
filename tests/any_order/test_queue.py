"""The waiting queue on bad days: lost answers, throttling, and thousands of deletions at once."""

from __future__ import annotations

import heapq
import itertools
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from provider.custom_resource.waiting import FIELD
from tests.any_order.aws import BLUE, STOPPED, Aws, Fault, Key, RunningJob, key_of_resource
from tests.function.world import EPOCH, FUNCTION_ARN, STACK_ID

if TYPE_CHECKING:
    from tests.any_order.aws import Delivery

_numbers = itertools.count()
HOST = "cloudformation-custom-resource-response-useast1.s3.us-east-1.amazonaws.com"


def request(aws: Aws, request_type: str, number: int = 0, **fields: Any) -> dict[str, Any]:  # noqa: ANN401
    request_id = f"{request_type}-{next(_numbers)}"
    signed = f"{datetime.fromtimestamp(EPOCH + aws.time, UTC):%Y%m%dT%H%M%SZ}"
    return {
        "RequestType": request_type,
        "RequestId": request_id,
        "StackId": STACK_ID,
        "ResponseURL": f"https://{HOST}/{request_id}?X-Amz-Date={signed}&X-Amz-Signature=5ec7e7",
        "ResourceType": "Custom::NeptuneMLModelTransformJob",
        "LogicalResourceId": f"Job{number}",
        "ResourceProperties": properties(),
        **fields,
    }


def properties(endpoint: str = BLUE, job: str = "movies", **more: str) -> dict[str, str]:
    return {"ServiceToken": FUNCTION_ARN, "Endpoint": endpoint, "Id": job, **more}


def until_answered(aws: Aws, event: dict[str, Any]) -> dict[str, Any]:
    aws.invoke_later(event)
    while event["RequestId"] not in aws.answered and aws.deliveries:
        aws.deliver_next()
    body: dict[str, Any] = aws.answered[event["RequestId"]][0].body
    return body


def a_job_runs(stop_seconds: float | None) -> Aws:
    return Aws(jobs={Key(BLUE, "movies"): RunningJob(stop_seconds)})


@pytest.mark.parametrize("fault", [Fault.UNREACHABLE, Fault.DENIED, Fault.UNAVAILABLE])
def test_without_a_queue_the_invocation_waits_to_its_end_and_then_says_why_it_cannot_go_on(fault: Fault) -> None:
    aws = a_job_runs(2000)
    aws.outages = {"send": fault}
    answer = until_answered(aws, request(aws, "Delete", PhysicalResourceId=f"{BLUE}:8182/movies"))
    assert answer["Status"] == "FAILED"
    assert "The function cannot wait any longer: " in answer["Reason"]
    assert "The deletion can be retried" in answer["Reason"]
    assert 800 <= aws.time <= 900
    aws.outages, aws.time = {}, 2000.0
    again = request(aws, "Delete", 1, PhysicalResourceId=f"{BLUE}:8182/movies")
    assert until_answered(aws, again)["Status"] == "SUCCESS"


def test_a_queue_that_throttles_for_a_minute_takes_the_request_afterwards() -> None:
    aws = a_job_runs(400)
    delete = request(aws, "Delete", PhysicalResourceId=f"{BLUE}:8182/movies")
    aws.faults = {"send": [Fault.UNAVAILABLE, Fault.UNAVAILABLE]}
    aws.invoke_later(delete)
    aws.deliver_next()
    assert [delivery.is_message for delivery in aws.deliveries] == [True]
    assert aws.time < 100
    while aws.deliveries:
        aws.deliver_next()
    assert aws.answered[delete["RequestId"]][0].body["Status"] == "SUCCESS"


def deliver_ten_at_a_time(aws: Aws, until: float = float("inf")) -> None:
    free_at = [0.0] * 10
    while aws.deliveries:
        # The invocation that is free first takes what is due first.
        first: Delivery = aws.deliveries[0]
        began = max(free_at[0], first.at)
        if began > until:
            return
        heapq.heappop(free_at)
        aws.time = began
        aws.deliver_next()
        heapq.heappush(free_at, aws.time)


@pytest.mark.parametrize("fault", [Fault.LOST_ANSWER, Fault.LATE])
@pytest.mark.parametrize("steps", [("send",), ("send", "check", "visibility")], ids=len)
@pytest.mark.parametrize("seconds", [30, 120, 300, 900])
def test_a_queue_that_takes_messages_and_does_not_say_so_does_not_multiply_a_deletion(
    fault: Fault, steps: tuple[str, ...], seconds: float
) -> None:
    aws = a_job_runs(None)
    aws.outages, aws.outages_end = dict.fromkeys(steps, fault), seconds
    delete = request(aws, "Delete", PhysicalResourceId=f"{BLUE}:8182/movies")
    aws.invoke_later(delete)
    deliver_ten_at_a_time(aws, until=900)
    assert aws.answered == {} or seconds == 900
    # What eleven invocations may put, the first and ten of the queue's: one, where the queue answers no question, and
    # six in a quarter of an hour at most.
    assert sum(FIELD in it.event for it in aws.deliveries) <= 11 * (1 if len(steps) > 1 and seconds < 900 else 7)
    assert sum(count for (service, _), count in aws.calls.items() if service == "neptune") <= 1000
    aws.jobs[Key(BLUE, "movies")].status = STOPPED
    deliver_ten_at_a_time(aws)
    answer = aws.answered[delete["RequestId"]][0].body
    if seconds < 900:
        assert answer["Status"] == "SUCCESS"
    else:
        assert answer["Status"] == "FAILED"
        assert "The deletion can be retried" in answer["Reason"]


@pytest.mark.slow
@pytest.mark.no_cover
def test_two_thousand_deletions_at_once_get_through_small_quotas_within_the_hour() -> None:
    """Fifty calls a second to Neptune and to SQS, and ten invocations at a time."""
    jobs = [f"job-{number}" for number in range(2000)]
    stops = [5.0, 60.0, 600.0, 1200.0]
    aws = Aws(
        jobs={Key(BLUE, job): RunningJob(stops[number % len(stops)]) for number, job in enumerate(jobs)},
        quotas={"neptune": 50, "sqs": 50},
    )
    events = [
        request(aws, "Delete", number, PhysicalResourceId=f"{BLUE}:8182/{job}", ResourceProperties=properties(job=job))
        for number, job in enumerate(jobs)
    ]
    for event in events:
        aws.invoke_later(event)
    deliver_ten_at_a_time(aws)
    answers = [aws.answered[event["RequestId"]] for event in events]
    assert {answer.body["Status"] for (answer,) in answers} == {"SUCCESS"}
    assert max(answer.at for (answer,) in answers) < 3600
    assert {aws.status(key) for key in aws.jobs} == {STOPPED}
    assert any(count > 50 for (service, _), count in aws.calls.items() if service == "neptune")  # some were throttled
    assert {key_of_resource(event["PhysicalResourceId"]) for event in events} == set(aws.cancelled)
