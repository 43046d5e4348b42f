"""What is around the provider, played: the journal's table, Neptune, the queue, and invocations, step by step.

A `Run` is an invocation for one look, or for more if the queue takes no message. It can be left between any two steps,
for as long as an invocation lasts, and killed there. The provider's own `Delivery` says what is done.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from provider.journal.entry import CALL_SECONDS, VISIBLE_SECONDS, Entry, Outcome, Request, RequestType
from provider.journal.errors import Conflict, JournalUnavailable
from provider.kinds.kind import Words
from provider.lifecycle.delivery import Ask, Check, Delivery, Happened, Read, Reply, Save, Send
from provider.lifecycle.patience import Fault, Patience
from provider.lifecycle.plan import INVOCATION_SECONDS, Result, Seen
from provider.lifecycle.terms import Told, Waiting
from provider.look import Look, Status

if TYPE_CHECKING:
    from collections.abc import Generator

    from provider.lifecycle.delivery import Effect

HOST = "ml.example:8182"
FOREIGN = (f"{HOST}/foreign-a", f"{HOST}/foreign-b", "other.example:8182/foreign-a")
"""Jobs that somebody else has made, the first and the last of one ID."""
CALL_MODES = ("ok", "ok", "lost", "unanswered", "late", "refused", "turned down", "undone", "slow")
"""What becomes of a call that is no look. "late": no answer, and its effect comes later; "slow": that is seen later."""
SAVE_MODES = ("ok", "ok", "lost", "unanswered", "lost in a conflict", "unanswered in a conflict")
ALIVE = (Status.RUNS, Status.READY)
ENDING_SECONDS = 60.0
"""An invocation stops waiting so long before it has to be over."""
_MOST_STEPS = 20_000
_looks = itertools.count()


@dataclass
class Change:
    """A change of an endpoint that Neptune has accepted."""

    value: str
    shown_at: float
    over_at: float
    is_undone: bool


@dataclass
class NeptuneJob:
    value: str
    status: Status
    arns: str = "arns-0"
    shown_at: float = 0.0
    ready_at: float = 0.0
    """Until then an endpoint is being created."""
    completes_at: float = 1e9
    stops_at: float | None = None
    failure: str = ""
    change: Change | None = None

    def status_at(self, now: float) -> Status:
        if self.status is Status.READY:
            is_changing = self.change is not None and now >= self.change.shown_at
            return Status.RUNS if is_changing or now < self.ready_at else Status.READY
        return self.status


@dataclass(eq=False)
class Message:
    """A delivery of a request, or a closed job's message."""

    of: Request | str
    sent_at: float
    patience: Patience = field(default_factory=Patience)
    is_event: bool = False


@dataclass
class Answer:
    outcome: Outcome
    job: str
    at: float
    told: Told


@dataclass
class World:
    is_endpoint: bool = False
    remembers_ids: bool = True
    """Whether a job that has stopped can still be looked up, and its ID is taken for good."""
    stop_seconds: float = 0.0
    ready_seconds: float = 0.0
    """How long an endpoint takes to be created or changed."""
    run_seconds: float = 1e9
    """How long another job takes."""
    now: float = 10_000.0
    # The table
    entry: Entry | None = None
    revision: int = 0
    saves: list[str] = field(default_factory=list)
    no_table_until: float = 0.0
    no_writes_until: float = 0.0
    # Neptune
    jobs: dict[str, NeptuneJob] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)
    silent_until: float = 0.0
    stuck_until: float = 0.0
    """Until then no job can be cancelled."""
    later: list[tuple[float, str, str, Request | str]] = field(default_factory=list)
    # The queue, and CloudFormation
    queue: list[Message] = field(default_factory=list)
    no_queue_until: float = 0.0
    may_start: bool = True
    checks: list[str] = field(default_factory=list)
    # What has happened
    started: list[tuple[str, Request]] = field(default_factory=list)
    changed: list[tuple[str, Request]] = field(default_factory=list)
    cancelled: list[tuple[str, Request | str]] = field(default_factory=list)
    told: dict[str, list[Answer]] = field(default_factory=dict)
    unrecorded: set[str] = field(default_factory=set)
    """Requests that were answered, or whose job was cancelled, and the journal could not be used."""
    unread: set[str] = field(default_factory=set)
    """Requests that could not read the journal."""
    happened: list[tuple[str, str]] = field(default_factory=list)
    reads_and_writes: list[int] = field(default_factory=lambda: [0, 0])

    def __post_init__(self) -> None:
        for identity in FOREIGN:
            self.make(identity)

    def clock(self) -> float:
        return self.now

    @property
    def alarms(self) -> set[str]:
        return {job for what, job in self.happened if what == "not cancelled"}

    # --- the table ----------------------------------------------------------------------------------------------------

    def read(self) -> tuple[Entry | None, int]:
        self.reads_and_writes[0] += 1
        if self.now < self.no_table_until:
            raise JournalUnavailable("The table cannot be reached.")
        return self.entry, self.revision

    def save(self, entry: Entry, revision: int) -> None:
        if self.now < max(self.no_table_until, self.no_writes_until):
            raise JournalUnavailable("The table cannot be written.")
        mode = self.saves.pop(0) if self.saves else "ok"
        if not mode.startswith("lost"):
            if not self._may_write(revision):
                raise Conflict
            self.entry, self.revision = entry, revision + 1
            self.reads_and_writes[1] += 1
        if mode.endswith("conflict"):
            raise Conflict
        if mode != "ok":
            raise JournalUnavailable("There is no answer.")

    def _may_write(self, revision: int) -> bool:
        return revision == self.revision

    # --- Neptune ------------------------------------------------------------------------------------------------------

    def make(self, identity: str) -> None:
        """Have somebody else make a job."""
        self.jobs[identity] = NeptuneJob("foreign", Status.READY if self.is_endpoint else Status.RUNS)

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        for effect in sorted(self.later, key=lambda it: it[0]):
            if effect[0] <= end:
                self.later.remove(effect)
                self.now = max(self.now, effect[0])
                self._settle()
                self._effect(*effect[1:], "late")
        self.now = max(self.now, end)
        self._settle()

    def _settle(self) -> None:
        """Do what passes by itself."""
        for identity, job in list(self.jobs.items()):
            change = job.change
            if change is not None and self.now >= change.over_at:
                job.change = None
                job.failure = "There are no such instances." if change.is_undone else ""
                if not change.is_undone:
                    job.value, job.arns = change.value, f"arns-{len(self.changed)}"
            if job.status is Status.RUNS and self.now >= job.completes_at:
                job.status = Status.COMPLETED
            if job.stops_at is not None and self.now >= job.stops_at:
                job.status = Status.STOPPED
                if self.is_endpoint or not self.remembers_ids:
                    del self.jobs[identity]

    def _effect(self, verb: str, identity: str, of: Request | str, mode: str = "ok") -> Result:
        request = of if isinstance(of, Request) else None
        job = self.jobs.get(identity)
        status = job.status_at(self.now) if job and job.shown_at <= self.now else Status.ABSENT
        lag = VISIBLE_SECONDS / 2 if mode in ("late", "slow") else 0.0
        if verb == "start" and request:
            if job or (self.remembers_ids and identity in self.ids):
                return Result.UNCLEAR  # the ID is taken
            self.ids.add(identity)
            self.started.append((identity, request))
            status = Status.READY if self.is_endpoint else Status.RUNS
            ready_at = self.now + lag + self.ready_seconds
            self.jobs[identity] = NeptuneJob(request.value, status, shown_at=self.now + lag, ready_at=ready_at)
            self.jobs[identity].completes_at = self.now + self.run_seconds
        elif verb == "change" and request:
            if job is None or status is not Status.READY or job.change:
                return Result.WITHOUT_EFFECT if job and status in ALIVE else Result.REFUSED
            self.changed.append((identity, request))
            shown_at = self.now + lag
            job.change = Change(request.value, shown_at, shown_at + self.ready_seconds, mode == "undone")
        elif verb == "cancel":
            if job is None or status is Status.ABSENT:
                return Result.ACCEPTED  # there is nothing to cancel
            if self.now < self.stuck_until:
                return Result.WITHOUT_EFFECT
            if status in ALIVE or status is Status.BROKEN:
                self.cancelled.append((identity, of))
                job.status, job.stops_at, job.change = Status.STOPPING, self.now + self.stop_seconds, None
        self._settle()
        return Result.ACCEPTED

    def look(self, identity: str) -> Reply:
        if self.now < self.silent_until:
            return Reply(fault=Fault.SILENCE, words="There is no connection.")
        job = self.jobs.get(identity)
        if job is None or job.shown_at > self.now:
            return Reply(Look(Status.ABSENT, "There is no such job."))
        status = job.status_at(self.now)
        return Reply(Look(status, status.name, job.arns, job.failure, {"Status": status.name, "Value": job.value}))

    def call(self, verb: str, identity: str, of: Request | str) -> Reply:
        mode = self.calls.pop(0) if self.calls else "ok"
        if self.now < self.silent_until:
            mode = "lost" if mode == "ok" else "turned down"
        if mode == "refused" and verb != "cancel":
            return Reply(result=Result.REFUSED, fault=Fault.REFUSAL, words="A parameter is wrong.")
        if mode in ("refused", "turned down"):
            return Reply(result=Result.WITHOUT_EFFECT, fault=Fault.SILENCE, words="There are too many requests.")
        if mode == "late":
            self.later.append((self.now + CALL_SECONDS, verb, identity, of))
        is_answered = mode in ("ok", "undone", "slow")
        result = self._effect(verb, identity, of, mode) if is_answered or mode == "unanswered" else Result.UNCLEAR
        if is_answered and result is Result.WITHOUT_EFFECT:
            return Reply(result=result, fault=Fault.REFUSAL, words="It cannot be done now.")
        return Reply(result=result if is_answered else Result.UNCLEAR)


class Run:
    """An invocation.

    A step is what the provider does up to its next access to anything, or that access. A call of Neptune follows at
    once upon the decision to send it, for between the two the provider only checks the time.
    """

    def __init__(self, world: World, message: Message) -> None:
        self.world = world
        self.message = message
        self.invoked = world.now
        self.until = 0.0
        self._steps_done = 0
        self.is_over = False
        self.next: Message | None = None
        """What goes on with it."""
        self._patience = message.patience
        self._told: Told | None = None
        self._begin()

    @property
    def of(self) -> Request | str:
        return self.message.of

    def _begin(self, ended: str = "") -> None:
        """Begin a look."""
        seen = Seen(f"look-{next(_looks)}", self.world.clock(), self._patience, began=self.message.sent_at)
        look = Delivery(seen, self.world.clock, Words(), ended)
        self._seen = seen
        self._is_blind = False
        self.effect: Effect | None = None
        self.asked: Ask | None = None
        self._waiting: Waiting | None = None
        self._answer: object = None
        self._steps: Generator[Effect, Any, Told | Waiting | None]
        if isinstance(self.of, str):
            self._steps = look.of_owed(self.of)
            return
        request = self.of if self.world.may_start else replace(self.of, refusal="This provider starts no jobs.")
        self._steps = look.of(request, needs_journal=not (request.names if request.is_delete else request.adopts))

    def kill(self) -> None:
        self.is_over = True
        if not self.message.is_event:
            self._send(self.message)  # it comes again

    def _send(self, message: Message) -> None:
        self.next = message
        self.world.queue.append(message)

    def step(self) -> bool:
        """Do a step; false if the invocation is over."""
        world, self._steps_done = self.world, self._steps_done + 1
        assert self._steps_done < _MOST_STEPS, ("an invocation does not end", self.of)
        if self.until > world.now:
            world.advance(self.until - world.now)
        if world.now > self.invoked + INVOCATION_SECONDS:
            self.kill()
        elif self._told is not None:
            self._tell(self._told)
        elif self._waiting is not None:
            self._wait(self._waiting)
        elif self.effect is not None:
            self._do(self.effect)
        else:
            self._go_on()
        return not self.is_over

    def _go_on(self) -> None:
        answer, self._answer = self._answer, None
        try:
            effect = self._steps.throw(answer) if isinstance(answer, Exception) else self._steps.send(answer)
        except StopIteration as end:
            self._end(end.value)
            return
        self.effect = effect
        if isinstance(effect, Ask):
            self._do(effect)

    def _end(self, value: Told | Waiting | None) -> None:
        if isinstance(value, Told):
            self._told = value
        elif isinstance(value, Waiting):
            assert value.reason
            self._waiting = value
        else:
            self.is_over = True

    def _tell(self, told: Told) -> None:
        assert isinstance(self.of, Request)
        assert (told.outcome is Outcome.FAILED) == bool(told.reason), told
        answers = self.world.told.setdefault(self.of.id, [])
        answers.append(Answer(told.outcome, told.physical_id, self.world.now, told))
        if self._is_blind:
            self.world.unrecorded.add(self.of.id)
        self.is_over = True

    def _wait(self, waiting: Waiting) -> None:
        """Have a message go on; without the queue, wait here for as long as there is time."""
        world, self._patience = self.world, waiting.patience
        if world.now >= world.no_queue_until:
            self._send(Message(self.of, self.message.sent_at, waiting.patience))
            self.is_over = True
            return
        is_late = world.now > self.invoked + INVOCATION_SECONDS - ENDING_SECONDS
        if is_late and isinstance(self.of, str):
            self.kill()
            return
        self.until = world.now + 5
        self._begin("The invocation is over, and there is no queue." if is_late else "")

    def _do(self, effect: Effect) -> None:
        self.effect = None
        try:
            self._answer = self._done(effect)
        except (Conflict, JournalUnavailable) as error:
            self._is_blind = self._is_blind or isinstance(error, JournalUnavailable)
            if isinstance(effect, Read) and isinstance(self.of, Request):
                self.world.unread.add(self.of.id)
            self._answer = error

    def _done(self, effect: Effect) -> object:  # noqa: PLR0911 - one for each effect
        world = self.world
        match effect:
            case Read():
                return world.read()
            case Save():
                world.save(effect.entry, effect.revision)
                return None
            case Send():
                if world.now < world.no_queue_until:
                    return False
                world.queue.append(Message(effect.job, world.now))
                return True
            case Check():
                return world.checks.pop(0) if world.checks else ""
            case Happened():
                world.happened.append((effect.what, effect.job))
                return None
            case Ask():
                return self._ask(effect)

    def _ask(self, ask: Ask) -> Reply:
        self.asked = ask
        request = self.of if isinstance(self.of, Request) else None
        job = ask.of.jobs.get(ask.job) if ask.of else None
        is_unsent = ask.verb == "cancel" and self.world.now < self.world.no_queue_until
        if request and request.type is not RequestType.DELETE and job and job.is_owed:
            assert is_unsent or (ask.verb == "look" and ask.job == request.adopts), (
                "waits for what another owes",
                request,
                ask,
            )
        if ask.verb == "look":
            return self.world.look(ask.job)
        if ask.verb == "cancel":
            assert request or (job and job.settings), "nobody knows how to cancel it"
            if self._is_blind and request:
                self.world.unrecorded.add(request.id)
        else:
            assert not self._is_blind, ("begun without the journal", request)
        return self.world.call(ask.verb, ask.job, self.of)


def own(request_id: str) -> str:
    """The job that a request starts."""
    return f"{HOST}/job-{request_id}"
