"""How a job that there is becomes what its resource describes now, and stays the same job."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from provider import job_id as job_ids
from provider.kinds.common import WAIT_FOR_COMPLETION
from provider.lifecycle.asking import ADOPTION_PATIENCE_SECONDS, DELETION_PATIENCE_SECONDS
from provider.lifecycle.completing import not_completed_yet, why_not_completed
from provider.lifecycle.starting import APPEARANCE_SECONDS, START_SECONDS, TAKEN_UP_SECONDS, start_seconds
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

        Neptune is asked for the same once more if a request is delivered again: that changes nothing. But it must not
        change what the next request has asked for, nor make another one in place of one that this has. So a delivery
        acts soon or not at all, and the request is fulfilled when no other delivery of it can act any more.

        Args:
            progress: What earlier looks have found out.

        Returns:
            The job's identity and attributes; `Waiting` until Neptune can be asked to change it, and until it is what
            it is to be. `None`: it is gone, or has failed, and another one has to take its place.

        Raises:
            RequestFailed: Neptune refused, or could not be reached for some minutes; the job is not ready again; or the
                request is another delivery of one that has long been handled.
        """
        age = self._age(progress)
        if progress.start_sent_at is None and age > self._seconds_to_act:
            raise RequestFailed(f"{self._named} could not be changed. The request is {age:.0f} s old.")
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
        if job.has_failed:
            return self._judge_failure(job, progress)
        return self._follow(job, progress._replace(silent_since=None), self._now - progress.start_sent_at)

    def _follow(self, job: Job, progress: Progress, seconds: float) -> Done | Waiting | None:
        """Tell whether the job is what Neptune was asked some seconds ago to change it to, and stays that."""
        words = self.starting.kind.words
        if not (job.is_changing or progress.settled_at is not None or _arns(job) != progress.arns):
            if seconds < APPEARANCE_SECONDS:
                reason = f"{self._named} is not known to have changed yet. {progress.words}"
                return Waiting(reason.rstrip(), progress)
            if not progress.is_accepted:
                return self._begin(job, progress)
        if not job.has_completed:
            return Waiting(not_completed_yet(self.current.id, job, words), progress._replace(settled_at=None))
        since = progress.settled_at
        if since is None or _arns(job) != progress.arns:
            since = self._now
        if self.request.origin.asked_at is None or self._now - since >= self._seconds_to_act:
            logger.info("The resource has its job", status=job.status)
            return Done(str(self.current), self.starting.attributes(self.current.id, job))
        reason = f"{self._named} {words.completed}; looking whether it stays as it is."
        return Waiting(reason, progress._replace(settled_at=since, arns=_arns(job)))

    def _judge_failure(self, job: Job, progress: Progress) -> Waiting | None:
        """Tell whether another one takes the place of a job that has failed by its change: each delivery has to agree.

        Those that find the failure while the request may still start one do so. What none has started then is not
        started any more, and the request fails.
        """
        asking, age = self.starting.asking, self._now - (self.request.origin.asked_at or self._now)
        longest = start_seconds(self.request.time_limit)
        failure = why_not_completed(self.current.id, job, self.starting.kind.words)
        if age > longest:
            other = job_ids.make(self.request.origin, self.properties.description)
            try:
                asking.look(self.wanted._replace(id=other), self.properties)
            except JobNotFound:
                if age > longest + TAKEN_UP_SECONDS:
                    raise RequestFailed(failure) from None
                return Waiting(failure, progress)
            except NeptuneError as error:
                return asking.again(failure, error, progress, patience=DELETION_PATIENCE_SECONDS)
        logger.warning("The job has failed; another one takes its place", status=job.status)
        return None

    @property
    def _now(self) -> float:
        return self.starting.asking.clock.wall()

    @property
    def _seconds_to_act(self) -> float:
        """For how long a delivery may have Neptune change the job, since it was asked or has last been looked at."""
        return min(START_SECONDS, self.request.time_limit / 2)

    def _age(self, progress: Progress) -> float:
        asked_at = self.request.origin.asked_at
        return 0.0 if asked_at is None else self._now - (progress.looked_at or asked_at)

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
            return self._again(failure, error, progress, patience=patience)
        except RequestFailed as failed:
            if not is_done:
                raise
            logger.warning("The job is changed, but could not be looked up", reason=str(failed))
            return Done(str(self.current), self.starting.attributes(self.current.id, None))

    def _again(self, failure: str, error: NeptuneError, progress: Progress, *, patience: float) -> Waiting:
        """Have an Update wait for a Neptune that may be back in a moment, and not fail where another delivery may not.

        A request that has failed is rolled back, and must not be fulfilled after that.
        """
        asked_at = self.request.origin.asked_at
        if asked_at is not None and self._now - asked_at <= self._seconds_to_act:
            logger.warning("Neptune cannot be asked; asking again", error=str(error))
            since = self._now if progress.silent_since is None else progress.silent_since
            return Waiting(f"{failure} {error}", progress._replace(silent_since=since))
        return self.starting.asking.again(failure, error, progress, patience=patience)

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
        sent = progress._replace(start_sent_at=self._now, silent_since=None, arns=_arns(job))
        try:
            asking.connect(self.wanted.endpoint).update(self.wanted.id, self.properties)
        except RequestRefused as refusal:
            return self._judge_refusal(refusal, failure, progress)
        except NeptuneError as error:
            if isinstance(error, Unavailable) and not isinstance(error, Throttled):
                logger.warning("The change got no answer; looking what has become of it", error=str(error))
                return Waiting(f"{failure} {error}", sent._replace(words=str(error)))
            return self._again(failure, error, progress, patience=DELETION_PATIENCE_SECONDS)
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
