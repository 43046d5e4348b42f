"""A resource that starts its job: what each request comes to, over HTTP."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from provider import neptune
from provider.identity import Identity
from provider.lifecycle import Done, Lifecycle, Request, Waiting
from provider.lifecycle.starting import START_SECONDS, TAKEN_UP_SECONDS
from simulator import ErrorAnswer, Fault, Hang, JobStatus, RawAnswer, Reset
from tests.function.world import EPOCH, Queue, delivered

if TYPE_CHECKING:
    import io

    from tests.function.world import World

INVENTED = "graph-Job-1N2K5RF3Q0J6K"
GONE = ErrorAnswer("MLResourceNotFoundException")
# For how long after a request was asked its job may still appear.
SEARCH_SECONDS = START_SECONDS + TAKEN_UP_SECONDS


def create(world: World, signed_at: float | None = None, /, **properties: object) -> dict[str, Any]:
    return world.event(
        "Create",
        signed_at=EPOCH + world.time() if signed_at is None else signed_at,
        ResourceProperties=world.described(**properties),
    )


def update(
    world: World, physical_id: str, old: dict[str, object], new: dict[str, object], **fields: object
) -> dict[str, Any]:
    return world.event(
        "Update",
        signed_at=EPOCH + world.time(),
        PhysicalResourceId=physical_id,
        ResourceProperties=new,
        OldResourceProperties=old,
        **fields,
    )


def delete(world: World, physical_id: str, **properties: object) -> dict[str, Any]:
    return world.event(
        "Delete",
        signed_at=EPOCH + world.time(),
        PhysicalResourceId=physical_id,
        ResourceProperties=world.described(**properties),
    )


def answered(world: World, event: dict[str, Any]) -> dict[str, Any]:
    world.run(event)
    return world.answer(event)


def job_id(answer: dict[str, Any]) -> str:
    identity = Identity.parse(answer["PhysicalResourceId"])
    assert identity is not None, answer
    return identity.id


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
    assert world.calls == ["get", "start", "get"]


def test_a_create_that_waits_is_answered_with_everything_when_the_job_has_completed(world: World) -> None:
    world.simulator.plan = replace(world.simulator.plan, base_seconds=300, run_seconds=1200)
    answer = answered(world, create(world, WaitForCompletion="true"))
    assert answer["Status"] == "SUCCESS"
    assert answer["Data"]["Status"] == "Completed"
    assert all(answer["Data"].values())
    assert 1200 <= world.time() <= 1240
    assert world.starts == 1


def test_a_job_that_fails_fails_the_create_that_waits_with_its_own_words(world: World) -> None:
    world.simulator.plan = replace(world.simulator.plan, run_seconds=60, fails_with="No space left on device")
    answer = answered(world, create(world, WaitForCompletion="true"))
    assert answer["Status"] == "FAILED"
    started = job_id(answer)
    assert answer["Reason"].startswith(
        f"The job {started} has not completed: its status is Failed. Its log: "
        "https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#logStream:group="
    )
    assert " Neptune's reason: No space left on device (log stream:" in answer["Reason"]
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
    assert "The time for waiting is up after 870 s." in answer["Reason"]
    assert "A longer ServiceTimeout may help. The job is cancelled when" in answer["Reason"]
    assert world.simulator.running() == (started,)
    assert answered(world, delete(world, answer["PhysicalResourceId"]))["Status"] == "SUCCESS"
    assert world.simulator.running() == ()


def test_a_job_that_vanishes_while_it_is_waited_for_is_not_started_again(world: World) -> None:
    event = create(world, WaitForCompletion="true")
    world.at(world.time() + 60, lambda: world.simulator.inject(Fault(GONE, on=["get"], times=None)))
    answer = answered(world, event)
    assert answer["Status"] == "FAILED"
    assert "It had been started." in answer["Reason"]
    assert answer["PhysicalResourceId"].startswith("unclear-job/")
    assert world.starts == 1


def test_a_started_job_whose_attributes_do_not_fit_is_cancelled_by_the_delete_that_follows(world: World) -> None:
    body = json.dumps({"status": "InProgress", "baseProcessingJob": {"outputLocation": "s3://" + "x" * 4000}})
    world.simulator.inject(Fault(GONE, on=["get"]))  # before it is started
    world.simulator.inject(Fault(RawAnswer(200, body, "application/json"), on=["get"]))
    answer = answered(world, create(world))
    assert answer["Status"] == "FAILED"
    assert "longer than CloudFormation takes" in answer["Reason"]
    world.simulator.clear_faults()
    answered(world, delete(world, answer["PhysicalResourceId"]))
    assert world.simulator.running() == ()


def test_a_fault_of_the_providers_own_does_not_deny_the_job_that_was_seen(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_, looks = Lifecycle.create, []

    def fail_later(it: Lifecycle, request: Request) -> Done | Waiting:
        looks.append(request)
        return create_(it, request) if len(looks) < 3 else 1 / 0  # type: ignore[return-value]

    monkeypatch.setattr(Lifecycle, "create", fail_later)
    answer = answered(world, create(world, WaitForCompletion="true"))
    assert "a fault of its own" in answer["Reason"]
    assert world.simulator.running() == (job_id(answer),)


def test_a_start_that_was_accepted_at_the_second_attempt_is_not_reported_with_the_words_of_the_first(
    world: World,
) -> None:
    world.simulator.inject(Fault(RawAnswer(503, "busy"), on=["start"]))
    world.simulator.plan = replace(world.simulator.plan, appear_seconds=600)
    answer = answered(world, create(world))
    assert answer["Status"] == "FAILED"
    assert "Neptune accepted the start of the job" in answer["Reason"]
    assert "s later. Try again." in answer["Reason"]


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
    assert world.calls == ["get"]


def test_what_neptune_refuses_to_start_fails_in_its_words(world: World) -> None:
    world.simulator.inject(Fault(ErrorAnswer("BadRequestException", "no training job movies"), on=["start"]))
    event = create(world)
    answer = answered(world, event)
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("The job could not be started. Neptune at ")
    assert "no training job movies" in answer["Reason"]
    assert answer["PhysicalResourceId"].startswith("no-job-yet/")
    assert answered(world, delete(world, answer["PhysicalResourceId"]))["Status"] == "SUCCESS"
    assert world.time() <= SEARCH_SECONDS + 20  # until no other delivery can start it any more
    assert world.cancellations == []


def test_a_wrong_description_fails_before_anything_is_asked(world: World) -> None:
    answer = answered(world, create(world, Id="job-1"))
    assert answer["Status"] == "FAILED"
    assert "write either Id or the description" in answer["Reason"]
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
    ],
    ids=["lost answer", "5xx with effect", "5xx", "garbage", "late", "throttled"],
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


def test_a_job_that_is_slow_to_appear_is_waited_for(world: World) -> None:
    world.simulator.plan = replace(world.simulator.plan, appear_seconds=40)
    answer = answered(world, create(world))
    assert answer["Status"] == "SUCCESS"
    assert answer["Data"]["Status"] == "InProgress"
    assert 40 <= world.time() <= 46
    assert world.starts == 1


def test_a_job_that_appears_only_after_its_create_has_failed_is_found_by_the_delete(world: World) -> None:
    world.simulator.plan = replace(world.simulator.plan, appear_seconds=150)
    event = create(world)
    answer = answered(world, event)
    assert answer["Status"] == "FAILED"
    assert "accepted the start" in answer["Reason"]
    (started,) = world.simulator.running()
    assert answer["PhysicalResourceId"] == f"unclear-job/{world.simulator.url}/{started}"
    assert answered(world, delete(world, answer["PhysicalResourceId"]))["Status"] == "SUCCESS"
    assert world.simulator.running() == ()
    assert world.starts == 1


def test_a_cluster_that_cannot_be_reached_fails_the_create_and_not_its_rollback(
    world: World, written: io.StringIO
) -> None:
    world.take_cluster_down()
    event = create(world)
    answer = answered(world, event)
    assert answer["Status"] == "FAILED"
    assert answer["PhysicalResourceId"].startswith(f"no-job-yet/{world.simulator.url}/graph-Job-")
    asked_for = answer["PhysicalResourceId"].rpartition("/")[2]
    assert answer["Reason"].startswith(f"The job {asked_for} could not be started. Neptune at ")
    assert "refused the connection" in answer["Reason"]
    assert 45 <= world.time() <= 60
    assert answered(world, delete(world, answer["PhysicalResourceId"]))["Status"] == "SUCCESS"
    assert world.time() <= 120
    assert "could not be asked whether it has a job of this resource. Neptune at " in written.getvalue()
    assert "looked up" not in written.getvalue()  # there is no job that could be


def test_a_create_that_never_got_an_answer_in_a_cluster_that_is_down_is_told_to_the_user(world: World) -> None:
    world.take_cluster_down()
    answer = answered(world, delete(world, INVENTED))
    assert answer["Status"] == "FAILED"
    assert "Whether this resource has started a job" in answer["Reason"]
    assert 600 <= world.time() <= 640


def test_the_watchdog_leaves_it_open_whether_a_start_that_hangs_took_effect(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neptune, "READ_SECONDS", {**neptune.READ_SECONDS, "start": 3.0})
    world.simulator.inject(Fault(Hang(), on=["start"], takes_effect=True))
    event = create(world, ServiceTimeout="1")
    thread = threading.Thread(target=world.invoke, args=[event])
    thread.start()
    answer = world.host.wait_for(event["RequestId"], seconds=5).body
    thread.join(10)
    assert answer["Status"] == "FAILED"
    assert answer["PhysicalResourceId"].startswith("unclear-job/")
    assert answered(world, delete(world, answer["PhysicalResourceId"]))["Status"] == "SUCCESS"
    assert world.simulator.running() == ()


# --- more than one delivery -------------------------------------------------------------------------------------------


def test_the_same_create_delivered_twice_has_one_job(world: World) -> None:
    event = create(world)
    world.run(event)
    world.pass_time(60)
    world.run(event)
    first, second = world.answers(event)
    assert first == second
    assert len(world.simulator.jobs()) == 1
    assert world.starts == 1


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


def test_a_request_that_does_not_say_when_it_was_signed_finds_its_job_again(world: World) -> None:
    event = world.event("Create", ResourceProperties=world.described())
    world.run(event)
    world.pass_time(3000)
    world.run(event)
    assert len({answer["PhysicalResourceId"] for answer in world.answers(event)}) == 1
    assert len(world.simulator.jobs()) == 1


def test_a_request_that_is_replayed_long_after_starts_nothing(world: World) -> None:
    event = create(world, EPOCH - START_SECONDS - 1)
    answer = answered(world, event)
    assert answer["Status"] == "FAILED"
    assert "was not started: the request is 91 s old" in answer["Reason"]
    assert answer["PhysicalResourceId"].startswith("no-job-yet/")
    assert world.starts == 0


# --- Delete -----------------------------------------------------------------------------------------------------------


def test_a_delete_cancels_the_job_that_was_started(world: World) -> None:
    answer = answered(world, create(world))
    assert answered(world, delete(world, answer["PhysicalResourceId"], Clean="true"))["Status"] == "SUCCESS"
    assert world.cancellations == [(f"/ml/modeltransform/{job_id(answer)}", "clean=true")]
    assert world.simulator.running() == ()


def test_a_delete_while_the_create_waits_cancels_the_job(world: World) -> None:
    event = create(world, WaitForCompletion="true")
    world.invoke(event)
    (message,) = [message for message, _ in world.queue.waiting]  # type: ignore[attr-defined]
    world.queue.waiting.clear()  # type: ignore[attr-defined]
    assert answered(world, delete(world, INVENTED))["Status"] == "SUCCESS"
    assert world.simulator.running() == ()
    world.run(delivered(message))
    assert world.answer(event)["Status"] == "FAILED"
    assert len(world.simulator.jobs()) == 1


def test_a_delete_of_a_create_that_was_never_answered_looks_until_none_can_appear(world: World) -> None:
    answer = answered(world, delete(world, INVENTED))
    assert answer["Status"] == "SUCCESS"
    assert SEARCH_SECONDS <= world.time() <= SEARCH_SECONDS + 30
    assert world.cancellations == []


def test_a_create_that_is_killed_after_its_start_is_found_by_the_delete(world: World) -> None:
    event = create(world)
    world.host.behave((), then=503)
    with pytest.raises(Exception, match="could not be delivered"):
        world.invoke(event)
    world.host.behave(())
    (started,) = world.simulator.running()
    assert answered(world, delete(world, INVENTED))["Status"] == "SUCCESS"
    assert world.cancellations == [(f"/ml/modeltransform/{started}", "clean=false")]
    assert world.simulator.running() == ()


def test_no_job_of_another_resource_is_taken_for_a_leftover(world: World) -> None:
    world.run({**create(world), "LogicalResourceId": "Other"})
    world.run(create(world, TrainingJobName="another description"))
    world.simulator.start_job("somebody-elses")
    assert answered(world, delete(world, INVENTED))["Status"] == "SUCCESS"
    assert world.cancellations == []
    assert len(world.simulator.running()) == 3


def test_a_job_that_was_retained_long_ago_is_not_taken_for_a_leftover(world: World) -> None:
    retained = job_id(answered(world, create(world)))
    world.pass_time(100_000)
    assert answered(world, delete(world, INVENTED))["Status"] == "SUCCESS"
    assert world.simulator.running() == (retained,)


def test_of_a_retained_job_and_an_unreported_one_neither_is_cancelled_and_the_user_is_told(world: World) -> None:
    jobs = []
    for _ in range(2):
        jobs.append(job_id(answered(world, create(world))))
        world.pass_time(60)
    answer = answered(world, delete(world, INVENTED))
    assert answer["Status"] == "FAILED"
    assert f"{jobs[1]}, {jobs[0]}. Cancel by hand" in answer["Reason"]
    assert list(world.simulator.running()) == jobs


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
    assert "list" not in world.calls


def test_an_update_of_settings_needs_no_neptune(world: World) -> None:
    old = answered(world, create(world))
    world.take_cluster_down()
    new = answered(world, update(world, old["PhysicalResourceId"], world.described(), world.described(Clean="true")))
    assert (new["Status"], new["PhysicalResourceId"]) == ("SUCCESS", old["PhysicalResourceId"])


def test_another_spelling_of_the_description_is_the_same_description(world: World) -> None:
    before = world.described(BaseProcessingInstanceVolumeSizeInGB="30")
    after = world.described(BaseProcessingInstanceVolumeSizeInGB=30)
    old = answered(world, create(world, BaseProcessingInstanceVolumeSizeInGB="30"))
    new = answered(world, update(world, old["PhysicalResourceId"], before, after))
    assert new["PhysicalResourceId"] == old["PhysicalResourceId"]
    assert world.starts == 1


def test_a_replacement_that_waits_and_fails_keeps_the_old_job(world: World) -> None:
    old = answered(world, create(world))
    world.simulator.plan = replace(world.simulator.plan, run_seconds=60, fails_with="x")
    new = world.described(TrainingJobName="v2", WaitForCompletion="true")
    failed = answered(world, update(world, old["PhysicalResourceId"], world.described(), new))
    assert (failed["Status"], failed["PhysicalResourceId"]) == ("FAILED", old["PhysicalResourceId"])
    rollback = answered(world, update(world, old["PhysicalResourceId"], new, world.described()))
    assert (rollback["Status"], rollback["PhysicalResourceId"]) == ("SUCCESS", old["PhysicalResourceId"])
    assert world.simulator.running() == (job_id(old),)


def test_a_rollback_cancels_the_job_of_the_update_that_failed(world: World) -> None:
    old = answered(world, create(world))
    world.pass_time(60)
    new = world.described(TrainingJobName="v2", WaitForCompletion="true", ServiceTimeout="60")
    failed = answered(world, update(world, old["PhysicalResourceId"], world.described(), new))
    assert failed["Status"] == "FAILED"
    assert len(world.simulator.running()) == 2
    rollback = answered(world, update(world, old["PhysicalResourceId"], new, world.described()))
    assert (rollback["Status"], rollback["PhysicalResourceId"]) == ("SUCCESS", old["PhysicalResourceId"])
    world.pass_time(60)
    assert world.simulator.running() == (job_id(old),)


def test_a_rollback_that_cannot_look_for_what_was_left_succeeds_and_sounds_the_alarm(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded: list[tuple[str, float]] = []
    monkeypatch.setattr("provider.lifecycle.leftovers.record", lambda name, value, *_: recorded.append((name, value)))
    old = answered(world, create(world))
    world.take_cluster_down()
    new = world.described(TrainingJobName="v2")
    rollback = answered(world, update(world, old["PhysicalResourceId"], new, world.described()))
    assert (rollback["Status"], rollback["PhysicalResourceId"]) == ("SUCCESS", old["PhysicalResourceId"])
    assert recorded == [("FailedDeletions", 1)]
    assert 600 <= world.time() <= 720


def test_a_rollback_after_a_replacement_goes_back_to_the_job_that_still_runs(world: World) -> None:
    old = answered(world, create(world))
    world.pass_time(60)
    v2 = world.described(TrainingJobName="v2")
    new = answered(world, update(world, old["PhysicalResourceId"], world.described(), v2))
    rollback = answered(world, update(world, new["PhysicalResourceId"], v2, world.described()))
    assert (rollback["Status"], rollback["PhysicalResourceId"]) == ("SUCCESS", old["PhysicalResourceId"])
    assert answered(world, delete(world, new["PhysicalResourceId"], TrainingJobName="v2"))["Status"] == "SUCCESS"
    assert world.simulator.running() == (job_id(old),)
    assert world.starts == 2


@pytest.mark.parametrize(("clean", "starts"), [("false", 2), ("true", 3)])
def test_a_job_that_has_completed_is_gone_back_to_unless_it_may_have_been_cleaned(
    world: World, clean: str, starts: int
) -> None:
    world.simulator.plan = replace(world.simulator.plan, run_seconds=30)
    v1, v2 = world.described(Clean=clean), world.described(Clean=clean, TrainingJobName="v2")
    old = answered(world, create(world, Clean=clean))
    world.pass_time(60)
    new = answered(world, update(world, old["PhysicalResourceId"], v1, v2))
    rollback = answered(world, update(world, new["PhysicalResourceId"], v2, v1))
    assert rollback["Status"] == "SUCCESS"
    assert (rollback["PhysicalResourceId"] == old["PhysicalResourceId"]) is (starts == 2)
    assert world.starts == starts


def test_a_job_that_was_cancelled_is_started_anew_when_its_description_comes_back(world: World) -> None:
    old = answered(world, create(world))
    world.pass_time(60)
    v2 = world.described(TrainingJobName="v2")
    new = answered(world, update(world, old["PhysicalResourceId"], world.described(), v2))
    answered(world, delete(world, old["PhysicalResourceId"]))
    back = answered(world, update(world, new["PhysicalResourceId"], v2, world.described()))
    assert back["PhysicalResourceId"] not in (old["PhysicalResourceId"], new["PhysicalResourceId"])
    assert world.starts == 3


def test_the_same_update_delivered_twice_has_one_job(world: World) -> None:
    old = answered(world, create(world))
    event = update(world, old["PhysicalResourceId"], world.described(), world.described(TrainingJobName="v2"))
    for _ in range(2):
        world.run(event)
        world.pass_time(60)
    first, second = world.answers(event)
    assert first == second
    assert world.starts == 2


def test_a_resource_may_change_from_adopting_to_starting_and_back(world: World) -> None:
    world.simulator.start_job("job-1")
    adopted = answered(world, world.event("Create"))
    started = answered(world, update(world, adopted["PhysicalResourceId"], world.properties(), world.described()))
    assert started["Status"] == "SUCCESS"
    assert job_id(started) != "job-1"
    back = answered(world, update(world, started["PhysicalResourceId"], world.described(), world.properties()))
    assert back["PhysicalResourceId"] == adopted["PhysicalResourceId"]
    kept = world.properties(Id=job_id(started))
    same = answered(world, update(world, started["PhysicalResourceId"], world.described(), kept))
    assert same["PhysicalResourceId"] == started["PhysicalResourceId"]
    assert world.starts == 1


def test_a_replacement_is_refused_where_jobs_are_not_started_and_settings_are_not(world: World) -> None:
    old = answered(world, create(world))
    world.may_start = False
    refused = answered(
        world, update(world, old["PhysicalResourceId"], world.described(), world.described(TrainingJobName="v2"))
    )
    assert refused["Status"] == "FAILED"
    assert "StartJobs" in refused["Reason"]
    kept = answered(world, update(world, old["PhysicalResourceId"], world.described(), world.described(Clean="true")))
    assert kept["Status"] == "SUCCESS"
    assert answered(world, delete(world, old["PhysicalResourceId"]))["Status"] == "SUCCESS"
    assert world.simulator.running() == ()


def test_another_name_of_the_cluster_keeps_the_job_that_was_started(world: World) -> None:
    old = answered(world, create(world))
    renamed = world.described(Endpoint=world.simulator.url.replace("127.0.0.1", "localhost"))
    new = answered(world, update(world, old["PhysicalResourceId"], world.described(), renamed))
    assert (new["Status"], new["PhysicalResourceId"]) == ("SUCCESS", old["PhysicalResourceId"])
    assert world.starts == 1


# --- adopting, and waiting for completion -----------------------------------------------------------------------------


def test_a_job_that_is_adopted_can_be_waited_for(world: World) -> None:
    world.simulator.start_job("job-1", run_seconds=500)
    answer = world.ask("Create", ResourceProperties=world.properties(WaitForCompletion="true"))
    assert (answer["Status"], answer["Data"]["Status"]) == ("SUCCESS", "Completed")


def test_without_the_queue_no_longer_time_limit_is_advised_for_a_job_that_is_started(world: World) -> None:
    assert isinstance(world.queue, Queue)
    world.queue.problem = "There is no queue here."
    answer = answered(world, create(world, WaitForCompletion="true"))
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith(
        f"The job {job_id(answer)} has not completed yet (its status is InProgress). The function cannot wait on: "
        "There is no queue here. Without the queue, it waits for 14 minutes at most. The job is cancelled when "
    )
    assert "ServiceTimeout" not in answer["Reason"]
    assert 780 <= world.time() <= 840


def test_without_the_queue_no_second_attempt_is_advised_for_a_job_that_is_adopted(world: World) -> None:
    assert isinstance(world.queue, Queue)
    world.queue.problem = "There is no queue here."
    world.simulator.start_job("job-1")
    answer = answered(world, world.event("Create", ResourceProperties=world.properties(WaitForCompletion="true")))
    assert answer["Status"] == "FAILED"
    assert " There is no queue here. Without the queue, it waits for 14 minutes at most. (log" in answer["Reason"]


def test_a_job_that_fails_while_it_is_waited_for_is_not_adopted(world: World) -> None:
    world.simulator.start_job("job-1", run_seconds=50, fails_with="No space left")
    event = world.event("Create", ResourceProperties=world.properties(WaitForCompletion="true"))
    answer = answered(world, event)
    assert answer["Status"] == "FAILED"
    assert "No space left" in answer["Reason"]
    assert answer["PhysicalResourceId"] == f"no-job/{event['RequestId']}"
