"""Whatever Lambda delivers gets a decision: an answer, a place in the queue, or an exception that says why not."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import botocore.endpoint
import pytest
from hypothesis import event as note
from hypothesis import example, given
from hypothesis import strategies as st

from local.response_host import ResponseHost
from provider.custom_resource.request import Unanswerable
from provider.custom_resource.waiting import FIELD, OWED, Owed
from provider.journal.entry import Entry, Job, Record, RequestType
from simulator import ManualClock, Simulator
from tests.function.world import EPOCH, FUNCTION_ARN, STACK_ID, Queue, World, delivered

if TYPE_CHECKING:
    from collections.abc import Iterator

DEEP: list[Any] = []
for _ in range(400):
    DEEP = [DEEP]

ENDPOINT, RESPONSES = "http://cluster.example", "http://responses.example"
RESOURCE = f"{STACK_ID}|Job|Custom::NeptuneMLModelTransformJob"
VALID: dict[str, Any] = {
    "RequestType": "Delete",
    "RequestId": "00000000-0000-4000-8000-000000000001",
    "StackId": STACK_ID,
    "ResponseURL": f"{RESPONSES}/key?X-Amz-Signature=5ec7e7",
    "ResourceType": "Custom::NeptuneMLModelTransformJob",
    "LogicalResourceId": "Job",
    "PhysicalResourceId": f"{ENDPOINT}/job-1",
    "ResourceProperties": {
        "ServiceToken": FUNCTION_ARN,
        "ServiceTimeout": "600",
        "Endpoint": ENDPOINT,
        "Id": "job-1",
        "NeptuneIamRoleArn": "arn:aws:iam::123456789012:role/NeptuneML",
        "Clean": "true",
        "WaitForStop": "true",
    },
    "OldResourceProperties": {"Id": "job-0", "Endpoint": ENDPOINT},
    FIELD: {"ArrivedAt": EPOCH, "Patience": {"fault": "denial", "words": "no answer", "silent_since": EPOCH}},
}

texts = st.text(st.characters()) | st.sampled_from(
    ["true", "Create", "Update", "Delete", "job-1", "0", "-1", "x" * 5000]
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda children: st.lists(children, max_size=4) | st.dictionaries(texts, children, max_size=4),
    max_leaves=10,
)
GONE = object()


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """A valid event, a few of whose fields and properties are missing or hold something else."""
    event = {name: value for name, value in VALID.items() if name != FIELD or draw(st.booleans())}
    event["RequestType"] = draw(st.sampled_from(["Create", "Update", "Delete"]))
    for name in draw(st.lists(st.sampled_from(sorted(event)), max_size=3)):
        event[name] = draw(json_values | st.just(GONE))
    properties = event.get("ResourceProperties")
    if isinstance(properties, dict):
        changed = dict(properties)
        for name in draw(
            st.lists(
                st.sampled_from(["Id", "Endpoint", "Clean", "CompletionHandle", "ServiceTimeout", "WaitForStop"])
                | texts,
                max_size=3,
            )
        ):
            changed[name] = draw(json_values | st.just(GONE))
        event["ResourceProperties"] = {name: value for name, value in changed.items() if value is not GONE}
    return {name: value for name, value in event.items() if value is not GONE}


def at(here: World, event: Any) -> Any:  # noqa: ANN401 - anything
    """An event, moved to where the cluster and the response host are."""
    text = json.dumps(event).replace(ENDPOINT, here.simulator.url).replace(RESPONSES, here.host.url)
    return json.loads(text)


class Place:
    """A cluster and a response host, for one world after the other."""

    def __init__(self) -> None:
        self.now = ManualClock()
        self.simulator = Simulator(clock=self._time)
        self.host = ResponseHost()

    def _time(self) -> float:
        return self.now()

    def world(self) -> World:
        """A world as new, in which two jobs run."""
        self.now = ManualClock()
        for job_id in self.simulator.jobs():
            self.simulator.forget_job(job_id)
        for job_id in ("job-1", "job-2"):
            self.simulator.start_job(job_id, stop_seconds=5.0)
        return World(self.simulator, self.host, self.now)


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    here = Place()
    with here.simulator, here.host, pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=lambda _: None))
        yield here


@given(mutated() | json_values)
@example({**VALID, "ResourceProperties": {"Id": DEEP, "Endpoint": DEEP}})
@example({**VALID, "ResourceProperties": {**VALID["ResourceProperties"], "Clean": DEEP}})
@example({**VALID, "PhysicalResourceId": "\ud800"})
@example({**VALID, "ResourceProperties": {"\ud800": "\udfff"}, "RequestType": "Create"})
@example({**VALID, "ResourceProperties": {"x" * 1_000_000: "y" * 1_000_000}, "RequestType": "Create"})
def test_every_event_gets_a_decision(place: Place, event: Any) -> None:  # noqa: ANN401
    here = place.world()
    event, queue = at(here, event), here.queue
    assert isinstance(queue, Queue)
    heard, asked = len(here.host.received), len(here.simulator.log)
    try:
        told = here.invoke(event)["Status"]
    except Unanswerable as error:
        told = f"an exception: {error}"
    note(told.partition(":")[0])
    answers = [it.body for it in here.host.received[heard:]]
    cancelled = {it.path for it in here.simulator.log[asked:] if it.method == "DELETE"}
    if told == "UNANSWERED" or told.startswith("an exception"):
        assert told.isprintable()
        assert told == "UNANSWERED" or event["RequestId"]
        assert answers == []
        assert cancelled == set()
    elif told == "PENDING":
        assert answers == []
        ((message, _),) = queue.waiting
        assert {**message, FIELD: None} == {**event, FIELD: None}
    else:
        (answer,) = answers
        assert answer["Status"] == told
        assert answer["PhysicalResourceId"]
        assert answer["RequestId"] == event["RequestId"]
    if cancelled:
        assert event["RequestType"] == "Delete"
        assert cancelled == {f"/ml/modeltransform/{event['PhysicalResourceId'].rpartition('/')[2]}"}


@given(mutated() | json_values)
def test_every_message_of_the_queue_gets_a_decision(place: Place, event: Any) -> None:  # noqa: ANN401
    here = place.world()
    assert isinstance(here.queue, Queue)
    try:
        told = here.invoke(delivered(at(here, event)))["Status"]
    except Unanswerable:
        assert len(here.queue.delivered_soon) == 1  # it comes again, and then goes to the failed events
        return
    assert told in ("SUCCESS", "FAILED", "PENDING")


@st.composite
def garbled(draw: st.DrawFn) -> dict[str, Any]:
    """The message of a job that is to be cancelled, a few of whose fields are missing or hold something else."""
    message: dict[str, Any] = Owed(RESOURCE, f"{ENDPOINT}/job-1", EPOCH).as_json()
    noted = {**message[OWED], "Patience": draw(st.just({}) | st.just(VALID[FIELD]["Patience"]) | json_values)}
    for fields in (noted, message):
        for name in draw(st.lists(st.sampled_from(sorted(fields)), max_size=1)):
            fields[name] = draw(json_values | st.just(GONE) | st.sampled_from([f"{ENDPOINT}/job-2", EPOCH - 1e6]))
    return {name: without(value) for name, value in {**message, OWED: noted}.items() if value is not GONE}


def without(value: Any) -> Any:  # noqa: ANN401 - anything
    is_map = isinstance(value, dict)
    return {name: it for name, it in value.items() if it is not GONE} if is_map else value


@given(garbled())
def test_every_message_of_a_job_to_be_cancelled_gets_a_decision(place: Place, message: dict[str, Any]) -> None:
    here = place.world()
    job = Job(closed=EPOCH, settings={"ResourceType": VALID["ResourceType"]})
    known = Entry("1", 1, 1, {"1": Record(1, RequestType.UPDATE, None, EPOCH)}, {at(here, f"{ENDPOINT}/job-1"): job})
    here.journal.write(RESOURCE, known, 0)
    assert isinstance(here.queue, Queue)
    asked = len(here.simulator.log)
    try:
        told = here.invoke(delivered(at(here, message)))["Status"]
    except Unanswerable:
        told = "an exception"
    note(told)
    assert len(here.queue.delivered_soon) == (told == "an exception")  # then it goes to the failed events
    assert len(here.queue.waiting) == (told == "PENDING")
    cancelled = {it.path for it in here.simulator.log[asked:] if it.method == "DELETE"}
    assert cancelled <= {"/ml/modeltransform/job-1"}
    assert told != "an exception" or not cancelled
