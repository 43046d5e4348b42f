"""What the commands share: their command line, questions to the operator, and errors that end in a message."""

from __future__ import annotations

import argparse
import math
import sys
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PROVIDER = "neptune-ml-provider"
"""The default name of the provider's stack."""


class CannotGoOn(RuntimeError):
    """The command cannot continue; the message says why, and what to do. The exit code is 1."""


class WrongArguments(ValueError):
    """The arguments are missing or invalid; the message says what is expected. The exit code is 2."""


def parser(command: str, description: str, *, stack: bool = True) -> argparse.ArgumentParser:
    """Make the parser of a command, whose option `--stack` names the provider's stack."""
    made = argparse.ArgumentParser(prog=f"python -m operate.{command}", description=description, allow_abbrev=False)
    if stack:
        made.add_argument("--stack", default=PROVIDER, help="the provider's stack (%(default)s)")
    return made


def run(
    parser: argparse.ArgumentParser, arguments: Sequence[str] | None, command: Callable[[argparse.Namespace], int]
) -> int:
    """Run a command, and print its errors.

    Args:
        parser: Parses the command line.
        arguments: The command line, without the program's name; `None`: this process's.
        command: Does the work, and returns the exit code.

    Returns:
        The exit code: the command's own, 1 or 2 after an error, 130 if it was interrupted.
    """
    options = parser.parse_args(arguments)
    try:
        return command(options)
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


def number_of(variable: str, text: str, unit: str, least: float = 0.0, most: float = math.inf) -> float:
    """Parse a number; raises `WrongArguments` if it is not one from `least` to `most`."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and least <= number <= most):
        limits = f" from {least:g} to {most:g}" if most < math.inf else ""
        raise WrongArguments(f"{variable} is {text!r}; it should be a number of {unit}{limits}.")
    return number


def ask(question: str) -> str:
    """Return the operator's answer; raises `CannotGoOn` if standard input has ended."""
    try:
        return input(question).strip()
    except EOFError as error:
        print()
        raise CannotGoOn("Standard input ended before an answer. To run without questions, set YES=1.") from error


def confirm(question: str, *, default: bool = False) -> bool:
    """Ask a yes-or-no question until it is answered; an empty answer is the default."""
    while True:
        answer = ask(f"{question} [{'Y/n' if default else 'y/N'}] ").lower()
        if answer in ("", "y", "yes", "n", "no"):
            return answer.startswith("y") if answer else default
        print("Please answer y or n.")
