"""Every cell of the plan's table, by what is promised: written from the promises, not from the table."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import pytest

from provider.journal.entry import (
    LEASE_SECONDS,
    SEND_SECONDS,
    UNKNOWN,
    VISIBLE_SECONDS,
    Answer,
    Change,
    Entry,
    Job,
    Outcome,
    Record,
    Request,
    RequestType,
    gone,
    intend,
)
from provider.lifecycle.patience import Patience
from provider.lifecycle.plan import (
    TABLE,
    Alarm,
    Call,
    Done,
    Result,
    Say,
    Seen,
    Tell,
    Wait,
    Why,
    Write,
    answered,
    plan,
    plan_owed,
)
from provider.look import Look, Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from provider.lifecycle.plan import Step

NOW = 1_000_000.0
JOB, OTHER, OWN = "cluster:8182/job", "cluster:8182/other", "cluster:8182/own"


# --- what is wanted, and how far it is --------------------------------------------------------------------------------

HAD = Job(by="create", life=1, describes="d", value="new", is_told=True, is_named=True, since=2)
CREATE = Request(RequestType.CREATE, "request", 2, NOW + 3600, describes="d", value="new")
UPDATE = replace(CREATE, type=RequestType.UPDATE, names=JOB, own=OWN)
DELETE = replace(CREATE, type=RequestType.DELETE, names=JOB, waits=True)

WANTED: dict[str, tuple[Request, dict[str, Job]]] = {
    "start": (replace(CREATE, own=JOB), {JOB: Job(by="request", life=2)}),
    "change": (UPDATE, {JOB: replace(HAD, value="old")}),
    "follow": (UPDATE, {JOB: HAD}),
    "cancel": (DELETE, {JOB: replace(HAD, closed=NOW, closed_by="request")}),
    "adopt": (replace(CREATE, adopts=JOB), {JOB: Job()}),
    "have": (replace(UPDATE, adopts=JOB), {JOB: HAD}),
    "back": (replace(UPDATE, names=OTHER), {OTHER: replace(HAD, describes="something else"), JOB: HAD}),
    "end": (replace(CREATE, own=JOB, waits=True), {JOB: Job(by="request", life=2)}),
}
# The attempt whose call is under way, and until when.
CALLS = {
    "unsent": ("me/0", NOW - SEND_SECONDS + LEASE_SECONDS),
    "accepted": ("me/0", NOW + LEASE_SECONDS),
    "refused": ("me/0", NOW + LEASE_SECONDS),
    "without-effect": ("me/0", NOW + LEASE_SECONDS),
    "open": ("another/0", NOW),
    "over": ("another/0", NOW - 1),
}


class Situation(NamedTuple):
    verb: str
    entry: Entry
    request: Request
    seen: Seen

    @property
    def job(self) -> Job:
        return self.entry.jobs[JOB]

    def with_job(self, **known: object) -> Entry:
        return self.entry.with_job(JOB, replace(self.job, **known))  # type: ignore[arg-type]

    def step(self) -> Step:
        return plan(self.entry, self.request, self.seen)


def situation(verb: str, how: str = "-", status: Status = Status.UNSEEN) -> Situation:
    request, jobs = WANTED[verb]
    seen = Seen("me", NOW, read_at=NOW - 3)
    is_as_it_was = status in AS_IT_WAS
    if verb == "start" and how == "new":
        jobs = {}
    if how in CALLS:
        call, until = CALLS[how]
        jobs = {**jobs, JOB: replace(jobs[JOB], call=call, until=until)}
    if how in set(Result):
        seen.results["me/0"] = Result(how)
    if verb == "cancel" and how == "open":
        jobs = {JOB: replace(jobs[JOB], call="another/0", until=NOW)}
    if verb == "cancel" and how == "enough":
        request, seen.cancelled = replace(request, waits=False), JOB
    if jobs and (is_as_it_was or verb == "follow" or (verb == "change" and how != "new")):
        change = Change("before", "the ARNs before", NOW - 1 if how == "new" else NOW)
        jobs = {**jobs, JOB: replace(jobs[JOB], change=change)}
    if status is not Status.UNSEEN:
        arns = "the ARNs before" if is_as_it_was else "its ARNs"
        failure = "no capacity" if status is Status.UNDONE else ""
        seen.looks[JOB] = Look(Status.READY if is_as_it_was else status, "Status", arns, failure)
    records = {"create": Record(1, RequestType.CREATE, 1, NOW), "request": Record(2, request.type, 2, NOW)}
    return Situation(verb, Entry("request", 2, 1, records, jobs), request, seen)


# --- what is done -----------------------------------------------------------------------------------------------------


def is_looked_at(_: Situation) -> Step:
    return Call("look", JOB)


def waits(why: Why) -> Callable[[Situation], Step]:
    return lambda _: Wait(JOB, why)


def is_written_down(it: Situation) -> Step:
    arns = it.seen.looks[JOB].arns if it.verb == "change" else None
    return Write(intend(it.entry, JOB, it.request, it.seen.attempt, now=NOW, arns=arns))


def another_is_begun(it: Situation) -> Step:
    return Write(intend(it.entry, OWN, it.request, it.seen.attempt, now=NOW))


def is_sent(it: Situation) -> Step:
    return Call(it.verb, JOB, NOW)


def was_started(it: Situation) -> Step:
    return Write(it.with_job(call="", value="new", change=it.job.change and visible(it.job.change)), starts=JOB)


def is_accepted(it: Situation) -> Step:
    assert it.job.change
    return Write(it.with_job(call="", value="new", change=visible(it.job.change)))


def visible(change: Change) -> Change:
    return replace(change, visible_at=NOW + VISIBLE_SECONDS)


def was_never_begun(it: Situation) -> Step:
    return Write(it.entry.with_job(JOB, None))


def is_what_it_was(it: Situation) -> Step:
    return Write(it.with_job(call="", change=None))


def is_as_before(it: Situation) -> Step:
    return Write(it.with_job(call="", value="before", change=None))


def fails_having_begun_nothing(it: Situation) -> Step:
    return Tell(it.entry.with_job(JOB, None), Outcome.FAILED, "", Why.REFUSED_START, JOB)


def fails_with_the_job_as_it_was(it: Situation) -> Step:
    return Tell(it.with_job(call="", change=None), Outcome.FAILED, JOB, Why.REFUSED_CHANGE, JOB)


def is_changed(it: Situation) -> Step:
    return Tell(it.with_job(change=None), Outcome.SUCCESS, JOB)


def is_not_changed(it: Situation) -> Step:
    return Tell(it.with_job(value="before", change=None), Outcome.FAILED, JOB, Why.UNDONE, JOB)


def has_broken(it: Situation) -> Step:
    return Tell(it.with_job(value=UNKNOWN, change=None), Outcome.FAILED, JOB, Why.UNDONE, JOB)


def is_cancelled(it: Situation) -> Step:
    return Call("cancel", JOB, it.seen.read_at + SEND_SECONDS)


def is_gone(it: Situation) -> Step:
    return Write(gone(it.entry, JOB, NOW), stops=JOB)


def succeeds(it: Situation) -> Step:
    return Tell(it.entry, Outcome.SUCCESS, JOB)


def fails_without_a_job(it: Situation) -> Step:
    return Tell(it.entry, Outcome.FAILED, "", Why.NOT_THERE, JOB)


def fails_with_its_job(it: Situation) -> Step:
    return Tell(it.entry, Outcome.FAILED, JOB, Why.NOT_COMPLETED, JOB)


# --- what is promised -------------------------------------------------------------------------------------------------

S = Status
EVERY = frozenset(Status)
UNSEEN, SILENT = {S.UNSEEN}, {S.SILENT}
AS_IT_WAS = {S.SAME, S.UNDONE}
IN_SERVICE = {S.READY, *AS_IT_WAS}
NEVER_COMPLETES = {S.STOPPED, S.FAILED, S.BROKEN, S.ABSENT}
THERE = EVERY - UNSEEN - SILENT - {S.ABSENT}


class Promise(NamedTuple):
    text: str
    rows: str
    seen: frozenset[Status] | set[Status]
    step: Callable[[Situation], Step]


PROMISES = (
    Promise(
        "What depends on the job is decided when it has been looked at",
        "start accepted, start open, start over, change new, change fresh, change over, follow fresh, follow new, "
        "cancel new, cancel open, adopt -, have -, back -, end -",
        UNSEEN,
        is_looked_at,
    ),
    Promise(
        "While Neptune is silent, nothing is begun, changed or decided",
        "start accepted, start open, start over, change new, change fresh, change open, change over, follow fresh, "
        "follow new, adopt -, have -, back -, end -",
        SILENT,
        waits(Why.SILENT),
    ),
    Promise(
        "While Neptune is silent, no job is taken for gone", "cancel new, cancel open", SILENT, waits(Why.NOT_KNOWN)
    ),
    # A start.
    Promise("A start is written down, whatever Neptune has under its ID", "start new", EVERY, is_written_down),
    Promise("What was written down is sent by who wrote it", "start unsent, change unsent", EVERY, is_sent),
    Promise("A job that was refused was not begun", "start refused", EVERY, fails_having_begun_nothing),
    Promise("A start without effect may be tried again", "start without-effect", EVERY, was_never_begun),
    Promise("A job that is there was started", "start accepted, start open, start over", THERE, was_started),
    Promise(
        "A start that may still take effect is waited for",
        "start accepted, start open",
        {S.ABSENT},
        waits(Why.NOT_DECIDED),
    ),
    Promise(
        "A start of which nobody knows is tried again when its lease is over and Neptune has no such job",
        "start over",
        {S.ABSENT},
        is_written_down,
    ),
    # A change in place.
    Promise("An endpoint in service is changed", "change new, change over", {S.READY, S.SAME}, is_written_down),
    Promise(
        "An endpoint that is as it was, for a reason, is changed from that: a rollback to it has nothing to change",
        "change new, change over",
        {S.UNDONE},
        is_as_before,
    ),
    Promise("A change that has come about does not hinder the next", "change fresh", {S.READY}, is_written_down),
    Promise(
        "A change that Neptune may not show yet is not overtaken", "change fresh", AS_IT_WAS, waits(Why.NOT_CHANGEABLE)
    ),
    Promise(
        "A change that may still take effect is not overtaken",
        "change open",
        EVERY - SILENT,
        waits(Why.NOT_CHANGEABLE),
    ),
    Promise(
        "What becomes something else by itself is changed after that",
        "change new, change fresh, change over",
        {S.RUNS, S.STOPPING},
        waits(Why.NOT_CHANGEABLE),
    ),
    Promise(
        "What has ended is not changed: another takes its place",
        "change new, change fresh, change over",
        {S.COMPLETED, *NEVER_COMPLETES},
        another_is_begun,
    ),
    Promise("An accepted change is written down, to be followed", "change accepted", EVERY, is_accepted),
    Promise("A refused change leaves the job as it was", "change refused", EVERY, fails_with_the_job_as_it_was),
    Promise("A change without effect may be tried again", "change without-effect", EVERY, is_what_it_was),
    Promise("A change that Neptune shows is a success", "follow fresh, follow new", {S.READY}, is_changed),
    Promise("A change that Neptune shows no more, nor regrets, had nothing to do", "follow new", {S.SAME}, is_changed),
    Promise("A change is waited for", "follow fresh, follow new", {S.RUNS}, waits(Why.NOT_COMPLETED_YET)),
    Promise("A change is given time to be shown", "follow fresh", AS_IT_WAS, waits(Why.NOT_COMPLETED_YET)),
    Promise("An endpoint that is as it was, for a reason, was not changed", "follow new", {S.UNDONE}, is_not_changed),
    Promise(
        "An endpoint that goes meanwhile was not changed, and is not what it was before",
        "follow fresh, follow new",
        {S.STOPPING, S.COMPLETED, *NEVER_COMPLETES},
        has_broken,
    ),
    # A job that is to go.
    Promise(
        "A closed job that still exists is cancelled, also while a call of it is under way",
        "cancel new, cancel open",
        {S.RUNS, S.BROKEN, *IN_SERVICE},
        is_cancelled,
    ),
    Promise(
        "What is stopping is waited for, and not cancelled",
        "cancel new, cancel open",
        {S.STOPPING},
        waits(Why.NOT_STOPPED),
    ),
    Promise(
        "A job of which nothing runs any more needs no cancellation",
        "cancel new",
        {S.COMPLETED, S.STOPPED, S.FAILED, S.ABSENT},
        is_gone,
    ),
    Promise(
        "No job is gone while a call of it may still take effect",
        "cancel open",
        {S.COMPLETED, S.STOPPED, S.FAILED, S.ABSENT},
        waits(Why.NOT_STOPPED),
    ),
    Promise("Without WaitForStop, an accepted cancellation is enough", "cancel enough", EVERY, is_gone),
    # A job that there is.
    Promise("A job that exists can be adopted, also one that has ended", "adopt -", THERE, succeeds),
    Promise("A job that does not exist cannot be adopted", "adopt -", {S.ABSENT}, fails_without_a_job),
    Promise("An unchanged job is kept, whatever has become of it", "have -", EVERY - UNSEEN - SILENT, succeeds),
    Promise(
        "A rollback takes an earlier job that runs or has completed", "back -", {S.RUNS, S.READY, S.COMPLETED}, succeeds
    ),
    Promise(
        "A rollback follows the change of an earlier job to its end", "back -", AS_IT_WAS, waits(Why.NOT_COMPLETED_YET)
    ),
    Promise(
        "A rollback begins another job if the earlier one stops or has failed",
        "back -",
        {S.STOPPING, *NEVER_COMPLETES},
        another_is_begun,
    ),
    Promise("A job that runs is waited for", "end -", {S.RUNS, S.STOPPING}, waits(Why.NOT_COMPLETED_YET)),
    Promise("A job that has completed, or is in service, is a success", "end -", {S.COMPLETED, *IN_SERVICE}, succeeds),
    Promise(
        "A job that will not complete fails its Create, which names it", "end -", NEVER_COMPLETES, fails_with_its_job
    ),
)
# What is not begun cannot be as it was before a change.
IMPOSSIBLE = {("start", "new", S.SAME), ("start", "new", S.UNDONE)}
CELLS = [
    (promise, verb, how, status)
    for promise in PROMISES
    for verb, how in (row.split() for row in promise.rows.split(", "))
    for status in sorted(promise.seen)
    if (verb, how, status) not in IMPOSSIBLE
]


@pytest.mark.parametrize(
    ("promise", "verb", "how", "status"),
    CELLS,
    ids=lambda it: it.text.replace(" ", "_") if isinstance(it, Promise) else it,
)
def test_what_is_promised_is_done(promise: Promise, verb: str, how: str, status: Status) -> None:
    it = situation(verb, how, status)

    assert it.step() == promise.step(it), promise.text


def test_every_cell_is_promised_once() -> None:
    promised = Counter((verb, how, status) for _, verb, how, status in CELLS)

    assert promised == Counter({(*row, status) for row, status in product(TABLE, Status)} - IMPOSSIBLE)


# --- what holds before the table --------------------------------------------------------------------------------------


NOT_BEGUN = {"start": Why.NOT_STARTED, "change": Why.NOT_CHANGED}


@pytest.mark.parametrize("verb", ["start", "change"])
@pytest.mark.parametrize(
    ("of_request", "of_seen", "why"),
    [
        ({"until": NOW}, {}, NOT_BEGUN),
        ({}, {"is_ending": True}, NOT_BEGUN),
        ({"refusal": "This provider starts no jobs."}, {}, dict.fromkeys(NOT_BEGUN, Why.REFUSAL)),
    ],
)
def test_nothing_is_begun_too_late_or_without_permission(
    verb: str, of_request: dict[str, object], of_seen: dict[str, object], why: dict[str, Why]
) -> None:
    it = situation(verb, "new", Status.READY)
    seen = replace(it.seen, **of_seen)  # type: ignore[arg-type]
    request = replace(it.request, **of_request)  # type: ignore[arg-type]

    assert plan(it.entry, request, seen) == Tell(it.entry, Outcome.FAILED, it.request.names, why[verb], JOB)


@pytest.mark.parametrize("verb", ["start", "change"])
def test_what_neptune_has_just_turned_down_is_tried_again_in_the_next_look(verb: str) -> None:
    it = situation(verb, "new", Status.READY)
    it.seen.is_turned_down = True

    assert it.step() == Wait(JOB, NOT_BEGUN[verb])


@pytest.mark.parametrize(("how", "step"), [("unsent", Call("look", JOB)), ("new", Call("start", JOB, NOW))])
def test_what_was_written_down_too_long_ago_is_not_sent(how: str, step: Call) -> None:
    it = situation("start", "unsent")
    it.seen.now += how == "unsent"

    assert it.step() == step


@pytest.mark.parametrize(("seconds", "step"), [(59.0, Wait(JOB, Why.NOT_STOPPED)), (60.0, "cancel")])
def test_a_cancelled_job_that_still_runs_is_cancelled_once_more_after_a_minute(
    seconds: float, step: Wait | str
) -> None:
    it = situation("cancel", "new", Status.RUNS)
    it.seen.patience = Patience(cancelled_at=NOW - seconds)

    assert it.step() == (is_cancelled(it) if step == "cancel" else step)


@pytest.mark.parametrize(
    ("verb", "how", "told"),
    [
        ("start", "open", (Outcome.FAILED, JOB, Why.SILENT)),  # the job that it may have begun
        ("change", "new", (Outcome.FAILED, JOB, Why.SILENT)),
        ("cancel", "new", (Outcome.FAILED, JOB, Why.NOT_KNOWN)),
        ("adopt", "-", (Outcome.FAILED, "", Why.SILENT)),
        ("have", "-", (Outcome.SUCCESS, JOB, None)),  # Neptune is asked, and not needed
    ],
)
@pytest.mark.parametrize("cause", ["patience", "deadline", "ending"])
def test_what_may_wait_no_longer_is_answered(
    verb: str, how: str, told: tuple[Outcome, str, Why | None], cause: str
) -> None:
    it = situation(verb, how, Status.SILENT)
    request = replace(it.request, until=NOW) if cause == "deadline" else it.request
    it.seen.patience = Patience(silent_since=NOW - 600 if cause == "patience" else NOW)
    it.seen.is_ending = cause == "ending"
    step = plan(it.entry, request, it.seen)

    assert isinstance(step, Tell)
    assert (step.outcome, step.job, step.why) == told


@pytest.mark.parametrize("verb", ["adopt", "have", "end", "cancel"])
def test_what_is_ending_asks_nobody(verb: str) -> None:
    it = situation(verb, "new" if verb == "cancel" else "-")
    it.seen.is_ending = True

    assert isinstance(it.step(), Tell)


def test_a_request_that_was_answered_is_answered_alike() -> None:
    it = situation("end", "-", Status.COMPLETED)
    answer = Answer(Outcome.FAILED, JOB, "It has failed.")
    entry = it.entry.with_record("request", replace(it.entry.requests["request"], answer=answer))

    assert plan(entry, it.request, it.seen) == Say(answer)


def test_an_earlier_request_does_nothing_but_fail() -> None:
    it = situation("start", "unsent")
    entry = replace(it.entry, newest="later").with_record("later", Record(3, RequestType.DELETE, 3, NOW))
    step = plan(entry, it.request, it.seen)

    assert isinstance(step, Write)
    assert step.entry.jobs == entry.jobs
    assert isinstance(plan(step.entry, it.request, it.seen), Say)


def test_the_jobs_that_a_failing_delete_leaves_get_messages() -> None:
    it = situation("cancel", "new", Status.RUNS)
    failed = Tell(it.entry, Outcome.FAILED, JOB, Why.NOT_STOPPED, JOB)

    later = answered(failed, it.request, "It runs.", {}, NOW + 90000)
    assert later.messages == (JOB,)
    assert isinstance(plan_owed(later.entry, JOB, Seen("me", NOW + 100000, began=NOW + 90000)), Call)
    assert answered(failed._replace(outcome=Outcome.SUCCESS), it.request, "", {}, NOW).messages == ()


# --- a closed job's message -------------------------------------------------------------------------------------------

OWED = situation("cancel", "new").job


@pytest.mark.parametrize(
    ("job", "sent_ago", "step"),
    [
        (OWED, 0, Call("look", JOB)),
        (replace(OWED, closed=NOW - 86400), 86400, Call("look", JOB)),
        (replace(OWED, closed=NOW - 86401), 86401, Alarm(JOB)),
        # It is sent before the write that closes the job, which may come for as long as an invocation lasts.
        (HAD, 900, Wait(JOB, Why.NOT_DECIDED)),
        (HAD, 901, Done()),
        (None, 900, Wait(JOB, Why.NOT_DECIDED)),
        (None, 901, Done()),
        (replace(OWED, gone=NOW), 0, Done()),
    ],
)
def test_the_message_of_a_closed_job(job: Job | None, sent_ago: float, step: Step) -> None:
    entry = Entry("request", 1).with_job(JOB, job)

    assert plan_owed(entry, JOB, Seen("me", NOW, began=NOW - sent_ago)) == step


@pytest.mark.parametrize("status", [S.RUNS, S.COMPLETED])
def test_the_message_of_a_closed_job_cancels_it_as_its_delete_does(status: Status) -> None:
    it = situation("cancel", "new", status)

    assert plan_owed(it.entry, JOB, it.seen) == it.step()
