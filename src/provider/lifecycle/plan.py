"""What a delivery does next: a pure function of the journal's entry, the request, and what this delivery has seen.

Theory of operation
===================
A *request* may be delivered any number of times, late or concurrently, and a delivery may be killed between any two
steps. Each delivery repeats: read the entry, `plan`, do one step (`delivery`). A step that writes succeeds only if the
entry was not written since it was read. If the write fails, or its outcome is unknown, the entry is read again. So a
decision holds as long as the entry is unchanged, and one write decides whatever must happen once:

- which request is the newest (`register`). This is a fence: an earlier request can no longer begin anything. A call
  that it wrote down before may still be sent for ten seconds, and take effect until its lease is over.
- which attempt sends a call (`intend`): the one in `Job.call`, until the lease is over.
- the answer to CloudFormation (`answer`), before it is sent. Later deliveries repeat it.
- which request gets a job that both an Update and an earlier Delete want: the one that writes first.

A cancellation is not written down. It is sent at most ten seconds after the entry was read.

States of a job in an entry
---------------------------
    (none) --intend--> begun --settle--> there --answer--> told --a request names it--> named
       begun: its start may have happened. It is forgotten only if Neptune did not start it.
       any of these --close--> owed --(it has stopped, and no call is under way)--> gone
An owed job is never started, changed or returned to. It can be adopted only when Neptune shows that it has stopped,
because no delivery may be left to record that. `gone` is kept for fifteen days.

A change in place works in the same way: `intend` records the job before the change, `settle` records that Neptune has
accepted the change, and the look that finds the outcome keeps the change or takes it back.

Cancellation
------------
Each closed job has a message of its own in the queue (`plan_owed`). It is sent *before* the write that closes the job,
because the delivery may be killed after the write. So it may arrive before that write, and is repeated for as long as
an invocation can last. A Delete cancels and awaits its jobs itself, and sends their messages only if it has to fail. A
Create or an Update does not wait for owed jobs. If the queue does not accept the message, the alarm sounds before the
write, and the delivery cancels the job once.

A Delete waits for the job that it names, even if an earlier attempt closed it; if it names none, for the jobs of its
life that are closed and were never named; and for every job that it closed itself.

Duplicates and order
--------------------
A duplicate does the same. It finds the answer to its request, or the call of another delivery. It waits for the lease
of a start only if Neptune does not show the job, but always for the lease of a change. Requests are ordered by the
times at which they were signed; see `Entry.order`. An earlier request is recorded with its answer, so that it does not
become the newest when the newest is answered.

Outside the entry, there is only the patience (`patience`), and what this delivery has looked at and called. Losing
that costs a look, a lease, or the time for which a fault has already lasted.

Without the journal
-------------------
Nothing is started or changed. A request that adopts a job, or a Delete that names one, continues with what could be
read. Then it is not a fence, so its success waits for some seconds until it can be written.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum, auto
from typing import TYPE_CHECKING, NamedTuple

from provider.journal import entry as journal
from provider.journal.entry import Answer, Entry, Job, Order, Outcome, Record, Request, RequestType
from provider.lifecycle.patience import LIMITS, Fault, Patience, Phase
from provider.look import Look, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

INVOCATION_SECONDS = 900.0
"""The longest that an invocation lasts."""
OWED_SECONDS = 86400.0
"""How long a message tries to cancel a job before the alarm sounds."""
CANCEL_AGAIN_SECONDS = 60.0
"""When a job that is still running after its cancellation is cancelled again."""


class Result(StrEnum):
    """The outcome of a call."""

    ACCEPTED = "accepted"
    REFUSED = "refused"  # permanently
    WITHOUT_EFFECT = "without-effect"  # but it may be repeated
    UNCLEAR = "unclear"


class Why(StrEnum):
    """Why a request waits or fails; see `wording`."""

    NOT_THERE = auto()  # the job to adopt
    OWED = auto()
    MOVED = auto()
    REFUSAL = auto()
    REFUSED_START = auto()
    REFUSED_CHANGE = auto()
    PROBLEM = auto()
    SILENT = auto()
    NOT_STARTED = auto()
    NOT_CHANGED = auto()
    NOT_DECIDED = auto()
    NOT_CHANGEABLE = auto()
    NOT_COMPLETED = auto()
    NOT_COMPLETED_YET = auto()
    UNDONE = auto()
    NOT_STOPPED = auto()
    NOT_KNOWN = auto()


@dataclass
class Seen:
    """What one delivery knows besides the entry.

    Attributes:
        me: Its name, which is new for each look.
        now: The time.
        patience: The patience from earlier looks.
        limits: How long to retry, by phase and fault.
        read_at: When the entry was read.
        looks: Its looks at jobs, by identity.
        results: The results of its calls, by attempt.
        cancelled: The job whose cancellation was accepted last.
        is_turned_down: Whether one of its calls had no effect.
        is_ending: Whether it may neither wait nor call Neptune any more.
        began: When an owed job's message was first sent.
    """

    me: str
    now: float
    patience: Patience = field(default_factory=Patience)
    limits: Mapping[Phase, Mapping[Fault, float]] = field(default_factory=lambda: LIMITS)
    read_at: float = 0.0
    looks: dict[str, Look] = field(default_factory=dict)
    results: dict[str, Result] = field(default_factory=dict)
    cancelled: str = ""
    is_turned_down: bool = False
    is_ending: bool = False
    began: float = 0.0

    @property
    def attempt(self) -> str:
        """The name of its next call."""
        return f"{self.me}/{len(self.results)}"


class Write(NamedTuple):
    """Send the messages of the jobs that the entry closes, then write the entry.

    Attributes:
        entry: The entry.
        messages: The jobs that it closes, which have to be cancelled even if the request fails.
        starts: The job that is now known to have been started.
        stops: The job that is now known to have stopped.
    """

    entry: Entry
    messages: tuple[str, ...] = ()
    starts: str = ""
    stops: str = ""


class Tell(NamedTuple):
    """Write the answer, then give it."""

    entry: Entry
    outcome: Outcome
    job: str
    why: Why | None = None
    about: str = ""  # the job that the reason is about


class Say(NamedTuple):
    """Repeat an answer that was written."""

    answer: Answer


class Call(NamedTuple):
    """Call Neptune. After `send_until`, read the entry again instead."""

    verb: str  # look, start, change, cancel
    job: str
    send_until: float = float("inf")


class Wait(NamedTuple):
    """Look again later."""

    job: str
    why: Why


class Alarm(NamedTuple):
    """Tell the operator that a job could not be cancelled."""

    job: str


class Done(NamedTuple):
    """There is nothing to do."""


if TYPE_CHECKING:
    Step = Write | Tell | Say | Call | Wait | Alarm | Done

# What to do about a job, by the goal, the progress, and what was seen. A call is "new" (not begun), "unsent",
# "accepted", "refused" or "without-effect"; if its outcome is unknown, it is "open" until its lease is "over".
_TABLE = """
                       unseen  runs    ready   same    undone  stopping completed stopped failed  broken  absent  silent
start  new             intend  intend  intend  intend  intend  intend   intend    intend  intend  intend  intend  intend
start  unsent          send    send    send    send    send    send     send      send    send    send    send    send
start  accepted        look    settle  settle  settle  settle  settle   settle    settle  settle  settle  again   again
start  refused         fail    fail    fail    fail    fail    fail     fail      fail    fail    fail    fail    fail
start  without-effect  retry   retry   retry   retry   retry   retry    retry     retry   retry   retry   retry   retry
start  open            look    settle  settle  settle  settle  settle   settle    settle  settle  settle  again   again
start  over            look    settle  settle  settle  settle  settle   settle    settle  settle  settle  intend  again
change new             look    again   intend  intend  restore again    another   another another another another again
change fresh           look    again   intend  again   again   again    another   another another another another again
change unsent          send    send    send    send    send    send     send      send    send    send    send    send
change accepted        settle  settle  settle  settle  settle  settle   settle    settle  settle  settle  settle  settle
change refused         fail    fail    fail    fail    fail    fail     fail      fail    fail    fail    fail    fail
change without-effect  retry   retry   retry   retry   retry   retry    retry     retry   retry   retry   retry   retry
change open            again   again   again   again   again   again    again     again   again   again   again   again
change over            look    again   intend  intend  restore again    another   another another another another again
follow fresh           look    again   keep    again   again   undo     undo      undo    undo    undo    undo    again
follow new             look    again   keep    keep    undo    undo     undo      undo    undo    undo    undo    again
cancel new             look    cancel  cancel  cancel  cancel  again    gone      gone    gone    cancel  gone    again
cancel open            look    cancel  cancel  cancel  cancel  again    again     again   again   cancel  again   again
cancel enough          gone    gone    gone    gone    gone    gone     gone      gone    gone    gone    gone    gone
adopt  -               look    done    done    done    done    done     done      done    done    done    fail    again
have   -               look    done    done    done    done    done     done      done    done    done    done    again
back   -               look    done    done    done    done    another  done      another another another another again
end    -               look    again   done    done    done    again    done      fail    fail    fail    fail    again
"""


def _parsed(table: str) -> Mapping[tuple[str, str], Mapping[Status, str]]:
    head, *rows = [line.split() for line in table.strip().splitlines()]
    columns = [Status(name) for name in head]
    return {(verb, how): dict(zip(columns, cells, strict=True)) for verb, how, *cells in rows}


TABLE = _parsed(_TABLE)
"""What to do, by goal and progress, and by what was seen."""


def plan(entry: Entry | None, request: Request, seen: Seen) -> Step:
    """Return the next step of a delivery of a request.

    Args:
        entry: The entry of its resource.
        request: The request.
        seen: What the delivery knows besides.
    """
    order = Order.NEW if entry is None else entry.order(request)
    if entry is None or order is Order.NEW:
        new = journal.register(entry, request, seen.now)
        return Write(new, () if request.is_delete else _closed(entry, new))
    record = entry.requests.get(request.id)
    if record is not None and record.answer is not None:
        return Say(record.answer)
    if request.is_delete:
        return _Plan(entry, request, seen).delete()
    if order is Order.EARLIER:
        record = record or Record(0, request.type, request.signed_at, seen.now)
        return Write(journal.refuse(entry, request.id, record, seen.now))
    return _Plan(entry, request, seen).have()


def plan_owed(entry: Entry | None, identity: str, seen: Seen) -> Step:
    """Return the next step of a delivery of a closed job's message.

    Args:
        entry: The entry of its resource.
        identity: The job.
        seen: What the delivery knows besides.
    """
    job = entry.jobs.get(identity) if entry else None
    if job is not None and job.gone is not None:
        return Done()
    if entry is None or job is None or job.closed is None:
        may_be_closed = seen.now <= seen.began + INVOCATION_SECONDS
        return Wait(identity, Why.NOT_DECIDED) if may_be_closed else Done()
    if seen.now > job.closed + OWED_SECONDS:
        return Alarm(identity)
    request = Request(RequestType.DELETE, "", None, float("inf"), names=identity, waits=True)
    return _Plan(entry, request, seen).cancel(identity)


def answered(step: Tell, request: Request, reason: str, attributes: Mapping[str, str], now: float) -> Write:
    """Return the write that records an answer.

    Args:
        step: The answer.
        request: The request.
        reason: Why it failed; empty if it succeeded.
        attributes: The job's attributes from the last look; empty if there was none.
        now: The time.

    Returns:
        The write, with the messages of the jobs that it closes, or that a failed Delete leaves.
    """
    entry = step.entry
    if attributes and step.job in entry.jobs:
        entry = entry.with_job(step.job, replace(entry.jobs[step.job], attributes=attributes, seen=now))
    new = journal.answer(entry, request, Answer(step.outcome, step.job, reason), now)
    if not request.is_delete:
        return Write(new, _closed(entry, new))
    owed = _owed_to(new, request) if step.outcome is Outcome.FAILED else ()
    for identity in owed:  # the message of an earlier attempt may have given up
        new = new.with_job(identity, replace(new.jobs[identity], closed=now))
    return Write(new, owed)


def failed(entry: Entry, request: Request, why: Why | None, about: str = "") -> Tell:
    """Return the answer to a Create or an Update that fails. An Update keeps its job; a Create names what it began.

    Args:
        entry: The entry of its resource.
        request: The request.
        why: Why it fails; `None` if the caller has the reason.
        about: The job that the reason is about.
    """
    begun = request.own if request.own in entry.jobs else ""
    named = request.names if request.type is RequestType.UPDATE else begun
    return Tell(entry, Outcome.FAILED, named, why, about)


def _closed(before: Entry | None, after: Entry) -> tuple[str, ...]:
    """Return the jobs that a write closes."""
    were = before.jobs if before else {}
    return tuple(it for it, job in after.jobs.items() if job.is_owed and not (it in were and were[it].is_owed))


def _owed_to(entry: Entry, request: Request) -> tuple[str, ...]:
    """Return the jobs that a Delete waits for."""
    place = entry.place(request)

    def is_its_own(identity: str, job: Job) -> bool:
        is_named = identity == request.names and job.since <= place
        is_nameless = not request.names and not job.is_named and entry.is_undone(job, request)
        return is_named or is_nameless or job.closed_by == request.id

    owed = [it for it, job in entry.jobs.items() if job.is_owed and is_its_own(it, job)]
    return tuple(sorted(owed, key=lambda it: it != request.names))


# What a verb waits for, if it needs more than a response.
_WHY_WAITING = {
    "start": Why.NOT_DECIDED,
    "change": Why.NOT_CHANGEABLE,
    "follow": Why.NOT_COMPLETED_YET,
    "cancel": Why.NOT_STOPPED,
    "end": Why.NOT_COMPLETED_YET,
}


class _Plan(NamedTuple):
    """The next step of the newest request, or of a Delete, that was not answered yet."""

    entry: Entry
    request: Request
    seen: Seen

    # --- Delete -------------------------------------------------------------------------------------------------------

    def delete(self) -> Step:
        entry, request, seen = self
        if request.problem:
            return Tell(entry, Outcome.FAILED, request.names, Why.PROBLEM)
        place, job = entry.place(request), entry.jobs.get(request.names)
        if request.names and (job is None or (job.is_open and job.since <= place)):
            return Write(journal.close(entry, request.names, seen.now, request, place))
        for identity in _owed_to(entry, request):
            step = self.cancel(identity)
            if isinstance(step, Wait) and self._is_over(Phase.DELETE):
                return Tell(entry, Outcome.FAILED, request.names, step.why, identity)
            return step
        return Tell(entry, Outcome.SUCCESS, request.names)

    def cancel(self, identity: str) -> Step:
        job, look = self.entry.jobs[identity], self.seen.looks.get(identity)
        how = self._lease(job)
        is_cancelled = self.seen.cancelled == identity or (look is not None and look.status is Status.STOPPING)
        is_enough = how == "new" and is_cancelled and not self.request.waits
        return self._do("cancel", "enough" if is_enough else how, identity)

    def _lease(self, job: Job) -> str:
        return "open" if job.call and self.seen.now <= job.until else "new"

    # --- Create and Update --------------------------------------------------------------------------------------------

    def have(self) -> Step:
        """Provide the job that the properties name or describe."""
        request = self.request
        if request.problem:
            return self._fail(Why.PROBLEM)
        if request.adopts:
            return self._adopt(request.adopts)
        if request.type is RequestType.CREATE or request.own in self.entry.jobs:
            return self._start()
        return self._update()

    def _adopt(self, identity: str) -> Step:
        entry = self.entry
        job, before = entry.jobs[identity], entry.jobs.get(self.request.names)
        was_told = job.is_told and self.request.type is RequestType.UPDATE
        if job.is_open and (
            identity == self.request.names or was_told
        ):  # new settings, or a rollback, which must not fail
            return self._do("have", "-", identity)
        if job.is_owed:  # no delivery may be left to record that it has stopped
            what = self._what("cancel", self._lease(job), identity)
            if what == "gone":
                return Write(journal.made_anew(entry, identity, self.request))
            return Call("look", identity) if what == "look" else self._fail(Why.OWED, identity)
        is_namesake = identity.rpartition("/")[2] == self.request.names.rpartition("/")[2]
        if is_namesake and before and not before.by and not before.describes:
            return self._fail(Why.MOVED, identity)
        return self._do("adopt", "-", identity)

    def _start(self) -> Step:
        own = self.request.own
        job = self.entry.jobs.get(own)
        if job is not None and not job.is_open:  # an operator has had it cancelled
            return self._fail(Why.OWED, own)
        if job is None or job.call:
            return self._do("start", self._call(job), own)
        return self._end(own)

    def _update(self) -> Step:
        """Provide the present job, or an earlier one of this life (a rollback), or a new one."""
        life, named, jobs = self.entry.life, self.request.names, self.entry.jobs
        older = (it for it, job in jobs.items() if it != named and job.by and job.life == life)
        for identity in (named, *older):
            job = jobs.get(identity)
            if job is None or not job.is_open or job.describes != self.request.describes:
                continue
            step = self._have(identity, job)
            if step is not None:
                return step
        return self._start()

    def _have(self, identity: str, job: Job) -> Step | None:
        """Change an existing job to what its resource describes; `None` if another job has to replace it."""
        is_named = identity == self.request.names
        if not is_named and (what := self._what("back", "-", identity)) != "done":
            return None if what == "another" else self._act(what, "back", identity)
        if self._has_come_about(identity, job):
            return self._settle("change", identity)
        if job.call or job.value != self.request.value:
            what = self._what("change", self._call(job), identity)
            return None if what == "another" else self._act(what, "change", identity)
        if job.change is not None:
            return self._do("follow", self._freshness(job), identity)
        # A rollback must not fail because its job has ended in the meantime.
        return self._do("have", "-", identity) if is_named else self._end(identity)

    def _has_come_about(self, identity: str, job: Job) -> bool:
        """Tell whether the requested change has taken effect, although its call got no response."""
        look, change = self.seen.looks.get(identity), job.change
        is_other = look is not None and look.status is Status.READY and change is not None and look.arns != change.arns
        return is_other and change is not None and change.to == self.request.value and self._call(job) == "over"

    def _end(self, identity: str) -> Step:
        """Succeed with an existing job, or wait until it has completed."""
        if self.request.waits:
            return self._do("end", "-", identity)
        if identity not in self.seen.looks and not self.seen.is_ending:
            return Call("look", identity)  # for its attributes
        return Tell(self.entry, Outcome.SUCCESS, identity)

    def _call(self, job: Job | None) -> str:
        """Return the progress of a job's start or change."""
        if job is None or not job.call:
            return "new" if job is None else self._freshness(job)
        result = self.seen.results.get(job.call, Result.UNCLEAR)
        if result is not Result.UNCLEAR:
            return result.value
        is_mine = job.call == self.seen.attempt and not self.seen.is_ending
        if is_mine and self.seen.now <= _send_until(job):
            return "unsent"
        return "open" if self.seen.now <= job.until else "over"

    def _freshness(self, job: Job) -> str:
        return "fresh" if job.change is not None and self.seen.now <= job.change.visible_at else "new"

    # --- the table ----------------------------------------------------------------------------------------------------

    def _do(self, verb: str, how: str, identity: str) -> Step:
        return self._act(self._what(verb, how, identity), verb, identity)

    def _what(self, verb: str, how: str, identity: str) -> str:
        job, look = self.entry.jobs.get(identity), self.seen.looks.get(identity)
        status = look.status if look else Status.SILENT if self.seen.is_ending else Status.UNSEEN
        if look and look.status is Status.READY and job and job.change and look.arns == job.change.arns:
            status = Status.UNDONE if look.failure else Status.SAME
        return TABLE[verb, how][status]

    def _act(self, what: str, verb: str, identity: str) -> Step:
        entry, seen = self.entry, self.seen
        job = entry.jobs.get(identity) or Job()
        steps: dict[str, Callable[[], Step]] = {
            "look": lambda: Call("look", identity),
            "again": lambda: self._wait(verb, identity),
            "intend": lambda: self._intend(verb, identity),
            "send": lambda: Call(verb, identity, _send_until(job)),
            "settle": lambda: self._settle(verb, identity),
            "retry": lambda: Write(self._taken_back(verb, identity, job)),
            "restore": lambda: Write(journal.settle(entry, identity, _before(job))),
            "keep": lambda: Tell(journal.settle(entry, identity, job.value), Outcome.SUCCESS, identity),
            "undo": lambda: self._undo(identity, job),
            "cancel": lambda: self._ask_to_cancel(identity),
            "gone": lambda: Write(journal.gone(entry, identity, seen.now), stops=identity),
            "done": lambda: self._end(identity) if verb == "adopt" else Tell(entry, Outcome.SUCCESS, identity),
            "fail": lambda: self._give_up(verb, identity, job),
        }
        return steps[what]()

    def _intend(self, verb: str, identity: str) -> Step:
        entry, request, seen = self
        why = Why.NOT_STARTED if verb == "start" else Why.NOT_CHANGED
        if seen.is_ending or seen.now >= request.until:
            return self._fail(why, identity)
        if request.refusal:
            return self._fail(Why.REFUSAL, identity)
        if seen.is_turned_down:
            return self._wait(verb, identity, why)
        look = seen.looks.get(identity)
        arns = look.arns if look and verb == "change" else None
        return Write(journal.intend(entry, identity, request, seen.attempt, now=seen.now, arns=arns))

    def _settle(self, verb: str, identity: str) -> Step:
        visible_at = self.seen.now + journal.VISIBLE_SECONDS
        settled = journal.settle(self.entry, identity, self.request.value, visible_at=visible_at)
        return Write(settled, starts=identity if verb == "start" else "")

    def _taken_back(self, verb: str, identity: str, job: Job) -> Entry:
        """Return the entry after a call without effect: as it was before."""
        if verb == "start":
            return journal.forget(self.entry, identity)
        return journal.settle(self.entry, identity, job.value)

    def _undo(self, identity: str, job: Job) -> Step:
        # A job that has failed cannot be returned to.
        is_as_before = self.seen.looks[identity].status is Status.READY
        value = _before(job) if is_as_before else journal.UNKNOWN
        return self._fail(Why.UNDONE, identity, journal.settle(self.entry, identity, value))

    def _give_up(self, verb: str, identity: str, job: Job) -> Step:
        match verb:
            case "start":
                return self._fail(Why.REFUSED_START, identity, self._taken_back(verb, identity, job))
            case "change":
                return self._fail(Why.REFUSED_CHANGE, identity, self._taken_back(verb, identity, job))
            case "adopt":
                return self._fail(Why.NOT_THERE, identity)
            case _:
                return self._fail(Why.NOT_COMPLETED, identity)

    def _ask_to_cancel(self, identity: str) -> Step:
        asked_at = self.seen.patience.cancelled_at
        is_asked = asked_at is not None and self.seen.now < asked_at + CANCEL_AGAIN_SECONDS
        if is_asked or self.seen.is_turned_down:
            return self._wait("cancel", identity)
        return Call("cancel", identity, self.seen.read_at + journal.SEND_SECONDS)

    def _wait(self, verb: str, identity: str, why: Why | None = None) -> Step:
        """Look again later, unless that has lasted too long."""
        look = self.seen.looks.get(identity)
        is_silent = look is not None and look.status is Status.SILENT
        if is_silent:
            why = Why.NOT_KNOWN if verb == "cancel" else Why.SILENT
        why = why or _WHY_WAITING.get(verb, Why.SILENT)
        phase = Phase.COMPLETING if verb in ("end", "follow") else Phase(self.request.type)
        if self.request.is_delete or not self._is_over(phase):
            return Wait(identity, why)
        if verb == "have":  # Neptune's response is not needed
            return Tell(self.entry, Outcome.SUCCESS, identity)
        return self._fail(why, identity)

    def _is_over(self, phase: Phase) -> bool:
        """Tell whether the request may not wait any longer."""
        if self.seen.is_ending or self.seen.now >= self.request.until:
            return True
        if self.seen.patience.cancelled_at is not None:
            phase = Phase.STOPPING
        return self.seen.patience.is_over(phase, self.seen.now, self.seen.limits)

    def _fail(self, why: Why, about: str = "", entry: Entry | None = None) -> Tell:
        return failed(self.entry if entry is None else entry, self.request, why, about)


def _before(job: Job) -> str:
    """Return a job's value before its last change."""
    return job.change.value if job.change else job.value


def _send_until(job: Job) -> float:
    return job.until - journal.LEASE_SECONDS + journal.SEND_SECONDS
