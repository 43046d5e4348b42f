from __future__ import annotations

import pytest

from operate.logs import main


@pytest.mark.parametrize("minutes", ["abc", "-1", "nan", "inf"])
def test_what_is_no_number_of_minutes_is_named(minutes: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([f"--minutes={minutes}"]) == 2
    assert capsys.readouterr().err == f"MINUTES is {minutes!r}; it should be a number of minutes.\n"
