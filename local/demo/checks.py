"""The checks of what the demo shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from local.function_log import ANSWERED, WAITS
from simulator import JobStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from local.stacks import Stack
    from simulator import Simulator


class Operation(NamedTuple):
    """A creation or a deletion of a stack.

    Attributes:
        status: The stack's status afterwards.
        ended_at: When it ended, in seconds since the epoch.
        seconds: How long it took, in seconds.
        invocations: The messages that each invocation of the function logged for it.
    """

    status: str
    ended_at: float
    seconds: float
    invocations: Sequence[Sequence[str]]

    @property
    def answered_by(self) -> int:
        """Which invocation answered CloudFormation, counted from 1; 0: none."""
        answering = (n for n, said in enumerate(self.invocations, start=1) if ANSWERED in said)
        return next(answering, 0)


class Life(NamedTuple):
    """A stack's life, and its job.

    Attributes:
        stack: The stack.
        job: The ID of its job.
        artifacts: The job's artifacts while the stack existed.
        location: Where they are, according to the stack's outputs.
        operations: The stack's creation, and its deletion if it has been deleted.
    """

    stack: Stack
    job: str
    artifacts: tuple[str, ...]
    location: str
    operations: tuple[Operation, ...]

    @property
    def name(self) -> str:
        """The stack's name."""
        return self.stack.name

    def and_then(self, operation: Operation) -> Life:
        """Return it with one more operation.

        Args:
            operation: What happened to the stack next.
        """
        return self._replace(operations=(*self.operations, operation))


@dataclass
class Checks:
    """Checks, printed one by one.

    Attributes:
        console: Where to print.
        neptune: The cluster.
        failed: The claims that do not hold.
    """

    console: Console
    neptune: Simulator
    failed: list[str] = field(default_factory=list)

    def check(self, *, ok: bool, claim: str, seen: object) -> None:
        """Print whether a claim holds.

        Args:
            ok: Whether it does.
            claim: The claim.
            seen: What was seen instead.
        """
        if ok:
            self.console.print(f"  [green]ok[/green]      {claim}")
        else:
            self.failed.append(claim)
            self.console.print(f"  [red]FAILED[/red]  {claim}")
            self.console.print(f"          but: {seen}", markup=False, soft_wrap=True)

    def completed(self, life: Life, run_seconds: float) -> None:
        """Check a stack that waited until its job had completed.

        Args:
            life: The stack.
            run_seconds: How long its job ran, in seconds.
        """
        (created,), status = life.operations, self.neptune.status(life.job)
        self.check(
            ok=created.status == "CREATE_COMPLETE" and created.seconds >= run_seconds,
            claim=f"{life.name}: the stack was CREATE_COMPLETE only after its job had completed",
            seen=f"it was {created.status} after {created.seconds:.1f} s",
        )
        self.check(ok=status == JobStatus.COMPLETED, claim="its job is Completed", seen=status)
        artifacts = self.neptune.artifacts(life.job)
        self.check(
            ok=any(artifact.startswith(f"{life.location}/") for artifact in artifacts),
            claim="its output OutputLocation says where the job's artifacts are",
            seen=f"{life.location!r}; they are {artifacts}",
        )
        self._answered_from_queue(created)

    def stopped(self, life: Life, stop_seconds: float, *, by_queue: bool) -> None:
        """Check a stack that was deleted while its job ran.

        Args:
            life: The stack.
            stop_seconds: How long its job took to stop, in seconds.
            by_queue: Whether the deletion had to wait in the queue.
        """
        created, deleted = life.operations
        statuses = (created.status, deleted.status)
        self.check(
            ok=statuses == ("CREATE_COMPLETE", "DELETE_COMPLETE"),
            claim=f"{life.name}: the stack was CREATE_COMPLETE, and then DELETE_COMPLETE",
            seen=statuses,
        )
        self.check(
            ok=deleted.seconds >= stop_seconds,
            claim="it was gone only after its job had stopped",
            seen=f"it was gone after {deleted.seconds:.1f} s",
        )
        status, left = self.neptune.status(life.job), self.neptune.artifacts(life.job)
        self.check(
            ok=status == JobStatus.STOPPED and bool(life.artifacts) and not left,
            claim=f"its job is Stopped, and the job's {len(life.artifacts)} artifacts are deleted",
            seen=(status, left),
        )
        if by_queue:
            self._answered_from_queue(deleted)
        else:
            self.check(
                ok=(deleted.answered_by, len(deleted.invocations)) == (1, 1),
                claim="the first invocation responded to the deletion, without the queue",
                seen=f"response by invocation {deleted.answered_by} of {len(deleted.invocations)}",
            )

    def calls(self, started: Sequence[Life], cancelled: Sequence[Life]) -> None:
        """Check that Neptune was asked to start and to cancel the right jobs, and no others.

        Args:
            started: The stacks whose jobs had to be started.
            cancelled: The stacks whose jobs had to be cancelled.
        """
        starts = [it.job_id for it in self.neptune.log if it.operation == "start"]
        self.check(
            ok=starts == [life.job for life in started],
            claim=f"Neptune received one POST each for {_names(started)}, and no other",
            seen=starts,
        )
        cancellations = [f"{it.path}?{it.query}" for it in self.neptune.log if it.method == "DELETE"]
        self.check(
            ok=cancellations == [f"/ml/modeltransform/{life.job}?clean=true" for life in cancelled],
            claim=f"and one DELETE ...?clean=true each for {_names(cancelled)}, and no other",
            seen=cancellations,
        )

    def untouched(self, job: str, artifacts: tuple[str, ...]) -> None:
        """Check that a job that belongs to no stack still runs.

        Args:
            job: The job's ID.
            artifacts: The artifacts that it had.
        """
        status, left = self.neptune.status(job), self.neptune.artifacts(job)
        self.check(
            ok=status == JobStatus.IN_PROGRESS and bool(artifacts) and left == artifacts,
            claim=f"the job {job} is still InProgress, and its {len(artifacts)} artifacts are still there",
            seen=(status, left),
        )

    def empty(self, queues: Mapping[str, int]) -> None:
        """Check that queues are empty.

        Args:
            queues: The number of messages in each.
        """
        for name, number in queues.items():
            self.check(ok=number == 0, claim=f"the queue of {name} is empty", seen=f"{number} messages")

    def tell_time(self, what: str, took: float, of_job: float) -> None:
        """Print how long something took, and how much of that was the job.

        A busy machine takes longer, so this is no check.

        Args:
            what: The stack and its operation.
            took: How long that took, in seconds.
            of_job: How long the job took, in seconds.
        """
        target = of_job * 1.1 + 2
        verdict = "met" if took <= target else "[bold]missed[/bold] (is this machine busy?)"
        self.console.print(
            f"{what} took [bold]{took:.1f} s[/bold], of which the job took {of_job:.1f} s.\n"
            f"  Target: at most {target:.1f} s, which is a tenth and 2 s more than the job: {verdict}."
        )

    def _answered_from_queue(self, operation: Operation) -> None:
        first, *looks = operation.invocations or [[]]
        self.check(
            ok=WAITS in first and bool(looks) and operation.answered_by == len(operation.invocations),
            claim=f"the request waited in the queue; the last of {len(looks)} messages sent the response",
            seen=f"response by invocation {operation.answered_by}: {operation.invocations}",
        )


def _names(lives: Sequence[Life]) -> str:
    return " and ".join(life.name for life in lives)
