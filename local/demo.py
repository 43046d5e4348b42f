"""The demo: stacks start, adopt and cancel model transform jobs; run it with `python -m local.demo`.

It checks what it shows. Exit code: 0 if all was as it should be, 1 if not, 128 and the signal's number if interrupted.
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from local import function_log, sam
from local.demo_checks import ANSWERED, Checks, Life, Operation
from local.interruption import Interrupted, interruptible
from local.leftovers import temporary_directory
from local.ministack import MiniStack, MiniStackError
from local.stacks import NotSettled, Stack
from local.timeline import Timeline
from simulator import JobPlan, Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from local.function_log import Line

_EXAMPLE = Path(__file__).parent.parent / "examples/existing-job.yaml"
_PROVIDER = "provider"
_HOSTS = "127.0.0.1,localhost"
_COMPLETING, _QUICK, _SLOW, _OTHER = "movies", "music", "books", "games"
# An invocation looks for some five seconds by itself.
_RUN_SECONDS = 8.0
_STOP_SECONDS = {_QUICK: 1.0, _SLOW: 8.0}
_SETTLE_SECONDS = 60.0
_LEAVING_SECONDS = 5.0
_ANSWER_SECONDS, _NUDGE_SECONDS = 20.0, 0.5
_POLL_SECONDS = 0.1
_QUEUES = {"WaitingQueueUrl": "waiting requests", "FailedEventsQueueUrl": "failed events"}

_INTRODUCTION = f"""\
[bold]A stack starts its Neptune ML model transform job, and cancels it when it goes[/bold]

What is about to happen, on this machine alone:
  1. sam build and sam deploy bring the provider (template.yaml) into MiniStack,
     an emulator of AWS, with IAM policies enforced. Neptune is simulated.
  2. The stack {_COMPLETING} is created. It describes a job, and is to wait for its
     completion: the provider starts the job, which runs for {_RUN_SECONDS:.0f} s. After a few
     looks at it the request waits in a queue, which has the function look again
     from time to time. No function runs in between. The stack is there when the
     job has completed, and says where its artifacts are.
  3. The stack {_QUICK} is created, and does not wait for its job. It is deleted
     while the job runs: the provider cancels the job and has its artifacts
     deleted. The job needs {_STOP_SECONDS[_QUICK]:.0f} s to stop: the function waits, and answers.
  4. The stack {_SLOW} (examples/existing-job.yaml) adopts a job that runs already
     and needs {_STOP_SECONDS[_SLOW]:.0f} s to stop. It is deleted: the request waits in the queue.
  A stack is gone only when its job has stopped. Another job, {_OTHER}, runs on.
"""


class StackFailedError(RuntimeError):
    """A stack could not be created, and the demo cannot go on."""


def main() -> int:
    """Run the demo.

    Returns:
        The exit code.
    """
    console = Console(highlight=False)
    try:
        with interruptible():
            failed = _run(console)
    except Interrupted as interrupted:
        console.print("\nInterrupted. What was started has been ended and removed.")
        return interrupted.exit_code
    except (MiniStackError, sam.SamError, NotSettled, StackFailedError) as error:
        console.print(f"\nThe demo failed: {error}", markup=False)
        return 1
    if failed:
        console.print(f"The demo failed: {len(failed)} of its checks did not hold, see FAILED above.")
        return 1
    console.print("All was as it should be. What was started has been ended and removed.")
    console.print(
        "Next: make deploy (into your AWS account), or make invoke EVENT=delete (the function in its container)."
    )
    return 0


def _run(console: Console) -> list[str]:
    """Run the demo; returns what was not as it should be."""
    console.print(_INTRODUCTION)
    timeline = Timeline(console)
    console.print("[bold]Setting up[/bold] (half a minute; longer where little is idle)")
    with temporary_directory("demo-") as directory:
        with _step(console, "sam build"):
            built = sam.build(directory / "build")
        with (
            MiniStack(iam=True) as ministack,
            # Its clock is CloudFormation's, for one timeline.
            Simulator(
                artifacts_dir=directory / "artifacts", clock=time.time, on_request=timeline.add_request
            ) as neptune,
        ):
            with _step(console, "sam deploy"):
                outputs = sam.deploy(
                    ministack,
                    built,
                    _PROVIDER,
                    {"ClusterResourceId": "*", "StartJobs": "true", "AllowedHosts": _HOSTS, "ResponseHosts": _HOSTS},
                )
            return _perform(console, Stage(timeline, ministack, neptune, outputs))


@contextmanager
def _step(console: Console, name: str) -> Iterator[None]:
    started = time.monotonic()
    console.print(f"  {name} ... ", end="")
    try:
        yield
    except BaseException:
        console.print()
        raise
    console.print(f"{time.monotonic() - started:.0f} s")


@dataclass(frozen=True)
class Stage:
    """Where it happens.

    Attributes:
        timeline: Shows it.
        ministack: AWS.
        neptune: The cluster.
        outputs: The outputs of the provider's stack.
    """

    timeline: Timeline
    ministack: MiniStack
    neptune: Simulator
    outputs: Mapping[str, str]

    def create(self, name: str, how: str, template: str, parameters: Mapping[str, str] | None = None) -> Life:
        """Create a stack, and show it.

        Args:
            name: The stack.
            how: What there is to say of its resource.
            template: Its template.
            parameters: The template's parameters.

        Returns:
            The stack's life so far.

        Raises:
            StackFailedError: There is no such stack now.
        """
        stack = Stack(self.ministack.client("cloudformation"), name)
        self.timeline.say("You", f"create the stack {name}: {how}")
        stack.create(template, parameters)
        created = self._settle(stack, "Create")
        if created.status != "CREATE_COMPLETE":
            raise StackFailedError(f"the stack {name} is {created.status}")
        outputs = stack.outputs()
        job, location = outputs["JobId"], outputs["OutputLocation"]
        return Life(stack, job, self.neptune.artifacts(job), location, (created,))

    def delete(self, life: Life) -> Life:
        """Delete a stack, and show it.

        Args:
            life: The stack's life so far.

        Returns:
            The stack's life.
        """
        self.timeline.say("You", f"delete the stack {life.name}")
        life.stack.delete()
        deleted = self._settle(life.stack, "Delete")
        return life._replace(operations=(*life.operations, deleted))

    def messages(self, queue: str) -> int:
        """Count the messages of a queue, once what has been answered has left it.

        Args:
            queue: The queue's URL.

        Returns:
            How many there are.
        """
        names = [f"ApproximateNumberOfMessages{suffix}" for suffix in ("", "NotVisible", "Delayed")]
        sqs, deadline = self.ministack.client("sqs"), time.monotonic() + _LEAVING_SECONDS
        while True:
            attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
            number = sum(int(value) for name, value in attributes.items() if name in names)
            if not number or time.monotonic() > deadline:
                return number
            time.sleep(_POLL_SECONDS)

    def _settle(self, stack: Stack, request_type: str) -> Operation:
        def show_news() -> None:
            self.timeline.show_news(stack, self.neptune.jobs(), self._log())

        status = stack.settle(_SETTLE_SECONDS, show_news)
        first, *_, last = stack.operation_events()
        return Operation(status, last.time, last.time - first.time, self._invocations(stack, request_type))

    def _log(self) -> list[Line]:
        messages = function_log.read(self.ministack.client("logs"), self.outputs["LogGroupName"])
        return function_log.lines(messages)

    def _invocations(self, stack: Stack, request_type: str) -> list[list[str]]:
        """What each invocation logged for a request; the last one may still be ending when the stack has settled."""
        functions, deadline = self.ministack.client("lambda"), time.monotonic() + _ANSWER_SECONDS
        while True:
            found: dict[str, list[str]] = {}
            for line in self._log():
                if (line.fields.get("stack_id"), line.fields.get("request_type")) == (stack.id, request_type):
                    found.setdefault(line.fields["function_request_id"], []).append(line.message)
            if any(ANSWERED in said for said in found.values()) or time.monotonic() > deadline:
                return list(found.values())
            # On a busy machine MiniStack keeps the last line of an invocation back until the next one: an empty event.
            functions.invoke(FunctionName=self.outputs["FunctionName"], InvocationType="Event", Payload=b"{}")
            time.sleep(_NUDGE_SECONDS)


def _perform(console: Console, stage: Stage) -> list[str]:
    """Show the stacks, one after the other, and check what became of them; returns what was not as it should be."""
    neptune = stage.neptune
    neptune.start_job(_OTHER)
    others = neptune.artifacts(_OTHER)
    console.print("\n[bold]Timeline[/bold] (without looks that find nothing new; a status comes when it is seen)")
    stage.timeline.start = time.time()

    neptune.plan = JobPlan(base_seconds=_RUN_SECONDS / 4, run_seconds=_RUN_SECONDS)
    completing = stage.create(
        _COMPLETING, "it describes a job, WaitForCompletion: true", _describing(neptune, _COMPLETING, waits=True)
    )
    stage.timeline.say("You", f"read its output OutputLocation: {completing.location}")

    neptune.plan = JobPlan(stop_seconds=_STOP_SECONDS[_QUICK])
    quick = stage.create(_QUICK, "it describes a job, Clean: true", _describing(neptune, _QUICK, waits=False))
    quick = stage.delete(quick)

    neptune.start_job(_SLOW, stop_seconds=_STOP_SECONDS[_SLOW])
    parameters = {"ProviderStack": _PROVIDER, "Endpoint": neptune.url, "JobId": _SLOW, "Clean": "true"}
    slow = stage.create(_SLOW, f"it adopts the job {_SLOW} (Id), Clean: true", _EXAMPLE.read_text(), parameters)
    slow = stage.delete(slow)

    console.print("\n[bold]Checks[/bold]")
    checks = Checks(console, neptune)
    checks.completed(completing, _RUN_SECONDS)
    checks.stopped(quick, _STOP_SECONDS[_QUICK], by_queue=False)
    checks.stopped(slow, _STOP_SECONDS[_SLOW], by_queue=True)
    checks.calls(started=[completing, quick], cancelled=[quick, slow])
    checks.untouched(_OTHER, others)
    checks.empty({name: stage.messages(stage.outputs[output]) for output, name in _QUEUES.items()})
    if not checks.failed:
        console.print()
        started_at = next(it.time for it in neptune.log if it.operation == "start")
        took = completing.operations[0].ended_at - started_at
        _show_time(console, f"{_COMPLETING}: from its job's start, the creation took", took, _RUN_SECONDS, "run")
        for life in (quick, slow):
            took, stop = life.operations[-1].seconds, _STOP_SECONDS[life.name]
            _show_time(console, f"{life.name}: the deletion took", took, stop, "stop")
    return checks.failed


def _describing(neptune: Simulator, name: str, *, waits: bool) -> str:
    """Write the template of a stack that starts its job."""
    job = {
        "Type": "Custom::NeptuneMLModelTransformJob",
        "Properties": {
            "ServiceToken": {"Fn::ImportValue": f"{_PROVIDER}-ServiceToken"},
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


def _show_time(console: Console, what: str, took: float, of_job: float, does: str) -> None:
    console.print(
        f"{what} [bold]{took:.1f} s[/bold]: {of_job:.1f} s for the job to {does}, {took - of_job:.1f} s for the rest."
    )
    aim = of_job * 1.1 + 2
    # How busy this machine is decides about it, too: it is told, but fails nothing.
    verdict = "kept" if took <= aim else "[bold]missed[/bold]; is this machine busy?"
    console.print(f"  The aim is at most {aim:.1f} s, the time to {does}, a tenth of it and 2 s: {verdict}.")


if __name__ == "__main__":
    sys.exit(main())
