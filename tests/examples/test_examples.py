from __future__ import annotations

import importlib.util
import re
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber
from cfnlint.decode.cfn_yaml import load  # type: ignore[import-untyped]

from provider.custom_resource.properties import schema_of
from provider.kinds import MODEL_TRANSFORM_JOB
from tests.cfn_lint.linting import ROOT, lint

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

EXAMPLES = ROOT / "examples"
TEMPLATES = sorted(EXAMPLES.rglob("*.yaml"))
RESOURCE_TYPE = MODEL_TRANSFORM_JOB.resource_type
PROPERTY_NAMES = {row.name for row in schema_of(MODEL_TRANSFORM_JOB.schema).rows}
ATTRIBUTE_NAMES = {"Id", "Status", *(attribute.name for attribute in MODEL_TRANSFORM_JOB.attributes)}


def test_templates_pass_cfn_lint() -> None:
    assert len(TEMPLATES) > 2
    assert lint(*TEMPLATES) == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda it: str(it.relative_to(EXAMPLES)))
def test_every_template_imports_the_provider(template: Any) -> None:  # noqa: ANN401 - a path
    jobs = [it for it in load(str(template))["Resources"].values() if it["Type"] == RESOURCE_TYPE]

    assert [job["Properties"]["ServiceToken"] for job in jobs] == [
        {"Fn::ImportValue": {"Fn::Sub": "${ProviderStack}-ServiceToken"}}
    ]


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


def deleted_after(name: str, resources: dict[str, Any]) -> set[str]:
    """What CloudFormation deletes only when that resource is gone: all that it depends on."""
    found: set[str] = set()
    open_names = [name]
    while open_names:
        dependencies = {it for it in names_referred_to(resources[open_names.pop()]) if it in resources}
        open_names += dependencies - found
        found |= dependencies
    return found


def test_with_cluster_deletes_the_job_before_everything_else() -> None:
    resources = load(str(EXAMPLES / "with-cluster.yaml"))["Resources"]

    assert deleted_after("TransformJob", resources) == set(resources) - {"TransformJob"}


def test_without_depends_on_the_instance_and_the_rule_would_go_with_the_job() -> None:
    resources = load(str(EXAMPLES / "with-cluster.yaml"))["Resources"]
    forgotten = resources["TransformJob"].pop("DependsOn")

    assert set(resources) - {"TransformJob"} - deleted_after("TransformJob", resources) == set(forgotten)


# --- AWS CDK ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "pattern"),
    [
        ("cdk/python/transform_job.py", r'^ +"([A-Z]\w+)": \w+,$'),
        ("cdk/typescript/lib/model-transform-job.ts", r"^ +([A-Z]\w+): props\.\w+,$"),
    ],
)
def test_cdk_constructs_have_every_property(file: str, pattern: str) -> None:
    passed = re.findall(pattern, (EXAMPLES / file).read_text(), re.MULTILINE)

    # The CDK sets these two itself, from arguments of their own.
    assert {*passed, "ServiceToken", "ServiceTimeout"} == PROPERTY_NAMES


@pytest.mark.parametrize("file", ["cdk/python/transform_job.py", "cdk/typescript/lib/model-transform-job.ts"])
def test_cdk_constructs_have_every_attribute(file: str) -> None:
    returned = re.findall(r"""get_?[aA]tt_?[sS]tring\(["'](\w+)["']\)""", (EXAMPLES / file).read_text())

    assert set(returned) == ATTRIBUTE_NAMES


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
            {"Bucket": "bucket", "Prefix": "movies/output"},
        )
        assert function.handler({}, None) == ["s3://bucket/movies/output/model"]


def test_sam_function_without_an_output_location(function: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTPUT_LOCATION", "")

    assert function.handler({}, None) == []
