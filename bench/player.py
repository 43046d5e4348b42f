"""Play deletions with a simulated clock, on which fifteen minutes take a second.

The function's own code runs over HTTP, with the simulated cluster and a queue in memory. It runs in a process of its
own, so that the code is that of the measured package. At the end, this prints one line of JSON.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from bench.courses import Played
from local.response_host import ResponseHost
from simulator import ManualClock, Simulator
from tests.function.world import World

if TYPE_CHECKING:
    from provider.neptune import Jobs
    from provider.values import Endpoint


@dataclass
class _Counted(World):
    """Counts invocations, and keeps its clients as a warm function does."""

    invocations: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._connect = lru_cache(super().connect)

    def invoke(self, event: object, remaining: float = 900.0) -> dict[str, str]:
        self.invocations += 1
        return super().invoke(event, remaining)

    def connect(self, endpoint: Endpoint) -> Jobs:
        return self._connect(endpoint)


def play(stop_seconds: float) -> Played:
    """Play the deletion of a job that takes so many seconds to stop."""
    clock = ManualClock()
    with Simulator(clock=clock) as simulator, ResponseHost() as host:
        world = _Counted(simulator, host, clock)
        simulator.start_job("job-1", stop_seconds=stop_seconds)
        told = world.run(world.event("Delete"))
        if told["Status"] != "SUCCESS":
            raise RuntimeError(f"the deletion failed: {told}")
        # No time passes while the function works: Neptune got the cancellation at 0.
        return Played(stop_seconds, clock() - stop_seconds, len(simulator.log), world.invocations)


if __name__ == "__main__":
    print(json.dumps([play(float(seconds)) for seconds in sys.argv[1:]]))
