from __future__ import annotations

import json

import pytest

from local.function_log import Line, Metrics, lines, metrics, parse

FIRST = {"level": "INFO", "message": "The job runs", "timestamp": "2026-11-23T15:09:52.649+00:00", "job_id": "movies"}
SECOND = {**FIRST, "message": "The job stops", "timestamp": "2026-11-23T16:09:53.001+01:00"}
MEASURED = {
    "_aws": {"Timestamp": 1795446593002, "CloudWatchMetrics": [{"Metrics": [{"Name": "Failures"}]}]},
    "service": "provider",
    "Failures": [0.0],
}
NO_LINES = ["START RequestId: 1 Version: $LATEST", "", "[1]", "3", "{broken", '{"message": "of another logger"}']


def test_lines_and_metrics_are_picked_oldest_first() -> None:
    messages = [*NO_LINES, *map(json.dumps, (SECOND, MEASURED, FIRST))]

    assert [line.message for line in lines(messages)] == ["The job runs", "The job stops"]
    assert metrics(messages) == [Metrics(1795446593.002, {"Failures": [0.0]})]


def test_a_line_has_its_time_and_all_its_fields() -> None:
    assert parse(json.dumps(FIRST)) == Line(1795446592.649, "INFO", "The job runs", FIRST)


@pytest.mark.parametrize("message", NO_LINES)
def test_what_the_function_did_not_write_is_neither(message: str) -> None:
    assert parse(message) is None
