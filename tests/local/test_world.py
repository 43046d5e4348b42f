"""The local world is, after an event, as the next one expects it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local import world
from simulator import ManualClock

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def here() -> Iterator[world.World]:
    with world.running("127.0.0.1", clock=ManualClock()) as running:
        yield running


@pytest.mark.parametrize("job_id", world.JOBS)
def test_a_job_that_ends_is_started_anew(here: world.World, job_id: str) -> None:
    here.neptune.forget_job(job_id)
    here.neptune.start_job(job_id, status="Stopped")

    assert here.restore(job_id) == "started anew"

    assert here.neptune.jobs() == dict.fromkeys(world.JOBS, "InProgress")
    assert here.restore(job_id) == ""


@pytest.mark.parametrize("status", ["InProgress", "Completed", "Failed"])
def test_a_job_that_was_started_is_removed(here: world.World, status: str) -> None:
    here.neptune.start_job("started", status=status)

    assert here.restore("started") == "removed"

    assert here.neptune.jobs() == dict.fromkeys(world.JOBS, "InProgress")
    assert here.restore("started") == ""


@pytest.mark.parametrize(
    ("physical_id", "job_id"),
    [
        (f"http://{world.HOST}:18182/movies", "movies"),
        (f"http://{world.HOST}:18182/{world.STARTED}", world.STARTED),
    ],
)
def test_a_resource_has_the_job_that_its_physical_id_says(physical_id: str, job_id: str) -> None:
    assert world.job_of(physical_id) == job_id
    assert job_id in world.JOBS


def test_a_failed_creation_has_none() -> None:
    assert world.job_of("no-job/d3a9f1b7-5c62-4e8d-9b04-7e1c2a6f8d35") not in world.JOBS
    assert world.job_of("") == ""
