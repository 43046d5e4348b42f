from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import boto3
import pytest
from botocore.config import Config

from simulator import ManualClock, Simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_neptunedata import NeptuneDataClient

Connect: TypeAlias = "Callable[[Simulator], NeptuneDataClient]"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def simulator(clock: ManualClock) -> Iterator[Simulator]:
    with Simulator(clock=clock, stop_seconds=60) as running:
        yield running


@pytest.fixture(scope="session")
def connect() -> Connect:
    session = boto3.Session(
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="made-up-secret",
        aws_session_token="made-up-token",
        region_name="eu-west-1",
    )

    def connect(simulator: Simulator) -> NeptuneDataClient:
        config = Config(
            proxies={}, retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=5, max_pool_connections=100
        )
        return session.client("neptunedata", endpoint_url=simulator.url, config=config)

    return connect


@pytest.fixture
def neptune(simulator: Simulator, connect: Connect) -> NeptuneDataClient:
    """A real client, which signs and makes one attempt."""
    return connect(simulator)
