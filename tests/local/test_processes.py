"""What is started is ended, with all that it has started itself."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local.interruption import Interrupted, interruptible
from local.processes import kill_group, process_group

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

SHELL = "sh", "-c"
CHILD_AND_WAIT = "sleep 60 & echo $!; wait"
# A program in a terminal, which starts others, and says on its way out that it does.
IN_TERMINAL = """
import sys, time
from pathlib import Path
from local.interruption import Interrupted, interruptible
from local.processes import process_group
try:
    with interruptible(), process_group(["sleep", "60"], directory=Path.cwd()) as process:
        print(process.pid, flush=True)
        try:
            time.sleep(60)
        finally:
            print("ending", flush=True)
except Interrupted as interrupted:
    print("ended", flush=True)
    sys.exit(interrupted.exit_code)
"""


def shell(script: str, *, grace_seconds: float = 0.0) -> AbstractContextManager[subprocess.Popen[str]]:
    return process_group([*SHELL, script], directory=Path.cwd(), stdout=subprocess.PIPE, grace_seconds=grace_seconds)


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def wait_until_ended(pid: int) -> None:
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and " Z " not in Path(f"/proc/{pid}/stat").read_text():
        assert time.monotonic() < deadline, f"process {pid} is still running"
        time.sleep(0.01)


def test_children_are_ended_too() -> None:
    with shell(CHILD_AND_WAIT) as process:
        child = int(first_line(process))

    assert process.returncode == -signal.SIGKILL
    wait_until_ended(child)


def test_children_that_outlive_the_program_are_ended_too() -> None:
    with shell("sleep 60 >&- & echo $!") as process:
        child = int(first_line(process))
        assert process.wait(10) == 0
        os.kill(child, 0)

    assert process.returncode == 0
    wait_until_ended(child)


def test_with_grace_it_may_end_by_itself() -> None:
    with shell("trap 'exit 7' TERM; echo ready; sleep 60 & wait", grace_seconds=10) as process:
        first_line(process)

    assert process.returncode == 7


def test_grace_has_an_end() -> None:
    started = time.monotonic()
    with shell("trap '' TERM; echo ready; sleep 60", grace_seconds=0.1) as process:
        first_line(process)

    assert process.returncode == -signal.SIGKILL
    assert time.monotonic() - started < 30


def test_an_error_ends_it() -> None:
    children: list[int] = []

    def fail() -> None:
        with shell(CHILD_AND_WAIT) as process:
            children.append(int(first_line(process)))
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        fail()

    (child,) = children
    wait_until_ended(child)


def test_it_can_be_killed_twice() -> None:
    with shell(CHILD_AND_WAIT) as process:
        kill_group(process)
        assert process.wait(10) == -signal.SIGKILL
        kill_group(process)


def test_a_signal_while_it_starts_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[str]] = []

    class Interrupting(subprocess.Popen[str]):
        def __init__(self, *arguments: object, **options: object) -> None:
            super().__init__(*arguments, **options)  # type: ignore[call-overload]
            started.append(self)
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(subprocess, "Popen", Interrupting)

    with pytest.raises(Interrupted), interruptible(), shell(CHILD_AND_WAIT):
        raise AssertionError("it should not get here")

    process, _heir = started
    assert process.returncode == -signal.SIGKILL


def test_a_terminal_that_is_closed_ends_it() -> None:
    terminal, inside = pty.openpty()
    # A session's leader has its first terminal tell it when it is closed.
    opened = ["sh", "-c", 'exec "$0" -c "$1" <>"$2" >&0 2>&0', sys.executable, IN_TERMINAL, os.ttyname(inside)]
    with subprocess.Popen(opened, start_new_session=True) as program:
        try:
            assert select.select([terminal], [], [], 30) == ([terminal], [], [])
            child = int(os.read(terminal, 100))
        finally:
            os.close(inside)
            os.close(terminal)
        assert program.wait(30) == 128 + signal.SIGHUP
    wait_until_ended(child)


def test_a_program_that_is_to_outlive_its_terminal_does() -> None:
    script = "import signal; from local.interruption import interruptible\nwith interruptible(): signal.raise_signal(1)"
    done = subprocess.run(["nohup", sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
