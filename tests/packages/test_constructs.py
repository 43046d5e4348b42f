"""The CDK package as it is built: what it synthesizes, in TypeScript and in Python, and what it says of mistakes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode.cfn_yaml import loads  # type: ignore[import-untyped]

from provider.custom_resource.properties import schema_of
from provider.kinds import KINDS
from provider.kinds.lookup import KINDS as LOOKED_UP
from provider.kinds.lookup import LOOKUP
from tests.cfn_lint.linting import ROOT, lint
from tests.packages import synthesis
from tools import release
from tools.rows import attributes_of

HARNESS = Path(__file__).with_name("harness.js")
TEMPLATE = release.released((ROOT / "template.yaml").read_text())


@pytest.fixture(scope="session")
def synthesized(node: Path) -> dict[str, Any]:
    shutil.copy(HARNESS, node)
    told: dict[str, Any] = json.loads(synthesis.run(["node", HARNESS.name], node).splitlines()[-1])
    for file in (node / "cdk.out").glob("*.template.json"):
        told[file.name.partition(".")[0]] = json.loads(file.read_text())
    return told


def test_every_property_of_every_kind_reaches_cloudformation(synthesized: dict[str, Any]) -> None:
    resources = synthesized["every"]["Resources"].values()
    for kind in KINDS:
        started, adopted = (it["Properties"] for it in resources if it["Type"] == kind.resource_type)
        known = {row.name for row in schema_of(kind.schema).rows}
        assert set(started) == known - {"Id", "CompletionHandle"}
        assert set(adopted) == {"ServiceToken", "Endpoint", "Id"}
        given = {row.name for group in kind.either[1:] for row in group}  # one way to describe a job is enough
        schema_of(kind.schema).parse({name: it for name, it in started.items() if name not in given})
    assert len(synthesized["classes"]) == len(KINDS)


def test_mistakes_are_told_before_a_deployment(synthesized: dict[str, Any]) -> None:
    bucket, half, nothing, instance, network, text, absent, lookup, circle = synthesized["mistakes"]
    assert "ModelTransformOutputS3Location is 'movies/output'; it should be an S3 location" in bucket
    assert "MlModelTrainingJobId is missing" in half
    assert "A new endpoint requires MlModelTrainingJobId, or MlModelTransformJobId" in nothing
    assert "InstanceType is 'r5.large'; it should be an Amazon SageMaker instance type" in instance
    assert "waitFor is 46800 seconds; it should be at most 12 hours" in instance
    assert "vpc needs clusterSecurityGroup, or securityGroups" in network
    assert "subnets is 'subnet-1'; it should be a list" in text
    assert "InputDataS3Location is missing" in absent
    assert "Id is 'a/b'; it should be an ID as Neptune lists it" in lookup
    assert "The provider in the stack elsewhere uses wrong/Cluster/Resource, which is in this stack" in circle


def test_a_lookup_has_every_attribute_of_its_job_type(synthesized: dict[str, Any]) -> None:
    every = synthesized["every"]
    used = json.dumps(every)
    for job_type, kind in LOOKED_UP.items():
        ((name, it),) = (
            (name, it["Properties"])
            for name, it in every["Resources"].items()
            if it["Type"] == LOOKUP.resource_type and it["Properties"]["JobType"] == job_type
        )
        assert set(it) == {"ServiceToken", "JobType", "Endpoint", "Id"}
        assert {attribute for attribute in attributes_of(kind) if f'["{name}", "{attribute}"]' in used} == set(
            attributes_of(kind)
        )


def test_the_provider_is_the_released_template(synthesized: dict[str, Any], node: Path) -> None:
    (nested,) = (node / "cdk.out").glob("provider*.nested.template.json")
    deployed, released = json.loads(nested.read_text()), json.loads(json.dumps(loads(TEMPLATE)))
    code = deployed["Resources"]["Provider"]["Properties"].pop("CodeUri")
    assert set(code) == {"Bucket", "Key"}
    del released["Resources"]["Provider"]["Properties"]["CodeUri"]
    for part in ("Transform", "Rules", "Mappings", "Conditions", "Resources", "Outputs"):
        assert deployed[part] == released[part], part
    assert set(released["Parameters"]) <= set(deployed["Parameters"])
    (stack,) = (
        it["Properties"]["Parameters"]
        for it in synthesized["provider"]["Resources"].values()
        if it["Type"] == "AWS::CloudFormation::Stack"
    )
    assert stack == {
        "ClusterResourceId": "cluster-ABC",
        "SubnetIds": "subnet-1",
        "VpcId": "vpc-1",
        "ClusterSecurityGroupId": "sg-1",
        "StartJobs": "true",
        "Endpoints": "false",
    }


def test_both_examples_make_the_same_template_without_a_mistake(
    cdk_pipeline: dict[str, Any], released: Path, tmp_path: Path
) -> None:
    python = synthesis.python(released, tmp_path)

    assert (python["Resources"], python["Outputs"]) == (cdk_pipeline["Resources"], cdk_pipeline["Outputs"])
    (tmp_path / "template.json").write_text(json.dumps(cdk_pipeline))
    assert [it for it in lint(tmp_path / "template.json") if it.rule[0] == "E"] == []


@pytest.mark.parametrize(
    ("old", "new", "is_kept"),
    [
        ("/trained`", "/trained-again`", False),
        ("hours(12)", "hours(11)", False),
        ("hours(12)", "hours(12), clean: true", True),
    ],
)
def test_another_job_or_time_has_another_wait_condition_and_another_setting_the_same(
    cdk_pipeline: dict[str, Any], node: Path, tmp_path: Path, old: str, new: str, *, is_kept: bool
) -> None:
    again = synthesis.typescript(node, tmp_path, old, new)
    (wait,) = (
        name for name, it in cdk_pipeline["Resources"].items() if it["Type"] == "AWS::CloudFormation::WaitCondition"
    )

    assert (wait in again["Resources"]) == is_kept


def test_the_lock_names_no_registry() -> None:
    locked = json.loads((ROOT / "packages/cdk/package-lock.json").read_text())["packages"]
    assert [path for path, package in locked.items() if "resolved" in package] == []
