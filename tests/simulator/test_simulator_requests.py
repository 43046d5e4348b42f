"""What requests do: to jobs, artifacts and the log; and many at once, to the server."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from simulator import (
    Fault,
    JobExistsError,
    JobNotFoundError,
    JobPlan,
    JobStatus,
    ManualClock,
    RawAnswer,
    Simulator,
)
from simulator.request_log import credential_scope

if TYPE_CHECKING:
    from mypy_boto3_neptunedata import NeptuneDataClient

START = {"modelTransformOutputS3Location": "s3://bucket/transform", "trainingJobName": "training-1"}


def call(simulator: Simulator, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
    with contextlib.closing(http.client.HTTPConnection(simulator.host_port, timeout=10)) as connection:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        text = response.read()
        return response.status, json.loads(text) if text else None


def start(simulator: Simulator, job_id: str) -> None:
    status, answer = call(simulator, "POST", "/ml/modeltransform", {**START, "id": job_id})
    assert (status, answer["id"]) == (200, job_id)


# --- jobs ---


def test_a_cancelled_job_stops_in_its_time(
    simulator: Simulator, neptune: NeptuneDataClient, clock: ManualClock
) -> None:
    assert simulator.start_job("job-1", stop_seconds=60) == "InProgress"
    assert neptune.cancel_ml_model_transform_job(id="job-1")["status"] == "Stopping"
    clock.advance(30)
    assert neptune.cancel_ml_model_transform_job(id="job-1")["status"] == "Stopping"
    clock.advance(29.9)
    assert neptune.get_ml_model_transform_job(id="job-1")["status"] == "Stopping"
    clock.advance(0.1)
    assert neptune.get_ml_model_transform_job(id="job-1")["status"] == "Stopped"


@pytest.mark.parametrize("status", ["Completed", "Failed", "Stopped"])
def test_an_ended_job_cannot_be_cancelled(simulator: Simulator, neptune: NeptuneDataClient, status: str) -> None:
    simulator.start_job("job-1", status=status)
    with pytest.raises(neptune.exceptions.InvalidParameterException, match="already completed or failed"):
        neptune.cancel_ml_model_transform_job(id="job-1")
    assert simulator.status("job-1") == status


def test_a_job_can_refuse_to_stop(simulator: Simulator, neptune: NeptuneDataClient, clock: ManualClock) -> None:
    simulator.start_job("job-1", stop_seconds=None)
    neptune.cancel_ml_model_transform_job(id="job-1")
    clock.advance(1e9)
    assert simulator.status("job-1") == "Stopping"


def test_a_job_that_was_started_over_http_stops_as_the_simulator_says(simulator: Simulator, clock: ManualClock) -> None:
    call(simulator, "POST", "/ml/modeltransform", {**START, "id": "job-1"})
    call(simulator, "DELETE", "/ml/modeltransform/job-1")
    clock.advance(59)
    assert simulator.status("job-1") == "Stopping"
    clock.advance(1)
    assert simulator.status("job-1") == "Stopped"


def test_a_job_that_was_started_over_http_runs_as_the_simulator_says(clock: ManualClock) -> None:
    with Simulator(clock=clock, base_seconds=10, run_seconds=30, fails_with="AlgorithmError: no memory") as simulator:
        start(simulator, "job-1")
        clock.advance(30)
        _, answer = call(simulator, "GET", "/ml/modeltransform/job-1")
    assert answer["status"] == answer["remoteModelTransformJob"]["status"] == "Failed"
    assert answer["remoteModelTransformJob"]["failureReason"] == "AlgorithmError: no memory"
    assert "failureReason" not in answer["baseProcessingJob"]


def test_a_job_can_fail_in_its_base_processing(simulator: Simulator, clock: ManualClock) -> None:
    simulator.plan = JobPlan(base_seconds=60, run_seconds=30, fails_with="ClientError: no such file")
    start(simulator, "job-1")
    clock.advance(30)
    _, answer = call(simulator, "GET", "/ml/modeltransform/job-1")
    assert answer["status"] == answer["baseProcessingJob"]["status"] == "Failed"
    assert answer["baseProcessingJob"]["failureReason"] == "ClientError: no such file"
    assert answer.keys() == {"id", "status", "baseProcessingJob"}


def test_the_plan_for_jobs_that_start_can_change(simulator: Simulator, clock: ManualClock) -> None:
    assert simulator.plan == JobPlan(stop_seconds=60)
    start(simulator, "job-1")
    simulator.plan = replace(simulator.plan, run_seconds=10)
    start(simulator, "job-2")
    simulator.plan = replace(simulator.plan, fails_with="why")
    start(simulator, "job-3")
    clock.advance(10)
    assert simulator.jobs() == {"job-1": "InProgress", "job-2": "Completed", "job-3": "Failed"}


@pytest.mark.parametrize(
    "training",
    [
        {"trainingJobName": "broken"},
        {"trainingJobName": None, "dataProcessingJobId": "processing", "mlModelTrainingJobId": "broken"},
    ],
    ids=["SageMaker's training job", "Neptune's training job"],
)
def test_jobs_that_use_the_models_of_one_training_can_have_a_plan_of_their_own(
    simulator: Simulator, clock: ManualClock, training: dict[str, str | None]
) -> None:
    simulator.plan_training("broken", JobPlan(run_seconds=10, fails_with="why"))
    start(simulator, "job-1")
    assert call(simulator, "POST", "/ml/modeltransform", {**START, **training, "id": "job-2"})[0] == 200
    clock.advance(10)
    assert simulator.jobs() == {"job-1": "InProgress", "job-2": "Failed"}


def test_running_jobs_are_those_that_have_not_ended(simulator: Simulator, clock: ManualClock) -> None:
    for number, status in enumerate(JobStatus):
        simulator.start_job(f"job-{number}", status=status, stop_seconds=60)
    assert simulator.running() == ("job-0", "job-1")
    clock.advance(60)
    assert simulator.running() == ("job-0",)
    assert list(simulator.jobs().values()) == ["InProgress", "Stopped", "Stopped", "Completed", "Failed"]


def test_a_job_can_be_slow_to_appear(simulator: Simulator, neptune: NeptuneDataClient, clock: ManualClock) -> None:
    simulator.plan = JobPlan(run_seconds=100, appear_seconds=30)
    start(simulator, "job-1")
    clock.advance(29)
    for call_for_job in (neptune.get_ml_model_transform_job, neptune.cancel_ml_model_transform_job):
        with pytest.raises(neptune.exceptions.MLResourceNotFoundException):
            call_for_job(id="job-1")
    assert neptune.list_ml_model_transform_jobs()["ids"] == []
    assert call(simulator, "POST", "/ml/modeltransform", {**START, "id": "job-1"})[0] == 400
    assert (simulator.status("job-1"), simulator.running()) == ("InProgress", ("job-1",))
    clock.advance(1)
    assert neptune.get_ml_model_transform_job(id="job-1")["status"] == "InProgress"
    assert neptune.list_ml_model_transform_jobs()["ids"] == ["job-1"]
    # It ran all the while.
    clock.advance(70)
    assert neptune.get_ml_model_transform_job(id="job-1")["status"] == "Completed"


def test_a_forgotten_job_is_not_found(simulator: Simulator, neptune: NeptuneDataClient) -> None:
    simulator.start_job("job-1")
    simulator.forget_job("job-1")
    with pytest.raises(neptune.exceptions.MLResourceNotFoundException):
        neptune.get_ml_model_transform_job(id="job-1")
    for look in (simulator.status, simulator.artifacts, simulator.forget_job):
        with pytest.raises(JobNotFoundError):
            look("job-1")


def test_an_id_is_taken_once(simulator: Simulator) -> None:
    simulator.start_job("job-1", status="Completed")
    with pytest.raises(JobExistsError, match="job-1 already exists"):
        simulator.start_job("job-1")
    with pytest.raises(ValueError, match="'Complete' is no job status"):
        simulator.start_job("job-2", status="Complete")


# --- artifacts ---


def test_artifacts_are_below_the_jobs_location(simulator: Simulator) -> None:
    start(simulator, "job-1")
    names = simulator.artifacts("job-1")
    assert names
    assert all(name.startswith("s3://bucket/transform/job-1/") for name in names)


def test_clean_deletes_the_artifacts_of_that_job_when_it_has_stopped(
    simulator: Simulator, neptune: NeptuneDataClient, clock: ManualClock
) -> None:
    simulator.start_job("job-2")
    simulator.start_job("job-1", stop_seconds=60)
    neptune.cancel_ml_model_transform_job(id="job-1", clean=True)
    clock.advance(59)
    assert len(simulator.artifacts("job-1")) == len(simulator.artifacts("job-2"))
    clock.advance(1)
    assert neptune.get_ml_model_transform_job(id="job-1")["status"] == "Stopped"
    assert simulator.artifacts("job-1") == ()
    assert simulator.artifacts("job-2")


@pytest.mark.parametrize("clean", [{}, {"clean": False}])
def test_without_clean_the_artifacts_stay(
    simulator: Simulator, neptune: NeptuneDataClient, clock: ManualClock, clean: dict[str, bool]
) -> None:
    simulator.start_job("job-1", stop_seconds=0)
    before = simulator.artifacts("job-1")
    assert neptune.cancel_ml_model_transform_job(id="job-1", **clean)["status"] == "Stopped"  # type: ignore[arg-type]
    clock.advance(1)
    assert simulator.artifacts("job-1") == before != ()


def test_clean_of_a_second_cancellation_changes_nothing(
    simulator: Simulator, neptune: NeptuneDataClient, clock: ManualClock
) -> None:
    simulator.start_job("job-1", stop_seconds=60)
    before = simulator.artifacts("job-1")
    neptune.cancel_ml_model_transform_job(id="job-1")
    neptune.cancel_ml_model_transform_job(id="job-1", clean=True)
    clock.advance(60)
    assert simulator.status("job-1") == "Stopped"
    assert simulator.artifacts("job-1") == before


# --- the request log ---


def test_the_log_tells_what_was_sent_and_what_became_of_it(
    simulator: Simulator, neptune: NeptuneDataClient, clock: ManualClock
) -> None:
    simulator.start_job("job-1")
    clock.advance(7)
    neptune.cancel_ml_model_transform_job(id="job-1", clean=True)
    (record,) = simulator.log
    assert record.time == 7
    assert (record.operation, record.method, record.path, record.query) == (
        "cancel",
        "DELETE",
        "/ml/modeltransform/job-1",
        "clean=true",
    )
    assert (record.status, record.job_id, record.job_status) == (200, "job-1", "Stopping")
    assert (record.signed, record.service, record.region) == (True, "neptune-db", "eu-west-1")
    assert str(record) == (
        "DELETE /ml/modeltransform/job-1?clean=true -> 200, job job-1 is Stopping, signed for neptune-db in eu-west-1"
    )


def test_the_log_holds_no_secrets(simulator: Simulator, neptune: NeptuneDataClient) -> None:
    authorizations: list[str] = []
    neptune.meta.events.register(
        "before-send.neptunedata.*", lambda request, **_: authorizations.append(str(request.headers["Authorization"]))
    )
    neptune.list_ml_model_transform_jobs()
    (_, _, signature) = authorizations[0].partition("Signature=")
    assert len(signature.rstrip("'")) == 64
    text = repr(simulator.log)
    for secret in (signature.rstrip("'"), "made-up-token", "made-up-secret", "AKIDEXAMPLE"):
        assert secret not in text


@pytest.mark.parametrize(
    ("authorization", "scope"),
    [
        (
            "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/neptune-db/aws4_request, SignedHeaders=host",
            ("us-east-1", "neptune-db"),
        ),
        (
            "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/neptune-db/aws4_request,Signature=0",
            ("us-east-1", "neptune-db"),
        ),
        ("Basic dXNlcjpwYXNz", None),
        ("AWS4-HMAC-SHA256 Credential=AKID", None),
        ("", None),
    ],
)
def test_the_credential_scope_of_a_signature(authorization: str, scope: tuple[str, str] | None) -> None:
    assert credential_scope(authorization) == scope


def test_unsigned_and_unknown_requests_are_logged_too(simulator: Simulator) -> None:
    call(simulator, "GET", "/ml/modeltransform/a%20b?neptuneIamRoleArn=a%3Ab")
    call(simulator, "GET", "/status")
    first, second = simulator.log
    assert (first.path, first.query, first.job_id, first.job_status, first.signed) == (
        "/ml/modeltransform/a%20b",
        "neptuneIamRoleArn=a%3Ab",
        "a b",
        None,
        False,
    )
    assert (second.operation, second.path, second.status, second.job_id) == (None, "/status", 400, None)


def test_the_log_names_the_job_that_a_request_started(simulator: Simulator) -> None:
    simulator.inject(Fault(RawAnswer(500), takes_effect=True))
    call(simulator, "POST", "/ml/modeltransform", {**START, "id": "job-1"})
    (record,) = simulator.log
    assert (record.status, record.job_id, record.job_status) == (500, "job-1", "InProgress")


def test_a_request_cut_off_in_its_body_leaves_the_server_in_order(simulator: Simulator) -> None:
    with socket.create_connection(("127.0.0.1", simulator.port), timeout=10) as connection:
        connection.sendall(b"POST /ml/modeltransform HTTP/1.1\r\nHost: simulator\r\nContent-Length: 100\r\n\r\n{")
    assert call(simulator, "GET", "/ml/modeltransform") == (200, {"ids": []})


# --- the server ---


def test_hundreds_of_parallel_requests(simulator: Simulator) -> None:
    clients, together = 200, threading.Barrier(200, timeout=30)

    def client(number: int) -> str:
        together.wait()
        assert call(simulator, "POST", "/ml/modeltransform", {**START, "id": f"job-{number}"})[0] == 200
        answers = [call(simulator, "DELETE", f"/ml/modeltransform/job-{number}") for _ in range(2)]
        assert answers == [(200, {"status": "Stopping"})] * 2
        return str(simulator.status(f"job-{number}"))

    with ThreadPoolExecutor(clients) as pool:
        assert set(pool.map(client, range(clients))) == {"Stopping"}
    assert len(simulator.log) == 3 * clients
    assert len(call(simulator, "GET", "/ml/modeltransform?maxItems=1024")[1]["ids"]) == clients


def test_two_simulators_have_ports_and_jobs_of_their_own(simulator: Simulator) -> None:
    with Simulator() as other:
        other.start_job("job-1")
        assert other.host_port != simulator.host_port
        assert call(other, "GET", "/ml/modeltransform")[1] == {"ids": ["job-1"]}
        assert call(simulator, "GET", "/ml/modeltransform")[1] == {"ids": []}


def test_a_simulator_that_has_been_left_refuses_connections() -> None:
    with Simulator() as simulator:
        assert simulator.url == f"http://{simulator.host_port}" == f"http://127.0.0.1:{simulator.port}"
    with pytest.raises(ConnectionRefusedError):
        call(simulator, "GET", "/ml/modeltransform")


def test_a_simulator_has_no_address_before_it_runs() -> None:
    with pytest.raises(RuntimeError, match="not running"):
        _ = Simulator().url
