"""Faults on demand: what can go wrong between a client and Neptune, and when it does."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

from simulator.clock import check_seconds
from simulator.errors import ERROR_STATUSES

if TYPE_CHECKING:
    from collections.abc import Collection

    from simulator.kinds import KindName

OperationName: TypeAlias = Literal["start", "get", "list", "cancel"]
"""An operation that every kind of job has; endpoints are created and deleted instead of started and cancelled."""

OPERATION_NAMES: Final[tuple[OperationName, ...]] = get_args(OperationName)


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """Answer an error of the API.

    Attributes:
        code: Its name in the service model, such as `TooManyRequestsException`.
        message: Its `detailedMessage`.

    Raises:
        ValueError: If the simulator knows no such error.
    """

    code: str
    message: str = "Fault injected by the simulator."

    def __post_init__(self) -> None:
        if self.code not in ERROR_STATUSES:
            raise ValueError(f"unknown error {self.code!r}; known: {', '.join(ERROR_STATUSES)}")


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """Answer something that the API would not say, such as a load balancer's page.

    Attributes:
        status: The HTTP status: 200, or 400 to 599.
        body: The body.
        content_type: The `Content-Type` header.
    """

    status: int
    body: str = ""
    content_type: str = "text/html"


GARBAGE: Final = RawAnswer(status=200, body="<<< this is not JSON", content_type="application/json")
"""A success whose body is no JSON."""


@dataclass(frozen=True, slots=True)
class Reset:
    """Reset the connection (TCP RST) instead of answering."""


@dataclass(frozen=True, slots=True)
class Truncated:
    """Close the connection halfway through the body of the answer, which is the API's own."""


@dataclass(frozen=True, slots=True)
class Hang:
    """Never answer; the connection stays open until the client or the simulator ends it."""


Effect: TypeAlias = ErrorAnswer | RawAnswer | Reset | Truncated | Hang


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong.

    Attributes:
        effect: What the client gets; None: the API's own answer (for a mere delay).
        on: The operations that it concerns.
        kind: The kind of jobs whose operations it concerns; None: all kinds.
        times: How many requests it concerns; None: all, until the faults are cleared.
        delay_seconds: How long, in seconds of real time, before anything happens.
        takes_effect: Whether the API carries the request out all the same (a lost answer rather than a lost request).
            Without an effect, and for `Truncated`, it always does.
        late_seconds: How much later than its answer a request that takes effect does so, in seconds of the simulator's
            clock: until then, nobody can see that it was made.

    Raises:
        ValueError: If one of them makes no sense.
    """

    effect: Effect | None = None
    on: Collection[OperationName] = field(default=OPERATION_NAMES, kw_only=True)
    kind: KindName | None = field(default=None, kw_only=True)
    times: int | None = field(default=1, kw_only=True)
    delay_seconds: float = field(default=0.0, kw_only=True)
    takes_effect: bool = field(default=False, kw_only=True)
    late_seconds: float = field(default=0.0, kw_only=True)

    def __post_init__(self) -> None:
        check_seconds(self.delay_seconds)
        check_seconds(self.late_seconds)
        if self.late_seconds and not (self.takes_effect and self.replaces_answer):
            raise ValueError(
                "a fault that makes a request late has it take effect, and an effect instead of its answer"
            )

    def concerns(self, operation: OperationName, kind: KindName) -> bool:
        """Return whether it concerns requests of `operation` of `kind`."""
        return operation in self.on and self.kind in {None, kind}

    @property
    def carried_out(self) -> bool:
        """Whether the API carries the request out."""
        return self.takes_effect or not self.replaces_answer

    @property
    def replaces_answer(self) -> bool:
        """Whether the client gets nothing of the API's own answer."""
        return self.effect is not None and not isinstance(self.effect, Truncated)


class FaultPlan:
    """The faults that are to happen; thread-safe. One fault strikes a request: the first injected that concerns it."""

    def __init__(self) -> None:
        # Immutable faults, each with the number of times left.
        self._faults: deque[tuple[Fault, int | None]] = deque()
        self._lock = threading.Lock()

    def inject(self, fault: Fault) -> None:
        """Add a fault, after those that there are."""
        with self._lock:
            self._faults.append((fault, fault.times))

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._faults.clear()

    def strike(self, operation: OperationName, kind: KindName) -> Fault | None:
        """Return the fault that strikes this request of `operation` of `kind`, if any, and count it."""
        with self._lock:
            for index, (fault, left) in enumerate(self._faults):
                if fault.concerns(operation, kind):
                    if left == 1:
                        del self._faults[index]
                    elif left is not None:
                        self._faults[index] = (fault, left - 1)
                    return fault
            return None
