"""Jobs that take longer than CloudFormation waits for a custom resource: wait conditions wait for them."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from simulator import JobPlan, JobStatus
from tests.e2e.provider import SETTLE_SECONDS, SLACK_SECONDS, delete, failures, template, wait_until
from tests.e2e.queues import FAILED, assert_nothing_waits, depth

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from local.stacks import Stack
    from tests.e2e.provider import Provider

TIMEOUT_SECONDS = 10
# Longer than that, and than an invocation looks by itself.
RUN_SECONDS = 15.0


@pytest.fixture(autouse=True)
def _plan(provider: Provider) -> Iterator[None]:
    before = provider.neptune.plan
    provider.neptune.plan = JobPlan(run_seconds=RUN_SECONDS, stop_seconds=1)
    yield
    provider.neptune.plan = before


def resources(provider: Provider, **properties: object) -> dict[str, Any]:
    """A job, its handle and its wait condition, and what comes when it has completed."""
    return {
        "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
        "Job": provider.described(
            ServiceTimeout=TIMEOUT_SECONDS, CompletionHandle={"Ref": "Handle"}, Clean=True, **properties
        ),
        "Completed": {
            "Type": "AWS::CloudFormation::WaitCondition",
            "DependsOn": "Job",
            "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "43200"},
        },
        "Next": {
            "Type": "AWS::SSM::Parameter",
            "DependsOn": "Completed",
            "Properties": {"Type": "String", "Value": {"Fn::GetAtt": ["Job", "Id"]}},
        },
    }


OUTPUTS: Mapping[str, object] = {
    "Data": {"Fn::GetAtt": ["Completed", "Data"]},
    "Id": {"Fn::GetAtt": ["Job", "Id"]},
    # As examples/pipeline.yaml does it.
    "OutputLocation": {
        "Fn::Select": [
            0,
            {
                "Fn::Split": [
                    '\\"',
                    {
                        "Fn::Select": [
                            1,
                            {"Fn::Split": ['OutputLocation\\":\\"', {"Fn::GetAtt": ["Completed", "Data"]}]},
                        ]
                    },
                ]
            },
        ]
    },
}


def create(provider: Provider, **properties: object) -> Stack:
    stack = provider.stack()
    stack.create(template(resources(provider, **properties), OUTPUTS))
    return stack


def begun(stack: Stack) -> dict[str, float]:
    return {it.logical_id: it.time for it in stack.operation_events() if it.status == "CREATE_IN_PROGRESS"}


def ended(stack: Stack) -> dict[str, float]:
    return {it.logical_id: it.time for it in stack.operation_events() if it.status == "CREATE_COMPLETE"}


def test_a_job_that_takes_longer_than_its_service_timeout_is_waited_for_by_its_wait_condition(
    provider: Provider,
) -> None:
    stack = create(provider)

    assert stack.settle(RUN_SECONDS + SETTLE_SECONDS) == "CREATE_COMPLETE"

    ((job, status),) = provider.started(stack).items()
    assert status == JobStatus.COMPLETED
    assert ended(stack)["Job"] - begun(stack)["Job"] < RUN_SECONDS
    assert begun(stack)["Next"] - begun(stack)["Job"] >= RUN_SECONDS
    outputs = stack.outputs()
    (signal,) = json.loads(outputs["Data"]).items()
    assert signal[0] == job == outputs["Id"]
    data = json.loads(signal[1])
    assert (data["Id"], data["Status"]) == (job, "Completed")
    assert f"{data['OutputLocation']}/model.tar.gz" in provider.neptune.artifacts(job)
    assert outputs["OutputLocation"] == data["OutputLocation"]
    assert_nothing_waits(provider)

    assert delete(stack) == "DELETE_COMPLETE"
    assert provider.cancellations(job) == []
    assert depth(provider, FAILED) == (0, 0, 0)
    assert "/_ministack/cfn-signal/" not in "\n".join(provider.log())


def test_a_job_that_fails_fails_its_wait_condition_and_nothing_runs_on(provider: Provider) -> None:
    provider.neptune.plan = JobPlan(run_seconds=RUN_SECONDS, fails_with="AlgorithmError: no space left on device")

    stack = create(provider)

    assert stack.settle(RUN_SECONDS + SETTLE_SECONDS) == "ROLLBACK_COMPLETE"
    ((job, status),) = provider.started(stack).items()
    assert status == JobStatus.FAILED
    reason = failures(stack)["Completed"]
    assert f"The job {job} has not completed: its status is Failed. Its log: https://" in reason
    assert "Neptune's reason: AlgorithmError: no space left on device" in reason
    assert "Next" not in begun(stack)
    assert_nothing_waits(provider)
    assert depth(provider, FAILED) == (0, 0, 0)


def test_a_stack_that_is_deleted_meanwhile_stops_its_job_and_leaves_nothing(provider: Provider) -> None:
    provider.neptune.plan = JobPlan(stop_seconds=1)
    without_condition = {name: it for name, it in resources(provider).items() if name not in ("Completed", "Next")}
    stack = provider.stack()
    stack.create(template(without_condition))
    assert stack.settle(SETTLE_SECONDS) == "CREATE_COMPLETE"
    wait_until(lambda: sum(depth(provider)), SLACK_SECONDS, "a job that is looked at")
    time.sleep(3)  # some looks
    assert sum(depth(provider)) == 1

    assert delete(stack) == "DELETE_COMPLETE"

    assert list(provider.started(stack).values()) == [JobStatus.STOPPED]
    assert_nothing_waits(provider)
    assert depth(provider, FAILED) == (0, 0, 0)
