"""What runs on this machine alone, in the environment of a user who works with more than this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BYPASSED = """
from urllib.request import proxy_bypass
print([it for it in ("127.0.0.1:4566", "localhost", "intranet.example", "mirror.example") if proxy_bypass(it)])
"""


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_a_proxy_is_for_other_machines(name: str) -> None:
    others = {it: value for it, value in os.environ.items() if it.lower() != "no_proxy"}
    environment = {**others, "HTTPS_PROXY": "http://127.0.0.1:9", name: "intranet.example"}

    done = subprocess.run(
        [sys.executable, "-m", "local.environment", sys.executable, "-c", BYPASSED],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert done.stdout == "['127.0.0.1:4566', 'localhost', 'intranet.example']\n"
