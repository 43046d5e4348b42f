"""What a provider decides wrongly that remembers nothing, or that takes Neptune's or Lambda's bad day for an answer."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from provider.hosts import Hosts
from provider.kinds import ENDPOINT, MODEL_TRANSFORM_JOB
from provider.neptune import Jobs, UnknownHost, Unreachable
from simulator import ErrorAnswer, Fault, RawAnswer
from tests.function.asking import INVENTED, answered, begun, create, delete, job_id, unheard, update
from tests.function.world import EPOCH, FUNCTION_ARN, ROUTE_CHECK, STACK_ID, delivered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provider.kinds.kind import Kind
    from provider.schema import Properties
    from tests.function.world import World

HOUR, DAY = 3600.0, 86400.0
DENIED = ErrorAnswer("AccessDeniedException", "not authorized")


@pytest.fixture
def world(world: World) -> Iterator[World]:
    """A world in which no list is asked for, so that it may be as full as it likes."""
    yield world
    assert "list" not in world.calls


@pytest.fixture
def endpoints(world: World) -> World:
    world = world.of(ENDPOINT)
    world.jobs.plan = replace(world.jobs.plan, run_seconds=300)
    return world


def run_for(world: World, seconds: float | None) -> None:
    world.jobs.plan = replace(world.jobs.plan, run_seconds=seconds)


def switch_off(world: World) -> None:
    """Have the operator switch starting off."""
    world.may_start = False
    world.simulator.inject(Fault(DENIED, on=["start"], times=None))


def restart(world: World, seconds: float) -> None:
    """Have the cluster be away for some time."""
    world.take_cluster_down()
    world.at(world.time() + seconds, world.bring_cluster_up)


# --- late deliveries, and outages -------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [91, 127, 180, 3000])
@pytest.mark.parametrize("wait", ["false", "true"])
def test_a_create_that_is_delivered_late_starts_its_job(world: World, seconds: float, wait: str) -> None:
    """The function was throttled, or idle in its VPC for weeks; or the first deliveries were killed."""
    run_for(world, 300)
    event = create(world, WaitForCompletion=wait)
    world.pass_time(seconds)
    answer = answered(world, event)
    assert answer["Status"] == "SUCCESS", answer["Reason"]


def test_a_change_of_an_endpoint_that_is_delivered_late_is_made(endpoints: World) -> None:
    endpoint = answered(endpoints, create(endpoints, WaitForCompletion="true"))["PhysicalResourceId"]
    after = endpoints.described(InstanceType="ml.m5.2xlarge")
    event = update(endpoints, endpoint, endpoints.described(), after)
    endpoints.pass_time(180)
    answer = answered(endpoints, event)
    assert (answer["Status"], endpoints.starts) == ("SUCCESS", 2), answer["Reason"]


@pytest.mark.parametrize("seconds", [60, 120])
def test_a_create_rides_out_a_restart_of_the_cluster(world: World, seconds: float) -> None:
    event = create(world)
    restart(world, seconds)
    answer = answered(world, event)
    assert answer["Status"] == "SUCCESS", answer["Reason"]


@pytest.mark.parametrize("seconds", [120, 540])
def test_a_rollback_that_starts_its_job_anew_rides_out_a_restart_of_the_cluster(world: World, seconds: float) -> None:
    v1, v2 = world.described(), world.described(TrainingJobName="v2")
    plan = world.simulator.plan
    world.simulator.plan = replace(plan, run_seconds=30, fails_with="No space left")
    old = answered(world, create(world))["PhysicalResourceId"]
    world.simulator.plan = plan
    world.pass_time(60)
    new = answered(world, update(world, old, v1, v2))["PhysicalResourceId"]
    restart(world, seconds)
    answer = answered(world, update(world, new, v2, v1))
    assert (answer["Status"], world.starts) == ("SUCCESS", 3), answer["Reason"]


def test_attributes_stay_through_an_update_of_settings_in_a_cluster_that_is_down(world: World) -> None:
    """CloudFormation refuses to export an empty value."""
    made = answered(world, create(world))
    world.take_cluster_down()
    told = answered(world, update(world, made["PhysicalResourceId"], world.described(), world.described(Clean="true")))
    assert (told["Status"], told["Data"]) == ("SUCCESS", made["Data"])


def test_attributes_stay_when_neptune_answers_without_them(endpoints: World) -> None:
    made = answered(endpoints, create(endpoints, WaitForCompletion="true"))
    bare = RawAnswer(200, json.dumps({"status": "InService"}), content_type="application/json")
    endpoints.simulator.inject(Fault(bare, on=["get"], times=None))
    cleaned = endpoints.described(Clean="true")
    told = answered(endpoints, update(endpoints, made["PhysicalResourceId"], endpoints.described(), cleaned))
    assert (told["Status"], told["Data"]) == ("SUCCESS", made["Data"])


@pytest.mark.parametrize("code", ["BadRequestException", "PreconditionsFailedException", "AccessDeniedException"])
@pytest.mark.parametrize("way", ["WaitForCompletion", "CompletionHandle"])
def test_one_refused_look_in_fifty_minutes_ends_no_wait(world: World, code: str, way: str) -> None:
    run_for(world, 3000)
    value = {"WaitForCompletion": "true", "CompletionHandle": world.host.handle_for("h")}[way]
    world.at(1500, lambda: world.simulator.inject(Fault(ErrorAnswer(code, "busy"), on=["get"])))
    told = answered(world, create(world, **{way: value}))
    assert told["Status"] == "SUCCESS", told["Reason"]
    assert way == "WaitForCompletion" or [it.body["Status"] for it in world.host.signals] == ["SUCCESS"]


def test_the_first_creation_rides_out_the_time_that_neptune_takes_to_apply_a_policy(world: World) -> None:
    world.simulator.inject(Fault(DENIED, times=None))
    world.at(150, world.simulator.clear_faults)
    assert answered(world, create(world))["Status"] == "SUCCESS"


def test_a_name_that_is_not_found_once_in_an_outage_is_no_typing_mistake(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Create bears a host that does not exist for 45 seconds, and an outage for three minutes."""
    start, answers = Jobs.start, iter([Unreachable("It timed out."), UnknownHost("There is no such host.")])

    def fail_first(jobs: Jobs, job_id: str, properties: Properties) -> None:
        world.pass_time(60)
        if error := next(answers, None):
            raise error
        start(jobs, job_id, properties)

    monkeypatch.setattr(Jobs, "start", fail_first)
    assert answered(world, create(world))["Status"] == "SUCCESS"


def test_the_check_of_a_deployment_rides_out_the_time_that_neptune_takes_to_apply_a_policy(world: World) -> None:
    world.simulator.inject(Fault(DENIED, times=None))
    world.at(590, world.simulator.clear_faults)
    check = {"ServiceToken": FUNCTION_ARN, "Route": "Cluster", "Endpoint": world.simulator.url}
    assert world.ask("Create", ResourceType=ROUTE_CHECK, ResourceProperties=check)["Status"] == "SUCCESS"


# --- what CloudFormation cannot name is cancelled ---------------------------------------------------------------------


@pytest.mark.parametrize("what", ["nothing", "rollback", "next update", "next after the rollback", "deletion"])
@pytest.mark.parametrize("hours", [0, 1, 25, 63])
def test_the_job_of_a_failed_update_is_cancelled_whatever_follows_and_whenever(
    world: World, what: str, hours: float
) -> None:
    v1, v3 = world.described(), world.described(TrainingJobName="v3")
    old = answered(world, create(world))["PhysicalResourceId"]
    world.pass_time(60)
    v2 = world.described(TrainingJobName="v2", WaitForCompletion="true", ServiceTimeout="600")
    event = update(world, old, v1, v2)
    world.run(event)
    assert (world.answer(event)["Status"], world.answer(event)["PhysicalResourceId"]) == ("FAILED", old)
    assert world.simulator.running() == (old.rpartition("/")[2],)
    switch_off(world)
    world.pass_time(hours * HOUR)
    match what:
        case "rollback":
            assert answered(world, update(world, old, v2, v1))["PhysicalResourceId"] == old
        case "next update" | "next after the rollback":
            world.may_start = True
            world.simulator.clear_faults()
            third = answered(world, update(world, old, v1 if what.endswith("rollback") else v2, v3))
            assert third["Status"] == "SUCCESS"
            answered(world, delete(world, old))
            assert world.simulator.running() == (job_id(third),)
        case "deletion":
            assert answered(world, delete(world, old))["Status"] == "SUCCESS"
            assert world.simulator.running() == ()


@pytest.mark.parametrize("hours", [0, 2.5, 14, 63])
@pytest.mark.parametrize("kind", [ENDPOINT, MODEL_TRANSFORM_JOB], ids=lambda kind: kind.noun)
def test_what_a_create_made_that_nobody_heard_is_gone_with_the_stack(world: World, kind: Kind, hours: float) -> None:
    world = world.of(kind)
    run_for(world, 300 if kind is ENDPOINT else None)
    for number in range(1_100):  # more than Neptune lists
        world.jobs.start_job(f"another-{number}", status="Failed")
    event = create(world)
    for pause in (60, 120, 0):
        unheard(world, event)
        world.pass_time(pause)
    assert len(world.jobs.running()) == 1
    switch_off(world)
    world.pass_time(hours * HOUR)
    assert answered(world, delete(world, INVENTED))["Status"] == "SUCCESS"
    assert world.jobs.running() == ()


def test_what_a_create_told_when_nobody_listened_is_gone_with_the_stack(endpoints: World) -> None:
    """Another resource failed meanwhile: CloudFormation made an id up, and takes no answer any more."""
    assert answered(endpoints, create(endpoints, WaitForCompletion="true"))["Status"] == "SUCCESS"
    endpoints.pass_time(14 * HOUR)
    assert answered(endpoints, delete(endpoints, INVENTED, WaitForCompletion="true"))["Status"] == "SUCCESS"
    assert endpoints.jobs.running() == ()


def test_what_a_create_began_that_waits_is_gone_with_the_stack_after_an_older_job_of_the_name(world: World) -> None:
    answered(world, delete(world, answered(world, create(world))["PhysicalResourceId"]))
    world.pass_time(HOUR)
    late = begun(world, create(world, WaitForCompletion="true"))
    switch_off(world)
    assert answered(world, delete(world, INVENTED, WaitForCompletion="true"))["Status"] == "SUCCESS"
    assert world.simulator.running() == ()
    world.run(late)
    assert world.starts == 2


def test_the_message_of_a_job_calls_no_host_that_the_operator_has_taken_away(world: World) -> None:
    old = answered(world, create(world))["PhysicalResourceId"]
    v2 = world.described(TrainingJobName="v2", WaitForCompletion="true", ServiceTimeout="600")
    event = update(world, old, world.described(), v2)
    world.invoke(event)
    world.drain(until=lambda: bool(world.answers(event)))
    calls = len(world.calls)
    clusters = world.settings.clusters
    world.settings = world.settings._replace(clusters=Hosts.of_clusters())
    world.drain(until=lambda: world.time() > 2 * HOUR)
    assert len(world.calls) == calls
    world.settings = world.settings._replace(clusters=clusters)
    world.drain()
    assert {world.physical_id(it) for it in world.simulator.running()} == {old}


# --- what CloudFormation has named is cancelled by its own Delete alone -----------------------------------------------


def test_a_retained_job_outlives_the_failed_update_to_its_description(world: World) -> None:
    v1, v2 = world.described(), world.described(TrainingJobName="v2")
    a = answered(world, create(world))["PhysicalResourceId"]
    b = answered(world, update(world, a, v1, v2))["PhysicalResourceId"]
    assert answered(world, update(world, b, v2, v1))["PhysicalResourceId"] == a
    restart(world, 900)
    assert answered(world, update(world, a, v1, v2))["Status"] == "FAILED"
    world.pass_time(900)
    assert answered(world, update(world, a, v2, v1))["Status"] == "SUCCESS"
    assert {world.physical_id(it) for it in world.simulator.running()} == {a, b}


def test_a_retained_job_outlives_the_adopting_of_another_and_a_failed_update_back(world: World) -> None:
    v1, adopting = world.described(), world.properties()
    retained = answered(world, create(world))["PhysicalResourceId"]
    world.simulator.start_job("job-1")
    adopted = answered(world, update(world, retained, v1, adopting))["PhysicalResourceId"]
    world.pass_time(HOUR)
    restart(world, 900)
    assert answered(world, update(world, adopted, adopting, v1))["Status"] == "FAILED"
    world.pass_time(900)
    assert answered(world, update(world, adopted, v1, adopting))["Status"] == "SUCCESS"
    assert {world.physical_id(it) for it in world.simulator.running()} == {retained, adopted}


def test_a_retained_job_outlives_a_creation_anew_that_is_rolled_back_while_it_waits(world: World) -> None:
    retained = job_id(answered(world, create(world)))
    world.pass_time(HOUR)
    begun(world, create(world, WaitForCompletion="true"))
    assert len(world.simulator.running()) == 2
    answer = answered(world, delete(world, INVENTED, WaitForCompletion="true"))
    assert (answer["Status"], world.simulator.running()) == ("SUCCESS", (retained,))


@pytest.mark.parametrize("kind", [MODEL_TRANSFORM_JOB, ENDPOINT], ids=lambda kind: kind.noun)
@pytest.mark.parametrize(
    "moved",
    [{"StackId": STACK_ID.replace("graph/5ab1", "films/77c2")}, {"LogicalResourceId": "Renamed"}],
    ids=["another stack", "another logical id"],
)
def test_a_resource_that_was_moved_or_renamed_keeps_its_job(world: World, kind: Kind, moved: dict[str, str]) -> None:
    """A refactoring of stacks leaves the physical id."""
    world = world.of(kind)
    old = answered(world, create(world))["PhysicalResourceId"]
    world.pass_time(3 * HOUR)
    answer = answered(world, update(world, old, world.described(), world.described(ServiceTimeout="3000"), **moved))
    assert (answer["PhysicalResourceId"], world.starts) == (old, 1)
    answered(world, {**delete(world, old), **moved})
    assert world.jobs.running() == ()


def test_a_logical_id_that_is_renamed_in_the_template_has_a_new_job(world: World) -> None:
    old = answered(world, create(world))["PhysicalResourceId"]
    new = answered(world, {**create(world), "LogicalResourceId": "Renamed"})
    answered(world, delete(world, old))
    assert (world.starts, world.simulator.running()) == (2, (job_id(new),))


@pytest.mark.parametrize("again", ["the message", "the event"])
def test_a_delete_that_comes_again_leaves_an_endpoint_that_was_made_anew(endpoints: World, again: str) -> None:
    """Its message after a visibility time-out; its event from the queue of failed ones, two days later."""
    endpoints.jobs.start_job("recommender", run_seconds=60, stop_seconds=45)
    properties = endpoints.properties(Id="recommender")
    event = endpoints.event(
        "Delete",
        signed_at=EPOCH + endpoints.time(),
        PhysicalResourceId=endpoints.physical_id("recommender"),
        ResourceProperties=properties,
    )
    endpoints.invoke(event)
    message = copy.deepcopy(endpoints.queue.waiting[0][0])  # type: ignore[attr-defined] # the world's own queue
    endpoints.drain()
    endpoints.jobs.start_job("recommender", run_seconds=60)
    endpoints.pass_time(900 if again == "the message" else 2 * DAY)
    endpoints.run(delivered(message) if again == "the message" else event)
    assert {it["Status"] for it in endpoints.answers(event)} == {"SUCCESS"}
    assert endpoints.jobs.running() == ("recommender",)


# --- an endpoint is what the last answered request says ---------------------------------------------------------------


@pytest.mark.parametrize("timeout", ["3600", "240"])
@pytest.mark.parametrize("cancelled_after", [1, 30, 200])
def test_an_endpoint_is_what_the_rollback_of_a_cancelled_update_says(
    endpoints: World, cancelled_after: float, timeout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The update waits for the endpoint to be ready; its message comes after the rollback."""
    update_it, changes = Jobs.update, ["ml.m5.xlarge"]

    def note(jobs: Jobs, job_id: str, properties: Properties) -> None:
        update_it(jobs, job_id, properties)
        changes.append(str(properties.in_place["instanceType"]))

    monkeypatch.setattr(Jobs, "update", note)
    run_for(endpoints, 400)
    v1, v2 = (endpoints.described(InstanceType=it, ServiceTimeout=timeout) for it in ("ml.m5.xlarge", "ml.p3.16xlarge"))
    endpoint = answered(endpoints, endpoints.event("Create", ResourceProperties=v1))["PhysicalResourceId"]
    late = begun(endpoints, update(endpoints, endpoint, v1, v2))
    endpoints.pass_time(cancelled_after)
    run_for(endpoints, 60)
    back = update(endpoints, endpoint, v2, v1)
    endpoints.invoke(back)
    endpoints.run(late)
    assert (endpoints.answer(back)["Status"], changes[-1]) == ("SUCCESS", "ml.m5.xlarge")


def test_an_update_of_an_endpoint_that_sagemaker_undoes_fails_with_its_reason(endpoints: World) -> None:
    made = answered(endpoints, create(endpoints, WaitForCompletion="true"))
    was, endpoint = made["Data"], made["PhysicalResourceId"]
    reason = "InsufficientInstanceCapacity: no ml.m5.24xlarge is to be had."
    undone = {
        "id": job_id(made),
        "status": "InService",
        "endpoint": {"name": was["EndpointName"], "arn": was["EndpointArn"], "failureReason": reason},
        "endpointConfig": {"name": was["EndpointConfigName"], "arn": was["EndpointConfigArn"]},
    }
    answer = RawAnswer(200, json.dumps(undone), content_type="application/json")
    endpoints.at(endpoints.time() + 120, lambda: endpoints.simulator.inject(Fault(answer, on=["get"], times=None)))
    after = endpoints.described(InstanceType="ml.m5.24xlarge")
    told = answered(endpoints, update(endpoints, endpoint, endpoints.described(), after))
    assert told["Status"] == "FAILED"
    assert reason in told["Reason"]
    back = answered(endpoints, update(endpoints, endpoint, after, endpoints.described()))
    assert (back["Status"], back["PhysicalResourceId"], endpoints.starts) == ("SUCCESS", endpoint, 2)
