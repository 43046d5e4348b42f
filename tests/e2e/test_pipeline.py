"""The example of a whole pipeline: from an exported graph to an endpoint in one stack."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cfnlint.decode.cfn_yaml import loads  # type: ignore[import-untyped]

from local.queues import held_up
from simulator import JobPlan, JobStatus
from simulator.kinds import KIND_NAMES
from tests.e2e.provider import SETTLE_SECONDS, delete, failures, wait_until
from tests.e2e.queues import FAILED, assert_nothing_waits, depth

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stacks import Stack
    from simulator.cluster_jobs import ClusterJobs
    from simulator.kinds import KindName
    from tests.e2e.provider import Provider

EXAMPLE = (Path(__file__).parents[2] / "examples/pipeline.yaml").read_text()
NAMES = {it["Type"]: name for name, it in loads(EXAMPLE)["Resources"].items()}
"""What the example calls a resource, by its type, of which it has one each."""
JOBS = ["DataProcessingJob", "TrainingJob", "TransformJob", "InferenceEndpoint"]
RUN_SECONDS = 1.0
STOP_SECONDS = 1.0
# The training takes longer than it, and than an invocation looks by itself.
TIMEOUT_SECONDS = 10
TRAINING_SECONDS = 12.0


@pytest.fixture(autouse=True)
def training(provider: Provider) -> Iterator[ClusterJobs]:
    """The cluster's trainings, which take long; all else is over soon."""
    trainings, endpoints = provider.neptune.of("modeltraining"), provider.neptune.of("endpoints")
    before, before_of_trainings, before_of_endpoints = provider.neptune.plan, trainings.plan, endpoints.plan
    provider.neptune.plan = endpoints.plan = JobPlan(run_seconds=RUN_SECONDS, stop_seconds=STOP_SECONDS)
    trainings.plan = JobPlan(run_seconds=TRAINING_SECONDS, stop_seconds=STOP_SECONDS)
    yield trainings
    provider.neptune.plan, trainings.plan, endpoints.plan = before, before_of_trainings, before_of_endpoints


def parameters(provider: Provider, export: str = "exported") -> dict[str, str]:
    return {
        "ProviderStack": provider.stack_name,
        "Endpoint": provider.neptune.url,
        "ExportLocation": f"s3://movies/{export}",
        "OutputLocation": "s3://movies/model",
        "Clean": "true",
    }


def replaced(text: str, replacement: str) -> str:
    """The example with another text at one place."""
    assert EXAMPLE.count(text) == 1, text
    return EXAMPLE.replace(text, replacement)


def begin(provider: Provider, example: str = EXAMPLE) -> Stack:
    stack = provider.stack()
    declared = loads(example)["Parameters"]
    stack.create(example, {name: it for name, it in parameters(provider).items() if name in declared})
    return stack


@pytest.fixture(params=["CloudFormation", "CDK"])
def example(request: pytest.FixtureRequest, provider: Provider) -> dict[str, Any]:
    """The example in YAML, and what the CDK makes of the one in TypeScript."""
    if request.param == "CDK":
        # What `cdk bootstrap` leaves in an account.
        provider.ministack.client("ssm").put_parameter(
            Name="/cdk-bootstrap/hnb659fds/version", Value="21", Type="String", Overwrite=True
        )
    source = request.getfixturevalue("cdk_pipeline") if request.param == "CDK" else loads(EXAMPLE)
    template: dict[str, Any] = json.loads(json.dumps(source))
    return template


def running(provider: Provider, stack: Stack) -> list[str]:
    """The jobs of a stack, of any kind, that run."""
    return [job for _, job in provider.neptune.running_everywhere() if job.startswith(f"{stack.name}-")]


def started(jobs: ClusterJobs, stack: Stack) -> list[str]:
    return [job for job in jobs.jobs() if job.startswith(f"{stack.name}-")]


def times(stack: Stack, status: str) -> dict[str, float]:
    """When each of the example's resources came to a status in the latest operation, in the order of that."""
    found: dict[str, float] = {}
    for event in stack.operation_events():
        if event.status == status and not event.is_of_stack:
            found.setdefault(NAMES[event.resource_type], event.time)
    return found


def assert_nothing_is_left(provider: Provider, stack: Stack) -> None:
    assert running(provider, stack) == []
    assert_nothing_waits(provider)
    assert depth(provider, FAILED) == (0, 0, 0)


def assert_cancelled_and_cleaned(provider: Provider, training: ClusterJobs, job: str) -> None:
    assert training.status(job) == JobStatus.STOPPED
    assert training.artifacts(job) == ()
    assert provider.cancellations(job) == [(f"/ml/modeltraining/{job}", "clean=true")]


def test_a_pipeline_is_created_one_job_after_the_other_used_and_deleted_in_the_reverse_order(
    provider: Provider, example: dict[str, Any]
) -> None:
    for resource in example["Resources"].values():
        if NAMES[resource["Type"]] == "TrainingJob":
            resource["Properties"]["ServiceTimeout"] = TIMEOUT_SECONDS
    stack = begin(provider, json.dumps(example))

    assert stack.settle(4 * SETTLE_SECONDS) == "CREATE_COMPLETE"

    began, ended = times(stack, "CREATE_IN_PROGRESS"), times(stack, "CREATE_COMPLETE")
    order = [*JOBS[:2], "Trained", *JOBS[2:]]
    assert [name for name in began if name in order] == order
    assert all(ended[before] <= began[after] for before, after in itertools.pairwise(order))
    assert ended["TrainingJob"] - began["TrainingJob"] < TIMEOUT_SECONDS < began["TransformJob"] - began["TrainingJob"]
    assert all(ended[job] - began[job] >= RUN_SECONDS for job in JOBS if job != "TrainingJob")
    outputs = stack.outputs()
    neptune = provider.neptune
    ids: dict[KindName, str] = {}
    for kind in KIND_NAMES:
        (ids[kind],) = started(neptune.of(kind), stack)
    statuses = {kind: neptune.of(kind).status(job) for kind, job in ids.items()}
    assert statuses == {**dict.fromkeys(KIND_NAMES, JobStatus.COMPLETED), "endpoints": "InService"}
    assert outputs["EndpointId"] == ids["endpoints"]
    assert outputs["ModelLocation"].startswith(f"s3://movies/model/trained/{ids['modeltraining']}")
    if "OutputLocation" in outputs:
        assert outputs["OutputLocation"].startswith(f"s3://movies/model/transformed/{ids['modeltransform']}")
        assert outputs["EndpointName"].startswith(outputs["EndpointId"])

    assert delete(stack, 2 * SETTLE_SECONDS) == "DELETE_COMPLETE"

    assert [name for name in times(stack, "DELETE_COMPLETE") if name in order] == order[::-1]
    assert outputs["EndpointId"] not in neptune.of("endpoints").jobs()
    assert neptune.artifacts(ids["modeltransform"])  # what has completed is not cleaned up
    assert_nothing_is_left(provider, stack)


def test_an_update_with_newer_data_goes_through_it_once_more_and_keeps_the_endpoint(
    provider: Provider, training: ClusterJobs
) -> None:
    training.plan = JobPlan(run_seconds=RUN_SECONDS)
    stack = begin(provider)
    assert stack.settle(4 * SETTLE_SECONDS) == "CREATE_COMPLETE"
    before = stack.outputs()
    others = EXAMPLE.replace("!Ref Handle", "!Ref Handle2").replace("\n  Handle:\n", "\n  Handle2:\n")
    others = re.sub(r"\bTrained\b", "Trained2", others)

    stack.update(others, parameters(provider, "exported-later"))

    assert stack.settle(4 * SETTLE_SECONDS) == "UPDATE_COMPLETE"
    after = stack.outputs()
    assert after["EndpointId"] == before["EndpointId"]
    changed = {name for name in after if after[name] != before[name]}
    assert changed == set(after) - {"EndpointId", "EndpointName"}
    assert started(training, stack) == [before["TrainingJobId"], after["TrainingJobId"]]
    assert after["ModelLocation"].startswith(f"s3://movies/model/trained/{after['TrainingJobId']}")
    assert delete(stack, 2 * SETTLE_SECONDS) == "DELETE_COMPLETE"
    assert_nothing_is_left(provider, stack)


def test_a_pipeline_that_is_deleted_while_its_training_runs_cancels_it_and_cleans_up(
    provider: Provider, training: ClusterJobs
) -> None:
    training.plan = JobPlan(stop_seconds=STOP_SECONDS)
    stack = begin(provider)
    wait_until(lambda: "Trained" in times(stack, "CREATE_IN_PROGRESS"), SETTLE_SECONDS, "a training that is waited for")
    (job,) = started(training, stack)
    assert training.status(job) == JobStatus.IN_PROGRESS
    assert training.artifacts(job)

    with held_up(provider.ministack, provider.outputs):
        assert delete(stack) == "DELETE_COMPLETE"

    assert list(times(stack, "DELETE_COMPLETE")) == ["TrainingJob", "Handle", "DataProcessingJob"]
    assert_cancelled_and_cleaned(provider, training, job)
    assert started(provider.neptune, stack) == started(provider.neptune.of("endpoints"), stack) == []
    assert_nothing_is_left(provider, stack)  # the last look found nobody to tell


def test_a_training_that_fails_rolls_the_pipeline_back_and_nothing_runs_on(
    provider: Provider, training: ClusterJobs
) -> None:
    training.plan = JobPlan(run_seconds=2 * RUN_SECONDS, fails_with="AlgorithmError: no space left on device")
    stack = begin(provider)

    assert stack.settle(2 * SETTLE_SECONDS) == "ROLLBACK_COMPLETE"

    (job,) = started(training, stack)
    assert training.status(job) == JobStatus.FAILED
    reason = failures(stack)["Trained"]
    assert f"The job {job} has not completed: its status is Failed." in reason
    assert "Neptune's reason: AlgorithmError: no space left on device" in reason
    assert started(provider.neptune, stack) == started(provider.neptune.of("endpoints"), stack) == []
    assert_nothing_is_left(provider, stack)


def test_a_training_that_takes_longer_than_its_wait_condition_waits_is_cancelled_and_cleaned_up(
    provider: Provider, training: ClusterJobs
) -> None:
    training.plan = JobPlan(stop_seconds=STOP_SECONDS)
    stack = begin(provider, replaced('Timeout: "43200"', 'Timeout: "2"'))

    assert stack.settle(2 * SETTLE_SECONDS) == "ROLLBACK_COMPLETE"

    assert list(failures(stack)) == ["Trained"]
    (job,) = started(training, stack)
    assert_cancelled_and_cleaned(provider, training, job)
    assert started(provider.neptune, stack) == started(provider.neptune.of("endpoints"), stack) == []
    assert_nothing_is_left(provider, stack)
