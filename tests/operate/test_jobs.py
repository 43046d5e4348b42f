"""`make jobs`, on the tables and queues of MiniStack."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from local.ministack import REGION, MiniStack
from operate import jobs
from provider.custom_resource.waiting import OWED, Owed
from provider.journal.entry import Entry, Job, Record, RequestType, gone
from provider.journal.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

STACK_ID = "arn:aws:cloudformation:us-east-1:000000000000:stack/movies/5ab1a0c0-0f0c-11f0-8f5c-0e0c0ffee000"
RESOURCE = f"{STACK_ID}|Transform|Custom::NeptuneMLModelTransformJob"
RUNNING, OWED_JOB, GONE, ADOPTED, LET_GO = (
    f"http://cluster.example:8182/{name}" for name in ("movies-1", "movies-0", "movies-9", "foreign", "foreign-too")
)
MORNING = 1_800_000_000.0  # 2027-01-15 08:00 UTC
KNOWN = Entry(
    "1",
    1,
    1,
    {"1": Record(1, RequestType.CREATE, None, MORNING)},
    {
        RUNNING: Job("1", MORNING, attributes={"Status": "InProgress"}, seen=MORNING + 60),
        OWED_JOB: Job("0", MORNING - 3600, closed=MORNING + 120, closed_by="1"),
        GONE: Job("9", gone=MORNING),
        ADOPTED: Job(),
        LET_GO: Job(closed=MORNING + 120, closed_by="1"),  # adopted, and its Delete has failed
    },
)
TEMPLATE = {
    "Resources": {
        "Journal": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "Resource", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "Resource", "KeyType": "HASH"}],
            },
        },
        "Queue": {"Type": "AWS::SQS::Queue"},
    },
    "Outputs": {
        "ServiceToken": {"Value": "arn"},
        "JournalTableName": {"Value": {"Ref": "Journal"}},
        "WaitingQueueUrl": {"Value": {"Ref": "Queue"}},
    },
}


class Provider:
    """The stack of a provider that has its table and its queue, and nothing that runs."""

    def __init__(self, ministack: MiniStack) -> None:
        cloudformation = ministack.client("cloudformation")
        cloudformation.create_stack(StackName="mine", TemplateBody=json.dumps(TEMPLATE))
        cloudformation.get_waiter("stack_create_complete").wait(StackName="mine", WaiterConfig={"Delay": 1})
        (stack,) = cloudformation.describe_stacks(StackName="mine")["Stacks"]
        self.outputs = {it["OutputKey"]: it["OutputValue"] for it in stack["Outputs"]}
        self.journal = Table(self.outputs["JournalTableName"], REGION)
        self._sqs, self._dynamodb = ministack.client("sqs"), ministack.client("dynamodb")

    def put(self, resource: str, entry: str) -> None:
        """Have the table hold an item that somebody else has written."""
        item = {"Resource": {"S": resource}, "Revision": {"N": "1"}, "Entry": {"S": entry}}
        self._dynamodb.put_item(TableName=self.outputs["JournalTableName"], Item=item)

    def job(self, identity: str) -> Job:
        known, _ = self.journal.read(RESOURCE)
        assert known is not None
        return known.jobs[identity]

    def messages(self) -> list[dict[str, Any]]:
        got = self._sqs.receive_message(QueueUrl=self.outputs["WaitingQueueUrl"], MaxNumberOfMessages=10)
        return [json.loads(it["Body"]) for it in got.get("Messages", [])]


@pytest.fixture(scope="module")
def ministack() -> Iterator[MiniStack]:
    with MiniStack() as running:
        yield running


@pytest.fixture
def provider(ministack: MiniStack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    for name, value in ministack.environment().items():
        monkeypatch.setenv(name, value)
    yield Provider(ministack)
    cloudformation = ministack.client("cloudformation")
    cloudformation.delete_stack(StackName="mine")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="mine", WaiterConfig={"Delay": 1})


def test_what_was_begun_and_is_not_deleted_is_listed_and_what_is_to_be_cancelled(
    provider: Provider, capsys: pytest.CaptureFixture[str]
) -> None:
    provider.journal.write(RESOURCE, KNOWN, 0)

    assert jobs.main(["--stack", "mine"]) == 0
    _, head, *rows, hint = capsys.readouterr().out.splitlines()
    assert head.split("  ")[0] == "stack"
    assert [" ".join(row.split()) for row in rows] == [
        f"movies Transform ModelTransformJob {LET_GO} never 2027-01-15 08:02 UTC",
        f"movies Transform ModelTransformJob {OWED_JOB} 2027-01-15 07:00 UTC never 2027-01-15 08:02 UTC",
        f"movies Transform ModelTransformJob {RUNNING} 2027-01-15 08:00 UTC InProgress at 2027-01-15 08:01 UTC",
    ]
    assert "make jobs STACK=mine CANCEL=" in hint


def test_an_item_that_cannot_be_read_is_named_and_hides_no_other(
    provider: Provider, capsys: pytest.CaptureFixture[str]
) -> None:
    provider.journal.write(RESOURCE, KNOWN, 0)
    for number, entry in enumerate(("garbage", "[]", "{}", '{"newest": "1", "requests": {}, "jobs": {"a": 1}}')):
        provider.put(f"{STACK_ID}|Garbled{number}|", entry)

    assert jobs.main(["--stack", "mine"]) == 1
    said = capsys.readouterr()
    assert RUNNING in said.out
    assert all(f"The item {STACK_ID}|Garbled{number}| in the table" in said.err for number in range(4))


def test_nothing_begun_is_said(provider: Provider, capsys: pytest.CaptureFixture[str]) -> None:
    provider.journal.write(RESOURCE, gone(KNOWN, RUNNING, MORNING).with_job(OWED_JOB, None).with_job(LET_GO, None), 0)

    assert jobs.main(["--stack", "mine"]) == 0
    assert "The provider has no jobs that it started and has not deleted" in capsys.readouterr().out


def test_a_job_is_cancelled_as_one_that_cloudformation_cannot_name(
    provider: Provider, capsys: pytest.CaptureFixture[str]
) -> None:
    provider.journal.write(RESOURCE, KNOWN, 0)
    before = time.time()

    assert jobs.main(["--stack", "mine", "--cancel", RUNNING]) == 0
    assert f"{RUNNING} is being cancelled." in capsys.readouterr().out
    (message,) = provider.messages()
    owed = Owed.from_json(message)
    assert owed[:2] == (RESOURCE, RUNNING)
    assert before <= owed.since <= (provider.job(RUNNING).closed or 0.0) <= time.time()
    assert provider.job(OWED_JOB) == KNOWN.jobs[OWED_JOB]


def test_one_whose_24_hours_are_over_is_cancelled_for_another_24(provider: Provider) -> None:
    provider.journal.write(RESOURCE, KNOWN, 0)

    assert jobs.main(["--stack", "mine", "--cancel", OWED_JOB]) == 0
    (message,) = provider.messages()
    assert message[OWED]["Job"] == OWED_JOB
    job = provider.job(OWED_JOB)
    assert (job.closed or 0.0) >= message[OWED]["Since"]
    assert job.closed_by == "1"  # the Delete that waits for it goes on waiting


@pytest.mark.parametrize("identity", [GONE, ADOPTED, "movies-1"])
def test_what_was_not_begun_is_not_cancelled(
    provider: Provider, capsys: pytest.CaptureFixture[str], identity: str
) -> None:
    provider.journal.write(RESOURCE, KNOWN, 0)

    assert jobs.main(["--stack", "mine", "--cancel", identity]) == 1
    assert "The provider has no such job. `make jobs` lists its jobs." in capsys.readouterr().err
    assert provider.messages() == []


def test_a_write_of_the_provider_comes_first(
    provider: Provider, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.journal.write(RESOURCE, KNOWN, 0)
    read = Table.read

    def overtaken(table: Table, resource: str) -> tuple[Entry | None, int]:
        known, revision = read(table, resource)
        provider.journal.write(resource, KNOWN, revision)
        return known, revision

    monkeypatch.setattr(Table, "read", overtaken)

    assert jobs.main(["--stack", "mine", "--cancel", RUNNING]) == 1
    assert "Try again." in capsys.readouterr().err
