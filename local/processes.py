"""Programs that are stopped together with everything that they have started."""

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
    """Run a program in a process group of its own, and stop the whole group on the way out.

    Signals to this process do not reach the group, not even Ctrl-C in a terminal. If this process is killed, so is the
    group.

    Args:
        command: The program and its arguments. Its standard input is empty.
        directory: Its working directory.
        environment: Its environment; `None`: that of this process.
        stdout: Where its output goes, as for `subprocess.Popen`; pipes are read as text.
        stderr: Where its errors go, likewise.
        inherit: More file descriptors for it.
        grace_seconds: How many seconds it has to end after SIGTERM; 0: it is killed at once.

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
    """Kill a program of `process_group` and everything that it has started; do nothing if they have ended.

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
        finally:  # even if the wait is interrupted; something may have outlived the program
            kill_group(process)


def _signal_group(process: subprocess.Popen[str], number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # all of them have ended
        os.killpg(process.pid, number)
