"""`make jobs`: lists the provider's jobs from its journal; run it with `python -m operate.jobs`.

With `--cancel IDENTITY`, the provider cancels one of them, as it cancels a job that CloudFormation cannot name. Exit
code: 0 if successful, 1 if not or if an item of the journal cannot be read, 2 for wrong arguments.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from operate import account, command, provider_stack
from operate.command import CannotGoOn
from provider.custom_resource.waiting import Owed
from provider.journal.errors import Conflict, JournalUnavailable
from provider.journal.table import ENTRY, KEY, Table, from_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from operate.account import Account
    from provider.journal.entry import Job

_HEAD = ("stack", "resource", "kind", "id", "started", "last status", "being cancelled since")
_OPERATOR = "operator"  # stands in for the request that closed a job


class Begun(NamedTuple):
    """A job that the provider started or has to cancel, and that is not known to have stopped."""

    resource: str
    identity: str
    job: Job

    @property
    def row(self) -> tuple[str, ...]:
        """The job's row in the table."""
        stack_id, logical_id, resource_type = self.resource.split("|")
        status = self.job.attributes.get("Status", "")
        seen = f"{status} at {_time(self.job.seen)}" if self.job.seen else "never"
        return (
            [*stack_id.split("/"), stack_id][1],
            logical_id,
            resource_type.removeprefix("Custom::NeptuneML"),
            self.identity,
            _time(self.job.begun),
            seen,
            _time(self.job.closed),
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """List the jobs, or have the provider cancel one; returns the exit code."""
    parser = command.parser(
        "jobs", "List the jobs that the provider has started and not deleted, and those that it is cancelling."
    )
    parser.add_argument("--cancel", default="", metavar="IDENTITY", help="the ID of the job to cancel, as listed")
    return command.run(parser, arguments, lambda options: _jobs(options.stack, options.cancel))


def _jobs(name: str, cancelled: str) -> int:
    here = account.find()
    stack = provider_stack.find(here, name)
    print(here, flush=True)
    unreadable: list[str] = []
    begun = sorted(_begun(here, stack.outputs["JournalTableName"], unreadable))
    if cancelled:
        return _cancel(here, stack, next((it for it in begun if it.identity == cancelled), None))
    if not begun:
        print("The provider has no jobs that it started and has not deleted, and is cancelling none.")
        return int(bool(unreadable))
    rows = [_HEAD, *(it.row for it in begun)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    print(f"To cancel a job: make jobs STACK={name} CANCEL=<its ID, as listed above>")
    return int(bool(unreadable))


def _begun(here: Account, table: str, unreadable: list[str]) -> Iterator[Begun]:
    """Read the whole journal; report an item that cannot be read, and add it to `unreadable`."""
    pages = here.session.client("dynamodb").get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    for item in (item for page in pages for item in page["Items"]):
        resource = item[KEY]["S"]
        try:
            known = from_json(item[ENTRY]["S"])
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            print(f"The item {resource} in the table {table} cannot be read: {error}", file=sys.stderr)
            unreadable.append(resource)
            continue
        yield from (Begun(resource, it, job) for it, job in known.jobs.items() if _is_of_interest(job))


def _is_of_interest(job: Job) -> bool:
    """Tell whether a job was started, or has to be cancelled: an adopted job is if its Delete failed."""
    return job.gone is None and bool(job.by or job.closed)


def _cancel(here: Account, stack: provider_stack.ProviderStack, begun: Begun | None) -> int:
    """Send a job's message and then close the job in the journal, as the provider does."""
    if begun is None:
        raise CannotGoOn("The provider has no such job. `make jobs` lists its jobs.")
    now = time.time()
    message = Owed(begun.resource, begun.identity, now).as_json()
    here.session.client("sqs").send_message(QueueUrl=stack.outputs["WaitingQueueUrl"], MessageBody=json.dumps(message))
    table = Table(stack.outputs["JournalTableName"], here.region)
    try:
        known, revision = table.read(begun.resource)
        job = known.jobs.get(begun.identity) if known else None
        if known is None or job is None or job.gone is not None:
            raise CannotGoOn("The job has just been deleted.")
        # A job whose 24 hours are over gets another 24.
        closed = replace(job, closed=now, closed_by=job.closed_by or _OPERATOR)
        table.write(begun.resource, known.with_job(begun.identity, closed), revision)
    except Conflict:
        raise CannotGoOn("The provider has just changed its entry for this job. Try again.") from None
    except JournalUnavailable as error:
        raise CannotGoOn(str(error)) from error
    print(f"{begun.identity} is being cancelled. To see its progress: make jobs STACK={stack.name}")
    return 0


def _time(seconds: float | None) -> str:
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


if __name__ == "__main__":
    sys.exit(main())
