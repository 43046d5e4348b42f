"""What is known of one resource, and its pure changes.

An entry holds the resource's requests, in the order in which they registered, and its jobs. It is written only on
condition that nobody has written since it was read. Nothing here asks anybody or reads a clock; times are seconds since
the epoch. A job is named by its identity as text: the physical id of a resource that has it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SEND_SECONDS = 10.0
"""A call is sent at most so long after it was written down; a cancellation, after the entry was read."""
CALL_SECONDS = 65.0
"""The longest that a call takes: five seconds to connect, a minute for its answer."""
VISIBLE_SECONDS = 60.0
"""What a call did can be seen in Neptune so long after it was answered."""
LEASE_SECONDS = SEND_SECONDS + CALL_SECONDS + VISIBLE_SECONDS
SKEW_SECONDS = 5
"""The most by which two of AWS's clocks differ, the truncation to whole seconds included."""
REMEMBERED_SECONDS = 15 * 86400.0
"""A failed event can be replayed for 14 days: so long is known what was answered, and which jobs are gone."""

UNKNOWN = "?"
"""What a job is when nobody knows which of two changes it has undergone."""


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
    """Where a request stands among those of its resource."""

    NEW = "new"
    CURRENT = "current"
    EARLIER = "earlier"


@dataclass(frozen=True)
class Request:
    """What a request asks of a resource's jobs.

    Attributes:
        type: What CloudFormation asks for.
        id: Its id, the same for each delivery.
        signed_at: When CloudFormation signed it; `None` in emulators.
        until: For how long CloudFormation waits for its answer.
        names: The job that CloudFormation names; empty if it names none.
        undoes: Of a Delete that names none, the Create that was answered with none; empty if none was heard.
        own: The job that it starts, if it starts one.
        adopts: The job that its properties name; empty if they describe one.
        describes: What makes a job another one, as text; empty if it adopts one.
        value: What else describes a job, and can be changed in place.
        old_describes: The same of the properties before an Update.
        old_value: Likewise.
        waits: Whether a job is to have completed (`WaitForCompletion`), or stopped (`WaitForStop`).
        problem: Why it fails whatever the journal and Neptune say; empty if nothing is wrong with it.
        refusal: Why the operator lets the provider start and change nothing; empty if it may.
        settings: What the cancellation of a job that it begins carries.
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
    """What CloudFormation is told of a request; `job` is empty if it is told of none."""

    outcome: Outcome
    job: str
    reason: str = ""


@dataclass(frozen=True)
class Record:
    """A request that was seen.

    Attributes:
        number: The order of registration; 0 if it came too late to register.
        type: What was asked.
        signed_at: When CloudFormation signed it.
        seen: When it was seen first, by the provider's clock.
        answer: What it was answered; a Delete's FAILED is not final, and not kept.
        answered: When, by the provider's clock.
    """

    number: int
    type: RequestType
    signed_at: int | None
    seen: float
    answer: Answer | None = None
    answered: float | None = None


@dataclass(frozen=True)
class Change:
    """A change in place that Neptune was asked for, and whose outcome is not known yet.

    Attributes:
        value: What the job was before.
        arns: Its ARNs in SageMaker then.
        visible_at: By then, Neptune shows that it changes.
        to: What it is to be.
    """

    value: str
    arns: str
    visible_at: float
    to: str = ""


@dataclass(frozen=True)
class Job:
    """A job of the resource.

    Attributes:
        by: The request that began it; empty if it was adopted, or is not known.
        begun: When.
        life: The number of the Create in whose life it was begun.
        describes: What it was begun with.
        value: What else describes it; while a call is under way, what it was before.
        call: The attempt whose start or change is not known to be over.
        until: By then it is.
        change: What was accepted, and is not known to have come about.
        is_told: Whether CloudFormation has been answered with it.
        is_named: Whether CloudFormation has named it, or has let it go.
        since: The number of the newest request that named it or took it up.
        closed: Since when it is to be cancelled. That is for good: it is never started, changed or adopted any more.
        closed_by: The request that has closed it.
        gone: Since when it is known to have stopped.
        attributes: What `Fn::GetAtt` returned last.
        seen: When that was what Neptune said.
        settings: What its cancellation carries.
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
        """Whether it may be had, changed and gone back to."""
        return self.closed is None and self.gone is None

    @property
    def is_let_go(self) -> bool:
        """Whether nothing has to be known of it unless a request names it again."""
        return self.is_open and self.is_named

    @property
    def is_owed(self) -> bool:
        """Whether it is to be cancelled, and not known to have stopped."""
        return self.closed is not None and self.gone is None


@dataclass(frozen=True)
class Entry:
    """What is known of a resource.

    Attributes:
        newest: The request that registered last.
        count: How many have registered.
        life: The number of the newest Create.
        requests: The requests, by their ids.
        jobs: The jobs, by their identities.
    """

    newest: str = ""
    count: int = 0
    life: int = 0
    requests: Mapping[str, Record] = field(default_factory=dict)
    jobs: Mapping[str, Job] = field(default_factory=dict)

    def order(self, request: Request) -> Order:
        """Tell where a request stands: by when it was signed.

        CloudFormation sends a request when the one before was answered or given up. So what was not seen yet is newer
        also in the same second, or when it was signed hardly before the newest was answered. A Create is not: between
        two lives the clocks go on by more than they differ.
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
        """Return the number of a request; for one that came too late to register, that of the last one before it."""
        record = self.requests.get(request.id)
        if record is not None and record.number:
            return record.number
        signed_at = (request.signed_at or 0) + SKEW_SECONDS
        return max((it.number for it in self.requests.values() if (it.signed_at or 0) <= signed_at), default=0)

    def life_of(self, request: Request) -> int:
        """Return the number of the Create in whose life a request was sent."""
        place = self.place(request)
        if place >= self.life:  # also when its Create is forgotten
            return self.life
        creates = (it.number for it in self.requests.values() if it.type is RequestType.CREATE)
        return max((number for number in creates if number <= place), default=0)

    def is_undone(self, job: Job, request: Request) -> bool:
        """Tell whether a Delete that names no job is about one: the Create that has failed, or its life, began it."""
        return job.by == request.undoes if request.undoes else job.life == self.life_of(request)

    def with_job(self, identity: str, job: Job | None) -> Entry:
        """Replace what is known of a job; `None` forgets it."""
        others = {name: it for name, it in self.jobs.items() if name != identity}
        return replace(self, jobs=others if job is None else {**others, identity: job})

    def with_record(self, request_id: str, record: Record) -> Entry:
        """Replace what is known of a request."""
        return replace(self, requests={**self.requests, request_id: record})


# --- requests ---------------------------------------------------------------------------------------------------------


def register(before: Entry | None, request: Request, now: float) -> Entry:
    """Make a request the newest, and close the jobs that CloudFormation cannot name any more."""
    entry = _pruned(before or Entry(), now)
    number = entry.count + 1
    if entry.newest:
        entry = refuse(entry, entry.newest, now)
    entry = replace(entry, newest=request.id, count=number)
    entry = entry.with_record(request.id, Record(number, request.type, request.signed_at, now))
    if request.type is RequestType.CREATE:
        entry = replace(entry, life=number)
    jobs = _taken_up(entry.jobs, request, number)
    remembered = {0, *(record.number for record in entry.requests.values())}
    entry = replace(entry, jobs={it: job for it, job in jobs.items() if not job.is_let_go or job.since in remembered})
    for identity, job in entry.jobs.items():
        if identity != request.names and job.by and job.is_open and _cannot_be_named(job, request, entry):
            entry = close(entry, identity, now, request)
        elif request.type is RequestType.CREATE and job.is_told:
            entry = entry.with_job(identity, replace(job, is_named=True))
    if request.is_delete and request.names and not request.problem and entry.jobs[request.names].gone is None:
        entry = close(entry, request.names, now, request)
    return entry


def _taken_up(before: Mapping[str, Job], request: Request, number: int) -> dict[str, Job]:
    """Note which jobs a request names or adopts. One that is not known was moved here, or the journal was lost."""
    jobs = dict(before)
    if request.names:
        unknown = Job(describes=request.old_describes, value=request.old_value, settings=request.settings)
        jobs.setdefault(request.names, unknown)
    if request.adopts:
        jobs.setdefault(request.adopts, _made_anew(request))
    for identity in {request.names, request.adopts} & jobs.keys():
        job = jobs[identity]
        if job.is_owed and not request.is_delete:
            continue
        if job.gone is not None and not request.is_delete:
            job = _made_anew(request)
        jobs[identity] = replace(job, since=number, is_named=job.is_named or identity == request.names)
    return jobs


def _cannot_be_named(job: Job, request: Request, entry: Entry) -> bool:
    if job.is_named:
        return False
    if not job.is_told or request.type is RequestType.UPDATE:
        return True
    return request.is_delete and not request.names and entry.is_undone(job, request)


def refuse(entry: Entry, request_id: str, now: float, unseen: Request | None = None) -> Entry:
    """Record that a Create or Update has failed that was not answered when a later request registered.

    Args:
        entry: The entry.
        request_id: The earlier request.
        now: The time.
        unseen: The earlier request, if it may not have been seen yet.

    Returns:
        The entry, in which it is seen.
    """
    record = entry.requests.get(request_id)
    if record is None and unseen is not None:
        record = Record(0, unseen.type, unseen.signed_at, now)
    if record is None:
        return entry
    if record.type is not RequestType.DELETE and record.answer is None:
        record = replace(record, answer=Answer(Outcome.FAILED, "", LATER_REQUEST), answered=now)
    return entry.with_record(request_id, record)


#: The request was delivered late or twice, and started nothing.
LATER_REQUEST = "A later request from CloudFormation has replaced this one."


def answer(entry: Entry, request: Request, told: Answer, now: float) -> Entry:
    """Record what CloudFormation is about to be told; the job that a failed Update has begun is closed with that."""
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
    value = UNKNOWN if is_pending else job.value  # what an earlier attempt does is not known
    change = Change(value, arns, 0.0, request.value) if arns is not None else None
    number = entry.requests[request.id].number
    lease = now + LEASE_SECONDS
    return entry.with_job(identity, replace(job, call=call, until=lease, value=value, change=change, since=number))


def settle(entry: Entry, identity: str, value: str, *, visible_at: float | None = None) -> Entry:
    """The call is over, and this is what the job is now.

    Args:
        entry: The entry.
        identity: The job.
        value: What it is.
        visible_at: When Neptune shows its change, whose outcome is not known yet; `None` if there is none to wait for.

    Returns:
        The entry.
    """
    job = entry.jobs[identity]
    change = replace(job.change, visible_at=visible_at) if job.change and visible_at is not None else None
    return entry.with_job(identity, replace(job, call="", value=value, change=change))


def close(entry: Entry, identity: str, now: float, request: Request, place: int = 0) -> Entry:
    """From here on a job is to be cancelled."""
    job = entry.jobs.get(identity) or Job(is_named=True, since=place, settings=request.settings)
    if job.is_owed:
        return entry
    settings = request.settings if request.is_delete and identity == request.names else job.settings
    return entry.with_job(identity, replace(job, closed=now, closed_by=request.id, gone=None, settings=settings))


def gone(entry: Entry, identity: str, now: float) -> Entry:
    """It has stopped. That stays known, so that an earlier Delete that is replayed does not touch a namesake."""
    job = entry.jobs[identity]
    return entry.with_job(identity, Job(by=job.by, life=job.life, is_named=job.is_named, since=job.since, gone=now))


def made_anew(entry: Entry, identity: str, request: Request) -> Entry:
    """It has stopped, and a later request takes up whatever has its id."""
    number = entry.requests[request.id].number
    return entry.with_job(identity, replace(_made_anew(request), since=number, is_named=identity == request.names))


def _made_anew(request: Request) -> Job:
    """What is known of a job under an id that people choose."""
    return Job(settings=request.settings)


def forget(entry: Entry, identity: str) -> Entry:
    """Neptune did not start it: nothing was begun."""
    return entry.with_job(identity, None)


def _pruned(entry: Entry, now: float) -> Entry:
    last = now - REMEMBERED_SECONDS
    requests = {name: it for name, it in entry.requests.items() if it.seen > last or name == entry.newest}
    jobs = {name: it for name, it in entry.jobs.items() if it.gone is None or it.gone > last}
    return replace(entry, requests=requests, jobs=jobs)
