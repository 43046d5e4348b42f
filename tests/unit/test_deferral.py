from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

import pytest

from provider.deferral import deferred

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "some_module", raising=False)
    (tmp_path / "some_module.py").write_text("import sys\nsys.executed = getattr(sys, 'executed', 0) + 1\nVALUE = 42\n")
    monkeypatch.setattr(sys, "executed", 0, raising=False)
    return "some_module"


def executed() -> int:
    return int(vars(sys)["executed"])


def test_a_module_is_executed_once_and_when_it_is_used(module: str) -> None:
    with deferred(module):
        it = importlib.import_module(module)
    assert executed() == 0
    assert it.VALUE == 42
    assert importlib.import_module(module).VALUE == 42
    assert executed() == 1


def test_after_the_block_imports_are_as_ever(module: str) -> None:
    before = list(sys.meta_path)
    with pytest.raises(ZeroDivisionError), deferred(module):
        _ = 1 / 0
    assert sys.meta_path == before
    importlib.import_module(module)
    assert executed() == 1


def test_a_module_that_is_not_named_is_executed(module: str) -> None:
    with deferred("another"):
        importlib.import_module(module)
    assert executed() == 1


def test_a_module_that_does_not_exist_is_missed_as_ever() -> None:
    with deferred("no_such_module"), pytest.raises(ModuleNotFoundError, match="no_such_module"):
        importlib.import_module("no_such_module")
