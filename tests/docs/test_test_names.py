"""The documents name tests; a test that was renamed must not be named any more."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEFINED = {
    name
    for file in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^(?:    )?def (test_\w+)|^(Test\w+) =", file.read_text(), re.M)
    for name in name
    if name
}
NAMED = sorted(
    {
        (document.name, name)
        for document in (ROOT / "docs").glob("*.md")
        for name in re.findall(r"`(test_\w+|Test\w+)`", document.read_text())
    }
)


@pytest.mark.parametrize(("document", "name"), NAMED)
def test_a_named_test_exists(document: str, name: str) -> None:
    assert name in DEFINED, document


def test_some_are_named() -> None:
    assert len(NAMED) > 50
