"""What the looks for a job that nobody was told of, or to go back to, must not do in an ordinary day."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from provider import neptune
from provider.custom_resource.answer import Undeliverable
from provider.custom_resource.waiting import FIELD
from provider.hosts import Hosts
from simulator import ErrorAnswer, Fault, Hang, RawAnswer, Simulator
from tests.function.test_starting import INVENTED, answered, create, delete, job_id, update
from tests.function.world import EPOCH, delivered

if TYPE_CHECKING:
    from pathlib import Path

    from tests.function.world import World

BUSY = RawAnswer(503, "busy")
REFUSED = ErrorAnswer("BadRequestException", "There is no training job of that name.")


@pytest.fixture
def alarms(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The metrics by which a lifecycle tells the operator something."""
    recorded: list[str] = []
    monkeypatch.setattr("provider.lifecycle.leftovers.record", lambda name, *_: recorded.append(name))
    return recorded


# --- going back -------------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("after", [1, 61])
def test_an_update_that_is_delivered_again_waits_for_the_completion_of_its_job(world: World, after: float) -> None:
    """Lambda delivers an event at least once, and again after a minute if its invocation was killed."""
    old = answered(world, create(world))
    world.pass_time(60)
    world.simulator.plan = replace(world.simulator.plan, run_seconds=600)
    v2 = world.described(TrainingJobName="v2", WaitForCompletion="true")
    event = update(world, old["PhysicalResourceId"], world.described(), v2)
    world.invoke(event)  # waits in the queue
    world.pass_time(after)
    world.invoke(event)
    world.drain()
    first = world.answers(event)[0]
    assert (first["Status"], first["Data"].get("Status")) == ("SUCCESS", "Completed")


def test_the_rollback_of_an_update_that_went_back_to_an_old_job_leaves_no_job(world: World) -> None:
    """The old one has completed, so that its clean-up left it as it was; another resource of the stack fails."""
    plan, v2 = world.simulator.plan, world.described(TrainingJobName="v2")
    world.simulator.plan = replace(plan, run_seconds=60)
    completed = answered(world, create(world))
    world.pass_time(2 * 86400)
    world.simulator.plan = plan
    live = answered(world, update(world, completed["PhysicalResourceId"], world.described(), v2))
    answered(world, delete(world, completed["PhysicalResourceId"]))
    world.pass_time(600)
    back = answered(world, update(world, live["PhysicalResourceId"], v2, world.described()))
    assert back["PhysicalResourceId"] == completed["PhysicalResourceId"]
    rollback = answered(world, update(world, back["PhysicalResourceId"], world.described(), v2))
    answered(world, delete(world, back["PhysicalResourceId"]))
    world.pass_time(60)
    assert world.simulator.running() == (job_id(rollback),)


def test_a_replacement_in_a_cluster_of_many_jobs_succeeds(world: World) -> None:
    old = answered(world, create(world))
    ids = ", ".join(f'"job-{n}"' for n in range(1024))
    full = RawAnswer(200, f'{{"ids": [{ids}]}}', content_type="application/json")
    world.simulator.inject(Fault(full, on=["list"], times=None))
    v2 = world.described(TrainingJobName="v2")
    assert answered(world, update(world, old["PhysicalResourceId"], world.described(), v2))["Status"] == "SUCCESS"


def test_a_rollback_goes_back_to_a_job_that_failed_without_a_reason(world: World) -> None:
    """Neptune need not give a failureReason."""
    plan = world.simulator.plan
    world.simulator.plan = replace(plan, run_seconds=1, fails_with="")
    old = answered(world, create(world))
    world.pass_time(60)
    world.simulator.plan = plan
    v2 = world.described(TrainingJobName="v2")
    new = answered(world, update(world, old["PhysicalResourceId"], world.described(), v2))
    back = answered(world, update(world, new["PhysicalResourceId"], v2, world.described()))
    assert back["PhysicalResourceId"] == old["PhysicalResourceId"]


# --- what an Update looks for before it does its work -----------------------------------------------------------------


def test_an_update_after_one_that_failed_and_was_not_rolled_back_starts_its_job(world: World) -> None:
    """Its own search for what the failed one has left must not use up the time in which it may start a job."""
    old = answered(world, create(world))
    world.pass_time(60)
    world.simulator.inject(Fault(REFUSED, on=["start"]))
    v2, v3 = world.described(TrainingJobName="v2"), world.described(TrainingJobName="v3")
    assert answered(world, update(world, old["PhysicalResourceId"], world.described(), v2))["Status"] == "FAILED"
    world.pass_time(600)
    assert answered(world, update(world, old["PhysicalResourceId"], v2, v3))["Status"] == "SUCCESS"


def test_a_rollback_leaves_a_job_that_was_retained_before_the_update_that_failed(world: World) -> None:
    """The resource adopts another job since; its update back to the description fails, as Neptune restarts."""
    v1 = world.described()
    retained = answered(world, create(world))
    world.pass_time(60)
    world.simulator.start_job("job-1")
    adopting = world.properties()
    adopted = answered(world, update(world, retained["PhysicalResourceId"], v1, adopting))
    assert adopted["Status"] == "SUCCESS"
    world.pass_time(7200)
    world.simulator.inject(Fault(REFUSED, on=["list"]))
    assert answered(world, update(world, adopted["PhysicalResourceId"], adopting, v1))["Status"] == "FAILED"
    assert answered(world, update(world, adopted["PhysicalResourceId"], v1, adopting))["Status"] == "SUCCESS"
    world.pass_time(60)
    assert job_id(retained) in world.simulator.running()


# --- false alarms -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("timeout", ["60", "120"])
def test_the_deletion_after_a_refused_start_is_no_alarm(world: World, alarms: list[str], timeout: str) -> None:
    """A mistyped name, in a stack with a short ServiceTimeout."""
    world.simulator.inject(Fault(REFUSED, on=["start"]))
    failed = answered(world, create(world, ServiceTimeout=timeout))
    assert failed["PhysicalResourceId"].startswith("no-job-yet/")
    assert answered(world, delete(world, failed["PhysicalResourceId"], ServiceTimeout=timeout))["Status"] == "SUCCESS"
    assert alarms == []


@pytest.mark.parametrize("timeout", ["60", "120"])
def test_the_rollback_after_a_refused_start_is_no_alarm(world: World, alarms: list[str], timeout: str) -> None:
    v1, v2 = (world.described(TrainingJobName=name, ServiceTimeout=timeout) for name in ("v1", "v2"))
    old = answered(world, create(world, TrainingJobName="v1"))
    world.pass_time(60)
    world.simulator.inject(Fault(REFUSED, on=["start"]))
    assert answered(world, update(world, old["PhysicalResourceId"], v1, v2))["Status"] == "FAILED"
    assert answered(world, update(world, old["PhysicalResourceId"], v2, v1))["Status"] == "SUCCESS"
    assert alarms == []


@pytest.mark.parametrize("name", ["movies", "v2"])
def test_the_rollback_of_a_mistyped_endpoint_is_no_alarm(world: World, alarms: list[str], name: str) -> None:
    old = answered(world, create(world))
    typo = world.described(Endpoint="http://127.0.0.1:1", TrainingJobName=name)
    assert answered(world, update(world, old["PhysicalResourceId"], world.described(), typo))["Status"] == "FAILED"
    assert answered(world, update(world, old["PhysicalResourceId"], typo, world.described()))["Status"] == "SUCCESS"
    assert alarms == []


def test_an_endpoint_that_replaces_a_name_that_is_gone_is_no_alarm(world: World, alarms: list[str]) -> None:
    """The resource goes by the first of three names of its cluster; the second was that of an instance."""
    old = answered(world, create(world))
    instance = world.described(Endpoint="http://127.0.0.1:1")
    renamed = answered(world, update(world, old["PhysicalResourceId"], instance, world.described()))
    assert (renamed["Status"], renamed["PhysicalResourceId"]) == ("SUCCESS", old["PhysicalResourceId"])
    assert alarms == []


# --- Deletes ----------------------------------------------------------------------------------------------------------


def test_the_delete_of_a_create_that_nobody_heard_leaves_the_job_of_the_create_that_came_after_it(world: World) -> None:
    """Without a rollback: CloudFormation gave the first up after an hour, creates anew, and deletes the first."""
    unheard = create(world)
    world.host.behave((), then=503)
    with suppress(Undeliverable):
        world.invoke(unheard)
    world.host.behave(())
    world.pass_time(3700)
    live = answered(world, create(world))
    answered(world, delete(world, INVENTED))
    assert job_id(live) in world.simulator.running()


def test_a_later_job_that_has_ended_does_not_hide_the_one_that_nobody_heard_of(world: World) -> None:
    unheard = create(world)
    world.host.behave((), then=503)
    with suppress(Undeliverable):
        world.invoke(unheard)
    world.host.behave(())
    world.pass_time(3700)
    world.simulator.plan = replace(world.simulator.plan, run_seconds=30)
    answered(world, create(world, WaitForCompletion="true"))
    answer = answered(world, delete(world, INVENTED))
    assert answer["Status"] == "FAILED" or world.simulator.running() == ()


def test_a_deletion_that_has_found_its_job_does_not_succeed_while_the_cancellation_hangs(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neptune, "READ_SECONDS", dict.fromkeys(neptune.READ_SECONDS, 1.5))
    event = create(world)
    deletion = delete(world, INVENTED)
    world.invoke(deletion)  # waits in the queue
    world.invoke(event)
    assert len(world.simulator.running()) == 1
    world.simulator.inject(Fault(Hang(), on=["cancel"]))
    ((message, _),) = world.queue.waiting  # type: ignore[attr-defined]
    world.queue.waiting.clear()  # type: ignore[attr-defined]
    thread = threading.Thread(target=world.invoke, args=[delivered(message), 0.5])
    thread.start()
    world.host.wait_for(deletion["RequestId"], 10)
    thread.join()
    assert world.answer(deletion)["Status"] == "FAILED" or world.simulator.running() == ()


def test_the_physical_id_of_a_failed_creation_leads_to_no_other_host(world: World, tmp_path: Path) -> None:
    with Simulator(artifacts_dir=tmp_path / "other", clock=world.time) as other:
        world.settings = world.settings._replace(clusters=Hosts.of_clusters(["127.0.0.1"]))
        elsewhere = other.url.replace("127.0.0.1", "localhost")
        marked = f"unclear-job/{elsewhere}/graph-Job-abcdefabcdef-aaaaaaaaaaa"
        answered(world, delete(world, marked))
        assert other.log == ()


def test_an_unclear_job_is_not_denied_after_allowed_hosts_has_changed(world: World) -> None:
    world.simulator.plan = replace(world.simulator.plan, appear_seconds=100)
    failed = answered(world, create(world))
    assert failed["PhysicalResourceId"].startswith("unclear-job/")
    world.pass_time(100)
    world.settings = world.settings._replace(clusters=Hosts.of_clusters([]))
    answer = answered(world, delete(world, failed["PhysicalResourceId"]))
    assert answer["Status"] == "FAILED" or world.simulator.running() == ()


# --- another version of the provider ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["Delete", "rollback"])
def test_a_request_that_another_version_had_wait_goes_on(world: World, kind: str) -> None:
    world.simulator.plan = replace(world.simulator.plan, stop_seconds=60)
    old = answered(world, create(world))
    world.pass_time(60)
    if kind == "Delete":
        event = delete(world, old["PhysicalResourceId"])
    else:
        v2 = world.described(TrainingJobName="v2")
        event = update(world, old["PhysicalResourceId"], v2, world.described())
    world.invoke(event)
    ((message, _),) = world.queue.waiting  # type: ignore[attr-defined]
    world.queue.waiting.clear()  # type: ignore[attr-defined]
    message[FIELD]["Progress"]["searched_since"] = EPOCH
    world.run(delivered(message))
    assert world.answer(event)["Status"] == "SUCCESS"
