"""The local world is, after an event, as the next one expects it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local import world
from simulator import ManualClock
from simulator.kinds import KIND_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.kinds import KindName


@pytest.fixture
def here() -> Iterator[world.World]:
    with world.running("127.0.0.1", clock=ManualClock()) as running:
        yield running


STATUSES = {job_id: str(job.status) for job_id, job in world.JOBS.items()}


@pytest.mark.parametrize("job_id", world.JOBS)
def test_a_job_that_ends_is_set_up_again(here: world.World, job_id: str) -> None:
    jobs = here.neptune.of(world.JOBS[job_id].kind)
    jobs.forget_job(job_id)
    jobs.start_job(job_id, status="Failed")

    assert here.restore(job_id) == "set up again"

    assert here.jobs() == STATUSES


def test_what_is_as_it_should_be_stays(here: world.World) -> None:
    assert here.restore("movies") == here.restore("unknown") == ""


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_a_job_that_was_started_is_removed(here: world.World, kind: KindName) -> None:
    here.neptune.of(kind).start_job("started")

    assert here.restore("started") == "removed"

    assert here.jobs() == STATUSES


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
