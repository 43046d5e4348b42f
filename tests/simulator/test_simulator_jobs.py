from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from simulator.clock import ManualClock
from simulator.descriptions import describe
from simulator.jobs import Job, JobEndedError, JobStatus
from simulator.s3 import S3Location

OUTPUT = S3Location.parse("s3://bucket/transform/job-1")
SUCCESSORS = {
    JobStatus.IN_PROGRESS: {JobStatus.STOPPING, JobStatus.STOPPED, JobStatus.COMPLETED, JobStatus.FAILED},
    JobStatus.STOPPING: {JobStatus.STOPPED},
    JobStatus.STOPPED: set(),
    JobStatus.COMPLETED: set(),
    JobStatus.FAILED: set(),
}
SPANS = st.none() | st.floats(0, 100)


def job(**changes: object) -> Job:
    defaults: dict[str, Any] = {"id": "job-1", "output": OUTPUT, "started_at": 0.0}
    return Job(**{**defaults, **changes})


def test_no_two_jobs_have_the_same_sagemaker_jobs_though_they_have_the_same_id() -> None:
    one, other = job(id="a" * 48), job(id="a" * 48)

    names = [resource["name"] for it in (one, one.cancel(1.0, clean=True), other) for resource in sagemaker_jobs(it)]

    assert names[:2] == names[2:4]
    assert len(set(names)) == 4
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) and len(name) <= 63 for name in names)


def sagemaker_jobs(one: Job) -> list[dict[str, str]]:
    described: dict[str, Any] = describe(one, JobStatus.IN_PROGRESS)
    return [described["baseProcessingJob"], described["remoteModelTransformJob"]]


class JobLife(RuleBasedStateMachine):
    """Any sequence of cancellations and time: every status follows legally from the one before."""

    @initialize(run_seconds=SPANS, stop_seconds=SPANS, ends_as=st.sampled_from([JobStatus.COMPLETED, JobStatus.FAILED]))
    def start(self, run_seconds: float | None, stop_seconds: float | None, ends_as: JobStatus) -> None:
        self.clock = ManualClock()
        self.job = job(run_seconds=run_seconds, stop_seconds=stop_seconds, ends_as=ends_as)
        self.last = self.job.status(self.clock())
        self.cancelled_at: float | None = None

    @rule(seconds=st.floats(0, 50))
    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @precondition(lambda self: self.job.status(self.clock()) is JobStatus.IN_PROGRESS)
    @rule(clean=st.booleans())
    def cancel(self, clean: bool) -> None:  # noqa: FBT001
        self.job = self.job.cancel(self.clock(), clean=clean)
        self.cancelled_at = self.clock()
        assert self.job.clean is clean

    @precondition(lambda self: self.job.status(self.clock()) is JobStatus.STOPPING)
    @rule(clean=st.booleans())
    def cancel_again(self, clean: bool) -> None:  # noqa: FBT001
        assert self.job.cancel(self.clock(), clean=clean) is self.job

    @precondition(lambda self: self.job.status(self.clock()).ended)
    @rule()
    def cancel_too_late(self) -> None:
        with pytest.raises(JobEndedError, match=f"already {self.job.status(self.clock())}"):
            self.job.cancel(self.clock(), clean=False)

    @invariant()
    def every_step_is_legal(self) -> None:
        status = self.job.status(self.clock())
        assert status is self.last or status in SUCCESSORS[self.last]
        self.last = status

    @invariant()
    def it_ends_when_its_time_is_up_and_not_before(self) -> None:
        now, status = self.clock(), self.job.status(self.clock())
        if self.cancelled_at is not None:
            up = self.job.stop_seconds is not None and now >= self.cancelled_at + self.job.stop_seconds
            assert status is (JobStatus.STOPPED if up else JobStatus.STOPPING)
        else:
            up = self.job.run_seconds is not None and now >= self.job.run_seconds
            assert status is (self.job.ends_as if up else JobStatus.IN_PROGRESS)


TestJobLife = JobLife.TestCase


@given(status=st.sampled_from(JobStatus), run_seconds=SPANS.filter(lambda span: span != 0), stop_seconds=SPANS)
def test_a_job_can_begin_in_any_status(
    status: JobStatus, run_seconds: float | None, stop_seconds: float | None
) -> None:
    begun = job(run_seconds=run_seconds, stop_seconds=stop_seconds).begin_as(status)
    instantly = status is JobStatus.STOPPING and stop_seconds == 0
    assert begun.status(0.0) is (JobStatus.STOPPED if instantly else status)


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": ""},
        {"id": "../x"},
        {"id": "a/b"},
        {"id": "a.b"},
        {"id": "a_b"},
        {"id": "-a"},
        {"id": "a" * 49},
        {"run_seconds": -1},
        {"stop_seconds": float("nan")},
        {"stop_seconds": float("inf")},
        {"stop_seconds": 10**400},
        {"ends_as": JobStatus.STOPPED},
    ],
)
def test_a_senseless_job_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"not a job id|a time span is|Completed or Failed, not Stopped"):
        job(**wrong)


@given(uri=st.text() | st.text(alphabet="ab./\0\\", max_size=20).map("s3://bucket/".__add__))
def test_an_s3_location_never_leaves_its_bucket(uri: str) -> None:
    try:
        location = S3Location.parse(uri)
    except ValueError:
        return
    assert str(location).startswith("s3://")
    assert not {"", ".", ".."} & {location.bucket, *location.parts}
    assert S3Location.parse(str(location)) == location


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "bucket/key",
        "https://bucket/key",
        "s3://",
        "s3://B/key",
        "s3://bucket/../other",
        "s3://bucket/./a",
        "s3://../a",
    ],
)
def test_what_is_no_s3_location_is_refused(uri: str) -> None:
    with pytest.raises(ValueError, match=r"not an S3|cannot be a part"):
        S3Location.parse(uri)


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
def test_a_clock_goes_forward_only(clock: ManualClock, seconds: float) -> None:
    with pytest.raises(ValueError, match="time span"):
        clock.advance(seconds)
    assert clock() == 0
