"""The simulator as one object, for tests and the demo."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Self

from simulator.application import application
from simulator.cluster_jobs import Cluster, ClusterJobs
from simulator.faults import Fault, FaultPlan
from simulator.jobs import JobPlan
from simulator.kinds import KINDS, MODEL_TRANSFORM, KindName, kind_named
from simulator.request_log import RequestLog, RequestRecord
from simulator.serving import serving

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from types import TracebackType
    from typing import Unpack

    from simulator.clock import Clock
    from simulator.jobs import PlanFields


class Simulator(ClusterJobs):
    """The machine learning part of a Neptune cluster on this machine; thread-safe.

    As a context manager, it serves HTTP, or HTTPS. Everything but `url`, `host_port` and `port` also works before and
    after that.

    Its own `start_job`, `status`, `jobs`, `running`, `artifacts` and `forget_job` are about model transform jobs; `of`
    returns the same methods for another kind. Jobs of different kinds may have the same ID.

    A `JobPlan` determines what happens to jobs that are started over HTTP: at first the one in the arguments, then
    `plan`, for all kinds or for one (`of(kind).plan`). `plan_training` makes an exception for the jobs of a training.

    Args:
        clock: The time in seconds, which determines the jobs' statuses. Delays of faults take real time.
        host: The address to listen on.
        port: The port to listen on; 0: any free port.
        tls: The certificate and key for HTTPS; `None`: plain HTTP.
        on_request: Called with each request to the API, in the server's thread, just before the answer is sent.
        **plan: The fields of `JobPlan`.

    Raises:
        ValueError: The plan is invalid.

    Example:
        >>> with Simulator(clock=ManualClock()) as simulator:  # doctest: +SKIP
        ...     simulator.start_job("job-1", stop_seconds=60)
        ...     boto3.client("neptunedata", endpoint_url=simulator.url).cancel_ml_model_transform_job(id="job-1")
        ...     simulator.status("job-1")
        <JobStatus.STOPPING: 'Stopping'>
    """

    def __init__(
        self,
        *,
        clock: Clock = time.monotonic,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        on_request: Callable[[RequestRecord], None] | None = None,
        **plan: Unpack[PlanFields],
    ) -> None:
        self._host = host
        self._wanted_port = port
        self._tls = tls
        self._port: int | None = None
        self._serving = contextlib.ExitStack()
        cluster = Cluster(clock=clock, faults=FaultPlan(), log=RequestLog(on_request), plan=JobPlan(**plan))
        super().__init__(cluster, MODEL_TRANSFORM)

    def __enter__(self) -> Self:
        self._port = self._serving.enter_context(
            serving(application(self._cluster), host=self._host, port=self._wanted_port, tls=self._tls)
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._serving.close()

    @property
    def port(self) -> int:
        """The port; raises a `RuntimeError` if the simulator has never run."""
        if self._port is None:
            raise RuntimeError("the simulator is not running: use it in a with statement")
        return self._port

    @property
    def host_port(self) -> str:
        """Host and port, such as `127.0.0.1:40000`; raises as `port` does."""
        return f"{self._host}:{self.port}"

    @property
    def url(self) -> str:
        """The endpoint URL, such as `http://127.0.0.1:40000`; raises as `port` does."""
        return f"{'https' if self._tls else 'http'}://{self.host_port}"

    @property
    def log(self) -> tuple[RequestRecord, ...]:
        """The requests so far, in the order of their arrival."""
        return self._cluster.log.records()

    @property
    def plan(self) -> JobPlan:
        """What happens to jobs that start over HTTP, unless their kind has a plan of its own.

        Setting it affects jobs that start from now on.
        """
        return self._cluster.plan

    @plan.setter
    def plan(self, plan: JobPlan) -> None:
        self._cluster.plan = plan

    def plan_training(self, training: str, plan: JobPlan) -> None:
        """Plan the jobs that start over HTTP from now on and use the models of one training.

        Args:
            training: The training's name, which the start has as `mlModelTrainingJobId` or `trainingJobName`.
            plan: What happens to these jobs.
        """
        self._cluster.trainings[training] = plan

    def of(self, kind: KindName) -> ClusterJobs:
        """Return the jobs of a kind; raises a `ValueError` if the kind does not exist."""
        return ClusterJobs(self._cluster, kind_named(kind))

    def running_everywhere(self) -> tuple[tuple[KindName, str], ...]:
        """Return the kind and ID of every job that has not ended, including endpoints."""
        return tuple((kind, job_id) for kind in KINDS for job_id in self.of(kind).running())

    def inject(self, fault: Fault) -> None:
        """Add a fault; a request meets the first fault that applies to it."""
        self._cluster.faults.inject(fault)

    def clear_faults(self) -> None:
        """Remove all faults; requests that already hang keep hanging."""
        self._cluster.faults.clear()
