"""The second act: a stack is a whole pipeline, and another one is deleted while its training runs."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from local.demo.checks import Checks
from local.demo.stage import PROVIDER
from local.queues import held_up
from simulator import JobPlan, JobStatus
from simulator.kinds import KIND_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from local.demo.stage import Stage
    from local.stacks import Stack

_EXAMPLE = Path(__file__).parents[2] / "examples/pipeline.yaml"
_WHOLE, _DELETED, _OTHER = "movies", "books", "games"
_RUN_SECONDS, _TRAINING_SECONDS, _ENOUGH_SECONDS = 3.0, 8.0, 4.0
# The invocation that is asked to delete it sees the end of that by itself.
_STOP_SECONDS = 1.0
_UNHEARD = "The handle no longer takes a signal"
_ORDER = ["DataProcessingJob", "TrainingJob", "Trained", "TransformJob", "InferenceEndpoint"]

INTRODUCTION = f"""\
[bold]A whole Neptune ML pipeline is one stack, and stops with it[/bold]

What is about to happen, on this machine only:
  1. sam build and sam deploy put the provider (template.yaml) into MiniStack,
     an emulator of AWS that enforces IAM policies. Neptune is simulated.
  2. The stack {_WHOLE} (examples/pipeline.yaml) is created: data processing,
     training, transform and endpoint, one after the other. A training may take
     longer than the hour that CloudFormation waits for a custom resource. So
     its creation is answered when it has started, the queue keeps checking it,
     and a wait condition holds back what follows. Here it takes {_TRAINING_SECONDS:.0f} s.
  3. The stack {_WHOLE} is deleted, and its endpoint with it.
  4. The stack {_DELETED} is created from the same template, and deleted while its
     training runs. The provider cancels the training, has its artifacts
     deleted, and answers when it has stopped, after {_STOP_SECONDS:.0f} s. The transform and
     the endpoint never start.
  Another job, {_OTHER}, keeps running.
"""


def perform(console: Console, stage: Stage) -> list[str]:
    """Show both stacks, and check the result.

    Args:
        console: Where to print.
        stage: Where it happens.

    Returns:
        The checks that failed.
    """
    neptune = stage.neptune
    neptune.start_job(_OTHER)
    others = neptune.artifacts(_OTHER)
    neptune.plan = JobPlan(run_seconds=_RUN_SECONDS, stop_seconds=_STOP_SECONDS)
    stage.timeline.begin()

    neptune.of("modeltraining").plan = JobPlan(run_seconds=_TRAINING_SECONDS)
    check_whole = _show_whole(stage)
    neptune.of("modeltraining").plan = JobPlan(stop_seconds=_STOP_SECONDS)
    check_deleted, seconds = _show_deleted(stage)

    console.print("\n[bold]Checks[/bold]")
    checks = Checks(console, neptune)
    check_whole(checks)
    check_deleted(checks)
    starts = [it.kind for it in neptune.log if it.operation == "start"]
    checks.check(
        ok=starts == [*KIND_NAMES, "dataprocessing", "modeltraining"],
        claim=f"Neptune received four POSTs for {_WHOLE}, two for {_DELETED}, and no other",
        seen=starts,
    )
    checks.untouched(_OTHER, others)
    running = neptune.running_everywhere()
    checks.check(
        ok=running == (("modeltransform", _OTHER),),
        claim="nothing else runs in the cluster: no job, no endpoint",
        seen=running,
    )
    checks.empty(stage.messages())
    if not checks.failed:
        console.print()
        checks.tell_time(f"{_DELETED}: the deletion", seconds, _STOP_SECONDS)
    return checks.failed


def _begin(stage: Stage, name: str) -> Stack:
    parameters = {
        "ProviderStack": PROVIDER,
        "Endpoint": stage.neptune.url,
        "ExportLocation": f"s3://{name}/exported",
        "OutputLocation": f"s3://{name}/model",
        "Clean": "true",
    }
    return stage.begin(name, "from an exported graph to an endpoint", _EXAMPLE.read_text(), parameters)


def _show_whole(stage: Stage) -> Callable[[Checks], None]:
    """Show the stack that is created as a whole, and deleted; returns what checks it."""
    stack = _begin(stage, _WHOLE)
    created = stage.settle(stack, "Create")
    began, ended = (
        {it.logical_id: it.time for it in stack.operation_events() if it.status == f"CREATE_{status}"}
        for status in ("IN_PROGRESS", "COMPLETE")
    )
    stage.timeline.say("You", f"read its output EndpointName: {stack.outputs().get('EndpointName')}")
    deleted = stage.delete(stack)
    endpoints = stage.neptune.of("endpoints").jobs()

    def check(checks: Checks) -> None:
        statuses = (created.status, deleted.status)
        checks.check(
            ok=statuses == ("CREATE_COMPLETE", "DELETE_COMPLETE"),
            claim=f"{_WHOLE}: the stack was CREATE_COMPLETE, and then DELETE_COMPLETE",
            seen=statuses,
        )
        checks.check(
            ok=began.keys() >= set(_ORDER) and all(ended[one] <= began[next_] for one, next_ in pairwise(_ORDER)),
            claim="each resource began only when the one before it was complete",
            seen=(began, ended),
        )
        started_at = next(it.time for it in stage.neptune.log if it.kind == "modeltraining" and it.operation == "start")
        waited = ended.get("Trained", 0.0) - started_at
        checks.check(
            ok=ended["TrainingJob"] - started_at < _TRAINING_SECONDS <= waited,
            claim="its wait condition held the transform back while the training ran",
            seen=f"it ended {waited:.1f} s after the training's start",
        )
        checks.check(ok=not endpoints, claim="its endpoint is gone", seen=endpoints)

    return check


def _show_deleted(stage: Stage) -> tuple[Callable[[Checks], None], float]:
    """Show the stack that is deleted while its training runs; returns what checks it, and the deletion's seconds."""
    trainings = stage.neptune.of("modeltraining")
    stack = _begin(stage, _DELETED)
    stage.wait_until(lambda: bool(trainings.running()), stack)
    enough = time.monotonic() + _ENOUGH_SECONDS
    stage.wait_until(lambda: time.monotonic() >= enough, stack)
    (training,) = trainings.running()
    artifacts = trainings.artifacts(training)
    with held_up(stage.ministack, stage.outputs):
        deleted = stage.delete(stack)
    stage.show_until(stack, lambda line: line.message == _UNHEARD)

    def check(checks: Checks) -> None:
        checks.check(
            ok=deleted.status == "DELETE_COMPLETE",
            claim=f"{_DELETED}: deleted while its training ran, the stack is DELETE_COMPLETE",
            seen=deleted.status,
        )
        gone = [it.logical_id for it in stack.operation_events() if it.status == "DELETE_COMPLETE"]
        order = ["TrainingJob", "DataProcessingJob", _DELETED]
        checks.check(
            ok=[it for it in gone if it in order] == order,
            claim="its resources were deleted in reverse order, the training first",
            seen=gone,
        )
        checks.check(
            ok=deleted.seconds >= _STOP_SECONDS,
            claim="it was gone only after its training had stopped",
            seen=f"it was gone after {deleted.seconds:.1f} s",
        )
        status, left = trainings.status(training), trainings.artifacts(training)
        checks.check(
            ok=status == JobStatus.STOPPED and bool(artifacts) and not left,
            claim=f"its training is Stopped, and the training's {len(artifacts)} artifacts are deleted",
            seen=(status, left),
        )
        cancelled = [
            f"{it.path}?{it.query}" for it in stage.neptune.log if it.method == "DELETE" and it.kind != "endpoints"
        ]
        checks.check(
            ok=cancelled == [f"/ml/modeltraining/{training}?clean=true"],
            claim="Neptune received one DELETE ...?clean=true, for that training",
            seen=cancelled,
        )
        jobs = stage.neptune.of("dataprocessing")
        processed = {job: (status, bool(jobs.artifacts(job))) for job, status in jobs.jobs().items()}
        checks.check(
            ok=list(processed.values()) == [(JobStatus.COMPLETED, True)] * 2,
            claim="both data processing jobs are Completed, and their results still exist",
            seen=processed,
        )

    return check, deleted.seconds
