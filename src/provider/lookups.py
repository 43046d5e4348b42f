"""Lookups: resources that return the attributes of a job, without starting or cancelling it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from provider.custom_resource.properties import SERVICE_TIMEOUT, SERVICE_TOKEN
from provider.identity import LONGEST_BYTES, Identity
from provider.journal.entry import Entry, Job, Outcome, Record
from provider.journal.errors import JournalError, JournalUnavailable
from provider.kinds import lookup
from provider.kinds.kind import Words
from provider.lifecycle import Asked, Told, Waiting, wording
from provider.lifecycle.patience import Phase
from provider.lifecycle.plan import Why
from provider.look import Look, Status
from provider.observability import logger
from provider.schema import InvalidProperties

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from provider.clock import Clock
    from provider.lifecycle import Lifecycle, Patience
    from provider.lifecycle.terms import Journal

SCHEMA = lookup.LOOKUP._replace(rows=(SERVICE_TOKEN, SERVICE_TIMEOUT, *lookup.LOOKUP.rows))
"""The properties of a lookup, including those of CloudFormation's protocol."""
_PREFIX = "lookup"


def _physical_id(lifecycle: Lifecycle, identity: Identity) -> str:
    return f"{_PREFIX}/{lifecycle.kind.resource_type.removeprefix('Custom::NeptuneML')}/{identity}"


def _failed(reason: str) -> Told:
    return Told(Outcome.FAILED, "", reason)


class Lookups(NamedTuple):
    """The meaning of a lookup's requests.

    The physical ID is not the job's identity, so no Delete cancels the job.

    Attributes:
        lifecycles: What looks a job up, by resource type.
        journal: The journal. It keeps the attributes for an Update, which must not fail if Neptune is unavailable.
        clock: The time.
    """

    lifecycles: Mapping[str, Lifecycle]
    journal: Journal
    clock: Clock

    @property
    def words(self) -> Words:
        """The words that messages use for a lookup."""
        return Words(thing="lookup")

    def look(
        self,
        asked: Asked,
        so_far: Patience,
        *,
        send: Callable[[str], bool],  # noqa: ARG002 - a lookup closes no job
        check: Callable[[Told], str],
        ended: str = "",
        known: str = "",
    ) -> Told | Waiting:
        """Look a job up.

        Args:
            asked: The request.
            so_far: The patience from earlier looks.
            send: Unused.
            check: Called before a success. Returns why it is not a success, or an empty string.
            ended: Why the request may not wait any longer; empty if it may.
            known: If it may not, what the previous look found, in words.

        Returns:
            The job's attributes, or why there are none; or that the request needs another look.
        """
        if asked.is_delete:
            self._remember(asked, asked.physical_id, None)
            return Told(Outcome.SUCCESS, asked.physical_id)
        try:
            lifecycle, identity = self._read(asked.properties)
        except InvalidProperties as error:
            return _failed(str(error))
        silent = Look(Status.SILENT, known or ended), so_far.fault
        look, fault = silent if ended else lifecycle.ask(identity, asked.properties)
        physical_id = _physical_id(lifecycle, identity)
        if look.status in (Status.SILENT, Status.ABSENT):
            waits = so_far if fault is None else so_far.after(fault, look.words, self.clock.wall())
            is_over = fault is None or waits.is_over(Phase(asked.type), self.clock.wall(), lifecycle.limits)
            if not (ended or is_over):
                return Waiting(look.words, waits)
            remembered = self._remembered(asked, physical_id)
            if not (asked.physical_id and remembered):
                why = Why.SILENT if look.status is Status.SILENT else Why.NOT_THERE
                return _failed(wording.reason(why, lifecycle.words, identity.id, look, ""))
            # It may be a rollback, which must not fail.
            logger.warning("The job could not be looked up", problem=look.words)
            attributes = remembered
        else:
            attributes = look.attributes
        told = Told(Outcome.SUCCESS, physical_id, attributes=lifecycle.every_attribute(identity, attributes))
        if problem := check(told):
            return _failed(problem)
        self._remember(asked, physical_id, Job(attributes=attributes))
        return told

    def _read(self, raw: Mapping[str, object]) -> tuple[Lifecycle, Identity]:
        properties = SCHEMA.parse(raw)
        given = properties.values
        if (lookup.JOB in given) is (lookup.CLUSTER in given) or (lookup.CLUSTER in given) is not (lookup.ID in given):
            raise InvalidProperties("Specify either Job, or Endpoint and Id.")
        identity = (
            properties[lookup.JOB]
            if lookup.JOB in given
            else Identity(properties[lookup.CLUSTER], properties[lookup.ID])
        )
        lifecycle = self.lifecycles[lookup.KINDS[properties[lookup.JOB_TYPE]].resource_type]
        if problem := lifecycle.problem_at(identity):
            raise InvalidProperties(problem)
        if len(_physical_id(lifecycle, identity).encode()) > LONGEST_BYTES:
            raise InvalidProperties(
                f"Id is too long; together with the cluster's host, it should have at most {LONGEST_BYTES:,} bytes."
            )
        return lifecycle, identity

    # --- the attributes for a rollback --------------------------------------------------------------------------------
    # After an Update to another job, the attributes of both are kept until the Delete of the previous one.

    def _remember(self, asked: Asked, physical_id: str, job: Job | None) -> None:
        seen = Record(1, asked.type, None, self.clock.wall(), answered=self.clock.wall())
        try:
            before, revision = self.journal.read(asked.resource)
            jobs = (before or Entry()).with_job(physical_id, job).jobs
            self.journal.write(asked.resource, Entry(asked.request_id, 1, 0, {asked.request_id: seen}, jobs), revision)
        except JournalError as error:
            logger.warning("The attributes could not be recorded", problem=str(error))

    def _remembered(self, asked: Asked, physical_id: str) -> Mapping[str, str]:
        try:
            entry, _ = self.journal.read(asked.resource)
        except JournalUnavailable as error:
            logger.warning("The recorded attributes could not be read", problem=str(error))
            return {}
        job = entry.jobs.get(physical_id) if entry else None
        return job.attributes if job else {}
