"""How a job is cancelled, and how it is known to have stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from provider.lifecycle.asking import DELETION_PATIENCE_SECONDS
from provider.lifecycle.terms import Progress, RequestFailed, Waiting
from provider.neptune import Job, JobNotFound, NeptuneError, RequestRefused, Unavailable, Unreachable
from provider.observability import logger, record, tracer

if TYPE_CHECKING:
    from provider.clock import Clock
    from provider.kinds.kind import Kind
    from provider.lifecycle.terms import JobsOfCluster
    from provider.schema import Properties

# A cancellation whose answer was lost may still be taking effect when Neptune refuses the next one.
REFUSAL_PATIENCE_SECONDS = 60.0
# What has been cancelled for so long, and is not stopping, has come again: between two looks it was gone, and another
# delivery has created it.
COMEBACK_SECONDS = 60.0
# Neptune user guide, "Neptune ML management API errors and exceptions".
_NOTHING_TO_CANCEL = "already completed or failed"
_GONE = Job("NotFound", is_stopping=False, has_ended=True)


class Stopping(NamedTuple):
    """The end of a job.

    Attributes:
        clock: The time.
        is_patient: Whether a Neptune that cannot be reached may be back in a moment.
        kind: The kind of the job.
    """

    clock: Clock
    is_patient: bool
    kind: Kind

    def stop(
        self, jobs: JobsOfCluster, job_id: str, properties: Properties, progress: Progress, *, wait: bool
    ) -> Waiting | None:
        """Cancel a job, unless that is done or in doubt, and see what has become of it.

        Args:
            jobs: The jobs of its cluster.
            job_id: Its id.
            properties: What the calls carry.
            progress: What earlier looks have found out.
            wait: Whether it is to have stopped, or only to have been cancelled.

        Returns:
            `None` when that is so.

        Raises:
            JobNotFound: The cluster knows no such job.
            RequestFailed: The job is cancelled, but cannot be looked at.
            NeptuneError: Neptune refused, or could not be reached for some minutes.
        """
        now = self.clock.wall()
        # What Neptune refuses after that, it refuses for good.
        is_last_try = progress.refused_at is not None and now - progress.refused_at >= REFUSAL_PATIENCE_SECONDS
        try:
            is_to_cancel = is_last_try or not (progress.unclear or progress.refused_at is not None)
            if progress.cancelled_at is None and is_to_cancel:
                progress = self._cancel(jobs, job_id, properties)
                if progress.cancelled_at is not None and not wait:
                    return None
            job = jobs.get(job_id, properties)
        except (Unavailable, Unreachable, RequestRefused) as error:
            return self._without_answer(error, job_id, progress, is_last_try=is_last_try)
        except JobNotFound:
            if progress.cancelled_at is None:
                raise
            job = _GONE
        except NeptuneError as error:
            if progress.cancelled_at is None:
                raise
            words = self.kind.words
            known = f"{words.named(job_id)} is {words.cancelled}, but not known {words.to_have_stopped}."
            raise RequestFailed(f"{known} {error}") from error
        has_stayed = progress.cancelled_at is not None and now - progress.cancelled_at >= COMEBACK_SECONDS
        if not self.kind.ended and has_stayed and not (job.is_stopping or job.has_ended):
            progress = self._cancel_again(jobs, job_id, properties)
        waiting = self._judge(job, job_id, progress, wait=wait)
        if waiting is not None and is_last_try and waiting.progress.refused_at is not None:
            raise RequestRefused(progress.words)
        return waiting

    def _without_answer(self, error: NeptuneError, job_id: str, progress: Progress, *, is_last_try: bool) -> Waiting:
        """Have a Delete wait for a Neptune that has not answered, or give it up before it has been cancelled."""
        now, silent_since = self.clock.wall(), None
        if isinstance(error, RequestRefused) and progress.cancelled_at is None:
            if is_last_try:
                raise error
            since = now if progress.refused_at is None else progress.refused_at
            progress = progress._replace(refused_at=since)
        if isinstance(error, Unreachable):
            silent_since = now if progress.silent_since is None else progress.silent_since
            patience = DELETION_PATIENCE_SECONDS if self.is_patient else 0.0
            if progress.cancelled_at is None and now - silent_since >= patience:
                raise error
        logger.warning("Neptune cannot be asked; asking again", error=str(error))
        reason = f"{self.kind.words.named(job_id)} is not known {self.kind.words.to_have_stopped}: {error}"
        return Waiting(reason, progress._replace(silent_since=silent_since))

    def _judge(self, job: Job, job_id: str, progress: Progress, *, wait: bool) -> Waiting | None:
        """Tell what a look at the job means for its Delete; `None`: it is done."""
        now = self.clock.wall()
        tracer.put_annotation("status", job.status)
        if job.has_ended or self._has_ended_in_other_words(job, progress):
            logger.info("The job has ended", status=job.status)
            if progress.cancelled_at is not None:
                record("SecondsToStop", max(0.0, now - progress.cancelled_at), "Seconds")
            return None
        reason = f"{self.kind.words.named(job_id)} {self.kind.words.not_stopped} yet (its status is {job.status})."
        if progress.cancelled_at is not None:
            return Waiting(reason, Progress(cancelled_at=progress.cancelled_at)) if wait else None
        if job.is_stopping:
            record("JobsCancelled", int(progress.unclear))
            return Waiting(reason, Progress(cancelled_at=now)) if wait else None
        if job.is_changing:  # Neptune may accept what it has refused so far when the job has become what it becomes
            progress = progress._replace(refused_at=None)
        # After a cancellation that got no answer and had no effect, the next look cancels again.
        return Waiting(f"{reason} {progress.words}", progress._replace(unclear=False, silent_since=None))

    def _has_ended_in_other_words(self, job: Job, progress: Progress) -> bool:
        """Tell whether a job has ended that Neptune refused to cancel for that, under a status that is not known."""
        known = [status.lower() for status in (*self.kind.running, *self.kind.stopping)]
        is_over = progress.refused_at is not None and _NOTHING_TO_CANCEL in progress.words
        return bool(self.kind.ended) and is_over and job.status.lower() not in known

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

    def _cancel_again(self, jobs: JobsOfCluster, job_id: str, properties: Properties) -> Progress:
        """Have Neptune stop a job that has come again, or that it has not begun to stop, as far as it can now."""
        try:
            jobs.cancel(job_id, properties)
        except NeptuneError as error:
            logger.warning("The job is there again, and cannot be cancelled yet", error=str(error))
        else:
            logger.warning("The job was there again; cancelled it once more")
        return Progress(cancelled_at=self.clock.wall())
