"""The journal's table, over HTTP: against MiniStack's DynamoDB, and a stand-in for a DynamoDB with faults."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest
from botocore.config import Config
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from provider.journal import table as tables
from provider.journal.entry import Answer, Change, Entry, Job, Outcome, Record, RequestType
from provider.journal.errors import Conflict, JournalUnavailable
from provider.journal.table import Table, from_json, to_json
from simulator.serving import Connection, disconnected, serving
from tests.function.world import black_hole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from starlette.requests import Request

    from local.ministack import MiniStack

CREATE, UPDATE, DELETE = RequestType
NAME = "provider-Journal-1N2K5RF3Q0J6K"
RESOURCE = "arn:aws:cloudformation:us-east-1:123456789012:stack/graph/5ab1a0c0|Größe"
ENTRY = Entry("request", 1, 1, {"request": Record(1, CREATE, 50, 100.0)})
DELETED = Entry("delete", 2, 1, {"delete": Record(2, DELETE, 60, 200.0, Answer(Outcome.SUCCESS, "c:1/j"), 300.0)})
FAILED = replace(DELETED, requests={"delete": Record(2, DELETE, 60, 200.0, None, 300.0)})


def table(name: str = NAME) -> Table:
    return Table(name, "us-east-1")


# --- Amazon DynamoDB, as MiniStack plays it ---------------------------------------------------------------------------


def item(aws: MiniStack, name: str) -> Mapping[str, object]:
    return aws.client("dynamodb").get_item(TableName=name, Key={"Resource": {"S": RESOURCE}})["Item"]


def test_what_was_written_is_read(journal_table: str) -> None:
    journal = table(journal_table)
    assert journal.read(RESOURCE) == (None, 0)
    journal.write(RESOURCE, ENTRY, 0)
    assert journal.read(RESOURCE) == (ENTRY, 1)
    journal.write(RESOURCE, DELETED, 1)
    assert table(journal_table).read(RESOURCE) == (DELETED, 2)
    assert journal.read(f"{RESOURCE}2") == (None, 0)


@pytest.mark.parametrize("revision", [0, 1])
def test_of_two_that_write_what_they_have_read_the_second_meets_a_conflict(journal_table: str, revision: int) -> None:
    one, other = table(journal_table), table(journal_table)
    if revision:
        one.write(RESOURCE, ENTRY, 0)
    one.write(RESOURCE, replace(ENTRY, count=2), revision)
    with pytest.raises(Conflict):
        other.write(RESOURCE, replace(ENTRY, count=3), revision)
    assert other.read(RESOURCE) == (replace(ENTRY, count=2), revision + 1)


def test_an_entry_that_was_removed_meanwhile_is_not_written_anew(aws: MiniStack, journal_table: str) -> None:
    journal = table(journal_table)
    journal.write(RESOURCE, ENTRY, 0)
    aws.client("dynamodb").delete_item(TableName=journal_table, Key={"Resource": {"S": RESOURCE}})
    with pytest.raises(Conflict):
        journal.write(RESOURCE, ENTRY, 1)


@pytest.mark.parametrize(
    ("entry", "expires"),
    [
        (DELETED, {"N": str(300 + 15 * 86400)}),
        (replace(DELETED, jobs={"c:1/j": Job(gone=250.0)}), {"N": str(300 + 15 * 86400)}),
        (replace(DELETED, jobs={"c:1/j": Job(closed=200.0)}), None),
        (replace(DELETED, jobs={"c:1/j": Job(gone=250.0), "c:1/retained": Job(is_named=True)}), None),
        (replace(FAILED, jobs={"c:1/j": Job(closed=200.0)}), None),
        (replace(FAILED, jobs={"c:1/j": Job(gone=400.0)}), {"N": str(400 + 15 * 86400)}),  # by its message
        (replace(DELETED, requests={"delete": Record(2, DELETE, 60, 200.0)}), None),
        (ENTRY, None),
        (replace(ENTRY, requests={"request": Record(1, UPDATE, 50, 100.0, Answer(Outcome.FAILED, ""), 101.0)}), None),
    ],
)
def test_an_entry_may_go_when_its_delete_is_answered_and_no_job_is_left(
    aws: MiniStack, journal_table: str, entry: Entry, expires: dict[str, str] | None
) -> None:
    table(journal_table).write(RESOURCE, entry, 0)
    assert item(aws, journal_table).get("Expires") == expires


def test_an_entry_that_was_to_go_stays_when_its_resource_is_created_anew(aws: MiniStack, journal_table: str) -> None:
    journal = table(journal_table)
    journal.write(RESOURCE, DELETED, 0)
    journal.write(RESOURCE, ENTRY, 1)
    assert "Expires" not in item(aws, journal_table)


@pytest.mark.parametrize(
    "garbled",
    [
        {"Entry": {"S": "no JSON"}},
        {"Entry": {"S": "[]"}},
        {"Entry": {"S": "{}"}},
        {"Entry": {"S": "null"}},
        {"Entry": {"S": "[" * 100_000}},
        {"Entry": {"S": to_json(replace(ENTRY, newest="another"))}},
        {"Entry": {"S": to_json(ENTRY).replace('"Create"', '"Destroy"')}},
        {"Entry": {"S": to_json(ENTRY).replace('"jobs":{}', '"jobs":{"c:1/j":{"of":"another version"}}')}},
        {"Entry": {"N": "5"}},
        {"Revision": {"S": "one"}},
        {"Revision": {"N": "1.5"}},
        {},
    ],
    ids=lambda garbled: str(garbled)[-60:],
)
def test_an_item_that_cannot_be_read_is_named(
    aws: MiniStack, journal_table: str, garbled: dict[str, dict[str, str]]
) -> None:
    right = {"Entry": {"S": to_json(ENTRY)}, "Revision": {"N": "1"}} if garbled else {}
    aws.client("dynamodb").put_item(TableName=journal_table, Item={"Resource": {"S": RESOURCE}, **right, **garbled})
    with pytest.raises(JournalUnavailable) as caught:
        table(journal_table).read(RESOURCE)
    assert str(caught.value).startswith("The journal's entry for this resource cannot be read: ")
    assert str(caught.value).endswith(f" Its item in the table {journal_table} has the key {RESOURCE}.")


def test_a_table_that_is_gone_is_refused(aws: MiniStack) -> None:
    del aws
    journal = table(f"gone-{uuid.uuid4()}")
    with pytest.raises(JournalUnavailable, match=r"refused dynamodb:GetItem on the provider's journal: .*\.$"):
        journal.read(RESOURCE)
    with pytest.raises(JournalUnavailable, match=r"refused dynamodb:PutItem on the provider's journal: .*\.$"):
        journal.write(RESOURCE, ENTRY, 0)


def test_an_entry_that_is_too_large_is_refused(journal_table: str) -> None:
    """DynamoDB takes 400 KB of an item: some thousand requests within fifteen days."""
    many = {f"request-{number}": Record(number, UPDATE, 1, 1.0) for number in range(10_000)}
    with pytest.raises(JournalUnavailable, match=r"refused dynamodb:PutItem on the provider's journal: .*size.*\.$"):
        table(journal_table).write(RESOURCE, replace(ENTRY, requests={**ENTRY.requests, **many}), 0)


# --- a DynamoDB with faults -------------------------------------------------------------------------------------------


class DynamoDb:
    """Amazon DynamoDB as one function meets it: it gives the same answer to everything."""

    answer: Response | str = ""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def take(self, request: Request) -> Response:
        self.asked.append(request.headers["x-amz-target"].removeprefix("DynamoDB_20120810."))
        if isinstance(self.answer, Response):
            return self.answer
        if self.answer == "reset":
            Connection.of(request.scope).reset()
        await disconnected(request.receive)
        return Response(status_code=500)


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[DynamoDb]:
    stand_in = DynamoDb()
    application = Starlette(routes=[Route("/", stand_in.take, methods=["POST"])])
    with serving(application, host="127.0.0.1", port=0) as port:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        yield stand_in


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config(connect_timeout=0.05, read_timeout=0.1, retries=tables._CONFIG.retries)  # type: ignore[attr-defined]
    monkeypatch.setattr(tables, "_CONFIG", config)


def refusal(code: str, message: str, status: int = 400) -> Response:
    return JSONResponse({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message}, status)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("operation", ["GetItem", "PutItem"])
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (
            refusal("AccessDeniedException", "User: provider is not authorized"),
            "refused dynamodb:{}",
        ),
        (refusal("ThrottlingException", "Rate exceeded"), "refused dynamodb:{}"),
        (refusal("ProvisionedThroughputExceededException", "Too much."), "refused dynamodb:{}"),
        (JSONResponse({"__type": ""}, 400), "journal: no reason given; see AWS CloudTrail."),
        (JSONResponse({"__type": "com.amazonaws#InternalServerError"}, 400), "journal: InternalServerError."),
        (Response(b"<html>sorry</html>", 503), "refused dynamodb:{}"),
        (Response(b"<html>welcome</html>", 200), ""),
        (Response(b"[]", 200), "(dynamodb:{}) failed: "),
        (Response(b"null", 200), "(dynamodb:{}) failed: "),
        (Response(b"[" * 100_000, 200), "(dynamodb:{}) failed: "),
        (Response(b"\xff", 200), "(dynamodb:{}) failed: "),
        (Response(b'{"Item": 5}', 200), ""),
        (Response(b'{"Item": {"Entry": {"S": 5}, "Revision": {"N": 5}}}', 200), ""),
        ("reset", "(dynamodb:{}) failed: Connection was closed"),
        ("hang", "(dynamodb:{}) failed: Read timeout"),
    ],
    ids=lambda value: getattr(value, "body", b"").decode(errors="replace")[:60] or str(value)[:60],
)
def test_no_other_answer_is_taken_for_an_entry_or_for_written(
    dynamodb: DynamoDb, operation: str, answer: Response | str, reason: str
) -> None:
    dynamodb.answer = answer
    journal = table()
    call = partial(journal.read, RESOURCE) if operation == "GetItem" else partial(journal.write, RESOURCE, ENTRY, 0)
    with pytest.raises(JournalUnavailable) as caught:
        call()
    assert reason.format(operation) in str(caught.value)
    assert str(caught.value).endswith(".")
    assert dynamodb.asked == [operation]  # a write that was repeated would meet itself


@pytest.fixture(params=["refused", "timed out", "unknown"])
def no_route(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, impatient: None) -> Iterator[None]:
    """A DynamoDB that cannot be reached."""
    del impatient
    with black_hole() as port:
        endpoint = {"refused": "127.0.0.1:9", "timed out": f"127.0.0.1:{port}", "unknown": "dynamodb.invalid"}
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{endpoint[request.param]}")
        yield


@pytest.mark.usefixtures("no_route")
def test_a_table_that_cannot_be_reached_says_what_to_open() -> None:
    right = (
        r"cannot be reached: the function's subnets have no route to it\. Add a gateway endpoint for "
        r"com\.amazonaws\.us-east-1\.dynamodb \(free\) or a NAT gateway\."
    )
    with pytest.raises(JournalUnavailable, match=right):
        table().read(RESOURCE)
    with pytest.raises(JournalUnavailable, match=right):
        table().write(RESOURCE, ENTRY, 0)


def test_a_look_at_the_journal_takes_four_seconds_at_most() -> None:
    config: object = tables._CONFIG
    assert (config.connect_timeout, config.read_timeout) == (2, 2)  # type: ignore[attr-defined]


def test_without_a_table_nothing_is_called(dynamodb: DynamoDb) -> None:
    with pytest.raises(JournalUnavailable, match="No journal is configured"):
        table("").read(RESOURCE)
    assert dynamodb.asked == []


# --- entries as JSON --------------------------------------------------------------------------------------------------

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
TIMES = st.floats(0, 1e11)
SETTINGS = st.dictionaries(TEXTS, TEXTS, max_size=2)
RECORDS = st.builds(
    Record,
    number=st.integers(0, 9),
    type=st.sampled_from(RequestType),
    signed_at=st.none() | st.integers(0, 10**11),
    seen=TIMES,
    answer=st.none() | st.builds(Answer, st.sampled_from(Outcome), TEXTS, TEXTS),
    answered=st.none() | TIMES,
)
JOBS = st.builds(
    Job,
    by=TEXTS,
    begun=st.none() | TIMES,
    life=st.integers(0, 9),
    describes=TEXTS,
    value=TEXTS,
    call=TEXTS,
    until=TIMES,
    change=st.none() | st.builds(Change, TEXTS, TEXTS, TIMES),
    is_told=st.booleans(),
    is_named=st.booleans(),
    since=st.integers(0, 9),
    closed=st.none() | TIMES,
    closed_by=TEXTS,
    gone=st.none() | TIMES,
    attributes=SETTINGS,
    seen=st.none() | TIMES,
    settings=SETTINGS,
)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    requests = draw(st.dictionaries(TEXTS, RECORDS, min_size=1, max_size=3))
    newest = draw(st.sampled_from(sorted(requests)))
    jobs = draw(st.dictionaries(TEXTS, JOBS, max_size=3))
    return Entry(newest, draw(st.integers(1, 9)), draw(st.integers(0, 9)), requests, jobs)


@given(entries())
def test_every_entry_is_read_as_it_was_written(entry: Entry) -> None:
    assert from_json(to_json(entry)) == entry


def test_what_is_as_it_is_by_default_is_not_written() -> None:
    assert json.loads(to_json(replace(ENTRY, jobs={"c:1/j": Job(by="request")}))) == {
        "newest": "request",
        "count": 1,
        "life": 1,
        "requests": {"request": {"number": 1, "type": "Create", "signed_at": 50, "seen": 100.0}},
        "jobs": {"c:1/j": {"by": "request"}},
    }
