"""`make invoke` with a real container."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from local import world
from tests.local.commands import END_SECONDS, command, read_until, run

if TYPE_CHECKING:
    from pathlib import Path


def containers(template: Path) -> str:
    """The containers that run the built function."""
    listed = ["docker", "ps", "--all", "--quiet", "--filter", f"volume={template.parent / 'Provider'}"]
    return subprocess.run(listed, capture_output=True, text=True, check=True).stdout


def test_invoke_shows_log_requests_and_answer(built: Path) -> None:
    code, output, errors = run("-m", "local.invoke", "delete", "--template", str(built))

    assert (code, errors) == (0, "")
    assert re.search(r"^  \d\d:\d\d:\d\d\.\d{3}  INFO      Cancelled the job  job_id=movies$", output, re.M)
    assert "DELETE /ml/modeltransform/movies?clean=false -> 200, job movies is Stopping" in output
    assert "The job movies is now Stopped." in output
    answer = json.loads(output.partition("received this response:\n")[2])
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
    assert "Everything that was started has been stopped and removed." in output
    assert not containers(built)
