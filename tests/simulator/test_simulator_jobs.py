from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from simulator import lives
from simulator.clock import ManualClock
from simulator.descriptions import describe
from simulator.jobs import DEFAULT_FAILURE, Job, JobEndedError, JobPlan, NotUpdatableError
from simulator.kinds import ENDPOINTS, KINDS, MODEL_TRAINING, MODEL_TRANSFORM, Kind
from simulator.lives import EndpointStatus, JobStatus, Status

OUTPUT = "s3://bucket/transform/job-1"
SUCCESSORS: dict[Status, set[Status]] = {
    JobStatus.IN_PROGRESS: {JobStatus.STOPPING, JobStatus.STOPPED, JobStatus.COMPLETED, JobStatus.FAILED},
    JobStatus.STOPPING: {JobStatus.STOPPED},
    JobStatus.STOPPED: set(),
    JobStatus.COMPLETED: set(),
    JobStatus.FAILED: set(),
}
JOB_KINDS = [kind for kind in KINDS.values() if kind.life is lives.JOB]
SPANS = st.none() | st.floats(0, 100)
WITHIN = st.floats(0, 1)
FOR_EVER = JobPlan()


def job(plan: JobPlan = FOR_EVER, *, job_id: str = "job-1", kind: Kind = MODEL_TRANSFORM) -> Job:
    return Job(id=job_id, kind=kind, output=OUTPUT, started_at=0.0, plan=plan)


@st.composite
def plans(draw: st.DrawFn) -> JobPlan:
    run_seconds = draw(SPANS)
    # One that completes does so after its processing and tuning; one that fails may do so before.
    fails_with = None if run_seconds is None else draw(st.none() | st.just("why"))
    longest = run_seconds if run_seconds is not None and fails_with is None else 200.0
    base_seconds = longest * draw(WITHIN)
    hpo_seconds = (longest - base_seconds) * draw(WITHIN) / 2
    return JobPlan(
        base_seconds=base_seconds,
        hpo_seconds=hpo_seconds,
        run_seconds=run_seconds,
        stop_seconds=draw(SPANS),
        fails_with=fails_with,
    )


def test_no_two_jobs_have_the_same_sagemaker_jobs_though_they_have_the_same_id() -> None:
    one, other = job(job_id="a" * 48), job(job_id="a" * 48)

    names = [resource["name"] for it in (one, one.cancel(1.0, clean=True), other) for resource in sagemaker_jobs(it)]

    assert names[:2] == names[2:4]
    assert len(set(names)) == 4
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) and len(name) <= 63 for name in names)


def sagemaker_jobs(one: Job) -> list[dict[str, str]]:
    described: dict[str, Any] = describe(one, 1.0)
    return [described["baseProcessingJob"], described["remoteModelTransformJob"]]


class JobLife(RuleBasedStateMachine):
    """Any sequence of cancellations and time: every status follows legally from the one before."""

    @initialize(plan=plans(), kind=st.sampled_from(JOB_KINDS))
    def start(self, plan: JobPlan, kind: Kind) -> None:
        self.clock = ManualClock()
        self.job = job(plan, kind=kind)
        self.last = self.job.status(self.clock())
        self.last_phases = self.job.phases(self.clock())
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
        now, plan, status = self.clock(), self.job.plan, self.job.status(self.clock())
        if self.cancelled_at is not None:
            up = plan.stop_seconds is not None and now >= self.cancelled_at + plan.stop_seconds
            assert status is (JobStatus.STOPPED if up else JobStatus.STOPPING)
        else:
            up = plan.run_seconds is not None and now >= plan.run_seconds
            ends_as = JobStatus.FAILED if plan.fails_with else JobStatus.COMPLETED
            assert status is (ends_as if up else JobStatus.IN_PROGRESS)

    @invariant()
    def one_phase_follows_the_other(self) -> None:
        status = self.job.status(self.clock())
        phases = self.job.phases(self.clock())
        assert len(phases) == len(self.job.kind.phases)
        begun = [phase for phase in phases if phase is not None]
        assert begun == [JobStatus.COMPLETED] * (len(begun) - 1) + [status]
        assert phases[len(begun) :] == (None,) * (len(phases) - len(begun))
        assert status is not JobStatus.COMPLETED or len(begun) == len(phases)
        last_begun = [phase for phase in self.last_phases if phase is not None]
        for before, after in zip(last_begun, begun, strict=False):
            assert after is before or after in SUCCESSORS[before]
        # What has ended has begun its last phase.
        assert len(begun) == len(last_begun) or (
            len(begun) > len(last_begun) and last_begun[-1] in {JobStatus.IN_PROGRESS, JobStatus.STOPPING}
        )
        self.last_phases = phases


TestJobLife = JobLife.TestCase


class EndpointLife(RuleBasedStateMachine):
    """Any sequence of updates, deletions and time, each of the first two now or later."""

    @initialize(plan=plans())
    def create(self, plan: JobPlan) -> None:
        self.clock = ManualClock()
        self.endpoint = job(plan, kind=ENDPOINTS)
        self.deleted_at: float | None = None

    @rule(seconds=st.floats(0, 50))
    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(seconds=st.floats(0, 50), plan=plans())
    def update(self, seconds: float, plan: JobPlan) -> None:
        now, at = self.clock(), self.clock() + seconds
        as_it_was, before = self.endpoint.at(now), self.endpoint.at(at)
        if before.status(at) in {EndpointStatus.IN_SERVICE, EndpointStatus.OUT_OF_SERVICE}:
            self.endpoint = before.update(at, plan)
            ends_at_once = plan.run_seconds is not None and at >= at + plan.run_seconds
            end = EndpointStatus.FAILED if plan.fails_with else EndpointStatus.IN_SERVICE
            updated = end if ends_at_once else EndpointStatus.UPDATING
            assert self.endpoint.at(at).status(at) is updated
            assert at == now or self.endpoint.at(now) == as_it_was
        else:
            with pytest.raises(NotUpdatableError, match=f"is {before.status(at)} and cannot be updated"):
                before.update(at, plan)

    @rule(seconds=st.floats(0, 50))
    def delete(self, seconds: float) -> None:
        at = self.clock() + seconds
        self.endpoint = self.endpoint.at(at).cancel(at, clean=False)
        self.deleted_at = at if self.deleted_at is None else min(at, self.deleted_at)

    @invariant()
    def it_is_gone_when_its_deletion_is_over(self) -> None:
        now, endpoint = self.clock(), self.endpoint.at(self.clock())
        deleted = self.deleted_at is not None and now >= self.deleted_at
        stop_seconds = endpoint.plan.stop_seconds
        gone = deleted and stop_seconds is not None and now >= (self.deleted_at or 0.0) + stop_seconds
        assert endpoint.exists(now) is not gone
        assert (endpoint.status(now) is EndpointStatus.DELETING) is deleted


TestEndpointLife = EndpointLife.TestCase


@given(
    begins=st.sampled_from([(kind, status) for kind in KINDS.values() for status in kind.life.statuses]),
    plan=plans().filter(lambda plan: plan.run_seconds != 0),
)
def test_a_job_can_begin_in_any_status(begins: tuple[Kind, Status], plan: JobPlan) -> None:
    kind, status = begins
    begun = job(plan, kind=kind).begin_as(status)
    instantly = status is JobStatus.STOPPING and plan.stop_seconds == 0
    assert begun.status(0.0) is (JobStatus.STOPPED if instantly else status)


@pytest.mark.parametrize("job_id", ["a", "0", "movies-2026-01", "A" * 48])
def test_an_id_is_1_to_48_letters_digits_and_hyphens(job_id: str) -> None:
    assert job(job_id=job_id).id == job_id


@pytest.mark.parametrize("job_id", ["", "../x", "a/b", "a.b", "a_b", "é", "-a", "a" * 49, "a\n"])
def test_what_is_no_id_is_refused(job_id: str) -> None:
    with pytest.raises(ValueError, match="not a job ID"):
        job(job_id=job_id)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"base_seconds": -1}, "a time span is"),
        ({"run_seconds": -1}, "a time span is"),
        ({"stop_seconds": float("nan")}, "a time span is"),
        ({"stop_seconds": float("inf")}, "a time span is"),
        ({"stop_seconds": 10**400}, "a time span is"),
        ({"appear_seconds": -1}, "a time span is"),
        ({"fails_with": "why"}, "a job that fails needs run_seconds"),
        ({"base_seconds": 2, "run_seconds": 1}, "run_seconds must not be less"),
        ({"hpo_seconds": -1}, "a time span is"),
        ({"base_seconds": 1, "hpo_seconds": 2, "run_seconds": 2}, "run_seconds must not be less"),
    ],
)
def test_a_senseless_plan_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        JobPlan(**wrong)


IN_PROGRESS, STOPPING, STOPPED, COMPLETED, FAILED = JobStatus


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        # At 0, 9, 10, 29, 30 seconds.
        (JobPlan(base_seconds=10), [(IN_PROGRESS, None)] * 2 + [(COMPLETED, IN_PROGRESS)] * 3),
        (
            JobPlan(base_seconds=10, run_seconds=30),
            [(IN_PROGRESS, None)] * 2 + [(COMPLETED, IN_PROGRESS)] * 2 + [(COMPLETED, COMPLETED)],
        ),
        (
            JobPlan(base_seconds=10, run_seconds=30, fails_with="why"),
            [(IN_PROGRESS, None)] * 2 + [(COMPLETED, IN_PROGRESS)] * 2 + [(COMPLETED, FAILED)],
        ),
        (
            JobPlan(base_seconds=20, run_seconds=10, fails_with="why"),
            [(IN_PROGRESS, None)] * 2 + [(FAILED, None)] * 3,
        ),
        (FOR_EVER, [(COMPLETED, IN_PROGRESS)] * 5),
    ],
)
def test_the_base_processing_comes_before_the_remote_transform(
    plan: JobPlan, expected: list[tuple[JobStatus, JobStatus | None]]
) -> None:
    assert [job(plan).phases(now) for now in (0.0, 9.0, 10.0, 29.0, 30.0)] == expected


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        # At 0, 9, 10, 14, 15, 30 seconds.
        (
            JobPlan(base_seconds=10, hpo_seconds=5, run_seconds=30),
            [(IN_PROGRESS, None, None)] * 2
            + [(COMPLETED, IN_PROGRESS, None)] * 2
            + [(COMPLETED, COMPLETED, IN_PROGRESS), (COMPLETED, COMPLETED, COMPLETED)],
        ),
        (
            JobPlan(base_seconds=10, hpo_seconds=5, run_seconds=12, fails_with="why"),
            [(IN_PROGRESS, None, None)] * 2 + [(COMPLETED, IN_PROGRESS, None)] + [(COMPLETED, FAILED, None)] * 3,
        ),
    ],
)
def test_a_training_is_processing_then_tuning_then_transform(
    plan: JobPlan, expected: list[tuple[JobStatus | None, ...]]
) -> None:
    training = job(plan, kind=MODEL_TRAINING)
    assert [training.phases(now) for now in (0.0, 9.0, 10.0, 14.0, 15.0, 30.0)] == expected


def test_a_cancellation_stops_the_phase_that_runs() -> None:
    early = job(JobPlan(base_seconds=10, stop_seconds=20)).cancel(9.0, clean=False)
    assert [early.phases(now) for now in (9.0, 11.0, 29.0)] == [(STOPPING, None), (STOPPING, None), (STOPPED, None)]
    later = job(JobPlan(base_seconds=10, stop_seconds=20)).cancel(10.0, clean=False)
    assert [later.phases(now) for now in (10.0, 30.0)] == [(COMPLETED, STOPPING), (COMPLETED, STOPPED)]


def test_a_job_that_begins_as_failed_has_its_own_reason_or_some_reason() -> None:
    assert job().begin_as(FAILED).plan.fails_with == DEFAULT_FAILURE
    assert job(JobPlan(run_seconds=1, fails_with="why")).begin_as(FAILED).plan.fails_with == "why"


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
def test_a_clock_goes_forward_only(clock: ManualClock, seconds: float) -> None:
    with pytest.raises(ValueError, match="time span"):
        clock.advance(seconds)
    assert clock() == 0
