"""What the protocol needs: break one thing, and a story fails, or the model finds one that does.

PYTHONPATH=src python -m tests.any_order.mutants                         all of them
PYTHONPATH=src python -m tests.any_order.mutants NAME [EXAMPLES] [SEED]  one
"""

from __future__ import annotations

import inspect
import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from provider import observability
from provider.journal import entry as journal
from provider.journal.entry import UNKNOWN, Entry, Order, Outcome, RequestType
from provider.lifecycle import delivery, patience, plan
from provider.lifecycle.plan import Call, Done, Result, Say, Tell, Write
from provider.look import Status
from tests.any_order import model, test_stories, world

if TYPE_CHECKING:
    from collections.abc import Callable

    from provider.journal.entry import Answer, Job, Request
    from provider.lifecycle.plan import Seen, Step

EXAMPLES = 2000
MUTANTS: dict[str, Callable[[], None]] = {}
_Plan = plan._Plan


def mutant(it: Callable[[], None]) -> Callable[[], None]:
    MUTANTS[it.__name__] = it
    return it


def _patch(where: Any, name: str, new: Any) -> None:  # noqa: ANN401
    assert hasattr(where, name), name
    setattr(where, name, new)


def _patch_plan(new: Callable[..., Step]) -> None:
    _patch(delivery, "plan", new)


def _in_table(verb: str, how: str, *, like: tuple[str, str]) -> None:
    table = {**plan.TABLE, (verb, how): plan.TABLE[like]}
    _patch(plan, "TABLE", table)


# --- the journal's writes ---------------------------------------------------------------------------------------------


@mutant
def no_condition() -> None:
    """The last write wins."""
    _patch(world.World, "_may_write", lambda *_: True)


@mutant
def the_outcome_is_not_recorded() -> None:
    """Each delivery answers by itself."""
    real = plan.plan

    def forgetful(entry: Entry | None, request: Request, seen: Seen) -> Step:
        step = real(entry, request, seen)
        if isinstance(step, Tell) and not request.is_delete:
            return Say(journal.Answer(step.outcome, step.job, "It has." if step.outcome is Outcome.FAILED else ""))
        return step

    _patch_plan(forgetful)


@mutant
def told_afterwards() -> None:
    """CloudFormation is answered before it is written that it was: a mark that is not there yet."""
    real = journal.answer

    def later(entry: Entry, request: Request, told: Answer, now: float) -> Entry:
        new = real(entry, request, told, now)
        job = new.jobs.get(told.job)
        return new.with_job(told.job, replace(job, is_told=entry.jobs[told.job].is_told)) if job else new

    _patch(journal, "answer", later)


@mutant
def intents_are_not_written() -> None:
    """A job is written down when its start was accepted."""
    real = _Plan._start

    def silent(self: Any) -> Step:  # noqa: ANN401
        own = self.request.own
        if own in self.entry.jobs:
            return real(self)
        result = self.seen.results.get(f"{self.seen.me}/0")
        if result is None:
            return Call("start", own)
        if result is Result.REFUSED:
            return self._fail(plan.Why.REFUSED_START, own)  # type: ignore[no-any-return]
        intended = journal.intend(self.entry, own, self.request, "", now=self.seen.now)
        return Write(journal.settle(intended, own, self.request.value))

    _patch(_Plan, "_start", silent)


@mutant
def what_an_unanswered_change_did_is_taken_for_known() -> None:
    real = journal.intend

    def sure(entry: Entry, identity: str, request: Request, call: str, **more: Any) -> Entry:  # noqa: ANN401
        new = real(entry, identity, request, call, **more)
        job, before = new.jobs[identity], entry.jobs.get(identity)
        return new.with_job(identity, replace(job, value=before.value)) if before and job.value == UNKNOWN else new

    _patch(journal, "intend", sure)


# --- order ------------------------------------------------------------------------------------------------------------


@mutant
def no_fence() -> None:
    """An earlier request goes on as if it were the newest."""
    order, refuse = Entry.order, journal.refuse

    def lazy(self: Entry, request: Request) -> Order:
        found = order(self, request)
        return Order.CURRENT if found is Order.EARLIER and request.id in self.requests else found

    def kind(entry: Entry, request_id: str, *rest: Any) -> Entry:  # noqa: ANN401
        return entry if request_id in entry.requests else refuse(entry, request_id, *rest)

    _patch(Entry, "order", lazy)
    _patch(journal, "refuse", kind)


@mutant
def no_order() -> None:
    """What was not seen yet is the newest, whenever it was signed."""

    def order(self: Entry, request: Request) -> Order:
        if request.id not in self.requests:
            return Order.NEW
        return Order.CURRENT if request.id == self.newest else Order.EARLIER

    _patch(Entry, "order", order)


@mutant
def order_without_the_answers_time() -> None:
    """By signing time alone: what follows an answer by less than the skew of two clocks is taken for earlier."""
    real = Entry.order

    def strict(self: Entry, request: Request) -> Order:
        newest = self.requests.get(self.newest)
        is_new = newest is not None and request.id not in self.requests
        if is_new and newest and newest.signed_at and request.signed_at and request.signed_at < newest.signed_at:
            return Order.EARLIER
        return real(self, request)

    _patch(Entry, "order", strict)


@mutant
def an_earlier_create_of_the_same_second_is_newer() -> None:
    """And of five seconds before an answer: the rule without its exception."""
    real = Entry.order
    _patch(Entry, "order", lambda self, request: real(self, replace(request, type=RequestType.UPDATE)))


@mutant
def an_unsigned_create_is_never_newer() -> None:
    real = Entry.order

    def never(self: Entry, request: Request) -> Order:
        is_first = not self.newest or request.id in self.requests
        is_unsigned = request.type is RequestType.CREATE and request.signed_at is None
        return Order.EARLIER if not is_first and is_unsigned else real(self, request)

    _patch(Entry, "order", never)


@mutant
def an_earlier_request_is_left_unanswered() -> None:
    real = plan.plan

    def silent(entry: Entry | None, request: Request, seen: Seen) -> Step:
        is_earlier = entry is not None and entry.order(request) is Order.EARLIER
        return Done() if is_earlier and not request.is_delete else real(entry, request, seen)

    _patch_plan(silent)


@mutant
def an_earlier_request_is_answered_and_not_seen() -> None:
    """So it becomes the newest when the newest has been answered."""
    real = plan.plan

    def unseen(entry: Entry | None, request: Request, seen: Seen) -> Step:
        is_unseen = entry is not None and request.id not in entry.requests
        if entry is not None and is_unseen and entry.order(request) is Order.EARLIER and not request.is_delete:
            return Say(journal.Answer(Outcome.FAILED, "", "It is earlier."))
        return real(entry, request, seen)

    _patch_plan(unseen)


@mutant
def a_delete_does_not_look_who_names_its_job_later() -> None:
    _patch(Entry, "place", lambda *_: 1 << 30)


# --- calls and their leases -------------------------------------------------------------------------------------------


@mutant
def no_lease() -> None:
    """Nobody waits for what became of another's call."""
    real = _Plan._call
    _patch(_Plan, "_call", lambda self, job: "over" if (how := real(self, job)) == "open" else how)
    _in_table("cancel", "open", like=("cancel", "new"))


@mutant
def a_delete_does_not_wait_for_a_call_under_way() -> None:
    _in_table("cancel", "open", like=("cancel", "new"))


@mutant
def a_change_does_not_wait_for_a_call_under_way() -> None:
    _in_table("change", "open", like=("change", "over"))


@mutant
def calls_are_sent_after_their_time() -> None:
    real = delivery.Delivery._call
    _patch(delivery.Delivery, "_call", lambda self, step, entry: real(self, step._replace(send_until=1e12), entry))
    _patch(plan, "_send_until", lambda _: 1e12)


@mutant
def a_cancellation_rests_on_an_old_reading() -> None:
    """Of the entry: however long ago it was read."""

    def ask(self: Any, identity: str) -> Step:  # noqa: ANN401
        step = real(self, identity)
        return step._replace(send_until=1e12) if isinstance(step, Call) else step

    real = _Plan._ask_to_cancel
    _patch(_Plan, "_ask_to_cancel", ask)


@mutant
def the_reading_counts_from_its_answer() -> None:
    """And not from when it was asked for."""
    real = delivery.Delivery._go_on

    def late(self: Any, decide: Any, request: Any, entry: Any, revision: Any) -> Any:  # noqa: ANN401
        self.seen.read_at = self._clock()
        return (yield from real(self, decide, request, entry, revision))

    _patch(delivery.Delivery, "_go_on", late)


@mutant
def an_accepted_change_has_come_about() -> None:
    """Whatever Neptune says of it later."""
    real = journal.settle

    def sure(entry: Entry, identity: str, value: str, **_: Any) -> Entry:  # noqa: ANN401
        return real(entry, identity, value)

    _patch(journal, "settle", sure)


@mutant
def a_change_is_judged_before_it_can_be_seen() -> None:
    _in_table("follow", "fresh", like=("follow", "new"))


@mutant
def an_unchanged_job_is_waited_for() -> None:
    """With WaitForCompletion: so a rollback fails for ever if the job has."""
    real = _Plan._do

    def waiting(self: Any, verb: str, how: str, identity: str) -> Step:  # noqa: ANN401
        if verb == "have" and self.request.waits and not self.request.adopts:
            return real(self, "end", "-", identity)
        return real(self, verb, how, identity)

    _patch(_Plan, "_do", waiting)


@mutant
def a_job_that_has_ended_is_changed() -> None:
    """Which Neptune refuses, also the rollback's."""
    cells = dict.fromkeys(Status, "intend")
    _patch(plan, "TABLE", {**plan.TABLE, ("change", "new"): cells, ("change", "over"): cells})


# --- what is closed ---------------------------------------------------------------------------------------------------


@mutant
def a_failed_updates_job_is_not_closed() -> None:
    real = journal.answer

    def kind(entry: Entry, request: Request, told: Answer, now: float) -> Entry:
        new = real(entry, request, told, now)
        is_own = request.type is RequestType.UPDATE and request.own in entry.jobs and told.outcome is Outcome.FAILED
        return new.with_job(request.own, entry.jobs[request.own]) if is_own else new

    _patch(journal, "answer", kind)


@mutant
def what_was_not_told_is_not_closed() -> None:
    real = journal._cannot_be_named
    _patch(journal, "_cannot_be_named", lambda job, request, entry: job.is_told and real(job, request, entry))


@mutant
def what_was_told_and_not_named_is_not_closed() -> None:
    _patch(journal, "_cannot_be_named", lambda job, *_: not job.is_named and not job.is_told)


@mutant
def a_new_life_forgets_nothing() -> None:
    """An Update closes what was told in the life before, and retained."""
    real = journal.register

    def same(before: Entry | None, request: Request, now: float) -> Entry:
        new = real(before, request, now)
        if request.type is not RequestType.CREATE:
            return new
        old = before.jobs if before else {}
        named = {it: replace(job, is_named=old[it].is_named) if it in old else job for it, job in new.jobs.items()}
        return replace(new, jobs=named)

    _patch(journal, "register", same)


@mutant
def adopted_jobs_are_closed_too() -> None:
    """What was told and is not what the next Update names, also if it was adopted."""
    real = journal.register

    def eager(before: Entry | None, request: Request, now: float) -> Entry:
        new = real(before, request, now)
        jobs = {it: replace(job, by=job.by or "somebody", life=job.life or new.life) for it, job in new.jobs.items()}
        return replace(new, jobs=jobs)

    _patch(journal, "register", eager)


@mutant
def what_is_owed_can_be_adopted() -> None:
    real = _Plan._adopt

    def generous(self: Any, identity: str) -> Step:  # noqa: ANN401
        job: Job = self.entry.jobs[identity]
        freed = self.entry.with_job(identity, replace(job, closed=None))
        return real(self._replace(entry=freed) if job.is_owed else self, identity)

    _patch(_Plan, "_adopt", generous)


@mutant
def what_is_gone_is_forgotten() -> None:
    """A Delete that is replayed days later cancels a namesake."""
    _patch(journal, "gone", lambda entry, identity, _: journal.forget(entry, identity))


@mutant
def a_second_delete_does_not_wait_for_what_the_first_has_closed() -> None:
    real = plan._owed_to

    def own_only(entry: Entry, request: Request) -> tuple[str, ...]:
        mine = real(entry, request)
        return mine if request.names else tuple(it for it in mine if entry.jobs[it].closed_by == request.id)

    _patch(plan, "_owed_to", own_only)


@mutant
def a_creation_waits_for_what_is_owed() -> None:
    real = plan.plan

    def thorough(entry: Entry | None, request: Request, seen: Seen) -> Step:
        if entry is not None and not request.is_delete and entry.order(request) is Order.CURRENT:
            for identity, job in entry.jobs.items():
                if job.is_owed and not (record := entry.requests[request.id]).answer and record.number:
                    return _Plan(entry, request, seen).cancel(identity)
        return real(entry, request, seen)

    _patch_plan(thorough)


# --- messages ---------------------------------------------------------------------------------------------------------


@mutant
def what_is_owed_is_cancelled_by_the_next_request_only() -> None:
    """No message of its own."""
    real = world.Run._done

    def lost(self: Any, effect: Any) -> object:  # noqa: ANN401
        return True if isinstance(effect, delivery.Send) else real(self, effect)

    _patch(world.Run, "_done", lost)


@mutant
def the_message_is_sent_after_the_write() -> None:
    real = delivery.Delivery._write

    def late(self: Any, step: Write, revision: int | None) -> Any:  # noqa: ANN401
        yield from real(self, step._replace(messages=()), revision)
        return (yield from real(self, Write(step.entry, step.messages), None))

    _patch(delivery.Delivery, "_write", late)


@mutant
def the_message_does_not_wait_for_the_write() -> None:
    _patch(plan, "INVOCATION_SECONDS", 0.0)


@mutant
def a_failing_delete_sends_no_message() -> None:
    real = plan.answered

    def silent(step: Tell, request: Request, *rest: Any) -> Write:  # noqa: ANN401
        write = real(step, request, *rest)
        return write._replace(messages=()) if request.is_delete else write

    _patch(delivery, "answered", silent)


@mutant
def another_jobs_cancellation_counts() -> None:
    real = _Plan.cancel

    def any_of_them(self: Any, identity: str) -> Step:  # noqa: ANN401
        if self.seen.cancelled:
            self.seen.cancelled = identity
        return real(self, identity)

    _patch(_Plan, "cancel", any_of_them)


@mutant
def a_success_that_is_not_written_down_is_told_at_once() -> None:
    real = delivery.Delivery._unwritten_since

    def over(self: delivery.Delivery, request: Request | None, phase: patience.Phase) -> tuple[float, bool]:
        since, is_over = real(self, request, phase)
        return since, is_over or phase is patience.Phase.UNWRITTEN

    _patch(delivery.Delivery, "_unwritten_since", over)


# --- to play them -----------------------------------------------------------------------------------------------------


def stories() -> list[Callable[[], None]]:
    """The stories, one for each set of arguments."""
    found: list[Callable[[], None]] = []
    for name, story in inspect.getmembers(test_stories, inspect.isfunction):
        if name.startswith("test_"):
            found += [_called(story, arguments) for arguments in _arguments(story)]
    return found


def _arguments(story: Callable[..., None]) -> list[dict[str, Any]]:
    sets: list[dict[str, Any]] = [{}]
    for mark in getattr(story, "pytestmark", []):
        names, rows = mark.args
        names = (names,) if isinstance(names, str) else names
        rows = [row if len(names) > 1 else (row,) for row in rows]
        sets = [{**one, **dict(zip(names, row, strict=True))} for one in sets for row in rows]
    return sets


def _called(story: Callable[..., None], arguments: dict[str, Any]) -> Callable[[], None]:
    def call() -> None:
        story(**arguments)

    call.__name__ = story.__name__
    return call


def play(name: str, examples: int, number: int) -> str:
    """Say who finds a mutant; empty if nobody does."""
    MUTANTS[name]()
    for story in stories():
        try:
            story()
        except Exception:  # noqa: BLE001 - whatever it is
            return f"the story {story.__name__}"
    how = settings(
        max_examples=examples,
        stateful_step_count=60,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        print_blob=False,
    )
    try:
        run_state_machine_as_test(seed(number)(model.CloudFormation), settings=how)
    except Exception as error:  # noqa: BLE001
        return f"the model: {type(error).__name__} {error}".splitlines()[0][:120]
    return ""


def main(arguments: list[str]) -> int:
    observability.logger._logger.disabled = True
    if arguments:
        name, examples, number = (*arguments, str(EXAMPLES), "1")[:3] if len(arguments) < 2 else (*arguments, "1")[:3]
        began = time.process_time()
        found = play(name, int(examples), int(number))
        print(f"{name:68} {found or 'NOT FOUND'} ({time.process_time() - began:.0f} s)", flush=True)
        return 0 if found else 1
    assert not play_none(), "a story fails of itself"
    codes = [
        subprocess.run([sys.executable, "-m", "tests.any_order.mutants", it], check=False).returncode for it in MUTANTS
    ]
    print(f"{codes.count(0)} of {len(codes)} mutants are found")
    return int(any(codes))


def play_none() -> list[str]:
    """The stories that fail where nothing is broken."""
    failing = []
    for story in stories():
        try:
            story()
        except Exception:  # noqa: BLE001
            failing.append(story.__name__)
    return failing


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
