"""What the simulated cluster is made of; the API and `Simulator` share it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simulator.jobs import Job, JobPlan, JobStatus
from simulator.s3 import S3Location

if TYPE_CHECKING:
    from simulator.clock import Clock
    from simulator.faults import FaultPlan
    from simulator.request_log import RequestLog
    from simulator.store import JobStore

DEFAULT_OUTPUT = S3Location.parse("s3://neptune-ml-simulator/model-transform")


@dataclass(slots=True, kw_only=True)
class SimulatorState:
    """The simulated cluster; only its plans are ever replaced.

    Attributes:
        clock: Its clock.
        jobs: Its jobs.
        faults: What is to go wrong.
        log: The requests so far.
        plan: What becomes of jobs that start over HTTP from now on.
        plans: What becomes of those that use the models of a training, by what names it.
    """

    clock: Clock
    jobs: JobStore
    faults: FaultPlan
    log: RequestLog
    plan: JobPlan
    plans: dict[str, JobPlan] = field(default_factory=dict)

    def plan_for(self, training: str) -> JobPlan:
        """Return what becomes of a job that uses the models of `training`."""
        return self.plans.get(training, self.plan)

    def start_job(
        self,
        job_id: str,
        *,
        plan: JobPlan,
        status: JobStatus = JobStatus.IN_PROGRESS,
        output: S3Location = DEFAULT_OUTPUT,
        late_seconds: float = 0.0,
    ) -> Job:
        """Start a job.

        Args:
            job_id: Its id.
            plan: What becomes of it.
            status: The status it begins with.
            output: Its `modelTransformOutputS3Location`.
            late_seconds: How much later than now it starts, in seconds of the simulator's clock.

        Returns:
            The job.

        Raises:
            ValueError: If one of them makes no sense (`JobExistsError` if there is such a job).
        """
        job = Job(id=job_id, output=output / job_id, started_at=self.clock() + late_seconds, plan=plan).begin_as(status)
        self.jobs.start(job)
        return job
