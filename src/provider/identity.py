"""The identity of a job: its cluster and its id. Two clusters may both have a job of the same id."""

from __future__ import annotations

import re
from typing import NamedTuple, Self

from provider.values import Endpoint

LONGEST_BYTES = 1024  # "can be up to 1 KB in size", CloudFormation User Guide on PhysicalResourceId

NO_JOB = "no-job"
"""Marks the physical id of a failed creation that has begun no job."""

_FORM = re.compile(r"(http://)?([a-z0-9.-]+):([0-9]{1,5})/([^/\s]+)")


class Identity(NamedTuple):
    """The identity of a job, and as text the physical id of the resource that has adopted or started it.

    Its form, `host:port/id`, says that there is such a job: neither an id that CloudFormation invents nor the marker of
    a failed creation has a port before a slash. Plain HTTP, of a local run, shows in it.

    Attributes:
        endpoint: The cluster.
        id: The job's id.
    """

    endpoint: Endpoint
    id: str

    def __str__(self) -> str:
        """Write it as a physical id."""
        scheme = "http://" if self.endpoint.scheme == "http" else ""
        return f"{scheme}{self.endpoint.host}:{self.endpoint.port}/{self.id}"

    @classmethod
    def parse(cls, physical_id: str) -> Self | None:
        """Read a physical id.

        Args:
            physical_id: A resource's physical id.

        Returns:
            The identity of the resource's job; `None` if it is not known to have one.
        """
        match = _FORM.fullmatch(physical_id)
        if match is None:
            return None
        scheme, host, port, job_id = match.groups()
        return cls(Endpoint("http" if scheme else "https", host, int(port)), job_id)
