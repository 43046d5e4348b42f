"""What each request comes to, when nothing goes wrong."""

from __future__ import annotations

import json
import random
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from provider.journal.errors import JournalUnavailable
from simulator import Fault, ManualClock, RawAnswer, Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.function.world import World

ATTRIBUTES = {
    "Id",
    "Status",
    "OutputLocation",
    "BaseProcessingJobArn",
    "RemoteModelTransformJobArn",
    "ModelNames",
    "ModelArns",
}


def outcome(answer: dict[str, Any]) -> tuple[str, str]:
    return answer["Status"], answer["Reason"]


def described(status: str = "InProgress", **members: object) -> RawAnswer:
    """What Neptune answers about a job."""
    return RawAnswer(200, json.dumps({"status": status, "id": "job-1", **members}), "application/json")


# --- Create and Delete ------------------------------------------------------------------------------------------------


def test_create_answers_with_the_jobs_identity_and_attributes(world: World) -> None:
    world.simulator.start_job("job-1")
    event = world.event("Create")
    world.run(event)
    answer = world.answer(event)
    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == f"http://{world.simulator.host_port}/job-1"
    assert (answer["StackId"], answer["RequestId"], answer["LogicalResourceId"]) == (
        event["StackId"],
        event["RequestId"],
        "Job",
    )
    assert answer["Data"].keys() == ATTRIBUTES
    assert answer["Data"]["Id"] == "job-1"
    assert answer["Data"]["Status"] == "InProgress"
    assert answer["Data"]["OutputLocation"].startswith("s3://")
    assert answer["Data"]["BaseProcessingJobArn"].startswith("arn:aws:sagemaker:")
    assert answer["Data"]["RemoteModelTransformJobArn"].startswith("arn:aws:sagemaker:")
    assert world.cancellations == []


@pytest.mark.parametrize(
    ("members", "location"),
    [
        ({"remoteModelTransformJob": {"outputLocation": "s3://remote"}}, "s3://remote"),
        ({"baseProcessingJob": {"outputLocation": "s3://base"}}, "s3://base"),
        (
            {"remoteModelTransformJob": {"outputLocation": ""}, "baseProcessingJob": {"outputLocation": "s3://base"}},
            "s3://base",
        ),
        ({}, ""),
    ],
)
def test_the_output_location_is_that_of_the_last_job_that_has_one(
    world: World, members: dict[str, Any], location: str
) -> None:
    world.simulator.inject(Fault(described(**members)))
    data = world.ask("Create")["Data"]
    assert data["OutputLocation"] == location
    assert data.keys() == ATTRIBUTES


def test_a_failed_create_and_its_delete_touch_nothing(world: World) -> None:
    failed = world.ask("Create")
    assert failed["Status"] == "FAILED"
    assert "has no model transform job job-1. Check Id and Endpoint." in failed["Reason"]
    assert failed["PhysicalResourceId"].startswith("no-job/")
    world.simulator.start_job("job-1")  # the typo could be the name of somebody else's job
    rollback = world.ask("Delete", PhysicalResourceId=failed["PhysicalResourceId"])
    assert rollback["Status"] == "SUCCESS"
    assert rollback["PhysicalResourceId"] == failed["PhysicalResourceId"]
    assert world.cancellations == []


@pytest.mark.parametrize("physical_id", ["graph-Job-1N2K5RF3Q0J6K", "job-1"])
def test_a_delete_with_an_id_of_cloudformations_own_touches_nothing(world: World, physical_id: str) -> None:
    world.simulator.start_job("job-1")
    assert world.ask("Delete", PhysicalResourceId=physical_id)["Status"] == "SUCCESS"
    assert world.simulator.log == ()


@pytest.mark.parametrize(("clean", "query"), [("true", "clean=true"), ("false", "clean=false")])
def test_delete_cancels_the_job_and_waits_until_it_has_stopped(world: World, clean: str, query: str) -> None:
    world.simulator.start_job("job-1", stop_seconds=60)
    assert world.simulator.artifacts("job-1")
    answer = world.ask("Delete", ResourceProperties=world.properties(Clean=clean))
    assert outcome(answer) == ("SUCCESS", "")
    assert answer["PhysicalResourceId"] == world.physical_id()
    assert world.cancellations == [("/ml/modeltransform/job-1", query)]
    assert world.simulator.status("job-1") == "Stopped"
    assert bool(world.simulator.artifacts("job-1")) is (clean == "false")


def test_a_delete_that_need_not_wait_is_answered_when_the_cancellation_is_accepted(world: World) -> None:
    world.simulator.start_job("job-1", stop_seconds=None)
    answer = world.ask("Delete", ResourceProperties=world.properties(WaitForStop="false"))
    assert answer["Status"] == "SUCCESS"
    assert world.calls == ["get", "cancel"]
    assert world.time() == 0


def test_a_delete_acts_on_the_job_of_its_physical_id_whatever_its_properties_say(world: World) -> None:
    """An Update that CloudFormation gave up while it ran has adopted a job that the template does not name."""
    world.simulator.start_job("adopted", stop_seconds=1)
    world.simulator.start_job("job-1")
    for _ in range(2):
        answer = world.ask(
            "Delete",
            PhysicalResourceId=world.physical_id("adopted"),
            ResourceProperties=world.properties(Id="job-1", Endpoint="elsewhere.example"),
        )
        assert answer["Status"] == "SUCCESS"
    assert world.simulator.status("adopted") == "Stopped"
    assert world.simulator.status("job-1") == "InProgress"


def test_requests_are_signed_for_neptune_in_the_functions_region(world: World) -> None:
    world.simulator.start_job("job-1", stop_seconds=1)
    world.ask("Delete")
    assert {(record.signed, record.service, record.region) for record in world.simulator.log} == {
        (True, "neptune-db", "us-east-1")
    }


def test_the_role_is_passed_on(world: World) -> None:
    world.simulator.start_job("job-1", stop_seconds=1)
    role = "arn:aws:iam::123456789012:role/NeptuneML"
    world.ask("Delete", ResourceProperties=world.properties(NeptuneIamRoleArn=role))
    assert [record.method for record in world.simulator.log] == ["GET", "DELETE", "GET", "GET"]
    sent = "neptuneIamRoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2FNeptuneML"
    assert all(sent in record.query for record in world.simulator.log)


def test_a_job_id_that_needs_quoting_reaches_neptune_as_it_is(world: World) -> None:
    job_id = "größe?x=1&y#z%2F"  # the simulator knows no such job; what counts is what it is asked for
    world.ask("Delete", PhysicalResourceId=world.physical_id(job_id))
    assert [unquote(record.path) for record in world.simulator.log] == [f"/ml/modeltransform/{job_id}"]


@pytest.mark.parametrize("status", ["Completed", "Failed", "Stopped"])
def test_delete_of_a_job_that_has_ended_succeeds(world: World, status: str) -> None:
    world.simulator.start_job("job-1", status=status)
    assert world.ask("Delete")["Status"] == "SUCCESS"
    assert world.calls == ["get"]


@pytest.mark.parametrize("status", ["stopped", "STOPPED", "completed", "FAILED"])
def test_a_status_in_another_letter_case_is_understood(world: World, status: str) -> None:
    world.simulator.start_job("job-1", stop_seconds=None)
    world.simulator.inject(Fault(described("stopping"), on=["get"]))
    world.simulator.inject(Fault(described(status), on=["get"], times=None))
    assert world.ask("Delete")["Status"] == "SUCCESS"
    assert world.calls == ["get", "get"]


def test_delete_of_a_job_that_is_gone_succeeds(world: World) -> None:
    assert world.ask("Delete")["Status"] == "SUCCESS"
    assert world.calls == ["get"]


def test_a_job_that_vanishes_while_it_is_waited_for_is_gone(world: World) -> None:
    world.simulator.start_job("job-1", stop_seconds=None)
    world.at(30, lambda: world.simulator.forget_job("job-1"))
    assert world.ask("Delete")["Status"] == "SUCCESS"
    assert 30 <= world.time() <= 35


@pytest.mark.parametrize("timeout", ["8", "600"])
def test_what_adopts_needs_no_journal_however_short_its_time_is(
    world: World, timeout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(_: str) -> object:
        raise JournalUnavailable("The journal cannot be reached.")

    monkeypatch.setattr(world.journal, "read", read)
    world.simulator.start_job("job-1", stop_seconds=1)
    properties = world.properties(ServiceTimeout=timeout)
    assert world.ask("Create", ResourceProperties=properties)["Status"] == "SUCCESS"
    assert world.ask("Delete", ResourceProperties=properties)["Status"] == "SUCCESS"
    assert world.simulator.status("job-1") == "Stopped"


# --- Update -----------------------------------------------------------------------------------------------------------


def test_update_of_settings_keeps_the_job(world: World) -> None:
    world.simulator.start_job("job-1")
    answer = world.ask("Update", ResourceProperties=world.properties(Clean="true"))
    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == world.physical_id()
    assert answer["Data"]["Status"] == "InProgress"
    assert world.calls == ["get"]


def test_update_to_another_job_then_cancels_the_old_one_alone(world: World) -> None:
    world.simulator.start_job("job-1", stop_seconds=1)
    world.simulator.start_job("job-2")
    update = world.ask("Update", ResourceProperties=world.properties(Id="job-2"))
    assert update["PhysicalResourceId"] == world.physical_id("job-2")
    assert world.ask("Delete")["Status"] == "SUCCESS"
    assert (world.simulator.status("job-1"), world.simulator.status("job-2")) == ("Stopped", "InProgress")


def test_a_failed_update_keeps_the_old_physical_id(world: World) -> None:
    world.simulator.start_job("job-1")
    answer = world.ask("Update", ResourceProperties=world.properties(Id="unknown"))
    assert answer["Status"] == "FAILED"
    assert answer["PhysicalResourceId"] == world.physical_id()


def test_an_update_of_a_resource_that_adopted_nothing_adopts_the_job(world: World) -> None:
    world.simulator.start_job("job-1")
    answer = world.ask("Update", PhysicalResourceId="no-job/00000000-0000-4000-8000-000000000000")
    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == world.physical_id()


# --- another Endpoint -------------------------------------------------------------------------------------------------


@pytest.fixture
def green(simulator_clock: ManualClock) -> Iterator[Simulator]:
    """A second cluster, which has a job-1, too."""
    with Simulator(clock=simulator_clock) as cluster:
        cluster.start_job("job-1")
        yield cluster


def test_a_job_of_the_same_id_in_another_cluster_is_not_adopted_in_its_place(world: World, green: Simulator) -> None:
    """CloudFormation would have the job of the cluster before deleted, and it may be the same one."""
    world.simulator.start_job("job-1")
    world.ask("Create")
    answer = world.ask("Update", ResourceProperties=world.properties(Endpoint=green.url))
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", world.physical_id())
    assert "declare the job at the new host under another logical ID." in answer["Reason"]
    world.take_cluster_down()
    rollback = world.ask("Update", OldResourceProperties=world.properties(Endpoint=green.url))
    assert (outcome(rollback), rollback["PhysicalResourceId"]) == (("SUCCESS", ""), world.physical_id())
    assert green.log == ()


def test_another_job_in_another_cluster_is_a_replacement(world: World, green: Simulator) -> None:
    world.simulator.start_job("job-1")
    green.start_job("job-2")
    answer = world.ask("Update", ResourceProperties=world.properties(Endpoint=green.url, Id="job-2"))
    assert (outcome(answer), answer["PhysicalResourceId"]) == (("SUCCESS", ""), f"{green.url}/job-2")


def test_a_job_that_was_started_is_replaced_by_one_in_another_cluster(world: World, green: Simulator) -> None:
    before = world.ask("Create", ResourceProperties=world.described())["PhysicalResourceId"]
    answer = world.ask(
        "Update",
        PhysicalResourceId=before,
        ResourceProperties=world.described(Endpoint=green.url),
        OldResourceProperties=world.described(),
    )
    assert outcome(answer) == ("SUCCESS", "")
    assert answer["PhysicalResourceId"].startswith(f"{green.url}/graph-Job-")
    assert world.ask("Delete", PhysicalResourceId=before, ResourceProperties=world.described())["Status"] == "SUCCESS"
    assert (len(world.simulator.running()), len(green.running())) == (0, 2)


# --- the waiting ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(2))
def test_looks_keep_their_pace(world: World, seed: int) -> None:
    random.seed(seed)
    world.simulator.start_job("job-1", stop_seconds=None)
    world.ask("Delete", ResourceProperties=world.properties(ServiceTimeout="1800"))
    pauses = [round(later - earlier, 6) for earlier, later in pairwise(sorted(set(world.looks)))]
    assert len(pauses) > 60
    assert all(1 <= pause <= 30 for pause in pauses[:-1])  # the last one is what was left
    assert max(pauses) >= 29
    assert len([record for record in world.simulator.log if record.time <= 900]) <= 70


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("stop_seconds", [0.5, 1.5, 2.1, 4, 9, 33, 299, 2000])
def test_the_answer_comes_soon_after_the_stop(world: World, stop_seconds: float, seed: int) -> None:
    random.seed(seed)
    world.simulator.start_job("job-1", stop_seconds=stop_seconds)
    assert world.ask("Delete")["Status"] == "SUCCESS"
    assert stop_seconds <= world.time() <= stop_seconds + 1 + stop_seconds / 10


def test_what_begins_together_does_not_go_on_together(world: World) -> None:
    looks = []
    for number in range(8):
        world.simulator.start_job(f"job-{number}", stop_seconds=100)
        began = world.time()
        world.ask("Delete", PhysicalResourceId=world.physical_id(f"job-{number}"))
        looks.append(tuple(round(time - began, 3) for time in world.looks if time >= began))
    assert len(set(looks)) == len(looks)


@pytest.mark.parametrize("stop_seconds", [10, 3000])
def test_a_long_wait_holds_the_function_for_a_few_seconds(world: World, stop_seconds: float) -> None:
    world.simulator.start_job("job-1", stop_seconds=stop_seconds)
    assert world.ask("Delete")["Status"] == "SUCCESS"
    assert sum(world.billed) <= 2.5
    assert all(seconds == 0 for seconds in world.billed[1:])


def test_a_job_that_stops_at_once_needs_no_queue(world: World) -> None:
    world.simulator.start_job("job-1", stop_seconds=1)
    assert world.ask("Delete")["Status"] == "SUCCESS"
    assert len(world.billed) == 1


@pytest.mark.parametrize("service_timeout", [60, 915, 945, 3600])
def test_a_request_is_looked_at_to_its_deadline(world: World, service_timeout: int) -> None:
    kept = min(30, service_timeout * 0.1)
    world.simulator.start_job("job-1", stop_seconds=service_timeout - kept - 0.5)
    properties = world.properties(ServiceTimeout=str(service_timeout))
    assert world.ask("Delete", ResourceProperties=properties)["Status"] == "SUCCESS"
    assert world.time() < service_timeout


@pytest.mark.parametrize("service_timeout", [60, 915, 945, 3600])
def test_a_request_fails_at_its_deadline_and_not_before(world: World, service_timeout: int) -> None:
    world.simulator.start_job("job-1", stop_seconds=None)
    answer = world.ask("Delete", ResourceProperties=world.properties(ServiceTimeout=str(service_timeout)))
    kept = min(30, service_timeout * 0.1)
    assert answer["Status"] == "FAILED"
    assert "The operation reached its time limit (ServiceTimeout)." in answer["Reason"]
    assert world.time() == pytest.approx(service_timeout - kept)
