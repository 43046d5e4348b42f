"""`make invoke`: run the function in its container on one event, beside a simulated cluster and response host.

Run it with `python -m local.invoke delete`, or with the path of a JSON file; without an event, it lists those of
`events/`. Exit code: 0 if CloudFormation would have received an answer, whatever it says; 1 if not; 2 for wrong
arguments; 128 and the signal's number if interrupted.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local import engine, events, sam, sam_local, world
from local.interruption import Interrupted, interruptible
from local.leftovers import temporary_directory
from local.readable_log import clock_time, readable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Invoke the function with an event.

    Args:
        arguments: The command line, without the program's name; `None`: this process's.

    Returns:
        The exit code.
    """
    options = _parser().parse_args(arguments)
    if not options.event:
        print(f"Name an event, as in `make invoke EVENT=delete`, or a file (EVENT=my/event.json):\n{events.table()}")
        return 0
    try:
        with interruptible():
            return _invoke(options.event, options.template)
    except Interrupted as interrupted:
        print("\nInterrupted. Everything that was started has been stopped and removed.")
        return interrupted.exit_code
    except events.NoEvent as error:
        print(error, file=sys.stderr)
        return 2
    except (engine.EngineMissing, sam.SamError) as error:
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local.invoke",
        description="Run the function in its container (`sam local invoke`) on one event, with a simulated Neptune "
        "cluster and a stand-in for CloudFormation's response host.",
        allow_abbrev=False,
    )
    parser.add_argument("event", nargs="?", default="", help="a name, such as delete, or a file (default: list names)")
    parser.add_argument("--template", type=Path, help="a template that `sam build` has built (default: build it)")
    return parser


def _invoke(event: str, template: Path | None) -> int:
    events.text(event)  # an event that cannot be read is no reason to build
    engine.check()
    built = template or _build()
    image = sam_local.base_image(built)
    if not engine.has_image(image):
        _say(f"Pulling the image {image} (only once) ...")
    with world.running(engine.host_address()) as here, temporary_directory("event-") as directory:
        path = directory / "event.json"
        path.write_text(events.text(event, here.ports))
        asked = events.request_in(json.loads(path.read_text()))
        job_id = _job_of(asked)
        before = here.jobs()

        about = f", job {job_id}: {here.status(job_id)}" if job_id else ""
        _say(f"The function's log for {event} ({asked.get('RequestType', 'no request')}{about}):")
        returned = sam_local.invoke(path, built, lambda line: _show(readable(line)))

        _say("\nNeptune received these requests:")
        for request, repeated in itertools.groupby(here.neptune.log, key=str):
            first, *others = repeated
            _show(f"{clock_time(first.time)}  {request}{f' ({len(others) + 1} times)' if others else ''}")
        if not here.neptune.log:
            _show("none")
        started = [it for it in here.jobs() if it not in before]
        for it in filter(None, (job_id, *started)):
            _say(f"The job {it} is now {here.status(it)}.")

        taken = [("response", it.body) for it in here.responses.received]
        taken += [("signal for a wait condition", it.body) for it in here.responses.signals]
        for what, body in taken:
            _say(f"\nCloudFormation would have received this {what}:")
            _show(json.dumps(body, indent=2, ensure_ascii=False))
    if not taken:
        print(f"\nCloudFormation would have received no response. The function returned: {returned}", file=sys.stderr)
    return 0 if taken else 1


def _job_of(request: Mapping[str, Any]) -> str:
    properties = request.get("ResourceProperties")
    adopted = properties.get("Id") if isinstance(properties, dict) else None
    return str(adopted or world.job_of(str(request.get("PhysicalResourceId", ""))))


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
