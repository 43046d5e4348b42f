from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local import sam
from local.ministack import MiniStack
from simulator import Simulator
from tests.e2e.provider import Provider
from tests.e2e.queues import AGAIN_SECONDS, ANSWER_SHARE
from tests.e2e.trace_daemon import TraceDaemon
from tests.once import made_once

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).parents[2]


# The function's numbers that differ: a failed look is taken again sooner, a route that is not there yet and a journal
# that cannot be written are given up sooner, and of a short time limit more is kept back, for a busy machine may be
# seconds late with an answer.
_NUMBERS = {
    "custom_resource/waiting.py": {"_RETRY_SECONDS = 60": f"_RETRY_SECONDS = {AGAIN_SECONDS}"},
    "custom_resource/deadline.py": {
        "_ANSWER_SECONDS, _ANSWER_SHARE = 30.0, 0.1": f"_ANSWER_SECONDS, _ANSWER_SHARE = 30.0, {ANSWER_SHARE}"
    },
    "lifecycle/patience.py": {
        "Phase.UNWRITTEN: dict.fromkeys(Fault, 10.0),": "Phase.UNWRITTEN: dict.fromkeys(Fault, 2.0),",
        "Phase.CHECK: {**dict.fromkeys(Fault, 30.0), Fault.DENIAL: 10 * _MINUTE},": (
            "Phase.CHECK: dict.fromkeys(Fault, 4.0),"
        ),
    },
}


def _in_less_time(copy: Path) -> Path:
    """Copy the template and the function with these numbers."""
    shutil.copytree(_ROOT / "src", copy / "src", ignore=shutil.ignore_patterns("__pycache__"))
    for name, numbers in _NUMBERS.items():
        file = copy / "src/provider" / name
        code = file.read_text()
        for number, other in numbers.items():
            code, replaced = re.subn(rf"^( *){re.escape(number)}$", rf"\g<1>{other}", code, flags=re.M)
            assert replaced == 1
        file.write_text(code)
    return Path(shutil.copy(_ROOT / "template.yaml", copy))


@pytest.fixture
def green() -> Iterator[Simulator]:
    """Another cluster."""
    with Simulator() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """The provider as its users deploy it, with IAM policies enforced and every log line written."""
    made = made_once(tmp_path_factory, "e2e", lambda it: sam.build(it / "build", _in_less_time(it / "source")))
    built = made / "build/template.yaml"
    with TraceDaemon() as xray:
        environment = {"AWS_XRAY_DAEMON_ADDRESS": xray.address, "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.1"}
        with (
            MiniStack(iam=True, environment=environment) as ministack,
            Simulator() as neptune,
        ):
            parameters = {
                "ClusterResourceId": "*",
                "AllowedHosts": "127.0.0.1,localhost",
                "ResponseHosts": "127.0.0.1,localhost",
                "LogLevel": "DEBUG",
            }
            without = Provider("", {}, ministack, neptune, xray, built, parameters)
            yield without.deploy("provider", StartJobs="true")


@pytest.fixture(scope="session")
def adopting_provider(provider: Provider) -> Provider:
    """Another deployment, whose operator has not switched on that jobs are started."""
    return provider.deploy("adopting-provider")
