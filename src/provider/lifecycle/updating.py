"""How a job that there is becomes what its resource describes now, and stays the same job."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from provider.kinds.common import WAIT_FOR_COMPLETION
from provider.lifecycle.asking import ADOPTION_PATIENCE_SECONDS, DELETION_PATIENCE_SECONDS
from provider.lifecycle.starting import APPEARANCE_SECONDS
from provider.lifecycle.terms import Done, Progress, RequestFailed, Waiting
from provider.neptune import JobNotFound, NeptuneError, RequestRefused, Throttled, Unavailable
from provider.observability import logger, tracer

if TYPE_CHECKING:
    from provider.identity import Identity
    from provider.lifecycle.starting import Starting
    from provider.lifecycle.terms import Request
    from provider.neptune import Job
    from provider.schema import Properties


class Updating(NamedTuple):
    """The change of a job in place.

    Attributes:
        starting: How jobs are started, and followed.
        current: The job, by the name of its cluster that its resource goes by.
        wanted: The job, by the name of its cluster that its resource has now.
        properties: The resource's properties.
        request: What is asked.
    """

    starting: Starting
    current: Identity
    wanted: Identity
    properties: Properties
    request: Request

    def update(self, progress: Progress) -> Done | Waiting | None:
        """Have Neptune change the job, unless that is done or in doubt, and see what has become of it.

        Neptune is asked for the same once more if a request is delivered again: that changes nothing.

        Args:
            progress: What earlier looks have found out.

        Returns:
            The job's identity and attributes; `Waiting` until Neptune can be asked to change it, or until it is what it
            is to be. `None`: it is gone, or has failed, and another one has to take its place.

        Raises:
            RequestFailed: Neptune refused, or could not be reached for some minutes; or the job is to be ready again
                and is not.
        """
        try:
            job = self.starting.asking.look(self.wanted, self.properties)
        except JobNotFound:
            logger.warning("The job is gone; another one takes its place")
            return None
        except NeptuneError as error:
            return self._without_look(error, progress)
        tracer.put_annotation("status", job.status)
        if progress.start_sent_at is None:
            return self._begin(job, progress)
        has_begun = job.is_changing or _arns(job) != progress.arns_before
        if not has_begun and self.starting.asking.clock.wall() - progress.start_sent_at < APPEARANCE_SECONDS:
            if not progress.is_accepted or self.properties[WAIT_FOR_COMPLETION]:
                reason = f"{self._named} is not known to have changed yet. {progress.words}"
                return Waiting(reason.rstrip(), progress._replace(silent_since=None))
        elif not has_begun and not progress.is_accepted:
            return self._begin(job, progress)
        return self.starting.follow(self.current, job, self.properties, progress, leaves="")

    @property
    def _named(self) -> str:
        return self.starting.kind.words.named(self.current.id)

    def _without_look(self, error: NeptuneError, progress: Progress) -> Done | Waiting:
        """Have an Update wait for a Neptune that has not answered, or tell what it comes to."""
        is_done = progress.is_accepted and not self.properties[WAIT_FOR_COMPLETION]
        # A rollback must not fail because a cluster is restarting.
        patience = ADOPTION_PATIENCE_SECONDS if is_done else DELETION_PATIENCE_SECONDS
        try:
            failure = f"{self._named} could not be looked up."
            return self.starting.asking.again(failure, error, progress, patience=patience)
        except RequestFailed as failed:
            if not is_done:
                raise
            logger.warning("The job is changed, but could not be looked up", reason=str(failed))
            return Done(str(self.current), self.starting.attributes(self.current.id, None))

    def _begin(self, job: Job, progress: Progress) -> Done | Waiting | None:
        """Have Neptune change the job as soon as it may be changed."""
        if job.has_failed:
            logger.warning("The job has failed; another one takes its place", status=job.status)
            return None
        if job.is_changing or job.is_stopping:
            return self._not_yet(job, progress)
        if self.starting.refusal:
            raise RequestFailed(f"{self._named} cannot be changed. {self.starting.refusal}")
        asking, failure = self.starting.asking, f"{self._named} could not be changed."
        age = asking.clock.wall() - (self.request.origin.asked_at or asking.clock.wall())
        if age > self.request.time_limit:  # nobody waits for it any more, and something else may have been asked since
            raise RequestFailed(f"{failure} The request is {age:.0f} s old.")
        sent = progress._replace(start_sent_at=asking.clock.wall(), silent_since=None, arns_before=_arns(job))
        try:
            asking.connect(self.wanted.endpoint).update(self.wanted.id, self.properties)
        except RequestRefused as refusal:
            return self._judge_refusal(refusal, failure, progress)
        except NeptuneError as error:
            if isinstance(error, Unavailable) and not isinstance(error, Throttled):
                logger.warning("The change got no answer; looking what has become of it", error=str(error))
                return Waiting(f"{failure} {error}", sent._replace(words=str(error)))
            return asking.again(failure, error, progress, patience=DELETION_PATIENCE_SECONDS)
        logger.info("Changed the job")
        return self.update(sent._replace(is_accepted=True, words=""))

    def _judge_refusal(self, refusal: RequestRefused, failure: str, progress: Progress) -> Waiting | None:
        """Tell whether Neptune will refuse the same later: another delivery of the request may have been first."""
        try:
            job = self.starting.asking.look(self.wanted, self.properties)
        except JobNotFound:
            return None
        except NeptuneError as error:
            raise RequestFailed(f"{failure} {refusal}") from error
        if not job.is_changing:
            raise RequestFailed(f"{failure} {refusal}")
        return self._not_yet(job, progress)

    def _not_yet(self, job: Job, progress: Progress) -> Waiting:
        reason = f"{self._named} cannot be changed yet (its status is {job.status})."
        return Waiting(reason, progress._replace(silent_since=None))


def _arns(job: Job) -> str:
    return ",".join(sorted(job.arns))
