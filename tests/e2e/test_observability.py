"""What the function tells its operator: traces, metrics and log lines, as they leave the function."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from local.function_log import parse
from local.response_host import SIGNATURE, ResponseHost
from tests.e2e.provider import SLACK_SECONDS, delete, failures, template, wait_until

if TYPE_CHECKING:
    from local.function_log import Line
    from local.stacks import Stack
    from tests.e2e.provider import Provider

STOP_SECONDS = 1.0
SOON_SECONDS = 30.0
CONTEXT = ("correlation_id", "stack_id", "logical_resource_id", "request_type", "job_id")
SECRETS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


class Deletion(NamedTuple):
    job: str
    stack: Stack
    messages: set[str]


@pytest.fixture(scope="module")
def deletion(provider: Provider) -> Deletion:
    """A stack that was created and deleted."""
    before = set(provider.log())
    job = provider.start_job(stop_seconds=STOP_SECONDS)
    stack = provider.create(job, Clean=True)
    assert delete(stack) == "DELETE_COMPLETE"
    return Deletion(job, stack, set(provider.log()) - before)


def annotated(provider: Provider, job: str, request_type: str) -> dict[str, Any]:
    """The subsegment of a job's request."""
    expected = {"job_id": job, "request_type": request_type}

    def find() -> list[dict[str, Any]]:
        return [it for it in provider.xray.segments if expected.items() <= it.get("annotations", {}).items()]

    (subsegment,) = wait_until(find, SOON_SECONDS, f"the trace of the {request_type} of {job}")
    return dict(subsegment)


class TestTraces:
    def test_a_subsegment_for_each_request(self, provider: Provider, deletion: Deletion) -> None:
        creation = annotated(provider, deletion.job, "Create")
        assert creation["name"] == "## Create"
        assert creation["annotations"]["status"] == "InProgress"
        assert creation["annotations"]["outcome"] == "SUCCESS"

        subsegment = annotated(provider, deletion.job, "Delete")
        assert subsegment["name"] == "## Delete"
        assert subsegment["annotations"]["status"] == "Stopped"
        assert subsegment["annotations"]["outcome"] == "SUCCESS"
        assert subsegment["end_time"] - subsegment["start_time"] >= STOP_SECONDS
        assert subsegment["trace_id"] != creation["trace_id"]

    def test_the_calls_of_neptune_and_the_journal_stand_below_it(self, provider: Provider, deletion: Deletion) -> None:
        subsegment = annotated(provider, deletion.job, "Delete")

        calls = [it for it in provider.xray.segments if it.get("parent_id") == subsegment["id"]]

        operations = [call["aws"]["operation"] for call in sorted(calls, key=lambda call: float(call["start_time"]))]
        assert {call["http"]["response"]["status"] for call in calls} == {200}
        # As docs/cost.md says: the registration, that the job is gone, and the answer.
        assert operations.count("PutItem") == 3
        of_neptune = [it for it in operations if it not in ("GetItem", "PutItem")]
        assert of_neptune[:2] == ["GetMLModelTransformJob", "CancelMLModelTransformJob"]
        assert set(of_neptune[2:]) == {"GetMLModelTransformJob"}
        in_log = [record for record in provider.neptune.log if record.job_id == deletion.job]
        assert len(of_neptune) == len(in_log) - 1  # one was the Create's

    def test_a_failed_request_says_so(self, provider: Provider) -> None:
        stack = provider.stack()
        stack.create(template({"Job": provider.resource("job-untraced")}))
        assert stack.settle(SOON_SECONDS) == "ROLLBACK_COMPLETE"

        assert annotated(provider, "job-untraced", "Create")["annotations"]["outcome"] == "FAILED"


class TestMetrics:
    def test_deletion(self, provider: Provider, deletion: Deletion) -> None:
        metrics = provider.metrics(deletion.stack.id, "Delete")

        assert metrics["JobsCancelled"] == [1.0]
        assert metrics["Failures"] == [0.0]
        assert metrics["FailedDeletions"] == [0.0]
        (seconds,) = metrics["SecondsToStop"]
        assert STOP_SECONDS - 0.1 <= seconds <= STOP_SECONDS * 1.1 + SLACK_SECONDS

    def test_the_alarm_for_deletions_watches_what_they_write(self, provider: Provider, deletion: Deletion) -> None:
        assert provider.metrics(deletion.stack.id, "Delete")
        written = next(it for it in map(fields, provider.log()) if "FailedDeletions" in it)
        alarms = provider.ministack.client("cloudwatch").describe_alarms(AlarmNamePrefix=provider.stack_name)
        (alarm,) = [it for it in alarms["MetricAlarms"] if it["MetricName"] == "FailedDeletions"]

        (part,) = written["_aws"]["CloudWatchMetrics"]
        sets = [{name: written[name] for name in names} for names in part["Dimensions"]]

        assert alarm["Namespace"] == part["Namespace"]
        assert {it["Name"]: it["Value"] for it in alarm["Dimensions"]} in sets
        assert {"Name": "FailedDeletions", "Unit": "Count"} in part["Metrics"]

    def test_nothing_is_cancelled_by_a_creation(self, provider: Provider, deletion: Deletion) -> None:
        assert provider.metrics(deletion.stack.id, "Create") == {"Failures": [0.0]}

    def test_start(self, provider: Provider) -> None:
        stack = provider.create_with(provider.described(WaitForStop=False))

        assert provider.metrics(stack.id, "Create") == {"Failures": [0.0], "JobsStarted": [1.0]}
        assert delete(stack) == "DELETE_COMPLETE"

    def test_failure(self, provider: Provider) -> None:
        stack = provider.stack()
        stack.create(template({"Job": provider.resource("job-unmeasured")}))
        assert stack.settle(SOON_SECONDS) == "ROLLBACK_COMPLETE"

        assert provider.metrics(stack.id, "Create") == {"Failures": [1.0]}


class TestLog:
    @pytest.mark.parametrize("request_type", ["Create", "Delete"])
    def test_every_line_says_what_it_is_about(self, provider: Provider, deletion: Deletion, request_type: str) -> None:
        (lines,) = provider.invocations(deletion.stack.id, request_type)

        (context,) = {tuple(line.fields.get(name) for name in CONTEXT) for line in lines}
        assert context[1:] == (deletion.stack.id, "Job", request_type, deletion.job)
        assert str(uuid.UUID(context[0])) == context[0]
        assert lines[0].fields["function_request_id"] != context[0]

    def test_every_line_is_json(self, deletion: Deletion) -> None:
        assert deletion.messages
        others = [it for it in deletion.messages if parse(it) is None]
        assert [it for it in others if not it.startswith(("START ", "END ", "REPORT "))] == []

    def test_requests_have_different_correlation_ids(self, provider: Provider, deletion: Deletion) -> None:
        (creation,), (removal,) = (
            provider.invocations(deletion.stack.id, request_type) for request_type in ("Create", "Delete")
        )

        assert creation[0].fields["correlation_id"] != removal[0].fields["correlation_id"]

    @pytest.mark.parametrize("request_type", ["Create", "Delete"])
    def test_nothing_is_written_twice(self, provider: Provider, deletion: Deletion, request_type: str) -> None:
        (lines,) = provider.invocations(deletion.stack.id, request_type)

        messages = [(line.fields["location"], line.message) for line in lines]
        assert messages
        assert len(messages) == len(set(messages))

    def test_a_failure_gives_its_reason(self, provider: Provider) -> None:
        stack = provider.stack()
        stack.create(template({"Job": provider.resource("job-unlogged")}))
        assert stack.settle(SOON_SECONDS) == "ROLLBACK_COMPLETE"

        (lines,) = provider.invocations(stack.id, "Create")
        (error,) = [line for line in lines if line.level == "ERROR"]
        assert failures(stack)["Job"].startswith(error.fields["reason"])

    def test_the_correlation_id_is_the_id_of_the_request(self, provider: Provider) -> None:
        lines = invoke(provider, "an-id-that-cloudformation-gave")

        assert {line.fields["correlation_id"] for line in lines} == {"an-id-that-cloudformation-gave"}

    def test_no_secrets(self, provider: Provider, deletion: Deletion) -> None:
        lines = invoke(provider, "a-request-with-a-signature")
        secrets = [SIGNATURE, *credentials(provider)]
        assert any("CloudFormation accepted the response" in line.message for line in lines)

        everything = "\n".join([*provider.log(), *map(str, provider.xray.segments)])
        assert deletion.job in everything
        assert [secret for secret in secrets if secret in everything] == []


def fields(message: str) -> dict[str, Any]:
    return dict(json.loads(message)) if message.startswith("{") else {}


def invoke(provider: Provider, request_id: str) -> list[Line]:
    """Fulfil a request that names its own ID and its pre-signed URL; returns the log lines."""
    with ResponseHost() as host:
        stack_id = f"arn:aws:cloudformation:us-east-1:123456789012:stack/by-hand/{uuid.uuid4()}"
        event = {
            "RequestType": "Create",
            "RequestId": request_id,
            "StackId": stack_id,
            "ResponseURL": host.url_for(request_id),
            "ResourceType": "Custom::NeptuneMLModelTransformJob",
            "LogicalResourceId": "Job",
            "ResourceProperties": provider.resource(provider.start_job())["Properties"],
        }
        provider.invoke(event)
        assert host.wait_for(request_id, SOON_SECONDS).body["Status"] == "SUCCESS"
    (lines,) = provider.invocations(stack_id, "Create")
    return lines


def credentials(provider: Provider) -> list[str]:
    """The credentials in the environments of the function's processes."""
    found = {variables[name] for _, variables in provider.processes() for name in SECRETS}
    assert len(found) == len(SECRETS)
    return sorted(found)
