"""Termination signals as an exception, so that a program stops what it has started on its way out."""

from __future__ import annotations

import os
import signal
import stat
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_OUTPUTS = (1, 2)
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
        """The exit code that a shell reports for a program that the signal terminated."""
        return 128 + self.number


@contextmanager
def interruptible() -> Iterator[None]:
    """Make the first SIGINT, SIGTERM or SIGHUP raise `Interrupted`; later ones do not disturb the clean-up.

    SIGHUP comes when the terminal is closed; with `nohup`, the program outlives its terminal.
    """
    tempfile.gettempdir()  # its first call tries directories with a file, which an interruption would leave behind
    before = {number: signal.signal(number, _interrupt) for number in _SIGNALS if not _outlives(number)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def alone_in_terminal() -> Iterator[None]:
    """Have Ctrl-C interrupt this program alone, not `make`, which would report it as an error.

    Nothing changes without a terminal, or in the background. Ctrl-Z is ignored: no shell would notice that it stops
    this program.
    """
    group = os.getpgrp()
    with ExitStack() as cleanup:
        with suppress(OSError):
            terminal = os.open("/dev/tty", os.O_RDWR)
            cleanup.callback(os.close, terminal)
            if group != os.getpid() and os.tcgetpgrp(terminal) == group:
                for number in (signal.SIGTSTP, signal.SIGTTOU):
                    signal.signal(number, signal.SIG_IGN)
                os.setpgid(0, 0)
                _give(terminal, os.getpgrp())
                cleanup.callback(_give, terminal, group)
        yield


def _give(terminal: int, group: int) -> None:
    with suppress(OSError):  # the terminal is closed
        os.tcsetpgrp(terminal, group)


@contextmanager
def held_back() -> Iterator[None]:
    """Delay signals, so that a process that is being started is known before anything interrupts."""
    global _held  # noqa: PLW0603 - a signal handler has nothing else to look at
    _held = []
    try:
        yield
    finally:
        held, _held = _held, None
        if held:
            _interrupt(held[0], None)


def _outlives(number: int) -> bool:
    return number == signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN


def _interrupt(number: int, _frame: FrameType | None) -> None:
    if _held is not None:
        _held.append(number)
        return
    for again in _SIGNALS:
        if not _outlives(again):
            signal.signal(again, _ignore)
    if number == signal.SIGHUP:
        _leave_terminal()
    raise Interrupted(number)


def _leave_terminal() -> None:
    """Stop writing to a closed terminal: the writes would fail and change the exit code."""
    with Path(os.devnull).open("wb") as nowhere:
        for output in _OUTPUTS:
            if stat.S_ISCHR(os.fstat(output).st_mode):
                os.dup2(nowhere.fileno(), output)


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Not SIG_IGN: child processes would inherit it, and Python complains if a second signal is already pending."""
