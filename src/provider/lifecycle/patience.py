"""How long a request retries while a temporary fault lasts: one table.

After a failed Create, the user can try again. An Update may be a rollback, which must not fail, and a deletion that
gave up would leave its job running. A failover or an upgrade of the engine takes minutes, and Neptune takes up to ten
minutes to apply a change to an IAM policy (Neptune user guide, "IAM data-access policies"). A cluster that is upgraded
meanwhile does not end a wait of an hour.
"""

from __future__ import annotations

from enum import StrEnum, auto
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Self, cast

from provider.clock import is_time

if TYPE_CHECKING:
    from collections.abc import Mapping


class Fault(StrEnum):
    """A fault that may be temporary."""

    SILENCE = auto()  # no connection, no usable response, throttling
    UNKNOWN_HOST = auto()
    REFUSAL = auto()  # 400
    DENIAL = auto()  # 403
    JOURNAL = auto()


class Phase(StrEnum):
    """What the request is doing when the fault occurs."""

    CREATE = "Create"
    UPDATE = "Update"
    DELETE = "Delete"
    COMPLETING = auto()  # it waits for a job to complete
    STOPPING = auto()  # it waits for a cancelled job to stop
    OWED = auto()  # the message of a closed job
    UNWRITTEN = auto()  # it can do without the journal
    CHECK = auto()  # it checks a route


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
        # A new role or security group rule takes effect after some seconds.
        Phase.CHECK: {**dict.fromkeys(Fault, 30.0), Fault.DENIAL: 10 * _MINUTE},
    }
)
"""The limits in seconds, by phase and fault."""
NONE: Mapping[Phase, Mapping[Fault, float]] = MappingProxyType({phase: dict.fromkeys(Fault, 0.0) for phase in Phase})
"""The limits of a local run, in which a person waits, who may have forgotten to start the simulator."""


class Patience(NamedTuple):
    """The state that a request carries from one look to the next. Times are in seconds since the epoch.

    Attributes:
        silent_since: Since when looks at the job have failed.
        refused_since: Since when Neptune has not done what it was asked.
        fault: The present fault.
        words: The last message about it.
        cancelled_at: When Neptune was last asked to cancel the job.
        unwritten_since: Since when the journal has been unavailable.
    """

    silent_since: float | None = None
    refused_since: float | None = None
    fault: Fault = Fault.SILENCE
    words: str = ""
    cancelled_at: float | None = None
    unwritten_since: float | None = None

    def is_over(self, phase: Phase, now: float, limits: Mapping[Phase, Mapping[Fault, float]]) -> bool:
        """Tell whether a fault has lasted longer than its limit."""
        since = [it for it in (self.silent_since, self.refused_since) if it is not None]
        return any(now - it >= limits[phase][self.fault] for it in since)

    def after(self, fault: Fault, words: str, now: float) -> Self:
        """Return the state after a look that failed.

        Args:
            fault: The fault.
            words: The message about it.
            now: The time.
        """
        since = now if self.silent_since is None else self.silent_since
        return self._replace(silent_since=since, fault=self.fault_after(fault), words=words)

    def fault_after(self, fault: Fault) -> Fault:
        """Return the fault whose limit applies: an unknown host that was known before is not mistyped."""
        is_first = self.silent_since is None and self.refused_since is None
        return fault if is_first or fault is not Fault.UNKNOWN_HOST else self.fault

    def as_json(self) -> dict[str, object]:
        """Return the state as JSON."""
        return {name: value for name, value in self._asdict().items() if value != self._field_defaults[name]}

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Self:
        """Read the state from JSON, without the fields of other versions of the provider.

        Raises:
            ValueError: A field is malformed. The message names it.
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
