"""`make help`, which is written for two kinds of readers."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
COLUMNS = 100


def test_help_lists_every_target_for_users_or_for_contributors_in_lines_that_fit() -> None:
    shown = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout

    users, contributors = shown.removeprefix("For users:\n").split("\nFor contributors:\n")
    assert re.findall(r"^  make (\S+)", users, re.M)[:2] == ["demo", "invoke"]
    assert "  make test " in contributors
    documented = re.findall(r"^([a-z-]+):.*## (.+)", (ROOT / "Makefile").read_text(), re.M)
    assert re.findall(r"^  make (\S+) +(.+)", shown, re.M) == documented
    assert [line for line in shown.splitlines() if len(line) > COLUMNS] == []
