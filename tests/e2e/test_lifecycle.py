"""Stacks that are created, updated and deleted."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.e2e.provider import ATTRIBUTES, EXAMPLE, SETTLE_SECONDS, SLACK_SECONDS, delete, failures, template

if TYPE_CHECKING:
    from simulator import Simulator
    from tests.e2e.provider import Provider


@pytest.mark.parametrize("clean", ["true", "false"])
def test_deletion_of_the_example_stack_cancels_its_job(provider: Provider, clean: str) -> None:
    job, other = provider.start_job(stop_seconds=1), provider.start_job()
    artifacts = provider.neptune.artifacts(job)
    stack = provider.stack()
    stack.create(
        EXAMPLE,
        {
            "ProviderStack": provider.stack_name,
            "Endpoint": provider.neptune.url,
            "JobId": job,
            "Clean": clean,
        },
    )

    assert stack.settle(SETTLE_SECONDS) == "CREATE_COMPLETE"
    assert provider.neptune.status(job) == "InProgress"
    assert stack.outputs()["JobId"] == job
    assert stack.outputs()["StatusAtLastUpdate"] == "InProgress"

    assert delete(stack) == "DELETE_COMPLETE"
    assert provider.cancellations(job) == [(f"/ml/modeltransform/{job}", f"clean={clean}")]
    assert provider.neptune.status(job) == "Stopped"
    assert artifacts
    assert provider.neptune.artifacts(job) == (() if clean == "true" else artifacts)
    assert provider.cancellations(other) == []
    assert provider.neptune.status(other) == "InProgress"


def test_ref_and_every_attribute(provider: Provider) -> None:
    job = provider.start_job()
    stack = provider.stack()
    outputs: dict[str, object] = {name: {"Fn::GetAtt": ["Job", name]} for name in ATTRIBUTES}
    stack.create(template({"Job": provider.resource(job)}, {"Ref": {"Ref": "Job"}, **outputs}))

    assert stack.settle(SETTLE_SECONDS) == "CREATE_COMPLETE"

    values = stack.outputs()
    assert (values["Ref"], values["Id"], values["Status"]) == (provider.physical_id(job), job, "InProgress")
    assert values["OutputLocation"] in {name.rpartition("/")[0] for name in provider.neptune.artifacts(job)}
    assert f":processing-job/{job}-" in values["BaseProcessingJobArn"]
    assert f":transform-job/{job}-" in values["RemoteModelTransformJobArn"]


def test_deletion_takes_no_longer_than_the_job_takes_to_stop(provider: Provider) -> None:
    stop_seconds = 6.0
    stack = provider.create(provider.start_job(stop_seconds=stop_seconds))

    started = time.monotonic()
    assert delete(stack) == "DELETE_COMPLETE"
    took = time.monotonic() - started

    # What is promised is a tenth of the wait and two seconds.
    assert stop_seconds <= took <= stop_seconds * 1.1 + 2 + SLACK_SECONDS


def test_deletion_does_not_wait_if_it_is_not_to(provider: Provider) -> None:
    job = provider.start_job(stop_seconds=None)
    stack = provider.create(job, WaitForStop=False)

    assert delete(stack) == "DELETE_COMPLETE"
    assert provider.neptune.status(job) == "Stopping"


def test_two_resources_in_one_stack(provider: Provider) -> None:
    jobs = [provider.start_job(), provider.start_job()]
    stack = provider.stack()
    stack.create(
        template({"One": provider.resource(jobs[0], Clean=True), "Two": provider.resource(jobs[1], Clean=False)})
    )
    assert stack.settle(SETTLE_SECONDS) == "CREATE_COMPLETE"

    assert delete(stack) == "DELETE_COMPLETE"

    assert [query for _, query in provider.cancellations(jobs[0])] == ["clean=true"]
    assert [query for _, query in provider.cancellations(jobs[1])] == ["clean=false"]
    assert [provider.neptune.status(job) for job in jobs] == ["Stopped", "Stopped"]


def test_updated_settings_cancel_nothing_and_hold_at_the_deletion(provider: Provider) -> None:
    job = provider.start_job()
    stack = provider.create(job, Clean=False)

    stack.update(template({"Job": provider.resource(job, Clean=True)}))

    assert stack.settle(SETTLE_SECONDS) == "UPDATE_COMPLETE"
    assert provider.cancellations(job) == []
    assert delete(stack) == "DELETE_COMPLETE"
    assert [query for _, query in provider.cancellations(job)] == ["clean=true"]


def test_another_id_cancels_the_old_job_with_its_settings_and_adopts_the_new_one(provider: Provider) -> None:
    old, new = provider.start_job(), provider.start_job()
    outputs = {"Ref": {"Ref": "Job"}}
    stack = provider.stack()
    stack.create(template({"Job": provider.resource(old, Clean=True)}, outputs))
    assert stack.settle(SETTLE_SECONDS) == "CREATE_COMPLETE"

    stack.update(template({"Job": provider.resource(new, Clean=False)}, outputs))

    assert stack.settle(SETTLE_SECONDS) == "UPDATE_COMPLETE"
    assert stack.outputs() == {"Ref": provider.physical_id(new)}
    assert [query for _, query in provider.cancellations(old)] == ["clean=true"]
    assert provider.neptune.status(old) == "Stopped"
    assert provider.cancellations(new) == []
    assert provider.neptune.status(new) == "InProgress"

    assert delete(stack) == "DELETE_COMPLETE"
    assert [query for _, query in provider.cancellations(new)] == ["clean=false"]
    assert len(provider.cancellations(old)) == 1


def test_an_adopted_job_does_not_move_to_another_host(provider: Provider, green: Simulator) -> None:
    job = provider.start_job()
    green.start_job(job)
    stack = provider.create(job)

    stack.update(template({"Job": provider.resource(job, Endpoint=green.url)}))

    assert stack.settle(SETTLE_SECONDS) == "UPDATE_ROLLBACK_COMPLETE"
    assert "under another logical id" in failures(stack)["Job"]
    assert delete(stack) == "DELETE_COMPLETE"
    assert (provider.neptune.status(job), green.status(job)) == ("Stopped", "InProgress")


def test_a_resource_that_leaves_the_template_cancels_its_job(provider: Provider) -> None:
    job, staying = provider.start_job(), provider.start_job()
    stack = provider.stack()
    stack.create(template({"Job": provider.resource(job), "Staying": provider.resource(staying)}))
    assert stack.settle(SETTLE_SECONDS) == "CREATE_COMPLETE"

    stack.update(template({"Staying": provider.resource(staying)}))

    assert stack.settle(SETTLE_SECONDS) == "UPDATE_COMPLETE"
    assert provider.neptune.status(job) == "Stopped"
    assert provider.neptune.status(staying) == "InProgress"
    assert provider.cancellations(staying) == []


@pytest.mark.parametrize("status", ["Completed", "Failed", "Stopped"])
def test_a_job_that_has_ended_is_adopted_and_left_alone(provider: Provider, status: str) -> None:
    job = provider.start_job(status=status)
    artifacts = provider.neptune.artifacts(job)
    stack = provider.create(job, Clean=True)

    assert delete(stack) == "DELETE_COMPLETE"
    assert provider.neptune.status(job) == status
    assert artifacts
    assert provider.neptune.artifacts(job) == artifacts


def test_a_job_that_ends_by_itself_needs_no_stopping(provider: Provider) -> None:
    job = provider.start_job()
    stack = provider.create(job)
    provider.neptune.forget_job(job)
    provider.neptune.start_job(job, status="Completed")

    assert delete(stack) == "DELETE_COMPLETE"
    assert provider.neptune.status(job) == "Completed"


def test_a_job_that_is_gone_does_not_hold_up_the_deletion(provider: Provider) -> None:
    job = provider.start_job()
    stack = provider.create(job)
    provider.neptune.forget_job(job)

    assert delete(stack) == "DELETE_COMPLETE"
