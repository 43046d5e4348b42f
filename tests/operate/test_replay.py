from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operate.replay import NoEvent, event_in

REQUEST = {"RequestType": "Delete", "RequestId": "1", "ResponseURL": "https://host/?X-Amz-Signature=secret"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda its: st.lists(its) | st.dictionaries(st.text(), its)
)


@pytest.mark.parametrize(
    ("body", "event"),
    [
        ({"requestPayload": REQUEST, "requestContext": {}}, REQUEST),
        ({**REQUEST, "Waiting": {"ArrivedAt": 1.8e9}}, {**REQUEST, "Waiting": {"ArrivedAt": 1.8e9}}),
    ],
    ids=["an event that CloudFormation sent", "a request that waited"],
)
def test_either_kind_of_message_holds_its_event(body: object, event: object) -> None:
    assert event_in(json.dumps(body)) == event


@given(st.text() | JSON.map(json.dumps))
def test_whatever_else_is_told(body: str) -> None:
    with pytest.raises(NoEvent, match="the message"):
        event_in(body)


def test_no_url_is_told() -> None:
    with pytest.raises(NoEvent) as raised:
        event_in(json.dumps({"ResponseURL": REQUEST["ResponseURL"]}))

    assert "secret" not in str(raised.value)
