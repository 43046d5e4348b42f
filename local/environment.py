"""The environment of what runs on this machine alone: without the user's AWS, and without settings of SAM.

`python -m local.environment sam build` runs a program in it.
"""

from __future__ import annotations

import os
import sys

_SET_ASIDE = ("AWS_", "SAM_")
_NO_AWS = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_DEFAULT_REGION": "us-east-1",  # SAM asks for one, though it goes nowhere
    "AWS_EC2_METADATA_DISABLED": "true",  # nor does anything wait for an answer of the network to that question
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "SAM_CLI_TELEMETRY": "0",
}


def without_aws() -> dict[str, str]:
    """Make the environment of a process that has no AWS.

    Returns:
        The environment of this process, without what it says of AWS and SAM.
    """
    return {name: value for name, value in os.environ.items() if not name.startswith(_SET_ASIDE)} | _NO_AWS


def leave_aws() -> None:
    """Have no AWS in this process, and in those that it starts."""
    kept = without_aws()
    os.environ.clear()
    os.environ.update(kept)


if __name__ == "__main__":
    os.execvpe(sys.argv[1], sys.argv[1:], without_aws())  # noqa: S606 - the Makefile names the program
