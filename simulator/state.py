"""What the simulated cluster is made of; the API and `Simulator` share it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.jobs import Job, JobStatus
from simulator.s3 import S3Location

if TYPE_CHECKING:
    from simulator.clock import Clock
    from simulator.faults import FaultPlan
    from simulator.request_log import RequestLog
    from simulator.store import JobStore

DEFAULT_OUTPUT = S3Location.parse("s3://neptune-ml-simulator/model-transform")


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorState:
    """The simulated cluster.

    Attributes:
        clock: Its clock.
        jobs: Its jobs.
        faults: What is to go wrong.
        log: The requests so far.
        stop_seconds: How long a job takes to stop unless it says so itself, in seconds; None: it never stops.
        run_seconds: How long a job runs unless it says so itself, in seconds; None: for ever.
    """

    clock: Clock
    jobs: JobStore
    faults: FaultPlan
    log: RequestLog
    stop_seconds: float | None
    run_seconds: float | None

    def start_job(
        self,
        job_id: str,
        *,
        stop_seconds: float | None,
        run_seconds: float | None,
        status: str | None = None,
        ends_as: str = JobStatus.COMPLETED,
        output: S3Location = DEFAULT_OUTPUT,
    ) -> JobStatus:
        """Start a job now.

        Args:
            job_id: Its id.
            stop_seconds: How long it takes to stop once cancelled, in seconds; None: it never stops.
            run_seconds: How long it runs, in seconds; None: for ever.
            status: The status it begins with; None: `InProgress`.
            ends_as: Its status when it has run to its end, `Completed` or `Failed`.
            output: Its `modelTransformOutputS3Location`.

        Returns:
            Its status.

        Raises:
            ValueError: If one of them makes no sense (`JobExistsError` if there is such a job).
        """
        job = Job(
            id=job_id,
            output=output / job_id,
            started_at=self.clock(),
            run_seconds=run_seconds,
            stop_seconds=stop_seconds,
            ends_as=_status(ends_as),
        )
        self.jobs.start(job.begin_as(_status(status or JobStatus.IN_PROGRESS)))
        return self.jobs.look(job_id)[1]


def _status(text: str) -> JobStatus:
    try:
        return JobStatus(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a job status: {', '.join(JobStatus)}") from None
