"""What was seen of a trial: the stack's events, the function's log and its metrics."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from local.function_log import Line, Metrics, parse
from operate.cluster import NOT_ASKED
from operate.trial import LOGICAL_ID

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from local.function_log import Message
    from local.stacks import StackEvent
    from operate.cluster import Told

ANSWERED = "CloudFormation has the answer"
"""What the function logs of an answer that was taken."""


@dataclass(frozen=True)
class Operation:
    """A creation or a deletion of the stack.

    Attributes:
        status: How the stack was in the end.
        events: What CloudFormation reported, oldest first.
    """

    status: str
    events: Sequence[StackEvent]

    def at(self, status: str) -> float | None:
        """Look up when the job's resource was in a status.

        Args:
            status: The status, such as `DELETE_COMPLETE`.

        Returns:
            The first time, seconds since the epoch; `None`: never.
        """
        return next((it.time for it in self.events if (it.logical_id, it.status) == (LOGICAL_ID, status)), None)

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.events[-1].time - self.events[0].time if self.events else 0.0

    @property
    def reason(self) -> str:
        """Why it failed, in the words that came first."""
        return next((it.reason for it in self.events if it.status.endswith("_FAILED") and it.reason), "")


@dataclass(frozen=True)
class Log:
    """What the function logged for a stack.

    Attributes:
        lines: Its lines, oldest first.
        values: The values of each metric, of the invocations that these lines are of.
        is_whole: Whether the metrics of each invocation, which come last, are there.
    """

    lines: Sequence[Line] = ()
    values: Mapping[str, Sequence[float]] = field(default_factory=dict)
    is_whole: bool = False

    def of(self, request_type: str, message: str) -> list[Line]:
        """Pick the lines of a request that say something.

        Args:
            request_type: The request, such as `Delete`.
            message: What they say.

        Returns:
            The lines.
        """
        return [it for it in self.lines if (it.fields.get("request_type"), it.message) == (request_type, message)]

    @property
    def complaints(self) -> list[Line]:
        """The warnings and errors."""
        return [it for it in self.lines if it.level not in ("DEBUG", "INFO")]

    @property
    def invocations(self) -> Mapping[str, int]:
        """How many invocations there were of each type of request."""
        pairs = dict.fromkeys(
            (it.fields.get("function_request_id"), it.fields.get("request_type")) for it in self.lines
        )
        return Counter(str(request_type) for _, request_type in pairs if request_type)


def log_of(messages: Sequence[Message], stack_id: str) -> Log:
    """Pick what concerns a stack.

    An execution environment writes one log stream, invocation by invocation. So the metrics of an invocation, which do
    not say whose they are, come after its lines and before those of the next one.

    Args:
        messages: The function's log, oldest first.
        stack_id: The stack.

    Returns:
        What the function logged for it.
    """
    lines: list[Line] = []
    values: dict[str, list[float]] = {}
    writing: dict[str, str] = {}  # the invocation of the stack's that writes each stream
    unfinished = set()
    for message in messages:
        parsed = parse(message.text)
        if isinstance(parsed, Line):
            invocation = str(parsed.fields.get("function_request_id", ""))
            if parsed.fields.get("stack_id") == stack_id:
                lines.append(parsed)
                writing[message.stream] = invocation
                unfinished.add(invocation)
            elif writing.get(message.stream) != invocation:
                writing.pop(message.stream, None)
        elif isinstance(parsed, Metrics) and message.stream in writing:
            unfinished.discard(writing.pop(message.stream))
            for name, its in parsed.values.items():
                values.setdefault(name, []).extend(its)
    return Log(lines, values, bool(lines) and not unfinished)


@dataclass(frozen=True)
class Seen:
    """All that was seen.

    Attributes:
        created: The stack's creation.
        deleted: Its deletion; `None` if it was not deleted as a trial, but only cleaned up.
        outputs: Its outputs.
        log: The function's log.
        running: What the cluster itself said of the job while the stack was there.
        ended: What it said when the stack was gone.
        unknown: What it said of a job that there is not.
        before: How many messages each queue had before.
        after: How many each has after.
    """

    created: Operation
    deleted: Operation | None = None
    outputs: Mapping[str, str] = field(default_factory=dict)
    log: Log = field(default_factory=Log)
    running: Told = NOT_ASKED
    ended: Told = NOT_ASKED
    unknown: Told = NOT_ASKED
    before: Mapping[str, int] = field(default_factory=dict)
    after: Mapping[str, int] = field(default_factory=dict)
