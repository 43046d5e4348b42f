"""The deployed provider, as described by its stack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from operate.command import CannotGoOn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from operate.account import Account


@dataclass(frozen=True)
class ProviderStack:
    """A stack with the provider's name; see `is_provider`.

    Attributes:
        name: The stack's name.
        status: The stack's status.
        parameters: The stack's parameters.
        outputs: The stack's outputs; empty until it has been created.
    """

    name: str
    status: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]

    @property
    def version(self) -> str:
        """The provider's version; `unknown` if the stack has no such output."""
        return self.outputs.get("Version", "unknown")

    @property
    def is_provider(self) -> bool:
        """Whether the stack is a provider; false for any other stack with this name."""
        return "ServiceToken" in self.outputs


def look_up(account: Account, name: str) -> ProviderStack | None:
    """Look up the stack with the provider's name; returns `None` if it does not exist."""
    try:
        (stack,) = account.session.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if "does not exist" in error.response["Error"]["Message"]:
            return None
        raise
    if stack["StackStatus"] == "REVIEW_IN_PROGRESS":  # only a change set that was never executed
        return None
    return ProviderStack(
        name,
        stack["StackStatus"],
        {it["ParameterKey"]: it["ParameterValue"] for it in stack.get("Parameters", [])},
        {it["OutputKey"]: it["OutputValue"] for it in stack.get("Outputs", [])},
    )


def find(account: Account, name: str) -> ProviderStack:
    """Find the provider's stack; raises `CannotGoOn` if it does not exist or is not a provider."""
    stack = look_up(account, name)
    if stack is None:
        raise CannotGoOn(
            f"The stack {name} does not exist in account {account.id}, Region {account.region}. Run `make deploy`, or "
            "specify the provider's stack with STACK=..."
        )
    if not stack.is_provider:
        raise CannotGoOn(
            f"The stack {name} is {stack.status} and has no output ServiceToken, so it is not a deployed provider."
        )
    return stack
