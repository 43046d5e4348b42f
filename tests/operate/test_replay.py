from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from operate import replay
from operate.account import Account
from operate.replay import NoEvent, event_in
from provider.custom_resource.waiting import Owed

if TYPE_CHECKING:
    import boto3

REQUEST = {"RequestType": "Delete", "RequestId": "1", "ResponseURL": "https://host/?X-Amz-Signature=secret"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda its: st.lists(its) | st.dictionaries(st.text(), its)
)


@pytest.mark.parametrize(
    ("body", "event"),
    [
        ({"requestPayload": REQUEST, "requestContext": {}}, REQUEST),
        (
            {"requestPayload": {"Records": [{"EventSource": "aws:sns", "Sns": {"Message": json.dumps(REQUEST)}}]}},
            REQUEST,
        ),
        ({**REQUEST, "Waiting": {"ArrivedAt": 1.8e9}}, {**REQUEST, "Waiting": {"ArrivedAt": 1.8e9}}),
        ({"ResourceType": "T", "Owed": {}}, {"ResourceType": "T", "Owed": {}}),
    ],
    ids=["CloudFormation sent it", "it did by way of SNS", "a request that waited", "a job that is to be cancelled"],
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


CREATE = {
    "RequestType": "Create",
    "RequestId": "create-1",
    "StackId": "arn:aws:cloudformation:us-east-1:1:stack/movies/uuid",
    "LogicalResourceId": "Job",
}
WAITED = {**CREATE, "Waiting": {"ArrivedAt": 1.8e9, "Patience": {}}}
FOLLOWED = {**CREATE, "Waiting": {"ArrivedAt": 1.8e9, "Patience": {}, "Follows": "host:8182/movies"}}
OWED: dict[str, Any] = Owed("stack|Job|Custom::NeptuneMLModelTransformJob", "host:8182/movies", 1.8e9).as_json()
OUTPUTS = {
    "ServiceToken": "arn",
    "FailedEventsQueueUrl": "queue",
    "FunctionName": "function",
    "WaitingQueueUrl": "waiting",
}


class Provider:
    """A provider whose queue of failed events has these; its function takes what it is given, or refuses it first."""

    def __init__(self, *events: object, refusals: int = 0) -> None:
        self.messages = [
            {"MessageId": str(number), "ReceiptHandle": str(number), "Body": json.dumps(event)}
            for number, event in enumerate(events)
        ]
        self.refusals = refusals
        self.invoked: list[object] = []
        self.waiting: list[object] = []
        self.deleted: list[str] = []

    def client(self, _name: str) -> Provider:
        return self

    def describe_stacks(self, **_named: str) -> dict[str, Any]:
        outputs = [{"OutputKey": key, "OutputValue": value} for key, value in OUTPUTS.items()]
        return {"Stacks": [{"StackStatus": "CREATE_COMPLETE", "Outputs": outputs}]}

    def receive_message(self, **_named: object) -> dict[str, Any]:
        return {"Messages": self.messages}

    def delete_message(self, **named: str) -> None:
        self.deleted.append(named["ReceiptHandle"])

    def send_message(self, **named: str) -> None:
        assert named["QueueUrl"] == "waiting"
        self.waiting.append(json.loads(named["MessageBody"]))

    def invoke(self, **named: str | bytes) -> None:
        if self.refusals:
            self.refusals -= 1
            raise ClientError({"Error": {"Code": "TooManyRequestsException", "Message": "Rate"}}, "Invoke")
        self.invoked.append(json.loads(named["Payload"]))


def replayed(monkeypatch: pytest.MonkeyPatch, provider: Provider) -> int:
    here = Account("1", "us-east-1", "me", cast("boto3.Session", provider))
    monkeypatch.setattr("operate.account.find", lambda: here)
    return replay.main([])


def test_a_request_and_the_following_of_its_job_are_two_events(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    provider = Provider(FOLLOWED, {"requestPayload": CREATE})

    assert replayed(monkeypatch, provider) == 0
    assert (provider.invoked, provider.deleted) == ([FOLLOWED, CREATE], ["0", "1"])
    said = capsys.readouterr().out
    assert "Replayed: Create of Job in movies\n" in said
    assert "Replayed: Create of Job in movies, whose CompletionHandle waits for the job's end\n" in said


@pytest.mark.parametrize(("first", "second"), [(WAITED, {"requestPayload": CREATE}), (FOLLOWED, FOLLOWED)])
def test_an_event_that_comes_twice_is_replayed_once_and_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], first: object, second: object
) -> None:
    provider = Provider(first, second)

    assert replayed(monkeypatch, provider) == 0
    assert (provider.invoked, provider.deleted) == ([first], ["0"])
    said = capsys.readouterr().out
    assert "Skipped and left in the queue: Create of Job in movies" in said
    assert "1 event replayed." in said
    assert "1 event skipped" in said


def test_an_event_that_was_not_taken_stands_in_the_way_of_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = Provider(CREATE, CREATE, refusals=1)

    assert replayed(monkeypatch, provider) == 1
    assert (provider.invoked, provider.deleted) == ([CREATE], ["1"])


def test_a_job_that_is_to_be_cancelled_goes_back_to_the_waiting_queue(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    provider = Provider(OWED, CREATE, {**OWED, "Owed": {**OWED["Owed"], "Patience": {"words": "no answer"}}})

    assert replayed(monkeypatch, provider) == 0
    assert (provider.waiting, provider.invoked, provider.deleted) == ([OWED], [CREATE], ["0", "1"])
    said = capsys.readouterr().out
    assert "Replayed: the cancellation of host:8182/movies\n" in said
    assert "Skipped and left in the queue: the cancellation of host:8182/movies." in said


def test_what_the_provider_would_not_take_back_stays(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    provider = Provider({**OWED, "Owed": {"Job": "host:8182/movies"}})

    assert replayed(monkeypatch, provider) == 1
    assert (provider.waiting, provider.deleted) == ([], [])
    assert "Left in the queue: the message's Owed is not valid" in capsys.readouterr().out


@given(JSON, JSON)
def test_whatever_an_event_holds_it_is_replayed(request_id: object, waiting: object) -> None:
    event = {"RequestId": request_id, "Waiting": waiting}
    provider = Provider(event)
    with pytest.MonkeyPatch.context() as patch:
        assert replayed(patch, provider) == 0
    assert provider.invoked == [event]
