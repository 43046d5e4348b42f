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
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest import mock
from urllib.parse import urlsplit

import boto3
import urllib3
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, ReadTimeoutError

from provider import observability
from provider.clock import Clock
from provider.custom_resource import FrontDoor
from provider.custom_resource.answer import Undeliverable
from provider.custom_resource.properties import schema_of
from provider.custom_resource.request import Unanswerable
from provider.custom_resource.waiting import FIELD, OWED, CannotWait, WaitingQueue
from provider.identity import Identity
from provider.journal.memory import Memory
from provider.kinds import KINDS, MODEL_TRANSFORM_JOB
from provider.lifecycle import Lifecycle
from provider.look import ENDED, Status
from provider.neptune import Jobs
from provider.settings import Settings
from tests.function.world import EPOCH, NEPTUNE_ARN, QUEUE_URL, LambdaContext, delivered

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from provider.kinds.kind import Kind
    from provider.values import Endpoint

STEPS = ("get", "start", "cancel", "sleep", "answer", "send", "check", "visibility")
_SERVICES = {
    "get": "neptune",
    "start": "neptune",
    "cancel": "neptune",
    "send": "sqs",
    "check": "sqs",
    "visibility": "sqs",
}
IN_PROGRESS, STOPPING, STOPPED, COMPLETED, FAILED = "InProgress", "Stopping", "Stopped", "Completed", "Failed"
"""Statuses of a job, whatever its kind calls them."""
REFUSED = "a training job that Neptune does not know"
"""A job that is described by this is refused each time."""
_SCHEMAS = {kind.resource_type: schema_of(kind.schema) for kind in KINDS}
BLUE, GREEN = (f"{name}.cluster-c0ffee.us-east-1.neptune.amazonaws.com" for name in ("blue", "green"))
BLUE_TOO = "blue-instance.c0ffee.us-east-1.neptune.amazonaws.com"
_SAME_CLUSTER = {BLUE_TOO: BLUE}
_CALL_SECONDS = 0.05
_LATE_SECONDS = 30.0
_RETRY_SECONDS = (60.0, 120.0)  # Lambda's pauses before it delivers a failed asynchronous event again
_VISIBILITY_SECONDS = 900.0
_RECEIVES = 5  # of a message


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


class Key(NamedTuple):
    """What tells a job from every other one: each kind has IDs of its own."""

    cluster: str
    id: str
    resource_type: str = MODEL_TRANSFORM_JOB.resource_type

    @property
    def kind(self) -> Kind:
        return next(kind for kind in KINDS if kind.resource_type == self.resource_type)


@dataclass
class RunningJob:
    """A job of any kind; it stops some time after it was cancelled, or never.

    `appears_at` is when it can be looked up and listed; `ends_at` when it ends by itself, and `ends_as` how.
    `parameters` describe it, and have been changed in place `changes` times.
    """

    stop_seconds: float | None
    arn: str = ""
    status: str = IN_PROGRESS
    stops_at: float | None = None
    appears_at: float = 0.0
    ends_at: float | None = None
    ends_as: str = COMPLETED
    parameters: dict[str, Any] = field(default_factory=dict)
    changes: int = 0


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
    key: Key
    parameters: dict[str, Any]
    at: float


@dataclass(frozen=True)
class Answered:
    """An answer that CloudFormation got."""

    body: dict[str, Any]
    at: float
    job_status: str | None
    """The status of the resource's job at that moment; `None`: it is gone."""
    parameters: dict[str, Any]
    """What describes it at that moment."""


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

    def is_alive(self) -> bool:
        return False


def key_of(host: str, job_id: str, resource_type: str = MODEL_TRANSFORM_JOB.resource_type) -> Key:
    """What is one job: another name of a cluster means the same jobs."""
    return Key(_SAME_CLUSTER.get(host, host), job_id, resource_type)


def key_of_resource(physical_id: str, resource_type: str = MODEL_TRANSFORM_JOB.resource_type) -> Key | None:
    """The job that a resource has adopted; `None`: it has adopted none."""
    identity = Identity.parse(physical_id)
    return key_of(identity.endpoint.host, identity.id, resource_type) if identity else None


def word(kind: Kind, status: str) -> str:
    """What a kind calls a status."""
    words = {
        IN_PROGRESS: kind.names_of(Status.RUNS),
        STOPPING: kind.names_of(Status.STOPPING),
        COMPLETED: kind.names_of(Status.COMPLETED, Status.READY),
        FAILED: kind.names_of(Status.FAILED, Status.BROKEN),
    }
    return words.get(status, (status,))[0]


def ended(kind: Kind) -> set[str]:
    """The statuses of a job of a kind that runs no more."""
    return {status for status in (STOPPED, COMPLETED, FAILED) if kind.meaning_of(word(kind, status)) in ENDED}


@dataclass
class Aws:
    """Neptune, SQS, Lambda's event queue and CloudFormation's bucket.

    `faults` gives what happens at the next steps of each kind; when they are exhausted, nothing more goes wrong.
    `outages` are steps that fail each time, until they are taken out, or until `outages_end`. `quotas` limits the calls
    that a service takes in a second. `plan` is what becomes of the jobs that are started from now on. The ID of a
    job that is gone is not used again if Neptune `remembers_ids`.
    """

    time: float = 0.0
    invocation_seconds: float = 900.0
    jobs: dict[Key, RunningJob] = field(default_factory=dict)
    cancelled: list[Key] = field(default_factory=list)
    started: list[Started] = field(default_factory=list)
    plan: Plan = Plan()
    remembers_ids: bool = True
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
    outages_end: float = float("inf")
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
        self._late_by = 0.0
        self.clock = Clock(monotonic=lambda: self.time, wall=lambda: EPOCH + self.time, sleep=self._sleep)
        self._queue = WaitingQueue(QUEUE_URL, "us-east-1")
        self._queue.__dict__["_client"] = self
        self._settings = Settings.from_environment(
            {"NEPTUNE_RESOURCE_ARN": NEPTUNE_ARN, "WAITING_QUEUE_URL": "a queue"}
        )
        self._jobs_of = cache(self._connect)
        self._journal = Memory()

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
            self.disturbed.add(delivery.event.get("RequestId", ""))
        self.time = max(self.time, delivery.at)
        self._redeliver_after = _VISIBILITY_SECONDS
        try:
            self.invoke(json.loads(json.dumps(delivery.event)), is_message=delivery.is_message)
        except (CannotWait, Killed, Undeliverable, Unanswerable):
            self.disturbed.add(delivery.event.get("RequestId", ""))
            if delivery.attempt + 1 >= (_RECEIVES if delivery.is_message else 1 + len(_RETRY_SECONDS)):
                self.dead_letters.append(delivery.event)
                return
            after = self._redeliver_after if delivery.is_message else _RETRY_SECONDS[delivery.attempt]
            self.invoke_later(delivery.event, after=after, attempt=delivery.attempt + 1, is_message=delivery.is_message)

    def invoke(self, event: Any, *, is_message: bool = False) -> dict[str, str]:  # noqa: ANN401 - Lambda delivers anything
        if is_message:
            event = delivered(event)
        self._began, self._ends_at = self.time, self.time + self.invocation_seconds
        lifecycles = {kind.resource_type: self._lifecycle(kind) for kind in KINDS}
        with (
            mock.patch.object(urllib3.PoolManager, "request", self._take_answer),
            mock.patch.object(boto3, "client", self._make_client),
            mock.patch.object(threading, "Timer", self._set_watchdog),
            mock.patch.object(observability.metrics, "add_metric", self._record),
        ):
            try:
                return FrontDoor(lifecycles, self._queue, self._settings, self.clock).handle(
                    event,
                    LambdaContext(self.invocation_seconds, lambda: self.time),  # type: ignore[arg-type] # quacks like it
                )
            finally:
                observability.metrics.clear_metrics()  # as `log_metrics` does

    def _lifecycle(self, kind: Kind) -> Lifecycle:
        return Lifecycle(
            kind,
            _SCHEMAS[kind.resource_type],
            self._settings.clusters,
            lambda endpoint: self._jobs_of(kind, endpoint),
            self._journal,
            self.clock,
            may_start=self.may_start,
        )

    def _connect(self, kind: Kind, endpoint: Endpoint) -> Jobs:
        return Jobs(kind, endpoint, region=self._settings.region, resource_arn=self._settings.neptune_resource_arn)

    def _make_client(self, service: str, *, endpoint_url: str, **_: object) -> _Client:
        assert service == "neptunedata"
        return _Client(self, str(urlsplit(endpoint_url).hostname))

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
            self._hang(is_watched=kind in ("get", "start", "cancel"))
        if fault in _NO_EFFECT and error:
            self.time += _CALL_SECONDS
            raise error(fault)
        if fault is Fault.LATE and error and kind in ("start", "cancel"):
            heapq.heappush(self._late, (self.time + _LATE_SECONDS, next(self._numbers), effect))
            self.time += _CALL_SECONDS
            raise error(fault)
        self._late_by = _LATE_SECONDS if fault is Fault.LATE else 0.0
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
        lasting = self.outages.get(kind, Fault.NONE) if self.time < self.outages_end else Fault.NONE
        fault = planned.pop(0) if planned else lasting
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
            with suppress(ClientError):
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

    def status(self, key: Key | None) -> str | None:
        """The status of a job; `None`: there is none, whether or not it can be looked up yet."""
        self.catch_up()
        job = self.jobs.get(key) if key else None
        if job is None:
            return None
        if job.status == IN_PROGRESS and job.ends_at is not None and self.time >= job.ends_at:
            job.status = job.ends_as
        if job.stops_at is not None and self.time >= job.stops_at:
            job.status, job.stops_at = STOPPED, None
        if job.status == STOPPED and key and STOPPED not in ended(key.kind):
            del self.jobs[key]  # what has no such status is gone
            return None
        return job.status

    def seen(self, key: Key | None) -> str | None:
        """The status of a job; `None`: it cannot be looked up."""
        status = self.status(key)
        return None if key is None or status is None or self.time < self.jobs[key].appears_at else status

    # --- CloudFormation's bucket --------------------------------------------------------------------------------------

    def _take_answer(self, _method: str, _url: str, *, body: bytes, **_: object) -> urllib3.HTTPResponse:
        def take() -> None:
            answer = json.loads(body)
            assert len(body) <= 4096
            key = key_of_resource(answer["PhysicalResourceId"], str(self._event.get("ResourceType")))
            status = self.seen(key)
            parameters = self.jobs[key].parameters if key is not None and status is not None else {}
            self.answered.setdefault(answer["RequestId"], []).append(Answered(answer, self.time, status, parameters))

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
        assert FIELD in event or OWED in event
        self.step(
            "send", lambda: self.invoke_later(event, after=DelaySeconds + self._late_by, is_message=True), _sqs_error
        )
        return {"MessageId": "made up"}

    def get_queue_attributes(self, *, QueueUrl: str, AttributeNames: list[str]) -> object:  # noqa: N803
        assert QueueUrl
        assert AttributeNames == ["QueueArn"]
        self.step("check", lambda: None, _sqs_error)
        return {"Attributes": {"QueueArn": "arn"}}

    def change_message_visibility(self, *, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int) -> object:  # noqa: N803
        assert QueueUrl
        assert ReceiptHandle == "handle"

        def change() -> None:
            self._redeliver_after = VisibilityTimeout

        return self.step("visibility", change, _sqs_error)


@dataclass(frozen=True)
class _Client:
    """Neptune, as the `neptunedata` client of boto3 for a cluster. Which jobs a call is about, its name alone tells."""

    aws: Aws
    host: str
    meta = SimpleNamespace(events=SimpleNamespace(register=lambda *_: None))  # no answer is parsed here

    def __getattr__(self, method: str) -> Callable[..., dict[str, Any]]:
        verb, _, noun = method.partition("_ml_")
        calls: dict[str, Callable[..., dict[str, Any]]] = {
            "start": self._start,
            "create": self._start,
            "get": self._get,
            "cancel": self._cancel,
            "delete": self._cancel,
        }
        resource_type = f"Custom::NeptuneML{noun.removesuffix('s').title().replace('_', '')}"
        return lambda **parameters: calls[verb](
            key_of(self.host, parameters.pop("id", ""), resource_type), **parameters
        )

    def _start(self, key: Key, **parameters: Any) -> dict[str, Any]:  # noqa: ANN401 - as boto3's
        aws, request_id = self.aws, self.aws.request_id

        def begin() -> None:
            if key in aws.jobs or (aws.remembers_ids and key in {it.key for it in aws.started}):
                raise _refusal(400, "BadRequestException", "Another resource with same ID already exists.")
            if REFUSED in parameters.values():
                raise _refusal(400, "BadRequestException", "There is no such training job.")
            plan, now = aws.plan, aws.time
            # What can be changed in place is ready some day, or has failed.
            run_seconds = plan.run_seconds or (60.0 if key.kind.update else None)
            aws.jobs[key] = RunningJob(
                plan.stop_seconds,
                arn=f"arn:{'/'.join(key)}",
                appears_at=now + plan.appear_seconds,
                ends_at=None if run_seconds is None else now + run_seconds,
                ends_as=plan.ends_as,
                parameters=parameters,
            )
            aws.started.append(Started(request_id, key, parameters, now))

        def change() -> None:
            if (status := aws.seen(key)) is None:
                raise _unknown(key)
            if status != COMPLETED:
                raise _refusal(400, "BadRequestException", f"{key.id} is not to be changed now.")
            job, plan = aws.jobs[key], aws.plan
            job.status, job.ends_as, job.ends_at = IN_PROGRESS, plan.ends_as, aws.time + (plan.run_seconds or 20)
            job.parameters, job.changes = parameters, job.changes + 1

        aws.step("start", change if parameters.pop(key.kind.update, False) else begin, _neptune_error)
        return {"id": key.id}

    def _get(self, key: Key, **_: object) -> dict[str, Any]:
        def look() -> dict[str, Any]:
            status = self.aws.seen(key)
            if status is None:
                raise _unknown(key)
            job = self.aws.jobs[key]
            arns = zip(key.kind.arns, (job.arn, f"{job.arn}/{job.changes}"), strict=False)
            return {"id": key.id, "status": word(key.kind, status)} | {name: {arn: it} for (name, arn), it in arns}

        answer: dict[str, Any] = self.aws.step("get", look, _neptune_error)
        return answer

    def _cancel(self, key: Key, **_: object) -> dict[str, Any]:
        def stop() -> None:
            self.aws.cancelled.append(key)
            status = self.aws.seen(key)
            if status is None:
                raise _unknown(key)
            if status in ended(key.kind):
                raise _refusal(400, "BadRequestException", f"{key.id} has ended.")
            job = self.aws.jobs[key]
            if job.status != STOPPING:
                job.status = STOPPING
                job.stops_at = None if job.stop_seconds is None else self.aws.time + job.stop_seconds

        self.aws.step("cancel", stop, _neptune_error)
        return {"status": "200 OK"}


def _refusal(http_status: int, code: str, words: str) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": words}, "ResponseMetadata": {"HTTPStatusCode": http_status}}
    return ClientError(answer, "any call")


def _unknown(key: Key) -> ClientError:
    return _refusal(404, "MLResourceNotFoundException", f"There is no {key.id}.")


def _neptune_error(fault: Fault) -> Exception:
    if fault in (Fault.DENIED, Fault.THROTTLED):
        http_status, code = (403, "AccessDeniedException") if fault is Fault.DENIED else (429, "TooManyRequests")
        return _refusal(http_status, code, "no")
    return _no_answer(fault, "https://neptune")


def _sqs_error(fault: Fault) -> Exception:
    if fault is Fault.DENIED:
        return ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "SendMessage")
    if fault is Fault.THROTTLED:
        return ClientError({"Error": {"Code": "RequestThrottled", "Message": "slow down"}}, "SendMessage")
    if fault is Fault.UNAVAILABLE:
        return _refusal(503, "ServiceUnavailable", "not now")
    return _no_answer(fault, "https://sqs.us-east-1.amazonaws.com")


def _no_answer(fault: Fault, url: str) -> BotoCoreError:
    if fault is Fault.UNREACHABLE:
        return EndpointConnectionError(endpoint_url=url)
    return ReadTimeoutError(endpoint_url=url)
