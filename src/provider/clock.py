"""The time, passed in, so that a test can play an hour in a millisecond."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Clock:
    """The clocks of one invocation.

    Attributes:
        monotonic: Seconds from an arbitrary start; never jumps. Measures waits within an invocation.
        wall: Seconds since the epoch; may jump. Measures what spans invocations.
        sleep: Waits for the given seconds.
    """

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
