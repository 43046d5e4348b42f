"""Model transform jobs: immutable records whose status follows from the time.

Statuses are those of the Neptune Data API's `GetMLModelTransformJob`::

    InProgress ── cancelled ──▶ Stopping ── after stop_seconds ──▶ Stopped
        └──────── after run_seconds ──▶ Completed or Failed

A job is two SageMaker jobs, one after the other: its base processing, for base_seconds, then its remote model
transform.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from simulator.clock import check_seconds

if TYPE_CHECKING:
    from simulator.s3 import S3Location

DEFAULT_STOP_SECONDS: Final = 5.0
"""How long a job takes to stop unless something else is said, in seconds."""

DEFAULT_FAILURE: Final = "AlgorithmError: simulated failure"
"""The `failureReason` of a job that fails unless something else is said."""

# Neptune User Guide, "Neptune ML management API errors and exceptions": 1 to 48 letters, digits or hyphens. That the
# first is no hyphen is the simulator's own rule: the names of the SageMaker jobs begin with the id.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,47}")


class JobStatus(StrEnum):
    """The `status` of a model transform job."""

    IN_PROGRESS = "InProgress"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    COMPLETED = "Completed"
    FAILED = "Failed"

    @property
    def ended(self) -> bool:
        """Whether the job never changes again."""
        return self not in {JobStatus.IN_PROGRESS, JobStatus.STOPPING}


class JobNotFoundError(LookupError):
    """There is no job with that id."""


class JobExistsError(ValueError):
    """There is a job with that id already."""


class JobEndedError(ValueError):
    """The job has ended: it cannot be cancelled any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPlan:
    """What becomes of a job after its start.

    Attributes:
        base_seconds: How long its base processing takes, in seconds; what is left of `run_seconds` is its remote
            model transform.
        run_seconds: How long it runs unless it is cancelled, in seconds; None: for ever.
        stop_seconds: How long it takes to stop once cancelled, in seconds; None: it never stops.
        fails_with: The `failureReason` with which it fails after `run_seconds`, in the base processing if that is not
            over by then; None: it completes.
        appear_seconds: How long the API does not know it yet, in seconds, although it runs.

    Raises:
        ValueError: If one of them makes no sense.
    """

    base_seconds: float = 0.0
    run_seconds: float | None = None
    stop_seconds: float | None = DEFAULT_STOP_SECONDS
    fails_with: str | None = None
    appear_seconds: float = 0.0

    def __post_init__(self) -> None:
        for seconds in (self.base_seconds, self.run_seconds, self.stop_seconds, self.appear_seconds):
            if seconds is not None:
                check_seconds(seconds)
        if self.fails_with is not None and self.run_seconds is None:
            raise ValueError("a job that runs for ever never fails: it needs run_seconds")
        if self.fails_with is None and self.run_seconds is not None and self.run_seconds < self.base_seconds:
            raise ValueError("a job completes after its base processing: run_seconds must not be below base_seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A model transform job.

    Attributes:
        id: Its id: letters, digits and hyphens, at most 48 of them.
        output: Where its artifacts are: its `modelTransformOutputS3Location`, with its id below.
        started_at: When it started, in seconds of the simulator's clock; before that, there is no such job.
        plan: What becomes of it.
        cancelled_at: When it was cancelled, in seconds of the simulator's clock; None: it was not.
        clean: Whether its artifacts are deleted when it has stopped.
        token: What its SageMaker jobs' names end in, for no other cluster's job of the same id has them.

    Raises:
        ValueError: If it has no valid id.
    """

    id: str
    output: S3Location
    started_at: float
    plan: JobPlan = JobPlan()
    cancelled_at: float | None = None
    clean: bool = False
    token: str = field(default_factory=lambda: secrets.token_hex(4))

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise ValueError(
                f"{self.id!r} is not a job id: letters, digits and hyphens, at most 48, the first no hyphen"
            )

    def started(self, now: float) -> bool:
        """Return whether there is such a job at `now`, in seconds of the simulator's clock."""
        return now >= self.started_at

    def appeared(self, now: float) -> bool:
        """Return whether the API knows the job at `now`, in seconds of the simulator's clock."""
        return now >= self.started_at + self.plan.appear_seconds

    def status(self, now: float) -> JobStatus:
        """Return its status at `now`, in seconds of the simulator's clock."""
        if self.cancelled_at is not None and now >= self.cancelled_at:
            stopped = self.plan.stop_seconds is not None and now >= self.cancelled_at + self.plan.stop_seconds
            return JobStatus.STOPPED if stopped else JobStatus.STOPPING
        if self.plan.run_seconds is None or now < self.started_at + self.plan.run_seconds:
            return JobStatus.IN_PROGRESS
        return JobStatus.COMPLETED if self.plan.fails_with is None else JobStatus.FAILED

    def phases(self, now: float) -> tuple[JobStatus, JobStatus | None]:
        """Return the status of its base processing and of its remote model transform at `now`.

        Args:
            now: The time, in seconds of the simulator's clock.

        Returns:
            The two; None: it has not begun, and never will if the job ended before.
        """
        status = self.status(now)
        until = now
        if self.cancelled_at is not None:
            until = min(until, self.cancelled_at)
        if self.plan.run_seconds is not None:
            until = min(until, self.started_at + self.plan.run_seconds)
        if until < self.started_at + self.plan.base_seconds:
            return status, None
        return JobStatus.COMPLETED, status

    def cancel(self, at: float, *, clean: bool) -> Job:
        """Return this job, cancelled; itself if it is stopping already.

        Args:
            at: When, in seconds of the simulator's clock.
            clean: Whether its artifacts are to be deleted when it has stopped.

        Raises:
            JobEndedError: If it has ended by then.
        """
        status = self.status(at)
        if status.ended:
            raise JobEndedError(f"Model transform job {self.id} is already {status} and cannot be cancelled.")
        return self if status is JobStatus.STOPPING else replace(self, cancelled_at=at, clean=clean)

    def begin_as(self, status: JobStatus) -> Job:
        """Return this job as it would be, just after its start, in another status than `InProgress`."""
        match status:
            case JobStatus.IN_PROGRESS:
                return self
            case JobStatus.STOPPING:
                return replace(self, cancelled_at=self.started_at)
            case JobStatus.STOPPED:
                return replace(self, cancelled_at=self.started_at, plan=replace(self.plan, stop_seconds=0.0))
            case JobStatus.COMPLETED:
                return replace(self, plan=replace(self.plan, base_seconds=0.0, run_seconds=0.0, fails_with=None))
            case JobStatus.FAILED:
                reason = self.plan.fails_with or DEFAULT_FAILURE
                return replace(self, plan=replace(self.plan, base_seconds=0.0, run_seconds=0.0, fails_with=reason))
