"""CloudFormation stacks and their events."""

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
    """An event of a stack.

    Attributes:
        time: When it happened, in seconds since the epoch.
        logical_id: The resource's name in the template, or the stack's name.
        resource_type: The resource's type.
        status: The resource's status, such as `DELETE_IN_PROGRESS`.
        reason: The reason, if CloudFormation gives one.
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
    """An operation took too long; the message has the stack's events."""


class Stack:
    """A stack.

    Each operation returns at once; `settle` waits until it ends.

    Args:
        client: A CloudFormation client.
        name: The stack's name.
        poll_seconds: How long `settle` waits between two checks, in seconds.

    Attributes:
        name: The stack's name.
        id: Its ARN, which identifies it even after its deletion; its name until the ARN is known.

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
        """Create the stack.

        Args:
            template: The template's body.
            parameters: Its parameters.
            capabilities: The acknowledged capabilities, such as `CAPABILITY_IAM`.
        """
        answer = self._client.create_stack(
            StackName=self.name,
            TemplateBody=template,
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in (parameters or {}).items()],
            Capabilities=capabilities,
            # boto3 repeats a request whose response was lost; the token tells CloudFormation that it is the same one.
            ClientRequestToken=str(uuid.uuid4()),
        )
        self.id = answer["StackId"]
        self._settled_events = 0

    def update(self, template: str, parameters: Mapping[str, str] | None = None) -> None:
        """Update the stack.

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
        """Delete the stack."""
        self._settled_events = len(self.events())
        self._client.delete_stack(StackName=self.id)

    def ask(self, operation: str, **parameters: object) -> None:
        """Call another operation on the stack.

        Args:
            operation: The client's method, such as `cancel_update_stack`.
            parameters: Its parameters, besides `StackName`.
        """
        self._settled_events = len(self.events())
        getattr(self._client, operation)(StackName=self.id, **parameters)

    def is_there(self) -> bool:
        """Check whether the stack exists, even if the response to its creation was lost.

        Returns:
            Whether it exists, whatever its status.
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
        """List the events of all operations.

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
        """List the events of the latest operation.

        Returns:
            The events, oldest first.
        """
        return self.events()[self._settled_events :]

    def settled_status(self, *, rolls_back: bool = True) -> str | None:
        """Return the status with which the latest operation ended.

        Args:
            rolls_back: Whether CloudFormation rolls back an operation that fails.

        Returns:
            The stack's status; `None` while the operation is in progress.
        """
        for event in self.operation_events():
            is_own = event.is_of_stack and event.logical_id == self.name  # not of a nested stack
            if is_own and _is_final(event.status, rolls_back=rolls_back):
                return event.status
        return None

    def settle(self, seconds: float, meanwhile: Callable[[], object] = lambda: None, *, rolls_back: bool = True) -> str:
        """Wait until the latest operation ends.

        Args:
            seconds: The longest wait, in seconds.
            meanwhile: Called repeatedly, the last time when the operation has ended.
            rolls_back: Whether CloudFormation rolls back an operation that fails.

        Returns:
            The stack's status.

        Raises:
            NotSettled: The operation has not ended.
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
        """Return the stack's outputs.

        Returns:
            Their values, by their names.
        """
        (stack,) = self._client.describe_stacks(StackName=self.id)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def _is_final(status: str, *, rolls_back: bool) -> bool:
    # A failed operation that is rolled back ends with the rollback.
    goes_on = rolls_back and status in ("CREATE_FAILED", "UPDATE_FAILED")
    return not (goes_on or status.endswith("_IN_PROGRESS"))
