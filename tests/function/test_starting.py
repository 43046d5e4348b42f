"""A resource that starts its job: what each request comes to, over HTTP."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from provider import neptune
from provider.custom_resource.waiting import FIELD
from provider.hosts import Hosts
from provider.identity import Identity
from provider.lifecycle import Asked, Lifecycle, Patience, Told, Waiting
from provider.observability import conceal
from simulator import ErrorAnswer, Fault, Hang, JobStatus, RawAnswer, Reset, Simulator
from tests.function.asking import answered, begun, create, delete, job_id, update
from tests.function.world import Queue, delivered

if TYPE_CHECKING:
    from tests.function.world import World

GONE = ErrorAnswer("MLResourceNotFoundException")


# --- Create -----------------------------------------------------------------------------------------------------------


def test_a_create_starts_its_job_and_says_what_is_known_of_it(world: World) -> None:
    answer = answered(world, create(world))
    started = job_id(answer)
    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == f"{world.simulator.url}/{started}"
    assert started.startswith("graph-Job-")
    assert answer["Data"]["Id"] == started
    assert answer["Data"]["Status"] == "InProgress"
    assert world.simulator.jobs() == {started: JobStatus.IN_PROGRESS}
    assert world.calls == ["start", "get"]


def test_a_create_that_waits_is_answered_with_everything_when_the_job_has_completed(world: World) -> None:
    world.simulator.plan = replace(world.simulator.plan, base_seconds=300, run_seconds=1200)
    answer = answered(world, create(world, WaitForCompletion="true"))
    assert answer["Status"] == "SUCCESS"
    assert answer["Data"]["Status"] == "Completed"
    assert all(answer["Data"].values())
    assert 1200 <= world.time() <= 1240
    assert world.starts == 1


@pytest.mark.parametrize(("seconds", "started"), [(3500, 1), (3700, 0)])
def test_a_create_that_comes_late_starts_its_job_while_cloudformation_waits(
    world: World, seconds: float, started: int
) -> None:
    event = create(world)
    world.pass_time(seconds)
    world.run(event)
    assert world.starts == started


def test_a_job_that_fails_fails_the_create_that_waits_with_its_own_words(world: World) -> None:
    words = "No space left on device. " * 100
    world.simulator.plan = replace(world.simulator.plan, run_seconds=60, fails_with=words)
    answer = answered(world, create(world, WaitForCompletion="true"))
    assert answer["Status"] == "FAILED"
    started = job_id(answer)
    assert answer["Reason"].startswith(
        f"The job {started} has not completed: its status is Failed. Its log: "
        "https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#logStream:group="
    )
    assert ";streamFilter=typeLogStreamPrefix Neptune's reason: No space left on device. " in answer["Reason"]
    assert " (log stream:" in answer["Reason"]
    assert answered(world, delete(world, answer["PhysicalResourceId"]))["Status"] == "SUCCESS"


def test_a_job_that_somebody_stops_fails_the_create_that_waits(world: World) -> None:
    event = create(world, WaitForCompletion="true")
    world.invoke(event)
    (started,) = world.simulator.running()
    properties = world.lifecycle.schema.parse({}, for_delete=True)
    world.connect(Identity.parse(f"{world.simulator.url}/{started}").endpoint).cancel(started, properties)  # type: ignore[union-attr]
    world.drain()
    answer = world.answer(event)
    assert answer["Status"] == "FAILED"
    assert "its status is Stopped" in answer["Reason"]


def test_a_job_that_does_not_complete_in_time_is_cancelled_by_the_delete_that_follows(world: World) -> None:
    answer = answered(world, create(world, WaitForCompletion="true", ServiceTimeout="900"))
    started = job_id(answer)
    assert answer["Status"] == "FAILED"
    assert f"The job {started} has not completed yet (its status is InProgress)." in answer["Reason"]
    assert (
        "The operation reached its time limit (ServiceTimeout). Increase ServiceTimeout (at most 3600), or use "
        "CompletionHandle instead of WaitForCompletion. The job will be cancelled when" in answer["Reason"]
    )
    assert world.simulator.running() == (started,)
    assert answered(world, delete(world, answer["PhysicalResourceId"]))["Status"] == "SUCCESS"
    assert world.simulator.running() == ()


def test_a_job_that_vanishes_while_it_is_waited_for_is_not_started_again(world: World) -> None:
    event = create(world, WaitForCompletion="true")
    world.at(world.time() + 60, lambda: world.simulator.inject(Fault(GONE, on=["get"], times=None)))
    answer = answered(world, event)
    assert answer["Status"] == "FAILED"
    assert "It disappeared while the provider waited for it." in answer["Reason"]
    assert job_id(answer) in answer["Reason"]
    assert world.starts == 1


def test_a_started_job_whose_attributes_do_not_fit_is_cancelled_by_the_delete_that_follows(world: World) -> None:
    body = json.dumps({"status": "InProgress", "baseProcessingJob": {"outputLocation": "s3://" + "x" * 4000}})
    world.simulator.inject(Fault(GONE, on=["get"]))  # before it is started
    world.simulator.inject(Fault(RawAnswer(200, body, "application/json"), on=["get"]))
    answer = answered(world, create(world))
    assert answer["Status"] == "FAILED"
    assert "exceed CloudFormation's limit of 4,096 bytes" in answer["Reason"]
    world.simulator.clear_faults()
    answered(world, delete(world, answer["PhysicalResourceId"]))
    assert world.simulator.running() == ()


@pytest.mark.parametrize("is_always", [False, True])
def test_what_was_started_before_a_fault_of_the_providers_own_is_cancelled_by_the_delete_that_follows(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    is_always: bool,  # noqa: FBT001
) -> None:
    look, looks = Lifecycle.look, []

    def fail_later(it: Lifecycle, asked: Asked, so_far: Patience, **ports: Any) -> Told | Waiting:  # noqa: ANN401
        looks.append(asked)
        if len(looks) >= 3 and (is_always or len(looks) == 3):
            raise ZeroDivisionError
        return look(it, asked, so_far, **ports)

    monkeypatch.setattr(Lifecycle, "look", fail_later)
    answer = answered(world, create(world, WaitForCompletion="true"))
    assert "because of a bug" in answer["Reason"]
    assert len(world.simulator.running()) == 1
    monkeypatch.undo()
    assert answered(world, delete(world, answer["PhysicalResourceId"]))["Status"] == "SUCCESS"
    assert world.simulator.running() == ()


def test_a_failed_job_that_nobody_waits_for_is_the_resources_job(world: World) -> None:
    world.simulator.plan = replace(world.simulator.plan, run_seconds=0, fails_with="x")
    answer = answered(world, create(world))
    assert (answer["Status"], answer["Data"]["Status"]) == ("SUCCESS", "Failed")


def test_an_operator_who_has_not_switched_starting_on_is_asked_to(world: World) -> None:
    world.may_start = False
    event = create(world)
    answer = answered(world, event)
    assert answer["Status"] == "FAILED"
    assert "StartJobs" in answer["Reason"]
    assert answer["PhysicalResourceId"] == f"no-job/{event['RequestId']}"
    assert answered(world, delete(world, answer["PhysicalResourceId"]))["Status"] == "SUCCESS"
    assert world.calls == []


@pytest.mark.parametrize("words", ["no training job movies", "The location s3://bucket/out already exists."])
def test_what_neptune_refuses_to_start_fails_in_its_words(world: World, words: str) -> None:
    world.simulator.inject(Fault(ErrorAnswer("BadRequestException", words), on=["start"], times=None))
    event = create(world)
    answer = answered(world, event)
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("The job graph-Job-")
    assert " could not be started. Neptune at " in answer["Reason"]
    assert words in answer["Reason"]
    assert answer["PhysicalResourceId"] == f"no-job/{event['RequestId']}"
    assert answered(world, delete(world, answer["PhysicalResourceId"]))["Status"] == "SUCCESS"
    assert (world.time(), world.cancellations) == (0, [])


def test_the_delete_of_a_creation_that_was_refused_leaves_the_job_of_the_one_after_it(world: World) -> None:
    """Without rollback, the user mends the template and updates the stack; then CloudFormation clears up."""
    world.simulator.inject(Fault(ErrorAnswer("BadRequestException"), on=["start"]))
    failed = answered(world, create(world))["PhysicalResourceId"]
    world.pass_time(600)
    live = answered(world, create(world))
    assert answered(world, delete(world, failed))["Status"] == "SUCCESS"
    assert world.simulator.running() == (job_id(live),)


def test_a_wrong_description_fails_before_anything_is_asked(world: World) -> None:
    answer = answered(world, create(world, Id="job-1"))
    assert answer["Status"] == "FAILED"
    assert "cannot be combined with properties of a new one" in answer["Reason"]
    assert world.calls == []


# --- a start without a clear answer -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        Fault(Reset(), on=["start"], takes_effect=True),
        Fault(RawAnswer(503, "busy"), on=["start"], takes_effect=True),
        Fault(RawAnswer(503, "busy"), on=["start"]),
        Fault(RawAnswer(200, "<html>"), on=["start"], takes_effect=True),
        Fault(Reset(), on=["start"], takes_effect=True, late_seconds=30),
        Fault(ErrorAnswer("TooManyRequestsException"), on=["start"], times=5),
        Fault(ErrorAnswer("BadRequestException", "same ID already exists"), on=["start"], takes_effect=True),
    ],
    ids=["lost answer", "5xx with effect", "5xx", "garbage", "late", "throttled", "taken"],
)
def test_a_start_without_a_clear_answer_starts_one_job(world: World, fault: Fault) -> None:
    world.simulator.inject(fault)
    answer = answered(world, create(world))
    assert answer["Status"] == "SUCCESS"
    assert list(world.simulator.jobs()) == [job_id(answer)]
    world.pass_time(120)
    assert len(world.simulator.jobs()) == 1


@pytest.mark.usefixtures("impatient")
def test_a_start_that_hangs_and_took_effect_starts_one_job(world: World) -> None:
    world.simulator.inject(Fault(Hang(), on=["start"], takes_effect=True))
    answer = answered(world, create(world))
    assert answer["Status"] == "SUCCESS"
    assert list(world.simulator.jobs()) == [job_id(answer)]
    assert world.starts == 1


def test_after_an_unclear_start_the_job_is_looked_for_and_not_started_again_at_once(world: World) -> None:
    world.simulator.inject(Fault(Reset(), on=["start"], takes_effect=True, late_seconds=50))
    answer = answered(world, create(world))
    assert answer["Status"] == "SUCCESS"
    assert world.starts == 1
    assert 50 <= world.time() <= 60


def test_a_start_that_neptune_never_confirms_is_given_up_after_minutes(world: World) -> None:
    world.simulator.inject(Fault(RawAnswer(500), on=["start"], times=None))
    answer = answered(world, create(world))
    assert (answer["Status"], world.starts) == ("FAILED", 2)
    assert 180 <= world.time() <= 215


@pytest.mark.parametrize("seconds", [40, 600])
def test_a_job_that_is_slow_to_appear_is_waited_for(world: World, seconds: float) -> None:
    world.simulator.plan = replace(world.simulator.plan, appear_seconds=seconds)
    answer = answered(world, create(world))
    assert answer["Status"] == "SUCCESS"
    assert answer["Data"]["Status"] == "InProgress"
    assert seconds <= world.time() <= seconds * 1.1 + 2
    assert list(world.simulator.jobs()) == [job_id(answer)]


@pytest.mark.parametrize("timeout", ["3600", "60"])
def test_a_cluster_that_cannot_be_reached_fails_the_create_and_not_its_rollback(world: World, timeout: str) -> None:
    world.take_cluster_down()
    event = create(world, ServiceTimeout=timeout)
    answer = answered(world, event)
    assert answer["Status"] == "FAILED"
    assert answer["PhysicalResourceId"] == f"no-job/{event['RequestId']}"
    assert " could not be started. Neptune at " in answer["Reason"]
    assert "refused the connection" in answer["Reason"]
    ended = world.time()
    assert ended == pytest.approx({"3600": 180, "60": 54}[timeout], abs=20)
    assert answered(world, delete(world, answer["PhysicalResourceId"], ServiceTimeout=timeout))["Status"] == "SUCCESS"
    assert world.time() == ended


def test_the_watchdog_names_the_job_of_a_start_that_hangs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neptune, "READ_SECONDS", {**neptune.READ_SECONDS, "start": 3.0})
    world.simulator.inject(Fault(Hang(), on=["start"], takes_effect=True))
    event = create(world, ServiceTimeout="1")
    thread = threading.Thread(target=world.invoke, args=[event])
    thread.start()
    answer = world.host.wait_for(event["RequestId"], seconds=5).body
    thread.join(10)
    assert answer["Status"] == "FAILED"
    assert job_id(answer) in answer["Reason"]
    assert answered(world, delete(world, answer["PhysicalResourceId"]))["Status"] == "SUCCESS"
    assert world.simulator.running() == ()


# --- more than one delivery -------------------------------------------------------------------------------------------


def test_the_same_create_delivered_twice_at_once_has_one_job(world: World) -> None:
    event = create(world)
    world.simulator.inject(Fault(on=["start"], delay_seconds=0.3))
    threads = [threading.Thread(target=world.invoke, args=[event]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    world.drain()
    assert {(it["Status"], it["PhysicalResourceId"]) for it in world.answers(event)} == {
        ("SUCCESS", f"{world.simulator.url}/{world.simulator.running()[0]}")
    }
    assert len(world.simulator.jobs()) == 1


# --- Delete -----------------------------------------------------------------------------------------------------------


def test_a_delete_cancels_the_job_that_was_started(world: World) -> None:
    answer = answered(world, create(world))
    assert answered(world, delete(world, answer["PhysicalResourceId"], Clean="true"))["Status"] == "SUCCESS"
    assert world.cancellations == [(f"/ml/modeltransform/{job_id(answer)}", "clean=true")]
    assert world.simulator.running() == ()


# --- Update -----------------------------------------------------------------------------------------------------------


def test_a_change_of_the_description_starts_another_job_and_the_clean_up_cancels_the_old_one(world: World) -> None:
    old = answered(world, create(world))
    world.pass_time(60)
    new = answered(
        world,
        update(world, old["PhysicalResourceId"], world.described(), world.described(TrainingJobName="v2")),
    )
    assert new["Status"] == "SUCCESS"
    assert new["PhysicalResourceId"] != old["PhysicalResourceId"]
    assert world.simulator.running() == (job_id(old), job_id(new))
    assert answered(world, delete(world, old["PhysicalResourceId"]))["Status"] == "SUCCESS"
    assert world.simulator.running() == (job_id(new),)


def test_a_change_of_settings_starts_nothing(world: World) -> None:
    old = answered(world, create(world))
    settings = {"Clean": "true", "WaitForStop": "false", "WaitForCompletion": "true", "ServiceTimeout": "60"}
    new = answered(world, update(world, old["PhysicalResourceId"], world.described(), world.described(**settings)))
    assert (new["Status"], new["PhysicalResourceId"]) == ("SUCCESS", old["PhysicalResourceId"])
    assert world.starts == 1


def test_another_spelling_of_the_description_is_the_same_description(world: World) -> None:
    before = world.described(BaseProcessingInstanceVolumeSizeInGB="30")
    after = world.described(BaseProcessingInstanceVolumeSizeInGB=30)
    old = answered(world, create(world, BaseProcessingInstanceVolumeSizeInGB="30"))
    new = answered(world, update(world, old["PhysicalResourceId"], before, after))
    assert new["PhysicalResourceId"] == old["PhysicalResourceId"]
    assert world.starts == 1


# --- adopting, and waiting for completion -----------------------------------------------------------------------------


def test_a_job_that_is_adopted_can_be_waited_for(world: World) -> None:
    world.simulator.start_job("job-1", run_seconds=500)
    answer = world.ask("Create", ResourceProperties=world.properties(WaitForCompletion="true"))
    assert (answer["Status"], answer["Data"]["Status"]) == ("SUCCESS", "Completed")


def test_without_the_queue_no_longer_time_limit_is_advised_for_a_job_that_is_started(world: World) -> None:
    assert isinstance(world.queue, Queue)
    world.queue.problem = "No queue is here."
    answer = answered(world, create(world, WaitForCompletion="true"))
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith(
        f"The job {job_id(answer)} has not completed yet (its status is InProgress). The function cannot wait any "
        "longer: No queue is here. The job will be cancelled when "
    )
    assert "ServiceTimeout" not in answer["Reason"]
    assert 780 <= world.time() <= 840


def test_without_the_queue_a_second_attempt_is_advised_for_a_job_that_is_adopted(world: World) -> None:
    assert isinstance(world.queue, Queue)
    world.queue.problem = "No queue is here."
    world.simulator.start_job("job-1")
    answer = answered(world, world.event("Create", ResourceProperties=world.properties(WaitForCompletion="true")))
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith(
        "The job job-1 has not completed yet (its status is InProgress). The function cannot wait any longer: "
        "No queue is here. Try again."
    )


def test_a_job_that_fails_while_it_is_waited_for_is_not_adopted(world: World) -> None:
    world.simulator.start_job("job-1", run_seconds=50, fails_with="No space left")
    event = world.event("Create", ResourceProperties=world.properties(WaitForCompletion="true"))
    answer = answered(world, event)
    assert answer["Status"] == "FAILED"
    assert "No space left" in answer["Reason"]
    assert answer["PhysicalResourceId"] == f"no-job/{event['RequestId']}"


# --- an Update that is tried again, or rolled back --------------------------------------------------------------------


@pytest.mark.parametrize("wait", ["true", "false"])
def test_an_update_that_is_tried_again_after_its_job_has_failed_starts_another_job(world: World, wait: str) -> None:
    """The first try failed for want of a permission, and was rolled back; what was missing is there now."""
    old = answered(world, create(world))
    world.pass_time(60)
    v2 = world.described(TrainingJobName="v2", WaitForCompletion=wait)
    plan = world.simulator.plan
    world.simulator.plan = replace(plan, run_seconds=30, fails_with="Access denied")
    first = answered(world, update(world, old["PhysicalResourceId"], world.described(), v2))
    if wait == "true":
        assert first["Status"] == "FAILED"
    world.pass_time(60)
    answered(world, update(world, first["PhysicalResourceId"], v2, world.described()))
    world.pass_time(600)
    world.simulator.plan = replace(plan, run_seconds=30)
    second = answered(world, update(world, old["PhysicalResourceId"], world.described(), v2))
    assert second["Status"] == "SUCCESS"
    assert second["Data"]["Status"] == ("Completed" if wait == "true" else "InProgress")


def test_what_a_failed_update_started_in_another_cluster_is_cancelled(world: World) -> None:
    old = answered(world, create(world))
    world.pass_time(60)
    with Simulator(clock=world.time) as green:
        there = world.described(Endpoint=green.url, WaitForCompletion="true", ServiceTimeout="60")
        failed = answered(world, update(world, old["PhysicalResourceId"], world.described(), there))
        assert failed["Status"] == "FAILED"
        assert len(green.jobs()) == 1
        rollback = answered(world, update(world, old["PhysicalResourceId"], there, world.described()))
        assert (rollback["Status"], rollback["PhysicalResourceId"]) == ("SUCCESS", old["PhysicalResourceId"])
        assert green.running() == ()


def test_the_job_of_a_failed_update_is_looked_at_with_growing_pauses_and_cancelled_once_a_minute(world: World) -> None:
    old = answered(world, create(world))["PhysicalResourceId"]
    ignored = RawAnswer(200, "{}", "application/json")
    world.simulator.inject(Fault(ignored, on=["cancel"], times=None))
    v2 = world.described(TrainingJobName="v2", WaitForCompletion="true", ServiceTimeout="60", Clean="true")
    world.invoke(update(world, old, world.described(), v2))
    world.drain(until=lambda: world.time() > 360)
    assert 4 <= len(world.cancellations) <= 6
    assert {query for _, query in world.cancellations} == {"clean=true"}  # as its own description says
    assert 60 <= world.calls.count("get") <= 90


def test_a_replacement_that_takes_too_long_does_not_speak_of_the_deletion_of_the_resource(world: World) -> None:
    old = answered(world, create(world))
    v2 = world.described(TrainingJobName="v2", WaitForCompletion="true", ServiceTimeout="60")
    failed = answered(world, update(world, old["PhysicalResourceId"], world.described(), v2))
    assert "when CloudFormation deletes this resource" not in failed["Reason"]


def test_a_rollback_of_a_mistyped_endpoint_does_not_wait_ten_minutes(world: World) -> None:
    old = answered(world, create(world))
    typo = world.described(Endpoint="http://127.0.0.1:1", TrainingJobName="v2")
    failed = answered(world, update(world, old["PhysicalResourceId"], world.described(), typo))
    assert failed["Status"] == "FAILED"
    began = world.time()
    assert answered(world, update(world, old["PhysicalResourceId"], typo, world.described()))["Status"] == "SUCCESS"
    assert world.time() - began < 120


def test_the_order_of_subnets_does_not_describe_another_job(world: World) -> None:
    old = answered(world, create(world, Subnets=["subnet-1", "subnet-2"]))
    before = world.described(Subnets=["subnet-1", "subnet-2"])
    after = world.described(Subnets=["subnet-2", "subnet-1"])
    new = answered(world, update(world, old["PhysicalResourceId"], before, after))
    assert new["PhysicalResourceId"] == old["PhysicalResourceId"]


def test_the_message_of_a_job_calls_no_host_that_the_operator_has_taken_away(world: World) -> None:
    old = answered(world, create(world))["PhysicalResourceId"]
    v2 = world.described(TrainingJobName="v2", WaitForCompletion="true", ServiceTimeout="600")
    event = update(world, old, world.described(), v2)
    world.invoke(event)
    world.drain(until=lambda: bool(world.answers(event)))
    calls = len(world.calls)
    clusters = world.settings.clusters
    world.settings = world.settings._replace(clusters=Hosts.of_clusters())
    world.drain(until=lambda: world.time() > 7200)
    assert len(world.calls) == calls
    world.settings = world.settings._replace(clusters=clusters)
    world.drain()
    assert {world.physical_id(it) for it in world.simulator.running()} == {old}


def test_a_logical_id_that_is_renamed_in_the_template_has_a_new_job(world: World) -> None:
    old = answered(world, create(world))["PhysicalResourceId"]
    new = answered(world, {**create(world), "LogicalResourceId": "Renamed"})
    answered(world, delete(world, old))
    assert (world.starts, world.simulator.running()) == (2, (job_id(new),))


# --- messages of another version --------------------------------------------------------------------------------------


def test_a_message_that_cannot_be_read_does_not_deny_the_job_that_it_waits_for(world: World) -> None:
    """A provider of another version put it into the queue."""
    event = create(world, WaitForCompletion="true")
    ((record,),) = begun(world, event).values()
    message = json.loads(record["body"])
    message[FIELD]["Patience"] = {"silent_since": "at last"}
    world.run(delivered(message))
    answer = world.answer(event)
    assert "Patience was not written by the provider" in answer["Reason"]
    answered(world, delete(world, answer["PhysicalResourceId"]))
    assert world.simulator.running() == ()


def test_a_message_of_which_nothing_can_be_read_leaves_nothing(world: World) -> None:
    event = create(world, WaitForCompletion="true")
    begun(world, event)
    world.run(delivered({**event, FIELD: {}, "ResourceProperties": "none"}))
    assert world.answer(event)["PhysicalResourceId"] == f"no-job/{event['RequestId']}"


def test_a_message_of_a_resource_type_that_is_gone_is_answered(world: World) -> None:
    world.simulator.start_job("job-1", stop_seconds=600)
    event = world.event("Delete")
    begun(world, event)
    world.run(delivered({**event, FIELD: {}, "ResourceType": "Custom::Other"}))
    answer = world.answer(event)
    assert answer["Status"] == "FAILED"
    assert "The provider has no resource type 'Custom::Other'" in answer["Reason"]
    assert answer["PhysicalResourceId"] == world.physical_id()


# --- what is told besides ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("half", ["DataProcessingJobId", "MlModelTrainingJobId"])
def test_half_of_a_pair_beside_the_other_way_is_an_error(world: World, half: str) -> None:
    answer = answered(world, create(world, **{half: "x"}))
    assert answer["Status"] == "FAILED"


def test_a_secret_behind_a_path_of_the_console_is_concealed() -> None:
    assert "5ec7e7" not in conceal("https://x.amazonaws.com/cloudwatch/home?X-Amz-Signature=5ec7e7")
    link = "https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#logStream:group=/aws/x"
    assert conceal(link) == link


def test_a_lost_answer_of_a_start_counts_as_a_start(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded: list[str] = []
    monkeypatch.setattr("provider.lifecycle.lifecycle.record", lambda name, *_: recorded.append(name))
    world.simulator.inject(Fault(Reset(), on=["start"], takes_effect=True))
    answered(world, create(world))
    assert recorded == ["JobsStarted"]
