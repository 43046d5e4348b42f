"""What a request leaves that started a job and was not heard: how it is found and cancelled."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from provider import job_id as job_ids
from provider.hosts import problem_of
from provider.identity import NO_JOB, NO_JOB_YET, Identity
from provider.kinds.common import ENDPOINT, ID, WAIT_FOR_STOP
from provider.lifecycle.asking import ADOPTION_PATIENCE_SECONDS, DELETION_PATIENCE_SECONDS
from provider.lifecycle.own_jobs import OwnJobs
from provider.lifecycle.starting import TAKEN_UP_SECONDS, start_seconds
from provider.lifecycle.stopping import Stopping
from provider.lifecycle.terms import Progress, RequestFailed, Waiting, forbidden
from provider.neptune import JobNotFound, NeptuneError
from provider.observability import logger, record
from provider.schema import InvalidProperties

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provider.hosts import Hosts
    from provider.kinds.kind import Kind
    from provider.lifecycle.asking import Asking
    from provider.lifecycle.terms import JobsOfCluster, Request
    from provider.schema import Properties, Schema


class Leftovers(NamedTuple):
    """The jobs of a resource that CloudFormation does not know.

    Attributes:
        kind: The kind of the resource's jobs.
        schema: The resource's properties.
        clusters: The hosts that an `Endpoint` may name.
        asking: How Neptune is asked.
        may_start: Whether the operator lets the provider start jobs.
    """

    kind: Kind
    schema: Schema
    clusters: Hosts
    asking: Asking
    may_start: bool

    def means(self, raw: Mapping[str, object], current: Identity, request: Request) -> bool:
        """Tell whether properties mean a resource's job.

        Args:
            raw: The properties, as sent.
            current: The job.
            request: What is asked of the resource.

        Returns:
            Whether they name it, or describe it; whatever its cluster.
        """
        if ID.name in raw:
            return raw[ID.name] == current.id
        try:
            description = self.schema.parse(raw).description
        except InvalidProperties:
            return False
        return job_ids.is_of(current.id, request.origin, description)

    # --- of an Update -------------------------------------------------------------------------------------------------

    def stop_what_an_update_left(
        self, request: Request, current: Identity | None, *, waits: bool
    ) -> Progress | Waiting:
        """Cancel what an Update has left that failed after it had started a job.

        Args:
            request: The Update that follows it: its rollback, or another one.
            current: The job that CloudFormation knows.
            waits: Whether to wait until no job can appear any more.

        Returns:
            The progress of the rest of the Update; `Waiting` until the job is cancelled.
        """
        progress = request.progress
        properties = self.properties_that_failed(request, current)
        if current is None or properties is None:
            return progress
        is_elsewhere = _is_elsewhere(request, properties, current)
        try:
            waiting = self._stop_all(request, current, properties, waits=waits)
        except NeptuneError as error:
            # The name of another cluster may be mistyped, and be rolled back for that.
            patience = ADOPTION_PATIENCE_SECONDS if is_elsewhere else DELETION_PATIENCE_SECONDS
            failure = "What a failed update has left could not be cancelled."
            try:
                return self.asking.again(failure, error, progress, patience=patience)
            except RequestFailed as failed:
                tell_of_leftovers(str(failed), is_likely=not is_elsewhere or bool(progress.leftover))
                waiting = None
        return waiting or Progress(is_tidied=True)

    def properties_that_failed(self, request: Request, current: Identity | None) -> Properties | None:
        """Tell whether an Update follows one that has failed and may have started a job.

        Args:
            request: The Update.
            current: The job that CloudFormation knows.

        Returns:
            The properties of the one that failed: they are the old ones now, and do not mean that job. `None` if there
            is no such Update, or what it left is cancelled.
        """
        if request.progress.is_tidied or not self.may_start or current is None:
            return None
        old = request.old_properties
        properties = self.properties_that_started(old)
        if properties is None:
            return None
        is_elsewhere = _is_elsewhere(request, properties, current)
        return properties if is_elsewhere or not self.means(old, current, request) else None

    def _stop_all(self, request: Request, current: Identity, properties: Properties, *, waits: bool) -> Waiting | None:
        progress, jobs = request.progress, self.asking.connect(properties[ENDPOINT])
        if self.means(request.old_properties, current, request) and _has(jobs, current.id, properties):
            return None  # the job that CloudFormation knows, by another name of its cluster
        left = self._left(jobs, request, current, properties)
        if (stopping := self._stop_each(jobs, left, properties, progress)) is not None:
            return stopping
        # What has ended is not started again by another delivery of its request, and what is gone is.
        if (left and self.kind.ended) or not waits or self._is_search_over(request):
            return None
        a_job = self.kind.words.a_thing
        reason = f"The update that is rolled back may have started {a_job}; looking whether one appears."
        return Waiting(reason, progress._replace(silent_since=None, has_searched=True))

    def stop_those_before(self, request: Request, current: Identity, properties: Properties) -> Waiting | None:
        """Cancel what an Update has left that failed after it had started a job in place of one that was gone.

        Args:
            request: The Update that follows it, and starts one, too; its progress says which.
            current: The job that is gone.
            properties: What is asked of the resource.

        Returns:
            `Waiting` until that is done.

        Raises:
            NeptuneError: It could not be listed, looked up or cancelled.
        """
        jobs = self.asking.connect(properties[ENDPOINT])
        left = [it for it in self._left(jobs, request, current, properties) if it != request.progress.job_id]
        return self._stop_each(jobs, left, properties, request.progress)

    def _left(self, jobs: JobsOfCluster, request: Request, current: Identity, properties: Properties) -> list[str]:
        """Return the ids of the jobs that came after the one that CloudFormation knows."""
        begun = [request.progress.leftover] if request.progress.leftover else []
        return list(dict.fromkeys([*begun, *OwnJobs(jobs, request.origin, properties).unreported_since(current.id)]))

    def _stop_each(
        self, jobs: JobsOfCluster, left: list[str], properties: Properties, progress: Progress
    ) -> Waiting | None:
        for job_id in left:
            if (stopping := self._stop(jobs, job_id, properties, progress, wait=False)) is not None:
                return stopping
        return None

    # --- of a Create --------------------------------------------------------------------------------------------------

    def stop_what_a_create_left(self, request: Request) -> Waiting | None:
        """Cancel the job of a creation that was not heard.

        Args:
            request: The Delete of a resource whose physical id is no identity.

        Returns:
            `Waiting` until that is done, or no job can appear any more; `None` then.

        Raises:
            RequestFailed: It could not be cancelled, or whether there is one could not be looked up.
        """
        physical_id, progress, words = request.physical_id or "", request.progress, self.kind.words
        mark, named = Identity.parse_marked(physical_id) or (physical_id.partition("/")[0], None)
        if named and (problem := problem_of(named.endpoint, self.clusters)):
            raise forbidden(named, problem, words)
        properties = None if mark == NO_JOB else self.properties_that_started(request.properties)
        if properties is None:
            logger.info("This resource has no job: nothing to cancel", physical_resource_id=physical_id)
            return None
        jobs = self.asking.connect(named.endpoint if named else properties[ENDPOINT])
        try:
            job_id = progress.leftover or self._unreported(jobs, named, request, properties)
        except NeptuneError as error:
            is_unlikely = mark == NO_JOB_YET or not self.may_start
            patience = ADOPTION_PATIENCE_SECONDS if is_unlikely else DELETION_PATIENCE_SECONDS
            host = properties[ENDPOINT].host
            failure = (
                f"{host} could not be asked whether it has {words.a_thing} of this resource."
                if is_unlikely
                else f"Whether this resource has started {words.a_thing} at {host} could not be looked up."
            )
            try:
                return self.asking.again(failure, error, progress, patience=min(patience, request.time_limit / 2))
            except RequestFailed as failed:
                if not is_unlikely:
                    raise
                logger.warning("This resource has started no job, as far as is known", reason=str(failed))
                return None
        is_over = self._is_search_over(request, named)
        if job_id:
            goes_on = not (is_over or self.kind.ended)
            try:
                waiting = self._stop(jobs, job_id, properties, progress, wait=goes_on or properties[WAIT_FOR_STOP])
            except NeptuneError as error:
                raise RequestFailed(f"{words.named(job_id)} could not be {words.cancelled}. {error}") from error
            if waiting is not None or not goes_on:
                return waiting
        elif is_over:
            return None
        reason = f"A creation that was not heard may have started {words.a_thing}; looking whether one appears."
        return Waiting(reason, Progress(has_searched=True))

    def end_of_search(self, request: Request) -> bool:
        """Tell whether a Delete whose time is over was looking for a job, and found none so far.

        Args:
            request: The Delete.

        Returns:
            Whether it was; the alarm sounds then, unless it is unlikely that one appears.
        """
        if request.progress.has_searched:
            is_likely = (request.physical_id or "").partition("/")[0] != NO_JOB_YET
            tell_of_leftovers("There was no time to look for it any longer.", is_likely=is_likely)
        return request.progress.has_searched

    def _unreported(self, jobs: JobsOfCluster, named: Identity | None, request: Request, properties: Properties) -> str:
        """Return the id of the job of a creation that was not heard; empty if there is none."""
        if named is not None:
            return named.id if _has(jobs, named.id, properties) else ""
        # One that has been cancelled already is not worth a word, but its end is, before the deletion succeeds.
        may_be_stopping = properties[WAIT_FOR_STOP] and self._is_search_over(request)
        own, changes_in_place = OwnJobs(jobs, request.origin, properties), bool(self.kind.update)
        found = own.unreported(may_be_stopping=may_be_stopping, changes_in_place=changes_in_place)
        if len(found) > 1:
            raise RequestFailed(
                f"This resource has several {self.kind.words.thing}s that run, and which one was not reported is not "
                f"known: {', '.join(found)}. Cancel by hand those that are not wanted, and retain this resource."
            )
        return found[0] if found else ""

    # --- of both ------------------------------------------------------------------------------------------------------

    def properties_that_started(self, raw: Mapping[str, object]) -> Properties | None:
        """Read properties with which a job may have been started.

        Args:
            raw: The properties, as sent.

        Returns:
            The properties; `None`: with these, none was started.
        """
        try:
            properties = self.schema.parse(raw)
        except InvalidProperties:
            return None
        return properties if properties.describes and not problem_of(properties[ENDPOINT], self.clusters) else None

    def may_come_again(self, identity: Identity, request: Request) -> bool:
        """Tell whether another delivery of the request that started a job may start it again when it is gone.

        Args:
            identity: The job.
            request: Its Delete.

        Returns:
            Whether it may.
        """
        return job_ids.asked_at(identity.id) != 0 and not self._is_search_over(request, identity)

    def _is_search_over(self, request: Request, named: Identity | None = None) -> bool:
        """Tell whether a job that was asked for before this request, or at its own time, would be there by now."""
        if not self.asking.is_patient or not self.may_start:
            return True
        since = (job_ids.asked_at(named.id) if named else 0) or request.origin.asked_at
        longest = start_seconds(request.time_limit) + TAKEN_UP_SECONDS
        return since is None or self.asking.clock.wall() - since > longest

    def _stop(
        self, jobs: JobsOfCluster, job_id: str, properties: Properties, progress: Progress, *, wait: bool
    ) -> Waiting | None:
        """Stop a job; `None`: that is done."""
        logger.append_keys(job_id=job_id)
        if progress.leftover != job_id:
            logger.warning("This resource has started a job that CloudFormation does not know; cancelling it")
            progress = Progress()
        try:
            stopping = Stopping(self.asking.clock, self.asking.is_patient, self.kind)
            waiting = stopping.stop(jobs, job_id, properties, progress, wait=wait)
        except JobNotFound:
            return None
        return waiting and waiting._replace(progress=waiting.progress._replace(leftover=job_id))


def tell_of_leftovers(reason: str, *, is_likely: bool) -> None:
    """Have the alarm tell the operator of a request that ends well, and may have left a job.

    It may be a rollback, which must not fail for want of Neptune, or a deletion whose time is too short to look.

    Args:
        reason: Why it is not known.
        is_likely: Whether there may well be a job; else it stands in the log alone.
    """
    if not is_likely:
        logger.warning("This resource has started no job, as far as is known", reason=reason)
        return
    logger.error("A job that CloudFormation does not know may run on", reason=reason)
    record("FailedDeletions", 1)


def _has(jobs: JobsOfCluster, job_id: str, properties: Properties) -> bool:
    try:
        jobs.get(job_id, properties)
    except JobNotFound:
        return False
    return True


def _is_elsewhere(request: Request, properties: Properties, current: Identity) -> bool:
    """Tell whether properties that were to start a job were for another cluster than that of the resource's job."""
    has_moved = request.old_properties.get(ENDPOINT.name) != request.properties.get(ENDPOINT.name)
    return has_moved and properties[ENDPOINT] != current.endpoint
