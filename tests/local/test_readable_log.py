from __future__ import annotations

import json
import re

import pytest

from local.readable_log import clock_time, readable

CONTEXT = {
    "level": "ERROR",
    "location": "tell:78",
    "message": "The request failed",
    "timestamp": "2026-11-23T15:09:52.649+00:00",
    "service": "neptune-ml-model-transform-job",
    "cold_start": True,
    "function_name": "Provider",
    "function_memory_size": "256",
    "function_arn": "arn:aws:lambda:us-east-1:012345678912:function:Provider",
    "function_request_id": "c9fa432b-0b6d-4733-91c4-826a92ec11f1",
    "correlation_id": "b9f34c5e-4a5d-4a0e-9d0f-0b2f0e0c8d11",
}


def test_line_keeps_what_it_alone_says() -> None:
    line = readable(json.dumps({**CONTEXT, "job_id": "movies", "attempt": 2}))

    assert line == f"{clock_time(1795446592.649)}  ERROR     The request failed  job_id=movies  attempt=2"
    assert re.match(r"\d\d:\d\d:52\.649 ", line)


def test_exception_stands_below() -> None:
    line = readable(json.dumps({**CONTEXT, "exception": "Traceback:\n  boom", "exception_name": "ValueError"}))

    assert line.splitlines()[1:] == ["Traceback:", "  boom"]


def test_metrics_are_names_and_values() -> None:
    metrics = {
        "_aws": {
            "Timestamp": 1795446504086,
            "CloudWatchMetrics": [{"Metrics": [{"Name": "Failures"}, {"Name": "SecondsToStop"}]}],
        },
        "Failures": [0.0],
        "SecondsToStop": [2.0532307624816895, 3],
    }

    assert (
        readable(json.dumps(metrics)) == f"{clock_time(1795446504.086)}  METRICS   Failures=0  SecondsToStop=2.05323, 3"
    )


@pytest.mark.parametrize("line", ["[ERROR] Undeliverable: ...", "", "[1]", "3", '{"message": "of another logger"}'])
def test_anything_else_stays_as_it_is(line: str) -> None:
    assert readable(line) == line
