"""The deployed provider, the cluster that it acts on, and the stacks that use it."""

from __future__ import annotations

import itertools
import json
import time
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local import function_log, sam
from local.response_host import ResponseHost
from local.stacks import Stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from local.function_log import Line
    from local.ministack import MiniStack
    from simulator import Simulator
    from tests.e2e.trace_daemon import TraceDaemon

EXAMPLE = (Path(__file__).parents[2] / "examples/existing-job.yaml").read_text()
ATTRIBUTES = ("Id", "Status", "OutputLocation", "BaseProcessingJobArn", "RemoteModelTransformJobArn")

# An operation that takes longer hangs; one of them takes a second or two.
SETTLE_SECONDS = 60.0
# What a loaded machine may be late by, over what is promised.
SLACK_SECONDS = 30.0

# The last lines of an invocation: of the one that answered, and of those that left that to another one.
_ANSWERED, _WAITS = "CloudFormation accepted the response", "The request is waiting in the queue"

_numbers = itertools.count(1)


def template(resources: Mapping[str, object], outputs: Mapping[str, object] | None = None) -> str:
    values = {name: {"Value": value} for name, value in (outputs or {}).items()}
    return json.dumps({"Resources": resources, "Outputs": values} if values else {"Resources": resources})


def failing_after(logical_id: str) -> dict[str, object]:
    """Resources that fail when the one of that name is there: a signal that nobody sends is waited for, briefly."""
    return {
        "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
        "Never": {
            "Type": "AWS::CloudFormation::WaitCondition",
            "DependsOn": logical_id,
            "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "1"},
        },
    }


def wait_until(condition: Callable[[], Any], seconds: float, what: str) -> Any:  # noqa: ANN401 - whatever it returns
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds:g} s"
        time.sleep(0.1)
    return value


@dataclass(frozen=True)
class Provider:
    stack_name: str
    outputs: Mapping[str, str]
    ministack: MiniStack
    neptune: Simulator
    xray: TraceDaemon
    built: Path
    parameters: Mapping[str, str]

    def deploy(self, stack_name: str, **parameters: str) -> Provider:
        """The provider, deployed in another stack."""
        outputs = sam.deploy(self.ministack, self.built, stack_name, {**self.parameters, **parameters})
        return replace(self, stack_name=stack_name, outputs=outputs)

    def start_job(self, *, stop_seconds: float | None = 0.0, status: str | None = None) -> str:
        job_id = f"job-{next(_numbers)}"
        self.neptune.start_job(job_id, stop_seconds=stop_seconds, status=status)
        return job_id

    def physical_id(self, job_id: str) -> str:
        return f"{self.neptune.url}/{job_id}"

    def cancellations(self, job_id: str | None = None) -> list[tuple[str, str]]:
        """The cancellations of a job, or of all: path and query."""
        return [
            (record.path, record.query)
            for record in self.neptune.log
            if record.method == "DELETE" and job_id in (None, record.job_id)
        ]

    def stack(self) -> Stack:
        return Stack(self.ministack.client("cloudformation"), f"stack-{next(_numbers)}")

    def resource(self, job_id: str, **properties: object) -> dict[str, object]:
        return {
            "Type": "Custom::NeptuneMLModelTransformJob",
            "Properties": {
                "ServiceToken": self.outputs["ServiceToken"],
                "Endpoint": self.neptune.url,
                "Id": job_id,
                **properties,
            },
        }

    def described(self, **properties: object) -> dict[str, object]:
        """A resource that starts its job."""
        return {
            "Type": "Custom::NeptuneMLModelTransformJob",
            "Properties": {
                "ServiceToken": self.outputs["ServiceToken"],
                "Endpoint": self.neptune.url,
                "TrainingJobName": "movies",
                "ModelTransformOutputS3Location": "s3://movies/transforms",
                **properties,
            },
        }

    def create(self, job_id: str, **properties: object) -> Stack:
        """A stack whose only resource is the job."""
        return self.create_with(self.resource(job_id, **properties))

    def create_with(self, resource: Mapping[str, object]) -> Stack:
        """A stack with that only resource, which says by which ID CloudFormation knows it."""
        stack = self.stack()
        stack.create(template({"Job": resource}, {"Ref": {"Ref": "Job"}}))
        assert stack.settle(SETTLE_SECONDS) == "CREATE_COMPLETE"
        return stack

    def started(self, stack: Stack) -> dict[str, str]:
        """The jobs that were started for a stack, in their order: their IDs begin with its name."""
        return {job: str(status) for job, status in self.neptune.jobs().items() if job.startswith(f"{stack.name}-Job-")}

    def ask(self, request_type: str, stack: Stack, resource: Mapping[str, object], **fields: object) -> dict[str, Any]:
        """Send a request that CloudFormation sends and MiniStack does not; returns the answer."""
        request_id = str(uuid.uuid4())
        with ResponseHost() as host:
            event = {
                "RequestType": request_type,
                "RequestId": request_id,
                "StackId": stack.id,
                "ResponseURL": host.url_for(request_id, signed_at=time.time()),
                "ResourceType": resource["Type"],
                "LogicalResourceId": "Job",
                "ResourceProperties": resource["Properties"],
                **fields,
            }
            self.invoke(event)
            return host.wait_for(request_id, SETTLE_SECONDS).body

    def invoke(self, event: Mapping[str, object]) -> None:
        """Have Lambda deliver an event, as CloudFormation does: asynchronously."""
        answer = self.ministack.client("lambda").invoke(
            FunctionName=self.outputs["FunctionName"], InvocationType="Event", Payload=json.dumps(event).encode()
        )
        assert answer["StatusCode"] == 202

    def processes(self) -> Iterator[tuple[int, Mapping[str, str]]]:
        """The function's processes: their IDs and environments. Another MiniStack may run a function of this name."""
        ours = {"AWS_LAMBDA_FUNCTION_NAME": self.outputs["FunctionName"], "AWS_ENDPOINT_URL": self.ministack.url}
        for path in Path("/proc").glob("[0-9]*/environ"):
            try:
                variables = dict(it.partition("=")[::2] for it in path.read_text(errors="replace").split("\0"))
            except (FileNotFoundError, ProcessLookupError, PermissionError):  # it ended meanwhile, or is not ours
                continue
            if ours.items() <= variables.items():
                yield int(path.parent.name), variables

    def log(self) -> list[str]:
        return function_log.read(self.ministack.client("logs"), self.outputs["LogGroupName"])

    def invocations(self, stack_id: str, request_type: str) -> list[list[Line]]:
        """The log lines of each invocation for a stack's requests of one type, in their order, when all are written."""

        def find() -> list[list[Line]] | None:
            found: dict[str, list[Line]] = {}
            for line in function_log.lines(self.log()):
                if (line.fields.get("stack_id"), line.fields.get("request_type")) == (stack_id, request_type):
                    found.setdefault(line.fields["function_request_id"], []).append(line)
            endings = [lines[-1].message for lines in found.values()]
            if endings and endings[-1] == _ANSWERED and set(endings) <= {_ANSWERED, _WAITS}:
                return list(found.values())
            self._flush_the_log()
            return None

        lines: list[list[Line]] = wait_until(find, SETTLE_SECONDS, f"the whole log of the {request_type}")
        return lines

    def _flush_the_log(self) -> None:
        """On a busy machine MiniStack keeps the last lines of an invocation back until the next one."""
        self.invoke({})

    def metrics(self, stack_id: str, request_type: str) -> Mapping[str, list[float]]:
        """The metrics of the last invocation for a stack's requests of that type: the next ones after its log lines."""
        *_, lines = self.invocations(stack_id, request_type)

        def find() -> Mapping[str, list[float]] | None:
            for metrics in function_log.metrics(self.log()):
                if metrics.time >= lines[-1].time:
                    return metrics.values
            self._flush_the_log()
            return None

        values: Mapping[str, list[float]] = wait_until(find, SETTLE_SECONDS, "the metrics")
        return values


def delete(stack: Stack, seconds: float = SETTLE_SECONDS) -> str:
    stack.delete()
    return stack.settle(seconds)


def failures(stack: Stack) -> dict[str, str]:
    """The reasons that the user reads for what failed in the latest operation, by logical ID."""
    return {event.logical_id: event.reason for event in stack.operation_events() if event.status.endswith("_FAILED")}
