"""What Create, Update, Delete and a look mean for a job of any kind.

Each method takes one look, and leaves the waiting to whoever calls it: as long as it returns `Waiting`, it is to be
called again with the progress that it returned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from provider import job_id as job_ids
from provider.hosts import problem_of
from provider.identity import LONGEST_BYTES, UNCLEAR, Identity
from provider.kinds.common import ENDPOINT, ID, WAIT_FOR_COMPLETION, WAIT_FOR_STOP
from provider.lifecycle import completing, leftovers, moves, own_jobs, starting, updating
from provider.lifecycle.asking import DELETION_PATIENCE_SECONDS, Asking, patience_with_update
from provider.lifecycle.stopping import Stopping
from provider.lifecycle.terms import Done, JobsOfCluster, Progress, Request, RequestFailed, Waiting, forbidden
from provider.neptune import JobNotFound, NeptuneError, RequestRefused
from provider.observability import logger, tracer
from provider.schema import InvalidProperties, Properties, Schema, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from provider.clock import Clock
    from provider.hosts import Hosts
    from provider.kinds.kind import Kind, Words
    from provider.values import Endpoint

__all__ = [
    "Done",
    "JobsOfCluster",
    "Lifecycle",
    "Progress",
    "Request",
    "RequestFailed",
    "Waiting",
]


class Lifecycle(NamedTuple):
    """The life of a resource.

    Attributes:
        kind: The kind of its job.
        schema: Its properties.
        clusters: The hosts that an `Endpoint` may name.
        connect: Gives the jobs of a cluster.
        clock: The time.
        may_start: Whether the operator lets the provider start jobs.
        is_provided: Whether the operator lets the provider have jobs of this kind.
        is_patient: Whether a Neptune that cannot be reached may be back in a moment.
    """

    kind: Kind
    schema: Schema
    clusters: Hosts
    connect: Callable[[Endpoint], JobsOfCluster]
    clock: Clock
    may_start: bool = False
    is_provided: bool = True
    is_patient: bool = True

    @property
    def words(self) -> Words:
        """What messages say of such a job."""
        return self.kind.words

    def create(self, request: Request) -> Done | Waiting:
        """Adopt a job, or start one.

        Args:
            request: The Create.

        Returns:
            The job's identity and attributes; `Waiting` while Neptune cannot be asked, for less than a minute, or until
            a job that was started can be looked up, or has completed.

        Raises:
            RequestFailed: A property is wrong, the job does not exist or could not be looked up or started, or it is to
                complete and has not.
        """
        if not self.is_provided:
            # It may have been switched off while this request waited for a job that it had started.
            raise RequestFailed(self._not_provided, "" if request.progress == Progress() else self.leaves(request))
        properties, identity = self._parse(request)
        logger.append_keys(job_id=identity.id)
        tracer.put_annotation("job_id", identity.id)
        if not properties.describes:
            return self._starting.adopt(identity, properties, request.progress)
        return self._starting.start(identity, request, properties)

    def update(self, request: Request) -> Done | Waiting:
        """Adopt new settings, or adopt or start another job.

        Another identity is a replacement: CloudFormation then sends the Delete of the old one. An Update that keeps
        the identity does not need Neptune, for CloudFormation rolls back by an Update.

        Args:
            request: The Update.

        Returns:
            The job's identity and attributes; `Waiting` as for a Create.

        Raises:
            RequestFailed: A property is wrong, or another job does not exist or could not be looked up or started, or
                it is to complete and has not.
        """
        result = self._look_at_update(request)
        if isinstance(result, Waiting) and result.progress.start_sent_at is None:
            return result._replace(progress=result.progress._replace(looked_at=self.clock.wall()))
        return result

    def completion(self, identity: Identity, request: Request) -> Done | Waiting:
        """Look whether a job has completed that a resource has, whose request is answered.

        Args:
            identity: The job.
            request: What was asked.

        Returns:
            The job's attributes, if it has; `Waiting` until then.

        Raises:
            RequestFailed: It has not, and will not; or Neptune could not be asked for an hour.
        """
        logger.append_keys(job_id=identity.id)
        tracer.put_annotation("job_id", identity.id)
        if problem := problem_of(identity.endpoint, self.clusters):
            named = self.words.named(identity.id)
            raise RequestFailed(f"{named} is at {identity.endpoint.host}, which should be {problem}")
        try:
            properties = self.schema.parse(request.properties, for_delete=True)
        except InvalidProperties as error:
            raise RequestFailed(str(error)) from error
        result = completing.Completing(self._asking, self.kind).look(identity, properties, request.progress)
        if isinstance(result, Waiting):
            return result
        return Done(str(identity), self._starting.attributes(identity.id, result))

    def without_neptune(self, request: Request) -> Done | None:
        """Tell what an Update comes to if Neptune cannot be asked.

        Args:
            request: The Update.

        Returns:
            The same identity, with attributes that are empty but for the id; `None` if the Update needs Neptune.

        Raises:
            RequestFailed: A property is wrong.
        """
        properties, identity = self._parse(request)
        current = Identity.parse(request.physical_id or "")
        if current is None or not self._keeps(current, identity, request):
            return None
        progress = request.progress
        is_changed = progress.is_accepted and not progress.job_id
        is_ready = progress.settled_at is not None or not properties[WAIT_FOR_COMPLETION]
        if self._changes(current, request, properties) and not (is_changed and is_ready):
            return None
        if self._leftovers.properties_that_failed(request, current) is not None:
            leftovers.tell_of_leftovers("There was no time to look for it.", is_likely=not progress.has_searched)
        return Done(str(current), self._starting.attributes(current.id, None))

    def end_of_search(self, request: Request) -> Done | None:
        """Tell what a Delete comes to whose time is over while it looks for a job that nobody was told of.

        Args:
            request: The Delete.

        Returns:
            That it is done, if no job was there; the alarm sounds, for one may still appear. `None` if it does not look
            for one.
        """
        return Done(request.physical_id or "") if self._leftovers.end_of_search(request) else None

    def leaves(self, request: Request) -> str:
        """Tell what a Create leaves that ends in the middle of a look.

        Args:
            request: The Create.

        Returns:
            See `RequestFailed`.
        """
        try:
            properties, identity = self._parse(request)
        except RequestFailed:
            return ""
        if not properties.describes:
            return ""
        return str(identity) if request.progress.is_seen else identity.marked(UNCLEAR)

    def delete(self, request: Request) -> Done | Waiting:
        """Cancel the job, and tell whether it has stopped.

        Only a job that Create or Update adopted or started is touched: the physical id is its identity then.
        CloudFormation also sends Deletes for failed creations, with other physical ids; one of those may have started a
        job and not have been heard.

        Args:
            request: The Delete.

        Returns:
            `Done` when the job runs no more (or, with `WaitForStop: false`, when Neptune accepted the cancellation),
            else `Waiting`.

        Raises:
            RequestFailed: Neptune refused, or could not be reached for some minutes.
        """
        physical_id = request.physical_id or ""
        identity = Identity.parse(physical_id)
        if identity is None:
            return self._leftovers.stop_what_a_create_left(request) or Done(physical_id)
        logger.append_keys(job_id=identity.id)
        tracer.put_annotation("job_id", identity.id)
        if problem := problem_of(identity.endpoint, self.clusters):
            raise forbidden(identity, problem, self.kind.words)
        may_come_again = not self.kind.ended and self._leftovers.may_come_again(identity, request)
        try:
            jobs = self.connect(identity.endpoint)
            properties = self.schema.parse(request.properties, for_delete=True)
            wait = properties[WAIT_FOR_STOP] or may_come_again
            stopping = Stopping(self.clock, self.is_patient, self.kind)
            progress = request.progress._replace(has_searched=False)
            waiting = stopping.stop(jobs, identity.id, properties, progress, wait=wait)
        except JobNotFound:
            logger.info("The job is gone")
            tracer.put_annotation("status", "NotFound")
            waiting = None
        except (InvalidProperties, NeptuneError) as error:
            raise RequestFailed(
                f"{self.kind.words.named(identity.id)} could not be {self.kind.words.cancelled}. {error}"
            ) from error
        if waiting is None and may_come_again:
            reason = f"{self.kind.words.named(identity.id)} {self.kind.words.stopped}; looking whether it comes again."
            return Waiting(reason, Progress(unclear=True, has_searched=True))
        return waiting or Done(physical_id)

    @property
    def _asking(self) -> Asking:
        return Asking(self.connect, self.clock, self.is_patient)

    @property
    def _starting(self) -> starting.Starting:
        refusal = "" if self.may_start else starting.not_starting(self.kind.words)
        return starting.Starting(self.kind, self._asking, refusal if self.is_provided else self._not_provided)

    @property
    def _not_provided(self) -> str:
        return (
            f"This provider has no {self.kind.noun}s. Its operator can have it provide them, by its "
            f"{self.kind.parameter} parameter."
        )

    @property
    def _leftovers(self) -> leftovers.Leftovers:
        return leftovers.Leftovers(self.kind, self.schema, self.clusters, self._asking, self.may_start)

    # --- Create and Update --------------------------------------------------------------------------------------------

    def _look_at_update(self, request: Request) -> Done | Waiting:
        properties, wanted = self._parse(request)
        logger.append_keys(job_id=wanted.id)
        tracer.put_annotation("job_id", wanted.id)
        current = Identity.parse(request.physical_id or "")
        keeps = current is not None and self._keeps(current, wanted, request)
        progress = self._leftovers.stop_what_an_update_left(request, current, waits=keeps)
        if isinstance(progress, Waiting):
            return progress
        request = request._replace(progress=progress)
        if current is not None and keeps:
            if not self._changes(current, request, properties):
                return self._refresh(current, wanted, properties, progress)
            return self._change(current, wanted, request, properties)
        if properties.describes:
            return self._start_another(current, wanted, request, properties)
        if current is not None and current.id == wanted.id and not progress.is_seen:
            return self._move(current, wanted, request, properties)
        patience = patience_with_update(self.schema, current, wanted, request)
        return self._starting.adopt(wanted, properties, progress, patience=patience)

    def _parse(self, request: Request) -> tuple[Properties, Identity]:
        """Read the properties, and which job they mean: of those that the provider starts, the resource's own."""
        try:
            properties = self.schema.parse(request.properties)
        except InvalidProperties as error:
            raise RequestFailed(str(error)) from error
        if properties.describes:
            description = properties.description
            current = Identity.parse(request.physical_id or "")
            is_current = current is not None and job_ids.is_of(current.id, request.origin, description)
            job_id = current.id if current is not None and is_current else job_ids.make(request.origin, description)
        else:
            job_id = properties[ID]
        identity = Identity(properties[ENDPOINT], job_id)
        if problem := problem_of(identity.endpoint, self.clusters):
            raise RequestFailed(f"Endpoint is {shown(request.properties['Endpoint'])}; it should be {problem}")
        if (length := len(str(identity).encode())) > LONGEST_BYTES:
            raise RequestFailed(
                f"Id is {shown(identity.id)}; it should be an id that has, with the cluster's name, at most "
                f"{LONGEST_BYTES:,} bytes (it has {length:,})."
            )
        return properties, identity

    def _keeps(self, current: Identity, wanted: Identity, request: Request) -> bool:
        """Tell whether an Update leaves the job's identity as it is."""
        if current.is_same_as(wanted) or current.id != wanted.id:
            return current.id == wanted.id
        # The resource may go by the name of its cluster by which it took the job up, after its Endpoint has changed.
        old = request.old_properties
        if old.get(ENDPOINT.name) == request.properties[ENDPOINT.name] or not self._leftovers.means(
            old, current, request
        ):
            return True  # this Update leaves Endpoint as it was, or rolls one back that meant another job
        try:
            ENDPOINT.type.parse(old.get(ENDPOINT.name))
        except ValueError:
            return True  # what was no endpoint has failed; this Update rolls it back
        return False

    def _refresh(
        self, current: Identity, wanted: Identity, properties: Properties, progress: Progress
    ) -> Done | Waiting:
        """Look the job up for its attributes, if that is possible."""
        job = None
        try:
            job = self._asking.look(wanted, properties)
        except JobNotFound:
            logger.info("The job is gone")
        except NeptuneError as error:
            try:
                return self._asking.again(
                    f"{self.kind.words.named(current.id)} could not be looked up.", error, progress
                )
            except RequestFailed as failure:
                logger.warning("The job has new settings, but could not be looked up", reason=str(failure))
        tracer.put_annotation("status", job.status if job else "NotFound")
        logger.info("The job has new settings", status=job.status if job else "")
        return Done(str(current), self._starting.attributes(current.id, job))

    def _changes(self, current: Identity, request: Request, properties: Properties) -> bool:
        """Tell whether an Update changes what describes its job, and the job stays the same."""
        before = self._leftovers.properties_that_started(request.old_properties)
        return (
            properties.describes
            and before is not None
            and job_ids.is_of(current.id, request.origin, before.description)
            and before.in_place != properties.in_place
        )

    def _change(self, current: Identity, wanted: Identity, request: Request, properties: Properties) -> Done | Waiting:
        """Have Neptune change the job, or start another one in place of one that is gone or has failed."""
        progress = request.progress
        if not progress.job_id:
            result = updating.Updating(self._starting, current, wanted, properties, request).update(progress)
            if result is not None:
                return result
            new_id = job_ids.make(request.origin, properties.description)
            progress = Progress(job_id=new_id, is_tidied=progress.is_tidied)
        request, new = request._replace(progress=progress), wanted._replace(id=progress.job_id)
        if progress.start_sent_at is None and not self._starting.refusal:  # else the user is to read that
            try:
                waiting = self._leftovers.stop_those_before(request, current, properties)
            except NeptuneError as error:
                failure = "What a failed update has left could not be cancelled."
                return self._asking.again(failure, error, progress, patience=DELETION_PATIENCE_SECONDS)
            if waiting is not None:
                return waiting._replace(progress=waiting.progress._replace(job_id=new.id, is_tidied=progress.is_tidied))
        return self._starting.start(new, request, properties)

    def _move(self, current: Identity, wanted: Identity, request: Request, properties: Properties) -> Done | Waiting:
        """Tell whether another `Endpoint` is another cluster, which has a job of the same id, too."""
        patience = patience_with_update(self.schema, current, wanted, request)
        moving = moves.Moving(self._asking, self.kind.words, self.clusters, current, wanted, patience)
        compared = moving.compare(properties, request.progress)
        if isinstance(compared, Waiting):
            return compared
        named, job = compared
        logger.info("The endpoint is another one", is_same_cluster=named is current, status=job.status)
        if named is wanted:
            return self._starting.follow(wanted, job, properties, request.progress, leaves="")
        return Done(str(current), self._starting.attributes(current.id, job))

    def _start_another(
        self, current: Identity | None, wanted: Identity, request: Request, properties: Properties
    ) -> Done | Waiting:
        """Start the job of another description, or in another cluster; or go back to one that is there."""
        progress = request.progress
        if not progress.job_id:
            if current is not None and current.id == wanted.id:
                if (renamed := self._have_by_another_name(current, wanted, request, properties)) is not None:
                    return renamed
                wanted = wanted._replace(id=job_ids.make(request.origin, properties.description))
            if current is not None:
                try:
                    back = self._go_back(current, wanted, request, properties)
                except NeptuneError as error:
                    if self.may_start:  # else the user is to read that it does not
                        failure = f"Whether there is such {self.kind.words.a_thing} already could not be looked up."
                        patience = patience_with_update(self.schema, current, wanted, request)
                        return self._asking.again(failure, error, progress, patience=patience)
                    back = None
                if back is not None:
                    return back
            progress = progress._replace(job_id=wanted.id, silent_since=None)
        wanted = wanted._replace(id=progress.job_id)
        return self._starting.start(wanted, request._replace(progress=progress), properties)

    def _have_by_another_name(
        self, current: Identity, wanted: Identity, request: Request, properties: Properties
    ) -> Done | Waiting | None:
        """Have the job by another name of its cluster, for no other one has a job of its id; `None`: it is gone."""
        try:
            job = self._asking.look(wanted, properties)
        except JobNotFound:
            return None
        except NeptuneError as error:
            failure = f"{self.kind.words.named(wanted.id)} could not be looked up."
            patience = patience_with_update(self.schema, current, wanted, request)
            return self._asking.again(failure, error, request.progress, patience=patience)
        logger.info("The endpoint is another one", is_same_cluster=True, status=job.status)
        if self._changes(current, request, properties):
            return self._change(current, wanted, request, properties)
        return Done(str(current), self._starting.attributes(current.id, job))

    def _go_back(self, current: Identity, wanted: Identity, request: Request, properties: Properties) -> Done | None:
        """Have the job again that the resource had before a replacement, if CloudFormation rolls that back."""
        jobs = self.connect(wanted.endpoint)
        job_id = own_jobs.OwnJobs(jobs, request.origin, properties).to_go_back_to(current.id, wanted.id)
        if not job_id:
            return None
        job = jobs.get(job_id, properties)
        logger.info("The resource has the job again that it had before", job=job_id, status=job.status)
        if self.kind.update and not job.has_failed:
            try:
                jobs.update(job_id, properties)  # it may be no rollback, and ask for something else
            except RequestRefused as refusal:  # a rollback has to succeed: it is what it was
                logger.warning("The job stays as it was", reason=str(refusal))
        return Done(str(wanted._replace(id=job_id)), self._starting.attributes(job_id, job))
