"""Lookups: they have the attributes of a job, and neither start nor cancel it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from provider.journal.memory import Memory
from provider.kinds import KINDS
from provider.kinds.lookup import KINDS as LOOKED_UP
from provider.kinds.lookup import LOOKUP
from tests.function.asking import answered, create
from tests.function.world import EPOCH, FUNCTION_ARN, STACK_ID

if TYPE_CHECKING:
    from provider.kinds.kind import Kind
    from tests.function.world import World

JOB_TYPES = {kind: job_type for job_type, kind in LOOKED_UP.items()}


def ask(world: World, request_type: str, physical_id: str = "", **properties: object) -> dict[str, Any]:
    raw = {"ServiceToken": FUNCTION_ARN, "JobType": JOB_TYPES[world.kind], **properties}
    event = world.event(
        request_type,
        signed_at=EPOCH + world.time(),
        ResourceType=LOOKUP.resource_type,
        LogicalResourceId="Lookup",
        PhysicalResourceId=physical_id,
        ResourceProperties=raw,
        OldResourceProperties=raw,
    )
    return answered(world, event)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
def test_a_lookup_has_the_attributes_of_a_job_and_leaves_it_alone(world: World, kind: Kind) -> None:
    world = world.of(kind)
    job = answered(world, create(world))
    by_ref = ask(world, "Create", Job=job["PhysicalResourceId"])
    by_id = ask(world, "Create", Endpoint=world.simulator.url, Id=job["Data"]["Id"])
    assert (by_ref["Status"], by_ref["Data"]) == ("SUCCESS", job["Data"])
    assert by_id["Data"] == by_ref["Data"]
    assert ask(world, "Delete", by_ref["PhysicalResourceId"], Job="")["Status"] == "SUCCESS"
    world.pass_time(60)
    assert (world.starts, world.cancellations, world.jobs.running()) == (1, [], (job["Data"]["Id"],))


def test_an_update_has_the_last_attributes_while_neptune_cannot_be_asked_and_a_creation_fails(world: World) -> None:
    job = answered(world, create(world))["PhysicalResourceId"]
    before = ask(world, "Create", Job=job)
    world.take_cluster_down()
    for _ in range(2):
        update = ask(world, "Update", before["PhysicalResourceId"], Job=job)
        assert (update["Status"], update["Data"]) == ("SUCCESS", before["Data"])
    began = world.time()
    assert ask(world, "Create", Job=job)["Status"] == "FAILED"
    assert 180 <= world.time() - began <= 240


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"Job": "movies"}, "Job is 'movies'; it should be the Ref of a Neptune ML resource, such as "),
        ({"Job": "host.neptune.amazonaws.com:8182/a", "Id": "a"}, "Specify either Job, or Endpoint and Id."),
        ({"Id": "a"}, "Specify either Job, or Endpoint and Id."),
        ({}, "Specify either Job, or Endpoint and Id."),
        ({"JobType": "TransformJob"}, "JobType is 'TransformJob'; it should be DataProcessingJob, ModelTrainingJob, "),
        (
            {"Job": "example.com:8182/a"},
            "The provider is not allowed to connect to example.com, the cluster of the job a. It should be a host ",
        ),
        (
            {"Job": f"host.neptune.amazonaws.com:8182/{'a' * 970}"},
            "Id is too long; together with the cluster's host, it ",
        ),
        ({"Endpiont": "a"}, "'Endpiont' is not a property of Custom::NeptuneMLJobLookup; did you mean Endpoint?"),
    ],
)
def test_what_cannot_be_looked_up_fails_with_the_reason(world: World, properties: dict[str, str], reason: str) -> None:
    answer = ask(world, "Create", **properties)
    assert (answer["Status"], world.calls) == ("FAILED", [])
    assert answer["Reason"].startswith(reason), answer["Reason"]


def test_a_job_that_neptune_does_not_know_fails_the_lookup(world: World) -> None:
    answer = ask(world, "Create", Endpoint=world.simulator.url, Id="movies")
    assert answer["Status"] == "FAILED"
    assert "has no model transform job movies. Check Id and Endpoint." in answer["Reason"]


def test_an_update_keeps_the_last_attributes_after_the_deletion_of_what_it_replaced(world: World) -> None:
    jobs = [answered(world, create(world) | {"LogicalResourceId": name}) for name in "AB"]
    first, second = (it["PhysicalResourceId"] for it in jobs)
    before = ask(world, "Create", Job=first)
    replaced = ask(world, "Update", before["PhysicalResourceId"], Job=second)
    ask(world, "Delete", before["PhysicalResourceId"], Job=first)
    entry, _ = world.journal.read(f"{STACK_ID}|Lookup|{LOOKUP.resource_type}")
    assert entry is not None
    assert list(entry.jobs) == [replaced["PhysicalResourceId"]]
    world.take_cluster_down()
    update = ask(world, "Update", replaced["PhysicalResourceId"], Job=second)
    assert (update["Status"], update["Data"]) == ("SUCCESS", replaced["Data"])


def test_a_rollback_to_a_job_that_cannot_be_asked_any_more_succeeds(world: World) -> None:
    jobs = [answered(world, create(world) | {"LogicalResourceId": name}) for name in "AB"]
    first, second = (it["PhysicalResourceId"] for it in jobs)
    before = ask(world, "Create", Job=first)
    replaced = ask(world, "Update", before["PhysicalResourceId"], Job=second)
    world.take_cluster_down()
    rollback = ask(world, "Update", replaced["PhysicalResourceId"], Job=first)
    assert (rollback["Status"], rollback["Data"]) == ("SUCCESS", before["Data"])
    assert rollback["PhysicalResourceId"] == before["PhysicalResourceId"]


def test_an_update_fails_rather_than_empty_its_attributes(world: World) -> None:
    job = answered(world, create(world))["PhysicalResourceId"]
    before = ask(world, "Create", Job=job)
    world.take_cluster_down()
    world.journal = Memory()  # the attributes are lost
    update = ask(world, "Update", before["PhysicalResourceId"], Job=job)
    assert (update["Status"], update["PhysicalResourceId"]) == ("FAILED", before["PhysicalResourceId"])


def test_two_deliveries_of_a_lookup_at_once_both_succeed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    job = answered(world, create(world))["PhysicalResourceId"]
    ask(world, "Create", Job=job)
    monkeypatch.setattr(world.journal, "read", lambda _: (None, 0))  # as it was before the other one wrote
    assert ask(world, "Create", Job=job)["Status"] == "SUCCESS"


def test_an_update_to_another_job_type_fails_if_there_is_no_such_job(world: World) -> None:
    job = answered(world, create(world))["PhysicalResourceId"]
    before = ask(world, "Create", Job=job)["PhysicalResourceId"]
    other = next(it for kind, it in JOB_TYPES.items() if kind != world.kind)
    assert ask(world, "Update", before, Job=job, JobType=other)["Status"] == "FAILED"
