"""Deployments of the provider that find out by themselves whether its routes are there."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from local.sam import SamError

if TYPE_CHECKING:
    from tests.e2e.provider import Provider

RESPONSES, QUEUE = "RouteToCloudFormationResponses", "RouteToWaitingQueue"
JOURNAL, CLUSTER = "RouteToJournal", "RouteToCluster"
# In place of 120 s, where no answer comes.
SERVICE_TIMEOUT = 12


def changed(provider: Provider, name: str, before: str, after: str) -> Provider:
    """The provider with another template: a text of it is another."""
    template = provider.built.read_text()
    assert before in template
    path = provider.built.with_name(f"{name}.yaml")
    path.write_text(template.replace(before, after))
    return replace(provider, built=path)


def story(provider: Provider, stack_name: str, logical_id: str) -> list[tuple[str, str]]:
    """What has become of a check, from the beginning: the statuses and reasons that tell of an end."""
    events = provider.ministack.client("cloudformation").describe_stack_events(StackName=stack_name)["StackEvents"]
    return [
        (event["ResourceStatus"], event.get("ResourceStatusReason", ""))
        for event in reversed(events)
        if event["LogicalResourceId"] == logical_id and not event["ResourceStatus"].endswith("_IN_PROGRESS")
    ]


def physical_ids(provider: Provider, stack_name: str) -> dict[str, str]:
    resources = provider.ministack.client("cloudformation").describe_stack_resources(StackName=stack_name)
    return {
        it["LogicalResourceId"]: it["PhysicalResourceId"]
        for it in resources["StackResources"]
        if it["ResourceType"] == "Custom::NeptuneMLRouteCheck"
    }


def delete(provider: Provider, stack_name: str) -> str:
    """Have a deployment deleted; returns the ID by which it is still known."""
    cloudformation = provider.ministack.client("cloudformation")
    stack_id = cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]["StackId"]
    cloudformation.delete_stack(StackName=stack_name)
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=stack_id, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    return stack_id


def test_a_deployment_with_every_route(provider: Provider) -> None:
    deployed = provider.deploy("every-route", CheckedEndpoint=provider.neptune.url)

    assert (deployed.outputs[QUEUE], deployed.outputs[JOURNAL]) == ("open", "open")
    assert set(physical_ids(provider, "every-route")) == {RESPONSES, QUEUE, JOURNAL, CLUSTER}
    asked = [it for it in provider.neptune.log if it.job_id == "route-check"]
    assert [(it.method, it.status, it.signed) for it in asked] == [("GET", 404, True)]


def test_without_a_route_to_the_responses_the_deployment_fails_soon_and_names_it(provider: Provider) -> None:
    began = time.monotonic()
    # The function refuses to answer MiniStack, as if it had no way there.
    hurried = changed(provider, "hurried", "ServiceTimeout: 120", f"ServiceTimeout: {SERVICE_TIMEOUT}")
    with pytest.raises(SamError, match="ROLLBACK_COMPLETE"):
        hurried.deploy("no-responses", ResponseHosts="", CheckedEndpoint=provider.neptune.url)

    assert SERVICE_TIMEOUT <= time.monotonic() - began <= SERVICE_TIMEOUT + 60
    ((status, reason),) = story(provider, "no-responses", RESPONSES)[:1]
    assert (status, "timed out" in reason) == ("CREATE_FAILED", True)
    for later in (QUEUE, JOURNAL, CLUSTER):
        assert story(provider, "no-responses", later) == []
    # Nothing is left that a second attempt would meet.
    delete(provider, "no-responses")
    assert provider.deploy("no-responses").outputs[QUEUE] == "open"


@pytest.fixture(scope="module")
def network(provider: Provider) -> dict[str, str]:
    """The parameters of a network to move to."""
    ec2 = provider.ministack.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    return {
        "SubnetIds": ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"],
        "SecurityGroupIds": ec2.create_security_group(GroupName="function", Description="-", VpcId=vpc)["GroupId"],
    }


def test_an_update_that_changes_the_network_checks_again_and_a_deletion_checks_nothing(
    provider: Provider, network: dict[str, str]
) -> None:
    cluster = {"CheckedEndpoint": provider.neptune.url}
    name = "moved"
    provider.deploy(name, **cluster)
    before, asked = physical_ids(provider, name), len(provider.neptune.log)

    moved = provider.deploy(name, **cluster, **network)
    after = physical_ids(provider, name)

    assert not set(before.values()) & set(after.values())
    assert len(provider.neptune.log) > asked
    assert moved.outputs[QUEUE] == "open"

    with pytest.raises(SamError, match=r"(?s)CheckedEndpoint.*refused.*UPDATE_ROLLBACK_COMPLETE"):
        provider.deploy(name, CheckedEndpoint="localhost:9", **network)
    assert physical_ids(provider, name) == after

    stack_id = delete(provider, name)
    for check in (RESPONSES, QUEUE, JOURNAL, CLUSTER):
        assert [status for status, _ in story(provider, stack_id, check)][-1] == "DELETE_SKIPPED"
