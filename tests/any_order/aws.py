"""AWS as far as one function meets it, in memory and in manual time, with a fault or a kill at every step."""

from __future__ import annotations

import heapq
import itertools
import json
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any
from unittest import mock

import urllib3
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from provider import observability
from provider.clock import Clock
from provider.custom_resource import FrontDoor
from provider.custom_resource.answer import Undeliverable
from provider.custom_resource.properties import schema_of
from provider.custom_resource.request import Unanswerable
from provider.custom_resource.waiting import FIELD, WaitingQueue
from provider.hosts import Hosts
from provider.identity import Identity
from provider.kinds import MODEL_TRANSFORM_JOB
from provider.lifecycle import Lifecycle
from provider.neptune import Job, JobNotFound, NeptuneError, RequestRefused, Throttled, Unavailable, Unreachable
from provider.settings import Settings
from tests.function.world import EPOCH, NEPTUNE_ARN, LambdaContext

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from provider.schema import Properties
    from provider.values import Endpoint

STEPS = ("get", "list", "start", "cancel", "sleep", "answer", "send", "visibility")
_SERVICES = {
    "get": "neptune",
    "list": "neptune",
    "start": "neptune",
    "cancel": "neptune",
    "send": "sqs",
    "visibility": "sqs",
}
IN_PROGRESS, STOPPING, STOPPED, COMPLETED, FAILED = "InProgress", "Stopping", "Stopped", "Completed", "Failed"
ENDED = {STOPPED, COMPLETED, FAILED}
REFUSED = "a training job that Neptune does not know"
"""A job that is described by this is refused each time."""
BLUE, GREEN = (f"{name}.cluster-c0ffee.us-east-1.neptune.amazonaws.com" for name in ("blue", "green"))
BLUE_TOO = "blue-instance.c0ffee.us-east-1.neptune.amazonaws.com"
_SAME_CLUSTER = {BLUE_TOO: BLUE}
_CALL_SECONDS = 0.05
_LATE_SECONDS = 30.0
_RETRY_SECONDS = (60.0, 120.0)  # Lambda's pauses before it delivers a failed asynchronous event again
_VISIBILITY_SECONDS = 900.0
_RECEIVES = 3


class Fault(Enum):
    """What can happen at a step of the function."""

    NONE = "none"
    KILLED_BEFORE = "the function is killed before the call"
    KILLED_AFTER = "the function is killed after the call took effect"
    HANGS = "the call hangs until the invocation is over, and the watchdog answers meanwhile"
    UNAVAILABLE = "the call times out or gets a 5xx"
    THROTTLED = "the call is throttled"
    LOST_ANSWER = "the call took effect, but its answer is lost"
    LATE = "the call takes effect when its client has given up"
    OVERTAKEN = "another delivery of the same request comes before the call takes effect"
    UNREACHABLE = "no connection comes about"
    DENIED = "the call is denied"


_NO_EFFECT = (Fault.UNAVAILABLE, Fault.THROTTLED, Fault.UNREACHABLE, Fault.DENIED)


class Killed(BaseException):
    """Lambda killed the function: out of memory, out of time, or the machine is gone."""


@dataclass
class RunningJob:
    """A model transform job; it stops some time after it was cancelled, or never.

    `appears_at` is when it can be looked up and listed; `ends_at` when it ends by itself, and `ends_as` how.
    """

    stop_seconds: float | None
    arn: str = ""
    status: str = IN_PROGRESS
    stops_at: float | None = None
    appears_at: float = 0.0
    ends_at: float | None = None
    ends_as: str = COMPLETED


@dataclass(frozen=True)
class Plan:
    """What becomes of a job that the function starts."""

    stop_seconds: float | None = 60.0
    appear_seconds: float = 0.0
    run_seconds: float | None = None
    ends_as: str = COMPLETED


@dataclass(frozen=True)
class Started:
    """A start that took effect."""

    request_id: str
    key: tuple[str, str]
    description: str
    at: float


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
    a second. `plan` is what becomes of the jobs that are started from now on. The list of jobs has the active ones,
    and those that have ended only if `lists_ended`.
    """

    time: float = 0.0
    invocation_seconds: float = 900.0
    jobs: dict[tuple[str, str], RunningJob] = field(default_factory=dict)
    cancelled: list[tuple[str, str]] = field(default_factory=list)
    started: list[Started] = field(default_factory=list)
    plan: Plan = Plan()
    lists_ended: bool = False
    may_start: bool = True
    told: set[str] = field(default_factory=set)
    """Requests at which the metric of failed deletions, which has an alarm, was recorded."""
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
        self._event: dict[str, Any] = {}
        self._late: list[tuple[float, int, Callable[[], object]]] = []
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
        self._event = delivery.event
        if self.time > delivery.at + 1:
            self.disturbed.add(delivery.event["RequestId"])
        self.time = max(self.time, delivery.at)
        self._redeliver_after = _VISIBILITY_SECONDS
        try:
            self.invoke(json.loads(json.dumps(delivery.event)), is_message=delivery.is_message)
        except (Killed, Undeliverable, Unanswerable):
            self.disturbed.add(delivery.event["RequestId"])
            if delivery.attempt + 1 >= _RECEIVES:
                self.dead_letters.append(delivery.event)
                return
            after = self._redeliver_after if delivery.is_message else _RETRY_SECONDS[delivery.attempt]
            self.invoke_later(delivery.event, after=after, attempt=delivery.attempt + 1, is_message=delivery.is_message)

    def invoke(self, event: Any, *, is_message: bool = False) -> dict[str, str]:  # noqa: ANN401 - Lambda delivers anything
        if is_message:
            event = {"Records": [{"body": json.dumps(event), "receiptHandle": "handle"}]}
        kind = MODEL_TRANSFORM_JOB
        hosts = Hosts.of_clusters()
        settings = Settings.from_environment({"NEPTUNE_RESOURCE_ARN": NEPTUNE_ARN, "WAITING_QUEUE_URL": "a queue"})
        schema = schema_of(kind.schema)
        lifecycle = Lifecycle(
            kind, schema, hosts, lambda endpoint: _Cluster(self, endpoint), self.clock, may_start=self.may_start
        )
        self._began, self._ends_at = self.time, self.time + self.invocation_seconds
        with (
            mock.patch.object(urllib3.PoolManager, "request", self._take_answer),
            mock.patch.object(threading, "Timer", self._set_watchdog),
            mock.patch.object(observability.metrics, "add_metric", self._record),
        ):
            try:
                return FrontDoor({kind.resource_type: lifecycle}, self._queue, settings, self.clock).handle(
                    event,
                    LambdaContext(self.invocation_seconds, lambda: self.time),  # type: ignore[arg-type] # quacks like it
                )
            finally:
                observability.metrics.clear_metrics()  # as `log_metrics` does

    def _set_watchdog(self, seconds: float, bark: Callable[[], None]) -> WatchdogTimer:
        self._watchdog = WatchdogTimer(seconds, bark)
        return self._watchdog

    def _record(self, *, name: str, value: float, unit: str) -> None:
        assert unit
        if name == "FailedDeletions" and value:
            self.told.add(self.request_id)

    def _sleep(self, seconds: float) -> None:
        self.step("sleep", lambda: None)
        self.time += seconds

    def step(self, kind: str, effect: Callable[[], object], error: Callable[[Fault], Exception] | None = None) -> Any:  # noqa: ANN401
        """One step of the function towards the outside: it takes effect, fails, or the function is killed."""
        assert self.time <= self._ends_at, "the function outlives its invocation"
        self.catch_up()
        fault = self._fault_at(kind)
        if fault is Fault.KILLED_BEFORE:
            raise Killed
        if fault is Fault.HANGS:
            self._hang(is_watched=kind in ("get", "list", "start", "cancel"))
        if fault in _NO_EFFECT and error:
            self.time += _CALL_SECONDS
            raise error(fault)
        if fault is Fault.LATE and error and kind in ("start", "cancel"):
            heapq.heappush(self._late, (self.time + _LATE_SECONDS, next(self._numbers), effect))
            self.time += _CALL_SECONDS
            raise error(fault)
        if fault is Fault.OVERTAKEN:
            self._be_overtaken()
        try:
            return effect()
        finally:  # what happens now hides the answer, be it a refusal
            self.time += _CALL_SECONDS
            if fault is Fault.KILLED_AFTER:
                raise Killed
            if fault in (Fault.LOST_ANSWER, Fault.LATE) and error:
                raise error(fault)

    def _fault_at(self, kind: str) -> Fault:
        """Tell what happens at the next step of a kind."""
        planned = self.faults.get(kind)
        fault = planned.pop(0) if planned else self.outages.get(kind, Fault.NONE)
        service = _SERVICES.get(kind, kind)
        self.calls[service, int(self.time)] += 1
        if self.calls[service, int(self.time)] > self.quotas.get(service, 10**9):
            fault = Fault.THROTTLED
        if fault is not Fault.NONE:
            self.disturbed.add(self.request_id)
        return fault

    @property
    def request_id(self) -> str:
        """The request that is being handled."""
        return str(self._event.get("RequestId"))

    def _be_overtaken(self) -> None:
        """Handle the same event in another invocation, from its beginning to its end."""
        mine = self._event, self._began, self._ends_at, self._watchdog, self._redeliver_after
        with suppress(Killed, Undeliverable, Unanswerable):
            self.invoke(json.loads(json.dumps(self._event)), is_message=FIELD in self._event)
        self._event, self._began, self._ends_at, self._watchdog, self._redeliver_after = mine
        self.catch_up()
        if self.time > self._ends_at - _CALL_SECONDS:
            raise Killed

    def catch_up(self) -> None:
        """Let the calls take effect that were late."""
        while self._late and self._late[0][0] <= self.time:
            now = self.time
            self.time, _, effect = heapq.heappop(self._late)
            with suppress(NeptuneError):
                effect()
            self.time = now

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
        """The status of a job; `None`: there is none, whether or not it can be looked up yet."""
        self.catch_up()
        job = self.jobs.get(key) if key else None
        if job is None:
            return None
        if job.status == IN_PROGRESS and job.ends_at is not None and self.time >= job.ends_at:
            job.status = job.ends_as
        if job.stops_at is not None and self.time >= job.stops_at:
            job.status, job.stops_at = STOPPED, None
        return job.status

    def seen(self, key: tuple[str, str] | None) -> str | None:
        """The status of a job; `None`: it cannot be looked up."""
        status = self.status(key)
        return None if key is None or status is None or self.time < self.jobs[key].appears_at else status

    # --- CloudFormation's bucket --------------------------------------------------------------------------------------

    def _take_answer(self, _method: str, _url: str, *, body: bytes, **_: object) -> urllib3.HTTPResponse:
        def take() -> None:
            answer = json.loads(body)
            assert len(body) <= 4096
            status = self.seen(key_of_resource(answer["PhysicalResourceId"]))
            self.answered.setdefault(answer["RequestId"], []).append(Answered(answer, self.time, status))

        class NotTakenError(Exception):
            """The answer was not taken, or nobody knows."""

        def not_taken(fault: Fault) -> Exception:
            return NotTakenError({Fault.UNAVAILABLE: 503, Fault.THROTTLED: 429, Fault.DENIED: 403}.get(fault, 0))

        try:
            self.step("answer", take, not_taken)
        except NotTakenError as error:
            if not error.args[0]:
                raise urllib3.exceptions.HTTPError from error
            return urllib3.HTTPResponse(status=error.args[0])
        return urllib3.HTTPResponse(status=200)

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

    def update(self, job_id: str, properties: Properties) -> None:
        raise AssertionError(f"{job_id} is not changed in place to {properties}")

    def get(self, job_id: str, properties: Properties) -> Job:
        del properties
        key = key_of(self.endpoint.host, job_id)

        def look() -> Job:
            status = self.aws.seen(key)
            if status is None:
                raise JobNotFound(f"no job {job_id}.")
            job = self.aws.jobs[key]
            names = {attribute.name: "" for attribute in MODEL_TRANSFORM_JOB.attributes}
            arns = frozenset(filter(None, (job.arn,)))
            return Job(status, status == STOPPING, status in ENDED, names, arns, status == COMPLETED)

        job: Job = self.aws.step("get", look, _neptune_error)
        return job

    def start(self, job_id: str, properties: Properties) -> None:
        aws, key, request_id = self.aws, key_of(self.endpoint.host, job_id), self.aws.request_id
        description = str(properties.description["trainingJobName"])

        def begin() -> None:
            if key in aws.jobs:
                raise RequestRefused("Another resource with same ID already exists.")
            if description == REFUSED:
                raise RequestRefused("There is no such training job.")
            plan, now = aws.plan, aws.time
            aws.jobs[key] = RunningJob(
                plan.stop_seconds,
                arn=f"arn:{'/'.join(key)}",
                appears_at=now + plan.appear_seconds,
                ends_at=None if plan.run_seconds is None else now + plan.run_seconds,
                ends_as=plan.ends_as,
            )
            aws.started.append(Started(request_id, key, description, now))

        aws.step("start", begin, _neptune_error)

    def list(self, properties: Properties) -> tuple[str, ...]:
        del properties

        def names() -> tuple[str, ...]:
            here = [key for key in self.aws.jobs if key[0] == key_of(self.endpoint.host, "")[0]]
            active = {IN_PROGRESS, STOPPING} | (ENDED if self.aws.lists_ended else set())
            return tuple(key[1] for key in here if self.aws.seen(key) in active)

        listed: tuple[str, ...] = self.aws.step("list", names, _neptune_error)
        return listed

    def cancel(self, job_id: str, properties: Properties) -> None:
        del properties
        self.aws.step("cancel", partial(self._stop, job_id), _neptune_error)

    def _stop(self, job_id: str) -> None:
        key = key_of(self.endpoint.host, job_id)
        self.aws.cancelled.append(key)
        status = self.aws.seen(key)
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
    if fault is Fault.DENIED:
        return NeptuneError("it is not allowed.")
    return Throttled("too many requests.") if fault is Fault.THROTTLED else Unavailable("try again later.")


def _sqs_error(fault: Fault) -> Exception:
    if fault is Fault.UNREACHABLE:
        return EndpointConnectionError(endpoint_url="https://sqs.us-east-1.amazonaws.com")
    if fault is Fault.DENIED:
        return ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "SendMessage")
    if fault in (Fault.UNAVAILABLE, Fault.THROTTLED):
        return ClientError({"Error": {"Code": "RequestThrottled", "Message": "slow down"}}, "SendMessage")
    return ReadTimeoutError(endpoint_url="https://sqs.us-east-1.amazonaws.com")
