"""Signals that ask a program to end, as an exception: what it started is ended on the way out."""

from __future__ import annotations

import signal
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_held: list[int] | None = None


class Interrupted(KeyboardInterrupt):
    """A signal asks the program to end.

    Args:
        number: The signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    @property
    def exit_code(self) -> int:
        """What a shell reports of a program that the signal ended."""
        return 128 + self.number


@contextmanager
def interruptible() -> Iterator[None]:
    """Have SIGINT and SIGTERM raise `Interrupted`, once: the clean-up is not to be interrupted, too."""
    tempfile.gettempdir()  # its first call tries directories out with a file, which an interruption would leave there
    before = {number: signal.signal(number, _interrupt) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def held_back() -> Iterator[None]:
    """Hold a signal back: a process that is being started is known before it can be asked to end."""
    global _held  # noqa: PLW0603 - a signal handler has nothing else to look at
    _held = []
    try:
        yield
    finally:
        held, _held = _held, None
        if held:
            _interrupt(held[0], None)


def _interrupt(number: int, _frame: FrameType | None) -> None:
    if _held is not None:
        _held.append(number)
        return
    for again in _SIGNALS:
        signal.signal(again, _ignore)
    raise Interrupted(number)


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Not SIG_IGN: child processes would inherit that, and Python complains if a second signal is pending already."""
