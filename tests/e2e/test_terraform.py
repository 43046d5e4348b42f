"""The Terraform example, run for real; skipped where Terraform or its AWS provider is not installed."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from botocore import xform_name

from provider.custom_resource.properties import schema_of
from provider.kinds import MODEL_TRANSFORM_JOB
from simulator import JobPlan
from tests.e2e.terraform import VARIABLES, NotInstalled, Terraform, require_terraform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.provider import Provider

EXAMPLE = Path(__file__).parents[2] / "examples/terraform"
DESCRIPTION = {
    "data_processing_job_id": "movies-data",
    "ml_model_training_job_id": "movies-model",
    "model_transform_output_s3_location": "s3://mybucket/movies",
}


@pytest.fixture(autouse=True)
def _plan(provider: Provider) -> Iterator[None]:
    before = provider.neptune.plan
    yield
    provider.neptune.plan = before


@pytest.fixture
def terraform(provider: Provider, tmp_path: Path) -> Terraform:
    """The example in a directory, ready to be applied."""
    for file in EXAMPLE.glob("*.tf"):
        shutil.copy(file, tmp_path)
    terraform = Terraform(tmp_path, provider.ministack.environment())
    try:
        require_terraform()
        terraform.init()
    except NotInstalled as missing:
        pytest.skip(str(missing))
    return terraform


def variables_of(provider: Provider, **others: object) -> dict[str, object]:
    return {"provider_stack": provider.stack_name, "endpoint": provider.neptune.url, **others}


def stacks(provider: Provider, name: str) -> list[tuple[str, str]]:
    """Id and status of the stacks of that name."""
    summaries = provider.ministack.client("cloudformation").list_stacks()["StackSummaries"]
    return [(it["StackId"], it["StackStatus"]) for it in summaries if it["StackName"] == name]


def test_the_module_starts_jobs_and_cancels_them(provider: Provider, terraform: Terraform) -> None:
    variables = variables_of(provider, stack_name="started", wait_for_completion=True, **DESCRIPTION)

    # The first job fails, and with it the creation of the stack.
    provider.neptune.plan = JobPlan(run_seconds=1.0, fails_with="out of memory")
    terraform.set_variables(**variables)
    applied = terraform.apply()
    assert applied.returncode != 0
    assert "out of memory" in " ".join(applied.stderr.split())
    ((failed, status),) = stacks(provider, "started")
    assert status == "ROLLBACK_COMPLETE"

    # The next one completes, in another stack.
    provider.neptune.plan = JobPlan(run_seconds=1.0)
    applied = terraform.apply()
    assert applied.returncode == 0, applied.stderr
    ((stack, status),) = stacks(provider, "started")
    assert stack != failed
    assert status == "CREATE_COMPLETE"
    completed = terraform.attributes()
    assert provider.neptune.status(completed["Id"]) == completed["Status"] == "Completed"
    assert completed["OutputLocation"].startswith("s3://mybucket/movies")

    # Newer data: one more job, which still runs when everything is destroyed.
    provider.neptune.plan = JobPlan(stop_seconds=1.0)
    terraform.set_variables(**{**variables, "data_processing_job_id": "newer", "wait_for_completion": False})
    applied = terraform.apply()
    assert applied.returncode == 0, applied.stderr
    running = terraform.attributes()
    assert running["Id"] != completed["Id"]
    assert provider.neptune.status(running["Id"]) == running["Status"] == "InProgress"

    destroyed = terraform.destroy()
    assert destroyed.returncode == 0, destroyed.stderr
    assert provider.cancellations()[-1] == (f"/ml/modeltransform/{running['Id']}", "clean=false")
    assert provider.neptune.status(running["Id"]) == "Stopped"
    assert provider.neptune.status(completed["Id"]) == "Completed"


def test_the_module_adopts_a_job_and_cancels_it(provider: Provider, terraform: Terraform) -> None:
    stop_seconds = 2.0
    for job in ("first", "second", "other"):
        provider.neptune.start_job(job, stop_seconds=stop_seconds)
    cancelled_before = len(provider.cancellations())
    terraform.set_variables(**variables_of(provider, id="first"))

    applied = terraform.apply()
    assert applied.returncode == 0, applied.stderr
    assert terraform.attributes()["Id"] == "first"
    assert terraform.attributes()["Status"] == "InProgress"
    assert terraform.attributes()["OutputLocation"].startswith("s3://")
    assert not terraform.has_changes()
    assert len(provider.cancellations()) == cancelled_before

    terraform.set_variables(**variables_of(provider, id="second", clean=True))
    applied = terraform.apply()
    assert applied.returncode == 0, applied.stderr
    assert provider.cancellations()[cancelled_before:] == [("/ml/modeltransform/first", "clean=false")]
    assert provider.neptune.status("first") == "Stopped"
    assert provider.neptune.status("second") == "InProgress"

    destroyed = terraform.destroy()
    assert destroyed.returncode == 0, destroyed.stderr
    assert provider.cancellations()[cancelled_before + 1 :] == [("/ml/modeltransform/second", "clean=true")]
    assert provider.neptune.status("second") == "Stopped"
    assert provider.neptune.artifacts("second") == ()
    assert provider.neptune.status("other") == "InProgress"
    assert [status for _, status in stacks(provider, "transform-job")] == ["DELETE_COMPLETE"]


def test_a_job_is_either_started_or_adopted(provider: Provider, terraform: Terraform) -> None:
    for variables in ({}, {"id": "first", **DESCRIPTION}):
        terraform.set_variables(**variables_of(provider, **variables))

        planned = terraform.plan()

        assert planned.returncode != 0
        assert "to start a job, or id, to adopt one" in " ".join(planned.stderr.split())


def test_every_property_arrives_in_the_template(terraform: Terraform) -> None:
    values = {"String": "text", "Integer": 7, "Boolean": False, "Array of String": ["one", "two"]}
    # A wait condition would have to be in the module's stack, which has only the job.
    rows = [row for row in schema_of(MODEL_TRANSFORM_JOB.schema).rows if row.name not in ("Id", "CompletionHandle")]
    given = {row.name: values[row.type.name] for row in rows if not row.members}
    maps = {row.name: {it.name: values[it.type.name] for it in row.members} for row in rows if row.members}
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
