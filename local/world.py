"""The local world: the jobs, the host and the ports that `events/*.json` speak of, defined here once.

A container reaches this machine by the name `host.docker.internal`, also where Docker runs in a virtual machine.
"""

from __future__ import annotations

import json
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

from local.response_host import ResponseHost
from simulator import JobNotFoundError, JobStatus, Simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from simulator import RequestRecord

HOST: Final = "host.docker.internal"
EVENTS: Final = Path(__file__).parent.parent / "events"

JOBS: Final[Mapping[str, float | None]] = {"movies": 2.0, "books": 2.0, "music": 8.0, "stuck": None}
"""The jobs, all of them running, and the seconds that each takes to stop once it is cancelled; `None`: it never stops.
"""


class Ports(NamedTuple):
    """Where the local world listens.

    Attributes:
        neptune: The simulator's port.
        responses: The response host's port.
    """

    neptune: int
    responses: int


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
            Its status, or `not there`.
        """
        try:
            return self.neptune.status(job_id)
        except JobNotFoundError:
            return "not there"

    def renew(self, job_id: str) -> bool:
        """Start a job anew if it runs no more, or is to stop.

        Args:
            job_id: The job.

        Returns:
            Whether it was started anew.
        """
        if job_id not in JOBS or self.neptune.status(job_id) == JobStatus.IN_PROGRESS:
            return False
        self.neptune.forget_job(job_id)
        self.neptune.start_job(job_id, stop_seconds=JOBS[job_id])
        return True


@contextmanager
def running(
    address: str, ports: Ports = FREE_PORTS, on_request: Callable[[RequestRecord], None] | None = None
) -> Iterator[World]:
    """Run the local world.

    Args:
        address: The address of this machine to listen on.
        ports: The ports to listen on.
        on_request: Called with each request to the simulator; its time is in seconds since the epoch.

    Yields:
        The world.

    Raises:
        OSError: It cannot listen there.
    """
    with (
        tempfile.TemporaryDirectory(prefix="artifacts-") as artifacts,
        Simulator(
            artifacts_dir=artifacts, clock=time.time, host=address, port=ports.neptune, on_request=on_request
        ) as neptune,
        ResponseHost(address, ports.responses) as responses,
    ):
        for job_id, stop_seconds in JOBS.items():
            neptune.start_job(job_id, stop_seconds=stop_seconds)
        yield World(neptune, responses)


def event_names() -> list[str]:
    """List the events.

    Returns:
        The names of their files, without `.json`.
    """
    return sorted(path.stem for path in EVENTS.glob("*.json"))


def event_text(name: str, ports: Ports = FIXED_PORTS) -> str:
    """Read an event.

    Args:
        name: Its name.
        ports: Where the world of its jobs listens.

    Returns:
        The event, in JSON.
    """
    text = (EVENTS / f"{name}.json").read_text()
    for fixed, port in zip(FIXED_PORTS, ports, strict=True):
        text = text.replace(f"{HOST}:{fixed}", f"{HOST}:{port}")
    return text


def request_in(event: Mapping[str, Any]) -> dict[str, Any]:
    """Find CloudFormation's request in an event.

    Args:
        event: The request itself, or a message of the waiting queue with it.

    Returns:
        The request.
    """
    return dict(json.loads(event["Records"][0]["body"]) if "Records" in event else event)
