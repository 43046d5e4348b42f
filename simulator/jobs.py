"""Model transform jobs: immutable records whose status follows from the time.

Statuses are those of the Neptune Data API's `GetMLModelTransformJob`::

    InProgress ── cancelled ──▶ Stopping ── after stop_seconds ──▶ Stopped
        └──────── after run_seconds ──▶ Completed or Failed
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from simulator.clock import check_seconds

if TYPE_CHECKING:
    from simulator.s3 import S3Location

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
class Job:
    """A model transform job.

    Attributes:
        id: Its id: letters, digits and hyphens, at most 48 of them.
        output: Where its artifacts are: its `modelTransformOutputS3Location`, with its id below.
        started_at: When it started, in seconds of the simulator's clock.
        run_seconds: How long it runs unless it is cancelled, in seconds; None: for ever.
        stop_seconds: How long it takes to stop once cancelled, in seconds; None: it never stops.
        ends_as: Its status when it has run to its end, `COMPLETED` or `FAILED`.
        cancelled_at: When it was cancelled, in seconds of the simulator's clock; None: it was not.
        clean: Whether its artifacts are deleted when it has stopped.
        token: What its SageMaker jobs' names end in, for no other cluster's job of the same id has them.

    Raises:
        ValueError: If one of them makes no sense.
    """

    id: str
    output: S3Location
    started_at: float
    run_seconds: float | None = None
    stop_seconds: float | None = None
    ends_as: JobStatus = JobStatus.COMPLETED
    cancelled_at: float | None = None
    clean: bool = False
    token: str = field(default_factory=lambda: secrets.token_hex(4))

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise ValueError(
                f"{self.id!r} is not a job id: letters, digits and hyphens, at most 48, the first no hyphen"
            )
        for seconds in (self.run_seconds, self.stop_seconds):
            if seconds is not None:
                check_seconds(seconds)
        if self.ends_as not in {JobStatus.COMPLETED, JobStatus.FAILED}:
            raise ValueError(f"a job that runs to its end is Completed or Failed, not {self.ends_as}")

    def status(self, now: float) -> JobStatus:
        """Return its status at `now`, in seconds of the simulator's clock."""
        if self.cancelled_at is not None:
            stopped = self.stop_seconds is not None and now >= self.cancelled_at + self.stop_seconds
            return JobStatus.STOPPED if stopped else JobStatus.STOPPING
        ran = self.run_seconds is not None and now >= self.started_at + self.run_seconds
        return self.ends_as if ran else JobStatus.IN_PROGRESS

    def cancel(self, now: float, *, clean: bool) -> Job:
        """Return this job, cancelled at `now`; itself if it is stopping already.

        Args:
            now: The time, in seconds of the simulator's clock.
            clean: Whether its artifacts are to be deleted when it has stopped.

        Raises:
            JobEndedError: If it has ended.
        """
        status = self.status(now)
        if status.ended:
            raise JobEndedError(f"Model transform job {self.id} is already {status} and cannot be cancelled.")
        return self if status is JobStatus.STOPPING else replace(self, cancelled_at=now, clean=clean)

    def begin_as(self, status: JobStatus) -> Job:
        """Return this job as it would be, just after its start, in another status than `InProgress`."""
        match status:
            case JobStatus.IN_PROGRESS:
                return self
            case JobStatus.STOPPING:
                return replace(self, cancelled_at=self.started_at)
            case JobStatus.STOPPED:
                return replace(self, cancelled_at=self.started_at, stop_seconds=0.0)
            case JobStatus.COMPLETED | JobStatus.FAILED:
                return replace(self, run_seconds=0.0, ends_as=status)
