"""The page beside the simulator says what is so."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import simulator as package
from simulator import ErrorAnswer, Fault, JobPlan, Reset, Simulator
from simulator.__main__ import _parser
from simulator.kinds import KINDS

if TYPE_CHECKING:
    from simulator.kinds import Kind

PAGE = Path(package.__file__).parent / "README.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_its_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)]+)\)", TEXT)
    assert links
    assert [link for link in links if not (PAGE.parent / link).is_file()] == []


def test_its_command_is_one() -> None:
    (command,) = re.findall(r"^python -m simulator (.+)$", TEXT, re.MULTILINE)
    options = _parser().parse_args(shlex.split(command))
    assert [(job.kind.name, job.id, job.status) for job in options.job] == [
        ("modeltransform", "job-1", None),
        ("endpoints", "endpoint-1", "InService"),
    ]


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
