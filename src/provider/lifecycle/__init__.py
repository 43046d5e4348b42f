"""What Create, Update, Delete and a look mean for a job of any kind.

Each method takes one look, and leaves the waiting to whoever calls it: as long as it returns `Waiting`, it is to be
called again with the progress that it returned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from provider import job_id as job_ids
from provider.hosts import problem_of
from provider.identity import LONGEST_BYTES, NO_JOB, NO_JOB_YET, UNCLEAR, Identity
from provider.kinds.common import ENDPOINT, ID, WAIT_FOR_STOP
from provider.lifecycle.asking import ADOPTION_PATIENCE_SECONDS, DELETION_PATIENCE_SECONDS, Asking
from provider.lifecycle.leftovers import OwnJobs
from provider.lifecycle.starting import APPEARANCE_SECONDS, START_SECONDS, Starting, start_seconds
from provider.lifecycle.stopping import REFUSAL_PATIENCE_SECONDS, Stopping
from provider.lifecycle.terms import Done, JobsOfCluster, Progress, Request, RequestFailed, Waiting
from provider.neptune import READ_SECONDS, JobNotFound, NeptuneError
from provider.observability import logger, record, tracer
from provider.schema import InvalidProperties, Properties, Schema, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from provider.clock import Clock
    from provider.hosts import Hosts
    from provider.kinds.kind import Kind
    from provider.values import Endpoint

__all__ = [
    "ADOPTION_PATIENCE_SECONDS",
    "APPEARANCE_SECONDS",
    "DELETION_PATIENCE_SECONDS",
    "REFUSAL_PATIENCE_SECONDS",
    "SEARCH_SECONDS",
    "START_SECONDS",
    "Done",
    "JobsOfCluster",
    "Lifecycle",
    "Progress",
    "Request",
    "RequestFailed",
    "Waiting",
]

# What was asked to start may be taken up by Neptune as late as that.
_TAKEN_UP_SECONDS = READ_SECONDS["start"]
SEARCH_SECONDS = START_SECONDS + _TAKEN_UP_SECONDS


class Lifecycle(NamedTuple):
    """The life of a resource.

    Attributes:
        kind: The kind of its job.
        schema: Its properties.
        clusters: The hosts that an `Endpoint` may name.
        connect: Gives the jobs of a cluster.
        clock: The time.
        may_start: Whether the operator lets the provider start jobs.
        is_patient: Whether a Neptune that cannot be reached may be back in a moment.
    """

    kind: Kind
    schema: Schema
    clusters: Hosts
    connect: Callable[[Endpoint], JobsOfCluster]
    clock: Clock
    may_start: bool = False
    is_patient: bool = True

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
        properties, identity = self._parse(request)
        logger.append_keys(job_id=identity.id)
        tracer.put_annotation("job_id", identity.id)
        if not properties.description:
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
        properties, wanted = self._parse(request)
        logger.append_keys(job_id=wanted.id)
        tracer.put_annotation("job_id", wanted.id)
        current = Identity.parse(request.physical_id or "")
        progress = self._tidy(request, current)
        if isinstance(progress, Waiting):
            return progress
        request = request._replace(progress=progress)
        if current is not None and self._keeps(current, wanted, request):
            return self._refresh(current, wanted, properties, progress)
        if properties.description:
            return self._start_another(current, wanted, request, properties)
        if current is not None and current.id == wanted.id and not progress.is_seen:
            return self._move(current, wanted, properties, progress)
        return self._starting.adopt(wanted, properties, progress)

    def without_neptune(self, request: Request) -> Done | None:
        """Tell what an Update comes to if Neptune cannot be asked.

        Args:
            request: The Update.

        Returns:
            The same identity, with attributes that are empty but for the id; `None` if the Update needs Neptune.

        Raises:
            RequestFailed: A property is wrong.
        """
        _, identity = self._parse(request)
        current = Identity.parse(request.physical_id or "")
        if current is None or not self._keeps(current, identity, request):
            return None
        if self._properties_that_failed(request, current) is not None:
            _tell_of_leftovers("There was no time to look for it.")
        return Done(str(current), self._starting.attributes(current.id, None))

    def end_of_search(self, request: Request) -> Done | None:
        """Tell what a Delete comes to whose time is over while it looks for a job that nobody was told of.

        Args:
            request: The Delete.

        Returns:
            That it is done, if no job was there; the alarm sounds, for one may still appear. `None` if it does not look
            for one.
        """
        if not request.progress.has_searched:
            return None
        _tell_of_leftovers("There was no time to look for it any longer.")
        return Done(request.physical_id or "")

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
        if not properties.description:
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
            return self._stop_unreported(request) or Done(physical_id)
        logger.append_keys(job_id=identity.id)
        tracer.put_annotation("job_id", identity.id)
        if problem := problem_of(identity.endpoint, self.clusters):
            raise RequestFailed(
                f"The job {identity.id} cannot be cancelled: its cluster is at {identity.endpoint.host}, which should "
                f"be {problem} If the provider's AllowedHosts was changed, change it back and try the deletion again."
            )
        try:
            jobs = self.connect(identity.endpoint)
            properties = self.schema.parse(request.properties, for_delete=True)
            wait = properties[WAIT_FOR_STOP]
            stopping = Stopping(self.clock, self.is_patient)
            return stopping.stop(jobs, identity.id, properties, request.progress, wait=wait) or Done(physical_id)
        except JobNotFound:
            logger.info("The job is gone")
            tracer.put_annotation("status", "NotFound")
            return Done(physical_id)
        except (InvalidProperties, NeptuneError) as error:
            raise RequestFailed(f"The job {identity.id} could not be cancelled. {error}") from error

    @property
    def _asking(self) -> Asking:
        return Asking(self.connect, self.clock, self.is_patient)

    @property
    def _starting(self) -> Starting:
        return Starting(self.kind, self._asking, self.may_start)

    # --- Create and Update --------------------------------------------------------------------------------------------

    def _parse(self, request: Request) -> tuple[Properties, Identity]:
        """Read the properties, and which job they mean: of those that the provider starts, the resource's own."""
        try:
            properties = self.schema.parse(request.properties)
        except InvalidProperties as error:
            raise RequestFailed(str(error)) from error
        description = properties.description
        if description:
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
                f"Id is {shown(identity.id)}; it should be a job id that has, with the cluster's name, at most "
                f"{LONGEST_BYTES:,} bytes (it has {length:,})."
            )
        return properties, identity

    def _keeps(self, current: Identity, wanted: Identity, request: Request) -> bool:
        """Tell whether an Update leaves the job's identity as it is."""
        if current.is_same_as(wanted) or current.id != wanted.id:
            return current.id == wanted.id
        # The resource may go by the name of its cluster by which it took the job up, after its Endpoint has changed.
        old = request.old_properties
        if old.get(ENDPOINT.name) == request.properties[ENDPOINT.name] or not self._mean(old, current, request):
            return True  # this Update leaves Endpoint as it was, or rolls one back that meant another job
        try:
            ENDPOINT.type.parse(old.get(ENDPOINT.name))
        except ValueError:
            return True  # what was no endpoint has failed; this Update rolls it back
        return False

    def _mean(self, raw: Mapping[str, object], current: Identity, request: Request) -> bool:
        """Tell whether properties mean the job of that id."""
        if ID.name in raw:
            return raw[ID.name] == current.id
        try:
            description = self.schema.parse(raw).description
        except InvalidProperties:
            return False
        return job_ids.is_of(current.id, request.origin, description)

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
                return self._asking.again(f"The job {current.id} could not be looked up.", error, progress)
            except RequestFailed as failure:
                logger.warning("The job has new settings, but could not be looked up", reason=str(failure))
        tracer.put_annotation("status", job.status if job else "NotFound")
        logger.info("The job has new settings", status=job.status if job else "")
        return Done(str(current), self._starting.attributes(current.id, job))

    def _move(self, current: Identity, wanted: Identity, properties: Properties, progress: Progress) -> Done | Waiting:
        """Tell whether another `Endpoint` is another cluster, which has a job of the same id, too."""
        try:
            new = self._asking.look(wanted, properties)
        except JobNotFound as error:
            raise RequestFailed(f"{error} Check Id and Endpoint.") from error
        except NeptuneError as error:
            return self._asking.again(f"The job {wanted.id} could not be looked up.", error, progress)
        if problem := problem_of(current.endpoint, self.clusters):
            raise RequestFailed(f"The job {current.id} is at {current.endpoint.host}, which should be {problem}")
        try:
            old = self._asking.look(current, properties)
        except JobNotFound:
            return self._starting.follow(wanted, new, properties, progress, leaves="")
        except NeptuneError as error:
            try:
                return self._asking.again(f"The job {current.id} could not be looked up.", error, progress)
            except RequestFailed:
                raise RequestFailed(
                    f"Whether {wanted} is the same job as {current} cannot be told. {error} If that cluster is gone "
                    "for good, retain this resource (DeletionPolicy and UpdateReplacePolicy: Retain), and declare the "
                    "job in a new one."
                ) from error
        named = current if old.arns & new.arns else wanted
        if not (old.arns and new.arns) and not (old.has_ended or new.has_ended):
            raise RequestFailed(
                f"Endpoint is another host, {wanted.endpoint.host}, and Neptune does not say yet whether its job "
                f"{wanted.id} is the same as at {current.endpoint.host}. Try again when the job has its SageMaker jobs."
            )
        logger.info("The endpoint is another one", is_same_cluster=named is current, status=new.status)
        if named is wanted:
            return self._starting.follow(wanted, new, properties, progress, leaves="")
        return Done(str(current), self._starting.attributes(current.id, new))

    def _start_another(
        self, current: Identity | None, wanted: Identity, request: Request, properties: Properties
    ) -> Done | Waiting:
        """Start the job of another description, or in another cluster; or go back to one that is there."""
        progress = request.progress
        if not progress.job_id:
            try:
                if current is not None and current.id == wanted.id:
                    # No other cluster has a job of an id that the provider made: it is another name of the same one.
                    job = self._asking.look(wanted, properties)
                    logger.info("The endpoint is another one", is_same_cluster=True, status=job.status)
                    return Done(str(current), self._starting.attributes(current.id, job))
            except JobNotFound:
                wanted = wanted._replace(id=job_ids.make(request.origin, properties.description))
            except NeptuneError as error:
                return self._asking.again(f"The job {wanted.id} could not be looked up.", error, progress)
            if current is not None:
                try:
                    back = self._go_back(current, wanted, request, properties)
                except NeptuneError as error:
                    if self.may_start:  # else it may not be allowed to look
                        failure = "Whether there is such a job already could not be looked up."
                        patience = self._patience_with(current, wanted)
                        return self._asking.again(failure, error, progress, patience=patience)
                    back = None
                if back is not None:
                    return back
            progress = progress._replace(job_id=wanted.id, silent_since=None)
        wanted = wanted._replace(id=progress.job_id)
        return self._starting.start(wanted, request._replace(progress=progress), properties)

    def _go_back(self, current: Identity, wanted: Identity, request: Request, properties: Properties) -> Done | None:
        """Have the job again that the resource had before a replacement, if CloudFormation rolls that back."""
        jobs = self.connect(wanted.endpoint)
        job_id = OwnJobs(jobs, request.origin, properties).to_go_back_to(current.id)
        if not job_id:
            return None
        job = jobs.get(job_id, properties)
        logger.info("The resource has the job again that it had before", job=job_id, status=job.status)
        return Done(str(wanted._replace(id=job_id)), self._starting.attributes(job_id, job))

    def _patience_with(self, current: Identity, other: Identity) -> float:
        """For how long an Update that may be a rollback waits for a cluster: a new one's name may be mistyped."""
        return DELETION_PATIENCE_SECONDS if other.endpoint == current.endpoint else ADOPTION_PATIENCE_SECONDS

    def _tidy(self, request: Request, current: Identity | None) -> Progress | Waiting:
        """Cancel what an Update has left that failed after it had started a job; returns the progress of the rest."""
        progress = request.progress
        properties = self._properties_that_failed(request, current)
        if current is None or properties is None:
            return progress
        try:
            return self._stop_leftovers(request, current, properties) or Progress(is_tidied=True)
        except NeptuneError as error:
            failure = "What a failed update has left could not be cancelled."
            patience = self._patience_with(current, current._replace(endpoint=properties[ENDPOINT]))
            try:
                return self._asking.again(failure, error, progress, patience=patience)
            except RequestFailed as failed:
                _tell_of_leftovers(str(failed))
                return Progress(is_tidied=True)

    def _stop_leftovers(self, request: Request, current: Identity, properties: Properties) -> Waiting | None:
        """Cancel the jobs that an Update with these properties has left; `None`: there is none, or no more."""
        progress, jobs = request.progress, self.connect(properties[ENDPOINT])
        if self._mean(request.old_properties, current, request) and _has(jobs, current.id, properties):
            return None  # the job that CloudFormation knows, by another name of its cluster
        left = OwnJobs(jobs, request.origin, properties).unreported_besides(current.id)
        begun = [progress.job_id] if progress.job_id else []
        for job_id in dict.fromkeys([*begun, *left]):
            if (stopping := self._stop_one(jobs, job_id, properties, progress, wait=False)) is not None:
                return stopping
        if left or begun or self._is_search_over(request, request.origin.asked_at):
            return None
        reason = "The update that is rolled back may have started a job; looking whether one appears."
        return Waiting(reason, progress._replace(silent_since=None, has_searched=True))

    def _properties_that_failed(self, request: Request, current: Identity | None) -> Properties | None:
        """Return those of an Update that has failed and may have started a job; `None`: there is no such Update.

        They are the old ones now, and do not mean the job that CloudFormation knows.
        """
        if request.progress.is_tidied or not self.may_start or current is None:
            return None
        properties = self._properties_that_started(request.old_properties)
        if properties is None:
            return None
        has_moved = request.old_properties.get(ENDPOINT.name) != request.properties.get(ENDPOINT.name)
        is_elsewhere = has_moved and properties[ENDPOINT] != current.endpoint
        return properties if is_elsewhere or not self._mean(request.old_properties, current, request) else None

    def _properties_that_started(self, raw: Mapping[str, object]) -> Properties | None:
        """Return properties with which a job may have been started; `None`: with these, none was."""
        try:
            properties = self.schema.parse(raw)
        except InvalidProperties:
            return None
        return properties if properties.description and not problem_of(properties[ENDPOINT], self.clusters) else None

    def _is_search_over(self, request: Request, asked_at: float | None) -> bool:
        """Tell whether a job that was asked for at that time would have appeared by now, if it ever does."""
        if not self.is_patient or not self.may_start:
            return True
        since = asked_at or request.origin.asked_at
        return since is None or self.clock.wall() - since > start_seconds(request.time_limit) + _TAKEN_UP_SECONDS

    # --- Delete -------------------------------------------------------------------------------------------------------

    def _stop_one(
        self, jobs: JobsOfCluster, job_id: str, properties: Properties, progress: Progress, *, wait: bool
    ) -> Waiting | None:
        """Stop a job that CloudFormation does not know; `None`: that is done."""
        logger.append_keys(job_id=job_id)
        if progress.job_id != job_id:
            logger.warning("This resource has started a job that CloudFormation does not know; cancelling it")
            progress = Progress()
        try:
            waiting = Stopping(self.clock, self.is_patient).stop(jobs, job_id, properties, progress, wait=wait)
        except JobNotFound:
            return None
        return waiting and waiting._replace(progress=waiting.progress._replace(job_id=job_id))

    def _stop_unreported(self, request: Request) -> Waiting | None:
        """Cancel the job of a creation that was not heard; `None`: there is none, or it is done."""
        physical_id, progress = request.physical_id or "", request.progress
        mark, named = Identity.parse_marked(physical_id) or (physical_id.partition("/")[0], None)
        properties = None if mark == NO_JOB else self._properties_that_started(request.properties)
        if properties is None:
            logger.info("This resource has no job: nothing to cancel", physical_resource_id=physical_id)
            return None
        jobs = self.connect(named.endpoint if named else properties[ENDPOINT])
        try:
            job_id = progress.job_id or self._unreported(jobs, named, request, properties)
        except NeptuneError as error:
            is_unlikely = mark == NO_JOB_YET or not self.may_start
            patience = ADOPTION_PATIENCE_SECONDS if is_unlikely else DELETION_PATIENCE_SECONDS
            failure = f"Whether this resource has started a job at {properties[ENDPOINT].host} could not be looked up."
            try:
                return self._asking.again(failure, error, progress, patience=min(patience, request.time_limit / 2))
            except RequestFailed as failed:
                if not is_unlikely:
                    raise
                logger.warning("This resource has started no job, as far as is known", reason=str(failed))
                return None
        if job_id:
            try:
                return self._stop_one(jobs, job_id, properties, progress, wait=properties[WAIT_FOR_STOP])
            except NeptuneError as error:
                raise RequestFailed(f"The job {job_id} could not be cancelled. {error}") from error
        if self._is_search_over(request, job_ids.asked_at(named.id) if named else None):
            return None
        reason = "A creation that was not heard may have started a job; looking whether one appears."
        return Waiting(reason, Progress(has_searched=True))

    def _unreported(self, jobs: JobsOfCluster, named: Identity | None, request: Request, properties: Properties) -> str:
        """Return the id of the job of a creation that was not heard; empty if there is none."""
        if named is not None:
            return named.id if _has(jobs, named.id, properties) else ""
        # One that has been cancelled already is not worth a word, but its end is, before the deletion succeeds.
        may_be_stopping = properties[WAIT_FOR_STOP] and self._is_search_over(request, None)
        return OwnJobs(jobs, request.origin, properties).unreported(may_be_stopping=may_be_stopping)


def _has(jobs: JobsOfCluster, job_id: str, properties: Properties) -> bool:
    try:
        jobs.get(job_id, properties)
    except JobNotFound:
        return False
    return True


def _tell_of_leftovers(reason: str) -> None:
    """Have the alarm tell the operator of a request that ends well, and may have left a job.

    It may be a rollback, which must not fail for want of Neptune, or a deletion whose time is too short to look.
    """
    logger.error("A job that CloudFormation does not know may run on", reason=reason)
    record("FailedDeletions", 1)
