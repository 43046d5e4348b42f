from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provider.custom_resource.request import (
    CloudFormationRequest,
    MalformedRequest,
    Unanswerable,
    cloudformation_request,
    return_address,
)
from provider.hosts import Hosts
from provider.identity import NO_JOB, Identity
from provider.journal.entry import RequestType
from provider.lifecycle import Patience
from provider.lifecycle.patience import Fault

BUCKET = "cloudformation-custom-resource-response-useast1"
HOST = f"{BUCKET}.s3.amazonaws.com"
URL = f"https://{HOST}/arn%3Aaws?X-Amz-Signature=5ec7e7"
HOSTS = Hosts.of_responses("us-east-1")
PHYSICAL_ID = "db.cluster-c0ffee.us-east-1.neptune.amazonaws.com:8182/job-1"


def event(**fields: object) -> dict[str, Any]:
    return {
        "RequestType": "Delete",
        "RequestId": "request-1",
        "StackId": "arn:stack",
        "LogicalResourceId": "Job",
        "PhysicalResourceId": PHYSICAL_ID,
        "ResponseURL": URL,
        "ResourceProperties": {"Id": "job-1", "ServiceTimeout": "60"},
        **fields,
    }


def asked(sent: dict[str, Any]) -> CloudFormationRequest:
    return cloudformation_request(sent, return_address(sent, HOSTS))


# --- whom to answer ---------------------------------------------------------------------------------------------------


def test_an_event_says_whom_to_answer() -> None:
    address = return_address(event(), HOSTS)
    assert address.url == URL
    assert (address.stack_id, address.request_id, address.logical_resource_id) == ("arn:stack", "request-1", "Job")
    assert address.physical_id == PHYSICAL_ID
    assert address.fallback_id == PHYSICAL_ID


@pytest.mark.parametrize("value", [None, "", 5, "x" * 1025, "\ud800"], ids=ascii)
def test_a_resource_without_an_id_has_one_that_no_job_can_have(value: object) -> None:
    address = return_address(event(PhysicalResourceId=value), HOSTS)
    assert address.physical_id == ""
    assert address.fallback_id == f"{NO_JOB}/request-1"
    assert Identity.parse(address.fallback_id) is None


@pytest.mark.parametrize(
    "url",
    [
        URL,
        f"https://{HOST}:443/x?X-Amz-Signature=5ec7e7",
        f"https://{HOST.upper()}/x?X-Amz-Signature=5ec7e7",
        f"HTTPS://{BUCKET}.s3-us-east-1.amazonaws.com/x?AWSAccessKeyId=x&Expires=1&Signature=5ec7e7",
    ],
)
def test_a_pre_signed_url_of_cloudformation_is_answered(url: str) -> None:
    assert return_address(event(ResponseURL=url), HOSTS).url == url


@pytest.mark.parametrize(
    ("url", "why"),
    [
        (None, "is missing or not a URL"),
        (5, "is missing or not a URL"),
        ("", "is not a pre-signed URL"),
        (f"{URL}\n", "is missing or not a URL"),
        (f"{URL} x", "is missing or not a URL"),
        (f"{URL}\u00e9", "is missing or not a URL"),
        (f"{URL}\x00", "is missing or not a URL"),
        (f"https://{HOST}:port/x?Signature=5ec7e7", "is not a URL"),
        (f"https://[{HOST}/x?Signature=5ec7e7", "is not a URL"),
        ("file:///etc/passwd?Signature=5ec7e7", "is not a pre-signed URL"),
        (f"https://{HOST}/x", "is not a pre-signed URL"),
        (f"https://{HOST}/x?Signature=", "is not a pre-signed URL"),
        (f"https://{HOST}/x?signature=5ec7e7", "is not a pre-signed URL"),
        (f"https://{HOST}/x#?Signature=5ec7e7", "is not a pre-signed URL"),
        (f"https://user:password@{HOST}/x?Signature=5ec7e7", "is not a pre-signed URL"),
        (f"https://user@{HOST}/x?Signature=5ec7e7", "is not a pre-signed URL"),
        (f"https://:password@{HOST}/x?Signature=5ec7e7", "is not a pre-signed URL"),
        (f"https://@{HOST}/x?Signature=5ec7e7", "is not a pre-signed URL"),
        (f"https://{HOST}@evil.example/x?Signature=5ec7e7", "is not a pre-signed URL"),
        (f"https://evil.example\\.{HOST}/x?Signature=5ec7e7", "is not a pre-signed URL"),
        (f"http://{HOST}/x?Signature=5ec7e7", "does not use HTTPS on port 443"),
        (f"ftp://{HOST}/x?Signature=5ec7e7", "does not use HTTPS on port 443"),
        (f"https://{HOST}:80/x?Signature=5ec7e7", "does not use HTTPS on port 443"),
        (f"https://{HOST}:0/x?Signature=5ec7e7", "does not use HTTPS on port 443"),
        (f"https://{HOST}:8443/x?Signature=5ec7e7", "does not use HTTPS on port 443"),
        ("https://bucket.s3.amazonaws.com/x?Signature=5ec7e7", "is at bucket.s3.amazonaws.com, which is not where"),
        (
            "https://api.us-east-1.amazonaws.com/x?Signature=5ec7e7",
            "not where CloudFormation accepts responses in this Region",
        ),
        (
            f"https://{HOST}.evil.example/x?Signature=5ec7e7",
            "not where CloudFormation accepts responses in this Region",
        ),
        (f"https://evil.example/.{HOST}?Signature=5ec7e7", "not where CloudFormation accepts responses in this Region"),
        ("https://127.0.0.1/x?Signature=5ec7e7", "not where CloudFormation accepts responses in this Region"),
        (f"https://{HOST.replace('useast1', 'uswest2')}/x?Signature=5ec7e7", "responses in this Region"),
    ],
    ids=ascii,
)
def test_no_other_url_is_answered(url: object, why: str) -> None:
    with pytest.raises(Unanswerable, match=why) as caught:
        return_address(event(ResponseURL=url), HOSTS)
    assert "5ec7e7" not in str(caught.value)


def test_a_host_that_is_refused_is_named_in_short() -> None:
    with pytest.raises(Unanswerable) as caught:
        return_address(event(ResponseURL=f"https://{'x' * 5000}/?Signature=x"), HOSTS)
    assert f"is at {'x' * 1024}, which" in str(caught.value)


def test_the_operator_allows_hosts_of_a_local_run_at_any_port_also_without_tls() -> None:
    hosts = Hosts.of_responses("us-east-1", ["localhost"])
    for url in ("http://localhost:1/x?Signature=x", "https://localhost:1/x?Signature=x", "http://LOCALHOST/x"):
        assert return_address(event(ResponseURL=url), hosts).url == url
    with pytest.raises(Unanswerable, match="does not use HTTPS"):
        return_address(event(ResponseURL="ftp://localhost/x?Signature=x"), hosts)
    with pytest.raises(Unanswerable, match="not a pre-signed URL"):
        return_address(event(ResponseURL="http://user@localhost/x?Signature=x"), hosts)
    with pytest.raises(Unanswerable, match="not a pre-signed URL"):
        return_address(event(ResponseURL=f"https://{HOST}/x"), hosts)


@pytest.mark.parametrize("value", [None, 5, "text", [], ["RequestId"], True], ids=repr)
def test_what_is_no_map_is_no_event(value: object) -> None:
    with pytest.raises(Unanswerable, match=f"not a CloudFormation request, but a value of type {type(value).__name__}"):
        return_address(value, HOSTS)


@pytest.mark.parametrize("name", ["StackId", "RequestId", "LogicalResourceId"])
@pytest.mark.parametrize("value", [None, "", 5, [], "x" * 1025, "\ud800", "a\udfffb"], ids=ascii)
def test_an_event_that_names_no_request_cannot_be_answered(name: str, value: object) -> None:
    with pytest.raises(Unanswerable, match=f"{name} is missing, or is not a string of 1 to 1,024 characters"):
        return_address(event(**{name: value}), HOSTS)


@pytest.mark.parametrize("length", [1, 1024])
@pytest.mark.parametrize("name", ["StackId", "RequestId", "LogicalResourceId", "PhysicalResourceId"])
def test_ids_have_1_to_1024_characters(name: str, length: int) -> None:
    for character in ("x", "\n", "\ud7ff" if length == 1 else "y", "\ue000" if length == 1 else "z"):
        address = return_address(event(**{name: character * length}), HOSTS)
        assert character * length in (
            address.stack_id,
            address.request_id,
            address.logical_resource_id,
            address.physical_id,
        )


def test_ids_leave_a_quarter_of_an_answer_for_the_rest() -> None:
    fields = {"StackId": "s" * 1000, "RequestId": "r" * 1000, "LogicalResourceId": "l" * 1000, "PhysicalResourceId": ""}
    room = 3072 - len(json.dumps(list(fields.values())))
    assert return_address(event(**fields | {"PhysicalResourceId": "p" * room}), HOSTS).physical_id == "p" * room
    with pytest.raises(Unanswerable, match="The event's IDs are too long to leave room for a response"):
        return_address(event(**fields | {"PhysicalResourceId": "p" * (room + 1)}), HOSTS)
    with pytest.raises(Unanswerable, match="too long"):
        return_address(event(StackId="\u00e9" * 1000, LogicalResourceId="\u00e9" * 1000), HOSTS)


@pytest.mark.parametrize(
    ("query", "signed_at"),
    [
        ("X-Amz-Date=20260101T000000Z&X-Amz-Expires=7200&", 1767225600.0),
        ("X-Amz-Date=20260101T000001Z&", 1767225601.0),
        ("X-Amz-Date=yesterday&", None),
        ("X-Amz-Date=&", None),
        ("AWSAccessKeyId=x&Expires=1&", None),
        ("", None),
    ],
)
def test_a_url_says_when_it_was_signed(query: str, signed_at: float | None) -> None:
    address = return_address(event(ResponseURL=f"https://{HOST}/x?{query}Signature=x"), HOSTS)
    assert address.signed_at == signed_at


def test_requests_of_signature_version_2_are_ordered_by_when_their_urls_expire() -> None:
    def signed_at(query: str) -> float | None:
        return asked(event(ResponseURL=f"https://{HOST}/x?{query}Signature=x")).asked.signed_at

    assert signed_at("AWSAccessKeyId=x&Expires=1767232800&") == signed_at("X-Amz-Date=20260101T000000Z&") == 1767225600
    assert signed_at("") is None


def test_the_time_of_a_url_is_utc_wherever_the_function_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        url = f"https://{HOST}/x?X-Amz-Date=20260101T000000Z&Signature=x"
        assert return_address(event(ResponseURL=url), HOSTS).signed_at == 1767225600.0
    time.tzset()


# --- what is asked ----------------------------------------------------------------------------------------------------


def test_a_delete_is_read() -> None:
    request = asked(event(OldResourceProperties="of no meaning"))
    assert request.asked.type is RequestType.DELETE
    assert request.asked.physical_id == PHYSICAL_ID
    assert request.asked.properties == {"Id": "job-1", "ServiceTimeout": "60"}
    assert request.asked.old_properties == {}
    assert (request.asked.stack_id, request.asked.logical_id) == ("arn:stack", "Job")
    assert request.asked.request_id == "request-1"
    assert request.patience == Patience()
    assert request.service_timeout == 60
    assert request.arrived_at == 0


def test_an_update_has_old_properties() -> None:
    request = asked(event(RequestType="Update", OldResourceProperties={"Id": "job-0"}))
    assert request.asked.type is RequestType.UPDATE
    assert request.asked.physical_id == PHYSICAL_ID
    assert request.asked.old_properties == {"Id": "job-0"}


def test_a_create_has_no_physical_id_whatever_the_event_says() -> None:
    request = asked(event(RequestType="Create"))
    assert request.asked.type is RequestType.CREATE
    assert request.asked.physical_id == ""
    assert asked(event(RequestType="Create", PhysicalResourceId=5)).asked.physical_id == ""


@pytest.mark.parametrize(
    "value", [None, "x", "0", "3601", "99999999999999999999", {}, "-1", "\u0661", True, 0], ids=ascii
)
def test_a_service_timeout_that_makes_no_sense_is_cloudformations_default(value: object) -> None:
    assert asked(event(ResourceProperties={"ServiceTimeout": value})).service_timeout == 3600


@pytest.mark.parametrize(("value", "seconds"), [("0003600", 3600), ("0000060", 60), (60, 60), ("1", 1)], ids=repr)
def test_a_service_timeout_may_begin_with_zeros(value: object, seconds: int) -> None:
    assert asked(event(ResourceProperties={"ServiceTimeout": value})).service_timeout == seconds
    assert asked(event(ResourceProperties={})).service_timeout == 3600


@pytest.mark.parametrize("value", [None, "", "create", "Destroy", 5, ["Delete"], {}], ids=repr)
def test_an_unknown_request_type_is_refused(value: object) -> None:
    with pytest.raises(MalformedRequest, match="RequestType should be Create, Update or Delete"):
        asked(event(RequestType=value))


@pytest.mark.parametrize("value", [None, "", 5, [], "x" * 1025, "\ud800"], ids=ascii)
@pytest.mark.parametrize("request_type", ["Update", "Delete"])
def test_an_update_and_a_delete_need_a_physical_id(request_type: str, value: object) -> None:
    broken = event(RequestType=request_type, PhysicalResourceId=value, OldResourceProperties={})
    with pytest.raises(MalformedRequest) as caught:
        asked(broken)
    assert (
        str(caught.value) == f"The event's PhysicalResourceId is missing; CloudFormation sends it with {request_type}."
    )


@pytest.mark.parametrize("request_type", ["Create", "Update", "Delete"])
@pytest.mark.parametrize("value", [None, "Id=job-1", []], ids=repr)
def test_properties_are_a_map(request_type: str, value: object) -> None:
    with pytest.raises(MalformedRequest, match="The event's ResourceProperties should be a map"):
        asked(event(RequestType=request_type, ResourceProperties=value, OldResourceProperties={}))


def test_the_old_properties_of_an_update_are_a_map() -> None:
    with pytest.raises(MalformedRequest, match="The event's OldResourceProperties should be a map"):
        asked(event(RequestType="Update"))


# --- what has waited --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("patience", "read"),
    [
        ({}, Patience()),
        ({"cancelled_at": 5.5, "silent_since": 6}, Patience(cancelled_at=5.5, silent_since=6)),
        ({"fault": "denial", "refused_since": 0, "words": "no"}, Patience(None, 0, Fault.DENIAL, "no")),
    ],
)
def test_what_has_waited_carries_its_patience_on(patience: dict[str, object], read: Patience) -> None:
    request = asked(event(Waiting={"ArrivedAt": 1.5, "Patience": patience}))
    assert request.arrived_at == 1.5
    assert request.patience == read


@pytest.mark.parametrize("at", [1, 1e11, 0.001])
def test_what_has_waited_came_at_some_time_since_the_epoch(at: float) -> None:
    assert asked(event(Waiting={"ArrivedAt": at, "Patience": {}})).arrived_at == at


@pytest.mark.parametrize(
    "waited",
    [
        None,
        [],
        "x",
        {},
        {"Patience": {}},
        {"ArrivedAt": "1", "Patience": {}},
        {"ArrivedAt": True, "Patience": {}},
        {"ArrivedAt": 0, "Patience": {}},
        {"ArrivedAt": -1, "Patience": {}},
        {"ArrivedAt": 1e11 + 0.5, "Patience": {}},
        {"ArrivedAt": float("nan"), "Patience": {}},
        {"ArrivedAt": float("inf"), "Patience": {}},
    ],
    ids=repr,
)
def test_what_has_waited_since_no_time_is_refused(waited: object) -> None:
    with pytest.raises(MalformedRequest, match=r"Waiting\.ArrivedAt should be a time in seconds since the epoch"):
        asked(event(Waiting=waited))


@pytest.mark.parametrize("patience", [None, [], 5, "x", [1], {"cancelled_at": "5"}, {"cancelled_at": [1]}], ids=repr)
def test_what_has_waited_without_a_patience_of_the_providers_own_is_refused(patience: object) -> None:
    with pytest.raises(MalformedRequest, match=r"Waiting\.Patience was not written by the provider"):
        asked(event(Waiting={"ArrivedAt": 1, "Patience": patience}))


# --- anything ---------------------------------------------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=8,
)


@given(json_values)
def test_whatever_lambda_delivers_is_refused_unless_it_is_a_request(value: object) -> None:
    with pytest.raises(Unanswerable):
        return_address(value, HOSTS)


@given(st.dictionaries(st.sampled_from([*event(), "OldResourceProperties", "Waiting"]), json_values))
def test_every_field_may_hold_anything(fields: dict[str, Any]) -> None:
    broken = event(**fields)
    try:
        address = return_address(broken, HOSTS)
        request = asked(broken)
    except (Unanswerable, MalformedRequest):
        return
    assert address.url.startswith("https://")
    assert 1 <= request.service_timeout <= 3600


url_parts = st.text(alphabet="abc.:/@#?[]\\%0159-_=&Signature", max_size=40)


@given(url_parts, url_parts)
def test_no_url_leads_elsewhere(before: str, after: str) -> None:
    url = f"https://{before}{HOST}{after}?Signature=x"
    try:
        address = return_address(event(ResponseURL=url), HOSTS)
    except Unanswerable:
        return
    assert address.url == url
    assert before == ""
    assert re.fullmatch(r"(:(0*443)?)?([/?#].*)?", after)
