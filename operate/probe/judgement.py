"""What the requests of a situation show. Nothing here calls AWS."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Finding(NamedTuple):
    """The answer to a question, worded as in `docs/cloudformation.md` (empty: it could not be tried), and why."""

    answer: str
    details: str


class Request(NamedTuple):
    """A delivery of a request, as `recorder.py` writes it.

    Attributes: `id` is the same for each delivery; `mark` distinguishes the properties, and `old_mark` the old ones;
    `signed` is the `X-Amz-Date` of the response URL. The answer is `answer`, after `seconds`, with the ID `names`.
    """

    at: float
    stack: str
    resource: str
    type: str
    id: str
    physical_id: str
    mark: str
    old_mark: str
    signed: str
    answer: str
    names: str
    seconds: float

    @property
    def answered_at(self) -> float:
        """When the request is answered, in seconds since the epoch."""
        return self.at + self.seconds

    @property
    def signed_at(self) -> float:
        """When the request was signed, in seconds since the epoch."""
        return datetime.strptime(self.signed, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()

    def __str__(self) -> str:
        about = f"{self.stack} {self.resource} {self.type} of {self.physical_id or 'a new one'}: properties {self.mark}"
        before = f" (before: {self.old_mark})" if self.old_mark else ""
        answer = f"answered {self.answer} after {self.seconds:g} s, as {self.names}"
        return f"{about}{before}, signed {self.signed or 'at no time'}, {answer}"


def firsts(requests: Sequence[Request], resource: str, request_type: str) -> list[Request]:
    """Return the first delivery of each request of one type for a resource, oldest first."""
    found: dict[str, Request] = {}
    for it in sorted(requests):
        if (it.resource, it.type) == (resource, request_type):
            found.setdefault(it.id, it)
    return list(found.values())


def failed_update(requests: Sequence[Request]) -> Finding:
    """Tell which ID the resource `A` has after a failed Update whose answer had another ID."""
    updates = firsts(requests, "A", "Update")
    if not updates:
        return Finding("", "no Update came")
    failed, *later = updates
    ids = [f"{it.type} of {it.physical_id}" for it in (*later, *firsts(requests, "A", "Delete"))]
    is_taken = any(it.endswith(failed.names) for it in ids)
    return Finding("the one that it named" if is_taken else "the one before", f"after it came: {', '.join(ids)}")


def old_properties(requests: Sequence[Request], number: int, words: Mapping[str, str]) -> Finding:
    """Tell which `OldResourceProperties` an Update of the resource `A` has; `words` describes them by their mark."""
    updates = firsts(requests, "A", "Update")
    if len(updates) <= number:
        return Finding("no such Update" if len(updates) == number else "", f"Updates: {len(updates)}")
    before, it = updates[number - 1], updates[number]
    when = f"{it.at - before.at:.1f} s after the one before it, which was answered after {before.seconds:g} s"
    return Finding(words.get(it.old_mark, "others"), f"marked {it.old_mark}; it came {when}")


def clean_up(requests: Sequence[Request], of_stack: Sequence[Request]) -> dict[str, Finding]:
    """Tell what happens to the IDs `A-a` and `B-a`, which were replaced, and whose Deletes fail.

    `requests` came before the stack's deletion, and `of_stack` during it.
    """
    attempts, b = (firsts(requests, name, "Delete") for name in "AB")
    if not (attempts and b):
        return dict.fromkeys(("clean-up-at-once", "clean-up-attempts"), Finding("", "nothing was cleaned up"))
    gap, takes = abs(attempts[0].at - b[0].at), attempts[0].seconds
    is_known = any(it.physical_id == attempts[0].physical_id for it in of_stack)
    pauses = ", ".join(f"{then.at - now.answered_at:.1f} s" for now, then in pairwise(attempts))
    return {
        "clean-up-at-once": Finding(
            "at once" if gap < takes else "one after the other", f"{gap:.1f} s apart; each took {takes:g} s"
        ),
        "clean-up-attempts": Finding(
            f"attempts: {len(attempts)}, then {'with the stack' if is_known else 'forgotten'}",
            f"{attempts[0].physical_id}; pauses between them: {pauses or 'none'}",
        ),
    }


def failed_creation(requests: Sequence[Request]) -> dict[str, Finding]:
    """Tell what happens to `Fails`, whose creation fails, and to `Slow` and `Unheard`, which are outstanding then."""
    found = dict.fromkeys(
        ("outstanding-id", "outstanding-delete", "unheard-delete"),
        Finding("", "no Create was outstanding when the one beside it failed"),
    )
    fails = next(iter(firsts(requests, "Fails", "Create")), None)
    found["failed-create-id"] = _id_of_delete(requests, fails) if fails else Finding("", "no Create came")
    for create in (*firsts(requests, "Slow", "Create"), *firsts(requests, "Unheard", "Create")):
        retries = [it.at for it in requests if it.id == create.id and it.at > create.at]
        if fails is None or create.at > fails.answered_at:
            continue
        if create.resource == "Slow":
            found["outstanding-id"] = _id_of_delete(requests, create)
            found["outstanding-delete"] = _delete_against(requests, create, create.answered_at, "its response")
        elif retries:
            found["unheard-delete"] = _delete_against(requests, create, min(retries), "its retry")
        else:
            found["unheard-delete"] = Finding("", "Lambda did not deliver the Create again")
    return found


def signing_times(requests: Sequence[Request]) -> Finding:
    """Tell how the signing times of each resource's requests follow each other."""
    unique = {it.id: it for it in sorted(requests, reverse=True) if it.signed}  # the first delivery of each
    ordered = sorted(unique.values(), key=lambda it: (it.stack, it.resource, it.at))
    groups = [list(group) for _, group in groupby(ordered, lambda it: (it.stack, it.resource))]
    steps = [then.signed_at - now.signed_at for group in groups for now, then in pairwise(group)]
    if not steps:
        return Finding("", "the response URLs do not say when they were signed")
    least, oldest = min(steps), max(it.at - it.signed_at for it in ordered)
    answer = "sometimes earlier" if least < 0 else "later each time" if least else "sometimes the same"
    return Finding(answer, f"{least:g} to {max(steps):g} s from one to the next; at most {oldest:.1f} s old on arrival")


def moved(later: Sequence[Request], verb: str) -> Finding:
    """Tell what the resource `A` was sent after it was `moved` or `imported`."""
    later = [it for it in later if it.resource == "A"]
    sent = ", ".join(it.type for it in later if it.type != "Delete")
    deletes = ", ".join(f"{it.physical_id} from {it.stack}" for it in later if it.type == "Delete")
    return Finding(f"{verb}, and sent {sent or 'nothing'}", f"Deletes after that: {deletes or 'none'}")


def _id_of_delete(requests: Sequence[Request], create: Request) -> Finding:
    for it in firsts(requests, create.resource, "Delete"):
        is_its = it.physical_id == create.names
        return Finding("that of its response" if is_its else "an invented one", f"{it.physical_id}")
    return Finding("no Delete", "none came")


def _delete_against(requests: Sequence[Request], create: Request, other: float, name: str) -> Finding:
    for it in firsts(requests, create.resource, "Delete"):
        when = f"after the Create came the Delete in {it.at - create.at:.1f} s, {name} in {other - create.at:.1f} s"
        return Finding(f"{'before' if it.at < other else 'after'} {name}", when)
    return Finding("no Delete", "none came")
