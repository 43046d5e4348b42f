"""`make invoke`: one event through the function, in its container and with all that it needs around it.

Run it with `python -m local.invoke delete`, or without an event to have them listed. Exit code: 0 if CloudFormation
would have got an answer, whatever it says; 1 if not; 2 for wrong arguments; 128 and the signal's number if interrupted.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING

from local import engine, events, sam, sam_local, world
from local.interruption import Interrupted, interruptible
from local.leftovers import temporary_directory
from local.readable_log import clock_time, readable

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Invoke the function with an event.

    Args:
        arguments: The command line, without the program's name; `None`: this process's.

    Returns:
        The exit code.
    """
    options = _parser().parse_args(arguments)
    if not options.event:
        print(f"Which event? Choose one, as in `make invoke EVENT=delete`:\n{events.table()}")
        return 0
    if options.event not in events.DESCRIPTIONS:
        print(
            f"There is no event {options.event!r}. Choose one, as in `make invoke EVENT=delete`:\n{events.table()}",
            file=sys.stderr,
        )
        return 2
    try:
        with interruptible():
            return _invoke(options.event, options.template)
    except Interrupted as interrupted:
        print("\nInterrupted. What was started has been ended and removed.")
        return interrupted.exit_code
    except (engine.EngineMissing, sam.SamError) as error:
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local.invoke",
        description="Run one event of events/ through the function in its container (`sam local invoke`), with a "
        "simulated Neptune cluster and a stand-in for CloudFormation's response host.",
        allow_abbrev=False,
    )
    parser.add_argument("event", nargs="?", default="", help="the event's name, such as delete (default: list them)")
    parser.add_argument("--template", type=Path, help="a template that `sam build` built (default: build it now)")
    return parser


def _invoke(name: str, template: Path | None) -> int:
    engine.check()
    built = template or _build()
    image = sam_local.base_image(built)
    if not engine.has_image(image):
        _say(f"Pulling the image {image}, this once ...")
    with world.running(engine.host_address()) as here, temporary_directory("event-") as directory:
        path = directory / f"{name}.json"
        path.write_text(events.text(name, here.ports))
        asked = events.request_in(json.loads(path.read_text()))
        job_id = asked["ResourceProperties"].get("Id") or world.job_of(asked.get("PhysicalResourceId", ""))
        before = here.neptune.jobs()

        about = f"job {job_id}: {here.status(job_id)}" if job_id else "no job yet"
        _say(f"The function's log of events/{name}.json ({asked['RequestType']}, {about}):")
        returned = sam_local.invoke(path, built, lambda line: _show(readable(line)))

        _say("\nWhat Neptune was asked:")
        for request, repeated in itertools.groupby(here.neptune.log, key=str):
            first, *others = repeated
            _show(f"{clock_time(first.time)}  {request}{f' ({len(others) + 1} times)' if others else ''}")
        if not here.neptune.log:
            _show("nothing")
        started = [it for it in here.neptune.jobs() if it not in before]
        for it in filter(None, (job_id, *started)):
            _say(f"The job {it} is {here.status(it)} now.")

        if not here.responses.received:
            print(f"\nCloudFormation would have got no answer. The function returned: {returned}", file=sys.stderr)
            return 1
        _say("\nThe answer that CloudFormation would have got:")
        for received in here.responses.received:
            _show(json.dumps(received.body, indent=2, ensure_ascii=False))
    return 0


def _build() -> Path:
    if not sam_local.is_up_to_date():
        print("sam build ... ", end="", flush=True)
        started = time.monotonic()
        sam.build(sam_local.BUILT.parent)
        print(f"{time.monotonic() - started:.0f} s", flush=True)
    return sam_local.BUILT


def _say(text: str) -> None:
    print(text, flush=True)


def _show(text: str) -> None:
    _say(textwrap.indent(text, "  "))


if __name__ == "__main__":
    sys.exit(main())
