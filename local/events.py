"""The events in `events/`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from local.world import FIXED_PORTS, HOST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.world import Ports

DIRECTORY: Final = Path(__file__).parent.parent / "events"
_ROW = re.compile(r"^\| `([a-z-]+)` \| (.+) \|$", re.MULTILINE)

DESCRIPTIONS: Final[Mapping[str, str]] = dict(_ROW.findall((DIRECTORY / "README.md").read_text()))
"""What each event does, by the name of its file without `.json`."""


def table() -> str:
    """List the events.

    Returns:
        A line for each: its name and what it does.
    """
    width = max(map(len, DESCRIPTIONS))
    return "\n".join(f"  {name:<{width}}  {description}" for name, description in DESCRIPTIONS.items())


class NoEvent(ValueError):
    """An event cannot be read; the message says why, and what would be right."""


def text(event: str, ports: Ports = FIXED_PORTS, host: str = HOST) -> str:
    """Read an event.

    Args:
        event: Its name, or the path of a file.
        ports: The ports of the local world, in place of `FIXED_PORTS`.
        host: The name or address of the machine that it runs on, in place of `HOST`.

    Returns:
        The event, in JSON.

    Raises:
        NoEvent: There is no such event, or the file does not hold a JSON object.
    """
    path = DIRECTORY / f"{event}.json" if event in DESCRIPTIONS else Path(event)
    if not path.is_file():
        raise NoEvent(f"There is no event and no file {event!r}. Name a file, or one of these events:\n{table()}")
    try:
        written = path.read_text()
        content = json.loads(written)
    except ValueError as error:
        raise NoEvent(f"{event} is not JSON: {error}. An event is a JSON object, such as events/delete.json.") from None
    if not isinstance(content, dict):
        raise NoEvent(f"{event} is not a JSON object. An event is one, such as events/delete.json.")
    for fixed, port in zip(FIXED_PORTS, ports, strict=True):
        written = written.replace(f"{HOST}:{fixed}", f"{host}:{port}")
    return written


def request_in(event: Mapping[str, Any]) -> dict[str, Any]:
    """Find CloudFormation's request in an event.

    Args:
        event: The request itself, or a message of the waiting queue with it.

    Returns:
        The request; empty if there is none.
    """
    try:
        return dict(json.loads(event["Records"][0]["body"]) if "Records" in event else event)
    except (LookupError, TypeError, ValueError):
        return {}
