"""A function that has no time, no credentials or a fault, events that are malformed or late, and clocks that jump."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from provider import neptune
from provider.custom_resource import answer as answers
from provider.custom_resource import deadline
from provider.custom_resource.conversation import Conversation
from provider.custom_resource.deadline import TimeLimits
from provider.custom_resource.request import Unanswerable, cloudformation_request, return_address
from provider.journal.entry import Outcome
from provider.lifecycle import Told
from simulator import Fault, Hang
from tests.function.conftest import SECRETS
from tests.function.world import EPOCH, Queue, World, delivered

if TYPE_CHECKING:
    import io
    from collections.abc import Mapping

    from provider.custom_resource.answer import Answer

pytestmark = pytest.mark.usefixtures("written")

INVENTED = "graph-Job-1N2K5RF3Q0J6K"


@pytest.fixture
def sluggish(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neptune's time limits, shortened, and longer than those of a short invocation."""
    monkeypatch.setattr(neptune, "READ_SECONDS", dict.fromkeys(neptune.READ_SECONDS, 3.0))


@pytest.mark.parametrize("hour", [0, 20])
def test_the_watchdog_answers_for_a_call_that_hangs(world: World, sluggish: None, hour: int) -> None:
    del sluggish
    world.time.advance(3600 * hour)  # Lambda's clock does not start with the function
    world.simulator.start_job("job-1", stop_seconds=5)
    world.simulator.inject(Fault(Hang()))
    event = world.event("Delete")
    thread = threading.Thread(target=world.invoke, args=[event, 0.5])
    thread.start()
    world.host.wait_for(event["RequestId"], 10)
    is_hanging = thread.is_alive()
    thread.join()
    assert is_hanging
    answer = world.answer(event)
    assert answer["Status"] == "FAILED"
    assert "ran out of time waiting for Neptune to respond. The deletion can be retried" in answer["Reason"]


def test_what_the_watchdog_has_answered_is_not_handed_over(world: World, sluggish: None) -> None:
    del sluggish
    world.simulator.start_job("job-1", stop_seconds=5)
    world.simulator.inject(Fault(Hang()))
    event = world.event("Delete")
    told = world.invoke(event, 0.5)  # the look that hung leaves the request waiting
    assert told["Status"] == "FAILED"
    assert isinstance(world.queue, Queue)
    assert [message.keys() for message, _ in world.queue.waiting] == [{"Owed"}]
    assert world.answer(event)["Status"] == "FAILED"


def test_a_watchdog_that_comes_while_the_request_is_handed_over_says_nothing(world: World) -> None:
    class SlowQueue(Queue):
        def put(self, event: Mapping[str, object], delay_seconds: int) -> None:
            time.sleep(1.5)  # the watchdog's time comes, and goes
            super().put(event, delay_seconds)

    world.queue = SlowQueue()
    world.simulator.start_job("job-1", stop_seconds=None)
    event = world.event("Delete")
    assert world.invoke(event, 1.0)["Status"] == "PENDING"
    time.sleep(0.1)
    assert world.answers(event) == []
    assert len(world.queue.waiting) == 1


def conversation(world: World, event: dict[str, Any], told: list[Answer]) -> Conversation:
    address = return_address(event, world.settings.responses)
    request = cloudformation_request(event, address)
    limits = TimeLimits.of(world.clock, arrived_at=EPOCH, service_timeout=3600, remaining=900)
    return Conversation(
        event=event,
        address=address,
        request=request,
        limits=limits,
        lifecycle=world.lifecycle,
        queue=world.queue,
        clock=world.clock,
        tell=told.append,
        is_continued=False,
    )


def test_a_watchdog_that_comes_with_the_outcome_does_not_turn_it_into_nothing(world: World) -> None:
    told: list[Answer] = []
    it = conversation(world, world.event("Delete"), told)
    it._told = Told(Outcome.SUCCESS, world.physical_id())
    with it._deciding:
        watchdog = threading.Thread(target=it._expire)
        watchdog.start()
        watchdog.join(0.2)  # it waits for the decision
        it._decide("")
    watchdog.join()
    assert [answer.outcome for answer in told] == ["SUCCESS"]


def test_a_fault_of_the_provider_itself_is_answered(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neptune.Jobs, "get", lambda *_: 1 / 0)
    answer = world.ask("Delete")
    assert answer["Status"] == "FAILED"
    assert "The provider failed because of a bug: ZeroDivisionError" in answer["Reason"]


def test_the_function_has_no_credentials(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    answer = world.ask("Delete")
    assert answer["Status"] == "FAILED"
    assert "The function cannot sign its call to Neptune at 127.0.0.1" in answer["Reason"]
    assert "Unable to locate credentials. Check its role." in answer["Reason"]
    assert "fault of its own" not in answer["Reason"]
    assert 600 <= world.time() <= 640


def test_a_last_look_and_its_answer_fit_into_what_is_kept_back_of_an_invocation() -> None:
    last_look = neptune.CONNECT_SECONDS + neptune.READ_SECONDS["get"]
    attempt: Any = answers._TIMEOUT
    answer = answers._LAST_ATTEMPT_SECONDS + attempt.connect_timeout + attempt.read_timeout
    assert last_look + answer <= deadline._LAST_LOOK_SECONDS
    assert attempt.connect_timeout + attempt.read_timeout < deadline._LAST_WORD_SECONDS


# --- CloudFormation and time ------------------------------------------------------------------------------------------


def test_a_job_that_never_stops_fails_the_deletion_at_its_deadline(world: World) -> None:
    world.simulator.start_job("job-1", stop_seconds=None)
    answer = world.ask("Delete")
    assert answer["Status"] == "FAILED"
    assert "has not stopped yet (its status is Stopping). The operation reached its time limit" in answer["Reason"]
    assert "The deletion can be retried. Meanwhile, the provider keeps trying for 24 hours." in answer["Reason"]
    assert world.time() == pytest.approx(3570)
    assert len(world.cancellations) == 1


def test_a_retried_deletion_of_a_stopping_job_just_waits(world: World) -> None:
    world.simulator.start_job("job-1", stop_seconds=100)
    assert world.ask("Delete", ResourceProperties=world.properties(ServiceTimeout="60"))["Status"] == "FAILED"
    assert world.ask("Delete")["Status"] == "SUCCESS"


def test_a_delete_delivered_twice_at_once_has_one_outcome(world: World) -> None:
    world.simulator.start_job("job-1", stop_seconds=5)
    event = world.event("Delete")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(world.invoke, [event, event]))
    world.drain()
    assert {answer["Status"] for answer in world.answers(event)} == {"SUCCESS"}
    assert world.simulator.status("job-1") == "Stopped"


def test_a_delete_during_a_create_touches_nothing(world: World) -> None:
    world.simulator.start_job("job-1", stop_seconds=5)
    world.simulator.inject(Fault(on=["get"], delay_seconds=0.3))
    create, invented = world.event("Create"), world.event("Delete", PhysicalResourceId=INVENTED)
    thread = threading.Thread(target=world.invoke, args=[create])
    thread.start()
    world.invoke(invented)
    thread.join()
    assert world.answer(invented)["Status"] == "SUCCESS"
    assert world.cancellations == []


def test_a_late_delete_still_cancels_and_says_what_is_known(world: World) -> None:
    world.simulator.start_job("job-1", stop_seconds=60)
    event = world.event("Delete", signed_at=EPOCH - 7000)
    world.run(event)
    assert world.answer(event)["Status"] == "FAILED"
    assert len(world.cancellations) == 1
    world.time.advance(60)
    world.run(event)
    assert world.answers(event)[1]["Status"] == "SUCCESS"


@pytest.mark.parametrize("jump", [-7200.0, 7200.0])
def test_a_wall_clock_that_jumps_between_looks_never_makes_a_success_of_a_running_job(
    world: World, jump: float
) -> None:
    world.simulator.start_job("job-1", stop_seconds=300)
    event = world.event("Delete")
    wall = world.clock.wall
    world.clock = world.clock._replace(wall=lambda: wall() + (jump if world.time() > 50 else 0))
    world.invoke(event)
    world.drain(until=lambda: bool(world.answers(event)))
    assert world.answer(event)["Status"] == ("FAILED" if jump > 0 else "SUCCESS")
    assert (world.time() >= 300) is (jump < 0)
    world.time.advance(300)
    world.run(event)
    assert world.answers(event)[-1]["Status"] == "SUCCESS"


MALFORMED: list[tuple[dict[str, object], str]] = [
    ({"RequestType": "Destroy"}, "RequestType should be"),
    ({"RequestType": None}, "RequestType should be"),
    ({"RequestType": []}, "RequestType should be"),
    ({"ResourceProperties": []}, "ResourceProperties should be a map"),
    ({"ResourceProperties": None}, "ResourceProperties should be a map"),
    ({"RequestType": "Update", "OldResourceProperties": "none"}, "OldResourceProperties should be a map"),
    ({"Waiting": None}, "Waiting.ArrivedAt should be a time"),
    ({"Waiting": "of another version"}, "Waiting.ArrivedAt should be a time"),
    ({"Waiting": {"ArrivedAt": "today", "Patience": {}}}, "Waiting.ArrivedAt should be a time"),
    ({"Waiting": {"ArrivedAt": True, "Patience": {}}}, "Waiting.ArrivedAt should be a time"),
    ({"Waiting": {"ArrivedAt": 1e300, "Patience": {}}}, "Waiting.ArrivedAt should be a time"),
    ({"Waiting": {"ArrivedAt": EPOCH}}, "Waiting.Patience was not written by the provider"),
    ({"Waiting": {"ArrivedAt": EPOCH, "Patience": []}}, "Waiting.Patience was not written by the provider"),
    (
        {"Waiting": {"ArrivedAt": EPOCH, "Patience": {"cancelled_at": "now"}}},
        "Patience was not written by the provider",
    ),
    ({"Waiting": {"ArrivedAt": EPOCH, "Patience": {"cancelled_at": "5"}}}, "Patience was not written by the provider"),
]


@pytest.mark.parametrize(("fields", "reason"), MALFORMED, ids=repr)
def test_a_malformed_event_is_answered_where_it_says_whom_to_answer(
    world: World, fields: dict[str, object], reason: str
) -> None:
    world.simulator.start_job("job-1", stop_seconds=5)
    answer = world.ask("Delete", **fields)
    assert answer["Status"] == "FAILED"
    assert reason in answer["Reason"]
    assert answer["PhysicalResourceId"] == world.physical_id()  # another one would be a replacement
    assert world.simulator.log == ()


@pytest.mark.parametrize("fields", [fields for fields, _ in MALFORMED if "RequestType" not in fields], ids=repr)
@pytest.mark.parametrize(("physical_id", "outcome"), [("no-job/1", "SUCCESS"), (INVENTED, "FAILED")])
def test_the_delete_after_a_malformed_create_succeeds(
    world: World, fields: dict[str, object], physical_id: str, outcome: str
) -> None:
    assert world.ask("Delete", PhysicalResourceId=physical_id, **fields)["Status"] == outcome


OWED: dict[str, object] = {
    "Resource": "stack|Job|Custom::NeptuneMLEndpoint",
    "Job": "host:8182/e",
    "Since": EPOCH,
    "Patience": {},
}


@pytest.mark.parametrize(
    "field",
    [
        {"Resource": "stack|Job|Custom::Other"},
        {"Resource": "stack|Job"},
        {"Resource": 1},
        {"Job": "e"},
        {"Since": "now"},
        {"Patience": {"fault": "boredom"}},
    ],
    ids=repr,
)
def test_a_message_of_a_closed_job_that_the_provider_did_not_write_is_an_error(
    world: World, field: dict[str, object]
) -> None:
    with pytest.raises(Unanswerable, match="The message's Owed field was not written by the provider"):
        world.invoke(delivered({"Owed": {**OWED, **field}}))
    world.invoke(delivered({"Owed": OWED}))


@pytest.mark.parametrize("request_type", ["Update", "Delete"])
@pytest.mark.parametrize("physical_id", [None, "", {}, "\ud83d", "x" * 1025])
def test_an_update_or_delete_without_a_physical_id_is_answered(
    world: World, request_type: str, physical_id: object
) -> None:
    world.simulator.start_job("job-1", stop_seconds=5)
    answer = world.ask(request_type, PhysicalResourceId=physical_id)
    assert answer["Status"] == "FAILED"
    assert "PhysicalResourceId is missing" in answer["Reason"]
    assert answer["PhysicalResourceId"].startswith("no-job/")
    assert world.simulator.log == ()


@pytest.mark.parametrize("request_type", ["Update", "Delete"])
def test_a_request_with_wrong_properties_is_answered_with_its_own_physical_id(world: World, request_type: str) -> None:
    world.simulator.start_job("job-1", stop_seconds=5)
    properties = world.properties(Clean="perhaps", WaitForStop="often")
    answer = world.ask(request_type, ResourceProperties=properties)
    assert answer["Status"] == "FAILED"
    assert "Clean is 'perhaps'; it should be true or false. WaitForStop is 'often'" in answer["Reason"]
    assert answer["PhysicalResourceId"] == world.physical_id()
    assert world.simulator.log == ()


def test_a_malformed_first_delivery_leaves_the_waiting_alone(world: World) -> None:
    world.simulator.start_job("job-1", stop_seconds=100)
    event = world.event("Delete")
    assert world.invoke(event)["Status"] == "PENDING"
    world.invoke({**event, "ResourceProperties": "garbled"})
    with pytest.raises(Unanswerable):
        world.invoke({**event, "ResponseURL": "garbled"})
    assert isinstance(world.queue, Queue)
    assert len(world.queue.waiting) == 1
    world.drain()
    assert [answer["Status"] for answer in world.answers(event)] == ["FAILED", "SUCCESS"]
    assert world.simulator.status("job-1") == "Stopped"


@pytest.mark.parametrize(
    "event",
    [
        None,
        [],
        "text",
        {},
        {"ResponseURL": f"https://evil.example/?X-Amz-Signature={SECRETS}"},
        {"ResponseURL": f"file:///x?X-Amz-Signature={SECRETS}", "StackId": "s", "LogicalResourceId": "r"},
    ],
    ids=repr,
)
def test_an_event_that_is_no_request_is_logged(world: World, event: object, written: io.StringIO) -> None:
    assert world.invoke(event)["Status"] == "UNANSWERED"
    assert "The event cannot be answered" in written.getvalue()
    assert world.host.attempts == 0


@pytest.mark.parametrize("field", ["StackId", "LogicalResourceId"])
@pytest.mark.parametrize("value", [None, "", 5, "x" * 1025, "\ud83d"])
def test_a_request_that_says_too_little_to_be_answered_is_an_error(world: World, field: str, value: object) -> None:
    with pytest.raises(Unanswerable, match=f"The event's {field} is missing, or is not a string"):
        world.invoke(world.event("Delete") | {field: value})
    assert world.host.attempts == 0
