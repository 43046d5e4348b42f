"""Faults on demand: what goes wrong between a client and Neptune, and when."""

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
"""An operation of every kind; `start` and `cancel` are the creation and the deletion of an endpoint."""

OPERATION_NAMES: Final[tuple[OperationName, ...]] = get_args(OperationName)


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """Answer with an error of the API.

    Attributes:
        code: The error's name in the service model, such as `TooManyRequestsException`.
        message: The `detailedMessage`.

    Raises:
        ValueError: The simulator does not know this error.
    """

    code: str
    message: str = "Fault injected by the simulator."

    def __post_init__(self) -> None:
        if self.code not in ERROR_STATUSES:
            raise ValueError(f"unknown error {self.code!r}; known: {', '.join(ERROR_STATUSES)}")


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """Answer with something that the API would not send, such as a load balancer's page.

    Attributes:
        status: The HTTP status: 200, or 400 to 599.
        body: The body.
        content_type: The `Content-Type` header.
    """

    status: int
    body: str = ""
    content_type: str = "text/html"


GARBAGE: Final = RawAnswer(status=200, body="<<< this is not JSON", content_type="application/json")
"""A success whose body is not JSON."""


@dataclass(frozen=True, slots=True)
class Reset:
    """Reset the connection (TCP RST) instead of answering."""


@dataclass(frozen=True, slots=True)
class Truncated:
    """Close the connection halfway through the body of the API's own answer."""


@dataclass(frozen=True, slots=True)
class Hang:
    """Never answer; the connection stays open until the client or the simulator ends it."""


Effect: TypeAlias = ErrorAnswer | RawAnswer | Reset | Truncated | Hang


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong.

    Attributes:
        effect: What the client gets; None: the API's own answer, after a delay.
        on: The operations that the fault applies to.
        kind: The kind that the fault applies to; None: all kinds.
        times: The number of requests that the fault applies to; None: all, until the faults are cleared.
        delay_seconds: The delay before anything happens, in seconds of real time.
        takes_effect: Whether the API still carries the request out (the answer is lost, not the request). Without an
            effect, and with `Truncated`, it always does.
        late_seconds: The time from the answer until the request takes effect, in seconds of the simulator's clock.

    Raises:
        ValueError: A time is invalid, or the request cannot take effect late.
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
            raise ValueError("late_seconds needs takes_effect, and an effect that replaces the answer")

    def concerns(self, operation: OperationName, kind: KindName) -> bool:
        """Return whether the fault applies to an operation of a kind."""
        return operation in self.on and self.kind in {None, kind}

    @property
    def carried_out(self) -> bool:
        """Whether the API carries the request out."""
        return self.takes_effect or not self.replaces_answer

    @property
    def replaces_answer(self) -> bool:
        """Whether the client gets no part of the API's own answer."""
        return self.effect is not None and not isinstance(self.effect, Truncated)


class FaultPlan:
    """The faults to come; thread-safe. A request meets the first fault that applies to it."""

    def __init__(self) -> None:
        # Each with the number of times left.
        self._faults: deque[tuple[Fault, int | None]] = deque()
        self._lock = threading.Lock()

    def inject(self, fault: Fault) -> None:
        """Add a fault after the others."""
        with self._lock:
            self._faults.append((fault, fault.times))

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._faults.clear()

    def strike(self, operation: OperationName, kind: KindName) -> Fault | None:
        """Return the fault that this request meets, if any, and count it."""
        with self._lock:
            for index, (fault, left) in enumerate(self._faults):
                if fault.concerns(operation, kind):
                    if left == 1:
                        del self._faults[index]
                    elif left is not None:
                        self._faults[index] = (fault, left - 1)
                    return fault
            return None
