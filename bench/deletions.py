"""Deletions in real time: the functions run in MiniStack, the jobs in the simulator.

MiniStack runs the functions as AWS would for CloudFormation: it invokes them asynchronously, and again with a queue's
messages or EventBridge rules. Each deletion has a Lambda function of its own, whose log says what the deletion would be
billed, including cold starts.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from bench.packages import Package
    from local.ministack import MiniStack
    from local.response_host import ResponseHost
    from simulator import Simulator

_STACK = "arn:aws:cloudformation:us-east-1:000000000000:stack/bench/5ab1a0c0-0f0c-11f0-8f5c-0e0c0ffee000"
OURS, DEFAULTS, FASTEST = "ours", "defaults", "fastest"
"""The functions: ours, and the baseline with two settings."""
MEMORY_MB = 256
_TIMEOUT_SECONDS = 900
_MAXIMUM_CONCURRENCY = 10
_COLD_START_SECONDS = 60.0
_LOOK_SECONDS = 0.02
# A rule of 2 minutes may need a second tick, and MiniStack may be late; then crhelper sleeps for 2 minutes.
_LONGEST_SECONDS = 420.0
# The longest time from an answer to the end of its invocation in MiniStack's log.
_END_SECONDS = 2.0
_BILLED = re.compile(r"^REPORT .*\bBilled Duration: ([0-9]+) ms")


@dataclass(frozen=True)
class Function:
    """A function to measure, with its environment variables."""

    name: str
    package: Package
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Deletion:
    """A deletion that succeeded; times in seconds.

    Attributes:
        function: The function's name.
        stop_seconds: The time that the job took to stop.
        late_seconds: The time from the job's stop to the answer; `None`: unknown.
        calls: The number of calls of Neptune.
        invocations: The billed time of each invocation, in order.
        is_played: Whether the deletion was played or computed, not measured.
    """

    function: str
    stop_seconds: float
    late_seconds: float | None
    calls: int
    invocations: tuple[float, ...]
    is_played: bool = False


@dataclass(frozen=True)
class World:
    """The environment of the functions.

    Attributes:
        ministack: Runs the functions.
        simulator: Runs the jobs; its clock is `time.monotonic`.
        responses: Receives the answers, over HTTPS, which crhelper requires.
        authority: PEM file of the authority that signed the response host's certificate.
    """

    ministack: MiniStack
    simulator: Simulator
    responses: ResponseHost
    authority: Path


@dataclass(frozen=True)
class _Begun:
    function: str
    job_id: str
    stop_seconds: float
    stops_at: float


def measure(functions: Sequence[Function], stop_seconds: Iterable[float], world: World) -> list[Deletion]:
    """Have each function delete jobs, all at the same time, and wait for the answers.

    The time of a deletion counts from its call of Neptune, without the cold start. The next one begins after that call.
    """
    # The longest first, so that the cold starts are over when their jobs stop.
    pairs = [(function, seconds) for seconds in sorted(stop_seconds, reverse=True) for function in functions]
    for function, seconds in pairs:
        _deploy(function, seconds, world)
    begun = [_begin(function, seconds, world) for function, seconds in pairs]
    answered = [(deletion, _wait(deletion, world)) for deletion in begun]
    time.sleep(_END_SECONDS)
    return [_read(deletion, late_seconds, world) for deletion, late_seconds in answered]


def _job_id(function: Function, stop_seconds: float) -> str:
    """Name a job, and the function that deletes it."""
    return f"{function.name}-{stop_seconds:g}".replace(".", "-")


def _deploy(function: Function, stop_seconds: float, world: World) -> None:
    name = _job_id(function, stop_seconds)
    environment = {"SSL_CERT_FILE": str(world.authority), **function.environment}
    queue_arn = ""
    if function.name == OURS:  # it waits with a queue, and has a journal
        environment["JOURNAL_TABLE"] = _make_journal(name, world)
        sqs = world.ministack.client("sqs")
        queue = sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": str(_TIMEOUT_SECONDS)})
        environment["WAITING_QUEUE_URL"] = queue["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=queue["QueueUrl"], AttributeNames=["QueueArn"])
        queue_arn = attributes["Attributes"]["QueueArn"]
    world.ministack.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler=function.package.handler,
        Role="arn:aws:iam::000000000000:role/bench",
        Code={"ZipFile": function.package.zipped()},
        Timeout=_TIMEOUT_SECONDS,
        MemorySize=MEMORY_MB,
        Environment={"Variables": environment},
    )
    if queue_arn:
        world.ministack.client("lambda").create_event_source_mapping(
            FunctionName=name,
            EventSourceArn=queue_arn,
            BatchSize=1,
            ScalingConfig={"MaximumConcurrency": _MAXIMUM_CONCURRENCY},
        )


def _make_journal(name: str, world: World) -> str:
    world.ministack.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "Resource", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "Resource", "KeyType": "HASH"}],
    )
    return name


def _begin(function: Function, stop_seconds: float, world: World) -> _Begun:
    job_id = _job_id(function, stop_seconds)
    world.simulator.start_job(job_id, stop_seconds=stop_seconds)
    event = _event(job_id, function.package.physical_id, world)
    world.ministack.client("lambda").invoke(
        FunctionName=job_id, InvocationType="Event", Payload=json.dumps(event).encode()
    )
    deadline = time.monotonic() + _COLD_START_SECONDS
    while time.monotonic() < deadline:
        for record in world.simulator.log:
            if record.job_id == job_id and record.operation == "cancel":
                return _Begun(function.name, job_id, stop_seconds, stops_at=record.time + stop_seconds)
        time.sleep(_LOOK_SECONDS)
    raise RuntimeError(f"{job_id} was not cancelled within {_COLD_START_SECONDS:g} s")


def _event(job_id: str, physical_id: str, world: World) -> dict[str, Any]:
    return {
        "RequestType": "Delete",
        "RequestId": str(uuid.uuid4()),
        "StackId": _STACK,
        "ResponseURL": world.responses.url_for(job_id),
        "ResourceType": "Custom::NeptuneMLModelTransformJob",
        "LogicalResourceId": "Job",
        "PhysicalResourceId": physical_id.format(endpoint=world.simulator.url, id=job_id),
        "ResourceProperties": {
            "ServiceToken": "arn:aws:lambda:us-east-1:000000000000:function:provider",
            "Endpoint": world.simulator.url,
            "Id": job_id,
        },
    }


def _wait(deletion: _Begun, world: World) -> float:
    """Wait for the answer; returns how late it is."""
    try:
        answer = world.responses.wait_for(deletion.job_id, deletion.stops_at + _LONGEST_SECONDS - time.monotonic())
    except TimeoutError as error:
        raise RuntimeError(str(error)) from error
    if answer.body["Status"] != "SUCCESS":
        raise RuntimeError(f"the deletion of {deletion.job_id} failed: {answer.body['Reason']}")
    return answer.at - deletion.stops_at


def _read(deletion: _Begun, late_seconds: float, world: World) -> Deletion:
    calls = sum(record.job_id == deletion.job_id for record in world.simulator.log)
    pages = world.ministack.client("logs").get_paginator("filter_log_events")
    events = [
        (event["timestamp"], float(billed[1]) / 1000)
        for page in pages.paginate(logGroupName=f"/aws/lambda/{deletion.job_id}")
        for event in page["events"]
        if (billed := _BILLED.match(event["message"]))
    ]
    if not events:
        raise RuntimeError(f"the log of {deletion.job_id} does not say what it is billed")
    invocations = tuple(seconds for _, seconds in sorted(events))
    return Deletion(deletion.function, deletion.stop_seconds, late_seconds, calls, invocations)
