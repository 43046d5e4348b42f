from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provider.custom_resource.request import (
    MalformedRequest,
    Progress,
    RequestType,
    Unanswerable,
    cloudformation_request,
    return_address,
)

URL = "https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com/arn%3Aaws?X-Amz-Signature=5ec7e7"


def event(**fields: object) -> dict[str, Any]:
    return {
        "RequestType": "Delete",
        "RequestId": "request-1",
        "StackId": "arn:stack",
        "LogicalResourceId": "Job",
        "PhysicalResourceId": "job-1",
        "ResponseURL": URL,
        "ResourceProperties": {"Id": "job-1", "ServiceTimeout": "60"},
        **fields,
    }


def test_a_delete_is_read() -> None:
    request = cloudformation_request(event())
    assert request.request_type is RequestType.DELETE
    assert request.physical_resource_id == "job-1"
    assert request.service_timeout == 60
    assert request.progress is None


@pytest.mark.parametrize("value", [None, "x", "0", "3601", "99999999999999999999", {}, "-1", "\u0661", True], ids=repr)
def test_a_service_timeout_that_makes_no_sense_is_cloudformations_default(value: object) -> None:
    assert cloudformation_request(event(ResourceProperties={"ServiceTimeout": value})).service_timeout == 3600


@pytest.mark.parametrize(
    "url",
    [
        None,
        5,
        "",
        "http://bucket.s3.amazonaws.com/x",
        "ftp://bucket.s3.amazonaws.com/x",
        "https://bucket.s3.amazonaws.com.evil.example/x",
        "https://amazonaws.com/x",
        "https://user:password@bucket.s3.amazonaws.com/x",
        "https://bucket.s3.amazonaws.com@evil.example/x",
        "https://evil.example\\.s3.amazonaws.com/x",
        "https://evil.example/.s3.amazonaws.com",
        "https://bucket.s3.amazonaws.com:port/x",
        "https://[bucket.s3.amazonaws.com/x",
        "https://bucket.s3.amazonaws.com/x\n",
        "file:///etc/passwd",
    ],
    ids=repr,
)
def test_only_awss_hosts_are_answered_over_https(url: object) -> None:
    with pytest.raises(Unanswerable, match="ResponseURL"):
        return_address(event(ResponseURL=url), ())


@pytest.mark.parametrize(
    "host", ["b.s3.amazonaws.com", "b.s3.cn-north-1.amazonaws.com.cn", "b.s3.eusc-de-east-1.amazonaws.eu"]
)
def test_awss_hosts_are_answered(host: str) -> None:
    assert return_address(event(ResponseURL=f"https://{host}/x"), ()).url == f"https://{host}/x"


def test_the_operator_allows_more_hosts() -> None:
    assert return_address(event(ResponseURL="http://localhost:1/x"), ("localhost",)).url == "http://localhost:1/x"
    with pytest.raises(Unanswerable, match="not https"):
        return_address(event(ResponseURL="ftp://localhost/x"), ("localhost",))


@pytest.mark.parametrize("name", ["StackId", "RequestId", "LogicalResourceId"])
@pytest.mark.parametrize("value", [None, "", 5, [], "x" * 1025, "\ud800"], ids=ascii)
def test_an_event_that_names_no_request_cannot_be_answered(name: str, value: object) -> None:
    with pytest.raises(Unanswerable, match=name):
        return_address(event(**{name: value}), ())


def test_ids_that_leave_no_room_for_an_answer_cannot_be_answered() -> None:
    with pytest.raises(Unanswerable, match="no room"):
        return_address(event(StackId="\u00e9" * 1000, LogicalResourceId="\u00e9" * 1000), ())


@pytest.mark.parametrize("value", [None, "", "create", "Destroy", 5, ["Delete"], {}], ids=repr)
def test_an_unknown_request_type_is_refused(value: object) -> None:
    with pytest.raises(MalformedRequest, match="RequestType should be Create, Update or Delete"):
        cloudformation_request(event(RequestType=value))


def test_what_is_missing_is_named() -> None:
    with pytest.raises(MalformedRequest, match="PhysicalResourceId is missing"):
        cloudformation_request(event(PhysicalResourceId=None))
    with pytest.raises(MalformedRequest, match="ResourceProperties should be a map"):
        cloudformation_request(event(ResourceProperties="Id=job-1"))
    with pytest.raises(MalformedRequest, match="OldResourceProperties should be a map"):
        cloudformation_request(event(RequestType="Update"))


def test_a_create_has_no_physical_id() -> None:
    assert cloudformation_request(event(RequestType="Create")).physical_resource_id is None


@pytest.mark.parametrize(
    ("query", "signed_at"),
    [
        ("X-Amz-Date=20260101T000000Z&X-Amz-Expires=7200", 1767225600.0),
        ("X-Amz-Date=yesterday", None),
        ("AWSAccessKeyId=x&Expires=1", None),
        ("", None),
    ],
)
def test_a_url_says_when_it_was_signed(query: str, signed_at: float | None) -> None:
    address = return_address(event(ResponseURL=f"https://b.s3.amazonaws.com/x?{query}"), ())
    assert address.signed_at == signed_at


def test_a_polling_event_carries_its_progress_on() -> None:
    data = {"ArrivedAt": 1.5, "CancelledAt": None}
    assert cloudformation_request(event(CrHelperPoll=True, CrHelperData=data)).progress == Progress(1.5, None)


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"ArrivedAt": "1"},
        {"ArrivedAt": True},
        {"ArrivedAt": 1, "CancelledAt": -1},
        {"ArrivedAt": float("nan")},
    ],
    ids=repr,
)
def test_a_polling_event_without_progress_is_refused(data: object) -> None:
    with pytest.raises(MalformedRequest, match="polling event"):
        cloudformation_request(event(CrHelperPoll=True, CrHelperData=data))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=8,
)


@given(json_values)
def test_whatever_lambda_delivers_is_read_or_refused(value: object) -> None:
    with pytest.raises(Unanswerable):
        return_address(value, ())


@given(
    st.dictionaries(st.sampled_from([*event(), "OldResourceProperties", "CrHelperPoll", "CrHelperData"]), json_values)
)
def test_every_field_may_hold_anything(fields: dict[str, Any]) -> None:
    broken = event(**fields)
    try:
        address = return_address(broken, ())
        request = cloudformation_request(broken)
    except (Unanswerable, MalformedRequest):
        return
    assert address.url.startswith("https://")
    assert 1 <= request.service_timeout <= 3600
