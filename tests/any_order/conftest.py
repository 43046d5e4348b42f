from __future__ import annotations

import pytest

from provider import observability


@pytest.fixture(autouse=True)
def _without_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """To write the lines of some ten thousand invocations would take most of the time."""
    monkeypatch.setattr(observability.logger._logger, "disabled", True)
