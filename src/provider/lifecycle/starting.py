"""How a job is adopted or started, and how it is known to have completed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from provider.identity import NO_JOB_YET, UNCLEAR
from provider.kinds.common import WAIT_FOR_COMPLETION
from provider.lifecycle.asking import ADOPTION_PATIENCE_SECONDS, DELETION_PATIENCE_SECONDS
from provider.lifecycle.completing import not_completed_yet, why_not_completed
from provider.lifecycle.terms import Done, Progress, RequestFailed, Waiting
from provider.neptune import READ_SECONDS, JobNotFound, NeptuneError, RequestRefused, Throttled, Unavailable
from provider.observability import logger, record, tracer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provider.identity import Identity
    from provider.kinds.kind import Kind, Words
    from provider.lifecycle.asking import Asking
    from provider.lifecycle.terms import Request
    from provider.neptune import Job
    from provider.schema import Properties

# A job that was started may take some time to be there for a look, the more so if its start got no answer.
APPEARANCE_SECONDS = 60.0
# A request that is older than this starts no job any more, so that a Delete knows how long to look for one. It is
# enough for the second delivery of a request whose first was killed: Lambda's comes after a minute.
START_SECONDS = 90.0
# What was asked to start may be taken up by Neptune as late as that.
TAKEN_UP_SECONDS = READ_SECONDS["start"]
# Neptune user guide, "Neptune ML management API errors and exceptions".
_ID_IS_TAKEN = "same ID already exists"


class Starting(NamedTuple):
    """The beginning of a job.

    Attributes:
        kind: Its kind.
        asking: How Neptune is asked.
        refusal: Why the operator does not let the provider start such jobs; empty if it may.
    """

    kind: Kind
    asking: Asking
    refusal: str

    def adopt(
        self,
        identity: Identity,
        properties: Properties,
        progress: Progress,
        *,
        patience: float = ADOPTION_PATIENCE_SECONDS,
    ) -> Done | Waiting:
        """Adopt a job that there is.

        Args:
            identity: The job.
            properties: The resource's properties.
            progress: What earlier looks have found out.
            patience: For how long Neptune may be silent before it has named the job, in seconds.

        Returns:
            The job's identity and attributes; `Waiting` while Neptune cannot be asked, or until the job has completed.

        Raises:
            RequestFailed: There is no such job, it could not be looked up, or it is to complete and has not.
        """
        try:
            job = self.asking.look(identity, properties)
        except JobNotFound as error:
            raise RequestFailed(f"{error} Check Id and Endpoint.") from error
        except NeptuneError as error:
            patience = DELETION_PATIENCE_SECONDS if progress.is_seen else patience
            failure = f"{self.kind.words.named(identity.id)} could not be looked up."
            return self.asking.again(failure, error, progress, patience=patience)
        return self.follow(identity, job, properties, progress, leaves="")

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
                raise RequestFailed(f"{error} It had been started.", identity.marked(UNCLEAR)) from error
            return self._ask_to_start(identity, request, properties)
        except NeptuneError as error:
            # Of a job that has not been asked for, the look is a part of its start.
            done = "looked up" if _has_begun(progress) else "started"
            return self._again(f"{self.kind.words.named(identity.id)} could not be {done}.", error, identity, progress)
        if progress.start_sent_at is not None and not progress.is_accepted:
            record("JobsStarted", 1)  # its answer was lost
        progress = progress._replace(is_accepted=True)
        return self.follow(identity, job, properties, progress, leaves=str(identity))

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
        unclear = identity.marked(UNCLEAR)
        if progress.start_sent_at is not None and now - progress.start_sent_at < APPEARANCE_SECONDS:
            reason = f"{self.kind.words.named(job_id)} was asked for and is not there yet. {progress.words}"
            return Waiting(reason.rstrip(), progress, unclear)
        self._check_that_it_may_start(identity, request)
        sent = progress._replace(start_sent_at=now, silent_since=None)
        try:
            self.asking.connect(identity.endpoint).start(job_id, properties)
        except RequestRefused as error:
            return self._judge_refusal(error, identity, properties, progress, sent)
        except NeptuneError as error:
            if isinstance(error, Unavailable) and not isinstance(error, Throttled):
                logger.warning("The start got no answer; looking whether the job is there", error=str(error))
                reason = f"The start of the {self.kind.words.thing} {job_id} got no answer. {error}"
                return Waiting(reason, sent._replace(words=str(error)), unclear)
            return self._again(f"{self.kind.words.named(job_id)} could not be started.", error, identity, progress)
        logger.info("Started the job")
        record("JobsStarted", 1)
        sent = sent._replace(is_accepted=True, words="")
        try:
            job = self.asking.look(identity, properties)
        except NeptuneError as error:
            return Waiting(
                f"{self.kind.words.named(job_id)} is started and could not be looked up. {error}", sent, unclear
            )
        return self.follow(identity, job, properties, sent, leaves=str(identity))

    def _judge_refusal(
        self, refusal: RequestRefused, identity: Identity, properties: Properties, progress: Progress, sent: Progress
    ) -> Done | Waiting:
        """Tell whether a start was refused because there is the job already: another delivery may have started it."""
        try:
            job = self.asking.look(identity, properties)
        except NeptuneError as error:
            if _ID_IS_TAKEN in str(refusal):
                sent = sent._replace(is_accepted=True, words=str(refusal))
                reason = f"{self.kind.words.named(identity.id)} was asked for and is not there yet. {refusal}"
                return Waiting(reason, sent, identity.marked(UNCLEAR))
            failure = f"The {self.kind.words.thing} could not be started. {refusal}"
            raise RequestFailed(failure, _leavings(identity, progress)) from error
        return self.follow(identity, job, properties, sent._replace(is_accepted=True), leaves=str(identity))

    def _check_that_it_may_start(self, identity: Identity, request: Request) -> None:
        """Fail a request that must not start its job, or not any more."""
        progress, words = request.progress, self.kind.words
        asked_at, now = request.origin.asked_at, self.asking.clock.wall()
        if progress.start_sent_at is not None and progress.is_accepted:
            silence = now - progress.start_sent_at
            raise RequestFailed(
                f"Neptune accepted the start of the {words.thing} {identity.id}, and knows no such {words.thing} "
                f"{silence:.0f} s later. {progress.words or 'Try again.'}",
                identity.marked(UNCLEAR),
            )
        if self.refusal:
            raise RequestFailed(self.refusal, "" if progress == Progress() else _leavings(identity, progress))
        longest = start_seconds(request.time_limit)
        if asked_at is not None and now - asked_at > longest:
            raise RequestFailed(
                f"{words.named(identity.id)} was not started: the request is {now - asked_at:.0f} s old, and "
                f"{words.a_thing} is started in the first {longest:.0f} s only. {progress.words or 'Try again.'}",
                _leavings(identity, progress),
            )

    def _again(self, failure: str, error: NeptuneError, identity: Identity, progress: Progress) -> Waiting:
        patience = DELETION_PATIENCE_SECONDS if _has_begun(progress) else ADOPTION_PATIENCE_SECONDS
        return self.asking.again(failure, error, progress, patience=patience, leaves=_leavings(identity, progress))

    def follow(
        self, identity: Identity, job: Job, properties: Properties, progress: Progress, *, leaves: str
    ) -> Done | Waiting:
        """Tell whether a job that was looked up is what its resource is waiting for.

        Args:
            identity: The job.
            job: What Neptune says of it.
            properties: The resource's properties.
            progress: What earlier looks have found out.
            leaves: See `RequestFailed`.

        Returns:
            The job's identity and attributes; `Waiting` until it has completed.

        Raises:
            RequestFailed: It is to complete and has not.
        """
        words = self.kind.words
        tracer.put_annotation("status", job.status)
        if not properties[WAIT_FOR_COMPLETION] or job.has_completed:
            logger.info("The resource has its job", status=job.status)
            return Done(str(identity), self.attributes(identity.id, job), leaves)
        if job.has_ended or job.has_failed:
            raise RequestFailed(why_not_completed(identity.id, job, words), leaves)
        reason = not_completed_yet(identity.id, job, words)
        return Waiting(reason, progress._replace(is_seen=True, silent_since=None), leaves)


def not_starting(words: Words) -> str:
    """Say that the operator does not let the provider start jobs.

    Args:
        words: What messages say of their kind.

    Returns:
        That, and what the operator can do.
    """
    return (
        f"This provider starts no {words.thing}s: it adopts those that run already (Id). Its operator can have it "
        "start them, too, by its StartJobs parameter."
    )


def start_seconds(time_limit: float) -> float:
    """Tell for how long a request may start its job.

    Args:
        time_limit: For how long somebody waits for its answer, in seconds.

    Returns:
        Seconds since it was asked.
    """
    return min(START_SECONDS, time_limit)


def _has_begun(progress: Progress) -> bool:
    """Tell whether the job has been asked for, or is there."""
    return progress.is_seen or progress.start_sent_at is not None


def _leavings(identity: Identity, progress: Progress) -> str:
    """What a Create leaves that ends while Neptune cannot be asked."""
    if progress.is_seen:
        return str(identity)
    return identity.marked(NO_JOB_YET if progress.start_sent_at is None else UNCLEAR)
