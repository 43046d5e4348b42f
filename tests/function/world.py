"""The function in a world of its own: CloudFormation's side, Neptune's side and a clock, all driven by the test."""

from __future__ import annotations

import copy
import itertools
import json
import socket
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from provider.clock import Clock
from provider.custom_resource import FrontDoor
from provider.custom_resource.properties import schema_of
from provider.custom_resource.waiting import OWED, CannotWait, Message, WaitingQueue
from provider.journal.memory import Memory
from provider.kinds import KINDS, MODEL_TRANSFORM_JOB
from provider.kinds.lookup import LOOKUP
from provider.lifecycle import Lifecycle
from provider.lookups import Lookups
from provider.neptune import Jobs
from provider.route_checks import RouteChecks
from provider.settings import Settings
from provider.values import S3_URL
from simulator.kinds import KIND_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from local.response_host import ResponseHost
    from provider.kinds.kind import Kind
    from provider.lifecycle.terms import Journal
    from provider.values import Endpoint
    from simulator import ManualClock, Simulator
    from simulator.cluster_jobs import ClusterJobs
    from simulator.kinds import KindName

STACK_ID = "arn:aws:cloudformation:us-east-1:123456789012:stack/graph/5ab1a0c0-0f0c-11f0-8f5c-0e0c0ffee000"
FUNCTION_ARN = "arn:aws:lambda:us-east-1:123456789012:function:provider"
NEPTUNE_ARN = "arn:aws:neptune-db:us-east-1:123456789012:cluster-C0FFEE/*"
EPOCH = 1_800_000_000.0
QUEUE_URL = "https://sqs.us-east-1.amazonaws.com/123456789012/waiting"
QUEUE_ARN = "arn:aws:sqs:us-east-1:123456789012:waiting"
TOPIC_ARN = "arn:aws:sns:us-east-1:123456789012:jobs"

PATHS: Mapping[str, KindName] = dict(zip((kind.resource_type for kind in KINDS), KIND_NAMES, strict=True))
"""What the cluster calls the kinds of jobs, by the types of their resources; the simulator has the same order."""
DESCRIPTIONS: Mapping[str, Mapping[str, object]] = {
    kind.resource_type: {
        row.name: "s3://bucket/out" if row.type is S3_URL else "movies"
        for row in kind.properties
        if row.describes and (row.required or row in min(kind.either, key=len, default=()))
    }
    for kind in KINDS
}
"""What describes a job of each kind, and no more than it needs."""

ROUTE_CHECK = "Custom::NeptuneMLRouteCheck"
"""The type of the resources of the provider's own stack that check its routes."""

_request_numbers = itertools.count(1)


@dataclass
class LambdaContext:
    """What Lambda tells a function of its invocation."""

    remaining_seconds: float = 900.0
    monotonic: Callable[[], float] = time.monotonic
    function_name: str = "provider"
    function_version: str = "$LATEST"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = FUNCTION_ARN
    aws_request_id: str = "52fdfc07-2182-454f-963f-5f0f9a621d72"
    log_group_name: str = "provider-logs"
    log_stream_name: str = "2026/01/01/[$LATEST]0123456789abcdef"
    started: float = field(init=False)

    def __post_init__(self) -> None:
        self.started = self.monotonic()

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.remaining_seconds - (self.monotonic() - self.started)) * 1000))


class Queue(WaitingQueue):
    """The waiting queue in memory, in the order of what was put; `problem` makes it refuse."""

    def __init__(self) -> None:
        super().__init__(QUEUE_URL, "us-east-1")
        self.waiting: list[tuple[dict[str, Any], int]] = []
        self.delivered_soon: list[Message] = []
        self.problem = ""

    def put(self, event: Mapping[str, object], delay_seconds: int) -> None:
        if self.problem:
            raise CannotWait(self.problem)
        self.waiting.append((json.loads(json.dumps(event)), delay_seconds))

    def check(self) -> None:
        if self.problem:
            raise CannotWait(self.problem)

    def deliver_soon(self, message: Message) -> None:
        self.delivered_soon.append(message)


def delivered(event: object) -> dict[str, Any]:
    """What Lambda hands to the function when the queue delivers an event."""
    return {"Records": [record(json.dumps(event))]}


def record(body: str, *, receipt_handle: str = "handle", arn: str = QUEUE_ARN) -> dict[str, Any]:
    """What Lambda makes of a message of a queue."""
    return {"eventSource": "aws:sqs", "eventSourceARN": arn, "body": body, "receiptHandle": receipt_handle}


def published(event: object) -> dict[str, Any]:
    """What Lambda hands to the function when CloudFormation sends an event by way of Amazon SNS."""
    message = {"Type": "Notification", "TopicArn": TOPIC_ARN, "Message": json.dumps(event)}
    return {"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": message}]}


@contextmanager
def black_hole(port: int = 0) -> Iterator[int]:
    """A port of this machine where connections are neither accepted nor refused."""
    with socket.create_server(("127.0.0.1", port), backlog=0) as full, socket.create_connection(full.getsockname()):
        yield full.getsockname()[1]


@dataclass
class World:
    """The function, the simulated cluster, the waiting queue and the response host, in manual time.

    `billed` has for each invocation how long it took. `kind` is that of the jobs that its events are about; the
    function provides all of them.
    """

    simulator: Simulator
    host: ResponseHost
    time: ManualClock
    kind: Kind = MODEL_TRANSFORM_JOB

    def __post_init__(self) -> None:
        self.clock = Clock(monotonic=self.time, wall=lambda: EPOCH + self.time(), sleep=self.pass_time)
        self.queue: WaitingQueue = Queue()
        self.journal: Journal = Memory()
        self.billed: list[float] = []
        self._planned: list[tuple[float, Callable[[], object]]] = []
        self._clusters: dict[tuple[Kind, Endpoint], Jobs] = {}
        self.cluster_is_up = True
        self.may_start = True
        self.instead_of_the_cluster = ExitStack()
        self.settings = Settings.from_environment(
            {"ALLOWED_HOSTS": "127.0.0.1,localhost", "RESPONSE_HOSTS": "127.0.0.1", "NEPTUNE_RESOURCE_ARN": NEPTUNE_ARN}
        )

    def of(self, kind: Kind) -> Self:
        """The same world, whose events are about jobs of another kind; choose the settings before."""
        other = copy.copy(self)
        other.kind = kind
        return other

    @property
    def jobs(self) -> ClusterJobs:
        """The cluster's jobs of this kind."""
        return self.simulator.of(PATHS[self.kind.resource_type])

    def at(self, when: float, happens: Callable[[], object]) -> None:
        """Have something happen as soon as that time has come."""
        self._planned = sorted([*self._planned, (when, happens)], key=lambda plan: plan[0])

    def pass_time(self, seconds: float) -> None:
        end = self.time() + seconds
        while self._planned and self._planned[0][0] <= end:
            when, happens = self._planned.pop(0)
            self.time.advance(max(0.0, when - self.time()))
            happens()
        self.time.advance(max(0.0, end - self.time()))

    def take_cluster_down(self, *, is_refused: bool = True) -> None:
        """Have connections to the cluster refused, or time out."""
        self.cluster_is_up, port = False, self.simulator.port
        self.simulator._serving.close()
        self.simulator._wanted_port = port
        if not is_refused:
            self.instead_of_the_cluster.enter_context(black_hole(port))

    def bring_cluster_up(self) -> None:
        self.instead_of_the_cluster.close()
        self.simulator.__enter__()
        self.cluster_is_up = True

    def physical_id(self, job_id: str = "job-1") -> str:
        return f"{self.simulator.url}/{job_id}"

    def properties(self, **properties: object) -> dict[str, object]:
        return {
            "ServiceToken": FUNCTION_ARN,
            "Endpoint": self.simulator.url,
            "Id": "job-1",
            **properties,
        }

    def described(self, **properties: object) -> dict[str, object]:
        """The properties of a resource that starts its job."""
        return {
            "ServiceToken": FUNCTION_ARN,
            "Endpoint": self.simulator.url,
            **DESCRIPTIONS[self.kind.resource_type],
            **properties,
        }

    def event(self, request_type: str, *, signed_at: float | None = None, **fields: object) -> dict[str, Any]:
        request_id = f"00000000-0000-4000-8000-{next(_request_numbers):012}"
        event: dict[str, Any] = {
            "RequestType": request_type,
            "RequestId": request_id,
            "StackId": STACK_ID,
            "ResponseURL": self.host.url_for(request_id, signed_at=signed_at),
            "ResourceType": self.kind.resource_type,
            "LogicalResourceId": "Job",
            "ResourceProperties": self.properties(),
        }
        if request_type != "Create":
            event["PhysicalResourceId"] = self.physical_id()
        if request_type == "Update":
            event["OldResourceProperties"] = self.properties()
        return {**event, **fields}

    def connect(self, endpoint: Endpoint) -> Jobs:
        if (self.kind, endpoint) not in self._clusters:
            self._clusters[self.kind, endpoint] = Jobs(
                self.kind,
                endpoint,
                region=self.settings.region,
                resource_arn=self.settings.neptune_resource_arn,
            )
        return self._clusters[self.kind, endpoint]

    @property
    def lifecycle(self) -> Lifecycle:
        return Lifecycle(
            self.kind,
            schema_of(self.kind.schema),
            self.settings.clusters,
            self.connect,
            self.journal,
            self.clock,
            may_start=self.may_start,
            is_provided=self.settings.provides(self.kind.resource_type),
        )

    @property
    def front_door(self) -> FrontDoor:
        lifecycles = {kind.resource_type: self.of(kind).lifecycle for kind in KINDS}
        checks = RouteChecks(
            self.settings.clusters, self.connect, self.queue, self.journal, self.clock, may_start=self.may_start
        )
        lookups = {LOOKUP.resource_type: Lookups(lifecycles, self.journal, self.clock)}
        return FrontDoor(
            lifecycles, self.queue, self.settings, self.clock, lookups=lookups, checks={ROUTE_CHECK: checks}
        )

    def invoke(self, event: object, remaining: float = 900.0) -> dict[str, str]:
        """Invoke the function once."""
        context = LambdaContext(remaining, self.time)
        try:
            return self.front_door.handle(event, context)  # type: ignore[arg-type] # quacks like Powertools' LambdaContext
        finally:
            self.billed.append(self.time() - context.started)

    def run(self, event: object, remaining: float = 900.0) -> dict[str, str]:
        """Invoke the function, and again with each message of the queue when it is due, until nothing waits."""
        told = self.invoke(event, remaining)
        return self.drain(remaining) or told

    def drain(self, remaining: float = 900.0, until: Callable[[], bool] = lambda: False) -> dict[str, str] | None:
        """Invoke the function with each message of the queue when it is due; returns what came last."""
        told = None
        while isinstance(self.queue, Queue) and self.queue.waiting and not until():
            waiting, delay = self.queue.waiting.pop(0)
            self.pass_time(delay)
            told = self.invoke(delivered(waiting), remaining)
        return told

    def ask(self, request_type: str, remaining: float = 900.0, /, **fields: Any) -> dict[str, Any]:  # noqa: ANN401
        """Send a request and return its answer; the message of a job that will not stop stays in the queue."""
        event = self.event(request_type, **fields)
        self.invoke(event, remaining)
        self.drain(remaining, until=lambda: bool(self.answers(event)) and self._only_owed_jobs_wait)
        return self.answer(event)

    @property
    def _only_owed_jobs_wait(self) -> bool:
        return isinstance(self.queue, Queue) and all(OWED in message for message, _ in self.queue.waiting)

    def answers(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        return [received.body for received in self.host.received if received.key == event["RequestId"]]

    def answer(self, event: dict[str, Any]) -> dict[str, Any]:
        (answer,) = self.answers(event)
        return answer

    @property
    def cancellations(self) -> list[tuple[str, str]]:
        return [(record.path, record.query) for record in self.simulator.log if record.method == "DELETE"]

    @property
    def calls(self) -> list[str | None]:
        return [record.operation for record in self.simulator.log]

    @property
    def starts(self) -> int:
        """How many times Neptune was asked to start a job."""
        return self.calls.count("start")

    @property
    def looks(self) -> list[float]:
        """When the job was looked at."""
        return [record.time for record in self.simulator.log if record.operation == "get"]
