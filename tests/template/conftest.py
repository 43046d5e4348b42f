from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench.packages import find_python
from local import sam
from local.ministack import MiniStack
from tools import release

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def built_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sam.build(tmp_path_factory.mktemp("sam") / "build")


@pytest.fixture(scope="module")
def ministack() -> Iterator[MiniStack]:
    with MiniStack() as running:
        yield running


@pytest.fixture(scope="session")
def python() -> str:
    """What compiles a release: a Python of the runtime's version, or else the one that there is."""
    return find_python()


@pytest.fixture(scope="session")
def version() -> str:
    """The provider's version."""
    return release.version_of((ROOT / "template.yaml").read_text())


@pytest.fixture(scope="session")
def released(python: str, version: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a release."""
    directory = tmp_path_factory.mktemp("release") / "made"
    release.make(directory, python=python, source_url="https://example.com/provider", tag=f"v{version}")
    return directory
