from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any, NoReturn

import boto3
import pytest
from botocore.config import Config
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from provider import observability
from provider.custom_resource import waiting
from provider.custom_resource.waiting import CannotWait, Message, Unclear, WaitingQueue, pause
from simulator.serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

URL = "https://sqs.us-east-1.amazonaws.com/123456789012/waiting"
CHANCES = st.floats(0, 1, exclude_max=True)

# --- the pace ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("waited", "at_0", "at_1"),
    [
        *[(-5, 1, 1), (0, 1, 1), (5, 1.25, 1.5), (10, 1.5, 2), (11, 1.6, 2.1), (100, 10.5, 11)],
        *[(280, 28.5, 29), (3600, 30, 29)],
    ],
)
def test_the_next_look_comes_after_a_tenth_of_the_wait_and_up_to_a_second(
    waited: float, at_0: float, at_1: float
) -> None:
    assert pause(waited, 0.0) == pytest.approx(at_0)
    assert pause(waited, 1.0) == pytest.approx(at_1)
    assert pause(waited, 0.5) == pytest.approx((at_0 + at_1) / 2)


@given(st.floats(-100, 10_000), CHANCES)
def test_no_look_comes_sooner_than_1_second_or_later_than_30(waited: float, chance: float) -> None:
    assert 1 <= pause(waited, chance) <= 30


@given(st.floats(0, 3600), CHANCES)
def test_an_answer_is_at_most_a_tenth_of_the_wait_and_a_second_late(waited: float, chance: float) -> None:
    assert pause(waited, chance) <= waited / 10 + 1 + 1e-9


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_fifteen_minutes_cost_at_most_seventy_looks(chance: float) -> None:
    waited, looks = 0.0, 1
    while waited < 900:
        pace = pause(waited, chance)
        waited += pace if waited < 5 else int(pace)  # a message is delayed by whole seconds
        looks += 1
    assert looks <= 70


def test_what_began_together_does_not_go_on_together() -> None:
    assert len({pause(waited=50, chance=chance / 10) for chance in range(10)}) == 10


# --- messages ---------------------------------------------------------------------------------------------------------


QUEUE_ARN = "arn:aws:sqs:us-east-1:123456789012:waiting"
QUEUE = WaitingQueue("https://sqs.us-east-1.amazonaws.com/123456789012/waiting", "us-east-1")


def records(*bodies: str, arn: str = QUEUE_ARN) -> dict[str, Any]:
    source = {"eventSource": "aws:sqs", "eventSourceARN": arn}
    return {"Records": [{**source, "body": body, "receiptHandle": f"handle-{n}"} for n, body in enumerate(bodies)]}


def test_a_message_holds_an_event() -> None:
    assert QUEUE.message_in(records('{"RequestType": "Delete"}')) == Message({"RequestType": "Delete"}, "handle-0")


@pytest.mark.parametrize("body", ["", "no JSON", "{", '{"a": 1}}'])
def test_a_message_of_somebody_else_is_taken_as_it_is(body: str) -> None:
    assert QUEUE.message_in(records(body)) == Message(body, "handle-0")


@pytest.mark.parametrize("bodies", [[], ["{}", "{}"]], ids=len)
def test_messages_come_one_by_one(bodies: list[str]) -> None:
    assert QUEUE.message_in(records(*bodies)) is None


@pytest.mark.parametrize(
    "arn",
    [
        f"{QUEUE_ARN}-2",
        QUEUE_ARN.replace("us-east-1", "us-west-2"),
        QUEUE_ARN.replace("123456789012", "210987654321"),
        "",
    ],
)
def test_a_message_of_another_queue_is_none_of_this_one(arn: str) -> None:
    assert QUEUE.message_in(records("{}", arn=arn)) is None


def test_an_event_of_the_queue_can_be_replayed_where_there_is_no_queue() -> None:
    assert WaitingQueue("", "us-east-1").message_in(records("{}")) == Message({}, "handle-0")


# --- the queue --------------------------------------------------------------------------------------------------------


class Sqs:
    """Amazon SQS: requests are answered by the next of `answers`, and those after them with success."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.answers: list[tuple[int, object]] = []

    async def answer(self, request: Request) -> Response:
        operation = request.headers["x-amz-target"].removeprefix("AmazonSQS.")
        self.requests.append((operation, json.loads(await request.body())))
        if self.answers:
            status, body = self.answers.pop(0)
            return Response(body, status) if isinstance(body, str) else JSONResponse(body, status)
        return JSONResponse({"MessageId": "1"} if operation == "SendMessage" else {})


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sqs]:
    it = Sqs()
    with serving(Starlette(routes=[Route("/{path:path}", it.answer, methods=["POST"])]), host="127.0.0.1", port=0) as p:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", f"http://127.0.0.1:{p}")
        yield it


@pytest.fixture
def queue() -> WaitingQueue:
    return WaitingQueue(URL, "us-east-1")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config(connect_timeout=0.1, read_timeout=0.1, retries={"mode": "standard", "total_max_attempts": 1})
    monkeypatch.setattr(waiting, "_CONFIG", config)


def refused(code: str, message: str | None) -> dict[str, object]:
    return {"__type": f"com.amazonaws.sqs#{code}", **({"message": message} if message is not None else {})}


def problem(queue: WaitingQueue) -> str:
    with pytest.raises(CannotWait) as caught:
        queue.put({}, 1)
    return str(caught.value)


def test_an_event_is_put_with_its_delay(sqs: Sqs, queue: WaitingQueue) -> None:
    queue.put({"RequestType": "Delete", "Waiting": {"ArrivedAt": 1.5}}, 7)
    ((operation, parameters),) = sqs.requests
    assert operation == "SendMessage"
    assert json.loads(parameters.pop("MessageBody")) == {"RequestType": "Delete", "Waiting": {"ArrivedAt": 1.5}}
    assert parameters == {"QueueUrl": URL, "DelaySeconds": 7}


def test_a_question_is_for_what_every_queue_has(sqs: Sqs, queue: WaitingQueue) -> None:
    sqs.answers = [(200, {"Attributes": {"QueueArn": "arn"}})]
    queue.check()
    assert sqs.requests == [("GetQueueAttributes", {"QueueUrl": URL, "AttributeNames": ["QueueArn"]})]


def test_one_client_serves_every_request_of_a_warm_function(
    sqs: Sqs, queue: WaitingQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    make = boto3.client

    def client(name: str, **options: Any) -> Any:  # noqa: ANN401
        made.append(name)
        return make(name, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(boto3, "client", client)
    assert made == []
    queue.put({}, 1)
    queue.put({}, 1)
    assert made == ["sqs"]
    assert len(sqs.requests) == 2


def test_the_queue_is_asked_for_in_the_functions_region() -> None:
    assert WaitingQueue("https://sqs.test/waiting", "eu-central-1")._client.meta.region_name == "eu-central-1"


def test_without_a_queue_nothing_can_wait_and_no_client_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boto3, "client", None)
    assert problem(WaitingQueue("", "us-east-1")) == "No queue is configured here."


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (refused("AccessDenied", "Not authorized."), "Not authorized"),
        (refused("QueueDoesNotExist", "It does not exist"), "It does not exist"),
        (refused("AccessDenied", ""), "AccessDenied"),
        (refused("AccessDenied", None), "AccessDenied"),
    ],
    ids=lambda value: str(value)[-40:],
)
def test_a_refusal_is_told_in_the_words_of_sqs(sqs: Sqs, queue: WaitingQueue, answer: object, words: str) -> None:
    sqs.answers = [(400, answer)]
    assert problem(queue) == f"Amazon SQS refused sqs:SendMessage: {words}."


@pytest.mark.parametrize(
    ("status", "answer", "failure"),
    [
        (400, refused("RequestThrottled", "Slow down"), CannotWait),
        (403, refused("AccessDenied", "no"), CannotWait),
        (499, refused("Odd", "no"), CannotWait),
        (500, refused("InternalError", "sorry"), Unclear),
        (503, refused("ServiceUnavailable", "not now"), Unclear),
        (200, "{}", Unclear),
        (200, "[]", Unclear),
    ],
)
def test_only_a_refusal_says_that_the_queue_has_not_taken_a_message(
    sqs: Sqs, queue: WaitingQueue, status: int, answer: object, failure: type[CannotWait]
) -> None:
    sqs.answers = [(status, answer)]
    with pytest.raises(CannotWait) as caught:
        queue.put({}, 1)
    assert type(caught.value) is failure
    assert len(sqs.requests) == 1


@pytest.mark.parametrize("answer", [(500, refused("InternalError", "sorry")), (200, "<html>"), (403, "")], ids=str)
def test_a_question_without_an_answer_is_not_taken_for_a_message(
    sqs: Sqs, queue: WaitingQueue, answer: tuple[int, object]
) -> None:
    sqs.answers = [answer]
    with pytest.raises(CannotWait, match=r"sqs:GetQueueAttributes") as caught:
        queue.check()
    assert type(caught.value) is CannotWait


@pytest.mark.parametrize("body", ["[]", "5"])
def test_an_answer_of_another_form_is_told(sqs: Sqs, queue: WaitingQueue, body: str) -> None:
    sqs.answers = [(200, body)]
    assert problem(queue).startswith("The call to Amazon SQS (sqs:SendMessage) failed: ")


@pytest.mark.parametrize("body", ["", "<html>", "{}", '{"MessageId": ""}', '{"MessageId": null}'])
def test_an_answer_without_a_message_is_not_taken_for_waiting(sqs: Sqs, queue: WaitingQueue, body: str) -> None:
    sqs.answers = [(200, body)]
    assert problem(queue) == "Amazon SQS did not confirm sqs:SendMessage."


NO_ROUTE = (
    "Amazon SQS cannot be reached: the function's subnets have no route to it. Add a NAT gateway or an interface "
    "endpoint for com.amazonaws.eu-west-1.sqs."
)


@pytest.mark.usefixtures("impatient")
def test_a_connection_that_times_out_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.create_connection(full.getsockname()):
        monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", f"http://127.0.0.1:{full.getsockname()[1]}")
        assert problem(WaitingQueue(URL, "eu-west-1")) == NO_ROUTE


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9", "http://sqs.invalid"])
def test_a_connection_that_cannot_be_made_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", endpoint)
    assert problem(WaitingQueue(URL, "eu-west-1")) == NO_ROUTE


@pytest.mark.usefixtures("impatient")
def test_an_answer_that_does_not_come_is_told(monkeypatch: pytest.MonkeyPatch, queue: WaitingQueue) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert problem(queue).startswith("The call to Amazon SQS (sqs:SendMessage) failed: Read timeout")


def test_credentials_that_are_missing_are_told(sqs: Sqs, queue: WaitingQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
    assert problem(queue) == "The call to Amazon SQS (sqs:SendMessage) failed: Unable to locate credentials."
    assert sqs.requests == []


@pytest.mark.parametrize(
    "error",
    [ValueError("bad"), TypeError("odd"), AttributeError("none"), KeyError("x"), RecursionError("deep")],
    ids=repr,
)
def test_what_botocore_stumbles_over_is_told(sqs: Sqs, queue: WaitingQueue, error: Exception) -> None:
    del sqs

    def stumble(**_: object) -> NoReturn:
        raise error

    queue._client.meta.events.register("before-call", stumble)
    assert problem(queue) == f"The call to Amazon SQS (sqs:SendMessage) failed: {error}."


def test_a_question_and_a_message_take_less_than_15_seconds(queue: WaitingQueue) -> None:
    config: Any = queue._client.meta.config
    assert config.retries["total_max_attempts"] == 1
    assert 2 * (config.connect_timeout + config.read_timeout) < 15


@pytest.mark.parametrize(("status", "times"), [(500, 2), (403, 1)])
def test_what_changes_nothing_is_tried_once_more(sqs: Sqs, queue: WaitingQueue, status: int, times: int) -> None:
    sqs.answers = [(status, refused("Odd", "sorry"))] * 3
    queue.deliver_soon(Message({}, "handle"))
    assert [operation for operation, _ in sqs.requests] == ["ChangeMessageVisibility"] * times


def test_a_message_whose_look_failed_comes_again_in_a_minute(sqs: Sqs, queue: WaitingQueue) -> None:
    queue.deliver_soon(Message({}, "handle"))
    assert sqs.requests == [
        ("ChangeMessageVisibility", {"QueueUrl": URL, "ReceiptHandle": "handle", "VisibilityTimeout": 60})
    ]


def test_a_message_that_cannot_be_called_back_comes_later_all_the_same(
    sqs: Sqs, queue: WaitingQueue, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observability.logger._logger, "propagate", True)
    sqs.answers = [(400, refused("ReceiptHandleIsInvalid", "It has expired."))]
    queue.deliver_soon(Message({}, "handle"))
    (record,) = [record for record in caplog.records if record.name == observability.SERVICE]
    assert vars(record)["problem"] == "Amazon SQS refused sqs:ChangeMessageVisibility: It has expired."
