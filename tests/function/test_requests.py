from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from simulator import ErrorAnswer, Fault, Reset

if TYPE_CHECKING:
    from tests.function.world import World


def outcome(world: World, event: dict[str, Any]) -> tuple[str, str]:
    answer = world.answer(event)
    return answer["Status"], answer["Reason"]


def test_create_answers_with_the_job_and_its_attributes(world: World) -> None:
    world.simulator.start_job("job-1")
    event = world.event("Create")
    world.invoke(event)
    answer = world.answer(event)
    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == "job-1"
    assert (answer["StackId"], answer["RequestId"], answer["LogicalResourceId"]) == (
        event["StackId"],
        event["RequestId"],
        "Job",
    )
    assert answer["Data"]["Id"] == "job-1"
    assert answer["Data"]["Status"] == "InProgress"
    assert answer["Data"]["OutputLocation"].startswith("s3://")
    assert answer["Data"]["BaseProcessingJobArn"].startswith("arn:aws:sagemaker:")
    assert answer["Data"]["RemoteModelTransformJobArn"].startswith("arn:aws:sagemaker:")
    assert world.cancellations == []


def test_a_failed_create_and_its_delete_touch_nothing(world: World) -> None:
    create = world.event("Create")
    world.invoke(create)
    failed = world.answer(create)
    assert failed["Status"] == "FAILED"
    assert "knows no model transform job job-1. Check Id and Endpoint." in failed["Reason"]
    assert failed["PhysicalResourceId"] not in ("", "job-1")
    world.simulator.start_job("job-1")  # the typo could be the name of somebody else's job
    rollback = world.event("Delete", PhysicalResourceId=failed["PhysicalResourceId"])
    world.invoke(rollback)
    assert outcome(world, rollback)[0] == "SUCCESS"
    assert world.answer(rollback)["PhysicalResourceId"] == failed["PhysicalResourceId"]
    assert world.cancellations == []


def test_a_delete_with_an_id_of_cloudformations_own_touches_nothing(world: World) -> None:
    world.simulator.start_job("job-1")
    event = world.event("Delete", PhysicalResourceId="graph-Job-1N2K5RF3Q0J6K")
    world.invoke(event)
    assert outcome(world, event)[0] == "SUCCESS"
    assert world.cancellations == []
    assert world.simulator.status("job-1") == "InProgress"


@pytest.mark.parametrize(("clean", "query"), [("true", "clean=true"), ("false", "clean=false")])
def test_delete_cancels_the_job_and_waits_until_it_has_stopped(world: World, clean: str, query: str) -> None:
    world.simulator.start_job("job-1", stop_seconds=60)
    assert world.simulator.artifacts("job-1")
    event = world.event("Delete", ResourceProperties=world.properties(Clean=clean))
    before = world.time()
    world.invoke(event)
    assert outcome(world, event) == ("SUCCESS", "")
    assert world.cancellations == [("/ml/modeltransform/job-1", query)]
    assert world.simulator.status("job-1") == "Stopped"
    assert bool(world.simulator.artifacts("job-1")) is (clean == "false")
    assert 60 <= world.time() - before <= 66.5


def test_requests_are_signed_for_neptune_in_the_functions_region(world: World) -> None:
    world.simulator.start_job("job-1", stop_seconds=1)
    world.invoke(world.event("Delete"))
    assert {(record.signed, record.service, record.region) for record in world.simulator.log} == {
        (True, "neptune-db", "us-east-1")
    }


def test_the_role_is_passed_on(world: World) -> None:
    world.simulator.start_job("job-1", stop_seconds=1)
    role = "arn:aws:iam::123456789012:role/NeptuneML"
    world.invoke(world.event("Delete", ResourceProperties=world.properties(NeptuneIamRoleArn=role)))
    assert "neptuneIamRoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2FNeptuneML" in world.cancellations[0][1]


def test_a_job_id_that_needs_quoting_reaches_neptune_as_it_is(world: World) -> None:
    job_id = "größe?x=1&y#z%2F"  # the simulator knows no such job; what counts is what it is asked for
    world.invoke(world.event("Delete", PhysicalResourceId=job_id, ResourceProperties=world.properties(Id=job_id)))
    assert [(unquote(path), query) for path, query in world.cancellations] == [
        (f"/ml/modeltransform/{job_id}", "clean=false")
    ]


@pytest.mark.parametrize("status", ["Completed", "Failed", "Stopped"])
def test_delete_of_a_job_that_has_ended_succeeds(world: World, status: str) -> None:
    world.simulator.start_job("job-1", status=status)
    event = world.event("Delete")
    world.invoke(event)
    assert outcome(world, event)[0] == "SUCCESS"


def test_delete_of_a_job_that_is_gone_succeeds(world: World) -> None:
    event = world.event("Delete")
    world.invoke(event)
    assert outcome(world, event)[0] == "SUCCESS"


def test_update_of_settings_keeps_the_job(world: World) -> None:
    world.simulator.start_job("job-1")
    event = world.event("Update", ResourceProperties=world.properties(Clean="true"))
    world.invoke(event)
    assert outcome(world, event)[0] == "SUCCESS"
    assert world.answer(event)["PhysicalResourceId"] == "job-1"
    assert world.cancellations == []


def test_update_to_another_job_then_cancels_the_old_one_alone(world: World) -> None:
    world.simulator.start_job("job-1", stop_seconds=1)
    world.simulator.start_job("job-2")
    update = world.event("Update", ResourceProperties=world.properties(Id="job-2"))
    world.invoke(update)
    assert world.answer(update)["PhysicalResourceId"] == "job-2"
    cleanup = world.event("Delete", PhysicalResourceId="job-1", ResourceProperties=world.properties())
    world.invoke(cleanup)
    assert outcome(world, cleanup)[0] == "SUCCESS"
    assert (world.simulator.status("job-1"), world.simulator.status("job-2")) == ("Stopped", "InProgress")


def test_a_failed_update_keeps_the_old_physical_id(world: World) -> None:
    world.simulator.start_job("job-1")
    event = world.event("Update", ResourceProperties=world.properties(Id="unknown"))
    world.invoke(event)
    assert outcome(world, event)[0] == "FAILED"
    assert world.answer(event)["PhysicalResourceId"] == "job-1"


def test_the_same_delete_delivered_twice_has_the_same_outcome(world: World) -> None:
    world.simulator.start_job("job-1", stop_seconds=5)
    event = world.event("Delete")
    world.invoke(event)
    world.invoke(event)
    first, second = world.answers(event)
    assert first == second
    assert first["Status"] == "SUCCESS"


def test_a_missing_permission_is_named_with_its_resource(world: World) -> None:
    world.simulator.start_job("job-1")
    world.simulator.inject(Fault(ErrorAnswer("AccessDeniedException", "not authorized"), on=["cancel"]))
    event = world.event("Delete")
    world.invoke(event)
    status, reason = outcome(world, event)
    assert status == "FAILED"
    assert (
        "neptune-db:CancelMLModelTransformJob on arn:aws:neptune-db:us-east-1:123456789012:cluster-C0FFEE/*" in reason
    )
    assert "(log stream: 2026/01/01/[$LATEST]0123456789abcdef)" in reason
    assert "Traceback" not in reason


@pytest.mark.parametrize(
    "fault",
    [
        ErrorAnswer("TooManyRequestsException"),
        ErrorAnswer("ClientTimeoutException"),
        Reset(),
    ],
)
def test_what_may_pass_is_tried_again(world: World, fault: ErrorAnswer | Reset) -> None:
    world.simulator.start_job("job-1", stop_seconds=5)
    world.simulator.inject(Fault(fault, times=3))
    event = world.event("Delete")
    world.invoke(event)
    assert outcome(world, event)[0] == "SUCCESS"
    assert len(world.cancellations) == 4
