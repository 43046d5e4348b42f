from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.response_host import SIGNATURE
from provider.clock import Clock
from provider.custom_resource.answer import MAX_BODY_BYTES, Answer, Outcome, Undeliverable, body, deliver, fits
from provider.custom_resource.request import ReturnAddress

if TYPE_CHECKING:
    from local.response_host import Behaviour, ResponseHost

ADDRESS = ReturnAddress("https://bucket.s3.amazonaws.com/x?y=z", "arn:stack", "request", "Job", None)
PAUSES = (0.5, 1.0, 2.0, 4.0)
STREAM = "2026/01/01/[$LATEST]0123456789abcdef"


def failed(reason: str) -> dict[str, str]:
    written = body(ADDRESS, Answer(Outcome.FAILED, "no-job/1", reason), STREAM)
    assert len(written) <= MAX_BODY_BYTES
    decoded: dict[str, str] = json.loads(written)
    return decoded


def test_an_answer_has_every_field_that_cloudformation_knows() -> None:
    written = json.loads(body(ADDRESS, Answer(Outcome.SUCCESS, "job-1", data={"Id": "job-1"}), STREAM))
    assert written == {
        "Status": "SUCCESS",
        "Reason": "",
        "PhysicalResourceId": "job-1",
        "StackId": "arn:stack",
        "RequestId": "request",
        "LogicalResourceId": "Job",
        "NoEcho": False,
        "Data": {"Id": "job-1"},
    }


def test_a_reason_ends_with_the_log_stream() -> None:
    assert failed("It broke.")["Reason"] == f"It broke. (log stream: {STREAM})"


def test_a_long_reason_is_shortened_at_its_end_at_a_word() -> None:
    reason = failed("The job job-1 " + "fails and " * 1000)["Reason"]
    assert reason.startswith("The job job-1 fails and fails")
    assert reason.endswith(f" ... (log stream: {STREAM})")
    assert reason.split(" ... ")[0].endswith(("fails", "and"))


def test_a_reason_is_one_line() -> None:
    assert failed("one\n\ttwo  three")["Reason"].startswith("one two three (")


def test_a_reason_holds_no_url_query() -> None:
    assert SIGNATURE not in failed(f"at https://bucket.s3.amazonaws.com/key?X-Amz-Signature={SIGNATURE}")["Reason"]
    assert SIGNATURE not in failed(f"url: /key?a=b&X-Amz-Signature={SIGNATURE}&c=d")["Reason"]


@given(st.text(st.characters(), max_size=6000))
def test_every_reason_makes_an_answer_that_fits(reason: str) -> None:
    written = failed(reason)
    assert written["Status"] == "FAILED"
    assert written["Reason"].endswith(f"(log stream: {STREAM})")


def test_attributes_that_do_not_fit_are_noticed() -> None:
    assert fits(ADDRESS, Answer(Outcome.SUCCESS, "job-1", data={"Id": "x" * 3000}))
    assert not fits(ADDRESS, Answer(Outcome.SUCCESS, "job-1", data={"Id": "x" * 4000}))


class Naps:
    def __init__(self) -> None:
        self.now = 0.0
        self.clock = Clock(monotonic=lambda: self.now, wall=lambda: self.now, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize("behaviours", [[500], [503, 429, 502], ["reset"], ["reset", 500, "reset", 503]], ids=repr)
def test_what_may_pass_is_tried_again_with_growing_pauses(
    response_host: ResponseHost, behaviours: list[Behaviour]
) -> None:
    response_host.behave(behaviours)
    naps = Naps()
    deliver(response_host.url_for("key"), body(ADDRESS, Answer(Outcome.SUCCESS, "job-1"), ""), naps.clock, PAUSES)
    assert [received.key for received in response_host.received] == ["key"]
    assert response_host.attempts == len(behaviours) + 1
    assert naps.now == sum(PAUSES[: len(behaviours)])


@pytest.mark.parametrize("status", [301, 307, 400, 403, 404])
def test_any_other_answer_is_an_error_at_once(response_host: ResponseHost, status: int) -> None:
    response_host.behave([status])
    with pytest.raises(Undeliverable, match=f"in 1 attempts: HTTP status {status}"):
        deliver(response_host.url_for("key"), b"{}", Naps().clock, PAUSES)
    assert response_host.attempts == 1


def test_attempts_are_bounded(response_host: ResponseHost) -> None:
    response_host.behave([], then=500)
    naps = Naps()
    with pytest.raises(Undeliverable, match="in 5 attempts: HTTP status 500") as caught:
        deliver(response_host.url_for("key"), b"{}", naps.clock, PAUSES)
    assert naps.now == 7.5
    assert SIGNATURE not in str(caught.value)


def test_a_host_that_cannot_be_reached_is_named_with_what_to_open() -> None:
    with pytest.raises(Undeliverable, match=r"delivered to 127\.0\.0\.1 .*gateway endpoint for S3") as caught:
        deliver(f"http://127.0.0.1:9/key?X-Amz-Signature={SIGNATURE}", b"{}", Naps().clock, PAUSES)
    assert SIGNATURE not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_a_host_that_hangs_costs_its_time_limit_and_no_attempt_begins_late(
    response_host: ResponseHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provider.custom_resource.answer._READ_SECONDS", 0.05)
    response_host.behave([], then="hang")
    naps = Naps()

    def slow(seconds: float) -> None:
        naps.now += seconds + 29  # as if the pause took the time of slow attempts, too

    with pytest.raises(Undeliverable, match="in 2 attempts: ReadTimeoutError"):
        deliver(response_host.url_for("key"), b"{}", Clock(lambda: naps.now, lambda: naps.now, slow), PAUSES)
