"""The function's log, JSON lines, as a person reads it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from local.function_log import Line, Metrics, parse

if TYPE_CHECKING:
    from collections.abc import Mapping

# The same in every line of an invocation, or of no use to whoever invoked it.
_CONTEXT = frozenset(
    {
        "cold_start",
        "correlation_id",
        "exception_name",
        "function_arn",
        "function_memory_size",
        "function_name",
        "function_request_id",
        "level",
        "location",
        "logical_resource_id",
        "message",
        "request_type",
        "service",
        "stack_id",
        "stack_trace",
        "timestamp",
        "version",
        "xray_trace_id",
    }
)
_MULTILINE = ("exception",)


def clock_time(seconds: float) -> str:
    """Write a time of day.

    Args:
        seconds: Seconds since the epoch.

    Returns:
        Hours, minutes, seconds and milliseconds, local time.
    """
    return f"{datetime.fromtimestamp(seconds).astimezone():%H:%M:%S.%f}"[:-3]


def readable(text: str, *, of_many: bool = False) -> str:
    """Write a line of the log for a person.

    Args:
        text: The line: JSON of Powertools' Logger, CloudWatch's embedded metric format, or plain text.
        of_many: Whether it stands among those of other stacks: it then says of which resource it is.

    Returns:
        Time, level, message and what else the line says of this moment; plain text as it is.
    """
    match parse(text):
        case Metrics(when, values):
            shown = {name: ", ".join(f"{value:g}" for value in these) for name, these in values.items()}
            return _entry(when, "METRICS", "", shown)
        case Line() as line:
            return readable_line(line, of_many=of_many)
        case _:
            return text


def readable_line(line: Line, *, of_many: bool = False) -> str:
    """Write a line that the function logged for a person.

    Args:
        line: The line.
        of_many: Whether it stands among those of other stacks: it then says of which resource it is.

    Returns:
        Time, level, message and what else the line says of this moment.
    """
    details = {name: value for name, value in line.fields.items() if name not in (*_CONTEXT, *_MULTILINE)}
    blocks = [str(line.fields[name]) for name in _MULTILINE if line.fields.get(name)]
    about = _about(line.fields) if of_many else ""
    return "\n".join([_entry(line.time, line.level, f"{about}{line.message}", details), *blocks])


def _about(fields: Mapping[str, object]) -> str:
    """Say whose request a line is about, such as `movies/TransformJob Delete: `."""
    if "stack_id" not in fields:
        return ""
    arn = str(fields["stack_id"]).split("/")  # arn:...:stack/NAME/UUID
    stack = arn[1] if len(arn) > 1 else arn[0]
    return f"{stack}/{fields.get('logical_resource_id', '')} {fields.get('request_type', '')}".rstrip() + ": "


def _entry(when: float, level: str, message: str, details: Mapping[str, object]) -> str:
    shown = "  ".join(f"{name}={value}" for name, value in details.items())
    return f"{clock_time(when)}  {level:<8}  {'  '.join(filter(None, (message, shown)))}"
