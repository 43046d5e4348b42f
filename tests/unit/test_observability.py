from __future__ import annotations

import io
import json
import logging
import re
import socket
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provider import observability

PYTHONPATH = {"PYTHONPATH": str(Path(observability.__file__).parents[1])}
SECRET = "5ec7e7accesskey"  # the fixture of all tests sets it


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(observability.logger.handlers[0].formatter)
    monkeypatch.setattr(observability.logger._logger, "handlers", [handler])
    return stream


@pytest.mark.parametrize(
    "text",
    [
        "PUT https://bucket.s3.amazonaws.com/key?X-Amz-Signature=5ec7e7&X-Amz-Security-Token=5ec7e7 failed",
        "url: /arn%3Aaws?AWSAccessKeyId=5ec7e7&Signature=5ec7e7 (Caused by ...)",
        "http://localhost:1/x?a=5ec7e7",
        f"the key is {SECRET}",
    ],
)
def test_secrets_are_concealed(text: str) -> None:
    assert "5ec7e7" not in observability.conceal(text)


@pytest.mark.parametrize(
    "text",
    [
        "The job job-1 has not stopped yet (its status is Stopping).",
        "did you mean Clean?",
        "Neptune at host:8182 responded with 429: why? (TooManyRequestsException)",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert observability.conceal(text) == text


def test_a_line_says_when_it_was_written(written: io.StringIO) -> None:
    """As RFC 3339 has it, so that CloudWatch and other readers know it for a time."""
    observability.logger.info("Hello")
    timestamp = json.loads(written.getvalue())["timestamp"]
    assert datetime.fromisoformat(timestamp).tzinfo is not None
    assert timestamp[10] == "T"
    assert re.search(r"[+-][0-9]{2}:[0-9]{2}$", timestamp)


@pytest.mark.timeout(60)  # what is quadratic takes minutes
def test_a_long_text_is_looked_through_once() -> None:
    assert observability.conceal("?" * 200_000) == "?" * 200_000
    assert observability.conceal("http://" * 30_000) == "http://" * 30_000
    assert observability.conceal("?=" * 100_000) == "?..."


def test_a_short_secret_of_an_emulator_garbles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    assert observability.conceal("the latest test") == "the latest test"


def test_half_of_a_character_is_replaced() -> None:
    assert observability.conceal("half \ud83d of it") == "half ? of it"


@given(st.text(st.characters()))
def test_whatever_is_said_can_be_written(text: str) -> None:
    written = observability.conceal(text)
    assert written.encode().decode() == written


def test_a_secret_of_12_characters_is_concealed_and_a_shorter_one_is_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "abcdefghijkl")
        assert observability.conceal("<abcdefghijkl>") == "<...>"
        monkeypatch.setenv(name, "abcdefghijk")
        assert observability.conceal("<abcdefghijk>") == "<abcdefghijk>"


def test_without_credentials_nothing_is_garbled(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    assert observability.conceal("abc") == "abc"


def test_a_log_line_is_json_with_the_version_and_without_secrets(written: io.StringIO) -> None:
    try:
        urlsplit(f"https://[bucket.s3.amazonaws.com/key?X-Amz-Signature={SECRET}")
    except ValueError:
        observability.logger.exception("It failed", url=f"https://bucket.s3.amazonaws.com/?Signature={SECRET}")
    line = json.loads(written.getvalue())
    assert (line["message"], line["level"], line["version"]) == ("It failed", "ERROR", "unreleased")
    assert "ValueError" in line["exception"]
    assert SECRET not in written.getvalue()


def writing(logger: logging.Logger) -> list[logging.Handler]:
    """The handlers that write somewhere; boto3 adds one that does not, and pytest its own."""
    handlers = [handler for handler in logger.handlers if type(handler).__module__ == "logging"]
    return [handler for handler in handlers if not isinstance(handler, logging.NullHandler)]


@pytest.mark.parametrize("name", ["boto3", "botocore", "urllib3"])
def test_libraries_log_through_the_same_handler_once(name: str) -> None:
    library = logging.getLogger(name)
    assert len(writing(library)) == 1
    assert writing(library) == writing(observability.logger._logger)
    assert not library.propagate
    assert not logging.getLogger(f"{name}.somewhere").isEnabledFor(logging.INFO)
    assert logging.getLogger(f"{name}.somewhere").isEnabledFor(logging.WARNING)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (logging.DEBUG, logging.INFO),
        (logging.INFO, logging.WARNING),
        (logging.WARNING, logging.WARNING),
        (logging.ERROR, logging.ERROR),
    ],
)
def test_libraries_say_less_than_we_do(monkeypatch: pytest.MonkeyPatch, ours: int, theirs: int) -> None:
    monkeypatch.setattr(observability.logger._logger, "level", ours)
    observability._take_over("a.library")
    assert logging.getLogger("a.library").level == theirs


def test_crhelper_writes_nothing() -> None:
    assert not logging.getLogger("crhelper.resource_helper").isEnabledFor(logging.ERROR)


def test_metrics_are_recorded_with_their_unit_and_the_functions_name(capsys: pytest.CaptureFixture[str]) -> None:
    observability.metrics.clear_metrics()
    observability.record("Failures", 0)
    observability.record("Failures", 1)
    observability.record("SecondsToStop", 1.5, "Seconds")
    observability.metrics.flush_metrics()
    written = json.loads(capsys.readouterr().out)
    assert (written["Failures"], written["SecondsToStop"]) == ([0.0, 1.0], [1.5])
    (directive,) = written["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "NeptuneML"
    assert [sorted(dimensions) for dimensions in directive["Dimensions"]] == [["function", "service"]]
    assert written["service"] == "neptune-ml"
    units = {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}
    assert units == {"Failures": "Count", "SecondsToStop": "Seconds"}


@pytest.mark.parametrize(("environment", "name"), [({"AWS_LAMBDA_FUNCTION_NAME": "graph"}, "graph"), ({}, "local")])
def test_metrics_name_the_function_that_lambda_names(environment: dict[str, str], name: str) -> None:
    code = "from provider import observability as it; it.record('Failures', 0); it.metrics.flush_metrics()"
    written = subprocess.run(
        [sys.executable, "-c", code], env={**PYTHONPATH, **environment}, check=True, capture_output=True, text=True
    )
    assert json.loads(written.stdout)["function"] == name


def test_an_invocation_without_metrics_writes_no_line_for_them() -> None:
    """Powertools would warn of it, in a line of the log that is no JSON."""
    code = "from provider import observability; observability.metrics.flush_metrics()"
    written = subprocess.run([sys.executable, "-c", code], env=PYTHONPATH, check=True, capture_output=True, text=True)
    assert (written.stdout, written.stderr) == ("", "")


TRACED = """
from aws_xray_sdk.core import patcher
from provider import observability
print(*sorted(patcher._PATCHED_MODULES))
"""


def test_traces_name_the_service() -> None:
    assert observability.tracer.service == "neptune-ml"


def test_calls_of_aws_are_traced_and_nothing_else() -> None:
    environment = {**PYTHONPATH, "LAMBDA_TASK_ROOT": "/var/task"}
    written = subprocess.run(
        [sys.executable, "-c", TRACED], env=environment, check=True, capture_output=True, text=True
    )
    assert written.stdout.split() == ["botocore"]


TRACE = """
from provider import observability
with observability.tracer.provider.in_subsegment(name="## Delete") as subsegment:
    subsegment.add_exception(ValueError("x-amz-security-token:" + "5ec7e75e55iontoken"), [])
"""


def test_a_trace_holds_no_secret() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        daemon.settimeout(30)
        environment = {
            **PYTHONPATH,
            "LAMBDA_TASK_ROOT": "/var/task",
            "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{daemon.getsockname()[1]}",
            "AWS_SESSION_TOKEN": "5ec7e75e55iontoken",
            "_X_AMZN_TRACE_ID": "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
        }
        subprocess.run([sys.executable, "-c", TRACE], env=environment, check=True, capture_output=True)
        segment = json.loads(daemon.recv(65536).split(b"\n", 1)[1])
    (exception,) = segment["cause"]["exceptions"]
    assert exception["message"] == "x-amz-security-token:..."


def test_no_record_asks_for_the_task_of_asyncio() -> None:
    # It would execute asyncio: https://docs.python.org/3/howto/logging.html#optimization
    assert vars(logging)["logAsyncioTasks"] is False
