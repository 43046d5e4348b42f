from __future__ import annotations

import io
import json
import re
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provider import observability
from provider.clock import Clock
from provider.custom_resource.properties import schema_of
from provider.hosts import Hosts
from provider.identity import Identity
from provider.job_id import Origin
from provider.kinds import MODEL_TRANSFORM_JOB
from provider.lifecycle import Done, Lifecycle, Progress, Request, RequestFailed, Waiting
from provider.neptune import Job, JobNotFound, NeptuneError, RequestRefused, Throttled, Unavailable, Unreachable
from provider.values import ENDPOINT, Endpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from provider.schema import Properties

NOW = 1e9
BLUE = "blue.cluster-c0ffee.us-east-1.neptune.amazonaws.com"
BLUE_TOO = "blue.cluster-ro-c0ffee.us-east-1.neptune.amazonaws.com"
GREEN = "green.cluster-c0ffee.us-east-1.neptune.amazonaws.com"
ROLE = "arn:aws:iam::123456789012:role/NeptuneML"
ORIGIN = Origin(("graph", "Job"), "graph/Job", "request-1", 1_799_999_999.0)
ADOPTED = f"{BLUE}:8182/job-1"
PROPERTIES = {
    "ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:provider",
    "Endpoint": BLUE,
    "Id": "job-1",
}
ATTRIBUTES = {
    "OutputLocation": "s3://bucket/out",
    "BaseProcessingJobArn": "arn:1",
    "RemoteModelTransformJobArn": "",
    "ModelNames": "",
    "ModelArns": "",
}
NO_ATTRIBUTES = dict.fromkeys(ATTRIBUTES, "")
UNREACHABLE = Unreachable("Open TCP port 8182.")
THROTTLED = Unavailable("Neptune answered 429.")


def job(status: str, arns: Iterable[str] = ("arn:1",)) -> Job:
    return Job(
        status,
        is_stopping=status == "Stopping",
        has_ended=status in ("Stopped", "Completed", "Failed"),
        attributes=ATTRIBUTES,
        arns=frozenset(arns),
    )


@dataclass
class Time:
    """A clock that the test moves."""

    now: float = NOW

    @property
    def clock(self) -> Clock:
        return Clock(monotonic=_not_asked, wall=lambda: self.now, sleep=_not_asked)


def _not_asked(*_: float) -> NoReturn:
    raise AssertionError("a look does not wait")


Calls: TypeAlias = list[tuple[str, str]]
JobIds: TypeAlias = list[str]


@dataclass
class Jobs:
    """The jobs of a cluster, whose answers are given beforehand; the last one of each kind stays."""

    looks: Iterable[str | Job | Exception] = ("InProgress",)
    cancels: Iterable[Exception | None] = (None,)
    starts: Iterable[Exception | None] = (None,)
    updates: Iterable[Exception | None] = (None,)
    lists: Iterable[tuple[str, ...] | Exception] = ((),)
    calls: Calls = field(default_factory=list)
    passed: list[dict[str, object]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._looks, self._cancels = deque(self.looks), deque(self.cancels)
        self._starts, self._lists = deque(self.starts), deque(self.lists)
        self._updates = deque(self.updates)

    def start(self, job_id: str, properties: Properties) -> None:
        self._called("start", job_id, properties)
        answer = self._starts.popleft() if len(self._starts) > 1 else self._starts[0]
        if answer is not None:
            raise answer

    def update(self, job_id: str, properties: Properties) -> None:
        self._called("update", job_id, properties)
        answer = self._updates.popleft() if len(self._updates) > 1 else self._updates[0]
        if answer is not None:
            raise answer

    def list(self, properties: Properties) -> tuple[str, ...]:
        self._called("list", "", properties)
        answer = self._lists.popleft() if len(self._lists) > 1 else self._lists[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def get(self, job_id: str, properties: Properties) -> Job:
        self._called("get", job_id, properties)
        answer = self._looks.popleft() if len(self._looks) > 1 else self._looks[0]
        if isinstance(answer, Exception):
            raise answer
        return job(answer) if isinstance(answer, str) else answer

    def cancel(self, job_id: str, properties: Properties) -> None:
        self._called("cancel", job_id, properties)
        answer = self._cancels.popleft() if len(self._cancels) > 1 else self._cancels[0]
        if answer is not None:
            raise answer

    def _called(self, call: str, job_id: str, properties: Properties) -> None:
        self.calls.append((call, job_id))
        self.passed.append({row.name: value for row, value in properties.values.items() if call in row.calls})

    @property
    def cancelled(self) -> JobIds:
        return [job_id for call, job_id in self.calls if call == "cancel"]


def lifecycle(jobs: Jobs | dict[str, Jobs], time: Time | None = None, more: Iterable[str] = ()) -> Lifecycle:
    def connect(endpoint: Endpoint) -> Jobs:
        return jobs[endpoint.host] if isinstance(jobs, dict) else jobs

    kind = MODEL_TRANSFORM_JOB
    schema = schema_of(kind.schema)
    return Lifecycle(kind, schema, Hosts.of_clusters(more), connect, (time or Time()).clock)


def create(**properties: object) -> Request:
    return Request(None, {**PROPERTIES, **properties}, ORIGIN)


def update(physical_id: str = ADOPTED, old: dict[str, object] | None = None, /, **properties: object) -> Request:
    return Request(physical_id, {**PROPERTIES, **properties}, ORIGIN, old_properties={**PROPERTIES, **(old or {})})


def delete(physical_id: str = ADOPTED, /, **properties: object) -> Request:
    return Request(physical_id, {**PROPERTIES, **properties}, ORIGIN)


def run(
    look: Callable[[Request], Done | Waiting], request: Request, time: Time, seconds: float = 600, every: float = 5
) -> Done | Waiting:
    """Look until it is done, as whoever keeps the request would; the progress goes through JSON."""
    while True:
        result = look(request)
        if isinstance(result, Done) or time.now - NOW >= seconds:
            return result
        progress = Progress.from_json(json.loads(json.dumps(result.progress.as_json())))
        assert progress == result.progress
        request = request._replace(progress=progress)
        time.now += every


@pytest.fixture(autouse=True)
def _no_metrics() -> Iterator[None]:
    observability.metrics.clear_metrics()
    yield
    observability.metrics.clear_metrics()


def recorded() -> dict[str, list[float]]:
    return {name: metric["Value"] for name, metric in observability.metrics.metric_set.items()}


# --- Create -----------------------------------------------------------------------------------------------------------


def test_create_adopts_a_job_with_all_its_attributes() -> None:
    jobs = Jobs()
    done = lifecycle(jobs).create(create())
    assert done == Done(ADOPTED, {"Id": "job-1", "Status": "InProgress", **ATTRIBUTES})
    assert jobs.calls == [("get", "job-1")]


@pytest.mark.parametrize("status", ["Completed", "Stopped", "Failed", "Stopping"])
def test_create_adopts_a_job_whatever_its_status(status: str) -> None:
    done = lifecycle(Jobs([status])).create(create())
    assert isinstance(done, Done)
    assert done.attributes["Status"] == status


def test_create_asks_the_cluster_of_the_endpoint_with_the_role() -> None:
    asked: list[Endpoint] = []
    jobs = Jobs()

    def connect(endpoint: Endpoint) -> Jobs:
        asked.append(endpoint)
        return jobs

    it = lifecycle(jobs)._replace(connect=connect)
    assert it.create(create(Endpoint=f"{GREEN}:9000", NeptuneIamRoleArn=ROLE)) == Done(
        f"{GREEN}:9000/job-1", {"Id": "job-1", "Status": "InProgress", **ATTRIBUTES}
    )
    assert asked == [Endpoint("https", GREEN, 9000)]
    assert jobs.passed == [{"Id": "job-1", "NeptuneIamRoleArn": ROLE}]


def test_create_fails_for_a_job_that_does_not_exist() -> None:
    with pytest.raises(RequestFailed, match=r"^no such job\. Check Id and Endpoint\.$"):
        lifecycle(Jobs([JobNotFound("no such job.")])).create(create())


@pytest.mark.parametrize("refusal", [RequestRefused("bad id"), NeptuneError("needs neptune-db:Get")], ids=repr)
def test_create_fails_at_once_when_neptune_says_no(refusal: NeptuneError) -> None:
    with pytest.raises(RequestFailed, match=rf"^The job job-1 could not be looked up\. {re.escape(str(refusal))}$"):
        lifecycle(Jobs([refusal])).create(create())


def test_create_fails_for_a_wrong_property_without_a_call() -> None:
    jobs = Jobs()
    with pytest.raises(RequestFailed, match="did you mean Clean"):
        lifecycle(jobs).create(create(Clen="true"))
    assert jobs.calls == []


def test_create_fails_for_a_host_that_is_not_neptunes_without_a_call() -> None:
    jobs = Jobs()
    with pytest.raises(RequestFailed, match=r"^Endpoint is 'evil.example'; it should be a host below \.neptune"):
        lifecycle(jobs).create(create(Endpoint="evil.example"))
    with pytest.raises(RequestFailed, match=rf"^Endpoint is 'http://{BLUE}'; it should be an https"):
        lifecycle(jobs).create(create(Endpoint=f"http://{BLUE}"))
    assert jobs.calls == []


def test_a_physical_id_has_at_most_1024_bytes() -> None:
    room = 1024 - len(f"{BLUE}:8182/")
    for job_id in ("x" * room, "é" * (room // 2) + "x" * (room % 2)):
        done = lifecycle(Jobs()).create(create(Id=job_id))
        assert len(done.physical_id.encode() if isinstance(done, Done) else b"") == 1024
        with pytest.raises(RequestFailed) as caught:
            lifecycle(Jobs()).create(create(Id=f"{job_id}x"))
        assert str(caught.value).startswith(f"Id is '{job_id[:79]}...'; it should be an id that has, with the ")
        assert str(caught.value).endswith("the cluster's name, at most 1,024 bytes (it has 1,025).")


@pytest.mark.parametrize("trouble", [UNREACHABLE, THROTTLED], ids=repr)
def test_create_rides_out_a_neptune_that_is_back_in_less_than_a_minute(trouble: NeptuneError) -> None:
    time = Time()
    done = run(lifecycle(Jobs([trouble, trouble, trouble, "InProgress"]), time).create, create(), time)
    assert isinstance(done, Done)
    assert time.now - NOW == 15


@pytest.mark.parametrize("trouble", [UNREACHABLE, THROTTLED], ids=repr)
def test_create_gives_a_neptune_up_that_stays_away_for_45_seconds(trouble: NeptuneError) -> None:
    time = Time()
    with pytest.raises(RequestFailed, match=rf"^The job job-1 could not be looked up\. {trouble}$"):
        run(lifecycle(Jobs([trouble]), time).create, create(), time, every=0.5)
    assert time.now - NOW == 45


def test_an_adopted_job_that_was_seen_is_waited_for_through_ten_minutes_without_neptune() -> None:
    failed, seconds = failure(Jobs(["InProgress", UNREACHABLE]), create(WaitForCompletion="true"), every=1)
    assert str(failed) == f"The job job-1 could not be looked up. {UNREACHABLE}"
    assert seconds == 601


def test_silences_while_a_job_is_waited_for_do_not_add_up() -> None:
    silence: list[str | Job | Exception] = [UNREACHABLE] * 11
    looks = ["InProgress", *silence, "InProgress", *silence, job("Completed")._replace(has_completed=True)]
    done = run(lifecycle(Jobs(looks), (time := Time())).create, create(WaitForCompletion="true"), time, 3600, every=50)
    assert isinstance(done, Done)


def test_create_that_waits_says_why_and_since_when() -> None:
    result = lifecycle(Jobs([UNREACHABLE])).create(create())
    assert result == Waiting("The job job-1 could not be looked up. Open TCP port 8182.", Progress(silent_since=NOW))


# --- Create: a start --------------------------------------------------------------------------------------------------

DESCRIPTION = {"ModelTransformOutputS3Location": "s3://bucket/out", "TrainingJobName": "movies"}
GONE = JobNotFound("Neptune knows no such job.")
BUSY = Throttled("Neptune answered 429.")


def describe(asked_at: float | None = NOW, time_limit: float = 3600, **properties: object) -> Request:
    raw = {name: value for name, value in PROPERTIES.items() if name != "Id"}
    return Request(None, {**raw, **DESCRIPTION, **properties}, ORIGIN._replace(asked_at=asked_at), time_limit)


def starting(jobs: Jobs, time: Time | None = None) -> Lifecycle:
    return lifecycle(jobs, time)._replace(may_start=True)


def starts(jobs: Jobs) -> int:
    return [call for call, _ in jobs.calls].count("start")


def failure(jobs: Jobs, request: Request, every: float = 0.5) -> tuple[RequestFailed, float]:
    """Why a Create fails, and after how many seconds."""
    time = Time()
    with pytest.raises(RequestFailed) as caught:
        run(starting(jobs, time).create, request, time, seconds=3600, every=every)
    return caught.value, time.now - NOW


def test_a_start_whose_answer_is_lost_is_looked_for_for_a_minute_and_then_sent_again() -> None:
    jobs, time = Jobs([GONE], starts=[THROTTLED, None]), Time()
    waiting = run(starting(jobs, time).create, describe(), time, seconds=59.5, every=0.5)
    assert isinstance(waiting, Waiting)
    assert waiting.reason.endswith("was asked for and is not there yet. Neptune answered 429.")
    assert waiting.progress == Progress(start_sent_at=NOW, words="Neptune answered 429.")
    assert waiting.leaves.startswith("unclear-job/")
    assert starts(jobs) == 1
    time.now += 0.5
    again = starting(jobs, time).create(describe()._replace(progress=waiting.progress))
    assert isinstance(again, Waiting)
    assert again.progress == Progress(start_sent_at=NOW + 60, is_accepted=True)
    assert "is started and could not be looked up. Neptune knows no such job." in again.reason
    assert again.leaves.startswith("unclear-job/")
    assert starts(jobs) == 2


def test_a_start_that_was_accepted_and_made_no_job_fails_after_a_minute() -> None:
    jobs = Jobs([GONE])
    failed, seconds = failure(jobs, describe())
    assert seconds == 60
    assert str(failed).startswith("Neptune accepted the start of the job graph-Job-")
    assert str(failed).endswith(", and knows no such job 60 s later. Try again.")
    assert failed.leaves.startswith("unclear-job/")
    assert starts(jobs) == 1


@pytest.mark.parametrize(
    ("age", "time_limit", "is_started"), [(90, 3600, True), (90.5, 3600, False), (30.5, 30, False)]
)
def test_a_job_is_started_in_the_first_90_seconds_of_a_request_and_within_its_time(
    age: float,
    time_limit: float,
    is_started: bool,  # noqa: FBT001
) -> None:
    jobs = Jobs([GONE, "InProgress"])
    request = describe(NOW - age, time_limit)
    if is_started:
        done = starting(jobs).create(request)
        assert isinstance(done, Done)
        assert done.leaves == done.physical_id
    else:
        with pytest.raises(
            RequestFailed,
            match=rf"is {age:.0f} s old, and a job is started in the first {min(90, time_limit)} s only. Try again.",
        ) as caught:
            starting(jobs).create(request)
        assert caught.value.leaves.startswith("no-job-yet/")
    assert starts(jobs) == is_started


def test_without_the_time_of_the_request_a_job_is_started_at_any_time() -> None:
    jobs = Jobs([GONE, "InProgress"])
    assert isinstance(starting(jobs).create(describe(None)), Done)


@pytest.mark.parametrize("trouble", [BUSY, UNREACHABLE], ids=repr)
def test_a_start_that_reaches_nobody_is_given_up_after_45_seconds_and_has_left_nothing(trouble: NeptuneError) -> None:
    failed, seconds = failure(Jobs([GONE], starts=[trouble]), describe())
    assert seconds == 45
    assert str(failed).endswith(f"could not be started. {trouble}")
    assert failed.leaves.startswith("no-job-yet/")


def test_once_a_job_may_be_there_a_neptune_that_is_away_is_waited_for_for_ten_minutes() -> None:
    failed, seconds = failure(Jobs([GONE, UNREACHABLE], starts=[THROTTLED]), describe(), every=1)
    assert seconds == 601
    assert failed.leaves.startswith("unclear-job/")


def test_a_job_that_was_seen_is_left_when_neptune_stays_away() -> None:
    failed, seconds = failure(Jobs([GONE, "InProgress", UNREACHABLE]), describe(WaitForCompletion="true"), every=1)
    assert seconds == 601
    assert Identity.parse(failed.leaves) is not None


@pytest.mark.parametrize("trouble", [GONE, UNREACHABLE, THROTTLED, NeptuneError("no")], ids=repr)
def test_a_start_that_is_refused_and_made_no_job_fails_in_neptunes_words(trouble: NeptuneError) -> None:
    failed, seconds = failure(Jobs([GONE, trouble], starts=[RequestRefused("no role")]), describe())
    assert (str(failed), seconds) == ("The job could not be started. no role", 0)
    assert failed.leaves.startswith("no-job-yet/")


def test_a_start_of_an_id_that_is_taken_waits_for_the_job_of_another_delivery() -> None:
    taken = RequestRefused("A job with the same ID already exists.")
    waiting = starting(Jobs([GONE], starts=[taken])).create(describe())
    assert isinstance(waiting, Waiting)
    assert waiting.reason.endswith("was asked for and is not there yet. A job with the same ID already exists.")
    assert waiting.progress == Progress(start_sent_at=NOW, is_accepted=True, words=str(taken))
    assert waiting.leaves.startswith("unclear-job/")
    done = starting(Jobs([GONE, "InProgress"], starts=[taken])).create(describe())
    assert isinstance(done, Done)
    failed, seconds = failure(Jobs([GONE], starts=[taken]), describe())
    assert seconds == 60
    assert str(failed).endswith("60 s later. A job with the same ID already exists.")


def test_a_start_whose_answer_was_lost_counts_once_its_job_is_seen() -> None:
    jobs, time = Jobs([GONE, "InProgress"], starts=[THROTTLED]), Time()
    run(starting(jobs, time).create, describe(WaitForCompletion="true"), time, seconds=60)
    assert recorded() == {"JobsStarted": [1.0]}


def test_a_job_that_is_waited_for_is_followed_to_its_end() -> None:
    completed = Job("Completed", is_stopping=False, has_ended=True, has_completed=True)
    jobs, time = Jobs([GONE, "InProgress", "InProgress", completed]), Time()
    request = describe(WaitForCompletion="true")
    waiting = starting(jobs, time).create(request)
    assert isinstance(waiting, Waiting)
    assert waiting.reason.endswith("has not completed yet (its status is InProgress).")
    assert waiting.progress == Progress(start_sent_at=NOW, is_accepted=True, is_seen=True)
    assert Identity.parse(waiting.leaves) is not None
    done = run(starting(jobs, time).create, request._replace(progress=waiting.progress), time)
    assert isinstance(done, Done)
    assert done.physical_id == done.leaves == waiting.leaves
    assert recorded() == {"JobsStarted": [1.0]}


@pytest.mark.parametrize(("has_ended", "has_failed"), [(True, False), (False, True)])
def test_a_job_that_comes_to_another_end_fails_with_its_log_and_reason(has_ended: bool, has_failed: bool) -> None:  # noqa: FBT001
    ended = Job(
        "Odd", is_stopping=False, has_ended=has_ended, has_failed=has_failed, failure="no memory", log_url="https://log"
    )
    failed, _ = failure(Jobs([GONE, ended]), describe(WaitForCompletion="true"))
    assert str(failed).endswith(
        "has not completed: its status is Odd. Its log: https://log Neptune's reason: no memory"
    )
    assert Identity.parse(failed.leaves) is not None
    failed, _ = failure(Jobs([GONE, ended._replace(failure="", log_url="")]), describe(WaitForCompletion="true"))
    assert str(failed).endswith("has not completed: its status is Odd.")


# --- Delete: of a Create that was not heard ---------------------------------------------------------------------------


def delete_of(physical_id: str, time_limit: float = 3600, **properties: object) -> Request:
    return describe(NOW, time_limit, **properties)._replace(physical_id=physical_id)


def own_job(seconds_ago: float) -> str:
    identity = starting(Jobs(["InProgress"])).create(describe(NOW - seconds_ago))
    assert isinstance(identity, Done)
    return identity.physical_id.partition("/")[2]


def test_a_job_of_a_request_that_does_not_say_when_it_was_asked_is_not_searched_for_twice() -> None:
    request = delete_of("graph-Job-1N2K5RF3Q0J6K")
    request = request._replace(origin=request.origin._replace(asked_at=None))
    jobs = Jobs()
    assert starting(jobs).delete(request) == Done("graph-Job-1N2K5RF3Q0J6K")
    assert [call for call, _ in jobs.calls] == ["list"]


def test_a_job_that_was_found_is_not_searched_for_again() -> None:
    """What is being cancelled is listed no more."""
    found, jobs = own_job(5), Jobs(["InProgress", "Stopped"])
    request = delete_of("graph-Job-1N2K5RF3Q0J6K")._replace(progress=Progress(leftover=found))
    assert isinstance(run(starting(jobs).delete, request, Time()), Done)
    assert set(jobs.calls) == {("cancel", found), ("get", found)}


@pytest.mark.parametrize(("may_start", "is_patient"), [(False, True), (True, False)])
def test_where_no_other_delivery_can_start_a_job_none_is_waited_for(*, may_start: bool, is_patient: bool) -> None:
    it = lifecycle(Jobs())._replace(may_start=may_start, is_patient=is_patient)
    assert it.delete(delete_of("graph-Job-1N2K5RF3Q0J6K")) == Done("graph-Job-1N2K5RF3Q0J6K")


def test_a_new_job_whose_kind_has_a_status_for_its_end_is_not_looked_for_when_it_has_stopped() -> None:
    request = delete_of(f"{BLUE}:8182/{own_job(1)}")
    assert starting(Jobs(["Stopped"])).delete(request) == Done(request.physical_id or "")


@pytest.mark.parametrize(("time_limit", "seconds"), [(3600, 151), (60, 121)])
def test_a_job_is_searched_for_as_long_as_one_may_appear(time_limit: float, seconds: float) -> None:
    jobs, time = Jobs(), Time()
    request = delete_of("graph-Job-1N2K5RF3Q0J6K", time_limit)
    first = starting(jobs, time).delete(request)
    assert first == Waiting(
        "A creation that was not heard may have started a job; looking whether one appears.",
        Progress(has_searched=True),
    )
    assert run(starting(jobs, time).delete, request, time, every=1) == Done("graph-Job-1N2K5RF3Q0J6K")
    assert time.now - NOW == seconds


def test_a_job_that_is_named_is_searched_for_since_it_was_asked_for() -> None:
    jobs, time = Jobs([GONE]), Time()
    request = delete_of(f"unclear-job/{BLUE}:8182/{own_job(100)}")
    assert isinstance(run(starting(jobs, time).delete, request, time, every=1), Done)
    assert time.now - NOW == 51
    assert {call for call, _ in jobs.calls} == {"get"}


def test_a_job_that_was_not_reported_is_cancelled_and_its_end_is_waited_for() -> None:
    job_id = own_job(10)
    jobs, time = Jobs(["InProgress", "Stopping", "Stopped"], lists=[(job_id,)]), Time()
    request = delete_of("graph-Job-1N2K5RF3Q0J6K")
    waiting = starting(jobs, time).delete(request)
    assert isinstance(waiting, Waiting)
    assert waiting.progress == Progress(cancelled_at=NOW, leftover=job_id)
    assert isinstance(run(starting(jobs, time).delete, request._replace(progress=waiting.progress), time), Done)
    assert jobs.cancelled == [job_id]


def test_a_job_that_was_not_reported_and_need_not_be_waited_for_is_only_cancelled() -> None:
    job_id = own_job(10)
    jobs = Jobs(lists=[(job_id,)])
    assert isinstance(starting(jobs).delete(delete_of("graph-Job-1N2K5RF3Q0J6K", WaitForStop="false")), Done)
    assert jobs.cancelled == [job_id]


@pytest.mark.parametrize(
    ("mark", "may_start", "time_limit", "seconds", "is_told"),
    [
        ("graph-Job-1N2K5RF3Q0J6K", True, 3600, 600, True),
        ("graph-Job-1N2K5RF3Q0J6K", True, 240, 120, True),
        ("no-job-yet/x", True, 3600, 45, False),
        ("graph-Job-1N2K5RF3Q0J6K", False, 3600, 45, False),
        ("no-job-yet/x", True, 60, 30, False),
    ],
)
def test_a_search_that_meets_no_neptune_lasts_as_long_as_a_job_is_likely(
    mark: str,
    may_start: bool,  # noqa: FBT001
    time_limit: float,
    seconds: float,
    is_told: bool,  # noqa: FBT001
) -> None:
    time = Time()
    provider = lifecycle(Jobs(lists=[UNREACHABLE]), time)._replace(may_start=may_start)
    request = delete_of(mark, time_limit)
    if is_told:
        with pytest.raises(
            RequestFailed, match=rf"^Whether this resource has started a job at {BLUE} could not be look"
        ):
            run(provider.delete, request, time, seconds=3600, every=1)
    else:
        assert run(provider.delete, request, time, seconds=3600, every=1) == Done(mark)
    assert time.now - NOW == seconds


def test_a_job_that_was_not_reported_and_cannot_be_cancelled_is_told() -> None:
    job_id = own_job(10)
    jobs = Jobs(cancels=[NeptuneError("It is forbidden.")], lists=[(job_id,)])
    with pytest.raises(RequestFailed, match=rf"^The job {job_id} could not be cancelled\. It is forbidden\.$"):
        starting(jobs).delete(delete_of("graph-Job-1N2K5RF3Q0J6K"))


@pytest.mark.parametrize(("mark", "alarms"), [("graph-Job-1N2K5RF3Q0J6K", 1), ("no-job-yet/x", 0)])
def test_a_search_whose_time_is_over_sounds_the_alarm_if_a_job_is_likely(mark: str, alarms: int) -> None:
    request = delete_of(mark)
    assert starting(Jobs()).end_of_search(request) is None
    assert recorded() == {}
    assert starting(Jobs()).end_of_search(request._replace(progress=Progress(has_searched=True))) == Done(mark)
    assert sum(recorded().get("FailedDeletions", [])) == alarms


def test_a_job_that_is_started_is_counted_once() -> None:
    completed = Job("Completed", is_stopping=False, has_ended=True, has_completed=True)
    jobs, time = Jobs([JobNotFound("no"), "InProgress", "InProgress", completed]), Time()
    assert isinstance(run(starting(jobs, time).create, describe(WaitForCompletion="true"), time), Done)
    assert recorded()["JobsStarted"] == [1]


def test_a_job_that_another_delivery_was_quicker_to_start_is_not_counted() -> None:
    completed = Job("Completed", is_stopping=False, has_ended=True, has_completed=True)
    looks: list[str | Job | Exception] = [JobNotFound("no"), "InProgress", "InProgress", completed]
    jobs, time = Jobs(looks, starts=[RequestRefused("there is one")]), Time()
    assert isinstance(run(starting(jobs, time).create, describe(WaitForCompletion="true"), time), Done)
    assert "JobsStarted" not in recorded()


def test_silences_before_a_job_is_started_do_not_add_up() -> None:
    jobs = Jobs([*[JobNotFound("no")] * 3, "InProgress"], starts=[UNREACHABLE, None], lists=[*[UNREACHABLE] * 12, ()])
    request = describe()._replace(physical_id=ADOPTED, old_properties=PROPERTIES)
    assert isinstance(run(starting(jobs, time := Time()).update, request, time, seconds=3600), Done)
    assert starts(jobs) == 2


def test_a_job_that_another_delivery_has_started_is_counted_by_that_one() -> None:
    assert isinstance(starting(Jobs(["InProgress"])).create(describe()), Done)
    assert "JobsStarted" not in recorded()


# --- Update: of one that failed ---------------------------------------------------------------------------------------


def rollback(old: dict[str, object], progress: Progress | None = None) -> Request:
    """An Update that brings a resource back which adopted its job, and was to have one started by `old`."""
    raw = {name: value for name, value in PROPERTIES.items() if name != "Id"}
    return Request(
        ADOPTED,
        PROPERTIES,
        ORIGIN._replace(asked_at=NOW),
        old_properties={**raw, **DESCRIPTION, **old},
        progress=progress or Progress(),
    )


def test_a_rollback_looks_for_what_may_appear_and_keeps_its_job() -> None:
    jobs, time = Jobs(), Time()
    first = starting(jobs, time).update(rollback({}))
    assert first == Waiting(
        "The update that is rolled back may have started a job; looking whether one appears.",
        Progress(has_searched=True, looked_at=NOW),
    )
    assert run(starting(jobs, time).update, rollback({}), time, every=1) == Done(
        ADOPTED, {"Id": "job-1", "Status": "InProgress", **ATTRIBUTES}
    )
    assert time.now - NOW == 151
    assert jobs.cancelled == []


def test_a_silence_before_a_rollback_found_nothing_does_not_add_to_the_next() -> None:
    found_nothing = starting(Jobs()).update(rollback({}, Progress(silent_since=NOW - 500)))
    assert isinstance(found_nothing, Waiting)
    assert found_nothing.progress == Progress(has_searched=True, looked_at=NOW)


def test_a_rollback_cancels_what_it_finds_and_what_it_had_begun_to_cancel() -> None:
    found, begun = own_job(10), own_job(20)
    jobs = Jobs(lists=[(found, "job-1", "job-2")])
    assert isinstance(starting(jobs).update(rollback({}, Progress(leftover=begun))), Done)
    assert jobs.cancelled == [begun, found]


@pytest.mark.parametrize(("endpoint", "seconds", "alarms"), [(BLUE, 600, 1), (GREEN, 45, 0)])
def test_a_rollback_that_meets_no_neptune_succeeds_in_the_end(endpoint: str, seconds: float, alarms: int) -> None:
    time = Time()
    jobs = Jobs(lists=[UNREACHABLE])
    done = run(starting(jobs, time).update, rollback({"Endpoint": endpoint}), time, seconds=3600, every=1)
    assert isinstance(done, Done)
    assert done.physical_id == ADOPTED
    assert time.now - NOW == seconds
    assert sum(recorded().get("FailedDeletions", [])) == alarms


def test_the_rollback_of_properties_that_were_wrong_needs_no_neptune() -> None:
    here, wrong = describe(Endpoint=BLUE_TOO), describe(Endpoint=GREEN, Clean="perhaps")
    physical_id = f"{BLUE}:8182/{own_job(100)}"
    request = here._replace(physical_id=physical_id, old_properties=wrong.properties)
    done = starting(Jobs()).without_neptune(request)
    assert done is not None
    assert done.physical_id == physical_id


@pytest.mark.parametrize("leftover", ["", "job-3"])
def test_a_rollback_from_elsewhere_tells_of_a_job_that_it_had_found(leftover: str) -> None:
    time = Time()
    request = rollback({"Endpoint": GREEN}, Progress(leftover=leftover))
    jobs = Jobs(lists=[UNREACHABLE], cancels=[UNREACHABLE])
    assert isinstance(run(starting(jobs, time).update, request, time, seconds=3600), Done)
    assert sum(recorded().get("FailedDeletions", [])) == bool(leftover)


@pytest.mark.parametrize("has_searched", [False, True])
def test_a_rollback_that_had_no_time_to_look_sounds_the_alarm(*, has_searched: bool) -> None:
    done = starting(Jobs()).without_neptune(rollback({}, Progress(has_searched=has_searched)))
    assert isinstance(done, Done)
    assert sum(recorded().get("FailedDeletions", [])) == (not has_searched)


def test_where_jobs_are_not_started_a_rollback_looks_for_none() -> None:
    jobs = Jobs()
    assert isinstance(lifecycle(jobs).update(rollback({})), Done)
    assert [call for call, _ in jobs.calls] == ["get"]


@pytest.mark.parametrize("properties", [{}, {"Clean": "perhaps"}], ids=str)
def test_a_creation_that_starts_no_job_leaves_none(properties: dict[str, object]) -> None:
    assert starting(Jobs()).leaves(create(**properties)) == ""
    assert starting(Jobs()).leaves(describe()) == f"unclear-job/{BLUE}:8182/{own_job(0)}"


# --- Update -----------------------------------------------------------------------------------------------------------


def test_update_to_another_job_adopts_it_and_cancels_nothing() -> None:
    jobs = Jobs()
    done = lifecycle(jobs).update(update(f"{BLUE}:8182/job-0", {"Id": "job-0"}))
    assert done == Done(ADOPTED, {"Id": "job-1", "Status": "InProgress", **ATTRIBUTES})
    assert jobs.calls == [("get", "job-1")]


def test_update_to_a_job_that_does_not_exist_fails() -> None:
    with pytest.raises(RequestFailed, match=r"no such job\. Check Id and Endpoint\."):
        lifecycle(Jobs([JobNotFound("no such job.")])).update(update(f"{BLUE}:8182/job-0", {"Id": "job-0"}))


@pytest.mark.parametrize("physical_id", ["no-job/1", "graph-Job-1N2K5RF3Q0J6K"])
def test_update_of_a_resource_that_adopted_nothing_adopts_the_job(physical_id: str) -> None:
    done = lifecycle(Jobs()).update(update(physical_id))
    assert isinstance(done, Done)
    assert done.physical_id == ADOPTED


def test_update_of_settings_keeps_the_job_and_has_fresh_attributes() -> None:
    jobs = Jobs(["Completed"])
    assert lifecycle(jobs).update(update(Clean="true")) == Done(
        ADOPTED, {"Id": "job-1", "Status": "Completed", **ATTRIBUTES}
    )


@pytest.mark.parametrize(
    "trouble", [JobNotFound("gone"), RequestRefused("no"), NeptuneError("needs neptune-db:Get")], ids=repr
)
def test_update_of_settings_keeps_the_job_whatever_neptune_says(trouble: NeptuneError) -> None:
    done = lifecycle(Jobs([trouble])).update(update(Clean="true"))
    assert done == Done(ADOPTED, {"Id": "job-1", "Status": "", **NO_ATTRIBUTES})


@pytest.mark.parametrize("trouble", [UNREACHABLE, THROTTLED], ids=repr)
def test_update_of_settings_waits_for_neptune_and_then_goes_without(trouble: NeptuneError) -> None:
    time = Time()
    done = run(lifecycle(Jobs([trouble]), time).update, update(Clean="true"), time)
    assert done == Done(ADOPTED, {"Id": "job-1", "Status": "", **NO_ATTRIBUTES})
    assert time.now - NOW == 45
    time = Time()
    done = run(lifecycle(Jobs([trouble, "Completed"]), time).update, update(Clean="true"), time)
    assert done == Done(ADOPTED, {"Id": "job-1", "Status": "Completed", **ATTRIBUTES})


def test_update_with_a_wrong_property_fails_also_without_neptune() -> None:
    it = lifecycle(Jobs([UNREACHABLE]))
    for look in (it.update, it.without_neptune):
        with pytest.raises(RequestFailed, match="Clean is 'perhaps'"):
            look(update(Clean="perhaps"))


@pytest.mark.parametrize(
    ("request_", "physical_id"),
    [
        (update(Clean="true"), ADOPTED),
        (update(Endpoint=f"https://{BLUE.upper()}:8182"), ADOPTED),
        (update(f"{BLUE_TOO}:8182/job-1"), f"{BLUE_TOO}:8182/job-1"),
        (update(f"http://{BLUE}:8182/job-1", {"Endpoint": "x"}), f"http://{BLUE}:8182/job-1"),
    ],
    ids=["settings", "spelling", "a name that was found to mean the same cluster", "scheme"],
)
def test_an_update_that_keeps_the_identity_needs_no_neptune(request_: Request, physical_id: str) -> None:
    done = lifecycle(Jobs([AssertionError("asked")])).without_neptune(request_)
    assert done == Done(physical_id, {"Id": "job-1", "Status": "", **NO_ATTRIBUTES})


@pytest.mark.parametrize(
    "request_",
    [
        update(Id="job-2"),
        update(Endpoint=GREEN),
        update(Endpoint=f"{BLUE}:9000"),
        update("no-job/1"),
        update(f"{BLUE_TOO}:8182/job-2"),
    ],
    ids=["another job", "another host", "another port", "none adopted", "another job elsewhere"],
)
def test_an_update_of_the_identity_needs_neptune(request_: Request) -> None:
    assert lifecycle(Jobs([AssertionError("asked")])).without_neptune(request_) is None


# --- Update of Endpoint -----------------------------------------------------------------------------------------------


def test_another_name_of_the_same_cluster_stays_the_same_job() -> None:
    clusters = {BLUE: Jobs(), BLUE_TOO: Jobs(["Completed"])}
    done = lifecycle(clusters).update(update(Endpoint=BLUE_TOO))
    assert done == Done(ADOPTED, {"Id": "job-1", "Status": "Completed", **ATTRIBUTES})


def test_one_arn_in_common_is_enough() -> None:
    clusters = {BLUE: Jobs([job("InProgress", ["arn:1", "arn:2"])]), BLUE_TOO: Jobs([job("InProgress", ["arn:2"])])}
    done = lifecycle(clusters).update(update(Endpoint=BLUE_TOO))
    assert isinstance(done, Done)
    assert done.physical_id == ADOPTED


def test_a_job_of_the_same_id_in_another_cluster_is_another_job() -> None:
    clusters = {BLUE: Jobs(), GREEN: Jobs([job("InProgress", ["arn:green"])])}
    done = lifecycle(clusters).update(update(Endpoint=GREEN))
    assert done == Done(f"{GREEN}:8182/job-1", {"Id": "job-1", "Status": "InProgress", **ATTRIBUTES})
    assert clusters[BLUE].cancelled == clusters[GREEN].cancelled == []


def test_two_clusters_are_compared_once_and_the_new_ones_job_is_waited_for() -> None:
    completed = Job("Completed", is_stopping=False, has_ended=True, has_completed=True)
    old = Jobs([job("InProgress", ["arn:1"]), UNREACHABLE])
    new = Jobs([job("InProgress", ["arn:2"]), job("InProgress", ["arn:2"]), completed])
    time = Time()
    moved = update(ADOPTED, {}, Endpoint=GREEN, WaitForCompletion="true")
    done = run(lifecycle({BLUE: old, GREEN: new}, time).update, moved, time)
    assert isinstance(done, Done)
    assert done.physical_id == f"{GREEN}:8182/job-1"
    assert old.calls == [("get", "job-1")]


def test_a_job_that_the_old_cluster_has_forgotten_is_another_job() -> None:
    clusters = {BLUE: Jobs([JobNotFound("gone")]), GREEN: Jobs()}
    done = lifecycle(clusters).update(update(Endpoint=GREEN))
    assert isinstance(done, Done)
    assert done.physical_id == f"{GREEN}:8182/job-1"


def test_a_cluster_without_the_job_fails_the_update() -> None:
    with pytest.raises(RequestFailed, match=r"no such job\. Check Id and Endpoint\."):
        lifecycle({BLUE: Jobs(), GREEN: Jobs([JobNotFound("no such job.")])}).update(update(Endpoint=GREEN))


@pytest.mark.parametrize("nameless", [BLUE, GREEN])
def test_without_arns_nobody_can_tell_yet(nameless: str) -> None:
    clusters = {BLUE: Jobs(), GREEN: Jobs(), nameless: Jobs([job("InProgress", [])])}
    with pytest.raises(RequestFailed) as caught:
        lifecycle(clusters).update(update(Endpoint=GREEN))
    assert str(caught.value) == (
        f"Endpoint is another host, {GREEN}, and Neptune does not say yet whether its job job-1 is the same as at "
        f"{BLUE}. Try again when the job has its SageMaker jobs."
    )


@pytest.mark.parametrize("ended", [BLUE, GREEN])
def test_a_job_that_has_ended_without_arns_is_another_one(ended: str) -> None:
    clusters = {BLUE: Jobs([job("InProgress", [])]), GREEN: Jobs([job("InProgress", [])])}
    clusters[ended] = Jobs([job("Stopped", [])])
    done = lifecycle(clusters).update(update(Endpoint=GREEN))
    assert isinstance(done, Done)
    assert done.physical_id == f"{GREEN}:8182/job-1"


@pytest.mark.parametrize("silent", [BLUE, GREEN])
def test_both_clusters_are_waited_for(silent: str) -> None:
    time = Time()
    clusters = {BLUE: Jobs(), GREEN: Jobs(), silent: Jobs([UNREACHABLE, "InProgress"])}
    assert isinstance(run(lifecycle(clusters, time).update, update(Endpoint=GREEN), time), Done)
    assert time.now - NOW == 5
    clusters[silent] = Jobs([UNREACHABLE])
    time.now = NOW
    with pytest.raises(RequestFailed, match=r"Open TCP port 8182"):
        run(lifecycle(clusters, time).update, update(Endpoint=GREEN), time)
    assert time.now - NOW == 45


def test_a_cluster_that_is_gone_cannot_be_compared_and_the_reason_says_what_to_do() -> None:
    clusters, time = {BLUE: Jobs([UNREACHABLE]), GREEN: Jobs()}, Time()
    with pytest.raises(
        RequestFailed, match=rf"^Whether {GREEN}:8182/job-1 is the same job as {ADOPTED} cannot be told"
    ):
        run(lifecycle(clusters, time).update, update(Endpoint=GREEN), time)


def test_a_cluster_that_may_not_be_called_any_more_is_not_called() -> None:
    clusters = {"old.example": Jobs(), GREEN: Jobs()}
    with pytest.raises(RequestFailed, match=r"The job job-1 is at old\.example, which should be a host below"):
        lifecycle(clusters).update(update("old.example:8182/job-1", {"Endpoint": "old.example"}, Endpoint=GREEN))
    assert clusters["old.example"].calls == []


@pytest.mark.parametrize("is_started", [False, True])
def test_what_may_be_a_rollback_to_another_name_of_the_jobs_cluster_waits_for_it_as_a_deletion_does(
    is_started: bool,  # noqa: FBT001
) -> None:
    """Whether the name means the job's cluster, or a third one, only Neptune can tell."""
    request = update(ADOPTED, {"Endpoint": GREEN}, Endpoint=BLUE_TOO)
    if is_started:
        old, new = describe(Endpoint=GREEN).properties, describe(Endpoint=BLUE_TOO).properties
        request = request._replace(physical_id=f"{BLUE}:8182/{own_job(100)}", properties=new, old_properties=old)

    def roll_back(looks: list[str | Exception], time: Time) -> Done | Waiting:
        it = lifecycle(Jobs(looks), time)._replace(may_start=is_started)
        return run(it.update, request, time, seconds=3600)

    done = roll_back([*[UNREACHABLE] * 100, "InProgress"], Time())
    assert isinstance(done, Done)
    assert done.physical_id == request.physical_id
    time = Time()
    with pytest.raises(RequestFailed, match=r"Open TCP port 8182"):
        roll_back([UNREACHABLE], time)
    assert 600 <= time.now - NOW <= 760  # where jobs are started, it looks for what was left first


def test_what_follows_wrong_settings_and_names_a_cluster_anew_waits_for_it_as_a_deletion_does() -> None:
    """It may be their rollback; an upgrade of the provider may have made them wrong, too, so Neptune is needed."""
    time = Time()
    request = update(ADOPTED, {"Clean": "perhaps"}, Endpoint=BLUE_TOO)
    it = lifecycle(Jobs([UNREACHABLE]), time)
    with pytest.raises(RequestFailed, match=r"Open TCP port 8182"):
        run(it.update, request, time, seconds=3600)
    assert time.now - NOW == 600
    assert it.without_neptune(request) is None


@pytest.mark.parametrize(
    ("old", "new", "seconds"),
    [
        ({"Id": "job-2"}, {}, 600),
        ({"Id": "job-2", "Endpoint": GREEN}, {}, 600),
        ({"Id": "job-2"}, {"Endpoint": GREEN}, 45),
        ({"Id": "job-2", "Endpoint": GREEN}, {"Endpoint": BLUE_TOO}, 600),
    ],
)
def test_an_update_to_another_job_in_the_cluster_of_the_one_before_may_be_a_rollback(
    old: dict[str, object], new: dict[str, object], seconds: float
) -> None:
    time = Time()
    with pytest.raises(RequestFailed, match=r"Open TCP port 8182"):
        run(lifecycle(Jobs([UNREACHABLE]), time).update, update(f"{BLUE}:8182/job-2", old, **new), time, seconds=3600)
    assert time.now - NOW == seconds


def test_new_settings_in_place_of_wrong_ones_can_move_a_resource() -> None:
    """An upgrade of the provider may have made them wrong: where Neptune can be asked, it is."""
    clusters = {BLUE: Jobs(), GREEN: Jobs([job("InProgress", ["arn:green"])])}
    done = lifecycle(clusters).update(update(ADOPTED, {"Clean": "perhaps"}, Endpoint=GREEN))
    assert isinstance(done, Done)
    assert done.physical_id == f"{GREEN}:8182/job-1"


def test_what_is_wrong_with_the_properties_of_a_job_that_is_followed_is_told() -> None:
    identity = Identity.parse(ADOPTED)
    assert identity is not None
    with pytest.raises(RequestFailed, match="Clean is 'perhaps'"):
        lifecycle(Jobs()).completion(identity, create(Clean="perhaps"))


def test_a_job_is_followed_whatever_another_version_of_the_provider_takes_for_a_property() -> None:
    completed = Job("Completed", is_stopping=False, has_ended=True, has_completed=True)
    identity = Identity.parse(ADOPTED)
    assert identity is not None
    assert isinstance(lifecycle(Jobs([completed])).completion(identity, create(Renamed="true")), Done)


# --- Delete: whom it touches ------------------------------------------------------------------------------------------


def test_delete_acts_on_the_physical_id_alone() -> None:
    clusters = {BLUE: Jobs(["Stopped"]), GREEN: Jobs()}
    assert lifecycle(clusters).delete(delete(ADOPTED, Endpoint=GREEN, Id="job-2")) == Done(ADOPTED)
    assert clusters[BLUE].calls == [("cancel", "job-1"), ("get", "job-1")]
    assert clusters[GREEN].calls == []


@pytest.mark.parametrize(
    "physical_id", ["no-job/1", "graph-Job-1N2K5RF3Q0J6K", "job-1", "8c2b4f6e-0000-4000-8000-000000000001", ""]
)
def test_a_resource_that_adopted_no_job_touches_nothing_whatever_its_properties(physical_id: str) -> None:
    jobs = Jobs()
    assert lifecycle(jobs).delete(delete(physical_id, Clean="perhaps", Endpoint=5)) == Done(physical_id)
    assert jobs.calls == []


def test_delete_passes_clean_and_the_role_on() -> None:
    jobs = Jobs(["Stopped"])
    lifecycle(jobs).delete(delete(NeptuneIamRoleArn=ROLE, Clean="true"))
    assert jobs.passed == [{"NeptuneIamRoleArn": ROLE, "Clean": True}, {"NeptuneIamRoleArn": ROLE}]
    jobs = Jobs(["Stopped"])
    lifecycle(jobs).delete(delete())
    assert jobs.passed == [{"Clean": False}, {}]


def test_delete_calls_only_hosts_that_the_operator_allows() -> None:
    jobs = Jobs(["Stopped"])
    request = delete("http://127.0.0.1:8182/job-1")
    with pytest.raises(RequestFailed) as caught:
        lifecycle(jobs).delete(request)
    assert str(caught.value).startswith("The job job-1 cannot be cancelled: its cluster is at 127.0.0.1, which should ")
    assert str(caught.value).endswith("AllowedHosts was changed, change it back and try the deletion again.")
    assert jobs.calls == []
    assert lifecycle(jobs, more=["127.0.0.1"]).delete(request) == Done("http://127.0.0.1:8182/job-1")


def test_a_job_that_is_gone_after_its_cancellation_has_stopped() -> None:
    time, jobs = Time(), Jobs(["Stopping", "Stopping", JobNotFound("gone")])
    assert run(lifecycle(jobs, time).delete, delete(), time) == Done(ADOPTED)
    assert recorded()["SecondsToStop"] == [10]


def test_a_job_that_neptune_stops_at_last_has_stopped() -> None:
    progress = Progress(refused_at=NOW - 60, words="no")
    assert lifecycle(Jobs(["Stopped"])).delete(delete()._replace(progress=progress)) == Done(ADOPTED)


def test_a_job_that_does_not_begin_to_stop_is_cancelled_once() -> None:
    time, jobs = Time(), Jobs([*["InProgress"] * 50, "Stopped"])
    assert run(lifecycle(jobs, time).delete, delete(), time) == Done(ADOPTED)
    assert jobs.cancelled == ["job-1"]


def test_wrong_settings_of_an_adopted_job_fail_the_delete_clearly() -> None:
    jobs = Jobs()
    with pytest.raises(RequestFailed, match=r"^The job job-1 could not be cancelled\. Clean is 'perhaps'; it should"):
        lifecycle(jobs).delete(delete(Clean="perhaps"))
    assert jobs.calls == []


# --- Delete: how it ends ----------------------------------------------------------------------------------------------


def test_delete_cancels_once_and_waits_until_the_job_has_stopped() -> None:
    jobs, time = Jobs(["Stopping", "Stopping", "Stopped"]), Time()
    assert run(lifecycle(jobs, time).delete, delete(), time) == Done(ADOPTED)
    assert jobs.calls == [("cancel", "job-1")] + [("get", "job-1")] * 3


def test_delete_that_waits_says_so_and_remembers_when_it_cancelled() -> None:
    for status in ("Stopping", "InProgress"):  # the latter: a status that lags behind
        assert lifecycle(Jobs([status])).delete(delete()) == Waiting(
            f"The job job-1 has not stopped yet (its status is {status}).", Progress(cancelled_at=NOW)
        )


@pytest.mark.parametrize("status", ["Stopped", "Completed", "Failed"])
def test_every_end_of_a_job_ends_the_wait(status: str) -> None:
    time = Time()
    assert run(lifecycle(Jobs(["Stopping", status]), time).delete, delete(), time) == Done(ADOPTED)


def test_a_job_that_is_gone_is_a_success() -> None:
    time = Time()
    assert lifecycle(Jobs(cancels=[JobNotFound("gone")])).delete(delete()) == Done(ADOPTED)
    assert run(lifecycle(Jobs(["Stopping", JobNotFound("gone")]), time).delete, delete(), time) == Done(ADOPTED)


def test_without_waiting_an_accepted_cancellation_is_enough() -> None:
    jobs = Jobs()
    assert lifecycle(jobs).delete(delete(WaitForStop="false")) == Done(ADOPTED)
    assert jobs.calls == [("cancel", "job-1")]


def test_without_waiting_a_job_that_is_stopping_is_enough_after_an_unclear_answer() -> None:
    jobs, time = Jobs(["Stopping"], [THROTTLED]), Time()
    assert run(lifecycle(jobs, time).delete, delete(WaitForStop="false"), time) == Done(ADOPTED)
    assert jobs.calls == [("cancel", "job-1"), ("get", "job-1")]


def test_without_waiting_a_refusal_is_still_looked_after() -> None:
    jobs, time = Jobs(["InProgress", "Stopping"], [RequestRefused("not now")]), Time()
    assert run(lifecycle(jobs, time).delete, delete(WaitForStop="false"), time) == Done(ADOPTED)
    assert len(jobs.calls) == 3


def test_a_job_that_never_stops_is_waited_for_without_another_cancellation() -> None:
    jobs, time = Jobs(["Stopping"]), Time()
    result = run(lifecycle(jobs, time).delete, delete(), time, seconds=3600)
    assert result == Waiting("The job job-1 has not stopped yet (its status is Stopping).", Progress(cancelled_at=NOW))
    assert len(jobs.cancelled) == 1


def test_how_long_a_job_took_to_stop_is_counted_from_its_cancellation() -> None:
    time = Time()
    run(lifecycle(Jobs(["Stopping"] * 3 + ["Stopped"]), time).delete, delete(), time)
    assert recorded() == {"JobsCancelled": [1.0], "SecondsToStop": [15.0]}


def test_a_job_that_ended_by_itself_took_no_time_to_stop() -> None:
    lifecycle(Jobs(["Completed"], [RequestRefused("it has ended")])).delete(delete())
    assert recorded() == {}


def test_a_clock_that_was_set_back_makes_no_negative_time() -> None:
    lifecycle(Jobs(["Stopped"])).delete(delete()._replace(progress=Progress(cancelled_at=NOW + 60)))
    assert recorded() == {"SecondsToStop": [0.0]}


def test_what_was_cancelled_long_ago_at_second_0_is_not_cancelled_again() -> None:
    jobs = Jobs(["Stopping"])
    result = lifecycle(jobs).delete(delete()._replace(progress=Progress(cancelled_at=0.0)))
    assert isinstance(result, Waiting)
    assert result.progress == Progress(cancelled_at=0.0)
    assert jobs.calls == [("get", "job-1")]


# --- Delete: unclear answers ------------------------------------------------------------------------------------------


def test_after_an_unclear_answer_the_job_is_looked_at_before_it_is_cancelled_again() -> None:
    jobs, time = Jobs(["InProgress", "InProgress", "Stopping", "Stopped"], [THROTTLED, THROTTLED, None]), Time()
    assert run(lifecycle(jobs, time).delete, delete(), time) == Done(ADOPTED)
    assert [call for call, _ in jobs.calls] == ["cancel", "get", "cancel", "get", "cancel", "get", "get"]


def test_a_cancellation_whose_answer_was_lost_is_not_repeated() -> None:
    jobs, time = Jobs(["Stopping", "Stopped"], [THROTTLED]), Time()
    assert run(lifecycle(jobs, time).delete, delete(), time) == Done(ADOPTED)
    assert jobs.cancelled == ["job-1"]


def test_as_long_as_nobody_could_look_the_job_is_not_cancelled_again() -> None:
    jobs, time = Jobs([THROTTLED, UNREACHABLE, THROTTLED, "InProgress", "Stopped"], [THROTTLED, None]), Time()
    assert run(lifecycle(jobs, time).delete, delete(), time) == Done(ADOPTED)
    assert [call for call, _ in jobs.calls] == ["cancel", "get", "get", "get", "get", "cancel", "get"]


def test_a_neptune_that_throttles_for_ever_is_asked_to_the_end() -> None:
    time = Time()
    result = run(lifecycle(Jobs([THROTTLED], [THROTTLED]), time).delete, delete(), time, seconds=3600)
    assert result == Waiting(
        "The job job-1 is not known to have stopped: Neptune answered 429.",
        Progress(unclear=True, words="Neptune answered 429."),
    )


def test_a_running_job_after_a_lost_cancellation_is_reported_with_what_came_of_it() -> None:
    result = lifecycle(Jobs(["InProgress"], [THROTTLED])).delete(delete())
    assert result == Waiting(
        "The job job-1 has not stopped yet (its status is InProgress). Neptune answered 429.",
        Progress(words="Neptune answered 429."),
    )


# --- Delete: refusals -------------------------------------------------------------------------------------------------


def test_a_refusal_for_a_job_that_has_ended_is_a_success() -> None:
    jobs = Jobs(["Completed"], [RequestRefused("it has ended")])
    assert lifecycle(jobs).delete(delete()) == Done(ADOPTED)
    assert [call for call, _ in jobs.calls] == ["cancel", "get"]


def test_a_refusal_for_a_job_that_is_stopping_waits() -> None:
    jobs, time = Jobs(["Stopping", "Stopping", "Stopped"], [RequestRefused("it is stopping")]), Time()
    assert run(lifecycle(jobs, time).delete, delete(), time) == Done(ADOPTED)
    assert jobs.cancelled == ["job-1"]


def test_a_refusal_for_a_running_job_is_looked_after_for_a_minute_for_an_earlier_cancellation_may_take_effect() -> None:
    jobs, time = Jobs(["InProgress"] * 11 + ["Stopping", "Stopped"], [RequestRefused("not now")]), Time()
    assert run(lifecycle(jobs, time).delete, delete(), time) == Done(ADOPTED)
    assert jobs.cancelled == ["job-1"]


def test_a_refusal_for_a_job_that_runs_on_for_a_minute_fails_with_neptunes_words() -> None:
    time = Time()
    with pytest.raises(RequestFailed, match=r"^The job job-1 could not be cancelled\. the role is not listed$"):
        run(lifecycle(Jobs(cancels=[RequestRefused("the role is not listed")]), time).delete, delete(), time, every=0.5)
    assert time.now - NOW == 60


def test_a_refused_look_does_not_hide_why_the_cancellation_was_refused() -> None:
    jobs, time = Jobs([RequestRefused("ml is not ready"), "InProgress"], [RequestRefused("not now")]), Time()
    reason = "The job job-1 has not stopped yet (its status is InProgress). not now"
    progress = Progress(refused_at=NOW, words="not now")
    assert run(lifecycle(jobs, time).delete, delete(), time, seconds=5) == Waiting(reason, progress)


def test_a_permission_that_is_missing_fails_at_once() -> None:
    time = Time()
    needs = NeptuneError("The function's role needs neptune-db:x.")
    with pytest.raises(RequestFailed, match=r"^The job job-1 could not be cancelled\. The function's role needs"):
        lifecycle(Jobs(cancels=[needs]), time).delete(delete())


def test_a_permission_that_is_missing_after_the_cancellation_does_not_deny_it() -> None:
    needs = NeptuneError("The function's role needs neptune-db:x.")
    said = r"^The job job-1 is cancelled, but not known to have stopped\. The function's role needs"
    with pytest.raises(RequestFailed, match=said):
        lifecycle(Jobs([needs]), Time()).delete(delete())


# --- Delete: no connection --------------------------------------------------------------------------------------------


def test_a_cluster_that_is_back_within_ten_minutes_is_waited_for() -> None:
    jobs, time = Jobs(["Stopped"], [UNREACHABLE] * 119 + [None]), Time()
    assert run(lifecycle(jobs, time).delete, delete(), time) == Done(ADOPTED)
    assert time.now - NOW == 595


def test_a_cluster_that_cannot_be_reached_for_ten_minutes_fails_the_delete() -> None:
    time = Time()
    with pytest.raises(RequestFailed, match=r"^The job job-1 could not be cancelled\. Open TCP port 8182\.$"):
        run(lifecycle(Jobs(cancels=[UNREACHABLE]), time).delete, delete(), time, seconds=3600, every=0.5)
    assert time.now - NOW == 600


def test_a_cluster_that_cannot_be_reached_after_the_cancellation_is_waited_for_to_the_end() -> None:
    time = Time()
    result = run(lifecycle(Jobs([UNREACHABLE]), time).delete, delete(), time, seconds=3600)
    assert result == Waiting(
        "The job job-1 is not known to have stopped: Open TCP port 8182.", Progress(cancelled_at=NOW, silent_since=NOW)
    )


def test_any_answer_begins_the_ten_minutes_anew() -> None:
    looks: list[str | Exception] = [THROTTLED, *[UNREACHABLE] * 100, THROTTLED, *[UNREACHABLE] * 100, "InProgress"]
    jobs, time = Jobs([*looks, "Stopped"], [THROTTLED, None]), Time()
    assert run(lifecycle(jobs, time).delete, delete(), time, seconds=3600) == Done(ADOPTED)
    assert time.now - NOW > 1000


def test_a_failover_in_the_middle_of_a_wait_is_waited_for() -> None:
    jobs, time = Jobs(["Stopping", UNREACHABLE, THROTTLED, "Stopping", "Stopped"]), Time()
    assert run(lifecycle(jobs, time).delete, delete(), time) == Done(ADOPTED)
    assert jobs.cancelled == ["job-1"]


@pytest.mark.parametrize("request_", [create(), delete()], ids=["create", "delete"])
def test_without_patience_a_cluster_that_cannot_be_reached_fails_the_request_at_once(request_: Request) -> None:
    local = lifecycle(Jobs([UNREACHABLE], [UNREACHABLE]))._replace(is_patient=False)
    with pytest.raises(RequestFailed, match=r"Open TCP port 8182\.$"):
        (local.delete if request_.physical_id else local.create)(request_)


def test_without_patience_a_cluster_that_throttles_is_asked_again_all_the_same() -> None:
    local = lifecycle(Jobs([THROTTLED], [THROTTLED]))._replace(is_patient=False)
    assert isinstance(local.create(create()), Waiting)
    assert isinstance(local.delete(delete()), Waiting)


# --- progress ---------------------------------------------------------------------------------------------------------

times = st.none() | st.floats(0, 1e11) | st.integers(0, 10**11)
fields_by_default = {None: times, False: st.booleans(), "": st.text()}
progresses = st.builds(
    Progress, **{name: fields_by_default[default] for name, default in Progress._field_defaults.items()}
)


@given(progresses)
def test_progress_is_read_from_json_as_it_was_written(progress: Progress) -> None:
    assert Progress.from_json(json.loads(json.dumps(progress.as_json()))) == progress


def test_progress_is_written_short() -> None:
    assert Progress().as_json() == {}
    assert Progress(cancelled_at=0.0, unclear=True).as_json() == {"cancelled_at": 0.0, "unclear": True}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cancelled_at", "5"),
        ("cancelled_at", True),
        ("cancelled_at", -1),
        ("cancelled_at", 1e11 + 0.5),
        ("refused_at", float("nan")),
        ("silent_since", None),
        ("unclear", 1),
        ("unclear", "true"),
        ("words", 5),
        ("words", None),
    ],
    ids=repr,
)
def test_nothing_else_is_progress(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"^{name}$"):
        Progress.from_json({name: value})


def test_what_another_version_of_the_provider_has_noted_is_left_aside() -> None:
    assert Progress.from_json({"cancelled_at": 5, "other": 5, "": None}) == Progress(cancelled_at=5)


@given(st.dictionaries(st.sampled_from(Progress._fields) | st.text(), st.none() | st.booleans() | st.floats()))
def test_whatever_progress_is_said_to_be_is_read_or_refused(data: dict[str, object]) -> None:
    try:
        progress = Progress.from_json(data)
    except ValueError:
        return
    assert Progress.from_json(progress.as_json()) == progress


# --- what it says of itself -------------------------------------------------------------------------------------------


def test_a_look_names_the_job_in_every_line_of_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    for look, request in ((Lifecycle.create, create()), (Lifecycle.delete, delete())):
        stream = io.StringIO()
        handler = observability.logger.handlers[0]
        with monkeypatch.context() as patch:
            patch.setattr(handler, "stream", stream)
            observability.logger.remove_keys(["job_id"])
            look(lifecycle(Jobs(["Stopped"])), request)
        lines = [json.loads(line) for line in stream.getvalue().splitlines()]
        assert lines
        assert {line["job_id"] for line in lines} == {"job-1"}


def test_the_physical_id_of_an_adopted_job_is_its_identity() -> None:
    assert Identity.parse(ADOPTED) == Identity(ENDPOINT.parse(BLUE), "job-1")


def test_a_look_that_was_refused_once_does_not_give_a_job_up_that_can_be_cancelled() -> None:
    unclear, refused = Unavailable("Neptune answered 503."), RequestRefused("Neptune refused the request: not now")
    looks: list[str | Job | Exception] = [refused, *[unclear] * 13, "InProgress", "InProgress", "Stopping", "Stopped"]
    time, jobs = Time(), Jobs(looks=looks, cancels=[unclear, None])
    assert isinstance(run(lifecycle(jobs, time).delete, delete(), time), Done)
    assert len(jobs.cancelled) == 2
