"""Every event through the function in this process, with the settings of `sam local invoke` and in manual time."""

from __future__ import annotations

import json
import tomllib
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local import events, world
from provider.clock import Clock
from provider.custom_resource import FrontDoor
from provider.custom_resource.properties import schema_of
from provider.custom_resource.waiting import WaitingQueue
from provider.journal.memory import Memory
from provider.kinds import KINDS
from provider.kinds.lookup import LOOKUP
from provider.lifecycle import Lifecycle
from provider.lookups import Lookups
from provider.neptune import Jobs
from provider.settings import Settings
from simulator import ManualClock
from tests.events.outcomes import OUTCOMES
from tests.events.run import Run
from tests.function.world import EPOCH, LambdaContext

if TYPE_CHECKING:
    from collections.abc import Mapping

ADDRESS = "127.0.0.1"
SAM_CONFIG = Path(__file__).parents[2] / "samconfig.toml"
VARIABLES = {"ALLOWED_HOSTS": "AllowedHosts", "RESPONSE_HOSTS": "ResponseHosts", "START_JOBS": "StartJobs"}


def environment() -> dict[str, str]:
    """What `sam local invoke` sets, with this machine's address for its name in containers."""
    written = tomllib.loads(SAM_CONFIG.read_text())["default"]["local_invoke"]["parameters"]["parameter_overrides"]
    parameters = dict(parameter.split("=") for parameter in written)
    variables = {name: parameters[parameter].replace(world.HOST, ADDRESS) for name, parameter in VARIABLES.items()}
    return {**variables, "AWS_SAM_LOCAL": "true"}


def run(name: str, variables: Mapping[str, str]) -> Run:
    time = ManualClock()

    def sleep(seconds: float) -> None:
        time.advance(seconds)

    clock = Clock(monotonic=time, wall=lambda: EPOCH + time(), sleep=sleep)
    settings = Settings.from_environment(variables)
    journal = Memory()
    lifecycles = {
        kind.resource_type: Lifecycle(
            kind,
            schema_of(kind.schema),
            settings.clusters,
            partial(Jobs, kind, region=settings.region, resource_arn=settings.neptune_resource_arn),
            journal,
            clock,
            may_start=settings.may_start,
            is_patient=not settings.is_local,
        )
        for kind in KINDS
    }
    queue = WaitingQueue(settings.waiting_queue_url, settings.region)
    lookups = {LOOKUP.resource_type: Lookups(lifecycles, journal, clock)}
    door = FrontDoor(lifecycles, queue, settings, clock, lookups)
    with world.running(ADDRESS, clock=time) as here:
        event = json.loads(events.text(name, here.ports, ADDRESS))
        returned = door.handle(event, LambdaContext(monotonic=time))  # type: ignore[arg-type] # quacks like Powertools'
        return Run.of(name, here, host=ADDRESS, event=events.request_in(event), log=[], returned=returned)


@pytest.mark.parametrize("name", OUTCOMES)
def test_event_leads_to_its_outcome(name: str) -> None:
    done = run(name, environment())

    done.check_answer()
    done.check_neptune()


def test_without_the_setting_no_event_starts_a_job() -> None:
    done = run("create-start", {**environment(), "START_JOBS": "false"})

    (answer,) = done.answers
    assert "StartJobs" in answer["Reason"]
    assert done.requests == []
