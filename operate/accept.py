"""`make accept`: an acceptance test of a deployed provider; run it with `python -m operate.accept`.

It creates a stack that adopts or starts a job, deletes the stack, and reports what it saw and what it expected. However
it ends, it deletes the stack, which cancels the job. Exit code: 0 if everything was as expected, 1 if not, 2 for wrong
arguments, 128 plus the signal's number if interrupted.
"""

from __future__ import annotations

import secrets
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from local import function_log
from local.interruption import Interrupted, held_back, interruptible
from local.stacks import NotSettled, Stack
from operate import account, cluster, command, provider_stack, simulated
from operate.command import PROVIDER, confirm
from operate.report import report
from operate.seen import ANSWERED, Log, Operation, Seen, log_of
from operate.trial import DEFAULT_MINUTES, VARIABLES, described
from operate.verdicts import verdicts
from provider.kinds.kind import indefinite
from provider.values import LONGEST_TIMEOUT_SECONDS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from mypy_boto3_sqs import SQSClient

    from operate.account import Account
    from operate.provider_stack import ProviderStack
    from operate.trial import Trial

_POLL_SECONDS = 2.0
_MOST_MINUTES = LONGEST_TIMEOUT_SECONDS / 60
# CloudFormation itself takes some time before and after an operation on a resource.
_SLACK_SECONDS = 300.0
# CloudWatch shows a log line some seconds after it was written, and SQS counts messages approximately.
_LATE_SECONDS = 60.0
# The clocks of this machine and of AWS may differ.
_SKEW_SECONDS = 300.0
_QUEUES = {"WaitingQueueUrl": "waiting queue", "FailedEventsQueueUrl": "failed-events queue"}
_DELETED = "DELETE_COMPLETE"
_DEFAULTS = {"STACK": PROVIDER, "MINUTES": DEFAULT_MINUTES}


def main(arguments: Sequence[str] | None = None) -> int:
    """Test the deployed provider; returns the exit code."""
    description = "Create a stack with a job, delete the stack, and report what was seen and what was expected."
    parser = command.parser("accept", description, stack=False)
    for name, text in VARIABLES.items():
        option = f"--{name.lower()}"
        if name == "YES":
            parser.add_argument(option, action="store_true", help=text)
        else:
            parser.add_argument(option, default=_DEFAULTS.get(name, ""), help=text)
    return command.run(parser, arguments, _accept)


def _accept(options: argparse.Namespace) -> int:
    trial = described(
        endpoint=options.endpoint,
        job=options.job,
        file=Path(options.properties) if options.properties else None,
        resource_type=options.type,
        timeout=int(command.number_of("MINUTES", options.minutes, "minutes", 1, _MOST_MINUTES) * 60),
    )
    here = account.find()
    provider = provider_stack.find(here, options.stack)
    trial.check(provider)
    acceptance = Acceptance(here, provider, trial, f"neptune-ml-acceptance-{secrets.token_hex(3)}")
    print(acceptance.plan(), flush=True)
    if not options.yes and not confirm("Continue?"):
        print("Nothing was changed.")
        return 1
    return acceptance.run(Path(options.report) if options.report else None)


@dataclass
class Acceptance:
    """One trial of one provider.

    Attributes:
        account: The account and Region.
        provider: The provider under test.
        trial: What to try.
        name: The name of the stack to create.
        seen: What has been seen so far.
    """

    account: Account
    provider: ProviderStack
    trial: Trial
    name: str
    seen: Seen = field(default_factory=lambda: Seen(Operation("", ())))

    def __post_init__(self) -> None:
        self._began = time.time()
        self._stack = Stack(self.account.session.client("cloudformation"), self.name, poll_seconds=_POLL_SECONDS)
        self._shown = 0
        self._is_asked_for = False

    def plan(self) -> str:
        """Describe what is about to happen, and whether it costs money."""
        noun, words = self.trial.kind.noun, self.trial.kind.words
        if self.trial.starts:
            does = f"starts {indefinite(noun)}. This uses SageMaker compute and COSTS MONEY\n"
            does += f"     until the {words.thing} is {words.cancelled} some minutes later"
        else:
            does = f"adopts the {noun} {self.trial.adopted}"
        artifacts = "are deleted" if self.trial.cleans else "are kept"
        return "\n".join(
            [
                str(self.account),
                f"Provider: stack {self.provider.name}, version {self.provider.version}",
                f"Cluster: {self.trial.endpoint.host}:{self.trial.endpoint.port}",
                "This command will:",
                f"  1. Create the stack {self.name}. It {does}.",
                f"  2. Delete the stack. The {words.thing} is {words.cancelled.upper()}. Its artifacts {artifacts}.",
            ]
        )

    def run(self, file: Path | None) -> int:
        """Run the test, print the report, and write it to a file, if there is one; returns the exit code."""
        end, code = "", 0
        try:
            with interruptible(), self._removed_in_the_end():
                self._try()
        except Interrupted as interrupted:
            end, code = "The test was interrupted.", interrupted.exit_code
        except (NotSettled, ClientError, BotoCoreError) as error:
            end, code = f"The test could not be completed: {str(error).splitlines()[0]}", 1
        judged = verdicts(self.trial, self.seen)
        text = report(
            self.provider,
            self.trial,
            self.seen,
            region=self.account.region,
            verdicts=judged,
            beside=simulated.beside(self.trial, self.seen),
            end=end,
        )
        print(f"\n{text}", flush=True)
        if file:
            file.write_text(f"{text}\n")
        return code or int(not all(it.holds for it in judged))

    def _try(self) -> None:
        unknown = cluster.ask(self.account, self.trial, f"no-such-job-{secrets.token_hex(3)}")
        self.seen = replace(self.seen, before=self._queues(), unknown=unknown)
        self._say(f"create the stack {self.name}")
        with held_back():  # an interruption must not come before the stack's ID is known
            self._is_asked_for = True  # even without an answer the stack may exist, and its name is unique
            self._stack.create(self.trial.template(self.provider))
        self.seen = replace(self.seen, created=self._settle())
        if self.seen.created.status != "CREATE_COMPLETE":
            self._gather(("Create",))
            return
        outputs = self._stack.outputs()
        job = outputs.get("Id", "")
        self.seen = replace(self.seen, outputs=outputs, running=cluster.ask(self.account, self.trial, job))
        self._say(f"delete the stack; its {self.trial.kind.words.thing} {job} is {outputs.get('Status')}")
        self._stack.delete()
        self.seen = replace(self.seen, deleted=self._settle(), ended=cluster.ask(self.account, self.trial, job))
        self._gather(("Create", "Delete"))

    @contextmanager
    def _removed_in_the_end(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            if self._is_there():
                self._see_so_far()
            raise
        finally:
            with held_back():
                self._remove()

    def _is_there(self) -> bool:
        """Tell whether the stack may exist: it does unless its deletion was seen or CloudFormation does not know it."""
        is_seen_gone = self.seen.deleted is not None and self.seen.deleted.status == _DELETED
        if is_seen_gone or not self._is_asked_for:
            return False
        try:
            return self._stack.is_there()
        except (ClientError, BotoCoreError):
            return True

    def _see_so_far(self) -> None:
        try:
            self.seen = self._so_far()
        except (ClientError, BotoCoreError) as error:  # the report names what ended the trial, not this
            self._say(f"the stack's events and the log cannot be read: {error}")

    def _so_far(self) -> Seen:
        """Add the stack's events and the log of a trial that ended early."""
        operation = Operation(self._stack.settled_status() or "", self._stack.operation_events())
        seen = replace(self.seen, log=self._log())
        return replace(seen, deleted=operation) if seen.created.status else replace(seen, created=operation)

    def _remove(self) -> None:
        """Delete the stack, if it exists."""
        if not self._is_there():
            return
        words = self.trial.kind.words
        self._say(f"clean up: delete the stack, and wait until its {words.thing} is {words.cancelled}")
        try:
            self._stack.delete()
            status = self._settle().status
        except (NotSettled, ClientError, BotoCoreError) as error:
            status = str(error).splitlines()[0]
        if status != _DELETED:
            self._say(
                f"THE STACK WAS NOT DELETED ({status}), and its {words.thing} may still run. To delete the stack:\n"
                f"  aws cloudformation delete-stack --region {self.account.region} --stack-name {self.name}"
            )

    def _settle(self) -> Operation:
        status = self._stack.settle(self.trial.timeout_seconds + _SLACK_SECONDS, self._show_events)
        return Operation(status, self._stack.operation_events())

    def _gather(self, request_types: Sequence[str]) -> None:
        """Wait until the log is complete and the queues are empty again, for a minute at most."""
        self._say("read the function's log, and count the messages in its queues")
        deadline = time.monotonic() + _LATE_SECONDS
        while True:
            self.seen = replace(self.seen, log=self._log(), after=self._queues())
            if (_is_complete(self.seen.log, request_types) and self._is_as_before()) or time.monotonic() > deadline:
                return
            time.sleep(_POLL_SECONDS)

    def _log(self) -> Log:
        client, group = self.account.session.client("logs"), self.provider.outputs["LogGroupName"]
        return log_of(function_log.read_since(client, group, self._began - _SKEW_SECONDS), self._stack.id)

    def _is_as_before(self) -> bool:
        return all(number <= self.seen.before.get(name, 0) for name, number in self.seen.after.items())

    def _queues(self) -> dict[str, int]:
        sqs = self.account.session.client("sqs")
        return {name: _messages(sqs, self.provider.outputs[output]) for output, name in _QUEUES.items()}

    def _show_events(self) -> None:
        events = self._stack.events()
        for it in events[self._shown :]:
            what = "stack" if it.is_of_stack else f"resource {it.logical_id}"
            self._say(f"{what}: {it.status}{f' - {it.reason}' if it.status.endswith('_FAILED') else ''}")
        self._shown = len(events)

    def _say(self, text: str) -> None:
        print(f"{time.time() - self._began:6.1f} s  {text}", flush=True)


def _is_complete(log: Log, request_types: Sequence[str]) -> bool:
    return log.is_whole and all(log.of(it, ANSWERED) for it in request_types)


def _messages(sqs: SQSClient, queue: str) -> int:
    """Count the messages in a queue: visible, in flight and delayed."""
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    names = [f"ApproximateNumberOfMessages{suffix}" for suffix in ("", "NotVisible", "Delayed")]
    return sum(int(number) for name, number in attributes.items() if name in names)


if __name__ == "__main__":
    sys.exit(main())
