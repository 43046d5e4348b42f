"""The life of a resource, for real. `plan` says what to do, `delivery` in which order, and this module does it."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from provider import job_id as job_ids
from provider.hosts import problem_of
from provider.identity import LONGEST_BYTES, NO_JOB, Identity
from provider.journal.entry import Outcome, Request, RequestType
from provider.journal.errors import JournalError
from provider.kinds.common import ENDPOINT, ID, WAIT_FOR_COMPLETION, WAIT_FOR_STOP
from provider.lifecycle import patience, wording
from provider.lifecycle.delivery import Ask, Check, Delivery, Happened, Read, Reply, Save, Send
from provider.lifecycle.patience import Fault, Patience, Phase
from provider.lifecycle.plan import TABLE, Result, Seen, Why
from provider.lifecycle.terms import Asked, RequestFailed, Told, Waiting
from provider.look import Look, Status
from provider.neptune import (
    Denied,
    JobNotFound,
    NeptuneError,
    RequestRefused,
    Throttled,
    UnknownHost,
    Unreachable,
)
from provider.observability import logger, record, tracer
from provider.schema import InvalidProperties, Properties, Schema, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from provider.clock import Clock
    from provider.hosts import Hosts
    from provider.kinds.kind import Kind, Words
    from provider.lifecycle.delivery import Effect
    from provider.lifecycle.terms import Journal
    from provider.neptune import Jobs
    from provider.values import Endpoint

# From the Neptune user guide, "Neptune ML management API errors and exceptions".
_ID_IS_TAKEN = "same ID already exists"
_NOTHING_TO_CANCEL = "already completed or failed"


class Lifecycle(NamedTuple):
    """The life of a resource.

    Attributes:
        kind: The kind of its jobs.
        schema: Its properties.
        clusters: The hosts that an `Endpoint` may name.
        connect: Returns the jobs of a cluster.
        journal: The journal.
        clock: The time.
        may_start: Whether the operator allows the provider to start jobs.
        is_provided: Whether the operator allows jobs of this kind.
        is_patient: Whether to retry while a fault may be temporary.
    """

    kind: Kind
    schema: Schema
    clusters: Hosts
    connect: Callable[[Endpoint], Jobs]
    journal: Journal
    clock: Clock
    may_start: bool = False
    is_provided: bool = True
    is_patient: bool = True

    @property
    def words(self) -> Words:
        """The words that messages use for such a job."""
        return self.kind.words

    def look(
        self,
        asked: Asked,
        so_far: Patience,
        *,
        send: Callable[[str], bool],
        check: Callable[[Told], str],
        ended: str = "",
        known: str = "",
    ) -> Told | Waiting:
        """Take a look at a request, and act.

        Args:
            asked: The request.
            so_far: The patience from earlier looks.
            send: Sends the message of a closed job, and returns whether the queue accepted it.
            check: Called before a success is recorded. Returns why it is not a success, or an empty string.
            ended: Why the request may neither wait nor call Neptune any more; empty if it may.
            known: If it may not, what the previous look found; empty if there was none.

        Returns:
            The answer, which is recorded; or that the request needs another look.
        """
        request, properties = self._read(asked)
        if identity := request.adopts or request.names or request.own:
            logger.append_keys(job_id=identity.rpartition("/")[2])
            if not ended:  # the watchdog's thread has no segment to annotate
                tracer.put_annotation("job_id", identity.rpartition("/")[2])
        look = Delivery(self._seen(so_far), self.clock.wall, self.kind.words, ended, known)
        # A Delete after a creation that began no job is done, whatever the journal says.
        is_idle = request.is_delete and asked.physical_id.startswith(f"{NO_JOB}/")
        needs_journal = not (request.problem or request.adopts or (request.is_delete and request.names) or is_idle)
        ports = _Ports(self, asked.resource, request, properties, send, check)
        told: Told | Waiting = ports.drive(look.of(request, needs_journal=needs_journal))
        if isinstance(told, Waiting):
            return told
        return told._replace(attributes={}) if request.is_delete else self._with_every_attribute(told)

    def look_at_owed(self, resource: str, identity: str, began: float, so_far: Patience) -> Waiting | None:
        """Take a look at a closed job, and cancel it.

        Args:
            resource: The name of the resource in the journal.
            identity: The job.
            began: When its message was first sent.
            so_far: The patience from earlier looks.

        Returns:
            That the job needs another look; `None` if nothing is left to do.
        """
        logger.append_keys(job_id=identity.rpartition("/")[2])
        seen = self._seen(so_far)
        seen.began = began
        request = Request(RequestType.DELETE, "", None, float("inf"))
        ports = _Ports(self, resource, request, None, lambda _: True, lambda _: "")
        waiting: Waiting | None = ports.drive(Delivery(seen, self.clock.wall, self.kind.words).of_owed(identity))
        return waiting

    def completion(self, identity: Identity, properties: Mapping[str, object], so_far: Patience) -> Told | Waiting:
        """Check whether a resource's job has completed, after its request was answered.

        Args:
            identity: The job.
            properties: The resource's properties.
            so_far: The patience from earlier looks.

        Returns:
            A success with the job's attributes; a failure, if it will not complete; or that it needs another look.

        Raises:
            RequestFailed: A property is invalid.
        """
        logger.append_keys(job_id=identity.id)
        tracer.put_annotation("job_id", identity.id)
        if problem := self.problem_at(identity):
            raise RequestFailed(problem)
        try:
            self.schema.parse(properties, for_delete=True)
        except InvalidProperties as error:
            raise RequestFailed(str(error)) from error
        look, fault = self.ask(identity, self._settings(properties))
        if fault is None:
            match TABLE["end", "-"][look.status]:
                case "done":
                    logger.info("The job has completed", status=look.words)
                    return self._with_every_attribute(Told(Outcome.SUCCESS, str(identity), "", look.attributes))
                case "fail":
                    reason = wording.why_not_completed(self.kind.words, identity.id, look)
                    return Told(Outcome.FAILED, str(identity), reason)
            return Waiting(wording.reason(Why.NOT_COMPLETED_YET, self.kind.words, identity.id, look, ""), Patience())
        now = self.clock.wall()
        waits = so_far.after(fault, look.words, now)
        reason = wording.reason(Why.SILENT, self.kind.words, identity.id, look, "")
        if waits.is_over(Phase.COMPLETING, now, self.limits):
            return Told(Outcome.FAILED, str(identity), reason)
        return Waiting(reason, waits)

    # --- requests -----------------------------------------------------------------------------------------------------

    def _read(self, asked: Asked) -> tuple[Request, Properties | None]:
        """Read a request, and its properties if they are valid."""
        named = Identity.parse(asked.physical_id)
        request = Request(
            type=asked.type,
            id=asked.request_id,
            signed_at=None if asked.signed_at is None else int(asked.signed_at),
            until=asked.until,
            names=str(named) if named else "",
            undoes=asked.physical_id.partition(f"{NO_JOB}/")[2],
            settings=self._settings(asked.properties),
        )
        if request.is_delete:
            try:
                properties = self.schema.parse(asked.properties, for_delete=True)
            except InvalidProperties as error:
                failure = (
                    f"{self.kind.words.named(named.id)} could not be {self.kind.words.cancelled}. {error}"
                    if named
                    else ""
                )
                return replace(request, problem=failure), None
            problem = problem_of(named.endpoint, self.clusters) if named else ""
            if named and problem:
                problem = wording.forbidden(named, problem, self.kind.words)
            return replace(request, problem=problem, waits=properties[WAIT_FOR_STOP]), properties
        try:
            properties, identity = self._parse(asked)
        except RequestFailed as failed:
            return replace(request, problem=str(failed)), None
        describes, value = self._description(asked.properties)
        old_describes, old_value = self._description(asked.old_properties)
        refusal = "" if self.may_start else wording.not_starting(self.kind.words)
        refusal = refusal if self.is_provided else wording.not_provided(self.kind)
        is_refused = refusal and not self.is_provided and request.type is RequestType.CREATE
        return (
            replace(
                request,
                own=str(identity) if properties.describes else "",
                adopts="" if properties.describes else str(identity),
                describes=describes,
                value=value,
                old_describes=old_describes,
                old_value=old_value,
                waits=properties[WAIT_FOR_COMPLETION],
                problem=refusal if is_refused else "",
                refusal=refusal,
            ),
            properties,
        )

    def _parse(self, asked: Asked) -> tuple[Properties, Identity]:
        """Read the properties, and the identity of the job that they adopt or start."""
        try:
            properties = self.schema.parse(asked.properties)
        except InvalidProperties as error:
            raise RequestFailed(str(error)) from error
        stack_name = asked.stack_id.partition("/")[2].partition("/")[0]
        own = job_ids.make(stack_name, asked.logical_id, asked.request_id)
        identity = Identity(properties[ENDPOINT], own if properties.describes else properties[ID])
        if problem := problem_of(identity.endpoint, self.clusters):
            raise RequestFailed(f"Endpoint is {shown(asked.properties['Endpoint'])}; it should be {problem}")
        if (length := len(str(identity).encode())) > LONGEST_BYTES:
            raise RequestFailed(
                f"Id is {shown(identity.id)}; together with the cluster's host and port, it should have at most "
                f"{LONGEST_BYTES:,} bytes, but has {length:,}."
            )
        return properties, identity

    def _description(self, raw: Mapping[str, object]) -> tuple[str, str]:
        """Write what identifies a new job, including its cluster, and the rest, which can change in place."""
        try:
            properties = self.schema.parse(raw)
        except InvalidProperties:
            return "", ""
        if not properties.describes:
            return "", ""
        endpoint = properties[ENDPOINT]
        return f"{endpoint.host}:{endpoint.port} {_text(properties.description)}", _text(properties.in_place)

    def _settings(self, raw: Mapping[str, object]) -> dict[str, str]:
        """Return the settings that later calls for the job carry, whoever makes them."""
        needed = [row.name for row in self.schema.rows if row.needed_to_delete]
        return {name: str(raw[name]) for name in needed if isinstance(raw.get(name), (str, bool))}

    # --- Neptune ------------------------------------------------------------------------------------------------------

    @property
    def limits(self) -> Mapping[Phase, Mapping[Fault, float]]:
        """How long to retry, by phase and fault."""
        return patience.LIMITS if self.is_patient else patience.NONE

    def _seen(self, so_far: Patience) -> Seen:
        return Seen(uuid.uuid4().hex[:12], self.clock.wall(), so_far, self.limits)

    def problem_at(self, identity: Identity) -> str:
        """Return why the provider may not connect to a job's cluster; empty if the operator allows its host."""
        problem = problem_of(identity.endpoint, self.clusters)
        return wording.forbidden(identity, problem, self.kind.words) if problem else ""

    def ask(self, identity: Identity, settings: Mapping[str, object]) -> tuple[Look, Fault | None]:
        """Look a job up in Neptune.

        Args:
            identity: The job.
            settings: The properties of the resource, from which the call takes what it carries.

        Returns:
            What Neptune reported, and the fault if it did not respond.
        """
        try:
            look = self.connect(identity.endpoint).get(identity.id, self._needed(settings))
        except JobNotFound as error:
            tracer.put_annotation("status", "NotFound")
            return Look(Status.ABSENT, str(error)), None
        except NeptuneError as error:
            #: Normal during a failover: the provider [tries again](reference.md#retries). If it persists, check
            #: whether an instance, route or security group rule was [deleted first](reference.md#order-of-deletion).
            logger.warning("The job could not be looked up; trying again", error=str(error))
            return Look(Status.SILENT, str(error)), _fault(error)
        tracer.put_annotation("status", look.words)
        return look, None

    def _needed(self, settings: Mapping[str, object]) -> Properties:
        return self.schema.parse(settings, for_delete=True)

    def _with_every_attribute(self, told: Told) -> Told:
        identity = Identity.parse(told.physical_id)
        if told.has_failed or identity is None:
            return told._replace(attributes={})
        return told._replace(attributes=self.every_attribute(identity, told.attributes))

    def every_attribute(self, identity: Identity, known: Mapping[str, str]) -> dict[str, str]:
        """Return all attributes of a job, with empty strings for those that Neptune did not report."""
        names = ("Status", *(attribute.name for attribute in self.kind.attributes))
        return {"Id": identity.id, **{name: known.get(name, "") for name in names}}


class _Ports(NamedTuple):
    """What carries out the effects of one look."""

    life: Lifecycle
    resource: str
    request: Request
    properties: Properties | None
    send: Callable[[str], bool]
    check: Callable[[Told], str]

    def drive(self, steps: Generator[Effect, Any, Any]) -> Any:  # noqa: ANN401 - what the generator returns
        """Carry out the effects of a delivery until it ends."""
        try:
            effect = next(steps)
            while True:
                try:
                    done = self._do(effect)
                except JournalError as error:
                    effect = steps.throw(error)
                else:
                    effect = steps.send(done)
        except StopIteration as end:
            return end.value

    def _do(self, effect: Effect) -> object:
        match effect:
            case Read():
                return self.life.journal.read(self.resource)
            case Save(entry, revision):
                self.life.journal.write(self.resource, entry, revision)
            case Send(job):
                return self.send(job)
            case Check(told):
                return self.check(self.life._with_every_attribute(told))  # noqa: SLF001 - one room
            case Ask():
                return self._ask(effect)
            case Happened(what, job, seconds):
                _note(what, job, seconds)
        return None

    def _ask(self, ask: Ask) -> Reply:
        identity = Identity.parse(ask.job)
        if identity is None:
            return Reply(
                Look(
                    Status.ABSENT,
                    f"{ask.job} in the journal is not the identity of a job; its entry was edited by hand.",
                )
            )
        job = ask.of.jobs.get(ask.job) if ask.of else None
        settings = job.settings if job and job.is_owed and job.settings else self.request.settings
        is_checked = ask.job in (self.request.names, self.request.adopts, self.request.own)
        if not is_checked and (problem := self.life.problem_at(identity)):
            return Reply(Look(Status.SILENT, problem), Result.WITHOUT_EFFECT, Fault.SILENCE, problem)
        if ask.verb == "look":
            look, fault = self.life.ask(identity, settings)
            return Reply(look=look, fault=fault, words=look.words)
        return self._act(ask.verb, identity, settings)

    def _act(self, verb: str, identity: Identity, settings: Mapping[str, str]) -> Reply:
        try:
            jobs = self.life.connect(identity.endpoint)
            if verb == "cancel":
                jobs.cancel(identity.id, self.life._needed(settings))  # noqa: SLF001 - one room
            elif self.properties is not None:
                (jobs.start if verb == "start" else jobs.update)(identity.id, self.properties)
        except JobNotFound:
            return Reply(result=Result.ACCEPTED)
        except NeptuneError as error:
            #: As above.
            logger.warning(f"Neptune did not {verb} the job", error=str(error))
            has_ended = _NOTHING_TO_CANCEL in str(error).lower()
            look = self._ended(identity, settings) if has_ended else None
            return Reply(look, _result(verb, error), _fault(error), str(error))
        logger.info({"start": "Started the job", "change": "Updated the job"}.get(verb, "Cancelled the job"))
        return Reply(result=Result.ACCEPTED)

    def _ended(self, identity: Identity, settings: Mapping[str, str]) -> Look | None:
        """Look at a job that Neptune refuses to cancel because it has ended, under any status."""
        look, _ = self.life.ask(identity, settings)
        kind = self.life.kind
        is_new = look.status is Status.RUNS and kind.meaning_of(look.words) is None
        can_stop = bool(kind.names_of(Status.STOPPED))  # an endpoint exists until it is deleted
        return look._replace(status=Status.STOPPED) if is_new and can_stop else None


def _result(verb: str, error: NeptuneError) -> Result:
    """Return the result of a failed call."""
    if isinstance(error, RequestRefused):
        if verb == "cancel":
            return Result.WITHOUT_EFFECT
        return Result.UNCLEAR if _ID_IS_TAKEN in str(error) else Result.REFUSED
    return Result.WITHOUT_EFFECT if isinstance(error, (Unreachable, Throttled, Denied)) else Result.UNCLEAR


def _fault(error: NeptuneError) -> Fault:
    match error:
        case UnknownHost():
            return Fault.UNKNOWN_HOST
        case RequestRefused():
            return Fault.REFUSAL
        case Denied():
            return Fault.DENIAL
        case _:
            return Fault.SILENCE


def _note(what: str, identity: str, seconds: float | None) -> None:
    """Record for the operator what happened to a job."""
    match what:
        case "started":
            record("JobsStarted", 1)
        case "cancelled":
            record("JobsCancelled", 1)
            if seconds is not None:
                record("SecondsToStop", seconds, "Seconds")
        case _:
            #: It could not be cancelled for 24 hours, or its cancellation could not be queued. [Look for the
            #: job](operations.md#a-job-that-may-still-be-running) that `job` names.
            logger.error("A job to be cancelled may still be running", job=identity)
            record("FailedDeletions", 1)


def _text(values: Mapping[str, object]) -> str:
    # The order of a list, such as that of subnets, does not matter.
    sets = {name: sorted(it) if isinstance(it, (tuple, list)) else it for name, it in values.items()}
    return json.dumps(sets, sort_keys=True)
