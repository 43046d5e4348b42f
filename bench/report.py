"""The table: every cell is measured, every verdict follows from what was measured."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from itertools import starmap
from statistics import median, quantiles
from typing import TYPE_CHECKING, Self

from bench.courses import DEFAULT_POLLING, FASTEST_POLLING, OwnWork
from bench.deletions import MEMORY_MB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bench.cold_start import ColdStart
    from bench.courses import Played, Polling
    from bench.deletions import Deletion
    from bench.packages import Package

OURS, DEFAULTS, FASTEST = "ours", "defaults", "fastest"
_LEFT_OUT = "left out"

# The answer's target: a second plus a tenth of the wait.
_LATE_SECONDS, _LATE_SHARE = 1.0, 0.1
# Of a job that stops after so many seconds, at most so many billed; and so many calls.
_BILLED_TARGETS = {300.0: 4.0}
_CALLS_TARGETS = {900.0: 70}
# Of the baseline's cold start to its first call of Neptune.
_FIRST_CALL_RATIO = 1.2
_ZIPPED_BYTES = 5_000_000
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
        plays: Those that were played.
        quick: Whether the slow rows were left out.
    """

    python: str
    functions_python: str
    machine: str
    runs: int
    jobs: int
    plays: int
    quick: bool

    @classmethod
    def of(cls, python: str, *, runs: int, jobs: int, plays: int, quick: bool) -> Self:
        """Describe this machine.

        Args:
            python: The cold starts' interpreter.
            runs: Cold starts of each package.
            jobs: Deletions of each kind.
            plays: Those that were played.
            quick: Whether the slow rows were left out.

        Returns:
            The conditions.
        """
        print_version = "import platform; print(platform.python_version())"
        done = subprocess.run([python, "-I", "-c", print_version], capture_output=True, text=True, check=True)
        cores = os.cpu_count() or 1
        machine = f"{platform.system()} {platform.machine()}, {cores} cores"
        return cls(done.stdout.strip(), platform.python_version(), machine, runs, jobs, plays, quick)


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
        rounds: Ours and the baseline's, as they ran one after the other.
    """

    bytecode: bool
    is_built_so: bool
    rounds: Sequence[tuple[ColdStart, ColdStart]]


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
    played: Sequence[Played],
    cold_starts: Iterable[ColdStarts],
    ours: Sizes,
    baseline: Sizes,
    conditions: Conditions,
) -> str:
    """Write the table.

    Args:
        deletions: All of them.
        stop_seconds: The times to stop that get rows, in seconds.
        played: Deletions with ours that were played; each of their times to stop gets rows, too.
        cold_starts: With and without bytecode.
        ours: The sizes of our package.
        baseline: Those of the baseline's.
        conditions: What it was all measured on.

    Returns:
        Markdown, without a newline at its end.
    """
    played_seconds = sorted({it.stop_seconds for it in played})
    rows = [
        *(_lateness(deletions, seconds) for seconds in stop_seconds),
        *(_lateness_played(played, seconds) for seconds in played_seconds),
        *(_billed(deletions, seconds) for seconds in stop_seconds),
        *(_billed_played(deletions, played, seconds) for seconds in played_seconds),
        *(_calls(deletions, seconds) for seconds in stop_seconds),
        *(_calls_played(played, seconds) for seconds in played_seconds),
        *(row for measured in cold_starts for row in _cold_start(measured)),
        _size("package, zipped", ours.zipped, baseline.zipped, _ZIPPED_BYTES),
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
        f"are `{_settings(DEFAULT_POLLING)}`, the fastest settings `{_settings(FASTEST_POLLING)}`.",
        "",
        f"Deletions: medians of {conditions.jobs}, whose jobs stop within 5% of the row's time; ours met its target if "
        f"each did. In real time, in MiniStack, on Python {conditions.functions_python}. Billed are the seconds of all "
        "of a deletion's invocations, as Lambda's `REPORT` lines have them (here MiniStack's), its cold starts "
        f"included; GB-s are for the {MEMORY_MB} MB that both have. Their own work has a whole core here; Lambda gives "
        f"{MEMORY_MB} MB about a seventh of one.",
        "",
        f"Played: medians of {conditions.plays} deletions by our code on a clock that is advanced by hand, against the "
        "simulated cluster over HTTP, with a queue in memory; ours met its target if each did. They give the calls and "
        "the invocations; an invocation is billed as those in real time were (the median of first ones, the mean of "
        "later ones). The baseline's are computed from its settings in the same way, with rules that are never late.",
        "",
        f"Cold starts: medians of {conditions.runs} rounds of processes, in processor time, on Python "
        f"{conditions.python}; [quartiles] of the rounds' ratios. {conditions.machine}.",
    ]


def _settings(polling: Polling) -> str:
    return f"polling_interval={polling.polling_interval}, sleep_on_delete={polling.sleep_on_delete}"


def _of(deletions: Iterable[Deletion], function: str, seconds: float) -> list[Deletion]:
    return [
        it for it in deletions if it.function == function and abs(it.stop_seconds - seconds) <= seconds * _ROW_SHARE
    ]


def _against(own: float, baseline: float | None, form: Callable[[float], str]) -> str:
    return _LEFT_OUT if baseline is None else f"{own / baseline:.2g} ({form(baseline)})"


def _compared(
    deletions: Sequence[Deletion], seconds: float, value: Callable[[Deletion], float], form: Callable[[float], str]
) -> tuple[str, tuple[str, str]]:
    """Write our median, and the ratios of the baselines' to it."""
    own = median(map(value, _of(deletions, OURS, seconds)))

    def ratio(baseline: str) -> str:
        values = [value(it) for it in _of(deletions, baseline, seconds)]
        return _against(own, median(values) if values else None, form)

    return form(own), (ratio(DEFAULTS), ratio(FASTEST))


def _lateness(deletions: Sequence[Deletion], seconds: float) -> _Row:
    own, ratios = _compared(deletions, seconds, lambda it: it.late_seconds, _seconds)
    met = all(it.late_seconds <= _latest(it.stop_seconds) for it in _of(deletions, OURS, seconds))
    target = f"≤ {_latest(seconds):.2g} s"
    return _Row(f"from the stop to the answer, job stops after {seconds:g} s", own, ratios, target, met)


def _lateness_played(played: Iterable[Played], seconds: float) -> _Row:
    values = [it.late_seconds for it in played if it.stop_seconds == seconds]

    return _Row(
        f"from the stop to the answer, job stops after {seconds:g} s (played)",
        _seconds(median(values)),
        ("", ""),
        f"≤ {_latest(seconds):.2g} s",
        max(values) <= _latest(seconds),
    )


def _latest(stop_seconds: float) -> float:
    return _LATE_SECONDS + _LATE_SHARE * stop_seconds


def _calls(deletions: Sequence[Deletion], seconds: float) -> _Row:
    own, ratios = _compared(deletions, seconds, lambda it: it.calls, _number)
    return _Row(f"Neptune calls, job stops after {seconds:g} s", own, ratios)


def _billed(deletions: Sequence[Deletion], seconds: float) -> _Row:
    own, ratios = _compared(deletions, seconds, lambda it: it.billed_seconds, _billed_seconds)
    return _Row(f"billed, job stops after {seconds:g} s", own, ratios)


def _billed_played(deletions: Sequence[Deletion], played: Iterable[Played], seconds: float) -> _Row:
    def work(function: str, sleep: float = 0.0) -> OwnWork:
        return OwnWork.of([it for it in deletions if it.function == function], sleep)

    def baseline(function: str, polling: Polling) -> float | None:
        if all(it.function != function for it in deletions):
            return None
        return work(function, polling.sleep_on_delete).billed(1 + polling.looks(seconds), polling.sleep_on_delete)

    own_work = work(OURS)
    values = [own_work.billed(it.invocations) for it in played if it.stop_seconds == seconds]
    own = median(values)
    target = _BILLED_TARGETS.get(seconds)
    return _Row(
        f"billed, job stops after {seconds:g} s (played)",
        _billed_seconds(own),
        (
            _against(own, baseline(DEFAULTS, DEFAULT_POLLING), _billed_seconds),
            _against(own, baseline(FASTEST, FASTEST_POLLING), _billed_seconds),
        ),
        f"≤ {target:g} s" if target else "",
        max(values) <= target if target else None,
    )


def _calls_played(played: Iterable[Played], seconds: float) -> _Row:
    values = [it.calls for it in played if it.stop_seconds == seconds]
    own = median(values)
    target = _CALLS_TARGETS.get(seconds)
    return _Row(
        f"Neptune calls, job stops after {seconds:g} s (played)",
        _number(own),
        (
            _against(own, 1 + DEFAULT_POLLING.looks(seconds), _number),
            _against(own, 1 + FASTEST_POLLING.looks(seconds), _number),
        ),
        f"≤ {target}" if target else "",
        max(values) <= target if target else None,
    )


def _cold_start(measured: ColdStarts) -> list[_Row]:
    kind = f"{'with' if measured.bytecode else 'without'} bytecode{', as built' if measured.is_built_so else ''}"

    def row(
        name: str, value: Callable[[ColdStart], float], form: Callable[[float], str], target: float | None = None
    ) -> _Row:
        ratio, text = _ratio([(value(ours), value(baseline)) for ours, baseline in measured.rounds], form)
        own = form(median(value(ours) for ours, _ in measured.rounds))
        if target is None or not measured.bytecode:
            return _Row(f"{name}, {kind}", own, (text, "same"))
        return _Row(f"{name}, {kind}", own, (text, "same"), f"ratio ≤ {target:g}", ratio <= target)

    return [
        row("cold start (import and init)", lambda it: it.import_seconds, _milliseconds),
        row("cold start to the first Neptune call", lambda it: it.first_call_seconds, _milliseconds, _FIRST_CALL_RATIO),
        row("peak memory", lambda it: it.peak_kib, _mebibytes),
    ]


def _ratio(pairs: Sequence[tuple[float, float]], form: Callable[[float], str]) -> tuple[float, str]:
    """Compute the ratio of the medians, and write it with the quartiles of the pairs' and the second's median."""
    first, second = (median(column) for column in zip(*pairs, strict=True))
    low, _, high = quantiles(starmap(lambda a, b: a / b, pairs), n=4)
    return first / second, f"{first / second:.2f} [{low:.2f} to {high:.2f}] ({form(second)})"


def _size(name: str, ours: int, baseline: int, target: int | None = None) -> _Row:
    return _Row(
        name,
        _megabytes(ours),
        (f"{ours / baseline:.2f} ({_megabytes(baseline)})", "same"),
        f"≤ {target / 1e6:g} MB" if target else "",
        ours <= target if target else None,
    )


def _number(value: float) -> str:
    return f"{value:g}"


def _billed_seconds(value: float) -> str:
    return f"{_seconds(value)}, {value * MEMORY_MB / 1024:.2g} GB-s"


def _seconds(value: float) -> str:
    return f"{value:.2f} s" if value < 10 else f"{value:.0f} s"  # noqa: PLR2004 - three digits will do


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def _mebibytes(kibibytes: float) -> str:
    return f"{kibibytes / 1024:.0f} MiB"


def _megabytes(size: float) -> str:
    return f"{size / 1e6:.1f} MB"
