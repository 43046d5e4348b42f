"""How a command ends that cannot do what it should: with a sentence, not with a stack trace."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Callable


class CannotGoOn(RuntimeError):
    """The command ends here; the message says why and what to do. The exit code is 1."""


class WrongArguments(ValueError):
    """The command cannot do what it is told to; the message says what would be right. The exit code is 2."""


def minutes_of(text: str, least: float = 0.0, most: float = math.inf) -> float:
    """Read the argument MINUTES.

    Args:
        text: What was given.
        least: The fewest minutes that it may be.
        most: The most.

    Returns:
        The minutes.

    Raises:
        WrongArguments: It is no number of minutes.
    """
    try:
        minutes = float(text)
    except ValueError:
        minutes = math.nan
    if not (math.isfinite(minutes) and least <= minutes <= most):
        limits = f" from {least:g} to {most:g}" if most < math.inf else ""
        raise WrongArguments(f"MINUTES is {text!r}; it should be a number of minutes{limits}.")
    return minutes


def run(command: Callable[[], int]) -> int:
    """Run a command.

    Args:
        command: Does it, and returns the exit code.

    Returns:
        The exit code; 130 if it was interrupted.
    """
    try:
        return command()
    except WrongArguments as error:
        print(error, file=sys.stderr)
        return 2
    except CannotGoOn as error:
        print(error, file=sys.stderr)
    except ClientError as error:
        print(f"AWS refused it. {error}", file=sys.stderr)
    except BotoCoreError as error:
        print(f"AWS could not be asked. {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("\nInterrupted.")
        return 130
    return 1
