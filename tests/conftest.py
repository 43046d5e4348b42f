from __future__ import annotations

import os
import random
import signal
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers

from bench.packages import find_python
from local import sam
from local.environment import leave_aws
from local.ministack import MiniStack
from local.response_host import ResponseHost
from provider.journal.table import KEY
from simulator import ManualClock, Simulator
from tests.once import made_once
from tests.packages import synthesis
from tools import packages, release

if TYPE_CHECKING:
    from collections.abc import Iterator


_ROOT = Path(__file__).parents[1]

leave_aws()
# The names that nobody knows (RFC 2606) are not a proxy's to look up, either.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = f"{os.environ['NO_PROXY']},.invalid,.test"

# The same examples in every run; `make fuzz` looks for new ones. Hypothesis would take constants of the code that is
# imported, which depends on the tests that run before.
providers._get_local_constants = lambda: providers._local_constants
settings.register_profile("default", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile(
    "fuzz",
    deadline=None,
    max_examples=int(os.environ.get("EXAMPLES", "20000")),
    suppress_health_check=list(HealthCheck),
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need MiniStack: `make quick` leaves them out."""
    for item in items:
        if "ministack" in getattr(item, "fixturenames", ()):
            item.add_marker("ministack")


@pytest.fixture
def response_host() -> Iterator[ResponseHost]:
    with ResponseHost() as host:
        yield host


@pytest.fixture(scope="session")
def ministack() -> Iterator[MiniStack]:
    with MiniStack() as running:
        yield running


@pytest.fixture
def aws(ministack: MiniStack, monkeypatch: pytest.MonkeyPatch) -> MiniStack:
    """MiniStack as the function's AWS."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", ministack.url)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(ministack.ca_bundle))
    return ministack


@pytest.fixture
def journal_table(aws: MiniStack) -> Iterator[str]:
    """The name of a table for the journal in MiniStack's DynamoDB, empty."""
    dynamodb = aws.client("dynamodb")
    name = f"journal-{uuid.uuid4()}"
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": KEY, "AttributeType": "S"}],
        KeySchema=[{"AttributeName": KEY, "KeyType": "HASH"}],
    )
    yield name
    dynamodb.delete_table(TableName=name)


@pytest.fixture
def simulator_clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def simulator(simulator_clock: ManualClock) -> Iterator[Simulator]:
    with Simulator(clock=simulator_clock) as running:
        yield running


@pytest.fixture(scope="session")
def python() -> str:
    """What compiles a release: a Python of the runtime's version, or else the one that there is."""
    return find_python()


@pytest.fixture(scope="session")
def version() -> str:
    """The provider's version."""
    return release.version_of((_ROOT / "template.yaml").read_text())


@pytest.fixture(scope="session")
def released(python: str, version: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a release."""
    tag = f"v{version}" if packages.can_build_constructs() else ""  # a release with a tag has each package
    source_url = "https://example.com/provider"
    return (
        made_once(
            tmp_path_factory,
            "release",
            lambda it: release.make(it / "made", python=python, source_url=source_url, tag=tag),
        )
        / "made"
    )


@pytest.fixture(scope="session")
def built_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template as `sam build` builds it."""
    return made_once(tmp_path_factory, "sam", lambda it: sam.build(it / "build")) / "build/template.yaml"


@pytest.fixture(scope="session")
def node(released: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory in which the CDK package of a release is installed for Node.js."""
    if not packages.can_build_constructs():
        pytest.skip("the AWS CDK needs Node.js 20 or later: install it, and run `make .venv/constructs.done`")
    return synthesis.install(released, tmp_path_factory.mktemp("node"))


@pytest.fixture(scope="session")
def cdk_pipeline(node: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The template of the CDK's example in TypeScript."""
    return synthesis.typescript(node, tmp_path_factory.mktemp("typescript"))


@pytest.fixture(autouse=True, scope="session")
def _children_hear_signals() -> Iterator[None]:
    """A child process inherits what is ignored, as by `nohup` or in a shell's background, but not what is handled."""
    ignored = [it for it in (signal.SIGHUP, signal.SIGINT) if signal.getsignal(it) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, lambda _number, _frame: None)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture(autouse=True)
def _same_jitter() -> None:
    """Each pause has some; a test that fails for it fails in every run."""
    random.seed(0)


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made-up credentials that must turn up nowhere, and no others."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "ASIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "5ec7e7accesskey",
        "AWS_SESSION_TOKEN": "5ec7e75e55iontoken",
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
