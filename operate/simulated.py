"""Compares what Neptune did in an account with what the simulator does."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import boto3

from operate import cluster
from operate.account import Account
from operate.verdicts import NOT_FOUND
from provider.kinds.common import ENDPOINT
from simulator import ERROR_STATUSES, Simulator
from simulator.kinds import kind_named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from operate.seen import Seen
    from operate.trial import Trial
    from simulator.kinds import Kind

# How the provider's messages name Neptune's error code; see `provider.neptune`.
_CODE = re.compile(r"\((\w+Exception)\)")


class Beside(NamedTuple):
    """What is compared, what was seen of it in the account, and what the simulator does; empty: nothing."""

    what: str
    seen: str
    played: str

    @property
    def is_same(self) -> bool:
        """Whether both are the same."""
        return self.seen == self.played


def beside(trial: Trial, seen: Seen) -> list[Beside]:
    """Compare each status, error and set of response fields that was seen with what the simulator does."""
    # The simulator checks no signature.
    nobody = Account("", "us-east-1", "", boto3.Session("made-up", "made-up", region_name="us-east-1"))
    model = nobody.session.client("neptunedata").meta
    operation = model.service_model.operation_model(model.method_to_api_mapping[trial.kind.get.method])
    kind = kind_named(str(operation.http["requestUri"]).split("/")[2])
    with Simulator() as simulator:
        there = replace(trial, endpoint=ENDPOINT.type.parse(simulator.url))
        # Without permission, the error says nothing about the job.
        error = "" if seen.unknown.error.startswith("AccessDenied") else seen.unknown.error
        played = cluster.ask(nobody, there, "no-such-job").error
        return [
            *(Beside("status", it, it if it in kind.life.statuses else "") for it in _statuses(seen)),
            Beside("error for a job that does not exist", error, played),
            *(Beside("error in the function's log", it, it if it in ERROR_STATUSES else "") for it in _codes(seen)),
            *_fields(nobody, there, kind, seen, simulator),
        ]


def _statuses(seen: Seen) -> list[str]:
    logged = [str(it.fields.get("status", "")) for it in seen.log.lines]
    all_of_them = (seen.outputs.get("Status", ""), *logged, seen.running.status, seen.ended.status)
    return [it for it in dict.fromkeys(all_of_them) if it not in ("", NOT_FOUND, cluster.GONE)]


def _codes(seen: Seen) -> list[str]:
    said = [str(value) for line in seen.log.lines for value in line.fields.values()]
    return list(dict.fromkeys(code for text in said for code in _CODE.findall(text)))


def _fields(nobody: Account, there: Trial, kind: Kind, seen: Seen, simulator: Simulator) -> Iterator[Beside]:
    for told in dict.fromkeys((seen.running, seen.ended)):
        if not told.fields:
            continue
        played = ""
        if told.status in kind.life.statuses:
            simulator.of(kind.name).start_job(told.status, status=told.status)
            played = ", ".join(cluster.ask(nobody, there, told.status).fields)
        yield Beside(f"fields of the response when {told.status}", ", ".join(told.fields), played)
