"""The example of an endpoint: created in service, changed in place, rolled back in place, and deleted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from simulator import JobPlan
from tests.e2e.provider import SETTLE_SECONDS, delete, failing_after, failures
from tests.e2e.provider import template as template_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stacks import Stack
    from simulator.cluster_jobs import ClusterJobs
    from tests.e2e.provider import Provider

EXAMPLE = (Path(__file__).parents[2] / "examples/endpoint.yaml").read_text()
PLAN = JobPlan(run_seconds=1.0, stop_seconds=1.0)


@pytest.fixture
def endpoints(provider: Provider) -> Iterator[ClusterJobs]:
    """The cluster's endpoints, which are in service soon."""
    endpoints = provider.neptune.of("endpoints")
    before, endpoints.plan = endpoints.plan, PLAN
    yield endpoints
    endpoints.plan = before
    for endpoint in endpoints.jobs():
        endpoints.forget_job(endpoint)


def parameters(provider: Provider, **more: str) -> dict[str, str]:
    return {
        "ProviderStack": provider.stack_name,
        "Endpoint": provider.neptune.url,
        "TrainingJobId": "movies-2026-01",
        **more,
    }


def create(provider: Provider) -> Stack:
    stack = provider.stack()
    stack.create(EXAMPLE, parameters(provider))
    assert stack.settle(SETTLE_SECONDS) == "CREATE_COMPLETE"
    return stack


def starts(provider: Provider) -> int:
    return sum((it.kind, it.operation) == ("endpoints", "start") for it in provider.neptune.log)


def test_an_endpoint_is_created_changed_in_place_and_deleted(provider: Provider, endpoints: ClusterJobs) -> None:
    stack, before = create(provider), starts(provider)
    endpoint = stack.outputs()["EndpointId"]
    assert endpoints.status(endpoint) == "InService"
    assert stack.outputs()["EndpointName"].startswith(endpoint)

    stack.update(EXAMPLE, parameters(provider, InstanceType="ml.m5.2xlarge", InstanceCount="2"))
    assert stack.settle(SETTLE_SECONDS) == "UPDATE_COMPLETE"
    assert stack.outputs()["EndpointId"] == endpoint
    assert endpoints.status(endpoint) == "InService"
    assert starts(provider) == before + 1

    assert delete(stack) == "DELETE_COMPLETE"
    assert endpoint not in endpoints.jobs()


def test_an_update_of_a_stack_that_fails_changes_its_endpoint_back_in_place(
    provider: Provider, endpoints: ClusterJobs
) -> None:
    def written(failing: dict[str, object], **properties: object) -> str:
        described = {
            "ServiceToken": provider.outputs["ServiceToken"],
            "Endpoint": provider.neptune.url,
            "MlModelTrainingJobId": "movies-2026-01",
            "WaitForCompletion": "true",
            **properties,
        }
        resource = {"Type": "Custom::NeptuneMLEndpoint", "Properties": described}
        return template_of({"It": resource, **failing}, {"Id": {"Fn::GetAtt": ["It", "Id"]}})

    stack = provider.stack()
    stack.create(written({}))
    assert stack.settle(SETTLE_SECONDS) == "CREATE_COMPLETE"
    endpoint, before = stack.outputs()["Id"], starts(provider)

    stack.update(written(failing_after("It"), InstanceCount="2"))
    assert stack.settle(SETTLE_SECONDS) == "UPDATE_ROLLBACK_COMPLETE"
    assert list(endpoints.jobs()) == [endpoint]
    assert endpoints.status(endpoint) == "InService"
    assert starts(provider) == before + 2

    assert delete(stack) == "DELETE_COMPLETE"
    assert endpoints.jobs() == {}


def test_an_endpoint_that_cannot_be_made_fails_its_stack_with_its_reason(
    provider: Provider, endpoints: ClusterJobs
) -> None:
    endpoints.plan = replace(PLAN, fails_with="No capacity")
    stack = provider.stack()
    stack.create(EXAMPLE, parameters(provider))
    assert stack.settle(SETTLE_SECONDS) == "ROLLBACK_COMPLETE"
    assert "No capacity" in failures(stack)["InferenceEndpoint"]
