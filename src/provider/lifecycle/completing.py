"""How a job is known to have completed, or not to complete any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from provider.lifecycle.terms import RequestFailed, Waiting
from provider.neptune import JobNotFound, NeptuneError
from provider.observability import logger, tracer

if TYPE_CHECKING:
    from provider.identity import Identity
    from provider.kinds.kind import Kind, Words
    from provider.lifecycle.asking import Asking
    from provider.lifecycle.terms import Progress
    from provider.neptune import Job
    from provider.schema import Properties

# A job of many hours is not given up for a cluster that is being upgraded.
COMPLETION_PATIENCE_SECONDS = 3600.0


class Completing(NamedTuple):
    """The end of a job that nobody is to stop.

    Attributes:
        asking: How Neptune is asked.
        kind: The job's kind.
    """

    asking: Asking
    kind: Kind

    def look(self, identity: Identity, properties: Properties, progress: Progress) -> Job | Waiting:
        """Look whether a job has completed.

        Args:
            identity: The job.
            properties: What the call carries.
            progress: What earlier looks have found out.

        Returns:
            The job, if it has; `Waiting` until then.

        Raises:
            RequestFailed: It has not, and will not; or Neptune could not be asked for an hour.
        """
        try:
            job = self.asking.look(identity, properties)
        except JobNotFound as error:
            raise RequestFailed(f"{error} It has disappeared while it was waited for.") from error
        except NeptuneError as error:
            now = self.asking.clock.wall()
            since = now if progress.silent_since is None else progress.silent_since
            failure = f"{self.kind.words.named(identity.id)} could not be looked up."
            if now - since >= COMPLETION_PATIENCE_SECONDS:
                raise RequestFailed(f"{failure} {error}") from error
            logger.warning("Neptune cannot be asked; asking again", error=str(error))
            return Waiting(f"{failure} {error}", progress._replace(silent_since=since))
        tracer.put_annotation("status", job.status)
        if job.has_completed:
            logger.info("The job has completed", status=job.status)
            return job
        if job.has_ended or job.has_failed or job.is_stopping:
            raise RequestFailed(why_not_completed(identity.id, job, self.kind.words))
        return Waiting(not_completed_yet(identity.id, job, self.kind.words), progress._replace(silent_since=None))


def why_not_completed(job_id: str, job: Job, words: Words) -> str:
    """Say why a job has not completed and will not, in Neptune's words.

    Args:
        job_id: Its id.
        job: What Neptune says of it.
        words: What messages say of its kind.

    Returns:
        The reason.
    """
    # The log comes first, as a long reason is cut at its end.
    log = f" Its log: {job.log_url}" if job.log_url else ""
    reason = f" Neptune's reason: {job.failure}" if job.failure else ""
    return f"{words.named(job_id)} {words.not_completed}: its status is {job.status}.{log}{reason}"


def not_completed_yet(job_id: str, job: Job, words: Words) -> str:
    """Say that a job runs on.

    Args:
        job_id: Its id.
        job: What Neptune says of it.
        words: What messages say of its kind.

    Returns:
        What is known so far.
    """
    return f"{words.named(job_id)} {words.not_completed} yet (its status is {job.status})."
