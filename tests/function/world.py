"""The function in a world of its own: CloudFormation's side, Neptune's side and a clock, all driven by the test."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from provider import custom_resource
from provider.clock import Clock
from provider.lifecycle import Lifecycle
from provider.neptune import ModelTransformJobs
from provider.properties import Operator
from provider.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.response_host import ResponseHost
    from simulator import ManualClock, Simulator

STACK_ID = "arn:aws:cloudformation:us-east-1:123456789012:stack/graph/5ab1a0c0-0f0c-11f0-8f5c-0e0c0ffee000"
FUNCTION_ARN = "arn:aws:lambda:us-east-1:123456789012:function:provider"
NEPTUNE_ARN = "arn:aws:neptune-db:us-east-1:123456789012:cluster-C0FFEE/*"
RULE_PREFIX = "neptune-ml-transform-"
EPOCH = 1_800_000_000.0

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


@dataclass
class World:
    """The function, the simulated cluster and the response host, in manual time."""

    simulator: Simulator
    host: ResponseHost
    time: ManualClock
    function_arn: str = FUNCTION_ARN

    def __post_init__(self) -> None:
        self.clock = Clock(monotonic=self.time, wall=lambda: EPOCH + self.time(), sleep=self.sleep)
        self.settings = Settings(
            region="us-east-1",
            default_endpoint="",
            allowed_hosts=("127.0.0.1",),
            neptune_resource_arn=NEPTUNE_ARN,
            poll_rule_prefix=RULE_PREFIX,
        )

    def sleep(self, seconds: float) -> None:
        self.time.advance(seconds)

    def properties(self, **properties: object) -> dict[str, object]:
        return {
            "ServiceToken": FUNCTION_ARN,
            "Endpoint": self.simulator.url,
            "Id": "job-1",
            **properties,
        }

    def event(self, request_type: str, *, signed_at: float | None = None, **fields: object) -> dict[str, Any]:
        request_id = f"00000000-0000-4000-8000-{next(_request_numbers):012}"
        event: dict[str, Any] = {
            "RequestType": request_type,
            "RequestId": request_id,
            "StackId": STACK_ID,
            "ResponseURL": self.host.url_for(request_id, signed_at=signed_at),
            "ResourceType": "Custom::NeptuneMLModelTransformJob",
            "LogicalResourceId": "Job",
            "ResourceProperties": self.properties(),
        }
        if request_type != "Create":
            event["PhysicalResourceId"] = "job-1"
        if request_type == "Update":
            event["OldResourceProperties"] = self.properties()
        return {**event, **fields}

    @property
    def lifecycle(self) -> Lifecycle:
        return Lifecycle(
            operator=Operator(self.settings.default_endpoint, self.settings.allowed_hosts),
            connect=partial(
                ModelTransformJobs, region=self.settings.region, resource_arn=self.settings.neptune_resource_arn
            ),
            clock=self.clock,
        )

    def invoke(self, event: Any, remaining: float = 900.0) -> dict[str, str]:  # noqa: ANN401 - Lambda delivers anything
        context = LambdaContext(remaining, self.time, invoked_function_arn=self.function_arn)
        return custom_resource.handle(
            event,
            context,  # type: ignore[arg-type] # quacks like Powertools' LambdaContext
            lifecycle=self.lifecycle,
            settings=self.settings,
            clock=self.clock,
        )

    def answers(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        return [received.body for received in self.host.received if received.key == event["RequestId"]]

    def answer(self, event: dict[str, Any]) -> dict[str, Any]:
        (answer,) = self.answers(event)
        return answer

    @property
    def cancellations(self) -> list[tuple[str, str]]:
        return [(record.path, record.query) for record in self.simulator.log if record.method == "DELETE"]
