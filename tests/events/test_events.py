"""The events are what CloudFormation sends, and each is what its name says."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from aws_lambda_powertools.utilities.parser.models import (
    CloudFormationCustomResourceBaseModel,
    CloudFormationCustomResourceCreateModel,
    CloudFormationCustomResourceDeleteModel,
    CloudFormationCustomResourceUpdateModel,
    SqsModel,
)

from local import events, world
from local.response_host import SIGNATURE
from provider import job_id
from provider.custom_resource.properties import schema_of
from provider.custom_resource.request import cloudformation_request, return_address
from provider.custom_resource.waiting import WaitingQueue
from provider.hosts import Hosts
from provider.identity import Identity
from provider.kinds import KINDS
from provider.lookups import SCHEMA
from tests.events.outcomes import CLUSTER, INVENTED_ID, OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Iterator

MODELS: dict[str, type[CloudFormationCustomResourceBaseModel]] = {
    "create": CloudFormationCustomResourceCreateModel,
    "update": CloudFormationCustomResourceUpdateModel,
    "delete": CloudFormationCustomResourceDeleteModel,
}
STACK_ARN = re.compile(
    r"arn:aws:cloudformation:us-east-1:\d{12}:stack/[A-Za-z][A-Za-z0-9-]*/[0-9a-f]{8}(-[0-9a-f]{4}){3}-\w{12}"
)
HOSTS = Hosts.of_responses("us-east-1", [world.HOST])
# Those that come from the queue.
WAITING = ("delete-waiting", "create-completed")
# The request that started what was there before.
EARLIER_CREATE = "1c8f5a27-64d3-4b9e-a0f5-8e3b7d2c9614"
FUNCTION_ARN = re.compile(r"arn:aws:lambda:us-east-1:\d{12}:function:[A-Za-z0-9-]+")

every_event = pytest.mark.parametrize("name", events.DESCRIPTIONS)


def read(name: str) -> dict[str, Any]:
    """The request in an event."""
    return events.request_in(json.loads(events.text(name)))


def has_adopted(event: dict[str, Any]) -> bool:
    """Whether the event is for a resource that has adopted a job."""
    return "Id" in event["ResourceProperties"] and Identity.parse(event.get("PhysicalResourceId", "")) is not None


def id_of_job(event: dict[str, Any]) -> str:
    """The ID that the provider gives the job that an event describes."""
    return job_id.make(event["StackId"].split("/")[1], event["LogicalResourceId"], event["RequestId"])


def scalars(value: object) -> Iterator[object]:
    if isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from scalars(item)
    else:
        yield value


def test_every_event_has_a_description_and_an_outcome() -> None:
    assert {path.name for path in events.DIRECTORY.glob("*.json")} == {f"{name}.json" for name in OUTCOMES}
    assert list(events.DESCRIPTIONS) == list(OUTCOMES)


@every_event
def test_event_is_what_powertools_takes_for_one_of_its_kind(name: str) -> None:
    event = {field: value for field, value in read(name).items() if field != "Waiting"}
    model = MODELS[name.partition("-")[0]]

    parsed = model.model_validate_json(json.dumps(event))

    assert parsed.model_dump(by_alias=True, mode="json") == event  # and it has no fields that the model does not know


@every_event
def test_event_looks_like_one_of_cloudformations(name: str) -> None:
    event = read(name)
    properties = event["ResourceProperties"]

    assert STACK_ARN.fullmatch(event["StackId"])
    assert FUNCTION_ARN.fullmatch(event["ServiceToken"])
    assert properties["ServiceToken"] == event["ServiceToken"]
    assert 1 <= int(properties["ServiceTimeout"]) <= 3600
    assert str(uuid.UUID(event["RequestId"], version=4)) == event["RequestId"]
    assert all(isinstance(scalar, str) and scalar for scalar in scalars({**event, "Waiting": {}}))
    (known,) = (
        {row.name for row in schema.rows}
        for schema in (*(schema_of(kind.schema) for kind in KINDS), SCHEMA)
        if schema.resource_type == event["ResourceType"]
    )
    assert (properties.keys() <= known) == (name != "create-mistyped-property")
    if "OldResourceProperties" in event:
        assert event["OldResourceProperties"] != properties


@every_event
def test_response_url_looks_presigned_and_does_not_age(name: str) -> None:
    event = read(name)

    url = urlsplit(event["ResponseURL"])
    query = parse_qs(url.query)

    key = f"{event['StackId']}|{event['LogicalResourceId']}|{event['RequestId']}"
    assert unquote(url.path) == f"/{key}"
    assert query["X-Amz-Signature"] == [SIGNATURE]
    assert "X-Amz-Date" not in query
    assert return_address(event, HOSTS).signed_at is None


@every_event
def test_function_takes_the_event_for_a_request(name: str) -> None:
    event = read(name)

    address = return_address(event, HOSTS)
    request = cloudformation_request(event, address)

    assert address.url == event["ResponseURL"]
    assert request.asked.type == event["RequestType"]
    assert request.service_timeout == int(event["ResourceProperties"]["ServiceTimeout"])


@every_event
def test_event_speaks_of_the_local_world(name: str) -> None:
    event = read(name)

    ports = world.FIXED_PORTS
    assert event["ResourceProperties"]["Endpoint"] == f"http://{world.HOST}:{ports.neptune}"
    assert event["ResponseURL"].startswith(f"http://{world.HOST}:{ports.responses}/")
    outcome = OUTCOMES[name]
    assert event["ResourceProperties"].get("Id", outcome.job) == outcome.job
    assert (outcome.job in world.JOBS) == bool(
        outcome.cancellation or (outcome.job_status != world.NOT_THERE and not outcome.starts)
    )


@every_event
def test_event_can_be_moved_to_other_ports(name: str) -> None:
    text = events.text(name, world.Ports(11111, 22222))
    event = events.request_in(json.loads(text))

    assert event["ResourceProperties"]["Endpoint"] == f"http://{world.HOST}:11111"
    assert event["ResponseURL"].startswith(f"http://{world.HOST}:22222/")
    assert not any(str(port) in text for port in world.FIXED_PORTS)


def test_no_two_events_are_the_same_request() -> None:
    request_ids = [read(name)["RequestId"] for name in events.DESCRIPTIONS]

    assert len(set(request_ids)) == len(request_ids)


def test_delete_after_failed_create_follows_the_failed_create() -> None:
    create, delete = read("create-unknown-job"), read("delete-after-failed-create")

    assert delete["PhysicalResourceId"] == return_address(create, HOSTS).fallback_id
    assert Identity.parse(delete["PhysicalResourceId"]) is None
    for field in ("StackId", "LogicalResourceId", "ResourceProperties"):
        assert delete[field] == create[field]


@pytest.mark.parametrize("name", [name for name in OUTCOMES if has_adopted(read(name))])
def test_physical_id_is_the_job_that_was_adopted(name: str) -> None:
    event = read(name)
    adopted = event.get("OldResourceProperties", event["ResourceProperties"])

    assert event["PhysicalResourceId"] == f"{adopted['Endpoint']}/{adopted['Id']}"
    assert str(Identity.parse(event["PhysicalResourceId"])) == event["PhysicalResourceId"]
    assert (event["ResourceProperties"]["Id"] != adopted["Id"]) == (name == "update-other-job")


@pytest.mark.parametrize("name", [name for name, outcome in OUTCOMES.items() if outcome.starts])
def test_id_of_a_job_that_is_started_follows_from_the_event(name: str) -> None:
    event = read(name)

    assert id_of_job(event) == OUTCOMES[name].job
    waits = event["ResourceProperties"].get("WaitForCompletion") == "true"
    assert waits == (OUTCOMES[name].job_status != "InProgress")


@pytest.mark.parametrize(
    ("creation", "job", "later"),
    [
        ("create-start", world.STARTED, ("delete-started", "update-description")),
        ("create-endpoint", world.STARTED_ENDPOINT, ("update-endpoint", "delete-endpoint")),
    ],
)
def test_started_job_is_of_an_earlier_creation_of_the_same_resource(
    creation: str, job: str, later: tuple[str, ...]
) -> None:
    create = read(creation)

    assert id_of_job({**create, "RequestId": EARLIER_CREATE}) == job
    for name in later:
        event = read(name)
        assert event["PhysicalResourceId"] == f"{CLUSTER}/{job}"
        assert event.get("OldResourceProperties", event["ResourceProperties"]) == create["ResourceProperties"]
        for field in ("StackId", "LogicalResourceId"):
            assert event[field] == create[field]


def test_unanswered_creation_has_an_id_that_names_no_job() -> None:
    delete = read("delete-unanswered-create")

    assert delete["PhysicalResourceId"] == INVENTED_ID
    assert Identity.parse(INVENTED_ID) is None


@pytest.mark.parametrize("name", WAITING)
def test_waiting_event_is_what_the_queue_delivers(name: str) -> None:
    event = json.loads(events.text(name))

    (record,) = SqsModel.model_validate(event).Records

    body = event["Records"][0]["body"]
    assert record.md5OfBody == hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()
    waited = cloudformation_request(read(name), return_address(read(name), HOSTS))
    message = WaitingQueue("", "us-east-1").message_in(event)
    assert message is not None
    assert message.event == read(name)
    assert waited.arrived_at is not None
    assert (waited.patience.cancelled_at is None, waited.follows is None) in [(False, True), (True, False)]


def test_no_other_event_has_waited() -> None:
    assert [name for name in events.DESCRIPTIONS if "Waiting" in read(name)] == list(WAITING)
