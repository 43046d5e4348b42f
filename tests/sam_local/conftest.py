from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from local import engine

if TYPE_CHECKING:
    from pathlib import Path


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs a container where there can be none; one test stays, to be skipped with the reason."""
    in_containers = [item for item in items if "address" in getattr(item, "fixturenames", ())]
    if not in_containers:
        return
    try:
        engine.check()
    except engine.EngineMissing as error:
        first, *others = in_containers
        first.add_marker(pytest.mark.skip(reason=f"{len(in_containers)} tests in containers are left out. {error}"))
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]


@pytest.fixture(scope="session")
def address() -> str:
    """Where containers reach this machine."""
    return engine.host_address()


@pytest.fixture(scope="session")
def built(address: str, built_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the built template, by which a worker knows its own containers."""
    assert address
    return shutil.copytree(built_template.parent, tmp_path_factory.mktemp("sam-local") / "build") / built_template.name
