from __future__ import annotations

from typing import TYPE_CHECKING

import botocore.endpoint
import pytest

from tests.function.world import World

if TYPE_CHECKING:
    from local.response_host import ResponseHost
    from local.simulator import ManualClock, Simulator


@pytest.fixture
def world(
    simulator: Simulator,
    response_host: ResponseHost,
    simulator_clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    class Time:
        """botocore's pauses between attempts are on the test's clock, too."""

        sleep = simulator_clock.advance

    monkeypatch.setattr(botocore.endpoint, "time", Time)
    return World(simulator, response_host, simulator_clock)
