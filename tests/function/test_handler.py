"""The entry point, with the environment that the template or `sam local` gives it."""

from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING, Any

import pytest

import provider.handler
from provider import observability
from provider.clock import Clock
from provider.custom_resource.answer import Undeliverable
from tests.function.world import LambdaContext

if TYPE_CHECKING:
    from types import ModuleType

    from tests.function.world import World


@pytest.fixture
def entry(world: World, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    observability.metrics.clear_metrics()  # of other tests, which flush none
    monkeypatch.setenv("ALLOWED_HOSTS", "127.0.0.1")
    monkeypatch.setenv("DEFAULT_ENDPOINT", world.simulator.url)
    module = importlib.reload(provider.handler)
    naps: list[float] = []
    monkeypatch.setattr(module, "_clock", Clock(sleep=naps.append))
    monkeypatch.setattr(module, "naps", naps, raising=False)
    return module


def unheard(world: World) -> dict[str, Any]:
    event = world.event("Delete")
    event["ResponseURL"] = event["ResponseURL"].replace(world.host.url, "http://127.0.0.1:9")
    return event


def test_a_request_is_fulfilled_with_the_providers_default_endpoint(
    world: World, entry: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    world.simulator.start_job("job-1")
    event = world.event("Create")
    del event["ResourceProperties"]["Endpoint"]
    told = entry.handler(event, LambdaContext())
    assert told == {"Status": "SUCCESS", "PhysicalResourceId": "job-1", "Reason": ""}
    assert world.answer(event)["Status"] == "SUCCESS"
    metrics = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert metrics["Failures"] == [0.0]


def test_an_answer_that_cannot_be_delivered_fails_the_invocation(world: World, entry: ModuleType) -> None:
    with pytest.raises(Undeliverable, match="in 5 attempts"):
        entry.handler(unheard(world), LambdaContext())
    assert entry.naps == [0.5, 1, 2, 4]


def test_in_sam_local_it_is_said_at_once_and_without_an_exception(
    world: World, entry: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SAM_LOCAL", "true")
    module = importlib.reload(entry)
    told = module.handler(unheard(world), LambdaContext())
    assert told["Status"] == "UNANSWERED"
    assert told["Reason"].endswith("Is `make local` running in another terminal?")
