"""One look of one delivery: read the entry, plan, do the step, until the request is answered or has to wait.

It is a generator of effects. Its driver can carry them out, or play any interleaving of steps. An invocation may be
killed at each `yield`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from provider.journal.entry import SEND_SECONDS, Outcome, RequestType
from provider.journal.errors import Conflict, JournalUnavailable
from provider.lifecycle import wording
from provider.lifecycle.patience import Fault, Patience, Phase
from provider.lifecycle.plan import (
    Alarm,
    Call,
    Done,
    Result,
    Say,
    Tell,
    Wait,
    Why,
    Write,
    answered,
    failed,
    plan,
    plan_owed,
)
from provider.lifecycle.terms import Told, Waiting
from provider.look import ENDED, Look, Status
from provider.observability import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from provider.journal.entry import Entry, Request
    from provider.kinds.kind import Words
    from provider.lifecycle.plan import Seen, Step


_MOST_CONFLICTS = 10
_CONTENDED = "Concurrent requests kept changing the journal's entry for this resource."
_WAITING = frozenset(
    (
        Why.SILENT,
        Why.NOT_STARTED,
        Why.NOT_CHANGED,
        Why.NOT_DECIDED,
        Why.NOT_CHANGEABLE,
        Why.NOT_COMPLETED_YET,
        Why.NOT_STOPPED,
        Why.NOT_KNOWN,
    )
)


class Read(NamedTuple):
    """Read the entry. Yields the entry and its revision, or raises `JournalUnavailable`."""


class Save(NamedTuple):
    """Write the entry if it was not written since it was read. May raise `Conflict` or `JournalUnavailable`."""

    entry: Entry
    revision: int


class Send(NamedTuple):
    """Send the message of a job that is about to be closed. Yields whether the queue accepted it."""

    job: str


class Ask(NamedTuple):
    """Call Neptune. Yields a `Reply`."""

    verb: str  # look, start, change, cancel
    job: str
    of: Entry | None = None


class Check(NamedTuple):
    """Check a success before it is answered. Yields why it is not a success, or an empty string."""

    told: Told


class Happened(NamedTuple):
    """Record for the operator what happened to a job."""

    what: str  # started, cancelled, not cancelled
    job: str
    seconds: float | None = None  # until it had stopped, if that is known


if TYPE_CHECKING:
    Effect = Read | Save | Send | Ask | Check | Happened


class Reply(NamedTuple):
    """The outcome of a call of Neptune."""

    look: Look | None = None
    result: Result = Result.UNCLEAR
    fault: Fault | None = None
    words: str = ""


def _is_made_anew(entry: Entry | None, request: Request) -> bool:
    """Tell whether a request adopts a job that the journal says is closed or gone, as a later Delete would read."""
    job = entry.jobs.get(request.adopts) if entry else None
    return job is not None and not job.is_open


class Delivery:
    """One look at a request, or at a closed job.

    Args:
        seen: What it knows besides the entry. Its patience is for the next look.
        clock: The time, in seconds since the epoch.
        words: The words that messages use for such a job.
        ended: Why the request may not wait any longer; empty if it may.
        known: If it may not, what the previous look found, in words.
    """

    def __init__(self, seen: Seen, clock: Callable[[], float], words: Words, ended: str = "", known: str = "") -> None:
        self.seen = seen
        self._clock = clock
        self._words = words
        self._ended = ended
        self._known = known
        self._owed = ""
        self._is_provisional = False  # whether a success has to wait until it can be recorded
        seen.is_ending = bool(ended)

    def of(self, request: Request, *, needs_journal: bool) -> Generator[Effect, Any, Told | Waiting]:
        """Take a look at a request.

        Args:
            request: The request.
            needs_journal: Whether nothing may be done without recording it.

        Yields:
            The effects to carry out.

        Returns:
            The answer, which was not sent yet; or that the request waits.
        """
        told = yield from self._repeat(
            lambda entry: plan(entry, request, self.seen), request, needs_journal=needs_journal
        )
        if told is None:
            raise AssertionError(request)  # `plan` gives no Done and no Alarm
        return told

    def of_owed(self, identity: str) -> Generator[Effect, Any, Told | Waiting | None]:
        """Take a look at a closed job.

        Args:
            identity: The job.

        Yields:
            The effects to carry out.

        Returns:
            That the job needs another look; `None` if nothing is left to do.
        """
        self._owed = identity
        return (yield from self._repeat(lambda entry: plan_owed(entry, identity, self.seen), None, needs_journal=True))

    def _repeat(
        self, decide: Callable[[Entry | None], Step], request: Request | None, *, needs_journal: bool
    ) -> Generator[Effect, Any, Told | Waiting | None]:
        entry, revision, problem, since = None, None, "", 0.0
        for _ in range(_MOST_CONFLICTS):
            self.seen.read_at = self._clock()
            try:
                if not problem:
                    entry, revision = yield Read()
                done = yield from self._go_on(decide, request, entry, revision)
            except Conflict:
                continue
            except JournalUnavailable as error:
                if needs_journal or (request is not None and _is_made_anew(entry, request)):
                    return (yield from self._without_journal(request, str(error)))
                #: Adoptions, and deletions that name their job, do not need it.
                logger.warning("The journal is unavailable; continuing without it", problem=str(error))
                problem, revision = str(error), None  # continue with what was read, and write nothing
                since, is_over = self._unwritten_since(request, Phase.UNWRITTEN)
                self._is_provisional = not is_over
                continue
            if request is not None and problem:
                # A success waits a moment to be recorded: once it is, no earlier request can begin anything.
                if isinstance(done, Told) and (done.has_failed or not done.physical_id or not self._is_provisional):
                    return done
                return self._waiting(done.reason if isinstance(done, Waiting) else problem, since)
            return self._waiting(done.reason) if isinstance(done, Waiting) else done
        return (yield from self._without_journal(request, problem or _CONTENDED))

    def _waiting(self, reason: str, unwritten_since: float | None = None) -> Waiting:
        return Waiting(reason, self.seen.patience._replace(unwritten_since=unwritten_since))

    def _unwritten_since(self, request: Request | None, phase: Phase) -> tuple[float, bool]:
        """Return since when the journal has been unavailable, and whether that has lasted too long."""
        now, since = self._clock(), self.seen.patience.unwritten_since
        since = now if since is None else since
        is_over = now - since >= self.seen.limits[phase][Fault.JOURNAL] or bool(self._ended)
        return since, is_over or (request is not None and now >= request.until)

    def _without_journal(self, request: Request | None, problem: str) -> Generator[Effect, Any, Told | Waiting | None]:
        """Wait for the journal, or fail before anything is done without it."""
        since, is_over = self._unwritten_since(request, Phase(request.type) if request else Phase.OWED)
        if not is_over:
            return self._waiting(problem, since)
        if request is None:
            yield Happened("not cancelled", self._owed)
            return None
        logger.error("The journal is unavailable", problem=problem)
        hint = "When this is fixed, delete the stack again." if request.is_delete else "When this is fixed, try again."
        # An earlier delivery may have begun a job: CloudFormation has to name it.
        physical_id = request.own if request.type is RequestType.CREATE else request.names
        return Told(Outcome.FAILED, physical_id, f"{problem} {hint}")

    def _go_on(
        self, decide: Callable[[Entry | None], Step], request: Request | None, entry: Entry | None, revision: int | None
    ) -> Generator[Effect, Any, Told | Waiting | None]:
        """Do step after step. Without a revision, nothing is written."""
        while True:
            self.seen.now = self._clock()
            step = decide(entry)
            match step:
                case Write():
                    yield from self._write(step, revision)
                    entry, revision = step.entry, None if revision is None else revision + 1
                case Call():
                    yield from self._call(step, entry)
                case Wait():
                    return Waiting(self._reason(step.why, step.job, request), self.seen.patience)
                case Alarm():
                    yield Happened("not cancelled", step.job)
                    return None
                case Done():
                    return None
                case Say(answer=answer):
                    told = Told(answer.outcome, answer.job, answer.reason, self._attributes(answer.job, entry))
                    if request is not None and not (request.is_delete or told.has_failed):
                        yield Check(
                            told
                        )  # it may not have queued the wait for the job's end; it is a success in any case
                    return told
                case Tell():
                    return (yield from self._tell(step, request, revision))

    def _write(self, step: Write, revision: int | None) -> Generator[Effect, Any, bool]:
        """Write the entry, and return whether its messages were sent."""
        unsent: list[str] = []
        for identity in step.messages:
            if not (yield Send(identity)):
                yield Happened("not cancelled", identity)  # now, because this invocation may be killed after the write
                unsent.append(identity)
        if revision is not None:
            self.seen.read_at = self._clock()
            yield Save(step.entry, revision)
        if step.starts:
            yield Happened("started", step.starts)
        if step.stops:
            look = self.seen.looks.get(step.stops)
            end = look if look is not None and look.status in ENDED else None
            if end is not None:
                logger.info("The job has ended", status="NotFound" if end.status is Status.ABSENT else end.words)
            cancelled_at = self.seen.patience.cancelled_at
            if cancelled_at is not None:
                yield Happened("cancelled", step.stops, max(0.0, self._clock() - cancelled_at) if end else None)
            self.seen.patience = Patience(unwritten_since=self.seen.patience.unwritten_since)
        for identity in unsent:  # nothing else will cancel them
            if not self.seen.is_ending and self._clock() <= self.seen.read_at + SEND_SECONDS:
                yield Ask("cancel", identity, step.entry)
        return revision is not None and not unsent

    def _call(self, step: Call, entry: Entry | None) -> Generator[Effect, Any, None]:
        seen = self.seen
        if self._clock() > step.send_until:
            if step.verb != "cancel":  # look again, because the last look was too slow
                seen.looks.pop(step.job, None)
            raise Conflict
        reply: Reply = yield Ask(step.verb, step.job, entry)
        if step.verb == "look":
            seen.looks[step.job] = reply.look or Look(Status.SILENT, reply.words)
            self._note(reply.fault, reply.words)
            if reply.look is not None and reply.look.is_changing:
                seen.patience = seen.patience._replace(refused_since=None)
            return
        seen.looks.pop(step.job, None)
        if reply.look is not None:
            seen.looks[step.job] = reply.look
        is_turned_down = reply.result in (Result.WITHOUT_EFFECT, Result.REFUSED)
        seen.is_turned_down = is_turned_down
        patience, now = seen.patience, self._clock()
        is_unheard = False
        if step.verb != "cancel":
            seen.results[seen.attempt] = reply.result
            is_unheard = (
                reply.result is Result.UNCLEAR and reply.fault is Fault.SILENCE
            )  # if the ID was taken, the job exists
        elif not is_turned_down:
            patience = patience._replace(cancelled_at=now)
            seen.cancelled = step.job if reply.result is Result.ACCEPTED else ""
        since = (patience.refused_since or now) if is_turned_down or is_unheard else None
        fault = patience.fault_after(reply.fault) if reply.fault else patience.fault
        seen.patience = patience._replace(refused_since=since, fault=fault, words=reply.words)

    def _note(self, fault: Fault | None, words: str) -> None:
        """Note whether Neptune responded."""
        patience = self.seen.patience
        answered_now = patience._replace(silent_since=None)
        self.seen.patience = patience.after(fault, words, self._clock()) if fault else answered_now

    # --- answers ------------------------------------------------------------------------------------------------------

    def _tell(self, step: Tell, request: Request | None, revision: int | None) -> Generator[Effect, Any, Told]:
        assert request is not None  # noqa: S101 - a closed job has no answer
        reason = ""
        if step.outcome is Outcome.FAILED:
            reason = self._reason(step.why, step.about, request)
            if step.why in _WAITING:
                reason = self._known or reason
            if step.why in _WAITING and not request.is_delete:
                has_begun = request.own in step.entry.jobs
                hint = wording.ending(request, self._words, step.why, self._why_ended(request), has_begun=has_begun)
                reason = f"{reason} {hint}"
        elif not (request.is_delete or self._is_provisional) and (reason := (yield Check(self._success(step)))):
            step = failed(step.entry, request, None)
            if request.own in step.entry.jobs:
                reason = f"{reason} {wording.ending(request, self._words, None, '', has_begun=True)}"
        look = self.seen.looks.get(step.job)
        has_seen = look is not None and bool(look.attributes) and not request.is_delete
        seen = self._attributes(step.job, step.entry) if has_seen else {}
        write = answered(step, request, reason, seen, self.seen.now)
        goes_on = yield from self._write(write, revision)
        if step.why in _WAITING and request.is_delete:
            reason = f"{reason} {wording.ending_of_delete(self._why_ended(request), goes_on=goes_on)}"
        return Told(step.outcome, step.job, reason, self._attributes(step.job, write.entry))

    def _why_ended(self, request: Request) -> str:
        return self._ended or (wording.TIME_IS_UP if self.seen.now >= request.until else "")

    def _success(self, step: Tell) -> Told:
        return Told(step.outcome, step.job, "", self._attributes(step.job, step.entry))

    def _attributes(self, identity: str, entry: Entry | None) -> Mapping[str, str]:
        """Return the attributes from this look, or else earlier ones: CloudFormation cannot export an empty value."""
        look = self.seen.looks.get(identity)
        job = entry.jobs.get(identity) if entry else None
        seen = {name: value for name, value in look.attributes.items() if value} if look else {}
        return {**(job.attributes if job else {}), **seen}

    def _reason(self, why: Why | None, identity: str, request: Request | None) -> str:
        if why is None:
            return ""
        said = self.seen.patience.words
        if request is not None and why is Why.PROBLEM:
            said = request.problem
        if request is not None and why is Why.REFUSAL:
            said = request.refusal
        return wording.reason(why, self._words, identity.rpartition("/")[2], self.seen.looks.get(identity), said)
