"""Which of the jobs that Neptune lists a resource may take for its own: by their time, and what they do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from provider import job_id
from provider.custom_resource.properties import schema_of
from provider.job_id import Origin
from provider.kinds import MODEL_TRANSFORM_JOB
from provider.lifecycle.own_jobs import OwnJobs
from provider.neptune import Job, JobNotFound, NeptuneError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provider.schema import Properties

NOW = 1_800_000_000
DAY, HOUR = 86_400, 3_600
DESCRIPTION = {"ModelTransformOutputS3Location": "s3://bucket/out", "TrainingJobName": "movies"}
OTHERS = tuple(f"job-{n}" for n in range(1024))


def properties(**more: object) -> Properties:
    raw = {
        "ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:provider",
        "Endpoint": "db.cluster-c0ffee.us-east-1.neptune.amazonaws.com",
        **DESCRIPTION,
        **more,
    }
    return schema_of(MODEL_TRANSFORM_JOB.schema).parse(raw)


def origin(asked_at: float | None = NOW, request: str = "now") -> Origin:
    return Origin(("graph", "Job"), "graph/Job", request, asked_at)


def made(asked_at: float | None, request: str = "then") -> str:
    """The id of the resource's own job of that time."""
    return job_id.make(origin(asked_at, request), properties().description)


class Cluster:
    """A cluster's jobs, by their ids."""

    def __init__(self, jobs: Mapping[str, str]) -> None:
        self._jobs = jobs
        self.looked_at: list[str] = []

    def list(self, properties: Properties) -> tuple[str, ...]:
        del properties
        return tuple(self._jobs)

    def get(self, job_id: str, properties: Properties) -> Job:
        del properties
        self.looked_at.append(job_id)
        status = self._jobs[job_id]
        if status == "gone":
            raise JobNotFound("Neptune knows no such job.")
        return Job(
            status,
            is_stopping=status == "Stopping",
            has_ended=status in ("Stopped", "Completed", "Failed"),
            has_completed=status == "Completed",
            has_failed=status == "Failed",
        )

    def start(self, job_id: str, properties: Properties) -> None:
        raise AssertionError(job_id, properties)

    def update(self, job_id: str, properties: Properties) -> None:
        raise AssertionError(job_id, properties)

    def cancel(self, job_id: str, properties: Properties) -> None:
        raise AssertionError(job_id, properties)


def own(jobs: Mapping[str, str], asked_at: float | None = NOW, **more: object) -> OwnJobs:
    return OwnJobs(Cluster(jobs), origin(asked_at), properties(**more))


# --- that of a creation that was not heard ----------------------------------------------------------------------------


@pytest.mark.parametrize(("age", "is_found"), [(0, True), (DAY - 1, True), (DAY, False), (-1, False)])
def test_a_job_of_the_last_day_that_is_no_later_than_the_request_may_be_unreported(age: int, is_found: bool) -> None:  # noqa: FBT001
    job = made(NOW - age)
    assert own({job: "InProgress"}).unreported(may_be_stopping=False) == [job] * is_found


def test_without_the_time_of_the_request_no_job_is_too_old_or_too_late() -> None:
    jobs = [made(NOW + DAY), made(1)]
    assert own(dict.fromkeys(jobs, "InProgress"), None).unreported(may_be_stopping=False) == jobs


def test_a_job_whose_request_did_not_say_when_it_was_asked_is_never_too_old() -> None:
    job = made(None)
    assert own({job: "InProgress"}).unreported(may_be_stopping=False) == [job]


@pytest.mark.parametrize(
    ("status", "is_found"),
    [("InProgress", (True, True)), ("Stopping", (False, True)), ("Stopped", (False, False)), ("gone", (False, False))],
)
def test_a_job_that_is_stopping_counts_where_its_end_is_waited_for(status: str, is_found: tuple[bool, bool]) -> None:
    job = made(NOW)
    for may_be_stopping in (False, True):
        found = own({job: status}).unreported(may_be_stopping=may_be_stopping)
        assert found == [job] * is_found[may_be_stopping]


def test_a_full_list_without_the_resources_job_does_not_say_that_there_is_none() -> None:
    with pytest.raises(NeptuneError, match=r"no more than 1,024 of them, .*retain the resource\.$"):
        own(dict.fromkeys(OTHERS, "InProgress")).unreported(may_be_stopping=False)
    assert own(dict.fromkeys(OTHERS[1:], "InProgress")).unreported(may_be_stopping=False) == []
    job = made(NOW)
    assert own({**dict.fromkeys(OTHERS, "InProgress"), job: "InProgress"}).unreported(may_be_stopping=False) == [job]


# --- what an Update has left ------------------------------------------------------------------------------------------


def test_what_came_after_the_job_that_is_known_is_left_by_an_update() -> None:
    reported, before, same, after = made(NOW - 100), made(NOW - 101), made(NOW - 100, "other"), made(NOW - 99)
    jobs = dict.fromkeys([reported, before, same, after], "InProgress")
    assert own(jobs).unreported_since(reported) == [after, same]
    assert own({**jobs, after: "Stopping"}).unreported_since(reported) == [same]


def test_what_came_in_the_last_two_hours_is_left_by_an_update_if_the_known_job_has_no_time() -> None:
    just, before, timeless = made(NOW - 2 * HOUR), made(NOW - 2 * HOUR - 1), made(None)
    jobs = dict.fromkeys([just, before, timeless], "InProgress")
    assert own(jobs).unreported_since("job-1") == [just, timeless]


# --- to go back to ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "clean", "is_taken"),
    [
        ("InProgress", "true", True),
        ("Stopping", "false", False),
        ("Stopped", "false", False),
        ("Completed", "false", True),
        ("Completed", "true", False),
        ("gone", "false", False),
    ],
)
def test_a_rollback_goes_back_to_a_job_that_does_or_did_what_it_is_for(status: str, clean: str, is_taken: bool) -> None:  # noqa: FBT001
    old, current = made(NOW - 100), made(NOW - 50)
    back = own({old: status}, Clean=clean).to_go_back_to(current, made(NOW))
    assert back == (old if is_taken else "")


@pytest.mark.parametrize(("age", "is_taken"), [(51, True), (50, False), (49, False)])
def test_a_job_that_had_failed_is_gone_back_to_if_it_was_there_before(age: int, is_taken: bool) -> None:  # noqa: FBT001
    old, current = made(NOW - age), made(NOW - 50)
    assert own({old: "Failed"}).to_go_back_to(current, made(NOW)) == (old if is_taken else "")


def test_of_the_job_and_its_replacement_one_is_of_the_last_day() -> None:
    ages = {(DAY, DAY): False, (DAY - 1, DAY): True, (DAY, DAY - 1): True}
    for (age, age_of_current), is_taken in ages.items():
        old, current = made(NOW - age), made(NOW - age_of_current, "current")
        assert own({old: "InProgress"}).to_go_back_to(current, made(NOW)) == (old if is_taken else "")


def test_the_job_that_would_be_started_is_not_gone_back_to() -> None:
    wanted, old = made(NOW), made(NOW - 100)
    jobs = own({old: "InProgress", wanted: "InProgress"})
    assert jobs.to_go_back_to(made(NOW - 50), wanted) == old


def test_only_the_newest_five_are_looked_at() -> None:
    ids = [made(NOW - age) for age in range(100, 106)]
    jobs = own({**dict.fromkeys(ids[:5], "Stopped"), ids[5]: "InProgress"})
    assert jobs.to_go_back_to(made(NOW - 50), made(NOW)) == ""
    assert isinstance(jobs.jobs, Cluster)
    assert jobs.jobs.looked_at == ids[:5]
    newest = own({**dict.fromkeys(ids[1:5], "Stopped"), ids[0]: "gone", ids[4]: "InProgress"})
    assert newest.to_go_back_to(made(NOW - 50), made(NOW)) == ids[4]
