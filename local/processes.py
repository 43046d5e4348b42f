"""Programs that are started, and ended with everything that they have started themselves."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import ExitStack, contextmanager, suppress
from typing import IO, TYPE_CHECKING

from local.interruption import held_back
from local.leftovers import tidied_up

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path


@contextmanager
def process_group(
    command: Sequence[str],
    *,
    directory: Path,
    environment: Mapping[str, str] | None = None,
    stdout: int | IO[str] | None = None,
    stderr: int | IO[str] | None = None,
    inherit: Sequence[int] = (),
    grace_seconds: float = 0.0,
) -> Iterator[subprocess.Popen[str]]:
    """Run a program in a process group of its own, and end the whole group on the way out.

    A signal that interrupts us does not reach the group, not even Ctrl-C in a terminal: the group is told in good time.
    If we are killed, the group is, too.

    Args:
        command: The program and its arguments. Its standard input is empty.
        directory: Its working directory.
        environment: Its environment; `None`: that of this process.
        stdout: Where its output goes, as for `subprocess.Popen`; what it writes into a pipe is read as text.
        stderr: Where its errors go, likewise.
        inherit: More file descriptors that it gets.
        grace_seconds: How long it may take to end by itself, after SIGTERM; 0: it is not asked, but killed.

    Yields:
        The program.
    """
    process, cleanup = None, ExitStack()
    try:
        with held_back():
            process = subprocess.Popen(
                command,
                cwd=directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                text=True,
                errors="replace",
                pass_fds=inherit,
                start_new_session=True,
            )
            cleanup.enter_context(tidied_up(group=process.pid))
        yield process
    finally:
        if process is not None:
            _end(process, grace_seconds)
        cleanup.close()


def kill_group(process: subprocess.Popen[str]) -> None:
    """Kill a program of `process_group` and all that it has started; nothing happens if they have ended.

    Args:
        process: The program.
    """
    _signal_group(process, signal.SIGKILL)


def _end(process: subprocess.Popen[str], grace_seconds: float) -> None:
    with process:  # closes its pipes and waits for it
        try:
            if grace_seconds:
                _signal_group(process, signal.SIGTERM)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(grace_seconds)
        finally:  # also when the wait is interrupted, and for what has outlived the program
            kill_group(process)


def _signal_group(process: subprocess.Popen[str], number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # all of them have ended
        os.killpg(process.pid, number)
