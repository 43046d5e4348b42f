"""The function's log: JSON lines of Powertools' Logger, and metrics in CloudWatch's embedded metric format.

Other lines, such as Lambda's own, are not JSON or have other fields.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mypy_boto3_logs import CloudWatchLogsClient

WAITS: Final = "The request is waiting in the queue"
ANSWERED: Final = "CloudFormation accepted the response"


@dataclass(frozen=True)
class Message:
    """A message in the log, whoever wrote it.

    Attributes:
        time: When it was written, in seconds since the epoch.
        stream: The name of its log stream, which holds the messages of one execution environment.
        text: Its text.
    """

    time: float
    stream: str
    text: str


@dataclass(frozen=True)
class Line:
    """A line that the function logged.

    Attributes:
        time: When, in seconds since the epoch.
        level: Its level, such as `INFO`.
        message: Its text.
        fields: Its whole JSON object, including these three.
    """

    time: float
    level: str
    message: str
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class Metrics:
    """Metrics that the function wrote.

    Attributes:
        time: When, in seconds since the epoch.
        values: The values of each metric, by its name.
    """

    time: float
    values: Mapping[str, list[float]]


def read(client: CloudWatchLogsClient, group: str) -> list[str]:
    """Read a function's log from CloudWatch.

    Args:
        client: A CloudWatch Logs client.
        group: The name of the function's log group.

    Returns:
        Every message, stream by stream.
    """
    streams = [
        stream["logStreamName"]
        for page in client.get_paginator("describe_log_streams").paginate(logGroupName=group)
        for stream in page["logStreams"]
    ]
    return [
        event["message"].rstrip()
        for stream in streams
        for event in client.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)["events"]
    ]


def read_since(client: CloudWatchLogsClient, group: str, start: float) -> list[Message]:
    """Read what a function has logged since a time.

    Args:
        client: A CloudWatch Logs client.
        group: The name of the function's log group.
        start: The time, in seconds since the epoch.

    Returns:
        The messages, oldest first. CloudWatch has a message a few seconds after it was written.
    """
    pages = client.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=int(start * 1000))
    messages = [
        Message(event["timestamp"] / 1000, event["logStreamName"], event["message"].rstrip())
        for page in pages
        for event in page["events"]
    ]
    return sorted(messages, key=lambda it: it.time)


def parse(message: str) -> Line | Metrics | None:
    """Parse one message of the log.

    Args:
        message: The message.

    Returns:
        The line or the metrics; `None` if the function did not write the message.
    """
    try:
        fields = json.loads(message)
    except ValueError:
        return None
    if not isinstance(fields, dict):
        return None
    if "_aws" in fields:
        names = [metric["Name"] for part in fields["_aws"]["CloudWatchMetrics"] for metric in part["Metrics"]]
        return Metrics(fields["_aws"]["Timestamp"] / 1000, {name: fields[name] for name in names})
    if not {"timestamp", "level", "message"} <= fields.keys():
        return None
    written = datetime.fromisoformat(fields["timestamp"]).timestamp()
    return Line(written, fields["level"], str(fields["message"]), fields)


def lines(messages: Iterable[str]) -> list[Line]:
    """Pick the lines that the function logged.

    Args:
        messages: The messages of its log.

    Returns:
        The lines, oldest first.
    """
    return sorted((it for it in map(parse, messages) if isinstance(it, Line)), key=lambda it: it.time)


def metrics(messages: Iterable[str]) -> list[Metrics]:
    """Pick the metrics that the function wrote.

    Args:
        messages: The messages of its log.

    Returns:
        The metrics, oldest first.
    """
    return sorted((it for it in map(parse, messages) if isinstance(it, Metrics)), key=lambda it: it.time)
