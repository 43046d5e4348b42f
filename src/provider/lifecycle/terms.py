"""The input and output of a lifecycle."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Protocol

from provider.journal.entry import Outcome, RequestType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provider.journal.entry import Entry
    from provider.lifecycle.patience import Patience


class Journal(Protocol):
    """A journal: `journal.Table`, or one in memory."""

    def read(self, resource: str) -> tuple[Entry | None, int]:
        """Read the entry of a resource, and its revision.

        Raises:
            JournalUnavailable: It could not be read.
        """

    def write(self, resource: str, entry: Entry, revision: int) -> None:
        """Write the entry of a resource, if it still has that revision.

        Raises:
            Conflict: It has another revision, or it is unknown whether the write succeeded.
            JournalUnavailable: It could not be written.
        """


class RequestFailed(Exception):
    """The request cannot be fulfilled. The message tells the resource's user why, and what to do."""


class Asked(NamedTuple):
    """A request, without CloudFormation's protocol.

    Attributes:
        type: Its type.
        request_id: Its ID.
        stack_id: The stack's ARN.
        logical_id: The resource's logical ID.
        physical_id: The resource's present physical ID; empty for a Create.
        properties: The resource's properties, as sent.
        old_properties: The properties before an Update, as sent.
        resource_type: The resource's type.
        signed_at: When CloudFormation signed it, in seconds since the epoch; `None` if that is unknown.
        until: Until when the response is awaited, in seconds since the epoch.
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
        """The name of the resource in the journal."""
        return f"{self.stack_id}|{self.logical_id}|{self.resource_type}"


class Told(NamedTuple):
    """The answer to a request.

    Attributes:
        outcome: How the request ended.
        physical_id: The identity of its job; empty if it has none.
        reason: Why it failed.
        attributes: The attributes that `Fn::GetAtt` returns.
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
    """The request needs another look; `reason` says why."""

    reason: str
    patience: Patience
