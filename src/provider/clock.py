"""The time, which is passed in so that a test can play an hour in a millisecond."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple, TypeGuard, cast

if TYPE_CHECKING:
    from collections.abc import Callable

_LATEST_TIME = 1e11


class Clock(NamedTuple):
    """The clocks of one invocation.

    Attributes:
        monotonic: Seconds from an arbitrary start. It never jumps, and measures waits within an invocation.
        wall: Seconds since the epoch. It may jump, and measures what spans invocations.
        sleep: Waits for the given number of seconds.
    """

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


def is_time(value: object) -> TypeGuard[float]:
    """Tell whether a value is a plausible time, in seconds since the epoch."""
    return type(value) in (int, float) and 0 <= cast("float", value) <= _LATEST_TIME
