"""The simulator as one object, for tests and the demo."""

from __future__ import annotations

import contextlib
import random
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from simulator.application import application
from simulator.artifacts import ArtifactDirectory
from simulator.faults import Fault, FaultPlan
from simulator.jobs import JobStatus
from simulator.request_log import RequestLog, RequestRecord
from simulator.serving import serving
from simulator.state import SimulatorState
from simulator.store import JobStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from simulator.clock import Clock

DEFAULT_STOP_SECONDS: Final = 5.0
"""How long a job takes to stop unless something else is said, in seconds."""


class Simulator:
    """A Neptune cluster's model transform API on this machine; thread-safe.

    It serves HTTP while it is entered. Everything but `url`, `host_port` and `port` can be used before and after, too.

    Args:
        artifacts_dir: Where the jobs' artifacts go: `s3://BUCKET/KEY` is the file `BUCKET/KEY` there.
        clock: The time in seconds; jobs change with it. Delays of faults take real time.
        host: The address to listen on.
        port: The port to listen on; 0: any free one.
        stop_seconds: How long a job that was started over HTTP takes to stop, in seconds; None: it never stops.
        run_seconds: How long a job that was started over HTTP runs, in seconds; None: for ever.
        seed: Makes faults with a probability repeatable.
        on_request: Called with each request to the API, from the server's thread, just before it is answered.

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
        stop_seconds: float | None = DEFAULT_STOP_SECONDS,
        run_seconds: float | None = None,
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
            stop_seconds=stop_seconds,
            run_seconds=run_seconds,
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

    def start_job(
        self,
        job_id: str,
        *,
        stop_seconds: float | None = DEFAULT_STOP_SECONDS,
        run_seconds: float | None = None,
        status: str | None = None,
        ends_as: str = JobStatus.COMPLETED,
    ) -> JobStatus:
        """Start a job, without HTTP.

        Args:
            job_id: Its id.
            stop_seconds: How long it takes to stop once cancelled, in seconds; None: it never stops.
            run_seconds: How long it runs, in seconds; None: for ever.
            status: The status it begins with, such as `Completed`; None: `InProgress`.
            ends_as: Its status when it has run to its end, `Completed` or `Failed`.

        Returns:
            Its status.

        Raises:
            ValueError: If one of them makes no sense, or there is such a job (`JobExistsError`).
        """
        return self._state.start_job(
            job_id, stop_seconds=stop_seconds, run_seconds=run_seconds, status=status, ends_as=ends_as
        )

    def status(self, job_id: str) -> JobStatus:
        """Return a job's status now.

        Raises:
            JobNotFoundError: If there is no such job.
        """
        return self._state.jobs.look(job_id)[1]

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
