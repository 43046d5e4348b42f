"""The demo: a stack is deleted, and its model transform job stops; run it with `python -m local.demo`.

It checks what it shows. Exit code: 0 if all was as it should be, 1 if not, 128 and the signal's number if interrupted.
"""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from local import function_log, sam
from local.interruption import Interrupted, held_back, interruptible
from local.ministack import MiniStack, MiniStackError
from local.stacks import NotSettled, Stack
from local.timeline import Entry, Timeline
from simulator import JobStatus, Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

_EXAMPLE = Path(__file__).parent.parent / "examples/existing-job.yaml"
_PROVIDER, _STACK = "provider", "demo"
_JOB, _OTHER_JOB = "movies", "books"
_STOP_SECONDS = 8.0
_SETTLE_SECONDS = 60.0

_INTRODUCTION = f"""\
[bold]A deleted stack cancels its Neptune ML model transform job[/bold]

What is about to happen, on this machine alone:
  1. sam build and sam deploy bring the provider (template.yaml) into MiniStack,
     an emulator of AWS, with IAM policies enforced.
  2. Two jobs run in a simulated Neptune cluster: {_JOB} and {_OTHER_JOB}.
  3. A stack (examples/existing-job.yaml) is created that declares the job
     {_JOB}, with Clean: true.
  4. The stack is deleted. The job is cancelled and needs {_STOP_SECONDS:.0f} s to stop; only
     then is the stack gone, and so are the job's artifacts. {_OTHER_JOB} runs on.
"""


@dataclass
class Checks:
    """What should be so, and whether it is.

    Attributes:
        failed: What is not.
    """

    console: Console
    failed: list[str] = field(default_factory=list)

    def check(self, *, ok: bool, claim: str, seen: object) -> None:
        """Print whether something is as it should be.

        Args:
            ok: Whether it is.
            claim: What should be so.
            seen: What is so.
        """
        if ok:
            self.console.print(f"  [green]ok[/green]      {claim}")
        else:
            self.failed.append(claim)
            self.console.print(f"  [red]FAILED[/red]  {claim}")
            self.console.print(f"          but: {seen}", markup=False, soft_wrap=True)


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
    except (MiniStackError, sam.SamError, NotSettled) as error:
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
    console.print("[bold]Setting up[/bold] (about 20 s)")
    with ExitStack() as cleanup:
        with held_back():
            directory = cleanup.enter_context(tempfile.TemporaryDirectory(prefix="demo-"))
        with _step(console, "sam build"):
            built = sam.build(Path(directory) / "build")
        with (
            MiniStack(iam=True) as ministack,
            # Its clock is CloudFormation's, for one timeline.
            Simulator(
                artifacts_dir=Path(directory) / "artifacts", clock=time.time, on_request=timeline.add_request
            ) as neptune,
        ):
            with _step(console, "sam deploy"):
                outputs = sam.deploy(ministack, built, _PROVIDER, {"AllowedHosts": "127.0.0.1,localhost"})
            for job in (_JOB, _OTHER_JOB):
                neptune.start_job(job, stop_seconds=_STOP_SECONDS)
            stack = Stack(ministack.client("cloudformation"), _STACK)
            before = {job: neptune.artifacts(job) for job in (_JOB, _OTHER_JOB)}
            statuses = _create_and_delete(console, timeline, stack, neptune)
            messages = function_log.read(ministack.client("logs"), outputs["LogGroupName"])
            _show_log(console, timeline, messages)
            _show_artifacts(console, neptune, before)
            took = _seconds_taken(stack)
            failed = _check(console, neptune, before, statuses, took)
            if took >= _STOP_SECONDS:
                _show_time(console, took)
            return failed


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


def _create_and_delete(console: Console, timeline: Timeline, stack: Stack, neptune: Simulator) -> list[str]:
    """Create the stack and delete it; returns its statuses."""
    console.print("\n[bold]Timeline[/bold]")
    timeline.start = time.time()
    jobs = (_JOB, _OTHER_JOB)

    def show_news() -> None:
        timeline.show_news(stack, {job: neptune.status(job) for job in jobs})

    timeline.say("You", f"create the stack {stack.name}, with Id: {_JOB}, Clean: true")
    parameters = {"ProviderStack": _PROVIDER, "Endpoint": neptune.url, "JobId": _JOB, "Clean": "true"}
    stack.create(_EXAMPLE.read_text(), parameters)
    created = stack.settle(_SETTLE_SECONDS, show_news)
    timeline.say("You", f"delete the stack {stack.name}")
    stack.delete()
    return [created, stack.settle(_STOP_SECONDS + _SETTLE_SECONDS, show_news)]


def _show_log(console: Console, timeline: Timeline, messages: list[str]) -> None:
    console.print("\n[bold]The function's log[/bold] (it comes when an invocation has ended)")
    entries = [
        Entry(line.time, f"{line.fields.get('request_type', '')}", f"{line.level}: {line.message}")
        for line in function_log.lines(messages)
    ]
    timeline.print(entries)


def _show_artifacts(console: Console, neptune: Simulator, before: dict[str, tuple[str, ...]]) -> None:
    console.print("\n[bold]Artifacts[/bold] in S3")
    console.print("  before  after")
    for job, names in before.items():
        left = neptune.artifacts(job)
        for name in names:
            console.print(f"  there   {'there  ' if name in left else 'deleted'}  {'/'.join(name.split('/')[-3:])}")


def _seconds_taken(stack: Stack) -> float:
    """How long the stack's latest operation took."""
    events = stack.operation_events()
    return events[-1].time - events[0].time


def _check(
    console: Console, neptune: Simulator, before: dict[str, tuple[str, ...]], statuses: list[str], took: float
) -> list[str]:
    console.print("\n[bold]Checks[/bold]")
    checks = Checks(console)
    checks.check(
        ok=statuses == ["CREATE_COMPLETE", "DELETE_COMPLETE"],
        claim="the stack was CREATE_COMPLETE, and in the end DELETE_COMPLETE",
        seen=statuses,
    )
    checks.check(
        ok=took >= _STOP_SECONDS,
        claim="the stack was not gone before the job had stopped",
        seen=f"it was gone after {took:.1f} s",
    )
    cancellations = [f"{it.path}?{it.query}" for it in neptune.log if it.method == "DELETE"]
    expected = f"/ml/modeltransform/{_JOB}?clean=true"
    checks.check(
        ok=cancellations == [expected],
        claim=f"one DELETE {expected}, and no other one",
        seen=cancellations,
    )
    checks.check(
        ok=neptune.status(_JOB) == JobStatus.STOPPED,
        claim=f"the job {_JOB} is Stopped",
        seen=neptune.status(_JOB),
    )
    checks.check(
        ok=bool(before[_JOB]) and not neptune.artifacts(_JOB),
        claim=f"its {len(before[_JOB])} artifacts are deleted",
        seen=neptune.artifacts(_JOB),
    )
    checks.check(
        ok=neptune.status(_OTHER_JOB) == JobStatus.IN_PROGRESS,
        claim=f"the job {_OTHER_JOB} is still InProgress",
        seen=neptune.status(_OTHER_JOB),
    )
    checks.check(
        ok=bool(before[_OTHER_JOB]) and neptune.artifacts(_OTHER_JOB) == before[_OTHER_JOB],
        claim=f"its {len(before[_OTHER_JOB])} artifacts are still there",
        seen=neptune.artifacts(_OTHER_JOB),
    )
    return checks.failed


def _show_time(console: Console, took: float) -> None:
    aim = _STOP_SECONDS * 1.1 + 2
    console.print(
        f"\nThe deletion took [bold]{took:.1f} s[/bold]: {_STOP_SECONDS:.1f} s for the job to stop, "
        f"{took - _STOP_SECONDS:.1f} s for all the rest."
    )
    # How busy this machine is decides about it, too: it is told, but fails nothing.
    verdict = "kept" if took <= aim else "[bold]missed[/bold]; is this machine busy?"
    console.print(f"The aim is at most {aim:.1f} s, the job's time to stop, a tenth of it and 2 s: {verdict}.")


if __name__ == "__main__":
    sys.exit(main())
