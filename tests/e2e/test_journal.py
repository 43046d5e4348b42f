"""The journal's table, denied and out of reach."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from simulator import JobPlan, JobStatus
from tests.e2e.changes import denied, out_of_reach
from tests.e2e.provider import SETTLE_SECONDS, delete, failures, template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from tests.e2e.provider import Provider

# CloudFormation's time for the creation that fails; in place of the three minutes for which it would bear it.
TIMEOUT_SECONDS = 12


@pytest.fixture(autouse=True)
def _plan(provider: Provider) -> Iterator[None]:
    before = provider.neptune.plan
    provider.neptune.plan = JobPlan(stop_seconds=1)
    yield
    provider.neptune.plan = before


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (
            partial(denied, action="dynamodb:PutItem"),
            "Amazon DynamoDB refused dynamodb:PutItem on the provider's journal",
        ),
        (partial(out_of_reach, service="DYNAMODB"), "The provider's journal in Amazon DynamoDB cannot be reached"),
    ],
    ids=["no permission", "no way"],
)
def test_without_the_journal_nothing_is_started_and_what_is_named_is_cancelled(
    provider: Provider, fault: Callable[[Provider], AbstractContextManager[None]], reason: str
) -> None:
    before = provider.create_with(provider.described())
    (job,) = provider.started(before)
    stack = provider.stack()

    with fault(provider):
        stack.create(template({"Job": provider.described(ServiceTimeout=TIMEOUT_SECONDS)}))
        assert stack.settle(SETTLE_SECONDS) == "ROLLBACK_COMPLETE"
        adopted = provider.create(provider.start_job())
        assert delete(adopted) == "DELETE_COMPLETE"
        assert delete(before) == "DELETE_COMPLETE"

    assert failures(stack)["Job"].startswith(reason)
    assert provider.started(stack) == {}
    assert provider.started(before) == {job: JobStatus.STOPPED}
