"""The example that starts its job, deployed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from local import sam
from local.ministack import MiniStack
from local.stacks import Stack
from simulator import JobPlan, Simulator
from tests.cfn_lint.linting import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLE = (ROOT / "examples/started-job.yaml").read_text()
PROVIDER = "provider"
SETTLE_SECONDS = 120.0


@dataclass(frozen=True)
class World:
    ministack: MiniStack
    neptune: Simulator

    def create(self, name: str) -> Stack:
        stack = Stack(self.ministack.client("cloudformation"), name)
        parameters = {
            "ProviderStack": PROVIDER,
            "Endpoint": self.neptune.url,
            "DataProcessingJobId": "movies-data",
            "MlModelTrainingJobId": "movies-model",
            "OutputLocation": "s3://mybucket/movies",
        }
        stack.create(EXAMPLE, parameters)
        return stack


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    directory = tmp_path_factory.mktemp("deployed")
    built = sam.build(directory / "build")
    with MiniStack(iam=True) as ministack, Simulator() as neptune:
        hosts = "127.0.0.1,localhost"
        parameters = {"ClusterResourceId": "*", "StartJobs": "true", "AllowedHosts": hosts, "ResponseHosts": hosts}
        sam.deploy(ministack, built, PROVIDER, parameters)
        yield World(ministack, neptune)


def test_a_stack_is_there_when_its_job_has_completed(world: World) -> None:
    world.neptune.plan = JobPlan(run_seconds=2.0)

    stack = world.create("completed")

    assert stack.settle(SETTLE_SECONDS) == "CREATE_COMPLETE"
    outputs = stack.outputs()
    assert world.neptune.status(outputs["JobId"]) == "Completed"
    assert outputs["OutputLocation"].startswith("s3://mybucket/movies/")

    stack.delete()
    assert stack.settle(SETTLE_SECONDS) == "DELETE_COMPLETE"
    assert world.neptune.artifacts(outputs["JobId"])


def test_a_job_that_fails_fails_its_stack(world: World) -> None:
    world.neptune.plan = JobPlan(run_seconds=1.0, fails_with="out of memory")

    stack = world.create("failed")

    assert stack.settle(SETTLE_SECONDS) == "ROLLBACK_COMPLETE"
    assert any("out of memory" in event.reason for event in stack.events())
