"""The table: every cell is measured, every verdict follows from what was measured."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from itertools import starmap
from statistics import median, quantiles
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bench.cold_start import ColdStart
    from bench.deletions import Deletion
    from bench.packages import Package

OURS, DEFAULTS, FASTEST = "ours", "defaults", "fastest"
_LEFT_OUT = "left out"

# The answer's target: half a second plus a tenth of the wait.
_LATE_SECONDS, _LATE_SHARE = 0.5, 0.1
# How far a job's time to stop is from that of its row, at most.
_ROW_SHARE = 0.1


@dataclass(frozen=True)
class Conditions:
    """What the table was measured on.

    Attributes:
        python: The version of the cold starts' interpreter.
        functions_python: That of the deletions' interpreter.
        machine: Its system, architecture and number of cores.
        runs: Cold starts of each package.
        jobs: Deletions of each kind.
        quick: Whether the slow rows were left out.
    """

    python: str
    functions_python: str
    machine: str
    runs: int
    jobs: int
    quick: bool

    @classmethod
    def of(cls, python: str, *, runs: int, jobs: int, quick: bool) -> Self:
        """Describe this machine.

        Args:
            python: The cold starts' interpreter.
            runs: Cold starts of each package.
            jobs: Deletions of each kind.
            quick: Whether the slow rows were left out.

        Returns:
            The conditions.
        """
        print_version = "import platform; print(platform.python_version())"
        done = subprocess.run([python, "-I", "-c", print_version], capture_output=True, text=True, check=True)
        cores = os.cpu_count() or 1
        machine = f"{platform.system()} {platform.machine()}, {cores} cores"
        return cls(done.stdout.strip(), platform.python_version(), machine, runs, jobs, quick)


@dataclass(frozen=True)
class Sizes:
    """The sizes of a package.

    Attributes:
        zipped: In bytes.
        unzipped: In bytes.
    """

    zipped: int
    unzipped: int

    @classmethod
    def of(cls, package: Package) -> Self:
        """Measure a package."""
        return cls(len(package.zipped()), package.size())


@dataclass(frozen=True)
class ColdStarts:
    """The cold starts of both packages.

    Attributes:
        bytecode: Whether both had the bytecode of all their modules.
        is_built_so: Whether that is how they are built.
        pairs: Ours and the baseline's, as they ran one after the other.
    """

    bytecode: bool
    is_built_so: bool
    pairs: Sequence[tuple[ColdStart, ...]]


@dataclass(frozen=True)
class _Row:
    measure: str
    ours: str
    ratios: tuple[str, str]
    target: str = ""
    is_met: bool | None = None

    def __str__(self) -> str:
        verdict = "" if self.is_met is None else "met" if self.is_met else "**missed**"
        return f"| {' | '.join((self.measure, self.ours, *self.ratios, self.target, verdict))} |"


def table(
    *,
    deletions: Sequence[Deletion],
    stop_seconds: Sequence[float],
    cold_starts: Iterable[ColdStarts],
    ours: Sizes,
    baseline: Sizes,
    conditions: Conditions,
) -> str:
    """Write the table.

    Args:
        deletions: All of them.
        stop_seconds: The times to stop that get rows, in seconds.
        cold_starts: With and without bytecode.
        ours: The sizes of our package.
        baseline: Those of the baseline's.
        conditions: What it was all measured on.

    Returns:
        Markdown, without a newline at its end.
    """
    rows = [
        *(_lateness(deletions, seconds) for seconds in stop_seconds),
        *(_calls(deletions, seconds) for seconds in stop_seconds),
        *(row for measured in cold_starts for row in _cold_start(measured)),
        _size("package, zipped", ours.zipped, baseline.zipped),
        _size("package, unzipped", ours.unzipped, baseline.unzipped),
    ]
    return "\n".join(
        [
            "| | ours | ÷ crhelper, its defaults | ÷ crhelper, its fastest settings | target | |",
            "|---|---|---|---|---|---|",
            *map(str, rows),
            "",
            *_notes(conditions),
        ]
    )


def _notes(conditions: Conditions) -> list[str]:
    quick = (
        ["Measured with `--quick`: without crhelper's defaults and without jobs that stop after 60 s.", ""]
        if conditions.quick
        else []
    )
    return [
        *quick,
        "A ratio is ours ÷ the baseline's, whose own value is in parentheses: below 1, ours is better. The defaults "
        "are `polling_interval=2, sleep_on_delete=120`, the fastest settings `polling_interval=1, sleep_on_delete=0`.",
        "",
        f"Deletions: medians of {conditions.jobs}, whose jobs stop within 5% of the row's time; ours met its target if "
        f"each did. In real time, in MiniStack, on Python {conditions.functions_python}. Cold starts: medians of "
        f"{conditions.runs} pairs of processes, in processor time, on Python {conditions.python}; [quartiles] of the "
        f"pairs' ratios. {conditions.machine}.",
    ]


def _of(deletions: Iterable[Deletion], function: str, seconds: float) -> list[Deletion]:
    return [
        it for it in deletions if it.function == function and abs(it.stop_seconds - seconds) <= seconds * _ROW_SHARE
    ]


def _compared(
    deletions: Sequence[Deletion], seconds: float, value: Callable[[Deletion], float], form: Callable[[float], str]
) -> tuple[str, tuple[str, str]]:
    """Write our median, and the ratios of the baselines' to it."""
    own = median(map(value, _of(deletions, OURS, seconds)))

    def ratio(baseline: str) -> str:
        values = [value(it) for it in _of(deletions, baseline, seconds)]
        return f"{own / median(values):.2g} ({form(median(values))})" if values else _LEFT_OUT

    return form(own), (ratio(DEFAULTS), ratio(FASTEST))


def _lateness(deletions: Sequence[Deletion], seconds: float) -> _Row:
    own, ratios = _compared(deletions, seconds, lambda it: it.late_seconds, _seconds)
    met = all(it.late_seconds <= _LATE_SECONDS + _LATE_SHARE * it.stop_seconds for it in _of(deletions, OURS, seconds))
    target = f"≤ {_LATE_SECONDS + _LATE_SHARE * seconds:.2g} s"
    return _Row(f"from the stop to the answer, job stops after {seconds:g} s", own, ratios, target, met)


def _calls(deletions: Sequence[Deletion], seconds: float) -> _Row:
    own, ratios = _compared(deletions, seconds, lambda it: it.calls, lambda value: f"{value:g}")
    return _Row(f"Neptune calls, job stops after {seconds:g} s", own, ratios)


def _cold_start(measured: ColdStarts) -> list[_Row]:
    kind = f"{'with' if measured.bytecode else 'without'} bytecode{', as built' if measured.is_built_so else ''}"

    def row(name: str, value: Callable[[ColdStart], float], form: Callable[[float], str], *, target: bool) -> _Row:
        values = [(value(ours), value(baseline)) for ours, baseline in measured.pairs]
        ours, baseline = (median(column) for column in zip(*values, strict=True))
        low, _, high = quantiles(starmap(lambda a, b: a / b, values), n=4)
        ratio = f"{ours / baseline:.2f} [{low:.2f} to {high:.2f}] ({form(baseline)})"
        is_judged = target and measured.is_built_so
        return _Row(
            f"{name}, {kind}",
            form(ours),
            (ratio, "same"),
            "ratio ≤ 1" if is_judged else "",
            ours <= baseline if is_judged else None,
        )

    return [
        row("cold start (import and init)", lambda it: it.import_seconds, _milliseconds, target=True),
        row("cold start to the first Neptune call", lambda it: it.first_call_seconds, _milliseconds, target=True),
        row("peak memory", lambda it: it.peak_kib, _mebibytes, target=False),
    ]


def _size(name: str, ours: int, baseline: int) -> _Row:
    return _Row(name, _megabytes(ours), (f"{ours / baseline:.2f} ({_megabytes(baseline)})", "same"))


def _seconds(value: float) -> str:
    return f"{value:.2f} s" if value < 10 else f"{value:.0f} s"  # noqa: PLR2004 - three digits will do


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def _mebibytes(kibibytes: float) -> str:
    return f"{kibibytes / 1024:.0f} MiB"


def _megabytes(size: float) -> str:
    return f"{size / 1e6:.1f} MB"
