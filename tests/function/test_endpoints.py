"""What is different about endpoints: they are changed in place, are ready in service, and end by being gone."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from provider import observability
from provider.identity import Identity
from provider.kinds import ENDPOINT
from provider.neptune import Jobs, Unavailable
from simulator import ErrorAnswer, Fault, Hang, RawAnswer, Reset
from tests.function.asking import INVENTED, answered, create, delete, job_id, update

if TYPE_CHECKING:
    from typing import Any

    from provider.schema import Properties
    from tests.function.world import World

CREATION_SECONDS = 300.0
REFUSED = Fault(ErrorAnswer("BadRequestException", "Invalid ML instance type."), on=["start"])


@pytest.fixture
def world(world: World) -> World:
    """A world of endpoints, whose creations and updates take five minutes."""
    world = world.of(ENDPOINT)
    world.jobs.plan = replace(world.jobs.plan, run_seconds=CREATION_SECONDS)
    return world


def created(world: World, **properties: object) -> str:
    """The physical ID of an endpoint that is in service."""
    answer = answered(world, create(world, WaitForCompletion="true", **properties))
    assert answer["Status"] == "SUCCESS"
    return str(answer["PhysicalResourceId"])


def larger(world: World, **properties: object) -> dict[str, Any]:
    return world.described(InstanceType="ml.m5.2xlarge", **properties)


def being_changed(world: World, physical_id: str) -> dict[str, Any]:
    """Have an endpoint changed, and nobody wait for the end of that; what describes it then."""
    after = larger(world)
    world.invoke(update(world, physical_id, world.described(), after))
    world.queue.waiting.clear()  # type: ignore[attr-defined] # the world's own queue
    return after


def configuration(world: World, physical_id: str) -> str:
    """Which of its configurations an endpoint has."""
    identity = Identity.parse(physical_id)
    assert identity is not None
    endpoint = world.connect(identity.endpoint).get(identity.id, world.lifecycle.schema.parse({}, for_delete=True))
    _, _, rest = endpoint.attributes["EndpointConfigName"].rpartition("-config")
    return str(rest.rpartition("-")[0])


# --- created and deleted ----------------------------------------------------------------------------------------------


def test_an_endpoint_is_ready_when_it_is_in_service(world: World) -> None:
    answer = answered(world, create(world, WaitForCompletion="true"))
    assert answer["Data"]["Status"] == "InService"
    assert set(answer["Data"]) == {
        "Id",
        "Status",
        "EndpointName",
        "EndpointArn",
        "EndpointConfigName",
        "EndpointConfigArn",
    }
    assert CREATION_SECONDS <= world.time() <= CREATION_SECONDS + 40


@pytest.mark.parametrize("seconds", [0, 60, 600], ids=["just begun", "creating", "in service"])
def test_an_endpoint_is_deleted_whatever_it_has_come_to_and_its_delete_waits_until_it_is_gone(
    world: World, seconds: float
) -> None:
    world.jobs.plan = replace(world.jobs.plan, stop_seconds=120)
    physical_id = answered(world, create(world))["PhysicalResourceId"]
    world.pass_time(seconds)
    before = world.time()
    assert answered(world, delete(world, physical_id))["Status"] == "SUCCESS"
    assert 120 <= world.time() - before <= 135
    assert world.jobs.jobs() == {}
    assert len(world.cancellations) == 1


@pytest.mark.parametrize("status", ["InService", "OutOfService", "Failed", "Updating"])
def test_an_adopted_endpoint_is_deleted_whatever_its_status(world: World, status: str) -> None:
    world.jobs.start_job("job-1", status=status)
    assert world.ask("Create")["Data"]["Status"] == status
    assert world.ask("Delete")["Status"] == "SUCCESS"
    assert world.jobs.jobs() == {}


def test_the_delete_of_an_endpoint_that_is_gone_succeeds(world: World) -> None:
    physical_id = created(world)
    world.jobs.forget_job(physical_id.rpartition("/")[2])
    assert answered(world, delete(world, physical_id))["Status"] == "SUCCESS"


def test_the_deletion_of_an_endpoint_that_is_not_found_between_two_looks_counts_once(world: World) -> None:
    world.jobs.plan = replace(world.jobs.plan, stop_seconds=100)
    made = created(world)
    observability.metrics.clear_metrics()
    asked_at = world.time()
    absent = Fault(ErrorAnswer("MLResourceNotFoundException", "none"), on=["get"])
    world.at(asked_at + 15, lambda: world.simulator.inject(absent))
    assert answered(world, delete(world, made))["Status"] == "SUCCESS"
    assert world.time() - asked_at < 30
    assert observability.metrics.metric_set["JobsCancelled"]["Value"] == [1.0]


@pytest.mark.parametrize("seconds", [CREATION_SECONDS, 2400])
def test_a_delete_that_is_refused_while_the_endpoint_is_being_created_waits_for_it(
    world: World, seconds: float
) -> None:
    world.jobs.plan = replace(world.jobs.plan, run_seconds=seconds)
    busy = Fault(ErrorAnswer("BadRequestException", "It is Creating."), on=["cancel"], times=None)
    physical_id = answered(world, create(world))["PhysicalResourceId"]
    world.simulator.inject(busy)
    world.at(seconds + 1, world.simulator.clear_faults)
    assert answered(world, delete(world, physical_id))["Status"] == "SUCCESS"
    assert world.jobs.jobs() == {}


def test_an_endpoint_that_could_not_be_made_fails_the_create_that_waits_and_is_deleted(world: World) -> None:
    world.jobs.plan = replace(world.jobs.plan, fails_with="No capacity")
    answer = answered(world, create(world, WaitForCompletion="true"))
    assert answer["Status"] == "FAILED"
    assert f"The endpoint {job_id(answer)} is not in service: its status is Failed." in answer["Reason"]
    assert " Neptune's reason: No capacity" in answer["Reason"]
    assert answered(world, delete(world, answer["PhysicalResourceId"]))["Status"] == "SUCCESS"
    assert world.jobs.jobs() == {}


def test_an_endpoint_that_failed_and_was_never_reported_is_deleted(world: World) -> None:
    world.jobs.plan = replace(world.jobs.plan, fails_with="No capacity")
    world.invoke(create(world, WaitForCompletion="true"))
    world.queue.waiting.clear()  # type: ignore[attr-defined] # the world's own queue
    world.pass_time(CREATION_SECONDS)
    assert answered(world, delete(world, INVENTED))["Status"] == "SUCCESS"
    assert world.jobs.jobs() == {}


# --- changed in place -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"InstanceType": "ml.m5.2xlarge"},
        {"InstanceCount": "2"},
        {"ModelName": "rgcn"},
        {"MlModelTrainingJobId": "films"},
        {"MlModelTrainingJobId": None, "MlModelTransformJobId": "films"},
    ],
    ids="+".join,
)
def test_a_change_is_made_in_place_and_asked_for_once(world: World, change: dict[str, object]) -> None:
    physical_id = created(world)
    answer = answered(world, update(world, physical_id, world.described(), world.described(**change)))
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", physical_id)
    assert answer["Data"]["Status"] == "InService"
    assert world.starts == 2
    assert configuration(world, physical_id) == "-1"


@pytest.mark.parametrize("wait", ["true", "false"])
def test_a_change_is_answered_when_the_endpoint_is_in_service_again(world: World, wait: str) -> None:
    physical_id, before = created(world), world.time()
    after = larger(world, WaitForCompletion=wait)
    answer = answered(world, update(world, physical_id, world.described(), after))
    assert answer["Data"]["Status"] == "InService"
    assert CREATION_SECONDS <= world.time() - before <= CREATION_SECONDS + 32
    assert world.starts == 2


def test_another_key_replaces_the_endpoint(world: World) -> None:
    physical_id = created(world)
    answer = answered(world, update(world, physical_id, world.described(), larger(world, VolumeEncryptionKMSKey="key")))
    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] != physical_id
    assert len(world.jobs.jobs()) == 2


def test_an_adopted_endpoint_has_nothing_that_could_be_changed(world: World) -> None:
    world.jobs.start_job("job-1", status="InService")
    world.ask("Create")
    answer = world.ask("Update", ResourceProperties=world.properties(InstanceCount="2"))
    assert answer["Status"] == "FAILED"
    assert "properties of a new one (InstanceCount)" in answer["Reason"]
    assert world.starts == 0


def test_a_rollback_changes_the_endpoint_back_in_place(world: World) -> None:
    physical_id = created(world)
    before, after = world.described(), larger(world)
    answered(world, update(world, physical_id, before, after))
    answer = answered(world, update(world, physical_id, after, before))
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", physical_id)
    assert world.starts == 3
    assert configuration(world, physical_id) == "-2"


def test_what_neptune_refuses_fails_the_update_with_its_words_and_the_rollback_succeeds(world: World) -> None:
    physical_id = created(world)
    before, after = world.described(), larger(world)
    world.simulator.inject(REFUSED)
    answer = answered(world, update(world, physical_id, before, after))
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", physical_id)
    assert "could not be updated. Neptune at" in answer["Reason"]
    assert "Invalid ML instance type." in answer["Reason"]
    back = answered(world, update(world, physical_id, after, before))
    assert (back["Status"], back["PhysicalResourceId"]) == ("SUCCESS", physical_id)
    assert list(world.jobs.jobs()) == [job_id(answer)]


@pytest.mark.parametrize(
    "fault",
    [
        Fault(Reset(), on=["start"], takes_effect=True),
        Fault(Hang(), on=["start"], takes_effect=True),
        Fault(Reset(), on=["start"], takes_effect=True, late_seconds=30),
        Fault(ErrorAnswer("TooManyRequestsException"), on=["start"], times=3),
    ],
    ids=["lost answer", "no answer", "late", "throttled"],
)
def test_a_change_without_a_clear_answer_is_made_once(
    world: World, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provider.neptune.READ_SECONDS", {"start": 0.1, "get": 10.0, "cancel": 60.0})
    physical_id = created(world)
    world.simulator.inject(fault)
    after = larger(world, WaitForCompletion="true")
    answer = answered(world, update(world, physical_id, world.described(), after))
    assert (answer["Status"], answer["Data"]["Status"]) == ("SUCCESS", "InService")
    assert configuration(world, physical_id) == "-1"


def test_a_change_that_is_delivered_twice_at_once_leaves_the_endpoint_as_it_was_to_be(world: World) -> None:
    physical_id = created(world)
    event = update(world, physical_id, world.described(), larger(world, WaitForCompletion="true"))
    world.invoke(event)
    world.invoke(event)
    world.drain()
    assert {answer["PhysicalResourceId"] for answer in world.answers(event)} == {physical_id}
    assert {answer["Status"] for answer in world.answers(event)} == {"SUCCESS"}
    assert list(world.jobs.jobs().values()) == ["InService"]


def test_an_endpoint_is_deleted_while_it_is_updated(world: World) -> None:
    physical_id = created(world)
    being_changed(world, physical_id)
    assert answered(world, delete(world, physical_id))["Status"] == "SUCCESS"
    assert world.jobs.jobs() == {}


def test_what_a_failed_change_has_made_in_place_of_one_that_was_gone_is_deleted(
    world: World,
) -> None:
    physical_id = created(world)
    world.jobs.forget_job(physical_id.rpartition("/")[2])
    plan = world.jobs.plan
    world.jobs.plan = replace(plan, fails_with="No capacity")
    before, after = world.described(), larger(world, WaitForCompletion="true")
    assert answered(world, update(world, physical_id, before, after))["Status"] == "FAILED"
    assert world.jobs.jobs() == {}

    world.jobs.plan = plan
    back = answered(world, update(world, physical_id, after, before))
    assert (back["Status"], back["PhysicalResourceId"]) == ("SUCCESS", physical_id)


def test_a_change_whose_time_is_over_before_it_could_be_made_fails(world: World) -> None:
    physical_id = created(world)
    large = being_changed(world, physical_id)
    after = larger(world, InstanceCount="2", ServiceTimeout="60")
    answer = answered(world, update(world, physical_id, large, after))
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", physical_id)
    assert "cannot be updated yet (its status is Updating). The operation reached its time limit" in answer["Reason"]
    assert configuration(world, physical_id) == "-1"


def test_two_faults_of_a_moment_within_a_wait_are_not_one_long_fault(world: World) -> None:
    physical_id = created(world)
    world.jobs.plan = replace(world.jobs.plan, run_seconds=1500)
    large = being_changed(world, physical_id)
    for seconds in (60, 800):
        fault = Fault(ErrorAnswer("InternalFailureException"), on=["get"])
        world.at(world.time() + seconds, partial(world.simulator.inject, fault))
    changed = answered(world, update(world, physical_id, large, larger(world, InstanceCount="2")))
    assert changed["Status"] == "SUCCESS"


def test_a_new_handle_is_not_signalled_with_what_the_endpoint_was_before_its_update(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neptune says that it has accepted the update, and begins half a minute later."""
    physical_id, update_it = created(world), Jobs.update
    world.simulator.inject(
        Fault(ErrorAnswer("InternalFailureException"), on=["start"], takes_effect=True, late_seconds=30)
    )

    def accept(jobs: Jobs, job_id: str, properties: Properties) -> None:
        with suppress(Unavailable):
            update_it(jobs, job_id, properties)

    monkeypatch.setattr(Jobs, "update", accept)
    before, after = world.time(), larger(world, CompletionHandle=world.host.handle_for("larger"))
    answer = answered(world, update(world, physical_id, world.described(), after))
    world.drain()
    (signal,) = [it.body for it in world.host.signals if it.key == "larger"]
    assert (answer["Status"], signal["Status"]) == ("SUCCESS", "SUCCESS")
    assert world.time() - before >= 30 + CREATION_SECONDS
    assert "-config-1" in json.loads(signal["Data"])["EndpointConfigName"]


# --- one of the same description that was retained --------------------------------------------------------------------


def test_attributes_stay_when_neptune_answers_without_them(world: World) -> None:
    made = answered(world, create(world, WaitForCompletion="true"))
    bare = RawAnswer(200, json.dumps({"status": "InService"}), content_type="application/json")
    world.simulator.inject(Fault(bare, on=["get"], times=None))
    cleaned = world.described(Clean="true")
    told = answered(world, update(world, made["PhysicalResourceId"], world.described(), cleaned))
    assert (told["Status"], told["Data"]) == ("SUCCESS", made["Data"])


def test_an_update_of_an_endpoint_that_sagemaker_undoes_fails_with_its_reason(world: World) -> None:
    made = answered(world, create(world, WaitForCompletion="true"))
    was, endpoint = made["Data"], made["PhysicalResourceId"]
    reason = "InsufficientInstanceCapacity: no ml.m5.24xlarge is to be had."
    undone = {
        "id": job_id(made),
        "status": "InService",
        "endpoint": {"name": was["EndpointName"], "arn": was["EndpointArn"], "failureReason": reason},
        "endpointConfig": {"name": was["EndpointConfigName"], "arn": was["EndpointConfigArn"]},
    }
    answer = RawAnswer(200, json.dumps(undone), content_type="application/json")
    world.at(world.time() + 120, lambda: world.simulator.inject(Fault(answer, on=["get"], times=None)))
    after = world.described(InstanceType="ml.m5.24xlarge")
    told = answered(world, update(world, endpoint, world.described(), after))
    assert told["Status"] == "FAILED"
    assert reason in told["Reason"]
    back = answered(world, update(world, endpoint, after, world.described()))
    assert (back["Status"], back["PhysicalResourceId"], world.starts) == ("SUCCESS", endpoint, 2)
