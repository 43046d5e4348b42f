"""What was seen during a trial: the stack's events, the function's log and its metrics."""

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

ANSWERED = "CloudFormation accepted the response"
"""What the function logs when CloudFormation has accepted an answer."""


@dataclass(frozen=True)
class Operation:
    """A creation or a deletion of the stack.

    Attributes:
        status: The stack's status at the end.
        events: What CloudFormation reported, oldest first.
    """

    status: str
    events: Sequence[StackEvent]

    def at(self, status: str) -> float | None:
        """Find out when the job's resource first had a status, in seconds since the epoch; `None`: never."""
        return next((it.time for it in self.events if (it.logical_id, it.status) == (LOGICAL_ID, status)), None)

    @property
    def seconds(self) -> float:
        """How long the operation took, in seconds."""
        return self.events[-1].time - self.events[0].time if self.events else 0.0

    @property
    def reason(self) -> str:
        """The first reason that CloudFormation gave for a failure; empty: none."""
        return next((it.reason for it in self.events if it.status.endswith("_FAILED") and it.reason), "")


@dataclass(frozen=True)
class Log:
    """What the function logged for a stack.

    Attributes:
        lines: Its lines, oldest first.
        values: The values of each metric, from the invocations that wrote these lines.
        is_whole: Whether each of these invocations has written its metrics, which come last.
    """

    lines: Sequence[Line] = ()
    values: Mapping[str, Sequence[float]] = field(default_factory=dict)
    is_whole: bool = False

    def of(self, request_type: str, message: str) -> list[Line]:
        """Pick the lines of a type of request, such as `Delete`, with a message."""
        return [it for it in self.lines if (it.fields.get("request_type"), it.message) == (request_type, message)]

    @property
    def complaints(self) -> list[Line]:
        """The warnings and errors."""
        return [it for it in self.lines if it.level not in ("DEBUG", "INFO")]

    @property
    def invocations(self) -> Mapping[str, int]:
        """The number of invocations for each type of request."""
        pairs = dict.fromkeys(
            (it.fields.get("function_request_id"), it.fields.get("request_type")) for it in self.lines
        )
        return Counter(str(request_type) for _, request_type in pairs if request_type)


def log_of(messages: Sequence[Message], stack_id: str) -> Log:
    """Pick the part of a log that concerns one stack.

    Metrics do not name their invocation. But an execution environment writes to a log stream of its own, one invocation
    after the other, so the metrics of an invocation come between its lines and those of the next invocation.
    """
    lines: list[Line] = []
    values: dict[str, list[float]] = {}
    writing: dict[str, str] = {}  # for each stream, the stack's invocation that is writing to it
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
    """Everything that was seen.

    Attributes:
        created: The stack's creation.
        deleted: The stack's deletion; `None` if the stack was only cleaned up after a failure.
        outputs: The stack's outputs.
        log: The function's log.
        running: What the cluster reported about the job while the stack existed.
        ended: What the cluster reported about the job after the stack was deleted.
        unknown: What the cluster reported about a job that does not exist.
        before: The number of messages in each queue before the trial.
        after: The number of messages in each queue after the trial.
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
