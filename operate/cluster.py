"""The job as its cluster tells of it, where the operator's machine reaches the cluster.

A cluster is inside its VPC: from outside, only the provider can ask it.
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
# Without a proxy, for without one the cluster has been found to be reachable.
_CONFIG = Config(connect_timeout=_CONNECT_SECONDS, read_timeout=10, retries={"mode": "standard"}, proxies={})
GONE = "gone"
"""The status of a job that its cluster does not know (any more)."""


class Told(NamedTuple):
    """What a cluster said of a job.

    Attributes:
        status: The job's status; empty if the cluster did not say.
        problem: Why it did not.
        error: The error that it answered: its code and its HTTP status.
        fields: The fields of its answer, with those in them.
    """

    status: str
    problem: str = ""
    error: str = ""
    fields: tuple[str, ...] = ()


NOT_ASKED = Told("", "it was not asked")
"""Nothing, for there was no question."""


def ask(account: Account, trial: Trial, job_id: str) -> Told:
    """Ask the cluster for a job's status, if it can be reached from here.

    Args:
        account: Whose credentials sign the question.
        trial: Names the cluster, and the kind of the job.
        job_id: The job.

    Returns:
        What it said.
    """
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
        return Told("", f"it was asked, and answered {answered}", answered)
    except BotoCoreError as error:
        return Told("", f"it was asked, and gave no answer ({error})")
    answer.pop("ResponseMetadata")
    return Told(str(answer.get("status", "")), fields=tuple(sorted(_fields(answer))))


def _fields(answer: object, before: str = "") -> set[str]:
    """Name the fields of an answer that have no fields in them, such as `processingJob.arn`."""
    if isinstance(answer, dict):
        return {it for name, value in answer.items() for it in _fields(value, f"{before}.{name}" if before else name)}
    if isinstance(answer, list) and answer:
        return {it for value in answer for it in _fields(value, before)}
    return {before}
