"""The report of a probe: what was found and what the project assumes, in Markdown, ready for an issue."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from operate.probe.judgement import Finding
from operate.report import cell, masked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from operate.probe.judgement import Request

PAGE: Final = Path(__file__).parents[2] / "docs/cloudformation.md"
_SAME, _DIFFERS, _UNTRIED = "as assumed", "**DIFFERENT**", "not tried"
_NOT_REACHED: Final = Finding("", "the probe ended earlier")
_ROW: Final = re.compile(r"^\| `([a-z-]+)` \| (.+) \| (.+) \| (.+) \|$", re.M)


class Assumption(NamedTuple):
    """What the project assumes: a row of the table in `docs/cloudformation.md`.

    Attributes:
        question: The question.
        text: The assumed answers.
        rests: The code that relies on them.
    """

    question: str
    text: str
    rests: str

    def verdict(self, finding: Finding) -> str:
        """Tell whether a finding is one of the assumed answers."""
        is_same = finding.answer in re.findall("`([^`]+)`", self.text)
        return _SAME if is_same else _DIFFERS if finding.answer else _UNTRIED


def assumptions(page: str) -> dict[str, Assumption]:
    """Read the table of assumptions; returns its rows by the names of the questions, without links."""
    rows = {name: (*cells,) for name, *cells in _ROW.findall(re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", page))}
    return {name: Assumption(*cells) for name, cells in rows.items()}


def differs(assumed: Mapping[str, Assumption], found: Mapping[str, Finding]) -> bool:
    """Tell whether any finding contradicts an assumption."""
    return any(it.verdict(found.get(name, _NOT_REACHED)) == _DIFFERS for name, it in assumed.items())


def report(
    assumed: Mapping[str, Assumption],
    found: Mapping[str, Finding],
    requests: Sequence[Request],
    *,
    about: str,
    end: str,
) -> str:
    """Write the report, in Markdown; `end` says why the probe ended early, if it did."""
    rows = [(it, found.get(name, _NOT_REACHED)) for name, it in assumed.items()]
    verdicts = [it.verdict(finding) for it, finding in rows]
    numbers = ", ".join(f"{verdicts.count(it)} {it.strip('*')}" for it in (_SAME, _DIFFERS, _UNTRIED))
    lines = [
        f"## Probe of CloudFormation: {numbers}",
        "",
        f"{about}; {datetime.now().astimezone():%Y-%m-%d %H:%M %z}",
        "",
    ]
    lines += [f"**{end}**", ""] if end else []
    lines += ["| | question | seen | assumed | code that relies on it |", "| --- | --- | --- | --- | --- |"]
    for verdict, (it, finding) in zip(verdicts, rows, strict=True):
        seen = cell(f"{finding.answer or 'could not be tried'}: {finding.details}")
        lines.append(f"| {verdict} | {it.question} | {seen} | {it.text} | {it.rests} |")
    began = requests[0].at if requests else 0.0
    sent = [f"{it.at - began:7.1f} s  {it}" for it in requests]
    return masked("\n".join([*lines, "", "### What CloudFormation sent", "", "```", *sent, "```"]))
