"""Stacks that start their jobs, and what becomes of these."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from provider.kinds import KINDS
from simulator import JobPlan, JobStatus
from tests.e2e.provider import SETTLE_SECONDS, delete, failing_after, failures, template, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.stacks import Stack
    from provider.kinds.kind import Kind
    from tests.e2e.provider import Provider

EXAMPLE = (Path(__file__).parents[2] / "examples/started-job.yaml").read_text()
# Longer than an invocation looks by itself.
RUN_SECONDS = 7.0
# CloudFormation's time for an operation, of which half is kept back for the answer here.
TIMEOUT_SECONDS = 20


@pytest.fixture(autouse=True)
def _plan(provider: Provider) -> Iterator[None]:
    """Jobs run until they are cancelled, and stop soon then, unless a test has them do otherwise."""
    before = provider.neptune.plan
    provider.neptune.plan = JobPlan(stop_seconds=1)
    yield
    provider.neptune.plan = before


def unheard_of(provider: Provider) -> Stack:
    """A stack that only the requests speak of."""
    stack = provider.stack()
    stack.id = f"arn:aws:cloudformation:us-east-1:000000000000:stack/{stack.name}/{uuid.uuid4()}"
    return stack


# --- from the creation to the deletion --------------------------------------------------------------------------------


def test_a_stack_that_is_deleted_while_its_job_runs_stops_it_and_cleans_up(provider: Provider) -> None:
    stack = provider.create_with(provider.described(Clean=True))

    ((job, status),) = provider.started(stack).items()
    artifacts = provider.neptune.artifacts(job)
    assert status == JobStatus.IN_PROGRESS
    assert stack.outputs() == {"Ref": provider.physical_id(job)}
    assert artifacts

    assert delete(stack) == "DELETE_COMPLETE"

    assert provider.started(stack) == {job: JobStatus.STOPPED}
    assert provider.cancellations(job) == [(f"/ml/modeltransform/{job}", "clean=true")]
    assert provider.neptune.artifacts(job) == ()


def test_the_example_is_there_when_its_job_has_completed(provider: Provider) -> None:
    provider.neptune.plan = JobPlan(run_seconds=2.0)
    stack = provider.stack()

    stack.create(
        EXAMPLE,
        {
            "ProviderStack": provider.stack_name,
            "Endpoint": provider.neptune.url,
            "DataProcessingJobId": "movies-data",
            "MlModelTrainingJobId": "movies-model",
            "OutputLocation": "s3://mybucket/movies",
        },
    )

    assert stack.settle(SETTLE_SECONDS) == "CREATE_COMPLETE"
    outputs = stack.outputs()
    assert provider.neptune.status(outputs["JobId"]) == "Completed"
    assert outputs["OutputLocation"].startswith("s3://mybucket/movies/")

    assert delete(stack) == "DELETE_COMPLETE"
    assert provider.neptune.artifacts(outputs["JobId"])


def test_what_needs_the_output_comes_when_the_job_has_completed(provider: Provider) -> None:
    provider.neptune.plan = JobPlan(base_seconds=1, run_seconds=RUN_SECONDS)
    parameter = {"Type": "String", "Value": {"Fn::GetAtt": ["Job", "OutputLocation"]}}
    stack = provider.stack()

    stack.create(
        template(
            {
                "Job": provider.described(WaitForCompletion=True),
                "Location": {"Type": "AWS::SSM::Parameter", "Properties": parameter},
            },
            {"Location": {"Ref": "Location"}, "Status": {"Fn::GetAtt": ["Job", "Status"]}},
        )
    )

    assert stack.settle(RUN_SECONDS + SETTLE_SECONDS) == "CREATE_COMPLETE"
    (job,) = provider.started(stack)
    begun = {event.logical_id: event.time for event in stack.operation_events() if "IN_PROGRESS" in event.status}
    assert begun["Location"] - begun["Job"] >= RUN_SECONDS
    assert len(provider.invocations(stack.id, "Create")) > 1  # it waited in the queue
    outputs = stack.outputs()
    assert outputs["Status"] == "Completed"
    location = provider.ministack.client("ssm").get_parameter(Name=outputs["Location"])["Parameter"]["Value"]
    assert f"{location}/model.tar.gz" in provider.neptune.artifacts(job)

    assert delete(stack) == "DELETE_COMPLETE"
    assert provider.started(stack) == {job: JobStatus.COMPLETED}


# --- creations that fail ----------------------------------------------------------------------------------------------


def test_a_job_that_fails_fails_its_stack_with_its_own_reason_and_its_log(provider: Provider) -> None:
    provider.neptune.plan = JobPlan(run_seconds=1, fails_with="AlgorithmError: no space left on device")
    resource = provider.described(WaitForCompletion=True)
    stack = provider.stack()

    stack.create(template({"Job": resource}))

    assert stack.settle(SETTLE_SECONDS) == "ROLLBACK_COMPLETE"
    (job,) = provider.started(stack)
    reason = failures(stack)["Job"]
    assert reason.startswith(
        f"The job {job} has not completed: its status is Failed. Its log: "
        "https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#logStream:group="
    )
    assert " Neptune's reason: AlgorithmError: no space left on device" in reason
    answer = provider.ask("Delete", stack, resource, PhysicalResourceId=provider.physical_id(job))
    assert answer["Status"] == "SUCCESS"
    assert provider.started(stack) == {job: JobStatus.FAILED}
    assert delete(stack) == "DELETE_COMPLETE"


def test_a_job_that_takes_too_long_is_cancelled_by_the_delete_that_follows(provider: Provider) -> None:
    resource = provider.described(WaitForCompletion="true", ServiceTimeout=str(TIMEOUT_SECONDS))
    stack = unheard_of(provider)

    failed = provider.ask("Create", stack, resource)

    ((job, status),) = provider.started(stack).items()
    assert (failed["Status"], failed["PhysicalResourceId"]) == ("FAILED", provider.physical_id(job))
    assert failed["Reason"].startswith(f"The job {job} has not completed yet (its status is InProgress).")
    assert status == JobStatus.IN_PROGRESS
    removed = provider.ask("Delete", stack, resource, PhysicalResourceId=failed["PhysicalResourceId"])
    assert removed["Status"] == "SUCCESS"
    assert provider.started(stack) == {job: JobStatus.STOPPED}


def test_rollback_of_a_creation_cancels_the_job_that_it_started(provider: Provider) -> None:
    stack = provider.stack()

    stack.create(template({"Job": provider.described(), **failing_after("Job")}))

    assert stack.settle(SETTLE_SECONDS) == "ROLLBACK_COMPLETE"
    assert set(failures(stack)) == {"Never"}
    assert list(provider.started(stack).values()) == [JobStatus.STOPPED]


# --- updates ----------------------------------------------------------------------------------------------------------


def test_another_description_starts_another_job_and_cancels_the_old_one(provider: Provider) -> None:
    stack = provider.create_with(provider.described(Clean=True))
    (old,) = provider.started(stack)

    stack.update(template({"Job": provider.described(TrainingJobName="v2")}, {"Ref": {"Ref": "Job"}}))

    assert stack.settle(SETTLE_SECONDS) == "UPDATE_COMPLETE"
    (_, new) = provider.started(stack)
    assert provider.started(stack) == {old: JobStatus.STOPPED, new: JobStatus.IN_PROGRESS}
    assert stack.outputs() == {"Ref": provider.physical_id(new)}
    assert [query for _, query in provider.cancellations(old)] == ["clean=true"]

    assert delete(stack) == "DELETE_COMPLETE"
    assert [query for _, query in provider.cancellations(new)] == ["clean=false"]
    assert set(provider.started(stack).values()) == {JobStatus.STOPPED}


def test_rollback_that_deletes_the_new_job_keeps_the_old_one(provider: Provider) -> None:
    stack = provider.create_with(provider.described())
    (old,) = provider.started(stack)

    stack.update(template({"Job": provider.described(TrainingJobName="v2"), **failing_after("Job")}))

    assert stack.settle(SETTLE_SECONDS) == "UPDATE_ROLLBACK_COMPLETE"
    assert set(failures(stack)) == {"Never"}
    (_, new) = provider.started(stack)
    assert provider.started(stack) == {old: JobStatus.IN_PROGRESS, new: JobStatus.STOPPED}
    assert delete(stack) == "DELETE_COMPLETE"
    assert set(provider.started(stack).values()) == {JobStatus.STOPPED}


def test_what_a_replacement_started_that_took_too_long_is_cancelled_by_its_own_message(provider: Provider) -> None:
    stack = provider.create_with(provider.described())
    (old,) = provider.started(stack)
    late = provider.described(TrainingJobName="v2", WaitForCompletion=True, ServiceTimeout=TIMEOUT_SECONDS)

    stack.update(template({"Job": late}))

    assert stack.settle(SETTLE_SECONDS) == "UPDATE_ROLLBACK_COMPLETE"
    (_, new) = provider.started(stack)
    assert failures(stack)["Job"].startswith(f"The job {new} has not completed yet (its status is InProgress).")
    wait_until(lambda: provider.neptune.status(new) == JobStatus.STOPPED, SETTLE_SECONDS, "the new job stops")
    assert len(provider.cancellations(new)) == 1
    assert provider.cancellations(old) == []
    assert delete(stack) == "DELETE_COMPLETE"
    assert set(provider.started(stack).values()) == {JobStatus.STOPPED}


# --- the operator's choice --------------------------------------------------------------------------------------------


def test_where_jobs_are_not_started_a_stack_that_describes_one_says_what_would_change_that(
    provider: Provider, adopting_provider: Provider
) -> None:
    stack = provider.stack()

    stack.create(template({"Job": adopting_provider.described()}))

    assert stack.settle(SETTLE_SECONDS) == "ROLLBACK_COMPLETE"
    assert "Its operator can allow new jobs and updates by setting StartJobs to true." in failures(stack)["Job"]
    assert provider.started(stack) == {}
    assert delete(stack) == "DELETE_COMPLETE"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
def test_the_role_may_start_jobs_only_where_they_are_started(
    provider: Provider, adopting_provider: Provider, kind: Kind
) -> None:
    assert allowed(adopting_provider, kind) == {kind.get.action, kind.cancel.action}
    assert allowed(provider, kind) == allowed(adopting_provider, kind) | {kind.start.action}


def allowed(provider: Provider, kind: Kind) -> set[str]:
    """Which of Neptune's actions on a kind IAM lets the function's role take."""
    name = provider.outputs["FunctionName"]
    role = provider.ministack.client("lambda").get_function_configuration(FunctionName=name)["Role"]
    answer = provider.ministack.client("iam").simulate_principal_policy(
        PolicySourceArn=role,
        ActionNames=[call.action for call in (kind.start, kind.get, kind.cancel)],
        ResourceArns=["arn:aws:neptune-db:us-east-1:000000000000:cluster-ABC123/*"],
    )
    return {it["EvalActionName"] for it in answer["EvaluationResults"] if it["EvalDecision"] == "allowed"}
