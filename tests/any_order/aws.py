"""AWS as far as one function meets it, in memory and in manual time, with a fault or a kill at every step."""

from __future__ import annotations

import heapq
import itertools
import json
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any
from unittest import mock

from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from provider import custom_resource
from provider.clock import Clock
from provider.custom_resource import answer as answers
from provider.custom_resource import poll_rule
from provider.custom_resource.answer import Undeliverable
from provider.custom_resource.resource import CleanupFailed
from provider.lifecycle import Lifecycle
from provider.neptune import JobNotFound, ModelTransformJob, RequestRefused, Status, Unavailable, Unreachable
from provider.properties import Operator
from provider.settings import Settings
from tests.function.world import EPOCH, FUNCTION_ARN, NEPTUNE_ARN, RULE_PREFIX, LambdaContext

if TYPE_CHECKING:
    from collections.abc import Callable

STEPS = ("get", "cancel", "sleep", "answer", "put_rule", "put_targets", "remove_targets", "delete_rule")
ENDED = {Status.STOPPED, Status.COMPLETED, Status.FAILED}
CLUSTER = "db.cluster-c0ffee.us-east-1.neptune.amazonaws.com"
_CALL_SECONDS = 0.05
_RETRY_SECONDS = (60.0, 120.0)  # Lambda's pauses before it delivers a failed asynchronous event again


class Fault(Enum):
    """What can happen at a step of the function."""

    NONE = "none"
    KILLED_BEFORE = "the function is killed before the call"
    KILLED_AFTER = "the function is killed after the call took effect"
    UNAVAILABLE = "the call is throttled, times out or gets a 5xx"
    LOST_ANSWER = "the call took effect, but its answer is lost"
    UNREACHABLE = "no connection comes about"
    DENIED = "the call is denied"


class Killed(BaseException):
    """Lambda killed the function: out of memory, out of time, or the machine is gone."""


@dataclass
class Job:
    """A model transform job; it stops some time after it was cancelled, or never."""

    stop_seconds: float | None
    status: str = Status.IN_PROGRESS
    stops_at: float | None = None


@dataclass(frozen=True)
class Answered:
    """An answer that CloudFormation got."""

    body: dict[str, Any]
    at: float
    job_status: str | None
    """The status of the resource's job at that moment; `None`: it is gone."""


@dataclass
class Rule:
    """An EventBridge rule; it ticks while it has a target."""

    next_tick: float
    input: dict[str, Any] | None = None


@dataclass(order=True)
class Delivery:
    """An asynchronous event that Lambda is to deliver to the function."""

    at: float
    number: int
    event: dict[str, Any] = field(compare=False)
    attempt: int = field(default=0, compare=False)


@dataclass
class Aws:
    """Neptune, EventBridge, Lambda's event queue and CloudFormation's bucket.

    `faults` gives what happens at the next steps of each kind; when they are exhausted, nothing more goes wrong.
    """

    time: float = 0.0
    invocation_seconds: float = 900.0
    jobs: dict[str, Job] = field(default_factory=dict)
    cancelled: list[str] = field(default_factory=list)
    rules: dict[str, Rule] = field(default_factory=dict)
    queue: list[Delivery] = field(default_factory=list)
    dead_letters: list[dict[str, Any]] = field(default_factory=list)
    answered: dict[str, list[Answered]] = field(default_factory=dict)
    disturbed: set[str] = field(default_factory=set)
    """Requests at whose delivery something went wrong, or that were delivered late."""
    faults: dict[str, list[Fault]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._numbers = itertools.count()
        self._request_id = ""
        self._ends_at = float("inf")
        self.clock = Clock(monotonic=lambda: self.time, wall=lambda: EPOCH + self.time, sleep=self._sleep)

    # --- Lambda -------------------------------------------------------------------------------------------------------

    def invoke_later(self, event: dict[str, Any], attempt: int = 0, at: float | None = None) -> None:
        heapq.heappush(self.queue, Delivery(self.time if at is None else at, next(self._numbers), event, attempt))

    def deliver_next(self) -> None:
        """Deliver the next event, and queue it again if the function fails, as Lambda does twice."""
        delivery = heapq.heappop(self.queue)
        self._request_id = delivery.event["RequestId"]
        if self.time > delivery.at + 1:
            self.disturbed.add(self._request_id)
        self.time = max(self.time, delivery.at)
        try:
            self.invoke(json.loads(json.dumps(delivery.event)))
        except (Killed, Undeliverable, CleanupFailed):
            self.disturbed.add(self._request_id)
            if delivery.attempt < len(_RETRY_SECONDS):
                at = self.time + _RETRY_SECONDS[delivery.attempt]
                self.invoke_later(delivery.event, delivery.attempt + 1, at)
            else:
                self.dead_letters.append(delivery.event)

    def invoke(self, event: Any) -> dict[str, str]:  # noqa: ANN401 - Lambda delivers anything
        settings = Settings("us-east-1", "", (), NEPTUNE_ARN, RULE_PREFIX)
        self._ends_at = self.time + self.invocation_seconds
        with (
            mock.patch.object(answers, "deliver", self._take_answer),
            mock.patch.object(poll_rule.PollRule, "_client", return_value=self),
        ):
            return custom_resource.handle(
                event,
                LambdaContext(self.invocation_seconds, lambda: self.time),  # type: ignore[arg-type] # quacks like it
                lifecycle=Lifecycle(Operator(), lambda _: self, self.clock),
                settings=settings,
                clock=self.clock,
            )

    def pass_time(self, seconds: float) -> None:
        """Let time pass; rules tick, and their events are queued."""
        until = self.time + seconds
        while True:
            due = min((rule.next_tick for rule in self.rules.values()), default=until)
            if due >= until:
                break
            self.time = max(self.time, due)
            for rule in self.rules.values():
                if rule.next_tick <= self.time:
                    rule.next_tick += 60.0
                    if rule.input is not None:
                        self.invoke_later(rule.input)
        self.time = until

    def _sleep(self, seconds: float) -> None:
        self._step("sleep", lambda: None)
        self.pass_time(seconds)

    def _step(self, kind: str, effect: Callable[[], object], error: Callable[[Fault], Exception] | None = None) -> Any:  # noqa: ANN401
        """One step of the function towards the outside: it takes effect, fails, or the function is killed."""
        assert self.time <= self._ends_at, "the function outlives its invocation"
        planned = self.faults.get(kind)
        fault = planned.pop(0) if planned else Fault.NONE
        if fault is not Fault.NONE:
            self.disturbed.add(self._request_id)
        if fault is Fault.KILLED_BEFORE:
            raise Killed
        if fault in (Fault.UNAVAILABLE, Fault.UNREACHABLE, Fault.DENIED) and error:
            raise error(fault)
        result = effect()
        self.pass_time(_CALL_SECONDS)
        if fault is Fault.KILLED_AFTER:
            raise Killed
        if fault is Fault.LOST_ANSWER and error:
            raise error(fault)
        return result

    # --- Neptune ------------------------------------------------------------------------------------------------------

    def status(self, job_id: str) -> str | None:
        job = self.jobs.get(job_id)
        if job is None:
            return None
        if job.stops_at is not None and self.time >= job.stops_at:
            job.status, job.stops_at = Status.STOPPED, None
        return job.status

    def get(self, job_id: str, *, neptune_iam_role_arn: str | None) -> ModelTransformJob:
        del neptune_iam_role_arn

        def look() -> ModelTransformJob:
            status = self.status(job_id)
            if status is None:
                raise JobNotFound(f"no job {job_id}.")
            return ModelTransformJob(job_id, status)

        job: ModelTransformJob = self._step("get", look, _neptune_error)
        return job

    def cancel(self, job_id: str, *, clean: bool, neptune_iam_role_arn: str | None) -> None:
        del clean, neptune_iam_role_arn

        def stop() -> None:
            self.cancelled.append(job_id)
            status = self.status(job_id)
            if status is None:
                raise JobNotFound(f"no job {job_id}.")
            if status in ENDED:
                raise RequestRefused(f"{job_id} has ended.")
            job = self.jobs[job_id]
            if job.status != Status.STOPPING:
                job.status = Status.STOPPING
                job.stops_at = None if job.stop_seconds is None else self.time + job.stop_seconds

        self._step("cancel", stop, _neptune_error)

    # --- CloudFormation's bucket --------------------------------------------------------------------------------------

    def _take_answer(self, url: str, content: bytes, clock: Clock, pauses: object) -> None:
        del url, clock, pauses

        def take() -> None:
            body = json.loads(content)
            assert len(content) <= 4096
            status = self.status(body["PhysicalResourceId"])
            self.answered.setdefault(body["RequestId"], []).append(Answered(body, self.time, status))

        self._step("answer", take, lambda _: Undeliverable("the bucket cannot be reached"))

    # --- EventBridge, as its boto3 client -----------------------------------------------------------------------------

    def put_rule(self, **rule: Any) -> object:  # noqa: ANN401
        assert rule["Name"].startswith(RULE_PREFIX)
        assert len(rule["Name"]) <= 64
        return self._step("put_rule", lambda: self.rules.setdefault(rule["Name"], Rule(self.time + 60)), _events_error)

    def put_targets(self, **targets: Any) -> object:  # noqa: ANN401
        (target,) = targets["Targets"]
        assert target["Arn"] == FUNCTION_ARN

        def put() -> None:
            if targets["Rule"] not in self.rules:
                raise _client_error("ResourceNotFoundException")
            self.rules[targets["Rule"]].input = json.loads(target["Input"])

        return self._step("put_targets", put, _events_error)

    def remove_targets(self, **targets: Any) -> object:  # noqa: ANN401
        def remove() -> None:
            if targets["Rule"] not in self.rules:
                raise _client_error("ResourceNotFoundException")
            self.rules[targets["Rule"]].input = None

        return self._step("remove_targets", remove, _events_error)

    def delete_rule(self, **rule: Any) -> object:  # noqa: ANN401
        def delete() -> None:
            if rule["Name"] in self.rules and self.rules[rule["Name"]].input is not None:
                raise _client_error("ValidationException")
            self.rules.pop(rule["Name"], None)

        return self._step("delete_rule", delete, _events_error)


def _neptune_error(fault: Fault) -> Exception:
    if fault is Fault.UNREACHABLE:
        return Unreachable("no route to the cluster.")
    return RequestRefused("it is not allowed.") if fault is Fault.DENIED else Unavailable("try again later.")


def _client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, "operation")


def _events_error(fault: Fault) -> Exception:
    if fault is Fault.UNREACHABLE:
        return EndpointConnectionError(endpoint_url="https://events.us-east-1.amazonaws.com")
    if fault is Fault.DENIED:
        return _client_error("AccessDeniedException")
    return ReadTimeoutError(endpoint_url="https://events.us-east-1.amazonaws.com")
