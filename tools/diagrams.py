"""The plan of a job's next step as diagrams, generated from its table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provider.lifecycle.plan import TABLE
from provider.look import Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Table = Mapping[tuple[str, str], Mapping[Status, str]]

_DIAGRAMS = {
    "A start": ("start",),
    "A change in place": ("change", "follow"),
    "The cancellation of a closed job": ("cancel",),
}
# Where each step leads. A step that is not listed leaves the job where it is.
_LEADS = {
    ("start", "intend"): ("start unsent",),
    ("start", "send"): ("start accepted", "start refused", "start without-effect", "start open"),
    ("start", "settle"): ("there",),
    ("start", "retry"): ("start new",),
    ("start", "fail"): ("failed",),
    ("change", "intend"): ("change unsent",),
    ("change", "send"): ("change accepted", "change refused", "change without-effect", "change open"),
    ("change", "settle"): ("follow fresh",),
    ("change", "retry"): ("change new",),
    ("change", "restore"): ("change new",),
    ("change", "another"): ("another job",),
    ("change", "fail"): ("failed",),
    ("follow", "keep"): ("changed",),
    ("follow", "undo"): ("failed",),
    ("cancel", "gone"): ("gone",),
}
# Changes without a step.
_PASSES = {
    ("start open", "start over"): "the lease is over",
    ("change open", "change over"): "the lease is over",
    ("change fresh", "change new"): "a minute later",
    ("follow fresh", "follow new"): "a minute later",
    ("cancel open", "cancel new"): "the lease is over",
    ("cancel new", "cancel enough"): "accepted, WaitForStop is false",
}


def diagrams(table: Table = TABLE) -> str:
    """Draw how a job is started, changed and cancelled, as Mermaid diagrams in Markdown; equal states are merged."""
    return "\n\n".join(
        "\n".join((f"### {heading}", "", "```mermaid", "stateDiagram-v2", *_lines(table, verbs), "```"))
        for heading, verbs in _DIAGRAMS.items()
    )


def _lines(table: Table, verbs: tuple[str, ...]) -> Iterator[str]:
    alike: dict[tuple[str, ...], list[str]] = {}
    for (verb, how), cells in table.items():
        if verb in verbs:
            alike.setdefault((verb, *(cells[status] for status in Status)), []).append(how)
    nodes = {f"{verb} {how}": f"{verb} {' / '.join(hows)}" for (verb, *_), hows in alike.items() for how in hows}
    yield from (f'    state "{name}" as {_id(name)}' for name in dict.fromkeys(nodes.values()))
    yield f"    [*] --> {_id(nodes[f'{verbs[0]} new'])}"
    for (verb, *words), hows in alike.items():
        node = nodes[f"{verb} {hows[0]}"]
        for word in dict.fromkeys(words):
            seen = [status.value for status, it in zip(Status, words, strict=True) if it == word]
            if word == "look" and seen == [Status.UNSEEN]:
                continue
            for target in dict.fromkeys(nodes.get(it, it) for it in _LEADS.get((verb, word), (node,))):
                yield f"    {_id(node)} --> {_id(target)}: {_label(seen, word)}"
    for (before, after), when in _PASSES.items():
        if before in nodes and nodes[before] != nodes[after]:
            yield f"    {_id(nodes[before])} --> {_id(nodes[after])}: {when}"


def _label(seen: list[str], word: str) -> str:
    if len(seen) == len(Status):
        return word
    return f"{'else' if len(seen) > len(Status) / 2 else ', '.join(seen)} → {word}"


def _id(name: str) -> str:
    return name.replace(" / ", "_").replace(" ", "_").replace("-", "_")
