"""The example that takes an exported graph to a model's artifacts: three kinds of jobs in one stack."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from simulator import JobPlan, JobStatus
from tests.e2e.provider import SETTLE_SECONDS, delete, failures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stacks import Stack
    from tests.e2e.provider import Provider

EXAMPLE = (Path(__file__).parents[2] / "examples/training-to-transform.yaml").read_text()
DESCRIPTION = re.compile(r"^  (\w+):\n    Type: Custom::", re.M)
RUN_SECONDS = 1.0


@pytest.fixture(autouse=True)
def _plan(provider: Provider) -> Iterator[None]:
    """Jobs complete soon, unless a test has them do otherwise."""
    training = provider.neptune.of("modeltraining")
    before, before_of_training = provider.neptune.plan, training.plan
    provider.neptune.plan = training.plan = JobPlan(run_seconds=RUN_SECONDS)
    yield
    provider.neptune.plan, training.plan = before, before_of_training


def impatient(example: str) -> str:
    """The example, whose stack does not wait for the training."""
    before, after = example.split("\n  TrainingJob:\n")
    assert "WaitForCompletion: true" in after
    after = after.replace("WaitForCompletion: true", "WaitForCompletion: false", 1)
    return f"{before}\n  TrainingJob:\n{after}"


def create(provider: Provider, example: str = EXAMPLE, *, becomes: str = "CREATE_COMPLETE") -> Stack:
    stack = provider.stack()
    parameters = {
        "ProviderStack": provider.stack_name,
        "Endpoint": provider.neptune.url,
        "ExportLocation": "s3://movies/exported",
        "OutputLocation": "s3://movies/model",
        "Clean": "true",
    }
    stack.create(example, parameters)
    assert stack.settle(3 * SETTLE_SECONDS) == becomes
    return stack


def running(provider: Provider, stack: Stack) -> list[str]:
    """The jobs of a stack, of any kind, that run."""
    return [job for _, job in provider.neptune.running_everywhere() if job.startswith(f"{stack.name}-")]


def times(stack: Stack, status: str) -> dict[str, float]:
    """When each resource came to a status in the latest operation."""
    return {it.logical_id: it.time for it in stack.operation_events() if it.status == status and not it.is_of_stack}


def test_a_stack_takes_an_exported_graph_to_artifacts_and_is_deleted(provider: Provider) -> None:
    stack = create(provider)

    began, ended = times(stack, "CREATE_IN_PROGRESS"), times(stack, "CREATE_COMPLETE")
    order = ["DataProcessingJob", "TrainingJob", "TransformJob"]
    assert DESCRIPTION.findall(EXAMPLE) == order
    for before, after in itertools.pairwise(order):
        assert ended[before] - began[before] >= RUN_SECONDS
        assert ended[before] <= began[after]
    outputs = stack.outputs()
    completed = [
        provider.neptune.of("dataprocessing").status(outputs["DataProcessingJobId"]),
        provider.neptune.of("modeltraining").status(outputs["TrainingJobId"]),
        provider.neptune.of("modeltransform").status(outputs["TransformJobId"]),
    ]
    assert completed == [JobStatus.COMPLETED] * 3
    assert outputs["OutputLocation"].startswith(f"s3://movies/model/transformed/{outputs['TransformJobId']}")

    assert delete(stack) == "DELETE_COMPLETE"
    gone = times(stack, "DELETE_COMPLETE")
    assert sorted(gone, key=lambda name: gone[name]) == order[::-1]
    assert running(provider, stack) == []
    assert provider.neptune.artifacts(outputs["TransformJobId"])  # what has completed is not cleaned up


def test_a_stack_that_is_deleted_while_its_training_runs_stops_it_and_cleans_up(provider: Provider) -> None:
    training = provider.neptune.of("modeltraining")
    training.plan = JobPlan(stop_seconds=1)
    without_transform, _ = EXAMPLE.split("\n  TransformJob:\n")
    outputs = "Outputs:\n  TrainingJobId:\n    Value: !GetAtt TrainingJob.Id\n"

    stack = create(provider, f"{impatient(without_transform)}\n{outputs}")

    job = stack.outputs()["TrainingJobId"]
    assert training.status(job) == JobStatus.IN_PROGRESS
    assert training.artifacts(job)

    assert delete(stack) == "DELETE_COMPLETE"

    assert training.status(job) == JobStatus.STOPPED
    assert training.artifacts(job) == ()
    assert provider.cancellations(job) == [(f"/ml/modeltraining/{job}", "clean=true")]
    assert running(provider, stack) == []


def test_a_stack_that_does_not_wait_for_its_training_cannot_transform_it_and_cancels_it(provider: Provider) -> None:
    training = provider.neptune.of("modeltraining")
    training.plan = JobPlan(stop_seconds=1)

    stack = create(provider, impatient(EXAMPLE), becomes="ROLLBACK_COMPLETE")

    assert list(failures(stack)) == ["TransformJob"]
    assert failures(stack)["TransformJob"].startswith("The job could not be started. Neptune at ")
    *_, job = (job for job in training.jobs() if job.startswith(f"{stack.name}-"))
    assert provider.cancellations(job) == [(f"/ml/modeltraining/{job}", "clean=true")]
    assert running(provider, stack) == []
