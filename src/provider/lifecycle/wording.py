"""The reason of a request that waits or fails: what happened, to which job, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provider.journal.entry import RequestType
from provider.lifecycle.plan import Why
from provider.look import Look, Status

if TYPE_CHECKING:
    from provider.identity import Identity
    from provider.journal.entry import Request
    from provider.kinds.kind import Kind, Words

TIME_IS_UP = "The operation reached its time limit (ServiceTimeout)."
_RAISE = "Increase ServiceTimeout (at most 3600)."
_LONGER = "Increase ServiceTimeout (at most 3600), or use CompletionHandle instead of WaitForCompletion."

_SENTENCES = {
    #: Compare with Neptune's list: `aws neptunedata list-ml-model-transform-jobs`, for example.
    Why.NOT_THERE: "{seen} Check Id and Endpoint.",
    #: Its resource was deleted, the request that started it failed, or an operator cancelled it.
    Why.OWED: "{named} is being {cancelled}. Try again when it {stopped}.",
    Why.MOVED: (
        #: The provider cannot tell whether this is another cluster. The rollback works without Neptune.
        "Endpoint has changed, but Id has not: this resource adopted the {thing} {id} at the previous host. Restore "
        "Endpoint, or declare the {thing} at the new host under another logical ID."
    ),
    Why.SILENT: "{named} could not be looked up. {seen}",
    Why.REFUSED_START: "{named} could not be {started}. {said}",
    #: Nothing was started. Often, a job that it needs does not exist or has not completed, or a SageMaker quota is
    #: exhausted.
    Why.NOT_STARTED: "{named} could not be {started}. {said}",
    Why.REFUSED_CHANGE: "{named} could not be updated. {said}",
    #: Nothing has changed.
    Why.NOT_CHANGED: "{named} could not be updated. {said}",
    #: Try again. If Neptune started the job after all, it is cancelled.
    Why.NOT_DECIDED: "{named} was requested, but Neptune does not list it yet. {said}",
    Why.NOT_CHANGEABLE: "{named} cannot be updated yet (its status is {status}). {said}",
    Why.NOT_COMPLETED_YET: "{named} {not_completed} yet (its status is {status}). {said}",
    #: A deletion with `WaitForStop: false` does not wait.
    Why.NOT_STOPPED: "{named} {not_stopped} yet (its status is {status}). {said}",
    Why.NOT_KNOWN: "It is unknown whether the {thing} {id} {stopped}. {said}",
    Why.REFUSAL: "{said}",
    Why.PROBLEM: "{said}",
}


def reason(why: Why, words: Words, job_id: str, look: Look | None, said: str) -> str:
    """Return why a request waits or fails, in one or more sentences.

    Args:
        why: The reason.
        words: The words for such a job.
        job_id: The job's ID; empty if there is no job.
        look: The last look at the job.
        said: The last message from Neptune, or the operator's refusal.
    """
    look = look or Look(Status.SILENT)
    if why is Why.NOT_COMPLETED:
        return why_not_completed(words, job_id, look)
    if why is Why.UNDONE:
        return _undone(words, job_id, look)
    if look.status is Status.SILENT and not said:
        said = look.words
    return (
        _SENTENCES[why]
        .format(
            **words._asdict(),
            named=words.named(job_id),
            id=job_id,
            seen=look.words,
            status="unknown" if look.status is Status.SILENT else look.words,
            said=said,
        )
        .rstrip()
    )


def why_not_completed(words: Words, job_id: str, look: Look) -> str:
    """Return why a job has not completed, and will not complete."""
    status = look.words
    if look.status is Status.ABSENT:
        return f"{status} It disappeared while the provider waited for it."
    # The log comes first, because a long reason is cut at its end.
    details = f"Its log: {look.log} {_failure(look)}" if look.log else _failure(look)
    #: It failed or was stopped; its log says why. An endpoint that fails in an update is replaced by the rollback.
    return f"{words.named(job_id)} {words.not_completed}: its status is {status}. {details}".rstrip()


def _undone(words: Words, job_id: str, look: Look) -> str:
    if look.status is Status.READY:
        details = _failure(look)
        #: SageMaker undid the update.
        return f"The update of the {words.thing} {job_id} failed; the {words.thing} is unchanged. {details}".rstrip()
    return why_not_completed(words, job_id, look)


def _failure(look: Look) -> str:
    return f"Neptune's reason: {look.failure}" if look.failure else ""


def ending(request: Request, words: Words, why: Why | None, ended: str, *, has_begun: bool) -> str:
    """Return what follows, and what to do, after a Create or an Update that waited has failed.

    Args:
        request: The request.
        words: The words for such a job.
        why: What it waited for; `None` if it succeeded, but the success could not be answered.
        ended: Why it does not wait any longer; empty if a fault lasted too long.
        has_begun: Whether it began a job.
    """
    hint = ""
    if has_begun:
        hint = f"The {words.thing} is being {words.cancelled}."
        if request.type is RequestType.CREATE:
            hint = f"The {words.thing} will be {words.cancelled} when CloudFormation deletes this resource."
    if why is Why.NOT_COMPLETED_YET and ended == TIME_IS_UP:
        hint = f"{_LONGER if request.waits else _RAISE} {hint}"
    return f"{ended} {hint or 'Try again.'}".strip()


def ending_of_delete(ended: str, *, goes_on: bool) -> str:
    """Return what follows, and what to do, after a Delete that waited has failed.

    Args:
        ended: Why it does not wait any longer; empty if a fault lasted too long.
        goes_on: Whether the messages of its jobs were sent.
    """
    meanwhile = "Meanwhile, the provider keeps trying for 24 hours." if goes_on else ""
    #: If the message does not say that the provider keeps trying, [an alarm](operations.md#the-alarms) sounds.
    return f"{ended} The deletion can be retried. {meanwhile}".strip()


def not_provided(kind: Kind) -> str:
    """Return that the operator does not allow jobs of a kind."""
    #: The provider still cancels existing ones.
    return (
        f"This provider does not allow {kind.noun}s. Its operator can allow them by setting {kind.parameter} to true."
    )


def not_starting(words: Words) -> str:
    """Return that the operator does not allow the provider to start jobs."""
    #: A rollback may need that, too: then run `aws cloudformation continue-update-rollback`.
    return (
        f"This provider only adopts existing {words.thing}s (Id). Its operator can allow new {words.thing}s and "
        "updates by setting StartJobs to true."
    )


def forbidden(identity: Identity, problem: str, words: Words) -> str:
    """Return that the operator does not allow, or no longer allows, the host of a job's cluster."""
    return (
        f"The provider is not allowed to connect to {identity.endpoint.host}, the cluster of the {words.thing} "
        f"{identity.id}. It "
        f"should be {problem} If AllowedHosts was changed, restore it and try again."
    )
