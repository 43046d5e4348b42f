"""`make invoke` and `make local`, as processes."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from local.processes import process_group

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
END_SECONDS = 60.0


@contextmanager
def command(*arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Run Python with arguments."""
    with process_group(
        [sys.executable, "-u", *arguments],
        directory=ROOT,
        environment={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        yield process


def run(*arguments: str, **environment: str) -> tuple[int, str, str]:
    """Run Python with arguments to its end: the exit code, what it wrote, and its errors."""
    with command(*arguments, **environment) as process:
        output, errors = process.communicate(timeout=END_SECONDS)
        return process.returncode, output, errors


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """Read a program's lines up to the first with a text."""
    assert process.stdout
    output = ""
    for line in process.stdout:
        output += line
        if text in line:
            return output
    raise AssertionError(f"{text!r} never came:\n{output}")
