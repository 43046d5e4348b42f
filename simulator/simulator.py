"""The simulator as one object, for tests and the demo."""

from __future__ import annotations

import contextlib
import random
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from simulator.application import application
from simulator.artifacts import ArtifactDirectory
from simulator.faults import Fault, FaultPlan
from simulator.jobs import DEFAULT_FAILURE, DEFAULT_STOP_SECONDS, JobPlan, JobStatus
from simulator.request_log import RequestLog, RequestRecord
from simulator.serving import serving
from simulator.state import SimulatorState
from simulator.store import JobStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from simulator.clock import Clock


class Simulator:
    """A Neptune cluster's model transform API on this machine; thread-safe.

    It serves HTTP while it is entered. Everything but `url`, `host_port` and `port` can be used before and after, too.

    What becomes of jobs that are started over HTTP is their `JobPlan`: first as `base_seconds`, `run_seconds`,
    `stop_seconds`, `fails_with` and `appear_seconds` say, then as `plan` is set; `plan_training` excepts some of them.

    Args:
        artifacts_dir: Where the jobs' artifacts go: `s3://BUCKET/KEY` is the file `BUCKET/KEY` there.
        clock: The time in seconds; jobs change with it. Delays of faults take real time.
        host: The address to listen on.
        port: The port to listen on; 0: any free one.
        base_seconds: See `JobPlan`.
        run_seconds: See `JobPlan`.
        stop_seconds: See `JobPlan`.
        fails_with: See `JobPlan`.
        appear_seconds: See `JobPlan`.
        seed: Makes faults with a probability repeatable.
        on_request: Called with each request to the API, from the server's thread, just before it is answered.

    Raises:
        ValueError: If the plan makes no sense.

    Example:
        >>> with Simulator(artifacts_dir=tmp_path, clock=ManualClock()) as simulator:  # doctest: +SKIP
        ...     simulator.start_job("job-1", stop_seconds=60)
        ...     boto3.client("neptunedata", endpoint_url=simulator.url).cancel_ml_model_transform_job(id="job-1")
        ...     simulator.status("job-1")
        <JobStatus.STOPPING: 'Stopping'>
    """

    def __init__(
        self,
        *,
        artifacts_dir: Path | str,
        clock: Clock = time.monotonic,
        host: str = "127.0.0.1",
        port: int = 0,
        base_seconds: float = 0.0,
        run_seconds: float | None = None,
        stop_seconds: float | None = DEFAULT_STOP_SECONDS,
        fails_with: str | None = None,
        appear_seconds: float = 0.0,
        seed: int = 0,
        on_request: Callable[[RequestRecord], None] | None = None,
    ) -> None:
        self._host = host
        self._wanted_port = port
        self._port: int | None = None
        self._serving = contextlib.ExitStack()
        self._state = SimulatorState(
            clock=clock,
            jobs=JobStore(ArtifactDirectory(Path(artifacts_dir)), clock),
            faults=FaultPlan(random.Random(seed)),  # noqa: S311 - chance that can be repeated, not a secret
            log=RequestLog(on_request),
            plan=JobPlan(
                base_seconds=base_seconds,
                run_seconds=run_seconds,
                stop_seconds=stop_seconds,
                fails_with=fails_with,
                appear_seconds=appear_seconds,
            ),
        )

    def __enter__(self) -> Self:
        self._port = self._serving.enter_context(
            serving(application(self._state), host=self._host, port=self._wanted_port)
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._serving.close()

    @property
    def port(self) -> int:
        """The port that it listens on.

        Raises:
            RuntimeError: If it has not been entered yet.
        """
        if self._port is None:
            raise RuntimeError("the simulator is not running: use it in a with statement")
        return self._port

    @property
    def host_port(self) -> str:
        """Host and port, such as `127.0.0.1:40000`; raises as `port` does."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The endpoint URL, such as `http://127.0.0.1:40000`; raises as `port` does."""
        return f"http://{self.host_port}"

    @property
    def log(self) -> tuple[RequestRecord, ...]:
        """The requests to the API so far, in the order of their arrival."""
        return self._state.log.records()

    @property
    def plan(self) -> JobPlan:
        """What becomes of jobs that start over HTTP; set it for those that start from now on."""
        return self._state.plan

    @plan.setter
    def plan(self, plan: JobPlan) -> None:
        self._state.plan = plan

    def plan_training(self, training: str, plan: JobPlan) -> None:
        """Say what becomes of jobs that start over HTTP from now on with the models of one training.

        Args:
            training: Its name, which the start gives as `mlModelTrainingJobId` or `trainingJobName`.
            plan: What becomes of them, in place of `plan`.
        """
        self._state.plans[training] = plan

    def start_job(
        self,
        job_id: str,
        *,
        base_seconds: float = 0.0,
        run_seconds: float | None = None,
        stop_seconds: float | None = DEFAULT_STOP_SECONDS,
        fails_with: str | None = None,
        appear_seconds: float = 0.0,
        status: str | None = None,
        ends_as: str = JobStatus.COMPLETED,
    ) -> JobStatus:
        """Start a job, without HTTP.

        Args:
            job_id: Its id.
            base_seconds: See `JobPlan`.
            run_seconds: See `JobPlan`.
            stop_seconds: See `JobPlan`.
            fails_with: See `JobPlan`.
            appear_seconds: See `JobPlan`.
            status: The status it begins with, such as `Completed`; None: `InProgress`.
            ends_as: Its status when it has run to its end: `Completed`, or `Failed`, which `fails_with` implies.

        Returns:
            Its status.

        Raises:
            ValueError: If one of them makes no sense, or there is such a job (`JobExistsError`).
        """
        if ends_as not in {JobStatus.COMPLETED, JobStatus.FAILED}:
            raise ValueError(f"a job that runs to its end is Completed or Failed, not {ends_as}")
        if ends_as == JobStatus.FAILED and fails_with is None:
            fails_with = DEFAULT_FAILURE
        plan = JobPlan(
            base_seconds=base_seconds,
            run_seconds=run_seconds,
            stop_seconds=stop_seconds,
            fails_with=fails_with,
            appear_seconds=appear_seconds,
        )
        self._state.start_job(job_id, plan=plan, status=_status(status or JobStatus.IN_PROGRESS))
        return self.status(job_id)

    def status(self, job_id: str) -> JobStatus:
        """Return a job's status now, whether the API knows it yet or not.

        Raises:
            JobNotFoundError: If there is no such job.
        """
        job, now = self._state.jobs.look(job_id)
        return job.status(now)

    def jobs(self) -> dict[str, JobStatus]:
        """Return the ids of all jobs with their statuses, in the order of their starts."""
        jobs, now = self._state.jobs.all()
        return {job.id: job.status(now) for job in jobs}

    def running(self) -> tuple[str, ...]:
        """Return the ids of the jobs that have not ended, those that the API does not know yet among them."""
        return tuple(job_id for job_id, status in self.jobs().items() if not status.ended)

    def artifacts(self, job_id: str) -> tuple[str, ...]:
        """Return the `s3://` names of a job's artifacts that there are now.

        Raises:
            JobNotFoundError: If there is no such job.
        """
        return self._state.jobs.artifacts(job_id)

    def forget_job(self, job_id: str) -> None:
        """Remove a job, as if it had never been; its artifacts stay.

        Raises:
            JobNotFoundError: If there is no such job.
        """
        self._state.jobs.forget(job_id)

    def inject(self, fault: Fault) -> None:
        """Add a fault; the first of those that concern a request strikes it."""
        self._state.faults.inject(fault)

    def clear_faults(self) -> None:
        """Remove all faults; requests that hang already go on hanging."""
        self._state.faults.clear()


def _status(text: str) -> JobStatus:
    try:
        return JobStatus(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a job status: {', '.join(JobStatus)}") from None
