"""The journal in Amazon DynamoDB: an item for each resource, with conditional writes."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, EndpointConnectionError

from provider.journal.entry import (
    REMEMBERED_SECONDS,
    Answer,
    Change,
    Entry,
    Job,
    Outcome,
    Record,
    RequestType,
)
from provider.journal.errors import Conflict, JournalUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

KEY, REVISION, ENTRY, EXPIRES = "Resource", "Revision", "Entry", "Expires"
"""The names of an item's attributes."""
# One attempt: a write that boto3 retried would conflict with its own first attempt.
_CONFIG = Config(connect_timeout=2, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 1})


class Table:
    """The journal.

    Args:
        name: The name of its table; empty if there is none.
        region: The function's AWS Region.
    """

    def __init__(self, name: str, region: str) -> None:
        self._name = name
        self._region = region

    def read(self, resource: str) -> tuple[Entry | None, int]:
        """Read the entry of a resource, consistently.

        Args:
            resource: The resource.

        Returns:
            The entry, `None` if there is none, and its revision: how often it was written.

        Raises:
            JournalUnavailable: It could not be read.
        """
        answer = self._call(
            "GetItem",
            lambda: self._client.get_item(TableName=self._name, Key={KEY: {"S": resource}}, ConsistentRead=True),
        )
        item = answer.get("Item")
        if item is None:
            return None, 0
        try:
            return from_json(item[ENTRY]["S"]), int(item[REVISION]["N"])
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            #: It was edited by hand, or written by a newer version: deploy that version, or delete the item; see
            #: [what is lost](operations.md#the-journal).
            raise JournalUnavailable(
                f"The journal's entry for this resource cannot be read: {error}. Its item in the table {self._name} "
                f"has the key {resource}."
            ) from error

    def write(self, resource: str, entry: Entry, revision: int) -> None:
        """Write the entry of a resource.

        Args:
            resource: The resource.
            entry: The entry.
            revision: The revision that was read.

        Raises:
            Conflict: It was written since.
            JournalUnavailable: It could not be written, or DynamoDB did not respond and may have written it.
        """
        item = {
            KEY: {"S": resource},
            REVISION: {"N": str(revision + 1)},
            ENTRY: {"S": to_json(entry)},
        }
        if (expires := _expires(entry)) is not None:
            item[EXPIRES] = {"N": str(int(expires))}
        # Placeholders, because DynamoDB reserves words such as "Resource".
        is_first: dict[str, Any] = {
            "ConditionExpression": "attribute_not_exists(#key)",
            "ExpressionAttributeNames": {"#key": KEY},
        }
        is_same: dict[str, Any] = {
            "ConditionExpression": "#revision = :revision",
            "ExpressionAttributeNames": {"#revision": REVISION},
            "ExpressionAttributeValues": {":revision": {"N": str(revision)}},
        }
        condition = is_same if revision else is_first
        self._call("PutItem", lambda: self._client.put_item(TableName=self._name, Item=item, **condition))

    @cached_property
    def _client(self) -> DynamoDBClient:
        return boto3.client("dynamodb", region_name=self._region, config=_CONFIG)

    def _call(self, operation: str, call: Callable[[], Any]) -> Mapping[str, Any]:
        if not self._name:
            raise JournalUnavailable("No journal is configured (JOURNAL_TABLE is empty); deploy the provider again.")
        try:
            answer: Mapping[str, Any] = call()
        except ClientError as error:
            if error.response["Error"].get("Code") == "ConditionalCheckFailedException":
                raise Conflict from error
            words = error.response["Error"].get("Message") or error.response["Error"].get("Code")
            words = (words or "no reason given; see AWS CloudTrail").rstrip(".")
            #: A permissions boundary, service control policy or endpoint policy denies the action on the table (output
            #: `JournalTableName`), or DynamoDB is throttling or failing.
            raise JournalUnavailable(
                f"Amazon DynamoDB refused dynamodb:{operation} on the provider's journal: {words}."
            ) from error
        except (ConnectTimeoutError, EndpointConnectionError) as error:
            #: The security group has to allow TCP port 443.
            raise JournalUnavailable(
                "The provider's journal in Amazon DynamoDB cannot be reached: the function's subnets have no route to "
                f"it. Add a gateway endpoint for com.amazonaws.{self._region}.dynamodb (free) or a NAT gateway."
            ) from error
        except (BotoCoreError, ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
            # botocore's parser raises these for malformed responses.
            raise JournalUnavailable(
                f"The call to Amazon DynamoDB for the provider's journal (dynamodb:{operation}) failed: {error}."
            ) from error
        # boto3 reads a body that is not JSON as an empty success. Each of DynamoDB's own responses has a request ID.
        if not answer.get("ResponseMetadata", {}).get("RequestId"):
            raise JournalUnavailable(f"Amazon DynamoDB did not confirm dynamodb:{operation}.")
        return answer


def _expires(entry: Entry) -> float | None:
    """Return when an entry expires: its Delete was answered, no job is left, and no event can be replayed."""
    newest = entry.requests[entry.newest]
    ends = [newest.answered, *(job.gone for job in entry.jobs.values())]
    known = [it for it in ends if it is not None]
    if newest.type is not RequestType.DELETE or len(known) < len(ends):
        return None
    return max(known) + REMEMBERED_SECONDS


# --- entries as JSON --------------------------------------------------------------------------------------------------


def to_json(entry: Entry) -> str:
    """Write an entry as JSON, without the fields that have their default values."""
    data = {
        "newest": entry.newest,
        "count": entry.count,
        "life": entry.life,
        "requests": {name: _short(record) for name, record in entry.requests.items()},
        "jobs": {name: _short(job) for name, job in entry.jobs.items()},
    }
    return json.dumps(data, separators=(",", ":"))


def _short(item: Record | Job) -> dict[str, object]:
    written = {it.name: getattr(item, it.name) for it in fields(item) if getattr(item, it.name) != it.default}
    return {
        name: asdict(value) if isinstance(value, (Answer, Change)) else value
        for name, value in written.items()
        if value != {}
    }


def from_json(text: str) -> Entry:
    """Read an entry from JSON.

    Raises:
        ValueError, TypeError, KeyError, AttributeError, RecursionError: `to_json` did not write it.
    """
    data = json.loads(text)
    requests = {name: _record(it) for name, it in data.pop("requests").items()}
    jobs = {name: _job(it) for name, it in data.pop("jobs").items()}
    entry = Entry(**data, requests=requests, jobs=jobs)
    if entry.newest not in requests:
        raise ValueError(f"its newest request, {entry.newest!r}, is missing")
    return entry


def _record(data: dict[str, Any]) -> Record:
    if answer := data.get("answer"):
        data["answer"] = Answer(**{**answer, "outcome": Outcome(answer["outcome"])})
    return Record(**{**data, "type": RequestType(data["type"])})


def _job(data: dict[str, Any]) -> Job:
    if change := data.get("change"):
        data["change"] = Change(**change)
    return Job(**data)
