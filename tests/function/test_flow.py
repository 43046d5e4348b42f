"""How little a Delete that stops at once passes, and executes."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import provider
from tests.function.world import World

if TYPE_CHECKING:
    from local.response_host import ResponseHost
    from simulator import ManualClock, Simulator

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
# Nothing but the function in a process, as Lambda has it.
COLD = """
import json, sys
from types import SimpleNamespace
sys.path[:0] = json.loads(sys.argv[1])
import provider.handler
context = SimpleNamespace(**json.loads(sys.argv[3]), get_remaining_time_in_millis=lambda: 900_000)
told = provider.handler.handler(json.loads(sys.argv[2]), context)
kinds = {name: type(sys.modules.get(name)).__name__ for name in provider.handler.SELDOM_USED}
print(json.dumps({"told": told["Status"], "traces": "aws_xray_sdk" in sys.modules, "kinds": kinds}))
"""
CONTEXT = {
    "function_name": "provider",
    "memory_limit_in_mb": 256,
    "invoked_function_arn": "arn:aws:lambda:us-east-1:123456789012:function:provider",
    "aws_request_id": "52fdfc07-2182-454f-963f-5f0f9a621d72",
    "log_stream_name": "2026/01/01/[$LATEST]0123456789abcdef",
}
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "ASIAEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "5ec7e7accesskey",
    "AWS_REGION": "us-east-1",
    "ALLOWED_HOSTS": "127.0.0.1",
    "RESPONSE_HOSTS": "127.0.0.1",
}
# What an environment like Lambda's switches tracing on with.
TRACED = {"AWS_LAMBDA_FUNCTION_NAME": "provider", "LAMBDA_TASK_ROOT": "/var/task"}
# Before 3.13, Python's own inspect uses them.
EXECUTED_BY_PYTHON = {"ast", "tokenize"} if sys.version_info < (3, 13) else set()


def test_a_cold_delete_executes_nothing_that_is_deferred(
    simulator: Simulator, simulator_clock: ManualClock, response_host: ResponseHost
) -> None:
    simulator.start_job("job-1", stop_seconds=0)
    event = World(simulator, response_host, simulator_clock).event("Delete")
    done = subprocess.run(
        [sys.executable, "-I", "-c", COLD, *map(json.dumps, (sys.path, event, CONTEXT))],
        env=ENVIRONMENT | TRACED,
        check=True,
        capture_output=True,
        text=True,
    )
    seen = json.loads(done.stdout.splitlines()[-1])
    assert (seen["told"], seen["traces"]) == ("SUCCESS", True)
    assert {name for name, kind in seen["kinds"].items() if kind != "_LazyModule"} == EXECUTED_BY_PYTHON


def test_a_delete_that_stops_at_once_passes_few_functions_and_changes_the_file_seldom() -> None:
    environment = ENVIRONMENT | {"PYTHONPATH": f"{SRC.parent}:{SRC}"}
    command = [sys.executable, "-c", FOLLOWED]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    told, passed = json.loads(done.stdout.splitlines()[-1])
    assert told["Status"] == "SUCCESS"
    files = [file for file, _ in passed]
    assert any(file.endswith("lifecycle/__init__.py") for file in files)
    assert len({tuple(call) for call in passed}) <= 33
    assert sum(one != other for one, other in pairwise(files)) <= 21
