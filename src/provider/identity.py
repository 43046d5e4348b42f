"""The identity of a job: its cluster and its ID. Two clusters may have jobs with the same ID."""

from __future__ import annotations

import re
from typing import NamedTuple, Self

from provider.values import Endpoint

LONGEST_BYTES = 1024  # "can be up to 1 KB in size", CloudFormation User Guide on PhysicalResourceId

NO_JOB = "no-job"
"""Begins the physical ID of a failed creation that started no job."""

_FORM = re.compile(r"(http://)?([a-z0-9.-]+):([0-9]{1,5})/([^/\s]+)")


class Identity(NamedTuple):
    """The identity of a job. As text, it is the physical ID of the resource that adopted or started the job.

    Its form, `host:port/id`, shows that there is a job: neither an ID that CloudFormation invents nor that of a failed
    creation has a port before a slash. In a local run over plain HTTP, it begins with `http://`.

    Attributes:
        endpoint: The cluster.
        id: The job's ID.
    """

    endpoint: Endpoint
    id: str

    def __str__(self) -> str:
        """Return the physical ID."""
        scheme = "http://" if self.endpoint.scheme == "http" else ""
        return f"{scheme}{self.endpoint.host}:{self.endpoint.port}/{self.id}"

    @classmethod
    def parse(cls, physical_id: str) -> Self | None:
        """Read a physical ID; `None` if it names no job."""
        match = _FORM.fullmatch(physical_id)
        if match is None:
            return None
        scheme, host, port, job_id = match.groups()
        return cls(Endpoint("http" if scheme else "https", host, int(port)), job_id)
