"""The Terraform example, run for real; skipped where Terraform or its AWS provider is not installed."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local import sam
from local.ministack import MiniStack
from provider.custom_resource.properties import schema_of
from provider.kinds import MODEL_TRANSFORM_JOB
from simulator import JobPlan, Simulator
from tests.terraform.terraform import VARIABLES, NotInstalled, Terraform, require_terraform

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLE = Path(__file__).parents[2] / "examples/terraform"
PROVIDER = "provider"


DESCRIPTION = {
    "data_processing_job_id": "movies-data",
    "ml_model_training_job_id": "movies-model",
    "model_transform_output_s3_location": "s3://mybucket/movies",
}


@dataclass(frozen=True)
class World:
    ministack: MiniStack
    neptune: Simulator

    def terraform(self, directory: Path) -> Terraform:
        """The example in a directory, ready to be applied."""
        for file in EXAMPLE.glob("*.tf"):
            shutil.copy(file, directory)
        terraform = Terraform(directory, self.ministack.environment())
        terraform.init()
        return terraform

    def variables(self, **others: object) -> dict[str, object]:
        return {"provider_stack": PROVIDER, "endpoint": self.neptune.url, **others}

    def cancellations(self) -> list[tuple[str, str]]:
        return [(record.path, record.query) for record in self.neptune.log if record.method == "DELETE"]

    def stacks(self, name: str) -> list[tuple[str, str]]:
        """Id and status of the stacks of that name."""
        summaries = self.ministack.client("cloudformation").list_stacks()["StackSummaries"]
        return [(it["StackId"], it["StackStatus"]) for it in summaries if it["StackName"] == name]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    directory = tmp_path_factory.mktemp("terraform")
    try:
        require_terraform()
        with MiniStack() as ministack, Simulator() as neptune:
            world = World(ministack, neptune)
            (directory / "probe").mkdir()
            world.terraform(directory / "probe")
            built = sam.build(directory / "build")
            hosts = "127.0.0.1,localhost"
            parameters = {
                "ClusterResourceId": "*",
                "StartJobs": "true",
                "AllowedHosts": hosts,
                "ResponseHosts": hosts,
            }
            sam.deploy(ministack, built, PROVIDER, parameters)
            yield world
    except NotInstalled as missing:
        pytest.skip(str(missing))


def test_the_module_starts_jobs_and_cancels_them(world: World, tmp_path: Path) -> None:
    terraform = world.terraform(tmp_path)
    variables = world.variables(stack_name="started", wait_for_completion=True, **DESCRIPTION)

    # The first job fails, and with it the creation of the stack.
    world.neptune.plan = JobPlan(run_seconds=1.0, fails_with="out of memory")
    terraform.set_variables(**variables)
    applied = terraform.apply()
    assert applied.returncode != 0
    assert "out of memory" in " ".join(applied.stderr.split())
    ((failed, status),) = world.stacks("started")
    assert status == "ROLLBACK_COMPLETE"

    # The next one completes, in another stack.
    world.neptune.plan = JobPlan(run_seconds=1.0)
    applied = terraform.apply()
    assert applied.returncode == 0, applied.stderr
    ((stack, status),) = world.stacks("started")
    assert stack != failed
    assert status == "CREATE_COMPLETE"
    completed = terraform.outputs()
    assert world.neptune.status(completed["job_id"]) == completed["status"] == "Completed"
    assert completed["output_location"].startswith("s3://mybucket/movies")
    assert len(completed["model_names"]) == len(completed["model_arns"]) > 0

    # Newer data: one more job, which still runs when everything is destroyed.
    world.neptune.plan = JobPlan(stop_seconds=1.0)
    terraform.set_variables(**{**variables, "data_processing_job_id": "newer", "wait_for_completion": False})
    applied = terraform.apply()
    assert applied.returncode == 0, applied.stderr
    running = terraform.outputs()
    assert running["job_id"] != completed["job_id"]
    assert world.neptune.status(running["job_id"]) == running["status"] == "InProgress"
    assert running["model_names"] == []

    destroyed = terraform.destroy()
    assert destroyed.returncode == 0, destroyed.stderr
    assert world.cancellations()[-1] == (f"/ml/modeltransform/{running['job_id']}", "clean=false")
    assert world.neptune.status(running["job_id"]) == "Stopped"
    assert world.neptune.status(completed["job_id"]) == "Completed"


def test_the_module_adopts_a_job_and_cancels_it(world: World, tmp_path: Path) -> None:
    stop_seconds = 2.0
    for job in ("first", "second", "other"):
        world.neptune.start_job(job, stop_seconds=stop_seconds)
    cancelled_before = len(world.cancellations())
    terraform = world.terraform(tmp_path)
    terraform.set_variables(**world.variables(job_id="first"))

    applied = terraform.apply()
    assert applied.returncode == 0, applied.stderr
    assert terraform.outputs()["job_id"] == "first"
    assert terraform.outputs()["status"] == "InProgress"
    assert terraform.outputs()["output_location"].startswith("s3://")
    assert not terraform.has_changes()
    assert len(world.cancellations()) == cancelled_before

    terraform.set_variables(**world.variables(job_id="second", clean=True))
    applied = terraform.apply()
    assert applied.returncode == 0, applied.stderr
    assert world.cancellations()[cancelled_before:] == [("/ml/modeltransform/first", "clean=false")]
    assert world.neptune.status("first") == "Stopped"
    assert world.neptune.status("second") == "InProgress"

    destroyed = terraform.destroy()
    assert destroyed.returncode == 0, destroyed.stderr
    assert world.cancellations()[cancelled_before + 1 :] == [("/ml/modeltransform/second", "clean=true")]
    assert world.neptune.status("second") == "Stopped"
    assert world.neptune.artifacts("second") == ()
    assert world.neptune.status("other") == "InProgress"
    assert [status for _, status in world.stacks("transform-job")] == ["DELETE_COMPLETE"]


def test_a_job_is_either_started_or_adopted(world: World, tmp_path: Path) -> None:
    terraform = world.terraform(tmp_path)
    for variables in ({}, {"job_id": "first", **DESCRIPTION}):
        terraform.set_variables(**world.variables(**variables))

        planned = terraform.plan()

        assert planned.returncode != 0
        assert "to start a job, or job_id, to adopt one" in " ".join(planned.stderr.split())


def test_every_property_arrives_in_the_template(world: World, tmp_path: Path) -> None:
    role = "arn:aws:iam::123456789012:role/NeptuneML"
    terraform = world.terraform(tmp_path)
    variables = world.variables(
        **DESCRIPTION,
        training_job_name="training",
        sagemaker_iam_role_arn=role,
        base_processing_instance_type="ml.r5.4xlarge",
        base_processing_instance_volume_size_in_gb=100,
        subnets=["subnet-1"],
        security_group_ids=["sg-1"],
        volume_encryption_kms_key="volumes",
        s3_output_encryption_kms_key="artifacts",
        custom_model_transform_parameters={"source_s3_directory_path": "s3://mybucket/code"},
        neptune_iam_role_arn=role,
        service_timeout=1800,
    )

    terraform.set_variables(**variables)
    template = terraform.planned_template()

    properties = template["Resources"]["TransformJob"]["Properties"]
    assert properties == {
        "ServiceToken": {"Fn::ImportValue": "provider-ServiceToken"},
        "ServiceTimeout": 1800,
        "Endpoint": world.neptune.url,
        "ModelTransformOutputS3Location": "s3://mybucket/movies",
        "DataProcessingJobId": "movies-data",
        "MlModelTrainingJobId": "movies-model",
        "TrainingJobName": "training",
        "SagemakerIamRoleArn": role,
        "BaseProcessingInstanceType": "ml.r5.4xlarge",
        "BaseProcessingInstanceVolumeSizeInGB": 100,
        "Subnets": ["subnet-1"],
        "SecurityGroupIds": ["sg-1"],
        "VolumeEncryptionKMSKey": "volumes",
        "S3OutputEncryptionKMSKey": "artifacts",
        "CustomModelTransformParameters": {"SourceS3DirectoryPath": "s3://mybucket/code"},
        "NeptuneIamRoleArn": role,
        "WaitForCompletion": False,
        "Clean": False,
        "WaitForStop": True,
    }
    # A wait condition would have to stand in the same stack, and the module's has the job alone.
    assert {*properties, "Id", "CompletionHandle"} == {row.name for row in schema_of(MODEL_TRANSFORM_JOB.schema).rows}
    assert set(template["Outputs"]) == {"Id", "Status", *(it.name for it in MODEL_TRANSFORM_JOB.attributes)}


def test_the_module_is_formatted_as_terraform_has_it() -> None:
    try:
        require_terraform()
    except NotInstalled as missing:
        pytest.skip(str(missing))

    assert Terraform(EXAMPLE, os.environ).badly_formatted() == ""


@pytest.mark.parametrize(
    ("file", "kind", "heading"), [("variables.tf", "variable", "Inputs"), ("outputs.tf", "output", "Outputs")]
)
def test_the_readme_has_every_input_and_output(file: str, kind: str, heading: str) -> None:
    blocks = re.findall(rf'^{kind} "(\w+)" {{\n +description = "(.+)"$', (EXAMPLE / file).read_text(), re.MULTILINE)
    table = (EXAMPLE / "README.md").read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]

    assert re.findall(r"^\| (\w+) \| ([^|]+) \|", table, re.MULTILINE)[1:] == sorted(blocks)


def test_the_values_of_the_example_are_those_of_its_variables() -> None:
    given = re.findall(r"^(?:# )?(\w+) += ", (EXAMPLE / VARIABLES).read_text(), re.MULTILINE)
    known = re.findall(r'^variable "(\w+)"', (EXAMPLE / "variables.tf").read_text(), re.MULTILINE)

    assert set(given) <= set(known)
    assert {"endpoint", "job_id", *DESCRIPTION} <= set(given)
