"""Who decides a request, and in what order: its outcome, the watchdog, or the queue."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from crhelper import CfnResource

from provider import neptune, observability
from provider.custom_resource.conversation import Conversation
from provider.custom_resource.waiting import CannotWait
from provider.lifecycle import Lifecycle
from simulator import ErrorAnswer, Fault, Hang, Reset
from tests.function.world import EPOCH, Queue, delivered

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.function.world import World


def test_the_watchdog_of_an_update_answers_while_the_function_is_traced(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.simulator.start_job("job-1")
    monkeypatch.setitem(neptune.READ_SECONDS, "get", 3.0)
    world.simulator.inject(Fault(Hang(), on=["get"], times=1))
    event = world.event("Update", ResourceProperties=world.properties(ServiceTimeout="1", Clean="true"))
    thread = threading.Thread(target=world.invoke, args=[event])

    def annotate(*_: object) -> None:
        """X-Ray's context is the invocation's thread's: another thread has no segment that could be annotated."""
        if threading.current_thread() is not thread:
            raise RuntimeError("FacadeSegments cannot be mutated.")

    monkeypatch.setattr(observability.tracer, "put_annotation", annotate)
    thread.start()
    answer = world.host.wait_for(event["RequestId"], seconds=5)
    thread.join(10)
    assert answer.body["Status"] == "SUCCESS"


def test_a_watchdog_that_meets_a_fault_of_the_providers_own_answers_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = Lifecycle.look
    monkeypatch.setattr(
        Lifecycle, "look", lambda *them, ended="", **ports: look(*them, **ports) if not ended else 1 / 0
    )
    world.simulator.start_job("job-1")
    monkeypatch.setitem(neptune.READ_SECONDS, "get", 3.0)
    world.simulator.inject(Fault(Hang(), on=["get"], times=1))
    event = world.event("Update", ResourceProperties=world.properties(ServiceTimeout="1"))
    thread = threading.Thread(target=world.invoke, args=[event])
    thread.start()
    answer = world.host.wait_for(event["RequestId"], seconds=5)
    thread.join(10)
    assert answer.body["Status"] == "FAILED"
    assert "ran out of time" in answer.body["Reason"]


@pytest.mark.parametrize("late", [1, 14, 16, 20, 29, 31, 600])
def test_a_message_that_comes_around_the_end_of_its_time_gets_its_look(world: World, late: int) -> None:
    world.simulator.start_job("job-1", status="Stopped")
    arrived_at = EPOCH - 3570 - late
    waited = {"ArrivedAt": arrived_at, "Patience": {"cancelled_at": arrived_at}}
    event = world.event("Delete", Waiting=waited)
    world.simulator.inject(Fault(on=["get"], delay_seconds=0.05))
    world.invoke(delivered(event))
    assert world.answer(event)["Status"] == "SUCCESS"


@pytest.mark.parametrize(("left", "told"), [(15.5, "PENDING"), (14.5, "FAILED")])
def test_nothing_is_handed_over_in_the_last_quarter_of_a_minute(world: World, left: float, told: str) -> None:
    """SQS may take as long to say no."""
    world.simulator.start_job("job-1", stop_seconds=None)
    arrived_at = EPOCH - 3570 + left
    waited = {"ArrivedAt": arrived_at, "Patience": {"cancelled_at": arrived_at}}
    assert world.invoke(delivered(world.event("Delete", Waiting=waited)))["Status"] == told


def test_an_outcome_that_is_known_is_not_lost_to_a_watchdog_that_comes_in_between(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watchdog barks between the look that found the job gone and the answer."""
    barks: list[Callable[[], None]] = []

    class Timer:
        daemon = False

        def __init__(self, seconds: float, bark: Callable[[], None]) -> None:
            del seconds
            self.bark = bark
            barks.append(bark)

        def start(self) -> None: ...

        def cancel(self) -> None: ...

        def is_alive(self) -> bool:
            return False

    monkeypatch.setattr(threading, "Timer", Timer)
    world.simulator.start_job("job-1", status="Stopped")
    decide = Conversation._decide

    def bark_first(conversation: Conversation, failure: str) -> None:
        if barks:
            barks.pop()()
        decide(conversation, failure)

    monkeypatch.setattr(Conversation, "_decide", bark_first)
    event = world.event("Delete")
    world.invoke(event)
    assert (world.answer(event)["Status"], world.answer(event)["Reason"]) == ("SUCCESS", "")


class SlowQueue(Queue):
    """A queue that takes its time to say no."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.asked_at: list[float] = []

    def put(self, event: Mapping[str, object], delay_seconds: int) -> None:
        self.asked_at.append(self.world.time())
        self.world.time.advance(15)
        super().put(event, delay_seconds)
        raise CannotWait("Amazon SQS cannot be reached.")


@pytest.mark.parametrize("service_timeout", [30, 60])
def test_a_queue_that_hangs_does_not_delay_the_answer_beyond_the_requests_time(
    world: World, service_timeout: int
) -> None:
    world.queue = SlowQueue(world)
    world.simulator.start_job("job-1", stop_seconds=None)
    event = world.event("Delete", ResourceProperties=world.properties(ServiceTimeout=str(service_timeout)))
    world.invoke(event)
    assert world.answer(event)["Status"] == "FAILED"
    assert world.time() <= service_timeout


def test_a_queue_that_is_back_when_the_invocation_ends_takes_the_request(world: World) -> None:
    class Back(Queue):
        def put(self, event: Mapping[str, object], delay_seconds: int) -> None:
            self.problem = "Amazon SQS cannot be reached." if world.time() < 835 else ""
            super().put(event, delay_seconds)

    world.queue = Back()
    world.simulator.start_job("job-1", stop_seconds=1000)
    event = world.event("Delete")
    assert world.invoke(event)["Status"] == "PENDING"
    assert world.drain() is not None
    assert world.answer(event)["Status"] == "SUCCESS"


@pytest.mark.parametrize("request_type", ["Create", "Update", "Delete"])
def test_crhelper_makes_no_physical_id_of_its_own(
    world: World, request_type: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []
    monkeypatch.setattr(CfnResource, "generate_physical_id", staticmethod(made.append))
    world.simulator.start_job("job-1", stop_seconds=0)
    assert world.ask(request_type)["Status"] == "SUCCESS"
    assert made == []


def test_a_request_that_waits_is_told_as_pending(world: World) -> None:
    world.simulator.start_job("job-1", stop_seconds=None)
    assert world.invoke(world.event("Delete")) == {
        "Status": "PENDING",
        "Reason": "The request is waiting in the queue.",
    }
    assert 2 <= world.time() <= 2.5


def test_without_a_queue_the_invocation_waits_as_long_as_it_lasts_less_a_last_look(world: World) -> None:
    assert isinstance(world.queue, Queue)
    world.queue.problem = "No queue is here."
    world.simulator.start_job("job-1", stop_seconds=None)
    answer = world.ask("Delete", 100.0)
    assert answer["Status"] == "FAILED"
    assert "The function cannot wait any longer: No queue is here." in answer["Reason"]
    assert world.time() == pytest.approx(80)


def test_a_refusal_that_passes_is_followed_by_another_cancellation(world: World) -> None:
    world.simulator.start_job("job-1", stop_seconds=5)
    world.simulator.inject(Fault(ErrorAnswer("PreconditionsFailedException", "failing over"), on=["cancel"]))
    assert world.ask("Delete")["Status"] == "SUCCESS"
    assert len(world.cancellations) == 2
    assert world.time() <= 10


def test_a_refused_look_after_the_cancellation_is_no_failure_of_the_deletion(world: World) -> None:
    world.simulator.start_job("job-1", stop_seconds=5)
    world.simulator.inject(Fault(ErrorAnswer("BadRequestException", "ml is not ready"), on=["get"], times=3))
    assert world.ask("Delete")["Status"] == "SUCCESS"
    assert len(world.cancellations) == 1


def test_looks_that_are_refused_for_good_before_any_cancellation_end_with_neptunes_words(world: World) -> None:
    world.simulator.start_job("job-1")
    world.simulator.inject(Fault(ErrorAnswer("BadRequestException", "not so"), times=None))
    answer = world.ask("Delete")
    assert answer["Status"] == "FAILED"
    assert "refused the request: not so" in answer["Reason"]
    assert 600 <= world.time() <= 630


def test_a_cancellation_whose_answer_was_lost_counts(world: World) -> None:
    observability.metrics.clear_metrics()
    world.simulator.start_job("job-1", stop_seconds=5)
    world.simulator.inject(Fault(Reset(), on=["cancel"], takes_effect=True))
    assert world.ask("Delete")["Status"] == "SUCCESS"
    assert observability.metrics.metric_set["JobsCancelled"]["Value"] == [1.0]


def test_what_is_told_of_a_failed_deletion_asks_nobody_to_delete_a_whole_stack(world: World) -> None:
    world.simulator.start_job("job-1", stop_seconds=None)
    answer = world.ask("Delete", ResourceProperties=world.properties(ServiceTimeout="30"))
    assert answer["Status"] == "FAILED"
    assert "The deletion can be retried. Meanwhile, the provider keeps trying for 24 hours." in answer["Reason"]
    assert "stack again" not in answer["Reason"]
