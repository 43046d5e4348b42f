"""Measure the provider against the baseline and print one Markdown table.

Example:
    $ python -m bench --write docs/benchmarks.md
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from bench import cold_start, courses, deletions, packages, report
from bench.report import Conditions
from local.environment import leave_aws
from local.ministack import MiniStack
from local.response_host import ResponseHost, make_tls
from simulator import Simulator

# For each time to stop several jobs, that no lucky moment between two looks decides.
_STOP_SECONDS = (1.0, 10.0, 60.0)
_SPREAD = (0.95, 1.0, 1.05)
_QUICK_STOP_SECONDS = (1.0, 10.0)
_PLAYED_SECONDS = (300.0, 900.0)
_PLAYS = 5
_RUNS = 20

_OURS, _DEFAULTS, _FASTEST = report.OURS, report.DEFAULTS, report.FASTEST
_GENERATED = re.compile(r"(?<=<!-- generated: bench -->\n).*?(?=<!-- end of bench -->)", re.S)


def main() -> None:
    """Run the benchmark that the command line asks for."""
    arguments = _arguments()
    leave_aws()
    began = time.monotonic()
    python = packages.find_python(arguments.python)
    stops = _QUICK_STOP_SECONDS if arguments.quick else _STOP_SECONDS
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        directory = Path(temporary)
        _say("Building both packages ...")
        ours, baseline = (
            packages.build_ours(directory / "ours", python),
            packages.build_baseline(directory / "baseline", python),
        )
        _say("Playing the deletions that take minutes ...")
        played = courses.play(ours, _PLAYED_SECONDS * _PLAYS)
        _say(f"Starting each {2 * (arguments.runs + 1)} times ...")
        cold = _cold_starts(ours, baseline, directory, python, arguments.runs)
        _say("Deleting, in real time ...")
        deleted = _deletions(ours, baseline, directory, stops, quick=arguments.quick)
        table = report.table(
            deletions=deleted,
            stop_seconds=stops,
            played=played,
            cold_starts=cold,
            ours=report.Sizes.of(ours),
            baseline=report.Sizes.of(baseline),
            conditions=Conditions.of(
                python,
                runs=arguments.runs,
                jobs=len(_SPREAD),
                plays=_PLAYS,
                quick=arguments.quick,
            ),
        )
    print(table)
    if arguments.output:
        arguments.output.write_text(f"{table}\n")
    if arguments.write:
        arguments.write.write_text(inserted(table, arguments.write.read_text()))
    _say(f"Took {time.monotonic() - began:.0f} s.")


def _cold_starts(
    ours: packages.Package, baseline: packages.Package, directory: Path, python: str, runs: int
) -> list[report.ColdStarts]:
    pairs = {
        False: [it.without_bytecode(directory / f"source-{n}") for n, it in enumerate((ours, baseline))],
        True: [it.with_bytecode(directory / f"bytecode-{n}", python) for n, it in enumerate((ours, baseline))],
    }
    return [
        report.ColdStarts(
            bytecode=bytecode,
            is_built_so=ours.has_bytecode() is bytecode,
            rounds=tuple(zip(*cold_start.measure(pair, python, runs), strict=True)),
        )
        for bytecode, pair in pairs.items()
    ]


def _deletions(
    ours: packages.Package, baseline: packages.Package, directory: Path, stops: tuple[float, ...], *, quick: bool
) -> list[deletions.Deletion]:
    seconds = [stop * factor for stop in stops for factor in _SPREAD]
    authority = directory / "authority.pem"
    with (
        Simulator() as simulator,
        ResponseHost(tls=make_tls(authority)) as responses,
        MiniStack() as ministack,
    ):
        endpoint = {"NEPTUNE_ENDPOINT": simulator.url}
        fastest = {**endpoint, "CRHELPER_SETTINGS": json.dumps(asdict(courses.FASTEST_POLLING))}
        hosts = {"ALLOWED_HOSTS": "127.0.0.1", "RESPONSE_HOSTS": "127.0.0.1"}
        functions = [
            deletions.Function(_DEFAULTS, baseline, endpoint),
            deletions.Function(_FASTEST, baseline, fastest),
            deletions.Function(_OURS, ours, hosts, is_ours=True),
        ]
        measured = functions[1:] if quick else functions
        return deletions.measure(measured, seconds, deletions.World(ministack, simulator, responses, authority))


def inserted(table: str, page: str) -> str:
    """Put a table into a page, in place of what stands between its two marks.

    Args:
        table: The table.
        page: The page.

    Returns:
        The page with the table; the page as it is if it lacks a mark.
    """
    return _GENERATED.sub(lambda _: f"\n{table}\n\n", page)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--quick",
        action="store_true",
        help="leave out what takes minutes: the baseline with crhelper's defaults, and jobs that stop after 60 s",
    )
    parser.add_argument("--runs", type=int, default=_RUNS, help="cold starts of each package (default: %(default)s)")
    parser.add_argument(
        "--python",
        help="the interpreter of the cold starts (default: the version that the template names, else this one)",
    )
    parser.add_argument("--output", type=Path, help="a file to write the table to as well")
    parser.add_argument("--write", type=Path, help="a page to put the table into, between its two marks")
    arguments = parser.parse_args()
    if arguments.write and not _GENERATED.search(arguments.write.read_text()):
        parser.error(f"{arguments.write} lacks the marks that the table belongs between")
    return arguments


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
