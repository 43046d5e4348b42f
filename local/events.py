"""The events of `events/*.json`: what each is about, and how it is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from local.world import FIXED_PORTS, HOST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.world import Ports

DIRECTORY: Final = Path(__file__).parent.parent / "events"

DESCRIPTIONS: Final[Mapping[str, str]] = {
    "create": "adopts a job that runs",
    "create-start": "starts a job",
    "create-start-wait": "starts a job, and is answered when it has completed",
    "create-start-fails": "starts a job to wait for, which fails",
    "create-unknown-job": "adopts a job that the cluster does not know",
    "create-mistyped-property": "has a property that there is not",
    "create-half-a-pair": "describes a job by one of two ids that go together",
    "create-both-ways": "names a job to adopt, and describes one to start",
    "update-settings": "has other settings for the same job",
    "update-other-job": "adopts another job; CloudFormation would then delete the old resource",
    "update-description": "describes another job, and starts it; CloudFormation would then delete the old resource",
    "delete": "cancels the job that was adopted",
    "delete-started": "cancels the job that was started",
    "delete-clean": "cancels the job, and has its artifacts deleted",
    "delete-slow-to-stop": "waits for a job that takes its time to stop",
    "delete-never-stops": "waits for a job that never stops, until its time is up",
    "delete-waiting": "is a message of the queue: a deletion that has waited for its job",
    "delete-job-gone": "is for a job that the cluster does not know any more",
    "delete-after-failed-create": "follows a creation that failed and had started no job",
    "delete-unanswered-create": "follows a creation that was never answered, and began nothing",
}
"""The events, by the names of their files without `.json`."""


def table() -> str:
    """List the events.

    Returns:
        A line for each: its name, and what it does.
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
