"""The pages name tests: each must exist, in the file that the page links to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
DEFINITION = re.compile(r"^(?:    )?def (test_\w+)|^(Test\w+) =", re.M)
NAME = re.compile(r"`(test_\w+|Test\w+)`")


def defined(path: Path) -> set[str]:
    return {name for names in DEFINITION.findall(path.read_text()) for name in names if name}


ANYWHERE = {name for path in TESTS.rglob("test_*.py") for name in defined(path)}
NAMED = sorted({(page.name, name) for page in ROOT.glob("docs/*.md") for name in NAME.findall(page.read_text())})
FAULTS = [
    (path, row)
    for path, section in re.findall(r"^### \[.+\]\((.+)\)\n((?:(?!^#).*\n)*)", (TESTS / "README.md").read_text(), re.M)
    for row in re.findall(r"^\| (?!fault |---).+", section, re.M)
]


@pytest.mark.parametrize(("page", "name"), NAMED)
def test_a_named_test_exists(page: str, name: str) -> None:
    assert name in ANYWHERE, page


@pytest.mark.parametrize(("path", "row"), FAULTS)
def test_a_fault_names_a_test_of_the_file_that_it_links_to(path: str, row: str) -> None:
    elsewhere = re.search(r"\]\((.+\.py)\)", row)
    names = NAME.findall(row)

    assert names
    assert set(names) <= defined(TESTS / (elsewhere[1] if elsewhere else path))


def test_some_are_named() -> None:
    assert NAMED
    assert len(FAULTS) > 50
