"""The Terraform module as it is built: what it plans, and what it says of mistakes."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.cfn_lint.linting import ENDPOINT, ROOT
from tests.terraform.terraform import Terraform
from tools import packages
from tools.schemas import schemas

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from local.ministack import MiniStack
    from tests.terraform.conftest import Configure

SOURCES = ROOT / "packages/terraform"
README = SOURCES / "README.md"
SCHEMAS = {it["typeName"].removeprefix("Custom::NeptuneML"): it for it in map(json.loads, schemas().values())}
# Of each form that a text can have, one.
TEXTS = (
    "movies",
    "s3://movies/folder",
    "arn:aws:iam::123456789012:role/movies",
    "ml.r5.large",
    "https://host/handle",
    "DataProcessingJob",
    "host:8182/movies",
)


def module(name: str, of: str, properties: Mapping[str, object], **others: object) -> dict[str, object]:
    return {"source": "./neptune-ml", "name": name, "type": of, "properties": properties, **others}


def right(rule: Mapping[str, Any]) -> object:
    """A value that a property may have."""
    match rule["type"]:
        case "string":
            return next(text for text in TEXTS if re.search(rule.get("pattern", ""), text))
        case "object":
            return {name: right(it) for name, it in rule["properties"].items()}
    return {"integer": rule.get("minimum"), "boolean": False, "array": ["movies"]}[rule["type"]]


@pytest.mark.parametrize("example", ["job", "pipeline"])
def test_the_examples_are_valid_with_the_built_module(example: str, configure: Configure, ministack: MiniStack) -> None:
    terraform = configure(ROOT / "examples/terraform" / example, ministack)

    terraform.succeed("fmt", "-check", "-diff", "-recursive")
    terraform.succeed("validate")


def test_the_readme_is_short_and_its_snippet_can_be_planned(configure: Configure, ministack: MiniStack) -> None:
    snippet = re.search(r"```hcl\n(.*?)```", README.read_text(), re.S)
    assert snippet
    terraform = configure(snippet[1], ministack)

    terraform.succeed("fmt", "-check", "-diff")
    assert list(terraform.planned()) == ["movies-transform"]
    assert len(README.read_text().split()) <= 300


def test_the_built_module_passes_its_own_tests(configure: Configure, ministack: MiniStack) -> None:
    beside = configure({}, ministack)
    module = Terraform(beside.directory / "neptune-ml", beside.environment)
    shutil.copytree(SOURCES / "tests", module.directory / "tests")
    module.init()

    module.succeed("fmt", "-check", "-diff", "-recursive")
    assert ", 0 failed" in module.succeed("test")


def test_every_property_of_every_type_reaches_cloudformation(configure: Configure, ministack: MiniStack) -> None:
    given: dict[str, dict[str, object]] = {}
    for of, schema in SCHEMAS.items():
        values = {name: right(rule) for name, rule in schema["properties"].items()}
        (adopts,) = schema["if"]["required"]
        described = {it["required"][0] for it in schema["then"]["not"]["anyOf"]}
        given[f"{of}-described"] = {name: it for name, it in values.items() if name != adopts}
        given[f"{of}-adopted"] = {name: it for name, it in values.items() if name not in described}
    modules = {name: module(name, name.partition("-")[0], it) for name, it in given.items()}

    templates = configure({"module": modules}, ministack).planned()

    assert {name: it["Resources"]["Job"]["Properties"] for name, it in templates.items()} == given
    for name, template in templates.items():
        of = name.partition("-")[0]
        assert template["Resources"]["Job"]["Type"] == f"Custom::NeptuneML{of}"
        looked_up = "DataProcessingJob" if of == "JobLookup" else of
        assert set(template["Outputs"]) == {"Ref", *SCHEMAS[looked_up]["attributes"]}


def test_another_job_or_time_has_another_wait_condition_and_another_setting_the_same(
    configure: Configure, ministack: MiniStack
) -> None:
    job: dict[str, object] = {"Endpoint": ENDPOINT, "Id": "movies"}
    given = {"m": job, "setting": {**job, "Clean": True}, "job": {**job, "Id": "others"}}
    modules = {name: module(name, "ModelTrainingJob", it, wait_for=7200) for name, it in given.items()}
    modules["time"] = module("time", "ModelTrainingJob", job, wait_for=10800)

    resources = {name: set(it["Resources"]) for name, it in configure({"module": modules}, ministack).planned().items()}

    assert resources["setting"] == resources["m"]
    assert resources["job"] & resources["m"] == resources["time"] & resources["m"] == {"Job"}


def test_a_plan_tells_every_mistake(configure: Configure, ministack: MiniStack) -> None:
    schema = SCHEMAS["ModelTransformJob"]
    code, location, unknown = "CustomModelTransformParameters", "SourceS3DirectoryPath", "${terraform_data.unknown.id}"
    job: dict[str, object] = {"Endpoint": ENDPOINT, "Id": "movies"}
    output: dict[str, object] = {"Endpoint": ENDPOINT, "ModelTransformOutputS3Location": "s3://movies/folder"}
    started = {**output, "TrainingJobName": "movies"}
    values: list[tuple[dict[str, object], str, str]] = [
        ({**job, "Endpoint": unknown, "Id": "a b"}, "Id", "'a b'"),
        ({**job, "ServiceTimeout": 3601}, "ServiceTimeout", "'3601'"),
        ({**job, "ServiceTimeout": 1.5}, "ServiceTimeout", "'1.5'"),
        ({**job, "Clean": "1"}, "Clean", "'1'"),
        ({**started, "TrainingJobName": ""}, "TrainingJobName", "''"),
        ({**started, "Subnets": "subnet-1"}, "Subnets", "'subnet-1'"),
        ({**started, "Subnets": []}, "Subnets", "a list"),
        ({**started, code: {"Source": "s3://movies"}}, code, "a map with Source"),
    ]
    mistakes: list[tuple[dict[str, object], str]] = [
        *(
            (it, f"{name} is {value}; it should be {schema['properties'][name]['$comment']}")
            for it, name, value in values
        ),
        ({**started, code: {location: "movies"}}, f"{code}.{location} is 'movies'; it should be an S3 location"),
        ({**started, code: {}}, f"{code}.{location} is missing."),
        ({"Id": "movies"}, "Endpoint is missing."),
        ({"Endpoint": ENDPOINT, "TrainingJobName": "movies"}, "ModelTransformOutputS3Location is missing."),
        ({**output, "DataProcessingJobId": "${module.right.id}", "Clean": None}, "MlModelTrainingJobId is missing."),
        (output, schema["else"]["then"]["$comment"]),
        ({"Endpoint": ENDPOINT}, schema["else"]["else"]["$comment"]),
        ({**job, "TrainingJobName": unknown}, schema["then"]["$comment"]),
        ({**job, "CompletionHandle": "https://host", "WaitForCompletion": True}, schema["allOf"][-1]["$comment"]),
    ]
    modules = {f"m{number}": module(f"m{number}", "ModelTransformJob", it) for number, (it, _) in enumerate(mistakes)}
    modules |= {
        "right": module("right", "ModelTransformJob", {**job, "Endpoint": {"Fn::ImportValue": "Endpoint"}}),
        "waits": module("waits", "ModelTransformJob", {**job, "WaitForCompletion": True}, wait_for=3601),
        "mistyped": module("mistyped", "ModelTransformJob", {**job, "Claen": True}),
        "lookup": module("lookup", "JobLookup", {"JobType": "Endpoint", "Endpoint": ENDPOINT}),
        "waiting_lookup": module("waiting-lookup", "JobLookup", {"JobType": "Endpoint"}, wait_for=1),
    }
    terraform = configure({"module": modules, "resource": {"terraform_data": {"unknown": {}}}}, ministack)

    told = " ".join(terraform("plan").stderr.split())

    for number, (_, message) in enumerate(mistakes):
        assert f" m{number}: {message}" in told
    assert f" waits: {schema['allOf'][-1]['$comment']}" in told
    assert f"{schema['typeName']} has no property Claen; it has {', '.join(sorted(schema['properties']))}." in told
    assert " lookup: Id is missing." in told
    assert "Custom::NeptuneMLJobLookup has nothing to wait for" in told
    assert " right: " not in told


def test_another_build_has_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    built = [packages.build_terraform(it, "1.0.0") for it in (tmp_path, tmp_path / "again")]

    assert built[0].name == "terraform-aws-neptune-ml-1.0.0.zip"
    assert built[0].read_bytes() == built[1].read_bytes()
