"""The ids that the provider gives the jobs that it starts.

An id is readable (stack and resource) and ends in what can be derived again: digests of the resource and of what
describes the job, the time of the request that started it, and a digest of that request. A request that is delivered
again finds its own job so, and a job that nobody was told of is recognised by the first two digests::

    movies-TransformJo-sl3ndld5aehj-bvutuqadhyq
    ------------------ ------++++++ -------++++
    stack and resource digests      time, digest of the request
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b32decode, b32encode
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

_DIGEST_CHARACTERS, _REQUEST_CHARACTERS, _TIME_CHARACTERS = 6, 4, 7
# Of stack and of resource: with the rest, an id has 48, the most that Neptune takes (Neptune user guide, "Neptune ML
# management API errors and exceptions"); it takes letters, digits and hyphens.
_NAME_CHARACTERS = 11
_TIME_BYTES = 5
_ALPHABET = "a-z2-7"
_FORM = re.compile(rf".*-([{_ALPHABET}]{{12}})-([{_ALPHABET}]{{{_TIME_CHARACTERS}}})[{_ALPHABET}]{{4}}", re.S)


class Origin(NamedTuple):
    """Who asks for a job, and when.

    Attributes:
        names: What a reader knows the resource by.
        resource: What tells it from every other resource.
        request: What tells this request from every other one.
        asked_at: When it was asked, seconds since the epoch; `None` if that is not known for each of its deliveries.
    """

    names: tuple[str, ...]
    resource: str
    request: str
    asked_at: float | None = None


def make(origin: Origin, description: Mapping[str, object]) -> str:
    """Make the id of a job; the same for each delivery of a request.

    Args:
        origin: Who asks for it.
        description: What describes it, by the names of the API's parameters.

    Returns:
        At most 48 letters, digits and hyphens, the first no hyphen.
    """
    names = (re.sub("[^A-Za-z0-9]+", "-", name)[:_NAME_CHARACTERS].strip("-") for name in origin.names)
    readable = "-".join(name for name in names if name) or "job"
    seconds = int(origin.asked_at or 0).to_bytes(_TIME_BYTES, "big")
    # 35 of the 40 bits: until the year 3058.
    time = b32encode(seconds).decode().lower()[-_TIME_CHARACTERS:]
    request = _digest(origin.request)[:_REQUEST_CHARACTERS]
    return f"{readable}-{_mark(origin, description)}-{time}{request}"


def is_of(job_id: str, origin: Origin, description: Mapping[str, object]) -> bool:
    """Tell whether a job was started for a resource, by this description.

    Args:
        job_id: The job's id.
        origin: The resource; whichever its request.
        description: What describes the job.

    Returns:
        Whether it was.
    """
    match = _FORM.fullmatch(job_id)
    return match is not None and match[1] == _mark(origin, description)


def asked_at(job_id: str) -> int:
    """Tell when a job was asked for.

    Args:
        job_id: Its id, which `make` made.

    Returns:
        Seconds since the epoch; 0 if that is not known.
    """
    match = _FORM.fullmatch(job_id)
    return int.from_bytes(b32decode(f"a{match[2]}".upper()), "big") if match else 0


def _mark(origin: Origin, description: Mapping[str, object]) -> str:
    # What describes a job must give the same digest for ever: another one would replace the job.
    # Its lists are sets, of subnets for example.
    sets = {name: sorted(it) if isinstance(it, (tuple, list)) else it for name, it in description.items()}
    of_description = json.dumps(sets, sort_keys=True, ensure_ascii=True)
    return _digest(origin.resource) + _digest(of_description)


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return b32encode(digest).decode().lower()[:_DIGEST_CHARACTERS]
