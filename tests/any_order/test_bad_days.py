"""Days that CloudFormation and its neighbours can have, from beginning to end."""

from __future__ import annotations

import heapq
from datetime import UTC, datetime
from typing import Any

import pytest

from provider import observability
from tests.any_order.aws import (
    BLUE,
    BLUE_TOO,
    GREEN,
    IN_PROGRESS,
    STOPPED,
    Aws,
    Delivery,
    Fault,
    RunningJob,
    key_of_resource,
)
from tests.function.world import EPOCH, FUNCTION_ARN, STACK_ID

HOST = "cloudformation-custom-resource-response-useast1.s3.us-east-1.amazonaws.com"


def request(aws: Aws, request_type: str, number: int = 0, **fields: Any) -> dict[str, Any]:  # noqa: ANN401
    request_id = f"{request_type}-{number}-at-{aws.time:.0f}"
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


def both_clusters_run(stop_seconds: float = 60) -> Aws:
    return Aws(jobs={(cluster, "movies"): RunningJob(stop_seconds, arn=f"arn:{cluster}") for cluster in (BLUE, GREEN)})


def test_a_create_that_is_lost_has_adopted_nothing() -> None:
    aws = both_clusters_run()
    create = request(aws, "Create")
    aws.invoke_later(create)
    for _ in range(3):
        aws.faults = {"get": [Fault.KILLED_AFTER]}
        aws.deliver_next()
    assert aws.dead_letters == [create]
    rollback = request(aws, "Delete", PhysicalResourceId="graph-Job-1N2K5RF3Q0J6K")
    assert until_answered(aws, rollback)["Status"] == "SUCCESS"
    assert aws.cancelled == []
    assert aws.status((BLUE, "movies")) == IN_PROGRESS


@pytest.mark.parametrize("blip_seconds", [1, 60, 500])
@pytest.mark.parametrize("fault", [Fault.UNREACHABLE, Fault.UNAVAILABLE])
def test_a_blip_in_the_clean_up_after_a_replacement_leaves_no_job_running(fault: Fault, blip_seconds: float) -> None:
    aws = both_clusters_run()
    update = request(
        aws,
        "Update",
        PhysicalResourceId=f"{BLUE}:8182/movies",
        ResourceProperties=properties(GREEN),
        OldResourceProperties=properties(BLUE),
    )
    assert until_answered(aws, update)["PhysicalResourceId"] == f"{GREEN}:8182/movies"
    clean_up = request(aws, "Delete", PhysicalResourceId=f"{BLUE}:8182/movies", ResourceProperties=properties(BLUE))
    aws.invoke_later(clean_up)
    aws.outages = {"get": fault, "cancel": fault}
    began = aws.time
    while aws.deliveries and aws.deliveries[0].at < began + blip_seconds:
        aws.deliver_next()
    assert aws.answered.get(clean_up["RequestId"]) is None
    aws.outages = {}
    while aws.deliveries:
        aws.deliver_next()
    assert aws.answered[clean_up["RequestId"]][0].body["Status"] == "SUCCESS"
    assert aws.status((BLUE, "movies")) == STOPPED
    assert aws.status((GREEN, "movies")) == IN_PROGRESS


def test_a_cluster_that_stays_away_is_told_to_the_user_at_each_of_the_three_attempts() -> None:
    aws = both_clusters_run()
    aws.outages = {"get": Fault.UNREACHABLE, "cancel": Fault.UNREACHABLE}
    for number in range(3):
        attempt = request(aws, "Delete", number, PhysicalResourceId=f"{BLUE}:8182/movies")
        began = aws.time
        answer = until_answered(aws, attempt)
        assert answer["Status"] == "FAILED"
        assert "no route to the cluster" in answer["Reason"]
        assert 600 <= aws.time - began <= 640


@pytest.mark.parametrize("fault", [Fault.UNREACHABLE, Fault.UNAVAILABLE, Fault.DENIED, Fault.HANGS])
def test_an_update_that_failed_is_rolled_back_while_neptune_is_down(fault: Fault) -> None:
    aws = both_clusters_run()
    physical_id = f"{BLUE}:8182/movies"
    aws.outages = {"get": Fault.UNREACHABLE}
    update = request(
        aws,
        "Update",
        PhysicalResourceId=physical_id,
        ResourceProperties=properties(GREEN, "books"),
        OldResourceProperties=properties(),
    )
    assert until_answered(aws, update)["Status"] == "FAILED"
    aws.outages = {"get": fault}
    rollback = request(
        aws,
        "Update",
        1,
        PhysicalResourceId=physical_id,
        ResourceProperties=properties(),
        OldResourceProperties=properties(GREEN, "books"),
    )
    answer = until_answered(aws, rollback)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", physical_id)
    assert set(answer["Data"]) == {
        "Id",
        "Status",
        "OutputLocation",
        "ModelNames",
        "ModelArns",
        "BaseProcessingJobArn",
        "RemoteModelTransformJobArn",
    }


def test_the_jobs_of_two_clusters_with_one_id_are_two_jobs() -> None:
    aws = both_clusters_run(stop_seconds=1)
    ids = {}
    for number, cluster in enumerate([BLUE, GREEN]):
        create = request(aws, "Create", number, ResourceProperties=properties(cluster))
        ids[cluster] = until_answered(aws, create)["PhysicalResourceId"]
    delete = request(aws, "Delete", PhysicalResourceId=ids[GREEN], ResourceProperties=properties(GREEN))
    assert until_answered(aws, delete)["Status"] == "SUCCESS"
    assert (aws.status((BLUE, "movies")), aws.status((GREEN, "movies"))) == (IN_PROGRESS, STOPPED)


def test_another_name_of_the_cluster_keeps_the_job() -> None:
    aws = both_clusters_run()
    update = request(
        aws,
        "Update",
        PhysicalResourceId=f"{BLUE}:8182/movies",
        ResourceProperties=properties(BLUE_TOO),
        OldResourceProperties=properties(BLUE),
    )
    assert until_answered(aws, update)["PhysicalResourceId"] == f"{BLUE}:8182/movies"


def test_a_message_that_comes_long_after_its_request_has_ended_cancels_nothing_more() -> None:
    aws = both_clusters_run()
    delete = request(aws, "Delete", PhysicalResourceId=f"{BLUE}:8182/movies")
    aws.invoke_later(delete)
    aws.deliver_next()
    (message,) = aws.deliveries
    assert until_answered(aws, delete)["Status"] == "SUCCESS"
    for after in (0.0, 30.0, 4000.0):
        aws.invoke_later(message.event, after=after, is_message=True)
    while aws.deliveries:
        aws.deliver_next()
    assert len(aws.cancelled) == 2  # the delete was delivered twice: once by the test, once until it was answered
    assert {it.body["Status"] for it in aws.answered[delete["RequestId"]]} == {"SUCCESS"}


@pytest.mark.parametrize("fault", [Fault.UNREACHABLE, Fault.DENIED, Fault.UNAVAILABLE])
def test_without_a_queue_the_invocation_waits_to_its_end_and_then_says_why_it_cannot_go_on(fault: Fault) -> None:
    aws = both_clusters_run(stop_seconds=2000)
    aws.outages = {"send": fault}
    answer = until_answered(aws, request(aws, "Delete", PhysicalResourceId=f"{BLUE}:8182/movies"))
    assert answer["Status"] == "FAILED"
    assert "The function cannot wait on: " in answer["Reason"]
    assert "The deletion can be tried again" in answer["Reason"]
    assert 800 <= aws.time <= 900
    aws.outages, aws.time = {}, 2000.0
    again = request(aws, "Delete", 1, PhysicalResourceId=f"{BLUE}:8182/movies")
    assert until_answered(aws, again)["Status"] == "SUCCESS"


def test_a_queue_that_throttles_for_a_minute_takes_the_request_afterwards() -> None:
    aws = both_clusters_run(stop_seconds=400)
    delete = request(aws, "Delete", PhysicalResourceId=f"{BLUE}:8182/movies")
    aws.faults = {"send": [Fault.UNAVAILABLE, Fault.UNAVAILABLE]}
    aws.invoke_later(delete)
    aws.deliver_next()
    assert [delivery.is_message for delivery in aws.deliveries] == [True]
    assert aws.time < 100
    while aws.deliveries:
        aws.deliver_next()
    assert aws.answered[delete["RequestId"]][0].body["Status"] == "SUCCESS"


def test_two_thousand_deletions_at_once_get_through_small_quotas_within_the_hour(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Fifty calls a second to Neptune and to SQS, and ten invocations at a time."""
    monkeypatch.setattr(observability.logger._logger, "disabled", True)  # its lines would take most of the time
    jobs = [f"job-{number}" for number in range(2000)]
    stops = [5.0, 60.0, 600.0, 1200.0]
    aws = Aws(
        jobs={(BLUE, job): RunningJob(stops[number % len(stops)]) for number, job in enumerate(jobs)},
        quotas={"neptune": 50, "sqs": 50},
    )
    events = [
        request(aws, "Delete", number, PhysicalResourceId=f"{BLUE}:8182/{job}", ResourceProperties=properties(job=job))
        for number, job in enumerate(jobs)
    ]
    for event in events:
        aws.invoke_later(event)
    free_at = [0.0] * 10
    while aws.deliveries:
        # The invocation that is free first takes what is due first.
        first: Delivery = aws.deliveries[0]
        aws.time = max(heapq.heappop(free_at), first.at)
        aws.deliver_next()
        heapq.heappush(free_at, aws.time)
    answers = [aws.answered[event["RequestId"]] for event in events]
    assert {answer.body["Status"] for (answer,) in answers} == {"SUCCESS"}
    assert max(answer.at for (answer,) in answers) < 3600
    assert {aws.status(key) for key in aws.jobs} == {STOPPED}
    assert any(count > 50 for (service, _), count in aws.calls.items() if service == "neptune")  # some were throttled
    assert {key_of_resource(event["PhysicalResourceId"]) for event in events} == set(aws.cancelled)
