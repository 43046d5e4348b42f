from __future__ import annotations

import io
import json
import logging
import ssl
import uuid
from typing import TYPE_CHECKING

import botocore.endpoint
import pytest
import trustme

from local.response_host import ResponseHost
from provider import neptune, observability
from tests.function.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.ministack import MiniStack
    from simulator import ManualClock, Simulator

SECRETS = "5ec7e7"  # how every made-up secret of the tests begins


@pytest.fixture
def world(
    simulator: Simulator,
    response_host: ResponseHost,
    simulator_clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[World]:
    class Time:
        """botocore's pauses between attempts are on the test's clock, too."""

        sleep = simulator_clock.advance

    monkeypatch.setattr(botocore.endpoint, "time", Time)
    world = World(simulator, response_host, simulator_clock)
    with world.instead_of_the_cluster:
        yield world


@pytest.fixture
def written(
    caplog: pytest.LogCaptureFixture, response_host: ResponseHost, monkeypatch: pytest.MonkeyPatch
) -> Iterator[io.StringIO]:
    """What the function logs at DEBUG; at the end it is searched for secrets, as is what was answered."""
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    handler.setFormatter(observability.logger.handlers[0].formatter)
    monkeypatch.setattr(observability.logger._logger, "level", logging.DEBUG)
    monkeypatch.setattr(observability.logger._logger, "handlers", [handler])
    for name in ("boto3", "botocore", "urllib3"):
        library = logging.getLogger(name)
        monkeypatch.setattr(library, "level", library.level)
        monkeypatch.setattr(library, "handlers", library.handlers)
        observability._take_over(name)
    yield log
    answered = [json.dumps(received.body) for received in response_host.received]
    others = [record.getMessage() for record in caplog.records if not record.name.startswith("uvicorn")]
    assert SECRETS not in "\n".join([log.getvalue(), *answered, *others])


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neptune's time limits, shortened: what takes a minute takes a tenth of a second."""
    monkeypatch.setattr(neptune, "CONNECT_SECONDS", 0.05)
    monkeypatch.setattr(neptune, "READ_SECONDS", dict.fromkeys(neptune.READ_SECONDS, 0.1))


@pytest.fixture
def queue_url(aws: MiniStack) -> Iterator[str]:
    """A queue of Amazon SQS, empty."""
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName=f"waiting-{uuid.uuid4()}", Attributes={"VisibilityTimeout": "900"})["QueueUrl"]
    yield url
    sqs.delete_queue(QueueUrl=url)


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
