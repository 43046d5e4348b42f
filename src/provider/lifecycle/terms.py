"""What a lifecycle is asked and what it says."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Protocol

from provider.journal.entry import Outcome, RequestType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provider.journal.entry import Entry
    from provider.lifecycle.patience import Patience


class Journal(Protocol):
    """Where entries stand: `journal.Table`, or one in memory."""

    def read(self, resource: str) -> tuple[Entry | None, int]:
        """Read what is known of a resource, and how often it was written.

        Raises:
            JournalUnavailable: It cannot be read.
        """

    def write(self, resource: str, entry: Entry, revision: int) -> None:
        """Write what is known of a resource, if it was written as often as that.

        Raises:
            Conflict: It was not, or it is not known whether it is written.
            JournalUnavailable: It cannot be written.
        """


class RequestFailed(Exception):
    """The request cannot be fulfilled; the message tells the resource's user why and what to do."""


class Asked(NamedTuple):
    """What is asked of a resource, whoever asks.

    Attributes:
        type: What CloudFormation asks for.
        request_id: Its id.
        stack_id: The stack's ARN.
        logical_id: The resource's name in the template.
        physical_id: The resource's id so far; empty for a Create.
        properties: The resource's properties, as sent.
        old_properties: Those before an Update, as sent.
        resource_type: The resource's type.
        signed_at: When CloudFormation signed the request, seconds since the epoch; `None` if it does not say.
        until: For how long somebody waits for the answer, likewise.
    """

    type: RequestType
    request_id: str
    stack_id: str
    logical_id: str
    physical_id: str
    properties: Mapping[str, object]
    old_properties: Mapping[str, object] = MappingProxyType({})
    resource_type: str = ""
    signed_at: float | None = None
    until: float = float("inf")

    @property
    def is_delete(self) -> bool:
        """Whether it is a Delete."""
        return self.type is RequestType.DELETE

    @property
    def resource(self) -> str:
        """What the journal calls the resource."""
        return f"{self.stack_id}|{self.logical_id}|{self.resource_type}"


class Told(NamedTuple):
    """What CloudFormation is to be told.

    Attributes:
        outcome: How the request ended.
        physical_id: The job; empty if the request has none.
        reason: Why it failed.
        attributes: What `Fn::GetAtt` returns.
    """

    outcome: Outcome
    physical_id: str
    reason: str = ""
    attributes: Mapping[str, str] = MappingProxyType({})

    @property
    def has_failed(self) -> bool:
        """Whether the request failed."""
        return self.outcome is Outcome.FAILED


class Waiting(NamedTuple):
    """The request needs another look; `reason` says what is known so far."""

    reason: str
    patience: Patience
