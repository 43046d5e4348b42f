"""No acceptance leaves a stack behind without saying so."""

from __future__ import annotations

import signal
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from operate.accept import Acceptance
from operate.account import Account
from operate.cluster import NOT_ASKED
from operate.provider_stack import ProviderStack
from tests.operate.test_trial import starting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import boto3

NAME = "neptune-ml-acceptance-abc123"
ARN = f"arn:aws:cloudformation:us-east-1:1:stack/{NAME}/uuid"
OUTPUTS = {"ServiceToken": "arn", "LogGroupName": "logs", "WaitingQueueUrl": "one", "FailedEventsQueueUrl": "two"}
PROVIDER = ProviderStack("provider", "CREATE_COMPLETE", {"StartJobs": "true"}, OUTPUTS)
LEFT_BEHIND = f"aws cloudformation delete-stack --region us-east-1 --stack-name {NAME}"


def refusal(code: str, message: str = "No") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "CreateStack")


def nothing() -> None:
    """Do nothing."""


def raises(problem: Exception) -> None:
    raise problem


class Cloud:
    """An AWS in which stacks are created and deleted at once.

    Attributes:
        on_create: What happens when the stack has been created.
        on_delete: What happens when it is to be deleted.
        on_log: What happens when a log is read.
        created: The statuses of a creation.
        problem: What every further call comes to.
    """

    def __init__(
        self,
        on_create: Callable[[], None] = nothing,
        on_delete: Callable[[], None] = nothing,
        on_log: Callable[[], None] = nothing,
        created: Sequence[str] = ("CREATE_FAILED", "ROLLBACK_COMPLETE"),
    ) -> None:
        self.on_create = on_create
        self.on_delete = on_delete
        self.on_log = on_log
        self.created = created
        self.problem: Exception | None = None
        self.events: list[str] = []
        self.tokens: list[str] = []

    @property
    def status(self) -> str:
        return self.events[-1] if self.events else ""

    def client(self, _name: str) -> Cloud:
        return self

    def create_stack(self, **named: str) -> dict[str, str]:
        self.tokens.append(named.get("ClientRequestToken", ""))
        self.events += ["CREATE_IN_PROGRESS", *self.created]
        self.on_create()
        return {"StackId": ARN}

    def delete_stack(self, **named: str) -> None:
        self.look_at(named["StackName"])
        self.on_delete()
        self.events += ["DELETE_IN_PROGRESS", "DELETE_COMPLETE"]

    def describe_stacks(self, **named: str) -> dict[str, Any]:
        self.look_at(named["StackName"])
        return {"Stacks": [{"StackId": ARN, "StackStatus": self.status}]}

    def look_at(self, name: str) -> None:
        if self.problem:
            raise self.problem
        if not self.events or (name != ARN and self.status == "DELETE_COMPLETE"):
            raise refusal("ValidationError", f"Stack with id {name} does not exist")

    def get_paginator(self, name: str) -> Cloud:
        assert name in ("describe_stack_events", "filter_log_events")
        return self

    def paginate(self, **named: object) -> Iterator[dict[str, Any]]:
        if "StackName" not in named:
            self.on_log()
            yield {"events": []}
            return
        self.look_at(str(named["StackName"]))
        its = {
            "Timestamp": datetime(2026, 1, 1, tzinfo=UTC),
            "LogicalResourceId": NAME,
            "ResourceType": "AWS::CloudFormation::Stack",
        }
        yield {"StackEvents": [{**its, "ResourceStatus": status} for status in reversed(self.events)]}

    def get_queue_attributes(self, **_named: object) -> dict[str, Any]:
        return {"Attributes": {"ApproximateNumberOfMessages": "0"}}


def accepted(cloud: Cloud) -> int:
    here = Account("1", "us-east-1", "me", cast("boto3.Session", cloud))
    return Acceptance(here, PROVIDER, starting(), NAME).run(None)


def fail_with(cloud: Cloud, problem: Exception) -> None:
    cloud.problem = problem


@pytest.mark.parametrize(
    "problem",
    [refusal("ExpiredToken", "The security token is expired"), EndpointConnectionError(endpoint_url="https://aws")],
    ids=["the credentials have expired", "AWS cannot be reached"],
)
def test_a_stack_that_can_be_looked_at_no_more_is_told(capsys: pytest.CaptureFixture[str], problem: Exception) -> None:
    cloud = Cloud(on_create=lambda: fail_with(cloud, problem))

    assert accepted(cloud) == 1
    said = capsys.readouterr().out
    assert "THE STACK WAS NOT DELETED" in said
    assert LEFT_BEHIND in said
    assert f"The test could not be completed: {problem}" in said


def test_a_stack_whose_deletion_is_not_taken_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    expired = refusal("ExpiredToken", "The security token is expired")
    cloud = Cloud(on_create=lambda: raises(refusal("InternalFailure")), on_delete=lambda: raises(expired))

    assert accepted(cloud) == 1
    said = capsys.readouterr().out
    assert f"THE STACK WAS NOT DELETED ({expired})" in said
    assert LEFT_BEHIND in said


@pytest.mark.parametrize("code", ["AlreadyExistsException", "TokenAlreadyExistsException", "InternalFailure"])
def test_a_stack_whose_creation_was_never_confirmed_is_deleted(capsys: pytest.CaptureFixture[str], code: str) -> None:
    cloud = Cloud(on_create=lambda: raises(refusal(code)))

    assert accepted(cloud) == 1
    assert cloud.status == "DELETE_COMPLETE"
    said = capsys.readouterr().out
    assert code in said
    assert "WAS NOT DELETED" not in said


def test_a_creation_that_is_asked_for_again_is_known_as_the_same() -> None:
    clouds = [Cloud(on_create=lambda: raises(refusal("InternalFailure"))) for _ in range(2)]
    for cloud in clouds:
        assert accepted(cloud) == 1

    (one,), (other,) = (cloud.tokens for cloud in clouds)
    assert one
    assert other
    assert one != other


def test_a_stack_that_never_came_to_be_is_not_told(capsys: pytest.CaptureFixture[str]) -> None:
    def refuse() -> None:
        cloud.events.clear()
        raise refusal("AccessDenied")

    cloud = Cloud(on_create=refuse)

    assert accepted(cloud) == 1
    said = capsys.readouterr().out
    assert "The test could not be completed: An error occurred (AccessDenied)" in said
    assert "WAS NOT DELETED" not in said
    assert "clean up" not in said


def test_a_stack_that_was_seen_gone_is_not_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def expire() -> None:
        cloud.problem = refusal("ExpiredToken")
        raise cloud.problem

    monkeypatch.setattr("operate.cluster.ask", lambda *_: NOT_ASKED)
    cloud = Cloud(created=["CREATE_COMPLETE"], on_log=expire)

    assert accepted(cloud) == 1
    said = capsys.readouterr().out
    assert "The test could not be completed: An error occurred (ExpiredToken)" in said
    assert "WAS NOT DELETED" not in said


def test_an_interruption_of_the_clean_up_waits_for_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    cloud = Cloud(
        on_create=lambda: raises(refusal("InternalFailure")), on_delete=lambda: signal.raise_signal(signal.SIGINT)
    )

    assert accepted(cloud) == 128 + signal.SIGINT
    assert cloud.status == "DELETE_COMPLETE"
    assert "The test was interrupted." in capsys.readouterr().out
