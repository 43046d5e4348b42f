"""What an Update means for a kind whose jobs Neptune can change in place, and for one whose jobs end by being gone."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

import pytest

from provider import job_id, values
from provider.clock import Clock
from provider.hosts import Hosts
from provider.identity import Identity
from provider.job_id import Origin
from provider.kinds import MODEL_TRANSFORM_JOB, common
from provider.kinds.common import describing
from provider.kinds.kind import Words
from provider.lifecycle import Done, Lifecycle, Progress, Request, RequestFailed, Waiting
from provider.neptune import Job, JobNotFound, NeptuneError, RequestRefused, Throttled, Unavailable, Unreachable
from provider.values import Endpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from provider.schema import Properties

NOW = 1_800_000_000.0
HOST = "blue.cluster-c0ffee.us-east-1.neptune.amazonaws.com"
SAME_HOST = "blue.cluster-ro-c0ffee.us-east-1.neptune.amazonaws.com"
KIND = MODEL_TRANSFORM_JOB._replace(
    noun="endpoint",
    words=Words(
        thing="endpoint",
        cancelled="deleted",
        completed="is in service",
        not_completed="is not in service",
        stopped="is gone",
        not_stopped="is not gone",
        to_have_stopped="to be gone",
    ),
    running=("Updating",),
    changing=("Updating",),
    stopping=("Deleting",),
    completed=("InService",),
    ended=(),
    properties=(
        common.ENDPOINT,
        common.ID,
        describing("Model", values.STRING, "", required=True, update="No interruption"),
        describing("InstanceType", values.STRING, "", update="No interruption"),
        describing("Key", values.STRING, ""),
        common.NEPTUNE_IAM_ROLE_ARN,
        common.WAIT_FOR_COMPLETION,
        common.CLEAN,
        common.WAIT_FOR_STOP,
    ),
    either=(),
    update="update",
)
BEFORE = {"Endpoint": HOST, "Model": "movies"}
LARGER = {**BEFORE, "InstanceType": "ml.m5.2xlarge"}
MADE = Origin(("graph", "It"), "graph/It", "request-1", NOW - 7200)
ORIGIN = Origin(("graph", "It"), "graph/It", "request-2", NOW)
ID = job_id.make(MADE, {})
NEW_ID = job_id.make(ORIGIN, {})
PHYSICAL_ID = f"{HOST}:8182/{ID}"
NEW_PHYSICAL_ID = f"{HOST}:8182/{NEW_ID}"
BUSY = RequestRefused("Neptune refused the request: it is Updating.")
LOST = Unavailable("Neptune answered 500.")
UNREACHABLE = Unreachable("Open TCP port 8182.")
GONE = JobNotFound("Neptune knows no such endpoint.")
DENIED = NeptuneError("Neptune denied the request.")
QUIET = 90
"""For how long it is looked at when it is ready: until no other delivery of the request can change it."""
UNSEEN = 60
"""How late a change may become visible that Neptune has accepted."""


def endpoint(status: str, *arns: str) -> Job:
    return Job(
        status,
        is_stopping=status == "Deleting",
        has_ended=False,
        arns=frozenset(arns or ["config-0"]),
        has_completed=status == "InService",
        has_failed=status == "Failed",
        is_changing=status in ("Creating", "Updating"),
    )


IN_SERVICE, CHANGED, UPDATING, FAILED = (
    endpoint("InService"),
    endpoint("InService", "config-1"),
    endpoint("Updating"),
    endpoint("Failed"),
)


@dataclass
class Cluster:
    """A cluster whose answers are given beforehand; the last one of each kind stays."""

    looks: Iterable[Job | Exception] = (IN_SERVICE,)
    updates: Iterable[Exception | None] = (None,)
    others: Job | Exception = IN_SERVICE
    lists: tuple[str, ...] = ()
    cancels: Iterable[Exception | None] = (None,)
    calls: list[str] = field(default_factory=list)
    now: float = NOW

    def __post_init__(self) -> None:
        self._looks, self._updates, self._cancels = deque(self.looks), deque(self.updates), deque(self.cancels)

    def start(self, job_id: str, _: Properties) -> None:
        self.calls.append(f"start {job_id}")

    def update(self, job_id: str, _: Properties) -> None:
        self.calls.append(f"update {job_id}")
        answer = self._updates.popleft() if len(self._updates) > 1 else self._updates[0]
        if answer is not None:
            raise answer

    def get(self, job_id: str, _: Properties) -> Job:
        looks = self._looks if job_id == ID else [self.others]
        answer = self._looks.popleft() if len(looks) > 1 else looks[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def list(self, _: Properties) -> tuple[str, ...]:
        return self.lists

    def cancel(self, job_id: str, _: Properties) -> None:
        self.calls.append(f"cancel {job_id}")
        answer = self._cancels.popleft() if len(self._cancels) > 1 else self._cancels[0]
        if answer is not None:
            raise answer


def lifecycle(cluster: Cluster) -> Lifecycle:
    def not_asked(*_: float) -> NoReturn:
        raise AssertionError("a look does not wait")

    clock = Clock(monotonic=not_asked, wall=lambda: cluster.now, sleep=not_asked)
    return Lifecycle(KIND, KIND.schema, Hosts.of_clusters(), lambda _: cluster, clock, may_start=True)


def update(
    old: dict[str, object] | dict[str, str] = BEFORE, new: dict[str, object] | dict[str, str] = LARGER, **more: object
) -> Request:
    return Request(PHYSICAL_ID, {**new, **more}, ORIGIN, old_properties=old)


def run(
    cluster: Cluster, request: Request, *, every: float = 5.0, look: Callable[[Lifecycle, Request], Done | Waiting]
) -> Done:
    for _ in range(2000):
        result = look(lifecycle(cluster), request)
        if isinstance(result, Done):
            return result
        progress = Progress.from_json(json.loads(json.dumps(result.progress.as_json())))
        assert progress == result.progress
        request = request._replace(progress=progress)
        cluster.now += every
    raise AssertionError("it waits for ever")


def updated(cluster: Cluster, request: Request, every: float = 5.0) -> Done:
    return run(cluster, request, every=every, look=Lifecycle.update)


# --- what is changed in place -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (BEFORE, LARGER),
        (LARGER, BEFORE),
        (BEFORE, {**BEFORE, "Model": "films"}),
        ({**BEFORE, "Clean": "true"}, LARGER),
    ],
)
def test_what_describes_it_is_changed_in_place(old: dict[str, object], new: dict[str, object]) -> None:
    cluster = Cluster()
    assert updated(cluster, update(old, new)).physical_id == PHYSICAL_ID
    assert cluster.calls == [f"update {ID}"]
    assert cluster.now == NOW + UNSEEN + QUIET


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (BEFORE, {**BEFORE, "Clean": "true"}),
        (BEFORE, BEFORE),
        ({**BEFORE, "Model": ""}, BEFORE),  # an update that was wrong is rolled back
        ({"Endpoint": HOST, "Id": "other"}, BEFORE),  # one that failed in adopting another
    ],
)
def test_settings_and_rollbacks_of_what_touched_nothing_change_nothing(
    old: dict[str, object], new: dict[str, object]
) -> None:
    cluster = Cluster()
    assert updated(cluster, update(old, new)).physical_id == PHYSICAL_ID
    assert cluster.calls == []


def test_a_rollback_of_a_replacement_changes_nothing_in_place() -> None:
    cluster = Cluster()
    assert updated(cluster, update({**LARGER, "Key": "other"}, BEFORE), every=30).physical_id == PHYSICAL_ID
    assert cluster.calls == []


def test_a_change_of_the_clusters_name_and_of_what_it_runs_on_is_made_in_place() -> None:
    cluster = Cluster()
    request = update(BEFORE, LARGER, Endpoint=SAME_HOST)
    assert updated(cluster, request).physical_id == PHYSICAL_ID
    assert cluster.calls == [f"update {ID}"]


def test_another_key_replaces_it() -> None:
    cluster = Cluster()
    request = update(BEFORE, {**LARGER, "Key": "other"})
    other = job_id.make(ORIGIN, {"key": "other"})
    assert updated(cluster, request).physical_id == f"{HOST}:8182/{other}"
    assert cluster.calls == []  # it is there already: another delivery has started it


# --- waiting ----------------------------------------------------------------------------------------------------------


def test_it_is_changed_when_it_may_be_changed() -> None:
    cluster = Cluster([UPDATING] * 10 + [IN_SERVICE])
    assert updated(cluster, update()).physical_id == PHYSICAL_ID
    assert cluster.calls == [f"update {ID}"]
    assert cluster.now == NOW + 50 + UNSEEN + QUIET


def test_a_refusal_while_it_changes_is_waited_out() -> None:
    cluster = Cluster([IN_SERVICE, UPDATING, UPDATING, IN_SERVICE], [BUSY, None])
    assert updated(cluster, update()).physical_id == PHYSICAL_ID
    assert cluster.calls == [f"update {ID}"] * 2


@pytest.mark.parametrize("wait", ["true", "false"])
def test_it_is_in_service_again_first(wait: str) -> None:
    cluster = Cluster([IN_SERVICE, UPDATING, UPDATING, CHANGED])
    assert updated(cluster, update(WaitForCompletion=wait)).attributes["Status"] == "InService"
    assert cluster.now == NOW + 10 + QUIET
    assert cluster.calls == [f"update {ID}"]


def test_what_neptune_is_slow_to_begin_is_not_taken_for_done() -> None:
    cluster = Cluster([IN_SERVICE, IN_SERVICE, IN_SERVICE, UPDATING, CHANGED])
    assert updated(cluster, update()).physical_id == PHYSICAL_ID
    assert cluster.now == NOW + 15 + QUIET


def test_what_shows_no_sign_of_a_change_is_done_after_a_minute() -> None:
    cluster = Cluster()
    assert updated(cluster, update()).physical_id == PHYSICAL_ID
    assert cluster.now == NOW + UNSEEN + QUIET
    assert cluster.calls == [f"update {ID}"]


@pytest.mark.parametrize("wait", ["true", "false"])
def test_one_that_fails_fails_the_update_when_none_can_take_its_place_any_more(wait: str) -> None:
    cluster = Cluster([IN_SERVICE, *[UPDATING] * 19, FAILED], others=GONE)
    with pytest.raises(RequestFailed, match=r"^The endpoint .* is not in service: its status is Failed\.$") as failed:
        updated(cluster, update(WaitForCompletion=wait))
    assert failed.value.leaves == ""
    assert cluster.now == NOW + 155
    assert cluster.calls == [f"update {ID}"]


# --- another delivery of the request ----------------------------------------------------------------------------------


def test_while_it_changes_otherwise_it_is_looked_at() -> None:
    again, once_more = endpoint("InService", "config-2"), endpoint("InService", "config-3")
    cluster = Cluster([IN_SERVICE, CHANGED, *[again] * 5, UPDATING, UPDATING, again, once_more])
    assert updated(cluster, update()).physical_id == PHYSICAL_ID
    assert cluster.now == NOW + 45 + QUIET
    assert cluster.calls == [f"update {ID}"]


def test_nobody_waits_for_another_delivery_if_it_is_not_known_when_it_was_asked() -> None:
    request = update()
    request = request._replace(origin=request.origin._replace(asked_at=None))
    cluster = Cluster([IN_SERVICE, CHANGED])
    assert updated(cluster, request).physical_id == PHYSICAL_ID
    assert cluster.now == NOW


def test_what_changes_once_more_is_looked_at_for_as_long_again() -> None:
    cluster = Cluster([IN_SERVICE, *[CHANGED] * 10, UPDATING, CHANGED])
    assert updated(cluster, update()).physical_id == PHYSICAL_ID
    assert cluster.now == NOW + 60 + QUIET


def test_what_has_changed_once_more_is_looked_at_for_as_long_again() -> None:
    another = endpoint("InService", "config-2")
    cluster = Cluster([IN_SERVICE, *[CHANGED] * 10, another])
    assert updated(cluster, update()).physical_id == PHYSICAL_ID
    assert cluster.now == NOW + 50 + QUIET


@pytest.mark.parametrize(("seconds", "limit", "acts"), [(90, 3600, True), (91, 3600, False), (31, 60, False)])
def test_a_late_delivery_changes_nothing(*, seconds: int, limit: int, acts: bool) -> None:
    for progress, now in ((Progress(), NOW), (Progress(looked_at=NOW + 2000), NOW + 2000)):
        cluster = Cluster(now=now + seconds)
        request = update()._replace(time_limit=limit, progress=progress)
        if acts:
            assert updated(cluster, request).physical_id == PHYSICAL_ID
        else:
            age = rf"^The endpoint {ID} could not be changed\. The request is {seconds} s old\.$"
            with pytest.raises(RequestFailed, match=age):
                updated(cluster, request)
        assert cluster.calls == [f"update {ID}"] * acts


def test_a_delivery_that_has_waited_changes_it_whenever_it_may_be_changed() -> None:
    cluster = Cluster([UPDATING] * 100 + [IN_SERVICE, CHANGED])
    assert updated(cluster, update(), every=30).physical_id == PHYSICAL_ID
    assert cluster.calls == [f"update {ID}"]


def test_whether_another_name_of_its_cluster_has_it_is_asked_again() -> None:
    moved = update(BEFORE, {**LARGER, "Endpoint": "another.cluster-abc123.us-east-1.neptune.amazonaws.com"})
    waiting = lifecycle(Cluster([UNREACHABLE])).update(moved)
    assert isinstance(waiting, Waiting)
    assert waiting.reason == f"The endpoint {ID} could not be looked up. {UNREACHABLE}"


def test_silences_before_it_may_be_changed_do_not_add_up() -> None:
    silence: list[Job | Exception] = [UNREACHABLE] * 11
    cluster = Cluster([*silence, UPDATING, *silence, UPDATING, IN_SERVICE, CHANGED])
    assert updated(cluster, update(), every=50).physical_id == PHYSICAL_ID
    assert cluster.calls == [f"update {ID}"]


@pytest.mark.parametrize("of_another", [IN_SERVICE, GONE], ids=["found", "not found"])
@pytest.mark.parametrize(("seconds", "is_made"), [(5, True), (85, True), (95, False), (155, False)])
def test_each_delivery_that_finds_it_failed_has_the_same_outcome(
    *, seconds: int, is_made: bool, of_another: Job | Exception
) -> None:
    cluster = Cluster([FAILED], others=of_another, now=NOW + seconds)
    progress = Progress(start_sent_at=NOW, is_accepted=True, arns="config-0")
    if of_another is IN_SERVICE:
        assert updated(cluster, update()._replace(progress=progress)).physical_id == NEW_PHYSICAL_ID
        assert cluster.calls == []
    elif is_made:
        lifecycle(cluster).update(update()._replace(progress=progress))
        assert cluster.calls == [f"start {NEW_ID}"]
    else:
        with pytest.raises(RequestFailed, match="its status is Failed"):
            updated(cluster, update()._replace(progress=progress))
        assert cluster.calls == []
        assert cluster.now == NOW + 155


def test_that_another_one_takes_its_place_is_decided_once() -> None:
    left = job_id.make(ORIGIN._replace(request="request-1b", asked_at=NOW - 60), {})
    cluster = Cluster([FAILED, IN_SERVICE], lists=(left,), cancels=[Throttled("Neptune answered 429."), None])
    assert updated(cluster, update()).physical_id == NEW_PHYSICAL_ID
    assert cluster.calls == [f"cancel {left}", f"cancel {left}"]


def test_one_that_fails_by_a_change_of_which_it_is_not_known_when_it_was_asked_is_replaced() -> None:
    request = update()._replace(progress=Progress(start_sent_at=NOW, is_accepted=True, arns="config-0"))
    request = request._replace(origin=request.origin._replace(asked_at=None))
    cluster = Cluster([FAILED], others=GONE)
    assert isinstance(lifecycle(cluster).update(request), Waiting)
    assert cluster.calls == [f"start {job_id.make(request.origin, {})}"]


def test_whether_another_has_taken_its_place_is_asked_for_ten_minutes() -> None:
    cluster = Cluster([FAILED], others=UNREACHABLE, now=NOW + 200)
    progress = Progress(start_sent_at=NOW, is_accepted=True, arns="config-0")
    with pytest.raises(RequestFailed, match=r"its status is Failed\. Open TCP port 8182\.$"):
        updated(cluster, update()._replace(progress=progress))
    assert cluster.now == NOW + 800


# --- no answer --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("now", [UPDATING, CHANGED], ids=["begun", "over"])
def test_a_change_whose_answer_is_lost_is_made_once(now: Job) -> None:
    cluster = Cluster([IN_SERVICE, now, CHANGED], [LOST])
    assert updated(cluster, update()).physical_id == PHYSICAL_ID
    assert cluster.calls == [f"update {ID}"]


def test_a_change_of_which_there_is_no_sign_is_asked_for_again_after_a_minute() -> None:
    cluster = Cluster(updates=[LOST, None])
    assert updated(cluster, update()).physical_id == PHYSICAL_ID
    assert cluster.calls == [f"update {ID}"] * 2
    assert cluster.now == NOW + 60 + UNSEEN + QUIET


@pytest.mark.parametrize("error", [Throttled("Neptune answered 429."), UNREACHABLE])
def test_a_neptune_that_cannot_be_asked_is_asked_again_for_ten_minutes(error: NeptuneError) -> None:
    for cluster in (Cluster(updates=[error] * 119 + [None]), Cluster([error] * 119 + [IN_SERVICE])):
        assert updated(cluster, update()).physical_id == PHYSICAL_ID
        assert cluster.now == NOW + 595 + UNSEEN + QUIET
    for cluster, words in ((Cluster(updates=[error]), "changed"), (Cluster([error]), "looked up")):
        with pytest.raises(RequestFailed, match=rf"^The endpoint {ID} could not be {words}\. {error}$"):
            updated(cluster, update())
        assert cluster.now == NOW + 600


def test_silences_before_and_after_a_change_do_not_add_up() -> None:
    cluster = Cluster([*[UPDATING] * 20, *[UNREACHABLE] * 6, IN_SERVICE, *[UNREACHABLE] * 7, CHANGED])
    assert updated(cluster, update()).attributes["Status"] == "InService"


def test_a_change_that_is_accepted_at_last_is_not_spoken_of_in_words_from_before() -> None:
    progress = Progress(start_sent_at=NOW - UNSEEN, words="Neptune answered 500.", arns="config-0", looked_at=NOW)
    result = lifecycle(Cluster()).update(update()._replace(progress=progress))
    assert isinstance(result, Waiting)
    assert (result.progress.is_accepted, result.progress.words) == (True, "")


def test_what_neptune_has_accepted_is_done_although_it_cannot_be_looked_up() -> None:
    cluster = Cluster([IN_SERVICE, UNREACHABLE])
    done = updated(cluster, update())
    assert (done.physical_id, done.attributes["Status"]) == (PHYSICAL_ID, "")
    assert cluster.now == NOW + 95
    with pytest.raises(RequestFailed, match="could not be looked up"):
        updated(Cluster([IN_SERVICE, UNREACHABLE]), update(WaitForCompletion="true"))


@pytest.mark.parametrize(
    ("accepted", "settled", "wait", "is_done"),
    [
        (False, None, "false", False),
        (True, None, "false", True),
        (True, None, "true", False),
        (True, NOW + 10, "true", True),
    ],
)
def test_at_the_end_of_its_time_an_update_is_done_if_neptune_has_accepted_it(
    *, accepted: bool, settled: float | None, wait: str, is_done: bool
) -> None:
    progress = Progress(start_sent_at=NOW, is_accepted=accepted, settled_at=settled)
    request = update(WaitForCompletion=wait)._replace(progress=progress)
    done = lifecycle(Cluster()).without_neptune(request)
    assert (done is not None) is is_done


def test_at_the_end_of_its_time_an_update_is_not_done_if_another_one_was_to_take_its_place() -> None:
    progress = Progress(job_id=NEW_ID, start_sent_at=NOW, is_accepted=True)
    assert lifecycle(Cluster()).without_neptune(update()._replace(progress=progress)) is None


@pytest.mark.parametrize(("looks", "updates"), [([IN_SERVICE], [DENIED]), ([DENIED], [None])])
def test_a_denied_change_fails_when_no_other_delivery_can_make_it_any_more(
    looks: list[Job | Exception], updates: list[Exception | None]
) -> None:
    cluster = Cluster(looks, updates)
    with pytest.raises(RequestFailed, match=r"could not be .*\. Neptune denied the request\.$"):
        updated(cluster, update())
    assert cluster.now == NOW + 95


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_what_neptune_refuses_fails_with_its_words_at_once() -> None:
    cluster = Cluster(updates=[RequestRefused("Neptune refused the request: Invalid ML instance type.")])
    with pytest.raises(
        RequestFailed, match=rf"^The endpoint {ID} could not be changed\. .*Invalid ML instance type\.$"
    ):
        updated(cluster, update())
    assert cluster.now == NOW


def test_a_refusal_after_which_it_cannot_be_looked_up_fails_with_neptunes_words() -> None:
    with pytest.raises(RequestFailed, match=r"it is Updating\.$"):
        updated(Cluster([IN_SERVICE, UNREACHABLE], [BUSY]), update())


def test_a_provider_that_may_not_start_may_not_change_either() -> None:
    cluster = Cluster()
    with pytest.raises(
        RequestFailed, match=rf"^The endpoint {ID} cannot be changed\. This provider starts no endpoints"
    ):
        lifecycle(cluster)._replace(may_start=False).update(update())
    assert cluster.calls == []


def test_an_update_of_which_it_is_not_known_when_it_was_asked_changes_it() -> None:
    request = update()._replace(time_limit=1)
    request = request._replace(origin=request.origin._replace(asked_at=None))
    assert updated(cluster := Cluster(), request).physical_id == PHYSICAL_ID
    assert cluster.calls == [f"update {ID}"]


def test_a_provider_that_may_not_start_says_so_of_one_that_is_gone_without_looking_for_others() -> None:
    class Unlisted(Cluster):
        def get(self, *_: object) -> Job:
            raise GONE

        def list(self, _: Properties) -> tuple[str, ...]:
            raise NeptuneError("Neptune denied the request.")

    with pytest.raises(RequestFailed, match="This provider starts no endpoints"):
        lifecycle(Unlisted())._replace(may_start=False).update(update())


# --- gone, or failed --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("looks", "updates"),
    [([GONE], [None]), ([FAILED], [None]), ([IN_SERVICE, GONE], [BUSY]), ([IN_SERVICE, UPDATING, GONE], [LOST])],
    ids=["gone", "failed", "gone when it is changed", "gone meanwhile"],
)
def test_another_takes_the_place_of_one_that_cannot_be_changed(
    looks: list[Job | Exception], updates: list[Exception | None]
) -> None:
    cluster = Cluster(looks, updates)
    request = update(WaitForCompletion="true")
    assert updated(cluster, request).physical_id == NEW_PHYSICAL_ID


def test_what_a_failed_update_has_left_in_its_place_is_deleted_first() -> None:
    left = job_id.make(Origin(("graph", "It"), "graph/It", "request-1.5", NOW - 60), {})
    retained = job_id.make(Origin(("graph", "It"), "graph/It", "request-0", NOW - 9000), {})
    cluster = Cluster([GONE], lists=(ID, left, NEW_ID, retained))
    assert updated(cluster, update()).physical_id == NEW_PHYSICAL_ID
    assert cluster.calls == [f"cancel {left}"]


def test_what_a_failed_update_has_left_is_looked_for_for_ten_minutes() -> None:
    class Unlisted(Cluster):
        def list(self, _: Properties) -> tuple[str, ...]:
            raise UNREACHABLE

    cluster = Unlisted([GONE])
    with pytest.raises(RequestFailed, match=r"^What a failed update has left could not be cancelled\. Open TCP port"):
        updated(cluster, update())
    assert cluster.now == NOW + 600


def test_settings_of_one_that_is_gone_change_all_the_same() -> None:
    cluster = Cluster([GONE])
    assert updated(cluster, update(BEFORE, BEFORE, Clean="true")).physical_id == PHYSICAL_ID
    assert cluster.calls == []


# --- Delete -----------------------------------------------------------------------------------------------------------


def deleted(cluster: Cluster, every: float = 5.0) -> Done:
    request = Request(PHYSICAL_ID, BEFORE, ORIGIN)
    return run(cluster, request, every=every, look=Lifecycle.delete)


def test_the_end_of_one_is_that_it_is_gone() -> None:
    cluster = Cluster([endpoint("Deleting"), endpoint("Deleting"), GONE])
    assert deleted(cluster) == Done(PHYSICAL_ID)
    assert cluster.now == NOW + 10
    assert cluster.calls == [f"cancel {ID}"]


@pytest.mark.parametrize("status", ["InService", "Failed"])
def test_one_that_is_ready_or_has_failed_is_deleted_too(status: str) -> None:
    cluster = Cluster([endpoint(status), GONE])
    assert deleted(cluster) == Done(PHYSICAL_ID)
    assert cluster.calls == [f"cancel {ID}"]


def test_a_delete_that_neptune_refuses_while_it_changes_waits_for_as_long() -> None:
    cluster = Cluster([UPDATING] * 100 + [IN_SERVICE, GONE], [BUSY] * 100 + [None])
    assert deleted(cluster) == Done(PHYSICAL_ID)
    assert cluster.now == NOW + 505


def test_a_delete_that_neptune_refuses_of_one_that_is_ready_fails_after_a_minute() -> None:
    cluster = Cluster(cancels=[BUSY])
    with pytest.raises(RequestFailed, match=rf"^The endpoint {ID} could not be deleted\. .*it is Updating\.$"):
        deleted(cluster)
    assert cluster.now == NOW + 60


def test_one_that_may_not_be_created_anew_is_gone_at_once() -> None:
    """Its id does not say when it was asked for."""
    physical_id = f"{HOST}:8182/{job_id.make(MADE._replace(asked_at=None), {})}"
    cluster = Cluster(others=GONE)
    assert lifecycle(cluster).delete(Request(physical_id, BEFORE, ORIGIN)) == Done(physical_id)


@pytest.mark.parametrize("wait", ["true", "false"])
def test_one_whose_creation_was_not_heard_may_come_again_whether_or_not_its_end_is_waited_for(wait: str) -> None:
    made = job_id.make(ORIGIN._replace(request="request-1b", asked_at=NOW - 10), {})
    cluster = Cluster(lists=(made,))
    request = Request("graph-It-1N2K5RF3Q0J6K", {**BEFORE, "WaitForStop": wait}, ORIGIN)
    result = lifecycle(cluster).delete(request)
    assert isinstance(result, Waiting)
    assert "is not gone yet" in result.reason


def test_one_that_a_failed_update_has_left_may_come_again_and_is_looked_for() -> None:
    left = job_id.make(ORIGIN._replace(request="request-1b", asked_at=NOW - 10), {"key": "other"})
    cluster = Cluster(lists=(ID, left))
    before = {**BEFORE, "Key": "other"}
    assert updated(cluster, update(before, BEFORE)).physical_id == PHYSICAL_ID
    assert cluster.calls[0] == f"cancel {left}"
    assert cluster.now > NOW + 150


@pytest.mark.parametrize("trouble", [None, BUSY, LOST, UNREACHABLE, GONE], ids=repr)
def test_one_that_is_there_again_a_minute_after_its_deletion_is_deleted_again(trouble: Exception | None) -> None:
    """Another delivery of its Create has made it anew between two looks."""
    deleting, again = endpoint("Deleting"), endpoint("Creating")
    cluster = Cluster([deleting, *[again] * 25, deleting, GONE], [None, trouble])
    assert deleted(cluster) == Done(PHYSICAL_ID)
    assert cluster.calls == [f"cancel {ID}"] * 3  # and not at each look
    assert cluster.now == NOW + 135


def test_one_that_is_slow_to_be_deleted_is_deleted_once() -> None:
    cluster = Cluster([*[IN_SERVICE] * 12, *[endpoint("Deleting")] * 100, GONE])
    assert deleted(cluster) == Done(PHYSICAL_ID)
    assert cluster.calls == [f"cancel {ID}"]


def test_one_that_has_failed_is_not_gone_back_to() -> None:
    failed = job_id.make(Origin(("graph", "It"), "graph/It", "request-1.5", NOW - 60), {"key": "other"})

    class Listed(Cluster):
        def get(self, job_id: str, _: Properties) -> Job:
            return FAILED if job_id == failed else self.looked(job_id)

        def looked(self, job_id: str) -> Job:
            if f"start {job_id}" in self.calls:
                return IN_SERVICE
            raise GONE

    cluster = Listed(lists=(ID, failed))
    assert updated(cluster, update(BEFORE, {**BEFORE, "Key": "other"})).physical_id != f"{HOST}:8182/{failed}"


def test_the_physical_id_is_that_of_the_endpoint() -> None:
    assert Identity.parse(PHYSICAL_ID) == Identity(Endpoint("https", HOST, 8182), ID)
