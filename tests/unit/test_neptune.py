from __future__ import annotations

import json
import socket
import ssl
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
import trustme
from botocore.exceptions import NoCredentialsError, PartialCredentialsError, ReadTimeoutError
from botocore.parsers import ResponseParserError

from provider import neptune
from provider.custom_resource.properties import schema_of
from provider.kinds import ENDPOINT, MODEL_TRANSFORM_JOB
from provider.kinds.kind import CANCEL, GET, START
from provider.look import Look, Status
from provider.neptune import (
    Denied,
    JobNotFound,
    Jobs,
    NeptuneError,
    RequestRefused,
    Throttled,
    Unavailable,
    UnknownHost,
    Unreachable,
)
from provider.values import Endpoint
from simulator import ErrorAnswer, Fault, Hang, RawAnswer, Reset, Truncated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from botocore.client import BaseClient

    from provider.kinds.kind import Kind
    from simulator import Simulator
    from simulator.faults import Effect

KIND = MODEL_TRANSFORM_JOB
SCHEMA = schema_of(KIND.schema)
PROPERTIES = SCHEMA.parse({}, for_delete=True)
ATTRIBUTES = {"OutputLocation", "BaseProcessingJobArn", "RemoteModelTransformJobArn", "ModelNames", "ModelArns"}
RESOURCE = "arn:aws:neptune-db:us-east-1:123456789012:cluster-C0FFEE/*"
ROLE = "arn:aws:iam::123456789012:role/NeptuneML"


def jobs_at(host: str, port: int, scheme: str = "http") -> Jobs:
    return Jobs(KIND, Endpoint(scheme, host, port), region="us-east-1", resource_arn=RESOURCE)


@pytest.fixture
def jobs(simulator: Simulator) -> Jobs:
    return jobs_at("127.0.0.1", simulator.port)


@pytest.mark.parametrize("status", [403, 409, 429, 500, 503])
def test_words_of_an_unknown_id_are_believed_of_a_400_alone(simulator: Simulator, jobs: Jobs, status: int) -> None:
    body = json.dumps({"code": "Odd", "message": INVALID_ID})
    simulator.inject(Fault(RawAnswer(status, body, "application/json")))
    assert not isinstance(failure(lambda: jobs.get("job-1", PROPERTIES)), JobNotFound)


def test_requests_are_signed_for_the_functions_region() -> None:
    jobs = Jobs(KIND, Endpoint("https", "cluster", 8182), region="eu-central-1", resource_arn=RESOURCE)
    assert jobs._make_client().meta.region_name == "eu-central-1"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neptune's time limits, shortened."""
    monkeypatch.setattr(neptune, "CONNECT_SECONDS", 0.1)
    monkeypatch.setattr(neptune, "READ_SECONDS", {GET: 0.1, CANCEL: 0.1})


def made(jobs: Jobs, call_name: str) -> BaseClient:
    """The client of a call, before that is made."""
    return jobs._clients.setdefault(call_name, jobs._make_client())


def answered(simulator: Simulator, jobs: Jobs, answer: object) -> Look:
    body = answer if isinstance(answer, str) else json.dumps(answer)
    simulator.inject(Fault(RawAnswer(200, body, "application/json")))
    return jobs.get("job-1", PROPERTIES)


@pytest.mark.parametrize(
    ("kind", "changing"),
    [
        (MODEL_TRANSFORM_JOB, {"Stopping"}),
        (ENDPOINT, {"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"}),
    ],
    ids=lambda it: getattr(it, "noun", ""),
)
def test_neptune_may_refuse_requests_until_a_status_has_changed(
    simulator: Simulator, kind: Kind, changing: set[str]
) -> None:
    jobs = Jobs(kind, Endpoint("http", "127.0.0.1", simulator.port), region="us-east-1", resource_arn=RESOURCE)
    looks = {word: answered(simulator, jobs, {"status": word}) for word in (*kind.names_of(*Status), "Unheard")}
    assert {word for word, look in looks.items() if look.is_changing} == changing
    assert {word: kind.meaning_of(word) or Status.RUNS for word in looks} == {it: looks[it].status for it in looks}


def failure(call: Callable[[], object]) -> NeptuneError:
    with pytest.raises(NeptuneError) as caught:
        call()
    return caught.value


# --- starting ---------------------------------------------------------------------------------------------------------

STARTING = SCHEMA.parse(
    {
        "ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:provider",
        "Endpoint": "127.0.0.1",
        "ModelTransformOutputS3Location": "s3://bucket/out",
        "DataProcessingJobId": "movies",
        "MlModelTrainingJobId": "movies-1",
        "NeptuneIamRoleArn": ROLE,
        "BaseProcessingInstanceVolumeSizeInGB": "30",
        "Subnets": ["subnet-1", "subnet-2"],
        "CustomModelTransformParameters": {"SourceS3DirectoryPath": "s3://bucket/code"},
        "Clean": "true",
        "WaitForCompletion": "true",
    }
)
UNKNOWN = RawAnswer(404, json.dumps({"code": "MLResourceNotFoundException", "detailedMessage": "no x"}))
# Neptune user guide, "Neptune ML management API errors and exceptions".
INVALID_ID = "Invalid ID provided. Please check whether a resource with the given ID exists."


def test_a_start_carries_the_description_and_nothing_else(jobs: Jobs) -> None:
    sent: list[bytes] = []
    client = made(jobs, START)
    client.meta.events.register("before-send", lambda request, **_: sent.append(request.body))
    jobs.start("job-1", STARTING)
    (body,) = sent
    assert json.loads(body) == {
        "id": "job-1",
        "modelTransformOutputS3Location": "s3://bucket/out",
        "dataProcessingJobId": "movies",
        "mlModelTrainingJobId": "movies-1",
        "neptuneIamRoleArn": ROLE,
        "baseProcessingInstanceVolumeSizeInGB": 30,
        "subnets": ["subnet-1", "subnet-2"],
        "customModelTransformParameters": {"sourceS3DirectoryPath": "s3://bucket/code"},
    }
    assert jobs.get("job-1", STARTING).words == "InProgress"


def test_a_start_of_an_id_that_there_is_already_is_refused_in_words_that_say_so(jobs: Jobs) -> None:
    jobs.start("job-1", STARTING)
    error = failure(lambda: jobs.start("job-1", STARTING))
    assert type(error) is RequestRefused
    assert "already exist" in str(error)


def test_a_start_that_names_what_there_is_not_is_refused(simulator: Simulator, jobs: Jobs) -> None:
    for effect in (UNKNOWN, ErrorAnswer("InvalidParameterException", INVALID_ID)):
        simulator.inject(Fault(effect))
        error = failure(lambda: jobs.start("job-1", STARTING))
        assert type(error) is RequestRefused
        assert simulator.running() == ()


@pytest.mark.parametrize("body", ["{}", '{"id": ""}', '{"id": 5}', "<html>"])
def test_a_start_that_is_not_confirmed_is_unclear(simulator: Simulator, jobs: Jobs, body: str) -> None:
    simulator.inject(Fault(RawAnswer(200, body, "application/json")))
    with pytest.raises(Unavailable, match=r"did not confirm the start of job job-1\.$"):
        jobs.start("job-1", STARTING)


def changing(monkeypatch: pytest.MonkeyPatch, jobs: Jobs, answer: object) -> list[dict[str, object]]:
    """Have jobs be such as can be changed, and the call that starts and changes them answered so; what it carries."""
    carried: list[dict[str, object]] = []

    def start(**arguments: object) -> object:
        carried.append(arguments)
        return answer

    monkeypatch.setattr(jobs, "_kind", KIND._replace(update="update"))
    monkeypatch.setattr(made(jobs, START), KIND.start.method, start)
    return carried


def test_an_update_is_a_start_that_says_so(monkeypatch: pytest.MonkeyPatch, jobs: Jobs) -> None:
    carried = changing(monkeypatch, jobs, {"id": "job-1"})
    jobs.start("job-1", STARTING)
    jobs.update("job-1", STARTING)
    start, update = carried
    assert update == {**start, "update": True}


@pytest.mark.parametrize("answer", [{}, {"id": ""}, {"id": 5}])
def test_an_update_that_is_not_confirmed_is_unclear(
    monkeypatch: pytest.MonkeyPatch, jobs: Jobs, answer: dict[str, object]
) -> None:
    changing(monkeypatch, jobs, answer)
    with pytest.raises(Unavailable, match=r"did not confirm the update of job job-1\.$"):
        jobs.update("job-1", STARTING)


def test_neptunes_guide_has_an_unknown_id_as_a_400(simulator: Simulator, jobs: Jobs) -> None:
    simulator.inject(Fault(ErrorAnswer("InvalidParameterException", INVALID_ID), times=None))
    for call in (jobs.get, jobs.cancel):
        with pytest.raises(JobNotFound, match="has no model transform job job-1"):
            call("job-1", PROPERTIES)


def test_a_failed_job_says_why_and_where_its_log_is(simulator: Simulator, jobs: Jobs) -> None:
    simulator.start_job("job-1", status="Failed", run_seconds=0, fails_with="No space left")
    job = jobs.get("job-1", PROPERTIES)
    assert job.failure == "No space left"
    assert job.log.startswith("https://us-east-1.console.aws.amazon.com/cloudwatch/home?")


def test_a_completed_job_names_its_models(simulator: Simulator, jobs: Jobs) -> None:
    simulator.start_job("job-1", status="Completed")
    job = jobs.get("job-1", PROPERTIES)
    assert job.attributes["ModelArns"].startswith("arn:aws:sagemaker:")
    assert job.attributes["ModelNames"]


def test_several_models_are_separated_by_commas(simulator: Simulator, jobs: Jobs) -> None:
    models = [{"name": "a", "arn": "arn:a"}, {"name": "b", "arn": "arn:b"}]
    job = answered(simulator, jobs, {"status": "Completed", "models": models})
    assert (job.attributes["ModelNames"], job.attributes["ModelArns"]) == ("a,b", "arn:a,arn:b")


# --- what Neptune says of a job ---------------------------------------------------------------------------------------


def test_a_job_is_looked_up(simulator: Simulator, jobs: Jobs) -> None:
    simulator.start_job("job-1")
    job = jobs.get("job-1", PROPERTIES)
    assert (job.words, job.status) == ("InProgress", Status.RUNS)
    assert set(job.attributes) == {"Status", *ATTRIBUTES}
    assert {name for name, value in job.attributes.items() if not value} == {"ModelNames", "ModelArns"}
    assert job.arns == ",".join(job.attributes[it] for it in ("BaseProcessingJobArn", "RemoteModelTransformJobArn"))


def test_what_neptune_does_not_name_is_empty(simulator: Simulator, jobs: Jobs) -> None:
    job = answered(simulator, jobs, {"status": "InProgress"})
    assert job.attributes == {"Status": "InProgress", **dict.fromkeys(ATTRIBUTES, "")}
    assert job.arns == ""


def test_the_output_is_the_transform_jobs_or_else_the_processing_jobs(simulator: Simulator, jobs: Jobs) -> None:
    base, remote = {"outputLocation": "s3://base"}, {"outputLocation": "s3://remote"}

    def output(**parts: object) -> str:
        return answered(simulator, jobs, {"status": "Completed", **parts}).attributes["OutputLocation"]

    assert output(baseProcessingJob=base, remoteModelTransformJob=remote) == "s3://remote"
    assert output(baseProcessingJob=base, remoteModelTransformJob={"name": "x"}) == "s3://base"
    assert output(baseProcessingJob=base, remoteModelTransformJob={"outputLocation": ""}) == "s3://base"
    assert output(baseProcessingJob=base, remoteModelTransformJob={"outputLocation": 5}) == "s3://base"
    assert output(baseProcessingJob=base) == "s3://base"


@pytest.mark.parametrize("answer", ["", "{}", {"status": ""}, {"status": None}, {"status": 5}, {"status": {}}, "<x>"])
def test_an_answer_without_a_status_is_none(simulator: Simulator, jobs: Jobs, answer: object) -> None:
    with pytest.raises(Unavailable, match=r"^Neptune at 127\.0\.0\.1:\d+ responded without a status for job job-1\.$"):
        answered(simulator, jobs, answer)


@pytest.mark.parametrize(
    "answer",
    [
        "[]",
        "5",
        "null",
        {"status": "Stopped", "baseProcessingJob": [1]},
        {"status": "Stopped", "baseProcessingJob": "x"},
        {"status": "Stopped", "models": 5},
    ],
    ids=repr,
)
def test_an_answer_of_another_form_is_none(simulator: Simulator, jobs: Jobs, answer: object) -> None:
    with pytest.raises(Unavailable, match=r"^Neptune at 127\.0\.0\.1:\d+ returned no usable response: "):
        answered(simulator, jobs, answer)


# --- what a cancellation carries, and its confirmation ----------------------------------------------------------------


def test_a_cancellation_carries_clean_and_the_role(simulator: Simulator, jobs: Jobs) -> None:
    simulator.start_job("job-1")
    jobs.cancel("job-1", SCHEMA.parse({"NeptuneIamRoleArn": ROLE, "Clean": "true"}, for_delete=True))
    jobs.get("job-1", SCHEMA.parse({"NeptuneIamRoleArn": ROLE}, for_delete=True))
    cancel, get = simulator.log
    assert (cancel.method, cancel.path) == ("DELETE", "/ml/modeltransform/job-1")
    assert cancel.query == "neptuneIamRoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2FNeptuneML&clean=true"
    assert (get.method, get.query) == ("GET", cancel.query.removesuffix("&clean=true"))
    assert simulator.status("job-1") == "Stopping"


def test_without_a_role_none_is_passed_and_clean_is_always_said(simulator: Simulator, jobs: Jobs) -> None:
    simulator.start_job("job-1")
    jobs.cancel("job-1", PROPERTIES)
    jobs.get("job-1", PROPERTIES)
    assert [record.query for record in simulator.log] == ["clean=false", ""]


def test_the_identity_names_the_job_whatever_the_properties_say(simulator: Simulator, jobs: Jobs) -> None:
    simulator.start_job("job-1")
    other = {"ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:x", "Endpoint": "x", "Id": "job-2"}
    jobs.get("job-1", SCHEMA.parse(other))
    assert simulator.log[-1].path == "/ml/modeltransform/job-1"


@pytest.mark.parametrize("answer", ["", "{}", "<x>", '{"status": ""}', '{"status": null}', '{"status": 5}'])
def test_a_cancellation_without_a_confirmation_is_unclear(simulator: Simulator, jobs: Jobs, answer: str) -> None:
    simulator.inject(Fault(RawAnswer(200, answer, "application/json")))
    with pytest.raises(Unavailable, match=r"did not confirm the cancellation of job job-1\.$"):
        jobs.cancel("job-1", PROPERTIES)


@pytest.mark.parametrize("status", ["200 OK", "Stopping", "anything"])
def test_any_status_confirms_a_cancellation(simulator: Simulator, jobs: Jobs, status: str) -> None:
    simulator.inject(Fault(RawAnswer(200, json.dumps({"status": status}), "application/json")))
    jobs.cancel("job-1", PROPERTIES)


# --- what Neptune refuses ---------------------------------------------------------------------------------------------


def test_a_job_that_the_cluster_does_not_know_is_named(jobs: Jobs) -> None:
    for call in (jobs.get, jobs.cancel):
        with pytest.raises(JobNotFound, match=r"^Neptune at 127\.0\.0\.1:\d+ has no model transform job job-1\.$"):
            call("job-1", PROPERTIES)


@pytest.mark.parametrize(
    "refusal",
    [
        (404, "MLResourceNotFoundException", JobNotFound, "has no model transform job job-1."),
        (404, "NotFoundException", JobNotFound, "has no model transform job job-1."),
        (404, "NotFound", NeptuneError, "returned an unexpected response, 404: why (NotFound)"),
        (404, "", NeptuneError, "returned an unexpected response, 404: why (404)"),
        (400, "MLResourceNotFoundException", RequestRefused, "refused the request: why (MLResourceNotFoundException)"),
        (410, "MLResourceNotFoundException", NeptuneError, "returned an unexpected response, 410: why (MLResourceNot"),
        (500, "MLResourceNotFoundException", Unavailable, "responded with 500: why (MLResourceNotFoundException)"),
        (400, "BadRequestException", RequestRefused, "refused the request: why (BadRequestException)"),
        (400, "InvalidParameterException", RequestRefused, "refused the request: why (InvalidParameterException)"),
        (400, "", RequestRefused, "refused the request: why (400)"),
        (401, "X", NeptuneError, "returned an unexpected response, 401: why (X)"),
        (403, "AccessDeniedException", Denied, "denied the request: why (AccessDeniedException). The function's"),
        (405, "X", NeptuneError, "returned an unexpected response, 405: why (X)"),
        (408, "ClientTimeoutException", Unavailable, "responded with 408: why (ClientTimeoutException)"),
        (408, "", Unavailable, "responded with 408: why (408)"),
        (413, "X", NeptuneError, "returned an unexpected response, 413: why (X)"),
        (429, "TooManyRequestsException", Throttled, "responded with 429: why (TooManyRequestsException)"),
        (499, "X", NeptuneError, "returned an unexpected response, 499: why (X)"),
        (500, "", Unavailable, "responded with 500: why (500)"),
        (501, "X", Unavailable, "responded with 501: why (X)"),
        (503, "X", Unavailable, "responded with 503: why (X)"),
        (599, "X", Unavailable, "responded with 599: why (X)"),
    ],
    ids=lambda refusal: f"{refusal[0]} {refusal[1]}",
)
def test_what_neptune_refuses_is_told_by_its_status(
    simulator: Simulator, jobs: Jobs, refusal: tuple[int, str, type[NeptuneError], str]
) -> None:
    status, code, kind, words = refusal
    body = json.dumps({"code": code, "detailedMessage": "why", "message": "why"})
    for call in (jobs.get, jobs.cancel):
        simulator.inject(Fault(RawAnswer(status, body, "application/json")))
        error = failure(lambda call=call: call("job-1", PROPERTIES))  # type: ignore[misc]
        assert type(error) is kind
        assert str(error).startswith(f"Neptune at 127.0.0.1:{simulator.port} {words}")
        assert error.__cause__ is None


@pytest.mark.parametrize(
    ("call", "action"),
    [("get", "neptune-db:GetMLModelTransformJobStatus"), ("cancel", "neptune-db:CancelMLModelTransformJob")],
)
def test_a_permission_that_is_missing_is_named_with_its_resource(
    simulator: Simulator, jobs: Jobs, call: str, action: str
) -> None:
    simulator.inject(Fault(ErrorAnswer("AccessDeniedException", "not authorized")))
    error = failure(lambda: getattr(jobs, call)("job-1", PROPERTIES))
    assert str(error).endswith(
        f"denied the request: not authorized (AccessDeniedException). The function's role needs {action} on {RESOURCE};"
        " check the provider's ClusterResourceId and its permissions boundary."
    )


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"detailedMessage": "detailed", "message": "short"}, "detailed"),
        ({"detailedMessage": "", "message": "short"}, "short"),
        ({"message": "short"}, "short"),
        ({"detailedMessage": ["a", "b"]}, "['a', 'b']"),
        ({}, "no reason given; see the cluster's audit log"),
        ({"detailedMessage": "x" * 2000}, "x" * 2000),
        ({"detailedMessage": "x" * 2001}, "x" * 2000),
    ],
    ids=lambda value: repr(value)[:40] + str(len(repr(value))),
)
def test_neptunes_own_words_are_kept_and_not_too_many(
    simulator: Simulator, jobs: Jobs, answer: dict[str, object], words: str
) -> None:
    body = json.dumps({"code": "BadRequestException", **answer})
    simulator.inject(Fault(RawAnswer(400, body, "application/json")))
    error = failure(lambda: jobs.get("job-1", PROPERTIES))
    assert str(error).endswith(f" refused the request: {words} (BadRequestException).")


@pytest.mark.parametrize("answer", [{"code": "AmazonSageMakerException"}, {}, {"message": ""}], ids=repr)
@pytest.mark.parametrize("status", [400, 401, 403, 500])
def test_the_words_of_an_error_that_botocore_does_not_know_are_kept(
    simulator: Simulator, jobs: Jobs, status: int, answer: dict[str, object]
) -> None:
    words = "AmazonSageMakerException: The account-level service limit 'ml.r5.large' is 0 Instances"
    simulator.inject(Fault(RawAnswer(status, json.dumps({**answer, "detailedMessage": words}), "application/json")))
    assert f": {words} ({answer.get('code', status)})" in str(failure(lambda: jobs.get("job-1", PROPERTIES)))


def test_the_404_of_a_proxy_says_nothing_of_the_job(simulator: Simulator, jobs: Jobs) -> None:
    simulator.inject(Fault(RawAnswer(404, "<html>Not Found</html>")))
    assert type(failure(lambda: jobs.get("job-1", PROPERTIES))) is NeptuneError


# --- no usable answer -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("effect", [Reset(), Truncated(), Hang()], ids=lambda effect: type(effect).__name__)
def test_a_connection_that_breaks_is_unclear_and_nothing_is_tried_again(
    simulator: Simulator, impatient: None, effect: Effect
) -> None:
    del impatient
    simulator.start_job("job-1")
    jobs = jobs_at("127.0.0.1", simulator.port)
    for call in (jobs.get, jobs.cancel):
        simulator.inject(Fault(effect))
        with pytest.raises(Unavailable, match=r"^Neptune at 127\.0\.0\.1:\d+ "):
            call("job-1", PROPERTIES)
    assert len(simulator.log) == 2


def test_throttling_is_not_tried_again_here(simulator: Simulator, jobs: Jobs) -> None:
    simulator.inject(Fault(ErrorAnswer("TooManyRequestsException"), times=None))
    for call in (jobs.get, jobs.cancel):
        with pytest.raises(Unavailable):
            call("job-1", PROPERTIES)
    assert len(simulator.log) == 2


def test_a_client_is_made_once_and_when_a_call_needs_it(simulator: Simulator, jobs: Jobs) -> None:
    simulator.start_job("job-1")
    assert not jobs._clients
    jobs.cancel("job-1", PROPERTIES)
    assert [*jobs._clients] == [CANCEL]
    jobs.get("job-1", PROPERTIES)
    first = jobs._clients[GET]
    jobs.get("job-1", PROPERTIES)
    assert jobs._clients[GET] is first


def test_what_changes_something_may_take_a_minute_to_be_answered_and_a_look_ten_seconds(
    simulator: Simulator, jobs: Jobs
) -> None:
    simulator.start_job("job-1")
    jobs.get("job-1", PROPERTIES)
    jobs.cancel("job-1", PROPERTIES)
    jobs.start("job-2", STARTING)
    configs: dict[str, Any] = {name: client.meta.config for name, client in jobs._clients.items()}
    limits = {name: (config.connect_timeout, config.read_timeout) for name, config in configs.items()}
    assert limits == {"start": (5, 60), "get": (5, 10), "cancel": (5, 60)}


@pytest.mark.parametrize(
    "error",
    [
        ResponseParserError("no JSON"),
        ValueError("bad"),
        KeyError("status"),
        IndexError("none"),
        TypeError("int"),
        AttributeError("get"),
        RecursionError("deep"),
        ReadTimeoutError(endpoint_url="http://x"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_botocore_stumbles_over_is_unclear(jobs: Jobs, error: Exception) -> None:
    def stumble(**_: object) -> NoReturn:
        raise error

    for call, client in ((jobs.get, made(jobs, GET)), (jobs.cancel, made(jobs, CANCEL))):
        client.meta.events.register("before-call", stumble)
        with pytest.raises(Unavailable, match=r"^Neptune at 127\.0\.0\.1:\d+ returned no usable response: "):
            call("job-1", PROPERTIES)


def test_a_fault_of_the_providers_own_is_not_taken_for_neptunes(jobs: Jobs) -> None:
    def stumble(**_: object) -> NoReturn:
        raise AssertionError("ours")

    made(jobs, GET).meta.events.register("before-call", stumble)
    with pytest.raises(AssertionError, match="ours"):
        jobs.get("job-1", PROPERTIES)


# --- no connection ----------------------------------------------------------------------------------------------------


def test_a_refused_connection_says_what_to_check() -> None:
    error = failure(lambda: jobs_at("127.0.0.1", 9).get("job-1", PROPERTIES))
    assert type(error) is Unreachable
    assert str(error) == (
        "Neptune at 127.0.0.1:9 refused the connection. Check the port in Endpoint, and that the cluster is available."
    )


def test_a_connection_that_times_out_says_what_to_open(impatient: None) -> None:
    del impatient
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.create_connection(full.getsockname()):
        port = full.getsockname()[1]
        for call in (jobs_at("127.0.0.1", port).get, jobs_at("127.0.0.1", port).cancel):
            error = failure(lambda call=call: call("job-1", PROPERTIES))  # type: ignore[misc]
            assert type(error) is Unreachable
            assert str(error) == (
                f"The connection to Neptune at 127.0.0.1:{port} timed out. Allow TCP port {port} from the function's "
                "security group to the cluster's, and run the function in subnets of the cluster's VPC (the provider's "
                "SubnetIds)."
            )


def test_a_host_that_is_unknown_says_what_to_check() -> None:
    error = failure(lambda: jobs_at("cluster.invalid", 8182).get("job-1", PROPERTIES))
    assert type(error) is UnknownHost
    assert str(error) == (
        "The host name cluster.invalid in Endpoint cannot be resolved. Check its spelling, that the function runs in "
        "the cluster's VPC, and that DNS resolution is enabled there."
    )


def test_a_host_that_speaks_no_tls_is_told_from_one_that_is_down(simulator: Simulator) -> None:
    error = failure(lambda: jobs_at("127.0.0.1", simulator.port, "https").get("job-1", PROPERTIES))
    assert type(error) is Unreachable
    assert str(error).startswith(f"The TLS connection to Neptune at 127.0.0.1:{simulator.port} failed: ")


# --- credentials ------------------------------------------------------------------------------------------------------


def test_missing_credentials_are_told_from_a_fault_of_neptune(
    simulator: Simulator, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    del jobs  # whose client has credentials
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
    error = failure(lambda: jobs_at("127.0.0.1", simulator.port).get("job-1", PROPERTIES))
    assert type(error) is NeptuneError
    assert str(error) == (
        f"The function cannot sign its call to Neptune at 127.0.0.1:{simulator.port}: {NoCredentialsError()}. "
        "Check its role."
    )
    assert simulator.log == ()


def test_what_else_botocore_refuses_is_no_fault_of_neptune(jobs: Jobs) -> None:
    def stumble(**_: object) -> NoReturn:
        raise PartialCredentialsError(provider="env", cred_var="x")

    made(jobs, GET).meta.events.register("before-call", stumble)
    error = failure(lambda: jobs.get("job-1", PROPERTIES))
    assert type(error) is NeptuneError
    assert "The call to Neptune at 127.0.0.1:" in str(error)
    assert "failed: Partial credentials found in env" in str(error)


@contextmanager
def breaks_tls_after_the_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A server that reads a request over TLS, and goes on without it, as a node that goes down may; yields its port."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "authority.pem"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)

    def serve() -> None:
        raw, _ = server.accept()
        wrapped = tls.wrap_socket(raw, server_side=True)
        received = b""
        while b"\r\n\r\n" not in received:
            received += wrapped.recv(65536)
        with socket.socket(fileno=wrapped.detach()) as bare:
            bare.sendall(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        serving = threading.Thread(target=serve, daemon=True)
        serving.start()
        yield int(server.getsockname()[1])
        serving.join(10)


def test_tls_that_breaks_after_the_request_leaves_it_unclear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with breaks_tls_after_the_request(tmp_path, monkeypatch) as port, pytest.raises(NeptuneError) as caught:
        jobs_at("127.0.0.1", port, "https").cancel("job-1", PROPERTIES)
    assert type(caught.value) is Unavailable  # not Unreachable: it may have taken effect
    assert "SSL" in str(caught.value)
