"""The simulator against botocore's own model of the Neptune Data API."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

import botocore.session
import pytest
from botocore.model import ListShape, ServiceModel, Shape, StructureShape
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from simulator import ERROR_STATUSES, ErrorAnswer, Fault, Simulator
from simulator.api import CUSTOM_PARAMETERS, OPERATIONS, START_BODY, Operation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from botocore.awsrequest import AWSResponse
    from botocore.model import OperationModel
    from mypy_boto3_neptunedata import NeptuneDataClient

    from simulator import ManualClock

MODEL = ServiceModel(
    botocore.session.get_session()
    .get_component("data_loader")
    .load_service_model("neptunedata", "service-2", "2023-08-01"),
    "neptunedata",
)
MODEL_OPERATIONS = {
    (operation.http["method"], operation.http["requestUri"]): operation
    for operation in map(MODEL.operation_model, MODEL.operation_names)
    if operation.http["requestUri"].startswith("/ml/modeltransform")
}
JSON_TYPES = {"string": "string", "integer": "integer", "long": "integer", "boolean": "boolean"}
PYTHON_TYPES = {"string": str, "integer": int, "list": list, "structure": dict}
START = {"modelTransformOutputS3Location": "s3://bucket/transform", "trainingJobName": "training-1"}

by_name = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)


def schema(shape: Shape) -> dict[str, Any]:
    if isinstance(shape, StructureShape):
        return {
            "type": "object",
            "properties": {name: schema(member) for name, member in shape.members.items()},
            "required": shape.required_members,
            "additionalProperties": False,
        }
    if isinstance(shape, ListShape):
        return {"type": "array", "items": schema(shape.member)}
    return {"type": JSON_TYPES[shape.type_name]}


def conforms(answer: object, shape: Shape | None) -> None:
    assert shape is not None
    Draft202012Validator(schema(shape)).validate(answer)


def members(shape: Shape | None, location: str | None) -> dict[str, Shape]:
    return {
        name: member
        for name, member in cast("StructureShape", shape).members.items()
        if member.serialization.get("location") == location
    }


def error_conforms(answer: dict[str, str], code: str) -> None:
    """Neptune's errors are as the model says, and say what went wrong once more, in the member that clients print."""
    assert answer["code"] == code
    assert answer["message"] == answer["detailedMessage"] != ""
    conforms({name: value for name, value in answer.items() if name != "message"}, MODEL.shape_for(code))


class Http:
    """One connection, and what it answers as JSON."""

    def __init__(self, simulator: Simulator) -> None:
        self.connection = http.client.HTTPConnection(simulator.host_port, timeout=10)

    def __call__(self, method: str, path: str, body: str | bytes | None = None) -> tuple[int, Any]:
        self.connection.request(method, path, body)
        response = self.connection.getresponse()
        return response.status, json.loads(response.read())


@pytest.fixture
def http_json(simulator: Simulator) -> Iterator[Http]:
    http_json = Http(simulator)
    yield http_json
    http_json.connection.close()


def modelled(operation: Operation) -> OperationModel:
    return MODEL_OPERATIONS[operation.method, operation.uri]


def test_the_simulator_has_the_operations_of_the_model() -> None:
    assert {(operation.method, operation.uri) for operation in OPERATIONS} == MODEL_OPERATIONS.keys()
    assert {operation.http.get("responseCode", 200) for operation in MODEL_OPERATIONS.values()} == {200}
    assert MODEL.signing_name == "neptune-db"


@by_name
def test_an_operation_takes_the_parameters_of_the_model(operation: Operation) -> None:
    shape = modelled(operation).input_shape
    assert operation.query == {member.serialization["name"] for member in members(shape, "querystring").values()}
    assert ("{id}" in operation.uri) == ("id" in members(shape, "uri"))
    in_body = {name: PYTHON_TYPES[member.type_name] for name, member in members(shape, None).items()}
    assert in_body == (START_BODY if operation.name == "start" else {})


def test_custom_parameters_are_those_of_the_model() -> None:
    shape = cast("StructureShape", MODEL.shape_for("CustomModelTransformParameters"))
    assert {name: PYTHON_TYPES[member.type_name] for name, member in shape.members.items()} == CUSTOM_PARAMETERS
    assert shape.required_members == ["sourceS3DirectoryPath"]


@by_name
def test_what_the_model_requires_is_required(operation: Operation) -> None:
    required = set(cast("StructureShape", modelled(operation).input_shape).required_members)
    assert required == {"start": {"modelTransformOutputS3Location"}, "list": set()}.get(operation.name, {"id"})


def test_every_error_has_the_status_of_the_model() -> None:
    errors = {shape.name: cast("Any", shape).metadata["error"]["httpStatusCode"] for shape in MODEL.error_shapes}
    assert {code: errors[code] for code in ERROR_STATUSES} == ERROR_STATUSES


@by_name
def test_every_error_of_an_operation_can_be_injected(operation: Operation) -> None:
    assert {shape.name for shape in modelled(operation).error_shapes} <= ERROR_STATUSES.keys()


@pytest.mark.parametrize("code", ERROR_STATUSES)
def test_an_error_has_its_shape_and_is_what_boto3_raises(
    simulator: Simulator, neptune: NeptuneDataClient, http_json: Http, code: str
) -> None:
    simulator.inject(Fault(ErrorAnswer(code, "because"), on=["get"], times=2))
    status, body = http_json("GET", "/ml/modeltransform/job-1")
    assert status == ERROR_STATUSES[code]
    error_conforms(body, code)
    assert body["detailedMessage"] == "because"
    with pytest.raises(getattr(neptune.exceptions, code)) as raised:
        neptune.get_ml_model_transform_job(id="job-1")
    assert raised.value.response["detailedMessage"] == "because"
    assert str(raised.value).endswith(": because")


@pytest.fixture
def raw(neptune: NeptuneDataClient) -> Callable[[], Any]:
    """The body of the last answer, before boto3 parsed it."""
    answers: list[bytes] = []

    def keep(http_response: AWSResponse, **_: object) -> None:
        answers.append(http_response.content)

    neptune.meta.events.register("after-call.neptunedata.*", keep)
    return lambda: json.loads(answers[-1])


@pytest.mark.parametrize("status", ["InProgress", "Stopping", "Stopped", "Completed", "Failed"])
def test_get_answers_the_shape_of_the_model(
    simulator: Simulator, neptune: NeptuneDataClient, raw: Callable[[], Any], status: str
) -> None:
    simulator.start_job("job-1", status=status)
    answer = neptune.get_ml_model_transform_job(id="job-1", neptuneIamRoleArn="arn:aws:iam::123456789012:role/r")
    conforms(raw(), MODEL.operation_model("GetMLModelTransformJob").output_shape)
    assert (answer["id"], answer["status"]) == ("job-1", status)
    base, remote = answer["baseProcessingJob"], answer["remoteModelTransformJob"]
    assert (base["status"], remote["status"]) == ("Completed", status)
    for part in (base, remote):
        assert part["arn"].startswith("arn:aws:sagemaker:us-east-1:123456789012:")
        assert part["outputLocation"].startswith("s3://neptune-ml-simulator/model-transform/job-1/")
    assert ("failureReason" in base, "failureReason" in remote) == (False, status == "Failed")
    assert ("models" in raw()) == (status == "Completed")


def test_get_describes_a_sagemaker_job_from_when_it_has_begun(
    simulator: Simulator, clock: ManualClock, neptune: NeptuneDataClient, raw: Callable[[], Any]
) -> None:
    simulator.start_job("job-1", base_seconds=10)
    base = {"name", "arn", "status", "outputLocation", "cloudwatchLogUrl"}
    during = neptune.get_ml_model_transform_job(id="job-1")
    assert raw().keys() == {"id", "status", "baseProcessingJob"}
    conforms(raw(), MODEL.operation_model("GetMLModelTransformJob").output_shape)
    assert during["baseProcessingJob"]["status"] == "InProgress"
    assert during["baseProcessingJob"].keys() == base
    clock.advance(10)
    after = neptune.get_ml_model_transform_job(id="job-1")
    assert raw().keys() == {"id", "status", "baseProcessingJob", "remoteModelTransformJob"}
    assert after["baseProcessingJob"] == {**during["baseProcessingJob"], "status": "Completed"}
    assert after["remoteModelTransformJob"]["status"] == after["status"] == "InProgress"


def test_all_operations_with_all_parameters(
    simulator: Simulator, neptune: NeptuneDataClient, raw: Callable[[], Any]
) -> None:
    role = "arn:aws:iam::123456789012:role/neptune"
    started = neptune.start_ml_model_transform_job(
        id="job-1",
        dataProcessingJobId="processing-1",
        mlModelTrainingJobId="training-1",
        trainingJobName="training-1",
        modelTransformOutputS3Location="s3://bucket/transform/",
        sagemakerIamRoleArn=role,
        neptuneIamRoleArn=role,
        customModelTransformParameters={
            "sourceS3DirectoryPath": "s3://bucket/code",
            "transformEntryPointScript": "t.py",
        },
        baseProcessingInstanceType="ml.r5.xlarge",
        baseProcessingInstanceVolumeSizeInGB=10,
        subnets=["subnet-1"],
        securityGroupIds=["sg-1"],
        volumeEncryptionKMSKey="key-1",
        s3OutputEncryptionKMSKey="key-2",
    )
    conforms(raw(), MODEL.operation_model("StartMLModelTransformJob").output_shape)
    assert started["id"] == "job-1"
    assert simulator.artifacts("job-1")[0].startswith("s3://bucket/transform/job-1/")

    assert neptune.list_ml_model_transform_jobs(maxItems=1024, neptuneIamRoleArn=role)["ids"] == ["job-1"]
    conforms(raw(), MODEL.operation_model("ListMLModelTransformJobs").output_shape)

    assert neptune.cancel_ml_model_transform_job(id="job-1", neptuneIamRoleArn=role, clean=True)["status"] == "Stopping"
    conforms(raw(), MODEL.operation_model("CancelMLModelTransformJob").output_shape)
    assert [(record.operation, record.status) for record in simulator.log] == [
        ("start", 200),
        ("list", 200),
        ("cancel", 200),
    ]


@pytest.mark.parametrize("no_id", [{}, {"id": ""}])
def test_a_job_without_an_id_gets_one(neptune: NeptuneDataClient, no_id: dict[str, str]) -> None:
    ids = {neptune.start_ml_model_transform_job(**START, **no_id)["id"] for _ in range(2)}  # type: ignore[arg-type]
    assert len(ids) == 2
    assert set(neptune.list_ml_model_transform_jobs()["ids"]) == ids


@pytest.mark.parametrize(("clean", "cleaned"), [("TRUE", True), ("True", True), ("FALSE", False), ("false", False)])
def test_clean_is_read_in_any_letter_case(simulator: Simulator, http_json: Http, clean: str, *, cleaned: bool) -> None:
    simulator.start_job("job-1", stop_seconds=0)
    assert http_json("DELETE", f"/ml/modeltransform/job-1?clean={clean}") == (200, {"status": "Stopped"})
    assert (simulator.artifacts("job-1") == ()) == cleaned


def test_list_answers_ten_jobs_unless_asked_for_more(simulator: Simulator, neptune: NeptuneDataClient) -> None:
    for number in range(12):
        simulator.start_job(f"job-{number}")
    assert len(neptune.list_ml_model_transform_jobs()["ids"]) == 10
    assert neptune.list_ml_model_transform_jobs(maxItems=2)["ids"] == ["job-0", "job-1"]
    assert len(neptune.list_ml_model_transform_jobs(maxItems=1024)["ids"]) == 12


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({**START, "id": "taken"}, "InvalidParameterException"),
        ({"trainingJobName": "training-1"}, "MissingParameterException"),
        ({"modelTransformOutputS3Location": "s3://bucket"}, "MissingParameterException"),
        ({**START, "customModelTransformParameters": {}}, "MissingParameterException"),
        ({**START, "id": "../x"}, "InvalidParameterException"),
        ({**START, "id": "a" * 49}, "InvalidParameterException"),
        ({**START, "id": 1}, "InvalidParameterException"),
        ({**START, "subnets": [1]}, "InvalidParameterException"),
        ({**START, "baseProcessingInstanceVolumeSizeInGB": True}, "InvalidParameterException"),
        ({**START, "modelTransformOutputS3Location": "s3://bucket/../x"}, "InvalidParameterException"),
        ({**START, "surprise": "x"}, "InvalidParameterException"),
        ([], "BadRequestException"),
    ],
)
def test_a_wrong_start_is_refused(simulator: Simulator, http_json: Http, body: object, code: str) -> None:
    simulator.start_job("taken")
    status, answer = http_json("POST", "/ml/modeltransform", json.dumps(body))
    assert status == 400
    error_conforms(answer, code)
    assert simulator.jobs() == {"taken": "InProgress"}


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/ml/modeltransform/nobody", "MLResourceNotFoundException"),
        ("GET", "/ml/modeltransform/a%2Fb", "MLResourceNotFoundException"),
        ("GET", "/ml/modeltransform/", "MLResourceNotFoundException"),
        ("DELETE", "/ml/modeltransform/nobody", "MLResourceNotFoundException"),
        ("DELETE", "/ml/modeltransform/job-1?clean=1", "InvalidParameterException"),
        ("DELETE", "/ml/modeltransform/job-1?Clean=true", "InvalidParameterException"),
        ("GET", "/ml/modeltransform?maxItems=0", "InvalidParameterException"),
        ("GET", "/ml/modeltransform?maxItems=1025", "InvalidParameterException"),
        ("GET", "/ml/modeltransform?maxItems=ten", "InvalidParameterException"),
        ("PUT", "/ml/modeltransform", "UnsupportedOperationException"),
        ("PUT", "/ml/modeltransform/job-1", "UnsupportedOperationException"),
        ("GET", "/ml/modeltraining/job-1", "UnsupportedOperationException"),
    ],
)
def test_a_wrong_request_is_refused(simulator: Simulator, http_json: Http, method: str, path: str, code: str) -> None:
    simulator.start_job("job-1")
    status, answer = http_json(method, path)
    assert status == ERROR_STATUSES[code]
    error_conforms(answer, code)
    assert simulator.status("job-1") == "InProgress"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.sampled_from(list(START_BODY)), inner),
    max_leaves=6,
)
BODIES = (
    st.binary()
    | JSON.map(json.dumps)
    | st.fixed_dictionaries(
        {name: st.just(value) for name, value in START.items()},
        optional=dict.fromkeys(START_BODY.keys() - START.keys(), JSON),
    ).map(json.dumps)
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=BODIES)
def test_any_body_is_answered_as_the_model_says(http_json: Http, body: str | bytes) -> None:
    status, answer = http_json("POST", "/ml/modeltransform", body if isinstance(body, bytes) else body.encode())
    if status == 200:
        conforms(answer, MODEL.operation_model("StartMLModelTransformJob").output_shape)
    else:
        assert status == ERROR_STATUSES[answer["code"]] == 400
        error_conforms(answer, answer["code"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.sampled_from(["GET", "DELETE"]),
    query=st.dictionaries(st.sampled_from(["clean", "maxItems", "neptuneIamRoleArn"]) | st.text(), st.text()),
)
def test_any_query_is_answered_as_the_model_says(http_json: Http, method: str, query: Mapping[str, str]) -> None:
    encoded = urlencode(query, errors="replace")
    status, answer = http_json(method, f"/ml/modeltransform/nobody?{encoded}")
    assert status == ERROR_STATUSES[answer["code"]]
    assert answer["code"] in {"MLResourceNotFoundException", "InvalidParameterException"}
    error_conforms(answer, answer["code"])
