"""`make probe`: what CloudFormation does, against what the project assumes; run it with `python -m operate.probe`.

Stacks of nothing but a recording function play situations, are deleted, and a report says what was seen. Exit code: 0
if nothing was seen that is not assumed, 1 if something was or is left behind, 2 for wrong arguments, 128 and the
signal's number if interrupted.
"""

from __future__ import annotations

import argparse
import math
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from local.interruption import Interrupted, held_back, interruptible
from local.stacks import NotSettled
from operate import account, command
from operate.asking import confirm
from operate.command import WrongArguments
from operate.probe.judgement import Finding
from operate.probe.report import PAGE, assumptions, differs, report
from operate.probe.situations import findings
from operate.probe.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

_UNIT = "10"


def main(arguments: Sequence[str] | None = None) -> int:
    """Probe CloudFormation.

    Args:
        arguments: The command line, without the program's name; `None`: this process's.

    Returns:
        The exit code.
    """
    options = _parser().parse_args(arguments)
    return command.run(lambda: _probe(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m operate.probe",
        description="Play situations with stacks of a recording function, and report what CloudFormation sends.",
        allow_abbrev=False,
    )
    parser.add_argument("--unit", default=_UNIT, help="the unit of time of what is played, in seconds (%(default)s)")
    parser.add_argument("--report", default="", help="write the report into this file, too")
    parser.add_argument("--yes", action="store_true", help="ask nothing")
    return parser


def _probe(options: argparse.Namespace) -> int:
    unit = _seconds(options.unit)
    here, name = account.find(), f"neptune-ml-probe-{secrets.token_hex(3)}"
    print(
        f"{here}\nWhat is about to happen, in some 20 minutes:\n"
        f"  1. The stack {name} is created: a function that records what CloudFormation sends, its role and a queue.\n"
        f"  2. Stacks {name}-... of nothing but this function's resources are created, updated and deleted.\n"
        "  3. All of it is deleted. It costs less than a cent; no cluster is touched.",
        flush=True,
    )
    if not options.yes and not confirm("Go on?"):
        print("Nothing was done.")
        return 1
    stage, found, end, code = Stage(here, name, unit), dict[str, Finding](), "", 0
    try:
        with interruptible():
            try:
                stage.set_up()
                found.update(findings(stage))
            finally:
                with held_back():
                    code = int(not stage.tear_down())
    except Interrupted as interrupted:
        end, code = "It was interrupted.", interrupted.exit_code
    except (NotSettled, ClientError, BotoCoreError) as error:
        end, code = f"It could not be ended: {str(error).splitlines()[0]}", 1
    assumed = assumptions(PAGE.read_text())
    text = report(assumed, found, sorted(stage.recorded), about=f"Region {here.region}, unit {unit:g} s", end=end)
    print(f"\n{text}", flush=True)
    if options.report:
        Path(options.report).write_text(f"{text}\n")
    return code or int(differs(assumed, found))


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= 30:  # noqa: PLR2004 - what is longest, five units, has to end before the function's time does
        raise WrongArguments(f"UNIT is {text!r}; it should be a number of seconds, at most 30.")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
