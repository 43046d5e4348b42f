"""What the kinds have of their own, and what there is between them."""

from __future__ import annotations

import contextlib
import http.client
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from simulator import (
    ErrorAnswer,
    Fault,
    JobExistsError,
    JobNotFoundError,
    JobPlan,
    ManualClock,
    RawAnswer,
    Simulator,
)
from simulator.kinds import KIND_NAMES
from tests.simulator.starts import STARTS

if TYPE_CHECKING:
    from mypy_boto3_neptunedata import NeptuneDataClient

    from simulator import KindName

JOB_KINDS: tuple[KindName, ...] = ("dataprocessing", "modeltraining", "modeltransform")

by_kind = pytest.mark.parametrize("kind", KIND_NAMES)
by_job_kind = pytest.mark.parametrize("kind", JOB_KINDS)


def call(simulator: Simulator, method: str, path: str, body: object = None) -> tuple[int, Any]:
    with contextlib.closing(http.client.HTTPConnection(simulator.host_port, timeout=10)) as connection:
        connection.request(method, path, None if body is None else json.dumps(body))
        response = connection.getresponse()
        return response.status, json.loads(response.read())


def start(simulator: Simulator, kind: KindName, job_id: str, **parameters: object) -> tuple[int, Any]:
    return call(simulator, "POST", f"/ml/{kind}", {**STARTS[kind], "id": job_id, **parameters})


def started(simulator: Simulator, kind: KindName, job_id: str, **parameters: object) -> None:
    status, answer = start(simulator, kind, job_id, **parameters)
    assert (status, answer.get("id")) == (200, job_id)


def refused(simulator: Simulator, kind: KindName, **parameters: object) -> tuple[str, str]:
    before = simulator.running_everywhere()
    status, answer = start(simulator, kind, "refused", **parameters)
    assert status == 400
    assert simulator.running_everywhere() == before
    return answer["code"], answer["message"]


# --- jobs of several kinds ---


def test_each_kind_has_jobs_of_its_own(simulator: Simulator) -> None:
    for kind in KIND_NAMES:
        started(simulator, kind, "same")
        with pytest.raises(JobExistsError):
            simulator.of(kind).start_job("same")
        assert call(simulator, "GET", f"/ml/{kind}") == (200, {"ids": ["same"]})
    assert simulator.running_everywhere() == tuple((kind, "same") for kind in KIND_NAMES)
    assert simulator.running() == simulator.of("modeltransform").running() == ("same",)
    assert simulator.jobs() == {"same": "InProgress"}
    assert call(simulator, "DELETE", "/ml/modeltraining/same")[0] == 200
    assert {kind: simulator.of(kind).status("same") for kind in KIND_NAMES} == {
        "dataprocessing": "InProgress",
        "modeltraining": "Stopping",
        "modeltransform": "InProgress",
        "endpoints": "Creating",
    }
    simulator.of("endpoints").forget_job("same")
    assert len(simulator.running_everywhere()) == 3


def test_there_are_no_other_kinds(simulator: Simulator) -> None:
    with pytest.raises(ValueError, match="'gremlin' is not a kind: dataprocessing, modeltraining, modeltransform, end"):
        simulator.of("gremlin")  # type: ignore[arg-type]


@by_job_kind
def test_a_job_of_any_kind_is_cancelled_in_its_time_with_its_artifacts(
    simulator: Simulator, clock: ManualClock, kind: KindName
) -> None:
    started(simulator, kind, "job-1")
    assert simulator.of(kind).artifacts("job-1") != ()
    assert call(simulator, "DELETE", f"/ml/{kind}/job-1?clean=TRUE") == (200, {"status": "Stopping"})
    clock.advance(60)
    assert call(simulator, "GET", f"/ml/{kind}/job-1")[1]["status"] == "Stopped"
    assert simulator.of(kind).artifacts("job-1") == ()
    status, answer = call(simulator, "DELETE", f"/ml/{kind}/job-1")
    assert (status, answer["code"]) == (400, "InvalidParameterException")
    assert answer["message"] == "Failed to stop the job because it has already completed or failed."


@pytest.mark.parametrize(
    ("base_seconds", "hpo_seconds", "member"),
    [(60, 60, "processingJob"), (10, 60, "hpoJob"), (10, 10, "modelTransformJob")],
)
def test_a_training_can_fail_in_each_of_its_phases(
    simulator: Simulator, clock: ManualClock, base_seconds: float, hpo_seconds: float, member: str
) -> None:
    simulator.plan = JobPlan(
        base_seconds=base_seconds, hpo_seconds=hpo_seconds, run_seconds=30, fails_with="ClientError: why"
    )
    started(simulator, "modeltraining", "training-1")
    clock.advance(30)
    _, answer = call(simulator, "GET", "/ml/modeltraining/training-1")
    assert answer["status"] == answer[member]["status"] == "Failed"
    assert [name for name, part in answer.items() if "failureReason" in part] == [member]
    assert answer[member]["failureReason"] == "ClientError: why"


@by_kind
def test_a_plan_can_be_for_one_kind(simulator: Simulator, clock: ManualClock, kind: KindName) -> None:
    simulator.of(kind).plan = replace(simulator.plan, run_seconds=10, fails_with="why")
    simulator.plan = replace(simulator.plan, run_seconds=10)
    for each in KIND_NAMES:
        started(simulator, each, "job-1")
    clock.advance(10)
    failed = {each for each in KIND_NAMES if simulator.of(each).status("job-1") == "Failed"}
    assert failed == {kind}
    assert simulator.of(kind).plan.fails_with == "why"


@by_kind
def test_any_kind_can_be_slow_to_appear(simulator: Simulator, clock: ManualClock, kind: KindName) -> None:
    simulator.plan = JobPlan(appear_seconds=30)
    started(simulator, kind, "job-1")
    assert call(simulator, "GET", f"/ml/{kind}/job-1")[0] == call(simulator, "DELETE", f"/ml/{kind}/job-1")[0] == 404
    assert call(simulator, "GET", f"/ml/{kind}")[1] == {"ids": []}
    assert simulator.running_everywhere() == ((kind, "job-1"),)
    clock.advance(30)
    assert call(simulator, "GET", f"/ml/{kind}/job-1")[0] == 200


@by_kind
def test_a_fault_can_be_for_one_kind(simulator: Simulator, kind: KindName) -> None:
    simulator.inject(Fault(ErrorAnswer("TooManyRequestsException"), on=["list"], kind=kind, times=None))
    answers = {each: call(simulator, "GET", f"/ml/{each}")[0] for each in KIND_NAMES}
    assert answers == {**dict.fromkeys(KIND_NAMES, 200), kind: 429}


def test_a_fault_is_for_every_kind(simulator: Simulator) -> None:
    simulator.inject(Fault(ErrorAnswer("TooManyRequestsException"), on=["list"], times=4))
    assert [call(simulator, "GET", f"/ml/{kind}")[0] for kind in (*KIND_NAMES, "endpoints")] == [429] * 4 + [200]


@by_kind
def test_a_start_of_any_kind_can_take_effect_late(simulator: Simulator, clock: ManualClock, kind: KindName) -> None:
    simulator.inject(Fault(RawAnswer(504, "{}"), on=["start"], kind=kind, takes_effect=True, late_seconds=30))
    assert start(simulator, kind, "job-1")[0] == 504
    assert simulator.running_everywhere() == ()
    clock.advance(30)
    assert simulator.running_everywhere() == ((kind, "job-1"),)


def test_the_log_says_which_kind(simulator: Simulator) -> None:
    started(simulator, "endpoints", "e-1")
    call(simulator, "DELETE", "/ml/dataprocessing/e-1")
    call(simulator, "GET", "/ml/other")
    assert [(it.kind, it.job_id, it.job_status) for it in simulator.log] == [
        ("endpoints", "e-1", "Creating"),
        ("dataprocessing", "e-1", None),
        (None, None, None),
    ]
    assert str(simulator.log[0]) == "POST /ml/endpoints -> 200, endpoint e-1 is Creating, not signed"


# --- endpoints ---


def test_an_endpoint_is_created_updated_and_deleted(
    simulator: Simulator, neptune: NeptuneDataClient, clock: ManualClock
) -> None:
    simulator.plan = JobPlan(run_seconds=10, stop_seconds=60)
    neptune.create_ml_endpoint(id="e-1", mlModelTrainingJobId="training-1")
    created = neptune.get_ml_endpoint(id="e-1")
    assert (created["status"], created["endpoint"]["status"]) == ("Creating", "Creating")
    clock.advance(10)
    assert neptune.get_ml_endpoint(id="e-1")["status"] == "InService"

    neptune.create_ml_endpoint(id="e-1", mlModelTransformJobId="transform-1", update=True)
    updated = neptune.get_ml_endpoint(id="e-1")
    assert updated["status"] == "Updating"
    assert updated["endpoint"]["arn"] == created["endpoint"]["arn"]
    assert updated["endpointConfig"] != created["endpointConfig"]
    clock.advance(10)
    assert neptune.get_ml_endpoint(id="e-1")["status"] == "InService"
    # One that serves has not ended.
    assert simulator.running_everywhere() == (("endpoints", "e-1"),)

    assert neptune.delete_ml_endpoint(id="e-1")["status"] == "Deleting"
    clock.advance(30)
    assert neptune.delete_ml_endpoint(id="e-1")["status"] == "Deleting"
    assert neptune.get_ml_endpoint(id="e-1")["status"] == "Deleting"
    clock.advance(30)
    for call_for_endpoint in (neptune.get_ml_endpoint, neptune.delete_ml_endpoint):
        with pytest.raises(neptune.exceptions.MLResourceNotFoundException):
            call_for_endpoint(id="e-1")
    assert neptune.list_ml_endpoints()["ids"] == []
    assert (simulator.of("endpoints").jobs(), simulator.running_everywhere()) == ({}, ())
    with pytest.raises(JobNotFoundError):
        simulator.of("endpoints").status("e-1")
    # Its ID is free again.
    neptune.create_ml_endpoint(id="e-1", mlModelTrainingJobId="training-1")
    assert neptune.get_ml_endpoint(id="e-1")["endpoint"]["arn"] != created["endpoint"]["arn"]


@pytest.mark.parametrize("status", ["Creating", "Updating", "InService", "OutOfService", "Failed", "Deleting"])
def test_an_endpoint_can_be_deleted_whatever_its_status_is(
    simulator: Simulator, clock: ManualClock, status: str
) -> None:
    assert simulator.of("endpoints").start_job("e-1", status=status, stop_seconds=60) == status
    assert call(simulator, "DELETE", "/ml/endpoints/e-1") == (200, {"status": "Deleting"})
    clock.advance(60)
    assert call(simulator, "GET", "/ml/endpoints/e-1")[0] == 404


def test_an_endpoint_that_is_gone_at_once_was_being_deleted(simulator: Simulator) -> None:
    simulator.of("endpoints").start_job("e-1", stop_seconds=0)
    assert call(simulator, "DELETE", "/ml/endpoints/e-1?clean=true") == (200, {"status": "Deleting"})
    assert simulator.of("endpoints").jobs() == {}


def test_a_late_deletion_of_an_endpoint_that_is_gone_by_then_does_not_bring_it_back(
    simulator: Simulator, clock: ManualClock
) -> None:
    simulator.of("endpoints").start_job("e-1", status="InService", stop_seconds=10)
    call(simulator, "DELETE", "/ml/endpoints/e-1")
    simulator.inject(Fault(RawAnswer(504, "{}"), on=["cancel"], takes_effect=True, late_seconds=30))
    call(simulator, "DELETE", "/ml/endpoints/e-1")
    for _ in range(3):
        clock.advance(11)
        assert simulator.of("endpoints").jobs() == {}


@pytest.mark.parametrize("update", [True, "true"])
@pytest.mark.parametrize("status", ["InService", "OutOfService"])
def test_an_update_can_fail(simulator: Simulator, clock: ManualClock, status: str, update: object) -> None:
    simulator.of("endpoints").start_job("e-1", status=status)
    simulator.of("endpoints").plan = JobPlan(run_seconds=10, fails_with="no capacity")
    started(simulator, "endpoints", "e-1", update=update)
    assert simulator.of("endpoints").status("e-1") == "Updating"
    clock.advance(10)
    _, answer = call(simulator, "GET", "/ml/endpoints/e-1")
    assert (answer["status"], answer["endpoint"]["failureReason"]) == ("Failed", "no capacity")
    assert simulator.of("endpoints").running() == ()


@pytest.mark.parametrize("status", ["Creating", "Updating", "Failed", "Deleting"])
def test_what_is_not_in_service_cannot_be_updated(simulator: Simulator, status: str) -> None:
    simulator.of("endpoints").start_job("e-1", status=status)
    code, answer = start(simulator, "endpoints", "e-1", update=True)
    assert (code, answer["code"]) == (400, "BadRequestException")
    assert answer["message"] == f"Endpoint e-1 is {status} and cannot be updated."
    assert simulator.of("endpoints").status("e-1") == status


def test_an_update_needs_an_endpoint_that_there_is(simulator: Simulator) -> None:
    assert start(simulator, "endpoints", "e-1", update=True)[1]["code"] == "MLResourceNotFoundException"
    assert start(simulator, "endpoints", "", update="True")[1]["code"] == "MissingParameterException"
    assert start(simulator, "endpoints", "e-1", update="yes")[1]["code"] == "InvalidParameterException"
    # Without `update`, an ID that there is already is taken.
    simulator.of("endpoints").start_job("e-1", status="InService")
    assert start(simulator, "endpoints", "e-1", update=False)[1]["code"] == "InvalidParameterException"
    assert simulator.of("endpoints").jobs() == {"e-1": "InService"}


def test_an_update_can_take_effect_late(simulator: Simulator, clock: ManualClock) -> None:
    simulator.of("endpoints").start_job("e-1", status="InService")
    config = call(simulator, "GET", "/ml/endpoints/e-1")[1]["endpointConfig"]
    simulator.inject(Fault(RawAnswer(504, "{}"), on=["start"], takes_effect=True, late_seconds=30))
    assert start(simulator, "endpoints", "e-1", update=True)[0] == 504
    clock.advance(29)
    answer = call(simulator, "GET", "/ml/endpoints/e-1")[1]
    assert (answer["status"], answer["endpointConfig"]) == ("InService", config)
    clock.advance(1)
    answer = call(simulator, "GET", "/ml/endpoints/e-1")[1]
    assert answer["status"] == "Updating"
    assert answer["endpointConfig"] != config


def test_a_deletion_in_time_comes_before_a_late_update(simulator: Simulator, clock: ManualClock) -> None:
    simulator.of("endpoints").start_job("e-1", status="InService", stop_seconds=60)
    simulator.inject(Fault(RawAnswer(504, "{}"), on=["start"], takes_effect=True, late_seconds=30))
    start(simulator, "endpoints", "e-1", update=True)
    call(simulator, "DELETE", "/ml/endpoints/e-1")
    clock.advance(30)
    assert simulator.of("endpoints").status("e-1") == "Deleting"
    clock.advance(30)
    assert simulator.of("endpoints").jobs() == {}


def test_an_endpoint_has_no_status_of_a_job(simulator: Simulator) -> None:
    endpoints = simulator.of("endpoints")
    with pytest.raises(ValueError, match="'Completed' is no endpoint status: Creating, Updating, Deleting, InService"):
        endpoints.start_job("e-1", status="Completed")


def test_the_made_id_of_an_endpoint_is_a_timestamped_name(neptune: NeptuneDataClient) -> None:
    assert neptune.create_ml_endpoint(mlModelTrainingJobId="t")["id"].startswith("20")


# --- jobs that name jobs ---

REFERENCES: list[tuple[KindName, str, KindName]] = [
    ("dataprocessing", "previousDataProcessingJobId", "dataprocessing"),
    ("modeltraining", "dataProcessingJobId", "dataprocessing"),
    ("modeltraining", "previousModelTrainingJobId", "modeltraining"),
    ("modeltransform", "dataProcessingJobId", "dataprocessing"),
    ("modeltransform", "mlModelTrainingJobId", "modeltraining"),
    ("endpoints", "mlModelTrainingJobId", "modeltraining"),
    ("endpoints", "mlModelTransformJobId", "modeltransform"),
]
UNFINISHED: dict[KindName, str] = {
    "dataprocessing": "Provided MLDataProcessing job is not completed.",
    "modeltraining": "Provided ModelTraining job has not completed.",
    "modeltransform": "Provided ModelTransform job has not completed.",
}
by_reference = pytest.mark.parametrize(("kind", "parameter", "named"), REFERENCES)


@pytest.mark.parametrize("status", ["InProgress", "Stopping", "Stopped", "Failed"])
@by_reference
def test_a_job_that_is_named_must_have_completed(
    simulator: Simulator, kind: KindName, parameter: str, named: KindName, status: str
) -> None:
    simulator.of(named).start_job("named", status=status)
    assert refused(simulator, kind, **{parameter: "named"}) == ("BadRequestException", UNFINISHED[named])
    simulator.of(named).forget_job("named")
    simulator.of(named).start_job("named", status="Completed")
    started(simulator, kind, "job-1", **{parameter: "named"})


@by_reference
def test_a_job_that_is_named_need_not_be_there(
    simulator: Simulator, kind: KindName, parameter: str, named: KindName
) -> None:
    assert simulator.of(named).jobs() == {}
    started(simulator, kind, "job-1", **{parameter: "nobody"})
