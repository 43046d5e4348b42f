"""The Terraform example, run for real; skipped where Terraform or its AWS provider is not installed."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from botocore import xform_name

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
    completed = terraform.attributes()
    assert world.neptune.status(completed["Id"]) == completed["Status"] == "Completed"
    assert completed["OutputLocation"].startswith("s3://mybucket/movies")

    # Newer data: one more job, which still runs when everything is destroyed.
    world.neptune.plan = JobPlan(stop_seconds=1.0)
    terraform.set_variables(**{**variables, "data_processing_job_id": "newer", "wait_for_completion": False})
    applied = terraform.apply()
    assert applied.returncode == 0, applied.stderr
    running = terraform.attributes()
    assert running["Id"] != completed["Id"]
    assert world.neptune.status(running["Id"]) == running["Status"] == "InProgress"

    destroyed = terraform.destroy()
    assert destroyed.returncode == 0, destroyed.stderr
    assert world.cancellations()[-1] == (f"/ml/modeltransform/{running['Id']}", "clean=false")
    assert world.neptune.status(running["Id"]) == "Stopped"
    assert world.neptune.status(completed["Id"]) == "Completed"


def test_the_module_adopts_a_job_and_cancels_it(world: World, tmp_path: Path) -> None:
    stop_seconds = 2.0
    for job in ("first", "second", "other"):
        world.neptune.start_job(job, stop_seconds=stop_seconds)
    cancelled_before = len(world.cancellations())
    terraform = world.terraform(tmp_path)
    terraform.set_variables(**world.variables(id="first"))

    applied = terraform.apply()
    assert applied.returncode == 0, applied.stderr
    assert terraform.attributes()["Id"] == "first"
    assert terraform.attributes()["Status"] == "InProgress"
    assert terraform.attributes()["OutputLocation"].startswith("s3://")
    assert not terraform.has_changes()
    assert len(world.cancellations()) == cancelled_before

    terraform.set_variables(**world.variables(id="second", clean=True))
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
    for variables in ({}, {"id": "first", **DESCRIPTION}):
        terraform.set_variables(**world.variables(**variables))

        planned = terraform.plan()

        assert planned.returncode != 0
        assert "to start a job, or id, to adopt one" in " ".join(planned.stderr.split())


def test_every_property_arrives_in_the_template(world: World, tmp_path: Path) -> None:
    values = {"String": "text", "Integer": 7, "Boolean": False, "Array of String": ["one", "two"]}
    # A wait condition would have to be in the module's stack, which has only the job.
    rows = [row for row in schema_of(MODEL_TRANSFORM_JOB.schema).rows if row.name not in ("Id", "CompletionHandle")]
    given = {row.name: values[row.type.name] for row in rows if not row.members}
    maps = {row.name: {it.name: values[it.type.name] for it in row.members} for row in rows if row.members}
    terraform = world.terraform(tmp_path)
    terraform.set_variables(
        **{xform_name(name): value for name, value in given.items() if name != "ServiceToken"},
        **{xform_name(row): {xform_name(name): it for name, it in values.items()} for row, values in maps.items()},
    )

    template = terraform.planned_template()

    token = {"Fn::ImportValue": "neptune-ml-provider-ServiceToken"}
    assert template["Resources"]["TransformJob"]["Properties"] == {**given, **maps, "ServiceToken": token}
    assert set(template["Outputs"]) == {"Id", "Status", *(it.name for it in MODEL_TRANSFORM_JOB.attributes)}


def test_the_module_is_formatted_as_terraform_has_it() -> None:
    try:
        require_terraform()
    except NotInstalled as missing:
        pytest.skip(str(missing))

    assert Terraform(EXAMPLE, os.environ).badly_formatted() == ""


def test_the_values_of_the_example_are_those_of_its_variables() -> None:
    given = re.findall(r"^(?:# )?(\w+) += ", (EXAMPLE / VARIABLES).read_text(), re.MULTILINE)
    known = re.findall(r'^variable "(\w+)"', (EXAMPLE / "variables.tf").read_text(), re.MULTILINE)

    assert set(given) <= set(known)
    assert {"endpoint", "id", *DESCRIPTION} <= set(given)
