from __future__ import annotations

import time
from typing import TYPE_CHECKING

from crhelper.utils import _send_response  # type: ignore[attr-defined] # the stubs leave it out

from bench import report
from bench.cold_start import ColdStart
from bench.deletions import Deletion
from local.response_host import ResponseHost, make_tls

if TYPE_CHECKING:
    from pathlib import Path


def table(*, late_seconds: float = 0.5, import_seconds: float = 0.1, quick: bool = False) -> dict[str, list[str]]:
    baselines = [] if quick else [Deletion(report.DEFAULTS, 10.0, 200.0, 2)]
    text = report.table(
        deletions=[
            Deletion(report.OURS, 9.5, 0.1, 20),
            Deletion(report.OURS, 10.0, late_seconds, 20),
            Deletion(report.OURS, 10.5, late_seconds, 20),
            Deletion(report.FASTEST, 10.0, 50.0, 2),
            *baselines,
        ],
        stop_seconds=[10.0],
        cold_starts=[
            report.ColdStarts(
                bytecode=True,
                is_built_so=True,
                pairs=[(ColdStart(import_seconds, 0.3, 40_960), ColdStart(0.2, 0.3, 51_200))] * 4,
            )
        ],
        ours=report.Sizes(3_000_000, 10_000_000),
        baseline=report.Sizes(1_500_000, 5_000_000),
        conditions=report.Conditions("3.13.0", "3.11.7", "Linux, 2 cores", runs=4, jobs=3, quick=quick),
    )
    rows = [[cell.strip() for cell in line[1:-1].split("|")] for line in text.splitlines() if line.startswith("| ")]
    return {row[0]: row[1:] for row in rows}


LATE = "from the stop to the answer, job stops after 10 s"
COLD = "cold start (import and init), with bytecode, as built"


def test_table_holds_ratios_and_verdicts() -> None:
    rows = table()

    assert rows[LATE] == ["0.50 s", "0.0025 (200 s)", "0.01 (50 s)", "≤ 1.5 s", "met"]
    assert rows["Neptune calls, job stops after 10 s"] == ["20", "10 (2)", "10 (2)", "", ""]
    assert rows[COLD] == ["100 ms", "0.50 [0.50 to 0.50] (200 ms)", "same", "ratio ≤ 1", "met"]
    assert rows["peak memory, with bytecode, as built"][:2] == ["40 MiB", "0.80 [0.80 to 0.80] (50 MiB)"]
    assert rows["package, zipped"][:2] == ["3.0 MB", "2.00 (1.5 MB)"]


def test_missed_targets_are_named() -> None:
    rows = table(late_seconds=1.6, import_seconds=0.21)

    assert rows[LATE][-1] == "**missed**"
    assert rows[COLD][-1] == "**missed**"


def test_rows_that_were_left_out_are_named() -> None:
    assert table(quick=True)[LATE][1:3] == ["left out", "0.01 (50 s)"]


def test_crhelper_gets_its_answer_through(tmp_path: Path) -> None:
    authority = tmp_path / "authority.pem"
    answer = {
        "Status": "SUCCESS",
        "PhysicalResourceId": "job-1",
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "Job",
    }
    with ResponseHost(tls=make_tls(authority)) as host:
        begun_at = time.monotonic()
        _send_response(host.url_for("job-1"), answer, ssl_verify=str(authority))

        received = host.wait_for("job-1", 5)

    assert received.body == answer
    assert begun_at < received.at < time.monotonic()
