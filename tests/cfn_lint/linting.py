"""cfn-lint as its users run it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]
RULES = ROOT / "cfn_lint"
CFN_LINT = Path(sys.executable).with_name("cfn-lint")
OUR_RULES = ("E9182", "E9381", "E9382", "W9381", "W9382", "W9383", "W9384")

TOKEN = "arn:aws:lambda:us-east-1:123456789012:function:provider"
ENDPOINT = "mycluster.cluster-abc123.us-east-1.neptune.amazonaws.com"


@dataclass(frozen=True)
class Finding:
    rule: str
    path: tuple[str | int, ...]
    message: str
    line: int


def lint(*templates: Path, options: Sequence[str] = ("--append-rules", str(RULES)), cwd: Path = ROOT) -> list[Finding]:
    """Whatever cfn-lint reports, by our rules and by its own."""
    command = [str(CFN_LINT), *options, "--format", "json", "--", *map(str, templates)]
    process = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=120)
    try:
        matches = json.loads(process.stdout)
    except ValueError:
        raise AssertionError(f"cfn-lint failed:\n{process.stdout}{process.stderr}") from None
    assert bool(process.returncode) == bool(matches)
    return [
        Finding(
            rule=match["Rule"]["Id"],
            path=tuple(match["Location"]["Path"] or ()),
            message=match["Message"],
            line=match["Location"]["Start"]["LineNumber"],
        )
        for match in matches
    ]
