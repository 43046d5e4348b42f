"""MiniStack, the AWS emulator, as a subprocess that leaves nothing behind.

Example:
    with MiniStack() as ministack:
        ministack.client("sqs").create_queue(QueueName="example")
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import subprocess
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

import boto3
import trustme

from local.environment import without_aws
from local.leftovers import temporary_directory
from local.processes import process_group

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

REGION = "us-east-1"

_PYTHON = Path(__file__).parent.parent / ".venv/ministack/bin/python"
_HOST = "127.0.0.1"
_START_SECONDS = 60.0
_STOP_SECONDS = 2.0
_TAIL_LINES = 40

# MiniStack's root user, who may do everything even when IAM policies are enforced.
_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}

# Lambda functions inherit MiniStack's environment, so it gets only what it needs.
_INHERITED = ("PATH", "LANG", "LC_ALL", "TZ")


class MiniStackError(RuntimeError):
    """MiniStack did not start."""


class MiniStack:
    """A MiniStack on a free port, serving HTTPS; a context manager that starts and stops it.

    Its certificate is valid for `localhost` and `127.0.0.1`. Its Lambda functions trust the certificate, with boto3 and
    with `ssl.create_default_context()`. They run as child processes, without Docker. All files are in a temporary
    directory, which is removed at the end.

    Args:
        iam: Whether to enforce IAM policies: a Lambda function may then do what its role allows. `client` and
            `environment()` act as the root user, who may do everything.
        environment: More environment variables for MiniStack and its Lambda functions, such as
            `AWS_XRAY_DAEMON_ADDRESS` or `LAMBDA_ASYNC_RETRY_BASE_SECONDS`.

    Attributes:
        url: Its URL, `https://127.0.0.1:PORT`.
        ca_bundle: A PEM file with the authority that signed its certificate.
        client: Makes a boto3 client for it, as in `client("sqs")`; not safe for two threads at once.
    """

    def __init__(self, *, iam: bool = False, environment: Mapping[str, str] | None = None) -> None:
        self._iam = iam
        self._environment = dict(environment or {})
        self._running = ExitStack()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            MiniStackError: It is not installed, or does not answer within 60 seconds.
        """
        if not _PYTHON.exists():
            raise MiniStackError("MiniStack is not installed: run `make install`")
        with ExitStack() as starting:
            directory = starting.enter_context(temporary_directory("ministack-"))
            self._log = directory / "ministack.log"
            self.ca_bundle, certificate = _make_certificate(directory)
            # It inherits a socket that already listens, so nobody can take the port in between.
            with socket.create_server((_HOST, 0)) as listener, self._log.open("a") as log:
                port = listener.getsockname()[1]
                server = starting.enter_context(
                    process_group(
                        _command(listener, certificate),
                        environment=self._server_environment(directory, port),
                        directory=directory,
                        stdout=log,
                        stderr=subprocess.STDOUT,
                        inherit=[listener.fileno()],
                        grace_seconds=_STOP_SECONDS,
                    )
                )
            self.url = f"https://{_HOST}:{port}"
            self._wait_until_ready(server, port)
            self._running = starting.pop_all()
        session = boto3.Session(
            _CREDENTIALS["AWS_ACCESS_KEY_ID"], _CREDENTIALS["AWS_SECRET_ACCESS_KEY"], region_name=REGION
        )
        self.client = session.client
        if not TYPE_CHECKING:  # partial() would hide the overloads of boto3's stubs
            self.client = partial(session.client, endpoint_url=self.url, verify=str(self.ca_bundle))

    def stop(self) -> None:
        """Stop it and its Lambda functions, and remove its files; do nothing if it does not run."""
        self._running.close()

    def environment(self) -> dict[str, str]:
        """Make the environment of a process that uses this MiniStack as its AWS.

        Returns:
            The environment of this process, with the endpoint, certificate, credentials and Region of this MiniStack.
        """
        return {
            **without_aws(),
            **_CREDENTIALS,
            "AWS_CA_BUNDLE": str(self.ca_bundle),
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_PAGER": "",
        }

    def _server_environment(self, directory: Path, port: int) -> dict[str, str]:
        return {
            **{name: os.environ[name] for name in _INHERITED if name in os.environ},
            **_CREDENTIALS,
            "AUTH": "true" if self._iam else "false",
            "AWS_EC2_METADATA_DISABLED": "true",
            "GATEWAY_PORT": str(port),
            "HOME": str(directory),
            "MINISTACK_REGION": REGION,
            "PYTHONUNBUFFERED": "1",
            "TMPDIR": str(directory),
            "USE_SSL": "1",
            # The certificate for boto3, for requests and for Python's ssl module.
            "AWS_CA_BUNDLE": str(self.ca_bundle),
            "REQUESTS_CA_BUNDLE": str(self.ca_bundle),
            "SSL_CERT_FILE": str(self.ca_bundle),
            # Otherwise it removes other MiniStacks' containers, and listens on ports that cannot be chosen.
            "DOCKER_HOST": f"unix://{directory}/no-docker.sock",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            **self._environment,
        }

    def _wait_until_ready(self, server: subprocess.Popen[str], port: int) -> None:
        trust = ssl.create_default_context(cafile=self.ca_bundle)
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if server.poll() is not None:
                raise MiniStackError(f"MiniStack ended with exit code {server.returncode}:\n{self._log_tail()}")
            connection = http.client.HTTPSConnection(_HOST, port, timeout=1, context=trust)
            try:
                connection.request("GET", "/_ministack/health")
                if connection.getresponse().status == http.client.OK:
                    return
            except OSError:
                time.sleep(0.05)  # not yet
            finally:
                connection.close()
        raise MiniStackError(f"MiniStack did not respond within {_START_SECONDS:g} s:\n{self._log_tail()}")

    def _log_tail(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-_TAIL_LINES:])


def _make_certificate(directory: Path) -> tuple[Path, Path]:
    """Write the PEM files of an authority and of a server's certificate with its key."""
    authority, server = directory / "authority.pem", directory / "server.pem"
    ca = trustme.CA()
    ca.cert_pem.write_to_path(authority)
    ca.issue_cert("localhost", _HOST).private_key_and_cert_chain_pem.write_to_path(server)
    return authority, server


def _command(listener: socket.socket, certificate: Path) -> list[str]:
    # `python -m ministack` would also listen on port 443 if it may.
    return [
        *(str(_PYTHON), "-m", "hypercorn", "ministack.app:app", "--workers", "0", "--graceful-timeout", "0"),
        *("--bind", f"fd://{listener.fileno()}", "--certfile", str(certificate), "--keyfile", str(certificate)),
    ]
