"""The function's log for human readers."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from local.function_log import Line, Metrics, parse

if TYPE_CHECKING:
    from collections.abc import Mapping

# The same in every line of an invocation, or of no use to the reader.
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
    """Format a time of day.

    Args:
        seconds: Seconds since the epoch.

    Returns:
        Hours, minutes, seconds and milliseconds, local time.
    """
    return f"{datetime.fromtimestamp(seconds).astimezone():%H:%M:%S.%f}"[:-3]


def readable(text: str, *, of_many: bool = False) -> str:
    """Format a line of the log.

    Args:
        text: The line: JSON of Powertools' Logger, CloudWatch's embedded metric format, or plain text.
        of_many: Whether lines of other stacks surround it, so that it must name its resource.

    Returns:
        Its time, level, message and specific fields; plain text stays as it is.
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
    """Format a line that the function logged.

    Args:
        line: The line.
        of_many: Whether lines of other stacks surround it, so that it must name its resource.

    Returns:
        Its time, level, message and specific fields.
    """
    details = {name: value for name, value in line.fields.items() if name not in (*_CONTEXT, *_MULTILINE)}
    blocks = [str(line.fields[name]) for name in _MULTILINE if line.fields.get(name)]
    about = _about(line.fields) if of_many else ""
    return "\n".join([_entry(line.time, line.level, f"{about}{line.message}", details), *blocks])


def _about(fields: Mapping[str, object]) -> str:
    """Name the request that a line is about, such as `movies/TransformJob Delete: `."""
    if "stack_id" not in fields:
        return ""
    arn = str(fields["stack_id"]).split("/")  # arn:...:stack/NAME/UUID
    stack = arn[1] if len(arn) > 1 else arn[0]
    return f"{stack}/{fields.get('logical_resource_id', '')} {fields.get('request_type', '')}".rstrip() + ": "


def _entry(when: float, level: str, message: str, details: Mapping[str, object]) -> str:
    shown = "  ".join(f"{name}={value}" for name, value in details.items())
    return f"{clock_time(when)}  {level:<8}  {'  '.join(filter(None, (message, shown)))}"
