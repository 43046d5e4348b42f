"""The simulator against botocore's own model of the Neptune Data API."""

from __future__ import annotations

import http.client
import json
import re
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

import botocore.session
import pytest
from botocore import xform_name
from botocore.model import ListShape, ServiceModel, Shape, StructureShape
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from simulator import ERROR_STATUSES, ErrorAnswer, Fault, Simulator
from simulator.api import OPERATIONS, Operation
from simulator.kinds import KIND_NAMES, KINDS, Kind, KindName
from simulator.model import body_members
from tests.simulator.starts import STARTS

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
    if operation.http["requestUri"].startswith("/ml/")
}
JSON_TYPES = {"string": "string", "integer": "integer", "long": "integer", "boolean": "boolean"}
VALUES = {"string": "x", "integer": 0, "boolean": False, "list": ["x"]}
START = STARTS["modeltransform"]
# boto3's methods, from start to cancel.
METHODS = {
    kind: [
        xform_name(MODEL_OPERATIONS[method, uri].name)
        for uri, methods in ((f"/ml/{kind}", ("POST", "GET")), (f"/ml/{kind}/{{id}}", ("GET", "DELETE")))
        for method in methods
    ]
    for kind in KIND_NAMES
}
ROLE = "arn:aws:iam::123456789012:role/neptune"

by_name = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda it: f"{it.kind.name}-{it.name}")
by_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
by_kind_name = pytest.mark.parametrize("kind", KIND_NAMES)


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


def start_members(kind: Kind) -> dict[str, Shape]:
    return body_members(MODEL_OPERATIONS["POST", f"/ml/{kind.name}"])


@by_kind
def test_either_of_what_the_model_says_is_required(kind: Kind) -> None:
    said = re.compile("You must (include|supply) either")
    either = {name for name, member in start_members(kind).items() if said.search(member.documentation)}
    # The model says it of `update`, too, which is not one of the two.
    assert either - {"update"} == {name for names in kind.alternatives for name in names}


@by_kind
def test_what_the_model_wants_completed_is_looked_up(kind: Kind) -> None:
    said = re.compile(r"job ID of (?:a|the) completed (data|model)[- ](processing|training|transform)", re.IGNORECASE)
    completed = {
        name: "".join(match.groups())
        for name, member in start_members(kind).items()
        if (match := said.search(member.documentation))
    }
    assert completed == kind.references != {}


@by_kind
def test_an_answer_has_the_members_of_the_model(kind: Kind) -> None:
    shape = cast("StructureShape", MODEL_OPERATIONS["GET", f"/ml/{kind.name}/{{id}}"].output_shape)
    optional = {kind.models, kind.config} - {None}
    assert shape.members.keys() == {"id", "status", *(phase.member for phase in kind.phases)} | optional


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


@pytest.mark.parametrize(
    ("kind", "status"), [(kind.name, status) for kind in KINDS.values() for status in kind.life.statuses]
)
def test_get_answers_the_shape_of_the_model(
    simulator: Simulator, neptune: NeptuneDataClient, raw: Callable[[], Any], kind: KindName, status: str
) -> None:
    simulator.of(kind).start_job("job-1", status=status)
    answer = getattr(neptune, METHODS[kind][2])(id="job-1", neptuneIamRoleArn=ROLE)
    conforms(raw(), MODEL_OPERATIONS["GET", f"/ml/{kind}/{{id}}"].output_shape)
    assert (answer["id"], answer["status"]) == ("job-1", status)
    phases = KINDS[kind].phases
    for phase in phases:
        part = answer[phase.member]
        assert part["status"] == (status if phase is phases[-1] else "Completed")
        assert part["arn"].startswith(f"arn:aws:sagemaker:us-east-1:123456789012:{phase.resource}/{part['name']}")
        assert len(part["name"]) <= phase.max_name
        output = f"s3://neptune-ml-simulator/{kind}/job-1/{phase.role}"
        assert part.get("outputLocation") == (None if kind == "endpoints" else output)
        assert ("failureReason" in part) == (status == "Failed" and phase is phases[-1])
    assert (KINDS[kind].models in raw()) == (status == "Completed" and kind != "dataprocessing")


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        ("dataprocessing", ["processingJob"]),
        ("modeltraining", ["processingJob", "hpoJob", "modelTransformJob"]),
        ("modeltransform", ["baseProcessingJob", "remoteModelTransformJob"]),
        ("endpoints", ["endpoint"]),
    ],
)
def test_get_describes_a_sagemaker_job_from_when_it_has_begun(
    simulator: Simulator, clock: ManualClock, http_json: Http, kind: KindName, parts: list[str]
) -> None:
    simulator.of(kind).start_job("job-1", base_seconds=10, hpo_seconds=10)
    always = {"id", "status"} | ({"endpointConfig"} if kind == "endpoints" else set())
    described = {"name", "arn", "status", "cloudwatchLogUrl"} | (set() if kind == "endpoints" else {"outputLocation"})
    running = "Creating" if kind == "endpoints" else "InProgress"
    for begun in range(1, len(parts) + 1):
        _, answer = http_json("GET", f"/ml/{kind}/job-1")
        conforms(answer, MODEL_OPERATIONS["GET", f"/ml/{kind}/{{id}}"].output_shape)
        assert answer.keys() == always | set(parts[:begun])
        assert [answer[part]["status"] for part in parts[:begun]] == ["Completed"] * (begun - 1) + [running]
        assert all(answer[part].keys() == described for part in parts[:begun])
        clock.advance(10)


def some_value(shape: Shape) -> object:
    if isinstance(shape, StructureShape):
        return {name: some_value(member) for name, member in shape.members.items()}
    return VALUES[shape.type_name]


def all_parameters(kind: KindName) -> dict[str, Any]:
    row = KINDS[kind]
    values = {name: some_value(member) for name, member in start_members(row).items()}
    output = {row.output: "s3://bucket/output/"} if row.output else {}
    return {**values, **output, "id": "job-1"}


@by_kind_name
def test_all_operations_with_all_parameters(
    simulator: Simulator, neptune: NeptuneDataClient, raw: Callable[[], Any], kind: KindName
) -> None:
    start, list_, _, cancel = (getattr(neptune, method) for method in METHODS[kind])
    started = start(**all_parameters(kind))
    conforms(raw(), MODEL_OPERATIONS["POST", f"/ml/{kind}"].output_shape)
    assert (started["id"], started["arn"].rpartition(":")[2]) == ("job-1", f"cluster-SIMULATOR/{kind}/job-1")
    artifacts = simulator.of(kind).artifacts("job-1")
    assert len(artifacts) == (0 if kind == "endpoints" else len(KINDS[kind].phases))
    assert all(name.startswith("s3://bucket/output/job-1/") for name in artifacts)

    assert list_(maxItems=1024, neptuneIamRoleArn=ROLE)["ids"] == ["job-1"]
    conforms(raw(), MODEL_OPERATIONS["GET", f"/ml/{kind}"].output_shape)

    status = cancel(id="job-1", neptuneIamRoleArn=ROLE, clean=True)["status"]
    assert status == ("Deleting" if kind == "endpoints" else "Stopping")
    conforms(raw(), MODEL_OPERATIONS["DELETE", f"/ml/{kind}/{{id}}"].output_shape)
    assert [(record.kind, record.operation, record.status) for record in simulator.log] == [
        (kind, "start", 200),
        (kind, "list", 200),
        (kind, "cancel", 200),
    ]


@by_kind_name
@pytest.mark.parametrize("no_id", [{}, {"id": ""}])
def test_a_job_without_an_id_gets_one(neptune: NeptuneDataClient, kind: KindName, no_id: dict[str, str]) -> None:
    start, list_, _, _ = (getattr(neptune, method) for method in METHODS[kind])
    ids = {start(**STARTS[kind], **no_id)["id"] for _ in range(2)}
    assert len(ids) == 2
    assert set(list_()["ids"]) == ids


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
        ({**START, "modelTransformOutputS3Location": "https://bucket/x"}, "InvalidParameterException"),
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
    ("kind", "left_out", "words"),
    [
        ("dataprocessing", "inputDataS3Location", "inputDataS3Location is required."),
        ("dataprocessing", "processedDataS3Location", "processedDataS3Location is required."),
        ("modeltraining", "dataProcessingJobId", "dataProcessingJobId is required."),
        ("modeltraining", "trainModelS3Location", "trainModelS3Location is required."),
        ("endpoints", "mlModelTrainingJobId", "Either mlModelTrainingJobId, or mlModelTransformJobId is required."),
    ],
)
def test_a_start_without_what_it_needs_is_refused(
    simulator: Simulator, http_json: Http, kind: KindName, left_out: str, words: str
) -> None:
    body = {name: value for name, value in STARTS[kind].items() if name != left_out}
    status, answer = http_json("POST", f"/ml/{kind}", json.dumps(body))
    assert status == 400
    error_conforms(answer, "MissingParameterException")
    assert answer["message"] == words
    assert simulator.running_everywhere() == ()


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
        ("PUT", "/ml/modeltransform", "MethodNotAllowedException"),
        ("PUT", "/ml/modeltransform/job-1", "MethodNotAllowedException"),
        ("GET", "/ml/modeltraining/job-1", "MLResourceNotFoundException"),
        ("GET", "/ml/other/job-1", "UnsupportedOperationException"),
        ("GET", "/ml/endpoints/job-1", "MLResourceNotFoundException"),
        ("DELETE", "/ml/dataprocessing/job-1", "MLResourceNotFoundException"),
    ],
)
def test_a_wrong_request_is_refused(simulator: Simulator, http_json: Http, method: str, path: str, code: str) -> None:
    simulator.start_job("job-1")
    status, answer = http_json(method, path)
    assert status == ERROR_STATUSES[code]
    error_conforms(answer, code)
    assert simulator.status("job-1") == "InProgress"


PARAMETERS = sorted({name for kind in KINDS.values() for name in start_members(kind)})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.sampled_from(PARAMETERS), inner),
    max_leaves=6,
)


def starts(kind: Kind) -> st.SearchStrategy[tuple[str, str | bytes]]:
    """Paths and bodies of starts, many of them of the right form."""
    given = STARTS[kind.name]
    bodies = (
        st.binary()
        | JSON.map(json.dumps)
        | st.fixed_dictionaries(
            {name: st.just(value) for name, value in given.items()},
            optional=dict.fromkeys(start_members(kind).keys() - given.keys(), JSON),
        ).map(json.dumps)
    )
    return st.tuples(st.just(f"/ml/{kind.name}"), bodies)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.sampled_from(list(KINDS.values())).flatmap(starts))
def test_any_body_is_answered_as_the_model_says(http_json: Http, start: tuple[str, str | bytes]) -> None:
    path, body = start
    status, answer = http_json("POST", path, body if isinstance(body, bytes) else body.encode())
    if status == 200:
        conforms(answer, MODEL_OPERATIONS["POST", path].output_shape)
    else:
        # An update of an endpoint that is not there is a 404.
        assert status == ERROR_STATUSES[answer["code"]]
        assert status == 400 or (status == 404 and path == "/ml/endpoints")
        error_conforms(answer, answer["code"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.sampled_from(["GET", "DELETE"]),
    kind=st.sampled_from(KIND_NAMES),
    query=st.dictionaries(st.sampled_from(["clean", "maxItems", "neptuneIamRoleArn"]) | st.text(), st.text()),
)
def test_any_query_is_answered_as_the_model_says(
    http_json: Http, method: str, kind: KindName, query: Mapping[str, str]
) -> None:
    encoded = urlencode(query, errors="replace")
    status, answer = http_json(method, f"/ml/{kind}/nobody?{encoded}")
    assert status == ERROR_STATUSES[answer["code"]]
    assert answer["code"] in {"MLResourceNotFoundException", "InvalidParameterException"}
    error_conforms(answer, answer["code"])
