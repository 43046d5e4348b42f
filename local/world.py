"""The local world: the jobs, the host and the ports of the events.

Containers reach this machine as `host.docker.internal`, even if Docker runs in a virtual machine.
"""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

from local.response_host import ResponseHost
from simulator import JobNotFoundError, JobPlan, JobStatus, Simulator
from simulator.kinds import KIND_NAMES
from simulator.lives import EndpointStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from simulator import RequestRecord
    from simulator.clock import Clock
    from simulator.kinds import KindName
    from simulator.lives import Status

HOST: Final = "host.docker.internal"

STARTED: Final = "recipes-graph-ModelTransform-yzssw3e5t7pcl6"
"""The job that the provider started for an earlier Create of the resource in `create-start`."""

STARTED_ENDPOINT: Final = "comics-graph-Endpoint-yzssw3e5t7pcl6"
"""The endpoint that it created for an earlier Create of the resource in `create-endpoint`."""


class LocalJob(NamedTuple):
    """A job of the local world.

    Attributes:
        kind: Its kind.
        status: Its status before an event.
        stop_seconds: How many seconds it takes to stop when it is cancelled; `None`: it never stops.
    """

    kind: KindName = "modeltransform"
    status: Status = JobStatus.IN_PROGRESS
    stop_seconds: float | None = 2.0


JOBS: Final[Mapping[str, LocalJob]] = {
    "movies": LocalJob(),
    "books": LocalJob(),
    "music": LocalJob(stop_seconds=8.0),
    "stuck": LocalJob(stop_seconds=None),
    STARTED: LocalJob(),
    "comics-processing": LocalJob("dataprocessing"),
    "comics-training": LocalJob("modeltraining"),
    "comics-trained": LocalJob("modeltraining", JobStatus.COMPLETED),
    STARTED_ENDPOINT: LocalJob("endpoints", EndpointStatus.IN_SERVICE),
}
"""The jobs, by their IDs; no two kinds share an ID."""

TRAININGS: Final[Mapping[str, JobPlan]] = {
    "news-training": JobPlan(base_seconds=1.0, run_seconds=4.0),
    "photos-training": JobPlan(
        base_seconds=1.0, run_seconds=3.0, fails_with="AlgorithmError: the training job has left no model artifacts"
    ),
}
"""The course of a job that an event starts with the models of one of these trainings. Other jobs keep running."""

_STOP_SECONDS = 2.0
_IN_SERVICE_SECONDS = 2.0


class Ports(NamedTuple):
    """Where the local world listens.

    Attributes:
        neptune: The simulator's port.
        responses: The response host's port.
    """

    neptune: int
    responses: int


NOT_THERE: Final = "not there"
"""The status of a job that does not exist."""

FIXED_PORTS: Final = Ports(18182, 18183)
"""The ports in the events. Not 8182, which may be a tunnel to a real cluster."""

FREE_PORTS: Final = Ports(0, 0)
"""Any free ports."""


@dataclass(frozen=True)
class World:
    """The running local world.

    Attributes:
        neptune: The simulated cluster.
        responses: The stand-in for the host of CloudFormation's response URLs.
    """

    neptune: Simulator
    responses: ResponseHost

    @property
    def ports(self) -> Ports:
        """Its ports."""
        return Ports(self.neptune.port, urlsplit(self.responses.url).port or 0)

    def jobs(self) -> dict[str, Status]:
        """List the jobs of all kinds.

        Returns:
            Their statuses, by their IDs.
        """
        return {job_id: status for kind in KIND_NAMES for job_id, status in self.neptune.of(kind).jobs().items()}

    def status(self, job_id: str) -> str:
        """Return a job's status.

        Args:
            job_id: The job's ID.

        Returns:
            Its status, or `NOT_THERE`.
        """
        return self.jobs().get(job_id, NOT_THERE)

    def restore(self, job_id: str) -> str:
        """Set a job up again as the events expect it.

        Args:
            job_id: One of `JOBS`, or another job, which the events expect not to exist.

        Returns:
            What was done; empty if nothing was necessary.
        """
        job, status = JOBS.get(job_id), self.status(job_id)
        # An endpoint may have the same status, and another description.
        if status == (job.status if job else NOT_THERE) and not (job and job.kind == "endpoints"):
            return ""
        for kind in KIND_NAMES:
            with suppress(JobNotFoundError):
                self.neptune.of(kind).forget_job(job_id)
        if job is None:
            return "removed"
        self.neptune.of(job.kind).start_job(job_id, status=job.status, stop_seconds=job.stop_seconds)
        return "set up again"


def job_of(physical_id: str) -> str:
    """Return the ID of a resource's job.

    Args:
        physical_id: The resource's physical ID.

    Returns:
        The job's ID; some other text if the resource has no job.
    """
    return physical_id.rpartition("/")[2]


@contextmanager
def running(
    address: str,
    ports: Ports = FREE_PORTS,
    on_request: Callable[[RequestRecord], None] | None = None,
    clock: Clock = time.time,
) -> Iterator[World]:
    """Run the local world.

    Args:
        address: The address to listen on.
        ports: The ports to listen on.
        on_request: Called with each request to the simulator; its time is in seconds of the clock.
        clock: The clock of the jobs.

    Yields:
        The world.

    Raises:
        OSError: It cannot listen there.
    """
    with (
        Simulator(
            clock=clock,
            host=address,
            port=ports.neptune,
            stop_seconds=_STOP_SECONDS,
            on_request=on_request,
        ) as neptune,
        ResponseHost(address, ports.responses) as responses,
    ):
        neptune.of("endpoints").plan = JobPlan(run_seconds=_IN_SERVICE_SECONDS, stop_seconds=_STOP_SECONDS)
        for training, plan in TRAININGS.items():
            neptune.plan_training(training, plan)
        here = World(neptune, responses)
        for job_id in JOBS:
            here.restore(job_id)
        yield here
