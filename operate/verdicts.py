"""Compares what was seen of a trial with what was expected."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from operate.cluster import GONE
from operate.seen import ANSWERED
from provider.look import ENDED, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from operate.seen import Operation, Seen
    from operate.trial import Trial
    from provider.kinds.kind import Kind

# From the look that finds the job ended until CloudFormation accepts the answer; from then until its own event.
_ANSWER_SECONDS = 5.0
_EVENT_SECONDS = 30.0
NOT_FOUND = "NotFound"
"""The provider's word for a job that Neptune no longer knows after its cancellation; every endpoint ends like that."""


class Verdict(NamedTuple):
    """What was expected, what was seen, and whether that meets the expectation."""

    expected: str
    seen: str
    holds: bool


def verdicts(trial: Trial, seen: Seen) -> list[Verdict]:
    """Judge a trial: a verdict on each expectation."""
    return [
        *_creation(trial, seen),
        *(_deletion(trial, seen, seen.deleted) if seen.deleted else ()),
        *_log(trial, seen),
        *_left(seen),
    ]


def _creation(trial: Trial, seen: Seen) -> Iterator[Verdict]:
    status = seen.created.status
    yield Verdict(
        "the stack is created: CREATE_COMPLETE",
        f"{status or 'unfinished'} after {seen.created.seconds:.0f} s" + _because(seen.created),
        status == "CREATE_COMPLETE",
    )
    if status != "CREATE_COMPLETE":
        return
    thing, running = trial.kind.words.thing, _running(trial.kind)
    job, at_first = seen.outputs.get("Id", ""), seen.outputs.get("Status", "")
    yield Verdict(
        f"its output Id is {trial.adopted}" if trial.adopted else f"its output Id is the ID of a new {thing}",
        job or "none",
        job == trial.adopted if trial.adopted else bool(job),
    )
    yield Verdict(
        f"its output Status shows a running {thing} ({_or(running)})",
        at_first or "none",
        _is_one_of(at_first, running),
    )
    if seen.running.status:
        yield Verdict(
            f"the cluster, queried from here, reports the {thing} as running",
            seen.running.status,
            _is_one_of(seen.running.status, running),
        )
    yield from _answer(seen, seen.created, "Create", "CREATE_COMPLETE")


def _deletion(trial: Trial, seen: Seen, deleted: Operation) -> Iterator[Verdict]:
    yield Verdict(
        "the stack is deleted: DELETE_COMPLETE",
        f"{deleted.status or 'unfinished'} after {deleted.seconds:.0f} s" + _because(deleted),
        deleted.status == "DELETE_COMPLETE",
    )
    thing, over = trial.kind.words.thing, (*trial.kind.names_of(*ENDED), NOT_FOUND)
    accepted = len(seen.log.of("Delete", "Cancelled the job"))
    yield Verdict(f"the {thing} is {trial.kind.words.cancelled} exactly once", _times(accepted), accepted == 1)
    ended = [str(it.fields.get("status", "")) for it in seen.log.of("Delete", "The job has ended")]
    yield Verdict(
        f"the provider saw that the {thing} had ended ({_or(over)})",
        ", ".join(ended) or "no such line in the log",
        bool(ended) and _is_one_of(ended[-1], over),
    )
    if seen.ended.status:
        yield Verdict(
            f"the cluster, queried from here, reports the {thing} as ended",
            seen.ended.status,
            seen.ended.status == GONE or _is_one_of(seen.ended.status, trial.kind.names_of(*ENDED)),
        )
    yield from _answer(seen, deleted, "Delete", "DELETE_COMPLETE")


def _answer(seen: Seen, operation: Operation, request_type: str, final: str) -> Iterator[Verdict]:
    answers = seen.log.of(request_type, ANSWERED)
    yield Verdict(f"the {request_type} request is answered exactly once", _times(len(answers)), len(answers) == 1)
    if not answers:
        return
    known = seen.log.of("Delete", "The job has ended") if request_type == "Delete" else []
    if known:
        delay = answers[-1].time - known[-1].time
        yield Verdict(
            f"the answer follows within {_ANSWER_SECONDS:g} s of seeing that the job had ended",
            f"{delay:.1f} s",
            delay <= _ANSWER_SECONDS,
        )
    done = operation.at(final)
    if done is not None:
        delay = done - answers[-1].time
        yield Verdict(
            f"CloudFormation continues within {_EVENT_SECONDS:g} s of the answer",
            f"{max(0.0, delay):.1f} s",
            delay <= _EVENT_SECONDS,
        )


def _log(trial: Trial, seen: Seen) -> Iterator[Verdict]:
    complaints = [f"{it.level} {it.message}" for it in seen.log.complaints]
    yield Verdict(
        "the log contains no warnings or errors",
        "; ".join(complaints) or "none",
        bool(seen.log.lines) and not complaints,
    )
    if not seen.deleted:
        return
    wanted = {"JobsStarted": int(trial.starts), "JobsCancelled": 1, "Failures": 0, "FailedDeletions": 0}
    for name, number in wanted.items():
        total = sum(seen.log.values.get(name, ()))
        yield Verdict(
            f"the metric {name} adds up to {number}",
            f"{total:g}" if seen.log.is_whole else f"{total:g}, but the log is incomplete",
            total == number and seen.log.is_whole,
        )


def _left(seen: Seen) -> Iterator[Verdict]:
    for name, number in seen.after.items():
        before = seen.before.get(name, 0)
        yield Verdict(
            f"the {name} has no new messages (before: {before})",
            f"{number} message{'' if number == 1 else 's'}",
            number <= before,
        )


def _running(kind: Kind) -> tuple[str, ...]:
    """List the statuses in which a job can be cancelled; a completed endpoint is in service until it is deleted."""
    return kind.names_of(Status.RUNS, Status.READY)


def _because(operation: Operation) -> str:
    return f": {operation.reason}" if operation.reason else ""


def _times(number: int) -> str:
    return {0: "never", 1: "once"}.get(number, f"{number} times")


def _or(words: tuple[str, ...]) -> str:
    return " or ".join(words)


def _is_one_of(status: str, statuses: tuple[str, ...]) -> bool:
    return status.lower() in [it.lower() for it in statuses]
