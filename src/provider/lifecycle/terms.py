"""What a lifecycle is asked and what it says."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provider.identity import Identity
    from provider.job_id import Origin
    from provider.kinds.kind import Words
    from provider.neptune import Job
    from provider.schema import Properties

_LATEST_TIME = 1e11  # seconds since the epoch


class JobsOfCluster(Protocol):
    """The jobs of one cluster: `neptune.Jobs`, or a stand-in."""

    def start(self, job_id: str, properties: Properties) -> None:
        """Start a job; see `Jobs.start`."""

    def update(self, job_id: str, properties: Properties) -> None:
        """Change a job; see `Jobs.update`."""

    def get(self, job_id: str, properties: Properties) -> Job:
        """Look a job up; see `Jobs.get`."""

    def list(self, properties: Properties) -> tuple[str, ...]:
        """List the ids of all jobs; see `Jobs.list`."""

    def cancel(self, job_id: str, properties: Properties) -> None:
        """Cancel a job; see `Jobs.cancel`."""


class RequestFailed(Exception):
    """The request cannot be fulfilled.

    Args:
        message: Tells the resource's user why and what to do.
        leaves: The physical id of what a Create leaves: the identity of the job that it started, or of one that is
            perhaps started, marked so; empty if there is none.
    """

    def __init__(self, message: str, leaves: str = "") -> None:
        super().__init__(message)
        self.leaves = leaves


def forbidden(identity: Identity, problem: str, words: Words) -> RequestFailed:
    """Say that a job is at a host that the provider may not speak to.

    Args:
        identity: The job.
        problem: What its host should be; see `hosts.problem_of`.
        words: What messages say of its kind.

    Returns:
        The failure of its Delete.
    """
    return RequestFailed(
        f"{words.named(identity.id)} cannot be {words.cancelled}: its cluster is at {identity.endpoint.host}, which "
        f"should be {problem} If the provider's AllowedHosts was changed, change it back and try the deletion again."
    )


class Progress(NamedTuple):
    """What earlier looks have found out; times are seconds of `Clock.wall`.

    Attributes:
        cancelled_at: When Neptune accepted the cancellation, or was found to have.
        unclear: Whether a cancellation got no usable answer, and the job has not been looked at since.
        refused_at: When Neptune refused the cancellation of a job that was running.
        words: What came of the last cancellation that was not accepted.
        silent_since: Since when no connection to Neptune has come about, or nothing could be adopted or started.
        leftover: The job that CloudFormation does not know and that is being stopped.
        job_id: The job that an Update starts.
        start_sent_at: When Neptune was asked to start the job, or to change it, and perhaps did.
        is_accepted: Whether it has said so.
        is_seen: Whether the job that the request started has been looked up.
        has_searched: Whether a job that nobody was told of has been searched for, and none was there.
        is_tidied: Whether what a failed Update left is stopped.
        looked_at: When the last look at an Update was over that had Neptune neither start nor change anything.
        settled_at: Since when the job is known to be what it was changed to.
        arns: The ARNs of its SageMaker jobs since then; before, those when Neptune was asked to change it.
    """

    cancelled_at: float | None = None
    unclear: bool = False
    refused_at: float | None = None
    words: str = ""
    silent_since: float | None = None
    leftover: str = ""
    job_id: str = ""
    start_sent_at: float | None = None
    is_accepted: bool = False
    is_seen: bool = False
    has_searched: bool = False
    is_tidied: bool = False
    looked_at: float | None = None
    settled_at: float | None = None
    arns: str = ""

    def as_json(self) -> dict[str, object]:
        """Return it as JSON has it."""
        return {name: value for name, value in self._asdict().items() if value != self._field_defaults[name]}

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Self:
        """Read it; what another version of the provider has noted besides is left aside.

        Args:
            data: What `as_json` returned.

        Returns:
            The progress.

        Raises:
            ValueError: It is something else; the message names the field.
        """
        known = {name: value for name, value in data.items() if name in cls._fields}
        for name, value in known.items():
            default = cls._field_defaults[name]
            if default is None:
                right = type(value) in (int, float) and 0 <= cast("float", value) <= _LATEST_TIME
            else:
                right = type(value) is type(default)
            if not right:
                raise ValueError(name)
        return cls(**cast("dict[str, Any]", known))


class Request(NamedTuple):
    """What is asked of a resource, whoever asks.

    Attributes:
        physical_id: The resource's id so far; `None` for a Create.
        properties: The resource's properties, as sent.
        origin: Who asks.
        time_limit: For how long somebody waits for the answer, in seconds.
        old_properties: Those before an Update, as sent.
        progress: What earlier looks have found out.
    """

    physical_id: str | None
    properties: Mapping[str, object]
    origin: Origin
    time_limit: float = 3600.0
    old_properties: Mapping[str, object] = MappingProxyType({})
    progress: Progress = Progress()


class Done(NamedTuple):
    """The request is fulfilled.

    Attributes:
        physical_id: The resource's id.
        attributes: What `Fn::GetAtt` returns.
        leaves: What a Create leaves that fails all the same; see `RequestFailed`.
    """

    physical_id: str
    attributes: Mapping[str, str] = MappingProxyType({})
    leaves: str = ""


class Waiting(NamedTuple):
    """The request needs another look.

    Attributes:
        reason: What is known so far, one sentence.
        progress: What the next look has to know.
        leaves: What a Create leaves that ends now; see `RequestFailed`.
    """

    reason: str
    progress: Progress
    leaves: str = ""
