"""`sam local invoke` without `make local`."""

from __future__ import annotations

import json
import socket
import time
from typing import TYPE_CHECKING

from local import events, sam_local, world

if TYPE_CHECKING:
    from pathlib import Path


def test_it_ends_soon_and_says_what_is_missing(address: str, built: Path, tmp_path: Path) -> None:
    log: list[str] = []
    # Bound but not listening: connections are refused, and nobody else can take the ports.
    with socket.socket() as neptune, socket.socket() as responses:
        for it in (neptune, responses):
            it.bind((address, 0))
        ports = world.Ports(neptune.getsockname()[1], responses.getsockname()[1])
        event = tmp_path / "delete.json"
        event.write_text(events.text("delete", ports))

        started = time.monotonic()
        returned = sam_local.invoke(event, built, log.append)
        took = time.monotonic() - started

    assert took < 20  # most of it for the container
    everything = "\n".join([*log, returned])
    assert "Traceback" not in everything
    assert "stackTrace" not in everything
    assert f"Neptune at {world.HOST}:{ports.neptune} refused the connection" in everything
    assert "Is `make local` running" in json.loads(returned)["Reason"]
