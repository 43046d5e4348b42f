from __future__ import annotations

import json
import logging
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
import urllib3
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from local.response_host import SIGNATURE, ResponseHost
from provider import observability
from provider.clock import Clock
from provider.custom_resource import answer as answers
from provider.custom_resource.answer import Answer, Undeliverable, body, problem_with, tell
from provider.custom_resource.request import ReturnAddress
from provider.journal.entry import Outcome
from simulator.serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

    from local.response_host import Behaviour

ADDRESS = ReturnAddress(
    url=f"https://bucket.s3.amazonaws.com/x?X-Amz-Signature={SIGNATURE}",
    signed_at=None,
    stack_id="arn:stack",
    request_id="request",
    logical_resource_id="Job",
    physical_id="",
)
PAUSES = (0.5, 1.0, 2.0, 4.0)
STREAM = "2026/01/01/[$LATEST]0123456789abcdef"
SUCCESS = Answer(Outcome.SUCCESS, "cluster:8182/job-1", data={"Id": "job-1"})


class Naps:
    """A clock on which a pause takes its time and nothing else does."""

    def __init__(self) -> None:
        self.now = 0.0
        self.taken: list[float] = []
        self.clock = Clock(monotonic=lambda: self.now, wall=lambda: self.now, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        self.taken.append(seconds)
        self.now += seconds


def at(host: ResponseHost) -> ReturnAddress:
    return ReturnAddress(
        host.url_for("key"), None, ADDRESS.stack_id, ADDRESS.request_id, ADDRESS.logical_resource_id, ""
    )


def failed(reason: str, address: ReturnAddress = ADDRESS) -> dict[str, Any]:
    written = body(address, Answer(Outcome.FAILED, address.fallback_id, reason), STREAM)
    assert len(written) <= 4096
    decoded: dict[str, Any] = json.loads(written)
    return decoded


# --- the body ---------------------------------------------------------------------------------------------------------


def test_the_answer_to_a_request_that_failed_has_every_field_that_cloudformation_knows() -> None:
    assert failed("It broke.") == {
        "Status": "FAILED",
        "Reason": f"It broke. (log stream: {STREAM})",
        "PhysicalResourceId": "no-job/request",
        "StackId": "arn:stack",
        "RequestId": "request",
        "LogicalResourceId": "Job",
        "NoEcho": False,
        "Data": {},
    }


def test_without_a_log_stream_none_is_named() -> None:
    written = json.loads(body(ADDRESS, Answer(Outcome.FAILED, "x", "It broke."), ""))
    assert written["Reason"] == "It broke."


def test_a_failure_without_words_says_so() -> None:
    assert failed("")["Reason"] == f"The reason is unknown. (log stream: {STREAM})"
    assert failed(" \n")["Reason"].startswith("The reason is unknown.")


def test_a_long_reason_is_shortened_at_its_end_at_a_word() -> None:
    reason = failed("The job job-1 " + "fails and " * 1000)["Reason"]
    assert reason.startswith("The job job-1 fails and fails")
    assert reason.endswith(f" ... (log stream: {STREAM})")
    assert reason.split(" ... ")[0].endswith(("fails", "and"))


@pytest.mark.parametrize("character", ["x", "é", "€", "𝄞", '"', "\\"], ids=ascii)
def test_a_reason_is_shortened_no_more_than_it_must_be(character: str) -> None:
    written = body(ADDRESS, Answer(Outcome.FAILED, "x", character * 9000), STREAM)
    longest = len(json.dumps(character, ensure_ascii=False).encode()) - 2
    assert 4096 - longest < len(written) <= 4096


def test_a_reason_that_just_fits_is_not_shortened_and_one_more_character_is() -> None:
    room = 4096 - len(body(ADDRESS, Answer(Outcome.FAILED, ADDRESS.fallback_id, "x"), STREAM)) + 1
    assert failed("x" * room)["Reason"] == f"{'x' * room} (log stream: {STREAM})"
    assert failed("x" * (room + 1))["Reason"] == f"{'x' * (room - 4)} ... (log stream: {STREAM})"


def test_a_word_of_some_200_characters_is_not_cut_and_a_longer_one_is() -> None:
    room = 4096 - len(body(ADDRESS, Answer(Outcome.FAILED, ADDRESS.fallback_id, "x"), STREAM)) + 1 - 4
    for length, is_cut in ((198, False), (199, True)):
        words = "a" * (room - length - 1) + " " + "b" * 5000
        assert failed(words)["Reason"].split(" ...")[0].endswith("b") is is_cut


def test_a_reason_is_one_line() -> None:
    assert failed("one\n\ttwo  three")["Reason"].startswith("one two three (")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("\x1b[1;31mValueError\x1b[0m: no such column", "ValueError: no such column"),  # as a training writes it
        ("nul\x00, bell\x07, escape\x1b, delete\x7f", "nul, bell, escape, delete"),
        ("next\x85line", "next line"),
        ("csi\x9b, none\ufffe\uffff", "csi, none"),
        ("\x1b[0m", "The reason is unknown."),
        ("Größe: 3 €, 𝄞, [0m", "Größe: 3 €, 𝄞, [0m"),
    ],
    ids=ascii,
)
def test_a_reason_holds_no_character_with_which_the_stacks_events_cannot_be_read(words: str, reason: str) -> None:
    assert failed(words)["Reason"] == f"{reason} (log stream: {STREAM})"


def test_a_reason_holds_no_url_query() -> None:
    assert SIGNATURE not in failed(f"at https://bucket.s3.amazonaws.com/key?X-Amz-Signature={SIGNATURE}")["Reason"]
    assert SIGNATURE not in failed(f"url: /key?a=b&X-Amz-Signature={SIGNATURE}&c=d")["Reason"]


def test_half_of_a_character_in_a_reason_is_replaced() -> None:
    assert failed("half \ud83d of it")["Reason"].startswith("half ? of it (")


def test_half_of_a_character_in_an_attribute_is_replaced(response_host: ResponseHost) -> None:
    answer = SUCCESS._replace(data={"Id": "job-1", "OutputLocation": "s3://half/\ud83d"})
    tell(at(response_host), answer, log_stream=STREAM, clock=Naps().clock, pauses=())
    assert response_host.received[-1].body["Data"]["OutputLocation"] == "s3://half/?"


@given(st.text(st.characters(), max_size=6000))
def test_every_reason_makes_an_answer_that_fits(reason: str) -> None:
    written = failed(reason)
    assert written["Status"] == "FAILED"
    assert written["Reason"].endswith(f"(log stream: {STREAM})")


@given(st.text(st.characters(), max_size=300), st.integers(0, 2000))
def test_every_reason_fits_beside_the_longest_ids(reason: str, repeats: int) -> None:
    address = ReturnAddress("", None, "s" * 1024, "r" * 512, "l" * 255, "p" * 1024)
    failed(reason * repeats, address)


# --- the delivery -----------------------------------------------------------------------------------------------------


def test_a_success_is_told_with_its_attributes(response_host: ResponseHost) -> None:
    tell(at(response_host), SUCCESS, log_stream=STREAM, clock=Naps().clock, pauses=PAUSES)
    (received,) = response_host.received
    assert received.key == "key"
    assert received.body == {
        "Status": "SUCCESS",
        "Reason": "",
        "PhysicalResourceId": "cluster:8182/job-1",
        "StackId": "arn:stack",
        "RequestId": "request",
        "LogicalResourceId": "Job",
        "NoEcho": False,
        "Data": {"Id": "job-1"},
    }


def test_a_failure_is_told_with_its_reason_and_the_log_stream(response_host: ResponseHost) -> None:
    failure = Answer(Outcome.FAILED, "no-job/request", "It broke.")
    tell(at(response_host), failure, log_stream=STREAM, clock=Naps().clock, pauses=PAUSES)
    (received,) = response_host.received
    assert received.body["Reason"] == f"It broke. (log stream: {STREAM})"


def test_attributes_that_do_not_fit_are_a_problem_rather_than_cut(response_host: ResponseHost) -> None:
    def success(length: int) -> Answer:
        return Answer(Outcome.SUCCESS, "x", data={"Id": "x" * length})

    address = at(response_host)
    tell(address, success(1), log_stream=STREAM, clock=Naps().clock, pauses=PAUSES)
    room = 4096 - response_host.received[-1].size + 1
    assert problem_with(address, success(room)) == ""
    assert problem_with(address, success(room + 1)) == (
        "The resource's ID and attributes exceed CloudFormation's limit of 4,096 bytes. Use a shorter Id or output "
        "location."
    )


@pytest.mark.parametrize("behaviours", [[500], [503, 429, 502], ["reset"], ["reset", 500, "reset", 503]], ids=repr)
def test_what_may_pass_is_tried_again_with_growing_pauses(
    response_host: ResponseHost, behaviours: list[Behaviour]
) -> None:
    response_host.behave(behaviours)
    naps = Naps()
    tell(at(response_host), SUCCESS, log_stream="", clock=naps.clock, pauses=PAUSES)
    assert [received.key for received in response_host.received] == ["key"]
    assert response_host.attempts == len(behaviours) + 1
    assert naps.taken == list(PAUSES[: len(behaviours)])


@pytest.mark.parametrize("status", [300, 301, 307, 400, 403, 404, 428, 430, 499])
def test_any_other_answer_is_an_error_at_once(response_host: ResponseHost, status: int) -> None:
    response_host.behave([status])
    naps = Naps()
    with pytest.raises(Undeliverable, match=f"in 1 attempts: HTTP status {status}"):
        tell(at(response_host), SUCCESS, log_stream="", clock=naps.clock, pauses=PAUSES)
    assert response_host.attempts == 1
    assert naps.taken == []


def test_the_answer_goes_nowhere_but_to_its_url(response_host: ResponseHost) -> None:
    async def redirect(request: Request) -> Response:
        del request
        return Response(status_code=307, headers={"location": response_host.url_for("key")})

    application = Starlette(routes=[Route("/key", redirect, methods=["PUT"])])
    with serving(application, host="127.0.0.1", port=0) as port:
        address = ADDRESS._replace(url=f"http://127.0.0.1:{port}/key?X-Amz-Signature={SIGNATURE}")
        with pytest.raises(Undeliverable, match="in 1 attempts: HTTP status 307"):
            tell(address, SUCCESS, log_stream="", clock=Naps().clock, pauses=PAUSES)
    assert response_host.attempts == 0


def test_the_answer_has_an_empty_content_type_which_the_signature_may_cover() -> None:
    sent: list[str | None] = []

    async def take(request: Request) -> Response:
        sent.append(request.headers.get("content-type"))
        return Response()

    application = Starlette(routes=[Route("/key", take, methods=["PUT"])])
    with serving(application, host="127.0.0.1", port=0) as port:
        address = ADDRESS._replace(url=f"http://127.0.0.1:{port}/key?X-Amz-Signature={SIGNATURE}")
        tell(address, SUCCESS, log_stream="", clock=Naps().clock, pauses=PAUSES)
    assert sent == [""]


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_every_success_of_http_is_one(response_host: ResponseHost, status: int) -> None:
    response_host.behave([status])
    tell(at(response_host), SUCCESS, log_stream="", clock=Naps().clock, pauses=PAUSES)
    assert response_host.attempts == 1


def test_attempts_are_bounded(response_host: ResponseHost) -> None:
    response_host.behave([], then=500)
    naps = Naps()
    with pytest.raises(Undeliverable, match="in 5 attempts: HTTP status 500") as caught:
        tell(at(response_host), SUCCESS, log_stream="", clock=naps.clock, pauses=PAUSES)
    assert naps.taken == list(PAUSES)
    assert SIGNATURE not in str(caught.value)


def test_without_pauses_there_is_one_attempt(response_host: ResponseHost) -> None:
    response_host.behave([500])
    with pytest.raises(Undeliverable, match="in 1 attempts"):
        tell(at(response_host), SUCCESS, log_stream="", clock=Naps().clock, pauses=())


def test_no_attempt_begins_after_half_a_minute(response_host: ResponseHost) -> None:
    response_host.behave([], then=500)
    naps = Naps()
    with pytest.raises(Undeliverable, match="in 3 attempts"):
        tell(at(response_host), SUCCESS, log_stream="", clock=naps.clock, pauses=(10.0, 20.0, 0.1))
    assert naps.now == 30
    naps = Naps()
    with pytest.raises(Undeliverable, match="in 2 attempts"):
        tell(at(response_host), SUCCESS, log_stream="", clock=naps.clock, pauses=(10.0, 20.1))


def test_a_host_that_cannot_be_reached_is_named_with_what_to_open() -> None:
    url = f"http://127.0.0.1:9/key?X-Amz-Signature={SIGNATURE}"
    address = ReturnAddress(url, None, "arn:stack", "request", "Job", "no-job/request")
    with pytest.raises(Undeliverable, match=r"delivered to 127\.0\.0\.1 in 5 attempts: .*gateway endpoint") as caught:
        tell(address, SUCCESS, log_stream="", clock=Naps().clock, pauses=PAUSES)
    assert SIGNATURE not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.fixture
def short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "_TIMEOUT", urllib3.Timeout(connect=0.1, read=0.1))


def test_a_connection_takes_3_seconds_and_an_answer_5_at_most() -> None:
    assert (answers._TIMEOUT.connect_timeout, answers._TIMEOUT.read_timeout) == (3, 5)


def test_a_host_that_hangs_costs_its_time_limit(response_host: ResponseHost, short_limits: None) -> None:
    del short_limits
    response_host.behave(["hang", "hang"])
    tell(at(response_host), SUCCESS, log_stream="", clock=Naps().clock, pauses=PAUSES)
    assert response_host.attempts == 3


def test_a_host_that_takes_no_connection_is_named(short_limits: None) -> None:
    del short_limits
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.create_connection(full.getsockname()):
        url = f"http://127.0.0.1:{full.getsockname()[1]}/key?X-Amz-Signature={SIGNATURE}"
        address = ReturnAddress(url, None, "arn:stack", "request", "Job", "no-job/request")
        with pytest.raises(Undeliverable, match="in 2 attempts: ConnectTimeoutError"):
            tell(address, SUCCESS, log_stream="", clock=Naps().clock, pauses=(0.5,))


@pytest.fixture
def dripping() -> Iterator[str]:
    """A host that takes an answer, and whose own body then never ends."""
    over = threading.Event()

    def drip(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            while b"\r\n\r\n" not in connection.recv(65536):
                pass
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
            while not over.wait(0.02):
                try:
                    connection.sendall(b".")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip, args=(server,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        over.set()
        thread.join(10)


def test_an_answer_whose_own_body_drips_in_does_not_hold_the_function_up(dripping: str) -> None:
    address = ReturnAddress(f"{dripping}/key?Signature=x", None, "arn:stack", "request", "Job", "no-job/request")
    began = time.monotonic()
    tell(address, SUCCESS, log_stream="", clock=Naps().clock, pauses=())
    assert time.monotonic() - began < 5


def test_what_was_told_is_logged_and_no_query_with_it(
    response_host: ResponseHost, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observability.logger._logger, "propagate", True)
    monkeypatch.setattr(observability.logger._logger, "level", logging.DEBUG)
    response_host.behave([503])
    failure = Answer(Outcome.FAILED, "no-job/request", "It broke.")
    tell(at(response_host), failure, log_stream=STREAM, clock=Naps().clock, pauses=PAUSES)
    ours = [record for record in caplog.records if record.name == observability.SERVICE]
    assert [record.getMessage() for record in ours] == [
        "The request failed",
        "CloudFormation did not accept the response",
        "CloudFormation accepted the response",
    ]
    assert SIGNATURE not in "".join(str(vars(record)) for record in ours)
