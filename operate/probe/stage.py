"""Where situations are played: the recording function, and the stacks whose resources it answers for."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from local.interruption import held_back
from local.stacks import NotSettled, Stack
from operate.probe.judgement import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from operate.account import Account

_HERE: Final = Path(__file__).parent
_TYPE: Final = "Custom::Probe"
_LONGEST_SECONDS: Final = 1800.0


class Stage:
    """The recording function, and what it has recorded.

    Args:
        account: The account and Region.
        name: The name of the function's stack, and the prefix of all other stack names.
        unit: The length of a time unit, in seconds.

    Attributes:
        recorded: The requests that were read from the queue so far.
    """

    def __init__(self, account: Account, name: str, unit: float) -> None:
        make = account.session.client
        self.unit, self.recorded = unit, set[Request]()
        self._cloud, self._sqs, self._functions = make("cloudformation"), make("sqs"), make("lambda")
        self._region, self._began, self._poll_seconds = account.region, time.time(), min(1.0, unit)
        self._outputs: Mapping[str, str] = {}
        self._recorder, self._stacks = Stack(self._cloud, name, poll_seconds=self._poll_seconds), list[Stack]()

    def set_up(self) -> None:
        """Create the recording function; raises `NotSettled` if that fails."""
        code = json.dumps((_HERE / "recorder.py").read_text())
        template = (_HERE / "recorder.yaml").read_text().replace("RECORDER_PY", code)
        self.say(f"create the stack {self._recorder.name}, with the recording function")
        with held_back():
            self._recorder.create(template, capabilities=["CAPABILITY_IAM"])
        if (status := self._recorder.settle(_LONGEST_SECONDS)) != "CREATE_COMPLETE":
            raise NotSettled(f"the stack {self._recorder.name} is {status}; its events show why")
        self._outputs = self._recorder.outputs()

    def stack(self, name: str) -> Stack:
        """Register a stack to be created; `tear_down` deletes it in any case."""
        self._stacks.append(Stack(self._cloud, f"{self._recorder.name}-{name}", poll_seconds=self._poll_seconds))
        return self._stacks[-1]

    def resource(self, mark: str, *, timeout: float = 30, needs: str = "", **play: Mapping[str, object]) -> Any:  # noqa: ANN401 - JSON
        """Describe a resource for a template, with a `ServiceTimeout` in time units.

        `mark` distinguishes these properties from others. `play` has, for each type of request, its `Answer`, if not
        `SUCCESS`, the `Id` in the answer, and the delay in `Seconds`.
        """
        limit = max(1, round(timeout * self.unit))
        properties = {"ServiceToken": self._outputs["Token"], "ServiceTimeout": limit, "Mark": mark, "Play": play}
        return {"Type": _TYPE, "Properties": properties, **({"DependsOn": needs} if needs else {})}

    def call(self, operation: str, **parameters: object) -> Any:  # noqa: ANN401 - boto3's
        """Call CloudFormation; returns its response."""
        self.say(operation)
        return getattr(self._cloud, operation)(**parameters)

    def do(self, stack: Stack, operation: str, *, settles: bool = True, **parameters: Any) -> None:  # noqa: ANN401 - boto3's
        """Run an operation on a stack, a method of the client; `resources` is turned into its `TemplateBody`.

        Waits for its end if it `settles`, and raises `NotSettled` if it does not end in time.
        """
        if resources := parameters.pop("resources", None):
            parameters["TemplateBody"] = json.dumps({"Resources": resources})
        with held_back():
            if operation == "create_stack":
                stack.create(parameters["TemplateBody"])
            else:
                stack.ask(operation, **parameters)
        self.say(f"{stack.name}: {operation}")
        if settles:
            rolls_back = not parameters.get("DisableRollback")
            self.say(f"{stack.name}: {stack.settle(_LONGEST_SECONDS, rolls_back=rolls_back)}")

    def requests(self, *stacks: Stack) -> Sequence[Request]:
        """Return what was recorded so far for these stacks, or for all, oldest first."""
        queue, names = self._outputs["Queue"], [it.name for it in stacks]
        while messages := self._sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages"):
            for message in messages:
                self.recorded.add(Request(**json.loads(message["Body"])))
                self._sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return sorted(it for it in self.recorded if it.stack in names or not names)

    def wait(self, condition: Callable[[], object], units: float) -> None:
        """Wait until a condition holds, for so many time units at most."""
        deadline = time.monotonic() + units * self.unit
        while not condition() and time.monotonic() < deadline:
            time.sleep(self._poll_seconds)

    @contextmanager
    def calmed(self) -> Iterator[None]:
        """Let the function answer every request with `SUCCESS` in the meantime."""
        self._calm(is_calm=True)
        try:
            yield
        finally:
            self._calm(is_calm=False)

    def _calm(self, *, is_calm: bool) -> None:
        name, variables = self._outputs["Function"], {"QUEUE": self._outputs["Queue"]}
        variables |= {"CALM": "true"} if is_calm else {}
        self._functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
        self._functions.get_waiter("function_updated").wait(FunctionName=name)

    def tear_down(self) -> bool:
        """Delete everything, and name what cannot be deleted; returns whether everything was deleted."""
        self.say("clean up")
        try:
            if self._outputs:
                self._calm(is_calm=True)
        except (ClientError, BotoCoreError) as error:
            self.say(f"the recording function could not be switched to answering SUCCESS: {error}")
        left = [stack.name for stack in reversed(self._stacks) if not self._is_removed(stack)]
        if left or not self._is_removed(self._recorder):  # the remaining stacks may need the function's answers
            self.say("To delete the remaining stacks:")
            for name in (*left, self._recorder.name):
                self.say(f"  aws cloudformation delete-stack --region {self._region} --stack-name {name}")
            return False
        return True

    def _is_removed(self, stack: Stack) -> bool:
        try:
            self._remove(stack)
        except (NotSettled, ClientError, BotoCoreError) as error:
            self.say(f"NOT DELETED: {stack.name} ({str(error).splitlines()[0]})")
            return False
        return True

    def _remove(self, stack: Stack) -> None:
        """Delete a stack, even during another operation, and retain its resources that cannot be deleted."""
        deadline, retained = time.monotonic() + _LONGEST_SECONDS, list[str]()
        while stack.is_there():
            try:
                stack.ask("delete_stack", **({"RetainResources": retained} if retained else {}))
                stack.settle(_LONGEST_SECONDS)
            except ClientError as error:  # another operation is in progress
                if error.response["Error"]["Code"] != "ValidationError" or time.monotonic() > deadline:
                    raise
                time.sleep(self._poll_seconds)
                continue
            failed = [it for it in stack.operation_events() if it.status == "DELETE_FAILED" and not it.is_of_stack]
            retained = [it.logical_id for it in failed]
            if any(it.resource_type != _TYPE for it in failed):  # it exists, so it must not be abandoned
                raise NotSettled(f"{failed[0].logical_id} is DELETE_FAILED: {failed[0].reason}")

    def say(self, text: str) -> None:
        """Print a line of progress."""
        print(f"{time.time() - self._began:6.1f} s  {text}", flush=True)
