from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.ministack import MiniStack

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def ministack() -> Iterator[MiniStack]:
    with MiniStack() as running:
        yield running
