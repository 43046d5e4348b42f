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


def readable(line: str) -> str:
    """Write a line of the log for a person.

    Args:
        line: The line: JSON of Powertools' Logger, CloudWatch's embedded metric format, or plain text.

    Returns:
        Time, level, message and what else the line says of this moment; plain text as it is.
    """
    match parse(line):
        case Metrics(when, values):
            shown = {name: ", ".join(f"{value:g}" for value in these) for name, these in values.items()}
            return _entry(when, "METRICS", "", shown)
        case Line(when, level, message, fields):
            details = {name: value for name, value in fields.items() if name not in (*_CONTEXT, *_MULTILINE)}
            blocks = [str(fields[name]) for name in _MULTILINE if fields.get(name)]
            return "\n".join([_entry(when, level, message, details), *blocks])
        case _:
            return line


def _entry(when: float, level: str, message: str, details: Mapping[str, object]) -> str:
    shown = "  ".join(f"{name}={value}" for name, value in details.items())
    return f"{clock_time(when)}  {level:<8}  {'  '.join(filter(None, (message, shown)))}"
