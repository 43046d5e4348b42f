"""The questions of `make deploy`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from operate.command import CannotGoOn, WrongArguments
from operate.deploy import chosen
from operate.parameters import read
from operate.provider_stack import ProviderStack

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
VERSION, GROUPS = read(ROOT / "template.yaml")
PARAMETERS = {it.name: it for group in GROUPS.values() for it in group}
CLUSTER = "cluster-ABC123"


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What the operator types, line by line; then nobody answers. All of it has to be asked for."""
    typed: list[str] = []

    def type_next(_question: str) -> str:
        if not typed:
            raise EOFError
        return typed.pop(0)

    monkeypatch.setattr("builtins.input", type_next)
    yield typed
    assert typed == []


def deployed(**parameters: str) -> ProviderStack:
    return ProviderStack("provider", "CREATE_COMPLETE", parameters, {"Version": "0.9.0"})


def test_the_version_is_that_of_the_template() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", VERSION)


def test_only_the_cluster_has_to_be_given() -> None:
    assert [name for name, it in PARAMETERS.items() if it.default is None] == ["ClusterResourceId"]
    assert [name for name, it in PARAMETERS.items() if it.problem_of(it.default or "")] == ["ClusterResourceId"]


def test_a_group_is_kept_with_one_answer(answers: list[str]) -> None:
    answers += [CLUSTER, *[""] * len(GROUPS)]

    values = chosen(GROUPS, None, [], asks=True)

    assert values == {**{name: it.default for name, it in PARAMETERS.items()}, "ClusterResourceId": CLUSTER}


def test_the_parameters_of_one_group_are_asked_for_one_by_one(
    answers: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    answers += [CLUSTER, "", "n", "", "", "", "", "yes", "true", *[""] * (len(GROUPS) - 2)]

    values = chosen(GROUPS, None, [], asks=True)

    assert values["StartJobs"] == "true"
    assert "StartJobs cannot be 'yes': Choose one of true, false." in capsys.readouterr().out


def test_a_stack_keeps_its_parameters(answers: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    answers += [""] * len(GROUPS)

    values = chosen(GROUPS, deployed(ClusterResourceId=CLUSTER, LogLevel="DEBUG", Forgotten="1"), [], asks=True)

    assert (values["ClusterResourceId"], values["LogLevel"]) == (CLUSTER, "DEBUG")
    assert "Forgotten" not in values
    assert "LogLevel: DEBUG" in capsys.readouterr().out


def test_a_value_can_be_emptied(answers: list[str]) -> None:
    current = deployed(ClusterResourceId=CLUSTER, AllowedHosts="localhost")
    answers += ["n", "", '""', *[""] * (len(GROUPS) - 1)]

    assert chosen(GROUPS, current, [], asks=True)["AllowedHosts"] == ""


def test_what_is_given_beforehand_is_not_asked_for() -> None:
    given = [f"ClusterResourceId={CLUSTER}", "AllowedHosts=a.example,b.example"]

    values = chosen(GROUPS, deployed(ClusterResourceId="*"), given, asks=False)

    assert (values["ClusterResourceId"], values["AllowedHosts"]) == (CLUSTER, "a.example,b.example")


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (
            ["ClusterResourceID=*"],
            "ClusterResourceID is not a parameter of the template. Did you mean ClusterResourceId?",
        ),
        (["Zzz=1"], "Zzz is not a parameter of the template. Its parameters are ClusterResourceId, "),
        (["ClusterResourceId"], "PARAMETERS contains 'ClusterResourceId'; it should be Name=value."),
        ([], "ClusterResourceId is missing: Enter a cluster's resource ID"),
        (["ClusterResourceId=mine"], "ClusterResourceId cannot be 'mine': Enter a cluster's resource ID"),
        (["ClusterResourceId=*", "ClusterPort=0"], "ClusterPort cannot be '0': Enter a number from 1 to 65535."),
        (["ClusterResourceId=*", "AllowedHosts=a,http://b"], "AllowedHosts cannot be 'a,http://b': Enter host names"),
    ],
)
def test_a_wrong_parameter_is_named_with_what_would_be_right(given: list[str], problem: str) -> None:
    with pytest.raises(WrongArguments, match=re.escape(problem)):
        chosen(GROUPS, None, given, asks=False)


def test_without_anybody_to_answer_the_way_out_is_named(answers: list[str]) -> None:
    assert answers == []
    with pytest.raises(CannotGoOn, match="set YES=1"):
        chosen(GROUPS, None, [], asks=True)
