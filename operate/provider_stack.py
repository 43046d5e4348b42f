"""The deployed provider, as its stack tells of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from operate.command import CannotGoOn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from operate.account import Account

DEFAULT_NAME = "neptune-ml-provider"


class NoProvider(CannotGoOn):
    """There is no such stack, or it is no provider; the message says what to do."""


@dataclass(frozen=True)
class ProviderStack:
    """The stack of a provider, or what has its name.

    Attributes:
        name: Its name.
        status: Its status.
        parameters: Its parameters.
        outputs: Its outputs; none while it has not been created.
    """

    name: str
    status: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]

    @property
    def version(self) -> str:
        """The provider's version."""
        return self.outputs.get("Version", "unknown")

    @property
    def is_provider(self) -> bool:
        """Whether it is one, rather than a stack of something else that has the name."""
        return "ServiceToken" in self.outputs


def look_up(account: Account, name: str) -> ProviderStack | None:
    """Look a provider's stack up.

    Args:
        account: Where it is.
        name: The stack's name.

    Returns:
        The stack; `None` if there is none of that name.
    """
    try:
        (stack,) = account.session.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if "does not exist" in error.response["Error"]["Message"]:
            return None
        raise
    if stack["StackStatus"] == "REVIEW_IN_PROGRESS":  # a change set that nobody has carried out
        return None
    return ProviderStack(
        name,
        stack["StackStatus"],
        {it["ParameterKey"]: it["ParameterValue"] for it in stack.get("Parameters", [])},
        {it["OutputKey"]: it["OutputValue"] for it in stack.get("Outputs", [])},
    )


def find(account: Account, name: str) -> ProviderStack:
    """Find the provider.

    Args:
        account: Where it is.
        name: The stack's name.

    Returns:
        The stack.

    Raises:
        NoProvider: There is none.
    """
    stack = look_up(account, name)
    if stack is None:
        raise NoProvider(
            f"There is no stack {name} in account {account.id}, Region {account.region}: run `make deploy`, or name "
            "the provider's stack with STACK=..."
        )
    if not stack.is_provider:
        raise NoProvider(
            f"The stack {name} is {stack.status}, and has no output ServiceToken: it is no provider (yet)."
        )
    return stack
