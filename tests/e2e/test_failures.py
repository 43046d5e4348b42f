"""Stacks that fail: what their user reads, and what becomes of the jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.provider import SETTLE_SECONDS, delete, failing_after, failures, template

if TYPE_CHECKING:
    from tests.e2e.provider import Provider


def test_job_that_never_existed(provider: Provider) -> None:
    cancelled = provider.cancellations()
    stack = provider.stack()

    stack.create(template({"Job": provider.resource("job-mistyped")}))

    assert stack.settle(SETTLE_SECONDS) == "ROLLBACK_COMPLETE"
    reason = failures(stack)["Job"]
    assert reason.startswith(
        f"Neptune at {provider.neptune.host_port} has no model transform job job-mistyped. Check Id and Endpoint."
    )
    assert delete(stack) == "DELETE_COMPLETE"
    assert provider.cancellations() == cancelled


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


def test_rollback_of_an_update_restores_the_settings_and_cancels_nothing(provider: Provider) -> None:
    job = provider.start_job()
    stack = provider.create(job, Clean=False)

    stack.update(template({"Job": provider.resource(job, Clean=True), **failing_after("Job")}))

    assert stack.settle(SETTLE_SECONDS) == "UPDATE_ROLLBACK_COMPLETE"
    assert set(failures(stack)) == {"Never"}
    assert provider.cancellations(job) == []
    assert delete(stack) == "DELETE_COMPLETE"
    assert [query for _, query in provider.cancellations(job)] == ["clean=false"]


def test_rollback_of_a_replacement_keeps_the_old_job_and_cancels_the_new_one(provider: Provider) -> None:
    old, new = provider.start_job(), provider.start_job()
    stack = provider.create(old)

    stack.update(template({"Job": provider.resource(new), **failing_after("Job")}))

    assert stack.settle(SETTLE_SECONDS) == "UPDATE_ROLLBACK_COMPLETE"
    assert provider.cancellations(old) == []
    assert provider.neptune.status(old) == "InProgress"
    # As with any replacement, CloudFormation deletes what the update created.
    assert len(provider.cancellations(new)) == 1
    assert delete(stack) == "DELETE_COMPLETE"
    assert len(provider.cancellations(old)) == 1


def test_update_to_an_unknown_job_keeps_the_old_one(provider: Provider) -> None:
    job = provider.start_job()
    stack = provider.create(job)
    cancelled = provider.cancellations()

    stack.update(template({"Job": provider.resource("job-unknown")}))

    assert stack.settle(SETTLE_SECONDS) == "UPDATE_ROLLBACK_COMPLETE"
    assert "has no model transform job job-unknown. Check Id and Endpoint." in failures(stack)["Job"]
    assert provider.cancellations() == cancelled
    assert delete(stack) == "DELETE_COMPLETE"
    assert len(provider.cancellations(job)) == 1


def test_mistyped_property_in_an_update(provider: Provider) -> None:
    job = provider.start_job()
    stack = provider.create(job)

    stack.update(template({"Job": provider.resource(job, Clena=True)}))

    assert stack.settle(SETTLE_SECONDS) == "UPDATE_ROLLBACK_COMPLETE"
    assert failures(stack)["Job"].startswith("'Clena' is not a property of")
    assert provider.cancellations(job) == []
