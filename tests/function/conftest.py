from __future__ import annotations

import io
import ssl
import zipfile
from typing import TYPE_CHECKING

import botocore.endpoint
import pytest
import trustme

from local.ministack import MiniStack
from local.response_host import ResponseHost
from tests.function.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simulator import ManualClock, Simulator


@pytest.fixture
def world(
    simulator: Simulator,
    response_host: ResponseHost,
    simulator_clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    class Time:
        """botocore's pauses between attempts are on the test's clock, too."""

        sleep = simulator_clock.advance

    monkeypatch.setattr(botocore.endpoint, "time", Time)
    return World(simulator, response_host, simulator_clock)


@pytest.fixture(scope="session")
def ministack() -> Iterator[MiniStack]:
    """A MiniStack with a function that the poll rules of the tests can have as their target."""
    with MiniStack() as running:
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as package:
            package.writestr("index.py", "def handler(event, context): pass")
        running.client("lambda").create_function(
            FunctionName="provider",
            Runtime="python3.13",
            Handler="index.handler",
            Role="arn:aws:iam::000000000000:role/provider",
            Code={"ZipFile": code.getvalue()},
        )
        yield running


@pytest.fixture
def aws(ministack: MiniStack, monkeypatch: pytest.MonkeyPatch, world: World) -> Iterator[MiniStack]:
    """MiniStack as the function's AWS; what a test leaves in EventBridge is removed."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", ministack.url)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(ministack.ca_bundle))
    world.function_arn = "arn:aws:lambda:us-east-1:000000000000:function:provider"
    yield ministack
    events = ministack.client("events")
    for rule in events.list_rules()["Rules"]:
        targets = [target["Id"] for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]]
        if targets:
            events.remove_targets(Rule=rule["Name"], Ids=targets)
        events.delete_rule(Name=rule["Name"])


@pytest.fixture
def https_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[ResponseHost, Path]]:
    """A response host over HTTPS, and the authority that signed its certificate, which Python trusts."""
    authority = trustme.CA()
    bundle = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(bundle)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    with ResponseHost(tls=tls) as host:
        yield host, bundle
