"""The report of an acceptance test, in Markdown, ready for an issue: without account numbers, hosts and buckets."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from local.readable_log import clock_time, readable_line
from provider.hosts import Hosts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from operate.provider_stack import ProviderStack
    from operate.seen import Operation, Seen
    from operate.simulated import Beside
    from operate.trial import Trial
    from operate.verdicts import Verdict

_ACCOUNT = re.compile(r"(?<!\d)\d{12}(?!\d)")
_BUCKET = re.compile(r"s3://[^/\s\"']+")
_ACCESS_KEY = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b")
_HOST = re.compile(r"[A-Za-z0-9.-]+[A-Za-z]")
_CLUSTERS = Hosts.of_clusters().own


def masked(text: str, host: str = "") -> str:
    """Remove account numbers, access keys, buckets, hosts of clusters and, if there is one, this host from a text."""
    text = text.replace(host, "[cluster]") if host else text
    for pattern, replacement in (
        (_ACCOUNT, "[account]"),
        (_ACCESS_KEY, "[access key]"),
        (_BUCKET, "s3://[bucket]"),
    ):
        text = pattern.sub(replacement, text)
    return _HOST.sub(lambda it: "[cluster]" if _CLUSTERS.fullmatch(it[0].lower()) else it[0], text)


def report(
    provider: ProviderStack,
    trial: Trial,
    seen: Seen,
    *,
    region: str,
    verdicts: Sequence[Verdict],
    beside: Sequence[Beside],
    end: str,
) -> str:
    """Write the report, in Markdown; `end` says why the test ended early, if it did."""
    lines = [*_lines(provider, trial, seen, region=region, verdicts=verdicts, end=end), *_simulated(beside)]
    return masked("\n".join(lines), trial.endpoint.host)


def _lines(
    provider: ProviderStack, trial: Trial, seen: Seen, *, region: str, verdicts: Sequence[Verdict], end: str
) -> Iterator[str]:
    failed = [it for it in verdicts if not it.holds]
    yield f"## Acceptance test of the Neptune ML provider: {'FAILED' if failed or end else 'passed'}"
    yield ""
    if end:
        yield f"**{end}**\n"
    yield "| | |\n| --- | --- |"
    where = "in a VPC" if provider.parameters.get("SubnetIds") else "outside a VPC"
    yield f"| provider | version {provider.version}, {provider.parameters.get('Architecture', 'x86_64')}, {where} |"
    yield f"| Region | {region} |"
    yield f"| time | {datetime.now().astimezone():%Y-%m-%d %H:%M %z} |"
    yield f"| resource | {cell(_tried(trial))} |"
    yield f"| source of the job's status | {cell(_source(seen))} |"
    yield "\n| | expected | seen |\n| --- | --- | --- |"
    for it in verdicts:
        yield f"| {'ok' if it.holds else '**FAILED**'} | {cell(it.expected)} | {cell(it.seen)} |"
    for name, operation in (("creation", seen.created), ("deletion", seen.deleted)):
        if operation and operation.events:
            yield f"\n### Stack events during {name}\n"
            yield from _block(_events(operation))
    yield "\n### The function's log\n"
    invocations = ", ".join(f"{number} for the {name}" for name, number in seen.log.invocations.items())
    yield f"Invocations: {invocations or 'none'}.\n"
    yield from _block(readable_line(it, of_many=True) for it in seen.log.lines)
    yield "\n### The function's metrics\n"
    yield from _block(
        f"{name}: {', '.join(f'{value:g}' for value in values)}" for name, values in sorted(seen.log.values.items())
    )


def _simulated(beside: Sequence[Beside]) -> Iterator[str]:
    yield "\n### Comparison with the simulator\n"
    yield "| | what | in the account | in the simulator |\n| --- | --- | --- | --- |"
    for it in beside:
        verdict = "not seen" if not it.seen else "same" if it.is_same else "**different**"
        yield f"| {verdict} | {it.what} | {cell(it.seen)} | {cell(it.played)} |"


def _tried(trial: Trial) -> str:
    does = f"adopts the job {trial.adopted}" if trial.adopted else "starts a job"
    names = ", ".join(name for name in trial.properties if name != "Endpoint")
    return f"a {trial.kind.resource_type} that {does} (properties: {names})"


def _source(seen: Seen) -> str:
    own = "the stack's outputs and the function's log"
    if seen.running.status or seen.ended.status:
        return f"{own}, and the cluster, queried from here"
    why = seen.running.problem or seen.ended.problem
    return f"{own}; not the cluster: {why}"


def _events(operation: Operation) -> Iterator[str]:
    for it in operation.events:
        what = "stack" if it.is_of_stack else it.logical_id
        yield f"{clock_time(it.time)}  {what:<6}  {it.status}{f'  {it.reason}' if it.reason else ''}"


def _block(lines: Iterator[str]) -> Iterator[str]:
    yield "```"
    yield from lines
    yield "```"


def cell(text: str) -> str:
    """Format a text as a cell of a Markdown table."""
    return " ".join(text.split()).replace("|", "\\|")
