"""Every event through `sam local invoke`, in a real container."""

from __future__ import annotations

import json
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from local import sam_local, world
from local.function_log import Line, Metrics, parse
from local.response_host import SIGNATURE
from tests.events.outcomes import CLUSTER, OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

every_event = pytest.mark.parametrize("name", OUTCOMES)

ATTRIBUTES = {"Id", "Status", "OutputLocation", "BaseProcessingJobArn", "RemoteModelTransformJobArn"}
# What takes long waits, and costs no processor time.
AT_ONCE = 4


@dataclass(frozen=True)
class Run:
    """What came of an event, in a world of its own."""

    cluster: str
    event: dict[str, Any]
    log: list[str]
    returned: dict[str, Any]
    answers: list[dict[str, Any]]
    requests: list[tuple[str, str]]
    statuses: dict[str, str]
    artifacts: dict[str, int]


def run(name: str, address: str, template: Path, directory: Path) -> Run:
    with world.running(address) as here:
        path = directory / f"{name}.json"
        path.write_text(world.event_text(name, here.ports))
        log: list[str] = []
        returned = sam_local.invoke(path, template, log.append)
        return Run(
            cluster=f"http://{world.HOST}:{here.ports.neptune}",
            event=world.request_in(json.loads(path.read_text())),
            log=log,
            returned=json.loads(returned),
            answers=[received.body for received in here.responses.received],
            requests=[(it.method, f"{it.path}?{it.query}" if it.query else it.path) for it in here.neptune.log],
            statuses={job: here.status(job) for job in world.JOBS},
            artifacts={job: len(here.neptune.artifacts(job)) for job in world.JOBS},
        )


@pytest.fixture(scope="module")
def runs(address: str, built: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Future[Run]]:
    """All of them, a few at a time: a container takes seconds to start."""
    directory = tmp_path_factory.mktemp("events")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return {name: pool.submit(run, name, address, built, directory) for name in reversed(OUTCOMES)}


@every_event
def test_cloudformation_gets_the_answer(name: str, runs: Mapping[str, Future[Run]]) -> None:
    done, expected = runs[name].result(), OUTCOMES[name]

    (answer,) = done.answers

    physical_id = expected.physical_id.replace(CLUSTER, done.cluster)
    assert (answer["Status"], answer["PhysicalResourceId"]) == (expected.status, physical_id)
    assert expected.reason in answer["Reason"]
    assert bool(answer["Reason"]) == (expected.status == "FAILED")
    for field in ("StackId", "RequestId", "LogicalResourceId"):
        assert answer[field] == done.event[field]
    adopts = done.event["RequestType"] != "Delete" and expected.status == "SUCCESS"
    assert answer["Data"].keys() == (ATTRIBUTES if adopts else set())
    assert {name: done.returned[name] for name in ("Status", "PhysicalResourceId")} == {
        name: answer[name] for name in ("Status", "PhysicalResourceId")
    }


@every_event
def test_neptune_is_asked_for_that_job_alone(name: str, runs: Mapping[str, Future[Run]]) -> None:
    done, expected = runs[name].result(), OUTCOMES[name]

    cancelled = [target for method, target in done.requests if method == "DELETE"]

    assert cancelled == ([f"/ml/modeltransform/{expected.cancellation}"] if expected.cancellation else [])
    job = done.event["ResourceProperties"]["Id"]
    assert {target.partition("?")[0] for _, target in done.requests} <= {f"/ml/modeltransform/{job}"}
    touched = {job: expected.job} if expected.job else {}
    assert done.statuses == {**dict.fromkeys(world.JOBS, "InProgress"), **touched}
    assert {job for job, number in done.artifacts.items() if not number} == ({job} if expected.cleaned else set())


@every_event
def test_log_is_json_without_stack_traces_and_secrets(name: str, runs: Mapping[str, Future[Run]]) -> None:
    log = runs[name].result().log

    written = [parse(line) for line in log]

    assert isinstance(written[-1], Metrics)
    assert "Failures" in written[-1].values
    assert None not in written
    assert not any("exception" in line.fields for line in written if isinstance(line, Line))
    assert not any(SIGNATURE in line for line in log)
