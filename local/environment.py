"""An environment without the user's AWS, for programs that use this machine only.

`python -m local.environment sam build` runs a program in it.
"""

from __future__ import annotations

import os
import sys

# The settings of AWS's clients, SAM and Powertools, which also reads LOG_LEVEL.
_SET_ASIDE = ("AWS_", "LOG_LEVEL", "POWERTOOLS_", "SAM_")
_NO_AWS = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_DEFAULT_REGION": "us-east-1",  # SAM requires one, although it contacts none
    "AWS_EC2_METADATA_DISABLED": "true",  # nothing waits for the network to provide credentials
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "SAM_CLI_TELEMETRY": "0",
}
_NO_PROXY = ("NO_PROXY", "no_proxy")


def without_aws() -> dict[str, str]:
    """Make the environment of a process without AWS.

    Returns:
        The environment of this process without its settings for AWS, SAM and Powertools. This machine is reached
        without a proxy.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_SET_ASIDE)}
    direct = ",".join([*filter(None, map(os.environ.get, _NO_PROXY)), "127.0.0.1", "localhost"])
    return kept | _NO_AWS | dict.fromkeys(_NO_PROXY, direct)


def leave_aws() -> None:
    """Remove the settings for AWS from the environment of this process and its children."""
    kept = without_aws()
    os.environ.clear()
    os.environ.update(kept)


if __name__ == "__main__":
    os.execvpe(sys.argv[1], sys.argv[1:], without_aws())  # noqa: S606 - the Makefile names the program
