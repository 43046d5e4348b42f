"""The queue in which requests wait, over HTTP: against MiniStack's SQS, and stand-ins for an SQS with faults."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from provider.custom_resource import waiting
from provider.custom_resource.answer import Undeliverable
from provider.custom_resource.request import Unanswerable
from provider.custom_resource.waiting import CannotWait, Message, WaitingQueue
from simulator import ErrorAnswer, Fault
from simulator.serving import Connection, disconnected, serving
from tests.function.world import EPOCH, QUEUE_URL, Queue, World, black_hole, delivered, record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

    from local.ministack import MiniStack

pytestmark = pytest.mark.usefixtures("written")

MESSAGE = Message({}, "handle")


def waiting_queue(url: str = QUEUE_URL) -> WaitingQueue:
    return WaitingQueue(url, "us-east-1")


# --- Amazon SQS, as MiniStack plays it --------------------------------------------------------------------------------


def receive(aws: MiniStack, url: str, wait_seconds: int = 3) -> list[dict[str, Any]]:
    """Receive from a queue, as its event source mapping does; returns what Lambda would hand to the function."""
    received = aws.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=wait_seconds).get("Messages", [])
    arn = ":".join(["arn:aws:sqs:us-east-1", *url.split("/")[-2:]])
    return [{"Records": [record(it["Body"], receipt_handle=it["ReceiptHandle"], arn=arn)]} for it in received]


def test_an_event_waits_as_long_as_it_was_asked_to(aws: MiniStack, queue_url: str) -> None:
    began = time.monotonic()
    waiting_queue(queue_url).put({"größe": ["\N{ROCKET}", {"a": None}]}, 1)
    assert receive(aws, queue_url, 0) == []
    (records,) = receive(aws, queue_url)
    assert time.monotonic() - began >= 0.9
    assert json.loads(records["Records"][0]["body"]) == {"größe": ["\N{ROCKET}", {"a": None}]}


def test_a_message_whose_look_failed_comes_again(
    aws: MiniStack, queue_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "_RETRY_SECONDS", 1)  # of the 900 s that the queue holds it back
    queue = waiting_queue(queue_url)
    queue.put({}, 0)
    (records,) = receive(aws, queue_url)
    message = queue.message_in(records)
    assert message is not None
    queue.deliver_soon(message)
    began = time.monotonic()
    assert len(receive(aws, queue_url)) == 1
    assert time.monotonic() - began < 2


def test_a_message_that_is_too_large_is_refused(queue_url: str) -> None:
    with pytest.raises(CannotWait, match=r"Amazon SQS refused sqs:SendMessage: .*[Mm]essage.*\.$"):
        waiting_queue(queue_url).put({"ResourceProperties": "x" * 1_100_000}, 1)


def test_a_queue_that_is_gone_is_refused(queue_url: str) -> None:
    with pytest.raises(CannotWait, match=r"Amazon SQS refused sqs:SendMessage: .*queue does not exist"):
        waiting_queue(f"{queue_url}-gone").put({}, 1)


def test_a_check_changes_nothing_in_the_queue(aws: MiniStack, queue_url: str) -> None:
    waiting_queue(queue_url).check()
    assert receive(aws, queue_url, 0) == []


def test_a_check_finds_a_queue_that_is_gone(queue_url: str) -> None:
    with pytest.raises(CannotWait, match=r"Amazon SQS refused sqs:GetQueueAttributes: .*queue does not exist"):
        waiting_queue(f"{queue_url}-gone").check()


def test_a_deletion_is_handed_to_the_queue_and_finished_by_its_message(
    world: World, aws: MiniStack, queue_url: str
) -> None:
    world.queue = waiting_queue(queue_url)
    world.simulator.start_job("job-1", stop_seconds=20)
    event = world.event("Delete")
    assert world.invoke(event) == {"Status": "PENDING", "Reason": "The request is waiting in the queue."}
    assert world.time() <= 5
    assert world.answers(event) == []
    cancelled_at = EPOCH
    for _ in range(2):
        (records,) = receive(aws, queue_url)
        message = json.loads(records["Records"][0]["body"])
        assert message == {
            **event,
            "Waiting": {"ArrivedAt": pytest.approx(EPOCH), "Patience": {"cancelled_at": cancelled_at}},
        }
        world.time.advance(10)
        world.invoke(records)
    assert world.answer(event)["Status"] == "SUCCESS"
    assert len(world.cancellations) == 1


# --- an SQS with faults -----------------------------------------------------------------------------------------------


@dataclass
class Sqs:
    """Amazon SQS as one function meets it: it takes everything, unless `answers` has something else for it."""

    answers: list[Response | str] = field(default_factory=list)
    lasting: Response | str | None = None
    taken: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def answer(self, request: Request) -> Response:
        operation = request.headers["x-amz-target"].removeprefix("AmazonSQS.")
        asked = await request.json()
        self.asked.append(operation)
        answer = self.answers.pop(0) if self.answers else self.lasting
        if isinstance(answer, str):
            if answer == "reset":
                Connection.of(request.scope).reset()
            await disconnected(request.receive)
            return Response(status_code=500)
        if answer is None:
            self.taken.append((operation, asked))
            answers = {"SendMessage": {"MessageId": "1"}, "GetQueueAttributes": {"Attributes": {"QueueArn": "arn"}}}
            return JSONResponse(answers.get(operation, {}))
        return answer

    @property
    def calls(self) -> int:
        return len(self.asked)

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(asked["MessageBody"]) for operation, asked in self.taken if operation == "SendMessage"]


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sqs]:
    stand_in = Sqs()
    application = Starlette(routes=[Route("/", stand_in.answer, methods=["POST"])])
    with serving(application, host="127.0.0.1", port=0) as port:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        yield stand_in


@pytest.fixture
def impatient_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config(connect_timeout=0.05, read_timeout=0.1, retries=waiting._CONFIG.retries)  # type: ignore[attr-defined]
    monkeypatch.setattr(waiting, "_CONFIG", config)


def refusal(code: str, message: str, status: int = 400) -> Response:
    return JSONResponse({"__type": f"com.amazonaws.sqs#{code}", "message": message}, status)


DENIED = refusal("AccessDenied", "User: provider is not authorized to perform: sqs:sendmessage", 403)
THROTTLED = refusal("RequestThrottled", "Request is throttled.")
NO_ROUTE = "the function's subnets have no route to it. Add a NAT gateway or an interface endpoint for"


def test_the_queue_is_asked_for_whole_seconds_and_the_next_look_soon(sqs: Sqs) -> None:
    queue = waiting_queue()
    queue.put({"a": 1}, 17)
    queue.deliver_soon(MESSAGE)
    assert sqs.taken == [
        ("SendMessage", {"QueueUrl": QUEUE_URL, "MessageBody": '{"a": 1}', "DelaySeconds": 17}),
        ("ChangeMessageVisibility", {"QueueUrl": QUEUE_URL, "ReceiptHandle": "handle", "VisibilityTimeout": 60}),
    ]


@pytest.mark.usefixtures("world")  # whose clock is botocore's
@pytest.mark.parametrize(
    ("answer", "reason", "calls"),
    [
        (DENIED, "refused sqs:SendMessage: User: provider is not authorized to perform: sqs:sendmessage.", 1),
        (THROTTLED, "refused sqs:SendMessage: Request is throttled.", 1),
        (refusal("KMS.DisabledException", "The key is disabled"), "sqs:SendMessage: The key is disabled.", 1),
        (JSONResponse({"__type": "Odd"}, 400), "refused sqs:SendMessage: Odd.", 1),
        (JSONResponse({"__type": ""}, 400), "refused sqs:SendMessage: no reason given; see AWS CloudTrail.", 1),
        (Response(b"<html>sorry</html>", 503), "refused sqs:SendMessage: ", 1),
        (Response(b"<html>welcome</html>", 200), "did not confirm sqs:SendMessage", 1),
        (Response(b"[]", 200), "(sqs:SendMessage) failed: ", 1),
        (Response(b"null", 200), "(sqs:SendMessage) failed: ", 1),
        (Response(b"{}", 200), "did not confirm sqs:SendMessage", 1),
        (Response(b'{"MessageId": ""}', 200), "did not confirm sqs:SendMessage", 1),
        (Response(b"[" * 100_000, 200), "(sqs:SendMessage) failed: ", 1),
        (Response(b"\xff", 200), "(sqs:SendMessage) failed: ", 1),
        ("reset", "(sqs:SendMessage) failed: Connection was closed", 1),
        ("hang", "(sqs:SendMessage) failed: Read timeout", 1),
    ],
    ids=lambda value: getattr(value, "body", b"").decode(errors="replace")[:40] or str(value)[:60],
)
def test_what_the_queue_did_not_take_is_not_taken_for_handed_over(
    sqs: Sqs, impatient_queue: None, answer: Response | str, reason: str, calls: int
) -> None:
    del impatient_queue
    sqs.lasting = answer
    with pytest.raises(CannotWait) as caught:
        waiting_queue().put({}, 1)
    assert reason in str(caught.value)
    assert str(caught.value).endswith(".")
    assert sqs.calls == calls


@pytest.fixture(params=["refused", "timed out", "unknown"])
def no_route(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, impatient_queue: None) -> Iterator[None]:
    """An SQS that cannot be reached."""
    del impatient_queue
    with black_hole() as port:
        endpoint = {"refused": "127.0.0.1:9", "timed out": f"127.0.0.1:{port}", "unknown": "sqs.invalid"}[request.param]
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{endpoint}")
        yield


@pytest.mark.usefixtures("world", "no_route")
def test_a_queue_that_cannot_be_reached_says_what_to_open() -> None:
    with pytest.raises(CannotWait, match=f"Amazon SQS cannot be reached: {NO_ROUTE} com.amazonaws.us-east-1.sqs."):
        waiting_queue().put({}, 1)


@pytest.mark.usefixtures("world", "no_route")
def test_a_message_that_cannot_be_made_visible_comes_again_later() -> None:
    waiting_queue().deliver_soon(MESSAGE)  # when its visibility time-out is over


@pytest.mark.usefixtures("world", "no_route")
def test_a_check_of_a_queue_that_cannot_be_reached_says_what_to_open() -> None:
    with pytest.raises(CannotWait, match=f"Amazon SQS cannot be reached: {NO_ROUTE} com.amazonaws.us-east-1.sqs."):
        waiting_queue().check()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (DENIED, "Amazon SQS refused sqs:GetQueueAttributes: User: "),
        (Response(b"{}", 200), "Amazon SQS did not confirm sqs:GetQueueAttributes."),
        (Response(b"<html>welcome</html>", 200), "Amazon SQS did not confirm sqs:GetQueueAttributes."),
    ],
)
def test_a_check_believes_no_other_answer(sqs: Sqs, answer: Response, reason: str) -> None:
    sqs.lasting = answer
    with pytest.raises(CannotWait) as caught:
        waiting_queue().check()
    assert str(caught.value).startswith(reason)


def test_without_a_queue_nothing_is_called(sqs: Sqs) -> None:
    queue = WaitingQueue("", "us-east-1")
    with pytest.raises(CannotWait, match="No queue is configured here"):
        queue.put({}, 1)
    with pytest.raises(CannotWait, match="No queue is configured here"):
        queue.check()
    assert sqs.calls == 0


# --- the function and its queue ---------------------------------------------------------------------------------------


def waiting_world(world: World, stop_seconds: float | None = 5) -> World:
    """The world with a real queue, and a job."""
    world.queue = waiting_queue()
    world.simulator.start_job("job-1", stop_seconds=stop_seconds)
    return world


@pytest.mark.usefixtures("no_route")
def test_a_function_without_a_route_to_the_queue_waits_in_place(world: World) -> None:
    waiting_world(world, stop_seconds=600)
    assert world.ask("Delete")["Status"] == "SUCCESS"
    assert len(world.billed) == 1


@pytest.mark.usefixtures("no_route")
def test_a_function_without_a_route_to_the_queue_fails_with_the_reason_at_its_end(world: World) -> None:
    waiting_world(world, stop_seconds=None)
    answer = world.ask("Delete")
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("The job job-1 has not stopped yet (its status is Stopping). ")
    assert f"The function cannot wait any longer: Amazon SQS cannot be reached: {NO_ROUTE}" in answer["Reason"]
    assert "The deletion can be retried. (log stream" in answer["Reason"]  # no message of the job is sent
    assert 780 <= world.time() < 885  # the watchdog would have come then
    assert len(world.cancellations) == 1


@pytest.mark.usefixtures("no_route")
def test_a_function_without_a_route_to_the_queue_keeps_the_deadline_of_a_request(world: World) -> None:
    waiting_world(world, stop_seconds=None)
    answer = world.ask("Delete", ResourceProperties=world.properties(ServiceTimeout="300"))
    assert answer["Status"] == "FAILED"
    assert "The operation reached its time limit (ServiceTimeout)." in answer["Reason"]
    assert world.time() == pytest.approx(270)


def test_a_function_that_may_not_use_the_queue_says_so_at_its_end(world: World, sqs: Sqs) -> None:
    sqs.lasting = DENIED
    waiting_world(world, stop_seconds=None)
    answer = world.ask("Delete")
    assert answer["Status"] == "FAILED"
    assert (
        "The function cannot wait any longer: Amazon SQS refused sqs:SendMessage: User: provider is" in answer["Reason"]
    )
    assert 10 <= sqs.calls <= 30  # every half a minute, or at every other look


def test_a_create_that_cannot_wait_in_the_queue_waits_in_place(world: World, sqs: Sqs) -> None:
    sqs.lasting = DENIED
    waiting_world(world)
    world.simulator.inject(Fault(ErrorAnswer("TooManyRequestsException"), times=9))
    assert world.ask("Create")["Status"] == "SUCCESS"


def test_a_queue_that_throttles_for_a_while_takes_the_request_later(world: World, sqs: Sqs) -> None:
    sqs.answers = [THROTTLED] * 4
    waiting_world(world, stop_seconds=None)
    event = world.event("Delete")
    assert world.invoke(event)["Status"] == "PENDING"
    assert sqs.calls == 5
    assert 120 <= world.time() <= 160
    assert [message["RequestId"] for message in sqs.messages] == [event["RequestId"]]
    assert sqs.taken[0][1]["DelaySeconds"] >= 9
    assert world.answers(event) == []


def test_a_message_whose_answer_is_lost_is_the_only_one_until_the_queue_answers(
    world: World, sqs: Sqs, impatient_queue: None
) -> None:
    del impatient_queue
    sqs.answers = ["reset"] * 6
    waiting_world(world, stop_seconds=None)
    event = world.event("Delete")
    assert world.invoke(event)["Status"] == "PENDING"
    assert sqs.asked == ["SendMessage", *["GetQueueAttributes"] * 6, "SendMessage"]
    assert [message["RequestId"] for message in sqs.messages] == [event["RequestId"]]
    assert 150 <= world.time() <= 210  # every half a minute


def test_a_message_whose_answer_is_lost_once_costs_one_look_more(world: World, sqs: Sqs, impatient_queue: None) -> None:
    del impatient_queue
    sqs.answers = ["reset"]
    waiting_world(world, stop_seconds=None)
    assert world.invoke(world.event("Delete"))["Status"] == "PENDING"
    assert sqs.asked == ["SendMessage", "GetQueueAttributes", "SendMessage"]
    assert world.time() <= 8


@pytest.mark.parametrize(("unheard", "until"), [(2, 80), (3, 345), (4, 845), (6, 845)])
def test_a_queue_that_answers_questions_and_not_for_messages_gets_few_of_an_invocation(
    world: World, sqs: Sqs, impatient_queue: None, unheard: int, until: float
) -> None:
    """The last is put without a question: it is the request's last chance in this invocation."""
    del impatient_queue
    question: Response | str = JSONResponse({"Attributes": {"QueueArn": "arn"}})
    sqs.answers = ["reset", *[question, "reset"] * min(unheard - 1, 3), *["reset"] * (unheard - 4)]
    waiting_world(world, stop_seconds=None)
    assert world.invoke(world.event("Delete"))["Status"] == ("FAILED" if unheard == 6 else "PENDING")
    assert sqs.asked.count("SendMessage") == unheard + 1  # of the request, or of the job
    assert sqs.asked.count("GetQueueAttributes") == min(unheard, 3)
    assert until - 65 <= world.time() <= until


def test_a_look_whose_answer_cannot_be_delivered_is_taken_again_soon(world: World, sqs: Sqs) -> None:
    waiting_world(world)
    event = world.event("Delete")
    message = {**event, "Waiting": {"ArrivedAt": EPOCH, "Patience": {"cancelled_at": EPOCH}}}
    world.simulator.forget_job("job-1")
    world.host.behave([], then=403)
    with pytest.raises(Undeliverable):
        world.invoke(delivered(message))
    assert [operation for operation, _ in sqs.taken] == ["ChangeMessageVisibility"]
    assert sqs.taken[0][1]["ReceiptHandle"] == "handle"


def test_a_look_that_fails_without_a_route_to_the_queue_still_raises(world: World, sqs: Sqs) -> None:
    sqs.lasting = DENIED
    waiting_world(world)
    world.host.behave([], then=403)
    with pytest.raises(Undeliverable):
        world.invoke(delivered(world.event("Delete", PhysicalResourceId="invented")))
    assert sqs.calls == 1


def waited(world: World, stop_seconds: float | None = 20) -> tuple[dict[str, Any], dict[str, Any]]:
    """A Delete that waits: its event, and what is in the queue."""
    world.simulator.start_job("job-1", stop_seconds=stop_seconds)
    event = world.event("Delete", signed_at=EPOCH)
    assert world.invoke(event)["Status"] == "PENDING"
    assert isinstance(world.queue, Queue)
    ((message, _),) = world.queue.waiting
    world.queue.waiting.clear()
    return event, message


def test_the_message_carries_the_request_and_what_is_known(world: World) -> None:
    event, message = waited(world)
    patience = {"cancelled_at": EPOCH}
    assert message == {**event, "Waiting": {"ArrivedAt": pytest.approx(EPOCH), "Patience": patience}}


@pytest.mark.parametrize(
    ("what", "patience"),
    [
        (ErrorAnswer("InternalFailureException", "oops"), {"cancelled_at": EPOCH, "words": "oops"}),
        (
            ErrorAnswer("BadRequestException", "not now"),
            {"refused_since": EPOCH, "fault": "refusal", "words": "not now"},
        ),
        ("down", {"silent_since": EPOCH, "words": "refused the connection"}),
    ],
    ids=repr,
)
def test_the_next_look_knows_what_the_one_before_has_found_out(
    world: World, what: ErrorAnswer | str, patience: dict[str, object]
) -> None:
    if isinstance(what, str):
        world.take_cluster_down()
    else:
        world.simulator.inject(Fault(what, on=["cancel"], times=None))
    _, message = waited(world, None)
    carried = message["Waiting"]["Patience"]
    assert patience.pop("words") in carried.pop("words")
    assert carried == patience


@pytest.mark.parametrize("is_first", [True, False])
def test_a_replay_of_either_event_finishes_the_request(world: World, is_first: bool) -> None:  # noqa: FBT001
    """The one is in the record of the failed first delivery, the other in the body of the failed message."""
    event, message = waited(world)
    world.time.advance(100)
    assert world.run(event if is_first else message)["Status"] == "SUCCESS"
    assert world.answer(event)["Status"] == "SUCCESS"
    assert world.simulator.status("job-1") == "Stopped"


@pytest.mark.parametrize("is_first", [True, False])
def test_a_replay_of_either_event_goes_on_waiting(world: World, is_first: bool) -> None:  # noqa: FBT001
    event, message = waited(world, 200)
    assert world.run(event if is_first else message)["Status"] == "SUCCESS"
    assert world.answer(event)["Status"] == "SUCCESS"
    assert 200 <= world.time() <= 222


def test_a_replay_after_the_deadline_still_looks(world: World) -> None:
    event, message = waited(world)
    world.time.advance(7200)
    world.run(message)
    assert world.answer(event)["Status"] == "SUCCESS"


@pytest.mark.parametrize("seconds", [0, 100, 7200])
def test_a_duplicate_or_late_message_after_the_end_is_harmless(world: World, seconds: float) -> None:
    event, message = waited(world)
    world.run(message)
    world.time.advance(seconds)
    world.run(delivered(message))
    assert [answer["Status"] for answer in world.answers(event)] == ["SUCCESS", "SUCCESS"]
    assert len(world.cancellations) == 1


def test_a_message_delivered_twice_at_once_cancels_nothing_twice(world: World) -> None:
    event, message = waited(world)
    for _ in range(2):
        world.invoke(delivered(message))
    assert isinstance(world.queue, Queue)
    assert len(world.queue.waiting) == 2
    world.drain()
    assert {answer["Status"] for answer in world.answers(event)} == {"SUCCESS"}
    assert len(world.cancellations) == 1


def test_a_late_message_never_fails_a_job_that_stopped_in_time(world: World) -> None:
    event, message = waited(world)
    world.time.advance(5000)  # the queue was throttled, say
    world.run(delivered(message))
    assert world.answer(event)["Status"] == "SUCCESS"


@pytest.mark.parametrize("body", ["", "no JSON", "null", "[]", '"text"', "{}", '{"RequestId": "r"}', '{"Records": []}'])
def test_a_message_that_is_no_request_ends_among_the_failed_events(world: World, body: str) -> None:
    with pytest.raises(Unanswerable):
        world.invoke({"Records": [record(body)]})
    assert isinstance(world.queue, Queue)
    assert [message.receipt_handle for message in world.queue.delivered_soon] == ["handle"]
    assert world.host.attempts == 0
    assert world.simulator.log == ()


def test_messages_in_messages_are_not_unpacked(world: World) -> None:
    event = world.event("Delete")
    world.simulator.start_job("job-1")
    with pytest.raises(Unanswerable):
        world.invoke(delivered(delivered(event)))
    assert world.simulator.log == ()
