"""Run the demo with `python -m local.demo`, another act with `python -m local.demo pipeline`.

It checks what it shows. Exit code: 0 if every check passed, 1 if not, 2 for an unknown act, 128 and the signal's number
if interrupted.
"""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from rich.console import Console

from local import sam
from local.demo import jobs, pipeline
from local.demo.stage import PROVIDER, StackFailedError, Stage
from local.environment import leave_aws
from local.interruption import Interrupted, interruptible
from local.leftovers import temporary_directory
from local.ministack import MiniStack, MiniStackError
from local.stacks import NotSettled
from local.timeline import Timeline
from simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_HOSTS = "127.0.0.1,localhost"


class _Act(NamedTuple):
    """A part of the demo.

    Attributes:
        introduction: What is about to happen.
        perform: Shows it and checks it; returns the checks that failed.
        next_steps: What to try next.
    """

    introduction: str
    perform: Callable[[Console, Stage], list[str]]
    next_steps: str


_NEXT = """\
  make invoke EVENT=delete  runs the function in its container (with Docker)
  make deploy               deploys the provider to your AWS account"""
_ACTS: Final[Mapping[str, _Act]] = {
    "jobs": _Act(jobs.INTRODUCTION, jobs.perform, f"  make demo ACT=pipeline    shows a whole pipeline\n{_NEXT}"),
    "pipeline": _Act(pipeline.INTRODUCTION, pipeline.perform, _NEXT),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run an act of the demo.

    Args:
        arguments: The command line, without the program's name: the act, or nothing for the first; `None`: this
            process's.

    Returns:
        The exit code.
    """
    name = " ".join(sys.argv[1:] if arguments is None else arguments) or "jobs"
    act = _ACTS.get(name)
    if act is None:
        print(
            f"The demo has no act {name!r}. Choose {' or '.join(_ACTS)}, as in `make demo ACT=pipeline`.",
            file=sys.stderr,
        )
        return 2
    leave_aws()
    console = Console(highlight=False)
    try:
        with interruptible():
            failed = _run(console, act)
    except Interrupted as interrupted:
        console.print("\nInterrupted. Everything that was started has been stopped and removed.")
        return interrupted.exit_code
    except (MiniStackError, sam.SamError, NotSettled, StackFailedError) as error:
        console.print(f"\nThe demo failed: {error}", markup=False)
        return 1
    if failed:
        console.print(f"\n{len(failed)} checks failed: see FAILED above.")
        return 1
    console.print("\nEvery check passed. Everything that was started has been stopped and removed.")
    console.print(f"Next:\n{act.next_steps}")
    return 0


def _run(console: Console, act: _Act) -> list[str]:
    """Run an act; returns the checks that failed."""
    console.print(act.introduction)
    timeline = Timeline(console)
    console.print("[bold]Setting up[/bold] (about half a minute; longer on a busy machine)")
    with temporary_directory("demo-") as directory:
        with _step(console, "sam build"):
            built = sam.build(directory / "build")
        with (
            MiniStack(iam=True) as ministack,
            # Its clock is CloudFormation's, for one timeline.
            Simulator(clock=time.time, on_request=timeline.add_request) as neptune,
        ):
            with _step(console, "sam deploy"):
                outputs = sam.deploy(
                    ministack,
                    built,
                    PROVIDER,
                    {"ClusterResourceId": "*", "StartJobs": "true", "AllowedHosts": _HOSTS, "ResponseHosts": _HOSTS},
                )
            return act.perform(console, Stage(timeline, ministack, neptune, outputs))


@contextmanager
def _step(console: Console, name: str) -> Iterator[None]:
    started = time.monotonic()
    console.print(f"  {name} ... ", end="")
    try:
        yield
    except BaseException:
        console.print()
        raise
    console.print(f"{time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
