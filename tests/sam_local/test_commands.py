"""`make invoke` and `make local`, as processes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local import events, world
from local.processes import process_group

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
END_SECONDS = 60.0
# The command as it is, on ports of its own.
STANDBY = """
import sys
from local import standby, world
world.FIXED_PORTS = world.FREE_PORTS
sys.exit(standby.main())
"""


@contextmanager
def command(*arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    with process_group(
        [sys.executable, "-u", *arguments],
        directory=ROOT,
        environment={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        yield process


def invoke(*arguments: str, **environment: str) -> tuple[int, str, str]:
    with command("-m", "local.invoke", *arguments, **environment) as process:
        output, errors = process.communicate(timeout=END_SECONDS)
        return process.returncode, output, errors


def read_until(process: subprocess.Popen[str], text: str) -> str:
    assert process.stdout
    output = ""
    for line in process.stdout:
        output += line
        if text in line:
            return output
    raise AssertionError(f"{text!r} never came:\n{output}")


def containers(template: Path) -> str:
    """The containers that run the built function."""
    listed = ["docker", "ps", "--all", "--quiet", "--filter", f"volume={template.parent / 'Provider'}"]
    return subprocess.run(listed, capture_output=True, text=True, check=True).stdout


def test_invoke_shows_log_requests_and_answer(built: Path) -> None:
    code, output, errors = invoke("delete", "--template", str(built))

    assert (code, errors) == (0, "")
    assert re.search(r"^  \d\d:\d\d:\d\d\.\d{3}  INFO      Cancelled the job  job_id=movies$", output, re.M)
    assert "DELETE /ml/modeltransform/movies?clean=false -> 200, job movies is Stopping" in output
    assert "The job movies is Stopped now." in output
    answer = json.loads(output.partition("would have got:\n")[2])
    assert answer["Status"] == "SUCCESS"
    assert re.fullmatch(rf"http://{re.escape(world.HOST)}:\d+/movies", answer["PhysicalResourceId"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_invoke_leaves_nothing(built: Path, number: signal.Signals) -> None:
    with command("-m", "local.invoke", "delete-never-stops", "--template", str(built)) as process:
        read_until(process, "Cancelled the job")
        assert containers(built)

        process.send_signal(number)
        output, errors = process.communicate(timeout=END_SECONDS)

    assert (process.returncode, errors) == (128 + number, "")
    assert "What was started has been ended and removed." in output
    assert not containers(built)


def test_invoke_alone_lists_the_events() -> None:
    code, output, errors = invoke()

    assert (code, errors) == (0, "")
    introduction, *listed = output.splitlines()
    assert "make invoke EVENT=" in introduction
    assert [tuple(re.split("  +", line.strip())) for line in listed] == list(events.DESCRIPTIONS.items())


def test_invoke_lists_the_events_for_one_that_there_is_not() -> None:
    code, output, errors = invoke("dleete")

    assert (code, output) == (2, "")
    assert errors.startswith("There is no event 'dleete'. ")
    assert errors.endswith(f"{events.table()}\n")


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"DOCKER_HOST": "unix:///nowhere/docker.sock"}, "Docker"),
        ({"PATH": "/nowhere"}, "Docker is missing"),
    ],
)
@pytest.mark.parametrize("module", ["invoke", "standby"])
def test_without_docker_one_line_says_what_to_do(module: str, environment: dict[str, str], words: str) -> None:
    arguments = ["delete"] if module == "invoke" else []
    with command("-m", f"local.{module}", *arguments, **environment) as process:
        output, errors = process.communicate(timeout=END_SECONDS)

    assert (process.returncode, output) == (1, "")
    assert words in errors
    assert "try again" in errors
    assert len(errors.splitlines()) == 1


def test_local_world_shows_what_comes_and_is_soon_as_it_was(address: str) -> None:
    with command("-c", STANDBY) as process:
        introduction = read_until(process, "What comes in:")
        neptune, responses = re.findall(rf"{re.escape(address)}:(\d+)", introduction)
        assert all(name in introduction for name in [*world.JOBS, *events.DESCRIPTIONS])

        def ask(method: str, port: str, path: str, body: object = None) -> bytes:
            data = None if body is None else json.dumps(body).encode()
            headers = {"content-type": ""}
            request = urllib.request.Request(f"http://{address}:{port}/{path}", data, headers, method=method)
            with urllib.request.urlopen(request, timeout=END_SECONDS) as answer:  # noqa: S310 - it is http
                return bytes(answer.read())

        def status(job: str) -> str:
            return str(json.loads(ask("GET", neptune, f"ml/modeltransform/{job}"))["status"])

        ask("DELETE", neptune, "ml/modeltransform/stuck")
        ask("DELETE", neptune, "ml/modeltransform/music")
        shown = read_until(process, "DELETE /ml/modeltransform/music -> 200, job music is Stopping")
        assert "DELETE /ml/modeltransform/stuck -> 200, job stuck is Stopping" in shown
        answer = {
            "Status": "FAILED",
            "Reason": "It never stops.",
            "PhysicalResourceId": f"http://{world.HOST}:{neptune}/stuck",
            "StackId": "stack",
            "RequestId": "request",
            "LogicalResourceId": "Job",
        }
        ask("PUT", responses, "key", answer)
        shown = read_until(process, "started anew")
        assert "It never stops." in shown
        assert "job stuck is Stopping; started anew" in shown
        assert (status("stuck"), status("music")) == ("InProgress", "Stopping")

        description = {"modelTransformOutputS3Location": "s3://bucket/folder", "trainingJobName": "training"}
        ask("POST", neptune, "ml/modeltransform", {"id": "started", **description})
        assert status("started") == "InProgress"
        answer |= {"Status": "SUCCESS", "PhysicalResourceId": f"http://{world.HOST}:{neptune}/started"}
        ask("PUT", responses, "key", answer)
        assert "job started is InProgress; removed" in read_until(process, "removed")

        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=END_SECONDS)

    assert (process.returncode, errors) == (130, "")
