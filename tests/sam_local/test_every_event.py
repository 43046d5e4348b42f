"""Every event through `sam local invoke`, in a real container."""

from __future__ import annotations

import json
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from local import events, sam_local, world
from tests.events.outcomes import OUTCOMES
from tests.events.run import Run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

every_event = pytest.mark.parametrize("name", OUTCOMES)

# What takes long waits, and costs no processor time.
AT_ONCE = 4


def run(name: str, address: str, template: Path, directory: Path) -> Run:
    with world.running(address) as here:
        path = directory / f"{name}.json"
        path.write_text(events.text(name, here.ports))
        event = events.request_in(json.loads(path.read_text()))
        log: list[str] = []
        returned = json.loads(sam_local.invoke(path, template, log.append))
        return Run.of(name, here, host=world.HOST, event=event, log=log, returned=returned)


@pytest.fixture(scope="module")
def runs(address: str, built: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Future[Run]]:
    """All of them, a few at a time: a container takes seconds to start."""
    directory = tmp_path_factory.mktemp("events")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return {name: pool.submit(run, name, address, built, directory) for name in reversed(OUTCOMES)}


@every_event
def test_cloudformation_gets_the_answer(name: str, runs: Mapping[str, Future[Run]]) -> None:
    runs[name].result().check_answer()


@every_event
def test_neptune_is_asked_for_that_job_alone(name: str, runs: Mapping[str, Future[Run]]) -> None:
    runs[name].result().check_neptune()


@every_event
def test_log_is_json_without_stack_traces_and_secrets(name: str, runs: Mapping[str, Future[Run]]) -> None:
    runs[name].result().check_log()
