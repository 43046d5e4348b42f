"""AWS as far as one function meets it, in memory and in manual time, with a fault or a kill at every step."""

from __future__ import annotations

import heapq
import itertools
import json
import threading
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any
from unittest import mock

from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from provider.clock import Clock
from provider.custom_resource import FrontDoor
from provider.custom_resource import answer as answers
from provider.custom_resource.answer import Undeliverable
from provider.custom_resource.properties import schema_of
from provider.custom_resource.request import Unanswerable
from provider.custom_resource.waiting import FIELD, WaitingQueue
from provider.hosts import Hosts
from provider.identity import Identity
from provider.kinds import MODEL_TRANSFORM_JOB
from provider.lifecycle import Lifecycle
from provider.neptune import Job, JobNotFound, NeptuneError, RequestRefused, Unavailable, Unreachable
from provider.settings import Settings
from tests.function.world import EPOCH, NEPTUNE_ARN, LambdaContext

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from provider.schema import Properties
    from provider.values import Endpoint

STEPS = ("get", "cancel", "sleep", "answer", "send", "visibility")
_SERVICES = {"get": "neptune", "cancel": "neptune", "send": "sqs", "visibility": "sqs"}
IN_PROGRESS, STOPPING, STOPPED = "InProgress", "Stopping", "Stopped"
ENDED = {STOPPED, "Completed", "Failed"}
BLUE, GREEN = (f"{name}.cluster-c0ffee.us-east-1.neptune.amazonaws.com" for name in ("blue", "green"))
BLUE_TOO = "blue-instance.c0ffee.us-east-1.neptune.amazonaws.com"
_SAME_CLUSTER = {BLUE_TOO: BLUE}
_CALL_SECONDS = 0.05
_RETRY_SECONDS = (60.0, 120.0)  # Lambda's pauses before it delivers a failed asynchronous event again
_VISIBILITY_SECONDS = 900.0
_RECEIVES = 3


class Fault(Enum):
    """What can happen at a step of the function."""

    NONE = "none"
    KILLED_BEFORE = "the function is killed before the call"
    KILLED_AFTER = "the function is killed after the call took effect"
    HANGS = "the call hangs until the invocation is over, and the watchdog answers meanwhile"
    UNAVAILABLE = "the call is throttled, times out or gets a 5xx"
    LOST_ANSWER = "the call took effect, but its answer is lost"
    UNREACHABLE = "no connection comes about"
    DENIED = "the call is denied"


class Killed(BaseException):
    """Lambda killed the function: out of memory, out of time, or the machine is gone."""


@dataclass
class RunningJob:
    """A model transform job; it stops some time after it was cancelled, or never."""

    stop_seconds: float | None
    arn: str = ""
    status: str = IN_PROGRESS
    stops_at: float | None = None


@dataclass(frozen=True)
class Answered:
    """An answer that CloudFormation got."""

    body: dict[str, Any]
    at: float
    job_status: str | None
    """The status of the resource's job at that moment; `None`: it is gone."""


@dataclass(order=True)
class Delivery:
    """An event that Lambda is to deliver to the function: CloudFormation's, or the queue's."""

    at: float
    number: int
    event: dict[str, Any] = field(compare=False)
    attempt: int = field(default=0, compare=False)
    is_message: bool = field(default=False, compare=False)


@dataclass
class WatchdogTimer:
    """In place of `threading.Timer`, which would measure real time."""

    seconds: float
    bark: Callable[[], None]
    daemon: bool = False

    def start(self) -> None: ...

    def cancel(self) -> None: ...


def key_of(host: str, job_id: str) -> tuple[str, str]:
    """What is one job: another name of a cluster means the same jobs."""
    return _SAME_CLUSTER.get(host, host), job_id


def key_of_resource(physical_id: str) -> tuple[str, str] | None:
    """The job that a resource has adopted; `None`: it has adopted none."""
    identity = Identity.parse(physical_id)
    return key_of(identity.endpoint.host, identity.id) if identity else None


@dataclass
class Aws:
    """Neptune, SQS, Lambda's event queue and CloudFormation's bucket.

    `faults` gives what happens at the next steps of each kind; when they are exhausted, nothing more goes wrong.
    `outages` are steps that fail each time, until they are taken out. `quotas` limits the calls that a service takes in
    a second.
    """

    time: float = 0.0
    invocation_seconds: float = 900.0
    jobs: dict[tuple[str, str], RunningJob] = field(default_factory=dict)
    cancelled: list[tuple[str, str]] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    dead_letters: list[dict[str, Any]] = field(default_factory=list)
    answered: dict[str, list[Answered]] = field(default_factory=dict)
    disturbed: set[str] = field(default_factory=set)
    """Requests at whose delivery something went wrong, or that were delivered late."""
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    outages: dict[str, Fault] = field(default_factory=dict)
    quotas: Mapping[str, int] = field(default_factory=dict)
    calls: Counter[tuple[str, int]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._numbers = itertools.count()
        self._request_id = ""
        self._ends_at = float("inf")
        self._watchdog: WatchdogTimer | None = None
        self._began = 0.0
        self._redeliver_after = _VISIBILITY_SECONDS
        self.clock = Clock(monotonic=lambda: self.time, wall=lambda: EPOCH + self.time, sleep=self._sleep)
        self._queue = WaitingQueue("https://sqs.us-east-1.amazonaws.com/123456789012/waiting", "us-east-1")
        self._queue.__dict__["_client"] = self

    # --- Lambda -------------------------------------------------------------------------------------------------------

    def invoke_later(
        self, event: dict[str, Any], *, after: float = 0.0, attempt: int = 0, is_message: bool = False
    ) -> None:
        delivery = Delivery(self.time + after, next(self._numbers), event, attempt, is_message)
        heapq.heappush(self.deliveries, delivery)

    def deliver_next(self) -> None:
        """Deliver the next event, and queue it again if the function fails, as Lambda and SQS do twice."""
        delivery = heapq.heappop(self.deliveries)
        self._request_id = delivery.event["RequestId"]
        if self.time > delivery.at + 1:
            self.disturbed.add(self._request_id)
        self.time = max(self.time, delivery.at)
        self._redeliver_after = _VISIBILITY_SECONDS
        event = json.loads(json.dumps(delivery.event))
        if delivery.is_message:
            event = {"Records": [{"body": json.dumps(event), "receiptHandle": "handle"}]}
        try:
            self.invoke(event)
        except (Killed, Undeliverable, Unanswerable):
            self.disturbed.add(self._request_id)
            if delivery.attempt + 1 >= _RECEIVES:
                self.dead_letters.append(delivery.event)
                return
            after = self._redeliver_after if delivery.is_message else _RETRY_SECONDS[delivery.attempt]
            self.invoke_later(delivery.event, after=after, attempt=delivery.attempt + 1, is_message=delivery.is_message)

    def invoke(self, event: Any) -> dict[str, str]:  # noqa: ANN401 - Lambda delivers anything
        kind = MODEL_TRANSFORM_JOB
        hosts = Hosts.of_clusters()
        settings = Settings("us-east-1", hosts, Hosts.of_responses("us-east-1"), NEPTUNE_ARN, "a queue")
        schema = schema_of(kind.schema)
        lifecycle = Lifecycle(kind, schema, hosts, lambda endpoint: _Cluster(self, endpoint), self.clock)
        self._began, self._ends_at = self.time, self.time + self.invocation_seconds
        with (
            mock.patch.object(answers, "_put", self._take_answer),
            mock.patch.object(threading, "Timer", self._set_watchdog),
        ):
            return FrontDoor(lifecycle, self._queue, settings, self.clock).handle(
                event,
                LambdaContext(self.invocation_seconds, lambda: self.time),  # type: ignore[arg-type] # quacks like it
            )

    def _set_watchdog(self, seconds: float, bark: Callable[[], None]) -> WatchdogTimer:
        self._watchdog = WatchdogTimer(seconds, bark)
        return self._watchdog

    def _sleep(self, seconds: float) -> None:
        self.step("sleep", lambda: None)
        self.time += seconds

    def step(self, kind: str, effect: Callable[[], object], error: Callable[[Fault], Exception] | None = None) -> Any:  # noqa: ANN401
        """One step of the function towards the outside: it takes effect, fails, or the function is killed."""
        assert self.time <= self._ends_at, "the function outlives its invocation"
        planned = self.faults.get(kind)
        fault = planned.pop(0) if planned else self.outages.get(kind, Fault.NONE)
        service = _SERVICES.get(kind, kind)
        self.calls[service, int(self.time)] += 1
        if self.calls[service, int(self.time)] > self.quotas.get(service, 10**9):
            fault = Fault.UNAVAILABLE
        if fault is not Fault.NONE:
            self.disturbed.add(self._request_id)
        if fault is Fault.KILLED_BEFORE:
            raise Killed
        if fault is Fault.HANGS:
            self._hang(is_watched=kind in ("get", "cancel"))
        if fault in (Fault.UNAVAILABLE, Fault.UNREACHABLE, Fault.DENIED) and error:
            self.time += _CALL_SECONDS
            raise error(fault)
        result = effect()
        self.time += _CALL_SECONDS
        if fault is Fault.KILLED_AFTER:
            raise Killed
        if fault is Fault.LOST_ANSWER and error:
            raise error(fault)
        return result

    def _hang(self, *, is_watched: bool) -> None:
        """Nothing happens any more in this invocation, but for what the watchdog does; it waits for an answer's end."""
        assert self._watchdog is not None
        if is_watched:
            self.faults = {}
            self.time = max(self.time, min(self._ends_at - 1, self._began + self._watchdog.seconds))
            self._watchdog.bark()
        self.time = max(self.time, self._ends_at)
        raise Killed

    # --- Neptune ------------------------------------------------------------------------------------------------------

    def status(self, key: tuple[str, str] | None) -> str | None:
        job = self.jobs.get(key) if key else None
        if job is None:
            return None
        if job.stops_at is not None and self.time >= job.stops_at:
            job.status, job.stops_at = STOPPED, None
        return job.status

    # --- CloudFormation's bucket --------------------------------------------------------------------------------------

    def _take_answer(self, _pool: object, _url: str, content: bytes) -> tuple[int, str]:
        def take() -> None:
            body = json.loads(content)
            assert len(content) <= 4096
            status = self.status(key_of_resource(body["PhysicalResourceId"]))
            self.answered.setdefault(body["RequestId"], []).append(Answered(body, self.time, status))

        class NotTakenError(Exception):
            """The answer was not taken, or nobody knows."""

        def not_taken(fault: Fault) -> Exception:
            return NotTakenError({Fault.UNAVAILABLE: 503, Fault.DENIED: 403}.get(fault, 0))

        try:
            self.step("answer", take, not_taken)
        except NotTakenError as error:
            return error.args[0], "not taken"
        return 200, "taken"

    # --- SQS, as its boto3 client -------------------------------------------------------------------------------------

    def send_message(self, *, QueueUrl: str, MessageBody: str, DelaySeconds: int) -> object:  # noqa: N803
        assert QueueUrl
        assert isinstance(DelaySeconds, int)
        assert 1 <= DelaySeconds <= 900
        event = json.loads(MessageBody)
        assert FIELD in event
        self.step("send", lambda: self.invoke_later(event, after=DelaySeconds, is_message=True), _sqs_error)
        return {"MessageId": "made up"}

    def change_message_visibility(self, *, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int) -> object:  # noqa: N803
        assert QueueUrl
        assert ReceiptHandle == "handle"

        def change() -> None:
            self._redeliver_after = VisibilityTimeout

        return self.step("visibility", change, _sqs_error)


@dataclass(frozen=True)
class _Cluster:
    """The jobs of a cluster, in place of `neptune.Jobs`."""

    aws: Aws
    endpoint: Endpoint

    def get(self, job_id: str, properties: Properties) -> Job:
        del properties
        key = key_of(self.endpoint.host, job_id)

        def look() -> Job:
            status = self.aws.status(key)
            if status is None:
                raise JobNotFound(f"no job {job_id}.")
            job = self.aws.jobs[key]
            names = {attribute.name: "" for attribute in MODEL_TRANSFORM_JOB.attributes}
            return Job(status, status == STOPPING, status in ENDED, names, frozenset(filter(None, (job.arn,))))

        job: Job = self.aws.step("get", look, _neptune_error)
        return job

    def start(self, job_id: str, properties: Properties) -> None:
        raise NotImplementedError

    def list(self, properties: Properties) -> tuple[str, ...]:
        raise NotImplementedError

    def cancel(self, job_id: str, properties: Properties) -> None:
        del properties
        self.aws.step("cancel", partial(self._stop, job_id), _neptune_error)

    def _stop(self, job_id: str) -> None:
        key = key_of(self.endpoint.host, job_id)
        self.aws.cancelled.append(key)
        status = self.aws.status(key)
        if status is None:
            raise JobNotFound(f"no job {job_id}.")
        if status in ENDED:
            raise RequestRefused(f"{job_id} has ended.")
        job = self.aws.jobs[key]
        if job.status != STOPPING:
            job.status = STOPPING
            job.stops_at = None if job.stop_seconds is None else self.aws.time + job.stop_seconds


def _neptune_error(fault: Fault) -> Exception:
    if fault is Fault.UNREACHABLE:
        return Unreachable("no route to the cluster.")
    return NeptuneError("it is not allowed.") if fault is Fault.DENIED else Unavailable("try again later.")


def _sqs_error(fault: Fault) -> Exception:
    if fault is Fault.UNREACHABLE:
        return EndpointConnectionError(endpoint_url="https://sqs.us-east-1.amazonaws.com")
    if fault is Fault.DENIED:
        return ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "SendMessage")
    if fault is Fault.UNAVAILABLE:
        return ClientError({"Error": {"Code": "RequestThrottled", "Message": "slow down"}}, "SendMessage")
    return ReadTimeoutError(endpoint_url="https://sqs.us-east-1.amazonaws.com")
