"""`make demo`: what it checks is what it promises, and nothing of it stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from local.processes import process_group

ROOT = Path(__file__).parents[2]
DEMO = [sys.executable, "-m", "local.demo"]


def test_the_demo_ends_well() -> None:
    done = subprocess.run(DEMO, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    timeline, checks = done.stdout.partition("Checks")[::2]
    # Each comes after the one before it.
    for moment in (
        "create the stack movies",
        "the request waits in the queue",
        "stack movies: CREATE_COMPLETE",
        "read its output OutputLocation:",
        "s3://movies/",
        "stack music: CREATE_COMPLETE",
        "delete the stack music",
        "stack music: DELETE_COMPLETE",
        "stack books: CREATE_COMPLETE",
        "delete the stack books",
        "the request waits in the queue",
        "stack books: DELETE_COMPLETE",
    ):
        _, found, timeline = timeline.partition(moment)
        assert found, moment
    assert "movies: the stack was CREATE_COMPLETE, and not before its job had run" in checks
    assert "its output OutputLocation says where the job's artifacts are" in checks
    assert "it was answered by the invocation that CloudFormation made" in checks
    assert checks.count("it was handed to the queue, and answered by the last of") == 2
    assert "Neptune got one POST for each of movies and music, no other" in checks
    assert "it got one DELETE ...?clean=true for each of music and books, no other" in checks
    assert "the queue of waiting requests is empty" in checks
    assert "FAILED" not in checks
    assert "All was as it should be." in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_demo_leaves_nothing_behind(number: signal.Signals, tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    with process_group(DEMO, directory=ROOT, environment=environment, stdout=subprocess.PIPE) as demo:
        assert demo.stdout is not None
        assert any("Setting up" in line for line in iter(demo.stdout.readline, ""))  # stops at the first
        demo.send_signal(number)
        demo.communicate(timeout=60)
    assert demo.returncode == 128 + number
    assert list(tmp_path.iterdir()) == []
