"""A resource that has its job's end signalled to the handle of a wait condition."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.response_host import SIGNATURE
from provider import observability
from provider.custom_resource import following
from provider.custom_resource.answer import Undeliverable
from provider.custom_resource.waiting import CannotWait
from provider.hosts import Hosts
from provider.journal.errors import JournalUnavailable
from provider.journal.memory import Memory
from provider.kinds import ENDPOINT, KINDS
from provider.look import Status
from provider.neptune import Jobs
from simulator import ErrorAnswer, Fault, JobPlan
from tests.function.world import EPOCH, PATHS, Queue, delivered

if TYPE_CHECKING:
    import io
    from collections.abc import Mapping

    from local.response_host import Behaviour
    from provider.kinds.kind import Kind
    from provider.look import Look
    from tests.function.world import World

HOUR = 3600.0
NO_ROUTE = "Amazon SQS cannot be reached: the function's subnets have no route to it."


@pytest.fixture(autouse=True)
def _no_metrics_of_others() -> None:
    observability.metrics.clear_metrics()


def signals(world: World, key: str = "trained") -> list[dict[str, Any]]:
    return [it.body for it in world.host.signals if it.key == key]


def data(signal: dict[str, Any]) -> dict[str, str]:
    read: dict[str, str] = json.loads(signal["Data"])
    return read


def metric(name: str) -> list[float]:
    found: list[float] = observability.metrics.metric_set.get(name, {}).get("Value", [])
    return found


def started(world: World) -> str:
    (job,) = world.jobs.jobs()
    return job


# --- a job that completes ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("written")
@pytest.mark.parametrize("kind", KINDS, ids=lambda it: PATHS[it.resource_type])
def test_the_creation_is_answered_when_the_job_runs_and_the_handle_when_it_has_completed(
    world: World, kind: Kind
) -> None:
    world = world.of(kind)
    world.jobs.plan = JobPlan(base_seconds=HOUR, run_seconds=2 * HOUR)
    event = world.event("Create", ResourceProperties=world.described(CompletionHandle=world.host.handle_for("trained")))

    assert world.invoke(event)["Status"] == "SUCCESS"

    job = started(world)
    assert world.time() < 5
    assert world.answer(event)["PhysicalResourceId"] == world.physical_id(job)
    assert world.answer(event)["Data"]["Status"] in kind.names_of(Status.RUNS)
    assert signals(world) == []

    told = world.drain()

    (signal,) = signals(world)
    assert (signal["Status"], signal["UniqueId"], signal["Reason"]) == (
        "SUCCESS",
        job,
        f"The endpoint {job} is in service." if kind is ENDPOINT else f"The job {job} has completed.",
    )
    assert list(data(signal)) == ["Id", "Status", *(attribute.name for attribute in kind.attributes)]
    assert data(signal)["Status"] == ("InService" if kind is ENDPOINT else "Completed")
    name, beginning = ("EndpointArn", "arn:") if kind is ENDPOINT else ("OutputLocation", "s3://")
    assert data(signal)[name].startswith(beginning)
    assert told is not None
    assert (told["Status"], told["Reason"]) == ("SUCCESS", signal["Reason"])
    assert 2 * HOUR <= world.time() <= 2 * HOUR + 40
    assert len(world.answers(event)) == 1
    assert metric("FailedSignals") == [0]
    # What waits costs nothing: a look is over at once.
    assert sum(world.billed) < 10


def test_what_is_signalled_can_be_split_by_a_template(world: World) -> None:
    """CloudFormation has no function that reads JSON; it returns the data of all signals as JSON of JSON."""
    world.simulator.plan = JobPlan(run_seconds=60)
    world.ask("Create", ResourceProperties=world.described(CompletionHandle=world.host.handle_for("trained")))
    (signal,) = signals(world)
    returned = json.dumps({signal["UniqueId"]: signal["Data"]})
    for name, value in data(signal).items():
        assert returned.split(f'\\"{name}\\":\\"')[1].split('\\"')[0] == value


def test_an_adopted_job_is_signalled_too(world: World) -> None:
    world.simulator.start_job("job-1", run_seconds=2 * HOUR)
    world.ask("Create", ResourceProperties=world.properties(CompletionHandle=world.host.handle_for("trained")))
    (signal,) = signals(world)
    assert (signal["Status"], signal["UniqueId"], data(signal)["Id"]) == ("SUCCESS", "job-1", "job-1")
    assert world.time() >= 2 * HOUR


@pytest.mark.parametrize(
    ("status", "signalled"),
    [("Completed", "SUCCESS"), ("Failed", "FAILURE"), ("Stopped", "FAILURE")],
)
def test_a_job_that_has_ended_is_signalled_at_once(world: World, status: str, signalled: str) -> None:
    world.simulator.start_job("job-1", status=status, stop_seconds=None)
    answer = world.ask("Create", ResourceProperties=world.properties(CompletionHandle=world.host.handle_for("trained")))
    assert answer["Status"] == "SUCCESS"
    (signal,) = signals(world)
    assert signal["Status"] == signalled
    assert (f"its status is {status}" in signal["Reason"]) is (signalled == "FAILURE")
    assert world.time() <= 2


# --- one that does not ------------------------------------------------------------------------------------------------


def test_a_job_that_fails_is_signalled_with_its_reason_and_its_log(world: World) -> None:
    world.simulator.plan = JobPlan(run_seconds=2 * HOUR, fails_with="AlgorithmError: no space left on device")
    answer = world.ask("Create", ResourceProperties=world.described(CompletionHandle=world.host.handle_for("trained")))
    assert answer["Status"] == "SUCCESS"
    (signal,) = signals(world)
    assert (signal["Status"], signal["UniqueId"], data(signal)) == ("FAILURE", started(world), {})
    assert signal["Reason"].startswith(
        f"The job {started(world)} has not completed: its status is Failed. Its log: https://"
    )
    assert signal["Reason"].endswith("Neptune's reason: AlgorithmError: no space left on device")
    assert metric("FailedSignals") == [0]


@pytest.mark.parametrize("kind", KINDS, ids=lambda it: PATHS[it.resource_type])
def test_a_job_that_will_not_complete_is_signalled_at_once(world: World, kind: Kind) -> None:
    world = world.of(kind)
    world.jobs.plan = JobPlan(base_seconds=HOUR, run_seconds=HOUR, fails_with="no space left on device")
    world.invoke(
        world.event("Create", ResourceProperties=world.described(CompletionHandle=world.host.handle_for("trained")))
    )
    ((message, _),) = world.queue.waiting  # type: ignore[attr-defined] # it is the played one
    assert world.invoke(delivered(message))["Status"] == "PENDING"

    world.drain()

    assert {it["Status"] for it in signals(world)} == {"FAILURE"}
    assert HOUR <= world.time() <= HOUR + 60


def test_a_job_that_disappears_is_a_failure(world: World) -> None:
    world.simulator.start_job("job-1")
    world.at(HOUR, lambda: world.simulator.forget_job("job-1"))
    world.ask("Create", ResourceProperties=world.properties(CompletionHandle=world.host.handle_for("trained")))
    (signal,) = signals(world)
    assert signal["Status"] == "FAILURE"
    assert signal["Reason"].endswith(
        "has no model transform job job-1. It disappeared while the provider waited for it."
    )


@pytest.mark.usefixtures("written")
def test_an_endpoint_is_spoken_of_as_such(world: World) -> None:
    world = world.of(ENDPOINT)
    world.jobs.plan = JobPlan(run_seconds=HOUR, fails_with="No capacity")
    properties = world.described(CompletionHandle=world.host.handle_for("trained"))
    world.invoke(world.event("Create", ResourceProperties=properties))
    assert isinstance(world.queue, Queue)
    ((message, _),) = world.queue.waiting
    world.invoke(delivered(message))
    world.queue.problem = NO_ROUTE
    event = world.event("Create", ResourceProperties=properties)
    world.invoke(event)
    assert world.answer(event)["Reason"].startswith(
        f"The provider cannot wait for the endpoint. {NO_ROUTE} The endpoint will be deleted when CloudFormation "
        "deletes this resource."
    )
    world.queue.problem = ""
    world.drain()
    failure, *_ = signals(world)
    assert failure["Reason"].startswith(
        f"The endpoint {failure['UniqueId']} is not in service: its status is Failed. Its log: https://"
    )


def test_a_job_that_takes_longer_than_any_wait_condition_waits_ends_the_looking(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert following.LONGEST_SECONDS == 13 * HOUR
    monkeypatch.setattr(following, "LONGEST_SECONDS", 3 * HOUR)  # a tenth of the looks is enough to see
    world.simulator.start_job("job-1")
    world.ask("Create", ResourceProperties=world.properties(CompletionHandle=world.host.handle_for("trained")))
    (signal,) = signals(world)
    assert signal["Status"] == "FAILURE"
    assert signal["Reason"] == (
        "The job job-1 has not completed yet (its status is InProgress). The provider stopped waiting after 3 hours."
    )
    assert 3 * HOUR <= world.time() <= 3 * HOUR + 40


@pytest.mark.parametrize("wait", ["true", "false"])
def test_a_deletion_in_between_ends_the_looking_and_leaves_nothing(world: World, wait: str) -> None:
    world.simulator.plan = JobPlan(stop_seconds=300)
    properties = world.described(CompletionHandle=world.host.handle_for("trained"), WaitForStop=wait)
    create = world.event("Create", ResourceProperties=properties)
    world.invoke(create)
    delete = world.event(
        "Delete", PhysicalResourceId=world.answer(create)["PhysicalResourceId"], ResourceProperties=properties
    )
    world.at(HOUR, lambda: world.invoke(delete))
    world.drain()
    assert world.answer(delete)["Status"] == "SUCCESS"
    (signal,) = signals(world)
    assert signal["Status"] == "FAILURE"
    assert "its status is Stopped" in signal["Reason"]
    assert HOUR <= world.time() <= HOUR + 400


# --- what is wrong ----------------------------------------------------------------------------------------------------


RIGHT = "it should be the Ref of an AWS::CloudFormation::WaitConditionHandle."


@pytest.mark.usefixtures("written")
@pytest.mark.parametrize(
    ("handle", "problem"),
    [
        ("Handle", f"CompletionHandle is 'Handle'; {RIGHT}"),
        ("", f"CompletionHandle is ''; {RIGHT}"),
        (["https://x"], f"CompletionHandle is a list; {RIGHT}"),
        (
            f"https://example.com/x?X-Amz-Signature={SIGNATURE}",
            "CompletionHandle is at example.com, which is not where CloudFormation accepts signals in this Region; "
            f"{RIGHT}",
        ),
        (
            "https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com/x?X-Amz-Signature=5ec7e7",
            "CompletionHandle is at cloudformation-custom-resource-response-useast1.s3.amazonaws.com, which is not "
            f"where CloudFormation accepts signals in this Region; {RIGHT}",
        ),
        (
            "https://cloudformation-waitcondition-us-east-1.s3.amazonaws.com:8443/x?X-Amz-Signature=5ec7e7",
            f"CompletionHandle does not use HTTPS on port 443; {RIGHT}",
        ),
        (
            "https://cloudformation-waitcondition-us-east-1.s3.amazonaws.com/x",
            f"CompletionHandle is not a pre-signed URL; {RIGHT}",
        ),
        ("https://[x", f"CompletionHandle is not a URL; {RIGHT}"),
        ("https:// x?X-Amz-Signature=5ec7e7", f"CompletionHandle is missing or not a URL; {RIGHT}"),
    ],
)
def test_what_is_no_handle_fails_the_creation_before_anything_is_started(
    world: World, handle: object, problem: str
) -> None:
    answer = world.ask("Create", ResourceProperties=world.described(CompletionHandle=handle))
    assert (answer["Status"], answer["Reason"].partition(" (log stream")[0]) == ("FAILED", problem)
    assert answer["PhysicalResourceId"].startswith("no-job/")
    assert world.calls == []


def test_a_handle_and_waiting_for_completion_are_two_ways(world: World) -> None:
    handle = world.host.handle_for("trained")
    answer = world.ask("Create", ResourceProperties=world.described(CompletionHandle=handle, WaitForCompletion="true"))
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith(
        "CompletionHandle and WaitForCompletion are mutually exclusive; keep CompletionHandle if the job may take "
        "longer than an hour."
    )
    assert world.calls == []


def test_no_handle_keeps_a_resource_from_being_deleted(world: World) -> None:
    world.simulator.start_job("job-1", stop_seconds=0)
    properties = world.properties(CompletionHandle="https://example.com/", WaitForCompletion="true")
    assert world.ask("Delete", ResourceProperties=properties)["Status"] == "SUCCESS"
    assert len(world.cancellations) == 1
    assert world.host.signals == ()


# --- the queue and the handle fail ------------------------------------------------------------------------------------


def test_without_a_route_to_the_queue_the_creation_fails_and_its_job_is_cancelled(world: World) -> None:
    assert isinstance(world.queue, Queue)
    world.queue.problem = NO_ROUTE
    properties = world.described(CompletionHandle=world.host.handle_for("trained"))
    answer = world.ask("Create", ResourceProperties=properties)
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith(
        f"The provider cannot wait for the job. {NO_ROUTE} The job will be cancelled when CloudFormation "
        "deletes this resource."
    )
    assert answer["PhysicalResourceId"] == world.physical_id(started(world))
    world.ask("Delete", PhysicalResourceId=answer["PhysicalResourceId"], ResourceProperties=properties)
    assert world.jobs.running() == ()


def test_without_a_route_to_the_queue_a_job_is_not_adopted(world: World) -> None:
    assert isinstance(world.queue, Queue)
    world.queue.problem = NO_ROUTE
    world.simulator.start_job("job-1")
    answer = world.ask("Create", ResourceProperties=world.properties(CompletionHandle=world.host.handle_for("trained")))
    assert (answer["Status"], answer["PhysicalResourceId"][:7]) == ("FAILED", "no-job/")
    assert answer["Reason"].startswith(f"The provider cannot wait for the job. {NO_ROUTE}")


def test_a_queue_that_fails_for_a_moment_does_not_cost_the_job(world: World) -> None:
    class Shaky(Queue):
        left = 2

        def put(self, event: Mapping[str, object], delay_seconds: int) -> None:
            if self.left:
                self.left -= 1
                raise CannotWait("Amazon SQS did not confirm sqs:SendMessage.")
            super().put(event, delay_seconds)

    world.queue = Shaky()
    world.simulator.start_job("job-1", status="Completed")
    answer = world.ask("Create", ResourceProperties=world.properties(CompletionHandle=world.host.handle_for("trained")))
    assert answer["Status"] == "SUCCESS"
    assert [it["Status"] for it in signals(world)] == ["SUCCESS"]
    assert 5 <= world.time() <= 8


def test_a_look_whose_next_one_cannot_wait_comes_again(world: World) -> None:
    world.simulator.start_job("job-1")
    world.invoke(
        world.event("Create", ResourceProperties=world.properties(CompletionHandle=world.host.handle_for("trained")))
    )
    assert isinstance(world.queue, Queue)
    ((message, _),) = world.queue.waiting
    world.queue.problem = NO_ROUTE
    with pytest.raises(CannotWait, match="no route"):
        world.invoke(delivered(message))
    assert [it.event for it in world.queue.delivered_soon] == [message]
    assert signals(world) == []


@pytest.mark.usefixtures("written")
@pytest.mark.parametrize("behaviour", [500, 503, 429, 403, "reset"])
def test_a_handle_that_does_not_take_the_signal_has_the_look_taken_again(world: World, behaviour: Behaviour) -> None:
    world.simulator.start_job("job-1", status="Completed")
    properties = world.properties(CompletionHandle=world.host.handle_for("trained", signed_at=EPOCH))
    world.invoke(world.event("Create", ResourceProperties=properties))
    assert isinstance(world.queue, Queue)
    ((message, _),) = world.queue.waiting
    world.host.behave([], then=behaviour)
    with pytest.raises(Undeliverable, match=r"^The signal could not be delivered to 127\.0\.0\.1 in [15] attempts: "):
        world.invoke(delivered(message))
    assert [it.event for it in world.queue.delivered_soon] == [message]
    assert metric("FailedSignals") == []
    world.host.behave([])
    world.invoke(delivered(message))
    assert [it["Status"] for it in signals(world)] == ["SUCCESS"]


def test_a_signal_is_tried_again_in_the_same_look(world: World) -> None:
    world.simulator.start_job("job-1", status="Completed")
    properties = world.properties(CompletionHandle=world.host.handle_for("trained"))
    world.invoke(world.event("Create", ResourceProperties=properties))
    world.host.behave([503, "reset"])
    world.drain()
    assert [it["Status"] for it in signals(world)] == ["SUCCESS"]


@pytest.mark.parametrize("status", [404, 410])
def test_a_handle_that_is_gone_ends_the_looking(world: World, status: int, written: io.StringIO) -> None:
    world.simulator.start_job("job-1", status="Completed")
    properties = world.properties(CompletionHandle=world.host.handle_for("trained"))
    world.invoke(world.event("Create", ResourceProperties=properties))
    world.host.behave([], then=status)
    assert world.drain() is not None
    assert metric("FailedSignals") == [1]
    (line,) = [json.loads(it) for it in written.getvalue().splitlines() if "no longer accepts signals" in it]
    assert (line["level"], line["problem"]) == ("WARNING", f"HTTP status {status}")


def test_a_handle_that_has_expired_meanwhile_ends_the_looking(world: World) -> None:
    """An event that is replayed too late."""
    world.simulator.start_job("job-1", status="Completed")
    properties = world.properties(CompletionHandle=world.host.handle_for("trained", signed_at=EPOCH))
    world.invoke(world.event("Create", ResourceProperties=properties))
    world.pass_time(86399)
    world.host.behave([], then=403)
    assert world.drain() is not None
    assert metric("FailedSignals") == [1]


def test_each_look_after_which_the_queue_goes_on_counts_as_still_waiting(world: World) -> None:
    world.simulator.start_job("job-1", run_seconds=HOUR)
    properties = world.properties(CompletionHandle=world.host.handle_for("trained"))
    world.invoke(world.event("Create", ResourceProperties=properties))
    assert metric("StillWaiting") == [1]
    assert isinstance(world.queue, Queue)
    world.invoke(delivered(world.queue.waiting.pop(0)[0]))
    assert metric("StillWaiting") == [1, 1]


# --- Neptune fails ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error", ["InternalFailureException", "BadRequestException", "AccessDeniedException", "TooManyRequestsException"]
)
def test_a_neptune_that_cannot_be_asked_for_less_than_an_hour_is_waited_for(world: World, error: str) -> None:
    world.simulator.start_job("job-1", run_seconds=2 * HOUR)
    fault = Fault(ErrorAnswer(error), on=["get"], times=None)
    world.at(HOUR, lambda: world.simulator.inject(fault))
    world.at(HOUR + 3000, world.simulator.clear_faults)
    world.ask("Create", ResourceProperties=world.properties(CompletionHandle=world.host.handle_for("trained")))
    assert [it["Status"] for it in signals(world)] == ["SUCCESS"]


def test_a_neptune_that_is_gone_for_longer_ends_the_looking(world: World) -> None:
    world.simulator.start_job("job-1")
    world.at(HOUR, world.take_cluster_down)
    try:
        world.ask("Create", ResourceProperties=world.properties(CompletionHandle=world.host.handle_for("trained")))
    finally:
        world.bring_cluster_up()
    (signal,) = signals(world)
    assert signal["Status"] == "FAILURE"
    assert signal["Reason"].startswith("The job job-1 could not be looked up. Neptune at ")
    assert 2 * HOUR <= world.time() <= 2 * HOUR + 100


def test_a_job_is_followed_once_whose_adoption_cannot_be_written_down_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise JournalUnavailable("The journal cannot be reached.")

    monkeypatch.setattr(Memory, "read", fail)
    monkeypatch.setattr(Memory, "write", fail)
    world.simulator.start_job("job-1")
    event = world.event(
        "Create", ResourceProperties=world.properties(CompletionHandle=world.host.handle_for("trained"))
    )
    world.invoke(event)
    world.drain(until=lambda: bool(world.answers(event)))
    assert world.answer(event)["Status"] == "SUCCESS"
    assert len(world.queue.waiting) == 1  # type: ignore[attr-defined] # the world's own queue


def test_a_host_that_the_operator_has_taken_away_is_not_called(world: World) -> None:
    world.simulator.start_job("job-1")
    properties = world.properties(CompletionHandle=world.host.handle_for("trained"))
    world.invoke(world.event("Create", ResourceProperties=properties))
    calls = len(world.calls)
    world.settings = world.settings._replace(clusters=Hosts.of_clusters())
    world.drain()
    (signal,) = signals(world)
    assert signal["Status"] == "FAILURE"
    assert "It should be a host under .neptune.amazonaws.com" in signal["Reason"]
    assert len(world.calls) == calls


# --- delivered twice, or killed ---------------------------------------------------------------------------------------


def test_a_request_that_is_delivered_twice_starts_one_job_and_has_one_outcome(world: World) -> None:
    world.simulator.plan = JobPlan(run_seconds=HOUR)
    event = world.event(
        "Create",
        signed_at=EPOCH,
        ResourceProperties=world.described(CompletionHandle=world.host.handle_for("trained")),
    )
    world.invoke(event)
    world.pass_time(60)
    world.invoke(event)
    world.drain()
    assert world.starts == 1
    assert [it["PhysicalResourceId"] for it in world.answers(event)] == [world.physical_id(started(world))] * 2
    told = signals(world)
    assert {it["UniqueId"] for it in told} == {started(world)}
    assert {it["Status"] for it in told} == {"SUCCESS"}


def test_a_kill_between_the_queue_and_the_answer_leaves_no_handle_unsignalled(world: World) -> None:
    """The queue has the job before CloudFormation has the answer."""
    world.simulator.plan = JobPlan(run_seconds=60)
    event = world.event(
        "Create",
        signed_at=EPOCH,
        ResourceProperties=world.described(CompletionHandle=world.host.handle_for("trained")),
    )
    world.host.behave([], then=500)
    with pytest.raises(Undeliverable):
        world.invoke(event)
    world.host.behave([])
    assert isinstance(world.queue, Queue)
    assert len(world.queue.waiting) == 1
    world.pass_time(120)
    world.invoke(event)  # Lambda delivers it again
    world.drain()
    assert world.answer(event)["Status"] == "SUCCESS"
    assert {it["Status"] for it in signals(world)} == {"SUCCESS"}
    assert world.starts == 1


class Killed(BaseException):
    """The invocation ends without another word."""


@pytest.mark.parametrize("kill_at", range(6))
def test_a_kill_between_any_two_steps_leaves_one_job_one_answer_and_the_handle_signalled(
    world: World, kill_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call of Neptune, of the queue and of CloudFormation is a step; a killed message comes again."""
    world.simulator.plan = JobPlan(run_seconds=30)
    steps = itertools.count()

    def step() -> None:
        if next(steps) == kill_at:
            raise Killed

    class Steps(Queue):
        def put(self, event: Mapping[str, object], delay_seconds: int) -> None:
            step()
            super().put(event, delay_seconds)
            step()

    world.queue = queue = Steps()
    start, get = Jobs.start, Jobs.get

    def stepped_start(*them: Any) -> None:  # noqa: ANN401 - as it is
        start(*them)
        step()

    def stepped_get(*them: Any) -> Look:  # noqa: ANN401 - as it is
        step()
        return get(*them)

    monkeypatch.setattr(Jobs, "start", stepped_start)
    monkeypatch.setattr(Jobs, "get", stepped_get)
    event = world.event(
        "Create",
        signed_at=EPOCH,
        ResourceProperties=world.described(CompletionHandle=world.host.handle_for("trained")),
    )
    deliveries: list[Any] = [event]
    for _ in range(100):
        if not deliveries and not queue.waiting:
            break
        if not deliveries:
            waiting, delay = queue.waiting.pop(0)
            world.pass_time(delay)
            deliveries.append(delivered(waiting))
        try:
            world.invoke(deliveries[0])
        except Killed:
            world.pass_time(60)
            continue
        deliveries.pop(0)
    assert world.starts == 1
    assert {it["PhysicalResourceId"] for it in world.answers(event)} == {world.physical_id(started(world))}
    assert {it["Status"] for it in world.answers(event)} == {"SUCCESS"}
    assert {(it["UniqueId"], it["Status"]) for it in signals(world)} == {(started(world), "SUCCESS")}


# --- updates ----------------------------------------------------------------------------------------------------------


def update(world: World, old: dict[str, object], new: dict[str, object], physical_id: str) -> dict[str, Any]:
    return world.event(
        "Update",
        signed_at=EPOCH + world.time(),
        PhysicalResourceId=physical_id,
        ResourceProperties=new,
        OldResourceProperties=old,
    )


def test_an_update_of_settings_signals_nothing(world: World) -> None:
    world.simulator.start_job("job-1", status="Completed")
    handle = world.host.handle_for("trained")
    old, new = world.properties(CompletionHandle=handle), world.properties(CompletionHandle=handle, Clean="true")
    world.run(update(world, old, new, world.physical_id()))
    assert signals(world) == []


def test_an_update_to_another_job_signals_the_end_of_that(world: World) -> None:
    world.simulator.start_job("job-1")
    world.simulator.start_job("job-2", run_seconds=2 * HOUR)
    first, second = world.host.handle_for("first"), world.host.handle_for("second")
    old, new = world.properties(CompletionHandle=first), world.properties(Id="job-2", CompletionHandle=second)
    world.run(update(world, old, new, world.physical_id()))
    assert signals(world, "first") == []
    assert [it["UniqueId"] for it in signals(world, "second")] == ["job-2"]


def test_a_new_handle_of_the_same_job_is_signalled_and_so_is_the_one_before(world: World) -> None:
    world.simulator.plan = JobPlan(run_seconds=2 * HOUR)
    first, second = world.host.handle_for("first"), world.host.handle_for("second")
    create = world.event("Create", signed_at=EPOCH, ResourceProperties=world.described(CompletionHandle=first))
    world.invoke(create)
    job = started(world)
    old, new = create["ResourceProperties"], world.described(CompletionHandle=second)
    event = update(world, old, new, world.physical_id(job))
    world.at(HOUR, lambda: world.invoke(event))
    world.drain()
    assert world.answer(event)["PhysicalResourceId"] == world.physical_id(job)
    assert [it["UniqueId"] for it in signals(world, "first")] == [job]
    assert [it["UniqueId"] for it in signals(world, "second")] == [job]
    assert world.starts == 1
    assert world.cancellations == []


def test_a_handle_whose_time_is_over_is_not_waited_for(world: World) -> None:
    """That of a stack's first days, in a replacement a year later: its wait condition is there."""
    world.simulator.start_job("job-2")
    handle = world.host.handle_for("trained", signed_at=EPOCH - 86400)
    old, new = world.properties(CompletionHandle=handle), world.properties(Id="job-2", CompletionHandle=handle)
    event = update(world, old, new, world.physical_id())
    world.invoke(event)
    assert world.answer(event)["Status"] == "SUCCESS"
    assert isinstance(world.queue, Queue)
    assert world.queue.waiting == []


def test_a_rollback_to_another_handle_does_not_fail_for_want_of_the_queue(world: World) -> None:
    assert isinstance(world.queue, Queue)
    world.queue.problem = NO_ROUTE
    world.simulator.start_job("job-1")
    first, second = world.host.handle_for("first"), world.host.handle_for("second")
    old, new = world.properties(CompletionHandle=second), world.properties(CompletionHandle=first)
    event = update(world, old, new, world.physical_id())
    # It comes again, and the alarm sounds at last.
    for _ in range(2):
        with pytest.raises(Undeliverable, match="CompletionHandle will not be signalled"):
            world.invoke(event)
    world.queue.problem = ""
    world.simulator.forget_job("job-1")
    world.run(event)
    assert [answer["Status"] for answer in world.answers(event)] == ["SUCCESS"] * 3
    assert [it["UniqueId"] for it in signals(world, "first")] == ["job-1"]


def test_an_update_whose_queue_fails_has_the_job_cancelled_that_it_has_started(world: World) -> None:
    assert isinstance(world.queue, Queue)
    create = world.event("Create", signed_at=EPOCH, ResourceProperties=world.described())
    world.run(create)
    before = world.answer(create)["PhysicalResourceId"]
    world.queue.problem = NO_ROUTE
    other = world.described(
        CompletionHandle=world.host.handle_for("trained"), ModelTransformOutputS3Location="s3://bucket/other"
    )
    event = update(world, create["ResourceProperties"], other, before)
    world.run(event)
    assert (world.answer(event)["Status"], world.answer(event)["PhysicalResourceId"]) == ("FAILED", before)
    assert "The job is being cancelled." in world.answer(event)["Reason"]
    assert len(world.cancellations) == 1


# --- whatever stands there --------------------------------------------------------------------------------------------


@given(
    handle=st.one_of(
        st.text(max_size=60),
        st.text(max_size=40).map(lambda text: f"https://{text}?X-Amz-Signature=5ec7e7"),
        st.sampled_from(["http", "https"]).flatmap(
            lambda scheme: st.text(max_size=40).map(
                lambda text: f"{scheme}://cloudformation-waitcondition-us-east-1.s3.amazonaws.com{text}"
            )
        ),
        st.lists(st.text(max_size=5), max_size=2),
        st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2),
        st.integers(),
        st.booleans(),
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_whatever_stands_there_is_refused_or_followed(world: World, handle: object) -> None:
    world.queue = queue = Queue()
    if not world.jobs.jobs():
        world.simulator.start_job("job-1")
    event = world.event("Create", ResourceProperties=world.properties(CompletionHandle=handle))
    world.invoke(event)
    answer = world.answer(event)
    assert (answer["Status"] == "SUCCESS") is (len(queue.waiting) == 1)
    if answer["Status"] == "FAILED":
        assert answer["Reason"].startswith("CompletionHandle ")
        assert RIGHT in answer["Reason"]
        assert "5ec7e7" not in answer["Reason"]
