"""What the simulated cluster is made of; the API and `Simulator` share it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from simulator.jobs import Job, JobPlan
from simulator.s3 import S3Location

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulator.clock import Clock
    from simulator.faults import FaultPlan
    from simulator.kinds import Kind, KindName
    from simulator.lives import Status
    from simulator.request_log import RequestLog
    from simulator.store import JobStore

_DEFAULT_OUTPUT: Final = S3Location.parse("s3://neptune-ml-simulator")


@dataclass(slots=True, kw_only=True)
class SimulatorState:
    """The simulated cluster; only its plans are ever replaced.

    Attributes:
        clock: Its clock.
        jobs: Its jobs, by their kinds.
        faults: What is to go wrong.
        log: The requests so far.
        plan: What becomes of jobs that start over HTTP from now on.
        plans: What becomes of those of a kind, where that is something else.
        trainings: What becomes of those that use the models of a training, by what names it.
        knows_all_jobs: Whether a start that names a job which is not there is refused.
    """

    clock: Clock
    jobs: Mapping[KindName, JobStore]
    faults: FaultPlan
    log: RequestLog
    plan: JobPlan
    plans: dict[KindName, JobPlan] = field(default_factory=dict)
    trainings: dict[str, JobPlan] = field(default_factory=dict)
    knows_all_jobs: bool = False

    def plan_of(self, kind: Kind, training: str = "") -> JobPlan:
        """Return what becomes of jobs of that kind, and of that training's models, that start over HTTP."""
        return self.trainings.get(training) or self.plans.get(kind.name, self.plan)

    def start_job(
        self,
        kind: Kind,
        job_id: str,
        *,
        plan: JobPlan,
        status: Status | None = None,
        completes_as: Status | None = None,
        output: S3Location | None = None,
        late_seconds: float = 0.0,
    ) -> Job:
        """Start a job.

        Args:
            kind: Its kind.
            job_id: Its id.
            plan: What becomes of it.
            status: The status it begins with; None: the first one.
            completes_as: The status it completes with; None: the usual one.
            output: The S3 location in its start; None: the simulator's own.
            late_seconds: How much later than now it starts, in seconds of the simulator's clock.

        Returns:
            The job.

        Raises:
            ValueError: If one of them makes no sense (`JobExistsError` if there is such a job).
        """
        job = Job(
            id=job_id,
            kind=kind,
            output=(output or _DEFAULT_OUTPUT / kind.name) / job_id,
            started_at=self.clock() + late_seconds,
            plan=plan,
            completes_as=completes_as,
        )
        if status is not None:
            job = job.begin_as(status)
        self.jobs[kind.name].start(job)
        return job
