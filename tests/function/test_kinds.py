"""Every kind of job, over HTTP: one function provides them all, and the resource's type tells which is meant."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from provider import handler as entry
from provider.kinds import ENDPOINT, KINDS, MODEL_TRAINING_JOB, MODEL_TRANSFORM_JOB
from provider.kinds.lookup import LOOKUP
from provider.look import Status
from simulator import ErrorAnswer, Fault, JobStatus
from tests.function.asking import INVENTED, answered, create, delete, job_id, update

if TYPE_CHECKING:
    from provider.kinds.kind import Kind
    from tests.function.world import World

KIND_NAMES = [kind.resource_type.removeprefix("Custom::NeptuneML") for kind in KINDS]
TYPES = [*(kind.resource_type for kind in KINDS), LOOKUP.resource_type]
PAIRS = [(one, other) for one in KINDS for other in KINDS if one is not other]


@pytest.fixture(params=KINDS, ids=KIND_NAMES)
def kind(request: pytest.FixtureRequest) -> Kind:
    it: Kind = request.param
    return it


def adopting(world: World, request_type: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - an event's
    return world.event(request_type, ResourceProperties=world.properties(), **fields)


def own(event: dict[str, Any]) -> dict[str, Any]:
    """Have each kind's request be one of a resource of its own."""
    return {**event, "LogicalResourceId": event["ResourceType"].removeprefix("Custom::")}


def calls(world: World) -> list[tuple[str | None, str | None]]:
    return [(record.kind, record.operation) for record in world.simulator.log]


def stopped(kind: Kind, *job_ids: str) -> dict[str, str]:
    """What is left of jobs that have been cancelled: an endpoint is gone then."""
    return dict.fromkeys(job_ids, JobStatus.STOPPED) if kind.names_of(Status.STOPPED) else {}


def switch_off(world: World, *kinds: Kind) -> None:
    on = (kind.resource_type.removeprefix("Custom::NeptuneML") for kind in KINDS if kind not in kinds)
    world.settings = world.settings._replace(kinds=frozenset(on))


# --- the life of a resource -------------------------------------------------------------------------------------------


def test_a_create_starts_a_job_of_its_kind_and_the_delete_cancels_it(world: World, kind: Kind) -> None:
    world = world.of(kind)
    answer = answered(world, create(world))
    started = job_id(answer)
    assert answer["Status"] == "SUCCESS"
    assert answer["PhysicalResourceId"] == f"{world.simulator.url}/{started}"
    assert set(answer["Data"]) == {"Id", "Status", *(attribute.name for attribute in kind.attributes)}
    assert answer["Data"]["Status"] in kind.names_of(Status.RUNS)
    assert world.jobs.jobs() == {started: kind.names_of(Status.RUNS)[0]}

    assert answered(world, delete(world, answer["PhysicalResourceId"]))["Status"] == "SUCCESS"
    assert world.jobs.jobs() == stopped(kind, started)
    assert {name for name, _ in calls(world)} == {calls(world)[0][0]}
    assert world.starts == 1


def test_a_create_that_waits_is_answered_when_the_job_has_completed_with_every_attribute(
    world: World, kind: Kind
) -> None:
    world = world.of(kind)
    world.jobs.plan = replace(world.jobs.plan, base_seconds=300, hpo_seconds=300, run_seconds=1200)
    answer = answered(world, create(world, WaitForCompletion="true"))
    assert answer["Status"] == "SUCCESS"
    assert answer["Data"]["Status"] == kind.names_of(Status.COMPLETED, Status.READY)[0]
    assert [name for name, value in answer["Data"].items() if not value] == []
    assert 1200 <= world.time() <= 1240
    assert world.starts == 1


def test_a_job_that_fails_fails_the_create_that_waits_with_its_reason_and_its_log(world: World, kind: Kind) -> None:
    world = world.of(kind)
    world.jobs.plan = replace(world.jobs.plan, run_seconds=60, fails_with="No space left on device")
    answer = answered(world, create(world, WaitForCompletion="true"))
    started = job_id(answer)
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith(
        f"The {kind.words.thing} {started} {kind.words.not_completed}: its status is Failed. Its log: "
        "https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#logStream:group="
    )
    assert " Neptune's reason: No space left on device (log stream:" in answer["Reason"]
    assert answered(world, delete(world, answer["PhysicalResourceId"]))["Status"] == "SUCCESS"


def test_a_job_is_adopted_and_cancelled(world: World, kind: Kind) -> None:
    world = world.of(kind)
    world.jobs.start_job("job-1")
    answer = answered(world, adopting(world, "Create"))
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", world.physical_id())
    assert world.starts == 0
    assert answered(world, adopting(world, "Delete"))["Status"] == "SUCCESS"
    assert world.jobs.jobs() == stopped(kind, "job-1")


def test_a_job_that_is_not_there_is_not_adopted(world: World, kind: Kind) -> None:
    world = world.of(kind)
    answer = answered(world, adopting(world, "Create"))
    assert answer["Status"] == "FAILED"
    assert f"has no {kind.noun} job-1. Check Id and Endpoint." in answer["Reason"]
    assert answered(world, adopting(world, "Delete", PhysicalResourceId=answer["PhysicalResourceId"]))["Status"] == (
        "SUCCESS"
    )
    assert world.cancellations == []


def test_another_description_starts_another_job_and_the_old_one_is_deleted_with_its_artifacts(
    world: World, kind: Kind
) -> None:
    world = world.of(kind)
    old = answered(world, create(world, Clean="true"))
    before = world.described(Clean="true")
    after = world.described(Clean="true", VolumeEncryptionKMSKey="other")
    new = answered(world, update(world, old["PhysicalResourceId"], before, after))
    assert new["Status"] == "SUCCESS"
    assert world.jobs.jobs() == dict.fromkeys([job_id(old), job_id(new)], kind.names_of(Status.RUNS)[0])

    assert answered(world, delete(world, old["PhysicalResourceId"], Clean="true"))["Status"] == "SUCCESS"
    assert world.jobs.jobs() == {**stopped(kind, job_id(old)), job_id(new): kind.names_of(Status.RUNS)[0]}
    assert not kind.names_of(Status.STOPPED) or world.jobs.artifacts(job_id(old)) == ()
    assert [query for _, query in world.cancellations] == ["clean=true"]


# --- two kinds, one ID ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=lambda it: it.noun)
def test_the_delete_of_one_kind_never_cancels_the_job_of_another_with_the_same_id(
    world: World, one: Kind, other: Kind
) -> None:
    mine, its = world.of(one), world.of(other)
    for it in (mine, its):
        it.jobs.start_job("job-1")
    answers = [answered(it, own(adopting(it, "Create"))) for it in (mine, its)]
    assert {answer["PhysicalResourceId"] for answer in answers} == {world.physical_id()}

    assert answered(mine, own(adopting(mine, "Delete")))["Status"] == "SUCCESS"

    assert mine.jobs.jobs() == stopped(one, "job-1")
    assert its.jobs.status("job-1") == other.names_of(Status.RUNS)[0]
    assert answered(its, own(adopting(its, "Delete")))["Status"] == "SUCCESS"
    assert world.simulator.running_everywhere() == ()


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=lambda it: it.noun)
def test_a_delete_of_a_kind_whose_job_is_gone_leaves_the_other_kinds_job_alone(
    world: World, one: Kind, other: Kind
) -> None:
    mine, its = world.of(one), world.of(other)
    its.jobs.start_job("job-1")
    assert answered(mine, adopting(mine, "Delete"))["Status"] == "SUCCESS"
    assert its.jobs.status("job-1") == other.names_of(Status.RUNS)[0]


# --- a type that there is not -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resource_type", "words"),
    [
        ("Custom::NeptuneMLModelTraningJob", "did you mean Custom::NeptuneMLModelTrainingJob?"),
        ("Custom::NeptuneMLModelTransformationJob", "did you mean Custom::NeptuneMLModelTransformJob?"),
        ("custom::neptunemldataprocessingjob", "did you mean Custom::NeptuneMLDataProcessingJob?"),
        ("Custom::NeptuneMLDataProcessingJob ", "did you mean Custom::NeptuneMLDataProcessingJob?"),
        ("AWS::S3::Bucket", f"it has {', '.join(TYPES)}."),
        ("", f"it has {', '.join(TYPES)}."),
    ],
)
def test_an_unknown_type_is_refused_and_its_rollback_succeeds(world: World, resource_type: str, words: str) -> None:
    world.simulator.start_job("job-1")
    answer = world.ask("Create", ResourceType=resource_type)
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith(f"The provider has no resource type '{resource_type}'; {words}")
    for physical_id in (answer["PhysicalResourceId"], INVENTED):
        again = world.ask("Delete", ResourceType=resource_type, PhysicalResourceId=physical_id)
        assert (again["Status"], again["PhysicalResourceId"]) == ("SUCCESS", physical_id)
    assert world.calls == []


@pytest.mark.parametrize("resource_type", [None, 7, ["Custom::NeptuneMLModelTransformJob"], {}, "x" * 100_000])
def test_a_type_that_is_no_text_is_refused_and_its_rollback_succeeds(world: World, resource_type: object) -> None:
    answer = world.ask("Create", ResourceType=resource_type)
    assert answer["Status"] == "FAILED"
    assert "resource type" in answer["Reason"]
    again = world.ask("Delete", ResourceType=resource_type, PhysicalResourceId=answer["PhysicalResourceId"])
    assert again["Status"] == "SUCCESS"


def test_an_event_without_a_type_is_refused_and_its_rollback_succeeds(world: World) -> None:
    event = world.event("Create")
    del event["ResourceType"]
    world.run(event)
    answer = world.answer(event)
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("The provider has no resource type None; it has Custom::")
    event = world.event("Delete", PhysicalResourceId=answer["PhysicalResourceId"])
    del event["ResourceType"]
    world.run(event)
    assert world.answer(event)["Status"] == "SUCCESS"


def test_the_delete_of_a_job_whose_type_is_unknown_does_not_forget_it(world: World) -> None:
    """Whatever that provider was which made it: nothing may say that the job is cancelled."""
    answer = world.ask("Delete", ResourceType="Custom::NeptuneMLModelTraningJob")
    assert answer["Status"] == "FAILED"
    assert world.calls == []


# --- a kind that the operator has switched off ------------------------------------------------------------------------


def test_a_create_of_a_kind_that_is_off_names_the_parameter_and_its_rollback_succeeds(world: World, kind: Kind) -> None:
    switch_off(world, kind)
    world = world.of(kind)
    world.jobs.start_job("job-1")
    for event in (create(world), adopting(world, "Create")):
        answer = answered(world, event)
        assert answer["Status"] == "FAILED"
        parameter = f"{kind.resource_type.removeprefix('Custom::NeptuneML')}s"
        assert f"by setting {parameter} to true." in answer["Reason"]
        rollback = world.event(
            "Delete",
            PhysicalResourceId=answer["PhysicalResourceId"],
            ResourceProperties=event["ResourceProperties"],
        )
        assert answered(world, rollback)["Status"] == "SUCCESS"
    assert world.calls == []


def test_the_other_kinds_go_on_where_one_is_off(world: World, kind: Kind) -> None:
    switch_off(world, kind)
    for it in (world.of(other) for other in KINDS if other is not kind):
        assert answered(it, own(create(it)))["Status"] == "SUCCESS"


def test_a_job_of_a_kind_that_was_switched_off_is_deleted_and_updated(world: World, kind: Kind) -> None:
    made = world.of(kind)
    physical_id = answered(made, create(made))["PhysicalResourceId"]
    switch_off(world, kind)
    now = world.of(kind)
    settings = update(now, physical_id, now.described(), now.described(Clean="true"))
    assert answered(now, settings)["PhysicalResourceId"] == physical_id
    assert answered(now, delete(now, physical_id, Clean="true"))["Status"] == "SUCCESS"
    assert now.jobs.running() == ()


def test_a_create_that_waits_while_its_kind_is_switched_off_leaves_no_job_behind(world: World, kind: Kind) -> None:
    made = world.of(kind)
    event = create(made, WaitForCompletion="true")
    assert made.invoke(event)["Status"] == "PENDING"
    assert len(made.jobs.running()) == 1
    switch_off(world, kind)
    now = world.of(kind)
    now.drain()
    answer = now.answer(event)
    assert answer["Status"] == "FAILED"
    assert answered(now, delete(now, answer["PhysicalResourceId"]))["Status"] == "SUCCESS"
    assert now.jobs.running() == ()


def test_a_replacement_by_a_kind_that_is_off_names_the_parameter_and_starts_nothing(world: World, kind: Kind) -> None:
    made = world.of(kind)
    old = answered(made, create(made))
    switch_off(world, kind)
    now = world.of(kind)
    after = now.described(VolumeEncryptionKMSKey="other")
    failed = answered(now, update(now, old["PhysicalResourceId"], now.described(), after))
    assert failed["Status"] == "FAILED"
    assert f"by setting {kind.resource_type.removeprefix('Custom::NeptuneML')}s to true." in failed["Reason"]
    back = answered(now, update(now, old["PhysicalResourceId"], after, now.described()))
    assert (back["Status"], back["PhysicalResourceId"]) == ("SUCCESS", old["PhysicalResourceId"])
    assert now.jobs.running() == (job_id(old),)
    assert world.starts == 1


def test_settings_of_a_kind_that_is_off_change_although_iam_denies_the_look(world: World, kind: Kind) -> None:
    made = world.of(kind)
    physical_id = answered(made, create(made))["PhysicalResourceId"]
    switch_off(world, kind)
    now = world.of(kind)
    now.simulator.inject(Fault(ErrorAnswer("AccessDeniedException", "not allowed"), times=None))
    answer = answered(now, update(now, physical_id, now.described(), now.described(Clean="true")))
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", physical_id)


@pytest.mark.parametrize(
    ("kinds", "provided"),
    [
        ("", KINDS),
        ("none,ModelTrainingJob,ModelTransformJob", (MODEL_TRAINING_JOB, MODEL_TRANSFORM_JOB)),
        ("none,none,none,Endpoint", (ENDPOINT,)),
        ("none,none,ModelTransformJob", (MODEL_TRANSFORM_JOB,)),
        ("none,none,none", ()),
    ],
)
def test_the_environment_says_which_kinds_the_function_provides(
    monkeypatch: pytest.MonkeyPatch, kinds: str, provided: tuple[Kind, ...]
) -> None:
    monkeypatch.setenv("KINDS", kinds)
    spec = importlib.util.spec_from_file_location("handler_with_kinds", entry.__file__)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    lifecycles = module._front_door.lifecycles
    assert list(lifecycles) == [kind.resource_type for kind in KINDS]
    assert [it.kind for it in lifecycles.values() if it.is_provided] == list(provided)
    assert [(it.kind, it.connect.args) for it in lifecycles.values()] == [(kind, (kind,)) for kind in KINDS]
