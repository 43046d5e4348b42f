"""Every command that the pages give an operator, run by somebody who has the documented policy and no other permission.

The commands are read from the pages. One that has no rule here, neither how it is run nor why it is not, fails.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import pytest

from local.response_host import ResponseHost
from local.stacks import Stack
from provider.kinds import KINDS
from simulator import ErrorAnswer, Fault, JobPlan, JobStatus
from tests.e2e.operating import LONGEST_SECONDS, POLICY, ROOT, WAITED, credentials, delete_of, environment, nudged, run
from tests.e2e.provider import SETTLE_SECONDS, delete, failing_after, template, wait_until
from tests.e2e.queues import FAILED, depth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.e2e.provider import Provider

PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]


def commands_of(page: str) -> Iterator[str]:
    """The commands of a page: each line of its consoles, and what stands in its sentences as a command."""
    for console in re.findall(r"```console\n(.*?)```", page, re.S):
        for line in console.replace("\\\n", " ").splitlines():
            if not re.match(r"\w+=", line):
                yield " ".join(line.split())
    sentences = re.sub(r"```.*?```", "", page, flags=re.S)
    for code in re.findall(r"``.*?``|`([^`]+)`", sentences, re.S):
        if re.match(r"(aws|make|sam|\.venv/sam/bin/sam)\s", code):
            yield " ".join(code.split()).removeprefix(".venv/sam/bin/").removesuffix(" ...")


WRITTEN = {command for page in PAGES for command in commands_of(page.read_text())}
# One with which another one begins only names it.
COMMANDS = sorted(it for it in WRITTEN if not any(other.startswith(f"{it} ") for other in WRITTEN))

STACK = "neptune-ml-provider"
USER = "operator"
(DEPLOYMENT,) = [it for it in COMMANDS if it.startswith("make deploy YES=1 ")]
# What the pages cannot know: where the function is to answer, and that its cluster is no cluster of Neptune.
LOCALLY = "ResponseHosts=127.0.0.1,localhost AllowedHosts=127.0.0.1,localhost"
AWS, SAM = ROOT / ".venv/awscli/bin/aws", ROOT / ".venv/sam/bin/sam"


def variables_of(command: str) -> dict[str, str]:
    """What a command gives `make`."""
    return dict(word.split("=", 1) for word in shlex.split(command)[2:])


@dataclass(frozen=True)
class Operator:
    """Somebody with the documented policy, and the provider that they have deployed."""

    provider: Provider
    who: Mapping[str, str]
    directory: Path

    def execute(self, *command: str | Path, answers: str = "") -> subprocess.CompletedProcess[str]:
        variables = {**environment(self.provider), **self.who, "SAM_CLI_POLL_DELAY": "0.2"}
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=variables,
            input=answers,
            capture_output=True,
            text=True,
            check=False,
            timeout=LONGEST_SECONDS,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def make(self, command: str, *more: str, **others: str) -> subprocess.CompletedProcess[str]:
        """What the Makefile makes of a command: its target is a module, and its variables are options."""
        target = command.split()[1]
        variables = {"STACK": STACK, **variables_of(command), **others}
        options = [f"--{name.lower().replace('_', '-')}={value}" for name, value in variables.items() if name != "YES"]
        # It asks a person; what a policy allows does not depend on the answers.
        yes = ["--yes"] if target in ("deploy", "accept") else []
        done = run(self.provider, f"operate.{target}", *options, *yes, *more, **self.who, SAM_CLI_POLL_DELAY="0.2")
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def deploy(self, command: str, stack: str = STACK) -> None:
        parameters = f"{variables_of(command)['PARAMETERS']} {LOCALLY}"
        self.make(command, f"--template={self.provider.built}", STACK=stack, PARAMETERS=parameters)

    def stack(self, name: str) -> Stack:
        return Stack(self.provider.ministack.client("cloudformation"), name)

    def bucket_of_sam(self) -> str:
        return self.stack("aws-sam-cli-managed-default").outputs()["SourceBucket"]


@pytest.fixture(scope="module")
def operator(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Operator:
    # CloudFormation names a log group after its stack; MiniStack, too, but with something before it.
    policy = POLICY.read_text().replace("log-group:neptune-ml-", "log-group:/aws/cloudformation/neptune-ml-")
    it = Operator(provider, credentials(provider, USER, policy), tmp_path_factory.mktemp("operator"))
    it.deploy(DEPLOYMENT)
    return replace(it, provider=replace(provider, stack_name=STACK, outputs=it.stack(STACK).outputs()))


def deploy(operator: Operator, command: str) -> None:
    operator.deploy(command)


def deploy_with_sam(operator: Operator, _: str) -> None:
    # Without --guided, which asks for the same.
    operator.execute(
        *(SAM, "deploy", "--template-file", operator.provider.built, "--stack-name", STACK),
        *("--capabilities", "CAPABILITY_IAM", "--resolve-s3", "--no-confirm-changeset"),
        *("--parameter-overrides", "ClusterResourceId=*", "LogLevel=WARNING", *shlex.split(LOCALLY)),
    )


def package(operator: Operator, _: str) -> None:
    operator.execute(
        *(AWS, "cloudformation", "package", "--template-file", operator.provider.built),
        *("--s3-bucket", operator.bucket_of_sam(), "--output-template-file", operator.directory / "packaged.yaml"),
    )


def deploy_package(operator: Operator, command: str) -> None:
    package(operator, command)
    words = [str(operator.directory / it) if it == "packaged.yaml" else it for it in shlex.split(command)[1:]]
    operator.execute(AWS, *words, "CreateDashboard=true")


def accept(operator: Operator, command: str) -> None:
    given, others = variables_of(command), {"ENDPOINT": operator.provider.neptune.url}
    if "JOB" in given:
        others["JOB"] = operator.provider.start_job()
    if "PROPERTIES" in given:
        file = operator.directory / "job.json"
        file.write_text('{"TrainingJobName": "movies", "ModelTransformOutputS3Location": "s3://mybucket/acceptance"}')
        others["PROPERTIES"] = str(file)
    with nudged(operator.provider):
        done = operator.make(command, **others)
    assert "| ok | the cluster, queried from here" in done.stdout


def read_log(operator: Operator, command: str) -> None:
    assert "LogGroup" in operator.make(command, "--once").stdout


def replay(operator: Operator, command: str) -> None:
    provider = operator.provider
    job = provider.start_job()
    with ResponseHost() as host:
        event = {**delete_of(provider, provider.create(job).id, job, host), "Waiting": WAITED}
        provider.ministack.client("sqs").send_message(QueueUrl=provider.outputs[FAILED], MessageBody=json.dumps(event))
        assert "1 event replayed." in operator.make(command).stdout
        assert host.wait_for(event["RequestId"], SETTLE_SECONDS).body["Status"] == "SUCCESS"
    assert sum(depth(provider, FAILED)) == 0


def read_journal(operator: Operator, command: str) -> None:
    provider = operator.provider
    stack = provider.create_with(provider.described())
    (job,) = provider.started(stack)
    filled = command.replace("$TABLE", provider.outputs["JournalTableName"]).replace("$STACK_ID", stack.id)
    words = shlex.split(filled.replace("|TransformJob|", "|Job|").rpartition(" | ")[0])
    assert list(json.loads(operator.execute(AWS, *words[1:]).stdout)["jobs"]) == [provider.physical_id(job)]
    assert delete(stack) == "DELETE_COMPLETE"


def jobs(operator: Operator, command: str) -> None:
    provider = operator.provider
    stack = provider.create_with(provider.described())
    (job,) = provider.started(stack)
    assert provider.physical_id(job) in operator.make(command.partition(" CANCEL")[0]).stdout
    operator.make(command, CANCEL=provider.physical_id(job))
    wait_until(lambda: provider.neptune.status(job) == JobStatus.STOPPED, SETTLE_SECONDS, "the job stops")
    assert delete(stack) == "DELETE_COMPLETE"


def look_up_clusters(operator: Operator, command: str) -> None:
    # botocore takes the address of Neptune's control plane from nowhere else.
    operator.execute(AWS, *shlex.split(command)[1:], "--endpoint-url", operator.provider.ministack.url)


def ask_the_cluster(operator: Operator, command: str) -> None:
    """Neptune checks the policy itself: here its simulator takes the call, and IAM says whether it is allowed."""
    provider = operator.provider
    filled = command.replace("$ENDPOINT", provider.neptune.url)
    if "start-" not in command:
        filled = filled.replace("movies-2026-01", provider.start_job())
    if "--endpoint-url" not in filled:
        filled += f" --endpoint-url {provider.neptune.url}"
    operator.execute(AWS, *shlex.split(filled)[1:])
    method = shlex.split(command)[2].replace("-", "_")
    (action,) = [action for action, name in calls_by_hand() if name == method]
    assert allowed(operator, [action]) == {action}


def calls_by_hand() -> list[tuple[str, str]]:
    """The actions and methods of what people do by hand: what the provider calls, and the list, which it does not."""
    calls = [(call.action, call.method) for kind in KINDS for call in (kind.start, kind.get, kind.cancel)]
    lists = [(f"{kind.get.action.removesuffix('Status')}s", f"{kind.get.method}s") for kind in KINDS]
    return calls + [(action.replace(":Get", ":List"), name.replace("get_", "list_")) for action, name in lists]


def allowed(operator: Operator, actions: list[str]) -> set[str]:
    answer = operator.provider.ministack.client("iam").simulate_principal_policy(
        PolicySourceArn=f"arn:aws:iam::000000000000:user/{USER}",
        ActionNames=actions,
        ResourceArns=["arn:aws:neptune-db:us-east-1:000000000000:cluster-ABC123/*"],
    )
    return {it["EvalActionName"] for it in answer["EvaluationResults"] if it["EvalDecision"] == "allowed"}


def continue_rollback(operator: Operator, _: str) -> None:
    provider, stack = operator.provider, operator.stack("neptune-ml-stuck")
    endpoints = provider.neptune.of("endpoints")
    before, endpoints.plan = endpoints.plan, JobPlan(run_seconds=0.0, stop_seconds=0.0)

    def written(count: int, more: Mapping[str, object]) -> str:
        described = {
            "ServiceToken": provider.outputs["ServiceToken"],
            "Endpoint": provider.neptune.url,
            "MlModelTrainingJobId": "movies-2026-01",
            "InstanceCount": count,
            "ServiceTimeout": 12,  # in place of the ten minutes for which a rollback bears that it is denied
        }
        return template({"It": {"Type": "Custom::NeptuneMLEndpoint", "Properties": described}, **more})

    stack.create(written(1, {}))
    assert stack.settle(SETTLE_SECONDS) == "CREATE_COMPLETE"
    stack.update(written(2, failing_after("It")))
    wait_until(
        lambda: ("It", "UPDATE_COMPLETE") in [(it.logical_id, it.status) for it in stack.operation_events()],
        SETTLE_SECONDS,
        "the update of the endpoint",
    )
    provider.neptune.inject(Fault(ErrorAnswer("AccessDeniedException"), on=["start"], times=None))
    try:
        assert stack.settle(SETTLE_SECONDS) == "UPDATE_ROLLBACK_FAILED"
    finally:
        provider.neptune.clear_faults()
    operator.execute(AWS, "cloudformation", "continue-update-rollback", "--stack-name", stack.name)
    wait_until(
        lambda: stack.events()[-1].status == "UPDATE_ROLLBACK_COMPLETE", SETTLE_SECONDS, "the rest of the rollback"
    )
    assert delete(stack) == "DELETE_COMPLETE"
    endpoints.plan = before


def list_imports(operator: Operator, command: str) -> None:
    stack = operator.stack("neptune-ml-importing")
    token = {"Token": {"Fn::ImportValue": f"{STACK}-ServiceToken"}}
    stack.create(template({"Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}, token))
    assert stack.settle(SETTLE_SECONDS) == "CREATE_COMPLETE"
    done = operator.execute(AWS, *shlex.split(command.replace("<provider stack>", STACK))[1:])
    assert stack.name in done.stdout
    assert delete(stack) == "DELETE_COMPLETE"


def remove(operator: Operator, _: str) -> None:
    stack = "neptune-ml-leaving"
    operator.deploy(DEPLOYMENT, stack)
    operator.execute(SAM, "delete", "--stack-name", stack, "--region", "us-east-1", answers="y\n" * 4)
    assert not operator.stack(stack).is_there()


def delete_log_group(operator: Operator, command: str) -> None:
    name = "/aws/cloudformation/neptune-ml-gone/LogGroup"
    operator.provider.ministack.client("logs").create_log_group(logGroupName=name)
    operator.execute(AWS, *shlex.split(command)[1:], name)


ON_ONES_OWN_MACHINE: Final = "runs without AWS"
OF_A_STACK: Final = "belongs to whoever has a stack with the resource"
IN_ITS_OWN_ROOM: Final = "is run so, with the policy of its own page besides, in test_probe.py"
OF_A_PUBLISHER: Final = "belongs to whoever publishes a release, in an account of their own"

# By what they begin with; the longest that fits counts.
RULES: dict[str, Callable[[Operator, str], None] | str] = {
    "make deploy": deploy,
    "sam deploy": deploy_with_sam,
    "aws cloudformation package": package,
    "aws cloudformation deploy": deploy_package,
    "make accept": accept,
    "make logs": read_log,
    "make replay": replay,
    "make jobs": jobs,
    "aws dynamodb get-item": read_journal,
    "aws neptune": look_up_clusters,
    "aws neptunedata": ask_the_cluster,
    "aws cloudformation continue-update-rollback": continue_rollback,
    "aws cloudformation list-imports": list_imports,
    "sam delete": remove,
    "aws logs delete-log-group": delete_log_group,
    "aws cloudformation deploy --stack-name movies-transform": OF_A_STACK,
    "aws cloudformation continue-update-rollback --stack-name movies": OF_A_STACK,
    "aws cloudformation delete-stack --stack-name movies-transform": OF_A_STACK,
    "aws cloudformation wait stack-delete-complete --stack-name movies-transform": OF_A_STACK,
    "make probe": IN_ITS_OWN_ROOM,
    "sam package": OF_A_PUBLISHER,
    "sam publish": OF_A_PUBLISHER,
    **dict.fromkeys(
        [
            "aws configure",
            "gh attestation verify",
            *(f"make {it}" for it in ("bench", "demo", "docs", "invoke", "release")),
            "sam build",
            "sam local",
            "sha256sum",
        ],
        ON_ONES_OWN_MACHINE,
    ),
}


def rule_of(command: str) -> str | None:
    fitting = [it for it in RULES if f"{command} ".startswith(f"{it} ")]
    return max(fitting, key=len, default=None)


def test_each_command_has_a_rule_and_each_rule_a_command() -> None:
    assert {command for command in COMMANDS if rule_of(command) is None} == set()
    assert {rule_of(command) for command in COMMANDS} == set(RULES)


@pytest.mark.parametrize("command", [it for it in COMMANDS if callable(RULES.get(rule_of(it) or ""))])
def test_the_documented_policy_allows(operator: Operator, command: str) -> None:
    rule = RULES[rule_of(command) or ""]
    assert callable(rule)
    rule(operator, command)


def test_jobs_of_every_kind_may_be_looked_at_and_cancelled_by_hand(operator: Operator) -> None:
    actions = [action for action, _ in calls_by_hand()]
    assert allowed(operator, actions) == set(actions)
