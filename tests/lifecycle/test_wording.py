"""What users read of a request that could not be fulfilled in time."""

from __future__ import annotations

import re

import pytest

from provider.clock import Clock
from provider.custom_resource.properties import schema_of
from provider.hosts import Hosts
from provider.journal.entry import RequestType
from provider.journal.memory import Memory
from provider.kinds import ENDPOINT
from provider.lifecycle import Asked, Lifecycle, Patience, Told
from provider.neptune import Throttled

ENDED = "The provider failed."
HOST = "c.us-east-1.neptune.amazonaws.com"
WHY = f"Neptune at {HOST}:8182 responded with 429: slow down (TooManyRequestsException)"
DESCRIPTION = {
    "ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:provider",
    "Endpoint": HOST,
    "MlModelTrainingJobId": "movies-training",
}


class Throttling:
    """Jobs of a cluster that has too many requests."""

    def __getattr__(self, _: str) -> object:
        raise Throttled(WHY)


@pytest.mark.parametrize(
    ("request_type", "physical_id", "reason"),
    [
        (RequestType.CREATE, "", f"The endpoint [^ ]+ could not be created. {ENDED} Try again."),
        (
            RequestType.UPDATE,
            f"{HOST}:8182/e",
            f"The endpoint e cannot be updated yet .its status is unknown.. {ENDED} Try again.",
        ),
        (
            RequestType.DELETE,
            f"{HOST}:8182/e",
            f"The endpoint e is not gone yet .its status is unknown.. {ENDED} The deletion can be",
        ),
    ],
)
def test_why_a_request_ends_is_told_whatever_it_waited_for(
    request_type: RequestType, physical_id: str, reason: str
) -> None:
    life = Lifecycle(
        kind=ENDPOINT,
        schema=schema_of(ENDPOINT.schema),
        clusters=Hosts.of_clusters(),
        connect=lambda _: Throttling(),  # type: ignore[arg-type,return-value]
        journal=Memory(),
        clock=Clock(),
        may_start=True,
    )
    properties = {**DESCRIPTION, "InstanceCount": "2"}
    asked = Asked(request_type, "r", "arn:aws:cloudformation:::stack/s/1", "E", physical_id, properties, DESCRIPTION)

    told = life.look(asked, Patience(), send=lambda *_: True, check=lambda _: "", ended=ENDED)

    assert isinstance(told, Told)
    assert re.match(reason, told.reason)
