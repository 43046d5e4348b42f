"""Measure the provider against the baseline and print one Markdown table.

Example:
    $ python -m bench --output bench.md
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from bench import cold_start, deletions, packages, report
from bench.report import Conditions
from local.ministack import MiniStack
from local.response_host import ResponseHost, make_tls
from simulator import Simulator

# For each time to stop several jobs, that no lucky moment between two looks decides.
_STOP_SECONDS = (1.0, 10.0, 60.0)
_SPREAD = (0.95, 1.0, 1.05)
_QUICK_STOP_SECONDS = (1.0, 10.0)
_RUNS = 20

_OURS, _DEFAULTS, _FASTEST = report.OURS, report.DEFAULTS, report.FASTEST
_FASTEST_SETTINGS = '{"polling_interval": 1, "sleep_on_delete": 0}'


def main() -> None:
    """Run the benchmark that the command line asks for."""
    arguments = _arguments()
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
        _say(f"Starting each {2 * (arguments.runs + 1)} times ...")
        cold = _cold_starts(ours, baseline, directory, python, arguments.runs)
        _say("Deleting, in real time ...")
        deleted = _deletions(ours, baseline, directory, stops, quick=arguments.quick)
        table = report.table(
            deletions=deleted,
            stop_seconds=stops,
            cold_starts=cold,
            ours=report.Sizes.of(ours),
            baseline=report.Sizes.of(baseline),
            conditions=Conditions.of(python, runs=arguments.runs, jobs=len(_SPREAD), quick=arguments.quick),
        )
    print(table)
    if arguments.output:
        arguments.output.write_text(f"{table}\n")
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
            pairs=tuple(zip(*cold_start.measure(pair, python, runs), strict=True)),
        )
        for bytecode, pair in pairs.items()
    ]


def _deletions(
    ours: packages.Package, baseline: packages.Package, directory: Path, stops: tuple[float, ...], *, quick: bool
) -> list[deletions.Deletion]:
    seconds = [stop * factor for stop in stops for factor in _SPREAD]
    authority = directory / "authority.pem"
    with (
        Simulator(artifacts_dir=directory / "artifacts") as simulator,
        ResponseHost(tls=make_tls(authority)) as responses,
        MiniStack() as ministack,
    ):
        endpoint = {"NEPTUNE_ENDPOINT": simulator.url}
        functions = [
            deletions.Function(_DEFAULTS, baseline, endpoint, seconds),
            deletions.Function(_FASTEST, baseline, {**endpoint, "CRHELPER_SETTINGS": _FASTEST_SETTINGS}, seconds),
            deletions.Function(_OURS, ours, {"ALLOWED_HOSTS": "127.0.0.1"}, seconds),
        ]
        measured = functions[1:] if quick else functions
        return deletions.measure(measured, deletions.World(ministack, simulator, responses, authority))


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
    return parser.parse_args()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
