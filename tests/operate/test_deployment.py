"""What `make deploy` does to the stack that it finds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from operate import deploy
from operate.account import Account
from operate.parameters import read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import boto3

VERSION, GROUPS = read(Path(__file__).parents[2] / "template.yaml")
PROVIDER = {"ServiceToken": "arn", "Version": VERSION}
CLUSTER = "cluster-ABC123"
DEFAULTS = {it.name: CLUSTER if it.default is None else it.default for group in GROUPS.values() for it in group}


class CloudFormation:
    """An AWS with one stack, which nothing changes."""

    def __init__(self, outputs: Mapping[str, str], parameters: Mapping[str, str]) -> None:
        self.stack = {
            "StackStatus": "UPDATE_COMPLETE",
            "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()],
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        }

    def client(self, name: str) -> CloudFormation:
        assert name == "cloudformation"
        return self

    def describe_stacks(self, **_named: str) -> dict[str, Any]:
        return {"Stacks": [self.stack]}


@pytest.fixture
def sam(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What SAM is told to do. It does nothing, and is content, as when the operator declines its change set."""
    told: list[str] = []

    def tell(arguments: Sequence[str], stdout: int | None = None) -> None:
        assert stdout is None
        told.append(arguments[0])

    monkeypatch.setattr("operate.deploy._sam", tell)
    return told


def deployed(
    monkeypatch: pytest.MonkeyPatch, outputs: Mapping[str, str], parameters: Mapping[str, str], given: str
) -> int:
    here = Account("1", "us-east-1", "me", cast("boto3.Session", CloudFormation(outputs, parameters)))
    monkeypatch.setattr("operate.account.find", lambda: here)
    return deploy.main(["--stack", "mine", "--yes", "--template", "built.yaml", "--parameters", given])


def test_a_stack_that_is_no_provider_is_not_replaced(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], sam: list[str]
) -> None:
    code = deployed(monkeypatch, {"Bucket": "data"}, {"Database": "x"}, f"ClusterResourceId={CLUSTER}")

    said = capsys.readouterr().err
    assert (code, sam) == (1, [])
    assert "The stack mine is UPDATE_COMPLETE and has no output ServiceToken" in said
    assert "make deploy STACK=" in said


def test_a_declined_change_set_is_not_taken_for_a_deployment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], sam: list[str]
) -> None:
    code = deployed(monkeypatch, PROVIDER, {"ClusterResourceId": CLUSTER, "StartJobs": "false"}, "StartJobs=true")

    said = capsys.readouterr().out
    assert (code, sam) == (1, ["deploy"])
    assert "Nothing was deployed: the change set was declined." in said
    assert "The provider is deployed" not in said


def test_a_declined_change_set_of_another_version_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], sam: list[str]
) -> None:
    code = deployed(monkeypatch, {**PROVIDER, "Version": "0.9.0"}, DEFAULTS, "")

    assert (code, sam) == (1, ["deploy"])
    assert "Nothing was deployed" in capsys.readouterr().out


def test_a_stack_that_is_as_it_was_asked_for_is_deployed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], sam: list[str]
) -> None:
    code = deployed(monkeypatch, PROVIDER, DEFAULTS, "")

    assert (code, sam) == (0, ["deploy"])
    assert "The provider is deployed: stack mine" in capsys.readouterr().out
