"""The time, passed in, so that a test can play an hour in a millisecond."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock(NamedTuple):
    """The clocks of one invocation.

    Attributes:
        monotonic: Seconds from an arbitrary start; never jumps. Measures waits within an invocation.
        wall: Seconds since the epoch; may jump. Measures what spans invocations.
        sleep: Waits for the given seconds.
    """

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
