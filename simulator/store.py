"""All jobs of the simulated cluster, with their artifacts."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from simulator.jobs import Job, JobExistsError, JobNotFoundError, JobStatus

if TYPE_CHECKING:
    from simulator.artifacts import ArtifactDirectory
    from simulator.clock import Clock


class JobStore:
    """Thread-safe. Whoever looks at a job sees its status at that moment.

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
            JobExistsError: If there is one with its id.
            OSError: If its artifacts cannot be written.
        """
        with self._lock:
            if job.id in self._jobs:
                raise JobExistsError(f"Model transform job {job.id} already exists.")
            self._artifacts.write(job)
            self._jobs[job.id] = job

    def look(self, job_id: str) -> tuple[Job, JobStatus]:
        """Return the job and its status.

        Raises:
            JobNotFoundError: If there is none with that id.
        """
        with self._lock:
            if (job := self._jobs.get(job_id)) is None:
                raise JobNotFoundError(f"Model transform job {job_id} does not exist.")
            status = job.status(self._clock())
            # Nothing runs in the background: what a cancelled job leaves is tidied when somebody looks.
            if job.clean and status is JobStatus.STOPPED:
                self._artifacts.delete(job)
            return job, status

    def cancel(self, job_id: str, *, clean: bool) -> JobStatus:
        """Cancel a job; one that is stopping already goes on as before.

        Args:
            job_id: The job's id.
            clean: Whether to delete its artifacts when it has stopped.

        Returns:
            Its status now.

        Raises:
            JobNotFoundError: If there is none with that id.
            JobEndedError: If it has ended.
        """
        with self._lock:
            job, _ = self.look(job_id)
            self._jobs[job_id] = job.cancel(self._clock(), clean=clean)
            return self.look(job_id)[1]

    def forget(self, job_id: str) -> None:
        """Remove a job, as if it had never been; its artifacts stay.

        Raises:
            JobNotFoundError: If there is none with that id.
        """
        with self._lock:
            self.look(job_id)
            del self._jobs[job_id]

    def ids(self) -> tuple[str, ...]:
        """Return the ids of all jobs, in the order of their starts."""
        with self._lock:
            return tuple(self._jobs)

    def artifacts(self, job_id: str) -> tuple[str, ...]:
        """Return the `s3://` names of a job's artifacts.

        Raises:
            JobNotFoundError: If there is none with that id.
        """
        with self._lock:
            job, _ = self.look(job_id)
            return self._artifacts.names(job)
