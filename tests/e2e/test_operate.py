"""What an operator does with the deployed provider: the commands of `make`, in MiniStack."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from local.processes import process_group
from local.response_host import ResponseHost
from local.stacks import Stack
from tests.e2e.operating import (
    LONGEST_SECONDS,
    POLICY,
    ROOT,
    WAITED,
    credentials,
    delete_of,
    environment,
    nudged,
    run,
)
from tests.e2e.provider import SETTLE_SECONDS, template
from tests.e2e.queues import FAILED, depth

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.e2e.provider import Provider

ACCEPT = "operate.accept"


def accept(provider: Provider, *arguments: str) -> subprocess.CompletedProcess[str]:
    with nudged(provider):
        return run(provider, ACCEPT, "--stack", provider.stack_name, "--endpoint", provider.neptune.url, *arguments)


def verdicts_of(report: str) -> dict[str, str]:
    """What a report says of each expectation: `ok` or `**FAILED**`."""
    rows = re.findall(r"^\| (ok|\*\*FAILED\*\*) \| (.+?) \| ", report, re.M)
    return {expected: verdict for verdict, expected in rows}


def acceptances(provider: Provider) -> list[str]:
    """The stacks of acceptances that are there."""
    stacks = provider.ministack.client("cloudformation").describe_stacks()["Stacks"]
    names = [it["StackName"] for it in stacks if it["StackStatus"] != "DELETE_COMPLETE"]
    return [name for name in names if name.startswith("neptune-ml-acceptance-")]


class TestAccept:
    def test_a_job_is_adopted_and_cancelled(self, provider: Provider, tmp_path: Path) -> None:
        job = provider.start_job(stop_seconds=8)
        report = tmp_path / "report.md"

        done = accept(provider, "--job", job, "--report", str(report), "--yes")

        assert done.returncode == 0, done.stdout + done.stderr
        assert "Account 000000000000, Region us-east-1" in done.stdout
        assert "The job is CANCELLED. Its artifacts are kept." in done.stdout
        assert report.read_text() in done.stdout
        verdicts = verdicts_of(report.read_text())
        assert set(verdicts.values()) == {"ok"}
        for expected in (
            "the stack is created: CREATE_COMPLETE",
            f"its output Id is {job}",
            "the cluster, queried from here, reports the job as running",
            "the stack is deleted: DELETE_COMPLETE",
            "the job is cancelled exactly once",
            "the cluster, queried from here, reports the job as ended",
            "the metric JobsStarted adds up to 0",
            "the metric JobsCancelled adds up to 1",
            "the waiting queue has no new messages (before: 0)",
        ):
            assert expected in verdicts
        beside = report.read_text().partition("### Comparison with the simulator")[2]
        assert re.findall(r"^\| (.+?) \| (.+?) \|", beside, re.M)[2:] == [
            ("same", "status"),
            ("same", "status"),
            ("same", "error for a job that does not exist"),
            ("same", "fields of the response when InProgress"),
            ("same", "fields of the response when Stopped"),
        ]
        assert provider.neptune.status(job) == "Stopped"
        assert provider.cancellations(job) == [(f"/ml/modeltransform/{job}", "clean=false")]
        assert acceptances(provider) == []

    def test_the_report_tells_nobodys_account(self, provider: Provider) -> None:
        done = accept(provider, "--job", provider.start_job(), "--yes")
        report = done.stdout.partition("## Acceptance")[2]

        assert "The function's log" in report
        assert "CloudFormation accepted the response" in report
        for secret in ("000000000000", "127.0.0.1", "X-Amz-", "AWSAccessKeyId", "Signature"):
            assert secret not in report

    @pytest.fixture
    @staticmethod
    def job(tmp_path: Path) -> Path:
        """A file that describes one."""
        file = tmp_path / "job.json"
        file.write_text(
            '{"TrainingJobName": "movies", "ModelTransformOutputS3Location": "s3://movies/accepted"}',
        )
        return file

    def test_a_job_is_started_and_cancelled_with_its_artifacts(self, provider: Provider, job: Path) -> None:
        before = set(provider.neptune.jobs())

        done = accept(provider, "--properties", str(job), "--yes")

        assert done.returncode == 0, done.stdout + done.stderr
        (started,) = set(provider.neptune.jobs()) - before
        assert provider.neptune.status(started) == "Stopped"
        assert provider.neptune.artifacts(started) == ()
        assert "COSTS MONEY" in done.stdout
        assert verdicts_of(done.stdout)["the metric JobsStarted adds up to 1"] == "ok"

    def test_an_endpoint_is_adopted_and_deleted(self, provider: Provider) -> None:
        endpoints = provider.neptune.of("endpoints")
        endpoints.start_job("accepted", run_seconds=0.0, stop_seconds=2.0)

        done = accept(provider, "--job", "accepted", "--type", "Custom::NeptuneMLEndpoint", "--yes")

        assert done.returncode == 0, done.stdout + done.stderr
        assert "The endpoint is DELETED" in done.stdout
        assert "accepted" not in endpoints.jobs()

    def test_nothing_is_started_unless_somebody_says_so(self, provider: Provider, job: Path) -> None:
        before = provider.neptune.jobs()

        done = accept(provider, "--properties", str(job))

        assert done.returncode == 1
        assert "To run without questions, set YES=1." in done.stderr
        assert provider.neptune.jobs() == before

    def test_a_provider_that_starts_no_jobs_is_not_asked_to(self, adopting_provider: Provider, job: Path) -> None:
        done = accept(adopting_provider, "--properties", str(job), "--yes")

        assert done.returncode == 2
        assert "its parameter StartJobs is not true" in done.stderr

    def test_a_creation_that_fails_is_reported_and_cleaned_up(self, provider: Provider) -> None:
        done = accept(provider, "--job", "no-such-job", "--yes")

        assert done.returncode == 1, done.stdout + done.stderr
        assert "provider: FAILED" in done.stdout
        verdicts = verdicts_of(done.stdout)
        assert verdicts["the stack is created: CREATE_COMPLETE"] == "**FAILED**"
        assert verdicts["the log contains no warnings or errors"] == "**FAILED**"
        assert "no-such-job" in done.stdout.partition("expected | seen")[2]
        assert acceptances(provider) == []

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_one_that_is_interrupted_leaves_nothing_behind(self, provider: Provider, number: signal.Signals) -> None:
        job = provider.start_job(stop_seconds=6)
        command = [sys.executable, "-m", ACCEPT, "--stack", provider.stack_name, "--yes"]
        command += ["--endpoint", provider.neptune.url, "--job", job]
        with process_group(
            command, directory=ROOT, environment=environment(provider), stdout=subprocess.PIPE
        ) as acceptance:
            assert acceptance.stdout is not None
            assert any("delete the stack; its job" in line for line in iter(acceptance.stdout.readline, ""))
            acceptance.send_signal(number)
            rest, _ = acceptance.communicate(timeout=LONGEST_SECONDS)

        assert acceptance.returncode == 128 + number
        assert "The test was interrupted." in rest
        assert acceptances(provider) == []
        assert provider.neptune.status(job) == "Stopped"


class TestLogs:
    def test_a_line_says_what_happened_and_to_which_resource(self, provider: Provider) -> None:
        stack = provider.create(provider.start_job())
        assert provider.invocations(stack.id, "Create")  # the whole log is written

        done = run(provider, "operate.logs", "--stack", provider.stack_name, "--once")

        assert done.returncode == 0, done.stderr
        assert re.search(
            rf"^\d\d:\d\d:\d\d\.\d{{3}}  INFO +{stack.name}/Job Create: CloudFormation accepted the response",
            done.stdout,
            re.M,
        )
        assert not re.search(r"^(START|END|REPORT) RequestId", done.stdout, re.M)
        assert "X-Amz-" not in done.stdout

    def test_everything_is_there_as_it_stands_in_the_log(self, provider: Provider) -> None:
        stack = provider.create(provider.start_job())
        assert provider.invocations(stack.id, "Create")  # the whole log is written

        done = run(provider, "operate.logs", "--stack", provider.stack_name, "--once", "--all")

        texts = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        assert [it["message"] for it in texts if it.get("stack_id") == stack.id][
            -1
        ] == "CloudFormation accepted the response"
        assert any("_aws" in it for it in texts)
        assert re.search(r"^START RequestId", done.stdout, re.M)

    def test_a_stack_that_is_not_there_is_named(self, provider: Provider) -> None:
        done = run(provider, "operate.logs", "--stack", "no-such-stack", "--once")

        assert (done.returncode, "The stack no-such-stack does not exist in account" in done.stderr) == (1, True)


class TestReplay:
    def put(self, provider: Provider, body: object) -> None:
        text = body if isinstance(body, str) else json.dumps(body)
        provider.ministack.client("sqs").send_message(QueueUrl=provider.outputs[FAILED], MessageBody=text)

    def empty(self, provider: Provider) -> None:
        provider.ministack.client("sqs").purge_queue(QueueUrl=provider.outputs[FAILED])

    def replay(self, provider: Provider) -> subprocess.CompletedProcess[str]:
        return run(provider, "operate.replay", "--stack", provider.stack_name)

    def test_an_empty_queue_is_no_error(self, provider: Provider) -> None:
        self.empty(provider)

        done = self.replay(provider)

        assert (done.returncode, done.stderr) == (0, "")
        assert "The failed-events queue is empty: there is nothing to replay." in done.stdout

    @pytest.mark.parametrize("is_recorded", [True, False], ids=["as Lambda recorded it", "as it waited"])
    def test_either_kind_of_event_is_replayed(self, provider: Provider, is_recorded: bool) -> None:  # noqa: FBT001
        self.empty(provider)
        job = provider.start_job()
        stack = provider.create(job)
        with ResponseHost() as host:
            delete = delete_of(provider, stack.id, job, host)
            event = {**delete, **({} if is_recorded else {"Waiting": WAITED})}
            self.put(provider, {"requestPayload": event, "requestContext": {}} if is_recorded else event)

            done = self.replay(provider)

            assert done.returncode == 0, done.stdout + done.stderr
            assert f"Replayed: Delete of Job in {stack.name}" in done.stdout
            assert "1 event replayed." in done.stdout
            assert host.wait_for(delete["RequestId"], SETTLE_SECONDS).body["Status"] == "SUCCESS"
        assert provider.neptune.status(job) == "Stopped"
        assert sum(depth(provider, FAILED)) == 0

    def test_what_is_no_event_stays_in_the_queue(self, provider: Provider) -> None:
        self.empty(provider)
        self.put(provider, "no JSON")

        done = self.replay(provider)

        assert done.returncode == 1
        assert "Left in the queue: the message is not JSON: 'no JSON'" in done.stdout
        assert sum(depth(provider, FAILED)) == 1
        self.empty(provider)

    def test_what_lambda_does_not_take_stays_in_the_queue(self, provider: Provider) -> None:
        self.empty(provider)
        self.put(provider, {"RequestId": "1", "RequestType": "Delete", "Waiting": WAITED})
        without_function = {"AWS_ENDPOINT_URL_LAMBDA": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}

        done = run(provider, "operate.replay", "--stack", provider.stack_name, **without_function)

        assert done.returncode == 1
        assert "Left in the queue:" in done.stdout
        assert sum(depth(provider, FAILED)) == 1
        self.empty(provider)


class TestDeploy:
    """By somebody who may do what the documented policy allows, and no more."""

    @pytest.fixture(scope="class")
    @classmethod
    def deployer(cls, provider: Provider) -> dict[str, str]:
        return credentials(provider, "deployer", POLICY.read_text())

    def deploy(
        self, provider: Provider, deployer: Mapping[str, str], name: str, *arguments: str
    ) -> subprocess.CompletedProcess[str]:
        built = ("--template", str(provider.built), "--stack", name, "--yes")
        return run(provider, "operate.deploy", *built, *arguments, SAM_CLI_POLL_DELAY="0.2", **deployer)

    def test_a_first_deployment_then_one_of_nothing_new(self, provider: Provider, deployer: dict[str, str]) -> None:
        parameters = "ClusterResourceId=* LogLevel=DEBUG CreateDashboard=true ResponseHosts=127.0.0.1,localhost"
        first = self.deploy(provider, deployer, "neptune-ml-mine", "--parameters", parameters)
        again = self.deploy(provider, deployer, "neptune-ml-mine")

        assert first.returncode == 0, first.stdout + first.stderr
        assert first.stdout.startswith("Account 000000000000, Region us-east-1, as arn:aws:iam::")
        assert "ServiceToken: !ImportValue neptune-ml-mine-ServiceToken" in first.stdout
        assert again.returncode == 0, again.stdout + again.stderr
        assert "No changes to deploy" in again.stdout
        assert parameters_of(provider, "neptune-ml-mine")["LogLevel"] == "DEBUG"

    def test_what_is_missing_is_said_before_anything_is_done(
        self, provider: Provider, deployer: dict[str, str]
    ) -> None:
        done = self.deploy(provider, deployer, "neptune-ml-none")

        assert done.returncode == 2
        assert "ClusterResourceId is missing: Enter a cluster's resource ID" in done.stderr

    def test_what_is_not_allowed_is_said_in_a_sentence(self, provider: Provider, deployer: dict[str, str]) -> None:
        done = self.deploy(provider, deployer, "of-another-name")

        assert done.returncode == 1
        assert done.stderr.startswith("AWS rejected the request. An error occurred (AccessDenied)")
        assert len(done.stderr.splitlines()) == 1

    def test_a_stack_whose_first_creation_failed_is_told(self, provider: Provider, deployer: dict[str, str]) -> None:
        stack = Stack(provider.ministack.client("cloudformation"), "neptune-ml-failed")
        stack.create(template({"Job": provider.resource("no-such-job")}))
        assert stack.settle(SETTLE_SECONDS) == "ROLLBACK_COMPLETE"

        done = self.deploy(provider, deployer, "neptune-ml-failed", "--parameters", "ClusterResourceId=*")

        assert done.returncode == 1
        assert "is ROLLBACK_COMPLETE" in done.stderr
        assert "aws cloudformation delete-stack --stack-name neptune-ml-failed" in done.stderr


def parameters_of(provider: Provider, name: str) -> Mapping[str, str]:
    (stack,) = provider.ministack.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    return {it["ParameterKey"]: it["ParameterValue"] for it in stack["Parameters"]}
