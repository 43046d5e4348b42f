"""How a job is adopted or started, and how it is known to have completed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from provider.identity import NO_JOB, NO_JOB_YET, UNCLEAR
from provider.kinds.common import WAIT_FOR_COMPLETION
from provider.lifecycle.asking import ADOPTION_PATIENCE_SECONDS, DELETION_PATIENCE_SECONDS
from provider.lifecycle.terms import Done, RequestFailed, Waiting
from provider.neptune import JobNotFound, NeptuneError, RequestRefused, Throttled, Unavailable
from provider.observability import logger, record, tracer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provider.identity import Identity
    from provider.kinds.kind import Kind
    from provider.lifecycle.asking import Asking
    from provider.lifecycle.terms import Progress, Request
    from provider.neptune import Job
    from provider.schema import Properties

# A job that was started may take some time to be there for a look, the more so if its start got no answer.
APPEARANCE_SECONDS = 60.0
# A request that is older than this starts no job any more, so that a Delete knows how long to look for one.
START_SECONDS = 180.0


class Starting(NamedTuple):
    """The beginning of a job.

    Attributes:
        kind: Its kind.
        asking: How Neptune is asked.
    """

    kind: Kind
    asking: Asking

    def adopt(self, identity: Identity, properties: Properties, progress: Progress) -> Done | Waiting:
        """Adopt a job that there is.

        Args:
            identity: The job.
            properties: The resource's properties.
            progress: What earlier looks have found out.

        Returns:
            The job's identity and attributes; `Waiting` while Neptune cannot be asked, for less than a minute, or until
            the job has completed.

        Raises:
            RequestFailed: There is no such job, it could not be looked up, or it is to complete and has not.
        """
        try:
            job = self.asking.look(identity, properties)
        except JobNotFound as error:
            raise RequestFailed(f"{error} Check Id and Endpoint.") from error
        except NeptuneError as error:
            patience = DELETION_PATIENCE_SECONDS if progress.is_seen else ADOPTION_PATIENCE_SECONDS
            failure = f"The job {identity.id} could not be looked up."
            return self.asking.again(failure, error, progress, patience=patience)
        return self._follow(identity, job, properties, progress, leaves=NO_JOB)

    def start(self, identity: Identity, request: Request, properties: Properties) -> Done | Waiting:
        """Start a job, unless it is there already: the same request may be delivered twice.

        Args:
            identity: The job that is to be.
            request: What is asked.
            properties: The resource's properties.

        Returns:
            The job's identity and attributes; `Waiting` until it can be looked up, or has completed.

        Raises:
            RequestFailed: It could not be started, or it is to complete and has not.
        """
        progress = request.progress
        try:
            job = self.asking.look(identity, properties)
        except JobNotFound as error:
            if progress.is_seen:
                raise RequestFailed(f"{error} It had been started.", UNCLEAR) from error
            return self._ask_to_start(identity, request, properties)
        except NeptuneError as error:
            return self._again(f"The job {identity.id} could not be looked up.", error, identity, progress)
        return self._follow(identity, job, properties, progress, leaves=str(identity))

    def attributes(self, job_id: str, job: Job | None) -> Mapping[str, str]:
        """Return what `Fn::GetAtt` returns.

        Args:
            job_id: The job's id.
            job: What Neptune says of it, if that is known.

        Returns:
            Every attribute that there is, empty where Neptune names none.
        """
        if job is None:
            return {"Id": job_id, "Status": "", **{attribute.name: "" for attribute in self.kind.attributes}}
        return {"Id": job_id, "Status": job.status, **job.attributes}

    def _ask_to_start(self, identity: Identity, request: Request, properties: Properties) -> Done | Waiting:
        """Start a job that cannot be looked up, unless a start may be taking effect."""
        progress, now, job_id = request.progress, self.asking.clock.wall(), identity.id
        if progress.start_sent_at is not None and now - progress.start_sent_at < APPEARANCE_SECONDS:
            reason = f"The job {job_id} was asked for and is not there yet. {progress.words}"
            return Waiting(reason.rstrip(), progress, UNCLEAR)
        self._check_time(identity, request)
        try:
            self.asking.connect(identity.endpoint).start(job_id, properties)
        except Throttled as error:
            return self._again(f"The job {job_id} could not be started.", error, identity, progress)
        except Unavailable as error:
            logger.warning("The start got no answer; looking whether the job is there", error=str(error))
            progress = progress._replace(start_sent_at=now, words=str(error), silent_since=None)
            return Waiting(f"The start of the job {job_id} got no answer. {error}", progress, UNCLEAR)
        except RequestRefused as error:
            if "already exist" not in str(error):
                leaves = NO_JOB if progress.start_sent_at is None else UNCLEAR
                raise RequestFailed(f"The job could not be started. {error}", leaves) from error
            logger.info("There is such a job already: another delivery of this request has started it")
        except NeptuneError as error:
            return self._again(f"The job {job_id} could not be started.", error, identity, progress)
        else:
            logger.info("Started the job")
            record("JobsStarted", 1)
        progress = progress._replace(start_sent_at=now, is_accepted=True, words="", silent_since=None)
        try:
            job = self.asking.look(identity, properties)
        except NeptuneError as error:
            return Waiting(f"The job {job_id} is started and could not be looked up. {error}", progress, UNCLEAR)
        return self._follow(identity, job, properties, progress, leaves=str(identity))

    def _check_time(self, identity: Identity, request: Request) -> None:
        """Fail a request that must not start its job any more."""
        progress, asked_at, now = request.progress, request.origin.asked_at, self.asking.clock.wall()
        if progress.start_sent_at is not None and progress.is_accepted:
            silence = now - progress.start_sent_at
            failure = (
                f"Neptune accepted the start of the job {identity.id}, and knows no such job {silence:.0f} s later."
            )
            raise RequestFailed(failure, UNCLEAR)
        if asked_at is not None and now - asked_at > START_SECONDS:
            raise RequestFailed(
                f"The job {identity.id} was not started: the request is {now - asked_at:.0f} s old, and a job is "
                f"started in the first {START_SECONDS:.0f} s only. {progress.words or 'Try again.'}",
                _leavings(identity, progress),
            )

    def _again(self, failure: str, error: NeptuneError, identity: Identity, progress: Progress) -> Waiting:
        has_begun = progress.is_seen or progress.start_sent_at is not None
        patience = DELETION_PATIENCE_SECONDS if has_begun else ADOPTION_PATIENCE_SECONDS
        return self.asking.again(failure, error, progress, patience=patience, leaves=_leavings(identity, progress))

    def _follow(
        self, identity: Identity, job: Job, properties: Properties, progress: Progress, *, leaves: str
    ) -> Done | Waiting:
        """Tell whether a job that was looked up is what its resource is waiting for."""
        tracer.put_annotation("status", job.status)
        if not properties[WAIT_FOR_COMPLETION] or job.has_completed:
            logger.info("The resource has its job", status=job.status)
            return Done(str(identity), self.attributes(identity.id, job), leaves)
        if job.has_ended:
            reason = f" {job.failure.rstrip('.')}." if job.failure else ""
            log = f" Its log: {job.log_url}" if job.log_url else ""
            failure = f"The job {identity.id} has not completed: its status is {job.status}.{reason}{log}"
            raise RequestFailed(failure, leaves)
        reason = f"The job {identity.id} has not completed yet (its status is {job.status})."
        return Waiting(reason, progress._replace(is_seen=True, silent_since=None), leaves)


def _leavings(identity: Identity, progress: Progress) -> str:
    """What a Create leaves that ends while Neptune cannot be asked."""
    if progress.is_seen:
        return str(identity)
    return NO_JOB_YET if progress.start_sent_at is None else UNCLEAR
