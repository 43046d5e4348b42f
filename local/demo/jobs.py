"""The first act: stacks start, adopt and cancel model transform jobs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from local.demo.checks import Checks
from local.demo.stage import PROVIDER
from simulator import JobPlan

if TYPE_CHECKING:
    from rich.console import Console

    from local.demo.stage import Stage
    from simulator import Simulator

_EXAMPLE = Path(__file__).parents[2] / "examples/existing-job.yaml"
_COMPLETING, _QUICK, _SLOW, _OTHER = "movies", "music", "books", "games"
# An invocation looks for some two seconds by itself.
_RUN_SECONDS = 8.0
_STOP_SECONDS = {_QUICK: 1.0, _SLOW: 8.0}

INTRODUCTION = f"""\
[bold]A stack starts a Neptune ML job, and cancels it when the stack is deleted[/bold]

What is about to happen, on this machine only:
  1. sam build and sam deploy put the provider (template.yaml) into MiniStack,
     an emulator of AWS that enforces IAM policies. Neptune is simulated.
  2. The stack {_COMPLETING} describes a model transform job and waits for it. The
     provider starts the job, which runs for {_RUN_SECONDS:.0f} s. After a few checks the
     request waits in a queue, which invokes the function from time to time;
     between checks, nothing runs. The stack is complete when the job is, and
     its outputs say where the job's artifacts are.
  3. The stack {_QUICK} starts a job without waiting for it, and is deleted while
     the job runs. The provider cancels the job and has its artifacts deleted.
     The job stops within {_STOP_SECONDS[_QUICK]:.0f} s, so the same invocation answers. The provider
     records each job in its journal before it starts the job. So it can cancel
     even a job that CloudFormation never learned of.
  4. The stack {_SLOW} (examples/existing-job.yaml) adopts a running job. When the
     stack is deleted, the job takes {_STOP_SECONDS[_SLOW]:.0f} s to stop, and the request waits in the
     queue.
  A stack is gone only when its job has stopped. Another job, {_OTHER}, keeps
  running.
"""


def perform(console: Console, stage: Stage) -> list[str]:
    """Show the stacks, one after the other, and check the result.

    Args:
        console: Where to print.
        stage: Where it happens.

    Returns:
        The checks that failed.
    """
    neptune = stage.neptune
    neptune.start_job(_OTHER)
    others = neptune.artifacts(_OTHER)
    stage.timeline.begin()

    neptune.plan = JobPlan(base_seconds=_RUN_SECONDS / 4, run_seconds=_RUN_SECONDS)
    completing = stage.create(
        _COMPLETING, "it describes a job, with WaitForCompletion: true", _describing(neptune, _COMPLETING, waits=True)
    )
    stage.timeline.say("You", f"read its output OutputLocation: {completing.location}")

    neptune.plan = JobPlan(stop_seconds=_STOP_SECONDS[_QUICK])
    quick = stage.create(_QUICK, "it describes a job, with Clean: true", _describing(neptune, _QUICK, waits=False))
    noted = [stage.noted(quick)]
    quick = quick.and_then(stage.delete(quick.stack))
    noted.append(stage.noted(quick))

    neptune.start_job(_SLOW, stop_seconds=_STOP_SECONDS[_SLOW])
    parameters = {"ProviderStack": PROVIDER, "Endpoint": neptune.url, "JobId": _SLOW, "Clean": "true"}
    slow = stage.create(_SLOW, f"it adopts the job {_SLOW}, with Clean: true", _EXAMPLE.read_text(), parameters)
    slow = slow.and_then(stage.delete(slow.stack))

    console.print("\n[bold]Checks[/bold]")
    checks = Checks(console, neptune)
    checks.completed(completing, _RUN_SECONDS)
    checks.stopped(quick, _STOP_SECONDS[_QUICK], by_queue=False)
    checks.check(
        ok=noted == ["started and reported", "has ended"],
        claim="the journal had its job while it ran, and now says that it has ended",
        seen=noted,
    )
    checks.stopped(slow, _STOP_SECONDS[_SLOW], by_queue=True)
    checks.calls(started=[completing, quick], cancelled=[quick, slow])
    checks.untouched(_OTHER, others)
    checks.empty(stage.messages())
    if not checks.failed:
        console.print()
        started_at = next(it.time for it in neptune.log if it.operation == "start")
        took = completing.operations[0].ended_at - started_at
        checks.tell_time(f"{_COMPLETING}: the creation, from its job's start,", took, _RUN_SECONDS)
        for life in (quick, slow):
            took, stop = life.operations[-1].seconds, _STOP_SECONDS[life.name]
            checks.tell_time(f"{life.name}: the deletion", took, stop)
    return checks.failed


def _describing(neptune: Simulator, name: str, *, waits: bool) -> str:
    """Write the template of a stack that starts its job."""
    job = {
        "Type": "Custom::NeptuneMLModelTransformJob",
        "Properties": {
            "ServiceToken": {"Fn::ImportValue": f"{PROVIDER}-ServiceToken"},
            "Endpoint": neptune.url,
            "TrainingJobName": f"{name}-training",
            "ModelTransformOutputS3Location": f"s3://{name}/transforms",
            "WaitForCompletion": waits,
            "Clean": True,
        },
    }
    outputs = {"JobId": "Id", "OutputLocation": "OutputLocation"}
    return json.dumps(
        {
            "Resources": {"Job": job},
            "Outputs": {name: {"Value": {"Fn::GetAtt": ["Job", of]}} for name, of in outputs.items()},
        }
    )
