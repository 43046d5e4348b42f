"""`make demo`: it checks what it promises, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from local.processes import process_group
from tests import inherited

ROOT = Path(__file__).parents[2]
DEMO = [sys.executable, "-m", "local.demo"]


def test_the_demo_ends_well_whatever_aws_the_user_works_with() -> None:
    environment = {**os.environ, **inherited.AWS}
    done = subprocess.run(DEMO, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not re.search(r"^ *-", done.stdout.partition("Timeline")[2], re.MULTILINE)  # nothing is from before it began
    timeline, checks = re.sub(r"\s+", " ", done.stdout).partition("Checks")[::2]
    # Each comes after the one before it.
    for moment in (
        "create the stack movies",
        "the request waits in the queue",
        "stack movies: CREATE_COMPLETE",
        "read its output OutputLocation:",
        "s3://movies/",
        "stack music: CREATE_COMPLETE",
        ": started and reported",
        "delete the stack music",
        "stack music: DELETE_COMPLETE",
        ": has ended",
        "stack books: CREATE_COMPLETE",
        "delete the stack books",
        "the request waits in the queue",
        "stack books: DELETE_COMPLETE",
    ):
        _, found, timeline = timeline.partition(moment)
        assert found, moment
    assert "movies: the stack was CREATE_COMPLETE only after its job had completed" in checks
    assert "its output OutputLocation says where the job's artifacts are" in checks
    assert "the first invocation responded to the deletion, without the queue" in checks
    assert checks.count("the request waited in the queue; the last of") == 2
    assert "the journal had its job while it ran, and now says that it has ended" in checks
    assert "Neptune received one POST each for movies and music, and no other" in checks
    assert "and one DELETE ...?clean=true each for music and books, and no other" in checks
    assert "the queue of waiting requests is empty" in checks
    assert "FAILED" not in checks
    # Of a request that waits again and again, one line tells.
    assert done.stdout.count("the request waits in the queue;") == 2
    assert len(re.findall(r"has the response, after \d+ waits?", done.stdout)) == 2
    assert "Every check passed." in done.stdout


def test_the_second_act_shows_a_pipeline_and_deletes_another_while_its_training_runs() -> None:
    done = subprocess.run([*DEMO, "pipeline"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    timeline, checks = re.sub(r"\s+", " ", done.stdout).partition("Checks")[::2]
    for moment in (
        "create the stack movies",
        "resource TrainingJob: CREATE_COMPLETE",
        "resource Trained: CREATE_IN_PROGRESS - Received SUCCESS signal",
        "resource Trained: CREATE_COMPLETE",
        "resource TransformJob: CREATE_IN_PROGRESS",
        "stack movies: CREATE_COMPLETE",
        "read its output EndpointName: movies-",
        "delete the stack movies",
        "stack movies: DELETE_COMPLETE",
        "create the stack books",
        "resource Trained: CREATE_IN_PROGRESS",
        "delete the stack books",
        "Stopping",
        "Stopped",
        "resource TrainingJob: DELETE_COMPLETE",
        "stack books: DELETE_COMPLETE",
        "the wait condition is gone",
    ):
        _, found, timeline = timeline.partition(moment)
        assert found, moment
    assert "the queue keeps checking the job until it ends" in done.stdout
    assert "its wait condition held the transform back while the training ran" in checks
    assert "books: deleted while its training ran, the stack is DELETE_COMPLETE" in checks
    assert "its training is Stopped, and the training's 3 artifacts are deleted" in checks
    assert "nothing else runs in the cluster: no job, no endpoint" in checks
    assert "FAILED" not in done.stdout
    assert "Every check passed." in done.stdout


def test_an_act_that_there_is_not_is_refused_at_once() -> None:
    done = subprocess.run([*DEMO, "pipelines"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == "The demo has no act 'pipelines'. Choose jobs or pipeline, as in `make demo ACT=pipeline`.\n"


def test_make_passes_the_act_on() -> None:
    shown = subprocess.run(
        ["make", "--dry-run", "demo", "ACT=pipeline"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert shown.stdout.endswith("-m local.demo pipeline\n")


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


def processes_with(text: str) -> list[int]:
    """The processes that have a text in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended, or is none of ours
            if text.encode() in (process / "environ").read_bytes():
                found.append(int(process.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="no /proc to look for processes in")
@pytest.mark.parametrize("moment", ["sam build", "sam deploy"])
def test_a_demo_that_is_killed_leaves_nothing_behind(moment: str, tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(DEMO, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        seen = ""
        while f"  {moment} ... " not in seen:
            character = demo.stdout.read(1)
            assert character, seen
            seen += character
        time.sleep(1)  # so that what it is about to start has been started
        assert len(processes_with(str(tmp_path))) > 1
        demo.kill()

    deadline = time.monotonic() + 20
    while (processes_with(str(tmp_path)) or any(tmp_path.iterdir())) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert processes_with(str(tmp_path)) == []
    assert list(tmp_path.iterdir()) == []
