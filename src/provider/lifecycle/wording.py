"""What users read of a request that waits or fails: what happened, to which job, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provider.journal.entry import RequestType
from provider.lifecycle.plan import Look, Status, Why

if TYPE_CHECKING:
    from provider.identity import Identity
    from provider.journal.entry import Request
    from provider.kinds.kind import Kind, Words

TIME_IS_UP = "The time for waiting is up."
_BY_HAND = "If the provider's AllowedHosts was changed, change it back and try the deletion again."


_SENTENCES = {
    Why.NOT_THERE: "{status} Check Id and Endpoint.",
    Why.OWED: "{named} is being {cancelled}. Try again when it {stopped}.",
    Why.MOVED: (
        "Endpoint names another host, but this resource adopted the {thing} {id} at the previous host. To adopt "
        "{a_thing} with the same Id there, declare it under another logical id."
    ),
    Why.SILENT: "{named} could not be looked up. {status}",
    Why.REFUSED_START: "{named} could not be {started}. {said}",
    Why.NOT_STARTED: "{named} could not be {started}. {said}",
    Why.REFUSED_CHANGE: "{named} could not be changed. {said}",
    Why.NOT_CHANGED: "{named} could not be changed. {said}",
    Why.NOT_DECIDED: "{named} was requested, but Neptune does not show it yet. {said}",
    Why.NOT_CHANGEABLE: "{named} cannot be changed yet{its_status}. {said}",
    Why.NOT_COMPLETED_YET: "{named} {not_completed} yet{its_status}. {said}",
    Why.NOT_STOPPED: "{named} {not_stopped} yet{its_status}. {said}",
    Why.NOT_KNOWN: "{named} is not known {to_have_stopped}. {said}",
    Why.REFUSAL: "{said}",
    Why.PROBLEM: "{said}",
}


def reason(why: Why, words: Words, job_id: str, look: Look | None, said: str) -> str:
    """Say why a request waits or fails.

    Args:
        why: Why.
        words: What messages say of the job's kind.
        job_id: The job that it is about; empty if there is none.
        look: What was seen of it.
        said: What Neptune, or the provider's operator, said last.

    Returns:
        One sentence or more.
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
            a_thing=words.a_thing,
            id=job_id,
            status=look.words,
            its_status="" if look.status is Status.SILENT else f" (its status is {look.words})",
            said=said,
        )
        .rstrip()
    )


def why_not_completed(words: Words, job_id: str, look: Look) -> str:
    """Say why a job has not completed and will not."""
    if look.status is Status.ABSENT:
        return f"{look.words} It disappeared while the provider waited for it."
    # The log comes first, as a long reason is cut at its end.
    log = f" Its log: {look.log}" if look.log else ""
    return f"{words.named(job_id)} {words.not_completed}: its status is {look.words}.{log}{_failure(look)}"


def _undone(words: Words, job_id: str, look: Look) -> str:
    if look.status is Status.READY:
        return f"{words.named(job_id)} was not changed: it is as it was before.{_failure(look)}"
    return why_not_completed(words, job_id, look)


def _failure(look: Look) -> str:
    return f" Neptune's reason: {look.failure}" if look.failure else ""


def ending(request: Request, words: Words, why: Why | None, ended: str, *, has_begun: bool) -> str:
    """Say what follows when a Create or an Update has failed that waited, or whose success cannot be told.

    Args:
        request: What was asked.
        words: What messages say of the job's kind.
        why: What it waited for; `None` if its success cannot be told.
        ended: Why it waits no longer; empty if its patience is over.
        has_begun: Whether it has begun a job.

    Returns:
        What to do.
    """
    hint = ""
    if has_begun:
        hint = f"The {words.thing} is being {words.cancelled}."
        if request.type is RequestType.CREATE:
            hint = f"The {words.thing} is {words.cancelled} when CloudFormation deletes this resource."
    if why is Why.NOT_COMPLETED_YET and ended == TIME_IS_UP:
        hint = f"A longer ServiceTimeout may help. {hint}"
    return f"{ended} {hint or 'Try again.'}".strip()


def ending_of_delete(ended: str, *, goes_on: bool) -> str:
    """Say what follows when a Delete that waited has failed.

    Args:
        ended: Why it waits no longer; empty if its patience is over.
        goes_on: Whether the jobs' messages are sent.

    Returns:
        What to do.
    """
    meanwhile = "; the provider keeps trying for 24 hours" if goes_on else ""
    return f"{ended} The deletion can be tried again{meanwhile}.".lstrip()


def not_provided(kind: Kind) -> str:
    """Say that the operator does not let the provider have jobs of a kind."""
    return (
        f"This provider does not provide {kind.noun}s. Its operator can allow them with its {kind.parameter} parameter."
    )


def not_starting(words: Words) -> str:
    """Say that the operator does not let the provider start jobs, and what the operator can do."""
    return (
        f"This provider {words.starts} no {words.thing}s; it only adopts those that already run (Id). Its operator can "
        "set its StartJobs parameter to true."
    )


def forbidden(identity: Identity, problem: str, words: Words) -> str:
    """Say that a job is at a host that the provider may not speak to, when it is to be cancelled."""
    return (
        f"{words.named(identity.id)} cannot be {words.cancelled}: its cluster is at {identity.endpoint.host}, which "
        f"should be {problem} {_BY_HAND}"
    )
