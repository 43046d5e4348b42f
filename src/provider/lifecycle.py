"""What Create, Update, Delete and a look mean for a job of any kind.

Each method takes one look, and leaves the waiting to whoever calls it: as long as it returns `Waiting`, it is to be
called again with the progress that it returned.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self, cast

from provider.hosts import problem_of
from provider.identity import LONGEST_BYTES, Identity
from provider.kinds.common import ENDPOINT, ID, WAIT_FOR_STOP
from provider.neptune import Job, JobNotFound, NeptuneError, RequestRefused, Unavailable, Unreachable
from provider.observability import logger, record, tracer
from provider.schema import InvalidProperties, Properties, Schema, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from provider.clock import Clock
    from provider.hosts import Hosts
    from provider.kinds.kind import Kind
    from provider.values import Endpoint

# A Create or an Update rides out a Neptune that throttles, fails or restarts for a moment, and no more: a cluster that
# cannot be reached is rather a mistake in the template.
ADOPTION_PATIENCE_SECONDS = 45.0
# A failover or an engine's upgrade takes minutes; a deletion that gave up before would leave its job to run on.
DELETION_PATIENCE_SECONDS = 600.0
# A cancellation whose answer was lost may still be taking effect when Neptune refuses the next one.
REFUSAL_PATIENCE_SECONDS = 60.0

_LATEST_TIME = 1e11  # seconds since the epoch


class JobsOfCluster(Protocol):
    """The jobs of one cluster: `neptune.Jobs`, or a stand-in."""

    def get(self, job_id: str, properties: Properties) -> Job:
        """Look a job up; see `Jobs.get`."""

    def cancel(self, job_id: str, properties: Properties) -> None:
        """Cancel a job; see `Jobs.cancel`."""


class RequestFailed(Exception):
    """The request cannot be fulfilled; the message tells the resource's user why and what to do."""


class Progress(NamedTuple):
    """What earlier looks have found out; times are seconds of `Clock.wall`.

    Attributes:
        cancelled_at: When Neptune accepted the cancellation, or was found to have.
        unclear: Whether a cancellation got no usable answer, and the job has not been looked at since.
        refused_at: When Neptune refused the cancellation of a job that was running.
        words: What came of the last cancellation that was not accepted.
        silent_since: Since when no connection to Neptune has come about, or nothing could be adopted.
    """

    cancelled_at: float | None = None
    unclear: bool = False
    refused_at: float | None = None
    words: str = ""
    silent_since: float | None = None

    def as_json(self) -> dict[str, object]:
        """Return it as JSON has it."""
        return {name: value for name, value in self._asdict().items() if value != self._field_defaults[name]}

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> Self:
        """Read it.

        Args:
            data: What `as_json` returned.

        Returns:
            The progress.

        Raises:
            ValueError: It is something else; the message names the field.
        """
        for name, value in data.items():
            if name in ("cancelled_at", "refused_at", "silent_since"):
                right = type(value) in (int, float) and 0 <= cast("float", value) <= _LATEST_TIME
            else:
                right = (name, type(value)) in (("unclear", bool), ("words", str))
            if not right:
                raise ValueError(name)
        return cls(**cast("dict[str, Any]", data))


class Request(NamedTuple):
    """What is asked of a resource, whoever asks.

    Attributes:
        physical_id: The resource's id so far; `None` for a Create.
        properties: The resource's properties, as sent.
        old_properties: Those before an Update, as sent.
        progress: What earlier looks have found out.
    """

    physical_id: str | None
    properties: Mapping[str, object]
    old_properties: Mapping[str, object] = MappingProxyType({})
    progress: Progress = Progress()


class Done(NamedTuple):
    """The request is fulfilled.

    Attributes:
        physical_id: The resource's id.
        attributes: What `Fn::GetAtt` returns.
    """

    physical_id: str
    attributes: Mapping[str, str] = MappingProxyType({})


class Waiting(NamedTuple):
    """The request needs another look.

    Attributes:
        reason: What is known so far, one sentence.
        progress: What the next look has to know.
    """

    reason: str
    progress: Progress


class Lifecycle(NamedTuple):
    """The life of a resource.

    Attributes:
        kind: The kind of its job.
        schema: Its properties.
        clusters: The hosts that an `Endpoint` may name.
        connect: Gives the jobs of a cluster.
        clock: The time.
        is_patient: Whether a Neptune that cannot be reached may be back in a moment.
    """

    kind: Kind
    schema: Schema
    clusters: Hosts
    connect: Callable[[Endpoint], JobsOfCluster]
    clock: Clock
    is_patient: bool = True

    def create(self, request: Request) -> Done | Waiting:
        """Adopt a job.

        Args:
            request: The Create.

        Returns:
            The adopted job's identity and attributes; `Waiting` while Neptune cannot be asked, for less than a minute.

        Raises:
            RequestFailed: A property is wrong, the job does not exist, or it could not be looked up.
        """
        properties, identity = self._parse(request)
        logger.append_keys(job_id=identity.id)
        tracer.put_annotation("job_id", identity.id)
        return self._adopt(identity, properties, request.progress)

    def update(self, request: Request) -> Done | Waiting:
        """Adopt new settings, or another job.

        Another identity is a replacement: CloudFormation then sends the Delete of the old one. An Update that keeps
        the identity does not need Neptune, for CloudFormation rolls back by an Update.

        Args:
            request: The Update.

        Returns:
            The adopted job's identity and attributes; `Waiting` as for a Create.

        Raises:
            RequestFailed: A property is wrong, or another job does not exist or could not be looked up.
        """
        properties, identity = self._parse(request)
        logger.append_keys(job_id=identity.id)
        tracer.put_annotation("job_id", identity.id)
        current = Identity.parse(request.physical_id or "")
        if current is None or current.id != identity.id:
            return self._adopt(identity, properties, request.progress)
        if self._keeps(current, identity, request):
            return self._refresh(current, identity, properties, request.progress)
        return self._move(current, identity, properties, request.progress)

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
        return Done(str(current), self._attributes(current.id, None))

    def delete(self, request: Request) -> Done | Waiting:
        """Cancel the job, and tell whether it has stopped.

        Only a job that Create or Update adopted is touched: the physical id is its identity then. CloudFormation also
        sends Deletes for failed creations, with other physical ids.

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
            logger.info("This resource adopted no job: nothing to cancel", physical_resource_id=physical_id)
            return Done(physical_id)
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
            return self._stop(jobs, identity.id, properties, request.progress, wait=wait) or Done(physical_id)
        except JobNotFound:
            logger.info("The job is gone")
            tracer.put_annotation("status", "NotFound")
            return Done(physical_id)
        except (InvalidProperties, NeptuneError) as error:
            raise RequestFailed(f"The job {identity.id} could not be cancelled. {error}") from error

    # --- Create and Update --------------------------------------------------------------------------------------------

    def _parse(self, request: Request) -> tuple[Properties, Identity]:
        try:
            properties = self.schema.parse(request.properties)
        except InvalidProperties as error:
            raise RequestFailed(str(error)) from error
        identity = Identity(properties[ENDPOINT], properties[ID])
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
        # The resource may go by the name of its cluster by which it adopted the job, after its Endpoint has changed.
        old = request.old_properties
        if old.get("Id") != current.id or old.get("Endpoint") == request.properties["Endpoint"]:
            return True  # this Update rolls one back that named another job, or leaves Endpoint as it was
        try:
            ENDPOINT.type.parse(old.get("Endpoint"))
        except ValueError:
            return True  # what was no endpoint has failed; this Update rolls it back
        return False

    def _adopt(self, identity: Identity, properties: Properties, progress: Progress) -> Done | Waiting:
        try:
            job = self._look(identity, properties)
        except JobNotFound as error:
            raise RequestFailed(f"{error} Check Id and Endpoint.") from error
        except NeptuneError as error:
            return self._ask_again(identity, progress, error)
        tracer.put_annotation("status", job.status)
        logger.info("Adopted the job", status=job.status)
        return Done(str(identity), self._attributes(identity.id, job))

    def _ask_again(self, identity: Identity, progress: Progress, error: NeptuneError) -> Waiting:
        """Have the request wait for a Neptune that may be back in a moment, or give it up."""
        now = self.clock.wall()
        since = now if progress.silent_since is None else progress.silent_since
        may_pass = isinstance(error, Unavailable) or (self.is_patient and isinstance(error, Unreachable))
        if not may_pass or now - since >= ADOPTION_PATIENCE_SECONDS:
            raise RequestFailed(f"The job {identity.id} could not be looked up. {error}") from error
        logger.warning("Neptune cannot be asked; asking again", error=str(error))
        return Waiting(f"The job {identity.id} could not be looked up. {error}", progress._replace(silent_since=since))

    def _refresh(
        self, current: Identity, wanted: Identity, properties: Properties, progress: Progress
    ) -> Done | Waiting:
        """Look the job up for its attributes, if that is possible."""
        job = None
        try:
            job = self._look(wanted, properties)
        except JobNotFound:
            logger.info("The job is gone")
        except NeptuneError as error:
            try:
                return self._ask_again(current, progress, error)
            except RequestFailed as failure:
                logger.warning("The job has new settings, but could not be looked up", reason=str(failure))
        tracer.put_annotation("status", job.status if job else "NotFound")
        logger.info("The job has new settings", status=job.status if job else "")
        return Done(str(current), self._attributes(current.id, job))

    def _move(self, current: Identity, wanted: Identity, properties: Properties, progress: Progress) -> Done | Waiting:
        """Tell whether another `Endpoint` is another cluster, which has a job of the same id, too."""
        try:
            new = self._look(wanted, properties)
        except JobNotFound as error:
            raise RequestFailed(f"{error} Check Id and Endpoint.") from error
        except NeptuneError as error:
            return self._ask_again(wanted, progress, error)
        if problem := problem_of(current.endpoint, self.clusters):
            raise RequestFailed(f"The job {current.id} is at {current.endpoint.host}, which should be {problem}")
        try:
            old = self._look(current, properties)
        except JobNotFound:
            return Done(str(wanted), self._attributes(wanted.id, new))
        except NeptuneError as error:
            try:
                return self._ask_again(current, progress, error)
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
        return Done(str(named), self._attributes(wanted.id, new))

    def _attributes(self, job_id: str, job: Job | None) -> Mapping[str, str]:
        if job is None:
            return {"Id": job_id, "Status": "", **{attribute.name: "" for attribute in self.kind.attributes}}
        return {"Id": job_id, "Status": job.status, **job.attributes}

    # --- Delete -------------------------------------------------------------------------------------------------------

    def _stop(
        self, jobs: JobsOfCluster, job_id: str, properties: Properties, progress: Progress, *, wait: bool
    ) -> Waiting | None:
        """Cancel the job, unless that is done or in doubt, and see what has become of it; `None`: it is done."""
        now = self.clock.wall()
        # What Neptune refuses after that, it refuses for good.
        is_last_try = progress.refused_at is not None and now - progress.refused_at >= REFUSAL_PATIENCE_SECONDS
        try:
            if progress.cancelled_at is None and not progress.unclear and (progress.refused_at is None or is_last_try):
                progress = self._cancel(jobs, job_id, properties)
                if progress.cancelled_at is not None and not wait:
                    return None
            job = jobs.get(job_id, properties)
        except (Unavailable, Unreachable, RequestRefused) as error:
            return self._without_answer(error, job_id, progress, is_last_try=is_last_try)
        except JobNotFound:
            raise
        except NeptuneError as error:
            if progress.cancelled_at is None:
                raise
            raise RequestFailed(f"The job {job_id} is cancelled, but not known to have stopped. {error}") from error
        waiting = self._judge(job, job_id, progress, wait=wait)
        if waiting is not None and is_last_try and progress.refused_at is not None:
            raise RequestRefused(progress.words)
        return waiting

    def _without_answer(self, error: NeptuneError, job_id: str, progress: Progress, *, is_last_try: bool) -> Waiting:
        """Have a Delete wait for a Neptune that has not answered, or give it up before it has been cancelled."""
        now, silent_since = self.clock.wall(), None
        if isinstance(error, RequestRefused) and progress.cancelled_at is None:
            if is_last_try:
                raise error
            since = now if progress.refused_at is None else progress.refused_at
            progress = progress._replace(refused_at=since, words=str(error))
        if isinstance(error, Unreachable):
            silent_since = now if progress.silent_since is None else progress.silent_since
            patience = DELETION_PATIENCE_SECONDS if self.is_patient else 0.0
            if progress.cancelled_at is None and now - silent_since >= patience:
                raise error
        logger.warning("Neptune cannot be asked; asking again", error=str(error))
        reason = f"The job {job_id} is not known to have stopped: {error}"
        return Waiting(reason, progress._replace(silent_since=silent_since))

    def _judge(self, job: Job, job_id: str, progress: Progress, *, wait: bool) -> Waiting | None:
        """Tell what a look at the job means for its Delete; `None`: it is done."""
        now = self.clock.wall()
        tracer.put_annotation("status", job.status)
        if job.has_ended:
            logger.info("The job has ended", status=job.status)
            if progress.cancelled_at is not None:
                record("SecondsToStop", max(0.0, now - progress.cancelled_at), "Seconds")
            return None
        reason = f"The job {job_id} has not stopped yet (its status is {job.status})."
        if progress.cancelled_at is not None:
            return Waiting(reason, Progress(cancelled_at=progress.cancelled_at)) if wait else None
        if job.is_stopping:
            record("JobsCancelled", int(progress.unclear))
            return Waiting(reason, Progress(cancelled_at=now)) if wait else None
        # After a cancellation that got no answer and had no effect, the next look cancels again.
        return Waiting(f"{reason} {progress.words}", progress._replace(unclear=False, silent_since=None))

    def _cancel(self, jobs: JobsOfCluster, job_id: str, properties: Properties) -> Progress:
        """Have Neptune stop the job; returns what that came to."""
        try:
            jobs.cancel(job_id, properties)
        except Unavailable as error:
            logger.warning("The cancellation got no answer; looking what has become of it", error=str(error))
            return Progress(unclear=True, words=str(error))
        except RequestRefused as error:
            # Neptune refuses to cancel a job that has ended, or is stopping already.
            logger.info("Neptune refused to cancel the job; looking at it", refusal=str(error))
            return Progress(refused_at=self.clock.wall(), words=str(error))
        logger.info("Cancelled the job")
        record("JobsCancelled", 1)
        return Progress(cancelled_at=self.clock.wall())

    def _look(self, identity: Identity, properties: Properties) -> Job:
        return self.connect(identity.endpoint).get(identity.id, properties)
