"""How many functions a request passes, and in how many files: what somebody follows who reads how it is fulfilled."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import provider
from provider.kinds import ENDPOINT
from tests.function.asking import create, delete, update
from tests.function.world import LambdaContext, Queue, delivered

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    import pytest

    from tests.function.world import World

HOME = Path(provider.__file__).parent


@contextmanager
def followed(passed: set[tuple[str, str]]) -> Iterator[None]:
    """Note the provider's functions that are called: their files, and their names there."""

    def note(frame: FrameType, what: str, _: object) -> None:
        code = frame.f_code
        if what == "call" and not code.co_name.startswith("<") and Path(code.co_filename).is_relative_to(HOME):
            passed.add((code.co_filename, code.co_qualname))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(before)


def way_of(world: World, event: dict[str, Any]) -> tuple[str, int, int]:
    """Have a request fulfilled; returns its physical ID, and how many functions in how many files it has passed."""
    queue, door = world.queue, world.front_door
    assert isinstance(queue, Queue)
    passed: set[tuple[str, str]] = set()
    deliveries: list[object] = [event]
    while deliveries:
        with followed(passed):
            door.handle(deliveries.pop(), LambdaContext(900, world.time))  # type: ignore[arg-type] # quacks like it
        if queue.waiting:
            message, delay = queue.waiting.pop()
            world.pass_time(delay)
            deliveries.append(delivered(message))
    answer = world.answer(event)
    assert answer["Status"] == "SUCCESS"
    return answer["PhysicalResourceId"], len(passed), len({file for file, _ in passed})


def test_requests_pass_few_functions_in_few_files(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.jobs.plan = replace(world.jobs.plan, stop_seconds=0)
    job, *of_create = way_of(world, create(world))
    _, *of_delete = way_of(world, delete(world, job))
    world = world.of(ENDPOINT)
    world.jobs.plan = replace(world.jobs.plan, run_seconds=60)
    before, after = world.described(), world.described(InstanceCount="2")
    world.pass_time(3600)  # a new life of another resource of that name
    made, *_ = way_of(world, create(world))
    world.pass_time(3600)
    changed, *of_update = way_of(world, update(world, made, before, after))
    assert changed == made

    with capsys.disabled():
        for what, (functions, files) in {"Create": of_create, "Delete": of_delete, "Update": of_update}.items():
            print(f"\n{what}: {functions} functions in {files} files", end="")
    assert of_create <= [114, 22]
    assert of_delete <= [94, 19]
    assert of_update <= [136, 26]
