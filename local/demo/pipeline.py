"""The second act: a stack that is a whole pipeline is deleted while its training runs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from local.demo.checks import Checks
from local.demo.stage import PROVIDER
from local.queues import held_up
from simulator import JobPlan, JobStatus

if TYPE_CHECKING:
    from rich.console import Console

    from local.demo.stage import Stage
    from simulator.cluster_jobs import ClusterJobs

_EXAMPLE = Path(__file__).parents[2] / "examples/pipeline.yaml"
_PIPELINE, _OTHER = "movies", "games"
_PROCESSING_SECONDS, _TRAINING_SECONDS = 4.0, 8.0
# The invocation that is asked to delete it sees the end of that by itself.
_STOP_SECONDS = 1.0

INTRODUCTION = f"""\
[bold]A whole Neptune ML pipeline is a stack, and stops with it[/bold]

What is about to happen, on this machine alone:
  1. sam build and sam deploy bring the provider (template.yaml) into MiniStack,
     an emulator of AWS, with IAM policies enforced. Neptune is simulated.
  2. The creation of the stack {_PIPELINE} begins (examples/pipeline.yaml): data processing,
     training, transform and an endpoint, one after the other. The data is
     processed within {_PROCESSING_SECONDS:.0f} s. The training would run for hours: the queue goes on
     looking for its end, and a wait condition holds back what comes after it.
  3. The stack is deleted while the training has run for {_TRAINING_SECONDS:.0f} s. Its resources go in the
     reverse order: the provider cancels the training, has its artifacts deleted,
     and answers when it has stopped, after {_STOP_SECONDS:.0f} s. Neither the transform nor the
     endpoint has been started. Another job, {_OTHER}, runs on.
"""


def perform(console: Console, stage: Stage) -> list[str]:
    """Show the pipeline and its deletion, and check what became of it.

    Args:
        console: Where to print.
        stage: Where it happens.

    Returns:
        What was not as it should be.
    """
    neptune = stage.neptune
    neptune.start_job(_OTHER)
    others = neptune.artifacts(_OTHER)
    neptune.plan = JobPlan(run_seconds=_PROCESSING_SECONDS)
    trainings = neptune.of("modeltraining")
    trainings.plan = JobPlan(stop_seconds=_STOP_SECONDS)
    stage.timeline.begin()

    parameters = {
        "ProviderStack": PROVIDER,
        "Endpoint": neptune.url,
        "ExportLocation": f"s3://{_PIPELINE}/exported",
        "OutputLocation": f"s3://{_PIPELINE}/model",
        "Clean": "true",
    }
    stack = stage.begin(_PIPELINE, "from an exported graph to an endpoint", _EXAMPLE.read_text(), parameters)
    stage.wait_until(lambda: bool(trainings.running()), stack)
    enough = time.monotonic() + _TRAINING_SECONDS
    stage.wait_until(lambda: time.monotonic() >= enough, stack)
    (training,) = trainings.running()
    artifacts = trainings.artifacts(training)
    with held_up(stage.ministack, stage.outputs):
        deleted = stage.delete(stack)

    console.print("\n[bold]Checks[/bold]")
    checks = Checks(console, neptune)
    checks.check(
        ok=deleted.status == "DELETE_COMPLETE",
        claim=f"{_PIPELINE}: the stack was deleted while its training ran, in the end DELETE_COMPLETE",
        seen=deleted.status,
    )
    gone = [it.logical_id for it in stack.operation_events() if it.status == "DELETE_COMPLETE"]
    order = ["TrainingJob", "DataProcessingJob", _PIPELINE]
    checks.check(
        ok=[it for it in gone if it in order] == order,
        claim="its resources went in the reverse order, the training first",
        seen=gone,
    )
    checks.check(
        ok=deleted.seconds >= _STOP_SECONDS,
        claim="it was not gone before its training had stopped",
        seen=f"it was gone after {deleted.seconds:.1f} s",
    )
    status, left = trainings.status(training), trainings.artifacts(training)
    checks.check(
        ok=status == JobStatus.STOPPED and bool(artifacts) and not left,
        claim=f"its training is Stopped, and the training's {len(artifacts)} artifacts are deleted",
        seen=(status, left),
    )
    _check_processed(checks, neptune.of("dataprocessing"))
    starts = [it.kind for it in neptune.log if it.operation == "start"]
    checks.check(
        ok=starts == ["dataprocessing", "modeltraining"],
        claim="Neptune got one POST for the data processing and one for the training, no other",
        seen=starts,
    )
    cancellations = [f"{it.path}?{it.query}" for it in neptune.log if it.method == "DELETE" and it.job_id == training]
    checks.check(
        ok=cancellations == [f"/ml/modeltraining/{training}?clean=true"],
        claim="it got one DELETE ...?clean=true for the training",
        seen=cancellations,
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
        checks.tell_time(f"{_PIPELINE}: the deletion took", deleted.seconds, _STOP_SECONDS, "stop")
    return checks.failed


def _check_processed(checks: Checks, jobs: ClusterJobs) -> None:
    processed = {job: (status, jobs.artifacts(job)) for job, status in jobs.jobs().items()}
    checks.check(
        ok=[(status, bool(artifacts)) for status, artifacts in processed.values()] == [(JobStatus.COMPLETED, True)],
        claim="its data processing is Completed, and what it has made is still there",
        seen=processed,
    )
