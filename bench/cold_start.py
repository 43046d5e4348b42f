"""Cold starts: each in a process of its own, in turns, so that other load on the machine affects both packages."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.packages import Package

_PROBE = Path(__file__).parent / "probe.py"
_LONGEST_SECONDS = 60.0
# Only the standard library and the package; no bytecode is written, as on Lambda's read-only file system.
_FLAGS = ("-I", "-S", "-B")
# The variables that Lambda and our template set.
_ENVIRONMENT: Mapping[str, str] = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "en_US.UTF-8",
    "TZ": ":UTC",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "ASIAEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "example",
    "AWS_SESSION_TOKEN": "example",
    "AWS_LAMBDA_FUNCTION_NAME": "provider",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    "AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/01/[$LATEST]0123456789abcdef",
    "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
    "LAMBDA_TASK_ROOT": "/var/task",
    "_X_AMZN_TRACE_ID": "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
    "ALLOWED_HOSTS": "127.0.0.1",
    "RESPONSE_HOSTS": "127.0.0.1",
    "WAITING_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/waiting",
    "JOURNAL_TABLE": "journal",
    "POWERTOOLS_LOG_LEVEL": "INFO",
}


@dataclass(frozen=True)
class ColdStart:
    """One cold start.

    Attributes:
        import_seconds: From the beginning of the import to its end, in seconds of processor time.
        first_call_seconds: From the beginning of the import to the first call of Neptune, likewise.
        peak_kib: The peak memory by then, in KiB.
    """

    import_seconds: float
    first_call_seconds: float
    peak_kib: int


def measure(packages: Sequence[Package], python: str, runs: int) -> list[list[ColdStart]]:
    """Start each package's function so many times, in turns, and once before: that fills the disk's cache.

    Returns for each package its cold starts; those of the same index ran one after another.
    """
    rounds = [[_start(package, python) for package in packages] for _ in range(runs + 1)]
    return [list(starts) for starts in zip(*rounds[1:], strict=True)]


def _start(package: Package, python: str) -> ColdStart:
    command = [python, *_FLAGS, str(_PROBE), str(package.path), package.handler, package.physical_id]
    done = subprocess.run(
        command, env=_ENVIRONMENT, stdout=subprocess.PIPE, text=True, check=True, timeout=_LONGEST_SECONDS
    )
    return ColdStart(**json.loads(done.stdout.splitlines()[-1]))
