"""What came of an event, and whether that is what is to come of it; wherever the function ran."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from local import world
from local.function_log import Line, Metrics, parse
from local.response_host import SIGNATURE
from provider.kinds import KINDS
from simulator.kinds import KIND_NAMES
from tests.events.outcomes import CLUSTER, OUTCOMES
from tests.function.world import PATHS

if TYPE_CHECKING:
    from collections.abc import Mapping

ATTRIBUTES = {kind.resource_type: {"Id", "Status", *(it.name for it in kind.attributes)} for kind in KINDS}


@dataclass(frozen=True)
class Run:
    """What came of an event, in a world of its own."""

    name: str
    cluster: str
    event: dict[str, Any]
    log: list[str]
    returned: dict[str, Any]
    answers: list[dict[str, Any]]
    signals: list[dict[str, Any]]
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
        return cls(
            name=name,
            cluster=f"http://{host}:{here.ports.neptune}",
            event=dict(event),
            log=log,
            returned=dict(returned),
            answers=[received.body for received in here.responses.received],
            signals=[received.body for received in here.responses.signals],
            requests=[(it.method, f"{it.path}?{it.query}" if it.query else it.path) for it in here.neptune.log],
            statuses={job: str(status) for job, status in here.jobs().items()},
            cleaned={
                job
                for kind in set(KIND_NAMES) - {"endpoints"}  # which have no artifacts
                for job in here.neptune.of(kind).jobs()
                if not here.neptune.of(kind).artifacts(job)
            },
        )

    @property
    def resource_type(self) -> str:
        """The type of the job's own resource."""
        job_type = self.event["ResourceProperties"].get("JobType")
        return f"Custom::NeptuneML{job_type}" if job_type else str(self.event["ResourceType"])

    def check_answer(self) -> None:
        """CloudFormation gets the one answer, or signal, that it is to get."""
        expected = OUTCOMES[self.name]
        physical_id = expected.physical_id.replace(CLUSTER, self.cluster)
        has_job = self.event["RequestType"] != "Delete" and expected.status == "SUCCESS"
        if expected.signals:
            (signal,), () = self.signals, self.answers
            assert (signal["Status"], signal["UniqueId"]) == (expected.status, expected.job)
            data = json.loads(signal["Data"])
        else:
            (answer,), () = self.answers, self.signals
            assert (answer["Status"], answer["PhysicalResourceId"]) == (expected.status, physical_id)
            assert expected.reason in answer["Reason"]
            assert bool(answer["Reason"]) == (expected.status == "FAILED")
            for field in ("StackId", "RequestId", "LogicalResourceId"):
                assert answer[field] == self.event[field]
            data = answer["Data"]
        assert data.keys() == (ATTRIBUTES[self.resource_type] if has_job else set())
        if has_job:
            assert (data["Id"], data["Status"]) == (expected.job, expected.job_status)
            assert bool(data.get("ModelNames")) == (expected.job_status == "Completed")
        assert self.returned["Status"] == expected.status

    def check_neptune(self) -> None:
        """Neptune is asked for that job alone, and nothing becomes of any other."""
        expected = OUTCOMES[self.name]
        jobs = f"/ml/{PATHS[self.resource_type]}"
        item = f"{jobs}/{expected.job}"

        cancelled = [target for method, target in self.requests if method == "DELETE"]
        assert cancelled == (
            [f"{jobs}/{expected.cancellation}"] * expected.cancellations if expected.cancellation else []
        )
        posted = [target for method, target in self.requests if method == "POST"]
        assert posted == [jobs] * (expected.starts + expected.changes)
        calls = {(method, target.partition("?")[0]) for method, target in self.requests}
        assert calls <= {("POST", jobs), ("GET", item), ("DELETE", item)}

        left = {**{job_id: job.status for job_id, job in world.JOBS.items()}, expected.job: expected.job_status}
        assert self.statuses == {job: status for job, status in left.items() if status != world.NOT_THERE}
        assert self.cleaned == ({expected.job} if expected.cleaned else set())

    def check_log(self) -> None:
        """The log is JSON, without stack traces and secrets."""
        written = [parse(line) for line in self.log]
        metrics = [it for it in written if isinstance(it, Metrics)]

        assert None not in written
        assert not any("exception" in line.fields for line in written if isinstance(line, Line))
        assert not any(SIGNATURE in line for line in self.log)
        assert isinstance(written[-1], Metrics)
        assert ("FailedSignals" if OUTCOMES[self.name].signals else "Failures") in written[-1].values
        started = sum(sum(it.values.get("JobsStarted", [])) for it in metrics)
        assert started == OUTCOMES[self.name].starts
