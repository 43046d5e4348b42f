"""The runner of MiniStack itself: what it starts, it ends; what it writes, it removes."""

from __future__ import annotations

import io
import json
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
import zipfile
from pathlib import Path

import pytest
from botocore.exceptions import EndpointConnectionError

from local import ministack as runner
from local.ministack import MiniStack, MiniStackError
from local.processes import process_group

ROOT = Path(__file__).parents[2]

FUNCTION = """
import os, ssl, urllib.request, boto3

def handler(event, context):
    if event.get("sleep"):
        import time
        time.sleep(event["sleep"])
    gateway = f"https://localhost:{os.environ['GATEWAY_PORT']}/_ministack/health"
    with urllib.request.urlopen(gateway, context=ssl.create_default_context(), timeout=5) as response:
        status = response.status
    return {"https": status, "boto3": boto3.client("sqs").list_queues()["ResponseMetadata"]["HTTPStatusCode"],
            "pid": os.getpid(), "extra": os.environ.get("EXTRA"), "home": os.environ["HOME"]}
"""


def create_function(ministack: MiniStack) -> None:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("index.py", FUNCTION)
    ministack.client("lambda").create_function(
        FunctionName="probe",
        Runtime="python3.13",
        Handler="index.handler",
        Role="arn:aws:iam::000000000000:role/probe",
        Code={"ZipFile": code.getvalue()},
        Timeout=60,
    )


def invoke(ministack: MiniStack) -> dict[str, object]:
    response = ministack.client("lambda").invoke(FunctionName="probe", Payload=b"{}")
    result: dict[str, object] = json.loads(response["Payload"].read())
    return result


def is_running(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def wait_until_ended(pid: int) -> None:
    deadline = time.monotonic() + 10
    while is_running(pid):
        assert time.monotonic() < deadline, f"process {pid} is still running"
        time.sleep(0.05)


def test_functions_trust_its_certificate_and_get_more_variables() -> None:
    with MiniStack(environment={"EXTRA": "more"}) as ministack:
        create_function(ministack)

        seen = invoke(ministack)

        assert seen["https"] == 200
        assert seen["boto3"] == 200
        assert seen["extra"] == "more"
        assert seen["home"] != os.environ.get("HOME")


def test_nothing_is_left_of_it() -> None:
    with MiniStack() as ministack:
        create_function(ministack)
        worker = invoke(ministack)["pid"]
        directory = ministack.ca_bundle.parent
        assert isinstance(worker, int)
        assert is_running(worker)
        assert ministack._log.is_relative_to(directory)

    wait_until_ended(worker)
    assert not directory.exists()
    with pytest.raises(EndpointConnectionError):
        ministack.client("sqs").list_queues()


def test_it_ends_when_the_process_that_uses_it_is_interrupted(tmp_path: Path) -> None:
    script = (
        "import time\n"
        "from local.ministack import MiniStack\n"
        "with MiniStack() as ministack:\n"
        "    print(ministack.ca_bundle, flush=True)\n"
        "    time.sleep(60)\n"
    )
    with process_group(
        [sys.executable, "-c", script],
        directory=ROOT,
        environment={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as user:
        assert user.stdout is not None
        directory = Path(user.stdout.readline().strip()).parent
        assert directory.exists()

        user.send_signal(signal.SIGINT)

        assert user.wait(20) != 0
    assert not directory.exists()


def test_two_run_side_by_side() -> None:
    with MiniStack() as one, MiniStack() as other:
        one.client("sqs").create_queue(QueueName="one")

        assert len(one.client("sqs").list_queues()["QueueUrls"]) == 1
        assert other.client("sqs").list_queues()["QueueUrls"] == []


def test_other_processes_reach_it_with_its_environment(ministack: MiniStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "somebody-elses")

    done = subprocess.run(
        [ROOT / ".venv/awscli/bin/aws", "sts", "get-caller-identity", "--query", "Account", "--output", "text"],
        env=ministack.environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.strip() == "000000000000", done.stderr


def test_certificate_is_checked(ministack: MiniStack) -> None:
    with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
        urllib.request.urlopen(ministack.url, context=ssl.create_default_context(), timeout=5)  # noqa: S310


def test_failure_to_start_shows_the_log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho No module named hypercorn >&2\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setattr(runner, "_PYTHON", broken)

    with pytest.raises(MiniStackError, match=r"(?s)ended with exit code 3.*No module named hypercorn"):
        MiniStack().start()


def test_slow_start_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    slow = tmp_path / "python"
    slow.write_text("#!/bin/sh\necho waiting\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setattr(runner, "_PYTHON", slow)
    monkeypatch.setattr(runner, "_START_SECONDS", 0.5)

    with pytest.raises(MiniStackError, match=r"(?s)did not respond within 0.5 s.*waiting"):
        MiniStack().start()


def test_missing_installation_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(runner, "_PYTHON", tmp_path / "nothing")

    with pytest.raises(MiniStackError, match="make install"):
        MiniStack().start()
