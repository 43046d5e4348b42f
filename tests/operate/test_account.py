"""Whose account it is, or why nobody can tell."""

from __future__ import annotations

import http.server
import threading
from typing import TYPE_CHECKING

import pytest

from operate import account
from operate.command import CannotGoOn

if TYPE_CHECKING:
    from collections.abc import Iterator

REFUSAL = b"""<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code>
<Message>The security token included in the request is expired</Message></Error></ErrorResponse>"""


class Refusing(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.send_response(403)
        self.send_header("Content-Length", str(len(REFUSAL)))
        self.end_headers()
        self.wfile.write(REFUSAL)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def refusing() -> Iterator[str]:
    """Where an AWS listens that does not take these credentials."""
    with http.server.HTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_without_credentials_the_way_to_some_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)

    with pytest.raises(CannotGoOn, match=r"No AWS credentials were found\. Set AWS_PROFILE, or run `aws configure`"):
        account.find()


def test_without_a_region_the_way_to_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)

    with pytest.raises(CannotGoOn, match=r"No AWS Region is set\. Set AWS_REGION"):
        account.find()


def test_the_region_is_also_taken_from_where_the_aws_cli_takes_it(
    monkeypatch: pytest.MonkeyPatch, refusing: str
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", refusing)

    with pytest.raises(CannotGoOn, match="AWS rejected the credentials"):
        account.find()


def test_a_profile_that_there_is_not_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")

    with pytest.raises(CannotGoOn, match="no-such-profile"):
        account.find()


def test_credentials_that_have_expired_are_told_in_the_words_of_aws(
    monkeypatch: pytest.MonkeyPatch, refusing: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", refusing)

    with pytest.raises(CannotGoOn, match=r"AWS rejected the credentials .*is expired"):
        account.find()
