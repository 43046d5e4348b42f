"""What a start that went wrong may leave behind, and what finds it: no job runs on that nobody was told of."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from provider.custom_resource.answer import Undeliverable
from provider.custom_resource.waiting import FIELD
from provider.observability import conceal
from simulator import ErrorAnswer, Fault, RawAnswer, Reset, Simulator
from tests.function.test_starting import INVENTED, answered, create, delete, job_id, update
from tests.function.world import delivered

if TYPE_CHECKING:
    from pathlib import Path

    from tests.function.world import World

BUSY = RawAnswer(503, "busy")


# --- a Delete that searches, in a stack with a short ServiceTimeout ---------------------------------------------------


@pytest.mark.parametrize("timeout", ["4", "60", "240"])
@pytest.mark.parametrize("physical_id", [INVENTED, "unclear-job/x", "no-job-yet/x"])
def test_a_delete_that_finds_no_job_ends_whatever_the_service_timeout(
    world: World, timeout: str, physical_id: str
) -> None:
    statuses = [answered(world, delete(world, physical_id, ServiceTimeout=timeout))["Status"] for _ in range(5)]
    assert statuses[-1] == "SUCCESS"


def test_a_rollback_of_what_never_reached_the_cluster_ends_whatever_the_service_timeout(world: World) -> None:
    world.take_cluster_down()
    failed = answered(world, create(world, ServiceTimeout="30"))
    assert failed["PhysicalResourceId"].startswith("no-job-yet/")
    rollback = answered(world, delete(world, failed["PhysicalResourceId"], ServiceTimeout="30"))
    assert rollback["Status"] == "SUCCESS"


# --- a Delete that takes another request's job for the leftover -------------------------------------------------------


def test_the_delete_of_a_failed_create_leaves_the_job_of_the_create_that_came_after_it(world: World) -> None:
    """With rollback disabled CloudFormation creates anew, and then deletes what had failed."""
    world.simulator.inject(Fault(BUSY, on=["get"], times=None))
    failed = answered(world, create(world))
    assert failed["PhysicalResourceId"].startswith("no-job-yet/")
    world.simulator.clear_faults()
    live = answered(world, create(world))
    answered(world, delete(world, failed["PhysicalResourceId"]))
    assert world.simulator.running() == (job_id(live),)


def test_the_delete_of_a_failed_create_leaves_a_job_that_was_retained_an_hour_ago(world: World) -> None:
    retained = answered(world, create(world))
    world.pass_time(3600)
    world.simulator.inject(Fault(BUSY, on=["get"], times=None))
    failed = answered(world, create(world))
    world.simulator.clear_faults()
    answered(world, delete(world, failed["PhysicalResourceId"]))
    assert world.simulator.running() == (job_id(retained),)


def test_a_job_that_ended_before_does_not_end_the_search_for_the_one_that_is_to_appear(world: World) -> None:
    """The resource was taken out of the template, and comes back."""
    first = answered(world, create(world))
    answered(world, delete(world, first["PhysicalResourceId"]))
    world.pass_time(60)
    world.simulator.plan = replace(world.simulator.plan, appear_seconds=150)
    failed = answered(world, create(world))
    assert failed["PhysicalResourceId"].startswith("unclear-job/")
    assert answered(world, delete(world, failed["PhysicalResourceId"]))["Status"] == "SUCCESS"
    world.pass_time(600)
    assert world.simulator.running() == ()


def test_a_job_that_ended_before_does_not_end_the_search_for_the_one_whose_create_still_runs(world: World) -> None:
    first = answered(world, create(world))
    answered(world, delete(world, first["PhysicalResourceId"]))
    world.pass_time(60)
    event = create(world)
    world.at(world.time() + 30, lambda: world.invoke(event))
    assert answered(world, delete(world, INVENTED))["Status"] == "SUCCESS"
    world.pass_time(600)
    assert world.simulator.running() == ()


def test_the_delete_of_a_failed_create_leaves_the_job_that_an_update_has_started(world: World) -> None:
    world.simulator.inject(Fault(BUSY, on=["get"], times=None))
    failed = answered(world, create(world))["PhysicalResourceId"]
    world.simulator.clear_faults()
    live = answered(world, update(world, failed, world.described(), world.described()))
    answered(world, delete(world, failed))
    assert world.simulator.running() == (job_id(live),)


def test_a_delete_that_is_replayed_leaves_the_job_of_a_later_create(world: World) -> None:
    old = delete(world, INVENTED)
    answered(world, old)
    world.pass_time(3600)
    live = answered(world, create(world))
    world.run(old)
    world.pass_time(60)
    assert world.simulator.running() == (job_id(live),)


# --- what a failed Update has left ------------------------------------------------------------------------------------


def test_a_rollback_cancels_what_an_update_started_in_another_cluster(world: World, tmp_path: Path) -> None:
    old = answered(world, create(world))
    world.pass_time(60)
    with Simulator(artifacts_dir=tmp_path / "green", clock=world.time) as green:
        there = world.described(Endpoint=green.url, WaitForCompletion="true", ServiceTimeout="60")
        failed = answered(world, update(world, old["PhysicalResourceId"], world.described(), there))
        assert failed["Status"] == "FAILED"
        assert len(green.running()) == 1
        rollback = answered(world, update(world, old["PhysicalResourceId"], there, world.described()))
        assert (rollback["Status"], rollback["PhysicalResourceId"]) == ("SUCCESS", old["PhysicalResourceId"])
        world.pass_time(60)
        assert green.running() == ()


def test_a_rollback_does_not_wait_until_what_an_update_left_has_stopped(world: World) -> None:
    world.simulator.plan = replace(world.simulator.plan, stop_seconds=600)
    old = answered(world, create(world))
    world.pass_time(60)
    new = world.described(TrainingJobName="v2", WaitForCompletion="true", ServiceTimeout="60")
    answered(world, update(world, old["PhysicalResourceId"], world.described(), new))
    began = world.time()
    rollback = answered(world, update(world, old["PhysicalResourceId"], new, world.described()))
    assert rollback["Status"] == "SUCCESS"
    assert world.time() - began < 60
    assert len(world.cancellations) == 1


def test_a_rollback_cancels_what_an_update_starts_that_still_runs(world: World) -> None:
    """Another resource failed: CloudFormation has cancelled the Update of this one and rolls it back at once."""
    old = answered(world, create(world))
    world.pass_time(60)
    v2 = world.described(TrainingJobName="v2")
    world.simulator.inject(Fault(Reset(), on=["start"], takes_effect=True, late_seconds=20))
    cancelled = update(world, old["PhysicalResourceId"], world.described(), v2)
    world.invoke(cancelled)  # waits in the queue
    rollback = update(world, old["PhysicalResourceId"], v2, world.described())
    world.invoke(rollback)
    world.drain()
    assert world.answer(rollback)["Status"] == "SUCCESS"
    world.pass_time(600)
    assert world.simulator.running() == (job_id(old),)


def test_a_rollback_cancels_a_job_that_appears_only_after_its_update_has_failed(world: World) -> None:
    old = answered(world, create(world))
    world.pass_time(60)
    world.simulator.plan = replace(world.simulator.plan, appear_seconds=100)
    v2 = world.described(TrainingJobName="v2")
    assert answered(world, update(world, old["PhysicalResourceId"], world.described(), v2))["Status"] == "FAILED"
    assert answered(world, update(world, old["PhysicalResourceId"], v2, world.described()))["Status"] == "SUCCESS"
    world.pass_time(600)
    assert world.simulator.running() == (job_id(old),)


def test_an_update_that_is_delivered_again_after_its_time_starts_nothing(world: World) -> None:
    """Its first delivery was killed; CloudFormation has given it up after its ServiceTimeout, and rolled back."""
    old = answered(world, create(world))
    world.pass_time(60)
    v2 = world.described(TrainingJobName="v2", ServiceTimeout="60")
    killed = update(world, old["PhysicalResourceId"], world.described(), v2)
    world.pass_time(61)
    assert answered(world, update(world, old["PhysicalResourceId"], v2, world.described()))["Status"] == "SUCCESS"
    world.pass_time(10)
    world.run(killed)
    world.pass_time(600)
    assert world.simulator.running() == (job_id(old),)


def test_a_rollback_that_is_replayed_leaves_the_job_of_a_later_update(world: World) -> None:
    old = answered(world, create(world))
    world.pass_time(60)
    v2 = world.described(TrainingJobName="v2")
    rollback = update(world, old["PhysicalResourceId"], v2, world.described())
    answered(world, rollback)
    world.pass_time(3600)
    live = answered(world, update(world, old["PhysicalResourceId"], world.described(), v2))
    assert live["Status"] == "SUCCESS"
    world.run(rollback)
    world.pass_time(60)
    assert job_id(live) in world.simulator.running()


def test_a_rollback_cancels_each_of_two_jobs_that_were_left(world: World) -> None:
    """Whether two can be left depends on CloudFormation; the loop over them says so."""
    old = answered(world, create(world))
    v2 = world.described(TrainingJobName="v2")
    for _ in range(2):
        world.pass_time(60)
        world.run(create(world, TrainingJobName="v2"))
    world.simulator.inject(Fault(Reset(), on=["cancel"]))
    answered(world, update(world, old["PhysicalResourceId"], v2, world.described()))
    world.pass_time(60)
    assert world.simulator.running() == (job_id(old),)


# --- what changes around a request that waits -------------------------------------------------------------------------


def test_a_job_that_is_waited_for_is_not_forgotten_when_starting_is_switched_off(world: World) -> None:
    event = create(world, WaitForCompletion="true")
    world.invoke(event)
    world.may_start = False
    world.drain()
    answer = world.answer(event)
    if answer["Status"] == "FAILED":
        answered(world, delete(world, answer["PhysicalResourceId"]))
        assert world.simulator.running() == ()


def test_a_delete_does_not_succeed_over_a_perhaps_started_job_when_starting_is_switched_off(world: World) -> None:
    event = create(world)
    world.host.behave((), then=503)
    with suppress(Undeliverable):
        world.invoke(event)
    world.host.behave(())
    world.may_start = False
    answer = answered(world, delete(world, INVENTED))
    assert answer["Status"] == "FAILED" or world.simulator.running() == ()


def test_a_message_that_cannot_be_read_does_not_deny_the_job_that_it_waits_for(world: World) -> None:
    """A provider of another version put it into the queue."""
    event = create(world, WaitForCompletion="true")
    world.invoke(event)
    (message,) = [message for message, _ in world.queue.waiting]  # type: ignore[attr-defined]
    world.queue.waiting.clear()  # type: ignore[attr-defined]
    message[FIELD]["Progress"]["is_seen"] = "at last"
    world.run(delivered(message))
    answer = world.answer(event)
    assert "should have a Progress of the provider's own" in answer["Reason"]
    answered(world, delete(world, answer["PhysicalResourceId"]))
    assert world.simulator.running() == ()


def test_a_message_of_which_nothing_can_be_read_leaves_nothing(world: World) -> None:
    event = create(world, WaitForCompletion="true")
    world.invoke(event)
    ((message, _),) = world.queue.waiting  # type: ignore[attr-defined]
    world.queue.waiting.clear()  # type: ignore[attr-defined]
    world.run(delivered({**message, "ResourceProperties": "none"}))
    assert world.answer(event)["PhysicalResourceId"] == f"no-job/{event['RequestId']}"


def test_a_message_of_a_resource_type_that_is_gone_is_answered(world: World) -> None:
    world.simulator.start_job("job-1", stop_seconds=600)
    event = world.event("Delete")
    world.invoke(event)
    (message,) = [message for message, _ in world.queue.waiting]  # type: ignore[attr-defined]
    world.queue.waiting.clear()  # type: ignore[attr-defined]
    world.run(delivered({**message, "ResourceType": "Custom::Other"}))
    answer = world.answer(event)
    assert answer["Status"] == "FAILED"
    assert "The provider has no resource type 'Custom::Other'" in answer["Reason"]
    assert answer["PhysicalResourceId"] == world.physical_id()


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_a_create_whose_first_delivery_was_refused_and_whose_second_was_not_leaves_no_job(world: World) -> None:
    """Lambda delivers an event at least once; CloudFormation takes the first answer."""
    event = create(world)
    refused = ErrorAnswer("ConstraintViolationException", "Too many jobs in this cluster.")
    world.simulator.inject(Fault(refused, on=["start"]))
    world.run(event)
    world.pass_time(1)
    world.run(event)
    answer = world.answers(event)[0]
    assert answer["Status"] == "FAILED"
    answered(world, delete(world, answer["PhysicalResourceId"]))
    assert world.simulator.running() == ()


def test_a_refused_start_whose_job_is_there_is_no_failure(world: World) -> None:
    refused = ErrorAnswer("BadRequestException", "The id is in use.")
    world.simulator.inject(Fault(refused, on=["start"], takes_effect=True))
    event = create(world)
    answer = answered(world, event)
    if answer["Status"] == "FAILED":
        answered(world, delete(world, answer["PhysicalResourceId"]))
    assert len(world.simulator.running()) == (answer["Status"] == "SUCCESS")


def test_a_refusal_that_speaks_of_something_else_that_exists_keeps_its_words(world: World) -> None:
    words = "The output location s3://bucket/out already exists and belongs to another job."
    world.simulator.inject(Fault(ErrorAnswer("BadRequestException", words), on=["start"], times=None))
    answer = answered(world, create(world))
    assert answer["Status"] == "FAILED"
    assert words in answer["Reason"]


# --- properties and reasons -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("half", ["DataProcessingJobId", "MlModelTrainingJobId"])
def test_half_of_a_pair_beside_the_other_way_is_an_error(world: World, half: str) -> None:
    answer = answered(world, create(world, **{half: "x"}))
    assert answer["Status"] == "FAILED"


def test_the_log_of_a_job_that_failed_with_many_words_is_named_whole(world: World) -> None:
    world.simulator.plan = replace(world.simulator.plan, run_seconds=1, fails_with="Ошибка алгоритма. " * 200)
    answer = answered(world, create(world, WaitForCompletion="true"))
    assert "Its log: https://" in answer["Reason"]
    assert " (log stream:" in answer["Reason"]
    assert ";streamFilter=typeLogStreamPrefix Neptune's reason: " in answer["Reason"]


def test_a_replacement_that_takes_too_long_does_not_speak_of_the_deletion_of_the_resource(world: World) -> None:
    old = answered(world, create(world))
    v2 = world.described(TrainingJobName="v2", WaitForCompletion="true", ServiceTimeout="60")
    failed = answered(world, update(world, old["PhysicalResourceId"], world.described(), v2))
    assert "when CloudFormation deletes this resource" not in failed["Reason"]


def test_a_secret_behind_a_path_of_the_console_is_concealed() -> None:
    assert "5ec7e7" not in conceal("https://x.amazonaws.com/cloudwatch/home?X-Amz-Signature=5ec7e7")
    link = "https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#logStream:group=/aws/x"
    assert conceal(link) == link


# --- what else must not change a job ------------------------------------------------------------------


def test_the_order_of_subnets_does_not_describe_another_job(world: World) -> None:
    old = answered(world, create(world, Subnets=["subnet-1", "subnet-2"]))
    before = world.described(Subnets=["subnet-1", "subnet-2"])
    after = world.described(Subnets=["subnet-2", "subnet-1"])
    new = answered(world, update(world, old["PhysicalResourceId"], before, after))
    assert new["PhysicalResourceId"] == old["PhysicalResourceId"]


def test_another_name_of_the_cluster_needs_no_starting(world: World) -> None:
    old = answered(world, create(world))
    world.may_start = False
    renamed = world.described(Endpoint=world.simulator.url.replace("127.0.0.1", "localhost"))
    new = answered(world, update(world, old["PhysicalResourceId"], world.described(), renamed))
    assert new["Status"] == "SUCCESS"


def test_a_rollback_after_a_replacement_goes_back_where_starting_is_switched_off(world: World) -> None:
    old = answered(world, create(world))
    world.pass_time(60)
    v2 = world.described(TrainingJobName="v2")
    new = answered(world, update(world, old["PhysicalResourceId"], world.described(), v2))
    world.may_start = False
    back = answered(world, update(world, new["PhysicalResourceId"], v2, world.described()))
    assert (back["Status"], back["PhysicalResourceId"]) == ("SUCCESS", old["PhysicalResourceId"])


def test_a_rollback_after_a_replacement_of_a_job_that_failed_starts_nothing(world: World) -> None:
    plan = world.simulator.plan
    world.simulator.plan = replace(plan, run_seconds=1, fails_with="x")
    old = answered(world, create(world))
    world.pass_time(60)
    world.simulator.plan = plan
    v2 = world.described(TrainingJobName="v2")
    new = answered(world, update(world, old["PhysicalResourceId"], world.described(), v2))
    back = answered(world, update(world, new["PhysicalResourceId"], v2, world.described()))
    assert back["Status"] == "SUCCESS"
    assert world.starts == 2


def test_a_lost_answer_of_a_start_counts_as_a_start(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded: list[str] = []
    monkeypatch.setattr("provider.lifecycle.starting.record", lambda name, *_: recorded.append(name))
    world.simulator.inject(Fault(Reset(), on=["start"], takes_effect=True))
    answered(world, create(world))
    assert recorded == ["JobsStarted"]


def test_a_full_list_without_the_job_is_not_taken_for_no_job(world: World) -> None:
    event = create(world)
    world.host.behave((), then=503)
    with suppress(Undeliverable):
        world.invoke(event)
    world.host.behave(())
    ids = ", ".join(f'"job-{n}"' for n in range(1024))
    world.simulator.inject(
        Fault(RawAnswer(200, f'{{"ids": [{ids}]}}', content_type="application/json"), on=["list"], times=None)
    )
    answer = answered(world, delete(world, INVENTED))
    assert answer["Status"] == "FAILED" or world.simulator.running() == ()


def test_a_rollback_of_a_mistyped_endpoint_does_not_wait_ten_minutes(world: World) -> None:
    old = answered(world, create(world))
    typo = world.described(Endpoint="http://127.0.0.1:1", TrainingJobName="v2")
    failed = answered(world, update(world, old["PhysicalResourceId"], world.described(), typo))
    assert failed["Status"] == "FAILED"
    began = world.time()
    assert answered(world, update(world, old["PhysicalResourceId"], typo, world.described()))["Status"] == "SUCCESS"
    assert world.time() - began < 120
