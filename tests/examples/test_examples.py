from __future__ import annotations

import importlib.util
import re
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber
from cfnlint.decode.cfn_yaml import load  # type: ignore[import-untyped]

from provider.custom_resource.properties import schema_of
from provider.kinds import ENDPOINT as KIND_OF_ENDPOINTS
from provider.kinds import KINDS, MODEL_TRANSFORM_JOB
from provider.kinds.common import ID
from provider.kinds.lookup import LOOKUP
from tests.cfn_lint.linting import ENDPOINT, ROOT, lint
from tests.examples.resolving import Resolving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

EXAMPLES = ROOT / "examples"
TEMPLATES = sorted([*EXAMPLES.glob("*.yaml"), *EXAMPLES.glob("sam/*.yaml")])
RESOURCE_TYPES = tuple(kind.resource_type for kind in KINDS)
WAIT_CONDITION = "AWS::CloudFormation::WaitCondition"
# What waits for a job, and reads it then: these cancel nothing.
WAITING = (WAIT_CONDITION, f"{WAIT_CONDITION}Handle", LOOKUP.resource_type)
SCHEMA = schema_of(MODEL_TRANSFORM_JOB.schema)


def test_templates_pass_cfn_lint() -> None:
    assert len(TEMPLATES) > 2
    assert lint(*TEMPLATES) == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda it: str(it.relative_to(EXAMPLES)))
def test_every_template_imports_the_provider(template: Any) -> None:  # noqa: ANN401 - a path
    jobs = [it for it in load(str(template))["Resources"].values() if it["Type"] in RESOURCE_TYPES]

    assert jobs
    for job in jobs:
        assert job["Properties"]["ServiceToken"] == {"Fn::ImportValue": {"Fn::Sub": "${ProviderStack}-ServiceToken"}}


# --- starting and adopting --------------------------------------------------------------------------------------------

PROVIDER = {"ProviderStack": "neptune-ml-provider", "Endpoint": ENDPOINT}
TWO_JOBS = {"DataProcessingJobId": "movies-data", "MlModelTrainingJobId": "movies-model"}
TRAINING = {"TrainingJobName": "movies-training"}
ADOPTED = {"JobId": "movies-2026-01"}
OUTPUT = {"OutputLocation": "s3://mybucket/movies"}
HANDLE = "https://cloudformation-waitcondition-us-east-1.s3.amazonaws.com/Handle?Signature=s"


@pytest.mark.parametrize(
    ("template", "parameters", "described_by"),
    [
        ("started-job.yaml", TWO_JOBS, {"dataProcessingJobId", "mlModelTrainingJobId"}),
        ("with-cluster.yaml", TRAINING, {"trainingJobName"}),
        ("with-cluster.yaml", TWO_JOBS, {"dataProcessingJobId", "mlModelTrainingJobId"}),
        ("sam/template.yaml", TWO_JOBS, {"dataProcessingJobId", "mlModelTrainingJobId"}),
    ],
)
def test_templates_start_a_job(template: str, parameters: dict[str, str], described_by: set[str]) -> None:
    stack = Resolving(load(str(EXAMPLES / template)), {**PROVIDER, **OUTPUT, **parameters})
    (job,) = stack.jobs()

    assert stack.is_allowed()
    description = SCHEMA.parse(job).description
    assert set(description) == {"modelTransformOutputS3Location", *described_by}
    assert description["modelTransformOutputS3Location"] == "s3://mybucket/movies"


def test_one_template_has_every_kind_each_with_the_id_of_the_one_before() -> None:
    resources = load(str(EXAMPLES / "pipeline.yaml"))["Resources"]
    names = [name for name, it in resources.items() if it["Type"] in RESOURCE_TYPES]
    ids = {name: f"the-{number}" for number, name in enumerate(names)}
    locations = {"ExportLocation": "s3://mybucket/exported", **OUTPUT}
    parameters = {**PROVIDER, **locations, "InstanceType": "ml.m5.xlarge", "Handle": HANDLE}
    stack = Resolving(load(str(EXAMPLES / "pipeline.yaml")), parameters, ids)

    assert [resources[name]["Type"] for name in names] == list(RESOURCE_TYPES)
    parsed = [schema_of(kind.schema).parse(job) for kind, job in zip(KINDS, stack.jobs(*KINDS), strict=True)]

    assert [{**it.description, **it.in_place} for it in parsed] == [
        {"inputDataS3Location": "s3://mybucket/exported", "processedDataS3Location": "s3://mybucket/movies/processed"},
        {"dataProcessingJobId": "the-0", "trainModelS3Location": "s3://mybucket/movies/trained"},
        {
            "dataProcessingJobId": "the-0",
            "mlModelTrainingJobId": "the-1",
            "modelTransformOutputS3Location": "s3://mybucket/movies/transformed",
        },
        {"mlModelTransformJobId": "the-2", "instanceType": "ml.m5.xlarge"},
    ]


def test_a_template_has_an_endpoint_whose_parameters_change_it_in_place() -> None:
    parameters = {"TrainingJobId": "movies", "InstanceType": "ml.m5.xlarge", "InstanceCount": "2"}
    stack = Resolving(load(str(EXAMPLES / "endpoint.yaml")), {**PROVIDER, **parameters})
    (endpoint,) = stack.jobs(KIND_OF_ENDPOINTS)
    parsed = schema_of(KIND_OF_ENDPOINTS.schema).parse(endpoint)

    assert parsed.description == {}
    assert parsed.in_place == {"mlModelTrainingJobId": "movies", "instanceType": "ml.m5.xlarge", "instanceCount": 2}


@pytest.mark.parametrize("template", ["existing-job.yaml", "sam/template.yaml"])
def test_templates_adopt_a_job(template: str) -> None:
    stack = Resolving(load(str(EXAMPLES / template)), {**PROVIDER, **OUTPUT, **ADOPTED})
    (job,) = stack.jobs()

    assert stack.is_allowed()
    assert SCHEMA.parse(job)[ID] == "movies-2026-01"
    assert SCHEMA.parse(job).description == {}


@pytest.mark.parametrize(
    ("template", "parameters"),
    [
        ("with-cluster.yaml", {}),
        ("with-cluster.yaml", {**TRAINING, **TWO_JOBS}),
        ("with-cluster.yaml", {"DataProcessingJobId": "movies-data"}),
        ("sam/template.yaml", {}),
        ("sam/template.yaml", {**ADOPTED, **TWO_JOBS}),
        ("sam/template.yaml", {"MlModelTrainingJobId": "movies-model"}),
    ],
)
def test_templates_refuse_what_is_neither(template: str, parameters: dict[str, str]) -> None:
    assert not Resolving(load(str(EXAMPLES / template)), {**PROVIDER, **OUTPUT, **parameters}).is_allowed()


# --- the order of deletion --------------------------------------------------------------------------------------------


def names_referred_to(value: Any) -> Iterator[str]:  # noqa: ANN401 - a part of a template
    if isinstance(value, list):
        for item in value:
            yield from names_referred_to(item)
    elif isinstance(value, dict):
        for key, argument in value.items():
            if key in ("Ref", "DependsOn"):
                yield from [argument] if isinstance(argument, str) else argument
            elif key == "Fn::GetAtt":
                yield argument[0]
            elif key == "Fn::Sub":
                yield from re.findall(r"\$\{(\w+)", argument)
            else:
                yield from names_referred_to(argument)


def depended_on(name: str, resources: dict[str, Any]) -> set[str]:
    """All that a resource depends on: CloudFormation creates it before, and deletes it when the resource is gone."""
    found: set[str] = set()
    open_names = [name]
    while open_names:
        dependencies = {it for it in names_referred_to(resources[open_names.pop()]) if it in resources}
        open_names += dependencies - found
        found |= dependencies
    return found


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda it: str(it.relative_to(EXAMPLES)))
def test_every_job_is_created_last_and_deleted_first(template: Any) -> None:  # noqa: ANN401 - a path
    resources = load(str(template))["Resources"]
    jobs = [name for name, it in resources.items() if it["Type"] in RESOURCE_TYPES]
    waiting = {name for name, it in resources.items() if it["Type"] in WAITING}
    others = set(resources) - set(jobs) - waiting

    assert [name for name in resources if name not in waiting][-len(jobs) :] == jobs
    for number, job in enumerate(jobs):
        assert depended_on(job, resources) - others - waiting <= set(jobs[:number])
        assert depended_on(job, resources) & others == others


def test_what_comes_after_a_long_job_waits_for_its_wait_condition_which_goes_before_it() -> None:
    resources = load(str(EXAMPLES / "pipeline.yaml"))["Resources"]

    assert resources["Trained"]["Type"] == WAIT_CONDITION
    assert resources["Trained"]["Properties"] == {"Handle": {"Ref": "Handle"}, "Timeout": "43200"}
    assert resources["TrainingJob"]["Properties"]["CompletionHandle"] == {"Ref": "Handle"}
    assert depended_on("Trained", resources) == {"Handle", "DataProcessingJob", "TrainingJob"}
    assert depended_on("TransformJob", resources) == {"Handle", "DataProcessingJob", "TrainingJob", "Trained"}
    assert depended_on("InferenceEndpoint", resources) == set(resources) - {"InferenceEndpoint", "TrainedJob"}
    assert "Trained" in depended_on("TrainedJob", resources)


def test_without_depends_on_the_instance_and_the_rule_would_go_with_the_job() -> None:
    resources = load(str(EXAMPLES / "with-cluster.yaml"))["Resources"]
    forgotten = resources["TransformJob"].pop("DependsOn")

    assert set(resources) - {"TransformJob"} - depended_on("TransformJob", resources) == set(forgotten)


# --- AWS SAM ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def function() -> ModuleType:
    spec = importlib.util.spec_from_file_location("app", EXAMPLES / "sam/function/app.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_sam_function_lists_the_artifacts(function: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTPUT_LOCATION", "s3://bucket/movies/output")
    function.s3 = boto3.client("s3")  # type: ignore[attr-defined]
    with Stubber(function.s3) as s3:
        s3.add_response(
            "list_objects_v2",
            {"Contents": [{"Key": "movies/output/model"}]},
            {"Bucket": "bucket", "Prefix": "movies/output/"},
        )
        assert function.handler({}, None) == ["s3://bucket/movies/output/model"]
