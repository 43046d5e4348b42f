"""A timeline of what happens in CloudFormation, in Neptune ML and between the two, printed as it happens."""

from __future__ import annotations

import queue
import time
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from rich.table import Table
from rich.text import Text

from local.function_log import ANSWERED, WAITS
from simulator.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from local.function_log import Line
    from local.stacks import Stack
    from simulator import RequestRecord

_SOURCE_STYLES = {
    "CloudFormation": "yellow",
    "Function": "cyan",
    "Journal": "green",
    "Neptune ML": "magenta",
    "You": "bold",
}
# The function's messages, and what the timeline says instead.
_SAYS = {
    "The provider keeps checking the job": "the queue keeps checking the job until it ends",
    "The handle accepted the signal": "the wait condition has the signal",
    "The handle no longer accepts signals": "the wait condition is gone: nobody takes the signal",
}


class _Entry(NamedTuple):
    """What happened, when (in seconds since the epoch) and where."""

    time: float
    source: str
    text: str


class Timeline:
    """Prints what happens to stacks and their jobs.

    Args:
        console: Where to print.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._requests: queue.SimpleQueue[RequestRecord] = queue.SimpleQueue()
        self._events_shown: dict[str, int] = {}
        self._lines_shown: set[tuple[float, str]] = set()
        self._waits: Counter[object] = Counter()
        self._statuses_seen: set[tuple[str, str]] = set()
        self._looks_seen: set[tuple[str, str]] = set()
        self.start = time.time()
        """When it began, in seconds since the epoch."""

    def begin(self) -> None:
        """Print the heading, and start counting the time."""
        self._console.print("\n[bold]Timeline[/bold] (polls that find nothing new are left out)")
        self.start = time.time()

    def add_request(self, record: RequestRecord) -> None:
        """Add a request to Neptune; any thread may call this.

        Args:
            record: The request; its time is in seconds since the epoch.
        """
        self._requests.put(record)

    def say(self, source: str, text: str) -> None:
        """Print something that happens now.

        Args:
            source: Where it happens, such as `CloudFormation`.
            text: What happens.
        """
        self._print([_Entry(time.time(), source, text)])

    def show_news(self, stack: Stack, job_statuses: Mapping[str, str], log: Sequence[Line]) -> None:
        """Print what has happened since the last time.

        Args:
            stack: The stack to look at.
            job_statuses: The status of each job now, such as that of `job movies`.
            log: The function's log, which MiniStack has once an invocation has ended.
        """
        now = time.time()
        news = []
        while not self._requests.empty():
            news += self._request(self._requests.get())
        for job, status in job_statuses.items():
            news += self._status(now, job, status)
        events = stack.events()
        news += [
            _Entry(
                event.time,
                "CloudFormation",
                f"{'stack' if event.is_of_stack else 'resource'} {event.logical_id}: {event.status}"
                + (f" - {event.reason}" if event.reason and not event.is_of_stack else ""),
            )
            for event in events[self._events_shown.get(stack.name, 0) :]
        ]
        self._events_shown[stack.name] = len(events)
        news += self._told_by(log)
        self._print(sorted(news, key=lambda entry: entry.time))

    def _print(self, entries: Sequence[_Entry]) -> None:
        for entry in entries:
            # A table, so that a long text is wrapped within its column.
            line = Table.grid(padding=(0, 2, 0, 0))
            line.add_column(width=6, justify="right")
            line.add_column(width=14)
            line.add_column()
            style = _SOURCE_STYLES.get(entry.source, "")
            line.add_row(
                f"{entry.time - self.start:.1f} s", Text(entry.source, style), Text(entry.text, overflow="fold")
            )
            self._console.print(line)

    def _told_by(self, log: Sequence[Line]) -> list[_Entry]:
        """What is new in the function's log: of a request's waits, the first, and with the answer their number."""
        told = []
        for line in log:
            if line.time < self.start:  # the function has answered before: for the checks of its deployment
                continue
            if (line.time, line.message) in self._lines_shown:
                continue
            self._lines_shown.add((line.time, line.message))
            request = line.fields.get("correlation_id")
            if line.message == WAITS:
                self._waits[request] += 1
                if self._waits[request] == 1:
                    text = f"the request waits in the queue; the next check is in {line.fields['delay_seconds']} s"
                    told.append(_Entry(line.time, "Function", text))
            elif line.message == ANSWERED:
                waits = self._waits[request]
                after = f", after {waits} wait{'s' if waits > 1 else ''}" if waits else ""
                told.append(_Entry(line.time, "Function", f"CloudFormation has the response{after}"))
            elif line.message in _SAYS:
                told.append(_Entry(line.time, "Function", _SAYS[line.message]))
        return told

    def _request(self, record: RequestRecord) -> list[_Entry]:
        """A request and its result; nothing for a poll that found nothing new."""
        target = (record.job_id or record.path) + (f"?{record.query}" if record.query else "")
        answer = record.job_status or f"HTTP {record.status}"
        if record.operation == "get":
            if (target, answer) in self._looks_seen:
                return []
            self._looks_seen.add((target, answer))
        call = [_Entry(record.time, "Function", f"{record.method} {target} -> {answer}")]
        noun = KINDS[record.kind].life.noun if record.kind else "job"
        status = self._status(record.time, f"{noun} {record.job_id}", record.job_status or "")
        # A poll finds a status that is there already; another call brings it about.
        return status + call if record.operation == "get" else call + status

    def _status(self, when: float, job: str, status: str) -> list[_Entry]:
        """A job's status, if it is new; no job has the same one twice."""
        if not status or (job, status) in self._statuses_seen:
            return []
        self._statuses_seen.add((job, status))
        return [_Entry(when, "Neptune ML", f"{job}: {status}")]
