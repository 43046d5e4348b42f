"""For how long a request bears what may pass by itself: one table.

The user of a failed Create tries again. An Update may be a rollback, which must not fail, and a deletion that gave up
would leave its job to run on: a failover or an engine's upgrade takes minutes, and Neptune applies a change of an IAM
policy after up to ten (Neptune user guide, "IAM data-access policies"). A wait of an hour is not ended by a cluster
that is upgraded meanwhile.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Self, cast

from provider.clock import is_time

if TYPE_CHECKING:
    from collections.abc import Mapping


class Fault(StrEnum):
    """What may pass by itself."""

    SILENCE = "silence"  # no connection, no usable answer, too many requests
    UNKNOWN_HOST = "unknown host"
    REFUSAL = "refusal"  # 400
    DENIAL = "denial"  # 403
    JOURNAL = "journal"


class Phase(StrEnum):
    """What is done meanwhile."""

    CREATE = "Create"
    UPDATE = "Update"
    DELETE = "Delete"
    COMPLETING = "completing"  # a job that is there is waited for
    STOPPING = "stopping"  # it is cancelled
    OWED = "owed"  # a closed job's message
    UNWRITTEN = "unwritten"  # what can do without the journal
    CHECK = "check"  # a route of the provider's


_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0

LIMITS: Mapping[Phase, Mapping[Fault, float]] = MappingProxyType(
    {
        Phase.CREATE: {**dict.fromkeys(Fault, 3 * _MINUTE), Fault.UNKNOWN_HOST: 45.0},
        Phase.UPDATE: dict.fromkeys(Fault, 10 * _MINUTE),
        Phase.DELETE: dict.fromkeys(Fault, 10 * _MINUTE),
        Phase.COMPLETING: dict.fromkeys(Fault, _HOUR),
        Phase.STOPPING: dict.fromkeys(Fault, _HOUR),
        Phase.OWED: dict.fromkeys(Fault, _DAY),
        Phase.UNWRITTEN: dict.fromkeys(Fault, 10.0),
        # A role that was just made, and a rule of a security group, take effect some seconds later.
        Phase.CHECK: {**dict.fromkeys(Fault, 30.0), Fault.DENIAL: 10 * _MINUTE},
    }
)
"""Seconds, by what is done and what is wrong."""
NONE: Mapping[Phase, Mapping[Fault, float]] = MappingProxyType({phase: dict.fromkeys(Fault, 0.0) for phase in Phase})
"""That of a local run: a person waits, who has perhaps forgotten to start a Neptune."""


class Patience(NamedTuple):
    """What a request's message carries from one look to the next; times are seconds since the epoch.

    Attributes:
        silent_since: Since when no look at the job has been answered.
        refused_since: Since when what is asked of Neptune is not done.
        fault: What is wrong.
        words: What was said last of it.
        cancelled_at: When Neptune was last asked to cancel the job.
        unwritten_since: Since when the journal cannot be used.
    """

    silent_since: float | None = None
    refused_since: float | None = None
    fault: Fault = Fault.SILENCE
    words: str = ""
    cancelled_at: float | None = None
    unwritten_since: float | None = None

    def is_over(self, phase: Phase, now: float, limits: Mapping[Phase, Mapping[Fault, float]]) -> bool:
        """Tell whether something has been wrong for longer than it is borne."""
        since = [it for it in (self.silent_since, self.refused_since) if it is not None]
        return any(now - it >= limits[phase][self.fault] for it in since)

    def after(self, fault: Fault, words: str, now: float) -> Self:
        """Return what is known when a look was not answered.

        Args:
            fault: What is wrong.
            words: What was said of it.
            now: The time.

        Returns:
            The patience that goes on.
        """
        since = now if self.silent_since is None else self.silent_since
        return self._replace(silent_since=since, fault=self.fault_after(fault), words=words)

    def fault_after(self, fault: Fault) -> Fault:
        """Say by which fault something is borne that goes wrong now: a host that was there before is not mistyped."""
        is_first = self.silent_since is None and self.refused_since is None
        return fault if is_first or fault is not Fault.UNKNOWN_HOST else self.fault

    def as_json(self) -> dict[str, object]:
        """Return it as JSON has it."""
        return {name: value for name, value in self._asdict().items() if value != self._field_defaults[name]}

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Self:
        """Read it; what another version of the provider has noted besides is left aside.

        Args:
            data: What `as_json` returned.

        Returns:
            The patience.

        Raises:
            ValueError: It is something else; the message names the field.
        """
        known = {name: value for name, value in data.items() if name in cls._fields}
        for name, value in known.items():
            if name.endswith(("_since", "_at")):
                right = is_time(value)
            else:
                right = value in list(Fault) if name == "fault" else isinstance(value, str)
            if not right:
                raise ValueError(name)
        if "fault" in known:
            known["fault"] = Fault(cast("str", known["fault"]))
        return cls(**cast("dict[str, Any]", known))
