"""All jobs of the simulated cluster, with their artifacts."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from simulator.jobs import Job, JobExistsError, JobNotFoundError, JobStatus

if TYPE_CHECKING:
    from simulator.artifacts import ArtifactDirectory
    from simulator.clock import Clock


class JobStore:
    """Thread-safe. Whoever looks at a job sees it as it is at that moment.

    Jobs may be added before they start: until then they do not exist.

    Args:
        artifacts: Where the jobs' artifacts are kept.
        clock: The simulator's clock.
    """

    def __init__(self, artifacts: ArtifactDirectory, clock: Clock) -> None:
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
            if other is not None and other.started(max(self._clock(), job.started_at)):
                raise JobExistsError(f"Model transform job {job.id} already exists.")
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
            if job is None or not job.started(now):
                raise _not_found(job_id)
            # Nothing runs in the background: what a cancelled job leaves is tidied when somebody looks.
            if job.clean and job.status(now) is JobStatus.STOPPED:
                self._artifacts.delete(job)
            return job, now

    def find(self, job_id: str) -> tuple[Job, float]:
        """Return what `look` does, of a job that the API knows.

        Raises:
            JobNotFoundError: If there is none with that id, or it has not appeared yet.
        """
        job, now = self.look(job_id)
        if not job.appeared(now):
            raise _not_found(job_id)
        return job, now

    def cancel(self, job_id: str, *, clean: bool, late_seconds: float = 0.0) -> JobStatus:
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
            job, now = self.find(job_id)
            self._jobs[job_id] = job.cancel(now + late_seconds, clean=clean)
            job, now = self.look(job_id)
            return job.status(now)

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
            started = [job for job in self._jobs.values() if job.started(now)]
            return tuple(sorted(started, key=lambda job: job.started_at)), now

    def artifacts(self, job_id: str) -> tuple[str, ...]:
        """Return the `s3://` names of a job's artifacts.

        Raises:
            JobNotFoundError: If there is none with that id.
        """
        with self._lock:
            job, _ = self.look(job_id)
            return self._artifacts.names(job)


def _not_found(job_id: str) -> JobNotFoundError:
    return JobNotFoundError(f"Model transform job {job_id} does not exist.")
