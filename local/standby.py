"""`make local`: the local world, kept running in one terminal for `sam local invoke` in another.

Run it with `python -m local.standby`. As soon as an event is answered, its job is as it was before, so that every event
finds the world that it was written for: one that was cancelled is started anew, one that was started is removed. Exit
code: 0 after Ctrl-C, 1 if it cannot run, 128 and the signal's number after another signal.
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
        print("\nThe local world has ended.")
        return 0 if interrupted.number == signal.SIGINT else interrupted.exit_code
    except engine.EngineMissing as error:
        print(error, file=sys.stderr)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        print(
            f"Port {world.FIXED_PORTS.neptune} or {world.FIXED_PORTS.responses} is taken: is another `make local` "
            "running? End it, or whatever else listens there, and try again.",
            file=sys.stderr,
        )
    return 1


def _run() -> NoReturn:
    engine.check()
    address = engine.host_address()
    with world.running(address, world.FIXED_PORTS, _show_request) as here:
        _say(_introduction(address, here.ports))
        shown = 0
        while True:
            for received in here.responses.received[shown:]:
                shown += 1
                _show_answer(here, received)
            time.sleep(_LOOK_SECONDS)


def _introduction(address: str, ports: world.Ports) -> str:
    width = max(map(len, world.JOBS))
    jobs = [
        f"  {job_id:<{width}}  {'never stops' if seconds is None else f'stops {seconds:g} s after its cancellation'}"
        for job_id, seconds in world.JOBS.items()
    ]
    sam = "sam" if shutil.which("sam") else ".venv/sam/bin/sam"
    return "\n".join(
        [
            "The local world is up:",
            f"  a Neptune cluster (simulated) at {address}:{ports.neptune}",
            f"  CloudFormation's response host (a stand-in) at {address}:{ports.responses}",
            f"To containers, {address} is {world.HOST}. The cluster's jobs, all of them running:",
            *jobs,
            "",
            f"In another terminal: {sam} build && {sam} local invoke -e events/delete.json",
            "The events:",
            events.table(),
            "Ctrl-C ends it. What comes in:",
            "",
        ]
    )


def _show_request(record: RequestRecord) -> None:
    _say(f"{clock_time(record.time)}  Neptune         {record}")


def _show_answer(here: world.World, received: Received) -> None:
    _say(f"{clock_time(time.time())}  CloudFormation  has an answer:")
    _say(textwrap.indent(json.dumps(received.body, indent=2, ensure_ascii=False), " " * 14))
    job_id = world.job_of(received.body["PhysicalResourceId"])
    status = here.status(job_id)
    if done := here.restore(job_id):
        _say(f"{clock_time(time.time())}  Neptune         job {job_id} is {status}; {done} for the next event")


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
