"""A journal that fails: nothing is started twice, and nothing is begun that is not written down."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from provider.journal.table import ENTRY
from provider.neptune import Jobs
from tests.function.asking import INVENTED, answered, begun, create, delete, job_id, unheard, update
from tests.function.world import STACK_ID, DynamoDB

if TYPE_CHECKING:
    from provider.schema import Properties
    from tests.function.world import World

SILENT = ("unreachable", "throttled", "denied", "garbage", "unanswered")
ODD = ("unreachable", "late", "lost", "lost in a conflict")
CALLS = 28  # in the life of a resource whose job is replaced
RESOURCE = f"{STACK_ID}|Job"


@pytest.fixture
def journal(world: World, monkeypatch: pytest.MonkeyPatch) -> DynamoDB:
    """The world's journal: a table, which is looked at whenever a job is started."""
    table, start = DynamoDB(world.pass_time), Jobs.start

    def look_and_start(jobs: Jobs, job_id: str, properties: Properties) -> None:
        assert f'/{job_id}":{{' in table.items[RESOURCE][ENTRY]["S"]
        start(jobs, job_id, properties)

    monkeypatch.setattr(Jobs, "start", look_and_start)
    world.journal = table
    return table


@pytest.mark.parametrize("fault", ODD)
@pytest.mark.parametrize("nth", range(1, CALLS + 1))
def test_one_fault_at_any_call_changes_nothing(world: World, journal: DynamoDB, fault: str, nth: int) -> None:
    v1, v2 = world.described(), world.described(TrainingJobName="v2")
    journal.break_down(fault, nth, 1)
    old = answered(world, create(world))
    new = answered(world, update(world, old["PhysicalResourceId"], v1, v2))
    assert world.simulator.running() == (job_id(old), job_id(new))
    ends = [answered(world, delete(world, it["PhysicalResourceId"])) for it in (old, new)]
    assert {it["Status"] for it in (old, new, *ends)} == {"SUCCESS"}
    assert (world.starts, world.simulator.running()) == (2, ())
    assert journal.calls >= nth


@pytest.mark.parametrize("fault", SILENT)
@pytest.mark.parametrize("nth", range(1, 6))
def test_what_a_create_begins_while_the_journal_breaks_down_is_cancelled(
    world: World, journal: DynamoDB, fault: str, nth: int
) -> None:
    journal.break_down(fault, nth)
    answer = answered(world, create(world))
    assert answer["Status"] == "FAILED"
    assert "DynamoDB" in answer["Reason"]
    assert "When this is fixed, try again." in answer["Reason"]
    assert world.starts <= 1
    journal.break_down("", 1)
    assert answered(world, delete(world, answer["PhysicalResourceId"]))["Status"] == "SUCCESS"
    assert world.simulator.running() == ()


@pytest.mark.parametrize("fault", SILENT)
@pytest.mark.parametrize("nth", [1, 3])
def test_a_job_is_adopted_and_cancelled_without_a_journal(
    world: World, journal: DynamoDB, fault: str, nth: int
) -> None:
    world.simulator.start_job("job-1")
    journal.break_down(fault, nth)
    assert answered(world, world.event("Create"))["Status"] == "SUCCESS"
    changed = world.event("Update", ResourceProperties=world.properties(Clean="true"))
    assert answered(world, changed)["Status"] == "SUCCESS"
    assert answered(world, world.event("Delete"))["Status"] == "SUCCESS"
    assert world.simulator.running() == ()


@pytest.mark.parametrize("fault", SILENT)
@pytest.mark.parametrize("is_told", [True, False])
def test_a_delete_that_names_its_job_cancels_it_without_a_journal(
    world: World,
    journal: DynamoDB,
    fault: str,
    is_told: bool,  # noqa: FBT001
) -> None:
    event = create(world, WaitForCompletion=str(not is_told).lower())
    if is_told:
        named = answered(world, event)["PhysicalResourceId"]
    else:
        begun(world, event)
        named = f"{world.simulator.url}/{world.simulator.running()[0]}"
    journal.break_down(fault)
    assert answered(world, delete(world, named))["Status"] == "SUCCESS"
    assert world.simulator.running() == ()


@pytest.mark.parametrize("fault", SILENT)
def test_a_delete_that_names_no_job_asks_for_ten_minutes_and_then_says_what_to_do(
    world: World, journal: DynamoDB, fault: str
) -> None:
    unheard(world, create(world))
    journal.break_down(fault)
    answer = answered(world, delete(world, INVENTED))
    assert (answer["Status"], answer["PhysicalResourceId"]) == ("FAILED", INVENTED)
    assert "DynamoDB" in answer["Reason"]
    assert "When this is fixed, delete the stack again." in answer["Reason"]
    assert 600 <= world.time() <= 660
    journal.break_down("")
    assert answered(world, delete(world, INVENTED))["Status"] == "SUCCESS"
    assert world.simulator.running() == ()


def test_a_delete_that_names_no_job_waits_for_a_journal_that_comes_back(world: World, journal: DynamoDB) -> None:
    unheard(world, create(world))
    journal.break_down("unreachable")
    world.at(500, lambda: journal.break_down(""))
    assert answered(world, delete(world, INVENTED))["Status"] == "SUCCESS"
    assert world.simulator.running() == ()
