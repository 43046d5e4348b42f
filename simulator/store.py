"""All jobs of a kind in the simulated cluster, with their artifacts."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from simulator.jobs import Job, JobExistsError, JobNotFoundError, JobPlan

if TYPE_CHECKING:
    from simulator.artifacts import ArtifactDirectory
    from simulator.clock import Clock
    from simulator.kinds import Kind
    from simulator.lives import Status


class JobStore:
    """Thread-safe. Whoever looks at a job sees it as it is at that moment.

    Jobs may be added before they start: until then they do not exist. So may updates and cancellations.

    Args:
        kind: The jobs' kind.
        artifacts: Where the jobs' artifacts are kept.
        clock: The simulator's clock.
    """

    def __init__(self, kind: Kind, artifacts: ArtifactDirectory, clock: Clock) -> None:
        self._kind = kind
        self._artifacts = artifacts
        self._clock = clock
        self._jobs: dict[str, Job] = {}
        self._lock = threading.RLock()

    def start(self, job: Job) -> None:
        """Add `job` and write its artifacts.

        Raises:
            JobExistsError: If there is one with its id, or will be when it starts.
            OSError: If its artifacts cannot be written.
        """
        with self._lock:
            other = self._jobs.get(job.id)
            # One that is to start later gives way: when its time comes, the id is taken.
            if other is not None and (other.exists(self._clock()) or other.exists(job.started_at)):
                raise JobExistsError(f"{self._kind.title} {job.id} already exists.")
            self._artifacts.write(job)
            self._jobs[job.id] = job

    def look(self, job_id: str) -> tuple[Job, float]:
        """Return the job, and the time, in seconds of the simulator's clock.

        Raises:
            JobNotFoundError: If there is none with that id.
        """
        with self._lock:
            now = self._clock()
            job = self._jobs.get(job_id)
            if job is None or not job.exists(now):
                raise self._not_found(job_id)
            # Nothing runs in the background: what a cancelled job leaves is tidied when somebody looks.
            if job.clean and job.stopped(now):
                self._artifacts.delete(job)
            return job.at(now), now

    def find(self, job_id: str) -> tuple[Job, float]:
        """Return what `look` does, of a job that the API knows.

        Raises:
            JobNotFoundError: If there is none with that id, or it has not appeared yet.
        """
        job, now = self.look(job_id)
        if not job.appeared(now):
            raise self._not_found(job_id)
        return job, now

    def update(self, job_id: str, plan: JobPlan, *, late_seconds: float = 0.0) -> Job:
        """Update an endpoint that the API knows.

        Args:
            job_id: Its id.
            plan: What becomes of it.
            late_seconds: How much later than now, in seconds of the simulator's clock.

        Returns:
            The endpoint, updated.

        Raises:
            JobNotFoundError: If there is none with that id, or it has not appeared yet.
            NotUpdatableError: If it cannot be updated then.
        """
        with self._lock:
            _, now = self.find(job_id)
            at = now + late_seconds
            updated = self._jobs[job_id] = self._jobs[job_id].at(at).update(at, plan)
            return updated

    def cancel(self, job_id: str, *, clean: bool, late_seconds: float = 0.0) -> Status:
        """Cancel a job that the API knows; one that is stopping already goes on as before.

        Args:
            job_id: The job's id.
            clean: Whether to delete its artifacts when it has stopped.
            late_seconds: How much later than now, in seconds of the simulator's clock.

        Returns:
            Its status now.

        Raises:
            JobNotFoundError: If there is none with that id, or it has not appeared yet.
            JobEndedError: If it has ended by then.
        """
        with self._lock:
            _, now = self.find(job_id)
            at = now + late_seconds
            cancelled = self._jobs[job_id] = self._jobs[job_id].at(at).cancel(at, clean=clean)
            return cancelled.at(now).status(now)

    def forget(self, job_id: str) -> None:
        """Remove a job, as if it had never been; its artifacts stay.

        Raises:
            JobNotFoundError: If there is none with that id.
        """
        with self._lock:
            self.look(job_id)
            del self._jobs[job_id]

    def all(self) -> tuple[tuple[Job, ...], float]:
        """Return all jobs, in the order of their starts, and the time, in seconds of the simulator's clock."""
        with self._lock:
            now = self._clock()
            there = [job.at(now) for job in self._jobs.values() if job.exists(now)]
            return tuple(sorted(there, key=lambda job: job.started_at)), now

    def artifacts(self, job_id: str) -> tuple[str, ...]:
        """Return the `s3://` names of a job's artifacts.

        Raises:
            JobNotFoundError: If there is none with that id.
        """
        with self._lock:
            job, _ = self.look(job_id)
            return self._artifacts.names(job)

    def _not_found(self, job_id: str) -> JobNotFoundError:
        return JobNotFoundError(f"{self._kind.title} {job_id} does not exist.")
