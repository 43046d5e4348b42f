"""What one write makes of an entry. What many come to, `tests/any_order` plays."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provider.journal.entry import (
    LATER_REQUEST,
    LEASE_SECONDS,
    REMEMBERED_SECONDS,
    UNKNOWN,
    Answer,
    Change,
    Entry,
    Job,
    Order,
    Outcome,
    Record,
    Request,
    RequestType,
    answer,
    close,
    forget,
    gone,
    intend,
    refuse,
    register,
    settle,
)

CREATE, UPDATE, DELETE = RequestType
NOW = 1_000_000.0
JOB, OTHER = "cluster:8182/job", "cluster:8182/other"


def request(type_: RequestType, id_: str = "new", signed_at: int | None = 100, **asks: object) -> Request:
    return Request(type_, id_, signed_at, NOW + 3600, **asks)  # type: ignore[arg-type]


# --- order ------------------------------------------------------------------------------------------------------------

NEWEST = Record(2, UPDATE, 100, NOW, Answer(Outcome.SUCCESS, JOB), 200.0)
UNANSWERED = Record(2, CREATE, 100, NOW)


@pytest.mark.parametrize(
    ("newest", "type_", "signed_at", "order"),
    [
        (UNANSWERED, UPDATE, 101, Order.NEW),
        (UNANSWERED, CREATE, 101, Order.NEW),
        (UNANSWERED, DELETE, 100, Order.NEW),  # in the same second
        (UNANSWERED, CREATE, 100, Order.EARLIER),
        (UNANSWERED, DELETE, 99, Order.EARLIER),
        # CloudFormation waits for an answer before it sends the next request, and clocks differ by five seconds.
        (replace(NEWEST, signed_at=300), DELETE, 195, Order.NEW),
        (replace(NEWEST, signed_at=300), DELETE, 194, Order.EARLIER),
        (replace(NEWEST, signed_at=300), CREATE, 299, Order.EARLIER),
        # Emulators do not sign.
        (UNANSWERED, CREATE, None, Order.NEW),
        (replace(UNANSWERED, signed_at=None), CREATE, 1, Order.NEW),
    ],
)
def test_order_of_a_request_that_was_not_seen(
    newest: Record, type_: RequestType, signed_at: int | None, order: Order
) -> None:
    assert Entry("newest", 2, 1, {"newest": newest}).order(request(type_, signed_at=signed_at)) is order


def test_order_of_requests_that_were_seen() -> None:
    entry = Entry("newest", 2, 1, {"newest": NEWEST, "earlier": replace(NEWEST, number=1, signed_at=100)})

    assert entry.order(request(UPDATE, "newest", 1)) is Order.CURRENT
    assert entry.order(request(UPDATE, "earlier", 999)) is Order.EARLIER


TWO_LIVES = Entry(
    "create-2",
    4,
    4,
    {
        "create-1": Record(1, CREATE, 10, NOW),
        "update": Record(2, UPDATE, 20, NOW),
        "delete": Record(3, DELETE, 30, NOW),
        "create-2": Record(4, CREATE, 40, NOW),
    },
)


@pytest.mark.parametrize(
    ("type_", "id_", "signed_at", "place", "life"),
    [
        (UPDATE, "update", 20, 2, 1),
        (CREATE, "create-2", 40, 4, 4),
        # Those that came too late to register.
        (UPDATE, "late", 1, 0, 0),
        (UPDATE, "late", 14, 1, 1),
        (UPDATE, "late", 15, 2, 1),  # by clocks that differ by five seconds
        (DELETE, "late", 34, 3, 1),
        (DELETE, "late", 35, 4, 4),
    ],
)
def test_place_and_life_of_a_request(type_: RequestType, id_: str, signed_at: int, place: int, life: int) -> None:
    it = request(type_, id_, signed_at)

    assert (TWO_LIVES.place(it), TWO_LIVES.life_of(it)) == (place, life)


def test_a_life_is_known_for_as_long_as_it_lasts() -> None:
    """A clean-up may be tried again a month later, and waits for what the first attempt has closed."""
    entry = register(None, request(CREATE, "create"), NOW)
    days = NOW
    for number in range(3):
        days += 20 * 86400
        entry = register(entry, request(DELETE, f"delete-{number}", int(days)), days)

        assert entry.life_of(request(DELETE, f"delete-{number}")) == entry.life == 1


# --- registration -----------------------------------------------------------------------------------------------------

BEGUN = Job(by="request", life=1, describes="d")
TOLD = replace(BEGUN, is_told=True)
NAMED = replace(TOLD, is_named=True)
ADOPTED = Job(is_told=True)


def entry_of(job: Job, **others: Job) -> Entry:
    """One request has registered."""
    return Entry("request", 1, 1, {"request": Record(1, CREATE, 50, NOW)}, {JOB: job, **others})


@pytest.mark.parametrize(
    ("job", "type_", "names", "is_closed"),
    [
        # What nobody was told of cannot be named by any later request.
        (BEGUN, CREATE, "", True),
        (BEGUN, UPDATE, OTHER, True),
        (BEGUN, DELETE, OTHER, True),
        (BEGUN, DELETE, "", True),
        (BEGUN, UPDATE, JOB, False),
        # CloudFormation would name what it was told of, unless it takes that back.
        (TOLD, UPDATE, OTHER, True),
        (TOLD, DELETE, "", True),
        (TOLD, DELETE, OTHER, False),  # the clean-up of the one before
        (TOLD, CREATE, "", False),  # let go, by Retain
        # What was named has a Delete of its own.
        (NAMED, CREATE, "", False),
        (NAMED, UPDATE, OTHER, False),
        (NAMED, DELETE, "", False),
        (NAMED, DELETE, OTHER, False),
        (NAMED, DELETE, JOB, True),
        # What the resource has not begun goes by its own Delete alone.
        (ADOPTED, UPDATE, OTHER, False),
        (ADOPTED, DELETE, "", False),
        (ADOPTED, DELETE, JOB, True),
    ],
)
def test_which_jobs_a_registration_closes(job: Job, type_: RequestType, names: str, is_closed: bool) -> None:  # noqa: FBT001
    after = register(entry_of(job), request(type_, names=names), NOW).jobs[JOB]

    assert (after.closed, after.closed_by) == ((NOW, "new") if is_closed else (None, ""))


def test_what_an_earlier_life_was_told_of_is_not_closed_by_a_delete_that_names_none() -> None:
    new_life = register(entry_of(TOLD), request(CREATE, "create"), NOW)

    assert register(new_life, request(DELETE), NOW).jobs[JOB].is_open


def test_a_delete_that_cannot_be_done_closes_nothing() -> None:
    assert register(entry_of(NAMED), request(DELETE, names=JOB, problem="Endpoint is wrong."), NOW).jobs[JOB].is_open


def test_a_job_that_nothing_is_known_of_is_described_by_the_update_that_names_it() -> None:
    """The resource was moved here, or the journal was lost."""
    it = request(UPDATE, names=JOB, describes="new", value="n", old_describes="old", old_value="o")

    assert register(None, it, NOW).jobs[JOB] == Job(describes="old", value="o", is_named=True, since=1)


@pytest.mark.parametrize("it", [request(UPDATE, names=JOB), request(UPDATE, adopts=JOB)])
def test_a_closed_job_is_not_taken_up_again_before_it_has_stopped(it: Request) -> None:
    owed = replace(NAMED, closed=NOW, closed_by="request")
    stopped = gone(entry_of(owed), JOB, NOW)

    assert register(entry_of(owed), it, NOW).jobs[JOB] == owed
    made_anew = register(stopped, it, NOW).jobs[JOB]
    assert made_anew.is_open
    assert (made_anew.by, made_anew.since) == ("", 2)


def test_a_delete_of_a_job_that_has_stopped_does_not_close_a_namesake() -> None:
    stopped = gone(entry_of(replace(NAMED, closed=NOW)), JOB, NOW)

    assert not register(stopped, request(DELETE, names=JOB), NOW).jobs[JOB].is_owed


@pytest.mark.parametrize(
    ("before", "told"),
    [
        (Record(1, CREATE, 50, NOW), Answer(Outcome.FAILED, "", LATER_REQUEST)),
        (Record(1, UPDATE, 50, NOW), Answer(Outcome.FAILED, "", LATER_REQUEST)),
        (Record(1, UPDATE, 50, NOW, Answer(Outcome.SUCCESS, JOB), NOW), Answer(Outcome.SUCCESS, JOB)),
        (Record(1, DELETE, 50, NOW), None),  # it is still answered by what becomes of its job
    ],
)
def test_a_registration_fails_what_was_not_answered(before: Record, told: Answer | None) -> None:
    after = register(Entry("request", 1, 1, {"request": before}), request(DELETE), NOW)

    assert after.requests["request"].answer == told
    assert (after.newest, after.count, after.requests["new"].number) == ("new", 2, 2)


def test_a_request_that_came_too_late_is_seen_by_its_failure() -> None:
    after = refuse(TWO_LIVES, "late", Record(0, UPDATE, 1, NOW), NOW)

    assert after.requests["late"] == Record(0, UPDATE, 1, NOW, Answer(Outcome.FAILED, "", LATER_REQUEST), NOW)
    assert after.newest == "create-2"


# --- answers ----------------------------------------------------------------------------------------------------------


def test_a_success_tells_of_the_job() -> None:
    told = Answer(Outcome.SUCCESS, JOB)
    after = answer(entry_of(BEGUN), request(CREATE, "request", own=JOB), told, NOW)

    assert after.jobs[JOB] == replace(BEGUN, is_told=True, since=1)
    assert (after.requests["request"].answer, after.requests["request"].answered) == (told, NOW)


@pytest.mark.parametrize(
    ("type_", "told", "is_closed"),
    [
        (UPDATE, Answer(Outcome.FAILED, OTHER), True),  # the resource keeps the one before
        (UPDATE, Answer(Outcome.SUCCESS, JOB), False),
        (CREATE, Answer(Outcome.FAILED, JOB), False),  # CloudFormation deletes what it names
    ],
)
def test_a_failed_update_closes_the_job_that_it_has_begun(type_: RequestType, told: Answer, is_closed: bool) -> None:  # noqa: FBT001
    after = answer(entry_of(BEGUN), request(type_, "request", names=OTHER, own=JOB), told, NOW)

    assert after.jobs[JOB].is_owed is is_closed


@pytest.mark.parametrize(("outcome", "is_final"), [(Outcome.SUCCESS, True), (Outcome.FAILED, False)])
def test_the_failure_of_a_delete_is_not_final(outcome: Outcome, is_final: bool) -> None:  # noqa: FBT001
    told = Answer(outcome, JOB)
    record = answer(entry_of(NAMED), request(DELETE, "request", names=JOB), told, NOW).requests["request"]

    assert (record.answer, record.answered) == (told if is_final else None, NOW)


# --- calls ------------------------------------------------------------------------------------------------------------


def test_a_start_is_written_down_settled_or_forgotten() -> None:
    it = request(CREATE, own=JOB, describes="d", value="v", settings={"a": "b"})
    before = register(None, it, NOW)
    begun = intend(before, JOB, it, "me/0", now=NOW)
    job = Job(
        by="new", begun=NOW, life=1, describes="d", call="me/0", until=NOW + LEASE_SECONDS, since=1, settings={"a": "b"}
    )

    assert begun.jobs[JOB] == job
    assert settle(begun, JOB, "v").jobs[JOB] == replace(job, call="", value="v")
    assert forget(begun, JOB) == before


def test_a_change_is_written_down_with_what_was_before() -> None:
    it = request(UPDATE, "request", names=JOB, value="new")
    begun = intend(entry_of(replace(NAMED, value="old")), JOB, it, "me/0", now=NOW, arns="before")
    accepted = settle(begun, JOB, "new", visible_at=NOW + 60)

    assert begun.jobs[JOB].value == "old"
    assert accepted.jobs[JOB].value == "new"
    assert accepted.jobs[JOB].change == Change("old", "before", NOW + 60, "new")
    assert settle(accepted, JOB, "new").jobs[JOB].change is None


ACCEPTED = replace(NAMED, value="accepted", change=Change("old", "before", NOW))


@pytest.mark.parametrize(
    ("job", "arns", "value"),
    [
        (replace(NAMED, value="old", call="another/0"), "before", UNKNOWN),
        (ACCEPTED, "before", UNKNOWN),
        (ACCEPTED, "after", "accepted"),  # it has come about
    ],
)
def test_what_a_job_is_after_a_change_of_unknown_outcome_is_not_known(job: Job, arns: str, value: str) -> None:
    it = request(UPDATE, "request", names=JOB, value="new")
    after = intend(entry_of(job), JOB, it, "me/0", now=NOW, arns=arns).jobs[JOB]

    assert (after.value, after.change) == (value, Change(value, arns, 0.0, "new"))


# --- closed jobs ------------------------------------------------------------------------------------------------------


def test_closed_is_for_good() -> None:
    once = close(entry_of(NAMED), JOB, NOW, request(UPDATE, "first", settings={"by": "first"}))

    assert close(once, JOB, NOW + 1, request(DELETE, "second", settings={"by": "second"})) == once


@pytest.mark.parametrize(
    ("type_", "names", "settings"),
    [(UPDATE, JOB, "the job"), (DELETE, OTHER, "the job"), (DELETE, "", "the job"), (DELETE, JOB, "the request")],
)
def test_a_delete_has_the_job_that_it_names_cancelled_as_its_own_properties_say(
    type_: RequestType, names: str, settings: str
) -> None:
    job = replace(NAMED, settings={"of": "the job"})

    closed = close(entry_of(job), JOB, NOW, request(type_, names=names, settings={"of": "the request"}))

    assert closed.jobs[JOB].settings == {"of": settings}


def test_a_delete_that_came_too_late_closes_a_job_that_nothing_is_known_of_in_its_place() -> None:
    job = close(TWO_LIVES, JOB, NOW, request(DELETE, names=JOB), 3).jobs[JOB]

    assert (job.is_owed, job.is_named, job.since) == (True, True, 3)


# --- what is kept -----------------------------------------------------------------------------------------------------

TIMES = st.none() | st.floats(0, NOW)
JOBS = st.builds(
    Job,
    by=st.sampled_from(["", "request"]),
    is_told=st.booleans(),
    is_named=st.booleans(),
    closed=TIMES,
    gone=TIMES,
)
REQUESTS = st.builds(
    request,
    st.sampled_from(RequestType),
    names=st.sampled_from(["", JOB, OTHER]),
    adopts=st.sampled_from(["", JOB, OTHER]),
)


@given(jobs=st.dictionaries(st.sampled_from([JOB, OTHER, "third"]), JOBS), it=REQUESTS, pause=st.floats(0, 1e7))
def test_no_registration_loses_what_is_owed_or_gone_for_less_than_fifteen_days(
    jobs: dict[str, Job], it: Request, pause: float
) -> None:
    now = NOW + pause
    after = register(Entry("request", 1, 1, {"request": UNANSWERED}, jobs), it, now).jobs

    for identity, job in jobs.items():
        if job.is_owed:
            assert after[identity].is_owed
        if job.gone is not None and (it.is_delete or identity not in (it.names, it.adopts)):
            assert (identity in after and after[identity].gone is not None) >= (now - job.gone < REMEMBERED_SECONDS)


@pytest.mark.parametrize(("days", "is_kept"), [(14, True), (16, False)])
def test_a_job_that_was_let_go_is_known_for_as_long_as_the_last_request_that_named_it(
    days: int,
    is_kept: bool,  # noqa: FBT001
) -> None:
    """Else an entry of nightly replacements with `UpdateReplacePolicy: Retain` would outgrow its item."""
    let_go, current = replace(NAMED, since=1), replace(NAMED, since=2)
    records = {"first": Record(1, CREATE, 1, NOW), "second": Record(2, UPDATE, 2, NOW)}
    entry = Entry("second", 2, 1, records, {OTHER: let_go, JOB: current})
    after = register(entry, request(UPDATE, names=JOB), NOW + days * 86400)

    assert (OTHER in after.jobs) is is_kept
    assert after.jobs[JOB].is_open


@given(seen=st.lists(st.floats(0, NOW), min_size=1), pause=st.floats(0, 1e7))
def test_an_answer_is_remembered_for_fifteen_days_and_that_of_the_newest_until_the_next(
    seen: list[float], pause: float
) -> None:
    records = {str(number): Record(number, UPDATE, number, at) for number, at in enumerate(seen, 1)}
    entry = Entry(str(len(seen)), len(seen), 0, records)
    now = NOW + pause
    kept = register(entry, request(DELETE), now).requests.keys() - {"new"}

    assert kept == {name for name, it in records.items() if now - it.seen < REMEMBERED_SECONDS} | {entry.newest}
