"""The simulator's time: a real clock, or one that a test advances."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, TypeAlias

Clock: TypeAlias = Callable[[], float]
"""Returns the time in seconds; only differences count (`time.monotonic` is one)."""

_MAX_SECONDS: Final = 1e9


def check_seconds(seconds: float) -> None:
    """Raise a `ValueError` if a time span is negative, not a number, or longer than 30 years."""
    if not 0 <= seconds <= _MAX_SECONDS:
        raise ValueError(f"a time span is from 0 to {_MAX_SECONDS:,.0f} seconds")


class ManualClock:
    """A thread-safe clock that starts at 0 and moves only when it is advanced.

    Example:
        >>> clock = ManualClock()
        >>> clock.advance(3600)
        3600.0
        >>> clock()
        3600.0
    """

    def __init__(self) -> None:
        self._now = 0.0
        self._lock = threading.Lock()

    def __call__(self) -> float:
        """Return the time in seconds."""
        return self._now

    def advance(self, seconds: float) -> float:
        """Move the clock forward.

        Args:
            seconds: How far, in seconds, zero or more.

        Returns:
            The new time in seconds.

        Raises:
            ValueError: `seconds` is not a time span.
        """
        check_seconds(seconds)
        with self._lock:
            self._now += seconds
            return self._now
