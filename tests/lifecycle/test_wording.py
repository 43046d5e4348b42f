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
from provider.lifecycle import Asked, Lifecycle, Patience, Told, wording
from provider.lifecycle.plan import Why
from provider.look import Look, Status
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


FAILED = Look(Status.BROKEN, "Failed", failure="No capacity.", log="s3://logs")
IS_READY = Look(Status.READY, "InService", failure="No such instances.")
ABSENT = Look(Status.ABSENT, "The cluster has no endpoint e.")
SILENT = Look(Status.SILENT, "It timed out.")
UPDATING = Look(Status.RUNS, "Updating")


@pytest.mark.parametrize(
    ("why", "look", "said", "told"),
    [
        (Why.NOT_THERE, ABSENT, "", "The cluster has no endpoint e. Check Id and Endpoint."),
        (Why.OWED, UPDATING, "", "The endpoint e is being deleted. Try again when it is gone."),
        (
            Why.MOVED,
            None,
            "",
            "Endpoint has changed, but Id has not: this resource adopted the endpoint e at the previous host. Restore "
            "Endpoint, or declare the endpoint at the new host under another logical ID.",
        ),
        (Why.SILENT, SILENT, "", "The endpoint e could not be looked up. It timed out."),
        (Why.REFUSED_START, None, "It was refused.", "The endpoint e could not be created. It was refused."),
        (Why.NOT_STARTED, SILENT, "", "The endpoint e could not be created. It timed out."),
        (Why.REFUSED_CHANGE, UPDATING, "It was refused.", "The endpoint e could not be updated. It was refused."),
        (Why.NOT_CHANGED, UPDATING, "It was refused.", "The endpoint e could not be updated. It was refused."),
        (Why.NOT_DECIDED, SILENT, "", "The endpoint e was requested, but Neptune does not list it yet. It timed out."),
        (Why.NOT_CHANGEABLE, UPDATING, "", "The endpoint e cannot be updated yet (its status is Updating)."),
        (Why.NOT_COMPLETED_YET, UPDATING, "", "The endpoint e is not in service yet (its status is Updating)."),
        (Why.NOT_STOPPED, None, "", "The endpoint e is not gone yet (its status is unknown)."),
        (Why.NOT_KNOWN, SILENT, "", "It is unknown whether the endpoint e is gone. It timed out."),
        (Why.REFUSAL, None, "It is not allowed.", "It is not allowed."),
        (Why.PROBLEM, None, "It is wrong.", "It is wrong."),
        (
            Why.NOT_COMPLETED,
            FAILED,
            "",
            "The endpoint e is not in service: its status is Failed. Its log: s3://logs Neptune's reason: No capacity.",
        ),
        (
            Why.NOT_COMPLETED,
            ABSENT,
            "",
            "The cluster has no endpoint e. It disappeared while the provider waited for it.",
        ),
        (
            Why.UNDONE,
            IS_READY,
            "",
            "The update of the endpoint e failed; the endpoint is unchanged. Neptune's reason: No such instances.",
        ),
        (
            Why.UNDONE,
            FAILED._replace(failure="", log=""),
            "",
            "The endpoint e is not in service: its status is Failed.",
        ),
    ],
)
def test_each_reason_is_told(why: Why, look: Look | None, said: str, told: str) -> None:
    assert wording.reason(why, ENDPOINT.words, "e", look, said) == told
