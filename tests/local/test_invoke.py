"""`make invoke`, with stand-ins for SAM and for Docker."""

from __future__ import annotations

import re
import signal
import time
from typing import TYPE_CHECKING

import pytest

from local import events
from tests.local.commands import END_SECONDS, command, read_until, run

if TYPE_CHECKING:
    from pathlib import Path

# The command as it is, with a SAM that a test writes.
INVOKE = """
import os, sys
from pathlib import Path
from local import invoke, sam_local
sam_local._SAM = Path(os.environ["SAM"])
sys.exit(invoke.main())
"""
TEMPLATE = """
Parameters: {Architecture: {Default: x86_64}}
Resources: {Provider: {Properties: {Runtime: python3.13}}}
"""


@pytest.fixture
def template(tmp_path: Path) -> Path:
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE)
    return path


@pytest.fixture
def sam(tmp_path: Path) -> Path:
    """A SAM whose function logs a line, and waits; it is given a copy of the event in the end."""
    path = tmp_path / "sam"
    path.write_text("#!/bin/sh\necho 'SAM_CONTAINER_ID: c0ffee' >&2\ncat \"$8\" >&2\nexec sleep 60\n")
    path.chmod(0o755)
    return path


def test_a_file_runs_and_its_log_comes_at_once_and_ctrl_c_ends_it_all_within_a_second(
    tmp_path: Path, template: Path, sam: Path, docker: Path
) -> None:
    mine = tmp_path / "my event.json"
    mine.write_text(events.text("delete").replace("movies", "books"))
    with command("-c", INVOKE, str(mine), "--template", str(template), SAM=str(sam)) as process:
        shown = read_until(process, '"RequestType": "Delete"')
        interrupted = time.monotonic()
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=END_SECONDS)
        took = time.monotonic() - interrupted

    assert f"The function's log for {mine} (Delete, job books: InProgress):" in shown
    assert (process.returncode, errors) == (130, "")
    assert rest.endswith("\nInterrupted. Everything that was started has been stopped and removed.\n")
    assert docker.read_text().splitlines()[-1] == "rm --force c0ffee"
    assert took < 1.0


def test_without_an_event_it_lists_them() -> None:
    code, output, errors = run("-m", "local.invoke")

    assert (code, errors) == (0, "")
    introduction, *listed = output.splitlines()
    assert "make invoke EVENT=" in introduction
    assert [tuple(re.split("  +", line.strip())) for line in listed] == list(events.DESCRIPTIONS.items())


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "There is no event and no file '{path}'. Name a file, or one of these events:\n" + events.table()),
        ('{"RequestType": }', "{path} is not JSON: Expecting value: line 1 column 17 (char 16). An event is a JSON"),
        ("[]", "{path} is not a JSON object. An event is one, such as events/delete.json."),
    ],
)
def test_a_file_that_is_no_event_is_refused_with_what_would_be_right(
    tmp_path: Path, content: str | None, problem: str
) -> None:
    path = tmp_path / "mine.json"
    if content is not None:
        path.write_text(content)

    code, output, errors = run("-m", "local.invoke", str(path))

    assert (code, output) == (2, "")
    assert errors.startswith(problem.format(path=path))


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"DOCKER_HOST": "unix:///nowhere/docker.sock"}, "Docker"),
        ({"PATH": "/nowhere"}, "Docker is missing"),
    ],
)
@pytest.mark.parametrize("arguments", [("invoke", "delete"), ("standby",)])
def test_without_docker_one_line_says_what_to_do(
    arguments: tuple[str, ...], environment: dict[str, str], words: str
) -> None:
    module, *event = arguments
    code, output, errors = run("-m", f"local.{module}", *event, **environment)

    assert (code, output) == (1, "")
    assert words in errors
    assert "try again" in errors
    assert len(errors.splitlines()) == 1
