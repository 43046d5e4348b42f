"""Deletions, run for real: the functions in MiniStack, the jobs in the simulator, every second a real one.

MiniStack runs the functions as AWS would for CloudFormation: invoked asynchronously, re-invoked by EventBridge rules.
"""

from __future__ import annotations

import json
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
_TIMEOUT_SECONDS = 900
_COLD_START_SECONDS = 60.0
_LOOK_SECONDS = 0.02
# A rule of 2 minutes may need a second tick, each as late as MiniStack looks; then crhelper sleeps for 2 minutes.
_LONGEST_SECONDS = 420.0


class DeletionError(RuntimeError):
    """A deletion did not go as it should; the message says which and how."""


@dataclass(frozen=True)
class Function:
    """A function to measure.

    Attributes:
        name: Its name.
        package: Its package.
        environment: Its environment variables.
        stop_seconds: How long the jobs that it has to delete take to stop, in seconds.
    """

    name: str
    package: Package
    environment: Mapping[str, str]
    stop_seconds: Sequence[float]


@dataclass(frozen=True)
class Deletion:
    """A deletion that succeeded.

    Attributes:
        function: The function's name.
        stop_seconds: How long the job took to stop, in seconds.
        late_seconds: From the job's stop to the answer, in seconds.
        calls: How many calls of Neptune it took.
    """

    function: str
    stop_seconds: float
    late_seconds: float
    calls: int


@dataclass(frozen=True)
class World:
    """What the functions run in and speak to.

    Attributes:
        ministack: Runs them.
        simulator: Runs the jobs; its clock is `time.monotonic`.
        responses: Takes their answers, over HTTPS: crhelper speaks nothing else.
        authority: PEM file of the authority that they have to trust for that.
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


def measure(functions: Iterable[Function], world: World) -> list[Deletion]:
    """Have each function delete its jobs, all at the same time, and wait for the answers.

    Cold starts are no part of it: a deletion counts from when Neptune got its cancellation, and each begins when the
    one before has got so far.

    Args:
        functions: The functions.
        world: What they run in and speak to.

    Returns:
        The deletions.

    Raises:
        DeletionError: One failed, or was not answered in time.
    """
    begun: list[_Begun] = []
    for function in functions:
        _deploy(function, world)
        # The longest first, so that the cold start of one is over when the next one's job stops.
        begun += [_begin(function, seconds, world) for seconds in sorted(function.stop_seconds, reverse=True)]
    return [_finish(deletion, world) for deletion in begun]


def _deploy(function: Function, world: World) -> None:
    world.ministack.client("lambda").create_function(
        FunctionName=function.name,
        Runtime="python3.13",
        Handler=function.package.handler,
        Role="arn:aws:iam::000000000000:role/bench",
        Code={"ZipFile": function.package.zipped()},
        Timeout=_TIMEOUT_SECONDS,
        MemorySize=256,
        Environment={"Variables": {"SSL_CERT_FILE": str(world.authority), **function.environment}},
    )


def _begin(function: Function, stop_seconds: float, world: World) -> _Begun:
    job_id = f"{function.name}-{stop_seconds:g}"
    world.simulator.start_job(job_id, stop_seconds=stop_seconds)
    world.ministack.client("lambda").invoke(
        FunctionName=function.name, InvocationType="Event", Payload=json.dumps(_event(job_id, world)).encode()
    )
    deadline = time.monotonic() + _COLD_START_SECONDS
    while time.monotonic() < deadline:
        for record in world.simulator.log:
            if record.job_id == job_id and record.operation == "cancel":
                return _Begun(function.name, job_id, stop_seconds, stops_at=record.time + stop_seconds)
        time.sleep(_LOOK_SECONDS)
    raise DeletionError(f"{job_id} was not cancelled within {_COLD_START_SECONDS:g} s")


def _event(job_id: str, world: World) -> dict[str, Any]:
    return {
        "RequestType": "Delete",
        "RequestId": str(uuid.uuid4()),
        "StackId": _STACK,
        "ResponseURL": world.responses.url_for(job_id),
        "ResourceType": "Custom::NeptuneMLModelTransformJob",
        "LogicalResourceId": "Job",
        "PhysicalResourceId": job_id,
        "ResourceProperties": {
            "ServiceToken": "arn:aws:lambda:us-east-1:000000000000:function:provider",
            "Endpoint": world.simulator.url,
            "Id": job_id,
        },
    }


def _finish(deletion: _Begun, world: World) -> Deletion:
    try:
        answer = world.responses.wait_for(deletion.job_id, deletion.stops_at + _LONGEST_SECONDS - time.monotonic())
    except TimeoutError as error:
        raise DeletionError(str(error)) from error
    if answer.body["Status"] != "SUCCESS":
        raise DeletionError(f"the deletion of {deletion.job_id} failed: {answer.body['Reason']}")
    calls = sum(record.job_id == deletion.job_id for record in world.simulator.log)
    return Deletion(deletion.function, deletion.stop_seconds, answer.at - deletion.stops_at, calls)
