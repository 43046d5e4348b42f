"""What the provider knows about one resource, and how that changes: pure functions.

An entry has the resource's requests, in the order in which they registered, and its jobs. A write succeeds only if the
entry was not written since it was read. Nothing here calls a service or reads a clock. Times are in seconds since the
epoch. The key of a job is its identity as text, the physical ID of a resource that has it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SEND_SECONDS = 10.0
"""The longest time from writing a call down to sending it; for a cancellation, from reading the entry."""
CALL_SECONDS = 65.0
"""The longest that a call takes: five seconds to connect, and a minute for the response."""
VISIBLE_SECONDS = 60.0
"""The longest time from a call's response until Neptune shows the effect."""
LEASE_SECONDS = SEND_SECONDS + CALL_SECONDS + VISIBLE_SECONDS
SKEW_SECONDS = 5
"""The largest difference between two of AWS's clocks, including the truncation to whole seconds."""
REMEMBERED_SECONDS = 15 * 86400.0
"""How long answers and stopped jobs are kept, because a failed event can be replayed for 14 days."""

UNKNOWN = "?"
"""The value of a job when it is unknown which of two changes took effect."""


class RequestType(StrEnum):
    """What CloudFormation asks for."""

    CREATE = "Create"
    UPDATE = "Update"
    DELETE = "Delete"


class Outcome(StrEnum):
    """How a request ended."""

    SUCCESS = "SUCCESS"
    FAILED = "FAILED"


class Order(StrEnum):
    """The position of a request among those of its resource."""

    NEW = auto()
    CURRENT = auto()
    EARLIER = auto()


@dataclass(frozen=True)
class Request:
    """What a request asks for.

    Attributes:
        type: Its type.
        id: Its ID, which is the same for each delivery.
        signed_at: When CloudFormation signed it; `None` in emulators.
        until: Until when CloudFormation waits for the response.
        names: The job that CloudFormation names; empty if it names none.
        undoes: For a Delete that names no job, the Create whose response named none; empty if there is none.
        own: The job that it starts; empty if it starts none.
        adopts: The job that it adopts; empty if it describes one.
        describes: The part of the description that identifies the job; empty if it adopts one.
        value: The rest of the description, which can change in place.
        old_describes: `describes` before an Update.
        old_value: `value` before an Update.
        waits: Whether the job has to complete (`WaitForCompletion`) or stop (`WaitForStop`).
        problem: Why it fails, whatever the journal and Neptune say; empty if it is valid.
        refusal: Why the operator allows no starts and changes; empty if they are allowed.
        settings: The settings of its calls that another caller may need, such as those for a cancellation.
    """

    type: RequestType
    id: str
    signed_at: int | None
    until: float
    names: str = ""
    undoes: str = ""
    own: str = ""
    adopts: str = ""
    describes: str = ""
    value: str = ""
    old_describes: str = ""
    old_value: str = ""
    waits: bool = False
    problem: str = ""
    refusal: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_delete(self) -> bool:
        """Whether it is a Delete."""
        return self.type is RequestType.DELETE


@dataclass(frozen=True)
class Answer:
    """The answer to a request; `job` is empty if it names none."""

    outcome: Outcome
    job: str
    reason: str = ""


@dataclass(frozen=True)
class Record:
    """A request that the provider has seen.

    Attributes:
        number: Its number in the order of registration; 0 if it came too late to register.
        type: Its type.
        signed_at: When CloudFormation signed it.
        seen: When it was first seen, by the provider's clock.
        answer: Its answer. The FAILED of a Delete is not final, and not kept.
        answered: When it was answered, by the provider's clock.
    """

    number: int
    type: RequestType
    signed_at: int | None
    seen: float
    answer: Answer | None = None
    answered: float | None = None


@dataclass(frozen=True)
class Change:
    """A change in place whose outcome is not known yet.

    Attributes:
        value: The job's value before the change.
        arns: The job's ARNs in SageMaker before the change.
        visible_at: By when Neptune shows that the job is changing.
        to: The job's value after the change.
    """

    value: str
    arns: str
    visible_at: float
    to: str = ""


@dataclass(frozen=True)
class Job:
    """A job of the resource.

    Attributes:
        by: The request that began it; empty if it was adopted, or if that is unknown.
        begun: When it was begun.
        life: The number of the Create in whose life it was begun.
        describes: The part of its description that identifies it.
        value: The rest of its description; while a call is under way, from before the call.
        call: The attempt whose start or change may still take effect.
        until: Until when it may.
        change: The change that Neptune accepted, and whose outcome is not known yet.
        is_told: Whether an answer to CloudFormation named it.
        is_named: Whether CloudFormation has named it, or no longer needs to.
        since: The number of the newest request that named or adopted it.
        closed: Since when it has to be cancelled. This is final: it is never started, changed or adopted again.
        closed_by: The request that closed it.
        gone: Since when it is known to have stopped.
        attributes: The attributes that `Fn::GetAtt` last returned.
        seen: When Neptune reported them.
        settings: The settings of its cancellation; empty if only its Delete can close it.
    """

    by: str = ""
    begun: float | None = None
    life: int = 0
    describes: str = ""
    value: str = ""
    call: str = ""
    until: float = 0.0
    change: Change | None = None
    is_told: bool = False
    is_named: bool = False
    since: int = 0
    closed: float | None = None
    closed_by: str = ""
    gone: float | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    seen: float | None = None
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Whether a resource may use, change and return to it."""
        return self.closed is None and self.gone is None

    @property
    def is_owed(self) -> bool:
        """Whether it has to be cancelled, and is not known to have stopped."""
        return self.closed is not None and self.gone is None


@dataclass(frozen=True)
class Entry:
    """What the provider knows about a resource.

    Attributes:
        newest: The ID of the request that registered last.
        count: How many requests have registered.
        life: The number of the newest Create.
        requests: The requests, by ID.
        jobs: The jobs, by identity.
    """

    newest: str = ""
    count: int = 0
    life: int = 0
    requests: Mapping[str, Record] = field(default_factory=dict)
    jobs: Mapping[str, Job] = field(default_factory=dict)

    def order(self, request: Request) -> Order:
        """Return the position of a request, by the time at which it was signed.

        CloudFormation sends a request after it has the answer to the previous one, or has given that up. So a new
        request is newer even if it was signed in the same second, or slightly before the newest one was answered. This
        does not apply to a Create: two lives are further apart than two clocks.
        """
        if request.id in self.requests:
            return Order.CURRENT if request.id == self.newest else Order.EARLIER
        newest = self.requests.get(self.newest)
        if newest is None or newest.signed_at is None or request.signed_at is None:
            return Order.NEW
        if request.signed_at > newest.signed_at:
            return Order.NEW
        if request.type is RequestType.CREATE:
            return Order.EARLIER
        follows = newest.answered is not None and request.signed_at >= newest.answered - SKEW_SECONDS
        return Order.NEW if request.signed_at == newest.signed_at or follows else Order.EARLIER

    def place(self, request: Request) -> int:
        """Return the number of a request. If it came too late to register, return that of the last one before it."""
        record = self.requests.get(request.id)
        if record is not None and record.number:
            return record.number
        signed_at = (request.signed_at or 0) + SKEW_SECONDS
        return max((it.number for it in self.requests.values() if (it.signed_at or 0) <= signed_at), default=0)

    def life_of(self, request: Request) -> int:
        """Return the number of the Create in whose life a request was sent."""
        place = self.place(request)
        if place >= self.life:  # even if its Create is forgotten
            return self.life
        creates = (it.number for it in self.requests.values() if it.type is RequestType.CREATE)
        return max((number for number in creates if number <= place), default=0)

    def is_undone(self, job: Job, request: Request) -> bool:
        """Tell whether a Delete that names no job is about this one: the failed Create, or its life, began it."""
        return job.by == request.undoes if request.undoes else job.life == self.life_of(request)

    def with_job(self, identity: str, job: Job | None) -> Entry:
        """Replace a job; `None` removes it."""
        others = {name: it for name, it in self.jobs.items() if name != identity}
        return replace(self, jobs=others if job is None else {**others, identity: job})

    def with_record(self, request_id: str, record: Record) -> Entry:
        """Replace a request."""
        return replace(self, requests={**self.requests, request_id: record})


# --- requests ---------------------------------------------------------------------------------------------------------


def register(before: Entry | None, request: Request, now: float) -> Entry:
    """Make a request the newest, and close the jobs that CloudFormation cannot name any more."""
    entry = _pruned(before or Entry(), now)
    number = entry.count + 1
    if entry.newest:
        entry = refuse(entry, entry.newest, entry.requests[entry.newest], now)
    entry = replace(entry, newest=request.id, count=number)
    entry = entry.with_record(request.id, Record(number, request.type, request.signed_at, now))
    if request.type is RequestType.CREATE:
        entry = replace(entry, life=number)
    jobs = _taken_up(entry.jobs, request, number)
    # A job that CloudFormation can name is forgotten with the last request that did.
    remembered = {0, *(record.number for record in entry.requests.values())}
    kept = {it: job for it, job in jobs.items() if not (job.is_open and job.is_named) or job.since in remembered}
    entry = replace(entry, jobs=kept)
    for identity, job in entry.jobs.items():
        is_used = identity in (request.names, request.adopts)
        if not is_used and job.by and job.is_open and _cannot_be_named(job, request, entry):
            entry = close(entry, identity, now, request)
        elif request.type is RequestType.CREATE and job.is_told:
            entry = entry.with_job(identity, replace(job, is_named=True))
    if request.is_delete and request.names and not request.problem and entry.jobs[request.names].gone is None:
        entry = close(entry, request.names, now, request)
    return entry


def _taken_up(before: Mapping[str, Job], request: Request, number: int) -> dict[str, Job]:
    """Note which jobs a request names or adopts. An unknown one was moved here, or the journal was lost."""
    jobs = dict(before)
    if request.names:
        unknown = Job(describes=request.old_describes, value=request.old_value)
        jobs.setdefault(request.names, unknown)
    if request.adopts:
        jobs.setdefault(request.adopts, Job())
    for identity in {request.names, request.adopts} & jobs.keys():
        job = jobs[identity]
        if job.is_owed and not request.is_delete:
            continue
        if job.gone is not None and not request.is_delete:
            job = Job()
        jobs[identity] = replace(job, since=number, is_named=job.is_named or identity == request.names)
    return jobs


def _cannot_be_named(job: Job, request: Request, entry: Entry) -> bool:
    if job.is_named:
        return False
    if not job.is_told or request.type is RequestType.UPDATE:
        return True
    return request.is_delete and not request.names and entry.is_undone(job, request)


def refuse(entry: Entry, request_id: str, record: Record, now: float) -> Entry:
    """Record that a Create or an Update failed because a later request registered before it was answered.

    Args:
        entry: The entry.
        request_id: The earlier request.
        record: Its record, which may be new.
        now: The time.
    """
    if record.type is not RequestType.DELETE and record.answer is None:
        record = replace(record, answer=Answer(Outcome.FAILED, "", LATER_REQUEST), answered=now)
    return entry.with_record(request_id, record)


#: The request was delivered late or twice, and started nothing.
LATER_REQUEST = "A later request from CloudFormation has replaced this one."


def answer(entry: Entry, request: Request, told: Answer, now: float) -> Entry:
    """Record the answer to a request, before it is sent. A failed Update closes the job that it began."""
    record = entry.requests.get(request.id) or Record(0, request.type, request.signed_at, now)
    is_final = not request.is_delete or told.outcome is Outcome.SUCCESS
    record = replace(record, answer=told if is_final else None, answered=now)
    entry = entry.with_record(request.id, record)
    own = entry.jobs.get(request.own)
    if own and own.is_open and request.type is RequestType.UPDATE and told.outcome is Outcome.FAILED:
        entry = close(entry, request.own, now, request)
    if not request.is_delete and told.job in entry.jobs:
        entry = entry.with_job(told.job, replace(entry.jobs[told.job], is_told=True, since=record.number))
    return entry


# --- jobs -------------------------------------------------------------------------------------------------------------


def intend(entry: Entry, identity: str, request: Request, call: str, *, now: float, arns: str | None = None) -> Entry:
    """Write a start or a change down before it is sent."""
    job = entry.jobs.get(identity)
    if job is None:
        job = Job(by=request.id, begun=now, life=entry.life, describes=request.describes, settings=request.settings)
    is_pending = job.call or (job.change is not None and job.change.arns == arns)
    value = UNKNOWN if is_pending else job.value  # an earlier attempt may take effect or not
    change = Change(value, arns, 0.0, request.value) if arns is not None else None
    number = entry.requests[request.id].number
    lease = now + LEASE_SECONDS
    return entry.with_job(identity, replace(job, call=call, until=lease, value=value, change=change, since=number))


def settle(entry: Entry, identity: str, value: str, *, visible_at: float | None = None) -> Entry:
    """Record that a call is over.

    Args:
        entry: The entry.
        identity: The job.
        value: The job's value now.
        visible_at: When Neptune shows the job's change, whose outcome is not known yet; `None` if no change is pending.
    """
    job = entry.jobs[identity]
    change = replace(job.change, visible_at=visible_at) if job.change and visible_at is not None else None
    return entry.with_job(identity, replace(job, call="", value=value, change=change))


def close(entry: Entry, identity: str, now: float, request: Request, place: int = 0) -> Entry:
    """Close a job: from now on, it has to be cancelled."""
    job = entry.jobs.get(identity) or Job(is_named=True, since=place)
    if job.is_owed:
        return entry
    settings = request.settings if request.is_delete and identity == request.names else job.settings
    return entry.with_job(identity, replace(job, closed=now, closed_by=request.id, gone=None, settings=settings))


def gone(entry: Entry, identity: str, now: float) -> Entry:
    """Record that a job has stopped. It is kept, so that a replayed Delete does not cancel a later job with its ID."""
    job = entry.jobs[identity]
    return entry.with_job(identity, Job(by=job.by, gone=now))


def made_anew(entry: Entry, identity: str, request: Request) -> Entry:
    """Record that a later request adopts a new job with the ID of one that has stopped."""
    number = entry.requests[request.id].number
    return entry.with_job(identity, Job(since=number))


def forget(entry: Entry, identity: str) -> Entry:
    """Forget a job that Neptune did not start."""
    return entry.with_job(identity, None)


def _pruned(entry: Entry, now: float) -> Entry:
    last = now - REMEMBERED_SECONDS
    requests = {name: it for name, it in entry.requests.items() if it.seen > last or name == entry.newest}
    jobs = {name: it for name, it in entry.jobs.items() if it.gone is None or it.gone > last}
    return replace(entry, requests=requests, jobs=jobs)
