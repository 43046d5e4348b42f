from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tools.troubleshooting import page

if TYPE_CHECKING:
    from pathlib import Path

PAGE = """\
<!-- generated: messages of one -->
- an old message
<!-- end of messages -->
<!-- generated: messages of log -->
<!-- end of messages -->
"""
SOURCE = '''
LIMIT = 5
SENTENCES = {
    LIMIT: "{named} could not be {started}. {said}",
    #: Somebody else
    #: did.
    7: "{named} {not_stopped} yet.",
}

def fail(error, words, logger):
    """Not a message."""
    if error:
        #: As in `sam local invoke`.
        raise ValueError(
            f"At most {LIMIT} of {words.thing}s: {error}. "
            f"Try {', '.join(error.names)}."
        )
    #: One attempt.
    logger.warning("Is `it` running?", problem="none")
'''


def written(source: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str = PAGE) -> str:
    """The page for a package of one module."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / name).mkdir()
    (tmp_path / name / "one.py").write_text(source)
    return page(before, tmp_path / name)


def test_a_message_is_explained_by_the_comment_above_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (
        written(SOURCE, "explained", tmp_path, monkeypatch)
        == """\
<!-- generated: messages of one -->
- `The job <id> has not stopped yet.`\\
  Somebody else did.
- `At most 5 of jobs: <error>. Try <names>.`\\
  As in `sam local invoke`.
<!-- end of messages -->
<!-- generated: messages of log -->
- ``Is `it` running?``\\
  One attempt.
<!-- end of messages -->
"""
    )


def test_a_comment_that_explains_nothing_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="no message follows"):
        written("#: Why?\nLIMIT = 5\n", "nothing", tmp_path, monkeypatch)


def test_a_module_that_the_page_leaves_out_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="names one"):
        written(SOURCE, "left_out", tmp_path, monkeypatch, PAGE.replace("of one", "of two"))
