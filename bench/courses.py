"""Deletions that would take too long in real time: ours are played, the baseline's computed from its settings."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from bench.deletions import DEFAULTS, FASTEST, OURS, Deletion

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.packages import Package

_ROOT = Path(__file__).parent.parent
_LONGEST_SECONDS = 120.0


class Played(NamedTuple):
    """A played deletion.

    Attributes:
        stop_seconds: The time that the job took to stop.
        late_seconds: The time from the job's stop to the answer.
        calls: The number of calls of Neptune.
        invocations: The number of invocations of the function.
    """

    stop_seconds: float
    late_seconds: float
    calls: int
    invocations: int


@dataclass(frozen=True)
class Polling:
    """The baseline's settings, with crhelper's names and defaults.

    Attributes:
        polling_interval: The interval of the EventBridge rule that invokes the function, in minutes.
        sleep_on_delete: How long it sleeps before the answer, in seconds.
    """

    polling_interval: int = 2
    sleep_on_delete: int = 120

    def looks(self, stop_seconds: float) -> int:
        """Return how often it looks at a job after the cancellation, if its rule is never late."""
        return max(1, math.ceil(stop_seconds / (self.polling_interval * 60)))


POLLINGS = {DEFAULTS: Polling(), FASTEST: Polling(polling_interval=1, sleep_on_delete=0)}
"""The settings of the baselines."""


def play(package: Package, stop_seconds: Sequence[float]) -> list[Played]:
    """Play deletions by our package, of jobs that take so many seconds to stop."""
    environment = {
        "PATH": os.defpath,
        "PYTHONPATH": os.pathsep.join((str(package.path), str(_ROOT))),
        "PYTHONDONTWRITEBYTECODE": "1",  # the package is measured, too
        "AWS_ACCESS_KEY_ID": "ASIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_REGION": "us-east-1",
        "POWERTOOLS_TRACE_DISABLED": "true",
    }
    done = subprocess.run(
        [sys.executable, "-m", "bench.player", *map(str, stop_seconds)],
        cwd=_ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=_LONGEST_SECONDS,
    )
    return [Played(*it) for it in json.loads(done.stdout.splitlines()[-1])]


def billed(played: Iterable[Played], measured: Sequence[Deletion]) -> list[Deletion]:
    """Bill the played deletions, and the baselines', like the measured ones."""
    made = []
    for it in played:
        made.append(_deletion(OURS, it.stop_seconds, it.calls, it.invocations, measured, late_seconds=it.late_seconds))
        for name, polling in POLLINGS.items():
            calls = 1 + polling.looks(it.stop_seconds)
            made.append(_deletion(name, it.stop_seconds, calls, calls, measured, sleep=polling.sleep_on_delete))
    return made


def _deletion(
    function: str,
    stop_seconds: float,
    calls: int,
    invocations: int,
    measured: Iterable[Deletion],
    *,
    late_seconds: float | None = None,
    sleep: float = 0.0,
) -> Deletion:
    """Bill the first invocation as the measured median, and each later one as the measured mean without sleep."""
    waited = [it.invocations for it in measured if it.function == function and len(it.invocations) > 1]
    later = sum(sum(it[1:]) - sleep for it in waited) / sum(len(it) - 1 for it in waited)
    seconds = (median(it[0] for it in waited), *[later] * (invocations - 2), later + sleep)
    return Deletion(function, stop_seconds, late_seconds, calls, seconds, is_played=True)
