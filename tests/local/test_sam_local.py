"""What becomes of `sam local invoke` when it is interrupted, with a SAM that only pretends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local import engine, sam_local

if TYPE_CHECKING:
    from pathlib import Path

CONTAINER = "c0ffee"


class Stop(BaseException):
    """The user interrupts."""


@pytest.fixture
def removed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    containers: list[str] = []
    monkeypatch.setattr(engine, "remove_container", containers.append)
    return containers


def pretend(monkeypatch: pytest.MonkeyPatch, directory: Path, script: str) -> None:
    sam = directory / "sam"
    sam.write_text(f"#!/bin/sh\n{script}\n")
    sam.chmod(0o755)
    monkeypatch.setattr(sam_local, "_SAM", sam)


def stop(_line: str) -> None:
    raise Stop


def test_its_container_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, removed: list[str]) -> None:
    pretend(monkeypatch, tmp_path, f"echo 'SAM_CONTAINER_ID: {CONTAINER}' >&2; echo a line >&2; exec sleep 60")

    with pytest.raises(Stop):
        sam_local.invoke(tmp_path / "event", tmp_path / "template", stop)

    assert removed == [CONTAINER]


@pytest.mark.parametrize(("name", "expected"), [(f"SAM_CONTAINER_ID: {CONTAINER}", [CONTAINER]), ("no name", [])])
def test_a_container_that_is_not_named_yet_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, removed: list[str], name: str, expected: list[str]
) -> None:
    pretend(monkeypatch, tmp_path, f"echo chatter >&2; sleep 0.2; echo '{name}' >&2; exec sleep 60")
    monkeypatch.setattr(sam_local, "_NAMING_SECONDS", 1.0)
    monkeypatch.setattr(sam_local._Output, "_add", lambda _output, line: stop(line))

    with pytest.raises(Stop):
        sam_local.invoke(tmp_path / "event", tmp_path / "template")

    assert removed == expected


def test_one_that_ends_by_itself_removes_its_container_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, removed: list[str]
) -> None:
    script = f"echo 'SAM_CONTAINER_ID: {CONTAINER}' >&2; echo a line >&2; echo 'END RequestId: 1' >&2; echo '{{}}'"
    pretend(monkeypatch, tmp_path, script)
    log: list[str] = []

    assert sam_local.invoke(tmp_path / "event", tmp_path / "template", log.append) == "{}\n"

    assert log == ["a line"]
    assert removed == []
