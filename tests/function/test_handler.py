"""The entry point, with the environment that the template or `sam local` gives it."""

from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING, Any

import pytest

import provider.handler
from provider import observability
from provider.clock import Clock
from provider.custom_resource.answer import Undeliverable
from provider.custom_resource.request import Unanswerable
from provider.custom_resource.waiting import Owed
from provider.kinds import KINDS
from simulator import ErrorAnswer, Fault, RawAnswer, Reset
from tests.function.world import (
    EPOCH,
    QUEUE_ARN,
    QUEUE_URL,
    ROUTE_CHECK,
    LambdaContext,
    Queue,
    delivered,
    published,
    record,
)

if TYPE_CHECKING:
    from types import ModuleType

    from local.ministack import MiniStack
    from provider.kinds.kind import Kind
    from tests.function.world import World


@pytest.fixture
def entry(world: World, journal_table: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module as the template's environment makes it."""
    del world  # which comes first, for its port
    monkeypatch.setenv("JOURNAL_TABLE", journal_table)
    observability.metrics.clear_metrics()  # of other tests, which flush none
    monkeypatch.setenv("ALLOWED_HOSTS", "127.0.0.1")
    monkeypatch.setenv("RESPONSE_HOSTS", "127.0.0.1")
    return importlib.reload(provider.handler)


@pytest.fixture
def naps(entry: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the function sleeps, which it does not really."""
    taken: list[float] = []
    door = entry._front_door._replace(clock=Clock(sleep=taken.append))
    monkeypatch.setattr(entry, "_front_door", door)
    return taken


@pytest.fixture
def local(world: World, entry: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module as `sam local invoke` makes it, in the world's time."""
    monkeypatch.setenv("AWS_SAM_LOCAL", "true")
    monkeypatch.setenv("WAITING_QUEUE_URL", "WaitingRequests")  # as SAM has it there
    module = importlib.reload(entry)
    door = module._front_door
    lifecycles = {name: lifecycle._replace(clock=world.clock) for name, lifecycle in door.lifecycles.items()}
    door = door._replace(clock=world.clock, lifecycles=lifecycles)
    monkeypatch.setattr(module, "_front_door", door)
    return module


def unheard(world: World) -> dict[str, Any]:
    event = world.event("Delete", PhysicalResourceId="graph-Job-1N2K5RF3Q0J6K")
    event["ResponseURL"] = event["ResponseURL"].replace(world.host.url, "http://127.0.0.1:9")
    return event


def test_a_request_is_fulfilled_and_written_down(
    world: World, entry: ModuleType, aws: MiniStack, journal_table: str
) -> None:
    world.simulator.start_job("job-1")
    event = world.event("Create")
    told = entry.handler(event, LambdaContext())
    assert told == {"Status": "SUCCESS", "Reason": ""}
    assert world.answer(event)["Status"] == "SUCCESS"
    assert aws.client("dynamodb").scan(TableName=journal_table)["Count"] == 1


def test_a_cluster_is_checked_whatever_kinds_are_switched_off(
    world: World, entry: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KINDS", "none,none,none,none")
    event = world.event(
        "Create",
        ResourceType=ROUTE_CHECK,
        ResourceProperties={"Route": "Cluster", "Endpoint": world.simulator.url},
    )
    told = importlib.reload(entry).handler(event, LambdaContext())
    assert told["Status"] == "SUCCESS"
    assert [record.path for record in world.simulator.log] == ["/ml/dataprocessing/route-check"]


@pytest.mark.parametrize(("value", "starts"), [("true", 1), ("false", 0), (None, 0)])
def test_jobs_are_started_where_the_environment_says_so(
    world: World, entry: ModuleType, monkeypatch: pytest.MonkeyPatch, value: str | None, starts: int
) -> None:
    if value is not None:
        monkeypatch.setenv("START_JOBS", value)
    event = world.event("Create", ResourceProperties=world.described())
    told = importlib.reload(entry).handler(event, LambdaContext())
    assert told["Status"] == ("SUCCESS" if starts else "FAILED")
    assert ("StartJobs" in told["Reason"]) == (not starts)
    assert (world.starts, len(world.simulator.running())) == (starts, starts)


def test_a_message_of_the_queue_is_told_from_a_request(world: World, entry: ModuleType) -> None:
    world.simulator.start_job("job-1", status="Stopped")
    event = world.event("Delete")
    assert entry.handler(delivered(event), LambdaContext())["Status"] == "SUCCESS"
    assert world.answer(event)["Status"] == "SUCCESS"


def test_a_request_that_comes_by_way_of_sns_is_fulfilled(world: World, entry: ModuleType) -> None:
    world.simulator.start_job("job-1")
    event = world.event("Create")
    assert entry.handler(published(event), LambdaContext())["Status"] == "SUCCESS"
    assert world.answer(event)["PhysicalResourceId"] == world.physical_id()


def test_a_request_that_comes_by_way_of_sns_waits_without_its_envelope(world: World) -> None:
    world.simulator.start_job("job-1", stop_seconds=60)
    event = world.event("Delete")
    world.run(published(event))
    assert world.answer(event)["Status"] == "SUCCESS"
    assert len(world.cancellations) == 1


@pytest.mark.parametrize("message", ["Hello", {"alarm": "on"}, None])
def test_another_message_of_the_topic_is_no_error_of_the_function(entry: ModuleType, message: object) -> None:
    assert entry.handler(published(message), LambdaContext())["Status"] == "UNANSWERED"


@pytest.mark.parametrize(
    "records",
    [
        [],
        None,
        "Records",
        [None],
        [{}],
        [{"eventSource": "aws:s3", "s3": {}}],
        [record("{}", arn=f"{QUEUE_ARN}-2")],
        [record("{}"), record("{}")],
        [{**record("{}"), "eventSource": "aws:kinesis"}],
        [{**record("{}"), "body": {}}],
        [*published({})["Records"], *published({})["Records"]],
        [{"EventSource": "aws:sns", "Sns": {}}],
        [{"EventSource": "aws:s3", "Sns": {"Message": "{}"}}],
    ],
    ids=str,
)
def test_other_records_fail_the_invocation_and_touch_nothing(world: World, records: object) -> None:
    with pytest.raises(Unanswerable, match="Records are neither a message from the provider's queue"):
        world.invoke({"Records": records})
    assert isinstance(world.queue, Queue)
    assert world.queue.delivered_soon == []
    assert world.simulator.log == ()
    assert world.host.attempts == 0


def test_the_providers_own_queue_is_that_of_the_environment(
    world: World, entry: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAITING_QUEUE_URL", f"{QUEUE_URL}-2")
    event = world.event("Delete")
    module = importlib.reload(entry)
    with pytest.raises(Unanswerable, match="Records"):
        module.handler(delivered(event), LambdaContext())
    world.simulator.start_job("job-1", status="Stopped")
    ours = {"Records": [record(json.dumps(event), arn=f"{QUEUE_ARN}-2")]}
    assert module.handler(ours, LambdaContext())["Status"] == "SUCCESS"


def test_an_answer_that_cannot_be_delivered_fails_the_invocation(
    world: World, entry: ModuleType, naps: list[float]
) -> None:
    with pytest.raises(Undeliverable, match="in 5 attempts"):
        entry.handler(unheard(world), LambdaContext())
    assert naps == [0.5, 1, 2, 4]


def test_a_request_that_cannot_be_answered_fails_the_invocation(world: World, entry: ModuleType) -> None:
    with pytest.raises(Unanswerable, match="ResponseURL"):
        entry.handler(
            world.event("Delete", ResponseURL="https://evil.example/?X-Amz-Signature=5ec7e7"), LambdaContext()
        )


def test_the_queues_look_finds_its_client_made(
    world: World, entry: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.simulator.start_job("job-1", status="Stopped")
    entry.handler(world.event("Delete"), LambdaContext())
    monkeypatch.setattr("boto3.client", lambda *_, **__: pytest.fail("another client is made"))
    event = world.event("Delete")
    entry.handler(delivered(event), LambdaContext())
    assert world.answer(event)["Status"] == "SUCCESS"


@pytest.mark.parametrize("event", [None, 5, "Records", ["Records"]])
def test_an_event_of_another_form_is_no_error_of_the_function(entry: ModuleType, event: object) -> None:
    assert entry.handler(event, LambdaContext())["Status"] == "UNANSWERED"


# --- sam local --------------------------------------------------------------------------------------------------------


def test_in_sam_local_it_is_said_at_once_and_without_an_exception(world: World, local: ModuleType) -> None:
    told = local.handler(unheard(world), LambdaContext())
    assert told["Status"] == "UNANSWERED"
    assert told["Reason"].endswith("Is `make local` running in another terminal?")


def test_in_sam_local_an_event_that_cannot_be_answered_is_no_exception(world: World, local: ModuleType) -> None:
    told = local.handler(world.event("Delete", ResponseURL="https://evil.example/"), LambdaContext())
    assert told == {"Status": "UNANSWERED", "Reason": "The event's ResponseURL is not a pre-signed URL."}


def test_in_sam_local_there_is_no_queue_to_wait_in(world: World, local: ModuleType) -> None:
    world.simulator.start_job("job-1", stop_seconds=60)
    event = world.event("Delete")
    assert local.handler(event, LambdaContext(900, world.time))["Status"] == "SUCCESS"
    assert 60 <= world.time() <= 67


@pytest.mark.parametrize("request_type", ["Create", "Delete"])
def test_in_sam_local_a_cluster_that_is_down_is_not_waited_for(
    world: World, local: ModuleType, request_type: str
) -> None:
    world.take_cluster_down()
    event = world.event(request_type)
    told = local.handler(event, LambdaContext(900, world.time))
    assert told["Status"] == "FAILED"
    assert "refused the connection" in told["Reason"]
    assert world.time() == 0


# --- metrics ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def metered(world: World, entry: ModuleType, monkeypatch: pytest.MonkeyPatch) -> World:
    """The world with the entry point in it, which writes the metrics."""

    def invoke(event: object, remaining: float = 900.0) -> dict[str, str]:
        monkeypatch.setattr(entry, "_front_door", world.front_door)
        told: dict[str, str] = entry.handler(event, LambdaContext(remaining, world.time))
        return told

    monkeypatch.setattr(world, "invoke", invoke)
    return world


def metrics_in(output: str) -> dict[str, list[float]]:
    """All values of each metric that the function has written so far, in CloudWatch's embedded metric format."""
    values: dict[str, list[float]] = {}
    for line in output.splitlines():
        written = json.loads(line)
        for directive in written.get("_aws", {}).get("CloudWatchMetrics", []):
            assert directive["Namespace"] == "NeptuneML"
            for metric in directive["Metrics"]:
                values.setdefault(metric["Name"], []).extend(written[metric["Name"]])
    return values


def test_a_create_counts_as_no_failure(metered: World, capsys: pytest.CaptureFixture[str]) -> None:
    metered.simulator.start_job("job-1")
    metered.ask("Create")
    assert metrics_in(capsys.readouterr().out) == {"Failures": [0]}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
def test_metrics_are_those_of_the_provider_and_of_the_resource_type(
    metered: World, capsys: pytest.CaptureFixture[str], kind: Kind
) -> None:
    metered.ask("Create", ResourceType=kind.resource_type)
    written = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (metrics,) = [it for it in written if "_aws" in it]
    (directive,) = metrics["_aws"]["CloudWatchMetrics"]
    assert [set(names) for names in directive["Dimensions"]] == [{"service", "function"}, {"function", "resource_type"}]
    assert (metrics["service"], metrics["resource_type"]) == ("neptune-ml", kind.resource_type)


def test_an_invocation_without_metrics_leaves_no_dimensions_to_the_next(
    metered: World, capsys: pytest.CaptureFixture[str]
) -> None:
    resource = f"stack|Resource|{KINDS[0].resource_type}"
    metered.invoke(delivered(Owed(resource, metered.physical_id(), EPOCH - 3600).as_json()))
    metered.ask("Create", ResourceType=KINDS[-1].resource_type)
    (written,) = [it for it in map(json.loads, capsys.readouterr().out.splitlines()) if "_aws" in it]
    assert written["resource_type"] == KINDS[-1].resource_type
    assert len(written["_aws"]["CloudWatchMetrics"][0]["Dimensions"]) == 2


def test_what_is_no_resource_type_is_no_dimension(metered: World, capsys: pytest.CaptureFixture[str]) -> None:
    metered.ask("Create", ResourceType="Custom::NeptuneMLModelTransfromJob")
    written = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (metrics,) = [it for it in written if "_aws" in it]
    (directive,) = metrics["_aws"]["CloudWatchMetrics"]
    assert [set(names) for names in directive["Dimensions"]] == [{"service", "function"}]


def test_a_failed_create_counts_as_a_failure_but_not_of_a_deletion(
    metered: World, capsys: pytest.CaptureFixture[str]
) -> None:
    metered.ask("Create")
    assert metrics_in(capsys.readouterr().out) == {"Failures": [1]}


def test_a_deletion_counts_the_cancellation_and_the_seconds_to_the_stop(
    metered: World, capsys: pytest.CaptureFixture[str]
) -> None:
    metered.time.advance(1000)
    metered.simulator.start_job("job-1", stop_seconds=1)
    metered.ask("Delete")
    metrics = metrics_in(capsys.readouterr().out)
    (seconds,) = metrics.pop("SecondsToStop")
    assert 1 <= seconds <= 2
    assert metrics == {"JobsCancelled": [1], "Failures": [0], "FailedDeletions": [0]}


@pytest.mark.parametrize("stop_seconds", [100, 2000])
def test_the_seconds_to_the_stop_are_right_over_a_long_wait(
    metered: World, capsys: pytest.CaptureFixture[str], stop_seconds: float
) -> None:
    metered.simulator.start_job("job-1", stop_seconds=stop_seconds)
    metered.ask("Delete")
    metrics = metrics_in(capsys.readouterr().out)
    (seconds,) = metrics["SecondsToStop"]
    assert stop_seconds <= seconds <= stop_seconds * 1.1 + 1
    assert metrics["JobsCancelled"] == [1]
    assert metrics["Failures"] == metrics["FailedDeletions"] == [0]
    assert len(metrics["StillWaiting"]) > 20
    assert set(metrics["StillWaiting"]) == {1}


def test_the_seconds_to_the_stop_begin_with_the_cancellation_also_if_its_answer_was_lost(
    metered: World, capsys: pytest.CaptureFixture[str]
) -> None:
    metered.simulator.start_job("job-1", stop_seconds=100)
    metered.simulator.inject(Fault(Reset(), on=["cancel"], takes_effect=True))
    metered.simulator.inject(Fault(ErrorAnswer("TooManyRequestsException"), on=["get"], times=7))
    metered.ask("Delete")
    metrics = metrics_in(capsys.readouterr().out)
    (seconds,) = metrics["SecondsToStop"]
    assert 100 <= seconds <= 111
    assert sum(metrics["JobsCancelled"]) == 1


def test_a_job_that_somebody_else_cancels_is_not_counted_as_ours(
    metered: World, capsys: pytest.CaptureFixture[str]
) -> None:
    metered.simulator.start_job("job-1", status="Stopping", stop_seconds=10)
    metered.simulator.inject(Fault(ErrorAnswer("BadRequestException"), on=["cancel"]))
    metered.ask("Delete")
    metrics = metrics_in(capsys.readouterr().out)
    assert sum(metrics.get("JobsCancelled", [])) == 0
    assert metrics["Failures"] == [0]


def test_a_stop_that_nobody_waits_for_has_no_seconds(metered: World, capsys: pytest.CaptureFixture[str]) -> None:
    metered.simulator.start_job("job-1", stop_seconds=300)
    metered.ask("Delete", ResourceProperties=metered.properties(WaitForStop="false"))
    assert metrics_in(capsys.readouterr().out) == {"JobsCancelled": [1], "Failures": [0], "FailedDeletions": [0]}


def test_a_job_that_had_ended_has_no_seconds_to_the_stop(metered: World, capsys: pytest.CaptureFixture[str]) -> None:
    metered.simulator.start_job("job-1", status="Completed")
    metered.ask("Delete")
    assert metrics_in(capsys.readouterr().out) == {"Failures": [0], "FailedDeletions": [0]}


def test_a_request_that_is_put_into_the_queue_counts_as_still_waiting(
    metered: World, capsys: pytest.CaptureFixture[str]
) -> None:
    metered.simulator.start_job("job-1", stop_seconds=None)
    metered.invoke(metered.event("Delete"))
    assert metrics_in(capsys.readouterr().out) == {"StillWaiting": [1]}


def test_a_request_that_the_queue_did_not_take_does_not_count_as_still_waiting(
    metered: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert isinstance(metered.queue, Queue)
    metered.queue.problem = "No queue is here."
    metered.simulator.start_job("job-1", stop_seconds=60)
    metered.ask("Delete")
    assert "StillWaiting" not in metrics_in(capsys.readouterr().out)


def test_a_deletion_that_failed_counts_as_one(metered: World, capsys: pytest.CaptureFixture[str]) -> None:
    metered.simulator.start_job("job-1", stop_seconds=None)
    metered.ask("Delete", ResourceProperties=metered.properties(ServiceTimeout="2"))
    metrics = metrics_in(capsys.readouterr().out)
    assert metrics == {"Failures": [1], "FailedDeletions": [1]}


def test_an_answer_that_was_too_long_counts_as_a_failure(metered: World, capsys: pytest.CaptureFixture[str]) -> None:
    body = json.dumps({"status": "InProgress", "baseProcessingJob": {"outputLocation": "s3://" + "x" * 4000}})
    metered.simulator.inject(Fault(RawAnswer(200, body, "application/json")))
    assert metered.ask("Create")["Status"] == "FAILED"
    assert metrics_in(capsys.readouterr().out) == {"Failures": [1]}


@pytest.mark.parametrize("request_id", [None, "r"])
def test_an_event_that_cannot_be_answered_counts_as_a_failure(
    metered: World, capsys: pytest.CaptureFixture[str], request_id: str | None
) -> None:
    event = metered.event("Delete", ResponseURL="https://evil.example/", RequestId=request_id)
    if request_id is None:
        metered.invoke(event)
    else:
        with pytest.raises(Unanswerable):
            metered.invoke(event)
    assert metrics_in(capsys.readouterr().out) == {"Failures": [1]}


def test_a_malformed_deletion_counts_as_a_failed_one(metered: World, capsys: pytest.CaptureFixture[str]) -> None:
    metered.ask("Delete", ResourceProperties=[])
    assert metrics_in(capsys.readouterr().out) == {"Failures": [1], "FailedDeletions": [1]}
