"""What came of an event, and whether that is what is to come of it; wherever the function ran."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from local import world
from local.function_log import Line, Metrics, parse
from local.response_host import SIGNATURE
from tests.events.outcomes import CLUSTER, OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Mapping

ATTRIBUTES = {
    "Id",
    "Status",
    "OutputLocation",
    "BaseProcessingJobArn",
    "RemoteModelTransformJobArn",
    "ModelNames",
    "ModelArns",
}
JOBS = "/ml/modeltransform"


@dataclass(frozen=True)
class Run:
    """What came of an event, in a world of its own."""

    name: str
    cluster: str
    event: dict[str, Any]
    log: list[str]
    returned: dict[str, Any]
    answers: list[dict[str, Any]]
    requests: list[tuple[str, str]]
    statuses: dict[str, str]
    cleaned: set[str]

    @classmethod
    def of(
        cls,
        name: str,
        here: world.World,
        *,
        host: str,
        event: Mapping[str, Any],
        log: list[str],
        returned: Mapping[str, Any],
    ) -> Self:
        """Collect what came of an event in its world."""
        statuses = here.neptune.jobs()
        return cls(
            name=name,
            cluster=f"http://{host}:{here.ports.neptune}",
            event=dict(event),
            log=log,
            returned=dict(returned),
            answers=[received.body for received in here.responses.received],
            requests=[(it.method, f"{it.path}?{it.query}" if it.query else it.path) for it in here.neptune.log],
            statuses={job: str(status) for job, status in statuses.items()},
            cleaned={job for job in statuses if not here.neptune.artifacts(job)},
        )

    def check_answer(self) -> None:
        """CloudFormation gets the one answer that it is to get."""
        (answer,) = self.answers
        expected = OUTCOMES[self.name]

        physical_id = expected.physical_id.replace(CLUSTER, self.cluster)
        assert (answer["Status"], answer["PhysicalResourceId"]) == (expected.status, physical_id)
        assert expected.reason in answer["Reason"]
        assert bool(answer["Reason"]) == (expected.status == "FAILED")
        for field in ("StackId", "RequestId", "LogicalResourceId"):
            assert answer[field] == self.event[field]
        has_job = self.event["RequestType"] != "Delete" and expected.status == "SUCCESS"
        assert answer["Data"].keys() == (ATTRIBUTES if has_job else set())
        if has_job:
            status = "Completed" if expected.job_status == "Completed" else "InProgress"
            assert (answer["Data"]["Id"], answer["Data"]["Status"]) == (expected.job, status)
            assert bool(answer["Data"]["ModelNames"]) == (status == "Completed")
        assert {name: self.returned[name] for name in ("Status", "PhysicalResourceId")} == {
            name: answer[name] for name in ("Status", "PhysicalResourceId")
        }

    def check_neptune(self) -> None:
        """Neptune is asked for that job alone, and nothing becomes of any other."""
        expected = OUTCOMES[self.name]
        item = f"{JOBS}/{expected.job}"

        cancelled = [target for method, target in self.requests if method == "DELETE"]
        assert cancelled == (
            [f"{JOBS}/{expected.cancellation}"] * expected.cancellations if expected.cancellation else []
        )
        assert [target for method, target in self.requests if method == "POST"] == [JOBS] * expected.starts
        calls = {(method, target.partition("?")[0]) for method, target in self.requests}
        assert calls <= {("POST", JOBS), ("GET", item), ("DELETE", item)}

        touched = {} if expected.job_status == world.NOT_THERE else {expected.job: expected.job_status}
        assert self.statuses == {**dict.fromkeys(world.JOBS, "InProgress"), **touched}
        assert self.cleaned == ({expected.job} if expected.cleaned else set())

    def check_log(self) -> None:
        """The log is JSON, without stack traces and secrets."""
        written = [parse(line) for line in self.log]
        metrics = [it for it in written if isinstance(it, Metrics)]

        assert None not in written
        assert not any("exception" in line.fields for line in written if isinstance(line, Line))
        assert not any(SIGNATURE in line for line in self.log)
        assert isinstance(written[-1], Metrics)
        assert "Failures" in written[-1].values
        started = sum(sum(it.values.get("JobsStarted", [])) for it in metrics)
        assert started == OUTCOMES[self.name].starts
