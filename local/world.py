"""The local world: the jobs, the host and the ports that `events/*.json` speak of, defined here once.

A container reaches this machine by the name `host.docker.internal`, also where Docker runs in a virtual machine.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

from local.leftovers import temporary_directory
from local.response_host import ResponseHost
from simulator import JobNotFoundError, JobPlan, JobStatus, Simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from simulator import RequestRecord
    from simulator.clock import Clock

HOST: Final = "host.docker.internal"

STARTED: Final = "recipes-graph-ModelTransform-yzssw3e5t7pcl6"
"""A job that the provider has started for an earlier Create of the resource of `create-start`."""

JOBS: Final[Mapping[str, float | None]] = {
    "movies": 2.0,
    "books": 2.0,
    "music": 8.0,
    "stuck": None,
    STARTED: 2.0,
}
"""The jobs, all of them running, and the seconds that each takes to stop once it is cancelled; `None`: it never stops.
"""

TRAININGS: Final[Mapping[str, JobPlan]] = {
    "news-training": JobPlan(base_seconds=1.0, run_seconds=4.0),
    "photos-training": JobPlan(
        base_seconds=1.0, run_seconds=3.0, fails_with="AlgorithmError: the training job has left no model artifacts"
    ),
}
"""What becomes of a job that an event starts with the models of these trainings; with others, it runs on."""
_STOP_SECONDS = 2.0


class Ports(NamedTuple):
    """Where the local world listens.

    Attributes:
        neptune: The simulator's port.
        responses: The response host's port.
    """

    neptune: int
    responses: int


NOT_THERE: Final = "not there"
"""The status of a job that there is not."""

FIXED_PORTS: Final = Ports(18182, 18183)
"""Those that the events name. Not 8182: there may be a tunnel to a real cluster on it."""

FREE_PORTS: Final = Ports(0, 0)
"""Any that are free."""


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
        """Where it listens."""
        return Ports(self.neptune.port, urlsplit(self.responses.url).port or 0)

    def status(self, job_id: str) -> str:
        """Look up a job's status.

        Args:
            job_id: The job.

        Returns:
            Its status, or `NOT_THERE`.
        """
        try:
            return self.neptune.status(job_id)
        except JobNotFoundError:
            return NOT_THERE

    def restore(self, job_id: str) -> str:
        """Put a job back as the events expect it: one of `JOBS` runs, another is not there.

        Args:
            job_id: The job.

        Returns:
            What was done; empty if nothing had to be.
        """
        status = self.status(job_id)
        if status == (JobStatus.IN_PROGRESS if job_id in JOBS else NOT_THERE):
            return ""
        self.neptune.forget_job(job_id)
        if job_id not in JOBS:
            return "removed"
        self.neptune.start_job(job_id, stop_seconds=JOBS[job_id])
        return "started anew"


def job_of(physical_id: str) -> str:
    """Tell whose job a resource has.

    Args:
        physical_id: The resource's physical id.

    Returns:
        The job's id; some other text if there is none.
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
        address: The address of this machine to listen on.
        ports: The ports to listen on.
        on_request: Called with each request to the simulator; its time is in seconds of the clock.
        clock: The time of the jobs.

    Yields:
        The world.

    Raises:
        OSError: It cannot listen there.
    """
    with (
        temporary_directory("artifacts-") as artifacts,
        Simulator(
            artifacts_dir=artifacts,
            clock=clock,
            host=address,
            port=ports.neptune,
            stop_seconds=_STOP_SECONDS,
            on_request=on_request,
        ) as neptune,
        ResponseHost(address, ports.responses) as responses,
    ):
        for job_id, stop_seconds in JOBS.items():
            neptune.start_job(job_id, stop_seconds=stop_seconds)
        for training, plan in TRAININGS.items():
            neptune.plan_training(training, plan)
        yield World(neptune, responses)
