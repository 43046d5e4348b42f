"""The environment of what runs on this machine alone: without the user's AWS, and what else is meant for other work.

`python -m local.environment sam build` runs a program in it.
"""

from __future__ import annotations

import os
import sys

# Settings of AWS's clients, of SAM and of Powertools, which reads LOG_LEVEL, too.
_SET_ASIDE = ("AWS_", "LOG_LEVEL", "POWERTOOLS_", "SAM_")
_NO_AWS = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_DEFAULT_REGION": "us-east-1",  # SAM asks for one, though it goes nowhere
    "AWS_EC2_METADATA_DISABLED": "true",  # nor does anything wait for an answer of the network to that question
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "SAM_CLI_TELEMETRY": "0",
}
_NO_PROXY = ("NO_PROXY", "no_proxy")


def without_aws() -> dict[str, str]:
    """Make the environment of a process that has no AWS.

    Returns:
        The environment of this process, without what it says of AWS, SAM and Powertools; a proxy is for other machines.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_SET_ASIDE)}
    direct = ",".join([*filter(None, map(os.environ.get, _NO_PROXY)), "127.0.0.1", "localhost"])
    return kept | _NO_AWS | dict.fromkeys(_NO_PROXY, direct)


def leave_aws() -> None:
    """Have no AWS in this process, and in those that it starts."""
    kept = without_aws()
    os.environ.clear()
    os.environ.update(kept)


if __name__ == "__main__":
    os.execvpe(sys.argv[1], sys.argv[1:], without_aws())  # noqa: S606 - the Makefile names the program
