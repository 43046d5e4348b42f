from __future__ import annotations

import re

import pytest

from operate import accept, logs
from operate.trial import VARIABLES


@pytest.mark.parametrize("minutes", ["abc", "-1", "nan", "inf"])
def test_what_is_no_number_of_minutes_is_named(minutes: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert logs.main([f"--minutes={minutes}"]) == 2
    assert capsys.readouterr().err == f"MINUTES is {minutes!r}; it should be a number of minutes.\n"


@pytest.mark.parametrize("minutes", ["abc", "nan", "0.9", "60.1"])
def test_an_operation_of_an_acceptance_takes_an_hour_at_most(minutes: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert accept.main([f"--minutes={minutes}", "--endpoint=cluster.example.com", "--job=job-1"]) == 2
    assert capsys.readouterr().err == f"MINUTES is {minutes!r}; it should be a number of minutes from 1 to 60.\n"


def test_an_acceptance_without_arguments_names_all_that_it_needs(capsys: pytest.CaptureFixture[str]) -> None:
    assert accept.main([]) == 2
    said = capsys.readouterr().err
    assert "`make accept` still needs ENDPOINT and one of JOB and PROPERTIES.\n" in said
    for variable in VARIABLES:
        assert re.search(rf"^  {variable}=\S+ +\w.{{20}}", said, re.M), variable
