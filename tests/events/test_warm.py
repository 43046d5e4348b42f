"""Every event after several others in one process: nothing of those is seen in what comes of it."""

from __future__ import annotations

import importlib
import io
import json
import logging
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

import provider.handler
from local import events, world
from provider import observability
from provider.clock import Clock
from provider.custom_resource.answer import Undeliverable
from provider.custom_resource.request import Unanswerable
from provider.custom_resource.waiting import CannotWait, Owed
from provider.journal.entry import Entry, Job, Record, RequestType
from provider.journal.memory import Memory
from provider.kinds import MODEL_TRANSFORM_JOB
from tests.function.world import EPOCH, ROUTE_CHECK, STACK_ID, LambdaContext, Queue, delivered

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from local.response_host import Behaviour

ADDRESS = "127.0.0.1"
# What tells two invocations of the same event apart.
OF_THE_MOMENT = {"timestamp", "cold_start"}
RESOURCE = f"{STACK_ID}|Job|{MODEL_TRANSFORM_JOB.resource_type}"
ORDERS = 8


@dataclass(frozen=True)
class Day:
    """What an invocation meets: the event, what is wrong, and the job that is to be cancelled."""

    event: object
    host: Behaviour | None = None
    queue: str = ""
    owes: str = ""


@dataclass(frozen=True)
class Seen:
    """What an invocation leaves to see."""

    returned: object
    put: list[object]
    asked: list[tuple[str, str]]
    log: list[object]
    metrics: list[object]
    trace: list[object]


def days(here: world.World) -> dict[str, Day]:
    """The events of `events/`, and what they do not show: looks for the end of a job, other types, and failures."""

    def read(name: str) -> dict[str, Any]:
        return dict(json.loads(events.text(name, here.ports, ADDRESS)))

    def followed(**properties: str) -> dict[str, Any]:
        create = read("create")
        create["ResourceProperties"] |= {"CompletionHandle": here.responses.handle_for("trained"), **properties}
        follows = f"{create['ResourceProperties']['Endpoint']}/{create['ResourceProperties']['Id']}"
        return delivered({**create, "Waiting": {"ArrivedAt": EPOCH, "Patience": {}, "Follows": follows}})

    def owing(job_id: str) -> tuple[object, str]:
        identity = f"{read('create')['ResourceProperties']['Endpoint']}/{job_id}"
        return delivered(Owed(RESOURCE, identity, EPOCH).as_json()), identity

    (owed_running, running), (owed_gone, gone) = owing("movies"), owing("games")
    has_handle = read("create")
    has_handle["ResourceProperties"]["CompletionHandle"] = here.responses.handle_for("trained")
    check = {**read("create"), "ResourceType": ROUTE_CHECK, "ResourceProperties": {"Route": "Responses"}}
    return {
        **{name: Day(read(name)) for name in events.DESCRIPTIONS},
        "create-unheard": Day(read("create"), host=403),
        "delete-waiting-unheard": Day(read("delete-waiting"), host=403),
        "create-with-handle": Day(has_handle),
        "followed": Day(followed()),
        "followed-gone": Day(followed(Id="games")),
        "followed-gone-unheard": Day(followed(Id="games"), host=403),
        "followed-without-queue": Day(followed(), queue="No queue is here."),
        "owed": Day(owed_running, owes=running),
        "owed-gone": Day(owed_gone, owes=gone),
        "owed-without-queue": Day(owed_running, queue="No queue is here.", owes=running),
        "endpoint": Day({**read("delete"), "ResourceType": "Custom::NeptuneMLEndpoint"}),
        "lookup": Day(read("create-lookup")),
        "route-check": Day(check),
        "no-url": Day({**read("create"), "ResponseURL": ""}),
        "two-messages": Day({"Records": 2 * delivered(read("create"))["Records"]}),
        "no-event": Day(None),
    }


@dataclass
class Process:
    """The function as a process that has started, which keeps what it keeps from one invocation to the next."""

    entry: ModuleType
    here: world.World
    now: list[float]
    log: io.StringIO
    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch
    segments: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        recorder: Any = type(observability.tracer.provider)
        self.recorder = recorder()
        self.days = days(self.here)
        self.recorder.configure(sampling=False, context_missing="RUNTIME_ERROR", emitter=self)
        self.monkeypatch.setattr(observability.tracer, "provider", self.recorder)
        self.monkeypatch.setattr(observability.tracer, "disabled", False)
        self.monkeypatch.setattr("aws_xray_sdk.sdk_config.SDKConfig._SDKConfig__SDK_ENABLED", True)

    def send_entity(self, segment: object) -> None:
        """Take the trace of an invocation, in place of X-Ray."""
        self.segments.append(segment)

    def invoke(self, name: str) -> Seen:
        """Invoke the function with an event, in a world as new."""
        here, now, day = self.here, self.now, self.days[name]
        random.seed(0)
        now[0] = 0.0
        for job_id in {**here.jobs(), **world.JOBS}:
            here.restore(job_id)
        here.responses.behave([], then=day.host)
        asked, answered, signalled = len(here.neptune.log), len(here.responses.received), len(here.responses.signals)
        queue = Queue()
        queue.problem = day.queue

        def sleep(seconds: float) -> None:
            now[0] += seconds

        journal = Memory()
        if day.owes:
            job = Job(closed=EPOCH, settings={"ResourceType": MODEL_TRANSFORM_JOB.resource_type})
            record = Record(1, RequestType.UPDATE, None, EPOCH)
            journal.write(RESOURCE, Entry("request", 1, 1, {"request": record}, {day.owes: job}), 0)
        clock = Clock(monotonic=lambda: now[0], wall=lambda: EPOCH + now[0], sleep=sleep)
        door = self.entry._front_door
        lifecycles = {
            name: lifecycle._replace(clock=clock, journal=journal) for name, lifecycle in door.lifecycles.items()
        }
        lookups = {
            name: it._replace(lifecycles=lifecycles, journal=journal, clock=clock) for name, it in door.lookups.items()
        }
        door = door._replace(clock=clock, queue=queue, lifecycles=lifecycles, lookups=lookups)
        self.monkeypatch.setattr(self.entry, "_front_door", door)
        self.recorder.begin_segment("function")
        try:
            context = LambdaContext(monotonic=clock.monotonic, aws_request_id=name)
            returned: object = self.entry.handler(day.event, context)
        except (Undeliverable, Unanswerable, CannotWait, ValueError) as error:
            returned = repr(error)
        self.recorder.end_segment()
        return Seen(
            returned=returned,
            put=[
                *(it.body for it in here.responses.received[answered:]),
                *(it.body for it in here.responses.signals[signalled:]),
                *queue.waiting,
                *queue.delivered_soon,
            ],
            asked=[(it.method, it.path) for it in here.neptune.log[asked:]],
            log=[without(json.loads(line)) for line in taken(self.log).splitlines()],
            metrics=[without(json.loads(line)) for line in self.capsys.readouterr().out.splitlines()],
            trace=[told(self.segments.pop(0)) for _ in range(len(self.segments))],
        )


def taken(log: io.StringIO) -> str:
    text = log.getvalue()
    log.seek(0)
    log.truncate()
    return text


def without(fields: dict[str, Any]) -> dict[str, Any]:
    """A line without what tells it from the same line of another invocation."""
    fields.get("_aws", {}).pop("Timestamp", None)
    return {name: value for name, value in fields.items() if name not in OF_THE_MOMENT}


def told(entity: Any) -> dict[str, object]:  # noqa: ANN401 - the SDK has no types
    """What a part of a trace tells."""
    annotations = {name: value for name, value in entity.annotations.items() if name != "ColdStart"}
    exceptions = entity.cause.get("exceptions", []) if isinstance(entity.cause, dict) else []
    return {
        "name": entity.name,
        "annotations": annotations,
        "metadata": repr(entity.metadata),
        "exceptions": [(it.type, it.message) for it in exceptions],
        "below": [told(it) for it in entity.subsegments],
    }


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Process]:
    for name, value in {"ALLOWED_HOSTS": ADDRESS, "RESPONSE_HOSTS": ADDRESS, "START_JOBS": "true"}.items():
        monkeypatch.setenv(name, value)
    observability.metrics.clear_metrics()  # of other tests, which flush none
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    handler.setFormatter(observability.logger.handlers[0].formatter)
    monkeypatch.setattr(observability.logger._logger, "handlers", [handler])
    monkeypatch.setattr("simulator.jobs.secrets.token_hex", lambda _: "0")  # jobs that are started anew look the same
    now = [0.0]
    with world.running(ADDRESS, clock=lambda: now[0]) as here:
        yield Process(importlib.reload(provider.handler), here, now, log, capsys, monkeypatch)


def in_many_orders(names: list[str]) -> Iterator[str]:
    """A course in which each name comes after several others."""
    for seed in range(ORDERS):
        yield from random.Random(seed).sample(names, len(names))  # noqa: S311 - no secret


@pytest.mark.filterwarnings("ignore:No application metrics to publish")
def test_nothing_of_an_invocation_is_seen_in_the_next(process: Process) -> None:
    """What stuck to the process for good would show in all of an event's invocations but the first."""
    course = list(in_many_orders(list(process.days)))

    seen = [process.invoke(name) for name in course]

    as_at_first = dict(zip(reversed(course), reversed(seen), strict=True))
    for before, name, after in zip(course, course[1:], seen[1:], strict=False):
        assert after == as_at_first[name], f"{name} after {before}"
