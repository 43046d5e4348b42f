"""Ends a command that cannot do its work with a message instead of a stack trace."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Callable


class CannotGoOn(RuntimeError):
    """The command cannot continue; the message says why, and what to do. The exit code is 1."""


class WrongArguments(ValueError):
    """The arguments are missing or invalid; the message says what is expected. The exit code is 2."""


def minutes_of(text: str, least: float = 0.0, most: float = math.inf) -> float:
    """Parse the argument MINUTES.

    Args:
        text: The argument.
        least: The smallest number allowed.
        most: The largest number allowed.

    Returns:
        The number of minutes.

    Raises:
        WrongArguments: The argument is not a number in this range.
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
    """Run a command, and print its errors.

    Args:
        command: Does the work, and returns the exit code.

    Returns:
        The exit code: the command's own, 1 or 2 after an error, 130 if it was interrupted.
    """
    try:
        return command()
    except WrongArguments as error:
        print(error, file=sys.stderr)
        return 2
    except CannotGoOn as error:
        print(error, file=sys.stderr)
    except ClientError as error:
        print(f"AWS rejected the request. {error}", file=sys.stderr)
    except BotoCoreError as error:
        print(f"AWS could not be reached. {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("\nInterrupted.")
        return 130
    return 1
