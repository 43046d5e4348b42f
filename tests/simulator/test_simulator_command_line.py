from __future__ import annotations

import contextlib
import http.client
import json
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme

from local.processes import process_group
from simulator.__main__ import main

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
READY = "Neptune ML simulator listening on "


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "simulator", *arguments]


@contextlib.contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    with process_group(command(*arguments), directory=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith((READY + "http://127.0.0.1:", READY + "https://127.0.0.1:"))
        yield process, line.removeprefix(READY).strip()


def call(host_port: str, method: str, path: str) -> dict[str, object]:
    with contextlib.closing(http.client.HTTPConnection(host_port, timeout=10)) as connection:
        connection.request(method, path)
        answer: dict[str, object] = json.load(connection.getresponse())
        return answer


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """PEM files: of an authority, of a certificate that it issued, of that one's key, and of both together."""
    directory = tmp_path_factory.mktemp("certificate")
    files = {name: directory / f"{name}.pem" for name in ("authority", "certificate", "key", "both")}
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(files["authority"])
    issued.cert_chain_pems[0].write_to_path(files["certificate"])
    issued.private_key_pem.write_to_path(files["key"])
    issued.private_key_and_cert_chain_pem.write_to_path(files["both"])
    return files


def refused(*arguments: str) -> tuple[int, str]:
    done = subprocess.run(command(*arguments), cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == ""
    return done.returncode, done.stderr


def test_it_runs_until_it_is_interrupted() -> None:
    arguments = ("--job", "job-1", "--job", "job-2:Completed", "--stop-seconds", "0.5")
    with running(*arguments) as (process, url):
        host_port = url.removeprefix("http://")
        assert call(host_port, "DELETE", "/ml/modeltransform/job-1") == {"status": "Stopping"}
        time.sleep(0.5)
        statuses = [call(host_port, "GET", f"/ml/modeltransform/job-{number}")["status"] for number in (1, 2)]
        assert statuses == ["Stopped", "Completed"]
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=30)
    assert (process.returncode, stderr) == (0, "")
    assert stdout.splitlines()[0] == "DELETE /ml/modeltransform/job-1 -> 200, job job-1 is Stopping, not signed"
    assert len(stdout.splitlines()) == 3


def test_jobs_run_as_the_command_line_says() -> None:
    arguments = ("--job", "job-1", "--stop-seconds", "never", "--run-seconds", "0", "--fail-with", "no memory")
    with running(*arguments) as (_, url):
        answer = call(url.removeprefix("http://"), "GET", "/ml/modeltransform/job-1")
    assert answer["status"] == "Failed"
    part = answer["remoteModelTransformJob"]
    assert isinstance(part, dict)
    assert (part["status"], part["failureReason"]) == ("Failed", "no memory")


def test_jobs_of_every_kind_can_be_named() -> None:
    jobs = ("dataprocessing:p:Completed", "modeltraining:t", "modeltransform:endpoints", "endpoints:e:InService")
    arguments = [argument for job in jobs for argument in ("--job", job)]
    with running(*arguments, "--stop-seconds", "0") as (_, url):
        host_port = url.removeprefix("http://")
        paths = ("dataprocessing/p", "modeltraining/t", "modeltransform/endpoints", "endpoints/e")
        statuses = [call(host_port, "GET", f"/ml/{path}")["status"] for path in paths]
        assert statuses == ["Completed", "InProgress", "InProgress", "InService"]
        assert call(host_port, "DELETE", "/ml/endpoints/e") == {"status": "Deleting"}
        assert call(host_port, "GET", "/ml/endpoints/e")["code"] == "MLResourceNotFoundException"


@pytest.mark.parametrize("files", [("certificate", "key"), ("both",)])
def test_with_a_certificate_it_speaks_https(certificate: dict[str, Path], files: tuple[str, ...]) -> None:
    options = zip(("--tls-certificate", "--tls-key"), files, strict=False)
    arguments = [text for option, name in options for text in (option, str(certificate[name]))]
    with running(*arguments) as (_, url):
        assert url.startswith("https://")
        trust = ssl.create_default_context(cafile=certificate["authority"])
        connection = http.client.HTTPSConnection(url.removeprefix("https://"), timeout=10, context=trust)
        with contextlib.closing(connection):
            connection.request("GET", "/ml/endpoints")
            assert json.load(connection.getresponse()) == {"ids": []}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (("key",), "--tls-key needs --tls-certificate"),
        (("certificate",), "certificate.pem should be a PEM certificate and its key, without a password: "),
        (("certificate", "authority"), "authority.pem should be a PEM certificate and its key, without a password: "),
    ],
)
def test_what_is_no_certificate_with_its_key_is_refused(
    certificate: dict[str, Path], capsys: pytest.CaptureFixture[str], files: tuple[str, ...], message: str
) -> None:
    names = ("--tls-key",) if files == ("key",) else ("--tls-certificate", "--tls-key")
    options = zip(names, files, strict=False)
    with pytest.raises(SystemExit) as raised:
        main([text for option, name in options for text in (option, str(certificate[name]))])
    assert raised.value.code == 2
    assert message in capsys.readouterr().err


def test_sigterm_ends_it() -> None:
    with running() as (process, url):
        port = int(url.rpartition(":")[2])
        code, stderr = refused("--port", str(port))
        assert code == 1
        assert stderr.startswith("python -m simulator: error: ")
        assert "Address already in use" in stderr
        assert f"('127.0.0.1', {port})" in stderr
        assert stderr.count("\n") == 1
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=30) == ("", "")
    assert process.returncode == 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--job", "a/b"), "'a/b' is not a job ID"),
        (("--job", "x", "--job", "x"), "x already exists"),
        (("--job", "x:Done"), "'Done' is no job status: InProgress"),
        (("--job", "endpoint:x"), "'endpoint' is no kind: dataprocessing"),
        (("--job", "endpoints:x:Completed"), "'Completed' is no endpoint status: Creating"),
        (("--stop-seconds", "soon"), "'soon' is neither a number of seconds nor 'never'"),
        (("--stop-seconds", "-1"), "a time span is from 0"),
        (("--fail-with", "no memory"), "a job that fails needs run_seconds"),
        (("--port", "65536"), "port must be 0-65535"),
    ],
)
def test_wrong_arguments_are_named(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    with pytest.raises(SystemExit) as raised:
        main(arguments)
    assert raised.value.code == 2
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == blocked
    assert message in capsys.readouterr().err


def test_help_tells_of_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["--help"])
    assert raised.value.code == 0
    text = capsys.readouterr().out
    for option in ("--host", "--port", "--job", "--run-seconds", "--stop-seconds", "--fail-with"):
        assert option in text
    for word in ("data processing", "modeltraining", "InService", "--tls-certificate", "--tls-key"):
        assert word in " ".join(text.split())
