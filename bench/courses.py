"""Deletions that would take too long in real time: ours played, the baseline's computed from its own settings."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.deletions import Deletion
    from bench.packages import Package

_ROOT = Path(__file__).parent.parent
_LONGEST_SECONDS = 120.0


class PlayError(RuntimeError):
    """A deletion could not be played; the message carries what the process wrote."""


@dataclass(frozen=True)
class Played:
    """A deletion that succeeded.

    Attributes:
        stop_seconds: How long the job took to stop, in seconds.
        late_seconds: From the job's stop to the answer, in seconds.
        calls: How many calls of Neptune it took.
        invocations: How many invocations of the function it took.
    """

    stop_seconds: float
    late_seconds: float
    calls: int
    invocations: int


@dataclass(frozen=True)
class Polling:
    """How the baseline waits, by crhelper's names and defaults.

    Attributes:
        polling_interval: From look to look, in minutes; an EventBridge rule invokes the function.
        sleep_on_delete: How long it sleeps before the answer, in seconds.
    """

    polling_interval: int = 2
    sleep_on_delete: int = 120

    def looks(self, stop_seconds: float) -> int:
        """Compute how often it looks at a job after the cancellation.

        Args:
            stop_seconds: How long the job takes to stop, in seconds.

        Returns:
            The number of its rule's invocations, if none of them is late.
        """
        return max(1, math.ceil(stop_seconds / (self.polling_interval * 60)))


DEFAULT_POLLING = Polling()
FASTEST_POLLING = Polling(polling_interval=1, sleep_on_delete=0)


@dataclass(frozen=True)
class OwnWork:
    """What invocations are billed for what they do, as measured in real time.

    Attributes:
        first: The first invocation, with its cold start; ours with its looks.
        later: One of the others; the baseline's without its sleep.
    """

    first: float
    later: float

    @classmethod
    def of(cls, deletions: Iterable[Deletion], sleep: float = 0.0) -> Self:
        """Measure it.

        Args:
            deletions: Of one function; those of a single invocation tell nothing.
            sleep: What the last invocation of each sleeps, in seconds.

        Returns:
            Median and mean.
        """
        waited = [it.invocations for it in deletions if len(it.invocations) > 1]
        later = sum(sum(it[1:]) - sleep for it in waited) / sum(len(it) - 1 for it in waited)
        return cls(median(it[0] for it in waited), later)

    def billed(self, invocations: int, sleep: float = 0.0) -> float:
        """Compute what a deletion is billed, in seconds.

        Args:
            invocations: How many it takes.
            sleep: What the last of them sleeps, in seconds.

        Returns:
            Seconds.
        """
        return self.first + (invocations - 1) * self.later + sleep


def play(package: Package, stop_seconds: Sequence[float]) -> list[Played]:
    """Play deletions with our package.

    Args:
        package: Our package.
        stop_seconds: How long the jobs take to stop, in seconds.

    Returns:
        The deletions.

    Raises:
        PlayError: One failed.
    """
    command = [sys.executable, "-m", "bench.player", *map(str, stop_seconds)]
    environment = {
        "PATH": os.defpath,
        "PYTHONPATH": os.pathsep.join((str(package.path), str(_ROOT))),
        "PYTHONDONTWRITEBYTECODE": "1",  # the package is measured, too
        "AWS_ACCESS_KEY_ID": "ASIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_REGION": "us-east-1",
        "POWERTOOLS_TRACE_DISABLED": "true",
    }
    try:
        done = subprocess.run(
            command,
            cwd=_ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=_LONGEST_SECONDS,
        )
    except subprocess.SubprocessError as error:
        raise PlayError(f"{error}:\n{getattr(error, 'stdout', '')}\n{getattr(error, 'stderr', '')}") from error
    return [Played(**it) for it in json.loads(done.stdout.splitlines()[-1])]
