"""What SAM does with the project's defaults."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
# What `sam deploy --guided` does when its answers are to be saved.
SAVE = """
import sys
from samcli.lib.config.samconfig import SamConfig
config = SamConfig(sys.argv[1])
config.put(["deploy"], "parameters", "parameter_overrides", 'ClusterResourceId="*"')
config.flush()
"""


def test_answers_that_sam_saves_do_not_come_under_a_comment_about_something_else(tmp_path: Path) -> None:
    shutil.copy(ROOT / "samconfig.toml", tmp_path)

    subprocess.run([ROOT / ".venv/sam/bin/python", "-c", SAVE, tmp_path], check=True, timeout=60)

    saved = (tmp_path / "samconfig.toml").read_text()
    before = saved.partition('parameter_overrides = "ClusterResourceId')[0]
    assert before != saved
    own = before.rpartition("[default.deploy.parameters]")[2]
    assert "[" not in own
    assert "#" not in own
