"""`make local` in a terminal, with a stand-in for Docker."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import urllib.request
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from local import events, world
from tests.local.commands import END_SECONDS, ROOT, command, read_until

if TYPE_CHECKING:
    from pathlib import Path

# The command as it is, on ports of its own.
STANDBY = """
import sys
from local import standby, world
world.FIXED_PORTS = world.FREE_PORTS
sys.exit(standby.main())
"""
MAKEFILE = """
.PHONY: local
local:
	@$(PYTHON) -c "$$STANDBY"
"""
pytestmark = pytest.mark.usefixtures("docker")


def test_ctrl_c_ends_it_without_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANDBY", STANDBY)
    makefile = tmp_path / "Makefile"
    makefile.write_text(MAKEFILE)
    terminal, inside = pty.openpty()
    make = ["sh", "-c", 'exec make -f "$0" PYTHON="$1" <>"$2" >&0 2>&0', str(makefile), sys.executable]
    with (
        subprocess.Popen([*make, os.ttyname(inside)], cwd=ROOT, start_new_session=True) as process,
        os.fdopen(terminal, "r+b", buffering=0) as screen,
    ):
        shown = b""
        while not shown.endswith(b"What comes in:\r\n\r\n"):
            shown += screen.read(4096)
        os.close(inside)
        screen.write(b"\x03")
        with suppress(OSError):  # which is how a terminal ends
            while read := screen.read(4096):
                shown += read

    assert process.returncode == 0
    assert shown.decode().partition("What comes in:")[2].split() == ["^C", "Stopped."]


def test_local_world_shows_what_comes_and_is_soon_as_it_was() -> None:
    with command("-c", STANDBY) as process:
        introduction = read_until(process, "What comes in:")
        neptune, responses = re.findall(r"127\.0\.0\.1:(\d+)", introduction)
        assert all(name in introduction for name in [*world.JOBS, *events.DESCRIPTIONS])

        def ask(method: str, port: str, path: str, body: object = None) -> bytes:
            data = None if body is None else json.dumps(body).encode()
            headers = {"content-type": ""}
            request = urllib.request.Request(f"http://127.0.0.1:{port}/{path}", data, headers, method=method)
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
        shown = read_until(process, "set up again")
        assert "It never stops." in shown
        assert "stuck is Stopping; set up again" in shown
        assert (status("stuck"), status("music")) == ("InProgress", "Stopping")

        description = {"modelTransformOutputS3Location": "s3://bucket/folder", "trainingJobName": "training"}
        ask("POST", neptune, "ml/modeltransform", {"id": "started", **description})
        assert status("started") == "InProgress"
        answer |= {"Status": "SUCCESS", "PhysicalResourceId": f"http://{world.HOST}:{neptune}/started"}
        ask("PUT", responses, "key", answer)
        assert "started is InProgress; removed" in read_until(process, "removed")

        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=END_SECONDS)

    assert (process.returncode, errors) == (0, "")
