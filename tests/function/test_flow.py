"""How little a Delete that stops at once passes: what is read to follow it is no longer than this."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import provider

SRC = Path(provider.__file__).parents[1]
# In a process of its own: nothing else is traced, or imported before.
FOLLOWED = """
import json, sys, tempfile, time
from pathlib import Path
from local.response_host import ResponseHost
from simulator import Simulator
from tests.function.world import LambdaContext, World
import provider.handler

home = str(Path(provider.handler.__file__).parent)
passed = []

def note(frame, what, _):
    code = frame.f_code
    if what == "call" and code.co_filename.startswith(home) and not code.co_name.startswith("<"):
        passed.append((code.co_filename, code.co_qualname))

with tempfile.TemporaryDirectory() as artifacts, Simulator(artifacts_dir=artifacts) as cluster, ResponseHost() as host:
    cluster.start_job("job-1", stop_seconds=0)
    event = World(cluster, host, time.monotonic).event("Delete")
    sys.setprofile(note)
    told = provider.handler.handler(event, LambdaContext())
    sys.setprofile(None)
print(json.dumps([told, passed]))
"""


def test_a_delete_that_stops_at_once_passes_few_functions_and_changes_the_file_seldom() -> None:
    environment = {
        "PYTHONPATH": f"{SRC.parent}:{SRC}",
        "AWS_ACCESS_KEY_ID": "ASIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "5ec7e7accesskey",
        "AWS_REGION": "us-east-1",
        "ALLOWED_HOSTS": "127.0.0.1",
        "RESPONSE_HOSTS": "127.0.0.1",
    }
    command = [sys.executable, "-c", FOLLOWED]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    told, passed = json.loads(done.stdout.splitlines()[-1])
    assert told["Status"] == "SUCCESS"
    files = [file for file, _ in passed]
    assert any(file.endswith("lifecycle/__init__.py") for file in files)
    assert len({tuple(call) for call in passed}) <= 33
    assert sum(one != other for one, other in pairwise(files)) <= 21
