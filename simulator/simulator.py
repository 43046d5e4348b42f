"""The simulator as one object, for tests and the demo."""

from __future__ import annotations

import contextlib
import random
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from simulator.application import application
from simulator.artifacts import ArtifactDirectory
from simulator.cluster_jobs import ClusterJobs
from simulator.faults import Fault, FaultPlan
from simulator.jobs import DEFAULT_STOP_SECONDS, JobPlan
from simulator.kinds import KINDS, MODEL_TRANSFORM, KindName, kind_named
from simulator.request_log import RequestLog, RequestRecord
from simulator.serving import serving
from simulator.state import SimulatorState
from simulator.store import JobStore

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from types import TracebackType

    from simulator.clock import Clock


class Simulator(ClusterJobs):
    """The machine learning part of a Neptune cluster on this machine; thread-safe.

    It serves HTTP, or HTTPS, while it is entered. Everything but `url`, `host_port` and `port` can be used before and
    after, too.

    Its own `start_job`, `status`, `jobs`, `running`, `artifacts` and `forget_job` are about model transform jobs; `of`
    has the same for another kind. Each kind has jobs of its own: two of them may have the same id.

    What becomes of jobs that are started over HTTP is their `JobPlan`: first as `base_seconds`, `hpo_seconds`,
    `run_seconds`, `stop_seconds`, `fails_with` and `appear_seconds` say, then as `plan` is set, for all kinds or for
    one (`of(kind).plan`); `plan_training` excepts those of a training.

    Args:
        artifacts_dir: Where the jobs' artifacts go: `s3://BUCKET/KEY` is the file `BUCKET/KEY` there.
        clock: The time in seconds; jobs change with it. Delays of faults take real time.
        host: The address to listen on.
        port: The port to listen on; 0: any free one.
        tls: Its certificate and key, which make it HTTPS, as Neptune's; `None`: it is plain HTTP.
        base_seconds: See `JobPlan`.
        hpo_seconds: See `JobPlan`.
        run_seconds: See `JobPlan`.
        stop_seconds: See `JobPlan`.
        fails_with: See `JobPlan`.
        appear_seconds: See `JobPlan`.
        knows_all_jobs: Whether a start that names a job which is not there is refused. One that names a job that is
            there and has not completed always is.
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
        tls: ssl.SSLContext | None = None,
        base_seconds: float = 0.0,
        hpo_seconds: float = 0.0,
        run_seconds: float | None = None,
        stop_seconds: float | None = DEFAULT_STOP_SECONDS,
        fails_with: str | None = None,
        appear_seconds: float = 0.0,
        knows_all_jobs: bool = False,
        seed: int = 0,
        on_request: Callable[[RequestRecord], None] | None = None,
    ) -> None:
        self._host = host
        self._wanted_port = port
        self._tls = tls
        self._port: int | None = None
        self._serving = contextlib.ExitStack()
        artifacts = ArtifactDirectory(Path(artifacts_dir))
        state = SimulatorState(
            clock=clock,
            jobs={name: JobStore(kind, artifacts, clock) for name, kind in KINDS.items()},
            faults=FaultPlan(random.Random(seed)),  # noqa: S311 - chance that can be repeated, not a secret
            log=RequestLog(on_request),
            plan=JobPlan(
                base_seconds=base_seconds,
                hpo_seconds=hpo_seconds,
                run_seconds=run_seconds,
                stop_seconds=stop_seconds,
                fails_with=fails_with,
                appear_seconds=appear_seconds,
            ),
            knows_all_jobs=knows_all_jobs,
        )
        super().__init__(state, MODEL_TRANSFORM)

    def __enter__(self) -> Self:
        self._port = self._serving.enter_context(
            serving(application(self._state), host=self._host, port=self._wanted_port, tls=self._tls)
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
        return f"{'https' if self._tls else 'http'}://{self.host_port}"

    @property
    def log(self) -> tuple[RequestRecord, ...]:
        """The requests to the API so far, in the order of their arrival."""
        return self._state.log.records()

    @property
    def plan(self) -> JobPlan:
        """What becomes of jobs that start over HTTP, whatever their kind is, unless it has a plan of its own.

        Set it for those that start from now on.
        """
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
        self._state.trainings[training] = plan

    def of(self, kind: KindName) -> ClusterJobs:
        """Return the jobs of a kind: `dataprocessing`, `modeltraining`, `modeltransform` or `endpoints`.

        Raises:
            ValueError: If there is no such kind.
        """
        return ClusterJobs(self._state, kind_named(kind))

    def running_everywhere(self) -> tuple[tuple[KindName, str], ...]:
        """Return what runs at all: kind and id of the jobs of all kinds that have not ended, endpoints among them."""
        return tuple((kind, job_id) for kind in KINDS for job_id in self.of(kind).running())

    def inject(self, fault: Fault) -> None:
        """Add a fault; the first of those that concern a request strikes it."""
        self._state.faults.inject(fault)

    def clear_faults(self) -> None:
        """Remove all faults; requests that hang already go on hanging."""
        self._state.faults.clear()
