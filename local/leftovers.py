"""Clean-up that happens even if this process is killed (SIGKILL)."""

from __future__ import annotations

import os
import subprocess
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from local.interruption import held_back

if TYPE_CHECKING:
    from collections.abc import Iterator

# It reads from a pipe that nobody writes to and that closes when this process ends. What another heir is about to kill
# may still write into the directory.
_HEIR = """
read -r _
if [ -n "$1" ]; then kill -s KILL -- "-$1"; fi
if [ -n "$2" ]; then for _ in 1 2 3; do rm -rf -- "$2"; sleep 1; done; fi
"""


@contextmanager
def tidied_up(*, group: int | None = None, directory: Path | None = None) -> Iterator[None]:
    """Have another process clean up if this one is killed meanwhile.

    Args:
        group: A process group to kill.
        directory: A directory to remove.
    """
    arguments = ["sh", "" if group is None else str(group), "" if directory is None else str(directory)]
    reading, writing = os.pipe()  # no child process inherits it
    try:
        heir = subprocess.Popen(
            ["/bin/sh", "-c", _HEIR, *arguments],
            stdin=reading,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # signals from the terminal do not reach it
        )
    finally:
        os.close(reading)
    try:
        yield
    finally:
        heir.kill()
        heir.wait()
        os.close(writing)


@contextmanager
def temporary_directory(prefix: str) -> Iterator[Path]:
    """Make a temporary directory that is removed however this process ends.

    Args:
        prefix: The beginning of its name.

    Yields:
        The directory.
    """
    with ExitStack() as cleanup:
        with held_back():  # it is known before anything interrupts
            directory = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix=prefix)))
            cleanup.enter_context(tidied_up(directory=directory))
        yield directory
