"""Days that CloudFormation and its neighbours can have, from beginning to end."""

from __future__ import annotations

import heapq
import itertools
import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from provider.kinds import KINDS
from tests.any_order.aws import (
    BLUE,
    BLUE_TOO,
    COMPLETED,
    FAILED,
    GREEN,
    IN_PROGRESS,
    REFUSED,
    STEPS,
    STOPPED,
    STOPPING,
    Aws,
    Delivery,
    Fault,
    Key,
    Plan,
    RunningJob,
    key_of_resource,
)
from tests.function.world import DESCRIPTIONS, EPOCH, FUNCTION_ARN, STACK_ID

if TYPE_CHECKING:
    from provider.kinds.kind import Kind

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


def described(training: str = "training-a", endpoint: str = BLUE, **more: str) -> dict[str, str]:
    """The properties of a resource that starts its job."""
    return {
        "ServiceToken": FUNCTION_ARN,
        "Endpoint": endpoint,
        "TrainingJobName": training,
        "ModelTransformOutputS3Location": "s3://movies/out",
        **more,
    }


def creation(aws: Aws, training: str = "training-a", **more: str) -> dict[str, Any]:
    return request(aws, "Create", ResourceProperties=described(training, **more))


def change(aws: Aws, physical_id: str, old: dict[str, str], new: dict[str, str]) -> dict[str, Any]:
    return request(aws, "Update", PhysicalResourceId=physical_id, ResourceProperties=new, OldResourceProperties=old)


def deletion(aws: Aws, physical_id: str, of: dict[str, Any]) -> dict[str, Any]:
    return request(aws, "Delete", PhysicalResourceId=physical_id, ResourceProperties=of)


def a_job_is_started(aws: Aws, training: str = "training-a", **more: str) -> str:
    answer = until_answered(aws, creation(aws, training, **more))
    assert answer["Status"] == "SUCCESS"
    let_time_pass(aws, 1)
    return str(answer["PhysicalResourceId"])


def let_time_pass(aws: Aws, seconds: float) -> None:
    until = aws.time + seconds
    while aws.deliveries and aws.deliveries[0].at <= until:
        aws.deliver_next()
    aws.time = max(aws.time, until)
    aws.catch_up()


def until_lost(aws: Aws, event: dict[str, Any], step: str, fault: Fault) -> None:
    """Deliver an event three times, and have each delivery killed: the first at that step."""
    aws.invoke_later(event)
    for faults in ({step: [fault]}, {"get": [Fault.KILLED_BEFORE]}, {"get": [Fault.KILLED_BEFORE]}):
        aws.faults = dict(faults)
        aws.deliver_next()
    aws.faults = {}
    assert aws.dead_letters.pop() == event
    assert event["RequestId"] not in aws.answered


def statuses(aws: Aws) -> list[str | None]:
    """Those of the jobs that were started, in their order."""
    return [aws.status(started.key) for started in aws.started]


def until_answered(aws: Aws, event: dict[str, Any]) -> dict[str, Any]:
    aws.invoke_later(event)
    while event["RequestId"] not in aws.answered and aws.deliveries:
        aws.deliver_next()
    body: dict[str, Any] = aws.answered[event["RequestId"]][0].body
    return body


def both_clusters_run(stop_seconds: float = 60) -> Aws:
    return Aws(
        jobs={Key(cluster, "movies"): RunningJob(stop_seconds, arn=f"arn:{cluster}") for cluster in (BLUE, GREEN)}
    )


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
    assert aws.status(Key(BLUE, "movies")) == IN_PROGRESS


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
    assert aws.status(Key(BLUE, "movies")) == STOPPED
    assert aws.status(Key(GREEN, "movies")) == IN_PROGRESS


def test_a_cluster_that_stays_away_is_told_to_the_user_at_each_of_the_three_attempts() -> None:
    aws = both_clusters_run()
    aws.outages = {"get": Fault.UNREACHABLE, "cancel": Fault.UNREACHABLE}
    for number in range(3):
        attempt = request(aws, "Delete", number, PhysicalResourceId=f"{BLUE}:8182/movies")
        began = aws.time
        answer = until_answered(aws, attempt)
        assert answer["Status"] == "FAILED"
        assert "refused the connection" in answer["Reason"]
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
        "BaseProcessingJobArn",
        "RemoteModelTransformJobArn",
        "ModelNames",
        "ModelArns",
    }


def test_the_jobs_of_two_clusters_with_one_id_are_two_jobs() -> None:
    aws = both_clusters_run(stop_seconds=1)
    ids = {}
    for number, cluster in enumerate([BLUE, GREEN]):
        create = request(aws, "Create", number, ResourceProperties=properties(cluster))
        ids[cluster] = until_answered(aws, create)["PhysicalResourceId"]
    delete = request(aws, "Delete", PhysicalResourceId=ids[GREEN], ResourceProperties=properties(GREEN))
    assert until_answered(aws, delete)["Status"] == "SUCCESS"
    assert (aws.status(Key(BLUE, "movies")), aws.status(Key(GREEN, "movies"))) == (IN_PROGRESS, STOPPED)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
@pytest.mark.parametrize("fault", [Fault.NONE, Fault.UNAVAILABLE, Fault.LOST_ANSWER, Fault.LATE])
def test_the_jobs_of_two_kinds_with_one_id_are_two_jobs(kind: Kind, fault: Fault) -> None:
    keys = {it: Key(BLUE, "movies", it.resource_type) for it in KINDS}
    aws = Aws(jobs={key: RunningJob(1, arn=f"arn:{'/'.join(key)}") for key in keys.values()})
    for number, it in enumerate(KINDS):
        create = request(aws, "Create", number, ResourceType=it.resource_type)
        assert until_answered(aws, create)["PhysicalResourceId"] == f"{BLUE}:8182/movies"
    delete = request(aws, "Delete", ResourceType=kind.resource_type, PhysicalResourceId=f"{BLUE}:8182/movies")
    aws.faults = {"cancel": [fault]}
    assert until_answered(aws, delete)["Status"] == "SUCCESS"
    assert aws.answered[delete["RequestId"]][0].job_status in {None, STOPPED}
    assert {it for it, key in keys.items() if aws.status(key) != IN_PROGRESS} == {kind}


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


@pytest.mark.parametrize("away_seconds", [300, 900])
def test_the_rollback_of_a_move_to_another_name_of_the_jobs_cluster_rides_out_minutes_without_neptune(
    away_seconds: float,
) -> None:
    aws = both_clusters_run()
    del aws.jobs[Key(GREEN, "movies")]
    physical_id = f"{BLUE}:8182/movies"
    assert until_answered(aws, change(aws, physical_id, properties(BLUE), properties(BLUE_TOO)))["Status"] == "SUCCESS"
    moved = until_answered(aws, change(aws, physical_id, properties(BLUE_TOO), properties(GREEN)))
    assert moved["Status"] == "FAILED"
    aws.outages = {"get": Fault.UNREACHABLE}
    rollback = change(aws, physical_id, properties(GREEN), properties(BLUE_TOO))
    aws.invoke_later(rollback)
    let_time_pass(aws, away_seconds)
    aws.outages = {}
    let_time_pass(aws, 60)
    (answer,) = aws.answered[rollback["RequestId"]]
    assert (answer.body["Status"] == "SUCCESS") == (away_seconds < 600)
    assert answer.body["PhysicalResourceId"] == physical_id


@pytest.mark.parametrize("trouble", ["no such job", "away", "another job"])
def test_a_move_to_another_cluster_is_judged_by_neptune_also_after_an_upgrade(trouble: str) -> None:
    """What was a property for the version before is none now; that does not make a rollback of it."""
    aws = both_clusters_run()
    if trouble == "no such job":
        del aws.jobs[Key(GREEN, "movies")]
    if trouble == "away":
        aws.outages = {"get": Fault.UNREACHABLE}
    of_version_before, new = properties(BLUE, Renamed="true"), properties(GREEN)
    if trouble == "another job":  # which does not complete in time
        new |= {"WaitForCompletion": "true", "ServiceTimeout": "60"}
    update = change(aws, f"{BLUE}:8182/movies", of_version_before, new)
    assert until_answered(aws, update)["Status"] == "FAILED"


def test_a_replacement_that_is_rolled_back_by_an_update_rides_out_minutes_without_neptune() -> None:
    aws = both_clusters_run()
    aws.jobs[Key(BLUE, "books")] = RunningJob(60, arn="arn:books")
    movies, books = properties(), properties(job="books")
    replaced = until_answered(aws, change(aws, f"{BLUE}:8182/movies", movies, books))["PhysicalResourceId"]
    aws.outages = {"get": Fault.UNREACHABLE}
    rollback = change(aws, replaced, books, movies)
    aws.invoke_later(rollback)
    let_time_pass(aws, 300)
    aws.outages = {}
    let_time_pass(aws, 60)
    (answer,) = aws.answered[rollback["RequestId"]]
    assert (answer.body["Status"], answer.body["PhysicalResourceId"]) == ("SUCCESS", f"{BLUE}:8182/movies")


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
    aws = Aws(jobs={Key(BLUE, "movies"): RunningJob(None)})
    aws.outages, aws.outages_end = dict.fromkeys(steps, fault), seconds
    delete = request(aws, "Delete", PhysicalResourceId=f"{BLUE}:8182/movies")
    aws.invoke_later(delete)
    deliver_ten_at_a_time(aws, until=900)
    assert aws.answered == {} or seconds == 900
    # What eleven invocations may put, the first and ten of the queue's: one, where the queue answers no question, and
    # six in a quarter of an hour at most.
    assert len(aws.deliveries) <= 11 * (1 if len(steps) > 1 and seconds < 900 else 7)
    assert sum(count for (service, _), count in aws.calls.items() if service == "neptune") <= 1000
    aws.jobs[Key(BLUE, "movies")].status = STOPPED
    deliver_ten_at_a_time(aws)
    answer = aws.answered[delete["RequestId"]][0].body
    if seconds < 900:
        assert answer["Status"] == "SUCCESS"
    else:
        assert answer["Status"] == "FAILED"
        assert "The deletion can be tried again: it goes on waiting." in answer["Reason"]


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


# --- stacks that start their jobs -------------------------------------------------------------------------------------


def test_a_job_is_started_and_ends_with_its_resource() -> None:
    aws = Aws()
    physical_id = a_job_is_started(aws)
    assert statuses(aws) == [IN_PROGRESS]
    assert [key_of_resource(physical_id)] == [started.key for started in aws.started]
    assert until_answered(aws, deletion(aws, physical_id, described()))["Status"] == "SUCCESS"
    assert statuses(aws) == [STOPPED]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
def test_of_each_kind_a_creation_that_was_not_heard_leaves_nothing_and_other_kinds_alone(kind: Kind) -> None:
    aws = Aws()
    shared = {"ServiceToken": FUNCTION_ARN, "Endpoint": BLUE}
    of = {it: {**shared, **DESCRIPTIONS[it.resource_type]} for it in KINDS}
    for it in KINDS:
        create = request(aws, "Create", ResourceType=it.resource_type, ResourceProperties=of[it])
        if it is kind:
            until_lost(aws, create, "start", Fault.KILLED_AFTER)
        else:
            assert until_answered(aws, create)["Status"] == "SUCCESS"
    delete = deletion(aws, "graph-Job-1N2K5RF3Q0J6K", of[kind]) | {"ResourceType": kind.resource_type}
    assert until_answered(aws, delete)["Status"] == "SUCCESS"
    assert {it.key.kind for it in aws.started} == set(KINDS)
    assert {it.key.kind for it in aws.started if aws.status(it.key) in (STOPPED, None)} == {kind}


@pytest.mark.parametrize("jitter", range(4))
@pytest.mark.parametrize("wait", ["true", "false"])
@pytest.mark.parametrize("after", [3.0, 30.0, 80.0, 100.0])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
def test_of_each_kind_a_creation_that_is_delivered_again_after_its_deletion_leaves_nothing(
    kind: Kind, after: float, wait: str, jitter: int
) -> None:
    random.seed(jitter)  # with 2, what was deleted is created again between two looks
    aws = Aws(remembers_ids=False, plan=Plan(stop_seconds=5))
    of = {"ServiceToken": FUNCTION_ARN, "Endpoint": BLUE, "WaitForStop": wait, **DESCRIPTIONS[kind.resource_type]}
    create = request(aws, "Create", ResourceType=kind.resource_type, ResourceProperties=of)
    physical_id = until_answered(aws, create)["PhysicalResourceId"]
    aws.invoke_later(create, after=after)
    delete = deletion(aws, physical_id, of) | {"ResourceType": kind.resource_type}
    assert until_answered(aws, delete)["Status"] == "SUCCESS"
    assert (aws.time > 100) is (not kind.ended)
    let_time_pass(aws, 600)
    assert IN_PROGRESS not in statuses(aws)


@pytest.mark.parametrize("wait", ["true", "false"])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
def test_of_each_kind_a_creation_that_was_not_heard_and_is_delivered_again_after_its_deletion_leaves_nothing(
    kind: Kind, wait: str
) -> None:
    aws = Aws(remembers_ids=False, plan=Plan(stop_seconds=5))
    of = {"ServiceToken": FUNCTION_ARN, "Endpoint": BLUE, "WaitForStop": wait, **DESCRIPTIONS[kind.resource_type]}
    create = request(aws, "Create", ResourceType=kind.resource_type, ResourceProperties=of)
    aws.invoke_later(create)
    aws.faults = {"start": [Fault.KILLED_AFTER]}
    aws.deliver_next()  # Lambda's next delivery comes after a minute
    delete = deletion(aws, "graph-Job-1N2K5RF3Q0J6K", of) | {"ResourceType": kind.resource_type}
    assert until_answered(aws, delete)["Status"] == "SUCCESS"
    let_time_pass(aws, 600)
    assert IN_PROGRESS not in statuses(aws)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("fault", list(Fault))
@pytest.mark.parametrize("appear_seconds", [0.0, 20.0])
def test_whatever_happens_to_a_creation_once_its_next_delivery_finds_the_job(
    step: str, fault: Fault, appear_seconds: float
) -> None:
    aws = Aws(plan=Plan(appear_seconds=appear_seconds))
    create = creation(aws)
    aws.faults = {step: [fault]}
    answer = until_answered(aws, create)
    aws.faults = {}
    let_time_pass(aws, 4000)
    if answer["Status"] == "FAILED":
        assert until_answered(aws, deletion(aws, answer["PhysicalResourceId"], described()))["Status"] == "SUCCESS"
        assert set(statuses(aws)) <= {STOPPED}
    else:
        assert statuses(aws) == [IN_PROGRESS]
        assert key_of_resource(answer["PhysicalResourceId"]) == aws.started[0].key
    assert len(aws.started) <= 1


@pytest.mark.parametrize("fault", [Fault.LOST_ANSWER, Fault.LATE, Fault.UNAVAILABLE, Fault.THROTTLED, Fault.OVERTAKEN])
def test_a_lost_answer_of_the_start_starts_no_second_job(fault: Fault) -> None:
    aws = Aws(plan=Plan(appear_seconds=20))
    aws.faults = {"start": [fault]}
    answer = until_answered(aws, creation(aws))
    let_time_pass(aws, 600)
    assert answer["Status"] == "SUCCESS"
    assert statuses(aws) == [IN_PROGRESS]


@pytest.mark.parametrize("after", [0.0, 1.0, 30.0, 179.0, 4000.0])
def test_a_creation_that_is_delivered_again_is_answered_with_the_same_job(after: float) -> None:
    aws = Aws(plan=Plan(appear_seconds=5))
    create = creation(aws)
    aws.invoke_later(create)
    aws.invoke_later(create, after=after)
    let_time_pass(aws, 5000)
    first, *others = aws.answered[create["RequestId"]]
    assert [it.body["PhysicalResourceId"] for it in others] == [first.body["PhysicalResourceId"]]
    assert statuses(aws) == [IN_PROGRESS]


@pytest.mark.parametrize("step", ["get", "start", "answer"])
def test_two_deliveries_at_once_start_one_job(step: str) -> None:
    aws = Aws()
    create = creation(aws)
    aws.faults = {step: [Fault.OVERTAKEN]}
    until_answered(aws, create)
    assert {it.body["PhysicalResourceId"] for it in aws.answered[create["RequestId"]]} == {
        f"{BLUE}:8182/{aws.started[0].key[1]}"
    }
    assert len(aws.answered[create["RequestId"]]) == 2
    assert len(aws.started) == 1


@pytest.mark.parametrize("fault", [Fault.KILLED_AFTER, Fault.KILLED_BEFORE])
@pytest.mark.parametrize("step", ["get", "start"])
def test_the_deletion_after_a_creation_that_was_never_answered_cancels_what_it_started(step: str, fault: Fault) -> None:
    aws = Aws()
    until_lost(aws, creation(aws), step, fault)
    delete = deletion(aws, "graph-Job-1N2K5RF3Q0J6K", described())
    assert until_answered(aws, delete)["Status"] == "SUCCESS"
    assert set(statuses(aws)) <= {STOPPED}


@pytest.mark.parametrize("fault", [Fault.NONE, Fault.KILLED_AFTER, Fault.LATE, Fault.LOST_ANSWER, Fault.HANGS])
@pytest.mark.parametrize("appear_seconds", [0.0, 20.0])
def test_a_deletion_that_comes_while_the_creation_runs_cancels_what_that_starts_afterwards(
    fault: Fault, appear_seconds: float
) -> None:
    aws = Aws(plan=Plan(appear_seconds=appear_seconds))
    create = creation(aws)
    delete = deletion(aws, "graph-Job-1N2K5RF3Q0J6K", described())
    aws.invoke_later(create, after=80)
    aws.invoke_later(delete, after=1)
    aws.deliver_next()
    while aws.deliveries and aws.deliveries[0].event is not create:
        aws.deliver_next()
    aws.faults = {"start": [fault]}
    aws.deliver_next()
    aws.faults = {}
    let_time_pass(aws, 1200)
    assert aws.answered[delete["RequestId"]][0].body["Status"] == "SUCCESS"
    assert set(statuses(aws)) <= {STOPPED}


def test_a_creation_that_failed_says_which_job_its_deletion_cancels() -> None:
    aws = Aws(plan=Plan(stop_seconds=5))
    properties_ = described(WaitForCompletion="true", ServiceTimeout="60")
    answer = until_answered(aws, request(aws, "Create", ResourceProperties=properties_))
    assert answer["Status"] == "FAILED"
    assert key_of_resource(answer["PhysicalResourceId"]) == aws.started[0].key
    assert until_answered(aws, deletion(aws, answer["PhysicalResourceId"], properties_))["Status"] == "SUCCESS"
    assert statuses(aws) == [STOPPED]


def test_a_creation_that_neptune_refuses_is_rolled_back_when_no_delivery_can_start_its_job_any_more() -> None:
    aws = Aws()
    answer = until_answered(aws, creation(aws, REFUSED))
    assert answer["Status"] == "FAILED"
    began = aws.time
    assert until_answered(aws, deletion(aws, answer["PhysicalResourceId"], described(REFUSED)))["Status"] == "SUCCESS"
    assert aws.time - began < 170
    assert aws.started == []


@pytest.mark.parametrize(("ends_as", "status"), [(COMPLETED, "SUCCESS"), (FAILED, "FAILED")])
def test_a_creation_that_waits_is_answered_when_the_job_has_ended(ends_as: str, status: str) -> None:
    aws = Aws(plan=Plan(run_seconds=1000, ends_as=ends_as))
    create = creation(aws, WaitForCompletion="true")
    answer = until_answered(aws, create)
    assert answer["Status"] == status
    assert aws.answered[create["RequestId"]][0].job_status == ends_as
    assert 1000 <= aws.time < 1100


@pytest.mark.parametrize("fault", [Fault.UNREACHABLE, Fault.DENIED, Fault.UNAVAILABLE])
def test_without_a_queue_a_creation_that_waits_names_its_job_when_the_invocation_is_over(fault: Fault) -> None:
    aws = Aws(outages={"send": fault})
    properties_ = described(WaitForCompletion="true")
    answer = until_answered(aws, request(aws, "Create", ResourceProperties=properties_))
    assert answer["Status"] == "FAILED"
    assert "The function cannot wait on: " in answer["Reason"]
    assert until_answered(aws, deletion(aws, answer["PhysicalResourceId"], properties_))["Status"] == "SUCCESS"
    assert statuses(aws) == [STOPPED]


def test_another_description_is_another_job_and_the_old_one_is_cancelled_afterwards() -> None:
    aws = Aws()
    old = a_job_is_started(aws)
    answer = until_answered(aws, change(aws, old, described(), described("training-b")))
    assert answer["Status"] == "SUCCESS"
    assert statuses(aws) == [IN_PROGRESS, IN_PROGRESS]
    assert until_answered(aws, deletion(aws, old, described()))["Status"] == "SUCCESS"
    assert statuses(aws) == [STOPPED, IN_PROGRESS]
    assert key_of_resource(answer["PhysicalResourceId"]) == aws.started[1].key


def after_a_failed_update(aws: Aws, physical_id: str, old: dict[str, str], new: dict[str, str]) -> dict[str, Any]:
    """CloudFormation rolls back."""
    rollback = change(aws, physical_id, new, old)
    answer = until_answered(aws, rollback)
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", physical_id)
    return rollback


def test_the_rollback_of_an_update_that_failed_cancels_what_it_started() -> None:
    aws = Aws()
    old = a_job_is_started(aws)
    new = described("training-b", WaitForCompletion="true", ServiceTimeout="60")
    assert until_answered(aws, change(aws, old, described(), new))["Status"] == "FAILED"
    after_a_failed_update(aws, old, described(), new)
    let_time_pass(aws, 600)
    assert statuses(aws) == [IN_PROGRESS, STOPPED]


@pytest.mark.parametrize("step", ["get", "list", "start"])
def test_the_rollback_of_an_update_that_was_never_answered_cancels_what_it_started(step: str) -> None:
    aws = Aws()
    old = a_job_is_started(aws)
    new = described("training-b")
    until_lost(aws, change(aws, old, described(), new), step, Fault.KILLED_AFTER)
    after_a_failed_update(aws, old, described(), new)
    let_time_pass(aws, 600)
    assert statuses(aws) in ([IN_PROGRESS, STOPPED], [IN_PROGRESS])


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
def test_of_each_kind_an_update_that_is_delivered_again_after_its_rollback_leaves_nothing(kind: Kind) -> None:
    aws = Aws(remembers_ids=False, plan=Plan(stop_seconds=5))
    old: dict[str, Any] = {"ServiceToken": FUNCTION_ARN, "Endpoint": BLUE, **DESCRIPTIONS[kind.resource_type]}
    of = {"ResourceType": kind.resource_type}
    physical_id = until_answered(aws, request(aws, "Create", ResourceProperties=old) | of)["PhysicalResourceId"]
    new = {**old, "VolumeEncryptionKMSKey": "key", "WaitForCompletion": "true", "ServiceTimeout": "30"}
    update = change(aws, physical_id, old, new) | of
    aws.invoke_later(update)
    aws.faults = {"start": [Fault.KILLED_AFTER]}
    aws.deliver_next()  # Lambda's next delivery comes after a minute
    assert until_answered(aws, change(aws, physical_id, new, old) | of)["PhysicalResourceId"] == physical_id
    let_time_pass(aws, 600)
    assert IN_PROGRESS not in statuses(aws)[1:]


def test_the_rollback_of_an_update_waits_for_a_job_that_is_late() -> None:
    aws = Aws(plan=Plan(appear_seconds=20))
    old = a_job_is_started(aws)
    new = described("training-b", ServiceTimeout="30")
    aws.faults = {"start": [Fault.LATE]}
    assert until_answered(aws, change(aws, old, described(), new))["Status"] == "FAILED"
    after_a_failed_update(aws, old, described(), new)
    let_time_pass(aws, 600)
    assert statuses(aws) == [IN_PROGRESS, STOPPED]


def test_the_rollback_of_an_update_waits_for_a_delivery_that_is_late() -> None:
    aws = Aws()
    old = a_job_is_started(aws)
    new = described("training-b")
    update = change(aws, old, described(), new)
    aws.invoke_later(update, after=80)
    aws.faults = {"start": [Fault.DENIED]}
    assert until_answered(aws, update)["Status"] == "FAILED"
    after_a_failed_update(aws, old, described(), new)
    let_time_pass(aws, 600)
    assert statuses(aws) == [IN_PROGRESS, STOPPED]


def test_the_rollback_of_a_move_to_another_cluster_cancels_what_was_started_there() -> None:
    aws = Aws()
    old = a_job_is_started(aws)
    new = described(endpoint=GREEN, WaitForCompletion="true", ServiceTimeout="60")
    assert until_answered(aws, change(aws, old, described(), new))["Status"] == "FAILED"
    assert statuses(aws) == [IN_PROGRESS, IN_PROGRESS]
    after_a_failed_update(aws, old, described(), new)
    let_time_pass(aws, 600)
    assert statuses(aws) == [IN_PROGRESS, STOPPED]


def test_a_rollback_that_is_delivered_again_leaves_the_job_of_the_next_update_alone() -> None:
    aws = Aws()
    old = a_job_is_started(aws)
    until_lost(aws, change(aws, old, described(), described("training-b")), "get", Fault.KILLED_BEFORE)
    rollback = after_a_failed_update(aws, old, described(), described("training-b"))
    let_time_pass(aws, 10)
    assert until_answered(aws, change(aws, old, described(), described("training-b")))["Status"] == "SUCCESS"
    aws.invoke_later(rollback, after=30)
    let_time_pass(aws, 1000)
    assert statuses(aws) == [IN_PROGRESS, IN_PROGRESS]


def test_a_deletion_that_is_delivered_again_leaves_the_job_of_the_next_creation_alone() -> None:
    aws = Aws()
    until_lost(aws, creation(aws), "get", Fault.KILLED_BEFORE)
    delete = deletion(aws, "graph-Job-1N2K5RF3Q0J6K", described())
    assert until_answered(aws, delete)["Status"] == "SUCCESS"
    let_time_pass(aws, 10)
    a_job_is_started(aws)
    aws.invoke_later(delete, after=30)
    let_time_pass(aws, 1000)
    assert statuses(aws) == [IN_PROGRESS]


@pytest.mark.parametrize("restores_id", [True, False])
def test_a_replacement_that_is_rolled_back_goes_back_to_the_job_that_still_runs(restores_id: bool) -> None:  # noqa: FBT001
    aws = Aws()
    old, new = described(), described("training-b")
    first = a_job_is_started(aws)
    second = until_answered(aws, change(aws, first, old, new))["PhysicalResourceId"]
    if not restores_id:
        answer = until_answered(aws, change(aws, second, new, old))
        assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", first)
    assert until_answered(aws, deletion(aws, second, new))["Status"] == "SUCCESS"
    assert statuses(aws) == [IN_PROGRESS, STOPPED]
    assert until_answered(aws, deletion(aws, first, old))["Status"] == "SUCCESS"
    assert statuses(aws) == [STOPPED, STOPPED]


def test_a_retained_job_runs_on_when_its_name_is_created_and_deleted_again() -> None:
    aws = Aws()
    a_job_is_started(aws)
    again = a_job_is_started(aws)
    assert until_answered(aws, deletion(aws, again, described()))["Status"] == "SUCCESS"
    assert statuses(aws) == [IN_PROGRESS, STOPPED]


@pytest.mark.parametrize("fault", [Fault.UNAVAILABLE, Fault.LATE, Fault.UNREACHABLE, Fault.DENIED])
def test_a_retained_job_runs_on_when_its_name_is_created_again_and_that_fails(fault: Fault) -> None:
    aws = Aws(plan=Plan(appear_seconds=20))
    a_job_is_started(aws)
    aws.outages = {"start": fault}
    answer = until_answered(aws, creation(aws, ServiceTimeout="30"))
    aws.outages = {}
    assert answer["Status"] == "FAILED"
    assert until_answered(aws, deletion(aws, answer["PhysicalResourceId"], described()))["Status"] == "SUCCESS"
    let_time_pass(aws, 600)
    assert statuses(aws) in ([IN_PROGRESS], [IN_PROGRESS, STOPPED])


def test_a_job_that_was_retained_long_ago_runs_on_when_an_update_back_to_its_description_fails() -> None:
    aws = Aws()
    first = a_job_is_started(aws)
    assert until_answered(aws, change(aws, first, described(), described("training-b")))["Status"] == "SUCCESS"
    # The update is rolled back by its id, and the replacement is retained (UpdateReplacePolicy).
    let_time_pass(aws, 2 * 86400)
    new = described("training-b", WaitForCompletion="true", ServiceTimeout="60")
    assert until_answered(aws, change(aws, first, described(), new))["Status"] == "FAILED"
    after_a_failed_update(aws, first, described(), new)
    let_time_pass(aws, 600)
    assert statuses(aws) == [IN_PROGRESS, IN_PROGRESS, STOPPED]


@pytest.mark.parametrize("lists_ended", [True, False])
def test_a_deletion_waits_for_a_late_job_although_an_older_one_is_stopping(lists_ended: bool) -> None:  # noqa: FBT001
    aws = Aws(lists_ended=lists_ended, plan=Plan(stop_seconds=100))
    first = a_job_is_started(aws, WaitForStop="false")
    assert until_answered(aws, deletion(aws, first, described(WaitForStop="false")))["Status"] == "SUCCESS"
    assert statuses(aws) == [STOPPING]
    create = creation(aws)
    delete = deletion(aws, "graph-Job-1N2K5RF3Q0J6K", described())
    aws.invoke_later(create, after=80)
    assert until_answered(aws, delete)["Status"] == "SUCCESS"
    let_time_pass(aws, 600)
    assert statuses(aws) == [STOPPED, STOPPED]


def test_a_resource_goes_from_adopting_to_starting_and_back() -> None:
    aws = both_clusters_run()
    adopted = f"{BLUE}:8182/movies"
    started = until_answered(aws, change(aws, adopted, properties(), described()))["PhysicalResourceId"]
    assert key_of_resource(started) == aws.started[0].key
    assert until_answered(aws, deletion(aws, adopted, properties()))["Status"] == "SUCCESS"
    answer = until_answered(aws, change(aws, started, described(), properties(GREEN)))
    assert answer["PhysicalResourceId"] == f"{GREEN}:8182/movies"
    assert until_answered(aws, deletion(aws, started, described()))["Status"] == "SUCCESS"
    assert (aws.status(Key(BLUE, "movies")), aws.status(Key(GREEN, "movies"))) == (STOPPED, IN_PROGRESS)
    assert statuses(aws) == [STOPPED]


def test_the_rollback_from_starting_to_adopting_cancels_what_was_started() -> None:
    aws = both_clusters_run()
    new = described(WaitForCompletion="true", ServiceTimeout="60")
    assert until_answered(aws, change(aws, f"{BLUE}:8182/movies", properties(), new))["Status"] == "FAILED"
    after_a_failed_update(aws, f"{BLUE}:8182/movies", properties(), new)
    let_time_pass(aws, 600)
    assert statuses(aws) == [STOPPED]
    assert aws.status(Key(BLUE, "movies")) == IN_PROGRESS


@pytest.mark.parametrize("pause_seconds", [0, 300, 3000])
def test_the_rollback_of_an_update_that_took_its_hour_cancels_what_was_started(pause_seconds: float) -> None:
    """Other resources of the stack are still updated, or are rolled back first."""
    aws = both_clusters_run()
    new = described(WaitForCompletion="true")
    assert until_answered(aws, change(aws, f"{BLUE}:8182/movies", properties(), new))["Status"] == "FAILED"
    let_time_pass(aws, pause_seconds)
    after_a_failed_update(aws, f"{BLUE}:8182/movies", properties(), new)
    let_time_pass(aws, 600)
    assert statuses(aws) == [STOPPED]


@pytest.mark.parametrize("endpoint", [BLUE, BLUE_TOO])
@pytest.mark.parametrize("away_seconds", [300, 4000])
def test_a_rollback_waits_for_the_cluster_of_what_was_started_whatever_its_name(
    endpoint: str, away_seconds: float
) -> None:
    """The job is that of the resource's first name of the cluster, its Endpoint another one."""
    aws = Aws()
    old = a_job_is_started(aws)
    before, failed = described(endpoint=endpoint), described("training-b", endpoint=endpoint)
    assert until_answered(aws, change(aws, old, described(), before))["PhysicalResourceId"] == old
    until_lost(aws, change(aws, old, before, failed), "start", Fault.KILLED_AFTER)
    aws.outages = dict.fromkeys(("get", "list", "start", "cancel"), Fault.UNREACHABLE)
    rollback = change(aws, old, failed, before)
    aws.invoke_later(rollback)
    let_time_pass(aws, away_seconds)
    aws.outages = {}
    let_time_pass(aws, 600)
    (answer,) = aws.answered[rollback["RequestId"]]
    assert (answer.body["Status"], answer.body["PhysicalResourceId"]) == ("SUCCESS", old)
    if away_seconds < 600:
        assert statuses(aws) == [IN_PROGRESS, STOPPED]
    else:
        assert aws.told == {rollback["RequestId"]}


def test_a_rollback_without_neptune_succeeds_and_tells_the_operator() -> None:
    aws = Aws()
    old = a_job_is_started(aws)
    new = described("training-b")
    until_lost(aws, change(aws, old, described(), new), "start", Fault.KILLED_AFTER)
    aws.outages = dict.fromkeys(("get", "list", "start", "cancel"), Fault.UNREACHABLE)
    rollback = after_a_failed_update(aws, old, described(), new)
    assert aws.told == {rollback["RequestId"]}


def test_an_unanswered_creation_on_a_cluster_that_is_down_is_told_to_the_user() -> None:
    aws = Aws()
    until_lost(aws, creation(aws), "start", Fault.KILLED_AFTER)
    aws.outages = dict.fromkeys(("get", "list", "start", "cancel"), Fault.UNREACHABLE)
    assert until_answered(aws, deletion(aws, "graph-Job-1N2K5RF3Q0J6K", described()))["Status"] == "FAILED"
    aws.outages = {}
    let_time_pass(aws, 60)
    assert until_answered(aws, deletion(aws, "graph-Job-1N2K5RF3Q0J6K", described()))["Status"] == "SUCCESS"
    assert statuses(aws) == [STOPPED]


def test_the_job_of_the_same_id_in_another_cluster_is_waited_for_until_it_has_completed() -> None:
    aws = both_clusters_run()
    aws.jobs[Key(GREEN, "movies")].ends_at = 500
    new = properties(GREEN, WaitForCompletion="true")
    update = change(aws, f"{BLUE}:8182/movies", properties(), new)
    assert until_answered(aws, update)["PhysicalResourceId"] == f"{GREEN}:8182/movies"
    assert aws.answered[update["RequestId"]][0].job_status == COMPLETED
