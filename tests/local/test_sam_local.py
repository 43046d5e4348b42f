"""What becomes of `sam local invoke` when it is interrupted, with a SAM that only pretends."""

from __future__ import annotations

import os
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
def test_a_container_is_removed_whose_name_is_still_to_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, removed: list[str], name: str, expected: list[str]
) -> None:
    pretend(monkeypatch, tmp_path, f"printf 'chatter\\n{name}\\n' >&2; exec sleep 60")
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


def test_a_build_is_repeated_only_for_sources_that_have_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built, source = tmp_path / "built.yaml", tmp_path / "src"
    module, compiled = source / "provider/module.py", source / "provider/__pycache__/module.pyc"
    monkeypatch.setattr(sam_local, "BUILT", built)
    monkeypatch.setattr(sam_local, "_SOURCES", (source,))
    assert not sam_local.is_up_to_date()  # there is no build yet

    compiled.parent.mkdir(parents=True)
    for path in (module, compiled, built):
        path.touch()
    for path in (source, *source.rglob("*"), built):
        os.utime(path, (1000, 1000 + (path == built)))
    os.utime(compiled, (2000, 2000))
    assert sam_local.is_up_to_date()

    os.utime(module, (2000, 2000))
    assert not sam_local.is_up_to_date()
    os.utime(module, (1000, 1000))
    module.unlink()  # which only its directory tells
    assert not sam_local.is_up_to_date()
