"""`make local`: keep the local world running in one terminal, for `sam local invoke` in another.

Run it with `python -m local.standby`. When an event is answered, its job is set up again, or removed if the event
started it: so each event finds the world that it was written for. Exit code: 0 after Ctrl-C, 1 if it cannot run, 128
and the signal's number after another signal.
"""

from __future__ import annotations

import errno
import json
import shutil
import signal
import sys
import textwrap
import time
from typing import TYPE_CHECKING, NoReturn

from local import engine, events, world
from local.interruption import Interrupted, alone_in_terminal, interruptible
from local.readable_log import clock_time
from simulator import JobStatus

if TYPE_CHECKING:
    from local.response_host import Received
    from simulator import RequestRecord

_LOOK_SECONDS = 0.1


def main() -> int:
    """Run the local world until a signal ends it.

    Returns:
        The exit code.
    """
    try:
        with alone_in_terminal(), interruptible():
            _run()
    except Interrupted as interrupted:
        print("\nStopped.")
        return 0 if interrupted.number == signal.SIGINT else interrupted.exit_code
    except engine.EngineMissing as error:
        print(error, file=sys.stderr)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        print(
            f"Port {world.FIXED_PORTS.neptune} or {world.FIXED_PORTS.responses} is in use, perhaps by another "
            "`make local`. Stop it, and try again.",
            file=sys.stderr,
        )
    return 1


def _run() -> NoReturn:
    engine.check()
    address = engine.host_address()
    with world.running(address, world.FIXED_PORTS, _show_request) as here:
        _say(_introduction(address, here.ports))
        answers = signals = 0
        while True:
            for received in here.responses.received[answers:]:
                answers += 1
                _show_body("a response", received)
                _restore(here, world.job_of(received.body["PhysicalResourceId"]))
            for received in here.responses.signals[signals:]:
                signals += 1
                _show_body("a signal for a wait condition", received)
            time.sleep(_LOOK_SECONDS)


def _introduction(address: str, ports: world.Ports) -> str:
    width = max(map(len, world.JOBS))
    sam = "sam" if shutil.which("sam") else ".venv/sam/bin/sam"
    return "\n".join(
        [
            "Running on this machine:",
            f"  a simulated Neptune cluster at {address}:{ports.neptune}",
            f"  a stand-in for CloudFormation's response host at {address}:{ports.responses}",
            f"Containers reach {address} as {world.HOST}. The cluster's jobs and endpoints:",
            *(f"  {job_id:<{width}}  {_about(job)}" for job_id, job in world.JOBS.items()),
            "",
            f"In another terminal: {sam} build && {sam} local invoke -e events/delete.json",
            "The events:",
            events.table(),
            "Press Ctrl-C to stop. What comes in:",
            "",
        ]
    )


def _about(job: world.LocalJob) -> str:
    ends = "never stops" if job.stop_seconds is None else f"stops within {job.stop_seconds:g} s"
    return f"{job.kind}, {job.status}" + ("" if job.status == JobStatus.COMPLETED else f"; once cancelled, it {ends}")


def _show_request(record: RequestRecord) -> None:
    _say(f"{clock_time(record.time)}  Neptune         {record}")


def _show_body(what: str, received: Received) -> None:
    _say(f"{clock_time(time.time())}  CloudFormation  received {what}:")
    _say(textwrap.indent(json.dumps(received.body, indent=2, ensure_ascii=False), " " * 14))


def _restore(here: world.World, job_id: str) -> None:
    status = here.status(job_id)
    if done := here.restore(job_id):
        _say(f"{clock_time(time.time())}  Neptune         {job_id} is {status}; {done} for the next event")


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
