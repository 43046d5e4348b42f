"""The page beside the simulator says what is so."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import ssl
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

import simulator as package
from simulator import ErrorAnswer, Fault, JobPlan, Reset, Simulator
from simulator.__main__ import _parser
from simulator.kinds import KINDS

if TYPE_CHECKING:
    from simulator.kinds import Kind

PAGE = Path(package.__file__).parent / "README.md"
TEXT = PAGE.read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\.venv/dev/bin/python -m simulator (.+)$", TEXT, re.MULTILINE)


def test_its_links_lead_somewhere() -> None:
    links = re.findall(r"\]\((?!https://)([^)]+)\)", TEXT)
    assert links
    assert [link for link in links if not (PAGE.parent / link).is_file()] == []


def test_its_first_command_is_one() -> None:
    options = _parser().parse_args(shlex.split(COMMANDS[0]))
    assert [(job.kind.name, job.id, job.status) for job in options.job] == [
        ("modeltransform", "job-1", None),
        ("endpoints", "endpoint-1", "InService"),
    ]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_its_certificate_is_one(tmp_path: Path) -> None:
    (make,) = re.findall(r"^openssl .+?[^\\]$", TEXT, re.MULTILINE | re.DOTALL)
    subprocess.run(make, shell=True, cwd=tmp_path, capture_output=True, check=True)  # noqa: S602 - the page is ours
    options = _parser().parse_args(shlex.split(COMMANDS[1]))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / options.tls_certificate, tmp_path / options.tls_key)

    with Simulator(tls=tls) as simulator:
        client = boto3.client("neptunedata", endpoint_url=simulator.url, verify=str(tmp_path / options.tls_certificate))
        assert client.list_ml_endpoints()["ids"] == []


def test_its_cell_is_how_a_notebook_finds_it() -> None:
    (cell,) = re.findall(r"^%%graph_notebook_config\n(.+)$", TEXT, re.MULTILINE)
    port = _parser().parse_args(shlex.split(COMMANDS[0])).port
    # What tests/simulator/test_simulator_clients.py gives to the real client.
    assert json.loads(cell) == {"host": "127.0.0.1", "port": port, "ssl": False}


def test_its_options_are_those_of_the_command_line() -> None:
    known = set(re.findall(r"--[a-z-]+", _parser().format_help()))
    assert set(re.findall(r"`(--[a-z-]+)`", TEXT)) <= known


def test_its_faults_and_plans_can_be_made(simulator: Simulator) -> None:
    lines = re.findall(r"^simulator\.inject\(.+\)$", TEXT, re.MULTILINE)
    plans = re.findall(r"`(JobPlan\(.+\))`", TEXT)
    assert (len(lines), len(plans)) == (2, 1)
    names = {
        "simulator": simulator,
        "ErrorAnswer": ErrorAnswer,
        "Fault": Fault,
        "JobPlan": JobPlan,
        "Reset": Reset,
    }
    for code in (*lines, *plans):
        eval(code, names)  # noqa: S307 - the page is ours


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_its_table_has_every_kind_with_its_members(kind: Kind) -> None:
    (row,) = re.findall(rf"^\| `{kind.name}` \|.*$", TEXT, re.MULTILINE)
    _, _, statuses, members = row.strip("| ").split(" | ")
    expected = [phase.member for phase in kind.phases] + [name for name in (kind.models, kind.config) if name]
    assert re.findall(r"`(\w+)`", members) == expected
    assert statuses == "the same" or set(re.findall(r"`(\w+)`", statuses)) == set(kind.life.statuses)
