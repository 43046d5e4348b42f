from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from crhelper.utils import _send_response  # type: ignore[attr-defined] # the stubs leave it out

from bench import __main__ as command
from bench import cold_start, report
from bench.cold_start import ColdStart
from bench.courses import POLLINGS, Played, billed, play
from bench.deletions import DEFAULTS, FASTEST, OURS, Deletion
from bench.packages import Package, Sizes
from local.response_host import ResponseHost, make_tls

SRC = Path(__file__).parents[2] / "src"
HANDLER = "provider.handler.handler"

WORK_SECONDS = 0.05
FUNCTION = f"""
import socket, time

def handler(event, context):
    endpoint = event["ResourceProperties"]["Endpoint"]
    if event["PhysicalResourceId"] != f"{{endpoint}}/job-1":
        return
    end = time.process_time() + {WORK_SECONDS}
    while time.process_time() < end:
        pass
    port = int(endpoint.rpartition(":")[2])
    connection = socket.create_connection(("127.0.0.1", port))
    connection.send(b"GET")
    time.sleep(10)
"""


def deletion(function: str, stop_seconds: float, late_seconds: float, calls: int, *invocations: float) -> Deletion:
    return Deletion(function, stop_seconds, late_seconds, calls, invocations)


def table(
    *,
    late_seconds: float = 0.5,
    first_call_seconds: float = 0.33,
    played_late_seconds: float = 20.0,
    played_invocations: int = 40,
    played_calls: int = 66,
    zipped: int = 3_000_000,
) -> dict[str, list[str]]:
    measured = [
        deletion(OURS, 9.5, 0.1, 20, 1.9, 0.05, 0.05),
        deletion(OURS, 10.0, late_seconds, 20, 2.0, 0.05, 0.05),
        deletion(OURS, 10.5, late_seconds, 20, 2.1, 0.05, 0.05),
        deletion(FASTEST, 10.0, 50.0, 2, 1.0, 0.5),
        deletion(DEFAULTS, 10.0, 200.0, 2, 1.0, 120.5),
    ]
    played = [
        Played(300.0, 20.0, 50, 40),
        Played(300.0, played_late_seconds, 50, played_invocations),
        Played(300.0, 20.0, 50, 40),
        Played(900.0, 20.0, 66, 60),
        Played(900.0, 20.0, played_calls, 60),
        Played(900.0, 20.0, 66, 60),
    ]
    starts = [[ColdStart(0.1, first_call_seconds, 40_960)] * 4, [ColdStart(0.2, 0.3, 51_200)] * 4]
    text = report.table(
        [*measured, *billed(played, measured)],
        [10.0],
        {report.AS_BUILT: starts},
        (Sizes(zipped, 10_000_000), Sizes(1_500_000, 5_000_000)),
        sys.executable,
    )
    rows = [[cell.strip() for cell in line[1:-1].split("|")] for line in text.splitlines() if line.startswith("| ")]
    return {row[0]: row[1:] for row in rows}


LATE = "from the job's stop to the response, job stops after 10 s"
BILLED = "billed, job stops after 10 s"
LATE_PLAYED = "from the job's stop to the response, job stops after 300 s (played)"
BILLED_PLAYED = "billed, job stops after 300 s (played)"
CALLS_PLAYED = "Neptune calls, job stops after 900 s (played)"
IMPORT = "cold start (import and init), with bytecode, as built"
COLD = "cold start to the first Neptune call, with bytecode, as built"
ZIPPED = "package, zipped"


def test_table_holds_ratios_and_verdicts() -> None:
    rows = table()

    assert rows[LATE] == ["0.50 s", "0.0025 (200 s)", "0.01 (50 s)", "≤ 2 s", "met"]
    assert rows["Neptune calls, job stops after 10 s"] == ["20", "10 (2)", "10 (2)", "", ""]
    assert rows[BILLED][0] == "2.10 s, 0.52 GB-s"
    assert rows[BILLED][1:3] == ["0.017 (122 s, 30 GB-s)", "1.4 (1.50 s, 0.38 GB-s)"]
    assert rows[IMPORT] == ["100 ms", "0.50 [0.50 to 0.50] (200 ms)", "same", "", ""]
    assert rows[COLD] == ["330 ms", "1.10 [1.10 to 1.10] (300 ms)", "same", "ratio ≤ 1.2", "met"]
    assert rows["peak memory, with bytecode, as built"][:2] == ["40 MiB", "0.80 [0.80 to 0.80] (50 MiB)"]
    assert rows[ZIPPED] == ["3.0 MB", "2.00 (1.5 MB)", "same", "≤ 5 MB", "met"]


def test_what_is_played_is_billed_as_the_real_invocations_were() -> None:
    rows = table()

    # 2 s and 39 times 0.05 s; 1 s, 3 ticks of 0.5 s and the sleep of 120 s; 1 s and 5 ticks of 0.5 s.
    assert rows[LATE_PLAYED] == ["20 s", "", "", "≤ 31 s", "met"]
    assert rows[BILLED_PLAYED][0] == "3.95 s, 0.99 GB-s"
    assert rows[BILLED_PLAYED][1:3] == ["0.032 (122 s, 31 GB-s)", "1.1 (3.50 s, 0.88 GB-s)"]
    assert rows[BILLED_PLAYED][3:] == ["≤ 4 s", "met"]
    assert rows[CALLS_PLAYED] == ["66", "7.3 (9)", "4.1 (16)", "≤ 70", "met"]


def test_missed_targets_are_named() -> None:
    rows = table(
        late_seconds=2.1,
        first_call_seconds=0.361,
        played_late_seconds=31.2,
        played_invocations=42,
        played_calls=71,
        zipped=5_000_001,
    )

    for name in (LATE, LATE_PLAYED, BILLED_PLAYED, CALLS_PLAYED, COLD, ZIPPED):
        assert rows[name][-1] == "**missed**", name


@pytest.mark.parametrize(
    ("stop_seconds", "defaults", "fastest"), [(1, 1, 1), (60, 1, 1), (61, 1, 2), (300, 3, 5), (900, 8, 15)]
)
def test_crhelper_looks_once_in_each_interval(stop_seconds: float, defaults: int, fastest: int) -> None:
    assert POLLINGS[DEFAULTS].looks(stop_seconds) == defaults
    assert POLLINGS[FASTEST].looks(stop_seconds) == fastest


def test_a_deletion_of_minutes_is_played_in_seconds() -> None:
    (played,) = play(Package(SRC, HANDLER), [120.0])

    assert played.stop_seconds == 120.0
    assert 0 <= played.late_seconds <= 13.0
    # The first invocation cancels the job and looks some times, each later one looks once.
    assert 20 < played.invocations < played.calls < 45


def test_a_package_is_played_as_it_is_and_left_so(tmp_path: Path) -> None:
    ours = Package(SRC, HANDLER).without_bytecode(tmp_path / "package")
    before = ours.sizes()

    play(ours, [10.0])

    assert ours.sizes() == before


def test_a_cold_start_ends_with_the_first_call_of_the_cluster(tmp_path: Path) -> None:
    (tmp_path / "function.py").write_text(FUNCTION)
    function = Package(tmp_path, "function.handler", "{endpoint}/{id}")

    ((called,),) = cold_start.measure([function], sys.executable, 1)

    assert called.import_seconds < called.first_call_seconds
    assert called.first_call_seconds - called.import_seconds >= WORK_SECONDS


def test_the_table_replaces_what_stands_between_the_marks_of_a_page() -> None:
    page = "before\n<!-- generated: bench -->\nold\n<!-- end of bench -->\nafter\n"

    written = command.inserted(r"| new \1 |", page)

    assert written == "before\n<!-- generated: bench -->\n\n| new \\1 |\n\n<!-- end of bench -->\nafter\n"
    assert command.inserted("| newer |", written).count("|") == 2
    assert command.inserted("| new |", "no marks") == "no marks"


def test_a_page_without_marks_is_refused_before_anything_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- generated: bench -->\n")
    monkeypatch.setattr(sys, "argv", ["bench", "--write", str(page)])

    with pytest.raises(SystemExit):
        command.main()

    assert "lacks the marks for the table" in capsys.readouterr().err


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
