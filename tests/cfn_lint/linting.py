"""cfn-lint as its users run it."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tools import packages

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]
RULES = "cfn_lint_neptune_ml.rules"
CFN_LINT = Path(sys.executable).with_name("cfn-lint")
OUR_RULES = ("E9182", "E9381", "E9382", "W9382", "W9383")

TOKEN = "arn:aws:lambda:us-east-1:123456789012:function:provider"
ENDPOINT = "mycluster.cluster-abc123.us-east-1.neptune.amazonaws.com"


@dataclass(frozen=True)
class Finding:
    rule: str
    path: tuple[str | int, ...]
    message: str
    line: int


@cache
def built() -> Path:
    """The package as users install it, unpacked."""
    directory = Path(tempfile.mkdtemp(prefix="cfn-lint-"))
    atexit.register(shutil.rmtree, directory)
    shutil.unpack_archive(packages.build_cfn_lint(directory, "1.0.0"), directory, "zip")
    return directory


def lint(*templates: Path, options: Sequence[str] = ("--append-rules", RULES), cwd: Path = ROOT) -> list[Finding]:
    """Whatever cfn-lint reports, by our rules and by its own."""
    command = [str(CFN_LINT), *options, "--format", "json", "--", *map(str, templates)]
    environment = {**os.environ, "PYTHONPATH": str(built())}
    process = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
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
