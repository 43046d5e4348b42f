"""The Terraform example, run for real; skipped where Terraform or its AWS provider is not installed."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local import sam
from local.ministack import MiniStack
from simulator import Simulator
from tests.terraform.terraform import NotInstalled, Terraform, require_terraform

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLE = Path(__file__).parents[2] / "examples/terraform/main.tf"
PROVIDER = "provider"


@dataclass(frozen=True)
class World:
    ministack: MiniStack
    neptune: Simulator

    def terraform(self, directory: Path) -> Terraform:
        shutil.copy(EXAMPLE, directory)
        terraform = Terraform(directory, self.ministack.environment())
        terraform.init()
        return terraform

    def variables(self, job: str, **others: str) -> dict[str, str]:
        return {"provider_stack": PROVIDER, "endpoint": self.neptune.url, "job_id": job, **others}

    def cancellations(self) -> list[tuple[str, str]]:
        return [(record.path, record.query) for record in self.neptune.log if record.method == "DELETE"]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    directory = tmp_path_factory.mktemp("terraform")
    try:
        require_terraform()
        with MiniStack() as ministack, Simulator(artifacts_dir=directory / "artifacts") as neptune:
            world = World(ministack, neptune)
            (directory / "probe").mkdir()
            world.terraform(directory / "probe")
            built = sam.build(directory / "build")
            hosts = "127.0.0.1,localhost"
            parameters = {"ClusterResourceId": "*", "AllowedHosts": hosts, "ResponseHosts": hosts}
            sam.deploy(ministack, built, PROVIDER, parameters)
            yield world
    except NotInstalled as missing:
        pytest.skip(str(missing))


def test_destroying_the_configuration_cancels_the_job(world: World, tmp_path: Path) -> None:
    stop_seconds = 2.0
    for job in ("first", "second", "other"):
        world.neptune.start_job(job, stop_seconds=stop_seconds)
    terraform = world.terraform(tmp_path)
    first, second = world.variables("first"), world.variables("second", clean="true")

    applied = terraform.apply(**first)
    assert applied.returncode == 0, applied.stderr
    assert terraform.outputs()["status"] == "InProgress"
    assert terraform.outputs()["output_location"].startswith("s3://")
    assert not terraform.has_changes(**first)
    assert world.cancellations() == []

    applied = terraform.apply(**second)
    assert applied.returncode == 0, applied.stderr
    assert world.cancellations() == [("/ml/modeltransform/first", "clean=false")]
    assert world.neptune.status("first") == "Stopped"
    assert world.neptune.status("second") == "InProgress"

    destroyed = terraform.destroy(**second)
    assert destroyed.returncode == 0, destroyed.stderr
    assert world.cancellations()[1:] == [("/ml/modeltransform/second", "clean=true")]
    assert world.neptune.status("second") == "Stopped"
    assert world.neptune.artifacts("second") == ()
    assert world.neptune.status("other") == "InProgress"
    statuses = {
        it["StackName"]: it["StackStatus"]
        for it in world.ministack.client("cloudformation").list_stacks()["StackSummaries"]
    }
    assert statuses["transform-job"] == "DELETE_COMPLETE"


def test_a_job_that_does_not_exist_fails_with_the_reason(world: World, tmp_path: Path) -> None:
    terraform = world.terraform(tmp_path)
    variables = world.variables("no-such-job", stack_name="no-such-job")

    applied = terraform.apply(**variables)

    assert applied.returncode != 0
    assert "knows no model transform job no-such-job" in " ".join(applied.stderr.split())
    assert terraform.destroy(**variables).returncode == 0
