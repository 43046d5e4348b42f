from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provider.clock import Clock
from provider.custom_resource.handle import Outcome, Signal, body, completion_handle, has_expired
from provider.custom_resource.request import CloudFormationRequest, MalformedRequest, UnusableUrl, presigned_url
from provider.hosts import Hosts
from provider.identity import Identity
from provider.journal.entry import RequestType
from provider.lifecycle import Asked

HOSTS = Hosts.of_signals("us-east-1")
URL = (
    "https://cloudformation-waitcondition-us-east-1.s3.amazonaws.com/arn%3Aaws%3Acloudformation/Handle"
    "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20260102T030405Z&X-Amz-SignedHeaders=host&X-Amz-Expires=86399"
    "&X-Amz-Credential=x&X-Amz-Signature=5ec7e7"
)
SIGNED_AT = 1767323045


def request(follows: Identity | None = None, **properties: object) -> Any:  # noqa: ANN401
    asked = Asked(RequestType.CREATE, "request", "stack", "resource", "", properties)
    return CloudFormationRequest(asked, 3600, 0.0, follows=follows)


def written(signal: Signal) -> dict[str, Any]:
    content = body(signal)
    assert len(content) <= 4096
    read: dict[str, Any] = json.loads(content)
    return read


# --- the handle -------------------------------------------------------------------------------------------------------


def test_a_handle_says_when_it_expires() -> None:
    handle = completion_handle(request(CompletionHandle=URL), HOSTS)
    assert handle is not None
    assert (handle.url, handle.signed_at, handle.expires_at) == (URL, SIGNED_AT, SIGNED_AT + 86399)
    for late, is_over in ((0, False), (1, True)):
        now = SIGNED_AT + 86399 + late
        assert has_expired(handle, Clock(wall=lambda now=now: now)) is is_over  # type: ignore[misc]


def test_a_handle_of_signature_version_2_says_so_too() -> None:
    url = f"{URL.partition('?')[0]}?AWSAccessKeyId=x&Expires={SIGNED_AT}&Signature=5ec7e7"
    assert completion_handle(request(CompletionHandle=url), HOSTS) == (url, None, SIGNED_AT)


@pytest.mark.parametrize(
    "url",
    [
        *(f"{URL.partition('?')[0]}?Signature=x{expires}" for expires in ("", "&Expires=", "&Expires=soon")),
        URL.replace("X-Amz-Expires=86399&", ""),
        URL.replace("86399", "soon"),
        URL.replace("X-Amz-Date=20260102T030405Z&", ""),
        URL.replace("20260102T030405Z", "today"),
    ],
)
def test_a_handle_that_does_not_say_has_not_expired(url: str) -> None:
    handle = completion_handle(request(CompletionHandle=url), HOSTS)
    assert handle is not None
    assert handle.expires_at is None
    assert not has_expired(handle, Clock(wall=lambda: 1e11))


def test_there_need_not_be_a_handle() -> None:
    assert completion_handle(request(), HOSTS) is None
    assert completion_handle(request(CompletionHandle="Handle"), HOSTS) is None  # which the schema refuses


def test_a_job_that_is_followed_has_a_handle() -> None:
    with pytest.raises(MalformedRequest, match=r"Waiting has Follows, which requires CompletionHandle\.$"):
        completion_handle(request(Identity.parse("cluster:8182/job-1")), HOSTS)


def test_what_is_wrong_with_a_url_does_not_tell_it() -> None:
    for url in (URL.replace("https", "http"), URL.replace("Signature", "x"), URL.replace(".com/", ".com:1/")):
        with pytest.raises(UnusableUrl) as error:
            presigned_url(url, HOSTS)
        assert "5ec7e7" not in str(error.value)
        assert "arn" not in str(error.value)


# --- the signal -------------------------------------------------------------------------------------------------------


def test_a_signal_has_the_fields_that_cloudformation_knows() -> None:
    signal = Signal(Outcome.SUCCESS, "job-1", "The job job-1 has completed.", {"Id": "job-1", "Status": "Completed"})
    assert written(signal) == {
        "Status": "SUCCESS",
        "Reason": "The job job-1 has completed.",
        "UniqueId": "job-1",
        "Data": '{"Id":"job-1","Status":"Completed"}',
    }


def test_the_data_is_written_as_short_as_it_can_be() -> None:
    data = {"Id": "größe", "Status": "half \ud83d of it"}
    signal = Signal(Outcome.SUCCESS, "job-1", "x", data)
    assert written(signal)["Data"] == '{"Id":"größe","Status":"half ? of it"}'
    assert "größe".encode() in body(signal)


def test_an_id_that_is_longer_than_cloudformation_takes_is_shortened_to_one_of_its_own() -> None:
    assert written(Signal(Outcome.FAILURE, "x" * 64, "why"))["UniqueId"] == "x" * 64
    ids = [written(Signal(Outcome.FAILURE, "x" * 65 + end, "why"))["UniqueId"] for end in ("", "y")]
    assert [len(unique_id) for unique_id in ids] == [64, 64]
    assert ids[0] != ids[1]
    assert ids[0].startswith("x" * 51 + "-")
    assert len(written(Signal(Outcome.FAILURE, "x" * 65 + "\ud800", "why"))["UniqueId"]) == 64


def test_attributes_that_are_too_much_are_left_out_as_a_whole_from_the_end(caplog: pytest.LogCaptureFixture) -> None:
    data = {"Id": "job-1", "OutputLocation": "s3://bucket/x", "ModelNames": "n" * 1500, "ModelArns": "a" * 1500}
    with caplog.at_level(logging.WARNING):
        signal = written(Signal(Outcome.SUCCESS, "job-1", "The job job-1 has completed.", data))
    assert json.loads(signal["Data"]) == {name: value for name, value in data.items() if name != "ModelArns"}
    assert signal["Reason"] == "The job job-1 has completed."
    assert [record.getMessage() for record in caplog.records] == ["An attribute was left out of the signal"]


@pytest.mark.parametrize(("too_many", "left"), [(0, ["Id", "Arn"]), (1, ["Id"])])
def test_the_data_have_half_of_the_room(too_many: int, left: list[str]) -> None:
    others = len(body(Signal(Outcome.SUCCESS, "job-1", "x", {"Id": "job-1", "Arn": ""}))) - len("x")
    data = {"Id": "job-1", "Arn": "a" * (2048 - others + too_many)}
    assert list(json.loads(written(Signal(Outcome.SUCCESS, "job-1", "It has completed.", data))["Data"])) == left


def test_a_long_reason_is_shortened_at_its_end_at_a_word() -> None:
    reason = written(Signal(Outcome.FAILURE, "job-1", "The job job-1 " + "fails and " * 1000))["Reason"]
    assert reason.startswith("The job job-1 fails and fails")
    assert reason.endswith((" fails ...", " and ..."))


@given(st.text(max_size=1024), st.text(max_size=5000), st.dictionaries(st.text(max_size=20), st.text(max_size=900)))
def test_every_signal_fits(job_id: str, reason: str, data: dict[str, str]) -> None:
    signal = written(Signal(Outcome.SUCCESS, job_id, reason, data))
    assert len(signal["UniqueId"]) <= 64
    assert (
        json.loads(signal["Data"]).items()
        <= {
            name.encode(errors="replace").decode(): value.encode(errors="replace").decode()
            for name, value in data.items()
        }.items()
    )
