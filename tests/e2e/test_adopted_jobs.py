"""Stacks that adopt their jobs: created, updated, deleted and rolled back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.provider import ATTRIBUTES, EXAMPLE, SETTLE_SECONDS, delete, failing_after, failures, template

if TYPE_CHECKING:
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


def test_mistyped_property(provider: Provider) -> None:
    job = provider.start_job()
    cancelled = provider.cancellations()
    stack = provider.stack()

    stack.create(template({"Job": provider.resource(job, Claen=True)}))

    assert stack.settle(SETTLE_SECONDS) == "ROLLBACK_COMPLETE"
    assert failures(stack)["Job"].startswith(
        "'Claen' is not a property of Custom::NeptuneMLModelTransformJob; did you mean Clean?"
    )
    assert delete(stack) == "DELETE_COMPLETE"
    assert provider.cancellations() == cancelled
    assert provider.neptune.status(job) == "InProgress"


def test_rollback_of_a_creation_cancels_the_job_that_it_adopted(provider: Provider) -> None:
    job = provider.start_job(stop_seconds=1)
    stack = provider.stack()

    stack.create(template({"Job": provider.resource(job), **failing_after("Job")}))

    assert stack.settle(SETTLE_SECONDS) == "ROLLBACK_COMPLETE"
    assert set(failures(stack)) == {"Never"}
    assert len(provider.cancellations(job)) == 1
    assert provider.neptune.status(job) == "Stopped"
