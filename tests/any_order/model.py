"""CloudFormation, played by Hypothesis: any interleaving of any two steps, and kills.

What is taken for granted of CloudFormation: it sends a resource's next request when the one before was answered or
given up; after one that was given up, or whose answer could not be written down, and for a new life, later than two
clocks can differ. Unsigned URLs come from emulators, which go on when a request was taken in. Of Lambda: an invocation
ends after 15 minutes; in the end one delivery of a request is not killed (the event is replayed). Of SQS: a message
comes at least once. Everything else is played as badly as can be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from provider.journal.entry import (
    LEASE_SECONDS,
    REMEMBERED_SECONDS,
    SKEW_SECONDS,
    Entry,
    Outcome,
    Request,
    RequestType,
)
from provider.look import Status
from tests.any_order.world import ALIVE, CALL_MODES, FOREIGN, SAVE_MODES, Answer, Message, Run, World, own

if TYPE_CHECKING:
    from provider.journal.entry import Record

CREATE, UPDATE, DELETE = RequestType.CREATE, RequestType.UPDATE, RequestType.DELETE
SUCCESS, FAILED = Outcome.SUCCESS, Outcome.FAILED
Properties = dict[str, str | bool]

_FLAGS = {"waits": st.sampled_from([False, False, True]), "waits_for_stop": st.sampled_from([True, True, False])}
_DESCRIBED = st.fixed_dictionaries({"describes": st.sampled_from("AB"), "value": st.sampled_from("xy"), **_FLAGS})
_ADOPTED = st.fixed_dictionaries({"adopts": st.sampled_from(FOREIGN), **_FLAGS})
WHICH = st.one_of(_DESCRIBED, _DESCRIBED, _ADOPTED)
ORDINARY = st.sampled_from([True, True, False])
"""Whether a request is delivered, and gone through with, at once: so there are long lives."""
_SECONDS = st.sampled_from([20.0, 100.0, 400.0, 5000.0, 100_000.0])
WEATHER = st.one_of(
    st.tuples(st.just("calls"), st.lists(st.sampled_from(CALL_MODES), max_size=4)),
    st.tuples(st.just("saves"), st.lists(st.sampled_from(SAVE_MODES), max_size=4)),
    st.tuples(st.sampled_from(["silent_until", "stuck_until"]), _SECONDS),
    st.tuples(st.sampled_from(["no_queue_until", "no_table_until", "no_writes_until"]), _SECONDS),
    st.tuples(st.just("skew"), st.integers(-SKEW_SECONDS // 2 + 1, SKEW_SECONDS // 2)),
    st.tuples(st.sampled_from(["checks", "may_start", "may_start"]), st.booleans()),
)
PROBLEMS = st.sampled_from([*[""] * 20, "A property is wrong."])


class CloudFormation(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.requests: list[Request] = []
        self.asked = 0.0
        self.pending: Request | None = None
        self.stage = ""  # what the pending request is
        self.physical = ""
        self.properties: Properties = {}
        self.new: Properties = {}
        self.old: Properties = {}
        self.is_live = False
        self.is_failed = False  # a creation that failed: a Delete is due
        self.failed = ""  # the stage of an Update that failed
        self.replaced: tuple[str, Properties] | None = None
        self.clean_ups: list[tuple[str, Properties]] = []
        self.tries = 0
        self.runs: list[Run] = []
        self.may_cancel: set[str] = set()
        self.unheard: set[str] = set()  # requests whose answer CloudFormation does not know
        self.failures: set[str] = set()  # Updates that have failed for CloudFormation
        self.retained: set[str] = set()
        self.deleted: set[str] = set()
        self.limits: set[str] = set()  # jobs that the design's limits let run, or cancel
        self.named: set[str] = set()
        self.checked = 0
        self.is_left = False  # known limit: an Update has succeeded that nobody heard, and nothing has followed
        self.is_signed = True
        self.skew = 0
        self.may_fail: tuple[str, ...] = ()  # what of AWS does; what goes on without the journal is not judged by all

    @initialize(
        is_endpoint=st.booleans(),
        remembers=st.booleans(),
        stops=st.sampled_from([0.0, 40.0]),
        ready=st.sampled_from([0.0, 40.0, 700.0]),
        runs=st.sampled_from([300.0, 1e9]),
        signed=st.sampled_from([True, True, True, False]),
        may_fail=st.sampled_from([(), (), ("no_queue_until",), ("no_table_until", "no_writes_until")]),
    )
    def begin(
        self,
        *,
        is_endpoint: bool,
        remembers: bool,
        stops: float,
        ready: float,
        runs: float,
        signed: bool,
        may_fail: tuple[str, ...],
    ) -> None:
        self.world = World(is_endpoint, remembers and not is_endpoint, stops, ready, runs)
        self.is_signed, self.may_fail = signed, may_fail

    # --- CloudFormation -----------------------------------------------------------------------------------------------

    def ask(  # noqa: PLR0917
        self, kind: RequestType, stage: str, new: Properties, old: Properties, names: str, problem: str = ""
    ) -> None:
        if self.requests and self.requests[-1].id in self.world.unrecorded:
            self.world.advance(2 * SKEW_SECONDS + 1)
        now = self.world.now
        if self.requests and kind is not UPDATE:  # known limit: a replacement that nobody heard of, and no rollback
            for identity, request in self.world.started:
                is_lost = request.type is UPDATE and request.id in self.unheard and names
                if self._is_told(request, identity) and (is_lost or kind is CREATE):
                    self.limits.add(identity)
        request_id = f"r{len(self.requests)}"
        request = Request(
            type=kind,
            id=request_id,
            signed_at=int(now) + self.skew if self.is_signed else None,
            until=now + 3600,
            names=names,
            own=own(request_id) if new.get("describes") and kind is not DELETE else "",
            adopts=str(new.get("adopts", "")) if kind is not DELETE else "",
            describes=str(new.get("describes", "")),
            value=self._value(new),
            old_describes=str(old.get("describes", "")),
            old_value=self._value(old),
            waits=bool(new["waits_for_stop"] if kind is DELETE else new["waits"]),
            problem=problem,
            settings={"by": request_id},
        )
        self.requests.append(request)
        self.pending, self.stage, self.asked = request, stage, now
        self.named |= {names}
        self.is_left = False

    def _is_told(self, request: Request, identity: str) -> bool:
        """Whether a request has succeeded with that job."""
        return any(it.outcome is SUCCESS and it.job == identity for it in self.world.told.get(request.id, []))

    def _value(self, properties: Properties) -> str:
        """What can be changed in place: nothing of what is no endpoint."""
        return str(properties.get("value", "")) if self.world.is_endpoint else ""

    def is_idle(self) -> bool:
        return self.pending is None

    def is_free(self) -> bool:
        return self.is_idle() and not (self.is_live or self.is_failed or self.clean_ups)

    def is_steady(self) -> bool:
        return self.is_idle() and self.is_live and not (self.replaced or self.clean_ups or self.failed)

    @precondition(is_free)
    @rule(which=WHICH, problem=PROBLEMS, is_ordinary=ORDINARY)
    def create(self, *, which: Properties, problem: str, is_ordinary: bool) -> None:
        self.properties, self.physical = which, ""
        self.world.advance(2 * SKEW_SECONDS + 1)  # another operation of the stack
        self.ask(CREATE, "create", which, {}, "", problem)
        self._live_through(is_ordinary=is_ordinary)

    @precondition(is_steady)
    @rule(which=WHICH, problem=PROBLEMS, is_ordinary=ORDINARY)
    def update(self, *, which: Properties, problem: str, is_ordinary: bool) -> None:
        self._update(which, self.properties, "update", problem)
        self._live_through(is_ordinary=is_ordinary)

    @precondition(lambda self: self.is_steady() and "value" in self.properties)
    @rule(waits=st.booleans(), is_ordinary=ORDINARY)
    def change_in_place(self, *, waits: bool, is_ordinary: bool) -> None:
        other: Properties = {
            **self.properties,
            "value": "y" if self.properties["value"] == "x" else "x",
            "waits": waits,
        }
        self._update(other, self.properties, "update")
        self._live_through(is_ordinary=is_ordinary)

    @precondition(lambda self: self.is_steady() and self.physical)
    @rule(is_ordinary=ORDINARY)
    def adopt_what_was_started(self, *, is_ordinary: bool) -> None:
        flags = {name: value for name, value in self.properties.items() if name.startswith("waits")}
        self._update({"adopts": self.physical, **flags}, self.properties, "update")
        self._live_through(is_ordinary=is_ordinary)

    def _update(self, new: Properties, old: Properties, stage: str, problem: str = "") -> None:
        self.ask(UPDATE, stage, new, old, self.physical, problem)
        self.new, self.old = new, old

    def is_heard(self) -> bool:
        return self._heard() is not None

    def _heard(self) -> Answer | None:
        """What CloudFormation is told first, if that is in time."""
        if self.pending and (answers := self.world.told.get(self.pending.id)):
            return answers[0] if answers[0].at <= self.pending.until else None
        return None

    @precondition(is_heard)
    @rule()
    def hear(self) -> None:
        request, heard = self.pending, self._heard()
        assert request
        assert heard
        job = self.world.jobs.get(heard.job)
        if heard.outcome is SUCCESS and request.type is not DELETE:
            self.deleted.discard(heard.job)  # it was adopted again
            assert job is not None or not self.world.remembers_ids or heard.job in FOREIGN, heard
            if request.describes and job and job.status in ALIVE:
                assert job.value == request.value, ("value", heard)
        if heard.outcome is SUCCESS and request.type is DELETE and request.names and not self._is_limit(request):
            job = self.world.jobs.get(request.names)
            assert job is None or job.status not in ALIVE, ("not cancelled", request)
            assert not request.waits or self.is_over(request.names), ("not stopped", request)
            self.deleted.add(request.names)
        if heard.outcome is SUCCESS and request.type is DELETE and not request.names:
            create = [it for it in self.requests if it.type is CREATE][-1]
            for identity, by in self.world.started:
                if by is create and by.id in self.unheard and identity not in self.limits:
                    assert self._is_dealt_with(identity, request), ("not stopped", request, identity)
        self._end(heard.job, is_done=heard.outcome is SUCCESS, is_heard=True)

    def _is_limit(self, delete: Request) -> bool:
        """Whether the journal was away when the job was given, and a known limit is met.

        A failed creation that comes late may still start its job; and a job that was adopted without reading the
        journal is taken for an earlier one with its ID, which has stopped.
        """
        world, entry = self.world, self.world.entry or Entry()
        registered = {request_id for request_id, record in entry.requests.items() if record.number}
        given = [it for it in self.requests if not it.is_delete and delete.names in (it.own, it.adopts, it.names)]
        given = [it for it in given if it.id in world.told and it.id in world.unrecorded | registered]
        if not given or given[-1].id not in world.unrecorded:
            return False
        last = given[-1]
        record, job = entry.requests.get(last.id), entry.jobs.get(delete.names)
        if last.own == delete.names:
            is_late = record is None or record.seen >= world.told[delete.id][0].at
            return is_late and delete.id in world.unrecorded
        is_gone = job is not None and job.gone is not None and job.gone < world.told[last.id][0].at
        return is_gone and last.id in world.unread - registered

    def _is_dealt_with(self, identity: str, request: Request) -> bool:
        job = self.world.jobs.get(identity)
        return self.is_over(identity) or bool(job and not request.waits and job.status is Status.STOPPING)

    @precondition(lambda self: self.pending and self.world.now >= self.asked + 1 and self._may_give_up())
    @rule()
    def give_up(self) -> None:
        """The time is over, or another resource has failed: what is answered now is not heard."""
        self.world.advance(2 * SKEW_SECONDS + 1)
        self._end("", is_done=False, is_heard=False)

    def _may_give_up(self) -> bool:
        return self.is_signed or self._is_registered(self.pending)

    def _is_registered(self, request: Request | None) -> bool:
        return bool(request and self.world.entry and request.id in self.world.entry.requests)

    def _end(self, physical: str, *, is_done: bool, is_heard: bool) -> None:
        request, stage = self.pending, self.stage
        assert request
        self.pending = None
        if not is_heard:
            self.unheard.add(request.id)
        if stage == "create":
            self.is_live, self.is_failed = is_done, not is_done
            self.physical = physical
        elif stage in ("update", "rollback"):
            if not is_done:
                self.failures.add(request.id)
                self.failed = stage
                return
            before = (self.physical, self.properties if stage == "update" else self.old)
            was_replaced, self.replaced = self.replaced, None
            self.physical, self.properties = physical, self.new
            self.retained.discard(physical)
            self.may_cancel.discard(physical)
            let_go = [it for it in (before, was_replaced) if it and it[0] != physical]
            if stage == "rollback":
                self.clean_ups += let_go
            elif let_go:
                self.replaced = let_go[0]
        elif stage == "delete":  # if it fails, nothing but deleting is left
            self.is_live, self.is_failed, self.failed = False, not is_done, ""
        elif is_done or self.tries == 3:
            self.clean_ups.pop(0)
            self.tries = 0

    @precondition(lambda self: self.is_idle() and self.failed)
    @rule(is_ordinary=ORDINARY)
    def roll_back(self, *, is_ordinary: bool) -> None:
        new, old = (self.new, self.old) if self.failed == "rollback" else (self.old, self.new)
        self.failed = ""
        self._update(new, old, "rollback")
        self._live_through(is_ordinary=is_ordinary)

    @precondition(lambda self: self.is_idle() and self.failed and not self.replaced)
    @rule(keeps_new=st.booleans())
    def leave_it_failed(self, *, keeps_new: bool) -> None:
        """Without rollback, or skipped. What the next Update calls the old properties, nobody has written down."""
        is_same = "describes" in self.new and self.new["describes"] == self.properties.get("describes")
        if self.failed == "update" and keeps_new and is_same:
            self.properties = self.new
        self.failed = ""
        self.is_left = self.requests[-1].id in self.unheard

    @precondition(lambda self: self.is_idle() and self.is_live and self.replaced and not self.failed)
    @rule(restores_id=st.booleans(), is_retained=st.booleans(), is_ordinary=ORDINARY)
    def roll_a_replacement_back(self, *, restores_id: bool, is_retained: bool, is_ordinary: bool) -> None:
        assert self.replaced
        if not restores_id:
            self._update(self.replaced[1], self.properties, "rollback")
            self._live_through(is_ordinary=is_ordinary)
            return
        replacement = self.physical, self.properties
        (self.physical, self.properties), self.replaced = self.replaced, None
        if is_retained and replacement[0] not in self.named:  # known limit: it looks like one that was not heard of
            self.limits.add(replacement[0])
        self._let_go(*replacement, is_retained=is_retained)

    @precondition(lambda self: self.is_idle() and self.is_live and self.replaced and not self.failed)
    @rule(is_retained=st.booleans())
    def complete(self, *, is_retained: bool) -> None:
        assert self.replaced
        replaced, self.replaced = self.replaced, None
        self._let_go(*replaced, is_retained=is_retained)

    def _let_go(self, physical: str, properties: Properties, *, is_retained: bool) -> None:
        if is_retained:
            self.retained.add(physical)
        else:
            self.clean_ups.append((physical, properties))

    @precondition(lambda self: self.is_idle() and self.clean_ups and not self.failed)
    @rule(is_ordinary=ORDINARY)
    def clean_up(self, *, is_ordinary: bool) -> None:
        physical, properties = self.clean_ups[0]
        self.may_cancel.add(physical)
        self.tries += 1
        self.ask(DELETE, "clean up", properties, {}, physical)
        self._live_through(is_ordinary=is_ordinary)

    def _may_be_deleted(self) -> bool:
        return self.is_idle() and (self.is_failed or (self.is_live and not self.replaced and not self.clean_ups))

    @precondition(_may_be_deleted)
    @rule(is_ordinary=ORDINARY)
    def delete(self, *, is_ordinary: bool) -> None:
        """A rollback of a creation, or the stack is deleted, perhaps after an Update that failed."""
        self.failed = ""
        if self.physical:
            self.may_cancel.add(self.physical)
        elif (create := [it for it in self.requests if it.type is CREATE][-1]).id in self.unheard and (
            not self._is_registered(create)
        ):
            # Known limit: retained right after its creation, and its name created anew by a request that never came.
            self.limits |= self.retained - self.named
        self.ask(DELETE, "delete", self.properties, {}, self.physical)
        self._live_through(is_ordinary=is_ordinary)

    @precondition(is_steady)
    @rule()
    def retain(self) -> None:
        self.is_live = False
        self.retained.add(self.physical)

    # --- Lambda and SQS -----------------------------------------------------------------------------------------------

    def _deliver(self, of: Request) -> Run:
        return self._invoke(Message(of, self.world.now, is_event=True))

    def _invoke(self, message: Message) -> Run:
        run = Run(self.world, message)
        self.runs.append(run)
        return run

    @precondition(lambda self: self.pending)
    @rule(steps=st.integers(0, 40))
    def deliver(self, steps: int) -> None:
        assert self.pending
        self._step(self._deliver(self.pending), steps)

    @precondition(lambda self: self.pending)
    @rule(again=st.booleans())
    def go_through(self, *, again: bool) -> None:
        """An ordinary day, so that there are long lives; perhaps another delivery is left in the middle."""
        request = self.pending
        assert request
        if again:
            self._step(self._deliver(request), 8)
        self._live_through(is_ordinary=True)

    def _live_through(self, *, is_ordinary: bool) -> None:
        if self.pending and is_ordinary:
            self._go_to_the_end(self._deliver(self.pending))
            if self._heard():
                self.hear()

    @precondition(lambda self: self.requests)
    @rule(age=st.integers(1, 6), steps=st.sampled_from([0, 10, 60]))
    def deliver_again(self, age: int, steps: int) -> None:
        request = self.requests[-min(age, len(self.requests))]
        if self.is_signed or self._is_registered(request):
            self._step(self._deliver(request), steps)

    @precondition(lambda self: self.world.queue)
    @rule(which=st.integers(0, 5), is_twice=st.booleans(), steps=st.sampled_from([0, 10, 60]))
    def message_comes(self, *, which: int, is_twice: bool, steps: int) -> None:
        queue = self.world.queue
        number = which % len(queue)
        self._step(self._invoke(queue[number] if is_twice else queue.pop(number)), steps)

    @precondition(lambda self: self.runs)
    @rule(which=st.integers(0, 5), steps=st.integers(1, 20))
    def go_on(self, which: int, steps: int) -> None:
        self._step(self.runs[which % len(self.runs)], steps)

    @precondition(lambda self: self.runs)
    @rule(which=st.integers(0, 5))
    def kill(self, which: int) -> None:
        self.runs.pop(which % len(self.runs)).kill()

    def _step(self, run: Run, steps: int) -> None:
        for _ in range(steps):
            if run.until > self.world.now or not run.step():
                break
        self.runs = [it for it in self.runs if not it.is_over]

    def _go_to_the_end(self, run: Run) -> None:
        """Do all steps, those of its messages included."""
        for looks in range(20_000):
            while run.step():
                pass
            self.runs = [it for it in self.runs if not it.is_over]
            if run.next is None:
                return
            self.world.queue.remove(run.next)
            self.world.advance(30.0 if looks < 40 else 600.0)
            run = self._invoke(run.next)
        raise AssertionError(("a delivery does not end", run.of))

    # --- time, Neptune, the table, the queue --------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([0.4, 1.0, 5.0, 31.0, 61.0, 140.0, 700.0, 4000.0, 90_000.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.advance(seconds)

    @rule(what=WEATHER)
    def something_is_not_as_it_should_be(self, what: tuple[str, Any]) -> None:
        name, value = what
        if name == "skew":
            self.skew = value
        elif name == "checks":
            self.world.checks = ["", "It is too long."] if value else ["It is too long."]
        elif not name.startswith("no_") or name in self.may_fail:
            setattr(self.world, name, self.world.now + value if name.endswith("until") else value)

    @precondition(lambda self: any(it.status in ALIVE for it in self.world.jobs.values()))
    @rule(which=st.integers(0, 5), is_good=st.booleans())
    def a_job_ends(self, *, which: int, is_good: bool) -> None:
        jobs = [it for it in self.world.jobs.values() if it.status in ALIVE]
        job = jobs[which % len(jobs)]
        job.status = Status.BROKEN if self.world.is_endpoint else Status.COMPLETED if is_good else Status.FAILED
        job.change = None

    @precondition(lambda self: set(FOREIGN) & self.deleted)
    @rule()
    def somebody_makes_it_anew(self) -> None:
        self.world.advance(LEASE_SECONDS)  # what was sent to its namesake is over
        for identity in sorted(set(FOREIGN) & self.deleted):
            if not self.is_over(identity):
                continue
            self.deleted.discard(identity)
            self.may_cancel.discard(identity)
            self.world.make(identity)

    # --- what must hold -----------------------------------------------------------------------------------------------

    def is_over(self, identity: str) -> bool:
        job = self.world.jobs.get(identity)
        runs = (*ALIVE, Status.STOPPING, Status.BROKEN)
        return job is None or job.status not in runs or identity in self.world.alarms

    @property
    def is_blind(self) -> bool:
        """Whether something was done that is not written down, for the journal could not be used."""
        return bool(self.world.unrecorded)

    @invariant()
    def nothing_is_started_twice(self) -> None:
        identities = [identity for identity, _ in self.world.started]
        assert len(identities) == len(set(identities)), identities
        by = [request.id for _, request in self.world.started]
        assert len(by) == len(set(by)), by

    @invariant()
    def each_start_and_cancellation_counts_once(self) -> None:
        is_once = {"started": True, "cancelled": not self.is_blind, "not cancelled": False}
        counted = [it for it in self.world.happened if is_once[it[0]] and it[1] not in FOREIGN]
        assert len(counted) == len(set(counted)), counted

    @invariant()
    def nothing_but_its_own_is_cancelled(self) -> None:
        by = dict(self.world.started)
        for identity, of in self.world.cancelled[self.checked :]:
            if identity in self.limits or self.is_blind:
                continue
            assert identity not in self.retained or identity in self.may_cancel, ("retained", identity, of)
            is_lost = identity in by and by[identity].id in self.unheard | self.failures
            assert identity in self.may_cancel or is_lost or self._fails(by.get(identity)), ("cancelled", identity, of)
        self.checked = len(self.world.cancelled)

    def _fails(self, request: Request | None) -> bool:
        """It is recorded, and not heard yet, that an Update has failed."""
        record: Record | None = self.world.entry.requests.get(request.id) if request and self.world.entry else None
        return bool(record and record.type is UPDATE and record.answer and record.answer.outcome is FAILED)

    @invariant()
    def no_older_change_comes_after_a_newer_one(self) -> None:
        for identity in {it for it, _ in self.world.changed}:
            numbers = [int(request.id[1:]) for it, request in self.world.changed if it == identity]
            assert numbers == sorted(numbers), (identity, numbers)

    @invariant()
    def a_request_has_one_outcome(self) -> None:
        types = {it.id: it.type for it in self.requests}
        for request_id, answers in self.world.told.items():
            outcomes = {(it.outcome, it.job) for it in answers}
            is_one = len(outcomes) == 1 or types[request_id] is DELETE or request_id in self.world.unrecorded
            assert is_one, (request_id, outcomes)

    @invariant()
    def what_is_deleted_stays_so(self) -> None:
        for identity in self.deleted:
            job = self.world.jobs.get(identity)
            assert job is None or job.status not in ALIVE, ("deleted", identity)

    def _messages_run(self) -> None:
        queue = self.world.queue
        for run in [it for it in self.runs if not it.is_over]:
            self._go_to_the_end(run)
        while queue:
            self._go_to_the_end(self._invoke(queue.pop(0)))

    def teardown(self) -> None:
        world = self.world
        world.calls, world.saves, world.checks, world.may_start = [], [], [], True
        # Nothing follows: what is closed, and what a failed Update has begun, comes to rest by itself.
        self._messages_run()
        for identity, job in (world.entry.jobs if world.entry else {}).items():
            by = {it.id for it in self.requests if it.is_delete and identity == it.names} | {job.closed_by}
            is_known = identity in world.alarms or by & world.unrecorded or self._is_pending_delete()
            assert not job.is_owed or is_known, ("owed", identity)
        for identity, request in world.started:
            if self._fails(request):
                assert self.is_over(identity), ("a failed Update's", identity)
        # Neptune is well again, and everything comes to an end.
        world.silent_until = world.stuck_until = world.no_table_until = world.no_writes_until = 0.0
        world.no_queue_until = 0.0
        self._everything_is_answered()
        self._messages_run()
        self._check()
        world.advance(REMEMBERED_SECONDS - 2 * 86400)  # as late as can be
        for request in self.requests:
            if self.is_signed or self._is_registered(request):
                self._go_to_the_end(self._deliver(request))
                assert world.told.get(request.id), ("unanswered", request)
        self._messages_run()
        world.advance(LEASE_SECONDS)
        self._check()
        if self.is_live:
            self.delete(is_ordinary=False)
            assert self.pending
            self._go_to_the_end(self._deliver(self.pending))
            self.hear()
            self.physical = ""
            self._messages_run()
            self._check()

    def _is_pending_delete(self) -> bool:
        """Whether a Delete is not answered yet: it waits for its jobs itself."""
        deletes = [it for it in self.requests if it.type is DELETE]
        return any(it.id not in self.world.told for it in deletes)

    def _everything_is_answered(self) -> None:
        world = self.world
        for number in range(60):
            if number == 20 and not world.is_endpoint:  # a rollback waits for a job that it had before, or a new one
                world.run_seconds = 300.0
                for job in world.jobs.values():
                    job.status = Status.COMPLETED if job.status is Status.RUNS else job.status
            if self.pending:
                is_in_time = world.now <= self.pending.until
                self._go_to_the_end(self._deliver(self.pending))
                if self._heard():
                    self.hear()
                else:
                    assert (answers := world.told.get(self.pending.id)), ("unanswered", self.pending)
                    assert not is_in_time or answers[0].at > self.pending.until, "answered too late"
                    self.give_up()
            elif self.failed:
                self.roll_back(is_ordinary=False)
            elif self.is_failed:
                self.delete(is_ordinary=False)
            elif self.replaced:
                self.complete(is_retained=False)
            elif self.clean_ups:
                self.clean_up(is_ordinary=False)
            else:
                return
        raise AssertionError("it does not come to rest")

    def _check(self) -> None:
        self.nothing_is_started_twice()
        self.nothing_but_its_own_is_cancelled()
        self.what_is_deleted_stays_so()
        self.a_request_has_one_outcome()
        self.no_older_change_comes_after_a_newer_one()
        if self.is_blind:
            return
        for identity, request in self.world.started:
            job = self.world.jobs.get(identity)
            is_stopping = job is not None and job.status is Status.STOPPING
            is_known = identity in self.retained | self.limits or (self.is_left and request is self.requests[-1])
            if not (is_known or is_stopping or self.is_over(identity)):
                assert self.is_live, ("left behind", identity, request)
                assert identity == self.physical, ("left behind", identity, request)
        job = self.world.jobs.get(self.physical)
        since: list[Request] = []  # the last success, and what has failed since and may have changed the job
        for request in self.requests:
            is_given = not request.is_delete and self._is_told(request, self.physical)
            since = [request] if is_given else [*since, request]
        if self.is_live and since[0].describes and job and job.status in ALIVE:
            assert job.value in {it.value for it in since}, "its value is another's"
