"""The table of the results, and whether they meet their targets."""

from __future__ import annotations

import os
import platform
import subprocess
from itertools import starmap
from statistics import median, quantiles
from typing import TYPE_CHECKING, NamedTuple

from bench.courses import POLLINGS
from bench.deletions import DEFAULTS, FASTEST, MEMORY_MB, OURS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bench.cold_start import ColdStart
    from bench.deletions import Deletion
    from bench.packages import Sizes

WITHOUT_BYTECODE, AS_BUILT = "without bytecode", "with bytecode, as built"

# The target for the answer: one second plus a tenth of the wait.
_LATE_SECONDS, _LATE_SHARE = 1.0, 0.1
# The targets for the billed seconds and for the calls, by the seconds in which the job stops.
_BILLED_TARGETS = {300.0: 4.0}
_CALLS_TARGETS = {900.0: 70}
# The target for the first call of Neptune, as a ratio to the baseline's.
_FIRST_CALL_RATIO = 1.2
_ZIPPED_BYTES = 5_000_000
# The largest difference between a job's time to stop and that of its row.
_ROW_SHARE = 0.1


class _Measure(NamedTuple):
    """A measure of a deletion, with its target by the job's time to stop."""

    name: str
    value: Callable[[Deletion], float | None]
    form: Callable[[float], str]
    target: Callable[[float], float | None]
    unit: str = " s"


def table(
    deletions: Sequence[Deletion],
    stop_seconds: Sequence[float],
    cold_starts: Mapping[str, Sequence[Sequence[ColdStart]]],
    sizes: tuple[Sizes, Sizes],
    python: str,
) -> str:
    """Write the table.

    Args:
        deletions: The measured and the played deletions.
        stop_seconds: The jobs' times to stop that have rows, in seconds, besides those of the played deletions.
        cold_starts: Our cold starts and the baseline's, with and without bytecode.
        sizes: The sizes of our package and the baseline's.
        python: The interpreter of the cold starts.

    Returns:
        Markdown, without a newline at its end.
    """
    measures = (
        _Measure("from the job's stop to the response", lambda it: it.late_seconds, _seconds, _latest),
        _Measure("billed", lambda it: sum(it.invocations), _billed_seconds, _BILLED_TARGETS.get),
        _Measure("Neptune calls", lambda it: it.calls, _number, _CALLS_TARGETS.get, ""),
    )
    played = sorted({it.stop_seconds for it in deletions if it.is_played})
    rows = [
        *(
            _of_deletions(measure, seconds, [it for it in deletions if it.is_played is is_played])
            for measure in measures
            for is_played, times in ((False, stop_seconds), (True, played))
            for seconds in times
        ),
        *(row for kind, starts in cold_starts.items() for row in _of_cold_starts(kind, starts)),
        _of_sizes("package, zipped", [it.zipped for it in sizes], _ZIPPED_BYTES),
        _of_sizes("package, unzipped", [it.unzipped for it in sizes]),
    ]
    return "\n".join(
        [
            "| | provider | ÷ crhelper, its defaults | ÷ crhelper, its fastest settings | target | |",
            "|---|---|---|---|---|---|",
            *(f"| {' | '.join(row)} |" for row in rows),
            "",
            *_notes(deletions, stop_seconds, len(cold_starts[AS_BUILT][0]), python),
        ]
    )


def _notes(deletions: Sequence[Deletion], stop_seconds: Sequence[float], runs: int, python: str) -> list[str]:
    print_version = "import platform; print(platform.python_version())"
    version = subprocess.run([python, "-I", "-c", print_version], capture_output=True, text=True, check=True).stdout
    ours = [it for it in deletions if it.function == OURS]
    jobs = sum(not it.is_played for it in ours) // len(stop_seconds)
    plays = sum(it.is_played for it in ours) // len({it.stop_seconds for it in ours if it.is_played})
    defaults, fastest = (
        f"`polling_interval={it.polling_interval}, sleep_on_delete={it.sleep_on_delete}`" for it in POLLINGS.values()
    )
    return [
        "A ratio is the provider's value divided by crhelper's, which is in parentheses. "
        f"The defaults are {defaults}; the fastest settings are {fastest}.",
        "",
        f"**Deletions** run in real time in MiniStack, on Python {platform.python_version()}. The values are medians "
        f"of {jobs} deletions whose jobs stop within 5% of the row's time; a target is met if every deletion of the "
        "provider meets it. The billed time is the sum of all invocations of a deletion, including cold starts, as in "
        f"Lambda's `REPORT` lines. Both functions have {MEMORY_MB} MB, and here a whole core; Lambda gives "
        f"{MEMORY_MB} MB about a seventh of one.",
        "",
        f"**Played** deletions have a simulated clock, cluster and queue. The values are medians of {plays} deletions. "
        "They count calls and invocations; the billed time assumes that each invocation takes as long as in real time: "
        "the first ones their median, the later ones their mean. crhelper's values are computed from its settings in "
        "the same way, as if its rules always fired on time.",
        "",
        f"**Cold starts** are medians of {runs} processes each, in processor time, on Python {version.strip()}, with "
        f"the [quartiles] of the ratios. Machine: {platform.system()} {platform.machine()}, "
        f"{os.cpu_count() or 1} cores.",
    ]


def _of_deletions(measure: _Measure, seconds: float, deletions: Sequence[Deletion]) -> Sequence[str]:
    there = [it for it in deletions if abs(it.stop_seconds - seconds) <= seconds * _ROW_SHARE]

    def values(function: str) -> list[float]:
        return [value for it in there if it.function == function and (value := measure.value(it)) is not None]

    own = median(values(OURS))
    ratios = [
        f"{own / median(baseline):.2g} ({measure.form(median(baseline))})" if (baseline := values(name)) else ""
        for name in (DEFAULTS, FASTEST)
    ]
    target, verdict = measure.target(seconds), ""
    if target is not None:
        limits = [measure.target(it.stop_seconds) or 0.0 for it in there if it.function == OURS]
        verdict = _verdict(is_met=all(starmap(float.__le__, zip(map(float, values(OURS)), limits, strict=True))))
    played = " (played)" if there[0].is_played else ""
    shown = "" if target is None else f"≤ {target:.2g}{measure.unit}"
    return f"{measure.name}, job stops after {seconds:g} s{played}", measure.form(own), *ratios, shown, verdict


def _latest(stop_seconds: float) -> float:
    return _LATE_SECONDS + _LATE_SHARE * stop_seconds


def _of_cold_starts(kind: str, starts: Sequence[Sequence[ColdStart]]) -> Iterator[Sequence[str]]:
    def row(name: str, value: Callable[[ColdStart], float], form: Callable[[float], str]) -> Sequence[str]:
        pairs = [(value(ours), value(baseline)) for ours, baseline in zip(*starts, strict=True)]
        ours, baseline = (median(column) for column in zip(*pairs, strict=True))
        low, _, high = quantiles(starmap(lambda a, b: a / b, pairs), n=4)
        ratio = f"{ours / baseline:.2f} [{low:.2f} to {high:.2f}] ({form(baseline)})"
        target, verdict = "", ""
        if kind == AS_BUILT and "first" in name:
            target, verdict = f"ratio ≤ {_FIRST_CALL_RATIO:g}", _verdict(is_met=ours / baseline <= _FIRST_CALL_RATIO)
        return f"{name}, {kind}", form(ours), ratio, "same", target, verdict

    yield row("cold start (import and init)", lambda it: it.import_seconds, _milliseconds)
    yield row("cold start to the first Neptune call", lambda it: it.first_call_seconds, _milliseconds)
    yield row("peak memory", lambda it: it.peak_kib, lambda kibibytes: f"{kibibytes / 1024:.0f} MiB")


def _of_sizes(name: str, sizes: Sequence[int], target: int | None = None) -> Sequence[str]:
    ours, baseline = sizes
    shown, ratio = f"{ours / 1e6:.1f} MB", f"{ours / baseline:.2f} ({baseline / 1e6:.1f} MB)"
    if target is None:
        return name, shown, ratio, "same", "", ""
    return name, shown, ratio, "same", f"≤ {target / 1e6:g} MB", _verdict(is_met=ours <= target)


def _verdict(*, is_met: bool) -> str:
    return "met" if is_met else "**missed**"


def _number(value: float) -> str:
    return f"{value:g}"


def _billed_seconds(value: float) -> str:
    return f"{_seconds(value)}, {value * MEMORY_MB / 1024:.2g} GB-s"


def _seconds(value: float) -> str:
    return f"{value:.2f} s" if value < 10 else f"{value:.0f} s"  # noqa: PLR2004 - three digits will do


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
