"""Compare the provider with crhelper, and print the results as a Markdown table.

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
from bench.courses import POLLINGS
from bench.deletions import DEFAULTS, FASTEST, OURS
from local.environment import leave_aws
from local.ministack import MiniStack
from local.response_host import ResponseHost, make_tls
from simulator import Simulator

# Several jobs for each time to stop, so that the moment of a look makes no difference.
_STOP_SECONDS = (1.0, 10.0, 60.0)
_SPREAD = (0.95, 1.0, 1.05)
_PLAYED_SECONDS = (300.0, 900.0) * 5
_COLD_STARTS = 20

_GENERATED = re.compile(r"(?<=<!-- generated: bench -->\n).*?(?=<!-- end of bench -->)", re.S)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--write", type=Path, help="a page to write the table to, between its two marks")
    page = parser.parse_args().write
    if page and not _GENERATED.search(page.read_text()):
        parser.error(f"{page} lacks the marks for the table")
    leave_aws()
    began = time.monotonic()
    python = packages.find_python()
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        directory = Path(temporary)
        _say("Building both packages ...")
        ours, baseline = (
            packages.build_ours(directory / "ours", python),
            packages.build_baseline(directory / "baseline", python),
        )
        _say("Playing the deletions that take minutes ...")
        played = courses.play(ours, _PLAYED_SECONDS)
        _say(f"Starting each {2 * (_COLD_STARTS + 1)} times ...")
        bare = [it.without_bytecode(directory / f"source-{number}") for number, it in enumerate((ours, baseline))]
        cold = {
            report.WITHOUT_BYTECODE: cold_start.measure(bare, python, _COLD_STARTS),
            report.AS_BUILT: cold_start.measure((ours, baseline), python, _COLD_STARTS),
        }
        _say("Deleting, in real time ...")
        deleted = _deletions(ours, baseline, directory)
        every = [*deleted, *courses.billed(played, deleted)]
        table = report.table(every, _STOP_SECONDS, cold, (ours.sizes(), baseline.sizes()), python)
    print(table)
    if page:
        page.write_text(inserted(table, page.read_text()))
    _say(f"Took {time.monotonic() - began:.0f} s.")


def _deletions(ours: packages.Package, baseline: packages.Package, directory: Path) -> list[deletions.Deletion]:
    authority = directory / "authority.pem"
    with (
        Simulator() as simulator,
        ResponseHost(tls=make_tls(authority)) as responses,
        MiniStack() as ministack,
    ):
        endpoint = {"NEPTUNE_ENDPOINT": simulator.url}
        fastest = {**endpoint, "CRHELPER_SETTINGS": json.dumps(asdict(POLLINGS[FASTEST]))}
        hosts = {"ALLOWED_HOSTS": "127.0.0.1", "RESPONSE_HOSTS": "127.0.0.1"}
        functions = [
            deletions.Function(DEFAULTS, baseline, endpoint),
            deletions.Function(FASTEST, baseline, fastest),
            deletions.Function(OURS, ours, hosts),
        ]
        seconds = [stop * factor for stop in _STOP_SECONDS for factor in _SPREAD]
        return deletions.measure(functions, seconds, deletions.World(ministack, simulator, responses, authority))


def inserted(table: str, page: str) -> str:
    """Replace the table between the two marks of a page."""
    return _GENERATED.sub(lambda _: f"\n{table}\n\n", page)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
