from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from provider.clock import Clock
from provider.lifecycle import Done, Lifecycle, Request, RequestFailed, StillStopping
from provider.neptune import JobNotFound, ModelTransformJob, NeptuneError, RequestRefused, Unavailable, Unreachable
from provider.properties import Endpoint, Operator

if TYPE_CHECKING:
    from collections.abc import Iterable

CLUSTER = "db.cluster-c0ffee.us-east-1.neptune.amazonaws.com"
PROPERTIES = {
    "ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:provider",
    "Id": "job-1",
    "Endpoint": CLUSTER,
}


@dataclass
class Time:
    """A clock on which sleeping costs nothing."""

    now: float = 1000.0
    naps: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.naps.append(seconds)
        self.now += seconds

    @property
    def clock(self) -> Clock:
        return Clock(monotonic=lambda: self.now, wall=lambda: self.now + 1e9, sleep=self.sleep)


@dataclass
class ScriptedJobs:
    """Jobs whose answers are given beforehand; the last one of each kind stays."""

    statuses: Iterable[str | Exception] = ("InProgress",)
    cancels: Iterable[Exception | None] = (None,)
    calls: list[tuple[object, ...]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._statuses, self._cancels = deque(self.statuses), deque(self.cancels)

    def get(self, job_id: str, *, neptune_iam_role_arn: str | None) -> ModelTransformJob:
        self.calls.append(("get", job_id, neptune_iam_role_arn))
        answer = self._statuses.popleft() if len(self._statuses) > 1 else self._statuses[0]
        if isinstance(answer, Exception):
            raise answer
        return ModelTransformJob(job_id, answer, "s3://bucket/out", "arn:processing", "arn:transform")

    def cancel(self, job_id: str, *, clean: bool, neptune_iam_role_arn: str | None) -> None:
        self.calls.append(("cancel", job_id, clean, neptune_iam_role_arn))
        answer = self._cancels.popleft() if len(self._cancels) > 1 else self._cancels[0]
        if answer is not None:
            raise answer

    @property
    def cancelled(self) -> list[object]:
        return [call[1] for call in self.calls if call[0] == "cancel"]


def lifecycle(jobs: ScriptedJobs, time: Time | None = None) -> Lifecycle:
    return Lifecycle(operator=Operator(), connect=lambda _: jobs, clock=(time or Time()).clock)


def delete_request(wait: float = 600, physical_id: str = "job-1", /, **properties: object) -> Request:
    return Request(physical_id, {**PROPERTIES, **properties}, wait_until=Time().now + wait)


# --- Create and Update ------------------------------------------------------------------------------------------------


def test_create_adopts_a_job_with_all_its_attributes() -> None:
    done = lifecycle(ScriptedJobs()).create(Request(None, PROPERTIES))
    assert done == Done(
        "job-1",
        {
            "Id": "job-1",
            "Status": "InProgress",
            "OutputLocation": "s3://bucket/out",
            "BaseProcessingJobArn": "arn:processing",
            "RemoteModelTransformJobArn": "arn:transform",
        },
    )


@pytest.mark.parametrize("status", ["Completed", "Stopped", "Failed", "Stopping"])
def test_create_adopts_a_job_that_has_ended(status: str) -> None:
    assert lifecycle(ScriptedJobs([status])).create(Request(None, PROPERTIES)).attributes["Status"] == status


def test_create_asks_the_cluster_of_the_endpoint() -> None:
    asked: list[Endpoint] = []

    def connect(endpoint: Endpoint) -> ScriptedJobs:
        asked.append(endpoint)
        return ScriptedJobs()

    Lifecycle(Operator(), connect, Time().clock).create(Request(None, {**PROPERTIES, "Endpoint": f"{CLUSTER}:9000"}))
    assert asked == [Endpoint("https", CLUSTER, 9000)]


def test_create_fails_for_a_job_that_does_not_exist() -> None:
    with pytest.raises(RequestFailed, match=r"no such job\. Check Id and Endpoint\."):
        lifecycle(ScriptedJobs([JobNotFound("no such job.")])).create(Request(None, PROPERTIES))


def test_create_fails_for_a_wrong_property_without_a_call() -> None:
    jobs = ScriptedJobs()
    with pytest.raises(RequestFailed, match="did you mean Clean"):
        lifecycle(jobs).create(Request(None, {**PROPERTIES, "Clen": "true"}))
    assert jobs.calls == []


def test_create_fails_when_neptune_cannot_be_asked() -> None:
    with pytest.raises(RequestFailed, match=r"The job job-1 could not be looked up\. no route"):
        lifecycle(ScriptedJobs([Unreachable("no route")])).create(Request(None, PROPERTIES))


def test_update_to_another_job_returns_its_id_and_cancels_nothing() -> None:
    jobs = ScriptedJobs()
    assert lifecycle(jobs).update(Request("job-0", PROPERTIES, {**PROPERTIES, "Id": "job-0"})).physical_id == "job-1"
    assert jobs.cancelled == []


def test_update_to_a_job_that_does_not_exist_fails() -> None:
    with pytest.raises(RequestFailed, match="no such job"):
        lifecycle(ScriptedJobs([JobNotFound("no such job")])).update(
            Request("job-0", PROPERTIES, {**PROPERTIES, "Id": "job-0"})
        )


def test_update_of_settings_keeps_the_job_even_if_neptune_has_forgotten_it() -> None:
    jobs = ScriptedJobs([JobNotFound("no such job")])
    done = lifecycle(jobs).update(Request("job-1", {**PROPERTIES, "Clean": "true"}, PROPERTIES))
    assert done.physical_id == "job-1"
    assert set(done.attributes.values()) == {"job-1", ""}


def test_update_of_the_endpoint_to_a_cluster_without_the_job_fails() -> None:
    moved = {**PROPERTIES, "Endpoint": f"other.{CLUSTER}"}
    with pytest.raises(RequestFailed, match="no such job"):
        lifecycle(ScriptedJobs([JobNotFound("no such job")])).update(Request("job-1", moved, PROPERTIES))


# --- Delete -----------------------------------------------------------------------------------------------------------


def test_delete_cancels_and_waits_until_the_job_has_stopped() -> None:
    jobs, time = ScriptedJobs(["Stopping", "Stopping", "Stopped"]), Time()
    assert lifecycle(jobs, time).delete(delete_request(Clean="true")) == Done("job-1")
    assert jobs.calls == [("cancel", "job-1", True, None)] + [("get", "job-1", None)] * 3
    assert time.naps == [0.5, 0.5]


def test_delete_passes_the_role_on() -> None:
    role = "arn:aws:iam::123456789012:role/NeptuneML"
    jobs = ScriptedJobs(["Stopped"])
    lifecycle(jobs).delete(delete_request(NeptuneIamRoleArn=role))
    assert jobs.calls == [("cancel", "job-1", False, role), ("get", "job-1", role)]


@pytest.mark.parametrize("status", ["Stopped", "Completed", "Failed"])
def test_every_end_of_a_job_ends_the_wait(status: str) -> None:
    assert lifecycle(ScriptedJobs(["Stopping", status])).delete(delete_request()) == Done("job-1")


def test_a_job_that_is_gone_is_a_success() -> None:
    assert lifecycle(ScriptedJobs(cancels=[JobNotFound("gone")])).delete(delete_request()) == Done("job-1")
    assert lifecycle(ScriptedJobs(["Stopping", JobNotFound("gone")])).delete(delete_request()) == Done("job-1")


def test_a_refusal_for_a_job_that_has_ended_is_a_success() -> None:
    jobs = ScriptedJobs(["Completed"], [RequestRefused("it has ended")])
    assert lifecycle(jobs).delete(delete_request()) == Done("job-1")
    assert len(jobs.calls) == 2


def test_a_refusal_for_a_job_that_is_stopping_waits() -> None:
    jobs = ScriptedJobs(["Stopping", "Stopping", "Stopped"], [RequestRefused("it is stopping")])
    assert lifecycle(jobs).delete(delete_request()) == Done("job-1")
    assert jobs.cancelled == ["job-1"]


def test_a_refusal_for_a_running_job_fails_with_neptunes_words() -> None:
    with pytest.raises(RequestFailed, match=r"could not be cancelled\. the role is not listed"):
        lifecycle(ScriptedJobs(cancels=[RequestRefused("the role is not listed")])).delete(delete_request())


def test_without_waiting_an_accepted_cancellation_is_enough() -> None:
    jobs = ScriptedJobs()
    assert lifecycle(jobs).delete(delete_request(WaitForStop="false")) == Done("job-1")
    assert [call[0] for call in jobs.calls] == ["cancel"]


@pytest.mark.parametrize("properties", [{"Id": "job-2"}, {"Id": None}, {"Id": ["job-1"]}])
def test_a_resource_that_adopted_no_job_touches_nothing(properties: dict[str, object]) -> None:
    jobs = ScriptedJobs()
    assert lifecycle(jobs).delete(delete_request(600, "job-1", **properties)) == Done("job-1")
    assert jobs.calls == []


def test_a_delete_after_a_failed_create_ignores_what_was_wrong_with_it() -> None:
    jobs = ScriptedJobs()
    assert lifecycle(jobs).delete(delete_request(600, "no-job/1", Clean="perhaps")) == Done("no-job/1")
    assert jobs.calls == []


def test_a_throttled_cancellation_is_tried_again() -> None:
    jobs = ScriptedJobs(["Stopped"], [Unavailable("429"), Unavailable("429"), None])
    assert lifecycle(jobs).delete(delete_request()) == Done("job-1")
    assert jobs.cancelled == ["job-1"] * 3


def test_a_cluster_that_was_never_reached_fails_at_once() -> None:
    time = Time()
    with pytest.raises(RequestFailed, match="Open TCP port"):
        lifecycle(ScriptedJobs(cancels=[Unreachable("Open TCP port 8182")]), time).delete(delete_request())
    assert time.naps == []


def test_a_failover_in_the_middle_of_a_wait_is_waited_for() -> None:
    jobs = ScriptedJobs(["Stopping", Unreachable("gone"), Unavailable("500"), "Stopping", "Stopped"])
    assert lifecycle(jobs).delete(delete_request()) == Done("job-1")


def test_a_permission_missing_in_the_middle_of_a_wait_fails() -> None:
    with pytest.raises(RequestFailed, match="needs neptune-db"):
        lifecycle(ScriptedJobs(["Stopping", NeptuneError("needs neptune-db")])).delete(delete_request())


def test_a_job_that_never_stops_is_reported_as_such_in_time() -> None:
    time = Time()
    result = lifecycle(ScriptedJobs(["Stopping"]), time).delete(delete_request(100))
    assert result == StillStopping("The job job-1 has not stopped yet (its status is Stopping).", 1e9 + 1000)
    assert time.now == pytest.approx(1100)


def test_a_cancellation_that_never_came_through_is_reported_as_such() -> None:
    result = lifecycle(ScriptedJobs(cancels=[Unavailable("429")])).delete(delete_request(10))
    assert result == StillStopping("The job job-1 is not known to have stopped: 429", None)


def test_the_continuation_of_a_delete_does_not_cancel_again() -> None:
    jobs = ScriptedJobs(["Stopped"])
    request = Request("job-1", PROPERTIES, cancelled_at=1e9)
    assert lifecycle(jobs).delete(request) == Done("job-1")
    assert jobs.calls == [("get", "job-1", None)]


def test_the_answer_is_never_later_than_a_tenth_of_the_wait_and_fifteen_minutes_cost_a_hundred_calls() -> None:
    class Stopping(ScriptedJobs):
        def get(self, job_id: str, *, neptune_iam_role_arn: str | None) -> ModelTransformJob:
            self.calls.append(("get", job_id, neptune_iam_role_arn))
            return ModelTransformJob(job_id, "Stopped" if time.now >= 1000 + stops_after else "Stopping")

    for stops_after in (0.1, 1, 10, 60, 300, 900):
        time, jobs = Time(), Stopping()
        assert lifecycle(jobs, time).delete(delete_request(3600)) == Done("job-1")
        assert time.now - 1000 - stops_after <= max(0.5, stops_after * 0.1), stops_after
        assert len(jobs.calls) <= 100


def test_no_nap_is_longer_than_fifteen_seconds_or_goes_past_the_limit() -> None:
    time = Time()
    lifecycle(ScriptedJobs(["Stopping"]), time).delete(delete_request(1000))
    assert max(time.naps) == 15
    assert time.now == pytest.approx(2000)


def test_wrong_settings_of_an_adopted_job_fail_the_delete_clearly() -> None:
    with pytest.raises(RequestFailed, match=r"The job job-1 cannot be cancelled\. Endpoint is 'elsewhere.example'"):
        lifecycle(ScriptedJobs()).delete(delete_request(Endpoint="elsewhere.example"))
