"""Asks a cluster about a job, if the operator's machine can reach the cluster.

A cluster is usually in a VPC; from outside, only the provider can reach it.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from operate.account import Account
    from operate.trial import Trial

_CONNECT_SECONDS = 3.0
# Without a proxy: the check that the cluster can be reached does not use one either.
_CONFIG = Config(connect_timeout=_CONNECT_SECONDS, read_timeout=10, retries={"mode": "standard"}, proxies={})
GONE = "gone"
"""The status of a job that the cluster does not know, or no longer knows."""


class Told(NamedTuple):
    """What a cluster reported about a job.

    Attributes:
        status: The job's status; empty if unknown.
        problem: Why the status is unknown.
        error: The error that the cluster returned: its code and its HTTP status.
        fields: The names of the fields in the cluster's response, nested ones included.
    """

    status: str
    problem: str = ""
    error: str = ""
    fields: tuple[str, ...] = ()


NOT_ASKED = Told("", "it was not asked")
"""The cluster was not asked."""


def ask(account: Account, trial: Trial, job_id: str) -> Told:
    """Ask the cluster for a job's status, if it can be reached from here; returns why if it reported none."""
    scheme, host, port = trial.endpoint
    try:
        socket.create_connection((host, port), _CONNECT_SECONDS).close()
    except OSError as error:
        return Told("", f"it cannot be reached from here ({error})")
    client = account.session.client("neptunedata", endpoint_url=f"{scheme}://{host}:{port}", config=_CONFIG)
    try:
        answer: dict[str, Any] = getattr(client, trial.kind.get.method)(id=job_id)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        answered = f"{code}, HTTP {error.response['ResponseMetadata']['HTTPStatusCode']}"
        if code == "MLResourceNotFoundException":
            return Told(GONE, error=answered)
        return Told("", f"it returned {answered}", answered)
    except BotoCoreError as error:
        return Told("", f"it did not answer ({error})")
    answer.pop("ResponseMetadata")
    return Told(str(answer.get("status", "")), fields=tuple(sorted(_fields(answer))))


def _fields(answer: object, before: str = "") -> set[str]:
    """Name the innermost fields of a response, such as `processingJob.arn`."""
    if isinstance(answer, dict):
        return {it for name, value in answer.items() for it in _fields(value, f"{before}.{name}" if before else name)}
    if isinstance(answer, list) and answer:
        return {it for value in answer for it in _fields(value, before)}
    return {before}
