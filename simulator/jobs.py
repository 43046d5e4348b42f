"""Jobs, and endpoints, which are one kind of job: immutable records whose status follows from the time.

A job runs one or more SageMaker jobs in sequence, its phases. A model transform runs a base processing job for
`base_seconds`, then a remote transform job. A model training runs a processing job for `base_seconds`, then a
hyperparameter tuning job for `hpo_seconds`, then a transform job. `simulator.lives` has the order of the statuses. All
times are in seconds of the simulator's clock.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from itertools import accumulate
from typing import TYPE_CHECKING, Final, TypedDict

from simulator.clock import check_seconds

if TYPE_CHECKING:
    from simulator.kinds import Kind
    from simulator.lives import Status

DEFAULT_STOP_SECONDS: Final = 5.0
"""How long a job takes to stop by default, in seconds."""

DEFAULT_FAILURE: Final = "AlgorithmError: simulated failure"
"""The default `failureReason` of a job that begins as failed."""

# Neptune User Guide, "Neptune ML management API errors and exceptions": 1 to 48 letters, digits or hyphens. The rule
# that the first is not a hyphen is the simulator's own: the names of the SageMaker jobs begin with the ID.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,47}")


class JobNotFoundError(LookupError):
    """No job of this kind has this ID."""


class JobExistsError(ValueError):
    """A job of this kind already has this ID."""


class JobEndedError(ValueError):
    """The job has ended and can no longer be cancelled."""


class NotUpdatableError(ValueError):
    """The endpoint cannot be updated in its current status."""


class PlanFields(TypedDict, total=False):
    """The arguments of `JobPlan`."""

    base_seconds: float
    hpo_seconds: float
    run_seconds: float | None
    stop_seconds: float | None
    fails_with: str | None
    appear_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPlan:
    """What happens to a job after its start, or to an endpoint after its creation or update.

    Attributes:
        base_seconds: How long the base processing of a model transform or model training takes, in seconds.
        hpo_seconds: How long the hyperparameter tuning of a model training takes after that, in seconds. Its transform
            takes the rest of `run_seconds`.
        run_seconds: How long the job runs unless it is cancelled, or how long an endpoint takes to be in service, in
            seconds; None: forever.
        stop_seconds: How long a cancelled job takes to stop, or a deleted endpoint to disappear, in seconds; None:
            forever.
        fails_with: The `failureReason` with which the job fails after `run_seconds`, in its current phase; None: it
            completes.
        appear_seconds: How long the running job is unknown to the API, in seconds.

    Raises:
        ValueError: A value is invalid, or the values contradict each other.
    """

    base_seconds: float = 0.0
    hpo_seconds: float = 0.0
    run_seconds: float | None = None
    stop_seconds: float | None = DEFAULT_STOP_SECONDS
    fails_with: str | None = None
    appear_seconds: float = 0.0

    def __post_init__(self) -> None:
        for seconds in (self.base_seconds, self.hpo_seconds, self.run_seconds, self.stop_seconds, self.appear_seconds):
            if seconds is not None:
                check_seconds(seconds)
        if self.run_seconds is None:
            if self.fails_with is not None:
                raise ValueError("a job that fails needs run_seconds")
        elif self.fails_with is None and self.run_seconds < self.base_seconds + self.hpo_seconds:
            raise ValueError("run_seconds must not be less than base_seconds and hpo_seconds together")

    def instant(self, fails_with: str | None = None) -> JobPlan:
        """Return this plan for a job that completes, or fails, as soon as it starts."""
        return replace(self, base_seconds=0.0, hpo_seconds=0.0, run_seconds=0.0, fails_with=fails_with)


class _Stage(Enum):
    """Where a job is in its life, whatever its kind calls it."""

    RUNNING = auto()
    COMPLETED = auto()
    FAILED = auto()
    STOPPING = auto()
    STOPPED = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job.

    Attributes:
        id: The ID: at most 48 letters, digits and hyphens.
        kind: The kind.
        output: Where the artifacts are: the location in the start, with the ID below it.
        started_at: When the job starts; before that, it does not exist.
        plan: What happens to it.
        completes_as: Its status when it has completed; None: the usual one.
        before_update: The endpoint before its last update; None: it was not updated.
        updated_at: When it was updated.
        cancelled_at: When it was cancelled or deleted; None: it was not.
        clean: Whether its artifacts are deleted when it has stopped.
        token: The end of its SageMaker jobs' names, which distinguishes them from those of other clusters.
        revision: How often it was updated.

    Raises:
        ValueError: The ID is not valid.
    """

    id: str
    kind: Kind
    output: str
    started_at: float
    plan: JobPlan = JobPlan()
    completes_as: Status | None = None
    before_update: Job | None = None
    updated_at: float | None = None
    cancelled_at: float | None = None
    clean: bool = False
    token: str = field(default_factory=lambda: secrets.token_hex(4))
    revision: int = 0

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise ValueError(
                f"{self.id!r} is not a job ID: letters, digits and hyphens, at most 48, the first no hyphen"
            )

    def at(self, now: float) -> Job:
        """Return the job as it is at this time, without later updates."""
        if self.before_update is None or self.updated_at is None or now >= self.updated_at:
            return self
        return self.before_update.at(now)

    def exists(self, now: float) -> bool:
        """Return whether the job exists."""
        return now >= self.started_at and not (self.kind.life.stopped is None and self._stopped(now))

    def appeared(self, now: float) -> bool:
        """Return whether the API knows the job."""
        return now >= self.started_at + self.plan.appear_seconds

    def completed(self, now: float) -> bool:
        """Return whether the job has completed."""
        return self._stage(now) is _Stage.COMPLETED

    def status(self, now: float) -> Status:
        """Return the job's status."""
        life = self.kind.life
        match self._stage(now):
            case _Stage.RUNNING:
                return life.running if life.updating is None or self.updated_at is None else life.updating
            case _Stage.COMPLETED:
                return self.completes_as or life.completed[0]
            case _Stage.FAILED:
                return life.failed
            case _Stage.STOPPING:
                return life.stopping
            case _Stage.STOPPED:
                # The answer to the deletion of an endpoint that disappears at once.
                return life.stopped or life.stopping

    def phases(self, now: float) -> tuple[Status | None, ...]:
        """Return the status of each phase; None: it has not begun."""
        until = now
        if self.cancelled_at is not None:
            until = min(until, self.cancelled_at)
        if self.plan.run_seconds is not None:
            until = min(until, self._runs_since + self.plan.run_seconds)
        ends = list(accumulate((self.plan.base_seconds, self.plan.hpo_seconds)))[: len(self.kind.phases) - 1]
        over = sum(until >= self._runs_since + end for end in ends)
        done = self.kind.life.completed[0]
        return (done,) * over + (self.status(now),) + (None,) * (len(ends) - over)

    def artifacts(self, now: float) -> tuple[str, ...]:
        """Return the `s3://` names of the artifacts, which exist from the start of the job."""
        if self.clean and self._stopped(now):
            return ()
        return tuple(f"{self.output}/{it.role}/{it.artifact}" for it in self.kind.phases if it.artifact is not None)

    def cancel(self, at: float, *, clean: bool) -> Job:
        """Return this job, cancelled or deleted; the same job if it is already stopping, or gone.

        Raises:
            JobEndedError: The job has ended by then, and jobs of its kind are kept.
        """
        stage = self._stage(at)
        if stage is _Stage.STOPPING or not self.exists(at):
            return self
        if stage is not _Stage.RUNNING and self.kind.life.stopped is not None:
            raise JobEndedError(f"{self.kind.title} {self.id} is already {self.status(at)} and cannot be cancelled.")
        return replace(self, cancelled_at=at, clean=clean)

    def update(self, at: float, plan: JobPlan) -> Job:
        """Return this endpoint, updated; the API still knows it.

        Raises:
            NotUpdatableError: The endpoint is neither in service nor out of service then.
        """
        if not self.completed(at):
            raise NotUpdatableError(f"{self.kind.title} {self.id} is {self.status(at)} and cannot be updated.")
        return replace(
            self,
            plan=replace(plan, appear_seconds=self.plan.appear_seconds),
            completes_as=None,
            before_update=self,
            updated_at=at,
            revision=self.revision + 1,
        )

    def begin_as(self, status: Status) -> Job:
        """Return this job in another status than the first, just after its start."""
        life = self.kind.life
        if status in life.completed:
            return replace(self, completes_as=status, plan=self.plan.instant())
        if status == life.failed:
            return replace(self, plan=self.plan.instant(self.plan.fails_with or DEFAULT_FAILURE))
        if status == life.updating:
            return self.begin_as(life.completed[0]).update(self.started_at, self.plan)
        if status == life.stopping:
            return replace(self, cancelled_at=self.started_at)
        if status == life.stopped:
            return replace(self, cancelled_at=self.started_at, plan=replace(self.plan, stop_seconds=0.0))
        return self

    @property
    def _runs_since(self) -> float:
        return self.started_at if self.updated_at is None else self.updated_at

    def _stopped(self, now: float) -> bool:
        return self._stage(now) is _Stage.STOPPED

    def _stage(self, now: float) -> _Stage:
        if self.cancelled_at is not None and now >= self.cancelled_at:
            stopped = self.plan.stop_seconds is not None and now >= self.cancelled_at + self.plan.stop_seconds
            return _Stage.STOPPED if stopped else _Stage.STOPPING
        if self.plan.run_seconds is None or now < self._runs_since + self.plan.run_seconds:
            return _Stage.RUNNING
        return _Stage.COMPLETED if self.plan.fails_with is None else _Stage.FAILED
