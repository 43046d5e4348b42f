from __future__ import annotations

import pytest

from provider.lifecycle.plan import TABLE
from provider.look import Status
from tools.diagrams import diagrams


@pytest.mark.parametrize("row", [row for row in TABLE if row[0] in ("start", "change", "follow", "cancel")])
def test_every_cell_is_drawn(row: tuple[str, str]) -> None:
    drawn = diagrams()

    for status in Status:
        assert diagrams({**TABLE, row: {**TABLE[row], status: "something else"}}) != drawn, status


def test_a_state_that_differs_in_nothing_is_drawn_once() -> None:
    assert 'state "start accepted / open"' in diagrams()
    assert "start_unsent --> start_accepted_open: send\n    start_unsent --> start_refused: send" in diagrams()
