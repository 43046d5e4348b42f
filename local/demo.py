"""The demo: stacks are deleted, and their model transform jobs stop; run it with `python -m local.demo`.

It checks what it shows. Exit code: 0 if all was as it should be, 1 if not, 128 and the signal's number if interrupted.
"""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Console

from local import function_log, sam
from local.interruption import Interrupted, held_back, interruptible
from local.ministack import MiniStack, MiniStackError
from local.stacks import NotSettled, Stack
from local.timeline import Entry, Timeline
from simulator import JobStatus, Simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from local.function_log import Line

_EXAMPLE = Path(__file__).parent.parent / "examples/existing-job.yaml"
_PROVIDER = "provider"
_HOSTS = "127.0.0.1,localhost"
# An invocation looks for some five seconds by itself.
_QUICK, _SLOW, _OTHER = "movies", "music", "books"
_STOP_SECONDS = {_QUICK: 1.0, _SLOW: 12.0}
_SETTLE_SECONDS = 60.0
_LEAVING_SECONDS = 5.0
_POLL_SECONDS = 0.1
_ANSWERED = "CloudFormation has the answer"
_QUEUES = {"WaitingQueueUrl": "the queue of waiting requests", "FailedEventsQueueUrl": "the queue of failed events"}

_INTRODUCTION = f"""\
[bold]A deleted stack cancels its Neptune ML model transform job[/bold]

What is about to happen, on this machine alone:
  1. sam build and sam deploy bring the provider (template.yaml) into MiniStack,
     an emulator of AWS, with IAM policies enforced.
  2. Three jobs run in a simulated Neptune cluster: {_QUICK}, {_SLOW} and {_OTHER}.
  3. Two stacks (examples/existing-job.yaml) are created, one that declares the
     job {_QUICK} and one that declares the job {_SLOW}, with Clean: true.
  4. The stack of {_QUICK} is deleted. The job is cancelled and needs {_STOP_SECONDS[_QUICK]:.0f} s to stop:
     the function waits for it, and answers.
  5. The stack of {_SLOW} is deleted. The job needs {_STOP_SECONDS[_SLOW]:.0f} s: after a few looks at it
     the request waits in a queue, which has the function look again from time
     to time. No function runs in between. The last look finds the job stopped,
     and answers.
  A stack is gone only when its job has stopped. {_OTHER} runs on.
"""


class Deletion(NamedTuple):
    """A stack that was created and deleted.

    Attributes:
        job: Its job.
        statuses: How the stack was after its creation, and in the end.
        seconds: How long the deletion took.
        invocations: What each invocation of the function logged for the deletion.
    """

    job: str
    statuses: tuple[str, str]
    seconds: float
    invocations: Sequence[Sequence[str]]

    @property
    def answered_by(self) -> int:
        """Which invocation told CloudFormation, counted from 1; 0: none."""
        answering = (n for n, said in enumerate(self.invocations, start=1) if _ANSWERED in said)
        return next(answering, 0)


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
    console.print("[bold]Setting up[/bold] (about half a minute)")
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
                outputs = sam.deploy(
                    ministack,
                    built,
                    _PROVIDER,
                    {"ClusterResourceId": "*", "AllowedHosts": _HOSTS, "ResponseHosts": _HOSTS},
                )
            for job in (_QUICK, _SLOW, _OTHER):
                neptune.start_job(job, stop_seconds=_STOP_SECONDS.get(job))
            before = {job: neptune.artifacts(job) for job in (_QUICK, _SLOW, _OTHER)}

            def read_log() -> list[Line]:
                return function_log.lines(function_log.read(ministack.client("logs"), outputs["LogGroupName"]))

            deletions = _create_and_delete(console, timeline, ministack, neptune, read_log)
            _show_log(console, timeline, read_log())
            _show_artifacts(console, neptune, before)
            left = {name: _messages(ministack, outputs[output]) for output, name in _QUEUES.items()}
            failed = _check(console, neptune, before, deletions, left)
            if not failed:
                _show_time(console, deletions)
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


def _create_and_delete(
    console: Console, timeline: Timeline, ministack: MiniStack, neptune: Simulator, read_log: Callable[[], list[Line]]
) -> list[Deletion]:
    """Create the stacks and delete them, one after the other."""
    console.print("\n[bold]Timeline[/bold]")
    timeline.start = time.time()
    stacks = {job: Stack(ministack.client("cloudformation"), f"{job}-stack") for job in _STOP_SECONDS}

    def settle(stack: Stack) -> str:
        def show_news() -> None:
            timeline.show_news(stack, {job: neptune.status(job) for job in (_QUICK, _SLOW, _OTHER)}, read_log())

        return stack.settle(_SETTLE_SECONDS, show_news)

    created = {}
    for job, stack in stacks.items():
        timeline.say("You", f"create the stack {stack.name}, with Id: {job}, Clean: true")
        parameters = {"ProviderStack": _PROVIDER, "Endpoint": neptune.url, "JobId": job, "Clean": "true"}
        stack.create(_EXAMPLE.read_text(), parameters)
        created[job] = settle(stack)
    deletions = []
    for job, stack in stacks.items():
        timeline.say("You", f"delete the stack {stack.name}")
        stack.delete()
        deleted = settle(stack)
        events = stack.operation_events()
        took = events[-1].time - events[0].time
        deletions.append(Deletion(job, (created[job], deleted), took, _invocations(stack, read_log)))
    return deletions


def _invocations(stack: Stack, read_log: Callable[[], list[Line]]) -> list[list[str]]:
    """What each invocation logged for a deletion; the last one may still be ending when the stack is gone."""
    deadline = time.monotonic() + _LEAVING_SECONDS
    while True:
        found: dict[str, list[str]] = {}
        for line in read_log():
            if (line.fields.get("stack_id"), line.fields.get("request_type")) == (stack.id, "Delete"):
                found.setdefault(line.fields["function_request_id"], []).append(line.message)
        if any(_ANSWERED in said for said in found.values()) or time.monotonic() > deadline:
            return list(found.values())
        time.sleep(_POLL_SECONDS)


def _messages(ministack: MiniStack, queue: str) -> int:
    """How many messages a queue has, once what has been answered has left it."""
    names = [f"ApproximateNumberOfMessages{suffix}" for suffix in ("", "NotVisible", "Delayed")]
    sqs, deadline = ministack.client("sqs"), time.monotonic() + _LEAVING_SECONDS
    while True:
        attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
        number = sum(int(value) for name, value in attributes.items() if name in names)
        if not number or time.monotonic() > deadline:
            return number
        time.sleep(_POLL_SECONDS)


def _show_log(console: Console, timeline: Timeline, lines: Sequence[Line]) -> None:
    console.print("\n[bold]The function's log[/bold] (it comes when an invocation has ended)")
    entries = [
        Entry(line.time, f"{line.fields.get('request_type', '')}", f"{line.level}: {line.message}") for line in lines
    ]
    timeline.print(entries)


def _show_artifacts(console: Console, neptune: Simulator, before: dict[str, tuple[str, ...]]) -> None:
    console.print("\n[bold]Artifacts[/bold] in S3")
    console.print("  before  after")
    for job, names in before.items():
        left = neptune.artifacts(job)
        for name in names:
            console.print(f"  there   {'there  ' if name in left else 'deleted'}  {'/'.join(name.split('/')[-3:])}")


def _check(
    console: Console,
    neptune: Simulator,
    before: Mapping[str, tuple[str, ...]],
    deletions: Sequence[Deletion],
    left: Mapping[str, int],
) -> list[str]:
    console.print("\n[bold]Checks[/bold]")
    checks = Checks(console)
    for it in deletions:
        checks.check(
            ok=it.statuses == ("CREATE_COMPLETE", "DELETE_COMPLETE"),
            claim=f"{it.job}: the stack was CREATE_COMPLETE, in the end DELETE_COMPLETE",
            seen=it.statuses,
        )
        checks.check(
            ok=it.seconds >= _STOP_SECONDS[it.job],
            claim=f"it was not gone before the job {it.job} had stopped",
            seen=f"it was gone after {it.seconds:.1f} s",
        )
        checks.check(
            ok=neptune.status(it.job) == JobStatus.STOPPED,
            claim=f"the job {it.job} is Stopped",
            seen=neptune.status(it.job),
        )
        checks.check(
            ok=bool(before[it.job]) and not neptune.artifacts(it.job),
            claim=f"its {len(before[it.job])} artifacts are deleted",
            seen=neptune.artifacts(it.job),
        )
    cancellations = [f"{it.path}?{it.query}" for it in neptune.log if it.method == "DELETE"]
    checks.check(
        ok=cancellations == [f"/ml/modeltransform/{it.job}?clean=true" for it in deletions],
        claim="Neptune got one DELETE ...?clean=true for each of them, no other",
        seen=cancellations,
    )
    _check_who_answered(checks, {it.job: it for it in deletions})
    for name, number in left.items():
        checks.check(ok=number == 0, claim=f"{name} is empty", seen=f"{number} messages")
    checks.check(
        ok=neptune.status(_OTHER) == JobStatus.IN_PROGRESS,
        claim=f"the job {_OTHER} is still InProgress",
        seen=neptune.status(_OTHER),
    )
    checks.check(
        ok=bool(before[_OTHER]) and neptune.artifacts(_OTHER) == before[_OTHER],
        claim=f"its {len(before[_OTHER])} artifacts are still there",
        seen=neptune.artifacts(_OTHER),
    )
    return checks.failed


def _check_who_answered(checks: Checks, deletions: Mapping[str, Deletion]) -> None:
    quick, slow = deletions[_QUICK], deletions[_SLOW]
    checks.check(
        ok=(quick.answered_by, len(quick.invocations)) == (1, 1),
        claim=f"{_QUICK}: answered by the invocation that CloudFormation made",
        seen=f"answered by invocation {quick.answered_by} of {len(quick.invocations)}",
    )
    first, *looks = slow.invocations or [[]]
    waited = "The request waits in the queue"
    checks.check(
        ok=waited in first and bool(looks) and slow.answered_by == len(slow.invocations),
        claim=f"{_SLOW}: handed to the queue, answered by the last of {len(looks)} looks",
        seen=f"answered by invocation {slow.answered_by} of {len(slow.invocations)}: {slow.invocations}",
    )


def _show_time(console: Console, deletions: Sequence[Deletion]) -> None:
    console.print()
    for it in deletions:
        stop = _STOP_SECONDS[it.job]
        aim = stop * 1.1 + 2
        console.print(
            f"{it.job}: the deletion took [bold]{it.seconds:.1f} s[/bold]: {stop:.1f} s for the job to stop, "
            f"{it.seconds - stop:.1f} s for the rest."
        )
        # How busy this machine is decides about it, too: it is told, but fails nothing.
        verdict = "kept" if it.seconds <= aim else "[bold]missed[/bold]; is this machine busy?"
        console.print(f"  The aim is at most {aim:.1f} s, the time to stop, a tenth of it and 2 s: {verdict}.")


if __name__ == "__main__":
    sys.exit(main())
