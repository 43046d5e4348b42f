"""How a command ends that cannot do what it should: with a sentence, not with a stack trace."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Callable


class CannotGoOn(RuntimeError):
    """The command ends here; the message says why and what to do. The exit code is 1."""


class WrongArguments(ValueError):
    """The command cannot do what it is told to; the message says what would be right. The exit code is 2."""


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
