"""The jobs of one kind in the simulated cluster, without HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.jobs import DEFAULT_FAILURE, DEFAULT_STOP_SECONDS, JobPlan

if TYPE_CHECKING:
    from simulator.kinds import Kind
    from simulator.lives import Status
    from simulator.state import SimulatorState


class ClusterJobs:
    """The jobs of one kind, or the endpoints; thread-safe. What is said of jobs here holds for endpoints, too.

    Args:
        state: The cluster.
        kind: The kind.
    """

    def __init__(self, state: SimulatorState, kind: Kind) -> None:
        self._state = state
        self._kind = kind
        self._store = state.jobs[kind.name]

    @property
    def plan(self) -> JobPlan:
        """What becomes of jobs of this kind that start over HTTP, and of endpoints that are updated.

        Set it for those that start from now on, whatever the simulator's own `plan` says.
        """
        return self._state.plan_of(self._kind)

    @plan.setter
    def plan(self, plan: JobPlan) -> None:
        self._state.plans[self._kind.name] = plan

    def start_job(
        self,
        job_id: str,
        *,
        base_seconds: float = 0.0,
        hpo_seconds: float = 0.0,
        run_seconds: float | None = None,
        stop_seconds: float | None = DEFAULT_STOP_SECONDS,
        fails_with: str | None = None,
        appear_seconds: float = 0.0,
        status: str | None = None,
        ends_as: str | None = None,
    ) -> Status:
        """Start a job, without HTTP.

        Args:
            job_id: Its id.
            base_seconds: See `JobPlan`.
            hpo_seconds: See `JobPlan`.
            run_seconds: See `JobPlan`.
            stop_seconds: See `JobPlan`.
            fails_with: See `JobPlan`.
            appear_seconds: See `JobPlan`.
            status: The status it begins with, such as `Completed`; None: `InProgress`, or `Creating`.
            ends_as: Its status when it has run to its end: `Completed` (of an endpoint: `InService` or `OutOfService`),
                or `Failed`, which `fails_with` implies; None: the usual one.

        Returns:
            Its status.

        Raises:
            ValueError: If one of them makes no sense, or there is such a job (`JobExistsError`).
        """
        life = self._kind.life
        ends = {str(end): end for end in (*life.completed, life.failed)}
        if ends_as is not None and ends_as not in ends:
            raise ValueError(f"{life.noun} can end as {' or '.join(ends)}, not {ends_as}")
        completes_as = ends[ends_as] if ends_as is not None else None
        if completes_as == life.failed:
            fails_with, completes_as = fails_with or DEFAULT_FAILURE, None
        plan = JobPlan(
            base_seconds=base_seconds,
            hpo_seconds=hpo_seconds,
            run_seconds=run_seconds,
            stop_seconds=stop_seconds,
            fails_with=fails_with,
            appear_seconds=appear_seconds,
        )
        begins_as = None if status is None else life.status_named(status)
        self._state.start_job(self._kind, job_id, plan=plan, status=begins_as, completes_as=completes_as)
        return self.status(job_id)

    def status(self, job_id: str) -> Status:
        """Return a job's status now, whether the API knows it yet or not.

        Raises:
            JobNotFoundError: If there is no such job.
        """
        job, now = self._store.look(job_id)
        return job.status(now)

    def jobs(self) -> dict[str, Status]:
        """Return the ids of all jobs with their statuses, in the order of their starts."""
        jobs, now = self._store.all()
        return {job.id: job.status(now) for job in jobs}

    def running(self) -> tuple[str, ...]:
        """Return the ids of the jobs that have not ended, those that the API does not know yet among them.

        An endpoint has not ended as long as it is there, unless it has failed: it serves, and costs money.
        """
        return tuple(job_id for job_id, status in self.jobs().items() if not status.ended)

    def artifacts(self, job_id: str) -> tuple[str, ...]:
        """Return the `s3://` names of a job's artifacts that there are now.

        Raises:
            JobNotFoundError: If there is no such job.
        """
        return self._store.artifacts(job_id)

    def forget_job(self, job_id: str) -> None:
        """Remove a job, as if it had never been; its artifacts stay.

        Raises:
            JobNotFoundError: If there is no such job.
        """
        self._store.forget(job_id)
