"""CloudFormation stacks: created, updated and deleted, with their events and a wait that has an end."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.literals import CapabilityType


@dataclass(frozen=True)
class StackEvent:
    """Something that CloudFormation reports.

    Attributes:
        time: When it happened, seconds since the epoch.
        logical_id: The resource's name in the template; the stack's own name for the stack.
        resource_type: What it is.
        status: Its status, such as `DELETE_IN_PROGRESS`.
        reason: Why, if CloudFormation says so.
    """

    time: float
    logical_id: str
    resource_type: str
    status: str
    reason: str

    @property
    def is_of_stack(self) -> bool:
        """Whether it is about the stack itself."""
        return self.resource_type == "AWS::CloudFormation::Stack"


class NotSettled(TimeoutError):
    """An operation took longer than it was given; the message has the stack's events."""


class Stack:
    """A stack, from its creation to its deletion.

    Each operation returns at once; `settle` waits for its end.

    Args:
        client: A CloudFormation client.
        name: The stack's name.
        poll_seconds: How long `settle` waits between two looks.

    Attributes:
        name: The stack's name.
        id: Its ARN, by which it is still known when it is gone; its name until that is known.

    Example:
        >>> stack = Stack(ministack.client("cloudformation"), "movies")  # doctest: +SKIP
        >>> stack.create(template, {"JobId": "job-1"})
        >>> stack.settle(60)
        'CREATE_COMPLETE'
    """

    def __init__(self, client: CloudFormationClient, name: str, *, poll_seconds: float = 0.1) -> None:
        self._client = client
        self._poll_seconds = poll_seconds
        self._settled_events = 0
        self.name = name
        self.id = name

    def create(
        self,
        template: str,
        parameters: Mapping[str, str] | None = None,
        *,
        capabilities: Sequence[CapabilityType] = (),
    ) -> None:
        """Have the stack created.

        Args:
            template: The template's body.
            parameters: Its parameters.
            capabilities: What is acknowledged, such as `CAPABILITY_IAM`.
        """
        answer = self._client.create_stack(
            StackName=self.name,
            TemplateBody=template,
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in (parameters or {}).items()],
            Capabilities=capabilities,
            # boto3 sends a request again whose answer was lost: by this CloudFormation knows that it is the same one.
            ClientRequestToken=str(uuid.uuid4()),
        )
        self.id = answer["StackId"]
        self._settled_events = 0

    def update(self, template: str, parameters: Mapping[str, str] | None = None) -> None:
        """Have the stack updated.

        Args:
            template: The template's body.
            parameters: Its parameters.
        """
        self._settled_events = len(self.events())
        self._client.update_stack(
            StackName=self.id,
            TemplateBody=template,
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in (parameters or {}).items()],
        )

    def delete(self) -> None:
        """Have the stack deleted."""
        self._settled_events = len(self.events())
        self._client.delete_stack(StackName=self.id)

    def ask(self, operation: str, **parameters: object) -> None:
        """Have something else done with the stack.

        Args:
            operation: The client's method, such as `cancel_update_stack`.
            parameters: What it takes, besides `StackName`.
        """
        self._settled_events = len(self.events())
        getattr(self._client, operation)(StackName=self.id, **parameters)

    def is_there(self) -> bool:
        """Look whether the stack is there, also if the answer to its creation was lost.

        Returns:
            Whether it is, whatever its status; not if it never came to be, or is gone.
        """
        try:
            (stack,) = self._client.describe_stacks(StackName=self.id)["Stacks"]
        except ClientError as error:
            if "does not exist" in error.response["Error"]["Message"]:
                return False
            raise
        self.id = stack["StackId"]
        return stack["StackStatus"] != "DELETE_COMPLETE"

    def events(self) -> list[StackEvent]:
        """Look up what has happened so far, over all operations.

        Returns:
            The events, oldest first.
        """
        pages = self._client.get_paginator("describe_stack_events").paginate(StackName=self.id)
        events = [
            StackEvent(
                time=event["Timestamp"].timestamp(),
                logical_id=event["LogicalResourceId"],
                resource_type=event["ResourceType"],
                status=event["ResourceStatus"],
                reason=event.get("ResourceStatusReason", ""),
            )
            for page in pages
            for event in page["StackEvents"]
        ]
        return events[::-1]

    def operation_events(self) -> list[StackEvent]:
        """Look up what has happened in the latest operation.

        Returns:
            The events, oldest first.
        """
        return self.events()[self._settled_events :]

    def settled_status(self, *, rolls_back: bool = True) -> str | None:
        """Look up how the latest operation ended.

        Args:
            rolls_back: Whether CloudFormation rolls it back if it fails.

        Returns:
            The stack's status; `None` while the operation goes on.
        """
        for event in self.operation_events():
            if event.is_of_stack and _is_final(event.status, rolls_back=rolls_back):
                return event.status
        return None

    def settle(self, seconds: float, meanwhile: Callable[[], object] = lambda: None, *, rolls_back: bool = True) -> str:
        """Wait for the end of the latest operation.

        Args:
            seconds: How long at most.
            meanwhile: Called again and again, the last time when the operation has ended.
            rolls_back: Whether CloudFormation rolls it back if it fails.

        Returns:
            The stack's status.

        Raises:
            NotSettled: It has not ended.
        """
        deadline = time.monotonic() + seconds
        while True:
            status = self.settled_status(rolls_back=rolls_back)
            meanwhile()
            if status is not None:
                return status
            if time.monotonic() > deadline:
                events = "\n".join(map(str, self.operation_events()))
                raise NotSettled(f"the stack {self.name} has not settled within {seconds:g} s:\n{events}")
            time.sleep(self._poll_seconds)

    def outputs(self) -> dict[str, str]:
        """Look up the stack's outputs.

        Returns:
            Their values by their names.
        """
        (stack,) = self._client.describe_stacks(StackName=self.id)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def _is_final(status: str, *, rolls_back: bool) -> bool:
    # A failed operation that is rolled back ends with the rollback.
    goes_on = rolls_back and status in ("CREATE_FAILED", "UPDATE_FAILED")
    return not (goes_on or status.endswith("_IN_PROGRESS"))
