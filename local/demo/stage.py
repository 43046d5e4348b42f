"""Where the demo happens: an emulated AWS with the provider, a simulated cluster, and a timeline that shows both."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local import function_log
from local.demo.checks import Life, Operation
from local.function_log import ANSWERED
from local.queues import depth
from local.stacks import NotSettled, Stack
from simulator.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from local.function_log import Line
    from local.ministack import MiniStack
    from local.timeline import Timeline
    from simulator import Simulator

PROVIDER = "provider"
"""The name of the provider's stack."""

_SETTLE_SECONDS = 120.0
_LEAVING_SECONDS = 5.0
_ANSWER_SECONDS, _NUDGE_SECONDS = 20.0, 0.5
_POLL_SECONDS = 0.1
_QUEUES = {"WaitingQueueUrl": "waiting requests", "FailedEventsQueueUrl": "failed events"}


class StackFailedError(RuntimeError):
    """A stack could not be created, so the demo cannot go on."""


@dataclass(frozen=True)
class Stage:
    """An emulated AWS, a simulated cluster and their timeline.

    Attributes:
        timeline: The timeline.
        ministack: AWS.
        neptune: The cluster.
        outputs: The outputs of the provider's stack.
    """

    timeline: Timeline
    ministack: MiniStack
    neptune: Simulator
    outputs: Mapping[str, str]

    def begin(self, name: str, how: str, template: str, parameters: Mapping[str, str] | None = None) -> Stack:
        """Begin to create a stack.

        Args:
            name: The stack's name.
            how: A remark on its resources.
            template: Its template.
            parameters: The template's parameters.

        Returns:
            The stack.
        """
        stack = Stack(self.ministack.client("cloudformation"), name)
        self.timeline.say("You", f"create the stack {name}: {how}")
        stack.create(template, parameters)
        return stack

    def wait_until(self, condition: Callable[[], bool], stack: Stack) -> None:
        """Wait for something to happen while a stack is created, and show it.

        Args:
            condition: Whether it has happened.
            stack: The stack.

        Raises:
            StackFailedError: The creation ended first.
            NotSettled: It did not happen in time.
        """
        deadline = time.monotonic() + _SETTLE_SECONDS
        while not condition():
            self._show_news(stack)
            if (status := stack.settled_status()) is not None:
                raise StackFailedError(f"the stack {stack.name} is {status}")
            if time.monotonic() > deadline:
                events = "\n".join(map(str, stack.events()))
                raise NotSettled(f"the stack {stack.name} has not got that far within {_SETTLE_SECONDS:g} s:\n{events}")
            time.sleep(_POLL_SECONDS)

    def create(self, name: str, how: str, template: str, parameters: Mapping[str, str] | None = None) -> Life:
        """Create a stack whose only resource is a model transform job, and show it.

        Args:
            name: See `begin`.
            how: See `begin`.
            template: See `begin`.
            parameters: See `begin`.

        Returns:
            The stack's life so far.

        Raises:
            StackFailedError: The creation failed.
        """
        stack = self.begin(name, how, template, parameters)
        created = self.settle(stack, "Create")
        if created.status != "CREATE_COMPLETE":
            raise StackFailedError(f"the stack {name} is {created.status}")
        outputs = stack.outputs()
        job, location = outputs["JobId"], outputs["OutputLocation"]
        return Life(stack, job, self.neptune.artifacts(job), location, (created,))

    def delete(self, stack: Stack) -> Operation:
        """Delete a stack, and show it.

        Args:
            stack: The stack.

        Returns:
            Its deletion.
        """
        self.timeline.say("You", f"delete the stack {stack.name}")
        stack.delete()
        return self.settle(stack, "Delete")

    def noted(self, life: Life) -> str:
        """Show what the provider's journal says about a stack's job.

        Args:
            life: The stack.

        Returns:
            The text that is shown.
        """
        items = self.ministack.client("dynamodb").scan(TableName=self.outputs["JournalTableName"])["Items"]
        (entry,) = [json.loads(it["Entry"]["S"]) for it in items if it["Resource"]["S"].startswith(life.stack.id)]
        ((identity, job),) = entry["jobs"].items()
        told = " and reported" if job.get("is_told") else ""
        noted = "has ended" if "gone" in job else f"started{told}"
        self.timeline.say("Journal", f"job {identity.rpartition('/')[2]}: {noted}")
        return noted

    def messages(self) -> dict[str, int]:
        """Count the messages in the provider's queues; those that have been handled get some seconds to leave them.

        Returns:
            The number of messages, by what the queue holds.
        """
        return {name: self._messages(self.outputs[output]) for output, name in _QUEUES.items()}

    def _messages(self, queue: str) -> int:
        deadline = time.monotonic() + _LEAVING_SECONDS
        while True:
            number = sum(depth(self.ministack, queue))
            if not number or time.monotonic() > deadline:
                return number
            time.sleep(_POLL_SECONDS)

    def settle(self, stack: Stack, request_type: str) -> Operation:
        """Wait until a stack's operation ends, and show it.

        Args:
            stack: The stack.
            request_type: The requests of that operation: `Create` or `Delete`.

        Returns:
            The operation.
        """
        status = stack.settle(_SETTLE_SECONDS, lambda: self._show_news(stack))
        first, *_, last = stack.operation_events()
        return Operation(status, last.time, last.time - first.time, self._invocations(stack, request_type))

    def show_until(self, stack: Stack, has_come: Callable[[Line], bool]) -> None:
        """Show what the function does after a stack's operation.

        Args:
            stack: The stack.
            has_come: Recognizes the last line of the function's log that is to be shown.
        """
        self._wait_for_log(lambda log: any(map(has_come, log)))
        self._show_news(stack)

    def _show_news(self, stack: Stack) -> None:
        statuses = {
            f"{kind.life.noun} {job}": status
            for name, kind in KINDS.items()
            for job, status in self.neptune.of(name).jobs().items()
        }
        self.timeline.show_news(stack, statuses, self._log())

    def _log(self) -> list[Line]:
        messages = function_log.read(self.ministack.client("logs"), self.outputs["LogGroupName"])
        return function_log.lines(messages)

    def _invocations(self, stack: Stack, request_type: str) -> list[list[str]]:
        """What each invocation logged for a request; the last one may still be ending when the stack has settled."""
        found: dict[str, list[str]] = {}

        def is_answered(log: Sequence[Line]) -> bool:
            found.clear()
            for line in log:
                if (line.fields.get("stack_id"), line.fields.get("request_type")) == (stack.id, request_type):
                    found.setdefault(line.fields["function_request_id"], []).append(line.message)
            return any(ANSWERED in said for said in found.values())

        self._wait_for_log(is_answered)
        return list(found.values())

    def _wait_for_log(self, condition: Callable[[Sequence[Line]], bool]) -> None:
        functions, deadline = self.ministack.client("lambda"), time.monotonic() + _ANSWER_SECONDS
        while not condition(self._log()) and time.monotonic() < deadline:
            # On a busy machine MiniStack keeps the last line of an invocation back until the next one: an empty event.
            functions.invoke(FunctionName=self.outputs["FunctionName"], InvocationType="Event", Payload=b"{}")
            time.sleep(_NUDGE_SECONDS)
