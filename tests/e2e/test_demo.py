"""`make demo`: what it checks is what it promises, and nothing of it stays."""

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
    timeline, checks = done.stdout.partition("Checks")[::2]
    assert not re.search(r"^ *-", timeline.partition("Timeline")[2], re.MULTILINE)  # nothing is from before it began
    # Each comes after the one before it.
    for moment in (
        "create the stack movies",
        "the request waits in the queue",
        "stack movies: CREATE_COMPLETE",
        "read its output OutputLocation:",
        "s3://movies/",
        "stack music: CREATE_COMPLETE",
        ": begun, known to its stack",
        "delete the stack music",
        "stack music: DELETE_COMPLETE",
        ": gone",
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
    assert "the journal had its job while it ran, and says that it is gone" in checks
    assert "Neptune got one POST for each of movies and music, no other" in checks
    assert "it got one DELETE ...?clean=true for each of music and books, no other" in checks
    assert "the queue of waiting requests is empty" in checks
    assert "FAILED" not in checks
    # Of a request that waits again and again, one line tells.
    assert done.stdout.count("the request waits in the queue,") == 2
    assert len(re.findall(r"CloudFormation has the answer, after \d+ waits?", done.stdout)) == 2
    assert "All was as it should be." in done.stdout


def test_the_second_act_deletes_a_pipeline_while_its_training_runs() -> None:
    done = subprocess.run([*DEMO, "pipeline"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    timeline, checks = re.sub(r"\s+", " ", done.stdout).partition("Checks")[::2]
    for moment in (
        "create the stack movies",
        "resource DataProcessingJob: CREATE_COMPLETE",
        "resource Trained: CREATE_IN_PROGRESS",
        "delete the stack movies",
        "resource TrainingJob: DELETE_IN_PROGRESS",
        "Stopping",
        "Stopped",
        "resource TrainingJob: DELETE_COMPLETE",
        "resource DataProcessingJob: DELETE_COMPLETE",
        "stack movies: DELETE_COMPLETE",
    ):
        _, found, timeline = timeline.partition(moment)
        assert found, moment
    assert "the queue goes on looking for the end of the job" in done.stdout
    assert "movies: the stack was deleted while its training ran, in the end DELETE_COMPLETE" in checks
    assert "its training is Stopped, and the training's 3 artifacts are deleted" in checks
    assert "Neptune got one POST for the data processing and one for the training, no other" in checks
    assert "nothing else runs in the cluster: no job, no endpoint" in checks
    assert "the queue of waiting requests is empty" in checks
    assert "FAILED" not in done.stdout
    assert "All was as it should be." in done.stdout


def test_an_act_that_there_is_not_is_refused_at_once() -> None:
    done = subprocess.run([*DEMO, "pipelines"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == "There is no act 'pipelines'. Choose jobs or pipeline, as in `make demo ACT=pipeline`.\n"


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
