"""The log of a Lambda function that writes JSON lines, as CloudWatch Logs returns it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mypy_boto3_logs import CloudWatchLogsClient


def read(client: CloudWatchLogsClient, group: str) -> list[str]:
    """Read a function's log.

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


def lines(messages: Iterable[str]) -> list[dict[str, Any]]:
    """Pick the lines that the function logged.

    Args:
        messages: What `read` returns.

    Returns:
        The lines, oldest first.
    """
    return sorted((it for it in _objects(messages) if "_aws" not in it), key=lambda line: str(line["timestamp"]))


def metrics(messages: Iterable[str]) -> list[dict[str, Any]]:
    """Pick the metrics, which are lines in CloudWatch's embedded metric format.

    Args:
        messages: What `read` returns.

    Returns:
        The values of each line's metrics by their names, and its time in milliseconds since the epoch as `Timestamp`;
        oldest first.
    """
    found = [
        {"Timestamp": it["_aws"]["Timestamp"]}
        | {metric["Name"]: it[metric["Name"]] for part in it["_aws"]["CloudWatchMetrics"] for metric in part["Metrics"]}
        for it in _objects(messages)
        if "_aws" in it
    ]
    return sorted(found, key=lambda it: int(it["Timestamp"]))


def _objects(messages: Iterable[str]) -> list[dict[str, Any]]:
    """The JSON among Lambda's own lines."""
    return [json.loads(message) for message in messages if message.startswith("{")]
