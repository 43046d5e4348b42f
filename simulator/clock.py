"""The simulator's time: a real clock, or one that is advanced by hand."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, TypeAlias

Clock: TypeAlias = Callable[[], float]
"""Returns the time in seconds; only differences count (`time.monotonic` is one)."""


_MAX_SECONDS: Final = 1e9


def check_seconds(seconds: float) -> None:
    """Check a time span.

    Args:
        seconds: The span, in seconds.

    Raises:
        ValueError: If it is negative, not a number, or more than 30 years.
    """
    if not 0 <= seconds <= _MAX_SECONDS:
        raise ValueError(f"a time span is from 0 to {_MAX_SECONDS:,.0f} seconds")


class ManualClock:
    """A thread-safe clock that stands still until it is advanced.

    Args:
        start: The first time it shows, in seconds.

    Example:
        >>> clock = ManualClock()
        >>> clock.advance(3600)
        3600.0
        >>> clock()
        3600.0
    """

    def __init__(self, start: float = 0.0) -> None:
        self._now = start
        self._lock = threading.Lock()

    def __call__(self) -> float:
        """Return the time in seconds."""
        with self._lock:
            return self._now

    def advance(self, seconds: float) -> float:
        """Move the clock forward.

        Args:
            seconds: How far, in seconds, zero or more.

        Returns:
            The new time in seconds.

        Raises:
            ValueError: If `seconds` is no time span.
        """
        check_seconds(seconds)
        with self._lock:
            self._now += seconds
            return self._now
