"""The simulated cluster, and its jobs of one kind, without HTTP."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from simulator.jobs import Job, JobExistsError, JobNotFoundError, JobPlan
from simulator.kinds import KIND_NAMES

if TYPE_CHECKING:
    from typing import Unpack

    from simulator.clock import Clock
    from simulator.faults import FaultPlan
    from simulator.jobs import PlanFields
    from simulator.kinds import Kind, KindName
    from simulator.lives import Status
    from simulator.request_log import RequestLog

_DEFAULT_OUTPUT: Final = "s3://neptune-ml-simulator"
# General purpose bucket naming rules, Amazon S3 User Guide.
_S3 = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?", re.S)


@dataclass(slots=True, kw_only=True)
class Cluster:
    """The simulated cluster, which the API and `Simulator` share.

    Attributes:
        clock: The clock.
        faults: The faults to come.
        log: The requests so far.
        plan: What happens to jobs that start over HTTP from now on.
        plans: The plans of kinds that have their own.
        trainings: The plans of jobs that use the models of a training, by the training's name.
        jobs: The jobs by their kinds and IDs.
        lock: Guards the jobs.
    """

    clock: Clock
    faults: FaultPlan
    log: RequestLog
    plan: JobPlan
    plans: dict[KindName, JobPlan] = field(default_factory=dict)
    trainings: dict[str, JobPlan] = field(default_factory=dict)
    jobs: dict[KindName, dict[str, Job]] = field(default_factory=lambda: {name: {} for name in KIND_NAMES})
    lock: threading.RLock = field(default_factory=threading.RLock)


class ClusterJobs:
    """The jobs of one kind; thread-safe. Endpoints are jobs, too.

    A job that was added does not exist until it starts. Updates and cancellations can come into effect later, too.

    Args:
        cluster: The cluster.
        kind: The kind.
    """

    def __init__(self, cluster: Cluster, kind: Kind) -> None:
        self._cluster = cluster
        self._kind = kind
        self._jobs = cluster.jobs[kind.name]

    @property
    def plan(self) -> JobPlan:
        """What happens to jobs of this kind that start over HTTP, and to endpoints that are updated.

        Setting it affects jobs that start from now on, and overrides the simulator's own `plan`.
        """
        return self._cluster.plans.get(self._kind.name, self._cluster.plan)

    @plan.setter
    def plan(self, plan: JobPlan) -> None:
        self._cluster.plans[self._kind.name] = plan

    def start_job(self, job_id: str, *, status: str | None = None, **plan: Unpack[PlanFields]) -> Status:
        """Start a job, without HTTP.

        Args:
            job_id: The ID.
            status: The first status, such as `Completed`; None: `InProgress`, or `Creating`.
            **plan: What happens to the job: the fields of `JobPlan`.

        Returns:
            The job's status.

        Raises:
            ValueError: An argument is invalid, or the ID is taken (`JobExistsError`).
        """
        begins_as = None if status is None else self._kind.life.status_named(status)
        self.add(job_id, JobPlan(**plan), begins_as=begins_as)
        return self.status(job_id)

    def status(self, job_id: str) -> Status:
        """Return a job's status, whether the API knows it yet or not; raises `JobNotFoundError`."""
        job, now = self.look(job_id)
        return job.status(now)

    def jobs(self) -> dict[str, Status]:
        """Return the IDs of all jobs with their statuses, in the order of their starts."""
        jobs, now = self.all()
        return {job.id: job.status(now) for job in jobs}

    def running(self) -> tuple[str, ...]:
        """Return the IDs of the jobs that have not ended, including those that the API does not know yet.

        An endpoint runs as long as it exists, unless it has failed: it costs money.
        """
        return tuple(job_id for job_id, status in self.jobs().items() if not status.ended)

    def artifacts(self, job_id: str) -> tuple[str, ...]:
        """Return the `s3://` names of a job's current artifacts; raises `JobNotFoundError`."""
        job, now = self.look(job_id)
        return job.artifacts(now)

    def forget_job(self, job_id: str) -> None:
        """Remove a job as if it had never existed; raises `JobNotFoundError`."""
        with self._cluster.lock:
            self.look(job_id)
            del self._jobs[job_id]

    # --- what the API does; an unknown ID raises a `JobNotFoundError` ---

    def add(
        self,
        job_id: str,
        plan: JobPlan,
        *,
        output: str | None = None,
        begins_as: Status | None = None,
        late_seconds: float = 0.0,
    ) -> Job:
        """Start a job, now or later; raises a `ValueError`, which is a `JobExistsError` if the ID is taken."""
        output = f"{_DEFAULT_OUTPUT}/{self._kind.name}" if output is None else output.rstrip("/")
        if not _S3.fullmatch(output):
            raise ValueError(f"{output!r} is not an S3 location (s3://BUCKET/KEY)")
        with self._cluster.lock:
            now = self._cluster.clock()
            at = now + late_seconds
            job = Job(id=job_id, kind=self._kind, output=f"{output}/{job_id}", started_at=at, plan=plan)
            other = self._jobs.get(job_id)
            # A job that would start later than this one gives way to it.
            if other is not None and (other.exists(now) or other.exists(at)):
                raise JobExistsError(f"{self._kind.title} {job_id} already exists.")
            self._jobs[job_id] = job if begins_as is None else job.begin_as(begins_as)
            return job

    def look(self, job_id: str) -> tuple[Job, float]:
        """Return the job, and the time."""
        with self._cluster.lock:
            now = self._cluster.clock()
            job = self._jobs.get(job_id)
            if job is None or not job.exists(now):
                raise self._not_found(job_id)
            return job.at(now), now

    def find(self, job_id: str) -> tuple[Job, float]:
        """Return the job, which the API has to know, and the time."""
        job, now = self.look(job_id)
        if not job.appeared(now):
            raise self._not_found(job_id)
        return job, now

    def update(self, job_id: str, *, late_seconds: float = 0.0) -> Job:
        """Update an endpoint, now or later; raises `NotUpdatableError` if that is not possible then."""
        with self._cluster.lock:
            _, now = self.find(job_id)
            at = now + late_seconds
            updated = self._jobs[job_id] = self._jobs[job_id].at(at).update(at, self.plan)
            return updated

    def cancel(self, job_id: str, *, clean: bool, late_seconds: float = 0.0) -> Status:
        """Cancel a job, now or later, and return its status now; raises `JobEndedError` if it has ended by then.

        A second cancellation changes nothing.
        """
        with self._cluster.lock:
            _, now = self.find(job_id)
            at = now + late_seconds
            cancelled = self._jobs[job_id] = self._jobs[job_id].at(at).cancel(at, clean=clean)
            return cancelled.at(now).status(now)

    def all(self) -> tuple[list[Job], float]:
        """Return all jobs, in the order of their starts, and the time."""
        with self._cluster.lock:
            now = self._cluster.clock()
            there = [job.at(now) for job in self._jobs.values() if job.exists(now)]
            return sorted(there, key=lambda job: job.started_at), now

    def _not_found(self, job_id: str) -> JobNotFoundError:
        return JobNotFoundError(f"{self._kind.title} {job_id} does not exist.")
