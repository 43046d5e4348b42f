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

    It serves HTTP, or HTTPS, while it is entered. Everything but `url`, `host_port` and `port` can be used before and
    after, too.

    Its own `start_job`, `status`, `jobs`, `running`, `artifacts` and `forget_job` are about model transform jobs; `of`
    has the same for another kind. Each kind has jobs of its own: two of them may have the same id.

    What becomes of jobs that are started over HTTP is their `JobPlan`: first as its fields in the arguments say, then
    as `plan` is set, for all kinds or for one (`of(kind).plan`); `plan_training` excepts those of a training.

    Args:
        clock: The time in seconds; jobs change with it. Delays of faults take real time.
        host: The address to listen on.
        port: The port to listen on; 0: any free one.
        tls: Its certificate and key, which make it HTTPS, as Neptune's; `None`: it is plain HTTP.
        on_request: Called with each request to the API, from the server's thread, just before it is answered.
        **plan: The fields of `JobPlan`.

    Raises:
        ValueError: If the plan makes no sense.

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
        """The port that it listens on; raises a `RuntimeError` if it has not been entered yet."""
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
        """The requests to the API so far, in the order of their arrival."""
        return self._cluster.log.records()

    @property
    def plan(self) -> JobPlan:
        """What becomes of jobs that start over HTTP, whatever their kind is, unless it has a plan of its own.

        Set it for those that start from now on.
        """
        return self._cluster.plan

    @plan.setter
    def plan(self, plan: JobPlan) -> None:
        self._cluster.plan = plan

    def plan_training(self, training: str, plan: JobPlan) -> None:
        """Say what becomes of jobs that start over HTTP from now on with the models of one training.

        Args:
            training: Its name, which the start gives as `mlModelTrainingJobId` or `trainingJobName`.
            plan: What becomes of them, in place of `plan`.
        """
        self._cluster.trainings[training] = plan

    def of(self, kind: KindName) -> ClusterJobs:
        """Return the jobs of a kind; raises a `ValueError` if there is no such kind."""
        return ClusterJobs(self._cluster, kind_named(kind))

    def running_everywhere(self) -> tuple[tuple[KindName, str], ...]:
        """Return what runs at all: kind and id of the jobs of all kinds that have not ended, endpoints among them."""
        return tuple((kind, job_id) for kind in KINDS for job_id in self.of(kind).running())

    def inject(self, fault: Fault) -> None:
        """Add a fault; the first of those that concern a request strikes it."""
        self._cluster.faults.inject(fault)

    def clear_faults(self) -> None:
        """Remove all faults; requests that hang already go on hanging."""
        self._cluster.faults.clear()
